package people

import (
	"slices"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/rights"
	"github.com/bippop/bippop/node/internal/when"
)

// Status is how far the territory vouches for a volunteer. The numbers are in
// the store.
//
//	Applicant ──▶ Met ──▶ Approved ◀──▶ Suspended
//	    │          │          │             │
//	    └──────────┴──── Ended ◀────────────┘      Ended ──▶ Applicant
type Status uint8

const (
	Applicant Status = 1
	Met       Status = 2
	Approved  Status = 3
	Suspended Status = 4
	Ended     Status = 5
)

// steps says which status may follow which.
var steps = map[Status][]Status{
	Applicant: {Met, Ended},
	Met:       {Approved, Ended},
	Approved:  {Suspended, Ended},
	Suspended: {Approved, Ended},
	Ended:     {Applicant},
}

// Next lists the steps that may follow s.
func (s Status) Next() []Status { return steps[s] }

// Absence is a span of days, both included, in which a volunteer is away.
type Absence struct {
	From when.Day `cbor:"1,keyasint"`
	To   when.Day `cbor:"2,keyasint"`
}

// Volunteer is a neighbour who helps. The record is what rules need; his words
// are in Box, sealed under his own key.
type Volunteer struct {
	ID      ident.Volunteer `cbor:"1,keyasint"`
	Version uint32          `cbor:"2,keyasint"`
	Status  Status          `cbor:"3,keyasint"`
	Since   when.At         `cbor:"4,keyasint"` // of the present status
	Leaf    crypto.Leaf     `cbor:"5,keyasint"`
	Box     []byte          `cbor:"6,keyasint"`
	Boxed   uint32          `cbor:"7,keyasint"` // the version under which Box was sealed
	Offer   Readiness       `cbor:"8,keyasint"`
	Joined  when.At         `cbor:"9,keyasint"`
	Import  ident.Import    `cbor:"10,keyasint"`
	Done    uint32          `cbor:"11,keyasint,omitempty"` // actions that have taken place
	Next    when.Day        `cbor:"12,keyasint,omitempty"` // of the next step, as the agent has agreed it with him; 0: no day yet

	Standing rights.Standing `cbor:"20,keyasint,omitzero"` // what he has demanded that goes on
}

// Readiness is what a volunteer is ready to do, when and where.
type Readiness struct {
	Commune  string             `cbor:"1,keyasint"`           // where he starts from, INSEE code
	RadiusKm uint8              `cbor:"2,keyasint"`           // as the crow flies; 0: his commune only
	Kinds    []ident.ActionType `cbor:"3,keyasint,omitempty"` // none: every kind
	Car      bool               `cbor:"4,keyasint,omitempty"`
	Seats    uint8              `cbor:"5,keyasint,omitempty"` // for passengers
	PerWeek  uint8              `cbor:"6,keyasint"`           // how often he may be asked; 0: no limit
	Week     when.Week          `cbor:"7,keyasint"`           // half-days; 0: any
	Absences []Absence          `cbor:"8,keyasint,omitempty"`
	// Association is the SIREN or RNA number of the body that answers for him, or empty.
	Association string `cbor:"9,keyasint,omitempty"`
}

// Step moves the volunteer to another status.
func (v Volunteer) Step(version uint32, to Status, at when.At) (Volunteer, error) {
	switch {
	case v.Version != version:
		return v, refuse.StaleVersion
	case !slices.Contains(steps[v.Status], to):
		return v, refuse.WrongStep
	}
	v.Version++
	v.Status, v.Since = to, at
	return v, nil
}

// Change replaces what he is ready for and, unless box is empty, his words.
func (v Volunteer) Change(version uint32, offer Readiness, box []byte) (Volunteer, error) {
	if v.Version != version {
		return v, refuse.StaleVersion
	}
	v.Version++
	v.Offer = offer
	if len(box) > 0 {
		v.Box, v.Boxed = box, v.Version
	}
	return v, nil
}

// Away reports whether he is absent on the day.
func (r Readiness) Away(d when.Day) bool {
	return slices.ContainsFunc(r.Absences, func(a Absence) bool { return a.From <= d && d <= a.To })
}

// Does reports whether the kind is among those he chose.
func (r Readiness) Does(kind ident.ActionType) bool {
	return len(r.Kinds) == 0 || slices.Contains(r.Kinds, kind)
}

// VolunteerWords are what only people may read.
type VolunteerWords struct {
	Civility  crypto.Secret `cbor:"1,keyasint,omitempty"`
	Last      crypto.Secret `cbor:"2,keyasint,omitempty"`
	First     crypto.Secret `cbor:"3,keyasint,omitempty"`
	Birth     crypto.Secret `cbor:"4,keyasint,omitempty"` // Date in its text form
	Phones    []Phone       `cbor:"5,keyasint,omitempty"`
	Email     crypto.Secret `cbor:"6,keyasint,omitempty"`
	Address   crypto.Secret `cbor:"7,keyasint,omitempty"`
	CarText   crypto.Secret `cbor:"8,keyasint,omitempty"` // "Clio bleue": what she is told
	Languages crypto.Secret `cbor:"9,keyasint,omitempty"`
	Note      crypto.Secret `cbor:"10,keyasint,omitempty"` // for agents only
	Paper     Paper         `cbor:"11,keyasint,omitempty"` // of what is printed for him
}
