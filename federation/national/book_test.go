package national

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/bippop/bippop/federation/public"
	"pgregory.net/rapid"
)

// sirens are n numbers with right check digits.
func sirens(n int) (out []public.Siren) {
	for s := public.Siren(200_000_000); len(out) < n; s++ {
		if s.Valid() {
			out = append(out, s)
		}
	}
	return out
}

// teller writes the feed of one territory.
type teller struct {
	from public.Siren
	seq  uint64
	odo  public.Odometer
}

func (f *teller) say(m public.Message, day public.Day) public.Entry {
	e := public.Entry{From: f.from, Epoch: 1, Seq: f.seq, Day: day, Body: m}
	f.seq++
	return e
}

func (f *teller) release(q public.Quarter, cells []int32) public.Entry {
	receipt, err := f.odo.Charge(1, q)
	if err != nil {
		panic(err)
	}
	body, err := receipt.Release(cells)
	if err != nil {
		panic(err)
	}
	f.odo = receipt.After()
	return f.say(body, q.End()+10)
}

// one has n in a cell of a group.
func one(g public.GroupNumber, cell int, n int32) []int32 {
	cells := make([]int32, public.Cells(1))
	at, _, _ := public.Place(1, g)
	cells[at+cell] = n
	return cells
}

// TestOrder: whatever the order in which entries come, and however often, the figures
// are the same; what was retracted is not in them; a territory counts once a quarter.
func TestOrder(t *testing.T) {
	if *long {
		t.Log("long")
	}
	rapid.Check(t, func(t *rapid.T) {
		var entries []public.Entry
		want := map[public.Quarter]int64{}
		members := sirens(4)
		reported := map[public.Siren]bool{}
		const last = 23
		for _, siren := range members {
			f := &teller{from: siren}
			q := public.Quarter(20)
			for range rapid.IntRange(0, 4).Draw(t, "quarters") {
				n := rapid.Int32Range(-50, 500).Draw(t, "n")
				e := f.release(q, one(public.GroupActions, 3, n))
				entries = append(entries, e)
				if rapid.IntRange(0, 3).Draw(t, "retracted") == 0 {
					entries = append(entries, f.say(public.Retract{Seq: e.Seq}, e.Day+3))
				} else {
					want[q] += int64(n)
					reported[siren] = reported[siren] || q == last
				}
				if rapid.Bool().Draw(t, "presence") {
					entries = append(entries, f.say(public.Presence{}, e.Day+5))
				}
				q += public.Quarter(rapid.IntRange(1, 2).Draw(t, "step"))
			}
		}
		book, other := NewBook(), NewBook()
		for _, e := range entries {
			if err := book.Take(e); err != nil {
				t.Fatal(err)
			}
		}
		for _, e := range rapid.Permutation(append(slices.Clone(entries), entries...)).Draw(t, "order") {
			if err := other.Take(e); err != nil {
				t.Fatal(err)
			}
		}
		sum := int64(0)
		for q := public.Quarter(20); q < 30; q++ {
			sum += want[q]
			if got := book.Totals(Span{q, q}).Sum(public.GroupActions).N; got != want[q] {
				t.Fatalf("%v: %d, want %d", q, got, want[q])
			}
		}
		whole := Span{20, 29}
		if got := book.Totals(whole); got.Sum(public.GroupActions, 3).N != sum || !reflect.DeepEqual(got, other.Totals(whole)) {
			t.Fatalf("%+v and %+v, want %d", got, other.Totals(whole), sum)
		}
		if !reflect.DeepEqual(book.Totals(whole), book.Totals(whole, append(members, members...)...)) {
			t.Fatal("a territory that is named twice counts twice")
		}
		c := book.Coverage(members, last)
		if !reflect.DeepEqual(c, other.Coverage(members, last)) || len(c.Reported)+len(c.Silent) != len(members) {
			t.Fatalf("%+v", c)
		}
		for _, r := range c.Reported {
			if !reported[r.Siren] || r.Last < last || r.Faults != 0 {
				t.Fatalf("%+v has reported", r)
			}
		}
		for _, r := range c.Silent {
			if reported[r.Siren] {
				t.Fatalf("%+v is silent", r)
			}
		}
	})
}

