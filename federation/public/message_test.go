package public

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden vectors anew; a changed one breaks every feed there is")

const (
	reole Siren = 200044394
	deux  Siren = 200069599
)

func seqs(t *rapid.T) uint64 {
	return rapid.OneOf(rapid.Uint64Range(0, 300), rapid.Uint64Range(0, MaxSeq)).Draw(t, "seq")
}

func refs(t *rapid.T) Ref {
	return Ref{From: rapid.SampledFrom([]Siren{reole, deux}).Draw(t, "from"), Epoch: rapid.Uint16Range(1, 1<<16-1).Draw(t, "epoch"), Seq: seqs(t)}
}

// entries draws entries that may be said, of every kind.
func entries() *rapid.Generator[Entry] {
	return rapid.Custom(func(t *rapid.T) Entry {
		small := func(name string, from, to int) uint8 { return uint8(rapid.IntRange(from, to).Draw(t, name)) }
		e := Entry{
			From: rapid.SampledFrom([]Siren{reole, deux}).Draw(t, "from"), Epoch: rapid.Uint16Range(1, 1<<16-1).Draw(t, "epoch"),
			Seq: seqs(t), Day: Day(rapid.Uint16().Draw(t, "day")),
		}
		earlier := func() uint64 {
			e.Seq = max(e.Seq, 1)
			return rapid.Uint64Range(0, e.Seq-1).Draw(t, "earlier")
		}
		switch k := rapid.SampledFrom(Kinds()).Draw(t, "kind"); k {
		case KindRelease:
			o := Odometer{}
			if q := rapid.IntRange(0, int(LastQuarter)).Draw(t, "last"); q > 0 {
				o, _ = o.Follow(mustRelease(o, Quarter(q-1), make([]int32, Cells(1))))
			}
			cells := rapid.SliceOfN(rapid.Int32Range(0, MaxCell), Cells(1), Cells(1)).Draw(t, "cells")
			for i := institutions; i < len(cells); i++ {
				if rapid.Bool().Draw(t, "negative") {
					cells[i] = -cells[i]
				}
			}
			e.Body = mustRelease(o, min(o.Last+Quarter(small("after", 1, 9)), LastQuarter), cells)
		case KindRetract:
			e.Body = Retract{Seq: earlier()}
		case KindOffer:
			e.Body = Offer{
				Category: Category(small("category", 1, int(Other))), From: Day(5 + 7*rapid.IntRange(0, (1<<16-6)/7).Draw(t, "week")), Weeks: small("weeks", 1, MaxWeeks),
				Slots: small("slots", 1, MaxSlots), Radius: Radius(small("radius", 1, 4)), Languages: Languages(rapid.Uint16Range(0, uint16(everyLanguage)).Draw(t, "languages")),
			}
		case KindWithdraw:
			e.Body = Withdraw{Offer: earlier()}
		case KindInterest:
			e.Body = Interest{Offer: refs(t), Slots: small("slots", 1, MaxSlots), Week: small("week", 0, MaxWeeks-1)}
		case KindRenounce:
			e.Body = Renounce{Interest: earlier()}
		case KindAccept:
			e.Body = Accept{Interest: refs(t)}
		case KindDecline:
			e.Body = Decline{Interest: refs(t), Why: Why(small("why", 1, 5))}
		case KindAck:
			e.Body = Ack{Interest: earlier()}
		case KindLapse:
			e.Body = Lapse{Interest: refs(t)}
		case KindClose:
			e.Body = Close{Interest: refs(t), Outcome: Outcome(small("outcome", 1, 3))}
		case KindHandover:
			h := Handover{Giver: deux, Roster: seqs(t), Digest: [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "digest"))}
			first := rapid.IntRange(1000, 90000).Draw(t, "first")
			for i := range rapid.SampledFrom([]int{1, 2, 41, MaxCommunes}).Draw(t, "communes") {
				h.Communes = append(h.Communes, Commune([]byte(fmt.Sprintf("%05d", first+i))))
			}
			e.Body = h
		case KindPresence:
			e.Body = Presence{}
		default:
			t.Fatalf("kind %d is not drawn", k)
		}
		return e
	})
}

