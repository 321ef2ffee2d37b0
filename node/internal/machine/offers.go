package machine

import (
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/contact"
	"github.com/bippop/bippop/node/internal/event"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/offer"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
	"github.com/bippop/bippop/node/internal/when"
)

// offers are the commands about what volunteers propose.
type offers struct{ *act }

func (a offers) make(c command.MakeOffer) (Reply, error) {
	v, err := a.volunteer(c.Volunteer)
	if err != nil {
		return Reply{}, err
	}
	if err := unused(a.act, store.Offers, c.ID); err != nil {
		return Reply{ID: c.ID}, err
	}
	if c.Trip.Until <= a.stamp.At {
		return Reply{}, refuse.OfferOver
	}
	for _, id := range c.Trip.Types {
		t, err := find(a.act, store.ActionTypes, id[:], refuse.NoActionType)
		if err != nil {
			return Reply{}, err
		}
		if t.Retired {
			return Reply{}, refuse.TypeRetired
		}
		if _, err := a.fit(v.ID, people.Beneficiary{}, t, c.Trip.Day); err != nil {
			return Reply{}, err
		}
	}
	o := offer.New(offer.Offer{ID: c.ID, Volunteer: v.ID, Trip: c.Trip, Box: c.Box}, a.stamp.At)
	save(a.act, store.Offers, nil, &o, o.ID[:], o.Version)
	a.happen(event.OfferChanged{ID: o.ID, Volunteer: v.ID, By: a.stamp.By})
	a.use(v.Import)
	a.count(whom{him: v.ID}, c.Counts)
	return Reply{ID: o.ID, Version: o.Version}, nil
}

// end withdraws an offer or closes one whose day is over. Those whom he had
// promised come on the call-back list by themselves.
func (a offers) end(c command.EndOffer) (Reply, error) {
	o, err := find(a.act, store.Offers, c.ID[:], refuse.NoOffer)
	if err != nil {
		return Reply{}, err
	}
	step := o.Withdraw
	if c.Past {
		step = o.Pass
	}
	after, err := step(a.stamp.At)
	if err != nil {
		return Reply{ID: o.ID, Version: o.Version}, err
	}
	a.save(o, after)
	if !c.Past {
		a.freeTrip(after)
	}
	o, err = find(a.act, store.Offers, c.ID[:], refuse.NoOffer) // with the places that are free again
	return Reply{ID: o.ID, Version: o.Version}, err
}

// freeTrip takes from him the seats of the trip that lie ahead.
func (a offers) freeTrip(o offer.Offer) {
	for _, id := range o.Taken {
		r, err := requestOf(a.act, id)
		if err != nil || r.State.Closed() || r.Plan.Start <= a.stamp.At-graceForPast {
			continue
		}
		if after, err := r.Withdraw(o.Volunteer, request.Withdrawn, a.stamp.At); err == nil {
			a.saveRequest(&r, after)
		}
	}
}

// leave ends the offers of somebody who may not come any more.
func (a offers) leave(v ident.Volunteer) {
	var ids []ident.Offer
	a.must(view.Each(a.tx, view.OffersOf(v), nil, false, func(id ident.Offer, _ []byte) bool {
		ids = append(ids, id)
		return true
	}))
	for _, id := range ids {
		o, err := find(a.act, store.Offers, id[:], refuse.NoOffer)
		if err != nil || !o.State.Live() {
			continue
		}
		after, err := o.Withdraw(a.stamp.At)
		if err != nil {
			after, err = o.Pass(a.stamp.At)
			a.must(err)
		}
		a.save(o, after)
		a.freeTrip(after)
	}
}

// take seats him with her and lets her know, all at once. Everything is worked
// out before anything is written.
func (a offers) take(c command.TakeOffer) (Reply, error) {
	o, err := find(a.act, store.Offers, c.ID[:], refuse.NoOffer)
	if err != nil {
		return Reply{}, err
	}
	if exists(a.act, store.Attempts, c.Attempt[:]) {
		return Reply{ID: c.Request}, refuse.Exists
	}
	b, t, err := a.personAndType(c.Beneficiary, c.Type)
	if err != nil {
		return Reply{}, err
	}
	after, err := o.Take(c.Request, b.ID, a.stamp.At)
	if err != nil {
		return Reply{}, err
	}
	if a.profits(o, b.ID) {
		return Reply{}, refuse.OfferTaken
	}
	before, r, err := a.wanted(c, o, b, t)
	reply := Reply{ID: r.ID, Version: r.Version}
	if err != nil {
		return reply, err
	}
	if _, err := a.fit(o.Volunteer, b, t, o.Trip.Day); err != nil {
		return reply, err
	}
	if r, err = r.AcceptBy(o.ID, o.Volunteer, c.Start, a.stamp.At); err != nil {
		return reply, err
	}
	if reply.Clash, err = a.free(o.Volunteer, r); err != nil {
		return reply, err
	}
	if before == nil {
		a.count(whom{her: b.ID}, c.Counts, public.Requested)
	}
	if r.State == request.Covered {
		if r, err = r.Tell(r.Version); err != nil {
			return reply, err
		}
	}
	if r.State == request.Told {
		if r.Counted&request.CountedFound == 0 {
			a.count(whom{her: b.ID}, c.Counts, public.Found, public.FoundInDay, public.FoundInTwoDays, public.FoundInWeek)
		}
		if r.Counted&request.CountedTold == 0 {
			a.count(whom{her: b.ID}, c.Counts, public.Told)
		}
		r.Counted |= request.CountedFound | request.CountedTold
	}
	a.save(o, after)
	a.saveRequest(before, r)
	a.reached(b, contact.Attempt{ID: c.Attempt, About: []ident.Request{r.ID}})
	return Reply{ID: r.ID, Version: r.Version}, nil
}

