// Package account holds who may sign in, as what, and the sessions that follow.
package account

import (
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/when"
)

// Roles is a set of roles. The bits are in the store.
type Roles uint16

const (
	Admin     Roles = 1 << 0
	Agent     Roles = 1 << 1
	Volunteer Roles = 1 << 2
	Official  Roles = 1 << 3 // élu: figures, and nobody's name
	DPO       Roles = 1 << 4 // what left, to whom, with its proof; no people
	// Coordinator sees the federation's totals on the coordinator's node, where there
	// are no people.
	Coordinator  Roles = 1 << 5
	Reception    Roles = 1 << 6  // takes calls and notes requests; opens no dossier
	Association  Roles = 1 << 7  // its own members
	Professional Roles = 1 << 8  // reports needs; sees no dossier
	Beneficiary  Roles = 1 << 9  // herself, or a relative whom she allows, by a card
	Operator     Roles = 1 << 10 // machines, never people

	every = Admin | Agent | Volunteer | Official | DPO | Coordinator | Reception | Association | Professional | Beneficiary | Operator
	sees  = Admin | Agent | Reception
	blind = Official | Operator
)

// Each lists the roles of the set, the one first with which its holder begins the
// day.
func (r Roles) Each() (out []Roles) {
	for _, one := range [...]Roles{Admin, Agent, Reception, Coordinator, DPO, Association, Professional, Official, Operator, Volunteer, Beneficiary} {
		if r.Has(one) {
			out = append(out, one)
		}
	}
	return out
}

// Valid reports whether r may be the roles of one account. Who sees no people can
// not be somebody who does, or the promise that the role makes would be empty; who
// watches over the others is nobody else; a card opens three pages and no more.
func (r Roles) Valid() bool {
	switch {
	case r == 0 || r&^every != 0:
		return false
	case r.Has(DPO):
		return r == DPO
	case r.Has(Beneficiary):
		return r == Beneficiary
	case r.Has(blind) && r.Has(sees|Association|Coordinator):
		return false
	case r.Has(Coordinator):
		return r&^(Admin|Coordinator) == 0
	}
	return true
}

// Has reports whether any of the roles is held.
func (r Roles) Has(any Roles) bool { return r&any != 0 }

// Account is somebody who signs in. The login is chosen, says nothing of the
// person, and is unique in the territory.
type Account struct {
	ID       ident.Account   `cbor:"1,keyasint"`
	Version  uint32          `cbor:"2,keyasint"`
	Login    string          `cbor:"3,keyasint"` // lower case, 3 to 40 of a-z 0-9 . - _
	Password []byte          `cbor:"4,keyasint"` // argon2id PHC string, sealed under the staff key
	Roles    Roles           `cbor:"5,keyasint"`
	Of       ident.Volunteer `cbor:"6,keyasint"` // the volunteer who signs in here, or zero
	Closed   bool            `cbor:"7,keyasint,omitempty"`
	Made     when.At         `cbor:"8,keyasint"`
	Leaf     crypto.Leaf     `cbor:"9,keyasint"`
	Box      []byte          `cbor:"10,keyasint"` // Words

	Grants []Grant           `cbor:"11,keyasint,omitempty"` // none: each role reaches the whole territory
	Her    ident.Beneficiary `cbor:"12,keyasint,omitzero"`  // whose card it is, with the role Beneficiary
}

// Words are what only people may read.
type Words struct {
	Name crypto.Secret `cbor:"1,keyasint,omitempty"` // "Victoria F., CCAS"
}

// Change sets roles and state and, unless empty, the password.
func (a Account) Change(version uint32, roles Roles, closed bool, password []byte) (Account, error) {
	if a.Version != version {
		return a, refuse.StaleVersion
	}
	a.Version++
	a.Roles, a.Closed, a.Grants = roles, closed, a.kept(roles)
	if len(password) > 0 {
		a.Password = password
	}
	return a, nil
}

// kept are the grants of the roles that stay. A role that comes reaches the whole
// territory.
func (a Account) kept(roles Roles) (out []Grant) {
	if len(a.Grants) == 0 {
		return nil
	}
	var own Roles
	for _, g := range a.Grants {
		if roles.Has(g.Role) {
			out = append(out, g)
		}
		if !g.Deputy() {
			own |= g.Role
		}
	}
	for _, one := range (roles &^ own).Each() {
		out = append(out, Grant{Role: one})
	}
	return out
}

// SessionID is the SHA-256 of the token that the browser holds; the token itself
// is stored nowhere.
type SessionID [32]byte

// Session is one sign-in.
type Session struct {
	ID      SessionID     `cbor:"1,keyasint"`
	Account ident.Account `cbor:"2,keyasint"`
	Opened  when.At       `cbor:"3,keyasint"`
	Expires when.At       `cbor:"4,keyasint"`
	Bearer  bool          `cbor:"5,keyasint,omitempty"`  // of an API client, not a browser
	As      Roles         `cbor:"6,keyasint,omitempty"`  // the role that is worn; 0: the first of the account's
	Fresh   when.At       `cbor:"7,keyasint,omitempty"`  // when a credential was shown last; 0: when it was opened
	Means   Means         `cbor:"8,keyasint,omitempty"`  // by which it was opened
	Device  uint16        `cbor:"9,keyasint,omitempty"`  // browser and system, as numbers of a closed list; 0: not known
	Used    when.At       `cbor:"10,keyasint,omitempty"` // last, to the hour or the day; 0: when it was opened
	Missed  uint16        `cbor:"11,keyasint,omitempty"` // tries to come in that failed since the entry before
}

// Means is how somebody came in. The numbers are in the store.
type Means uint8

// The means.
const (
	ByPassword   Means = 1
	ByTOTP       Means = 2 // password and a code from a telephone
	ByPasskey    Means = 3
	ByOIDC       Means = 4 // another's door: ProConnect
	ByCode       Means = 5 // six digits by e-mail or SMS
	ByCard       Means = 6
	ByBreakGlass Means = 7 // from the machine itself
	ByRecovery   Means = 8 // a code from the paper in the drawer
)

// UsedAt is when the session was used last, to the hour or the day.
func (s Session) UsedAt() when.At { return max(s.Used, s.Opened) }

// ShownAt is when a credential was shown last in the session.
func (s Session) ShownAt() when.At { return max(s.Fresh, s.Opened) }
