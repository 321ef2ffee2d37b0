package national

import (
	"math"

	"github.com/bippop/bippop/federation/public"
)

// version of the catalogue that is added up.
const version = 1

// Totals are sums of releases, cell by cell. A person who was helped in two quarters
// counts in both.
type Totals struct {
	Span        Span
	Territories int // that have released something in the span
	Releases    int
	cells       []int64
}

// Figure is a sum with its interval: with 95 % the truth lies from Low to High. The
// interval holds the noise and, where Open is false, what the bound on anybody's
// share has cut off. With Open the truth may be more than High: the released numbers
// do not say how much was cut off.
type Figure struct {
	N         int64
	Low, High int64
	Open      bool
}

// Share is a part of a whole, from 0 to 1, with its 95 % interval. It is not known
// where the whole can not be told from none.
type Share struct {
	Part, Low, High float64
	Known           bool
}

// term is a cell of a group and its weight in a sum.
type term struct {
	group  public.GroupNumber
	cell   int
	weight float64
}

// sum is a weighted sum of cells, and its noise.
func (t Totals) sum(terms []term) (n float64, z noise) {
	for _, x := range terms {
		at, g, ok := public.Place(version, x.group)
		if !ok {
			continue
		}
		n += x.weight * float64(t.cells[at+x.cell])
		if g.Budget > 0 {
			z = z.add(scale(g), x.weight, t.Releases)
		}
	}
	return n, z
}

// scale of the noise on each cell of a group.
func scale(g public.Group) float64 { return float64(g.Bound) * 1e6 / float64(g.Budget) }

// cells of a group, or all of them.
func terms(g public.GroupNumber, cells ...int) (out []term) {
	if len(cells) == 0 {
		_, group, _ := public.Place(version, g)
		for i := range int(group.Cells) {
			cells = append(cells, i)
		}
	}
	for _, c := range cells {
		out = append(out, term{g, c, 1})
	}
	return out
}

// figure rounds outwards. Nothing is below none: where noise has driven even high
// there, what is left of the interval is as wide as its half, and not one number.
func figure(n float64, low, high float64) Figure {
	if high <= 0 {
		high = (high - low) / 2
	}
	return Figure{N: int64(math.Round(n)), Low: int64(max(0, math.Floor(low))), High: int64(max(0, math.Ceil(high)))}
}

// Sum adds up cells of a group, or all of them. Beyond the bound of more than one
// fact somebody's further facts are cut off, so that it is Open; of actions see
// [Totals.Actions].
func (t Totals) Sum(g public.GroupNumber, cells ...int) Figure {
	n, z := t.sum(terms(g, cells...))
	f := figure(n, n-z.width(), n+z.width())
	_, group, _ := public.Place(version, g)
	f.Open = group.Bound > 1
	return f
}

// Institution is an exact sum: see public.HasCommunes and the others.
func (t Totals) Institution(cell int) int64 {
	at, _, _ := public.Place(version, public.GroupInstitution)
	return t.cells[at+cell]
}

// mostTimes is how often somebody is helped in a quarter at most: three times a week.
// Only the upper end of what the bound cuts off rests on it.
const mostTimes = 39

// Actions are all that were done. Of somebody who was helped more often than the
// bound the rest is cut off; how many were helped how often says how much that is at
// least and at most. N adds the middle of it, as far as it stands out of its noise.
func (t Totals) Actions() Figure {
	_, g, _ := public.Place(version, public.GroupDone)
	all := terms(public.GroupDone)
	var least, most, middle []term // of what is cut off
	from := public.Oftens()
	for i, first := range from {
		last, mid := float64(mostTimes), float64(first)
		if i+1 < len(from) {
			last = float64(from[i+1] - 1)
			mid = (float64(first) + last) / 2
		}
		for _, end := range []struct {
			terms *[]term
			times float64
		}{{&least, float64(first)}, {&most, last}, {&middle, mid}} {
			if cut := end.times - float64(g.Bound); cut > 0 {
				*end.terms = append(*end.terms, term{public.GroupOften, i, cut})
			}
		}
	}
	n, z := t.sum(all)
	low, zl := t.sum(append(least, all...))
	high, zh := t.sum(append(most, all...))
	f := figure(n, max(n-z.within(sure97), low-zl.within(sure97)), high+zh.width())
	f.N += int64(math.Round(t.standing(middle)))
	return f
}

