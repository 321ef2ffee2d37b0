// Package egress is what the territory has said to others: its feed, and the
// federation that it belongs to.
package egress

import (
	"encoding/binary"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/when"
)

// Feed is the state of one epoch of the territory's own feed. The newest epoch is
// the one that grows.
type Feed struct {
	Epoch  uint16          `cbor:"1,keyasint"`
	Size   uint64          `cbor:"2,keyasint"` // entries
	Spent  public.Odometer `cbor:"3,keyasint"` // by the releases in all epochs
	Frozen when.At         `cbor:"4,keyasint,omitempty"`
	// Evidence is two signed checkpoints that contradict each other; with it the feed
	// stays frozen until people open a new epoch in the roster.
	Evidence [2][]byte `cbor:"5,keyasint"`
	After    uint64    `cbor:"6,keyasint"` // entries of the former epoch that count; the first epoch: 0
	// Restored is when this record came back from a backup. Nothing is said before the
	// hubs have given back what was said since that backup: else a place in the feed
	// would be used twice.
	Restored when.At `cbor:"7,keyasint,omitempty"`
}

// Next reports whether the entry is the one that may be appended now.
func (f Feed) Next(e public.Entry) error {
	switch {
	case f.Epoch == 0:
		return refuse.NotFederated
	case f.Frozen != 0:
		return refuse.FeedFrozen
	case f.Restored != 0:
		return refuse.FeedRestored
	case e.Epoch != f.Epoch || e.Seq != f.Size:
		return refuse.StaleFeed
	}
	return nil
}

// Leaf is one entry: the exact bytes that go out.
type Leaf struct {
	Epoch uint16  `cbor:"1,keyasint"`
	Seq   uint64  `cbor:"2,keyasint"`
	Bytes []byte  `cbor:"3,keyasint"`
	At    when.At `cbor:"4,keyasint"` // when it was appended here; never leaves
}

// Hash is one of the tree's hashes, numbered as golang.org/x/mod/sumdb/tlog does.
type Hash struct {
	Epoch uint16   `cbor:"1,keyasint"`
	Index uint64   `cbor:"2,keyasint"`
	Hash  [32]byte `cbor:"3,keyasint"`
}

// RosterEntry is one entry of the federation's roster, as it was signed.
type RosterEntry struct {
	Seq   uint64 `cbor:"1,keyasint"`
	Bytes []byte `cbor:"2,keyasint"`
}

// Membership is the federation that this node belongs to. One record.
type Membership struct {
	Genesis    [32]byte      `cbor:"1,keyasint"` // digest of the roster's first entry, from the invitation
	Version    uint64        `cbor:"2,keyasint"` // entries of the roster held
	Joined     when.At       `cbor:"3,keyasint"`
	By         ident.Account `cbor:"4,keyasint"`           // who joined
	Invitation string        `cbor:"5,keyasint"`           // as it was given
	Left       when.At       `cbor:"6,keyasint,omitempty"` // 0: it belongs still
	LeftBy     ident.Account `cbor:"7,keyasint,omitempty"`
}

// Belongs reports whether the territory takes part in a federation now.
func (m Membership) Belongs() bool { return m.Joined != 0 && m.Left == 0 }

// SaidAgain reports whether a message that a new epoch has cut off is said again in it:
// a release, whose noise is never drawn twice, and a receipt of dossiers, for which
// their giver waits.
func SaidAgain(m public.Message) bool {
	return m.Kind() == public.KindRelease || m.Kind() == public.KindHandover
}

// Key of an entry or hash of an epoch: both big-endian, so that keys sort.
func Key(epoch uint16, n uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint16(nil, epoch), n)
}
