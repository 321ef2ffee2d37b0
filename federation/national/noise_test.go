package national

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/bippop/bippop/federation/public"
)

// laplace draws what the nodes' library draws: rounded to whole numbers.
func laplace(r *rand.Rand, scale float64) int32 {
	x := r.ExpFloat64() * scale
	if r.IntN(2) == 0 {
		x = -x
	}
	return int32(math.Round(x))
}

// TestWidth: of sums of n Laplace variables, and of mixtures of scales, 95 ± 1 % lie
// within the width.
func TestWidth(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	tries := 40_000
	if *long {
		tries = 400_000
	}
	for _, scales := range [][]float64{{1}, {20, 20}, {1, 1, 1}, {20, 1}, {20, 5, 5, 5}, repeat(7, 10), repeat(3, 100)} {
		var z noise
		for _, s := range scales {
			z = z.add(s, 1, 1)
		}
		in := 0
		for range tries {
			sum := 0.0
			for _, s := range scales {
				sum += s * (r.ExpFloat64() - r.ExpFloat64())
			}
			if math.Abs(sum) <= z.width() {
				in++
			}
		}
		if share := float64(in) / float64(tries); math.Abs(share-0.95) > 0.01 {
			t.Errorf("%v: %.4f of the sums lie within %.2f", scales[:min(4, len(scales))], share, z.width())
		}
	}
	if (noise{}).width() != 0 || math.Abs((noise{}).add(1, 1, 1).width()-math.Log(20)) > 1e-9 {
		t.Error("one variable, or none")
	}
}

func repeat(s float64, n int) (out []float64) {
	for range n {
		out = append(out, s)
	}
	return out
}

// world is what really happened in a quarter of some territories, and what they
// released of it.
type world struct {
	actions, helped, hours, enrolled, helpers, found, inDay, unfilled, mobile int64
}

// quarter makes up one quarter of a territory with that many people who are helped on
// average, bounds and releases it.
func quarter(r *rand.Rand, w *world, f *teller, q public.Quarter, people float64) public.Entry {
	cells := make([]int32, public.Cells(1))
	at := func(g public.GroupNumber) []int32 {
		i, group, _ := public.Place(1, g)
		return cells[i : i+int(group.Cells)]
	}
	for range poisson(r, people) {
		times := min(39, 1+int(r.ExpFloat64()*3.5)) // mean 4 and a long tail
		w.helped++
		w.actions += int64(times)
		at(public.GroupHelped)[public.HelpedCell(public.Sex(1+r.IntN(2)), public.AgeBand(3+r.IntN(5)))]++
		at(public.GroupOften)[public.OftenOf(uint16(times))]++
		for n := range times {
			c := public.Category(1 + r.IntN(int(public.Other)))
			if c.Mobility() {
				w.mobile++
			}
			if n < 6 {
				at(public.GroupActions)[public.ActionCell(c)]++
			}
		}
		for n := range min(times, 4) { // fates: the fifth and later are cut off
			fate := []int{public.FateDay, public.FateDay, public.FateTwoDays, public.FateWeek, public.FateLater, public.FateUnfilled}[r.IntN(6)]
			_ = n
			at(public.GroupRequests)[fate]++
			switch {
			case fate == public.FateUnfilled:
				w.unfilled++
			default:
				w.found++
				if fate == public.FateDay {
					w.inDay++
				}
			}
		}
		if r.IntN(4) == 0 {
			w.enrolled++
			at(public.GroupEnrolled)[0]++
		}
	}
	for range poisson(r, people/2) {
		times := 1 + int(r.ExpFloat64()*8)
		hours := times * 3 / 2
		w.helpers++
		w.hours += int64(hours)
		at(public.GroupHelpers)[public.OftenOf(uint16(times))]++
		at(public.GroupHours)[0] += int32(min(40, hours))
	}
	i := 0
	for _, g := range public.Catalogue(1) {
		for range g.Cells {
			if g.Budget > 0 {
				cells[i] += laplace(r, scale(g))
			}
			i++
		}
	}
	return f.release(q, cells)
}

func poisson(r *rand.Rand, mean float64) (n int) {
	for left := mean - r.ExpFloat64(); left > 0; left -= r.ExpFloat64() {
		n++
	}
	return n
}

