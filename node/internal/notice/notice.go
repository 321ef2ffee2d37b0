// Package notice holds the coordinator's bulletins as a node keeps them: the
// coordinator's own those that it has published, every other one those that it has
// taken in.
package notice

import (
	"encoding/binary"

	"github.com/bippop/bippop/federation/bulletin"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/when"
)

// Notice is one bulletin. Nothing in it is about a person.
type Notice struct {
	From   public.Siren  `cbor:"1,keyasint"` // the coordinator
	Epoch  uint16        `cbor:"2,keyasint"` // of the entry in its feed
	Seq    uint64        `cbor:"3,keyasint"`
	Day    public.Day    `cbor:"4,keyasint"` // on which it was published
	Number uint32        `cbor:"5,keyasint"` // from 1
	Title  string        `cbor:"6,keyasint"`
	Text   string        `cbor:"7,keyasint"`
	PDF    [32]byte      `cbor:"8,keyasint"`            // digest, or zero
	Size   uint32        `cbor:"9,keyasint"`            // of the PDF in bytes, or zero
	At     when.At       `cbor:"10,keyasint"`           // when it was recorded here
	By     ident.Account `cbor:"11,keyasint,omitempty"` // who published it here; zero: it came from the coordinator
}

// Of is the record of an entry.
func Of(e bulletin.Entry, b bulletin.Bulletin, at when.At, by ident.Account) Notice {
	return Notice{From: e.From, Epoch: e.Epoch, Seq: e.Seq, Day: e.Day, Number: b.Number, Title: b.Title, Text: b.Text, PDF: b.PDF, Size: b.Size, At: at, By: by}
}

// Bulletin is what the entry said.
func (n Notice) Bulletin() bulletin.Bulletin {
	return bulletin.Bulletin{Number: n.Number, Title: n.Title, Text: n.Text, PDF: n.PDF, Size: n.Size}
}

// Key of a bulletin: big-endian, so that keys sort.
func Key(number uint32) []byte { return binary.BigEndian.AppendUint32(nil, number) }

// Piece is a part of a PDF.
type Piece struct {
	PDF   [32]byte `cbor:"1,keyasint"`
	Index uint16   `cbor:"2,keyasint"`
	Bytes []byte   `cbor:"3,keyasint"`
}

// PieceKey of a piece: those of one PDF sort by their index.
func PieceKey(pdf [32]byte, index uint16) []byte {
	return binary.BigEndian.AppendUint16(pdf[:len(pdf):len(pdf)], index)
}

// Reading is how far this node has read the coordinator's feed. One record.
type Reading struct {
	From  public.Siren `cbor:"1,keyasint"`
	Epoch uint16       `cbor:"2,keyasint"`
	Next  uint64       `cbor:"3,keyasint"` // the first entry that was not looked at
}
