// Package replica holds the machines that carry a territory's records: who may
// be one, where it is found, and which root key it says that it holds.
//
//	Joining ─▶ Member ─▶ Removed ─▶ Destroyed
//	   └────────────────────▲
//
// An ID is drawn once and never used again: whoever was removed comes back as
// another one.
package replica

import (
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/when"
)

// State says whether a replica belongs to the territory. The numbers are in the
// store: never reuse one.
type State uint8

const (
	Joining   State = 1 // it receives the log and does not vote
	Member    State = 2 // it votes
	Removed   State = 3 // nobody talks to it; its vault may exist
	Destroyed State = 4 // a person says that its vault exists no more
)

// Alive reports whether the others talk to it.
func (s State) Alive() bool { return s == Joining || s == Member }

// steps says which state may follow which.
var steps = map[State][]State{
	Joining: {Member, Removed},
	Member:  {Removed},
	Removed: {Destroyed},
}

// Address is where and how a replica shows itself.
type Address struct {
	Peer        string    `cbor:"1,keyasint"`           // host:port of the mesh
	URL         string    `cbor:"2,keyasint,omitempty"` // of its pages, for people
	Level       uint16    `cbor:"3,keyasint"`           // command.Level that its program knows
	Fingerprint [32]byte  `cbor:"4,keyasint"`           // SHA-256 of its TLS public key
	Unsealing   Unsealing `cbor:"5,keyasint,omitempty"` // what opens its vault at a start
}

// Unsealing is what opens a replica's vault when it starts, as its operator chose.
// The numbers are in the store: never reuse one.
type Unsealing uint8

const (
	ByFile   Unsealing = 1 // beside it, unattended
	ByPerson Unsealing = 2 // who types a passphrase or touches a device
	ByShares Unsealing = 3 // several people
	ByPlugin Unsealing = 4 // a TPM, unattended
	ByPeers  Unsealing = 5 // the other replicas, after a short absence
)

// Replica is one machine. Its ID in text form is its name in the log's protocol.
type Replica struct {
	ID          ident.Replica `cbor:"1,keyasint"`
	Version     uint32        `cbor:"2,keyasint"`
	Name        string        `cbor:"3,keyasint"` // "replica-1"; for people, unique
	At          Address       `cbor:"4,keyasint"`
	State       State         `cbor:"5,keyasint"`
	JoinedAt    when.At       `cbor:"6,keyasint"`
	Holds       crypto.KeyID  `cbor:"7,keyasint"`           // the root that it acknowledged last; zero: none yet
	HeldAt      when.At       `cbor:"8,keyasint,omitempty"` // when it did
	RemovedAt   when.At       `cbor:"9,keyasint,omitempty"`
	DestroyedAt when.At       `cbor:"10,keyasint,omitempty"`
	DestroyedBy ident.Account `cbor:"11,keyasint,omitzero"` // the person who says so
}

// New is a replica that has been let in.
func New(r Replica, s State, at when.At) Replica {
	return Replica{ID: r.ID, Version: 1, Name: r.Name, At: r.At, State: s, JoinedAt: at}
}

// Change replaces where it is found, its level and its key.
func (r Replica) Change(a Address) (Replica, error) {
	if !r.State.Alive() {
		return r, refuse.ReplicaRemoved
	}
	r.At = a
	r.Version++
	return r, nil
}

// Step moves it along. by is the person who says so, zero for the node itself:
// only a person can say that a vault was destroyed.
func (r Replica) Step(to State, by ident.Account, at when.At) (Replica, error) {
	ok := false
	for _, next := range steps[r.State] {
		ok = ok || next == to
	}
	switch {
	case !ok:
		return r, refuse.WrongStep
	case to == Destroyed && by.Zero():
		return r, refuse.PersonNeeded
	case to == Removed:
		r.RemovedAt = at
	case to == Destroyed:
		r.DestroyedAt, r.DestroyedBy = at, by
	}
	r.State = to
	r.Version++
	return r, nil
}

// Hold notes that it holds root, and nothing older.
func (r Replica) Hold(root crypto.KeyID, at when.At) (Replica, error) {
	if !r.State.Alive() {
		return r, refuse.ReplicaRemoved
	}
	r.Holds, r.HeldAt = root, at
	r.Version++
	return r, nil
}
