package command

import (
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/backup"
	"github.com/bippop/bippop/node/internal/erasure"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/replica"
)

// AdmitReplica lets a machine join that shows an invitation.
type AdmitReplica struct {
	Stamp      `cbor:"0,keyasint"`
	ID         ident.Replica    `cbor:"1,keyasint"`
	Name       string           `cbor:"2,keyasint"`
	At         replica.Address  `cbor:"3,keyasint"`
	Invitation ident.Invitation `cbor:"4,keyasint"`
	Secret     [32]byte         `cbor:"5,keyasint"` // SHA-256 of the token that it showed
}

// ChangeReplica replaces address, URL, level and fingerprint.
type ChangeReplica struct {
	Stamp `cbor:"0,keyasint"`
	ID    ident.Replica   `cbor:"1,keyasint"`
	At    replica.Address `cbor:"2,keyasint"`
}

// Invite makes a token good for one replica, until an instant.
type Invite struct {
	Stamp      `cbor:"0,keyasint"`
	Invitation replica.Invitation `cbor:"1,keyasint"` // ID, Secret and Until; the rest is the machine's
}

// StepReplica moves a replica along its states.
type StepReplica struct {
	Stamp `cbor:"0,keyasint"`
	ID    ident.Replica `cbor:"1,keyasint"`
	To    replica.State `cbor:"2,keyasint"`
	How   string        `cbor:"3,keyasint,omitempty"` // Destroyed: how, for the certificate
}

// RecordRelease notes that a replica was given the key of its vault.
type RecordRelease struct {
	Stamp   `cbor:"0,keyasint"`
	Release replica.Release `cbor:"1,keyasint"` // At is the machine's
}

// WantErasure queues somebody to be forgotten: a beneficiary, a volunteer, an
// account, or an import that is not committed, with all its people.
type WantErasure struct {
	Stamp      `cbor:"0,keyasint"`
	Collection byte     `cbor:"1,keyasint"`
	ID         [16]byte `cbor:"2,keyasint"`
	Withdraw   bool     `cbor:"3,keyasint,omitempty"` // close first what is still open
}

// KeepPerson takes the wish back.
type KeepPerson struct {
	Stamp      `cbor:"0,keyasint"`
	Collection byte     `cbor:"1,keyasint"`
	ID         [16]byte `cbor:"2,keyasint"`
}

// Closing is what counts when an open request is closed for an erasure.
type Closing struct {
	Request ident.Request `cbor:"1,keyasint"`
	Counts  []Count       `cbor:"2,keyasint,omitempty"` // Cancelled
}

// Erase replaces the root key and forgets people. With nobody in Who the root is
// replaced for another reason. A volunteer goes with his accounts; an import that
// is not committed with the last of its people.
type Erase struct {
	Stamp    `cbor:"0,keyasint"`
	ID       ident.Erasure    `cbor:"1,keyasint"`
	Rewrap   crypto.Rewrap    `cbor:"2,keyasint"`
	Who      []erasure.Erased `cbor:"3,keyasint,omitempty"`
	Holders  []ident.Replica  `cbor:"4,keyasint,omitempty"` // that hold the new root already, durably
	Closings []Closing        `cbor:"5,keyasint,omitempty"`
}

// HoldRoot is a replica's word that it holds Root and nothing older.
type HoldRoot struct {
	Stamp   `cbor:"0,keyasint"`
	Replica ident.Replica `cbor:"1,keyasint"`
	Root    crypto.KeyID  `cbor:"2,keyasint"`
}

// RegisterDestination adds a place for copies.
type RegisterDestination struct {
	Stamp       `cbor:"0,keyasint"`
	Destination backup.Destination `cbor:"1,keyasint"`
}

// DropDestination ends it. Deleted is a person's word that no key backup lies
// there any more.
type DropDestination struct {
	Stamp   `cbor:"0,keyasint"`
	ID      ident.Destination `cbor:"1,keyasint"`
	Deleted bool              `cbor:"2,keyasint,omitempty"`
}

// RecordBackup notes what lies at a destination now.
type RecordBackup struct {
	Stamp `cbor:"0,keyasint"`
	ID    ident.Destination `cbor:"1,keyasint"`
	Made  backup.Made       `cbor:"2,keyasint"`
}

func (AdmitReplica) Kind() Kind        { return KindAdmitReplica }
func (ChangeReplica) Kind() Kind       { return KindChangeReplica }
func (Invite) Kind() Kind              { return KindInvite }
func (StepReplica) Kind() Kind         { return KindStepReplica }
func (RecordRelease) Kind() Kind       { return KindRecordRelease }
func (WantErasure) Kind() Kind         { return KindWantErasure }
func (KeepPerson) Kind() Kind          { return KindKeepPerson }
func (Erase) Kind() Kind               { return KindErase }
func (HoldRoot) Kind() Kind            { return KindHoldRoot }
func (RegisterDestination) Kind() Kind { return KindRegisterDestination }
func (DropDestination) Kind() Kind     { return KindDropDestination }
func (RecordBackup) Kind() Kind        { return KindRecordBackup }
