package node

import (
	"io"
	"slices"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/sheet"
	"github.com/bippop/bippop/node/internal/stats"
)

// Look is what somebody wants to see: a span of months, both included, of the
// territory or of one commune.
type Look struct {
	From, To Month
	Commune  string // INSEE code, or empty
}

// Number is a count as the caller may see it; see package stats.
type Number = stats.Number

// What may be said of a number, and the smallest one that everybody may see.
const (
	Withheld = stats.Withheld
	Small    = stats.Small
	Shown    = stats.Shown
	Least    = stats.Least
)

// Row is numbers by what they count. An indicator that is missing is none where
// the sheet is exact, and withheld elsewhere.
type Row map[Indicator]Number

// Sheet is the figures of one place and span as the caller may see them.
type Sheet struct {
	From, To Month
	Exact    bool     // all numbers are shown
	Communes []string // whose they are; empty: the whole territory's

	// Asked is how many actions were done where and when the caller had asked. When
	// that is too little to show, the sheet is of another year or place ([Sheet.Moved]).
	Asked Number
	Look  Look

	Total     Row
	ByKind    map[Category]Row
	BySex     map[Sex]Row
	ByAge     map[AgeBand]Row
	ByMonth   map[Month]Row
	ByCommune map[string]Row
	ByArea    []AreaRow // only where not exact: see areasOf
}

// AreaRow is the numbers of an area: a few communes that lie together.
type AreaRow struct {
	Communes []string
	Row
}

// Moved reports whether the sheet is of another year or place than asked for.
func (s Sheet) Moved() bool {
	return s.From != s.Look.From || s.Look.Commune != "" && !(len(s.Communes) == 1 && s.Communes[0] == s.Look.Commune)
}

// Mobility is how many of the actions done moved somebody or something along the
// road ([public.Category.Mobility]), worked out of the numbers on the sheet: the
// categories that are mobility, or the total without the others. It is withheld
// when both have one that is not shown.
func (s Sheet) Mobility() Number {
	moving, staying := Number{Mark: Shown}, Number{Mark: Shown}
	for c := public.NoCategory; c <= public.Other; c++ {
		side := &staying
		if c.Mobility() {
			side = &moving
		}
		v := s.number(s.ByKind[c])
		if v.Mark != Shown {
			side.Mark = Withheld
		}
		side.N += v.N
	}
	total := s.number(s.Total)
	switch {
	case moving.Mark == Shown:
		return moving
	case staying.Mark == Shown && total.Mark == Shown:
		return Number{N: total.N - staying.N, Mark: Shown}
	}
	return Number{}
}

// number is the actions done in a row. A row that is not there has none.
func (s Sheet) number(r Row) Number {
	v, ok := r[public.Done]
	if r == nil || !ok && s.Exact {
		return Number{Mark: Shown}
	}
	return v
}

// yearsBack is how many years before the one asked for may stand in for it.
const yearsBack = 3

// Look shows figures. Those who may see people see every number of any span. An
// official sees one calendar year, and of it what package stats lets through. So
// that the page of a small commune is not empty it widens by itself: to the last
// year before in which the commune has enough to show, then to its area, this year
// or before, then to the territory.
func (s *Figures) Look(by Caller, q Look) (Sheet, error) {
	if err := by.may(ReadFigures); err != nil {
		return Sheet{}, err
	}
	if q.Commune != "" {
		if err := s.inTerritory("commune", q.Commune); err != nil {
			return Sheet{}, err
		}
	}
	if by.may(ReadSmallCells) != nil {
		return s.released(q)
	}
	if q.Commune != "" && !by.reaches(q.Commune) {
		return Sheet{}, errCommune
	}
	t, err := s.tally(by, q.From, q.To, q.Commune)
	if err != nil {
		return Sheet{}, err
	}
	out := Sheet{
		From: q.From, To: q.To, Exact: true, Look: q, Asked: Number{N: t.Total[public.Done], Mark: Shown}, Total: exact(t.Total),
		ByKind: exactly(t.ByKind), BySex: exactly(t.BySex), ByAge: exactly(t.ByAge), ByMonth: exactly(t.ByMonth), ByCommune: exactly(t.ByCommune),
	}
	if out.Communes = by.Communes; q.Commune != "" {
		out.Communes = []string{q.Commune}
	}
	return out, nil
}

func exact(row map[Indicator]uint64) Row {
	out := Row{}
	for i, n := range row {
		out[i] = Number{N: n, Mark: Shown}
	}
	return out
}

func exactly[K comparable](rows map[K]map[Indicator]uint64) map[K]Row {
	out := make(map[K]Row, len(rows))
	for k, row := range rows {
		out[k] = exact(row)
	}
	return out
}

// year is what may be shown of one, and which commune and area is which.
type year struct {
	stats.Released
	first Month
	codes []string // of the places
	areas [][]string
}

