package stats_test

import (
	"flag"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/stats"
)

// A world is small enough to look at all of its neighbours: communes in areas, and
// facts that have a category and a sex.
const (
	kinds = 3
	sexes = 2
)

var done = int(public.Done)

// unlikely is more facts than any world has: one less than none is more.
const unlikely = 1000

// leaf is where facts lie.
type leaf struct{ commune, kind, sex int }

func (l leaf) cell() public.Cell {
	return public.Cell{Indicator: public.Done, Category: public.Category(l.kind + 1), Sex: public.Sex(l.sex + 1), Age: public.From80}
}

type world struct {
	places    []stats.Place
	areas     []*stats.Grid
	territory *stats.Grid
	facts     map[leaf]uint64
}

func newWorld(areas []int) *world {
	w := &world{territory: new(stats.Grid), facts: map[leaf]uint64{}}
	for _, a := range areas {
		w.places = append(w.places, stats.Place{Area: a, Grid: new(stats.Grid)})
		for len(w.areas) <= a {
			w.areas = append(w.areas, new(stats.Grid))
		}
	}
	return w
}

func (w *world) add(l leaf, n uint64) {
	w.facts[l] += n
	for _, g := range []*stats.Grid{w.territory, w.areas[w.places[l.commune].Area], w.places[l.commune].Grid} {
		g.Add(l.cell(), n)
	}
}

func (w *world) move(from, to leaf) {
	w.add(from, ^uint64(0))
	w.add(to, 1)
}

func (w *world) leaves() (out []leaf) {
	for c := range w.places {
		for k := range kinds {
			for s := range sexes {
				out = append(out, leaf{c, k, s})
			}
		}
	}
	return out
}

func worlds() *rapid.Generator[*world] {
	return rapid.Custom(func(t *rapid.T) *world {
		areas := rapid.IntRange(1, 3).Draw(t, "areas")
		var of []int
		for a := range areas {
			for range rapid.IntRange(1, 3).Draw(t, "communes") {
				of = append(of, a)
			}
		}
		w := newWorld(of)
		sizes := rapid.SampledFrom([][]uint64{{0, 0, 0, 1, 2, 5}, {0, 1, 5, 10, 11, 12}, {0, 0, 0, 0, 11, 25, 40}, {0, 1, 10}, {0, 0, 0, 0, 0, 0, 1, 10, 11, 20}}).Draw(t, "sizes")
		for _, l := range w.leaves() {
			w.add(l, rapid.SampledFrom(sizes).Draw(t, "facts"))
		}
		return w
	})
}

// shown is one number of the release, with the count that stands behind it.
type shown struct {
	name string
	stats.Number
	count *uint64
}

// known is everything that an official can look at, and what he knows of it: lists
// of parts of one sum, in which what is withheld beside others is large, and rows.
type known struct{ lists, rows [][]shown }

func look(w *world, r stats.Released) (k known) {
	list := func(name string, s []*stats.Sheet, g []*stats.Grid) (out []shown) {
		for i := range s {
			out = append(out, shown{fmt.Sprintf("%s %d", name, i), s[i][stats.Total][done], &g[i][stats.Total][done]})
		}
		return out
	}
	row := func(name string, s *stats.Sheet, g *stats.Grid) (kind, sex []shown) {
		for c := public.NoCategory; c <= public.Other; c++ {
			kind = append(kind, shown{fmt.Sprint(name, ", kind ", c), s[stats.Category(c)][done], &g[stats.Category(c)][done]})
		}
		for x := public.SexUnknown; x <= public.Man; x++ {
			sex = append(sex, shown{fmt.Sprint(name, ", sex ", x), s[stats.Sex(x)][done], &g[stats.Sex(x)][done]})
		}
		return kind, sex
	}
	var grids []*stats.Grid
	for a := range w.areas {
		var sheets []*stats.Sheet
		var within []*stats.Grid
		for i, p := range w.places {
			if p.Area == a {
				sheets, within = append(sheets, r.Places[i]), append(within, p.Grid)
			}
		}
		k.lists = append(k.lists, list(fmt.Sprintf("area %d, commune", a), sheets, within))
		kind, sex := row(fmt.Sprintf("area %d", a), r.Areas[a], w.areas[a])
		k.rows = append(k.rows, kind, sex)
		grids = append(grids, w.areas[a])
	}
	k.lists = append(k.lists, list("area", r.Areas, grids), list("territory", []*stats.Sheet{r.Territory}, []*stats.Grid{w.territory}))
	kind, sex := row("territory", r.Territory, w.territory)
	k.lists = append(k.lists, kind, sex)
	for i, p := range w.places {
		kind, sex := row(fmt.Sprintf("commune %d", i), r.Places[i], p.Grid)
		k.rows = append(k.rows, kind, sex)
	}
	return k
}

// fits reports whether the counts as they are now could stand behind what is known.
func (k known) fits() bool {
	for _, list := range k.lists {
		all := !slices.ContainsFunc(list, func(v shown) bool { return v.Mark != stats.Withheld })
		for _, v := range list {
			if !v.may(*v.count, !all) {
				return false
			}
		}
	}
	for _, row := range k.rows {
		for _, v := range row {
			if !v.may(*v.count, false) {
				return false
			}
		}
	}
	return true
}

func (v shown) may(n uint64, large bool) bool {
	switch v.Mark {
	case stats.Shown:
		return n == v.N
	case stats.Small:
		return n >= 1 && n < stats.Least
	}
	return !large || n >= stats.Least
}

