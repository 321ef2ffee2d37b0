package node

import (
	"sync"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/event"
	"github.com/bippop/bippop/node/internal/stats"
	"github.com/bippop/bippop/node/internal/store"
)

// Figures are the territory's counters: primary, and without a link to anybody.
type Figures struct {
	*core
	Quarters *Quarters
}

// The catalogue's words, for callers.
type (
	Indicator = public.Indicator
	Category  = public.Category
	Sex       = public.Sex
	AgeBand   = public.AgeBand
	Month     = public.Month
)

// Tally is the counters of a span of months.
type Tally struct {
	From, To  Month
	Total     map[Indicator]uint64
	ByKind    map[Category]map[Indicator]uint64
	ByCommune map[string]map[Indicator]uint64
	BySex     map[Sex]map[Indicator]uint64
	ByAge     map[AgeBand]map[Indicator]uint64
	ByMonth   map[Month]map[Indicator]uint64
}

// newTally is an empty one.
func newTally(first, last Month) Tally {
	return Tally{
		From: first, To: last, Total: map[Indicator]uint64{}, ByKind: map[Category]map[Indicator]uint64{},
		ByCommune: map[string]map[Indicator]uint64{}, BySex: map[Sex]map[Indicator]uint64{},
		ByAge: map[AgeBand]map[Indicator]uint64{}, ByMonth: map[Month]map[Indicator]uint64{},
	}
}

// Read adds up the months from first to last, both included, to the last one: for
// those who may see people. Others have [Figures.Look].
func (s *Figures) Read(by Caller, first, last Month) (Tally, error) {
	if err := by.may(ReadSmallCells); err != nil {
		return Tally{}, err
	}
	return s.tally(by, first, last, "")
}

// tally adds up the months of one commune, or of all that the caller reaches.
func (s *Figures) tally(by Caller, first, last Month, commune string) (Tally, error) {
	if first > last || last-first > 120 {
		return Tally{}, invalid("from", "out-of-range", "a span of months, at most ten years")
	}
	t := newTally(first, last)
	var all wideCounts
	totals := map[string]*wideRow{}
	for m := first; m <= last; m++ {
		var month wideRow
		err := s.eachCommune(m, func(code string, counts *monthCounts) {
			if commune != "" && code != commune || !by.reaches(code) {
				return
			}
			all.add(counts)
			month.add(&counts[stats.Total])
			if totals[code] == nil {
				totals[code] = new(wideRow)
			}
			totals[code].add(&counts[stats.Total])
		})
		if err != nil {
			return Tally{}, err
		}
		widen(t.ByMonth, m, &month)
	}
	for code, row := range totals {
		widen(t.ByCommune, code, row)
	}
	for i, n := range all[stats.Total] {
		if n > 0 {
			t.Total[Indicator(i)] = n
		}
	}
	for c := public.NoCategory; c <= public.Other; c++ {
		widen(t.ByKind, c, &all[stats.Category(c)])
	}
	for x := public.SexUnknown; x <= public.Man; x++ {
		widen(t.BySex, x, &all[stats.Sex(x)])
	}
	for a := public.AgeUnknown; a <= public.From90; a++ {
		widen(t.ByAge, a, &all[stats.Age(a)])
	}
	return t, nil
}

// wideCounts are monthCounts added up over communes and months, a row for each
// total and part.
type wideCounts [countSlots]wideRow

type wideRow [stats.Indicators]uint64

func (w *wideCounts) add(counts *monthCounts) {
	for slot := range counts {
		w[slot].add(&counts[slot])
	}
}

func (w *wideRow) add(row *[stats.Indicators]uint32) {
	for i, n := range row {
		w[i] += uint64(n)
	}
}

// widen adds a row to a breakdown; one of noughts is left out.
func widen[K comparable](m map[K]map[Indicator]uint64, k K, row *wideRow) {
	for i, n := range row {
		if n == 0 {
			continue
		}
		if m[k] == nil {
			m[k] = map[Indicator]uint64{}
		}
		m[k][Indicator(i)] = n
	}
}

// eachCommune gives the counts of a month, which are read at the first asking and
// kept up to date since. f may not keep them.
func (s *Figures) eachCommune(m Month, f func(commune string, counts *monthCounts)) error {
	s.tallies.mu.Lock()
	defer s.tallies.mu.Unlock()
	sums, ok := s.tallies.months[m]
	if !ok {
		sums = &monthSums{communes: map[public.Commune]*monthCounts{}}
		err := s.view(itself, func(tx *store.Tx) (err error) {
			if sums.at, err = tx.Meta("applied"); err != nil {
				return err
			}
			return tx.EachCounter(m, func(cell public.Cell, n uint64) { sums.add(cell, uint32(n)) })
		})
		if err != nil {
			return err
		}
		s.tallies.months[m] = sums
	}
	for code, counts := range sums.communes {
		f(code.String(), counts)
	}
	return nil
}

// tallies holds the sums of the months that somebody has looked at. Safe for
// concurrent use.
type tallies struct {
	mu     sync.Mutex // guards months, for a reading
	months map[Month]*monthSums
}

type monthSums struct {
	communes map[public.Commune]*monthCounts
	at       uint64 // the applied index that the sums were worked out at
}

// monthCounts are a commune's counts of one month: the total and the parts of each
// breakdown but the one by month. 32 bits hold a month's metres of 100,000 rides.
type monthCounts [countSlots][stats.Indicators]uint32

const countSlots = stats.Slots - 12

func newTallies() *tallies { return &tallies{months: map[Month]*monthSums{}} }

// forget drops all sums, when the state was replaced.
func (t *tallies) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.months = map[Month]*monthSums{}
}

// counted follows a write at index.
func (t *tallies) counted(index uint64, e event.Counted) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if sums, ok := t.months[e.Cell.Month]; ok && index > sums.at {
		sums.add(e.Cell, uint32(e.N)) // two's complement: a negative n takes away
	}
}

func (s *monthSums) add(c public.Cell, n uint32) {
	counts := s.communes[c.Commune]
	if counts == nil {
		counts = new(monthCounts)
		s.communes[c.Commune] = counts
	}
	for _, slot := range [...]int{stats.Total, stats.Category(c.Category), stats.Sex(c.Sex), stats.Age(c.Age)} {
		counts[slot][c.Indicator] += n
	}
}

// MonthOf is a calendar month; month is 1 to 12.
var MonthOf = public.MonthOf
