package node

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// Accounts are who may sign in.
type Accounts struct {
	gate
	entrance *Entrance
}

// Token is what a browser or program holds of a session: 256 random bits. Only
// its hash is stored.
type Token struct {
	Text    Secret
	Expires time.Time // if it is not used until then
	Last    time.Time // however much it is used
}

// SignIn is [Entrance.Enter] for whoever has a login and a password alone, and for
// programs. from is the address that asks. It is refused, with the code second-factor,
// where a code is needed too.
func (s *Accounts) SignIn(ctx context.Context, login string, password Secret, from string, bearer bool) (Token, Caller, error) {
	e, err := s.entrance.Enter(ctx, Proof{Login: login, Password: password, From: from, Bearer: bearer})
	if err == nil && !e.Half.Empty() {
		err = ErrCodeNeeded
	}
	return e.Token, e.By, err
}

// callerOf is who asks in a session: the account under the hat that is worn, or under
// the first that it has when that one was taken away. Nobody is read for it yet.
func (s gate) callerOf(acc account.Account, session account.Session) Caller {
	now := s.clock()
	hats := acc.Roles.Each()
	if len(hats) == 0 {
		return Caller{}
	}
	worn, ok := acc.Reach(session.As, now)
	if !ok {
		worn, _ = acc.Reach(hats[0], now)
	}
	if session.Opened == 0 {
		session.Opened = now
	}
	return Caller{
		Account: acc.ID, Roles: worn.Role, Hats: acc.Roles, Communes: worn.Communes, Association: worn.Association, Volunteer: acc.Of,
		Beneficiary: acc.Her, Session: session, Coordinating: s.Coordinating(), reading: &Reading{},
	}
}

func sessionID(token Secret) account.SessionID { return sha256.Sum256([]byte(token.Reveal())) }

// Session finds who holds the token, without the name: see [Accounts.Named]. The
// answer of a wrong, ended or expired one is of kind SignIn.
func (s *Accounts) Session(token Secret) (c Caller, err error) {
	if token.Empty() || len(token.Reveal()) > 64 {
		return c, errSignIn
	}
	id := sessionID(token)
	var found account.Account
	err = s.view(itself, func(tx *store.Tx) error {
		session, ok, err := store.Sessions.Get(tx, id[:])
		if err != nil {
			return err
		}
		if !ok || session.Expires <= s.clock() {
			return errSignIn
		}
		acc, ok, err := store.Accounts.Get(tx, session.Account[:])
		if err != nil {
			return err
		}
		if !ok || acc.Closed {
			return errSignIn
		}
		found = acc
		c = s.callerOf(acc, session)
		return nil
	})
	if err != nil {
		return c, err
	}
	return s.bared(c, found)
}

// Named is c with the name that its account says, for where it is shown.
func (s *Accounts) Named(c Caller) (Caller, error) {
	acc, err := s.get(c.Account)
	if err != nil {
		return c, err
	}
	w, err := s.opening(itself).account(acc)
	if err != nil {
		s.health.note(err)
		return c, explain(err)
	}
	c.Name, c.Login = w.Name, acc.Login
	return c, nil
}

// SignOut ends the session of the token. Ending one that has ended is no error.
func (s *Accounts) SignOut(ctx context.Context, token Secret) error {
	c, err := s.Session(token)
	if err != nil {
		return nil
	}
	_, err = s.propose(ctx, command.CloseSession{Stamp: s.stamp(c, ""), ID: sessionID(token)})
	if e, ok := errors.AsType[*Error](err); ok && e.Kind == NotFound {
		return nil
	}
	return err
}

// NewAccount is somebody who shall sign in.
type NewAccount struct {
	Login    string
	Password Secret
	Roles    Roles
	Grants   []Grant     // how far the roles reach; none: the whole territory
	Of       VolunteerID // required with RoleVolunteer
	Name     Secret
}

