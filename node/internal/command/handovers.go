package command

import (
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/handover"
	"github.com/bippop/bippop/node/internal/ident"
)

// SayHandover tells everybody that the dossiers of communes were taken in: the giver
// may erase them. It says so of a file whose import is committed.
type SayHandover struct {
	Stamp `cbor:"0,keyasint"`
	Entry []byte `cbor:"1,keyasint"` // public.Encode, final
}

// GiveDossiers records a file before it leaves: part by part who is in it. The first
// part begins it.
type GiveDossiers struct {
	Stamp    `cbor:"0,keyasint"`
	Digest   [32]byte          `cbor:"1,keyasint"`
	Giver    public.Siren      `cbor:"2,keyasint"` // this territory
	Receiver public.Siren      `cbor:"3,keyasint"`
	Roster   uint64            `cbor:"4,keyasint"`
	Communes []string          `cbor:"5,keyasint"`
	People   uint32            `cbor:"6,keyasint"`
	Part     uint16            `cbor:"7,keyasint"`
	Who      []handover.Passed `cbor:"8,keyasint"`
}

// TakeDossiers begins the import of a file.
type TakeDossiers struct {
	Stamp    `cbor:"0,keyasint"`
	Digest   [32]byte     `cbor:"1,keyasint"`
	Giver    public.Siren `cbor:"2,keyasint"`
	Receiver public.Siren `cbor:"3,keyasint"` // this territory
	Roster   uint64       `cbor:"4,keyasint"`
	Communes []string     `cbor:"5,keyasint"`
	People   uint32       `cbor:"6,keyasint"`
	ID       ident.Import `cbor:"7,keyasint"`
	Leaf     crypto.Leaf  `cbor:"8,keyasint"`
	Box      []byte       `cbor:"9,keyasint"` // people.ImportWords
}

// HearReceipt records at the giver that the receiver's word is settled. The proposer
// has read it in the receiver's feed.
type HearReceipt struct {
	Stamp    `cbor:"0,keyasint"`
	Digest   [32]byte     `cbor:"1,keyasint"`
	Receiver public.Siren `cbor:"2,keyasint"`
	Roster   uint64       `cbor:"3,keyasint"`
}

// EraseHandedOver puts a part of those who were handed over in line to be erased,
// except who was changed since: the receiver does not have that.
type EraseHandedOver struct {
	Stamp  `cbor:"0,keyasint"`
	Digest [32]byte `cbor:"1,keyasint"`
	Part   uint16   `cbor:"2,keyasint"`
}

func (SayHandover) Kind() Kind     { return KindSayHandover }
func (GiveDossiers) Kind() Kind    { return KindGiveDossiers }
func (TakeDossiers) Kind() Kind    { return KindTakeDossiers }
func (HearReceipt) Kind() Kind     { return KindHearReceipt }
func (EraseHandedOver) Kind() Kind { return KindEraseHandedOver }
