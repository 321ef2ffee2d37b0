package stats

import "slices"

// alone marks a number of which no parts are known.
func alone(n uint64) Number {
	switch {
	case n == 0 || n >= Least:
		return exactly(n)
	}
	return Number{Mark: Small}
}

// Protect marks the parts of a sum that is shown, so that for each part which is
// not shown at least two values are possible to somebody who knows the sum, the
// parts that are shown, which ones are small, and that each part is at least low
// (nil: nothing is known). A part that is neither none nor small is withheld,
// the smallest first, until that is so. When it cannot be, all are withheld, the
// empty ones too; the sum is then all that is known.
//
// The sum itself is 0 or at least Least: otherwise no part may be shown at all.
func Protect(parts, low []uint64) []Number {
	out := make([]Number, len(parts))
	for i, n := range parts {
		out[i] = alone(n)
	}
	for !doubtful(parts, low, out) {
		next := -1
		for i, v := range out {
			if v.Is(Least) && (next < 0 || v.N < out[next].N) {
				next = i
			}
		}
		if next < 0 {
			return make([]Number, len(parts))
		}
		out[next] = Number{}
	}
	return out
}

// doubtful reports whether each part that is not shown may have at least two
// values: between what its mark and low say, and what the others leave of the sum.
func doubtful(parts, low []uint64, out []Number) bool {
	var hidden, least, most uint64 // the sum of what is not shown, and its bounds
	for i, v := range out {
		if v.Mark != Shown {
			from, to := bounds(v, low, i)
			hidden, least, most = hidden+parts[i], least+from, most+to
		}
	}
	for i, v := range out {
		if v.Mark == Shown {
			continue
		}
		from, to := bounds(v, low, i)
		if others := most - to; hidden > others { // the others can not take it all
			from = max(from, hidden-others)
		}
		to = min(to, hidden-(least-from0(v, low, i)))
		if from >= to {
			return false
		}
	}
	return true
}

// unbounded is more than any count, and small enough to be added up.
const unbounded = 1 << 50

// bounds are what is known of a part that is not shown. One that is withheld
// beside small ones is known to be large.
func bounds(v Number, low []uint64, i int) (from, to uint64) {
	if v.Mark == Small {
		return 1, Least - 1
	}
	return from0(v, low, i), unbounded
}

func from0(v Number, low []uint64, i int) uint64 {
	if v.Mark == Small {
		return 1
	}
	if low != nil {
		return max(Least, low[i])
	}
	return Least
}

// rows says of each row whether its parts may be shown: of a place that shows its
// total, and whose parts are all none or large. Exactly one row with anything in
// it is never withheld beside others that are shown: what these leave of the sums
// would be that row. Then the smallest of the others is withheld with it.
func rows(totals []Number, sizes []uint64, large func(row int) bool) []bool {
	show := make([]bool, len(totals))
	withheld := 0
	for r, v := range totals {
		show[r] = v.Mark == Shown && large(r)
		if !show[r] && sizes[r] > 0 {
			withheld++
		}
	}
	if withheld != 1 {
		return show
	}
	next := -1
	for r := range show {
		if show[r] && sizes[r] > 0 && (next < 0 || sizes[r] < sizes[next]) {
			next = r
		}
	}
	if next >= 0 {
		show[next] = false
	}
	return show
}

// slot of an indicator in a list of grids.
func column(grids []*Grid, slot, indicator int) []uint64 {
	out := make([]uint64, len(grids))
	for i, g := range grids {
		out[i] = g[slot][indicator]
	}
	return out
}

// sum of grids.
func sum(grids []*Grid) *Grid {
	total := new(Grid)
	for _, g := range grids {
		total.Plus(g)
	}
	return total
}

func anyMark(list []Number, m Mark) bool {
	return slices.ContainsFunc(list, func(v Number) bool { return v.Mark == m })
}
