// Package contact holds the calls that agents make to people: what was tried,
// and what came of it.
package contact

import (
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/when"
)

// Result of a call. The numbers are in the store.
type Result uint8

const (
	Told     Result = 1 // she knows
	NoAnswer Result = 2
	Later    Result = 3 // she, or we, would rather talk later
)

// Means by which she was reached.
type Means uint8

const (
	ByPhone     Means = 1
	ByVolunteer Means = 2 // he told her himself
	InPerson    Means = 3
)

// Attempt is one try to reach her.
type Attempt struct {
	ID          ident.Attempt     `cbor:"1,keyasint"`
	Beneficiary ident.Beneficiary `cbor:"2,keyasint"`
	At          when.At           `cbor:"3,keyasint"`
	By          ident.Account     `cbor:"4,keyasint"`
	Result      Result            `cbor:"5,keyasint"`
	Means       Means             `cbor:"6,keyasint"`
	About       []ident.Request   `cbor:"7,keyasint,omitempty"`
}