// small are the counts that must stay in doubt, by their place.
func (k known) small() (out []shown) {
	for _, list := range slices.Concat(k.lists, k.rows) {
		for _, v := range list {
			if *v.count > 0 && *v.count < stats.Least {
				out = append(out, v)
			}
		}
	}
	return out
}

// TestNobodyCanTell: for each small count of the territory there is another
// territory, with another number there, that gives the same pages.
func TestNobodyCanTell(t *testing.T) {
	flag.Set("rapid.checks", "2000")
	if *long {
		flag.Set("rapid.checks", "100000")
	}
	rapid.Check(t, func(t *rapid.T) {
		w := worlds().Draw(t, "world")
		k := look(w, stats.Release(w.places))
		if !k.fits() {
			t.Fatal("the pages do not fit the territory itself")
		}
		left := map[*uint64]shown{}
		was := map[*uint64]uint64{}
		for _, v := range k.small() {
			if v.Mark == stats.Shown {
				t.Fatalf("%s: %d is shown", v.name, v.N)
			}
			left[v.count], was[v.count] = v, *v.count
		}
		check := func() {
			for count := range left {
				if *count != was[count] {
					delete(left, count)
				}
			}
		}
		try := func(moves ...[2]leaf) {
			made := 0
			for ; made < len(moves) && w.facts[moves[made][0]] > 0; made++ {
				w.move(moves[made][0], moves[made][1])
			}
			if made == len(moves) && k.fits() {
				check()
			}
			for made > 0 {
				made--
				w.move(moves[made][1], moves[made][0])
			}
		}
		all := w.leaves()
		for _, l := range all { // one fact more, one less
			for _, n := range []uint64{1, ^uint64(0)} {
				if w.facts[l]+n < unlikely {
					w.add(l, n)
					if k.fits() {
						check()
					}
					w.add(l, -n)
				}
			}
		}
		for _, from := range all {
			for _, to := range all {
				if len(left) == 0 {
					return
				}
				try([2]leaf{from, to})
				// The two exchange kind or sex; whose other mark does not matter.
				a, b := from, to
				a.kind, b.kind = to.kind, from.kind
				try([2]leaf{from, a}, [2]leaf{to, b})
				a, b = from, to
				a.sex, b.sex = to.sex, from.sex
				try([2]leaf{from, a}, [2]leaf{to, b})
			}
		}
		for count, v := range left {
			t.Errorf("%s can only be %d", v.name, was[count])
		}
	})
}

// TestProtect: two values at least, and no more withheld than that needs.
func TestProtect(t *testing.T) {
	for _, c := range []struct {
		parts []uint64
		want  string
	}{
		{[]uint64{0, 0}, "0 0"}, {[]uint64{40, 0, 12}, "40 0 12"}, {[]uint64{11}, "11"},
		{[]uint64{5, 20, 30}, "< ? 30"},               // one alone would be the rest
		{[]uint64{5, 6, 30}, "< < 30"},                // 1 to 10 each
		{[]uint64{10, 10, 30}, "< < ?"},               // 20 is two tens
		{[]uint64{1, 1, 30, 40}, "< < ? 40"},          // 2 is two ones
		{[]uint64{1, 11, 30}, "< ? ?"},                // 12 is one and the least that is withheld
		{[]uint64{1, 11}, "? ?"},                      // nothing is left to hide behind
		{[]uint64{0, 10, 10}, "? ? ?"},                // nor here
		{[]uint64{10, 10, 10, 0, 50}, "< < < 0 ?"},    // three tens
		{[]uint64{3, 11, 11, 11, 90}, "< ? 11 11 90"}, // the first of equals
	} {
		got := ""
		for i, v := range stats.Protect(c.parts, nil) {
			if i > 0 {
				got += " "
			}
			switch v.Mark {
			case stats.Shown:
				got += fmt.Sprint(v.N)
			case stats.Small:
				got += "<"
			default:
				got += "?"
			}
		}
		if got != c.want {
			t.Errorf("%v: got %s, want %s", c.parts, got, c.want)
		}
	}
}

// TestTimes: how soon somebody was found are parts of one sum, also where the
// numbers that are told hold each other.
func TestTimes(t *testing.T) {
	for _, c := range []struct {
		day, two, week, found uint64
		want                  string
	}{
		{20, 40, 60, 100, "20 40 60"}, {20, 40, 60, 60, "20 40 60"}, {20, 45, 50, 100, "- - -"}, {60, 90, 110, 113, "60 90 -"}, {5, 40, 60, 100, "- - -"}, {3, 4, 5, 9, "- - -"}, {0, 0, 0, 0, "0 0 0"},
	} {
		g := new(stats.Grid)
		for i, n := range map[public.Indicator]uint64{public.FoundInDay: c.day, public.FoundInTwoDays: c.two, public.FoundInWeek: c.week, public.Found: c.found} {
			g.Add(public.Cell{Indicator: i}, n)
		}
		s := stats.Release([]stats.Place{{Grid: g}}).Territory
		got := ""
		for _, i := range []public.Indicator{public.FoundInDay, public.FoundInTwoDays, public.FoundInWeek} {
			if v := s[stats.Total][i]; v.Mark == stats.Shown {
				got += fmt.Sprint(v.N, " ")
			} else {
				got += "- "
			}
		}
		if got != c.want+" " {
			t.Errorf("%+v: got %s", c, got)
		}
	}
}
