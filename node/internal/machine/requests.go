package machine

import (
	"slices"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/contact"
	"github.com/bippop/bippop/node/internal/event"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
	"github.com/bippop/bippop/node/internal/when"
)

// longestVisit bounds how far back an earlier visit can reach into a later one.
const longestVisit = 12 * 3600_000

func (a *act) openRequest(c command.OpenRequest) (Reply, error) {
	b, t, err := a.personAndType(c.Beneficiary, c.Type)
	if err != nil {
		return Reply{}, err
	}
	if err := unused(a, store.Requests, c.ID); err != nil {
		return Reply{ID: c.ID}, err
	}
	if !enough(c.Plan, t, b) {
		return Reply{}, refuse.PairNeeded
	}
	r := request.New(request.Request{
		ID: c.ID, Beneficiary: b.ID, Type: t.ID, Commune: b.Commune, Wish: c.Wish, Plan: c.Plan, Box: c.Box,
	}, c.Draft, a.stamp.At)
	if len(c.Ask) > 0 {
		for _, v := range c.Ask {
			if _, err := a.fit(v, b, t, 0); err != nil {
				return Reply{}, err
			}
		}
		if r, err = r.Ask(c.Ask, a.stamp.At); err != nil {
			return Reply{}, err
		}
	}
	a.saveRequest(nil, r)
	a.use(b.Enrolled.Import)
	a.count(whom{her: b.ID}, c.Counts)
	return Reply{ID: r.ID, Version: r.Version}, nil
}

// enough is the rule of two. An exception lets one go alone, never nobody.
func enough(p request.Plan, t actionType, b people.Beneficiary) bool {
	return p.Seats >= t.Seats(b.Visits) || p.Exception && p.Seats > 0
}

// personAndType reads who asks for what, and refuses who or what has ended.
func (a *act) personAndType(who ident.Beneficiary, what ident.ActionType) (b people.Beneficiary, t actionType, err error) {
	if b, err = a.beneficiary(who); err != nil {
		return b, t, err
	}
	if t, err = find(a, store.ActionTypes, what[:], refuse.NoActionType); err != nil {
		return b, t, err
	}
	switch {
	case b.State != people.Active:
		return b, t, refuse.BeneficiaryEnded
	case t.Retired:
		return b, t, refuse.TypeRetired
	}
	return b, t, nil
}

// fit re-checks what must hold of a volunteer under a race. Distance and the
// hours that he prefers are the proposer's and the agent's business. day may be
// 0 when none is fixed yet.
func (a *act) fit(who ident.Volunteer, b people.Beneficiary, t actionType, day when.Day) (people.Volunteer, error) {
	v, err := a.volunteer(who)
	switch {
	case err != nil:
		return v, err
	case v.Status != people.Approved:
		return v, refuse.NotApproved
	case b.Refuses(who):
		return v, refuse.VolunteerRefused
	case !v.Offer.Does(t.ID):
		return v, refuse.KindNotCleared
	case t.Car && !v.Offer.Car:
		return v, refuse.CarNeeded
	case day != 0 && v.Offer.Away(day):
		return v, refuse.Absent
	}
	return v, nil
}

// free refuses a volunteer who is to come to r and is expected elsewhere then, and
// names where. Visits of one offer of his are one trip.
func (a *act) free(v ident.Volunteer, r request.Request) (clash ident.Request, err error) {
	plan := r.Plan
	var near []ident.Request
	a.must(view.Seats(a.tx, v, plan.Start-longestVisit-request.TravelBuffer, plan.End()+request.TravelBuffer, func(id ident.Request, _ when.At) bool {
		if id != r.ID {
			near = append(near, id)
		}
		return true
	}))
	for _, id := range near {
		other, ok, err := store.Requests.Get(a.tx, id[:])
		a.must(err)
		if ok && other.State != request.NotDone && !r.OneTrip(v, other) && request.Clash(plan, other.Plan) {
			return id, refuse.DoubleBooked
		}
	}
	return ident.Request{}, nil
}