// TestFaults: who releases a quarter twice, in a new epoch, or hides what he spent,
// is counted once and named.
func TestFaults(t *testing.T) {
	book, siren := NewBook(), sirens(1)[0]
	f := &teller{from: siren}
	if err := book.Take(f.release(24, one(public.GroupEnrolled, 0, 100))); err != nil {
		t.Fatal(err)
	}
	again := &teller{from: siren}
	second := again.release(24, one(public.GroupEnrolled, 0, 900))
	if err := book.Take(second); !errors.Is(err, ErrContradiction) {
		t.Errorf("another entry in one place: %v", err)
	}
	second.Epoch = 2
	hidden := again.release(26, one(public.GroupEnrolled, 0, 900)) // pays for two
	hidden.Epoch = 2
	hides := (&teller{from: siren}).release(27, one(public.GroupEnrolled, 0, 7000)) // pays for one
	hides.Epoch, hides.Seq = 2, 9
	for _, e := range []public.Entry{second, hidden, hides} {
		if err := book.Take(e); err != nil {
			t.Fatal(err)
		}
	}
	if got := book.Totals(Year(2026)); got.Sum(public.GroupEnrolled).N != 1000 || got.Releases != 2 || got.Territories != 1 {
		t.Errorf("%+v", got)
	}
	if c := book.Coverage([]public.Siren{siren}, 26); len(c.Reported) != 1 || c.Reported[0].Faults != 2 {
		t.Errorf("%+v", c)
	}
}

// TestTrend: a line is of those who released every quarter of it.
func TestTrend(t *testing.T) {
	book, s := NewBook(), sirens(3)
	steady, late := &teller{from: s[0]}, &teller{from: s[1]}
	for q := public.Quarter(24); q < 28; q++ {
		if err := book.Take(steady.release(q, one(public.GroupBonds, 0, int32(q)))); err != nil {
			t.Fatal(err)
		}
		if q >= 26 {
			if err := book.Take(late.release(q, one(public.GroupBonds, 0, 1000))); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, got := range book.Trend(Year(2026)) {
		if got.Sum(public.GroupBonds).N != int64(24+i) || got.Territories != 1 {
			t.Errorf("%v: %+v", got.Span, got)
		}
	}
	if got := book.Trend(Span{20, 21}); len(got) != 2 || got[0].Territories != 0 || got[0].Actions() != (Figure{}) {
		t.Errorf("nobody: %+v", got)
	}
	if c := book.Coverage(s, 24); len(c.Reported) != 1 || len(c.Silent) != 2 || c.Silent[0].Siren != s[2] || c.Silent[0].Known || c.Silent[1].Last != 27 {
		t.Errorf("%+v", c)
	}
	sizes := map[public.Siren]int{s[0]: 1000, s[1]: 2100, s[2]: 500}
	if got := Like(s[0], sizes, 5); !slices.Equal(got, []public.Siren{s[2], s[1]}) || len(Like(s[0], sizes, 1)) != 1 || Like(1, sizes, 1) != nil {
		t.Errorf("%v", got)
	}
}

// TestParts: no number below eleven is shown, none is left out, and nothing is told
// but sums of what was released.
func TestParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cells := rapid.SliceOfN(rapid.Int64Range(-30, 40), 1, 11).Draw(t, "cells")
		next := 0
		for _, p := range join(cells) {
			sum := int64(0)
			for _, n := range cells[p.First : p.Last+1] {
				sum += n
			}
			switch {
			case p.First != next, p.Small && (p.N != 0 || p.First != 0 || p.Last != len(cells)-1), !p.Small && (p.N < Least || p.N != sum):
				t.Fatalf("%v are shown as %+v", cells, join(cells))
			}
			next = p.Last + 1
		}
		if next != len(cells) {
			t.Fatalf("%v are shown as %+v", cells, join(cells))
		}
	})
	got := join([]int64{3, 4, 5, 20, 2, 30, 1})
	if want := []Part{{0, 2, 12, false}, {3, 3, 20, false}, {4, 6, 33, false}}; !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
	book, f := NewBook(), &teller{from: sirens(1)[0]}
	cells := one(public.GroupHelped, public.HelpedCell(public.Woman, public.From85), 9)
	at, _, _ := public.Place(1, public.GroupHelped)
	cells[at+public.HelpedCell(public.Man, public.From85)] = 8
	cells[at+public.HelpedCell(public.Woman, public.From90)] = 12
	if err := book.Take(f.release(24, cells)); err != nil {
		t.Fatal(err)
	}
	totals := book.Totals(Span{24, 24})
	if got := totals.ByAge(); !slices.Equal(got, []Part{{0, int(public.From85), 17, false}, {int(public.From90), int(public.From90), 12, false}}) {
		t.Errorf("%+v", got)
	}
	if got := totals.BySex(); !slices.Equal(got, []Part{{0, 2, 29, false}}) {
		t.Errorf("%+v", got)
	}
	if got := totals.Parts(public.GroupBonds); !slices.Equal(got, []Part{{0, 0, 0, true}}) {
		t.Errorf("%+v", got)
	}
}
