package node

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/bippop/bippop/node/internal/dispatch"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
	"github.com/bippop/bippop/node/internal/when"
)

// Proposal is a request as a volunteer sees it before he has accepted: what,
// when, in which commune, and what to know of how she walks or hears. No name,
// no address, no number.
type Proposal struct {
	ID      RequestID
	Version uint32
	Kind    ActionType
	Wish    Wish
	Commune string
	Minutes uint16
	Seats   uint8
	Taken   int
	Start   time.Time // fixed by who goes with him; else zero
	Usual   time.Time // when he would come if he named no hour; zero when the day is open
	Metres  int       // from his commune to hers; -1 when not known
	Needs   Secret
	Visits  int  // of his to her so far
	Asked   bool // he was asked; else it is open near him
}

// Promise is a visit that a volunteer has accepted: now he may know whom to see,
// where, and how to enter.
type Promise struct {
	Proposal
	State     State
	Start     time.Time
	Civility  Secret
	First     Secret
	Last      Secret
	Phones    []Phone
	Address   Secret
	Entry     Secret
	TrustWord Secret
	Note      Secret
	SheKnows  bool
	With      []Companion
	Over      bool // its time is past: how was it?
}

// Companion goes with him on a paired visit.
type Companion struct {
	First Secret
	Phone Secret
}

// Mine is everything on a volunteer's page.
type Mine struct {
	Asked    []Proposal
	Promised []Promise
	Near     []Proposal
	Thanks   []Thanks // that he has not read yet
	Past     Past
}

// Past is what a volunteer has done this year.
type Past struct {
	Visits  int
	Minutes int
	Last    []PastVisit // the newest first, a few
}

// PastVisit is one of them, without a word of hers: it is over.
type PastVisit struct {
	Kind    ActionType
	Day     Day
	Commune string
}

// On lists what he has promised for a day and what still lies ahead of it.
func (m Mine) On(d Day) (out []Promise) {
	for _, p := range m.Promised {
		if !p.Over && DayOf(p.Start) == d {
			out = append(out, p)
		}
	}
	return out
}

// Clash is the promise that he could not keep if he came then too, the way
// between counted. A visit does not clash with itself.
func (m Mine) Clash(id RequestID, start time.Time, minutes uint16) (Promise, bool) {
	plan := request.Plan{Start: when.Of(start), Minutes: minutes}
	for _, p := range m.Promised {
		if p.ID != id && request.Clash(plan, request.Plan{Start: when.Of(p.Start), Minutes: p.Minutes}) {
			return p, true
		}
	}
	return Promise{}, false
}

// mostLooking bounds what is read of one commune: many times what a day brings.
const mostLooking = 500

// nearLimit is how many open requests near him a volunteer is shown, the soonest
// first, of nearLook that are the nearest.
const (
	nearLimit = 20
	nearLook  = 60
)

// A year of visits, and how many of them are named.
const (
	mostPast  = 400
	namedPast = 5
)

// Mine lists what the calling volunteer was asked, has promised, and could take
// near him.
func (s *Requests) Mine(by Caller) (m Mine, err error) {
	if err := by.may(SeeOwnRequests); err != nil {
		return m, err
	}
	if by.Volunteer.Zero() {
		return m, errForbidden
	}
	zone, now := s.zone(), s.now()
	t, err := s.territory()
	if err != nil {
		return m, err
	}
	err = s.view(by, func(tx *store.Tx) error {
		me, ok, err := store.Volunteers.Get(tx, by.Volunteer[:])
		if err != nil || !ok {
			return either(err, errForbidden)
		}
		if me.Status != people.Approved {
			return nil // an applicant has nothing to see of people yet
		}
		h := helper{s.reader(by, tx, zone), me}
		if m.Asked, err = h.asked(); err != nil {
			return err
		}
		if m.Promised, err = h.promised(now); err != nil {
			return err
		}
		if m.Thanks, err = h.thanks(me.ID); err != nil {
			return err
		}
		if m.Near, err = h.near(t); err != nil {
			return err
		}
		m.Past, err = h.past(DayOf(now.In(zone)))
		return err
	})
	return m, err
}

// helper reads one volunteer's page within one transaction.
type helper struct {
	*reader
	me people.Volunteer
}

func (h helper) asked() ([]Proposal, error) {
	ids, err := ids(h.tx, view.WaitingFor(h.me.ID), 50)
	if err != nil {
		return nil, err
	}
	return h.proposals(ids, true)
}

