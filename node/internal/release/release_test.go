package release_test

import (
	"flag"
	"slices"
	"testing"
	"time"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/release"
	"github.com/bippop/bippop/node/internal/when"
	"pgregory.net/rapid"
)

// facts draws what can be said of somebody.
func facts(t *rapid.T, u *release.Use) []release.Change {
	switch rapid.IntRange(0, 9).Draw(t, "fact") {
	case 0:
		return u.Request()
	case 1:
		return u.Fate(rapid.IntRange(public.FateDay, public.FateNotDone).Draw(t, "fate"))
	case 2:
		return u.Enrol()
	case 3:
		return u.Bond()
	case 4:
		return u.Join()
	case 5:
		return u.Offer()
	case 6, 7:
		return u.Gave(rapid.SampledFrom([]uint16{0, 1, 30, 59, 60, 61, 600, 1440, 1<<16 - 1}).Draw(t, "minutes"))
	}
	c := public.Cell{
		Category: public.Category(rapid.IntRange(0, int(public.Other)).Draw(t, "category")),
		Sex:      public.Sex(rapid.IntRange(0, int(public.Man)).Draw(t, "sex")), Age: public.AgeBand(rapid.IntRange(0, int(public.From90)).Draw(t, "age")),
	}
	return u.HelpedBy(c, rapid.IntRange(0, 3).Draw(t, "helpers"))
}

// TestBounds: whatever is said of one person in a quarter, however often, it changes
// each group of the vector by at most the group's bound in all its cells together.
func TestBounds(t *testing.T) {
	if *long {
		flag.Set("rapid.checks", "20000")
	}
	full := map[public.GroupNumber]bool{}
	rapid.Check(t, func(t *rapid.T) {
		with, without := release.NewVector(20), release.NewVector(20)
		uses := make([]release.Use, 3)
		for range rapid.IntRange(0, 400).Draw(t, "facts") {
			who := rapid.IntRange(0, len(uses)-1).Draw(t, "who")
			changes := facts(t, &uses[who])
			with = with.Apply(changes)
			if who > 0 {
				without = without.Apply(changes)
			}
		}
		at := 0
		for _, g := range public.Catalogue(release.Version) {
			l1 := int32(0)
			for i := at; i < at+int(g.Cells); i++ {
				if with.Cells[i] < 0 {
					t.Fatalf("cell %d is %d", i, with.Cells[i])
				}
				l1 += max(with.Cells[i]-without.Cells[i], without.Cells[i]-with.Cells[i])
			}
			if l1 > int32(g.Bound) {
				t.Fatalf("one person changes group %d by %d, bound %d", g.Number, l1, g.Bound)
			}
			if l1 == int32(g.Bound) {
				full[g.Number] = true
			}
			at += int(g.Cells)
		}
	})
	for _, g := range public.Catalogue(release.Version) {
		if !full[g.Number] {
			t.Errorf("nobody has used the bound of group %d up: the law was not tried there", g.Number)
		}
	}
}

func cell(t *testing.T, v release.Vector, n public.GroupNumber, i int) int32 {
	t.Helper()
	at, _, ok := public.Place(v.Catalogue, n)
	if !ok {
		t.Fatalf("no group %d", n)
	}
	return v.Cells[at+i]
}

