// Package catalogue holds the kinds of action that a territory offers, in its
// own words.
package catalogue

import (
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
)

// Pairing says when two volunteers go together. The numbers are in the store.
type Pairing uint8

const (
	Alone      Pairing = 1 // one is enough
	FirstVisit Pairing = 2 // two at the first visit to a person
	AlwaysTwo  Pairing = 3
)

// ActionType is one kind of action. Names are the territory's and public.
type ActionType struct {
	ID       ident.ActionType `cbor:"1,keyasint"`
	Version  uint32           `cbor:"2,keyasint"`
	Name     string           `cbor:"3,keyasint"` // "Courses"; ≤ 40 runes
	Icon     string           `cbor:"4,keyasint"` // a name of the interface's drawings
	Category public.Category  `cbor:"5,keyasint"`
	Pairing  Pairing          `cbor:"6,keyasint"`
	Car      bool             `cbor:"7,keyasint,omitempty"` // needs a car
	Mobility bool             `cbor:"8,keyasint,omitempty"` // counts as mobility
	AtHome   bool             `cbor:"9,keyasint,omitempty"` // takes place in her home
	Minutes  uint16           `cbor:"10,keyasint"`          // usual length
	Order    uint8            `cbor:"11,keyasint"`          // on the desk, from 1
	Retired  bool             `cbor:"12,keyasint,omitempty"`
}

// Change replaces the definition.
func (t ActionType) Change(version uint32, to ActionType) (ActionType, error) {
	if t.Version != version {
		return t, refuse.StaleVersion
	}
	to.ID, to.Version = t.ID, version+1
	return to, nil
}

// Seats is how many volunteers a visit needs to somebody who has had that many
// visits at home.
func (t ActionType) Seats(visits uint32) uint8 {
	if t.Pairing == AlwaysTwo || t.Pairing == FirstVisit && visits == 0 {
		return 2
	}
	return 1
}

// Seed is the catalogue a territory starts with (field study V07). IDs are drawn
// by the proposer.
func Seed() []ActionType {
	s := []ActionType{
		{Name: "Visite", Icon: "cup", Category: public.Visit, Pairing: FirstVisit, AtHome: true, Minutes: 60},
		{Name: "Courses", Icon: "cart", Category: public.Shopping, Pairing: Alone, Mobility: true, Minutes: 60},
		{Name: "Accompagnement en voiture", Icon: "car", Category: public.Ride, Pairing: Alone, Car: true, Mobility: true, Minutes: 90},
		{Name: "Promenade", Icon: "walk", Category: public.Walk, Pairing: Alone, Mobility: true, Minutes: 60},
		{Name: "Papiers", Icon: "paper", Category: public.Paperwork, Pairing: FirstVisit, AtHome: true, Minutes: 60},
		{Name: "Lecture", Icon: "book", Category: public.Reading, Pairing: FirstVisit, AtHome: true, Minutes: 60},
		{Name: "Aide informatique", Icon: "screen", Category: public.Computer, Pairing: FirstVisit, AtHome: true, Minutes: 60},
		{Name: "Appel de convivialité", Icon: "phone", Category: public.Call, Pairing: Alone, Minutes: 20},
		{Name: "Portage", Icon: "basket", Category: public.Delivery, Pairing: Alone, Mobility: true, Minutes: 30},
		{Name: "Sortie", Icon: "ticket", Category: public.Outing, Pairing: Alone, Car: true, Mobility: true, Minutes: 150},
		{Name: "Café au bistrot", Icon: "bistro", Category: public.Outing, Pairing: Alone, Mobility: true, Minutes: 60},
		{Name: "Autre", Icon: "dots", Category: public.Other, Pairing: FirstVisit, AtHome: true, Minutes: 60},
	}
	for i := range s {
		s[i].Order = uint8(i + 1)
	}
	return s
}
