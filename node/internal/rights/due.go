package rights

import (
	"time"

	"github.com/bippop/bippop/node/internal/when"
)

// AnswerMonths is how long the territory has, ExtensionMonths how much longer once,
// with a reason (GDPR, art. 12 (3)).
const (
	AnswerMonths    = 1
	ExtensionMonths = 2
)

// Due is the last day on which what was received can be answered in time, counted
// as Regulation 1182/71 says, art. 3: the day of the same number in the last month,
// or that month's last day; from a Saturday, Sunday or public holiday the next
// working day. departement is where the holidays are, "33".
func Due(received when.Day, months int, departement string) when.Day {
	from := received.Date()
	last := time.Date(from.Year(), from.Month()+time.Month(months)+1, 0, 0, 0, 0, 0, time.UTC)
	d := when.DayOf(last.AddDate(0, 0, min(from.Day(), last.Day())-last.Day()))
	for rests(d, departement) {
		d++
	}
	return d
}

func rests(d when.Day, departement string) bool {
	w := d.Date().Weekday()
	return w == time.Saturday || w == time.Sunday || when.Holiday(d, departement) != ""
}

// MonthsBefore is the day of the same number so many months ago, or that month's
// last day.
func MonthsBefore(d when.Day, months int) when.Day {
	to := d.Date()
	last := time.Date(to.Year(), to.Month()-time.Month(months)+1, 0, 0, 0, 0, 0, time.UTC)
	return when.DayOf(last.AddDate(0, 0, min(to.Day(), last.Day())-last.Day()))
}
