package replica

import (
	"crypto/subtle"

	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/when"
)

// Invitation lets one replica join, once and for a short while. The token itself
// is stored nowhere.
type Invitation struct {
	ID     ident.Invitation `cbor:"1,keyasint"`
	Secret [32]byte         `cbor:"2,keyasint"` // SHA-256 of the token
	Made   when.At          `cbor:"3,keyasint"`
	Until  when.At          `cbor:"4,keyasint"`
	By     ident.Account    `cbor:"5,keyasint"` // zero: from the replica's own machine
	Used   ident.Replica    `cbor:"6,keyasint,omitzero"`
	UsedAt when.At          `cbor:"7,keyasint,omitempty"`
}

// Use spends the invitation on r, who shows a token with this hash.
func (i Invitation) Use(secret [32]byte, r ident.Replica, at when.At) (Invitation, error) {
	switch {
	case subtle.ConstantTimeCompare(i.Secret[:], secret[:]) != 1:
		return i, refuse.NoInvitation
	case !i.Used.Zero(), i.Until <= at:
		return i, refuse.InvitationOver
	}
	i.Used, i.UsedAt = r, at
	return i, nil
}
