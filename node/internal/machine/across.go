package machine

import (
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/across"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/event"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/rights"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
	"github.com/bippop/bippop/node/internal/when"
)

// crossings are the commands about help across the borders of territories. Each
// checks its rule on the records, then appends its entry. What a neighbour has said
// comes as the bytes of his settled entry, so that every replica reads the same.
type crossings struct{ *act }

// name of an entry.
func name(e public.Entry) public.Ref { return public.Ref{From: e.From, Epoch: e.Epoch, Seq: e.Seq} }

// today is the day of the command, as feeds count days.
func (a crossings) today() public.Day { return public.DayOf(a.stamp.At.Time()) }

// ours reads the entry that goes out and what it says.
func ours[M public.Message](a crossings, b []byte, kind public.Kind) (e public.Entry, m M, err error) {
	if e, err = (egresses{a.act}).read(b, kind); err != nil {
		return e, m, err
	}
	return e, e.Body.(M), nil
}

// theirs reads an entry of another territory.
func theirs[M public.Message](a crossings, b []byte) (e public.Entry, m M, err error) {
	if e, err = public.Decode(b); err != nil {
		return e, m, refuse.CrossEntry
	}
	m, ok := e.Body.(M)
	if !ok || e.From.String() == a.siren() {
		return e, m, refuse.CrossEntry
	}
	return e, m, nil
}

// siren of this territory.
func (a crossings) siren() string {
	t, _, err := store.Territories.Get(a.tx, []byte{0})
	a.must(err)
	return t.Siren
}

func (a crossings) offer(id ident.CrossOffer) (across.Offer, error) {
	return find(a.act, store.CrossOffers, id[:], refuse.NoCrossOffer)
}

func (a crossings) interest(id ident.Interest) (across.Interest, error) {
	return find(a.act, store.Interests, id[:], refuse.NoInterest)
}

func (a crossings) saveOffer(before *across.Offer, after across.Offer) Reply {
	save(a.act, store.CrossOffers, before, &after, after.ID[:], after.Version)
	a.happen(event.CrossingChanged{By: a.stamp.By})
	return Reply{ID: after.ID, Version: after.Version}
}

func (a crossings) saveInterest(before *across.Interest, after across.Interest) Reply {
	save(a.act, store.Interests, before, &after, after.ID[:], after.Version)
	a.happen(event.CrossingChanged{By: a.stamp.By})
	return Reply{ID: after.ID, Version: after.Version}
}

func (a crossings) prepare(c command.PrepareCrossOffer) (Reply, error) {
	if !(egresses{a.act}).membership().Belongs() {
		return Reply{}, refuse.NotFederated
	}
	if err := unused(a.act, store.CrossOffers, c.ID); err != nil {
		return Reply{ID: c.ID}, err
	}
	live := 0
	for _, o := range listed(a.act, store.CrossOffers, view.LiveCrossOffers()) {
		if o.State.Live() {
			live++
		}
	}
	if live >= across.MostOpen || len(c.Volunteers) > across.MostAsked {
		return Reply{}, refuse.CrossOffersMany
	}
	o := across.New(c.ID, c.Terms, nil, a.stamp.At)
	if a.today() >= o.End() {
		return Reply{}, refuse.CrossOfferOver
	}
	for _, id := range c.Volunteers {
		if _, err := a.approved(id); err != nil {
			return Reply{}, err
		}
		if _, twice := o.Of(id); twice {
			return Reply{}, refuse.Exists
		}
		o.Asked = append(o.Asked, across.Asked{Volunteer: id})
	}
	return a.saveOffer(nil, o), nil
}

// approved is a volunteer who may help now.
func (a crossings) approved(id ident.Volunteer) (people.Volunteer, error) {
	v, err := a.volunteer(id)
	if err == nil && v.Status != people.Approved {
		err = refuse.NotApproved
	}
	if err == nil && v.Standing.Objects.Has(rights.AcrossBorder) {
		err = refuse.Objected
	}
	return v, err
}

