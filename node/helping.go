package node

import (
	"slices"
	"time"

	"github.com/bippop/bippop/node/internal/dispatch"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
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
}

// mostLooking bounds what is read of one commune: many times what a day brings.
const mostLooking = 500

// nearLimit is how many open requests near him a volunteer is shown.
const nearLimit = 20

// Mine lists what the calling volunteer was asked, has promised, and could take
// near him.
func (s *Requests) Mine(by Caller) (m Mine, err error) {
	if err := by.may(seeOwnRequests); err != nil {
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
	err = s.view(func(tx *store.Tx) error {
		me, ok, err := store.Volunteers.Get(tx, by.Volunteer[:])
		if err != nil || !ok {
			return either(err, errForbidden)
		}
		if me.Status != people.Approved {
			return nil // an applicant has nothing to see of people yet
		}
		r := s.reader(tx, zone)
		if m.Asked, err = s.asked(r, me); err != nil {
			return err
		}
		if m.Promised, err = s.promised(r, me, now); err != nil {
			return err
		}
		if m.Thanks, err = r.thanks(me.ID); err != nil {
			return err
		}
		m.Near, err = s.near(r, me, t)
		return err
	})
	return m, err
}

func (s *Requests) asked(r *reader, me people.Volunteer) ([]Proposal, error) {
	ids, err := ids(r.tx, view.WaitingFor(me.ID), 50)
	if err != nil {
		return nil, err
	}
	return s.proposals(r, me, ids, true)
}

func ids(tx *store.Tx, l view.List, most int) (out []RequestID, err error) {
	err = view.Each(tx, l, nil, false, func(id RequestID, _ []byte) bool {
		out = append(out, id)
		return len(out) < most
	})
	return out, err
}

func (s *Requests) proposals(r *reader, me people.Volunteer, ids []RequestID, asked bool) (out []Proposal, err error) {
	for _, id := range ids {
		q, ok, err := store.Requests.Get(r.tx, id[:])
		if err != nil {
			return nil, err
		}
		if !ok || !s.answerable(q) {
			continue
		}
		p, err := r.proposal(q, me.ID, asked)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// answerable: the day that she wished has not passed.
func (s *core) answerable(q request.Request) bool {
	last := q.Wish.Latest()
	return q.State.Looking() && (last == 0 || last >= s.today())
}

func (r *reader) proposal(q request.Request, me VolunteerID, asked bool) (p Proposal, err error) {
	her, err := r.beneficiary(q.Beneficiary)
	if err != nil {
		return p, err
	}
	kind, err := r.kind(q.Type)
	if err != nil {
		return p, err
	}
	known, err := r.visitsTo(r.tx, q.Beneficiary)
	if err != nil {
		return p, err
	}
	p = Proposal{
		ID: q.ID, Version: q.Version, Kind: kind, Wish: q.Wish, Commune: q.Commune, Minutes: q.Plan.Minutes, Seats: q.Plan.Seats,
		Taken: len(q.Coming()), Visits: known[me], Asked: asked,
	}
	if asked || known[me] > 0 {
		p.Needs = her.Words.Needs
	}
	if p.Taken > 0 {
		p.Start = q.Plan.Start.Time().In(r.zone)
	}
	return p, nil
}

func (s *Requests) promised(r *reader, me people.Volunteer, now time.Time) (out []Promise, err error) {
	var ids []RequestID
	err = view.Each(r.tx, view.SeatsOf(me.ID), nil, true, func(id RequestID, _ []byte) bool {
		ids = append(ids, id)
		return len(ids) < 60
	})
	if err != nil {
		return nil, err
	}
	slices.Reverse(ids)
	for _, id := range ids {
		q, ok, err := store.Requests.Get(r.tx, id[:])
		if err != nil {
			return nil, err
		}
		if !ok || q.State.Closed() {
			continue
		}
		p, err := r.promise(q, me.ID, now)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// promise opens what a volunteer who has accepted may know.
func (r *reader) promise(q request.Request, me VolunteerID, now time.Time) (p Promise, err error) {
	v, err := r.visit(q)
	if err != nil {
		return p, err
	}
	p = Promise{
		State: q.State, Start: v.Start, Civility: v.Her.Words.Civility, First: v.Her.Words.First, Last: v.Her.Words.Last,
		Phones: v.Her.Words.Phones, Address: v.Her.Words.Address, Entry: v.Her.Words.Entry, TrustWord: v.Her.Words.TrustWord,
		Note: v.Note, SheKnows: !q.NeedsCall() && q.State == request.Told, Over: v.Start.Before(now),
	}
	if p.Proposal, err = r.proposal(q, me, true); err != nil {
		return p, err
	}
	p.Proposal.Needs = v.Her.Words.Needs
	for _, other := range v.Coming() {
		if other.Asking.Volunteer != me {
			c := Companion{First: other.Volunteer.Words.First}
			if len(other.Volunteer.Words.Phones) > 0 {
				c.Phone = other.Volunteer.Words.Phones[0].Number
			}
			p.With = append(p.With, c)
		}
	}
	return p, nil
}

func (s *Requests) near(r *reader, me people.Volunteer, t Territory) ([]Proposal, error) {
	var open []RequestID
	for _, commune := range t.Communes {
		metres, ok := distance(me.Offer.Commune, commune)
		if !ok || metres > int(me.Offer.RadiusKm)*1000 {
			continue
		}
		some, err := ids(r.tx, view.Looking(commune), mostLooking)
		if err != nil {
			return nil, err
		}
		open = append(open, some...)
	}
	var fitting []RequestID
	for _, id := range open {
		q, ok, err := store.Requests.Get(r.tx, id[:])
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if _, asked := q.Asking(me.ID); asked || !s.answerable(q) {
			continue
		}
		her, _, err := store.Beneficiaries.Get(r.tx, q.Beneficiary[:])
		if err != nil {
			return nil, err
		}
		kind, err := r.kind(q.Type)
		if err != nil {
			return nil, err
		}
		if dispatch.Look(me, dispatch.Need{Kind: kind, Her: her, Wish: q.Wish}, 0).Fits() {
			fitting = append(fitting, id)
		}
		if len(fitting) == nearLimit {
			break
		}
	}
	return s.proposals(r, me, fitting, false)
}

// mayTake refuses a volunteer who takes a request that he could not see: one he
// was not asked, outside his reach or not for him.
func (s *core) mayTake(id VolunteerID, q request.Request, her people.Beneficiary, t ActionType) error {
	if _, asked := q.Asking(id); asked {
		return nil
	}
	var me people.Volunteer
	err := s.view(func(tx *store.Tx) (err error) {
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
