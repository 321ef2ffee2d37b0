// Package across holds what this territory offers to its neighbours, and its
// interests in what they offer, as its own records see them. What was said to
// others stands in the feed, byte for byte; here stands what never leaves: which
// volunteer, which request.
//
//	Preparing ─every volunteer has said yes─▶ Published ─▶ Withdrawn, or Past
//	    └─────────────────────────────────▶ Dropped
//
//	Shown ─the neighbour accepts, we acknowledge─▶ Acked ─▶ Closed
//	  └──────────────── Renounced, or Refused by the neighbour ◀─┘
package across

import (
	"slices"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/when"
)

// OfferState says where an offer of ours stands. The numbers are in the store.
type OfferState uint8

const (
	Preparing OfferState = 1 // nothing has left; volunteers are asked
	Published OfferState = 2
	Withdrawn OfferState = 3
	Past      OfferState = 4 // its last day is over
	Dropped   OfferState = 5 // it never left
)

// Live reports whether it is prepared or published.
func (s OfferState) Live() bool { return s == Preparing || s == Published }

// Bounds.
const (
	MostAsked = 20 // volunteers of one offer
	MostOpen  = 20 // live offers: what the roster grants a territory
)

// When slots that nobody acknowledged may be free again, in milliseconds since the
// acceptance: after two weeks, or after three days once the other territory has
// spoken since.
const (
	LapseAfter    when.At = 14 * 24 * 3600_000
	LapseIfSpoken when.At = 3 * 24 * 3600_000
)

// Consent is what a volunteer has said to an offer made from his availability.
// The numbers are in the store.
type Consent uint8

const (
	NoAnswer Consent = 0
	Agrees   Consent = 1
	Objects  Consent = 2 // or cannot any more
)

// Asked is one volunteer of an offer.
type Asked struct {
	Volunteer ident.Volunteer `cbor:"1,keyasint"`
	Consent   Consent         `cbor:"2,keyasint,omitempty"`
	At        when.At         `cbor:"3,keyasint,omitempty"` // of his answer
	By        ident.Account   `cbor:"4,keyasint,omitzero"`  // who noted it: he himself, or an agent on the phone
}

// MetState says where an interest of a neighbour in our offer stands. The numbers
// are in the store.
type MetState uint8

const (
	MetAccepted MetState = 1
	MetDeclined MetState = 2
	MetLapsed   MetState = 3
	MetClosed   MetState = 4
)

// Met is an interest of a neighbour that was answered.
type Met struct {
	Interest  public.Ref      `cbor:"1,keyasint"`
	State     MetState        `cbor:"2,keyasint"`
	Slots     uint8           `cbor:"3,keyasint,omitempty"` // 0: not known, after a restore
	Week      uint8           `cbor:"4,keyasint,omitempty"` // of the offer, from 0
	Volunteer ident.Volunteer `cbor:"5,keyasint,omitzero"`  // who calls the requesting office
	At        when.At         `cbor:"6,keyasint"`           // of the answer
	Heard     when.At         `cbor:"7,keyasint,omitempty"` // the volunteer knows whom to call
	Outcome   public.Outcome  `cbor:"8,keyasint,omitempty"`
}

// Offer is capacity of ours for neighbours. Terms are all that they learn of it.
type Offer struct {
	ID      ident.CrossOffer `cbor:"1,keyasint"`
	Version uint32           `cbor:"2,keyasint"`
	State   OfferState       `cbor:"3,keyasint"`
	Terms   public.Offer     `cbor:"4,keyasint"`
	Name    public.Ref       `cbor:"5,keyasint"`           // its entry in our feed, once published
	Asked   []Asked          `cbor:"6,keyasint,omitempty"` // from whose availability it is made; none: from nobody's in particular
	Met     []Met            `cbor:"7,keyasint,omitempty"`
	Made    when.At          `cbor:"8,keyasint"`
}

// New prepares an offer.
func New(id ident.CrossOffer, terms public.Offer, who []ident.Volunteer, at when.At) Offer {
	o := Offer{ID: id, Version: 1, State: Preparing, Terms: terms, Made: at}
	for _, v := range who {
		o.Asked = append(o.Asked, Asked{Volunteer: v})
	}
	return o
}

