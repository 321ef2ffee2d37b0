package node

import (
	"sync"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/event"
	"github.com/bippop/bippop/node/internal/store"
)

// Figures are the territory's counters: primary, and without a link to anybody.
type Figures struct{ *core }

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

// Read adds up the months from first to last, both included.
func (s *Figures) Read(by Caller, first, last Month) (Tally, error) {
	if err := by.may(readFigures); err != nil {
		return Tally{}, err
	}
	if first > last || last-first > 120 {
		return Tally{}, invalid("from", "out-of-range", "a span of months, at most ten years")
	}
	t := newTally(first, last)
	for m := first; m <= last; m++ {
		if err := s.addMonth(&t, m); err != nil {
			return Tally{}, err
		}
	}
	return t, nil
}

// addMonth adds a month's sums, which are worked out at the first reading and
// kept up to date since.
func (c *core) addMonth(t *Tally, m Month) error {
	c.tallies.mu.Lock()
	defer c.tallies.mu.Unlock()
	sums, ok := c.tallies.months[m]
	if !ok {
		sums = &monthSums{Tally: newTally(m, m)}
		err := c.view(func(tx *store.Tx) (err error) {
			if sums.at, err = tx.Meta("applied"); err != nil {
				return err
			}
			return tx.EachCounter(m, func(cell public.Cell, n uint64) { sums.add(cell, int64(n)) })
		})
		if err != nil {
			return err
		}
		c.tallies.months[m] = sums
	}
	for i, n := range sums.Total {
		t.Total[i] += n
	}
	merge(t.ByKind, sums.ByKind)
	merge(t.ByCommune, sums.ByCommune)
	merge(t.BySex, sums.BySex)
	merge(t.ByAge, sums.ByAge)
	merge(t.ByMonth, sums.ByMonth)
	return nil
}

// tallies holds the sums of the months that somebody has looked at. Safe for
// concurrent use.
type tallies struct {
	mu     sync.Mutex // guards months, for a reading
	months map[Month]*monthSums
}

type monthSums struct {
	Tally
	at uint64 // the applied index that the sums were worked out at
}

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
		sums.add(e.Cell, e.N)
	}
}

func (t *Tally) add(c public.Cell, n int64) {
	t.Total[c.Indicator] += uint64(n) // two's complement: a negative n takes away
	add(t.ByKind, c.Category, c.Indicator, uint64(n))
	add(t.ByCommune, c.Commune.String(), c.Indicator, uint64(n))
	add(t.BySex, c.Sex, c.Indicator, uint64(n))
	add(t.ByAge, c.Age, c.Indicator, uint64(n))
	add(t.ByMonth, c.Month, c.Indicator, uint64(n))
}

func add[K comparable](m map[K]map[Indicator]uint64, k K, i Indicator, n uint64) {
	if m[k] == nil {
		m[k] = map[Indicator]uint64{}
	}
	m[k][i] += n
}

func merge[K comparable](into, from map[K]map[Indicator]uint64) {
	for k, row := range from {
		for i, n := range row {
			add(into, k, i, n)
		}
	}
}

// MonthOf is a calendar month; month is 1 to 12.
var MonthOf = public.MonthOf