// profits reports whether she has a place already.
func (a offers) profits(o offer.Offer, she ident.Beneficiary) bool {
	for _, id := range o.Taken {
		r, ok, err := store.Requests.Get(a.tx, id[:])
		a.must(err)
		if ok && r.Beneficiary == she {
			return true
		}
	}
	return false
}

// wanted is the request that gets him: her open one, or one that is made for the
// day of the offer.
func (a offers) wanted(c command.TakeOffer, o offer.Offer, b people.Beneficiary, t actionType) (before *request.Request, r request.Request, err error) {
	proposed := request.Wish{Kind: request.OnDay, Day: o.Trip.Day, Half: o.Trip.Half, Minute: o.Trip.Minute}
	if c.Version == 0 {
		if err := unused(a.act, store.Requests, c.Request); err != nil {
			return nil, request.Request{ID: c.Request}, err
		}
		c.Plan.Start = 0
		r = request.New(request.Request{
			ID: c.Request, Beneficiary: b.ID, Type: t.ID, Commune: b.Commune, Wish: proposed, Plan: c.Plan, Box: c.Box,
		}, false, a.stamp.At)
		if !enough(c.Plan, t, b) {
			return nil, r, refuse.PairNeeded
		}
	} else {
		if r, err = requestOf(a.act, c.Request); err != nil {
			return nil, r, err
		}
		if r.Beneficiary != b.ID || r.Type != t.ID {
			return nil, request.Request{}, refuse.NoRequest
		}
		if r.Version != c.Version {
			return nil, r, refuse.StaleVersion
		}
		own := r
		before = &own
	}
	onTheDay := c.Start < o.Trip.Until && c.Start >= o.Trip.Until-longestDay
	if !o.Trip.Has(t.ID) || !onTheDay || !proposed.Fits(o.Trip.Day, int(c.Minute)) || !r.Wish.Fits(o.Trip.Day, int(c.Minute)) {
		return nil, r, refuse.OfferOther
	}
	return before, r, nil
}

// longestDay has 25 hours, when clocks are put back.
const longestDay when.At = 25 * 3600_000

func (a offers) decline(c command.DeclineOffer) (Reply, error) {
	o, err := find(a.act, store.Offers, c.ID[:], refuse.NoOffer)
	if err != nil {
		return Reply{}, err
	}
	b, err := a.beneficiary(c.Beneficiary)
	if err != nil {
		return Reply{}, err
	}
	reply := Reply{ID: o.ID, Version: o.Version}
	if exists(a.act, store.Attempts, c.Attempt[:]) {
		return reply, refuse.Exists
	}
	if a.profits(o, b.ID) {
		return reply, refuse.OfferTaken
	}
	after, err := o.Decline(b.ID, a.stamp.At)
	if err != nil {
		return reply, err
	}
	a.save(o, after)
	a.reached(b, contact.Attempt{ID: c.Attempt})
	return Reply{ID: o.ID, Version: after.Version}, nil
}

// reached notes the call in which she has answered.
func (a offers) reached(b people.Beneficiary, t contact.Attempt) {
	t.Beneficiary, t.At, t.By, t.Result, t.Means = b.ID, a.stamp.At, a.stamp.By, contact.Told, contact.ByPhone
	save(a.act, store.Attempts, nil, &t, t.ID[:], 1)
	b.Missed = 0
	store.Beneficiaries.Put(a.tx, b)
	a.use(b.Enrolled.Import)
	a.happen(event.PersonReached{ID: b.ID})
}

// release frees the places of requests that he does not come to any more.
func (a offers) release(before, after request.Request) {
	for _, was := range before.Askings {
		o := before.By(was.Volunteer)
		kept := after.By(was.Volunteer) == o && after.State != request.Cancelled && after.State != request.Unfilled
		if o.Zero() || kept {
			continue
		}
		now, err := find(a.act, store.Offers, o[:], refuse.NoOffer)
		a.must(err)
		if free, had := now.Release(after.ID); had {
			a.save(now, free)
		}
	}
}

func (a offers) save(before, after offer.Offer) {
	save(a.act, store.Offers, &before, &after, after.ID[:], after.Version)
	a.happen(event.OfferChanged{ID: after.ID, Volunteer: after.Volunteer, By: a.stamp.By})
}
