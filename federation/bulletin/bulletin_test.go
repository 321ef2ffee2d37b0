package bulletin

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/bippop/bippop/federation/public"
	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"
)

// The coordinator and a territory of these tests.
const (
	coordinator public.Siren = 130025265
	territory   public.Siren = 200044394
)

func aPDF(n int) []byte {
	head, tail := "%PDF-1.7\n", "\n%%EOF\n"
	return []byte(head + strings.Repeat("x", max(0, n-len(head)-len(tail))) + tail)
}

func entries() *rapid.Generator[Entry] {
	line := rapid.StringMatching(`[A-Za-zéàœ’ 0-9]{0,40}[a-zé]`)
	return rapid.Custom(func(t *rapid.T) Entry {
		e := Entry{From: coordinator, Epoch: rapid.Uint16Range(1, 65535).Draw(t, "epoch"), Seq: rapid.Uint64().Draw(t, "seq"), Day: public.Day(rapid.Uint16().Draw(t, "day"))}
		digest := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "digest"))
		digest[0] |= 1
		if rapid.Bool().Draw(t, "piece") {
			e.Body = Piece{PDF: digest, Index: rapid.Uint16Range(0, maxPieces-1).Draw(t, "index"), Bytes: rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "bytes")}
			return e
		}
		b := Bulletin{Number: rapid.Uint32Range(1, 1<<32-1).Draw(t, "number"), Title: strings.TrimSpace(line.Draw(t, "title")), Text: strings.TrimSpace(line.Draw(t, "first") + "\n" + line.Draw(t, "second"))}
		if rapid.Bool().Draw(t, "pdf") {
			b.PDF, b.Size = digest, rapid.Uint32Range(1, MaxPDF).Draw(t, "size")
		}
		e.Body = b
		return e
	})
}

// TestSame: what was written is read, and is written again in the same bytes.
func TestSame(t *testing.T) {
	if *long {
		flag.Set("rapid.checks", "20000")
	}
	rapid.Check(t, func(t *rapid.T) {
		e := entries().Draw(t, "entry")
		b, err := Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(b, coordinator)
		if err != nil || !reflect.DeepEqual(got, e) {
			t.Fatalf("got %+v, %v; want %+v", got, err, e)
		}
		if _, err := public.Decode(b); !errors.Is(err, public.ErrKind) {
			t.Fatalf("a reader of territories takes it: %v", err)
		}
		at := rapid.IntRange(0, len(b)-1).Draw(t, "at")
		bad := bytes.Clone(b)
		bad[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "flip"))
		if other, err := Decode(bad, coordinator); err == nil {
			if again, err := Encode(other); err != nil || !bytes.Equal(again, bad) {
				t.Fatalf("%x is read as %+v, which is written as %x", bad, other, again)
			}
		}
	})
}

