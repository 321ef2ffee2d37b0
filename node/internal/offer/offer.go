// Package offer holds what a volunteer proposes before anybody has asked: "on
// Thursday I shop in Langon, two people may profit".
//
//	Open ◀─Take, Release─▶ Full ─▶ Withdrawn, or Past once its day is over
//
// An offer that nobody takes is presence all the same: it was there. Nobody is
// graded by it.
package offer

import (
	"slices"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/when"
)

// State says where an offer stands. The numbers are in the store: never reuse
// one.
type State uint8

const (
	Open      State = 1
	Full      State = 2 // every place is taken
	Withdrawn State = 3 // "I cannot any more"
	Past      State = 4 // its day is over
)

// Live reports whether the trip still lies ahead.
func (s State) Live() bool { return s == Open || s == Full }

// Bounds of an offer.
const (
	MostTypes  = 3
	MostPlaces = 8
)

// Trip is what he proposes, in numbers that rules compare.
type Trip struct {
	Types       []ident.ActionType `cbor:"1,keyasint"`           // 1 to 3
	Destination string             `cbor:"2,keyasint,omitempty"` // INSEE code, inside the territory or not; none: nowhere in particular
	Day         when.Day           `cbor:"3,keyasint"`
	Half        when.Half          `cbor:"4,keyasint,omitempty"`
	Minute      uint16             `cbor:"5,keyasint,omitempty"` // of the day, when he has said an hour
	Places      uint8              `cbor:"6,keyasint"`           // people whom he can help, 1 to 8
	Until       when.At            `cbor:"7,keyasint"`           // its day is over then, on the territory's clocks
}

// Has reports whether the kind is one that he offers.
func (t Trip) Has(kind ident.ActionType) bool { return slices.Contains(t.Types, kind) }

// Offer is one volunteer's proposal. His words are in Box, sealed under his own
// key at version 1.
type Offer struct {
	ID        ident.Offer         `cbor:"1,keyasint"`
	Version   uint32              `cbor:"2,keyasint"`
	Volunteer ident.Volunteer     `cbor:"3,keyasint"`
	Trip      Trip                `cbor:"4,keyasint"`
	State     State               `cbor:"5,keyasint"`
	Taken     []ident.Request     `cbor:"6,keyasint,omitempty"` // one a person, in the order of the calls
	Declined  []ident.Beneficiary `cbor:"7,keyasint,omitempty"` // who said no to this one: not called twice
	Made      when.At             `cbor:"8,keyasint"`
	Box       []byte              `cbor:"9,keyasint,omitempty"` // Words
}

// New makes an offer.
func New(o Offer, at when.At) Offer {
	o.Version, o.State, o.Made, o.Taken, o.Declined = 1, Open, at, nil, nil
	return o
}

// Left is how many places are free; none when it is not live.
func (o Offer) Left() int {
	if !o.State.Live() {
		return 0
	}
	return int(o.Trip.Places) - len(o.Taken)
}

// over says why nobody can profit any more at that instant; nil when somebody
// can.
func (o Offer) over(at when.At) error {
	switch {
	case !o.State.Live(), o.Trip.Until <= at:
		return refuse.OfferOver
	case o.Left() <= 0:
		return refuse.OfferFull
	}
	return nil
}

// Take gives a place to the request of somebody who may have said no before.
func (o Offer) Take(r ident.Request, who ident.Beneficiary, at when.At) (Offer, error) {
	if err := o.over(at); err != nil {
		return o, err
	}
	o.Taken = append(slices.Clone(o.Taken), r)
	o.Declined = slices.DeleteFunc(slices.Clone(o.Declined), func(b ident.Beneficiary) bool { return b == who })
	return o.next(), nil
}

// Release frees the place of a request, if it has one.
func (o Offer) Release(r ident.Request) (Offer, bool) {
	if !slices.Contains(o.Taken, r) {
		return o, false
	}
	o.Taken = slices.DeleteFunc(slices.Clone(o.Taken), func(t ident.Request) bool { return t == r })
	return o.next(), true
}

// Decline notes that somebody does not wish to profit from this one.
func (o Offer) Decline(who ident.Beneficiary, at when.At) (Offer, error) {
	switch {
	case !o.State.Live(), o.Trip.Until <= at:
		return o, refuse.OfferOver
	case slices.Contains(o.Declined, who):
		return o, refuse.Exists
	}
	o.Declined = append(slices.Clone(o.Declined), who)
	return o.next(), nil
}

// Without is o when somebody is erased who had said no to it.
func (o Offer) Without(who ident.Beneficiary) Offer {
	o.Declined = slices.DeleteFunc(slices.Clone(o.Declined), func(b ident.Beneficiary) bool { return b == who })
	o.Version++
	return o
}

// Withdraw ends it before its day is over.
func (o Offer) Withdraw(at when.At) (Offer, error) {
	if !o.State.Live() || o.Trip.Until <= at {
		return o, refuse.OfferOver
	}
	o.State = Withdrawn
	return o.next(), nil
}

// Pass closes it once its day is over.
func (o Offer) Pass(at when.At) (Offer, error) {
	switch {
	case !o.State.Live():
		return o, refuse.OfferOver
	case o.Trip.Until > at:
		return o, refuse.NotYet
	}
	o.State = Past
	return o.next(), nil
}

// next raises the version and says whether places are left.
func (o Offer) next() Offer {
	o.Version++
	if o.State.Live() {
		o.State = Open
		if len(o.Taken) >= int(o.Trip.Places) {
			o.State = Full
		}
	}
	return o
}

// Words are what only people may read.
type Words struct {
	Line crypto.Secret `cbor:"1,keyasint,omitempty"` // "10 kg, coffre de Clio"
}
