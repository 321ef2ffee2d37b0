package command

import (
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/credential"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/when"
)

// SetSecond gives an account an application that shows codes, and codes on paper.
// Without a box only the paper is new.
type SetSecond struct {
	Stamp   `cbor:"0,keyasint"`
	Account ident.Account `cbor:"1,keyasint"`
	Version uint32        `cbor:"2,keyasint"` // of the account's credentials; 0: none yet
	Box     []byte        `cbor:"3,keyasint,omitempty"`
	Step    int64         `cbor:"4,keyasint,omitempty"` // of the code that proved it
	Paper   [][]byte      `cbor:"5,keyasint"`
}

// Enter opens a session with whatever was shown besides a password, and takes that:
// no code opens twice.
type Enter struct {
	Stamp   `cbor:"0,keyasint"`
	Session account.Session `cbor:"1,keyasint"`
	// Ends is the session that this browser had. One of the same account goes on in the
	// new one, with its hat, when Again says so.
	Ends    account.SessionID `cbor:"2,keyasint,omitempty"`
	Again   bool              `cbor:"3,keyasint,omitempty"`
	Step    int64             `cbor:"4,keyasint,omitempty"` // of a code
	Paper   []byte            `cbor:"5,keyasint,omitempty"` // hash of a code on paper
	Passkey []byte            `cbor:"6,keyasint,omitempty"` // its ID
	Counter uint32            `cbor:"7,keyasint,omitempty"`
	Flags   uint8             `cbor:"8,keyasint,omitempty"`
	Link    credential.Digest `cbor:"9,keyasint,omitzero"`
}

// UseSession notes that a session is in use, and lets it go on.
type UseSession struct {
	Stamp   `cbor:"0,keyasint"`
	ID      account.SessionID `cbor:"1,keyasint"`
	Used    when.At           `cbor:"2,keyasint"`
	Expires when.At           `cbor:"3,keyasint"`
}

// EndSessions ends the sessions of an account, but one.
type EndSessions struct {
	Stamp   `cbor:"0,keyasint"`
	Account ident.Account     `cbor:"1,keyasint"`
	But     account.SessionID `cbor:"2,keyasint,omitempty"`
}

// DropCredential takes something away by which an account is entered: a passkey or
// another's door, or, with neither, the application and the paper.
type DropCredential struct {
	Stamp   `cbor:"0,keyasint"`
	Account ident.Account     `cbor:"1,keyasint"`
	Version uint32            `cbor:"2,keyasint"`
	Passkey []byte            `cbor:"3,keyasint,omitempty"`
	Link    credential.Digest `cbor:"4,keyasint,omitzero"`
}

// AddPasskey adds a key.
type AddPasskey struct {
	Stamp   `cbor:"0,keyasint"`
	Account ident.Account      `cbor:"1,keyasint"`
	Version uint32             `cbor:"2,keyasint"`
	Passkey credential.Passkey `cbor:"3,keyasint"`
}

// AddLink adds another's door.
type AddLink struct {
	Stamp   `cbor:"0,keyasint"`
	Account ident.Account     `cbor:"1,keyasint"`
	Version uint32            `cbor:"2,keyasint"`
	Digest  credential.Digest `cbor:"3,keyasint"`
}

// NoteMisses adds to the month's number of sign-ins that failed.
type NoteMisses struct {
	Stamp `cbor:"0,keyasint"`
	Month string `cbor:"1,keyasint"` // "2026-11"
	N     uint64 `cbor:"2,keyasint"`
}

// BreakGlass opens a session of an administrator from the machine itself.
type BreakGlass struct {
	Stamp   `cbor:"0,keyasint"`
	Session account.Session `cbor:"1,keyasint"`
	Machine ident.Replica   `cbor:"2,keyasint"`
}

func (SetSecond) Kind() Kind      { return KindSetSecond }
func (Enter) Kind() Kind          { return KindEnter }
func (UseSession) Kind() Kind     { return KindUseSession }
func (EndSessions) Kind() Kind    { return KindEndSessions }
func (DropCredential) Kind() Kind { return KindDropCredential }
func (AddPasskey) Kind() Kind     { return KindAddPasskey }
func (AddLink) Kind() Kind        { return KindAddLink }
func (NoteMisses) Kind() Kind     { return KindNoteMisses }
func (BreakGlass) Kind() Kind     { return KindBreakGlass }