func (a crossings) hear(c command.HearCrossOffer) (Reply, error) {
	o, err := a.offer(c.ID)
	if err != nil {
		return Reply{}, err
	}
	var after across.Offer
	if c.Interest != (public.Ref{}) {
		m, ok := o.Answered(c.Interest)
		if !ok || m.Volunteer != c.Volunteer || c.Volunteer.Zero() {
			return Reply{ID: o.ID, Version: o.Version}, refuse.NotAsked
		}
		after, err = o.Told(c.Interest, a.stamp.At)
	} else {
		if c.Consent != across.Agrees && c.Consent != across.Objects {
			return Reply{ID: o.ID, Version: o.Version}, refuse.WrongStep
		}
		if c.Consent == across.Agrees {
			if _, err := a.approved(c.Volunteer); err != nil {
				return Reply{ID: o.ID, Version: o.Version}, err
			}
		}
		after, err = o.Hear(c.Volunteer, c.Consent, a.stamp.By, a.stamp.At)
	}
	if err != nil {
		return Reply{ID: o.ID, Version: o.Version}, err
	}
	return a.saveOffer(&o, after), nil
}

func (a crossings) publish(c command.PublishCrossOffer) (Reply, error) {
	e, terms, err := ours[public.Offer](a, c.Entry, public.KindOffer)
	if err != nil {
		return Reply{}, err
	}
	o, err := a.offer(c.ID)
	if err != nil {
		return Reply{}, err
	}
	reply := Reply{ID: o.ID, Version: o.Version}
	switch {
	case o.Version != c.Version:
		return reply, refuse.StaleVersion
	case terms != o.Terms:
		return reply, refuse.CrossEntry
	case e.Day >= o.End():
		return reply, refuse.CrossOfferOver
	}
	after, err := o.Publish(name(e))
	if err != nil {
		return reply, err
	}
	egresses{a.act}.append(c.Entry)
	return a.saveOffer(&o, after), nil
}

func (a crossings) end(c command.EndCrossOffer) (Reply, error) {
	var err error
	var w public.Withdraw
	if len(c.Entry) > 0 {
		if _, w, err = ours[public.Withdraw](a, c.Entry, public.KindWithdraw); err != nil {
			return Reply{}, err
		}
	}
	o, err := a.offer(c.ID)
	if err != nil {
		return Reply{}, err
	}
	to := across.Withdrawn
	switch {
	case len(c.Entry) > 0 && w.Offer != o.Name.Seq:
		err = refuse.CrossEntry
	case len(c.Entry) > 0:
	case o.State == across.Published || a.today() >= o.End():
		to = across.Past
	default:
		to = across.Dropped
	}
	if err == nil {
		var after across.Offer
		if after, err = o.Finish(to, a.today()); err == nil {
			if len(c.Entry) > 0 {
				egresses{a.act}.append(c.Entry)
			}
			return a.saveOffer(&o, after), nil
		}
	}
	return Reply{ID: o.ID, Version: o.Version}, err
}

func (a crossings) answer(c command.AnswerInterest) (Reply, error) {
	e, err := egresses{a.act}.read(c.Entry, public.KindAccept, public.KindDecline)
	if err != nil {
		return Reply{}, err
	}
	asked, i, err := theirs[public.Interest](a, c.Interest)
	if err != nil {
		return Reply{}, err
	}
	o, err := a.offer(c.ID)
	if err != nil {
		return Reply{}, err
	}
	reply := Reply{ID: o.ID, Version: o.Version}
	var after across.Offer
	switch b := e.Body.(type) {
	case public.Accept:
		if b.Interest != name(asked) {
			return reply, refuse.CrossEntry
		}
		if _, err := a.approved(c.Volunteer); err != nil {
			return reply, err
		}
		after, err = o.Accept(name(asked), i, c.Volunteer, e.Day, a.stamp.At)
	case public.Decline:
		if b.Interest != name(asked) {
			return reply, refuse.CrossEntry
		}
		after, err = o.Decline(name(asked), i, a.stamp.At)
	}
	if err != nil {
		return reply, err
	}
	egresses{a.act}.append(c.Entry)
	return a.saveOffer(&o, after), nil
}

func (a crossings) lapse(c command.LapseInterest) (Reply, error) {
	_, l, err := ours[public.Lapse](a, c.Entry, public.KindLapse)
	if err != nil {
		return Reply{}, err
	}
	o, err := a.offer(c.ID)
	if err != nil {
		return Reply{}, err
	}
	reply := Reply{ID: o.ID, Version: o.Version}
	renounced, spoken := false, false
	if len(c.Spoken) > 0 {
		e, err := public.Decode(c.Spoken)
		if err != nil || e.From != l.Interest.From {
			return reply, refuse.CrossEntry
		}
		m, _ := o.Answered(l.Interest)
		spoken = e.Day > public.DayOf(m.At.Time())
		r, ok := e.Body.(public.Renounce)
		renounced = ok && e.Epoch == l.Interest.Epoch && r.Interest == l.Interest.Seq
	}
	after, err := o.Lapse(l.Interest, renounced, spoken, a.stamp.At)
	if err != nil {
		return reply, err
	}
	egresses{a.act}.append(c.Entry)
	return a.saveOffer(&o, after), nil
}

