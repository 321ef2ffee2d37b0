package node

import (
	"context"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/credential"
	"github.com/bippop/bippop/node/internal/store"
)

// Credentials are what somebody shows besides a password. Each account changes its own,
// after having shown afresh that it is its owner; sessions go on.
type Credentials struct{ gate }

// Ways are how an account may be entered.
type Ways struct {
	Version uint32 // to name in a change; 0: nothing but a password
	App     Way    // an application that shows codes
	Paper   int    // codes on paper that are left
	Advised bool   // somebody in this role does well to have a second factor, and has none
	Needed  bool   // and does nothing without: the territory says so
}

// Way is one of them.
type Way struct {
	There bool
	Made  Instant
	Used  Instant
}

// Mine are the caller's own.
func (s *Credentials) Mine(by Caller) (w Ways, err error) {
	if by.Account.Zero() {
		return w, errSignIn
	}
	set, err := s.set(by.Account)
	if err != nil {
		return w, err
	}
	w = Ways{Version: set.Version, App: Way{set.TOTP.There(), set.TOTP.Made, set.TOTP.Used}, Paper: len(set.Recovery), Needed: by.bare}
	w.Advised = !set.Second() && by.Hats.Has(account.Admin|account.DPO)
	return w, nil
}

// Fresh reports whether the caller has shown lately that it is him.
func (s *Credentials) Fresh(by Caller) bool { return s.fresh(by) == nil }

// Begin draws what an application shall share with the account. Nothing is recorded
// before [Credentials.Confirm]: the page carries it. uri is for a QR code.
func (s *Credentials) Begin(by Caller) (shared, uri Secret, err error) {
	if err := s.may(by); err != nil {
		return shared, uri, err
	}
	acc, err := s.account(by.Account)
	if err != nil {
		return shared, uri, err
	}
	shared = crypto.NewTOTP()
	return shared, s.URI(shared, acc.Login), nil
}

// URI is what an application reads from a QR code.
func (s *Credentials) URI(shared Secret, login string) Secret {
	t, _ := s.territory()
	return crypto.TOTPURI(shared, t.Calls, login)
}

// may lets everybody change what is his, once it is sure that it is him.
func (s *Credentials) may(by Caller) error {
	switch {
	case by.Account.Zero():
		return errSignIn
	case by.Session.Means == account.ByCard:
		return errForbidden
	}
	return s.fresh(by)
}

// Confirm takes an application in once it shows the right code, and returns the codes
// to print. They are never shown again, so that a repetition is refused as stale.
func (s *Credentials) Confirm(ctx context.Context, by Caller, version uint32, shared, code Secret) (paper []Secret, err error) {
	if err := s.may(by); err != nil {
		return nil, err
	}
	step, err := crypto.CheckTOTP(shared, code, s.now())
	if err != nil {
		return nil, invalid("code", "wrong-code", crypto.ErrTOTP.Error())
	}
	acc, err := s.account(by.Account)
	if err != nil {
		return nil, err
	}
	key, err := s.opener.leaf(acc.Leaf)
	if err != nil {
		return nil, explain(err)
	}
	box, err := s.seal(key, totpBox, acc.ID, 1, totpWords{shared})
	if err != nil {
		return nil, err
	}
	return s.record(ctx, by, command.SetSecond{Account: acc.ID, Version: version, Box: box, Step: step})
}

// Paper draws fresh codes to print; the former ones open no more.
func (s *Credentials) Paper(ctx context.Context, by Caller, version uint32) ([]Secret, error) {
	if err := s.may(by); err != nil {
		return nil, err
	}
	return s.record(ctx, by, command.SetSecond{Account: by.Account, Version: version})
}

func (s *Credentials) record(ctx context.Context, by Caller, c command.SetSecond) ([]Secret, error) {
	by.Key = "" // what is drawn here is shown once
	paper := crypto.NewRecoveryCodes()
	for _, code := range paper {
		h := crypto.HashRecoveryCode(s.paperKey(), c.Account[:], code)
		c.Paper = append(c.Paper, h[:])
	}
	c.Stamp = s.stamp(by, "")
	if _, err := s.propose(ctx, c); err != nil {
		return nil, err
	}
	return paper, nil
}

// Drop takes application and paper away. An administrator keeps a second factor.
func (s *Credentials) Drop(ctx context.Context, by Caller, version uint32) error {
	if err := s.may(by); err != nil {
		return err
	}
	_, err := s.propose(ctx, command.DropCredential{Stamp: s.stamp(by, ""), Account: by.Account, Version: version})
	return err
}

// Demand says which roles do nothing before they have set up a second factor. Nobody is
// signed out by it.
func (s *Settings) Demand(ctx context.Context, by Caller, version uint32, roles Roles) (Receipt, error) {
	if err := by.may(ManageAccounts); err != nil {
		return Receipt{}, err
	}
	if err := s.fresh(by); err != nil {
		return Receipt{}, err
	}
	if name, behind := s.members.behind(command.LevelOf(command.KindSetSecond)); behind {
		return Receipt{}, &Error{Kind: Unavailable, Code: "level", Reason: "not all replicas know this yet: upgrade " + name}
	}
	to, err := s.territory()
	if err != nil {
		return Receipt{}, err
	}
	to.Second = uint16(roles &^ account.Beneficiary)
	return s.propose(ctx, command.ChangeTerritory{Stamp: s.stamp(by, ""), Version: version, Territory: to})
}

// Bare reports whether the caller does nothing before setting up a second factor.
func (c Caller) Bare() bool { return c.bare }

// bared is c as the territory's demand for a second factor leaves it.
func (s gate) bared(c Caller, acc account.Account) (Caller, error) {
	t, err := s.territory()
	if err != nil || Roles(t.Second)&acc.Roles == 0 || c.Session.Means == account.ByBreakGlass || c.Session.Means == account.ByOIDC {
		return c, err
	}
	set, err := s.set(acc.ID)
	c.bare = !set.Second()
	return c, err
}

// Glass is one time that an administrator's session was opened from a machine itself.
type Glass struct {
	At      Instant
	Account Secret // as it is called
	Machine string // the replica's name
	Until   Instant
}

// BreakGlass lists them, the newest first, for whoever watches over the accounts.
func (s *Accounts) BreakGlass(by Caller) (out []Glass, err error) {
	if by.may(ManageAccounts) != nil {
		if err := by.may(ReadJournal); err != nil {
			return nil, err
		}
	}
	err = s.view(itself, func(tx *store.Tx) error {
		var inner error
		err := store.Glasses.Each(tx, nil, func(r credential.Glass) bool {
			g := Glass{At: r.At, Until: r.Until}
			acc, ok, err := store.Accounts.Get(tx, r.Account[:])
			if inner = err; err == nil && ok {
				g.Account = crypto.NewSecret(acc.Login)
			}
			if m, ok, err := store.Replicas.Get(tx, r.Machine[:]); err == nil && ok {
				g.Machine = m.Name
			}
			out = append([]Glass{g}, out...)
			return inner == nil
		})
		return either(err, inner)
	})
	return out, err
}
