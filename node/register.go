package node

import (
	"math"
	"sort"

	"github.com/bippop/bippop/node/internal/search"
	"github.com/bippop/bippop/node/internal/store"
)

// Register is a page of people by name, as in a paper register.
type Register struct {
	Commune string // INSEE code; empty: all
	Initial byte   // 'a' to 'z' of the last name; 0: all
	Skip    int    // people before this page
	Limit   int    // at most 100
}

func (r Register) limit() int { return max(1, min(r.Limit, 100)) }

func (r Register) keeps(commune string, initial byte) bool {
	return (r.Commune == "" || r.Commune == commune) && (r.Initial == 0 || r.Initial == initial)
}

// Beneficiaries lists beneficiaries by name. more says that others follow.
func (f *Find) Beneficiaries(by Caller, page Register) (out []Beneficiary, more bool, err error) {
	if err := by.may(ReadPeople); err != nil {
		return nil, false, err
	}
	f.mu.RLock()
	ids, more := f.index.InOrder(search.Beneficiary, func(_ [16]byte, commune string, initial byte) bool {
		return page.keeps(commune, initial) && by.reaches(commune)
	}, page.Skip, page.limit())
	f.mu.RUnlock()
	zone := f.zone()
	err = f.view(by, func(tx *store.Tx) error {
		r := f.reader(by, tx, zone)
		for _, id := range ids {
			b, err := r.beneficiary(id)
			if err != nil {
				return err
			}
			out = append(out, b)
		}
		return nil
	})
	return out, more, err
}

// Volunteers lists the volunteers of a status by name.
func (f *Find) Volunteers(by Caller, status Status, page Register) (out []Volunteer, more bool, err error) {
	if err := by.may(ReadPeople); err != nil {
		return nil, false, err
	}
	f.mu.RLock()
	standing := f.roster.standing(by, status)
	ids, more := f.index.InOrder(search.Volunteer, func(id [16]byte, commune string, initial byte) bool {
		return standing[id] && page.keeps(commune, initial)
	}, page.Skip, page.limit())
	f.mu.RUnlock()
	out, err = f.openVolunteers(by, ids)
	return out, more, err
}

// openVolunteers opens records, in the order of the list.
func (f *Find) openVolunteers(by Caller, ids [][16]byte) (out []Volunteer, err error) {
	zone := f.zone()
	err = f.view(by, func(tx *store.Tx) error {
		r := f.reader(by, tx, zone)
		for _, id := range ids {
			v, err := r.volunteer(id)
			if err != nil {
				return err
			}
			out = append(out, v)
		}
		return nil
	})
	return out, err
}

// standing is who has a status, of those whom the caller may know of.
func (r *muster) standing(by Caller, status Status) map[[16]byte]bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := map[[16]byte]bool{}
	for _, v := range r.all {
		if v.Status == status && by.seesHim(v) {
			out[v.ID] = true
		}
	}
	return out
}

// Near lists the approved volunteers who live nearest to a commune, at most n, by
// name: among them stands who helps there. Of those whose distance is not known
// it takes the ones who are left.
func (f *Find) Near(by Caller, commune string, n int) (out []Volunteer, err error) {
	if err := by.may(ReadPeople); err != nil {
		return nil, err
	}
	far := map[string]int{}
	metres := func(code string) int {
		d, ok := far[code]
		if !ok {
			if d, ok = distance(commune, code); !ok {
				d = math.MaxInt
			}
			far[code] = d
		}
		return d
	}
	all := f.approvedVolunteers(by)
	sort.SliceStable(all, func(i, j int) bool { return metres(all[i].Offer.Commune) < metres(all[j].Offer.Commune) })
	near := map[[16]byte]bool{}
	for _, v := range all[:min(n, len(all))] {
		near[v.ID] = true
	}
	f.mu.RLock()
	ids, _ := f.index.InOrder(search.Volunteer, func(id [16]byte, _ string, _ byte) bool { return near[id] }, 0, n)
	f.mu.RUnlock()
	return f.openVolunteers(by, ids)
}
