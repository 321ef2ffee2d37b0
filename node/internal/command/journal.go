package command

import (
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/journal"
)

// OpenJournalMonth brings the key that seals a month's entries of the access journal.
type OpenJournalMonth struct {
	Stamp `cbor:"0,keyasint"`
	Month journal.Month `cbor:"1,keyasint"`
	Leaf  crypto.Leaf   `cbor:"2,keyasint"`
}

// AppendJournal records what a replica has noted of readings, in its order.
type AppendJournal struct {
	Stamp   `cbor:"0,keyasint"`
	Replica ident.Replica    `cbor:"1,keyasint"`
	From    uint64           `cbor:"2,keyasint"` // number of the first in the replica's own chain
	After   [32]byte         `cbor:"3,keyasint"` // hash of the entry before it
	Entries []journal.Sealed `cbor:"4,keyasint"`
	Written uint64           `cbor:"5,keyasint"` // entries that it has on its own disk, these included
}

// KeepJournalHead records the head that most replicas have signed.
type KeepJournalHead struct {
	Stamp  `cbor:"0,keyasint"`
	Size   uint64   `cbor:"1,keyasint"`
	Root   [32]byte `cbor:"2,keyasint"`
	Signed []byte   `cbor:"3,keyasint"` // the signed note
	Keys   []string `cbor:"4,keyasint"` // of those who have signed
	Of     uint32   `cbor:"5,keyasint"` // replicas that there are
}

// PruneJournal takes the bodies away that nobody can open any more. It is proposed
// again until nothing is left.
type PruneJournal struct {
	Stamp `cbor:"0,keyasint"`
	From  uint64 `cbor:"1,keyasint"` // entries without bodies so far
}

func (OpenJournalMonth) Kind() Kind { return KindOpenJournalMonth }
func (AppendJournal) Kind() Kind    { return KindAppendJournal }
func (KeepJournalHead) Kind() Kind  { return KindKeepJournalHead }
func (PruneJournal) Kind() Kind     { return KindPruneJournal }
