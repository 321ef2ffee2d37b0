package machine

import (
	"github.com/bippop/bippop/node/internal/bond"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// bonds are the commands about what stays between people: ties and thanks.
type bonds struct{ *act }

func (a bonds) make(c command.MakeBond) (Reply, error) {
	b, err := a.beneficiary(c.Beneficiary)
	if err != nil {
		return Reply{}, err
	}
	v, err := a.volunteer(c.Volunteer)
	if err != nil {
		return Reply{}, err
	}
	if err := unused(a.act, store.Bonds, c.ID); err != nil {
		return Reply{ID: c.ID}, err
	}
	switch {
	case b.State != people.Active:
		return Reply{}, refuse.BeneficiaryEnded
	case b.Refuses(v.ID):
		return Reply{}, refuse.VolunteerRefused
	}
	for _, have := range a.alive(b.ID) {
		if have.Volunteer == v.ID {
			return Reply{ID: have.ID, Version: have.Version}, refuse.BondAlive
		}
	}
	now := bond.New(bond.Bond{ID: c.ID, Beneficiary: b.ID, Volunteer: v.ID, Since: c.Since, NextCheck: c.NextCheck}, a.stamp.At)
	save(a.act, store.Bonds, nil, &now, now.ID[:], now.Version)
	a.use(b.Enrolled.Import)
	a.use(v.Import)
	a.count(whom{her: b.ID}, c.Counts)
	return Reply{ID: now.ID, Version: now.Version}, nil
}

func (a bonds) check(c command.CheckBond) (Reply, error) {
	before, err := find(a.act, store.Bonds, c.ID[:], refuse.NoBond)
	if err != nil {
		return Reply{}, err
	}
	after, err := before.GoesOn(c.Version, c.NextCheck, a.stamp.At)
	if c.Ended != bond.NotEnded {
		after, err = before.End(c.Version, c.Ended, a.stamp.At)
	}
	if err != nil {
		return Reply{ID: before.ID, Version: before.Version}, err
	}
	save(a.act, store.Bonds, &before, &after, after.ID[:], after.Version)
	return Reply{ID: after.ID, Version: after.Version}, nil
}

// alive lists her bonds that have not ended.
func (a bonds) alive(she ident.Beneficiary) (out []bond.Bond) {
	var ids []ident.Bond
	a.must(view.Each(a.tx, view.BondsOf(she), nil, false, func(id ident.Bond, _ []byte) bool {
		ids = append(ids, id)
		return true
	}))
	for _, id := range ids {
		b, ok, err := store.Bonds.Get(a.tx, id[:])
		a.must(err)
		if ok && b.State == bond.Alive {
			out = append(out, b)
		}
	}
	return out
}

// gone ends the bonds of somebody who is not accompanied any more: nobody is to
// ring at her door to ask.
func (a bonds) gone(she ident.Beneficiary) {
	for _, before := range a.alive(she) {
		after, err := before.End(before.Version, bond.Gone, a.stamp.At)
		a.must(err)
		save(a.act, store.Bonds, &before, &after, after.ID[:], after.Version)
	}
}

func (a bonds) thank(c command.Thank) (Reply, error) {
	return a.change(c.ID, func(r request.Request) (request.Request, error) { return r.Thank(c.Box, a.stamp.At) })
}

func (a bonds) seeThanks(c command.SeeThanks) (Reply, error) {
	return a.change(c.ID, func(r request.Request) (request.Request, error) { return r.SeeThanks(c.Volunteer) })
}