// nation releases a year of n territories, whose sizes differ as those of EPCI do.
func nation(t testing.TB, r *rand.Rand, n int, people float64, span Span) (*Book, world) {
	t.Helper()
	book, w := NewBook(), world{}
	for _, siren := range sirens(n) {
		f := &teller{from: siren}
		size := people * math.Exp(r.NormFloat64()-0.5)
		for q := span.First; q <= span.Last; q++ {
			if err := book.Take(quarter(r, &w, f, q, size)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return book, w
}

// TestIntervals: over many nations that are simulated, the truth lies in the interval
// in 95 ± 1 % of them, for one territory and for many; where the bound has cut off an
// unknown part, in no fewer.
func TestIntervals(t *testing.T) {
	tries, exact := 600, 0.027 // three standard errors of 95 % over 600
	if *long {
		tries, exact = 20_000, 0.01
	}
	r := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct {
		territories int
		people      float64
	}{{1, 150}, {1, 800}, {12, 60}} {
		in := map[string]int{}
		for range tries {
			book, w := nation(t, r, c.territories, c.people, Span{24, 24})
			total := book.Totals(Span{24, 24})
			count := func(name string, f Figure, truth int64) {
				if f.Low <= truth && truth <= f.High {
					in[name]++
				}
			}
			share := func(name string, s Share, part, whole int64) {
				truth := float64(part) / float64(whole)
				if !s.Known || s.Low <= truth && truth <= s.High {
					in[name]++
				}
			}
			count("helped", total.Helped(), w.helped)
			count("enrolled", total.Sum(public.GroupEnrolled), w.enrolled)
			count("helpers", total.Sum(public.GroupHelpers), w.helpers)
			count("at least: actions", total.Actions(), w.actions)
			share("covered", total.Covered(), w.found, w.found+w.unfilled)
			share("in a day", total.Within(public.FateDay), w.inDay, w.found)
		}
		for name, n := range in {
			got := float64(n) / float64(tries)
			if got < 0.95-exact || got > 0.95+exact && !strings.HasPrefix(name, "at least") {
				t.Errorf("%d territories of %v people: %s is in its interval in %.3f", c.territories, c.people, name, got)
			}
		}
		t.Log(c, in)
	}
}

// TestErrorTable prints the published error against the truth that the simulation
// knows, of a year.
func TestErrorTable(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var table strings.Builder
	fmt.Fprintf(&table, "\n%-34s %-18s %10s %10s %8s %21s %s\n", "nation, one year", "figure", "truth", "published", "error", "95 %", "open")
	for _, c := range []struct {
		name        string
		territories int
		people      float64
	}{{"2 territories, 60 helped a quarter", 2, 60}, {"42 (demo), 60", 42, 60}, {"1,356, 1.5 (35,000 actions)", 1356, 1.5}, {"1,356, 15", 1356, 15}, {"1,356, 60", 1356, 60}} {
		book, w := nation(t, r, c.territories, c.people, Year(2026))
		total := book.Totals(Year(2026))
		row := func(name string, f Figure, truth int64) {
			e := 100 * float64(f.N-truth) / float64(truth)
			fmt.Fprintf(&table, "%-34s %-18s %10d %10d %+7.2f%% %10d–%-10d %v\n", c.name, name, truth, f.N, e, f.Low, f.High, f.Open)
			if c.people == 60 && c.territories == 1356 && strings.HasPrefix(name, "help") && math.Abs(e) > 1.5 {
				t.Errorf("%s: %s is off by %.2f %%", c.name, name, e)
			}
		}
		share := func(name string, s Share, part, whole int64) {
			fmt.Fprintf(&table, "%-34s %-18s %9.1f%% %9.1f%% %+7.2fp %9.1f%%–%.1f%% %v\n", c.name, name, 100*float64(part)/float64(whole), 100*s.Part, 100*(s.Part-float64(part)/float64(whole)), 100*s.Low, 100*s.High, !s.Known)
		}
		row("actions", total.Actions(), w.actions)
		row("helped", total.Helped(), w.helped)
		row("enrolled", total.Sum(public.GroupEnrolled), w.enrolled)
		row("helpers", total.Sum(public.GroupHelpers), w.helpers)
		row("hours", total.Sum(public.GroupHours), w.hours)
		share("covered", total.Covered(), w.found, w.found+w.unfilled)
		share("in a day", total.Within(public.FateDay), w.inDay, w.found)
		share("mobility", total.Mobility(), w.mobile, w.actions)
	}
	t.Log(table.String())
}
