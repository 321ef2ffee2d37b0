package machine

import (
	"slices"

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

func (a *act) enrol(c command.Enrol) (Reply, error) {
	if err := unused(a, store.Beneficiaries, c.Who.ID); err != nil {
		return Reply{ID: c.Who.ID}, err
	}
	if err := a.takeSlots(c.Who.Leaf); err != nil {
		return Reply{}, err
	}
	a.addBeneficiary(c.Who, ident.Import{})
	a.count(whom{her: c.Who.ID}, c.Counts)
	a.happen(event.BeneficiaryChanged{ID: c.Who.ID})
	return Reply{ID: c.Who.ID, Version: 1}, nil
}

// known drops from a list those who were erased: a form that was opened before
// may still name them.
func known(a *act, who []ident.Volunteer) []ident.Volunteer {
	return slices.DeleteFunc(slices.Clone(who), func(v ident.Volunteer) bool { return gone(a, store.Volunteers.Code, v[:]) })
}

func (a *act) addBeneficiary(n command.NewBeneficiary, from ident.Import) {
	b := people.Beneficiary{
		ID: n.ID, Version: 1, State: n.Facts.State, Commune: n.Facts.Commune, Leaf: nameOf(n.Leaf), Box: n.Box, Boxed: 1,
		Preferred: known(a, n.Facts.Preferred), Refused: known(a, n.Facts.Refused),
		Enrolled: people.Enrolment{At: a.stamp.At, By: a.stamp.By, Basis: n.Facts.Basis, Notice: n.Facts.Notice, Import: from},
	}
	if n.Facts.Notice != people.NoNotice {
		b.Enrolled.NoticeAt = a.stamp.At
	}
	save(a, store.Beneficiaries, nil, &b, b.ID[:], 1)
}

func (a *act) changeBeneficiary(c command.ChangeBeneficiary) (Reply, error) {
	before, err := a.beneficiary(c.ID)
	if err != nil {
		return Reply{}, err
	}
	c.Facts.Preferred, c.Facts.Refused = known(a, c.Facts.Preferred), known(a, c.Facts.Refused)
	after, err := before.Change(c.Version, c.Facts, c.Box, a.stamp.At)
	if err == nil && after.State != people.Active && before.State == people.Active && a.hasOpenRequest(c.ID) {
		err = refuse.RequestsOpen
	}
	if err == nil && after.State == people.Active && after.Standing.Objects.Has(rights.Whole) {
		err = refuse.Objected // she takes it back first
	}
	if err != nil {
		return Reply{ID: c.ID, Version: before.Version}, err
	}
	a.saveBeneficiary(before, after)
	if after.State != people.Active {
		a.endSeriesOf(c.ID)
	}
	for _, v := range after.Refused {
		if !before.Refuses(v) {
			a.freeSeats(v, c.ID)
		}
	}
	if after.State != people.Active {
		bonds{a}.gone(c.ID)
	}
	return Reply{ID: c.ID, Version: after.Version}, nil
}

func (a *act) hasOpenRequest(b ident.Beneficiary) bool {
	var all []ident.Request
	a.must(view.Each(a.tx, view.OfPerson(b), nil, true, func(id ident.Request, _ []byte) bool {
		all = append(all, id)
		return true
	}))
	for _, id := range all {
		r, ok, err := store.Requests.Get(a.tx, id[:])
		a.must(err)
		if ok && (!r.State.Closed() || r.NeedsCall()) {
			return true
		}
	}
	return false
}

func (a *act) saveBeneficiary(before, after people.Beneficiary) {
	save(a, store.Beneficiaries, &before, &after, after.ID[:], after.Version)
	a.use(after.Enrolled.Import)
	a.happen(event.BeneficiaryChanged{ID: after.ID})
}

func (a *act) register(c command.Register) (Reply, error) {
	if err := unused(a, store.Volunteers, c.Who.ID); err != nil {
		return Reply{ID: c.Who.ID}, err
	}
	if err := a.takeSlots(c.Who.Leaf); err != nil {
		return Reply{}, err
	}
	a.addVolunteer(c.Who, ident.Import{})
	a.count(whom{him: c.Who.ID}, c.Counts)
	a.happen(event.VolunteerChanged{ID: c.Who.ID, Status: c.Who.Status, By: a.stamp.By})
	return Reply{ID: c.Who.ID, Version: 1}, nil
}

func (a *act) addVolunteer(n command.NewVolunteer, from ident.Import) {
	v := people.Volunteer{
		ID: n.ID, Version: 1, Status: n.Status, Since: a.stamp.At, Leaf: nameOf(n.Leaf), Box: n.Box, Boxed: 1,
		Offer: n.Offer, Joined: a.stamp.At, Import: from,
	}
	save(a, store.Volunteers, nil, &v, v.ID[:], 1)
}

func (a *act) changeVolunteer(c command.ChangeVolunteer) (Reply, error) {
	before, err := a.volunteer(c.ID)
	if err != nil {
		return Reply{}, err
	}
	after, err := before.Change(c.Version, c.Offer, c.Box)
	if err != nil {
		return Reply{ID: c.ID, Version: before.Version}, err
	}
	after.Next = c.Next
	a.saveVolunteer(before, after)
	return Reply{ID: c.ID, Version: after.Version}, nil
}

func (a *act) saveVolunteer(before, after people.Volunteer) {
	save(a, store.Volunteers, &before, &after, after.ID[:], after.Version)
	a.use(after.Import)
	a.happen(event.VolunteerChanged{ID: after.ID, Status: after.Status, By: a.stamp.By})
}

// stepVolunteer moves a volunteer along. Leaving Approved frees what lies ahead
// of him; those who expected him come back on the call-back list by themselves.
func (a *act) stepVolunteer(c command.StepVolunteer) (Reply, error) {
	before, err := a.volunteer(c.ID)
	if err != nil {
		return Reply{}, err
	}
	after, err := before.Step(c.Version, c.To, a.stamp.At)
	if err == nil && after.Standing.Objects.Has(rights.Whole) {
		err = refuse.Objected // he takes it back first
	}
	if err != nil {
		return Reply{ID: c.ID, Version: before.Version}, err
	}
	after.Next = c.Next
	if before.Status == people.Approved {
		a.freeSeats(c.ID, ident.Beneficiary{})
		offers{a}.leave(c.ID)
		crossings{a}.leave(c.ID)
	}
	a.saveVolunteer(before, after)
	a.count(whom{him: c.ID}, c.Counts)
	return Reply{ID: c.ID, Version: after.Version}, nil
}

// graceForPast is how long a visit may lie back and still be taken from a
// volunteer who is suspended: until then it may simply not be closed yet.
const graceForPast = 12 * 3600_000

// freeSeats takes from v the seats and questions that lie ahead: all of them, or,
// when she is somebody, those with her, because she does not wish him.
func (a *act) freeSeats(v ident.Volunteer, she ident.Beneficiary) {
	how := request.Withdrawn
	if !she.Zero() {
		how = request.Declined
	}
	var ids []ident.Request
	a.must(view.Seats(a.tx, v, a.stamp.At-graceForPast, 1<<62, func(id ident.Request, _ when.At) bool {
		ids = append(ids, id)
		return true
	}))
	a.must(view.Each(a.tx, view.WaitingFor(v), nil, false, func(id ident.Request, _ []byte) bool {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
		return true
	}))
	for _, id := range ids {
		r, err := requestOf(a, id)
		if err != nil || r.State.Closed() || !she.Zero() && r.Beneficiary != she {
			continue
		}
		after, err := r.Withdraw(v, how, a.stamp.At)
		if err != nil {
			if after, err = r.Refuse(v, a.stamp.At); err != nil {
				continue
			}
		}
		a.saveRequest(&r, after)
	}
}

// beneficiary reads somebody who is to be seen: people of an import that is not
// committed, or undone, are nobody, and a restricted file is the DPO's alone.
func (a *act) beneficiary(id ident.Beneficiary) (people.Beneficiary, error) {
	b, err := find(a, store.Beneficiaries, id[:], refuse.NoBeneficiary)
	if err == nil && !a.visible(b.Enrolled.Import) {
		return people.Beneficiary{}, refuse.NoBeneficiary
	}
	if err == nil && b.Standing.Restricted != 0 {
		return people.Beneficiary{}, refuse.Restricted
	}
	return b, err
}

// volunteer is beneficiary for the other side.
func (a *act) volunteer(id ident.Volunteer) (people.Volunteer, error) {
	v, err := find(a, store.Volunteers, id[:], refuse.NoVolunteer)
	if err == nil && !a.visible(v.Import) {
		return people.Volunteer{}, refuse.NoVolunteer
	}
	if err == nil && v.Standing.Restricted != 0 {
		return people.Volunteer{}, refuse.Restricted
	}
	return v, err
}

func (a *act) visible(from ident.Import) bool {
	if from.Zero() {
		return true
	}
	i, ok, err := store.Imports.Get(a.tx, from[:])
	a.must(err)
	return ok && i.State == people.Committed
}

// use notes that somebody worked with a person of an import: it can be undone as
// a whole no more.
func (a *act) use(id ident.Import) {
	if id.Zero() {
		return
	}
	i, ok, err := store.Imports.Get(a.tx, id[:])
	a.must(err)
	if ok {
		i.Used++
		store.Imports.Put(a.tx, i)
	}
}

func (a *act) beginImport(c command.BeginImport) (Reply, error) {
	if err := unused(a, store.Imports, c.ID); err != nil {
		return Reply{ID: c.ID}, err
	}
	if err := a.takeSlots(c.Leaf); err != nil {
		return Reply{}, err
	}
	i := people.Import{ID: c.ID, State: people.Staged, Begun: a.stamp.At, By: a.stamp.By, Leaf: nameOf(c.Leaf), Box: c.Box, Version: 1}
	save(a, store.Imports, nil, &i, i.ID[:], 1)
	return Reply{ID: c.ID, Version: 1}, nil
}

func (a *act) importRows(c command.ImportRows) (Reply, error) {
	before, err := find(a, store.Imports, c.ID[:], refuse.NoImport)
	if err != nil {
		return Reply{}, err
	}
	after, err := before.Take(c.From, uint32(len(c.Beneficiaries)+len(c.Volunteers)))
	if err != nil {
		return Reply{ID: c.ID, Version: before.Version}, err
	}
	for i, b := range c.Beneficiaries {
		if err := unused(a, store.Beneficiaries, b.ID); err != nil {
			return Reply{ID: c.ID}, err
		}
		if slices.ContainsFunc(c.Beneficiaries[:i], func(o command.NewBeneficiary) bool { return o.ID == b.ID }) {
			return Reply{ID: c.ID}, refuse.Exists
		}
	}
	for i, v := range c.Volunteers {
		if err := unused(a, store.Volunteers, v.ID); err != nil {
			return Reply{ID: c.ID}, err
		}
		if slices.ContainsFunc(c.Volunteers[:i], func(o command.NewVolunteer) bool { return o.ID == v.ID }) {
			return Reply{ID: c.ID}, refuse.Exists
		}
	}
	if err := a.takeSlots(leavesOf(c)...); err != nil {
		return Reply{ID: c.ID}, err
	}
	for _, b := range c.Beneficiaries {
		a.addBeneficiary(b, c.ID)
	}
	for _, v := range c.Volunteers {
		a.addVolunteer(v, c.ID)
	}
	save(a, store.Imports, &before, &after, after.ID[:], after.Version)
	return Reply{ID: c.ID, Version: after.Version}, nil
}

func (a *act) closeImport(c command.CloseImport) (Reply, error) {
	before, err := find(a, store.Imports, c.ID[:], refuse.NoImport)
	if err != nil {
		return Reply{}, err
	}
	after, err := before.Commit(c.Rows, a.stamp.At)
	if c.Undo {
		after, err = before.Undo(a.stamp.At)
	}
	if err != nil {
		return Reply{ID: c.ID, Version: before.Version}, err
	}
	save(a, store.Imports, &before, &after, after.ID[:], after.Version)
	a.happen(event.ImportClosed{ID: c.ID, State: after.State})
	return Reply{ID: c.ID, Version: after.Version}, nil
}

func (a *act) countImport(c command.CountImport) (Reply, error) {
	before, err := find(a, store.Imports, c.ID[:], refuse.NoImport)
	if err != nil {
		return Reply{}, err
	}
	after, err := before.Count(c.Part, c.Back)
	if err != nil {
		return Reply{ID: c.ID, Version: before.Version}, err
	}
	if c.Back {
		a.uncount(c.Counts)
	} else {
		a.count(whom{}, c.Counts)
	}
	releases{a}.part(c.Counts, c.Back)
	save(a, store.Imports, &before, &after, after.ID[:], after.Version)
	return Reply{ID: c.ID, Version: after.Version}, nil
}