// End is the first day after its last week.
func (o Offer) End() public.Day { return o.Terms.From + 7*public.Day(o.Terms.Weeks) }

// Left is how many slots are free: none when a restore has lost how many were
// taken.
func (o Offer) Left() int {
	left := int(o.Terms.Slots)
	for _, m := range o.Met {
		if m.State != MetAccepted && m.State != MetClosed {
			continue
		}
		if m.Slots == 0 {
			return 0
		}
		left -= int(m.Slots)
	}
	return left
}

// Waits reports whether something may still follow: it is live, or an accepted
// interest is not over.
func (o Offer) Waits() bool {
	return o.State.Live() || slices.ContainsFunc(o.Met, func(m Met) bool { return m.State == MetAccepted })
}

// find is the place of an answered interest, or -1.
func (o Offer) find(interest public.Ref) int {
	return slices.IndexFunc(o.Met, func(m Met) bool { return m.Interest == interest })
}

// Answered is what was answered to an interest.
func (o Offer) Answered(interest public.Ref) (Met, bool) {
	if i := o.find(interest); i >= 0 {
		return o.Met[i], true
	}
	return Met{}, false
}

// Of is what v has said to this offer.
func (o Offer) Of(v ident.Volunteer) (Asked, bool) {
	i := slices.IndexFunc(o.Asked, func(a Asked) bool { return a.Volunteer == v })
	if i < 0 {
		return Asked{}, false
	}
	return o.Asked[i], true
}

// Unsupported reports whether it was made from the availability of volunteers none
// of whom agrees any more.
func (o Offer) Unsupported() bool {
	return len(o.Asked) > 0 && !slices.ContainsFunc(o.Asked, func(a Asked) bool { return a.Consent == Agrees })
}