// TestSpeaker: in anybody else's feed these kinds are refused, and in the
// coordinator's a territory's name is.
func TestSpeaker(t *testing.T) {
	b, err := Encode(Entry{From: territory, Epoch: 1, Body: Bulletin{Number: 1, Title: "Bonjour", Text: "Bonjour."}})
	if err != nil {
		t.Fatal(err)
	}
	if e, err := Decode(b, coordinator); !errors.Is(err, ErrSpeaker) || e.Body != nil {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := Decode(b, 0); !errors.Is(err, ErrSpeaker) {
		t.Errorf("without a coordinator: %v", err)
	}
	presence, err := public.Encode(public.Entry{From: coordinator, Epoch: 1, Body: public.Presence{}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Decode(presence, coordinator); !errors.Is(err, public.ErrKind) {
		t.Errorf("a territory's message: %v", err)
	}
}

func TestBounds(t *testing.T) {
	good := Bulletin{Number: 1, Title: "Titre", Text: "Texte.\n\nSuite."}
	digest := [32]byte{1}
	for name, c := range map[string]struct {
		m  Message
		ok bool
	}{
		"plain":                   {good, true},
		"longest title":           {Bulletin{Number: 1, Title: strings.Repeat("é", MaxTitle), Text: "a"}, true},
		"longest text":            {Bulletin{Number: 1, Title: "a", Text: strings.Repeat("a", MaxText)}, true},
		"largest pdf":             {Bulletin{Number: 1, Title: "a", Text: "a", PDF: digest, Size: MaxPDF}, true},
		"largest piece":           {Piece{PDF: digest, Index: maxPieces - 1, Bytes: make([]byte, MaxPiece)}, true},
		"no number":               {Bulletin{Title: "a", Text: "a"}, false},
		"no title":                {Bulletin{Number: 1, Text: "a"}, false},
		"no text":                 {Bulletin{Number: 1, Title: "a"}, false},
		"title too long":          {Bulletin{Number: 1, Title: strings.Repeat("é", MaxTitle+1), Text: "a"}, false},
		"text too long":           {Bulletin{Number: 1, Title: "a", Text: strings.Repeat("a", MaxText+1)}, false},
		"two lines of title":      {Bulletin{Number: 1, Title: "a\nb", Text: "a"}, false},
		"a control character":     {Bulletin{Number: 1, Title: "a", Text: "a\x1b[2Jb"}, false},
		"a carriage return":       {Bulletin{Number: 1, Title: "a", Text: "a\r\nb"}, false},
		"turned direction":        {Bulletin{Number: 1, Title: "a\u202eb", Text: "a"}, false},
		"not UTF-8":               {Bulletin{Number: 1, Title: "a", Text: "a\xffb"}, false},
		"blanks only":             {Bulletin{Number: 1, Title: " ", Text: "a"}, false},
		"a pdf too large":         {Bulletin{Number: 1, Title: "a", Text: "a", PDF: digest, Size: MaxPDF + 1}, false},
		"a size and no digest":    {Bulletin{Number: 1, Title: "a", Text: "a", Size: 1}, false},
		"a digest and no size":    {Bulletin{Number: 1, Title: "a", Text: "a", PDF: digest}, false},
		"a piece of nothing":      {Piece{Index: 0, Bytes: []byte("a")}, false},
		"an empty piece":          {Piece{PDF: digest}, false},
		"a piece too large":       {Piece{PDF: digest, Bytes: make([]byte, MaxPiece+1)}, false},
		"a piece beyond the last": {Piece{PDF: digest, Index: maxPieces, Bytes: []byte("a")}, false},
		"nothing":                 {nil, false},
	} {
		b, err := Encode(Entry{From: coordinator, Epoch: 1, Body: c.m})
		if (err == nil) != c.ok || !c.ok && !errors.Is(err, public.ErrRange) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			if _, err := Decode(b, coordinator); err != nil {
				t.Errorf("%s is not read: %v", name, err)
			}
		}
	}
}

// TestGolden: the bytes are in feeds that are kept for ever.
func TestGolden(t *testing.T) {
	for _, c := range []struct {
		body Message
		want string
	}{
		{Bulletin{Number: 7, Title: "Canicule", Text: "Appelez.", PDF: [32]byte{1, 2}, Size: 900}, "87011a07c00731010319" + "09c4" + "1832" + "850768" + hex.EncodeToString([]byte("Canicule")) + "68" + hex.EncodeToString([]byte("Appelez.")) + "5820" + "0102" + strings.Repeat("00", 30) + "190384"},
		{Piece{PDF: [32]byte{1, 2}, Index: 3, Bytes: []byte("abc")}, "87011a07c00731010319" + "09c4" + "1833" + "83" + "5820" + "0102" + strings.Repeat("00", 30) + "03" + "43616263"},
	} {
		b, err := Encode(Entry{From: coordinator, Epoch: 1, Seq: 3, Day: 2500, Body: c.body})
		if got := hex.EncodeToString(b); err != nil || got != c.want {
			t.Errorf("%T: got %s, %v", c.body, got, err)
		}
	}
	for k, want := range map[public.Kind]string{KindBulletin: "ec4f137ce995cbce", KindPiece: "8be5737132c4cd69"} {
		s, ok := SchemaOf(k)
		if got := hex.EncodeToString(s.Digest[:8]); !ok || s.Version != 1 || got != want {
			t.Errorf("schema of %d: %s", k, got)
		}
	}
	if _, ok := SchemaOf(public.KindRelease); ok {
		t.Error("a territory's kind is described here")
	}
}

// TestForms: what the roster pins is what the types hold.
func TestForms(t *testing.T) {
	for k, m := range map[public.Kind]Message{KindBulletin: Bulletin{}, KindPiece: Piece{}} {
		typ := reflect.TypeOf(m)
		text := fmt.Sprintf("bippop/bulletin/v1 %d %s{", k, typ.Name())
		for f := range typ.Fields() {
			if f.Name != "_" {
				form := f.Type.String()
				if f.Type.Kind() == reflect.Array {
					form = fmt.Sprintf("%s[%d]", f.Type.Elem(), f.Type.Len())
				}
				text += f.Name + ":" + form + ";"
			}
		}
		if text += "}"; forms[k] != text {
			t.Errorf("the form of %d is %s", k, text)
		}
	}
}

func TestPDF(t *testing.T) {
	for name, c := range map[string]struct {
		pdf []byte
		ok  bool
	}{
		"small": {aPDF(40), true}, "large": {aPDF(MaxPDF), true}, "a new form": {bytes.Replace(aPDF(100), []byte("1.7"), []byte("2.0"), 1), true},
		"too large": {aPDF(MaxPDF + 1), false}, "empty": {nil, false}, "cut off": {aPDF(5000)[:4000], false},
		"a page": {[]byte("<!doctype html>%%EOF"), false}, "a program": {append([]byte("MZ"), aPDF(100)...), false},
	} {
		digest, pieces, err := Split(c.pdf)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		b := Bulletin{Number: 1, Title: "a", Text: "a", PDF: digest, Size: uint32(len(c.pdf))}
		var parts [][]byte
		for i, p := range pieces {
			if int(p.Index) != i || p.PDF != digest || p.check() != nil {
				t.Fatalf("%s: piece %d is %d", name, i, p.Index)
			}
			parts = append(parts, p.Bytes)
		}
		if got, err := Join(b, parts); err != nil || !bytes.Equal(got, c.pdf) || len(parts) != Pieces(b.Size) {
			t.Errorf("%s: %d bytes of %d, %v", name, len(got), len(c.pdf), err)
		}
		if _, err := Join(b, parts[:len(parts)-1]); !errors.Is(err, ErrIncomplete) {
			t.Errorf("%s: a piece is missing: %v", name, err)
		}
		parts[0] = append(bytes.Clone(parts[0][:len(parts[0])-1]), '!')
		if _, err := Join(b, parts); !errors.Is(err, ErrIncomplete) {
			t.Errorf("%s: a piece was changed: %v", name, err)
		}
	}
}

// FuzzDecode: whatever is read as an entry is that entry's bytes.
func FuzzDecode(f *testing.F) {
	for _, m := range []Message{Bulletin{Number: 1, Title: "a", Text: "b"}, Piece{PDF: [32]byte{1}, Bytes: []byte("a")}} {
		b, err := Encode(Entry{From: coordinator, Epoch: 1, Body: m})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte{0x87})
	deep, _ := cbor.Marshal([]any{1, coordinator, 1, 0, 0, 50, []any{[]any{[]any{[]any{}}}}})
	f.Add(deep)
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := Decode(b, coordinator)
		if err != nil {
			return
		}
		again, err := Encode(e)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x was read as %x, %v", b, again, err)
		}
	})
}
