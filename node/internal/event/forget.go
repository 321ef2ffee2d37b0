package event

import (
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/ident"
)

// Forgotten: a record was erased. Whatever is kept in memory of it goes before
// the root is acknowledged.
type Forgotten struct {
	Collection byte // its code in the store
	ID         [16]byte
}

// Rotated: the root key is another one now. Every key of the tree that is kept in
// memory is out of date.
type Rotated struct{ From, To crypto.KeyID }

// ReplicaChanged: a replica is new, or stands elsewhere.
type ReplicaChanged struct{ ID ident.Replica }

// ErasureChanged: an erasure was done, or is nearer to being certain.
type ErasureChanged struct {
	ID      ident.Erasure
	Certain bool
}

// DestinationChanged: a place for copies is new, or holds something else.
type DestinationChanged struct{ ID ident.Destination }

func (Forgotten) event()          {}
func (Rotated) event()            {}
func (ReplicaChanged) event()     {}
func (ErasureChanged) event()     {}
func (DestinationChanged) event() {}
