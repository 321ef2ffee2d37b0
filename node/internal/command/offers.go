package command

import (
	"github.com/bippop/bippop/node/internal/bond"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/offer"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/when"
)

// MakeOffer notes what a volunteer proposes.
type MakeOffer struct {
	Stamp     `cbor:"0,keyasint"`
	ID        ident.Offer     `cbor:"1,keyasint"`
	Volunteer ident.Volunteer `cbor:"2,keyasint"`
	Trip      offer.Trip      `cbor:"3,keyasint"`
	Box       []byte          `cbor:"4,keyasint,omitempty"` // sealed under his key at version 1
	Counts    []Count         `cbor:"5,keyasint,omitempty"` // Offered
}

// EndOffer withdraws an offer; those whom he had promised lose their seats. With
// Past the node closes it, once its day is over.
type EndOffer struct {
	Stamp `cbor:"0,keyasint"`
	ID    ident.Offer `cbor:"1,keyasint"`
	Past  bool        `cbor:"2,keyasint,omitempty"`
}

// TakeOffer is "yes, she profits", said on the phone: she gets a place, he gets
// the seat, and she knows. With Version 0 the request is made; else it is hers,
// open, at the version that was read.
type TakeOffer struct {
	Stamp       `cbor:"0,keyasint"`
	ID          ident.Offer       `cbor:"1,keyasint"`
	Request     ident.Request     `cbor:"2,keyasint"`
	Version     uint32            `cbor:"3,keyasint,omitempty"`
	Beneficiary ident.Beneficiary `cbor:"4,keyasint"`
	Type        ident.ActionType  `cbor:"5,keyasint"`            // one that he offers
	Plan        request.Plan      `cbor:"6,keyasint"`            // of a new request; Seats is checked against the rule of two
	Start       when.At           `cbor:"7,keyasint"`            // on the offer's day
	Minute      uint16            `cbor:"8,keyasint"`            // of that day: Start on the territory's clocks
	Box         []byte            `cbor:"9,keyasint,omitempty"`  // of a new request, sealed at version 1
	Attempt     ident.Attempt     `cbor:"10,keyasint"`           // the call
	Counts      []Count           `cbor:"11,keyasint,omitempty"` // Requested, Found, Told: each once in the request's life
}

// DeclineOffer is "no, thank you", said on the phone.
type DeclineOffer struct {
	Stamp       `cbor:"0,keyasint"`
	ID          ident.Offer       `cbor:"1,keyasint"`
	Beneficiary ident.Beneficiary `cbor:"2,keyasint"`
	Attempt     ident.Attempt     `cbor:"3,keyasint"`
}

// Thank relays her thanks to those who came.
type Thank struct {
	Stamp `cbor:"0,keyasint"`
	ID    ident.Request `cbor:"1,keyasint"`
	Box   []byte        `cbor:"2,keyasint,omitempty"` // a line of hers, sealed under her key
}

// SeeThanks notes that a volunteer has read them.
type SeeThanks struct {
	Stamp     `cbor:"0,keyasint"`
	ID        ident.Request   `cbor:"1,keyasint"`
	Volunteer ident.Volunteer `cbor:"2,keyasint"`
}

// MakeBond notes that two people see each other without the platform.
type MakeBond struct {
	Stamp       `cbor:"0,keyasint"`
	ID          ident.Bond        `cbor:"1,keyasint"`
	Beneficiary ident.Beneficiary `cbor:"2,keyasint"`
	Volunteer   ident.Volunteer   `cbor:"3,keyasint"`
	Since       when.Day          `cbor:"4,keyasint"`
	NextCheck   when.Day          `cbor:"5,keyasint"`
	Counts      []Count           `cbor:"6,keyasint,omitempty"` // Bonds
}

// CheckBond notes how it goes: on, until the next check, or with a reason no
// more.
type CheckBond struct {
	Stamp     `cbor:"0,keyasint"`
	ID        ident.Bond `cbor:"1,keyasint"`
	Version   uint32     `cbor:"2,keyasint"`
	NextCheck when.Day   `cbor:"3,keyasint,omitempty"`
	Ended     bond.Why   `cbor:"4,keyasint,omitempty"`
}

func (MakeOffer) Kind() Kind    { return KindMakeOffer }
func (EndOffer) Kind() Kind     { return KindEndOffer }
func (TakeOffer) Kind() Kind    { return KindTakeOffer }
func (DeclineOffer) Kind() Kind { return KindDeclineOffer }
func (Thank) Kind() Kind        { return KindThank }
func (SeeThanks) Kind() Kind    { return KindSeeThanks }
func (MakeBond) Kind() Kind     { return KindMakeBond }
func (CheckBond) Kind() Kind    { return KindCheckBond }
