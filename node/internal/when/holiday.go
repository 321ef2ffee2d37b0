package when

import "time"

// Holiday names the public holiday that falls on the day in a French
// département (INSEE code, "33", "2A", "974"), or "". The name is a key, not
// words: "easter-monday". Where two fall together the fixed one is named.
//
// Everywhere: the eleven of the Labour Code (L3133-1). In 57, 67 and 68 also
// Good Friday and 26 December. In 971, 972, 973, 974 and 976 also the day on
// which the abolition of slavery is remembered there. The days of
// Saint-Barthélemy and Saint-Martin are left out: neither has a département, nor
// a commune in the registry that a territory is made of.
func Holiday(d Day, departement string) string {
	year, month, day := d.Date().Date()
	for _, f := range fixed {
		if f.month == month && f.day == day {
			return f.name
		}
	}
	switch d - Easter(year) {
	case 1:
		return "easter-monday"
	case 39:
		return "ascension"
	case 50:
		return "whit-monday"
	case -2:
		if alsatian(departement) {
			return "good-friday"
		}
	}
	if alsatian(departement) && month == time.December && day == 26 {
		return "second-christmas-day"
	}
	if f, ok := abolitions[departement]; ok && f.month == month && f.day == day {
		return "abolition-of-slavery"
	}
	return ""
}

type dated struct {
	month time.Month
	day   int
	name  string
}

var fixed = []dated{
	{time.January, 1, "new-year"}, {time.May, 1, "labour-day"}, {time.May, 8, "victory-1945"}, {time.July, 14, "national-day"},
	{time.August, 15, "assumption"}, {time.November, 1, "all-saints"}, {time.November, 11, "armistice"}, {time.December, 25, "christmas"},
}

// abolitions by département (decree 83-1003, and 2012-553 for Mayotte).
var abolitions = map[string]dated{
	"971": {month: time.May, day: 27}, "972": {month: time.May, day: 22}, "973": {month: time.June, day: 10},
	"974": {month: time.December, day: 20}, "976": {month: time.April, day: 27},
}

// alsatian: where the local law of Alsace and Moselle holds.
func alsatian(departement string) bool {
	return departement == "57" || departement == "67" || departement == "68"
}

// Easter is Easter Sunday of a year of the Gregorian calendar, by the computus
// of Meeus, Jones and Butcher.
func Easter(year int) Day {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return DayOf(time.Date(year, time.Month(n/31), n%31+1, 0, 0, 0, 0, time.UTC))
}
