package across

import (
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/when"
)

// InterestState says where an interest of ours stands. The numbers are in the
// store.
type InterestState uint8

const (
	Shown     InterestState = 1
	Acked     InterestState = 2 // the neighbour's volunteer calls our office
	Closed    InterestState = 3
	Renounced InterestState = 4 // by us
	Refused   InterestState = 5 // the neighbour declined, let it lapse, or withdrew the offer
)

// Live reports whether something may still come of it.
func (s InterestState) Live() bool { return s == Shown || s == Acked }

// Interest is our wish for a part of a neighbour's offer. For whom it is stays
// here.
type Interest struct {
	ID      ident.Interest `cbor:"1,keyasint"`
	Version uint32         `cbor:"2,keyasint"`
	State   InterestState  `cbor:"3,keyasint"`
	Request ident.Request  `cbor:"4,keyasint,omitzero"` // zero: erased, or lost by a restore
	Offer   public.Ref     `cbor:"5,keyasint"`
	Terms   public.Offer   `cbor:"6,keyasint,omitzero"` // as the neighbour published them; zero: lost by a restore
	Slots   uint8          `cbor:"7,keyasint"`
	Week    uint8          `cbor:"8,keyasint,omitempty"`
	Name    public.Ref     `cbor:"9,keyasint"` // its entry in our feed
	At      when.At        `cbor:"10,keyasint"`
	Moved   when.At        `cbor:"11,keyasint,omitempty"` // to the present state
	Outcome public.Outcome `cbor:"12,keyasint,omitempty"`
}

// Show makes an interest.
func Show(i Interest, at when.At) Interest {
	i.Version, i.State, i.At, i.Moved, i.Outcome = 1, Shown, at, at, 0
	return i
}

func (i Interest) to(s InterestState, at when.At) Interest {
	i.State, i.Moved = s, at
	i.Version++
	return i
}

// Ack takes up what the neighbour has accepted.
func (i Interest) Ack(at when.At) (Interest, error) {
	switch {
	case !i.State.Live():
		return i, refuse.InterestOver
	case i.State == Acked:
		return i, refuse.InterestAnswered
	}
	return i.to(Acked, at), nil
}

// Close notes what came of it.
func (i Interest) Close(o public.Outcome, at when.At) (Interest, error) {
	switch {
	case !i.State.Live():
		return i, refuse.InterestOver
	case i.State != Acked:
		return i, refuse.NotMet
	}
	i = i.to(Closed, at)
	i.Outcome = o
	return i, nil
}

// Renounce takes it back.
func (i Interest) Renounce(at when.At) (Interest, error) {
	if !i.State.Live() {
		return i, refuse.InterestOver
	}
	return i.to(Renounced, at), nil
}

// Refuse notes that the neighbour said no, or does so now.
func (i Interest) Refuse(at when.At) (Interest, error) {
	if !i.State.Live() {
		return i, refuse.InterestOver
	}
	return i.to(Refused, at), nil
}

// Without is i when the request is not known any more.
func (i Interest) Without(r ident.Request) Interest {
	if i.Request == r {
		i.Request = ident.Request{}
		i.Version++
	}
	return i
}
