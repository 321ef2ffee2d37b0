package public

import (
	"fmt"
	"time"
)

// Siren is the number of a public body: nine digits with a check digit.
type Siren uint32

// ParseSiren reads nine digits whose check digit holds (Luhn).
func ParseSiren(s string) (Siren, error) {
	if len(s) != 9 {
		return 0, ErrForm
	}
	var n Siren
	for i := range 9 {
		if s[i] < '0' || s[i] > '9' {
			return 0, ErrForm
		}
		n = n*10 + Siren(s[i]-'0')
	}
	if !n.Valid() {
		return 0, ErrForm
	}
	return n, nil
}

// Valid reports whether the check digit holds.
func (n Siren) Valid() bool {
	if n == 0 || n > 999_999_999 {
		return false
	}
	sum := Siren(0)
	for i, rest := 0, n; rest > 0; i, rest = i+1, rest/10 {
		d := rest % 10
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

func (n Siren) String() string { return fmt.Sprintf("%09d", uint32(n)) }

// Day counts days since 1 January 2020, UTC.
type Day uint16

// DayOf is the day of an instant; before 2020 it is 0.
func DayOf(t time.Time) Day {
	days := t.UTC().Unix()/86400 - 18262 // 1 January 2020
	return Day(max(0, min(days, 1<<16-1)))
}

// Time is the day's first instant.
func (d Day) Time() time.Time { return time.Unix((int64(d)+18262)*86400, 0).UTC() }

// Quarter counts quarters since the first of 2020.
type Quarter uint16

// QuarterOf the month.
func QuarterOf(m Month) Quarter { return Quarter(m / 3) }

// First month of the quarter.
func (q Quarter) First() Month { return Month(q) * 3 }

// Year of the quarter, and its number in it, 1 to 4.
func (q Quarter) Year() (year, number int) { return 2020 + int(q)/4, int(q)%4 + 1 }

func (q Quarter) String() string {
	y, n := q.Year()
	return fmt.Sprintf("%d-T%d", y, n)
}
