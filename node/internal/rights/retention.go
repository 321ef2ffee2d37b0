package rights

import (
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/when"
)

// Rule says whose data is kept no longer. The numbers are in the store.
type Rule uint8

const (
	Accompanied Rule = 1 // beneficiaries, after the last contact or after she has left
	EndedHelp   Rule = 2 // volunteers, after they have ended
	NeverMet    Rule = 3 // volunteers who asked to be one and never became it
	ClosedLogin Rule = 4 // accounts of staff, after they were closed
	Leftovers   Rule = 5 // imports that were undone, with all their people
)

// Rules are all of them, in the order in which pages show them.
var Rules = []Rule{Accompanied, EndedHelp, NeverMet, ClosedLogin, Leftovers}

// Term is how many months a rule keeps, and between which bounds a territory may
// choose.
type Term struct{ Default, Least, Most uint8 }

// Terms of the rules. Two years after the last contact: CNIL, recommendation for
// social and medico-social care (2021-028).
var Terms = map[Rule]Term{
	Accompanied: {24, 6, 60},
	EndedHelp:   {24, 6, 60},
	NeverMet:    {6, 1, 24},
	ClosedLogin: {12, 1, 36},
	Leftovers:   {1, 1, 6},
}

// Choice is for how many months the territory keeps. It is one record; what it does
// not name is as in [Terms].
type Choice struct {
	Version uint32        `cbor:"1,keyasint"`
	Months  []uint8       `cbor:"2,keyasint"` // of rule i+1; 0: as in Terms
	At      when.At       `cbor:"3,keyasint"`
	By      ident.Account `cbor:"4,keyasint"`
}

// Of is how many months a rule keeps.
func (c Choice) Of(r Rule) uint8 {
	if i := int(r) - 1; i < len(c.Months) && c.Months[i] != 0 {
		return c.Months[i]
	}
	return Terms[r].Default
}

// Change replaces the months. Out of bounds: refuse.OutOfBounds.
func (c Choice) Change(version uint32, months []uint8, by ident.Account, at when.At) (Choice, error) {
	if c.Version != version {
		return c, refuse.StaleVersion
	}
	if len(months) > len(Rules) {
		return c, refuse.OutOfBounds
	}
	for i, m := range months {
		if t := Terms[Rule(i+1)]; m != 0 && (m < t.Least || m > t.Most) {
			return c, refuse.OutOfBounds
		}
	}
	return Choice{Version: version + 1, Months: months, At: at, By: by}, nil
}

// Expired is one record that is kept no longer, as it was read.
type Expired struct {
	Rule       Rule     `cbor:"1,keyasint"`
	Collection byte     `cbor:"2,keyasint"`
	ID         [16]byte `cbor:"3,keyasint"`
	Version    uint32   `cbor:"4,keyasint"`
	Last       when.Day `cbor:"5,keyasint"` // of the contact, or the end, from which the months count
}

// Tally is what became of the records of one rule.
type Tally struct {
	Rule  Rule   `cbor:"1,keyasint"`
	Found uint32 `cbor:"2,keyasint"`
	Goes  uint32 `cbor:"3,keyasint,omitempty"` // put in line to be erased
	Stays uint32 `cbor:"4,keyasint,omitempty"` // changed since, or something is open
}

// Sorting is one look through the files for what is kept too long. Nobody goes by
// it: a DPO approves it by its digest. Then who was in it is forgotten, and the
// counts stay.
type Sorting struct {
	ID       ident.Sorting `cbor:"1,keyasint"`
	Version  uint32        `cbor:"2,keyasint"`
	At       when.At       `cbor:"3,keyasint"`
	By       ident.Account `cbor:"4,keyasint"`
	Digest   [32]byte      `cbor:"5,keyasint"` // of what was looked for and found
	Months   []uint8       `cbor:"6,keyasint"` // of rule i+1, as they were
	Expired  []Expired     `cbor:"7,keyasint,omitempty"`
	Tallies  []Tally       `cbor:"8,keyasint,omitempty"`
	More     bool          `cbor:"9,keyasint,omitempty"` // there are others: look again afterwards
	Approved when.At       `cbor:"10,keyasint,omitempty"`
	Approver ident.Account `cbor:"11,keyasint,omitzero"`
}

// MostExpired is how many people one look takes: as many as one command holds.
const MostExpired = 800

// Approve ends it with what has become of each rule.
func (s Sorting) Approve(tallies []Tally, by ident.Account, at when.At) Sorting {
	s.Version++
	s.Approved, s.Approver, s.Tallies, s.Expired = at, by, tallies, nil
	return s
}
