package public

import (
	"bytes"

	"github.com/fxamacker/cbor/v2"
)

// MaxEntry is the size of an encoded entry, in bytes.
const MaxEntry = 16 << 10

// Entry is one leaf of a territory's feed: the exact bytes that leave it.
type Entry struct {
	From  Siren
	Epoch uint16 // of the feed; grows when a fork was settled by people
	Seq   uint64 // place in the epoch's feed, from 0 to [MaxSeq]
	Day   Day    // on which it was made
	Body  Message
}

// entryWire is the form: an array, in deterministic CBOR (RFC 8949 §4.2.1).
type entryWire struct {
	_       struct{} `cbor:",toarray"`
	Version uint8
	From    Siren
	Epoch   uint16
	Seq     uint64
	Day     Day
	Kind    Kind
	Body    cbor.RawMessage
}

const entryVersion = 1

var (
	encoding = must(cbor.CoreDetEncOptions().EncMode())
	decoding = must(cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden, MaxNestedLevels: 6, MaxArrayElements: 1024, MaxMapPairs: 16,
	}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic("public: " + err.Error())
	}
	return v
}

// Encode writes an entry. [ErrRange] when a number is out of its bounds.
func Encode(e Entry) ([]byte, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	body, err := encoding.Marshal(e.Body)
	if err != nil {
		return nil, ErrForm
	}
	b, err := encoding.Marshal(entryWire{Version: entryVersion, From: e.From, Epoch: e.Epoch, Seq: e.Seq, Day: e.Day, Kind: e.Body.Kind(), Body: body})
	if err != nil || len(b) > MaxEntry {
		return nil, ErrForm
	}
	return b, nil
}

func (e Entry) check() error {
	if e.Body == nil || !e.From.Valid() || e.Epoch == 0 || e.Seq > MaxSeq {
		return ErrRange
	}
	if m, ok := e.Body.(ofOwn); ok && m.own() >= e.Seq {
		return ErrRange
	}
	return e.Body.check()
}

// ofOwn is a message about an earlier entry of the same feed and epoch.
type ofOwn interface{ own() uint64 }

// Decode reads an entry and refuses every other form of it: what it returns encodes
// to the same bytes. [ErrForm], [ErrKind], [ErrRange].
func Decode(b []byte) (Entry, error) {
	if len(b) == 0 || len(b) > MaxEntry {
		return Entry{}, ErrForm
	}
	var w entryWire
	if err := decoding.Unmarshal(b, &w); err != nil || w.Version != entryVersion {
		return Entry{}, ErrForm
	}
	body, err := decodeBody(w.Kind, w.Body)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{From: w.From, Epoch: w.Epoch, Seq: w.Seq, Day: w.Day, Body: body}
	again, err := Encode(e)
	switch {
	case err != nil:
		return Entry{}, err
	case !bytes.Equal(again, b):
		return Entry{}, ErrForm
	}
	return e, nil
}

func decodeBody(k Kind, b []byte) (Message, error) {
	for _, f := range forms {
		if f.empty.Kind() == k {
			return f.decode(b)
		}
	}
	return nil, ErrKind
}
