// Package bulletin is the coordinator's voice: short texts, each with a PDF or
// without, that every territory reads. They are entries of the coordinator's own
// feed and of no other, in the one form that entries have, see federation/public.
//
// Words are free here and nowhere else in a feed, because they go one way: from
// the coordinator to the territories. There is no message by which a territory
// could answer, and [Decode] refuses these kinds in anybody else's feed.
//
//	piece 0, piece 1, … of a PDF    kind 51, in order, before
//	the bulletin that names it      kind 50: number, title, text, digest and size
package bulletin

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/bippop/bippop/federation/public"
	"github.com/fxamacker/cbor/v2"
)

// Kinds of the coordinator's entries. The numbers are in feeds that are kept for
// ever: never reuse one.
const (
	KindBulletin public.Kind = 50
	KindPiece    public.Kind = 51
)

// Bounds.
const (
	MaxTitle = 120     // characters
	MaxText  = 8 << 10 // bytes
	MaxPDF   = 2 << 20 // bytes
	MaxPiece = 14 << 10

	maxPieces = (MaxPDF + MaxPiece - 1) / MaxPiece
)

// ErrSpeaker says that somebody else than the coordinator speaks in its name.
var ErrSpeaker = errors.New("only the coordinator publishes bulletins")

// Entry is one leaf of the coordinator's feed that holds a message of this package.
type Entry struct {
	From  public.Siren // the coordinator's
	Epoch uint16       // of the feed
	Seq   uint64       // place in the feed, from 0
	Day   public.Day   // on which it was published
	Body  Message
}

// Message is a [Bulletin] or a [Piece].
type Message interface {
	Kind() public.Kind
	check() error
}

// Bulletin is one message to all territories.
type Bulletin struct {
	_      struct{} `cbor:",toarray"`
	Number uint32   // from 1, without gaps
	Title  string   // one line, 1 to MaxTitle characters
	Text   string   // plain, 1 to MaxText bytes; lines end with a line feed
	PDF    [32]byte // SHA-256 of the PDF, or zero without one
	Size   uint32   // of the PDF in bytes, or zero
}

func (Bulletin) Kind() public.Kind { return KindBulletin }

// HasPDF reports whether a PDF belongs to it.
func (b Bulletin) HasPDF() bool { return b.Size > 0 }

func (b Bulletin) check() error {
	switch {
	case b.Number == 0 || b.Size > MaxPDF || (b.Size == 0) != (b.PDF == [32]byte{}):
		return public.ErrRange
	case CheckTitle(b.Title) != nil || CheckText(b.Text) != nil:
		return public.ErrRange
	}
	return nil
}

// ErrTitle and ErrText say what words a bulletin may have.
var (
	ErrTitle = fmt.Errorf("a title is one line of 1 to %d characters, without control characters", MaxTitle)
	ErrText  = fmt.Errorf("a text has 1 to %d bytes of plain text, without control characters", MaxText)
)

// CheckTitle reports [ErrTitle].
func CheckTitle(s string) error {
	if !plain(s, "") || utf8.RuneCountInString(s) > MaxTitle {
		return ErrTitle
	}
	return nil
}

// CheckText reports [ErrText].
func CheckText(s string) error {
	if !plain(s, "\n") || len(s) > MaxText {
		return ErrText
	}
	return nil
}

// plain reports whether s has something to read and nothing that a reader does not
// see: no control characters but those of also, none that turns the direction of
// writing, no half character, no blanks around it.
func plain(s, also string) bool {
	if s == "" || strings.TrimSpace(s) != s || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !strings.ContainsRune(also, r) && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029') {
			return false
		}
	}
	return true
}

// Piece is a part of a PDF.
type Piece struct {
	_     struct{} `cbor:",toarray"`
	PDF   [32]byte // SHA-256 of the whole
	Index uint16   // from 0
	Bytes []byte   // MaxPiece of them, but for the last piece
}

func (Piece) Kind() public.Kind { return KindPiece }

