package machine

import (
	"slices"

	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/catalogue"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/event"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/territory"
	"github.com/bippop/bippop/node/internal/view"
)

type actionType = catalogue.ActionType

// theTerritory is the ID of the one record of its collection.
var theTerritory = []byte{0}

func (a *act) found(c command.Found) (Reply, error) {
	if exists(a, store.Territories, theTerritory) {
		return Reply{}, refuse.Exists
	}
	if err := a.checkNodes(c.Nodes); err != nil {
		return Reply{}, err
	}
	for _, n := range c.Nodes {
		a.tx.PutTreeNode(n)
	}
	if err := a.takeSlots(c.Admin.Leaf); err != nil {
		// The nodes stand in this very command: a leaf that hangs elsewhere is the
		// proposer's fault, and an empty node has nobody to answer.
		panic("machine: the first account hangs on no node of its command")
	}
	t := c.Territory
	t.Version, t.Founded = 1, a.stamp.At
	save(a, store.Territories, nil, &t, theTerritory, 1)
	for _, kind := range c.Types {
		kind.Version = 1
		save(a, store.ActionTypes, nil, &kind, kind.ID[:], 1)
	}
	admin := c.Admin
	admin.Version, admin.Made, admin.Leaf = 1, a.stamp.At, nameOf(admin.Leaf)
	save(a, store.Accounts, nil, &admin, admin.ID[:], 1)
	if !c.Replica.ID.Zero() {
		replicas{a}.first(c.Replica)
	}
	a.tx.SetMeta("views", view.Version)
	a.happen(event.SettingsChanged{})
	return Reply{ID: admin.ID, Version: 1}, nil
}

func (a *act) changeTerritory(c command.ChangeTerritory) (Reply, error) {
	before, err := find(a, store.Territories, theTerritory, refuse.NotFounded)
	if err != nil {
		return Reply{}, err
	}
	after, err := before.Change(c.Version, c.Territory)
	if err != nil {
		return Reply{Version: before.Version}, err
	}
	save[territory.Territory](a, store.Territories, &before, &after, theTerritory, after.Version)
	a.happen(event.SettingsChanged{})
	return Reply{Version: after.Version}, nil
}

func (a *act) defineType(c command.DefineType) (Reply, error) {
	after := c.Type
	before, ok, err := store.ActionTypes.Get(a.tx, after.ID[:])
	a.must(err)
	switch {
	case !ok && c.Version != 0:
		return Reply{}, refuse.NoActionType
	case ok && c.Version == 0:
		return Reply{ID: after.ID}, refuse.Exists
	case ok:
		if after, err = before.Change(c.Version, after); err != nil {
			return Reply{ID: before.ID, Version: before.Version}, err
		}
		save(a, store.ActionTypes, &before, &after, after.ID[:], after.Version)
	default:
		after.Version = 1
		save(a, store.ActionTypes, nil, &after, after.ID[:], 1)
	}
	a.happen(event.SettingsChanged{})
	return Reply{ID: after.ID, Version: after.Version}, nil
}

func (a *act) openAccount(c command.OpenAccount) (Reply, error) {
	if err := unused(a, store.Accounts, c.Account.ID); err != nil {
		return Reply{ID: c.Account.ID}, err
	}
	_, taken, err := view.ByLogin(a.tx, c.Account.Login)
	a.must(err)
	if taken {
		return Reply{}, refuse.LoginTaken
	}
	if !c.Account.Of.Zero() {
		if _, err := a.volunteer(c.Account.Of); err != nil {
			return Reply{}, err
		}
	}
	if !c.Account.Her.Zero() {
		if _, err := find(a, store.Beneficiaries, c.Account.Her[:], refuse.NoBeneficiary); err != nil {
			return Reply{}, err
		}
	}
	if err := a.takeSlots(c.Account.Leaf); err != nil {
		return Reply{}, err
	}
	after := c.Account
	after.Version, after.Made, after.Leaf = 1, a.stamp.At, nameOf(after.Leaf)
	save(a, store.Accounts, nil, &after, after.ID[:], 1)
	return Reply{ID: after.ID, Version: 1}, nil
}

