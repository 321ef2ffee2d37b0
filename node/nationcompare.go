package node

import (
	"cmp"
	"sort"

	"github.com/bippop/bippop/federation/public"
)

// Span says over which time a territory's own cell is told.
type Span uint8

const (
	OverQuarter Span = 1 // the quarter alone
	OverYear    Span = 2 // four quarters: in one alone it was too small
	TooFew      Span = 3 // fewer than [Least] in four quarters, too
)

// Told is a cell of one territory: never blank, and never a number below [Least].
type Told struct {
	Estimate
	Span Span
}

// NationRow is one territory beside others of its size.
type NationRow struct {
	NationTerritory
	Actions, Helped, Helpers, Hours, Requests Told
	Covered                                   Share // over four quarters
	Mobility                                  Share // over four quarters
}

// SizeClass is territories of like size.
type SizeClass struct {
	From, To int // inhabitants; To 0: no upper bound
	Rows     []NationRow
}

// sizeClasses begin at these numbers of inhabitants.
var sizeClasses = [...]int{0, 15_000, 30_000, 60_000, 120_000}

// Compare puts the territories beside those of like size, over the four quarters up
// to the newest that is due. Only those that have released in them are there.
func (s *Nation) Compare(by Caller, realOnly bool) (from, to Quarter, out []SizeClass, err error) {
	if err := by.may(ReadNation); err != nil {
		return 0, 0, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	to = s.lastDue()
	from = to - min(to, 3)
	for i, least := range sizeClasses {
		class := SizeClass{From: least}
		if i+1 < len(sizeClasses) {
			class.To = sizeClasses[i+1]
		}
		s.each(!realOnly, func(r *reported) {
			if r.Population < least || class.To > 0 && r.Population >= class.To {
				return
			}
			if row, ok := s.row(r, from, to); ok {
				class.Rows = append(class.Rows, row)
			}
		})
		sort.Slice(class.Rows, func(i, j int) bool {
			a, b := class.Rows[i], class.Rows[j]
			return cmp.Or(cmp.Compare(perInhabitants(b), perInhabitants(a)), cmp.Compare(a.Name, b.Name)) < 0
		})
		if len(class.Rows) > 0 {
			out = append(out, class)
		}
	}
	return from, to, out, nil
}

// perInhabitants orders rows: actions of a quarter by ten thousand inhabitants. What
// may as well be none orders nothing.
func perInhabitants(r NationRow) int64 {
	if r.Population == 0 || r.Actions.Span == TooFew || r.Actions.Low <= 0 {
		return 0
	}
	n := r.Actions.N * 10_000 / int64(r.Population)
	if r.Actions.Span == OverYear {
		n /= 4
	}
	return n
}

// row of a territory; ok is false when it has released nothing in the span.
func (s *Nation) row(r *reported, from, to Quarter) (row NationRow, ok bool) {
	year, quarter, n := s.ofOne(r, from, to)
	if n == 0 {
		return row, false
	}
	row = NationRow{NationTerritory: s.described(r, s.lastDue())}
	told := func(of func(Sums) Estimate) Told { return widenOver(of(quarter), of(year)) }
	row.Actions = told(func(s Sums) Estimate { return s.Counted })
	row.Helped = told(func(s Sums) Estimate { return s.Helped })
	row.Helpers = told(func(s Sums) Estimate { return s.Helpers })
	row.Hours = told(func(s Sums) Estimate { return s.Hours })
	row.Requests = told(func(s Sums) Estimate { return s.Requests })
	row.Covered, row.Mobility = year.CoveredShare, year.MobilityShare
	return row, true
}

// sums of one territory: of all quarters of the span and of the newest one in it.
func (s *Nation) ofOne(r *reported, from, to Quarter) (year, quarter Sums, releases int) {
	newest := from
	for q := from; q <= to; q++ {
		if _, ok := r.quarters[q]; ok {
			newest, releases = q, releases+1
		}
	}
	of := []public.Siren{r.Siren}
	return s.sums(from, to, of), s.sums(newest, newest, of), releases
}

// widenOver tells a quarter where it is large enough, else the year, else that there
// are too few. The threshold holds for the noised value: it is all that is known.
func widenOver(quarter, year Estimate) Told {
	switch {
	case quarter.N >= Least:
		return Told{quarter, OverQuarter}
	case year.N >= Least:
		return Told{year, OverYear}
	}
	return Told{Span: TooFew}
}

// NationDetail is one territory's page.
type NationDetail struct {
	NationRow
	From, To, Newest Quarter
	ByType           [public.Other + 1]Told
	BySex            [public.Man + 1]Told
	ByAge            [public.From90 + 1]Told
	Trend            []QuarterTold // its quarters, at most twelve, oldest first
	Institution      Institution   // of the newest release
	Like             int           // territories of its size that have released
}

// QuarterTold is one quarter of one territory.
type QuarterTold struct {
	Quarter Quarter
	Actions Told
	Helped  Told
}

// Detail of one territory, over its newest four quarters.
func (s *Nation) Detail(by Caller, siren public.Siren) (d NationDetail, err error) {
	if err := by.may(ReadNation); err != nil {
		return d, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.of[siren]
	if r == nil {
		return d, &Error{Kind: NotFound, Code: "no-territory", Reason: "no such territory in this federation"}
	}
	last, any := r.newest()
	if !any {
		d.NationTerritory = s.described(r, s.lastDue())
		return d, nil
	}
	d.From, d.To, d.Newest = last-min(last, 3), last, last
	d.NationRow, _ = s.row(r, d.From, d.To)
	year, quarter, _ := s.ofOne(r, d.From, d.To)
	for i := range d.ByType {
		d.ByType[i] = widenOver(quarter.ByType[i], year.ByType[i])
	}
	for i := range d.BySex {
		d.BySex[i] = widenOver(quarter.BySex[i], year.BySex[i])
	}
	for i := range d.ByAge {
		d.ByAge[i] = widenOver(quarter.ByAge[i], year.ByAge[i])
	}
	d.Institution = quarter.Institution
	for q := max(d.First, last-min(last, 11)); q <= last; q++ {
		if _, ok := r.quarters[q]; ok {
			sums := s.sums(q, q, []public.Siren{siren})
			d.Trend = append(d.Trend, QuarterTold{q, widenOver(sums.Counted, Estimate{}), widenOver(sums.Helped, Estimate{})})
		}
	}
	from, to := sizeClassOf(r.Population)
	s.each(true, func(o *reported) {
		if o != r && o.Population >= from && (to == 0 || o.Population < to) && len(o.quarters) > 0 {
			d.Like++
		}
	})
	return d, nil
}

func sizeClassOf(population int) (from, to int) {
	for i, least := range sizeClasses {
		if population >= least {
			from, to = least, 0
			if i+1 < len(sizeClasses) {
				to = sizeClasses[i+1]
			}
		}
	}
	return from, to
}
