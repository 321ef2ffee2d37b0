// Package stats decides what of a territory's figures may be shown to somebody
// who may not see its people.
//
// A count below eleven can point at somebody: "one man over 85 in Fontet". So it
// is not shown, and neither is what would give it away. What an official can ever
// look at is closed: one calendar year at a time, of the territory, of one of its
// areas, or of one commune. Areas are fixed by inhabitants and distance, never by
// counts: they neither overlap nor move, so no two pages have a small difference,
// and the way in which communes stand together tells nothing of what is counted.
// Years share no fact. There are no sums over several years: beside the years they
// would give away the one that is hidden.
//
//	territory ─ shown when it is 0 or at least Least
//	   │  its parts by sex, age, category, month       Protect: the parts of a known sum
//	   ├─ area ─ one of the parts of the territory     Protect
//	   │    │  its parts by sex, …                     whole rows: rows
//	   │    └─ commune ─ one of the parts of its area  Protect, where the area is shown
//	   │           its parts by sex, …                 rows, where the area's are shown
//
// # Why nobody can work out what is hidden
//
// For each hidden number there is another territory with another number there and
// the very same pages:
//
//   - a part of a known sum (an area of the territory, a commune of its area, an
//     age of the territory): Protect leaves at least two possible values for each,
//     so one fact can be moved between two hidden parts;
//   - a commune whose area is hidden: nothing of it is shown at all;
//   - a cell of an area's or a commune's row: rows are withheld whole, and never
//     exactly one beside others that are shown, so two facts of two withheld rows
//     can exchange their columns, and all sums stay. Where all facts of those rows
//     are in one column the cell is the row's own total, which is hidden.
//
// Facts moved between hidden parts lie in withheld rows, because a row is shown
// only of a place whose own number is shown; so the three do not disturb each
// other. Moving them in one breakdown leaves the others as they are. Indicators
// are different facts, save those of time, which are shown as parts of Found. The
// property test looks for that other territory, for each hidden number.
//
// What this does not stop: who writes the pages down day by day sees numbers grow,
// and who knows all others of a commune needs no page to know the last one.
package stats

import "github.com/bippop/bippop/federation/public"

// Least is the smallest count that is shown to everybody, but for none at all.
const Least = 11

// The slots of a grid: the total, then the parts of each breakdown.
const (
	Total    = 0
	category = 1
	sex      = category + int(public.Other) + 1
	age      = sex + int(public.Man) + 1
	month    = age + int(public.From90) + 1
	Slots    = month + 12

	Indicators = int(public.LastIndicator) + 1
)

// Slots of one part of a breakdown. January is 0.
func Category(c public.Category) int { return category + int(c) }
func Sex(s public.Sex) int           { return sex + int(s) }
func Age(a public.AgeBand) int       { return age + int(a) }
func Month(m int) int                { return month + m }

// breakdown is the slots from first to before last: they add up to the total.
type breakdown struct{ first, last int }

var breakdowns = []breakdown{{category, sex}, {sex, age}, {age, month}, {month, Slots}}

// Grid is the counts of one place and year.
type Grid [Slots][Indicators]uint64

// Add counts n facts. A negative n takes away, in two's complement.
func (g *Grid) Add(c public.Cell, n uint64) {
	for _, slot := range [...]int{Total, Category(c.Category), Sex(c.Sex), Age(c.Age), Month(int(c.Month) % 12)} {
		g[slot][c.Indicator] += n
	}
}

// Plus adds another place's counts.
func (g *Grid) Plus(o *Grid) {
	for slot := range g {
		for i := range g[slot] {
			g[slot][i] += o[slot][i]
		}
	}
}

// Mark says what may be said of a number.
type Mark uint8

const (
	Withheld Mark = 0 // nothing: it would give another one away
	Small    Mark = 1 // from 1 to Least-1
	Shown    Mark = 2
)

// Number is a count as somebody may see it.
type Number struct {
	N    uint64 // 0 unless shown
	Mark Mark
}

// Is reports whether the number is shown and at least n.
func (v Number) Is(n uint64) bool { return v.Mark == Shown && v.N >= n }

// exactly shows a number.
func exactly(n uint64) Number { return Number{n, Shown} }

// Sheet is a grid as somebody may see it. The zero Sheet shows nothing.
type Sheet [Slots][Indicators]Number

// Exact shows everything.
func Exact(g *Grid) *Sheet {
	s := new(Sheet)
	for slot := range g {
		for i, n := range g[slot] {
			s[slot][i] = exactly(n)
		}
	}
	return s
}