// changeRequest refuses to make a visit so long that it reaches into another one
// of somebody who comes.
func (a *act) changeRequest(c command.ChangeRequest) (Reply, error) {
	var clash ident.Request
	reply, err := a.change(c.ID, func(r request.Request) (request.Request, error) {
		b, t, err := a.personAndType(r.Beneficiary, r.Type)
		if err != nil && err != refuse.TypeRetired {
			return r, err
		}
		if !enough(c.Plan, t, b) {
			return r, refuse.PairNeeded
		}
		after, err := r.Change(c.Version, c.Wish, c.Plan, c.Box, a.stamp.At)
		for _, v := range after.Coming() {
			if err == nil {
				clash, err = a.free(v, after)
			}
		}
		return after, err
	})
	reply.Clash = clash
	return reply, err
}

func (a *act) publishDraft(c command.PublishDraft) (Reply, error) {
	return a.change(c.ID, request.Request.Open)
}

func (a *act) ask(c command.Ask) (Reply, error) {
	return a.change(c.ID, func(r request.Request) (request.Request, error) {
		b, t, err := a.personAndType(r.Beneficiary, r.Type)
		if err != nil && err != refuse.TypeRetired {
			return r, err
		}
		for _, v := range c.Volunteers {
			if _, err := a.fit(v, b, t, 0); err != nil {
				return r, err
			}
		}
		return r.Ask(c.Volunteers, a.stamp.At)
	})
}

func (a *act) accept(c command.Accept) (Reply, error) {
	r, err := requestOf(a, c.ID)
	if err != nil {
		return Reply{}, err
	}
	reply := Reply{ID: r.ID, Version: r.Version}
	b, t, err := a.personAndType(r.Beneficiary, r.Type)
	if err != nil && err != refuse.TypeRetired {
		return reply, err
	}
	if c.Wish != r.Wish {
		return reply, refuse.StaleVersion // she wishes another time by now
	}
	after, err := r.Accept(c.Volunteer, c.Start, a.stamp.At)
	if err != nil {
		return reply, err
	}
	if _, err := a.fit(c.Volunteer, b, t, c.Day); err != nil {
		return reply, err
	}
	if reply.Clash, err = a.free(c.Volunteer, after); err != nil {
		return reply, err
	}
	if after.State == request.Covered && after.Counted&request.CountedFound == 0 {
		after.Counted |= request.CountedFound
		a.count(whom{her: b.ID}, c.Counts)
	}
	a.saveRequest(&r, after)
	reply.Version = after.Version
	return reply, nil
}

func (a *act) refuse(c command.Refuse) (Reply, error) {
	return a.change(c.ID, func(r request.Request) (request.Request, error) { return r.Refuse(c.Volunteer, a.stamp.At) })
}

func (a *act) withdraw(c command.Withdraw) (Reply, error) {
	return a.change(c.ID, func(r request.Request) (request.Request, error) {
		return r.Withdraw(c.Volunteer, request.Withdrawn, a.stamp.At)
	})
}

