package command

import (
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/when"
)

// GrantRoles sets which hats an account may wear. Its sessions go on: each request
// looks at what is granted now.
type GrantRoles struct {
	Stamp   `cbor:"0,keyasint"`
	ID      ident.Account   `cbor:"1,keyasint"`
	Version uint32          `cbor:"2,keyasint"`
	Roles   account.Roles   `cbor:"3,keyasint"`
	Grants  []account.Grant `cbor:"4,keyasint"` // none stands in for anybody
}

// StandIn makes an account the deputy of one who is away, in a role that both have.
type StandIn struct {
	Stamp `cbor:"0,keyasint"`
	ID    ident.Account `cbor:"1,keyasint"` // who stays
	Away  ident.Account `cbor:"2,keyasint"`
	Role  account.Roles `cbor:"3,keyasint"`
	Until when.At       `cbor:"4,keyasint"` // 0: who was away is back
}

// SwitchRole puts on another hat in one session.
type SwitchRole struct {
	Stamp   `cbor:"0,keyasint"`
	Session account.SessionID `cbor:"1,keyasint"`
	As      account.Roles     `cbor:"2,keyasint"`
}

func (GrantRoles) Kind() Kind { return KindGrantRoles }
func (StandIn) Kind() Kind    { return KindStandIn }
func (SwitchRole) Kind() Kind { return KindSwitchRole }
