package account

import (
	"slices"

	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/when"
)

// Grant is one hat that an account may wear: a role, and how far it reaches.
type Grant struct {
	Role     Roles    `cbor:"1,keyasint"`           // one
	Communes []string `cbor:"2,keyasint,omitempty"` // INSEE codes, sorted, each once; none: the whole territory
	// Association is the SIREN or RNA number of the body whose own people are reached,
	// with the role Association and no other.
	Association string        `cbor:"3,keyasint,omitempty"`
	Until       when.At       `cbor:"4,keyasint,omitempty"` // of a deputy: the last moment; 0: no end
	For         ident.Account `cbor:"5,keyasint,omitzero"`  // who is away meanwhile
}

// Deputy reports whether the grant stands in for somebody who is away.
func (g Grant) Deputy() bool { return !g.For.Zero() }

// MostGrants bounds the hats of one account: its own, and those of colleagues who
// are away.
const MostGrants = 24

// local are the roles that may be of some communes only. Others are of the territory.
const local = Agent | Reception | Official | Professional

// CheckGrants says whether an account may have these: each role once by itself, and
// reach that fits the role. [refuse.WrongGrants].
func CheckGrants(grants []Grant, roles Roles) error {
	var own Roles
	for _, g := range grants {
		switch {
		case len(g.Role.Each()) != 1 || !roles.Has(g.Role):
			return refuse.WrongGrants
		case len(g.Communes) > 0 && !local.Has(g.Role):
			return refuse.WrongGrants
		case (g.Association != "") != (g.Role == Association):
			return refuse.WrongGrants
		case g.Deputy() != (g.Until != 0) || g.Deputy() && g.Role&^(Agent|Reception) != 0:
			return refuse.WrongGrants
		case !slices.IsSorted(g.Communes) || len(slices.Compact(slices.Clone(g.Communes))) != len(g.Communes):
			return refuse.WrongGrants
		}
		if !g.Deputy() {
			if own.Has(g.Role) {
				return refuse.WrongGrants
			}
			own |= g.Role
		}
	}
	if len(grants) > MostGrants || len(grants) > 0 && own != roles {
		return refuse.WrongGrants
	}
	return nil
}

// Hats are the grants that are in force: one for each role where none are stored.
func (a Account) Hats(now when.At) (out []Grant) {
	for _, g := range a.Grants {
		if g.Until == 0 || now < g.Until {
			out = append(out, g)
		}
	}
	if len(a.Grants) == 0 {
		for _, one := range a.Roles.Each() {
			out = append(out, Grant{Role: one})
		}
	}
	return out
}

// Reach is how far the account reaches in a role: the communes of its own grant and of
// those of the colleagues for whom it stands in. ok is false when it has not the role.
func (a Account) Reach(role Roles, now when.At) (g Grant, ok bool) {
	whole := false
	for _, h := range a.Hats(now) {
		if h.Role != role {
			continue
		}
		whole = whole || len(h.Communes) == 0
		g.Role, ok = role, true
		g.Communes = append(g.Communes, h.Communes...)
		if h.Association != "" {
			g.Association = h.Association
		}
	}
	slices.Sort(g.Communes)
	g.Communes = slices.Compact(g.Communes)
	if whole {
		g.Communes = nil
	}
	return g, ok
}

// Regrant replaces roles and grants. Whoever stands in for colleagues goes on doing so
// while the role lasts.
func (a Account) Regrant(version uint32, roles Roles, grants []Grant) (Account, error) {
	if a.Version != version {
		return a, refuse.StaleVersion
	}
	for _, g := range a.Grants {
		if g.Deputy() && roles.Has(g.Role) {
			grants = append(slices.Clone(grants), g)
		}
	}
	if err := CheckGrants(grants, roles); err != nil {
		return a, err
	}
	a.Version++
	a.Roles, a.Grants = roles, grants
	return a, nil
}

// StandIn makes a the deputy of who is away, with the reach that she has by herself
// in the role, until the moment. One who stands in already does so until then.
// [refuse.WrongGrants] when it has not the role itself.
func (a Account) StandIn(away Account, role Roles, now, until when.At) (Account, error) {
	own := slices.IndexFunc(away.Hats(now), func(g Grant) bool { return g.Role == role && !g.Deputy() })
	if own < 0 || a.ID == away.ID || !a.Roles.Has(role) {
		return a, refuse.WrongGrants
	}
	hats := a.Hats(now)
	hats = slices.DeleteFunc(hats, func(g Grant) bool { return g.For == away.ID && g.Role == role })
	a.Grants = append(hats, Grant{Role: role, Communes: away.Hats(now)[own].Communes, Until: until, For: away.ID})
	a.Version++
	return a, CheckGrants(a.Grants, a.Roles)
}

// Return ends what a does for who was away.
func (a Account) Return(away ident.Account) Account {
	a.Grants = slices.DeleteFunc(slices.Clone(a.Grants), func(g Grant) bool { return g.For == away })
	a.Version++
	return a
}
