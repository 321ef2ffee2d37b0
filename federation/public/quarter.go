package public

import (
	"fmt"
	"time"
)

// Quarter counts quarters since the first of 2020.
type Quarter uint16

// LastQuarter is the last of 2119; later ones are out of range in messages.
const LastQuarter Quarter = 399

// QuarterOf the month.
func QuarterOf(m Month) Quarter { return Quarter(m / 3) }

// QuarterAt is the quarter in which a day lies.
func QuarterAt(d Day) Quarter {
	year, month, _ := d.Time().Date()
	return QuarterOf(MonthOf(year, int(month)))
}

// First month of the quarter.
func (q Quarter) First() Month { return Month(q) * 3 }

// End is the first day after the quarter.
func (q Quarter) End() Day {
	year, n := q.Year()
	return DayOf(time.Date(year, time.Month(3*n+1), 1, 0, 0, 0, 0, time.UTC))
}

// Year of the quarter, and its number in it, 1 to 4.
func (q Quarter) Year() (year, number int) { return 2020 + int(q)/4, int(q)%4 + 1 }

func (q Quarter) String() string {
	y, n := q.Year()
	return fmt.Sprintf("%d-T%d", y, n)
}
