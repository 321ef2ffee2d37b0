package national

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
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
// average, and bounds it.
func quarter(r *rand.Rand, w *world, people float64) []int32 {
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
			if n < 13 {
				at(public.GroupDone)[public.DoneCell(c)]++
			}
			if n < 3 {
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
		at(public.GroupHelpers)[0]++
		at(public.GroupHours)[0] += int32(min(40, hours))
	}
	return cells
}

// noised is a quarter's cells with noise.
func noised(r *rand.Rand, exact []int32) []int32 {
	cells, i := slices.Clone(exact), 0
	for _, g := range public.Catalogue(1) {
		for range g.Cells {
			if g.Budget > 0 {
				cells[i] += laplace(r, scale(g))
			}
			i++
		}
	}
	return cells
}

func poisson(r *rand.Rand, mean float64) (n int) {
	for left := mean - r.ExpFloat64(); left > 0; left -= r.ExpFloat64() {
		n++
	}
	return n
}

// nation is quarters of n territories, whose sizes differ as those of EPCI do.
func nation(r *rand.Rand, n int, people float64, quarters int) (exact [][][]int32, w world) {
	for range n {
		size := people * math.Exp(r.NormFloat64()-0.5)
		var own [][]int32
		for range quarters {
			own = append(own, quarter(r, &w, size))
		}
		exact = append(exact, own)
	}
	return exact, w
}

// released is a nation's book once each of its quarters, from first on, was released.
func released(t testing.TB, r *rand.Rand, first public.Quarter, exact [][][]int32) *Book {
	t.Helper()
	book := NewBook()
	for i, siren := range sirens(len(exact)) {
		f := &teller{from: siren}
		for q, cells := range exact[i] {
			if err := book.Take(f.release(first+public.Quarter(q), noised(r, cells))); err != nil {
				t.Fatal(err)
			}
		}
	}
	return book
}

// TestIntervals: over many nations that are simulated, the truth lies in the interval
// in 95 ± 1 % of them, for one territory and for many; where the bound has cut off an
// unknown part, and as far as noise drove a number below none, in no fewer.
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
		in, cut := map[string]int{}, map[string]int{} // cut: the interval ends at none, or is from none to all
		for range tries {
			exact, w := nation(r, c.territories, c.people, 1)
			total := released(t, r, 24, exact).Totals(Span{24, 24})
			count := func(name string, f Figure, truth int64) {
				if f.Low <= truth && truth <= f.High {
					in[name]++
				}
				if f.N < 0 {
					cut[name]++
				}
			}
			share := func(name string, s Share, part, whole int64) {
				truth := float64(part) / float64(whole)
				if s.Low <= truth && truth <= s.High {
					in[name]++
				}
				if !s.Known {
					cut[name]++
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
			if got < 0.95-exact || got > 0.95+exact+float64(cut[name])/float64(tries) && !strings.HasPrefix(name, "at least") {
				t.Errorf("%d territories of %v people: %s is in its interval in %.3f", c.territories, c.people, name, got)
			}
		}
		t.Logf("%+v, of %d: %v, cut %v", c, tries, in, cut)
	}
}

// misses is how far a figure that is published is off the truth, over several draws of
// the noise.
type misses struct {
	name       string
	truth      float64
	squares    float64
	low, high  float64 // sums
	draws, out int     // out: the truth is not in the interval
}

func (e *misses) add(n, low, high float64) {
	e.draws++
	e.squares += (n - e.truth) * (n - e.truth)
	e.low, e.high = e.low+low, e.high+high
	if e.truth < low || e.truth > high {
		e.out++
	}
}

// typical is the root of the mean of the squares.
func (e *misses) typical() float64 { return math.Sqrt(e.squares / float64(e.draws)) }

// TestErrorTable prints, of a year, the truth that the simulation knows, how far what
// is published is typically off it, and the interval that stands beside it on average.
func TestErrorTable(t *testing.T) {
	draws := 8
	if *long {
		draws = 200
	}
	r := rand.New(rand.NewPCG(5, 6))
	var table strings.Builder
	fmt.Fprintf(&table, "\n%-34s %-10s %10s %10s %24s\n", "nation, one year", "figure", "truth", "off by", "95 %, on average")
	for _, c := range []struct {
		name        string
		territories int
		people      float64
	}{{"2 territories, 60 helped a quarter", 2, 60}, {"42 (demo), 60", 42, 60}, {"1,356, 1.5 (35,000 actions)", 1356, 1.5}, {"1,356, 15", 1356, 15}, {"1,356, 60", 1356, 60}} {
		exact, w := nation(r, c.territories, c.people, 4)
		ratio := func(part, whole int64) float64 { return float64(part) / float64(whole) }
		rows := []misses{
			{name: "actions", truth: float64(w.actions)}, {name: "helped", truth: float64(w.helped)}, {name: "enrolled", truth: float64(w.enrolled)},
			{name: "helpers", truth: float64(w.helpers)}, {name: "hours", truth: float64(w.hours)}, {name: "covered", truth: ratio(w.found, w.found+w.unfilled)},
			{name: "in a day", truth: ratio(w.inDay, w.found)}, {name: "mobility", truth: ratio(w.mobile, w.actions)},
		}
		for range draws {
			total := released(t, r, Year(2026).First, exact).Totals(Year(2026))
			for i, f := range []Figure{total.Actions(), total.Helped(), total.Sum(public.GroupEnrolled), total.Sum(public.GroupHelpers), total.Sum(public.GroupHours)} {
				rows[i].add(float64(f.N), float64(f.Low), float64(f.High))
			}
			for i, s := range []Share{total.Covered(), total.Within(public.FateDay), total.Mobility()} {
				if s.Known {
					rows[5+i].add(s.Part, s.Low, s.High)
				}
			}
		}
		for i, e := range rows {
			if n := float64(e.draws); i < 5 {
				fmt.Fprintf(&table, "%-34s %-10s %10.0f %9.1f%% %12.0f–%-11.0f\n", c.name, e.name, e.truth, 100*e.typical()/e.truth, e.low/n, e.high/n)
			} else {
				fmt.Fprintf(&table, "%-34s %-10s %9.1f%% %9.1fp %11.1f%%–%.1f%% known in %d of %d\n", c.name, e.name, 100*e.truth, 100*e.typical(), 100*e.low/n, 100*e.high/n, e.draws, draws)
			}
		}
		most := map[float64]float64{1.5: 0.20, 15: 0.05, 60: 0.03}[c.people] // of the actions
		if c.territories == 1356 && rows[0].typical() > most*rows[0].truth {
			t.Errorf("%s: actions are off by %.1f %%", c.name, 100*rows[0].typical()/rows[0].truth)
		}
	}
	t.Log(table.String())
}