func (p Piece) check() error {
	if p.PDF == [32]byte{} || p.Index >= maxPieces || len(p.Bytes) == 0 || len(p.Bytes) > MaxPiece {
		return public.ErrRange
	}
	return nil
}

// entryWire is the form of entries of federation/public.
type entryWire struct {
	_       struct{} `cbor:",toarray"`
	Version uint8
	From    public.Siren
	Epoch   uint16
	Seq     uint64
	Day     public.Day
	Kind    public.Kind
	Body    cbor.RawMessage
}

const entryVersion = 1

var (
	encoding = must(cbor.CoreDetEncOptions().EncMode())
	decoding = must(cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden, MaxNestedLevels: 4, MaxArrayElements: 16, MaxMapPairs: 16,
	}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic("bulletin: " + err.Error())
	}
	return v
}

// Encode writes an entry. [public.ErrRange] when something is out of its bounds.
func Encode(e Entry) ([]byte, error) {
	if e.Body == nil || !e.From.Valid() || e.Epoch == 0 {
		return nil, public.ErrRange
	}
	if err := e.Body.check(); err != nil {
		return nil, err
	}
	body, err := encoding.Marshal(e.Body)
	if err != nil {
		return nil, public.ErrForm
	}
	b, err := encoding.Marshal(entryWire{Version: entryVersion, From: e.From, Epoch: e.Epoch, Seq: e.Seq, Day: e.Day, Kind: e.Body.Kind(), Body: body})
	if err != nil || len(b) > public.MaxEntry {
		return nil, public.ErrForm
	}
	return b, nil
}

// Decode reads an entry of the coordinator's feed and refuses every other form of
// it: what it returns encodes to the same bytes. [public.ErrForm], [public.ErrKind],
// [public.ErrRange], [ErrSpeaker].
func Decode(b []byte, coordinator public.Siren) (Entry, error) {
	if len(b) == 0 || len(b) > public.MaxEntry {
		return Entry{}, public.ErrForm
	}
	var w entryWire
	if err := decoding.Unmarshal(b, &w); err != nil || w.Version != entryVersion {
		return Entry{}, public.ErrForm
	}
	body, err := decodeBody(w.Kind, w.Body)
	switch {
	case err != nil:
		return Entry{}, err
	case w.From != coordinator:
		return Entry{}, ErrSpeaker
	}
	e := Entry{From: w.From, Epoch: w.Epoch, Seq: w.Seq, Day: w.Day, Body: body}
	again, err := Encode(e)
	switch {
	case err != nil:
		return Entry{}, err
	case !bytes.Equal(again, b):
		return Entry{}, public.ErrForm
	}
	return e, nil
}

func decodeBody(k public.Kind, b []byte) (Message, error) {
	switch k {
	case KindBulletin:
		var m Bulletin
		if err := decoding.Unmarshal(b, &m); err != nil {
			return nil, public.ErrForm
		}
		return m, nil
	case KindPiece:
		var m Piece
		if err := decoding.Unmarshal(b, &m); err != nil {
			return nil, public.ErrForm
		}
		return m, nil
	}
	return nil, public.ErrKind
}

// Kinds are those of this package, in the order of their numbers.
func Kinds() []public.Kind { return []public.Kind{KindBulletin, KindPiece} }

// forms writes out what each kind holds, so that its digest changes when the form
// does.
var forms = map[public.Kind]string{
	KindBulletin: "bippop/bulletin/v1 50 Bulletin{Number:uint32;Title:string;Text:string;PDF:uint8[32];Size:uint32;}",
	KindPiece:    "bippop/bulletin/v1 51 Piece{PDF:uint8[32];Index:uint16;Bytes:[]uint8;}",
}

// SchemaOf describes a kind as this program knows it; the roster names it so.
func SchemaOf(k public.Kind) (public.Schema, bool) {
	text, ok := forms[k]
	if !ok {
		return public.Schema{}, false
	}
	return public.Schema{Kind: k, Version: 1, Digest: sha256.Sum256([]byte(text))}, true
}
