package machine

import (
	"slices"

	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/credential"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// entering are the commands of credentials and sessions.
type entering struct{ *act }

// set reads what an account is entered by; version is the one that was read.
func (a entering) set(of ident.Account) (s credential.Set) {
	s, ok, err := store.Credentials.Get(a.tx, of[:])
	a.must(err)
	if !ok {
		s.Account = of
	}
	return s
}

// known is set for somebody who changes it.
func (a entering) known(of ident.Account, version uint32) (acc account.Account, s credential.Set, err error) {
	if acc, err = find(a.act, store.Accounts, of[:], refuse.NoAccount); err != nil {
		return acc, s, err
	}
	if acc.Closed {
		return acc, s, refuse.AccountClosed
	}
	if s = a.set(of); s.Version != version {
		err = refuse.StaleVersion
	}
	return acc, s, err
}

func (a entering) save(before, after credential.Set) Reply {
	was := &before
	if before.Version == 0 {
		was = nil
	}
	save(a.act, store.Credentials, was, &after, after.Account[:], after.Version)
	return Reply{ID: after.Account, Version: after.Version}
}

func (a entering) second(c command.SetSecond) (Reply, error) {
	_, before, err := a.known(c.Account, c.Version)
	if err == nil && len(c.Box) == 0 && !before.TOTP.There() {
		err = refuse.NoCredential
	}
	if err != nil {
		return Reply{ID: c.Account, Version: before.Version}, err
	}
	return a.save(before, before.WithTOTP(c.Box, c.Step, c.Paper, a.stamp.At)), nil
}

func (a entering) addPasskey(c command.AddPasskey) (Reply, error) {
	_, before, err := a.known(c.Account, c.Version)
	if err == nil {
		_, taken, err2 := view.ByPasskey(a.tx, c.Passkey.ID)
		a.must(err2)
		if taken {
			err = refuse.CredentialThere
		}
	}
	after := before
	if err == nil {
		after, err = before.WithPasskey(c.Passkey, a.stamp.At)
	}
	if err != nil {
		return Reply{ID: c.Account, Version: before.Version}, err
	}
	return a.save(before, after), nil
}

func (a entering) addLink(c command.AddLink) (Reply, error) {
	_, before, err := a.known(c.Account, c.Version)
	if err == nil {
		_, taken, err2 := view.ByLink(a.tx, c.Digest)
		a.must(err2)
		if taken {
			err = refuse.CredentialThere
		}
	}
	after := before
	if err == nil {
		after, err = before.WithLink(c.Digest, a.stamp.At)
	}
	if err != nil {
		return Reply{ID: c.Account, Version: before.Version}, err
	}
	return a.save(before, after), nil
}

// drop leaves an administrator who has a second factor with one.
func (a entering) drop(c command.DropCredential) (Reply, error) {
	acc, before, err := a.known(c.Account, c.Version)
	after := before
	switch {
	case err != nil:
	case len(c.Passkey) > 0:
		after, err = before.WithoutPasskey(c.Passkey)
	case c.Link != credential.Digest{}:
		after, err = before.WithoutLink(c.Link)
	case !before.TOTP.There():
		err = refuse.NoCredential
	default:
		after = before.WithoutTOTP()
	}
	if err == nil && acc.Roles.Has(account.Admin) && before.Second() && !after.Second() {
		err = refuse.LastSecond
	}
	if err != nil {
		return Reply{ID: c.Account, Version: before.Version}, err
	}
	return a.save(before, after), nil
}

func (a entering) enter(c command.Enter) (Reply, error) {
	acc, err := find(a.act, store.Accounts, c.Session.Account[:], refuse.NoAccount)
	switch {
	case err != nil:
		return Reply{}, err
	case acc.Closed:
		return Reply{}, refuse.AccountClosed
	case exists(a.act, store.Sessions, c.Session.ID[:]):
		return Reply{ID: acc.ID}, refuse.Exists
	}
	before := a.set(acc.ID)
	after := before
	switch {
	case c.Step != 0:
		after, err = before.TakeStep(c.Step, a.stamp.At)
	case len(c.Paper) > 0:
		after, err = before.TakePaper(c.Paper)
	case len(c.Passkey) > 0:
		after, err = before.TakePasskey(c.Passkey, c.Counter, c.Flags, a.stamp.At)
	case c.Link != credential.Digest{}:
		after, err = before.TakeLink(c.Link, a.stamp.At)
	}
	if err != nil {
		return Reply{ID: acc.ID}, err
	}
	if after.Version > 0 {
		store.Credentials.Put(a.tx, after) // in the same rows, and no change of anybody's mind
	}
	s := c.Session
	s.Opened, s.Fresh = a.stamp.At, a.stamp.At
	old, there, err := store.Sessions.Get(a.tx, c.Ends[:])
	a.must(err)
	if there {
		a.endSession(c.Ends)
	}
	if c.Again {
		if !there || old.Account != acc.ID {
			return Reply{ID: acc.ID}, refuse.NoSession
		}
		s.Opened, s.Expires, s.As, s.Used, s.Missed = old.Opened, old.Expires, old.As, old.Used, 0
	}
	store.Sessions.Put(a.tx, s)
	view.Update(a.tx, nil, &s)
	return Reply{ID: acc.ID}, nil
}

func (a entering) use(c command.UseSession) (Reply, error) {
	before, err := find(a.act, store.Sessions, c.ID[:], refuse.NoSession)
	if err != nil || before.Expires <= a.stamp.At {
		return Reply{}, refuse.NoSession
	}
	after := before
	after.Used = max(before.Used, c.Used)
	if before.Means != account.ByBreakGlass {
		after.Expires = max(before.Expires, c.Expires)
	}
	store.Sessions.Put(a.tx, after)
	view.Update(a.tx, &before, &after)
	return Reply{ID: after.Account}, nil
}

func (a entering) end(c command.EndSessions) (Reply, error) {
	if _, err := find(a.act, store.Accounts, c.Account[:], refuse.NoAccount); err != nil {
		return Reply{}, err
	}
	var open []account.SessionID
	a.must(view.Sessions(a.tx, c.Account, func(id account.SessionID) { open = append(open, id) }))
	for _, id := range slices.DeleteFunc(open, func(id account.SessionID) bool { return id == c.But }) {
		a.endSession(id)
	}
	return Reply{ID: c.Account}, nil
}

// metaMisses counts the sign-ins of a month that failed.
func metaMisses(month string) string { return "misses " + month }

func (a entering) misses(c command.NoteMisses) (Reply, error) {
	n, err := a.tx.Meta(metaMisses(c.Month))
	a.must(err)
	a.tx.SetMeta(metaMisses(c.Month), n+c.N)
	return Reply{}, nil
}

// metaGlasses counts the times that the glass was broken.
const metaGlasses = "glasses"

func (a entering) glass(c command.BreakGlass) (Reply, error) {
	acc, err := find(a.act, store.Accounts, c.Session.Account[:], refuse.NoAccount)
	switch {
	case err != nil:
		return Reply{}, err
	case acc.Closed:
		return Reply{}, refuse.AccountClosed
	case !acc.Roles.Has(account.Admin):
		return Reply{}, refuse.WrongGrants
	case exists(a.act, store.Sessions, c.Session.ID[:]):
		return Reply{ID: acc.ID}, refuse.Exists
	}
	s := c.Session
	s.Opened, s.Fresh, s.Means, s.As = a.stamp.At, a.stamp.At, account.ByBreakGlass, account.Admin
	store.Sessions.Put(a.tx, s)
	view.Update(a.tx, nil, &s)
	last, err := a.tx.Meta(metaGlasses)
	a.must(err)
	a.tx.SetMeta(metaGlasses, last+1)
	store.Glasses.Put(a.tx, credential.Glass{At: a.stamp.At, Account: acc.ID, Machine: c.Machine, Until: s.Expires, Order: last + 1})
	return Reply{ID: acc.ID}, nil
}