func (a *act) changeAccount(c command.ChangeAccount) (Reply, error) {
	before, err := find(a, store.Accounts, c.ID[:], refuse.NoAccount)
	if err != nil {
		return Reply{}, err
	}
	after, err := before.Change(c.Version, c.Roles, c.Closed, c.Password)
	if err != nil {
		return Reply{ID: c.ID, Version: before.Version}, err
	}
	loses := before.Roles.Has(account.Admin) && (!after.Roles.Has(account.Admin) || after.Closed)
	if loses && !a.anotherAdmin(c.ID) {
		return Reply{ID: c.ID, Version: before.Version}, refuse.LastAdmin
	}
	save(a, store.Accounts, &before, &after, after.ID[:], after.Version)
	endSessions(a, c.ID)
	return Reply{ID: c.ID, Version: after.Version}, nil
}

func (a *act) anotherAdmin(but ...ident.Account) bool {
	var ids []ident.Account
	a.must(view.Each(a.tx, view.Accounts(), nil, false, func(id ident.Account, _ []byte) bool {
		ids = append(ids, id)
		return true
	}))
	for _, id := range ids {
		acc, ok, err := store.Accounts.Get(a.tx, id[:])
		a.must(err)
		if ok && !slices.Contains(but, id) && !acc.Closed && acc.Roles.Has(account.Admin) {
			return true
		}
	}
	return false
}

func (a *act) openSession(c command.OpenSession) (Reply, error) {
	acc, err := find(a, store.Accounts, c.Session.Account[:], refuse.NoAccount)
	switch {
	case err != nil:
		return Reply{}, err
	case acc.Closed:
		return Reply{}, refuse.AccountClosed
	}
	if exists(a, store.Sessions, c.Session.ID[:]) {
		return Reply{ID: acc.ID}, refuse.Exists
	}
	s := c.Session
	s.Opened = a.stamp.At
	store.Sessions.Put(a.tx, s)
	view.Update(a.tx, nil, &s)
	return Reply{ID: acc.ID}, nil
}

func (a *act) closeSession(c command.CloseSession) (Reply, error) {
	if !a.endSession(c.ID) {
		return Reply{}, refuse.NoSession
	}
	return Reply{}, nil
}

// endSessions signs an account out everywhere.
func endSessions(a *act, of ident.Account) {
	var open []account.SessionID
	a.must(view.Sessions(a.tx, of, func(id account.SessionID) { open = append(open, id) }))
	for _, id := range open {
		a.endSession(id)
	}
}

func (a *act) endSession(id account.SessionID) bool {
	s, ok, err := store.Sessions.Get(a.tx, id[:])
	a.must(err)
	if !ok {
		return false
	}
	store.Sessions.Delete(a.tx, id[:])
	view.Update(a.tx, &s, nil)
	return true
}

// sweepStep bounds what one sweep forgets, so that its transaction stays small.
const sweepStep = 500

// sweepLook is how many idempotency keys one sweep looks at: some 10 ms, so that
// 280,000 are looked at in a day.
const sweepLook = 2000

func (a *act) sweep(c command.Sweep) (Reply, error) {
	var over []account.SessionID
	a.must(view.Expired(a.tx, c.Sessions, func(id account.SessionID) bool {
		over = append(over, id)
		return len(over) < sweepStep
	}))
	for _, id := range over {
		a.endSession(id)
	}
	a.must(a.tx.SweepReplays(c.Replays, sweepLook))
	releases{a}.prune()
	return Reply{}, nil
}

func (a *act) uncount(counts []command.Count) {
	for _, c := range counts {
		cell := a.cell(c)
		taken, err := a.tx.Uncount(cell, c.N)
		a.must(err)
		a.happen(event.Counted{Cell: cell, N: -int64(taken)})
	}
}