// Open adds an account. Agents may open accounts for volunteers.
func (s *Accounts) Open(ctx context.Context, by Caller, in NewAccount) (Receipt, error) {
	needed := ManageAccounts
	if in.Roles == account.Volunteer {
		needed = VetVolunteers
	}
	if err := by.may(needed); err != nil {
		return Receipt{}, err
	}
	if needed == ManageAccounts {
		if err := s.fresh(by); err != nil {
			return Receipt{}, err
		}
	}
	in.Login = strings.ToLower(strings.TrimSpace(in.Login))
	if err := checkLogin(in.Login); err != nil {
		return Receipt{}, err
	}
	if err := checkPassword(in.Password); err != nil {
		return Receipt{}, err
	}
	if err := tidyAll(line{"name", &in.Name, longestName}); err != nil {
		return Receipt{}, err
	}
	switch {
	case !in.Roles.Valid():
		return Receipt{}, invalid("roles", "unknown-role", "these roles do not go together: who sees no people can not be somebody who does, and a DPO is nothing else")
	case s.Coordinating() && in.Roles&^(account.Admin|account.Coordinator|account.DPO) != 0:
		return Receipt{}, invalid("roles", "no-desk", "on the coordinator's node roles are admin, coordinator and dpo: there is no desk")
	case !s.Coordinating() && in.Roles.Has(account.Coordinator):
		return Receipt{}, invalid("roles", "not-coordinator", "only the coordinator's node has coordinators")
	case in.Roles.Has(account.Volunteer) == in.Of.Zero():
		return Receipt{}, invalid("volunteer", "missing", "an account with the role volunteer belongs to a volunteer, and only such an account does")
	}
	if !in.Of.Zero() {
		if _, err := (&Volunteers{s.core}).record(by, in.Of); err != nil {
			return Receipt{}, err
		}
	}
	if in.Roles.Has(account.Beneficiary) {
		return Receipt{}, invalid("roles", "unknown-role", "a card is printed on her own page")
	}
	if len(in.Grants) > 0 || in.Roles.Has(account.Association) {
		grants, err := s.fullGrants(in.Roles, in.Grants)
		if err != nil {
			return Receipt{}, explain(err)
		}
		if name, behind := s.members.behind(command.LevelOf(command.KindGrantRoles)); behind {
			return Receipt{}, &Error{Kind: Unavailable, Code: "level", Reason: "not all replicas know this yet: upgrade " + name}
		}
		in.Grants = grants
	}
	id := newID[AccountID]()
	password := s.sealPassword(id, crypto.HashPassword(in.Password, s.cfg.PasswordCost))
	return s.proposeSealed(ctx, 1, func(leaves []crypto.Leaf, keys []crypto.Key) (command.Command, error) {
		box, err := s.seal(keys[0], store.Accounts.Name, id, 1, account.Words{Name: in.Name})
		return command.OpenAccount{Stamp: s.stamp(by, ""), Account: account.Account{
			ID: id, Login: in.Login, Password: password, Roles: in.Roles, Grants: in.Grants, Of: in.Of, Leaf: leaves[0], Box: box,
		}}, err
	})
}

// Change sets roles and state of an account and, unless empty, its password. Its
// sessions end.
func (s *Accounts) Change(ctx context.Context, by Caller, id AccountID, version uint32, roles Roles, closed bool, password Secret) (Receipt, error) {
	acc, err := s.get(id)
	if err != nil {
		return Receipt{}, err
	}
	needed := ManageAccounts
	if acc.Roles == account.Volunteer && roles == account.Volunteer {
		needed = VetVolunteers
	}
	if err := by.may(needed); err != nil {
		return Receipt{}, err
	}
	if needed == ManageAccounts {
		if err := s.fresh(by); err != nil {
			return Receipt{}, err
		}
	}
	if !acc.Of.Zero() {
		if _, err := (&Volunteers{s.core}).record(by, acc.Of); err != nil {
			return Receipt{}, err
		}
	}
	if !roles.Valid() || roles.Has(account.Volunteer) != !acc.Of.Zero() {
		return Receipt{}, invalid("roles", "unknown-role", "the role volunteer stays with the account of a volunteer, and others need another role")
	}
	c := command.ChangeAccount{Stamp: s.stamp(by, ""), ID: id, Version: version, Roles: roles, Closed: closed}
	if !password.Empty() {
		if err := checkPassword(password); err != nil {
			return Receipt{}, err
		}
		c.Password = s.sealPassword(id, crypto.HashPassword(password, s.cfg.PasswordCost))
	}
	return s.propose(ctx, c)
}

// Account is who may sign in, with the name.
type Account struct {
	ID      AccountID
	Version uint32
	Login   string
	Roles   Roles
	Grants  []Grant // none: each role reaches the whole territory
	Of      VolunteerID
	Her     BeneficiaryID
	Closed  bool
	Name    Secret
}