// reach notes a call. Everything it says about requests is worked out before
// anything is written.
func (a *act) reach(c command.Reach) (Reply, error) {
	b, err := a.beneficiary(c.Beneficiary)
	if err != nil {
		return Reply{}, err
	}
	if exists(a, store.Attempts, c.ID[:]) {
		return Reply{ID: c.ID}, refuse.Exists
	}
	her := b
	type change struct {
		before, after request.Request
		counts        []command.Count
		only          public.Indicator
	}
	var changes []change
	var declined []ident.Volunteer
	attempt := contact.Attempt{ID: c.ID, Beneficiary: b.ID, At: a.stamp.At, By: a.stamp.By, Result: c.Result, Means: c.Means}
	for _, about := range c.About {
		r, err := requestOf(a, about.Request)
		if err != nil {
			return Reply{}, err
		}
		if r.Beneficiary != b.ID {
			return Reply{}, refuse.NoRequest
		}
		attempt.About = append(attempt.About, r.ID)
		if about.Word == command.NotReach {
			continue
		}
		if slices.ContainsFunc(changes, func(ch change) bool { return ch.before.ID == r.ID }) {
			return Reply{ID: r.ID, Version: r.Version}, refuse.StaleVersion // the first word on it has moved it on
		}
		ch := change{before: r, counts: about.Counts}
		if ch.after, err = r.Tell(about.Version); err != nil {
			return Reply{ID: r.ID, Version: r.Version}, err
		}
		switch about.Word {
		case command.Fine:
			knows := ch.after.State == request.Told || ch.after.Believes.Across
			if knows && ch.after.Counted&request.CountedTold == 0 {
				ch.after.Counted |= request.CountedTold
				ch.only = public.Told
			}
		case command.NotHim:
			if ch.after, err = ch.after.Withdraw(about.Volunteer, request.Declined, a.stamp.At); err != nil {
				return Reply{ID: r.ID, Version: r.Version}, err
			}
			ch.after.Believes = ch.after.Truth() // she knows: it was she who said so
			her = her.Refuse(about.Volunteer)
			declined = append(declined, about.Volunteer)
		case command.NoMore:
			if !ch.after.State.Closed() {
				ch.after, err = ch.after.Drop(request.Cancelled, request.Outcome{At: a.stamp.At, Why: request.ByHer})
				if err != nil {
					return Reply{ID: r.ID, Version: r.Version}, err
				}
				ch.only = public.Cancelled
			}
		}
		changes = append(changes, ch)
	}
	her.CallAfter, her.Missed = c.After, 0
	if c.Result == contact.NoAnswer {
		her.Missed = min(b.Missed+1, 250)
	}
	if her.Version == b.Version {
		// The call itself is no change of her file: the attempt is its history.
		store.Beneficiaries.Put(a.tx, her)
	} else {
		a.saveBeneficiary(b, her)
	}
	for _, ch := range changes {
		a.saveRequest(&ch.before, ch.after)
		if ch.only == public.Cancelled {
			a.passOver(ch.after)
		}
		if ch.only != 0 {
			a.count(whom{her: b.ID}, ch.counts, ch.only)
		}
	}
	for _, v := range declined {
		a.freeSeats(v, b.ID)
	}
	a.use(b.Enrolled.Import)
	save(a, store.Attempts, nil, &attempt, attempt.ID[:], 1)
	a.happen(event.PersonReached{ID: b.ID})
	return Reply{ID: attempt.ID, Version: 1}, nil
}

func (a *act) finish(c command.Finish) (Reply, error) {
	r, err := requestOf(a, c.ID)
	if err != nil {
		return Reply{}, err
	}
	to := request.Done
	if c.NotDone {
		to = request.NotDone
	}
	c.Outcome.At = a.stamp.At
	after, err := r.Finish(to, c.Outcome)
	if err != nil {
		return Reply{ID: r.ID, Version: r.Version}, err
	}
	a.saveRequest(&r, after)
	if to == request.Done {
		a.countVisit(after)
	}
	a.count(visited(after), c.Counts)
	return Reply{ID: r.ID, Version: after.Version}, nil
}

// countVisit notes on both sides that an action has taken place: the rule of two
// looks at hers, the agent at his.
func (a *act) countVisit(r request.Request) {
	t, ok, err := store.ActionTypes.Get(a.tx, r.Type[:])
	a.must(err)
	if ok && t.AtHome {
		b, ok, err := store.Beneficiaries.Get(a.tx, r.Beneficiary[:])
		a.must(err)
		if ok {
			b.Visits++
			store.Beneficiaries.Put(a.tx, b)
		}
	}
	for _, id := range r.Coming() {
		v, ok, err := store.Volunteers.Get(a.tx, id[:])
		a.must(err)
		if ok {
			v.Done++
			store.Volunteers.Put(a.tx, v)
		}
	}
}

func (a *act) drop(c command.Drop) (Reply, error) {
	r, err := requestOf(a, c.ID)
	if err != nil {
		return Reply{}, err
	}
	reply := Reply{ID: r.ID, Version: r.Version}
	to := request.Cancelled
	if c.Unfilled {
		to = request.Unfilled
	}
	if r.Version != c.Version {
		return reply, refuse.StaleVersion
	}
	c.Outcome.At = a.stamp.At
	after, err := r.Drop(to, c.Outcome)
	if err != nil {
		return reply, err
	}
	a.saveRequest(&r, after)
	a.passOver(after)
	a.count(whom{her: after.Beneficiary}, c.Counts)
	reply.Version = after.Version
	return reply, nil
}

