package national

import "github.com/bippop/bippop/federation/public"

// Least is the smallest number of one territory that is shown.
const Least = 11

// Part is cells from First to Last of a breakdown that are shown as one, because
// alone they are too small. With Small there is nothing larger to join: it reads
// "0 to 10".
type Part struct {
	First, Last int
	N           int64 // 0 when Small
	Small       bool
}

// join joins neighbours until each part is at least Least; what is left over at the
// end goes to the last one.
func join(cells []int64) (out []Part) {
	sum, first := int64(0), 0
	for i, n := range cells {
		if sum += n; sum >= Least {
			out = append(out, Part{First: first, Last: i, N: sum})
			sum, first = 0, i+1
		}
	}
	if first == len(cells) {
		return out
	}
	if len(out) == 0 {
		return []Part{{First: 0, Last: len(cells) - 1, Small: true}}
	}
	last := &out[len(out)-1]
	last.Last, last.N = len(cells)-1, last.N+sum
	for last.N < Least { // what was left over is negative
		if len(out) == 1 {
			return []Part{{First: 0, Last: len(cells) - 1, Small: true}}
		}
		before := &out[len(out)-2]
		before.Last, before.N = last.Last, before.N+last.N
		out = out[:len(out)-1]
		last = before
	}
	return out
}

// Parts shows a group of one territory: no number below [Least] is shown, and no
// cell is left blank; small ones are shown together with their neighbours. It looks
// at the released values, noise and all, so that it tells nothing that has not left
// already.
func (t Totals) Parts(g public.GroupNumber) []Part {
	at, group, _ := public.Place(version, g)
	return join(t.cells[at : at+int(group.Cells)])
}

// ByAge shows the people helped by age band: part i is about public.AgeBand i.
func (t Totals) ByAge() []Part {
	at, _, _ := public.Place(version, public.GroupHelped)
	ages := make([]int64, public.From90+1)
	for a := range ages {
		for s := public.SexUnknown; s <= public.Man; s++ {
			ages[a] += t.cells[at+public.HelpedCell(s, public.AgeBand(a))]
		}
	}
	return join(ages)
}

// BySex shows the people helped by sex: part i is about public.Sex i.
func (t Totals) BySex() []Part {
	at, _, _ := public.Place(version, public.GroupHelped)
	sexes := make([]int64, public.Man+1)
	for s := range sexes {
		for a := public.AgeUnknown; a <= public.From90; a++ {
			sexes[s] += t.cells[at+public.HelpedCell(public.Sex(s), a)]
		}
	}
	return join(sexes)
}
