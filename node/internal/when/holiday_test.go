package when_test

import (
	"testing"
	"time"

	"github.com/bippop/bippop/node/internal/when"
)

// TestEaster: dates as printed in calendars.
func TestEaster(t *testing.T) {
	for year, want := range map[int]string{
		1818: "1818-03-22", 1943: "1943-04-25", 1954: "1954-04-18", 1981: "1981-04-19", 2000: "2000-04-23", 2008: "2008-03-23",
		2011: "2011-04-24", 2018: "2018-04-01", 2024: "2024-03-31", 2025: "2025-04-20", 2026: "2026-04-05", 2027: "2027-03-28",
		2028: "2028-04-16", 2029: "2029-04-01", 2030: "2030-04-21", 2038: "2038-04-25", 2049: "2049-04-18", 2076: "2076-04-19",
	} {
		if got := when.Easter(year).Date().Format(time.DateOnly); got != want {
			t.Errorf("Easter of %d is %s, want %s", year, got, want)
		}
	}
}

// TestHolidays: every holiday of some years, and no other day, as the State
// publishes them.
func TestHolidays(t *testing.T) {
	for _, c := range []struct {
		departement string
		year        int
		want        map[string]string
	}{
		{"33", 2026, map[string]string{
			"2026-01-01": "new-year", "2026-04-06": "easter-monday", "2026-05-01": "labour-day", "2026-05-08": "victory-1945",
			"2026-05-14": "ascension", "2026-05-25": "whit-monday", "2026-07-14": "national-day", "2026-08-15": "assumption",
			"2026-11-01": "all-saints", "2026-11-11": "armistice", "2026-12-25": "christmas",
		}},
		{"2A", 2027, map[string]string{
			"2027-01-01": "new-year", "2027-03-29": "easter-monday", "2027-05-01": "labour-day", "2027-05-08": "victory-1945",
			"2027-05-06": "ascension", "2027-05-17": "whit-monday", "2027-07-14": "national-day", "2027-08-15": "assumption",
			"2027-11-01": "all-saints", "2027-11-11": "armistice", "2027-12-25": "christmas",
		}},
		{"67", 2025, map[string]string{
			"2025-01-01": "new-year", "2025-04-18": "good-friday", "2025-04-21": "easter-monday", "2025-05-01": "labour-day", "2025-05-08": "victory-1945",
			"2025-05-29": "ascension", "2025-06-09": "whit-monday", "2025-07-14": "national-day", "2025-08-15": "assumption",
			"2025-11-01": "all-saints", "2025-11-11": "armistice", "2025-12-25": "christmas", "2025-12-26": "second-christmas-day",
		}},
		// Ascension on 1 May: one day, one name.
		{"974", 2008, map[string]string{
			"2008-01-01": "new-year", "2008-03-24": "easter-monday", "2008-05-01": "labour-day", "2008-05-08": "victory-1945",
			"2008-05-12": "whit-monday", "2008-07-14": "national-day", "2008-08-15": "assumption", "2008-11-01": "all-saints",
			"2008-11-11": "armistice", "2008-12-20": "abolition-of-slavery", "2008-12-25": "christmas",
		}},
	} {
		got := map[string]string{}
		first := when.DayOf(time.Date(c.year, 1, 1, 0, 0, 0, 0, time.UTC))
		for d := first; d.Date().Year() == c.year; d++ {
			if name := when.Holiday(d, c.departement); name != "" {
				got[d.String()] = name
			}
		}
		for d, name := range c.want {
			if got[d] != name {
				t.Errorf("%s in %s: %q, want %q", d, c.departement, got[d], name)
			}
			delete(got, d)
		}
		for d, name := range got {
			t.Errorf("%s in %s: %q, and is no holiday", d, c.departement, name)
		}
	}
	for departement, d := range map[string]string{"971": "2026-05-27", "972": "2026-05-22", "973": "2026-06-10", "974": "2026-12-20", "976": "2026-04-27"} {
		if got := when.Holiday(day(t, d), departement); got != "abolition-of-slavery" {
			t.Errorf("%s in %s: %q", d, departement, got)
		}
		if got := when.Holiday(day(t, d), "33"); got != "" {
			t.Errorf("%s in the Gironde: %q", d, got)
		}
	}
}
