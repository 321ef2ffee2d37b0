// Package national adds up what territories have released: totals with intervals,
// shares, trends, and who is silent. It is pure: what it is given is settled, and
// the same entries give the same figures in whatever order they come.
//
// A total is the sum of the released numbers as they are, small and negative ones
// too: only so does the noise of many territories cancel out. Where the numbers of
// one territory are shown, see [Totals.Parts].
package national

import (
	"cmp"
	"errors"
	"maps"
	"slices"

	"github.com/bippop/bippop/federation/public"
)

// ErrContradiction says that two entries were given for one place of a feed.
var ErrContradiction = errors.New("two entries for one place of a feed: it has forked; use none of it")

// Book holds the settled entries of all territories, as far as figures need them.
// Not safe for concurrent use.
type Book struct {
	feeds map[public.Siren]*feed
}

// feed is what a territory has said.
type feed struct {
	releases  map[place]public.Release
	retracted map[place]bool
	heard     public.Day // day of the newest entry

	counted map[public.Quarter]public.Release // what counting has found; nil: entries have come since
	faults  int
}

type place struct {
	epoch uint16
	seq   uint64
}

func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(p.epoch, o.epoch), cmp.Compare(p.seq, o.seq))
}

// NewBook is an empty one.
func NewBook() *Book { return &Book{feeds: map[public.Siren]*feed{}} }

// Take notes a settled entry, of whatever kind. The same one twice is one.
// [ErrContradiction].
func (b *Book) Take(e public.Entry) error {
	f := b.feeds[e.From]
	if f == nil {
		f = &feed{releases: map[place]public.Release{}, retracted: map[place]bool{}}
		b.feeds[e.From] = f
	}
	at := place{e.Epoch, e.Seq}
	f.heard = max(f.heard, e.Day)
	switch m := e.Body.(type) {
	case public.Release:
		if was, there := f.releases[at]; there && (was.Quarter != m.Quarter || !slices.Equal(was.Cells, m.Cells)) {
			return ErrContradiction
		}
		f.releases[at], f.counted = m, nil
	case public.Retract:
		f.retracted[place{e.Epoch, m.Seq}], f.counted = true, nil
	}
	return nil
}

// counting are the releases of a feed that count, by quarter: those that come in
// order and within the budget, and were not retracted. faults is how many others
// there are, the retracted ones apart. Nobody changes what it gives.
func (f *feed) counting() (out map[public.Quarter]public.Release, faults int) {
	if f.counted != nil {
		return f.counted, f.faults
	}
	out = map[public.Quarter]public.Release{}
	var spent public.Odometer
	for _, at := range slices.SortedFunc(maps.Keys(f.releases), place.compare) {
		r := f.releases[at]
		after, err := spent.Follow(r)
		if err != nil {
			faults++
			continue
		}
		spent = after // a retracted release has spent its budget all the same
		if !f.retracted[at] {
			out[r.Quarter] = r
		}
	}
	f.counted, f.faults = out, faults
	return out, faults
}

// Span is quarters from First to Last, both included.
type Span struct{ First, Last public.Quarter }

// Year is a civil year.
func Year(year int) Span {
	first := public.QuarterOf(public.MonthOf(year, 1))
	return Span{first, first + 3}
}

// Totals adds up a span: of all territories, or of those named. Territories without
// a release in the span add nothing; see [Book.Coverage].
func (b *Book) Totals(s Span, of ...public.Siren) Totals {
	t := Totals{Span: s, cells: make([]int64, public.Cells(version))}
	if len(of) == 0 {
		of = b.Territories()
	}
	slices.Sort(of)
	for _, siren := range slices.Compact(of) {
		f := b.feeds[siren]
		if f == nil {
			continue
		}
		releases, _ := f.counting()
		any := false
		for q, r := range releases {
			if q < s.First || q > s.Last || r.Catalogue != version {
				continue
			}
			any = true
			t.Releases++
			for i, c := range r.Cells {
				t.cells[i] += int64(c.N())
			}
		}
		if any {
			t.Territories++
		}
	}
	return t
}

// Territories are those of whom anything was heard, in the order of their numbers.
func (b *Book) Territories() []public.Siren { return slices.Sorted(maps.Keys(b.feeds)) }

// Trend is the totals of each quarter of a span, of the territories that have
// released every one of them: so that a line rises because more is done, and not
// because more report.
func (b *Book) Trend(s Span) (out []Totals) {
	var of []public.Siren
	for _, siren := range b.Territories() {
		releases, _ := b.feeds[siren].counting()
		whole := true
		for q := s.First; q <= s.Last; q++ {
			_, there := releases[q]
			whole = whole && there
		}
		if whole {
			of = append(of, siren)
		}
	}
	for q := s.First; q <= s.Last; q++ {
		if len(of) == 0 {
			out = append(out, Totals{Span: Span{q, q}, cells: make([]int64, public.Cells(version))})
			continue
		}
		out = append(out, b.Totals(Span{q, q}, of...))
	}
	return out
}
