package node

import (
	"cmp"
	"slices"
	"sort"

	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// Papers are what is printed and stays when the screen is off: read at a glance,
// weeks later, by people who never saw a page.
type Papers struct{ *core }

const (
	// mostOfHers bounds how far back an agenda reads among her requests, the newest
	// first: years of hers.
	mostOfHers = 500
	// mostSeats bounds the visits on one volunteer's paper.
	mostSeats = 100
)

// Agenda lists the visits to her that are promised, told to her or not yet, and
// start on the days from first to last, in order of time.
func (s *Papers) Agenda(by Caller, her BeneficiaryID, first, last Day) (out []Visit, err error) {
	if err := by.may(HandleRequests); err != nil {
		return nil, err
	}
	zone := s.zone()
	from, to := first.At(0, zone), (last+1).At(0, zone)
	err = s.view(by, func(tx *store.Tx) error {
		var ids []RequestID
		err := view.Each(tx, view.OfPerson(her), nil, true, func(id RequestID, _ []byte) bool {
			ids = append(ids, id)
			return len(ids) < mostOfHers
		})
		if err != nil {
			return err
		}
		r := s.reader(by, tx, zone)
		for _, id := range ids {
			q, ok, err := store.Requests.Get(tx, id[:])
			if err != nil {
				return err
			}
			promised := ok && (q.State == request.Covered || q.State == request.Told)
			if !promised || q.Plan.Start < from || q.Plan.Start >= to {
				continue
			}
			v, err := r.visit(q)
			if err != nil {
				return err
			}
			out = append(out, v)
		}
		return nil
	})
	sort.Slice(out, func(i, j int) bool {
		a, b := &out[i], &out[j]
		return cmp.Or(cmp.Compare(a.Plan.Start, b.Plan.Start), slices.Compare(a.ID[:], b.ID[:])) < 0
	})
	return out, err
}

// Week lists the visits that a volunteer has promised and that are not closed, on
// the days from first to last, in order of time. He may read his own; who is not
// approved has promised nothing.
func (s *Papers) Week(by Caller, v VolunteerID, first, last Day) (out []Promise, err error) {
	if err := by.mayFor(v, SeeOwnRequests, ReadPeople); err != nil {
		return nil, err
	}
	zone, now := s.zone(), s.now()
	err = s.view(by, func(tx *store.Tx) error {
		him, ok, err := store.Volunteers.Get(tx, v[:])
		if err != nil || !ok || him.Status != people.Approved {
			return err
		}
		var ids []RequestID
		err = view.Seats(tx, v, first.At(0, zone), (last+1).At(0, zone), func(id RequestID, _ Instant) bool {
			ids = append(ids, id)
			return len(ids) < mostSeats
		})
		if err != nil {
			return err
		}
		h, err := s.reader(by, tx, zone).helper(v)
		if err != nil {
			return err
		}
		for _, id := range ids {
			q, ok, err := store.Requests.Get(tx, id[:])
			if err != nil {
				return err
			}
			if !ok || q.State.Closed() {
				continue
			}
			p, err := h.promise(q, now)
			if err != nil {
				return err
			}
			out = append(out, p)
		}
		return nil
	})
	return out, err
}
