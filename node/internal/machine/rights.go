package machine

import (
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/erasure"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/rights"
	"github.com/bippop/bippop/node/internal/series"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// demands are the commands by which somebody's rights are answered. They alone, and
// an erasure, reach a file that is restricted.
type demands struct{ *act }

// she is somebody in the files, restricted or not.
func (a demands) she(id [16]byte) (people.Beneficiary, error) {
	b, err := find(a.act, store.Beneficiaries, id[:], refuse.NoBeneficiary)
	if err == nil && !a.visible(b.Enrolled.Import) {
		err = refuse.NoBeneficiary
	}
	return b, err
}

// he is she for the other side.
func (a demands) he(id [16]byte) (people.Volunteer, error) {
	v, err := find(a.act, store.Volunteers, id[:], refuse.NoVolunteer)
	if err == nil && !a.visible(v.Import) {
		err = refuse.NoVolunteer
	}
	return v, err
}

// change replaces what somebody has demanded that goes on. version 0: whatever it
// is. f may change more of the record.
func (a demands) change(collection byte, id [16]byte, version uint32, f func(rights.Standing) (rights.Standing, error)) (Reply, error) {
	stale := func(now uint32) error {
		if version != 0 && version != now {
			return refuse.StaleVersion
		}
		return nil
	}
	switch collection {
	case store.Beneficiaries.Code:
		before, err := a.she(id)
		if err == nil {
			err = stale(before.Version)
		}
		after := before
		if err == nil {
			after.Standing, err = f(before.Standing)
		}
		if err != nil {
			return Reply{ID: id, Version: before.Version}, err
		}
		after.Version++
		a.saveBeneficiary(before, after)
		return Reply{ID: id, Version: after.Version}, nil
	case store.Volunteers.Code:
		before, err := a.he(id)
		if err == nil {
			err = stale(before.Version)
		}
		after := before
		if err == nil {
			after.Standing, err = f(before.Standing)
		}
		if err != nil {
			return Reply{ID: id, Version: before.Version}, err
		}
		after.Version++
		a.saveVolunteer(before, after)
		return Reply{ID: id, Version: after.Version}, nil
	}
	return Reply{}, refuse.NoBeneficiary
}

// restrict hides a file. A volunteer who is hidden is expected nowhere; her visits
// stay, and wait for the DPO's word.
func (a demands) restrict(c command.Restrict) (Reply, error) {
	reply, err := a.change(c.Collection, c.ID, c.Version, func(s rights.Standing) (rights.Standing, error) { return s.Restrict(c.Lift, a.stamp.At) })
	if err == nil && !c.Lift && c.Collection == store.Volunteers.Code {
		he := ident.Volunteer(c.ID)
		a.freeSeats(he, ident.Beneficiary{})
		offers{a.act}.leave(he)
		crossings{a.act}.leave(he)
	}
	return reply, err
}

func (a demands) object(c command.Object) (Reply, error) {
	if !c.How.Known() || !c.Uses.Known() {
		return Reply{}, refuse.OutOfBounds
	}
	ends, across := false, false
	reply, err := a.change(c.Collection, c.ID, c.Version, func(s rights.Standing) (rights.Standing, error) {
		across = c.Uses.Has(rights.AcrossBorder) && !s.Objects.Has(rights.AcrossBorder)
		s, ends = s.Object(c.Uses, c.How, a.stamp.At)
		return s, nil
	})
	if err != nil {
		return reply, err
	}
	if across && c.Collection == store.Volunteers.Code {
		crossings{a.act}.leave(ident.Volunteer(c.ID))
	}
	if ends {
		reply.Version = a.end(c)
	}
	return reply, nil
}

// end closes all that is open of somebody who wishes the whole no more, as before an
// erasure, and ends the accompaniment or the volunteering: from here on it is kept
// for the months of its rule.
func (a demands) end(c command.Object) uint32 {
	forgetting{a.act}.close(person{Erased: erasure.Erased{Collection: c.Collection, ID: c.ID}}, c.Closings)
	if c.Collection == store.Beneficiaries.Code {
		before, err := a.she(c.ID)
		a.must(err)
		after := before
		after.Version++
		after.State = people.Left
		a.saveBeneficiary(before, after)
		return after.Version
	}
	for _, before := range listed(a.act, store.Series, view.StandingIn(ident.Volunteer(c.ID))) {
		if before.State != series.Ended {
			after := before.Without(ident.Volunteer(c.ID))
			save(a.act, store.Series, &before, &after, after.ID[:], after.Version)
		}
	}
	before, err := a.he(c.ID)
	a.must(err)
	after := before
	after.Version++
	if before.Status != people.Ended {
		after.Status, after.Since, after.Next = people.Ended, a.stamp.At, 0
	}
	a.saveVolunteer(before, after)
	return after.Version
}

func (a demands) inform(c command.Inform) (Reply, error) {
	if !c.How.Known() {
		return Reply{}, refuse.OutOfBounds
	}
	if c.Text != 0 && !exists(a.act, store.Texts, rights.TextKey(treatmentOf(c.Collection), c.Text)) {
		return Reply{}, refuse.StaleText
	}
	return a.change(c.Collection, c.ID, 0, func(s rights.Standing) (rights.Standing, error) {
		s.Told = rights.Told{Version: c.Text, At: a.stamp.At, How: c.How}
		return s, nil
	})
}

// treatmentOf is what a person's record is for.
func treatmentOf(collection byte) rights.Treatment {
	if collection == store.Volunteers.Code {
		return rights.Volunteering
	}
	return rights.Isolation
}

// link writes in both records, or in none.
func (a demands) link(c command.LinkRecords) (Reply, error) {
	if !c.How.Known() {
		return Reply{}, refuse.OutOfBounds
	}
	if _, err := a.she(c.Beneficiary); err != nil {
		return Reply{}, err
	}
	if _, err := a.he(c.Volunteer); err != nil {
		return Reply{}, err
	}
	with := func(collection byte, id [16]byte) func(rights.Standing) (rights.Standing, error) {
		return func(s rights.Standing) (rights.Standing, error) {
			if c.Part {
				return s.Unlink(collection, id), nil
			}
			return s.Link(rights.Same{Collection: collection, ID: id, Agreed: rights.Said{At: a.stamp.At, How: c.How}}), nil
		}
	}
	_, err := a.change(store.Volunteers.Code, c.Volunteer, 0, with(store.Beneficiaries.Code, c.Beneficiary))
	a.must(err)
	return a.change(store.Beneficiaries.Code, c.Beneficiary, 0, with(store.Volunteers.Code, c.Volunteer))
}

// part takes somebody's name out of the records that she had linked with hers.
func (a demands) part(collection byte, id [16]byte, same []rights.Same) {
	for _, o := range same {
		if gone(a.act, o.Collection, o.ID[:]) {
			continue
		}
		_, err := a.change(o.Collection, o.ID, 0, func(s rights.Standing) (rights.Standing, error) { return s.Unlink(collection, id), nil })
		if err != refuse.NoBeneficiary && err != refuse.NoVolunteer {
			a.must(err)
		}
	}
}

func (a demands) write(c command.WriteText) (Reply, error) {
	if c.Version == 0 || exists(a.act, store.Texts, rights.TextKey(c.Treatment, c.Version)) ||
		c.Version > 1 && !exists(a.act, store.Texts, rights.TextKey(c.Treatment, c.Version-1)) {
		return Reply{}, refuse.StaleText
	}
	store.Texts.Put(a.tx, rights.Text{Treatment: c.Treatment, Version: c.Version, Words: c.Words, At: a.stamp.At, By: a.stamp.By})
	return Reply{Version: uint32(c.Version)}, nil
}

func (a demands) open(c command.OpenCase) (Reply, error) {
	if err := unused(a.act, store.Cases, c.ID); err != nil {
		return Reply{ID: c.ID}, err
	}
	switch c.Collection {
	case 0:
	case store.Beneficiaries.Code:
		if _, err := a.she(c.Who); err != nil {
			return Reply{}, err
		}
	case store.Volunteers.Code:
		if _, err := a.he(c.Who); err != nil {
			return Reply{}, err
		}
	default:
		return Reply{}, refuse.NoBeneficiary
	}
	if !c.Demand.Known() || !c.Asker.Known() || c.Due <= c.Received {
		return Reply{}, refuse.OutOfBounds
	}
	now := rights.Open(rights.Case{
		ID: c.ID, Demand: c.Demand, Collection: c.Collection, Who: c.Who, Received: c.Received, Due: c.Due, Asker: c.Asker, By: a.stamp.By, Box: c.Box,
	}, a.stamp.At)
	save(a.act, store.Cases, nil, &now, now.ID[:], now.Version)
	return Reply{ID: now.ID, Version: now.Version}, nil
}

func (a demands) step(c command.StepCase) (Reply, error) {
	before, err := find(a.act, store.Cases, c.ID[:], refuse.NoCase)
	if err != nil {
		return Reply{}, err
	}
	after, err := before.Take(c.Version, c.Step, c.Box, c.Today, a.stamp.At)
	if err != nil {
		return Reply{ID: before.ID, Version: before.Version}, err
	}
	save(a.act, store.Cases, &before, &after, after.ID[:], after.Version)
	return Reply{ID: after.ID, Version: after.Version}, nil
}

// forget takes what was noted out of the cases of somebody who is erased.
func (a demands) forget(collection byte, id [16]byte) {
	for _, before := range listed(a.act, store.Cases, view.CasesOf(collection, id)) {
		after := before.Without()
		save(a.act, store.Cases, &before, &after, after.ID[:], after.Version)
	}
}

// sortings are the commands by which what is kept too long is found, and goes.
type sortings struct{ *act }

func (a sortings) choose(c command.ChooseRetention) (Reply, error) {
	before, _, err := store.Choices.Get(a.tx, []byte{0})
	a.must(err)
	after, err := before.Change(c.Version, c.Months, a.stamp.By, a.stamp.At)
	if err != nil {
		return Reply{Version: before.Version}, err
	}
	store.Choices.Put(a.tx, after)
	return Reply{Version: after.Version}, nil
}

func (a sortings) sort(c command.Sort) (Reply, error) {
	if err := unused(a.act, store.Sortings, c.ID); err != nil {
		return Reply{ID: c.ID}, err
	}
	if len(c.Expired) > rights.MostExpired {
		return Reply{}, refuse.OutOfBounds
	}
	var former []rights.Sorting
	a.must(store.Sortings.Each(a.tx, nil, func(s rights.Sorting) bool {
		if s.Approved == 0 {
			former = append(former, s)
		}
		return true
	}))
	for _, s := range former {
		remove(a.act, store.Sortings, s, s.ID)
	}
	now := rights.Sorting{ID: c.ID, Version: 1, At: a.stamp.At, By: a.stamp.By, Digest: c.Digest, Months: c.Months, Expired: c.Expired, More: c.More}
	now.Tallies = tally(now.Expired, nil)
	save(a.act, store.Sortings, nil, &now, now.ID[:], 1)
	return Reply{ID: c.ID, Version: 1}, nil
}

// tally counts by rule; goes says which of them go, nil: none yet.
func tally(all []rights.Expired, goes []bool) (out []rights.Tally) {
	for _, rule := range rights.Rules {
		t := rights.Tally{Rule: rule}
		for i, e := range all {
			switch {
			case e.Rule != rule:
				continue
			case goes == nil:
			case goes[i]:
				t.Goes++
			default:
				t.Stays++
			}
			t.Found++
		}
		if t.Found > 0 {
			out = append(out, t)
		}
	}
	return out
}

// approve puts in line who was in it and is as it was. Somebody who is restricted
// stays: she has asked that it be kept.
func (a sortings) approve(c command.ApproveSorting) (Reply, error) {
	before, err := find(a.act, store.Sortings, c.ID[:], refuse.NoSorting)
	switch {
	case err != nil:
		return Reply{}, err
	case before.Approved != 0, before.Digest != c.Digest:
		return Reply{ID: before.ID, Version: before.Version}, refuse.SortingApproved
	}
	goes := make([]bool, len(before.Expired))
	for i, e := range before.Expired {
		if !a.same(e) {
			continue
		}
		_, err := erasures{a.act}.want(command.WantErasure{Collection: e.Collection, ID: e.ID})
		goes[i] = err == nil || err == refuse.Exists
	}
	after := before.Approve(tally(before.Expired, goes), a.stamp.By, a.stamp.At)
	save(a.act, store.Sortings, &before, &after, after.ID[:], after.Version)
	return Reply{ID: after.ID, Version: after.Version}, nil
}

// same reports whether a record is as it was when it was found.
func (a sortings) same(e rights.Expired) bool {
	switch e.Collection {
	case store.Beneficiaries.Code:
		b, ok, err := store.Beneficiaries.Get(a.tx, e.ID[:])
		a.must(err)
		return ok && b.Version == e.Version && b.Standing.Restricted == 0 && !a.hasOpenRequest(b.ID)
	case store.Volunteers.Code:
		v, ok, err := store.Volunteers.Get(a.tx, e.ID[:])
		a.must(err)
		return ok && v.Version == e.Version && v.Standing.Restricted == 0
	case store.Accounts.Code:
		acc, ok, err := store.Accounts.Get(a.tx, e.ID[:])
		a.must(err)
		return ok && acc.Version == e.Version && acc.Closed
	case store.Imports.Code:
		i, ok, err := store.Imports.Get(a.tx, e.ID[:])
		a.must(err)
		return ok && i.Version == e.Version
	}
	return false
}

// breaches are the pages of the register of breaches.
type breaches struct{ *act }

func (a breaches) write(c command.WriteBreach) (Reply, error) {
	if !c.Facts.Complete() {
		return Reply{}, refuse.OutOfBounds
	}
	if c.Version == 0 {
		if err := unused(a.act, store.Breaches, c.ID); err != nil {
			return Reply{ID: c.ID}, err
		}
		if c.Leaf.ID == (crypto.KeyID{}) || len(c.Box) == 0 {
			return Reply{}, refuse.OutOfBounds
		}
		if err := a.takeSlots(c.Leaf); err != nil {
			return Reply{}, err
		}
		now := rights.Breach{ID: c.ID, Version: 1, Facts: c.Facts, Leaf: nameOf(c.Leaf), Box: c.Box, Boxed: 1, Written: a.stamp.At, By: a.stamp.By}
		save(a.act, store.Breaches, nil, &now, now.ID[:], 1)
		return Reply{ID: c.ID, Version: 1}, nil
	}
	before, err := find(a.act, store.Breaches, c.ID[:], refuse.NoBreach)
	if err != nil {
		return Reply{}, err
	}
	after, err := before.Change(c.Version, c.Facts, c.Box, c.Closes, a.stamp.At)
	if err != nil {
		return Reply{ID: before.ID, Version: before.Version}, err
	}
	save(a.act, store.Breaches, &before, &after, after.ID[:], after.Version)
	return Reply{ID: after.ID, Version: after.Version}, nil
}
