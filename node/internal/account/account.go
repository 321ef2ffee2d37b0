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
	Coordinator Roles = 1 << 5

	every = Admin | Agent | Volunteer | blind | Coordinator
	blind = Official | DPO
)

// Valid reports whether r may be the roles of one account. Who sees no people can
// not be somebody who does, or the promise that the role makes would be empty.
func (r Roles) Valid() bool {
	switch {
	case r == 0 || r&^every != 0:
		return false
	case r.Has(blind):
		return r == Official || r == DPO
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
	a.Roles, a.Closed = roles, closed
	if len(password) > 0 {
		a.Password = password
	}
	return a, nil
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
	Bearer  bool          `cbor:"5,keyasint,omitempty"` // of an API client, not a browser
}
