package stats

import "github.com/bippop/bippop/federation/public"

// Place is a commune's counts of one year and the area that the commune is in:
// areas are numbered from 0.
type Place struct {
	Area int
	*Grid
}

// Released is all that an official may see of one year.
type Released struct {
	Territory *Sheet
	Areas     []*Sheet
	Places    []*Sheet // in the order of the places that were given
}

// counts are the indicators that count facts, each of its own. Of the sums of
// minutes and metres only the territory's are told, and what is not listed here is
// not shown.
var counts = []public.Indicator{
	public.Requested, public.Found, public.Told, public.Done, public.NotDone, public.Cancelled, public.Unfilled, public.Enrolled, public.Joined,
}

// InDetail is the indicator that areas and communes are broken down by, too.
const InDetail = public.Done

// Release works out what may be shown of a year.
func Release(places []Place) Released {
	all := make([]*Grid, len(places))
	areas := 0
	for i, p := range places {
		all[i], areas = p.Grid, max(areas, p.Area+1)
	}
	members, within, grids := make([][]int, areas), make([][]*Grid, areas), make([]*Grid, areas)
	for i, p := range places {
		members[p.Area], within[p.Area] = append(members[p.Area], i), append(within[p.Area], p.Grid)
	}
	for a := range grids {
		grids[a] = sum(within[a])
	}
	out := Released{Territory: new(Sheet), Areas: sheets(areas), Places: sheets(len(places))}
	whole := sum(all)
	for _, ind := range counts {
		i := int(ind)
		out.Territory[Total][i] = alone(whole[Total][i])
		totals(out.Territory[Total][i], grids, out.Areas, i)
		for a, m := range members {
			totals(out.Areas[a][Total][i], within[a], pick(out.Places, m), i)
		}
		if !out.Territory[Total][i].Is(0) {
			continue
		}
		for _, b := range breakdowns {
			var low []uint64
			if ind == InDetail {
				low = detail(out, grids, within, members, b)
			}
			for k, v := range Protect(whole.parts(b, i), low) {
				out.Territory[b.first+k][i] = v
			}
		}
	}
	times(out.Territory, whole)
	if out.Territory[Total][public.Done].Is(0) {
		for _, i := range []public.Indicator{public.Minutes, public.Metres} {
			out.Territory[Total][i] = exactly(whole[Total][i])
		}
	}
	return out
}

// totals shows the parts of a number that is itself shown.
func totals(of Number, grids []*Grid, into []*Sheet, i int) {
	if !of.Is(0) {
		return
	}
	for p, v := range Protect(column(grids, Total, i), nil) {
		into[p][Total][i] = v
	}
}

// detail shows one breakdown of the areas and communes that may have it, and
// returns what the areas shown have of each part.
func detail(out Released, grids []*Grid, within [][]*Grid, members [][]int, b breakdown) (low []uint64) {
	low = make([]uint64, b.last-b.first)
	for a, yes := range reveal(grids, out.Areas, b) {
		if !yes {
			continue
		}
		for k := range low {
			low[k] += grids[a][b.first+k][InDetail]
		}
		reveal(within[a], pick(out.Places, members[a]), b)
	}
	return low
}

// reveal writes the rows that may be shown, and says which.
func reveal(grids []*Grid, into []*Sheet, b breakdown) []bool {
	marks := make([]Number, len(grids))
	for r := range grids {
		marks[r] = into[r][Total][InDetail]
	}
	show := rows(marks, column(grids, Total, int(InDetail)), func(r int) bool {
		return !anyMark(grids[r].marks(b, int(InDetail)), Small)
	})
	for r, yes := range show {
		for slot := b.first; yes && slot < b.last; slot++ {
			into[r][slot][InDetail] = exactly(grids[r][slot][InDetail])
		}
	}
	return show
}

// times shows how soon somebody was found as parts of Found: within a day, the
// second day, the rest of the week, later or not known. Each indicator is the sum
// of the parts before its limit, so all of them must be shown.
func times(s *Sheet, whole *Grid) {
	if !s[Total][public.Found].Is(0) {
		return
	}
	limits := [...]public.Indicator{public.FoundInDay, public.FoundInTwoDays, public.FoundInWeek, public.Found}
	parts := make([]uint64, len(limits))
	for k, i := range limits {
		parts[k] = whole[Total][i]
		if k > 0 {
			parts[k] -= whole[Total][limits[k-1]]
		}
	}
	for k, v := range Protect(parts, nil)[:3] {
		if v.Mark != Shown {
			return
		}
		s[Total][limits[k]] = exactly(whole[Total][limits[k]])
	}
}

func (g *Grid) parts(b breakdown, i int) (out []uint64) {
	for slot := b.first; slot < b.last; slot++ {
		out = append(out, g[slot][i])
	}
	return out
}

func (g *Grid) marks(b breakdown, i int) (out []Number) {
	for _, n := range g.parts(b, i) {
		out = append(out, alone(n))
	}
	return out
}

func sheets(n int) []*Sheet {
	out := make([]*Sheet, n)
	for i := range out {
		out[i] = new(Sheet)
	}
	return out
}

func pick(all []*Sheet, which []int) (out []*Sheet) {
	for _, i := range which {
		out = append(out, all[i])
	}
	return out
}
