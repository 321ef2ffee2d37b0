// Package bond holds ties between a person and a neighbour that live on without
// the platform ("lien autonome"). A bond is counted once when it is made, looked
// after lightly, and tracked no further: no request, no figure.
package bond

import (
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/when"
)

// State says whether they see each other. The numbers are in the store.
type State uint8

const (
	Alive State = 1
	Ended State = 2
)

// Why it has ended. The numbers are in the store.
type Why uint8

const (
	NotEnded Why = 0
	ByHer    Why = 1 // she wishes it no more
	ByHim    Why = 2 // he cannot any more
	Gone     Why = 3 // one of them has moved away or died, or she is not accompanied any more
	Other    Why = 4
)

// Bond is one tie between two people.
type Bond struct {
	ID          ident.Bond        `cbor:"1,keyasint"`
	Version     uint32            `cbor:"2,keyasint"`
	Beneficiary ident.Beneficiary `cbor:"3,keyasint"`
	Volunteer   ident.Volunteer   `cbor:"4,keyasint"`
	Since       when.Day          `cbor:"5,keyasint"`
	NextCheck   when.Day          `cbor:"6,keyasint"` // the desk asks how it goes
	State       State             `cbor:"7,keyasint"`
	Why         Why               `cbor:"8,keyasint,omitempty"` // of the end
	Checks      uint16            `cbor:"9,keyasint,omitempty"` // that found it alive
	Changed     when.At           `cbor:"10,keyasint"`          // made, checked or ended
}

// New makes a bond.
func New(b Bond, at when.At) Bond {
	b.Version, b.State, b.Why, b.Checks, b.Changed = 1, Alive, NotEnded, 0, at
	return b
}

// GoesOn notes that they still see each other, and when to ask again.
func (b Bond) GoesOn(version uint32, next when.Day, at when.At) (Bond, error) {
	if err := b.fresh(version); err != nil {
		return b, err
	}
	b.Version++
	b.NextCheck, b.Changed = next, at
	b.Checks = min(b.Checks, 1<<16-2) + 1
	return b, nil
}

// End notes that they do not see each other any more.
func (b Bond) End(version uint32, why Why, at when.At) (Bond, error) {
	if err := b.fresh(version); err != nil {
		return b, err
	}
	b.Version++
	b.State, b.Why, b.Changed = Ended, why, at
	return b, nil
}

func (b Bond) fresh(version uint32) error {
	switch {
	case b.Version != version:
		return refuse.StaleVersion
	case b.State != Alive:
		return refuse.BondEnded
	}
	return nil
}