func (a crossings) show(c command.ShowInterest) (Reply, error) {
	e, i, err := ours[public.Interest](a, c.Entry, public.KindInterest)
	if err != nil {
		return Reply{}, err
	}
	offered, terms, err := theirs[public.Offer](a, c.Offer)
	if err != nil {
		return Reply{}, err
	}
	if err := unused(a.act, store.Interests, c.ID); err != nil {
		return Reply{ID: c.ID}, err
	}
	r, err := requestOf(a.act, c.Request)
	if err != nil {
		return Reply{}, err
	}
	reply := Reply{ID: c.ID}
	switch {
	case i.Offer != name(offered):
		return reply, refuse.CrossEntry
	case e.Day >= terms.From+7*public.Day(terms.Weeks):
		return reply, refuse.CrossOfferOver
	case i.Slots > terms.Slots || i.Week >= terms.Weeks:
		return reply, refuse.CrossOfferFull
	case !r.State.Looking():
		return reply, refuse.NotOpen
	}
	for _, other := range listed(a.act, store.Interests, view.InterestsFor(r.ID)) {
		if other.State.Live() {
			return Reply{ID: other.ID, Version: other.Version}, refuse.InterestShown
		}
	}
	now := across.Show(across.Interest{ID: c.ID, Request: r.ID, Offer: i.Offer, Terms: terms, Slots: i.Slots, Week: i.Week, Name: name(e)}, a.stamp.At)
	egresses{a.act}.append(c.Entry)
	return a.saveInterest(nil, now), nil
}

func (a crossings) endInterest(c command.EndInterest) (Reply, error) {
	i, err := a.interest(c.ID)
	if err != nil {
		return Reply{}, err
	}
	reply := Reply{ID: i.ID, Version: i.Version}
	var after across.Interest
	if len(c.Entry) > 0 {
		e, r, err := ours[public.Renounce](a, c.Entry, public.KindRenounce)
		if err != nil {
			return reply, err
		}
		if r.Interest != i.Name.Seq || e.Epoch != i.Name.Epoch {
			return reply, refuse.CrossEntry
		}
		if after, err = i.Renounce(a.stamp.At); err != nil {
			return reply, err
		}
		egresses{a.act}.append(c.Entry)
	} else {
		e, err := public.Decode(c.Other)
		if err != nil || e.From != i.Offer.From || !refuses(e, i) {
			return reply, refuse.CrossEntry
		}
		if after, err = i.Refuse(a.stamp.At); err != nil {
			return reply, err
		}
	}
	a.comes(i.Request, false, nil)
	return a.saveInterest(&i, after), nil
}

// refuses reports whether the offering side's entry ends the interest.
func refuses(e public.Entry, i across.Interest) bool {
	switch b := e.Body.(type) {
	case public.Decline:
		return b.Interest == i.Name
	case public.Lapse:
		return b.Interest == i.Name
	case public.Close:
		return b.Interest == i.Name && b.Outcome == public.NoMatch
	case public.Withdraw:
		return e.Epoch == i.Offer.Epoch && b.Offer == i.Offer.Seq
	case public.Retract:
		return e.Epoch == i.Offer.Epoch && b.Seq == i.Offer.Seq
	}
	return false
}

// comes notes on a request that is open whether a neighbour's volunteer comes.
func (a crossings) comes(id ident.Request, does bool, counts []command.Count) {
	r, err := requestOf(a.act, id)
	if err != nil || r.Across == does {
		return
	}
	after, err := request.FromAcross(r, does)
	if err != nil {
		return
	}
	if does && after.Counted&request.CountedFound == 0 {
		after.Counted |= request.CountedFound
		a.count(whom{her: r.Beneficiary}, counts, public.Found, public.FoundInDay, public.FoundInTwoDays, public.FoundInWeek)
	}
	a.saveRequest(&r, after)
}