// TestCounted: one quarter of one person and of one volunteer, worked out by hand.
func TestCounted(t *testing.T) {
	v := release.NewVector(27)
	var she, he release.Use
	ride := public.Cell{Category: public.Ride, Sex: public.Woman, Age: public.From85}
	for n := range 30 {
		v = v.Apply(she.HelpedBy(ride, 1+n%2)).Apply(he.Gave(95))
		often := make([]int32, len(public.Oftens()))
		often[public.OftenOf(uint16(n+1))] = 1
		for i, want := range often {
			if got := cell(t, v, public.GroupOften, i); got != want {
				t.Fatalf("after %d times cell %d of how often holds %d", n+1, i, got)
			}
		}
		if got, want := cell(t, v, public.GroupHours, 0), int32(min(40, (n+1)*95/60)); got != want {
			t.Fatalf("after %d minutes: %d hours, want %d", (n+1)*95, got, want)
		}
		if all, rides := cell(t, v, public.GroupDone, public.DoneCell(public.Ride)), cell(t, v, public.GroupActions, public.ActionCell(public.Ride)); all != int32(min(13, n+1)) || rides != int32(min(3, n+1)) {
			t.Fatalf("%d actions count %d, and by category %d", n+1, all, rides)
		}
		if got := cell(t, v, public.GroupPaired, 0); got != int32(min(2, (n+1)/2)) {
			t.Fatalf("%d visits by two count %d", (n+1)/2, got)
		}
	}
	if cell(t, v, public.GroupHelped, public.HelpedCell(public.Woman, public.From85)) != 1 {
		t.Error("she is not counted once")
	}
	for range 9 {
		v = v.Apply(she.Request()).Apply(she.Fate(public.FateWeek)).Apply(she.Fate(public.FateCancelled))
	}
	if a, b, c := cell(t, v, public.GroupRequests, public.FateRequested), cell(t, v, public.GroupRequests, public.FateWeek), cell(t, v, public.GroupRequests, public.FateCancelled); a != 4 || b != 2 || c != 2 {
		t.Errorf("requests %d, of which %d in a week and %d cancelled", a, b, c)
	}
	if cell(t, v, public.GroupHelpers, 0) != 1 || he.Came != 1 {
		t.Error("he is not counted once")
	}
	if u := (release.Use{Helped: 27, Recorded: 4, Fates: 4, Paired: 2}); she != u {
		t.Errorf("kept of her: %+v", she)
	}
}

// TestOpen: for a quarter something counts from two days before until two days
// after it, and it may be frozen exactly when nothing counts any more.
func TestOpen(t *testing.T) {
	first := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	end := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	q := public.QuarterAt(public.DayOf(first))
	for at, want := range map[time.Time]bool{
		first.Add(-48*time.Hour - time.Second): false, first.Add(-48 * time.Hour): true, first: true, end: true,
		end.Add(48*time.Hour - time.Second): true, end.Add(48 * time.Hour): false, end.Add(10 * 24 * time.Hour): false,
	} {
		if got := release.Open(q, when.Of(at)); got != want {
			t.Errorf("%v: open %v", at, got)
		}
		if over := release.Over(q, when.Of(at)); over != (at.After(end) && !want) {
			t.Errorf("%v: over %v", at, over)
		}
	}
	if release.Next(public.Odometer{}, 7) != 7 || release.Next(public.Odometer{Last: 9, Any: true}, 7) != 10 || release.Next(public.Odometer{Last: 0, Any: true}, 7) != 7 {
		t.Error("another quarter is next")
	}
}

// TestTally: quarters stand apart and in order, and go when they are over.
func TestTally(t *testing.T) {
	end := when.Of(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
	tally := release.Tally{Collection: 1}.With(release.Use{Quarter: 28, Helped: 3}).With(release.Use{Quarter: 27, Helped: 5})
	if tally.Uses[0].Quarter != 27 || len(tally.Uses) != 2 {
		t.Fatalf("%+v", tally)
	}
	u, rest := tally.Of(27)
	if u.Helped != 5 || len(rest.Uses) != 1 || len(tally.Uses) != 2 {
		t.Fatalf("%+v, %+v, %+v", u, rest, tally)
	}
	if u, _ := tally.Of(29); u != (release.Use{Quarter: 29}) {
		t.Fatalf("%+v", u)
	}
	if left, less := tally.Pruned(end + 86400_000); less || len(left.Uses) != 2 {
		t.Fatal("pruned too soon")
	}
	left, less := tally.Pruned(end + 2*86400_000)
	if !less || !slices.Equal(left.Uses, []release.Use{{Quarter: 28, Helped: 3}}) || len(tally.Uses) != 2 {
		t.Fatalf("%+v", left)
	}
}

// TestTakenBack: no cell falls below none.
func TestTakenBack(t *testing.T) {
	v := release.NewVector(27)
	in, out := release.Change{Group: public.GroupEnrolled, N: 400}, release.Change{Group: public.GroupEnrolled, N: -401}
	if w := v.Apply([]release.Change{in}).Apply([]release.Change{out}); !slices.Equal(w.Cells, v.Cells) {
		t.Errorf("%v", w.Cells)
	}
}
