package node

import (
	"context"
	"regexp"
	"slices"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// Hats says which roles an account may wear and how far each reaches: communes of the
// territory, or an association's own people. Where no grant names a role of roles, it
// reaches the whole territory. Sessions go on, with what is granted now.
func (s *Accounts) Hats(ctx context.Context, by Caller, id AccountID, version uint32, roles Roles, grants []Grant) (Receipt, error) {
	if err := by.may(ManageAccounts); err != nil {
		return Receipt{}, err
	}
	if err := s.fresh(by); err != nil {
		return Receipt{}, err
	}
	grants, err := s.fullGrants(roles, grants)
	if err != nil {
		return Receipt{}, err
	}
	return s.propose(ctx, command.GrantRoles{Stamp: s.stamp(by, ""), ID: id, Version: version, Roles: roles, Grants: grants})
}

// association is a SIREN, or an RNA number as the prefecture gives it.
var association = regexp.MustCompile(`^([0-9]{9}|W[0-9A-Z]{9})$`)

// fullGrants is one grant for each role, checked against the territory.
func (s *Accounts) fullGrants(roles Roles, grants []Grant) (out []Grant, err error) {
	if !roles.Valid() {
		return nil, invalid("roles", "unknown-role", "these roles do not go together: who sees no people can not be somebody who does, and a DPO is nothing else")
	}
	for _, one := range roles.Each() {
		g := Grant{Role: one}
		if i := slices.IndexFunc(grants, func(g Grant) bool { return g.Role == one }); i >= 0 {
			g = grants[i]
		}
		g.Communes = slices.Clone(g.Communes)
		slices.Sort(g.Communes)
		g.Communes = slices.Compact(g.Communes)
		for _, code := range g.Communes {
			if err := s.inTerritory("communes", code); err != nil {
				return nil, err
			}
		}
		if g.Association != "" && !association.MatchString(g.Association) {
			return nil, invalid("association", "association-malformed", "an association is named by its SIREN (9 digits) or its RNA number (W and 9 signs)")
		}
		out = append(out, Grant{Role: one, Communes: g.Communes, Association: g.Association})
	}
	return out, account.CheckGrants(out, roles)
}

// longestDeputy is how long somebody stands in without being named again.
const longestDeputy = 92 // days

// StandIn makes a colleague the deputy of who goes away, up to the end of the day; the
// zero Day ends it. Whoever goes away names her deputy herself; an administrator names
// anybody's.
func (s *Accounts) StandIn(ctx context.Context, by Caller, away, stays AccountID, last Day) (Receipt, error) {
	if err := by.may(NameDeputy); err != nil {
		return Receipt{}, err
	}
	if !by.Roles.Has(account.Admin) && away != by.Account && stays != by.Account {
		return Receipt{}, errForbidden
	}
	if today := s.today(); last != 0 && (last < today || last > today+longestDeputy) {
		return Receipt{}, invalid("until", "day-out-of-range", "a deputy stands in from today on, for three months at most")
	}
	if last != 0 && !by.Roles.Has(account.Admin) && away != by.Account {
		return Receipt{}, errForbidden // nobody takes another's place by herself
	}
	acc, err := s.get(away)
	if err != nil {
		return Receipt{}, err
	}
	c := command.StandIn{Stamp: s.stamp(by, ""), ID: stays, Away: away}
	for _, role := range []Roles{account.Agent, account.Reception} {
		if acc.Roles.Has(role) {
			c.Role = role
			break
		}
	}
	if last != 0 {
		c.Until = (last + 1).At(0, s.zone())
	}
	return s.propose(ctx, c)
}

// Colleague is somebody who may stand in for another, or does.
type Colleague struct {
	Account AccountID
	Name    Secret
	Reach   []string // INSEE codes; none: the whole territory
	Until   Instant  // of one who stands in now; 0: not now
}

// Colleagues lists who works at the desk beside the caller; those who stand in for her
// carry until when.
func (s *Accounts) Colleagues(by Caller) (out []Colleague, err error) {
	if err := by.may(NameDeputy); err != nil {
		return nil, err
	}
	now := s.clock()
	err = s.view(by, func(tx *store.Tx) error {
		var inner error
		err := store.Accounts.Each(tx, nil, func(a account.Account) bool {
			if a.Closed || a.ID == by.Account || !a.Roles.Has(account.Agent|account.Reception) {
				return true
			}
			var w account.Words
			if w, inner = s.opening(by).account(a); inner != nil {
				return false
			}
			c := Colleague{Account: a.ID, Name: w.Name}
			if w.Name.Empty() {
				c.Name = crypto.NewSecret(a.Login)
			}
			for _, g := range a.Hats(now) {
				switch {
				case g.For == by.Account:
					c.Until = g.Until
				case !g.Deputy() && g.Role.Has(account.Agent|account.Reception):
					c.Reach = g.Communes
				}
			}
			out = append(out, c)
			return true
		})
		return either(err, inner)
	})
	return out, err
}

// Switch puts on another hat of the account, in this session.
func (s *Accounts) Switch(ctx context.Context, by Caller, as Roles) error {
	if by.Account.Zero() {
		return errSignIn
	}
	if by.Roles == as {
		return nil
	}
	_, err := s.propose(ctx, command.SwitchRole{Stamp: s.stamp(by, ""), Session: by.Session.ID, As: as})
	return err
}

// Members lists the volunteers for whom the caller's association answers.
func (s *Volunteers) Members(by Caller) (out []Volunteer, err error) {
	if err := by.may(SeeMembers); err != nil {
		return nil, err
	}
	err = s.view(by, func(tx *store.Tx) error {
		var inner error
		for _, status := range []Status{Approved, Met, Applicant, Suspended} {
			err := view.Each(tx, view.InStatus(status), nil, false, func(id VolunteerID, _ []byte) bool {
				r, ok, err := store.Volunteers.Get(tx, id[:])
				if inner = err; err != nil || !ok {
					return err == nil
				}
				var v Volunteer
				if v, inner = s.opening(by).volunteer(r); inner == nil {
					out = append(out, v)
				}
				return inner == nil && len(out) < 500
			})
			if err = either(err, inner); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}
