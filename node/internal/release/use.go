package release

import "github.com/bippop/bippop/federation/public"

// The methods of Use say what happened, note what of the bounds is used, and answer
// what changes in the vector. A fact beyond the bound changes nothing.

// Shares of the bound of GroupRequests: one for what was recorded, one for what
// became of it.
const requestShares = 2

// HelpedBy: an action was done for her. Category, sex and age come from the cell that
// the command carries; sex and age count at the first action of the quarter, and are
// not kept.
func (u *Use) HelpedBy(c public.Cell, helpers int) (out []Change) {
	if u.Helped == 0 {
		out = append(out, Change{public.GroupHelped, public.HelpedCell(c.Sex, c.Age), 1})
	}
	if uint16(u.Helped) < bound(public.GroupDone) {
		out = append(out, Change{public.GroupDone, public.DoneCell(c.Category), 1})
	}
	if uint16(u.Helped) < bound(public.GroupActions) {
		out = append(out, Change{public.GroupActions, public.ActionCell(c.Category), 1})
	}
	out = append(out, again(&u.Helped)...)
	if helpers >= 2 {
		out = append(out, once(&u.Paired, bound(public.GroupPaired), public.GroupPaired, 0)...)
	}
	return out
}

// Request: one of hers was recorded.
func (u *Use) Request() []Change {
	return once(&u.Recorded, bound(public.GroupRequests)/requestShares, public.GroupRequests, public.FateRequested)
}

// Fate is what became of one, from [public.FateDay] on.
func (u *Use) Fate(fate int) []Change {
	return once(&u.Fates, bound(public.GroupRequests)/requestShares, public.GroupRequests, fate)
}

// Enrol: she was enrolled.
func (u *Use) Enrol() []Change {
	return once(&u.Enrolled, bound(public.GroupEnrolled), public.GroupEnrolled, 0)
}

// Bond: a tie of hers was noted that lives on by itself.
func (u *Use) Bond() []Change {
	return once(&u.Bonds, bound(public.GroupBonds), public.GroupBonds, 0)
}

// Gave: he did an action that took minutes. Whole hours of the quarter count.
func (u *Use) Gave(minutes uint16) []Change {
	out := once(&u.Came, bound(public.GroupHelpers), public.GroupHelpers, 0)
	most := uint32(bound(public.GroupHours)) * 60
	before := u.Minutes / 60
	u.Minutes = uint16(min(uint32(u.Minutes)+uint32(minutes), most))
	if more := u.Minutes/60 - before; more > 0 {
		out = append(out, Change{public.GroupHours, 0, int32(more)})
	}
	return out
}

// Join: he was approved.
func (u *Use) Join() []Change {
	return once(&u.Joined, bound(public.GroupJoined), public.GroupJoined, 0)
}

// Offer: he proposed something before anybody asked.
func (u *Use) Offer() []Change {
	return once(&u.Offered, bound(public.GroupOffered), public.GroupOffered, 0)
}

// bound of a group.
func bound(n public.GroupNumber) uint16 {
	_, g, ok := public.Place(Version, n)
	if !ok {
		panic("release: a group that the catalogue does not have")
	}
	return g.Bound
}

// once adds 1 to a cell unless the bound is used up.
func once(used *uint8, most uint16, g public.GroupNumber, cell int) []Change {
	if uint16(*used) >= most {
		return nil
	}
	*used++
	return []Change{{g, cell, 1}}
}

// again moves somebody to the cell of one time more.
func again(times *uint8) []Change {
	const g = public.GroupOften
	cells := public.Oftens()
	n := uint16(*times)
	if n >= cells[len(cells)-1] {
		return nil
	}
	*times++
	after := public.OftenOf(n + 1)
	switch {
	case n == 0:
		return []Change{{g, after, 1}}
	case public.OftenOf(n) == after:
		return nil
	}
	return []Change{{g, public.OftenOf(n), -1}, {g, after, 1}}
}