func (a *act) recordDone(c command.RecordDone) (Reply, error) {
	b, t, err := a.personAndType(c.Beneficiary, c.Type)
	if err != nil {
		return Reply{}, err
	}
	if err := unused(a, store.Requests, c.ID); err != nil {
		return Reply{ID: c.ID}, err
	}
	r := request.New(request.Request{
		ID: c.ID, Beneficiary: b.ID, Type: t.ID, Commune: b.Commune, Wish: c.Wish, Plan: c.Plan, Box: c.Box,
	}, false, a.stamp.At)
	r.Plan.Seats = uint8(len(c.Volunteers))
	for _, v := range c.Volunteers {
		if _, err := a.volunteer(v); err != nil {
			return Reply{}, err
		}
		if clash, err := a.free(v, r); err != nil {
			return Reply{Clash: clash}, err
		}
		if r, err = r.Accept(v, c.Plan.Start, a.stamp.At); err != nil {
			return Reply{}, err
		}
	}
	r.Counted = request.CountedFound | request.CountedTold // she asked and answered by herself
	r.Believes = r.Truth()
	c.Outcome.At = a.stamp.At
	if r, err = r.Finish(request.Done, c.Outcome); err != nil {
		return Reply{}, err
	}
	a.saveRequest(nil, r)
	a.use(b.Enrolled.Import)
	a.countVisit(r)
	a.count(visited(r), c.Counts)
	return Reply{ID: r.ID, Version: r.Version}, nil
}

// requestOf reads a request of somebody who is still known.
func requestOf(a *act, id ident.Request) (request.Request, error) {
	r, err := find(a, store.Requests, id[:], refuse.NoRequest)
	if err == nil && r.State == request.Forgotten {
		err = refuse.Erased
	}
	return r, err
}

// change saves what f makes of a request.
func (a *act) change(id ident.Request, f func(request.Request) (request.Request, error)) (Reply, error) {
	r, err := requestOf(a, id)
	if err != nil {
		return Reply{}, err
	}
	after, err := f(r)
	if err != nil {
		return Reply{ID: id, Version: r.Version}, err
	}
	after = a.saveRequest(&r, after)
	return Reply{ID: id, Version: after.Version}, nil
}

// withoutGone answers no for whoever has a question again, because a request
// looks for volunteers once more, and may not come any more.
func (a *act) withoutGone(before, after request.Request) request.Request {
	b, _, err := store.Beneficiaries.Get(a.tx, after.Beneficiary[:])
	a.must(err)
	for _, now := range after.Askings {
		was, there := before.Asking(now.Volunteer)
		if now.Answer != request.Waiting || there && was.Answer == request.Waiting && before.State.Looking() {
			continue
		}
		v, err := a.volunteer(now.Volunteer)
		if err != nil || v.Status != people.Approved || b.Refuses(v.ID) {
			after, err = after.Refuse(now.Volunteer, a.stamp.At)
			a.must(err)
		}
	}
	return after
}

func (a *act) saveRequest(before *request.Request, after request.Request) request.Request {
	if before != nil && after.State.Looking() {
		after = a.withoutGone(*before, after)
	}
	save(a, store.Requests, before, &after, after.ID[:], after.Version)
	if before != nil {
		offers{a}.release(*before, after)
	}
	a.happen(event.RequestChanged{ID: after.ID, Beneficiary: after.Beneficiary, State: after.State, By: a.stamp.By})
	for _, asked := range after.Askings {
		v := asked.Volunteer
		if before != nil {
			if was, there := before.Asking(v); there && (was.Answer == request.Yes || asked.Answer != request.Yes) {
				continue
			}
		}
		r, ok, err := store.Volunteers.Get(a.tx, v[:])
		a.must(err)
		if ok {
			a.use(r.Import)
		}
	}
	return after
}
