package gossip

import (
	"errors"
	"net"

	"github.com/fxamacker/cbor/v2"
	"github.com/hashicorp/memberlist"

	"github.com/bippop/bippop/crypto"
)

// Meta is what a replica says of itself to all others: at most 512 bytes, and no
// secret.
type Meta struct {
	Address string         `cbor:"1,keyasint"`           // of its mesh, host:port
	URL     string         `cbor:"2,keyasint"`           // where browsers reach it
	Level   uint16         `cbor:"3,keyasint"`           // of commands that it knows
	Applied uint64         `cbor:"4,keyasint"`           // index of its machine, some time ago
	Held    []crypto.KeyID `cbor:"5,keyasint,omitempty"` // names of the root keys in its vault

	// Leaving says that the end which follows is meant.
	Leaving bool `cbor:"6,keyasint,omitempty"`

	Free    uint64 `cbor:"7,keyasint,omitempty"`  // bytes, on the disk of its data
	Program string `cbor:"8,keyasint,omitempty"`  // version
	Fault   string `cbor:"9,keyasint,omitempty"`  // a code, when something is wrong
	Expires int64  `cbor:"10,keyasint,omitempty"` // Unix seconds: its certificate
}

// errMeta says that a replica's word about itself is too long or not well formed.
var errMeta = errors.New("gossip: what a replica says of itself is an address and at most 512 bytes")

// metaMode lets unknown keys pass: a newer replica may say more.
var metaMode = func() cbor.DecMode {
	m, err := cbor.DecOptions{DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, MaxNestedLevels: 4}.DecMode()
	if err != nil {
		panic("gossip: " + err.Error())
	}
	return m
}()

func (m Meta) encode() ([]byte, error) {
	if _, _, err := net.SplitHostPort(m.Address); err != nil {
		return nil, errMeta
	}
	b, err := cbor.Marshal(m)
	if err != nil || len(b) > memberlist.MetaMaxSize {
		return nil, errMeta
	}
	return b, nil
}

func decodeMeta(b []byte) (Meta, error) {
	var m Meta
	if len(b) > memberlist.MetaMaxSize || metaMode.Unmarshal(b, &m) != nil {
		return Meta{}, errMeta
	}
	if _, _, err := net.SplitHostPort(m.Address); err != nil {
		return Meta{}, errMeta
	}
	return m, nil
}
