package release

import (
	"slices"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/when"
)

// Tally is how much of the bounds one person, or one volunteer, has used in the
// quarters that are open: numbers only, none of them greater than a bound. It is
// erased with whom it is about.
type Tally struct {
	Collection byte     `cbor:"1,keyasint"` // of the record: hers or his
	ID         [16]byte `cbor:"2,keyasint"`
	Uses       []Use    `cbor:"3,keyasint"` // one a quarter, in their order
}

// Use is what one of them has used in a quarter.
type Use struct {
	Quarter  public.Quarter `cbor:"1,keyasint"`
	Helped   uint8          `cbor:"2,keyasint,omitempty"` // actions done for her; counted up to the last cell of how often
	Recorded uint8          `cbor:"3,keyasint,omitempty"` // requests
	Fates    uint8          `cbor:"4,keyasint,omitempty"` // of requests
	Paired   uint8          `cbor:"5,keyasint,omitempty"` // visits by two
	Enrolled uint8          `cbor:"6,keyasint,omitempty"`
	Bonds    uint8          `cbor:"7,keyasint,omitempty"`
	Came     uint8          `cbor:"8,keyasint,omitempty"` // actions that he did; counted up to the bound of helpers
	Minutes  uint16         `cbor:"9,keyasint,omitempty"` // that he gave; counted up to the bound of hours
	Joined   uint8          `cbor:"10,keyasint,omitempty"`
	Offered  uint8          `cbor:"11,keyasint,omitempty"`
}

// Of is t's use in a quarter, and a tally without it.
func (t Tally) Of(q public.Quarter) (Use, Tally) {
	i := slices.IndexFunc(t.Uses, func(u Use) bool { return u.Quarter == q })
	if i < 0 {
		return Use{Quarter: q}, t
	}
	u := t.Uses[i]
	t.Uses = slices.Delete(slices.Clone(t.Uses), i, i+1)
	return u, t
}

// With is t with a use of a quarter that it has none of.
func (t Tally) With(u Use) Tally {
	i := slices.IndexFunc(t.Uses, func(o Use) bool { return o.Quarter > u.Quarter })
	if i < 0 {
		i = len(t.Uses)
	}
	t.Uses = slices.Insert(slices.Clone(t.Uses), i, u)
	return t
}

// Pruned is t without the quarters that are over at an instant, and whether that is
// less.
func (t Tally) Pruned(at when.At) (Tally, bool) {
	n := len(t.Uses)
	t.Uses = slices.DeleteFunc(slices.Clone(t.Uses), func(u Use) bool { return Over(u.Quarter, at) })
	return t, len(t.Uses) < n
}
