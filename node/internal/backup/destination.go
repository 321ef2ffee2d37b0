// Package backup holds where copies of the territory lie.
package backup

import (
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/when"
)

// Kind says how a copy gets there. The numbers are in the store.
type Kind uint8

const (
	Folder Kind = 1 // of one replica; the node writes and deletes
	Manual Kind = 2 // a person carries it, and says so
)

// State says whether copies go there. The numbers are in the store.
type State uint8

const (
	Registered State = 1
	Dropped    State = 2 // no copy goes there any more; the last key backup may lie there
	Deleted    State = 3 // a person says that no key backup lies there
)

// Destination is a place for copies. What may hold a key backup counts in every
// erasure until a newer one has replaced it, or a person says that it is deleted.
type Destination struct {
	ID         ident.Destination `cbor:"1,keyasint"`
	Version    uint32            `cbor:"2,keyasint"`
	Name       string            `cbor:"3,keyasint"`
	Kind       Kind              `cbor:"4,keyasint"`
	State      State             `cbor:"5,keyasint"`
	Path       string            `cbor:"6,keyasint,omitempty"` // of Folder
	Replica    ident.Replica     `cbor:"7,keyasint"`           // of Folder: whose it is
	Recipients []string          `cbor:"8,keyasint,omitempty"` // age recipients of what lies there
	Keys       bool              `cbor:"9,keyasint,omitempty"` // the key backup goes there
	Data       bool              `cbor:"10,keyasint,omitempty"`
	Held       crypto.KeyID      `cbor:"11,keyasint"` // root of the one key backup there; zero: none yet
	KeysAt     when.At           `cbor:"12,keyasint,omitempty"`
	DataAt     when.At           `cbor:"13,keyasint,omitempty"`
	VerifiedAt when.At           `cbor:"14,keyasint,omitempty"` // when a copy there was last read whole
	DroppedBy  ident.Account     `cbor:"15,keyasint,omitzero"`
	Hours      uint16            `cbor:"16,keyasint,omitempty"` // between two copies; of Folder
	Try        Try               `cbor:"17,keyasint"`           // the last one
}

// Try is how the last copy went.
type Try struct {
	Bytes  uint64       `cbor:"1,keyasint,omitempty"` // of the copy that lies there
	Fault  string       `cbor:"2,keyasint,omitempty"` // code of why there is no newer one
	Handed crypto.KeyID `cbor:"3,keyasint"`           // of Manual: root of the key backup that a person carries there
	Begun  uint64       `cbor:"4,keyasint,omitempty"` // of the one that was handed out; see Made
}

// New registers a destination.
func New(d Destination) Destination {
	return Destination{
		ID: d.ID, Version: 1, Name: d.Name, Kind: d.Kind, State: Registered, Path: d.Path, Replica: d.Replica,
		Recipients: d.Recipients, Keys: d.Keys, Data: d.Data, Hours: d.Hours,
	}
}

// Counts reports whether a key backup may lie there.
func (d Destination) Counts() bool { return d.Keys && d.State != Deleted }

// Drop ends it. With deleted, which only a person can say, no key backup lies
// there any more; it may be said later too.
func (d Destination) Drop(deleted bool, by ident.Account) (Destination, error) {
	to := Dropped
	if deleted {
		to = Deleted
	}
	switch {
	case to <= d.State:
		return d, refuse.DestinationDropped
	case deleted && by.Zero():
		return d, refuse.PersonNeeded
	}
	d.State, d.DroppedBy = to, by
	d.Version++
	return d, nil
}

// Made is what a backup or its verification has found. Fields that are zero say
// nothing.
type Made struct {
	Root     crypto.KeyID `cbor:"1,keyasint"`           // of the key backup that lies there now, the only one
	Data     bool         `cbor:"2,keyasint,omitempty"` // a data backup was added
	Verified bool         `cbor:"3,keyasint,omitempty"` // what lies there was read whole
	Begun    uint64       `cbor:"4,keyasint,omitempty"` // with Root: the index that its maker had applied when it began
	Bytes    uint64       `cbor:"5,keyasint,omitempty"`
	Fault    string       `cbor:"6,keyasint,omitempty"` // code of why no copy was made
	Handed   bool         `cbor:"7,keyasint,omitempty"` // with Root: it was given to a person, and does not lie there yet
}

// Record notes what lies there now.
func (d Destination) Record(m Made, at when.At) (Destination, error) {
	if d.State != Registered {
		return d, refuse.DestinationDropped
	}
	if m.Root != (crypto.KeyID{}) {
		if !d.Keys {
			return d, refuse.NoKeysThere
		}
		if m.Handed {
			d.Try.Handed, d.Try.Begun, d.Try.Bytes = m.Root, m.Begun, m.Bytes
			d.Version++
			return d, nil
		}
		d.Held, d.KeysAt = m.Root, at
	}
	if d.Try.Fault = m.Fault; m.Bytes > 0 {
		d.Try.Bytes = m.Bytes
	}
	if m.Data {
		d.DataAt = at
	}
	if m.Verified {
		d.VerifiedAt = at
	}
	d.Version++
	return d, nil
}