// released finds the page of an official.
func (s *Figures) released(q Look) (Sheet, error) {
	if q.To != q.From+11 || q.From != MonthOf(q.From.Year(), 1) {
		return Sheet{}, invalid("from", "whole-year", "you see one calendar year at a time, from January to December: less would point at people")
	}
	var years []year
	for y := q.From.Year(); y >= max(2020, q.From.Year()-yearsBack); y-- {
		next, err := s.release(y)
		if err != nil {
			return Sheet{}, err
		}
		years = append(years, next)
	}
	asked := years[0].Territory
	if q.Commune != "" {
		place := slices.Index(years[0].codes, q.Commune)
		area := slices.IndexFunc(years[0].areas, func(a []string) bool { return slices.Contains(a, q.Commune) })
		asked = years[0].Places[place]
		for _, y := range years {
			if enough(y.Places[place]) {
				return y.sheet(q, asked, y.Places[place], []string{q.Commune}), nil
			}
		}
		for _, y := range years {
			if enough(y.Areas[area]) {
				return y.sheet(q, asked, y.Areas[area], y.areas[area]), nil
			}
		}
	}
	for _, y := range years {
		if enough(y.Territory) {
			return y.sheet(q, asked, y.Territory, nil), nil
		}
	}
	return years[0].sheet(q, asked, years[0].Territory, nil), nil
}

func enough(s *stats.Sheet) bool { return s[stats.Total][stats.InDetail].Is(Least) }

// release works out what may be shown of a year. Communes that have left the
// territory count as one area more.
func (s *Figures) release(of int) (y year, err error) {
	if y.areas, err = s.areas(); err != nil {
		return y, err
	}
	grids, at := []stats.Place{}, map[string]int{}
	place := func(code string, area int) {
		at[code] = len(grids)
		grids, y.codes = append(grids, stats.Place{Area: area, Grid: new(stats.Grid)}), append(y.codes, code)
	}
	for a, communes := range y.areas {
		for _, code := range communes {
			place(code, a)
		}
	}
	y.first = MonthOf(of, 1)
	y.areas = slices.Clip(y.areas) // shared: append copies
	var gone []string
	for m := y.first; m <= y.first+11; m++ {
		err := s.eachCommune(m, func(code string, counts *monthCounts) {
			if _, ok := at[code]; !ok {
				place(code, len(y.areas))
				gone = append(gone, code)
			}
			g := grids[at[code]].Grid
			for slot := range counts {
				for i, n := range counts[slot] {
					g[slot][i] += uint64(n)
				}
			}
			for i, n := range counts[stats.Total] {
				g[stats.Month(int(m-y.first))][i] += uint64(n)
			}
		})
		if err != nil {
			return y, err
		}
	}
	if len(gone) > 0 {
		slices.Sort(gone)
		y.areas = append(y.areas, gone)
	}
	y.Released = stats.Release(grids)
	return y, nil
}

// sheet writes a place of the year; communes is nil for the territory.
func (y year) sheet(q Look, asked, of *stats.Sheet, communes []string) Sheet {
	out := Sheet{
		From: y.first, To: y.first + 11, Communes: communes, Asked: asked[stats.Total][stats.InDetail], Look: q, Total: row(of, stats.Total),
		ByKind: map[Category]Row{}, BySex: map[Sex]Row{}, ByAge: map[AgeBand]Row{}, ByMonth: map[Month]Row{}, ByCommune: map[string]Row{},
	}
	for c := public.NoCategory; c <= public.Other; c++ {
		put(out.ByKind, c, row(of, stats.Category(c)))
	}
	for x := public.SexUnknown; x <= public.Man; x++ {
		put(out.BySex, x, row(of, stats.Sex(x)))
	}
	for a := public.AgeUnknown; a <= public.From90; a++ {
		put(out.ByAge, a, row(of, stats.Age(a)))
	}
	for m := range 12 {
		put(out.ByMonth, y.first+Month(m), row(of, stats.Month(m)))
	}
	for i, code := range y.codes {
		if communes == nil || slices.Contains(communes, code) {
			put(out.ByCommune, code, row(y.Places[i], stats.Total))
		}
	}
	for a, in := range y.areas {
		if communes == nil {
			out.ByArea = append(out.ByArea, AreaRow{in, row(y.Areas[a], stats.Total)})
		}
	}
	return out
}

func row(s *stats.Sheet, slot int) Row {
	out := Row{}
	for i := public.FirstIndicator; i <= public.LastIndicator; i++ {
		out[i] = s[slot][i]
	}
	return out
}

// put leaves out a row in which there is nothing, and it may be said.
func put[K comparable](m map[K]Row, k K, r Row) {
	for _, v := range r {
		if v != (Number{Mark: Shown}) {
			m[k] = r
			return
		}
	}
}

// WriteTable writes a table of figures as a spreadsheet that a French Excel opens,
// with no cell that it would run.
func WriteTable(w io.Writer, header []string, rows [][]string) error {
	return sheet.Write(w, header, slices.Values(rows))
}