// Names lists the volunteers that stand in it, each once.
func (o Offer) Names() (out []ident.Volunteer) {
	add := func(v ident.Volunteer) {
		if !v.Zero() && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	for _, a := range o.Asked {
		add(a.Volunteer)
	}
	for _, m := range o.Met {
		add(m.Volunteer)
	}
	return out
}

// Hear notes what a volunteer says to the offer. He may take his word back.
func (o Offer) Hear(v ident.Volunteer, c Consent, by ident.Account, at when.At) (Offer, error) {
	i := slices.IndexFunc(o.Asked, func(a Asked) bool { return a.Volunteer == v })
	switch {
	case !o.State.Live():
		return o, refuse.CrossOfferOver
	case i < 0:
		return o, refuse.NotAsked
	}
	o.Asked = slices.Clone(o.Asked)
	o.Asked[i].Consent, o.Asked[i].At, o.Asked[i].By = c, at, by
	o.Version++
	return o, nil
}

// Publish notes that it has left, under that name. Each volunteer has answered, and
// one at least has said yes; those who objected do not stand in it any more.
func (o Offer) Publish(name public.Ref) (Offer, error) {
	if o.State != Preparing {
		return o, refuse.WrongStep
	}
	if o.Unsupported() || slices.ContainsFunc(o.Asked, func(a Asked) bool { return a.Consent == NoAnswer }) {
		return o, refuse.ConsentMissing
	}
	o.Asked = slices.DeleteFunc(slices.Clone(o.Asked), func(a Asked) bool { return a.Consent != Agrees })
	o.State, o.Name = Published, name
	o.Version++
	return o, nil
}

// Finish ends it: Withdrawn when it was published, Dropped when it was not, Past on
// its first day after.
func (o Offer) Finish(to OfferState, today public.Day) (Offer, error) {
	switch {
	case !o.State.Live():
		return o, refuse.CrossOfferOver
	case to == Withdrawn && o.State != Published, to == Dropped && o.State != Preparing:
		return o, refuse.WrongStep
	case to == Past && today < o.End():
		return o, refuse.NotYet
	}
	o.State = to
	o.Version++
	return o, nil
}

// Accept meets an interest: v calls the office that asks.
func (o Offer) Accept(name public.Ref, i public.Interest, v ident.Volunteer, today public.Day, at when.At) (Offer, error) {
	a, asked := o.Of(v)
	switch {
	case i.Offer != o.Name:
		return o, refuse.CrossEntry
	case o.State != Published || today >= o.End():
		return o, refuse.CrossOfferOver
	case o.find(name) >= 0:
		return o, refuse.InterestAnswered
	case int(i.Slots) > o.Left() || i.Week >= o.Terms.Weeks:
		return o, refuse.CrossOfferFull
	case len(o.Asked) > 0 && (!asked || a.Consent != Agrees):
		return o, refuse.ConsentMissing
	}
	return o.met(Met{Interest: name, State: MetAccepted, Slots: i.Slots, Week: i.Week, Volunteer: v, At: at}), nil
}

// Decline does not meet an interest.
func (o Offer) Decline(name public.Ref, i public.Interest, at when.At) (Offer, error) {
	switch {
	case o.Name == (public.Ref{}) || i.Offer != o.Name:
		return o, refuse.CrossEntry
	case o.find(name) >= 0:
		return o, refuse.InterestAnswered
	}
	return o.met(Met{Interest: name, State: MetDeclined, Slots: i.Slots, Week: i.Week, At: at}), nil
}

func (o Offer) met(m Met) Offer {
	o.Met = append(slices.Clone(o.Met), m)
	o.Version++
	return o
}

// Lost adds an answer of which a restore has lost how many slots it took, and by
// whom: the rest of the offer stays unused.
func (o Offer) Lost(m Met) Offer { return o.met(m) }

// change applies f to an accepted interest.
func (o Offer) change(interest public.Ref, f func(*Met)) (Offer, error) {
	i := o.find(interest)
	switch {
	case i < 0:
		return o, refuse.NoInterest
	case o.Met[i].State != MetAccepted:
		return o, refuse.InterestOver
	}
	o.Met = slices.Clone(o.Met)
	f(&o.Met[i])
	o.Version++
	return o, nil
}

// Told notes that the volunteer knows whom to call.
func (o Offer) Told(interest public.Ref, at when.At) (Offer, error) {
	return o.change(interest, func(m *Met) { m.Heard = at })
}

// Lapse frees the slots of an accepted interest: its asker has renounced, or time
// has run out. spoken says that the asker's feed has grown since.
func (o Offer) Lapse(interest public.Ref, renounced, spoken bool, at when.At) (Offer, error) {
	i := o.find(interest)
	if i >= 0 && o.Met[i].State == MetAccepted {
		since := at - o.Met[i].At
		if !renounced && since < LapseAfter && !(spoken && since >= LapseIfSpoken) {
			return o, refuse.LapseEarly
		}
	}
	return o.change(interest, func(m *Met) { m.State = MetLapsed })
}

// Close notes the outcome of an accepted interest.
func (o Offer) Close(interest public.Ref, outcome public.Outcome) (Offer, error) {
	return o.change(interest, func(m *Met) { m.State, m.Outcome = MetClosed, outcome })
}

// Leave takes back the consent of somebody who is not available any more.
func (o Offer) Leave(v ident.Volunteer, at when.At) (Offer, bool) {
	a, asked := o.Of(v)
	if !asked || a.Consent == Objects || !o.State.Live() {
		return o, false
	}
	o, err := o.Hear(v, Objects, ident.Account{}, at)
	return o, err == nil
}

// Without is o when v is erased. That somebody was asked, and said yes, stays.
func (o Offer) Without(v ident.Volunteer) Offer {
	o.Asked, o.Met = slices.Clone(o.Asked), slices.Clone(o.Met)
	for i := range o.Asked {
		if o.Asked[i].Volunteer == v {
			o.Asked[i] = Asked{Consent: Objects, At: o.Asked[i].At}
		}
	}
	for i := range o.Met {
		if o.Met[i].Volunteer == v {
			o.Met[i].Volunteer = ident.Volunteer{}
		}
	}
	o.Version++
	return o
}
