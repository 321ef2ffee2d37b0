package machine

import (
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// hats are the commands about who may wear which.
type hats struct{ *act }

// grant does not touch the sessions: an agent in the middle of a call keeps what
// she has typed, and what she may do is looked up at each request.
func (a hats) grant(c command.GrantRoles) (Reply, error) {
	before, err := find(a.act, store.Accounts, c.ID[:], refuse.NoAccount)
	if err != nil {
		return Reply{}, err
	}
	at := Reply{ID: c.ID, Version: before.Version}
	after, err := before.Regrant(c.Version, c.Roles, c.Grants)
	switch {
	case err != nil:
		return at, err
	case !c.Roles.Valid() || c.Roles.Has(account.Volunteer) != !before.Of.Zero() || c.Roles.Has(account.Beneficiary) != !before.Her.Zero():
		return at, refuse.WrongGrants
	case before.Roles.Has(account.Admin) && !after.Roles.Has(account.Admin) && !a.anotherAdmin(c.ID):
		return at, refuse.LastAdmin
	}
	save(a.act, store.Accounts, &before, &after, after.ID[:], after.Version)
	return Reply{ID: c.ID, Version: after.Version}, nil
}

func (a hats) standIn(c command.StandIn) (Reply, error) {
	before, err := find(a.act, store.Accounts, c.ID[:], refuse.NoAccount)
	if err != nil {
		return Reply{}, err
	}
	away, err := find(a.act, store.Accounts, c.Away[:], refuse.NoAccount)
	if err != nil {
		return Reply{}, err
	}
	after := before.Return(c.Away)
	if c.Until > a.stamp.At {
		if before.Closed || away.Closed {
			return Reply{}, refuse.AccountClosed
		}
		if after, err = before.StandIn(away, c.Role, a.stamp.At, c.Until); err != nil {
			return Reply{ID: c.ID, Version: before.Version}, err
		}
	}
	save(a.act, store.Accounts, &before, &after, after.ID[:], after.Version)
	return Reply{ID: c.ID, Version: after.Version}, nil
}

func (a hats) put(c command.SwitchRole) (Reply, error) {
	before, err := find(a.act, store.Sessions, c.Session[:], refuse.NoSession)
	if err != nil {
		return Reply{}, err
	}
	acc, err := find(a.act, store.Accounts, before.Account[:], refuse.NoAccount)
	if err != nil {
		return Reply{}, err
	}
	if _, ok := acc.Reach(c.As, a.stamp.At); !ok {
		return Reply{}, refuse.WrongGrants
	}
	after := before
	after.As = c.As
	store.Sessions.Put(a.tx, after)
	view.Update(a.tx, &before, &after)
	return Reply{ID: acc.ID}, nil
}
