package public

import "time"

// Day counts days since 1 January 2020, UTC.
type Day uint16

// firstDay is 1 January 2020 in days since 1970.
const firstDay = 18262

// DayOf is the day of an instant; before 2020 it is the first, after 2199 the last.
func DayOf(t time.Time) Day {
	return Day(max(0, min(t.UTC().Unix()/86400-firstDay, 1<<16-1)))
}

// Time is the day's first instant.
func (d Day) Time() time.Time { return time.Unix((int64(d)+firstDay)*86400, 0).UTC() }

// Monday reports whether the day is one: 1 January 2020 was a Wednesday.
func (d Day) Monday() bool { return (int(d)+2)%7 == 0 }
