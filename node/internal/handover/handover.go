// Package handover is what a node keeps of dossiers that changed hands: communes
// that the roster has moved, with the people who live there, in one encrypted file
// that people carried from one territory to the other.
package handover

import (
	"encoding/binary"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/when"
)

// Handover is one file, at the giver or at the receiver.
type Handover struct {
	Digest   [32]byte      `cbor:"1,keyasint"` // SHA-256 of the encrypted file
	Giver    public.Siren  `cbor:"2,keyasint"`
	Receiver public.Siren  `cbor:"3,keyasint"`
	Roster   uint64        `cbor:"4,keyasint"` // version of the roster that moved the communes
	Communes []string      `cbor:"5,keyasint"` // INSEE codes, sorted
	People   uint32        `cbor:"6,keyasint"` // dossiers in the file
	At       when.At       `cbor:"7,keyasint"` // when it was written, or began to be taken in
	By       ident.Account `cbor:"8,keyasint"`
	// Import is the one that took it in; zero at the giver.
	Import ident.Import `cbor:"9,keyasint"`
	// Receipt is when the receiver said that all is there; at the giver, when it was
	// heard. From then on there is no way back.
	Receipt when.At `cbor:"10,keyasint,omitempty"`
	Erasing when.At `cbor:"11,keyasint,omitempty"` // at the giver: when its people were put in line to be erased
	Parts   uint16  `cbor:"12,keyasint,omitempty"` // at the giver: of the list of people
}

// Given reports whether this node wrote the file.
func (h Handover) Given() bool { return h.Import.Zero() }

// SameMove reports whether two files are about the same entry of the roster between
// the same two territories.
func (h Handover) SameMove(o Handover) bool {
	return h.Roster == o.Roster && h.Giver == o.Giver && h.Receiver == o.Receiver
}

// Part of the list of those whose dossiers are in a file, at the giver.
type Part struct {
	Digest [32]byte `cbor:"1,keyasint"`
	Part   uint16   `cbor:"2,keyasint"`
	Who    []Passed `cbor:"3,keyasint"`
}

// Passed is somebody whose dossier is in a file as it was at that version.
type Passed struct {
	_       struct{} `cbor:",toarray"`
	ID      ident.Beneficiary
	Version uint32
}

// MostPassed is how many people one part lists.
const MostPassed = 1500

// PartKey of a part: those of one file sort by their number.
func PartKey(digest [32]byte, part uint16) []byte {
	return binary.BigEndian.AppendUint16(digest[:len(digest):len(digest)], part)
}