func (a crossings) ack(c command.AckInterest) (Reply, error) {
	e, k, err := ours[public.Ack](a, c.Entry, public.KindAck)
	if err != nil {
		return Reply{}, err
	}
	accepted, accept, err := theirs[public.Accept](a, c.Accept)
	if err != nil {
		return Reply{}, err
	}
	i, err := a.interest(c.ID)
	if err != nil {
		return Reply{}, err
	}
	reply := Reply{ID: i.ID, Version: i.Version}
	switch {
	case k.Interest != i.Name.Seq || e.Epoch != i.Name.Epoch:
		return reply, refuse.CrossEntry
	case accepted.From != i.Offer.From || accept.Interest != i.Name:
		return reply, refuse.NotMet
	}
	r, err := requestOf(a.act, i.Request)
	if err == nil && r.State.Closed() {
		err = refuse.RequestClosed
	}
	if err != nil {
		return reply, err
	}
	after, err := i.Ack(a.stamp.At)
	if err != nil {
		return reply, err
	}
	egresses{a.act}.append(c.Entry)
	a.comes(i.Request, true, c.Counts)
	return a.saveInterest(&i, after), nil
}

func (a crossings) close(c command.CloseInterest) (Reply, error) {
	_, said, err := ours[public.Close](a, c.Entry, public.KindClose)
	if err != nil {
		return Reply{}, err
	}
	if c.Interest.Zero() {
		o, err := a.offer(c.Offer)
		if err != nil {
			return Reply{}, err
		}
		after, err := o.Close(said.Interest, said.Outcome)
		if err != nil {
			return Reply{ID: o.ID, Version: o.Version}, err
		}
		egresses{a.act}.append(c.Entry)
		return a.saveOffer(&o, after), nil
	}
	i, err := a.interest(c.Interest)
	if err != nil {
		return Reply{}, err
	}
	reply := Reply{ID: i.ID, Version: i.Version}
	if said.Interest != i.Name {
		return reply, refuse.CrossEntry
	}
	after, err := i.Close(said.Outcome, a.stamp.At)
	if err != nil {
		return reply, err
	}
	egresses{a.act}.append(c.Entry)
	a.came(i.Request, said.Outcome, c)
	return a.saveInterest(&i, after), nil
}

// came ends the request that a neighbour's volunteer has answered; it looks on
// when he has not. Somebody may have closed it meanwhile: then it stays so.
func (a crossings) came(id ident.Request, outcome public.Outcome, c command.CloseInterest) {
	if outcome == public.NoMatch {
		a.comes(id, false, nil)
		return
	}
	r, err := requestOf(a.act, id)
	if err != nil {
		return
	}
	c.Outcome.At = a.stamp.At
	after, err := request.FinishAcross(r, c.Outcome)
	if err != nil {
		return
	}
	a.saveRequest(&r, after)
	a.countVisit(after)
	a.count(visited(after), c.Counts)
}

// leave takes back the consents of a volunteer who may not help any more.
func (a crossings) leave(v ident.Volunteer) {
	for _, before := range listed(a.act, store.CrossOffers, view.CrossOffersOf(v)) {
		if after, changed := before.Leave(v, a.stamp.At); changed {
			a.saveOffer(&before, after)
		}
	}
}

// expected reports whether a neighbour's office waits for the volunteer's call.
func (a crossings) expected(v ident.Volunteer) bool {
	for _, o := range listed(a.act, store.CrossOffers, view.CrossOffersOf(v)) {
		for _, m := range o.Met {
			if m.Volunteer == v && m.State == across.MetAccepted {
				return true
			}
		}
	}
	return false
}

// forgetVolunteer takes his name out of every offer.
func (a crossings) forgetVolunteer(v ident.Volunteer) {
	for _, before := range listed(a.act, store.CrossOffers, view.CrossOffersOf(v)) {
		a.saveOffer(&before, before.Without(v))
	}
}

// forgetRequest takes a request out of the interests that were shown for it.
func (a crossings) forgetRequest(r ident.Request) {
	for _, before := range listed(a.act, store.Interests, view.InterestsFor(r)) {
		a.saveInterest(&before, before.Without(r))
	}
}

// regained are offers and interests of ours that a restore has lost and our own feed
// still tells of.
type regained struct{ crossings }

