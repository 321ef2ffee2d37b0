// Package when holds time as data. The machine has no clock and no zone: an
// instant is a whole number in a command, a day is counted in the territory's own
// calendar by the proposer.
package when

import "time"

// At is an instant: milliseconds since 1970-01-01 UTC. Zero means never.
type At int64

// Of cuts t to the millisecond.
func Of(t time.Time) At { return At(t.UnixMilli()) }

// Time is the instant in UTC.
func (a At) Time() time.Time { return time.UnixMilli(int64(a)).UTC() }

// Add moves an instant.
func (a At) Add(d time.Duration) At { return a + At(d.Milliseconds()) }

// Day counts days since 1970-01-01 in the territory's calendar. Zero means none.
type Day int32

// DayOf is the calendar day of t in t's own zone.
func DayOf(t time.Time) Day {
	y, m, d := t.Date()
	return Day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// Date is midnight UTC of the day: read its year, month, day, weekday only.
func (d Day) Date() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// At is the instant of a minute of the day, on the clocks of zone.
func (d Day) At(minute int, zone *time.Location) At {
	y, m, day := d.Date().Date()
	return Of(time.Date(y, m, day, minute/60, minute%60, 0, 0, zone))
}

// ParseDay reads "2026-11-24".
func ParseDay(s string) (Day, bool) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1970 || t.Year() > 2999 {
		return 0, false
	}
	return DayOf(t), true
}

func (d Day) String() string {
	if d == 0 {
		return ""
	}
	return d.Date().Format(time.DateOnly)
}

// Half is a half of a day. The numbers are in the store.
type Half uint8

const (
	AnyHalf   Half = 0
	Morning   Half = 1
	Afternoon Half = 2
)

// Hours are the minutes of the day that a half spans, start and end.
func (h Half) Hours() (from, to int) {
	switch h {
	case Morning:
		return 8 * 60, 12*60 + 30
	case Afternoon:
		return 13*60 + 30, 19 * 60
	}
	return 8 * 60, 19 * 60
}

// HalfOf is the half in which a minute of the day lies.
func HalfOf(minute int) Half {
	if minute < 13*60 {
		return Morning
	}
	return Afternoon
}

// Week is a set of half-days: bit 2*weekday is the morning, the next one the
// afternoon; Monday is 0.
type Week uint16

// Bit is the place of a half-day in a [Week]. Half is Morning or Afternoon.
func Bit(d time.Weekday, h Half) Week {
	monday := (int(d) + 6) % 7
	return 1 << (2*monday + int(h-Morning))
}

// Has reports whether the week holds the half-day; with AnyHalf, either of both.
func (w Week) Has(d time.Weekday, h Half) bool {
	if h == AnyHalf {
		return w&(Bit(d, Morning)|Bit(d, Afternoon)) != 0
	}
	return w&Bit(d, h) != 0
}

// WeekOf is the Monday of the day's week.
func WeekOf(d Day) Day { return d - Day((int(d.Date().Weekday())+6)%7) }