// past reads the visits of this calendar year that took place.
func (h helper) past(today Day) (p Past, err error) {
	first := DayOf(time.Date(today.Date().Year(), 1, 1, 0, 0, 0, 0, time.UTC))
	var ids []RequestID
	err = view.Seats(h.tx, h.me.ID, first.At(0, h.zone), (today+1).At(0, h.zone), func(id RequestID, _ when.At) bool {
		ids = append(ids, id)
		return len(ids) < mostPast
	})
	if err != nil {
		return p, err
	}
	slices.Reverse(ids)
	for _, id := range ids {
		q, ok, err := store.Requests.Get(h.tx, id[:])
		if err != nil {
			return p, err
		}
		if !ok || q.State != request.Done {
			continue
		}
		p.Visits++
		p.Minutes += int(q.Outcome.Minutes)
		if len(p.Last) == namedPast {
			continue
		}
		kind, err := h.kind(q.Type)
		if err != nil {
			return p, err
		}
		p.Last = append(p.Last, PastVisit{Kind: kind, Day: DayOf(q.Plan.Start.Time().In(h.zone)), Commune: q.Commune})
	}
	return p, nil
}

func ids(tx *store.Tx, l view.List, most int) (out []RequestID, err error) {
	err = view.Each(tx, l, nil, false, func(id RequestID, _ []byte) bool {
		out = append(out, id)
		return len(out) < most
	})
	return out, err
}

