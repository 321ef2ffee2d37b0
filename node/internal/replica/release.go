package replica

import (
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/when"
)

// Release says that a replica which started again was given the key of its vault
// by another one. It is kept for ever.
type Release struct {
	ID      ident.Release `cbor:"1,keyasint"`
	Replica ident.Replica `cbor:"2,keyasint"` // who got it
	From    ident.Replica `cbor:"3,keyasint"` // who gave it
	At      when.At       `cbor:"4,keyasint"`
	By      ident.Account `cbor:"5,keyasint"` // who approved; zero: by itself, after a short absence
	Absent  uint32        `cbor:"6,keyasint"` // seconds for which the replica had been away
}
