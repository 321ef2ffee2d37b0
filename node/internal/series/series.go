// Package series holds help that comes again: "every Tuesday morning". A series
// is no visit. It says on which days a request is made for her, some weeks ahead,
// by [Series.Next]; each request then lives its own life.
//
//	Running ◀──▶ Paused
//	   └──▶ Ended ◀──┘
package series

import (
	"slices"

	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/when"
)

// State says whether requests are made. The numbers are in the store.
type State uint8

const (
	Running State = 1
	Paused  State = 2
	Ended   State = 3
)

// Rhythm is how often. The numbers are in the store.
type Rhythm uint8

const (
	Weekly      Rhythm = 1
	Fortnightly Rhythm = 2
	Monthly     Rhythm = 3
)

// Last is the Nth of the last such weekday of a month.
const Last = 5

// Rule is on which days, and when on them.
type Rule struct {
	Rhythm  Rhythm    `cbor:"1,keyasint"`
	Weekday uint8     `cbor:"2,keyasint"`           // 1: Monday … 7: Sunday
	Nth     uint8     `cbor:"3,keyasint,omitempty"` // of Monthly: 1 to 4, or Last
	Half    when.Half `cbor:"4,keyasint,omitempty"`
	Minute  uint16    `cbor:"5,keyasint,omitempty"` // of the day, when an hour is agreed
}

// Terms are what was agreed with her.
type Terms struct {
	Rule     Rule              `cbor:"1,keyasint"`
	From     when.Day          `cbor:"2,keyasint"` // the first occurrence is on this day or the next that fits
	Until    when.Day          `cbor:"3,keyasint,omitempty"`
	Holidays bool              `cbor:"4,keyasint,omitempty"` // also on public holidays
	Plan     request.Plan      `cbor:"5,keyasint"`           // Start is never set; no seats: as the rule of two says on the day
	Standing []ident.Volunteer `cbor:"6,keyasint,omitempty"` // who promised to come each time; sorted
	Told     bool              `cbor:"7,keyasint,omitempty"` // she agreed to these terms in person, so that she expects them
}

// Series is one arrangement with one person.
type Series struct {
	ID          ident.Series      `cbor:"1,keyasint"`
	Version     uint32            `cbor:"2,keyasint"` // +1 when people change it; making a request is no change
	Beneficiary ident.Beneficiary `cbor:"3,keyasint"`
	Type        ident.ActionType  `cbor:"4,keyasint"`
	State       State             `cbor:"5,keyasint"`
	Terms       Terms             `cbor:"6,keyasint"`
	Skips       []when.Day        `cbor:"7,keyasint,omitempty"` // days that do not count; sorted
	Through     when.Day          `cbor:"8,keyasint"`           // up to this day every occurrence was made or passed over
	Opened      when.At           `cbor:"9,keyasint"`
	Box         []byte            `cbor:"10,keyasint,omitempty"` // Words, sealed under her key at version Boxed
	Boxed       uint32            `cbor:"11,keyasint,omitempty"`
}

// Words are what only people may read. Each occurrence gets them as its own.
type Words = request.Words

// New begins a series.
func New(s Series, at when.At) Series {
	s.Version, s.State, s.Opened, s.Boxed = 1, Running, at, 1
	s.Terms.Standing = tidy(s.Terms.Standing)
	s.Through = s.Terms.From - 1
	return s
}

// Change replaces the terms and, unless box is empty, the words. Days after past
// are worked out anew.
func (s Series) Change(version uint32, to Terms, box []byte, past when.Day) (Series, error) {
	switch {
	case s.Version != version:
		return s, refuse.StaleVersion
	case s.State == Ended:
		return s, refuse.SeriesEnded
	}
	s.Version++
	s.Terms = to
	s.Terms.Standing = tidy(to.Standing)
	if len(box) > 0 {
		s.Box, s.Boxed = box, s.Version
	}
	return s.again(past), nil
}

// Step pauses, resumes or ends. A series that resumes begins anew after past.
func (s Series) Step(version uint32, to State, past when.Day) (Series, error) {
	switch {
	case s.Version != version:
		return s, refuse.StaleVersion
	case s.State == Ended:
		return s, refuse.SeriesEnded
	case to == s.State || to < Running || to > Ended:
		return s, refuse.WrongStep
	}
	s.Version++
	s.State = to
	return s.again(past), nil
}

// again forgets how far occurrences were made, and the exceptions of days that
// are over.
func (s Series) again(past when.Day) Series {
	s.Through = max(s.Terms.From-1, min(s.Through, past))
	s.Skips = slices.DeleteFunc(slices.Clone(s.Skips), func(d when.Day) bool { return d <= past })
	return s
}

// Skip makes an exception of a day, once.
func (s Series) Skip(d when.Day) Series {
	if i, there := slices.BinarySearch(s.Skips, d); !there {
		s.Skips = slices.Insert(slices.Clone(s.Skips), i, d)
	}
	return s
}

// Without is s when a volunteer is erased who had promised to come each time.
func (s Series) Without(v ident.Volunteer) Series {
	s.Terms.Standing = slices.DeleteFunc(slices.Clone(s.Terms.Standing), func(o ident.Volunteer) bool { return o == v })
	s.Version++
	return s
}

// Skipped reports whether the day is an exception.
func (s Series) Skipped(d when.Day) bool {
	_, there := slices.BinarySearch(s.Skips, d)
	return there
}

func tidy(v []ident.Volunteer) []ident.Volunteer {
	v = slices.Clone(v)
	slices.SortFunc(v, func(a, b ident.Volunteer) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(v)
}

// Wish is hers for the occurrence on a day.
func (t Terms) Wish(d when.Day) request.Wish {
	return request.Wish{Kind: request.OnDay, Day: d, Half: t.Rule.Half, Minute: t.Rule.Minute}
}

// Visit is the plan of one occurrence, of which the rule of two asks for at least
// rule seats: everybody who promised has one.
func (t Terms) Visit(rule uint8, car bool) request.Plan {
	p := t.Plan
	p.Start, p.Car = 0, car
	if !p.Exception {
		p.Seats = max(p.Seats, rule)
	}
	p.Seats = max(p.Seats, uint8(len(t.Standing)), 1)
	return p
}

// Expects is what she believes of an occurrence that she heard nothing of but the
// terms: that everybody comes who promised. Where more are needed than promised,
// she knows no more than that somebody is looked for.
func (t Terms) Expects(seats uint8, start when.At) request.Belief {
	if !t.Told || len(t.Standing) < int(seats) {
		return request.Belief{}
	}
	return request.Belief{Coming: t.Standing, Start: start}
}

// Same reports whether a visit that was made under these terms is what the others
// ask for, on a day that both hold.
func (t Terms) Same(o Terms) bool {
	return t.Rule.Half == o.Rule.Half && t.Rule.Minute == o.Rule.Minute && t.Plan == o.Plan &&
		slices.Equal(t.Standing, o.Standing) && (t.Told || !o.Told)
}