func accountOf(a account.Account) Account {
	return Account{ID: a.ID, Version: a.Version, Login: a.Login, Roles: a.Roles, Grants: a.Grants, Of: a.Of, Her: a.Her, Closed: a.Closed}
}

// List opens all accounts, for administrators; for agents, those of volunteers.
func (s *Accounts) List(by Caller) (out []Account, err error) {
	all := by.may(ManageAccounts) == nil
	if err := by.may(VetVolunteers); err != nil && !all {
		return nil, err
	}
	err = s.view(by, func(tx *store.Tx) error {
		var inner error
		err := store.Accounts.Each(tx, nil, func(a account.Account) bool {
			if all || a.Roles == account.Volunteer {
				var w account.Words
				w, inner = s.opening(by).account(a)
				it := accountOf(a)
				it.Name = w.Name
				out = append(out, it)
			}
			return inner == nil
		})
		return either(err, inner)
	})
	return out, err
}

// OfVolunteer is the account in which a volunteer signs in; ok is false when he
// has none, and needs none.
func (s *Accounts) OfVolunteer(by Caller, v VolunteerID) (a Account, ok bool, err error) {
	if err := by.may(VetVolunteers); err != nil {
		return a, false, err
	}
	if _, err := (&Volunteers{s.core}).record(by, v); err != nil {
		return a, false, err
	}
	err = s.view(by, func(tx *store.Tx) error {
		return view.Each(tx, view.AccountsOf(v), nil, false, func(id AccountID, _ []byte) bool {
			a.ID, ok = id, true
			return false
		})
	})
	if err != nil || !ok {
		return a, false, err
	}
	rec, err := s.get(a.ID)
	return accountOf(rec), true, err
}

// Name is how an account is called in a history: its name, or its login.
func (s *Accounts) Name(by Caller, id AccountID) (Secret, error) {
	if err := by.may(HandleRequests); err != nil && by.may(ReadJournal) != nil {
		return Secret{}, err
	}
	if id.Zero() {
		return Secret{}, nil
	}
	acc, err := s.get(id)
	if err != nil {
		return Secret{}, err
	}
	w, err := s.opening(by).account(acc)
	if err == nil && w.Name.Empty() {
		return crypto.NewSecret(acc.Login), nil
	}
	return w.Name, explain(err)
}

func (s *Accounts) get(id AccountID) (acc account.Account, err error) {
	err = s.view(itself, func(tx *store.Tx) error {
		var ok bool
		acc, ok, err = store.Accounts.Get(tx, id[:])
		if err == nil && !ok {
			err = &Error{Kind: NotFound, Code: "no-account", Reason: "no such account"}
		}
		return err
	})
	return acc, err
}

// byLogin answers the zero Account when there is none.
func (s *Accounts) byLogin(login string) (acc account.Account, err error) {
	if checkLogin(login) != nil {
		return acc, nil
	}
	err = s.view(itself, func(tx *store.Tx) error {
		id, ok, err := view.ByLogin(tx, login)
		if err != nil || !ok {
			return err
		}
		acc, _, err = store.Accounts.Get(tx, id[:])
		return err
	})
	return acc, err
}

func checkLogin(login string) error {
	if len(login) < 3 || len(login) > 40 || strings.Trim(login, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" {
		return invalid("login", "login-malformed", "a login has 3 to 40 characters of a-z, 0-9, dot, dash and underscore, and says nothing of the person")
	}
	return nil
}

func checkPassword(p Secret) error {
	switch n := utf8.RuneCountInString(p.Reveal()); {
	case n < 10:
		return invalid("password", "too-short", "a password has at least 10 characters; four words do well")
	case n > 200:
		return invalid("password", "too-long", "a password has at most 200 characters")
	}
	return nil
}

func (p *proposer) sealPassword(id AccountID, hash string) []byte {
	return p.staff.Derive("passwords").Seal([]byte(hash), boxPlace(p.siren, "password", id, 1))
}

func (s *core) openPassword(a account.Account) (string, error) {
	b, err := s.staff.Derive("passwords").Open(a.Password, boxPlace(s.siren, "password", a.ID, 1))
	s.health.note(err)
	return string(b), err
}
