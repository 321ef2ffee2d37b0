package node

import (
	"context"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/bond"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// Bonds are ties that live on without the platform: the desk asks now and then
// how it goes, and tracks nothing else.
type Bonds struct{ *core }

// Bond is one tie, with the two whom it joins.
type Bond struct {
	bond.Bond
	Her Beneficiary
	Him Volunteer
}

// Days between checks.
const (
	firstCheck = 91  // three months after it was noted
	laterCheck = 182 // six months after each "it goes on"
)

// Make notes that the two see each other without us. It is counted once.
func (s *Bonds) Make(ctx context.Context, by Caller, her BeneficiaryID, him VolunteerID) (Receipt, error) {
	if err := by.may(HandleRequests); err != nil {
		return Receipt{}, err
	}
	r, err := s.beneficiaryRecord(by, her)
	if err != nil {
		return Receipt{}, err
	}
	b, err := s.opening(by).beneficiary(r)
	if err != nil {
		s.health.note(err)
		return Receipt{}, explain(err)
	}
	if err := s.known(by, []VolunteerID{him}); err != nil {
		return Receipt{}, err
	}
	today := s.today()
	return s.propose(ctx, command.MakeBond{
		Stamp: s.stamp(by, b.Commune), ID: newID[BondID](), Beneficiary: her, Volunteer: him, Since: today, NextCheck: today + firstCheck,
		Counts: []command.Count{command.CountOf(s.cell(public.Bonds, b.Commune, public.NoCategory, b.Words), 1)},
	})
}

// GoesOn notes that they still see each other; the desk asks again in six months.
// version is the one read.
func (s *Bonds) GoesOn(ctx context.Context, by Caller, id BondID, version uint32) (Receipt, error) {
	if err := by.may(HandleRequests); err != nil {
		return Receipt{}, err
	}
	if err := s.there(by, id); err != nil {
		return Receipt{}, err
	}
	return s.propose(ctx, command.CheckBond{Stamp: s.stamp(by, ""), ID: id, Version: version, NextCheck: s.today() + laterCheck})
}

// End notes that they do not see each other any more: the desk looks after her
// again.
func (s *Bonds) End(ctx context.Context, by Caller, id BondID, version uint32, why BondEnd) (Receipt, error) {
	if err := by.may(HandleRequests); err != nil {
		return Receipt{}, err
	}
	if why == bond.NotEnded || why > bond.Other {
		return Receipt{}, invalid("why", "missing", "say why it has ended")
	}
	if err := s.there(by, id); err != nil {
		return Receipt{}, err
	}
	return s.propose(ctx, command.CheckBond{Stamp: s.stamp(by, ""), ID: id, Version: version, Ended: why})
}

var errNoBond = &Error{Kind: NotFound, Code: "no-bond", Reason: "no such bond"}

// there refuses a bond of which the caller does not know.
func (s *Bonds) there(by Caller, id BondID) error {
	return s.view(by, func(tx *store.Tx) error {
		_, ok, err := store.Bonds.Get(tx, id[:])
		if err == nil && !ok {
			err = errNoBond
		}
		return err
	})
}

// Get opens one bond.
func (s *Bonds) Get(by Caller, id BondID) (b Bond, err error) {
	if err := by.may(HandleRequests); err != nil {
		return b, err
	}
	zone := s.zone()
	err = s.view(by, func(tx *store.Tx) error {
		rec, ok, err := store.Bonds.Get(tx, id[:])
		if err != nil {
			return err
		}
		if !ok {
			return errNoBond
		}
		b, err = s.reader(by, tx, zone).bond(rec)
		return err
	})
	return b, err
}

// Alive pages through the bonds that live, the next check first.
func (s *Bonds) Alive(by Caller, page Page) (out []Bond, next []byte, err error) {
	if err := by.may(HandleRequests); err != nil {
		return nil, nil, err
	}
	zone := s.zone()
	err = s.view(by, func(tx *store.Tx) error {
		var ids []BondID
		more := false
		var inner error
		err := view.Each(tx, view.Bonds(), page.Cursor, false, func(id BondID, cursor []byte) bool {
			var yes bool
			if yes, inner = inSight(by, tx, store.Bonds, id[:]); inner != nil || !yes {
				return inner == nil
			}
			if more = len(ids) == page.limit(); more {
				return false
			}
			ids, next = append(ids, id), append([]byte(nil), cursor...)
			return true
		})
		if !more {
			next = nil
		}
		if err = either(err, inner); err == nil {
			out, err = s.reader(by, tx, zone).bonds(ids)
		}
		return err
	})
	return out, next, err
}

// Due lists the bonds after which the desk is to ask today, the longest due
// first, at most a hundred.
func (s *Bonds) Due(by Caller) (out []Bond, err error) {
	all, _, err := s.Alive(by, Page{Limit: 100})
	today := s.today()
	for _, b := range all {
		if b.NextCheck <= today {
			out = append(out, b)
		}
	}
	return out, err
}

// OfPerson lists her bonds, the newest first, ended ones too.
func (s *Bonds) OfPerson(by Caller, id BeneficiaryID) ([]Bond, error) {
	return s.of(by, view.BondsOf(id))
}

// OfVolunteer lists his bonds, the newest first, ended ones too.
func (s *Bonds) OfVolunteer(by Caller, id VolunteerID) ([]Bond, error) {
	return s.of(by, view.BondsOf(id))
}

func (s *Bonds) of(by Caller, l view.List) (out []Bond, err error) {
	if err := by.may(HandleRequests); err != nil {
		return nil, err
	}
	zone := s.zone()
	err = s.view(by, func(tx *store.Tx) error {
		var ids []BondID
		err := view.Each(tx, l, nil, true, func(id BondID, _ []byte) bool {
			ids = append(ids, id)
			return len(ids) < 50
		})
		if err == nil {
			out, err = s.reader(by, tx, zone).bonds(ids)
		}
		return err
	})
	return out, err
}

func (r *reader) bonds(ids []BondID) (out []Bond, err error) {
	for _, id := range ids {
		rec, ok, err := store.Bonds.Get(r.tx, id[:])
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		b, err := r.bond(rec)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

func (r *reader) bond(rec bond.Bond) (b Bond, err error) {
	b.Bond = rec
	if b.Her, err = r.beneficiary(rec.Beneficiary); err != nil {
		return b, err
	}
	b.Him, err = r.volunteer(rec.Volunteer)
	return b, err
}
