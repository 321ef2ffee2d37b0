package public

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestOdometer: whatever a territory asks for, each quarter is released at most
// once, in order, and no unit spends more than a year's budget in a civil year.
// Who reads the feed comes to the same.
func TestOdometer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var o, reader Odometer
		spent := map[int][units]Micro{}
		released := map[Quarter]bool{}
		last := -1
		for range rapid.IntRange(1, 60).Draw(t, "tries") {
			q := Quarter(max(0, last+rapid.IntRange(-3, 3).Draw(t, "quarter")))
			version := uint16(rapid.SampledFrom([]int{1, 1, 1, 1, 0, 2}).Draw(t, "version"))
			receipt, err := o.Charge(version, q)
			switch {
			case version != 1:
				if !errors.Is(err, ErrRange) {
					t.Fatalf("catalogue %d: %v", version, err)
				}
				continue
			case int(q) <= last:
				if !errors.Is(err, ErrOrder) {
					t.Fatalf("%v after %d: %v", q, last, err)
				}
				continue
			case err != nil:
				t.Fatalf("%v after %d: %v", q, last, err)
			}
			r, err := receipt.Release(make([]int32, Cells(1)))
			if err != nil || released[q] {
				t.Fatalf("%v: %v; released before: %v", q, err, released[q])
			}
			released[q], last = true, int(q)
			year, _ := q.Year()
			sum := spent[year]
			for _, g := range Catalogue(1) {
				if g.Unit != Institution {
					sum[g.Unit] += g.Budget
				}
			}
			spent[year] = sum
			if sum != r.Spent || sum[Person] > MaxSpending || sum[Helper] > MaxSpending {
				t.Fatalf("%v has spent %v, says %v", q, sum, r.Spent)
			}
			o = receipt.After()
			// A reader who is told less than was spent, or a quarter twice, notices.
			cheat := r
			cheat.Spent[Person] -= 1
			if _, err := reader.Follow(cheat); !errors.Is(err, ErrBudget) {
				t.Fatalf("a release that hides what it spent: %v", err)
			}
			if reader, err = reader.Follow(r); err != nil || reader != o {
				t.Fatalf("the reader has %+v, %v; the territory %+v", reader, err, o)
			}
			if again, err := reader.Follow(r); !errors.Is(err, ErrOrder) || again != reader {
				t.Fatalf("once more: %+v, %v", again, err)
			}
		}
	})
}

// TestBudget: a fifth release in a year would need one quarter twice; were budgets
// larger, the odometer would stop it, and it does not overflow.
func TestBudget(t *testing.T) {
	for _, spent := range []Micro{MaxSpending, MaxSpending - 999_999, 1<<32 - 1} {
		o := Odometer{Last: 0, Any: true, Spent: [units]Micro{0, spent, 0}}
		if _, err := o.Charge(1, 1); !errors.Is(err, ErrBudget) {
			t.Errorf("spent %d: %v", spent, err)
		}
		if r, err := o.Charge(1, 4); err != nil || r.After().Spent != [units]Micro{0, 1_000_000, 1_000_000} {
			t.Errorf("the next year begins with %v, %v", r.After().Spent, err)
		}
	}
	if _, err := (Odometer{}).Charge(1, LastQuarter+1); !errors.Is(err, ErrRange) {
		t.Errorf("a quarter beyond the last: %v", err)
	}
	if Cost(1, Person) != 1_000_000 || Cost(1, Helper) != 1_000_000 || Cost(1, Institution) != 0 || MaxSpending != 4_000_000 {
		t.Error("a quarter is not ε = 1 for everybody, or four of them are not what a year has")
	}
}

// TestCatalogue pins what was promised.
func TestCatalogue(t *testing.T) {
	at := 0
	for _, g := range Catalogue(1) {
		if (g.Unit == Institution) != (g.Bound == 0) || (g.Bound == 0) != (g.Budget == 0) || g.Cells == 0 {
			t.Errorf("%+v", g)
		}
		if place, same, ok := Place(1, g.Number); !ok || place != at || same != g {
			t.Errorf("group %d stands at %d, %v; want %d", g.Number, place, ok, at)
		}
		at += int(g.Cells)
	}
	if at != Cells(1) || at != 60 {
		t.Errorf("%d cells, %d", at, Cells(1))
	}
	if _, _, ok := Place(1, 99); ok || Cells(2) != 0 || Catalogue(0) != nil {
		t.Error("what is unknown has a place")
	}
	for n, want := range map[uint16]int{1: 0, 2: 0, 13: 0, 14: 1, 16: 1, 17: 2, 20: 2, 21: 3, 26: 3, 27: 4, 1<<16 - 1: 4} {
		if got := OftenOf(n); got != want {
			t.Errorf("%d times is in cell %d, want %d", n, got, want)
		}
	}
	// How much the bound of all actions has cut off is known from the second cell on.
	if _, done, _ := Place(1, GroupDone); OftenOf(done.Bound) != 0 || OftenOf(done.Bound+1) != 1 || DoneCell(Ride) != 0 || DoneCell(NoCategory) != int(done.Cells)-1 {
		t.Error("how often somebody is helped and the bound of actions do not go together")
	}
	if HelpedCell(Man, From90) != sexes*ageBands-1 || ActionCell(NoCategory) != ActionCell(Other) || ActionCell(Other) != categories-1 || ActionCell(Visit) != 0 {
		t.Error("cells of a group reach beyond it")
	}
	if Clamp(1<<40) != MaxCell || Clamp(-1<<40) != -MaxCell || Clamp(-5) != -5 {
		t.Error("clamping")
	}
}

func TestCalendar(t *testing.T) {
	for d := range 1 << 16 {
		day := Day(d)
		at := day.Time()
		if DayOf(at) != day || DayOf(at.Add(24*time.Hour-1)) != day || day.Monday() != (at.Weekday() == time.Monday) {
			t.Fatalf("day %d is %v", d, at)
		}
		q := QuarterAt(day)
		if year, n := q.Year(); year != at.Year() || n != (int(at.Month())-1)/3+1 || q.First().Year() != year {
			t.Fatalf("%v is in %v", at, q)
		}
		if day >= q.End() || QuarterAt(q.End()) != q+1 || q > 0 && day < (q-1).End() {
			t.Fatalf("%v does not end with %v", q, q.End().Time())
		}
		if q == LastQuarter {
			break
		}
	}
	if DayOf(time.Date(2019, 12, 31, 23, 59, 59, 0, time.UTC)) != 0 || DayOf(time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC)) != 0 || DayOf(time.Date(2400, 1, 1, 0, 0, 0, 0, time.UTC)) != 1<<16-1 {
		t.Error("days beyond the ends")
	}
	if Quarter(27).String() != "2026-T4" {
		t.Error(Quarter(27))
	}
}

func TestSiren(t *testing.T) {
	for _, s := range []string{"200044394", "200069599", "223300013"} {
		if n, err := ParseSiren(s); err != nil || n.String() != s {
			t.Errorf("%s: %v, %v", s, n, err)
		}
	}
	for _, s := range []string{"", "20004439", "2000443940", "200044395", "20004439a", "000000000", "+20004439", "２00044394"} {
		if n, err := ParseSiren(s); err == nil || n != 0 {
			t.Errorf("%q: %v, %v", s, n, err)
		}
	}
	if Siren(1_000_000_008).Valid() || Siren(0).Valid() {
		t.Error("ten digits, or none")
	}
}