func (h helper) proposals(ids []RequestID, asked bool) (out []Proposal, err error) {
	for _, id := range ids {
		var q request.Request
		var ok bool
		err := store.Plain(h.tx, func() (err error) { // asked, or near him
			q, ok, err = store.Requests.Get(h.tx, id[:])
			return err
		})
		if err != nil {
			return nil, err
		}
		if !ok || !h.answerable(q) {
			continue
		}
		p, err := h.proposal(q, asked)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// answerable: the day that she wished has not passed.
func (r *reader) answerable(q request.Request) bool {
	last := q.Wish.Latest()
	return q.State.Looking() && (last == 0 || last >= r.today())
}

func (h helper) proposal(q request.Request, asked bool) (p Proposal, err error) {
	her, err := h.beneficiary(q.Beneficiary)
	if err != nil {
		return p, err
	}
	kind, err := h.kind(q.Type)
	if err != nil {
		return p, err
	}
	known, err := h.visitsTo(h.tx, q.Beneficiary)
	if err != nil {
		return p, err
	}
	p = Proposal{
		ID: q.ID, Version: q.Version, Kind: kind, Wish: q.Wish, Commune: q.Commune, Minutes: q.Plan.Minutes, Seats: q.Plan.Seats,
		Taken: len(q.Coming()), Visits: known[h.me.ID], Asked: asked, Metres: -1,
	}
	if metres, ok := distance(h.me.Offer.Commune, q.Commune); ok {
		p.Metres = metres
	}
	if asked || known[h.me.ID] > 0 {
		p.Needs = her.Words.Needs
	}
	if p.Taken > 0 {
		p.Start = q.Plan.Start.Time().In(h.zone)
	}
	if start, _, err := h.startOf(q, Slot{}); err == nil {
		p.Usual = start.Time().In(h.zone)
	}
	return p, nil
}

func (h helper) promised(now time.Time) (out []Promise, err error) {
	var ids []RequestID
	err = view.Each(h.tx, view.SeatsOf(h.me.ID), nil, true, func(id RequestID, _ []byte) bool {
		ids = append(ids, id)
		return len(ids) < 60
	})
	if err != nil {
		return nil, err
	}
	slices.Reverse(ids)
	for _, id := range ids {
		q, ok, err := store.Requests.Get(h.tx, id[:])
		if err != nil {
			return nil, err
		}
		if !ok || q.State.Closed() {
			continue
		}
		p, err := h.promise(q, now)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// helper reads what a volunteer may see, in the reader's transaction.
func (r *reader) helper(id VolunteerID) (helper, error) {
	me, _, err := store.Volunteers.Get(r.tx, id[:])
	return helper{r, me}, err
}

// promise opens what a volunteer who has accepted may know.
func (h helper) promise(q request.Request, now time.Time) (p Promise, err error) {
	v, err := h.visit(q)
	if err != nil {
		return p, err
	}
	p = Promise{
		State: q.State, Start: v.Start, Civility: v.Her.Words.Civility, First: v.Her.Words.First, Last: v.Her.Words.Last,
		Phones: v.Her.Words.Phones, Address: v.Her.Words.Address, Entry: v.Her.Words.Entry, TrustWord: v.Her.Words.TrustWord,
		Note: v.Note, SheKnows: !q.NeedsCall() && q.State == request.Told, Over: v.Start.Before(now),
	}
	if p.Proposal, err = h.proposal(q, true); err != nil {
		return p, err
	}
	p.Proposal.Needs = v.Her.Words.Needs
	for _, other := range v.Coming() {
		if other.Asking.Volunteer != h.me.ID {
			c := Companion{First: other.Volunteer.Words.First}
			if len(other.Volunteer.Words.Phones) > 0 {
				c.Phone = other.Volunteer.Words.Phones[0].Number
			}
			p.With = append(p.With, c)
		}
	}
	return p, nil
}

func (h helper) near(t Territory) ([]Proposal, error) {
	type reach struct {
		commune string
		metres  int
	}
	var within []reach
	for _, commune := range t.Communes {
		if metres, ok := distance(h.me.Offer.Commune, commune); ok && metres <= int(h.me.Offer.RadiusKm)*1000 {
			within = append(within, reach{commune, metres})
		}
	}
	sort.Slice(within, func(i, j int) bool {
		a, b := &within[i], &within[j]
		return cmp.Or(cmp.Compare(a.metres, b.metres), cmp.Compare(a.commune, b.commune)) < 0
	})
	var open []RequestID
	for _, w := range within {
		commune := w.commune
		some, err := ids(h.tx, view.Looking(commune), mostLooking)
		if err != nil {
			return nil, err
		}
		open = append(open, some...)
	}
	type fitting struct {
		id   RequestID
		soon int64
	}
	var some []fitting
	for _, id := range open {
		var q request.Request
		var ok bool
		err := store.Plain(h.tx, func() (err error) {
			q, ok, err = store.Requests.Get(h.tx, id[:])
			return err
		})
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if _, asked := q.Asking(h.me.ID); asked || !h.answerable(q) {
			continue
		}
		her, _, err := store.Beneficiaries.Get(h.tx, q.Beneficiary[:])
		if err != nil {
			return nil, err
		}
		kind, err := h.kind(q.Type)
		if err != nil {
			return nil, err
		}
		if dispatch.Look(h.me, dispatch.Need{Kind: kind, Her: her, Wish: q.Wish}, 0).Fits() {
			bare := Proposal{Wish: q.Wish, Taken: len(q.Coming()), Start: q.Plan.Start.Time().In(h.zone)}
			some = append(some, fitting{id, bare.soon()})
		}
		if len(some) == nearLook {
			break
		}
	}
	sort.SliceStable(some, func(i, j int) bool { return some[i].soon < some[j].soon })
	var ids []RequestID
	for _, f := range some[:min(len(some), nearLimit)] {
		ids = append(ids, f.id)
	}
	return h.proposals(ids, false)
}

// soon orders what is near him: by day, then what leaves the day open by its
// week, and last what may be any time.
func (p Proposal) soon() int64 {
	switch {
	case p.Taken > 0:
		return int64(DayOf(p.Start)) * 2
	case p.Wish.Kind == request.Flexible:
		return math.MaxInt64
	case p.Wish.Kind == request.InWeek:
		return int64(p.Wish.Latest())*2 + 1
	}
	return int64(p.Wish.Day) * 2
}

// mayTake refuses a volunteer who takes a request that he could not see: one he
// was not asked, outside his reach or not for him.
func (s *core) mayTake(id VolunteerID, q request.Request, her people.Beneficiary, t ActionType) error {
	if _, asked := q.Asking(id); asked {
		return nil
	}
	var me people.Volunteer
	err := s.view(itself, func(tx *store.Tx) (err error) {
		me, _, err = store.Volunteers.Get(tx, id[:])
		return err
	})
	if err != nil {
		return err
	}
	metres, ok := distance(me.Offer.Commune, q.Commune)
	if !ok {
		metres = -1
	}
	if !dispatch.Look(me, dispatch.Need{Kind: t, Her: her, Wish: q.Wish}, metres).May() || metres < 0 || metres > int(me.Offer.RadiusKm)*1000 {
		return &Error{Kind: NotFound, Code: "no-request", Reason: "no such request"}
	}
	return nil
}
