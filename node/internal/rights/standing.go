package rights

import (
	"slices"

	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/when"
)

// Use is a set of uses of somebody's data that can be objected to one by one. The
// bits are in the store.
type Use uint8

const (
	// Whole is the treatment itself: accompaniment, or volunteering. With it
	// everything planned is called off.
	Whole        Use = 1 << 0
	AcrossBorder Use = 1 << 1 // that a neighbouring territory is offered his help
	ToPartners   Use = 1 << 2 // that associations are told of her or him
	CourtesyList Use = 1 << 3 // that she stands on a list for an elected member's visit

	everyUse = Whole | AcrossBorder | ToPartners | CourtesyList
)

// Has reports whether any of the uses is in u.
func (u Use) Has(any Use) bool { return u&any != 0 }

// Known reports whether u has no other bits.
func (u Use) Known() bool { return u&^everyUse == 0 }

// Standing is what somebody has demanded that goes on: it stands in the record of a
// beneficiary or volunteer. The zero value: nothing was demanded, nothing told.
type Standing struct {
	Restricted when.At `cbor:"1,keyasint,omitempty"` // since when nobody but the DPO sees the record; 0: not
	Objects    Use     `cbor:"2,keyasint,omitempty"`
	Objected   Said    `cbor:"3,keyasint,omitzero"` // when Objects was said last
	Told       Told    `cbor:"4,keyasint,omitzero"`
	Same       []Same  `cbor:"5,keyasint,omitempty"` // her records for other purposes, if she agreed that they be known to be hers
}

// Said is when and how somebody said something.
type Said struct {
	At  when.At `cbor:"1,keyasint,omitempty"`
	How Means   `cbor:"2,keyasint,omitempty"`
}

// Told is which notice somebody was given. The zero value: none.
type Told struct {
	Version uint16  `cbor:"1,keyasint,omitempty"` // of the notice; 0: the program's own words
	At      when.At `cbor:"2,keyasint,omitempty"`
	How     Means   `cbor:"3,keyasint,omitempty"`
}

// Same names another record of the same person, for another purpose. The records
// stay two: each is read, exported and erased alone.
type Same struct {
	Collection byte     `cbor:"1,keyasint"`
	ID         [16]byte `cbor:"2,keyasint"`
	Agreed     Said     `cbor:"3,keyasint"`
}

// Restrict hides the record, or with lift shows it again.
func (s Standing) Restrict(lift bool, at when.At) (Standing, error) {
	switch {
	case lift && s.Restricted == 0:
		return s, refuse.NotRestricted
	case !lift && s.Restricted != 0:
		return s, refuse.Restricted
	case lift:
		at = 0
	}
	s.Restricted = at
	return s, nil
}

// Object replaces what she objects to; ends says that the whole treatment ends by
// it.
func (s Standing) Object(to Use, how Means, at when.At) (after Standing, ends bool) {
	ends = to.Has(Whole) && !s.Objects.Has(Whole)
	s.Objects, s.Objected = to, Said{at, how}
	return s, ends
}

// Link names another record of hers.
func (s Standing) Link(to Same) Standing {
	s = s.Unlink(to.Collection, to.ID)
	s.Same = append(s.Same, to)
	return s
}

// Unlink takes a name out.
func (s Standing) Unlink(collection byte, id [16]byte) Standing {
	s.Same = slices.DeleteFunc(slices.Clone(s.Same), func(o Same) bool { return o.Collection == collection && o.ID == id })
	if len(s.Same) == 0 {
		s.Same = nil
	}
	return s
}
