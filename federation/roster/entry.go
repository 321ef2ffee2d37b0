package roster

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"slices"

	"github.com/bippop/bippop/federation/public"
	"github.com/fxamacker/cbor/v2"
	"golang.org/x/mod/sumdb/tlog"
)

// MaxEntry is the size of an encoded entry, in bytes.
const MaxEntry = public.MaxEntry

// Entry is one leaf of the roster's feed.
type Entry struct {
	Genesis    [32]byte // of the roster; zero in the genesis itself
	Seq        uint64   // place in the roster, from 0
	Before     [32]byte // root of the entries before it
	Day        public.Day
	Bodies     []Body      // what changes, in this order; at least one
	Signatures []Signature // by key, ascending, each key once
}

// Signature is one holder's.
type Signature struct {
	_    struct{} `cbor:",toarray"`
	Key  [ed25519.PublicKeySize]byte
	Sign [ed25519.SignatureSize]byte
}

// entryWire is the form: an array, in deterministic CBOR (RFC 8949 §4.2.1).
type entryWire struct {
	_          struct{} `cbor:",toarray"`
	Version    uint8
	Genesis    [32]byte
	Seq        uint64
	Before     [32]byte
	Day        public.Day
	Bodies     []bodyWire
	Signatures []Signature
}

type bodyWire struct {
	_    struct{} `cbor:",toarray"`
	Kind uint8
	Body cbor.RawMessage
}

const entryVersion = 1

// entryLabel is what the signed text of an entry begins with. After it comes the
// entry's form without signatures.
const entryLabel = "bippop/roster/v1\n"

var (
	encoding = func() cbor.EncMode {
		o := cbor.CoreDetEncOptions()
		o.NilContainers = cbor.NilContainerAsEmpty
		return must(o.EncMode())
	}()
	decoding = must(cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden, MaxNestedLevels: 8, MaxArrayElements: 2048, MaxMapPairs: 16,
	}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic("roster: " + err.Error())
	}
	return v
}

// encode writes v in its one form.
func encode(v any) []byte { return must(encoding.Marshal(v)) }

// decodeAs reads a T in its one form. [ErrForm].
func decodeAs[T any](b []byte) (v T, err error) {
	if err := decoding.Unmarshal(b, &v); err != nil || !bytes.Equal(encode(v), b) {
		var none T
		return none, ErrForm
	}
	return v, nil
}

// Encode writes an entry. [ErrForm] when it is larger than [MaxEntry].
func (e Entry) Encode() ([]byte, error) {
	b := encode(e.wire())
	if len(b) > MaxEntry {
		return nil, ErrForm
	}
	return b, nil
}

func (e Entry) wire() entryWire {
	w := entryWire{Version: entryVersion, Genesis: e.Genesis, Seq: e.Seq, Before: e.Before, Day: e.Day, Signatures: e.Signatures}
	for _, body := range e.Bodies {
		w.Bodies = append(w.Bodies, bodyWire{Kind: body.kind(), Body: encode(body)})
	}
	return w
}

// text is what holders sign.
func (e Entry) text() []byte {
	w := e.wire()
	w.Signatures = nil
	return append([]byte(entryLabel), encode(w)...)
}

// DecodeEntry reads an entry's form and that of its changes, and refuses every other
// form of them: what it returns encodes to the same bytes. Whether it is signed and
// comes next, [State.Apply] says. [ErrForm], [ErrNewer], [ErrInvariant].
func DecodeEntry(b []byte) (Entry, error) {
	if len(b) == 0 || len(b) > MaxEntry {
		return Entry{}, ErrForm
	}
	w, err := decodeAs[entryWire](b)
	if err != nil {
		return Entry{}, err
	}
	if w.Version != entryVersion {
		return Entry{}, ErrNewer
	}
	if len(w.Bodies) == 0 || !ascending(w.Signatures, func(a, b Signature) int { return bytes.Compare(a.Key[:], b.Key[:]) }) {
		return Entry{}, ErrForm
	}
	e := Entry{Genesis: w.Genesis, Seq: w.Seq, Before: w.Before, Day: w.Day, Signatures: w.Signatures}
	for i, bw := range w.Bodies {
		body, err := decodeBody(bw.Kind, bw.Body)
		if err != nil {
			return Entry{}, err
		}
		if _, first := body.(Found); first != (i == 0 && e.Seq == 0) {
			return Entry{}, ErrForm
		}
		if err := body.check(); err != nil {
			return Entry{}, err
		}
		e.Bodies = append(e.Bodies, body)
	}
	return e, nil
}

// genesis is a roster's name, made from its first entry.
func genesis(first []byte) [32]byte { return sha256.Sum256(first) }

// grow appends a leaf to a tree of n leaves that is known by the roots of its perfect
// subtrees, largest first.
func grow(peaks []tlog.Hash, n uint64, leaf []byte) []tlog.Hash {
	h := tlog.RecordHash(leaf)
	peaks = slices.Clone(peaks)
	for ; n&1 == 1; n >>= 1 {
		h = tlog.NodeHash(peaks[len(peaks)-1], h)
		peaks = peaks[:len(peaks)-1]
	}
	return append(peaks, h)
}

// rootOf is the root of the tree that grow has made.
func rootOf(peaks []tlog.Hash) tlog.Hash {
	if len(peaks) == 0 {
		return sha256.Sum256(nil)
	}
	h := peaks[len(peaks)-1]
	for i := len(peaks) - 2; i >= 0; i-- {
		h = tlog.NodeHash(peaks[i], h)
	}
	return h
}