// standing is a sum that can not be negative, less of it the less it stands out of
// its noise: none within two standard deviations, nearly all beyond six.
func (t Totals) standing(terms []term) float64 {
	n, z := t.sum(terms)
	if n < 0 || n*n <= 4*z.k2 {
		return 0
	}
	return n * (1 - 4*z.k2/(n*n))
}

// Helped are the people who were helped at least once in a quarter. Two groups say
// so, each with its own noise; they are weighted so that the least noise is left.
func (t Totals) Helped() Figure {
	var both []term
	weights := 0.0
	for _, g := range []public.GroupNumber{public.GroupHelped, public.GroupOften} {
		_, group, _ := public.Place(version, g)
		w := 1 / (scale(group) * scale(group) * float64(group.Cells))
		weights += w
		for _, x := range terms(g) {
			x.weight = w
			both = append(both, x)
		}
	}
	for i := range both {
		both[i].weight /= weights
	}
	n, z := t.sum(both)
	return figure(n, n-z.width(), n+z.width())
}

// Covered is the share of requests for which somebody was found, of those that were
// found or not: neither cancelled ones nor those that wait count.
func (t Totals) Covered() Share {
	return t.share(public.GroupRequests,
		[]int{public.FateDay, public.FateTwoDays, public.FateWeek, public.FateLater}, []int{public.FateUnfilled})
}

// Within is the share of what was covered that was covered as soon as a fate says:
// [public.FateDay], [public.FateTwoDays] or [public.FateWeek].
func (t Totals) Within(fate int) Share {
	var in, out []int
	for f := public.FateDay; f <= public.FateLater; f++ {
		if f <= fate {
			in = append(in, f)
		} else {
			out = append(out, f)
		}
	}
	return t.share(public.GroupRequests, in, out)
}

// Mobility is the share of actions that move somebody or something along the road, of
// those within the bound of [public.GroupDone].
func (t Totals) Mobility() Share {
	return t.share(public.GroupDone, []int{public.DoneCell(public.Ride)}, []int{public.DoneCell(public.Visit)})
}

// Category is the share of actions of a category, of those within the bound of
// [public.GroupActions]: the first few of each person.
func (t Totals) Category(c public.Category) Share {
	var rest []int
	for o := public.Visit; o <= public.Other; o++ {
		if o != c {
			rest = append(rest, public.ActionCell(o))
		}
	}
	return t.share(public.GroupActions, []int{public.ActionCell(c)}, rest)
}

// share is part ÷ (part + rest). Its interval holds every share r for which
// part - r × whole is within its own noise (Fieller), so it is right for small wholes
// too.
func (t Totals) share(g public.GroupNumber, part, rest []int) Share {
	a, _ := t.sum(terms(g, part...))
	whole, zw := t.sum(append(terms(g, part...), terms(g, rest...)...))
	if whole <= zw.width() {
		return Share{High: 1}
	}
	_, group, _ := public.Place(version, g)
	if z := (noise{}).add(scale(group), 1, t.Releases*len(part)); a < -z.width() { // an interval of one number, were it cut at none
		a = 0
	}
	miss := func(r float64) (n, width float64) {
		z := noise{}.add(scale(group), 1-r, t.Releases*len(part)).add(scale(group), r, t.Releases*len(rest))
		return a - r*whole, z.width()
	}
	end := func(inside func(n, width float64) bool, from, to float64) float64 {
		if inside(miss(to)) {
			return to
		}
		for range 50 {
			if mid := (from + to) / 2; inside(miss(mid)) {
				from = mid
			} else {
				to = mid
			}
		}
		return from
	}
	r := min(max(0, a/whole), 1)
	return Share{
		Part: r, Known: true,
		Low:  end(func(n, w float64) bool { return n <= w }, r, 0),
		High: end(func(n, w float64) bool { return n >= -w }, r, 1),
	}
}