// takeBack folds an entry of our own feed into the records, when a restore has lost
// what it told of: which volunteer and which request are lost with it. It does not
// append. Entries are taken back in their order; one that changes nothing is passed
// over.
func (a regained) takeBack(e public.Entry) {
	at := when.Of(e.Day.Time())
	switch b := e.Body.(type) {
	case public.Offer:
		o, ok := a.named(name(e))
		if ok {
			return
		}
		o = across.New(ident.CrossOffer(lostID(e)), b, nil, at)
		o.State, o.Name = across.Published, name(e)
		a.saveOffer(nil, o)
	case public.Withdraw:
		a.withdrawn(public.Ref{From: e.From, Epoch: e.Epoch, Seq: b.Offer}, e.Day)
	case public.Retract:
		a.withdrawn(public.Ref{From: e.From, Epoch: e.Epoch, Seq: b.Seq}, e.Day)
		a.moved(public.Ref{From: e.From, Epoch: e.Epoch, Seq: b.Seq}, func(i across.Interest) (across.Interest, error) { return i.Renounce(at) })
	case public.Accept:
		a.answered(across.Met{Interest: b.Interest, State: across.MetAccepted, At: at})
	case public.Decline:
		a.answered(across.Met{Interest: b.Interest, State: across.MetDeclined, At: at})
	case public.Lapse:
		a.met(b.Interest, func(o across.Offer) (across.Offer, error) { return o.Lapse(b.Interest, true, false, at) })
	case public.Interest:
		known := false
		a.must(store.Interests.Each(a.tx, nil, func(i across.Interest) bool { known = known || i.Name == name(e); return !known }))
		if !known {
			a.saveInterest(nil, across.Show(across.Interest{ID: ident.Interest(lostID(e)), Offer: b.Offer, Slots: b.Slots, Week: b.Week, Name: name(e)}, at))
		}
	case public.Renounce:
		a.moved(public.Ref{From: e.From, Epoch: e.Epoch, Seq: b.Interest}, func(i across.Interest) (across.Interest, error) { return i.Renounce(at) })
	case public.Ack:
		a.moved(public.Ref{From: e.From, Epoch: e.Epoch, Seq: b.Interest}, func(i across.Interest) (across.Interest, error) { return i.Ack(at) })
	case public.Close:
		if b.Interest.From == e.From {
			a.moved(b.Interest, func(i across.Interest) (across.Interest, error) { return i.Close(b.Outcome, at) })
		} else {
			a.met(b.Interest, func(o across.Offer) (across.Offer, error) { return o.Close(b.Interest, b.Outcome) })
		}
	}
}

// lostID names a record that is made again from its entry: the same on every
// replica, and of no other record, whose version digit is 7.
func lostID(e public.Entry) (id [16]byte) {
	for i := range 8 {
		id[15-i] = byte(e.Seq >> (8 * i))
	}
	id[6], id[7] = 0x80, byte(e.Body.Kind())
	id[4], id[5] = byte(e.Epoch>>8), byte(e.Epoch)
	id[8] |= 0x80
	return id
}

// named finds an offer of ours by its entry.
func (a regained) named(ref public.Ref) (out across.Offer, ok bool) {
	a.must(store.CrossOffers.Each(a.tx, nil, func(o across.Offer) bool {
		if o.Name == ref {
			out, ok = o, true
		}
		return !ok
	}))
	return out, ok
}

func (a regained) withdrawn(ref public.Ref, day public.Day) {
	if before, ok := a.named(ref); ok {
		if after, err := before.Finish(across.Withdrawn, day); err == nil {
			a.saveOffer(&before, after)
		}
	}
}

// answered adds an answer whose offer only the neighbour's entry names. Which it is
// is not known here, so that it stands in every live offer: no slot is given twice.
func (a regained) answered(m across.Met) {
	var all []across.Offer
	known := false
	a.must(store.CrossOffers.Each(a.tx, nil, func(o across.Offer) bool {
		_, there := o.Answered(m.Interest)
		known = known || there
		if o.State == across.Published {
			all = append(all, o)
		}
		return true
	}))
	if known {
		return
	}
	for _, before := range all {
		a.saveOffer(&before, before.Lost(m))
	}
}

// met applies f to the offers that have answered the interest.
func (a regained) met(interest public.Ref, f func(across.Offer) (across.Offer, error)) {
	var all []across.Offer
	a.must(store.CrossOffers.Each(a.tx, nil, func(o across.Offer) bool {
		if _, there := o.Answered(interest); there {
			all = append(all, o)
		}
		return true
	}))
	for _, before := range all {
		if after, err := f(before); err == nil {
			a.saveOffer(&before, after)
		}
	}
}

// moved applies f to the interest of ours with that entry.
func (a regained) moved(ref public.Ref, f func(across.Interest) (across.Interest, error)) {
	var before across.Interest
	ok := false
	a.must(store.Interests.Each(a.tx, nil, func(i across.Interest) bool {
		if i.Name == ref {
			before, ok = i, true
		}
		return !ok
	}))
	if !ok {
		return
	}
	after, err := f(before)
	if err != nil {
		return
	}
	a.saveInterest(&before, after)
	switch after.State {
	case across.Acked:
		a.comes(before.Request, true, nil)
	case across.Renounced:
		a.comes(before.Request, false, nil)
	}
}
