package series

import (
	"time"

	"github.com/bippop/bippop/node/internal/when"
)

// Next is the first occurrence strictly after a day, in her département; ok is
// false when there is none any more.
func (s Series) Next(after when.Day, departement string) (day when.Day, ok bool) {
	for range furthest {
		if after, ok = s.Terms.step(after); !ok {
			return 0, false
		}
		if !s.Skipped(after) && s.Terms.Holiday(after, departement) == "" {
			return after, true
		}
	}
	return 0, false
}

// furthest is how many dates in a row may be passed over: more than people skip,
// so that a list of exceptions that covers everything ends too.
const furthest = 1000

// Date is a day on which the rule falls, and why nobody comes then, if so.
type Date struct {
	Day     when.Day
	Holiday string // passed over for this; see when.Holiday
	Skipped bool
}

// Dates lists the next n days on which the rule falls, with those that are passed
// over.
func (s Series) Dates(after when.Day, departement string, n int) (out []Date) {
	for range n {
		d, ok := s.Terms.step(after)
		if !ok {
			break
		}
		out = append(out, Date{d, s.Terms.Holiday(d, departement), s.Skipped(d)})
		after = d
	}
	return out
}

// Holds reports whether an occurrence is on the day.
func (s Series) Holds(d when.Day, departement string) bool {
	next, ok := s.Next(d-1, departement)
	return ok && next == d
}

// Holiday is the holiday for which the day is passed over, or "".
func (t Terms) Holiday(d when.Day, departement string) string {
	if t.Holidays {
		return ""
	}
	return when.Holiday(d, departement)
}

// step is the next day on which the rule falls, between From and Until.
func (t Terms) step(after when.Day) (when.Day, bool) {
	after = max(after, t.From-1)
	var d when.Day
	switch t.Rule.Rhythm {
	case Fortnightly:
		first := t.Rule.weekday(t.From)
		d = first
		if after >= first {
			d += (after-first)/14*14 + 14
		}
	case Monthly:
		year, month, _ := (after + 1).Date().Date()
		if d = t.Rule.inMonth(year, month); d <= after {
			d = t.Rule.inMonth(year, month+1)
		}
	default:
		d = t.Rule.weekday(after + 1)
	}
	return d, d > after && (t.Until == 0 || d <= t.Until)
}

// weekday is the rule's weekday on the day or next after it.
func (r Rule) weekday(d when.Day) when.Day {
	if monday := when.WeekOf(d) + when.Day(r.Weekday) - 1; monday >= d {
		return monday
	}
	return when.WeekOf(d) + 7 + when.Day(r.Weekday) - 1
}

// inMonth is the nth such weekday of a month, or the last.
func (r Rule) inMonth(year int, month time.Month) when.Day {
	first := when.DayOf(time.Date(year, month, 1, 0, 0, 0, 0, time.UTC))
	if r.Nth < Last {
		return r.weekday(first) + 7*when.Day(max(r.Nth, 1)-1)
	}
	next := when.DayOf(time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC))
	return r.weekday(next) - 7
}

// Departement is that of a commune's INSEE code.
func Departement(commune string) string {
	n := 2
	if len(commune) > 2 && (commune[:2] == "97" || commune[:2] == "98") {
		n = 3
	}
	return commune[:min(n, len(commune))]
}