func mustRelease(o Odometer, q Quarter, cells []int32) Release {
	receipt, err := o.Charge(1, q)
	if err != nil {
		panic(err)
	}
	r, err := receipt.Release(cells)
	if err != nil {
		panic(err)
	}
	return r
}

// TestEntries: an entry is read as what was said, and has one form only.
func TestEntries(t *testing.T) {
	if *long {
		flag.Set("rapid.checks", "20000")
	}
	rapid.Check(t, func(t *rapid.T) {
		e := entries().Draw(t, "entry")
		b, err := Encode(e)
		if err != nil {
			t.Fatalf("%+v: %v", e, err)
		}
		got, err := Decode(b)
		if err != nil || !reflect.DeepEqual(got, e) {
			t.Fatalf("got %+v, %v; want %+v", got, err, e)
		}
		// Whatever else is read is another entry, in its own one form.
		bad := slices.Clone(b)
		for range rapid.IntRange(1, 3).Draw(t, "faults") {
			bad[rapid.IntRange(0, len(bad)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		}
		for _, bad := range [][]byte{bad, b[:len(b)-1], append(slices.Clone(b), 0), append(slices.Clone(b), b...)} {
			got, err := Decode(bad)
			if err != nil {
				if !errors.Is(err, ErrForm) && !errors.Is(err, ErrKind) && !errors.Is(err, ErrRange) || got.Body != nil {
					t.Fatalf("%x: %+v, %v", bad, got, err)
				}
				continue
			}
			if again, err := Encode(got); err != nil || !bytes.Equal(again, bad) {
				t.Fatalf("%x was read as %x, %v", bad, again, err)
			}
		}
	})
}

// examples has one entry of each kind, for the golden vectors.
func examples() (out []Entry) {
	mine, theirs := uint64(7), Ref{From: deux, Epoch: 2, Seq: 300}
	cells := make([]int32, Cells(1))
	for i := range cells {
		cells[i] = int32(i * i)
		if i >= institutions && i%3 == 0 {
			cells[i] = -cells[i]
		}
	}
	for _, m := range []Message{
		mustRelease(Odometer{Last: 24, Any: true, Spent: [units]Micro{0, 1_000_000, 1_000_000}}, 25, cells), Retract{Seq: mine},
		Offer{Category: Shopping, From: 2518, Weeks: 4, Slots: 10, Radius: Near, Languages: French | Occitan | FrenchSign}, Withdraw{Offer: mine},
		Accept{Interest: theirs}, Decline{Interest: theirs, Why: NotThen}, Lapse{Interest: theirs},
		Interest{Offer: theirs, Slots: 2, Week: 12}, Renounce{Interest: mine}, Ack{Interest: mine}, Close{Interest: theirs, Outcome: PartlyHad},
		Handover{Giver: deux, Communes: []Commune{Commune([]byte("2A004")), Commune([]byte("33352"))}, Roster: 12, Digest: [32]byte{1, 31: 0xff}}, Presence{},
	} {
		out = append(out, Entry{From: reole, Epoch: 1, Seq: 1000, Day: 2514, Body: m})
	}
	return out
}

func vectors(t testing.TB) (names []string, all [][]byte) {
	t.Helper()
	for _, e := range examples() {
		name := strings.Replace(fmt.Sprintf("%02d-%T.hex", e.Body.Kind(), e.Body), "public.", "", 1)
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := hex.DecodeString(strings.ReplaceAll(string(b), "\n", ""))
		if err != nil {
			t.Fatal(err)
		}
		names, all = append(names, name), append(all, raw)
	}
	return names, all
}

// TestGoldenEntries: the bytes are in feeds that are kept for ever.
func TestGoldenEntries(t *testing.T) {
	var kinds []Kind
	for _, e := range examples() {
		kinds = append(kinds, e.Body.Kind())
		b, err := Encode(e)
		if err != nil {
			t.Fatalf("%T: %v", e.Body, err)
		}
		if *update {
			name := strings.Replace(fmt.Sprintf("%02d-%T.hex", e.Body.Kind(), e.Body), "public.", "", 1)
			var lines strings.Builder
			for part := range slices.Chunk([]byte(hex.EncodeToString(b)), 96) {
				lines.WriteString(string(part) + "\n")
			}
			if err := os.WriteFile(filepath.Join("testdata", name), []byte(lines.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !slices.Equal(kinds, Kinds()) || !slices.IsSorted(kinds) {
		t.Errorf("examples are of kinds %v, a territory says %v", kinds, Kinds())
	}
	names, golden := vectors(t)
	for i, e := range examples() {
		b, _ := Encode(e)
		if !bytes.Equal(b, golden[i]) {
			t.Errorf("%T is encoded otherwise than in %s", e.Body, names[i])
		}
		if got, err := Decode(golden[i]); err != nil || !reflect.DeepEqual(got, e) {
			t.Errorf("%s is read as %+v, %v", names[i], got, err)
		}
	}
	if files, _ := filepath.Glob("testdata/*.hex"); len(files) != len(golden) {
		t.Errorf("%d vectors for %d kinds: a vector stays for ever", len(files), len(golden))
	}
	// One by hand: version 1, 200044394, epoch 1, place 1000, day 2514, kind 40, nothing.
	if got, want := hex.EncodeToString(golden[len(golden)-1]), "87"+"01"+"1a0bec6f6a"+"01"+"1903e8"+"1909d2"+"1828"+"80"; got != want {
		t.Errorf("a presence is %s, want %s", got, want)
	}
}

// TestSchemas: the roster names these digests.
func TestSchemas(t *testing.T) {
	b, err := os.ReadFile("testdata/schemas.txt")
	if err != nil && !*update {
		t.Fatal(err)
	}
	var got strings.Builder
	seen := map[[32]byte]bool{}
	for _, k := range Kinds() {
		s := SchemaOf(k)
		fmt.Fprintf(&got, "%d %d %x\n", s.Kind, s.Version, s.Digest)
		if seen[s.Digest] {
			t.Errorf("kind %d has the digest of another one", k)
		}
		seen[s.Digest] = true
	}
	if *update {
		if err := os.WriteFile("testdata/schemas.txt", []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		b = []byte(got.String())
	}
	if got.String() != string(b) {
		t.Errorf("forms have changed: peers and rosters know others\ngot\n%swant\n%s", got.String(), b)
	}
	for _, want := range []string{"Release{Catalogue:uint16 uint16;Quarter:Quarter uint16;Spent:[3]Micro uint32;Cells:[]Noised{n:int32 int32;};}", "{8 1 13 320000 2}"} {
		if have := schemaText(KindRelease); !strings.Contains(have, want) {
			t.Errorf("%s is not in %s", want, have)
		}
	}
	if seen[SchemaOf(50).Digest] || seen[SchemaOf(99).Digest] {
		t.Error("a kind that no territory may say has a form")
	}
}

// TestBounds: each number just beyond its bound is refused, both ways.
func TestBounds(t *testing.T) {
	ok := examples()
	release := ok[0].Body.(Release)
	cells := func(i int, n int32) Release {
		r := release
		r.Cells = slices.Clone(r.Cells)
		r.Cells[i] = Noised{n}
		return r
	}
	spent := func(u Unit, n Micro) Release {
		r := release
		r.Spent[u] = n
		return r
	}
	offer, interest, handover := ok[2].Body.(Offer), ok[7].Body.(Interest), ok[11].Body.(Handover)
	with := func(f func(*Offer)) Offer { o := offer; f(&o); return o }
	giving := func(f func(*Handover)) Handover {
		h := handover
		h.Communes = slices.Clone(h.Communes)
		f(&h)
		return h
	}
	many := func(n int) (out []Commune) {
		for i := range n {
			out = append(out, Commune([]byte(fmt.Sprintf("%05d", 10000+i))))
		}
		return out
	}
	no := Ref{From: deux + 1, Epoch: 1}
	for i, m := range []Message{
		cells(0, -1), cells(institutions, MaxCell+1), cells(institutions, -MaxCell-1), spent(Person, MaxSpending+1), spent(Person, 999_999), spent(Institution, 1),
		Release{Catalogue: 2, Quarter: 1, Spent: release.Spent, Cells: release.Cells}, Release{Catalogue: 1, Quarter: LastQuarter + 1, Spent: release.Spent, Cells: release.Cells},
		Release{Catalogue: 1, Quarter: 1, Spent: release.Spent, Cells: release.Cells[1:]}, Release{Catalogue: 1, Quarter: 1, Spent: release.Spent}, Release{},
		Retract{Seq: 1000}, Withdraw{Offer: 1000}, Renounce{Interest: 1001}, Ack{Interest: MaxSeq + 1},
		with(func(o *Offer) { o.Category = NoCategory }), with(func(o *Offer) { o.Category = Other + 1 }), with(func(o *Offer) { o.From++ }), with(func(o *Offer) { o.From = 65534 }),
		with(func(o *Offer) { o.Weeks = 0 }), with(func(o *Offer) { o.Weeks = MaxWeeks + 1 }), with(func(o *Offer) { o.Slots = 0 }), with(func(o *Offer) { o.Slots = MaxSlots + 1 }),
		with(func(o *Offer) { o.Radius = 0 }), with(func(o *Offer) { o.Radius = ByPhone + 1 }), with(func(o *Offer) { o.Languages = FrenchSign << 1 }),
		Interest{Offer: interest.Offer, Slots: 0}, Interest{Offer: interest.Offer, Slots: MaxSlots + 1}, Interest{Offer: interest.Offer, Slots: 1, Week: MaxWeeks}, Interest{Offer: no, Slots: 1},
		Accept{Interest: no}, Accept{Interest: Ref{From: deux}}, Accept{Interest: Ref{From: deux, Epoch: 1, Seq: MaxSeq + 1}}, Lapse{Interest: no},
		Decline{Interest: interest.Offer}, Decline{Interest: interest.Offer, Why: WhyCalled + 1}, Close{Interest: interest.Offer}, Close{Interest: interest.Offer, Outcome: PartlyHad + 1},
		giving(func(h *Handover) { h.Giver++ }), giving(func(h *Handover) { h.Communes = nil }), giving(func(h *Handover) { h.Communes = many(MaxCommunes + 1) }),
		giving(func(h *Handover) { slices.Reverse(h.Communes) }), giving(func(h *Handover) { h.Communes[1] = h.Communes[0] }), giving(func(h *Handover) { h.Communes[0] = Commune([]byte("Paris")) }),
		giving(func(h *Handover) { h.Roster = MaxSeq + 1 }), nil,
	} {
		e := ok[0]
		e.Body = m
		if b, err := Encode(e); !errors.Is(err, ErrRange) {
			t.Errorf("%d, %+v: said as %x, %v", i, m, b, err)
		}
	}
	for _, e := range []Entry{
		{From: 0, Epoch: 1, Body: Presence{}}, {From: reole + 1, Epoch: 1, Body: Presence{}}, {From: reole, Epoch: 0, Body: Presence{}}, {From: reole, Epoch: 1, Seq: MaxSeq + 1, Body: Presence{}},
	} {
		if _, err := Encode(e); !errors.Is(err, ErrRange) {
			t.Errorf("%+v: %v", e, err)
		}
		b, err := encoding.Marshal(entryWire{Version: 1, From: e.From, Epoch: e.Epoch, Seq: e.Seq, Kind: KindPresence, Body: []byte{0x80}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(b); !errors.Is(err, ErrRange) {
			t.Errorf("%x: %v", b, err)
		}
	}
}

// TestOneForm: other ways to write the same entry are refused.
func TestOneForm(t *testing.T) {
	const head, tail = "011a0bec6f6a01", "1909d2182880"
	for name, h := range map[string]string{
		"a longer number":     "87" + head + "1a000003e8" + tail,
		"an array too long":   "88" + head + "1903e8" + tail + "00",
		"an array too short":  "86" + head + "1903e8" + "1909d21828",
		"indefinite":          "9f" + head + "1903e8" + tail + "ff",
		"a tag":               "d9d9f787" + head + "1903e8" + tail,
		"a float":             "87" + head + "f963d0" + tail,
		"null for a body":     "87" + head + "1903e8" + "1909d21828f6",
		"a map for a body":    "87" + head + "1903e8" + "1909d21828a0",
		"another version":     "8702" + "1a0bec6f6a01" + "1903e8" + tail,
		"null":                "f6",
		"words":               "6562697070 6f70",
		"a body with a field": "87" + head + "1903e8" + "1909d218288100",
		"null for a number":   "87" + head + "1903e8" + "1909d20281f6",
	} {
		b, err := hex.DecodeString(strings.ReplaceAll(h, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		if e, err := Decode(b); !errors.Is(err, ErrForm) {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
	for _, kind := range []string{"00", "1832", "1833", "1863", "19ffff"} {
		b, _ := hex.DecodeString("87" + head + "1903e8" + "1909d2" + kind + "80")
		if _, err := Decode(b); !errors.Is(err, ErrKind) {
			t.Errorf("kind %s: %v", kind, err)
		}
	}
	if _, err := Decode(make([]byte, MaxEntry+1)); !errors.Is(err, ErrForm) {
		t.Errorf("too long: %v", err)
	}
}

// FuzzEntry: whatever is read as an entry is that entry's bytes.
func FuzzEntry(f *testing.F) {
	_, golden := vectors(f)
	for _, b := range golden {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := Decode(b)
		if err != nil {
			return
		}
		if again, err := Encode(e); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x was read as %x, %v", b, again, err)
		}
		if r, ok := e.Body.(Release); ok {
			if sum := len(r.Group(GroupActions)); sum != categories {
				t.Fatalf("%d cells of actions", sum)
			}
		}
	})
}

// TestReceipt: outside this package nobody makes a noised number without a receipt.
// Its field is not exported, no method writes one, and nothing exported answers one,
// or a release, but what is listed here.
func TestReceipt(t *testing.T) {
	if typ := reflect.TypeFor[Noised](); typ.NumField() != 1 || typ.Field(0).IsExported() || reflect.PointerTo(typ).NumMethod() != 1 {
		t.Error("a noised number can be written from outside")
	}
	if reflect.TypeFor[Receipt]().NumField() != 3 || slices.ContainsFunc(reflect.VisibleFields(reflect.TypeFor[Receipt]()), func(f reflect.StructField) bool { return f.IsExported() }) {
		t.Error("a receipt can be written from outside")
	}
	if _, err := (Receipt{}).Release(make([]int32, Cells(1))); !errors.Is(err, ErrRange) {
		t.Errorf("no receipt, and yet: %v", err)
	}
	var lone Release
	good, err := encoding.Marshal(examples()[0].Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := decoding.Unmarshal(good, &lone); err == nil {
		t.Error("a lone release is read without its entry")
	}
	allowed := []string{"Receipt.Release", "Release.Group"}
	var found []string
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || !fn.Name.IsExported() || fn.Type.Results == nil {
				continue
			}
			answers := false
			ast.Inspect(fn.Type.Results, func(n ast.Node) bool {
				id, ok := n.(*ast.Ident)
				answers = answers || ok && (id.Name == "Noised" || id.Name == "Release")
				return true
			})
			if answers {
				name := fn.Name.Name
				if fn.Recv != nil {
					name = fn.Recv.List[0].Type.(*ast.Ident).Name + "." + name
				}
				found = append(found, name)
			}
		}
	}
	if slices.Sort(found); !slices.Equal(found, allowed) {
		t.Errorf("these make releases: %v, allowed are %v", found, allowed)
	}
}
