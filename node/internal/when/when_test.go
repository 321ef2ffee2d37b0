package when_test

import (
	"flag"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/bippop/bippop/node/internal/when"
	"pgregory.net/rapid"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func day(t *testing.T, s string) when.Day {
	t.Helper()
	d, ok := when.ParseDay(s)
	if !ok {
		t.Fatalf("%s is no day", s)
	}
	return d
}

// TestDayAt: an appointment at ten is at ten on her clock, also on the two days
// of the year on which clocks are moved.
func TestDayAt(t *testing.T) {
	for _, c := range []struct {
		zone, day string
		minute    int
		want      string
	}{
		{"Europe/Paris", "2026-11-24", 10 * 60, "2026-11-24T09:00:00Z"},
		{"Europe/Paris", "2026-07-14", 10 * 60, "2026-07-14T08:00:00Z"},
		{"Europe/Paris", "2026-03-28", 10 * 60, "2026-03-28T09:00:00Z"}, // the day before summer
		{"Europe/Paris", "2026-03-29", 0, "2026-03-28T23:00:00Z"},
		{"Europe/Paris", "2026-03-29", 119, "2026-03-29T00:59:00Z"},
		{"Europe/Paris", "2026-03-29", 180, "2026-03-29T01:00:00Z"}, // an hour has 60 minutes less
		{"Europe/Paris", "2026-03-29", 10 * 60, "2026-03-29T08:00:00Z"},
		{"Europe/Paris", "2026-10-24", 10 * 60, "2026-10-24T08:00:00Z"},
		{"Europe/Paris", "2026-10-25", 60, "2026-10-24T23:00:00Z"},
		{"Europe/Paris", "2026-10-25", 180, "2026-10-25T02:00:00Z"},
		{"Europe/Paris", "2026-10-25", 10 * 60, "2026-10-25T09:00:00Z"},
		{"Europe/Paris", "2026-10-25", 24 * 60, "2026-10-25T23:00:00Z"},
		{"Indian/Reunion", "2026-10-25", 10 * 60, "2026-10-25T06:00:00Z"},
		{"America/Guadeloupe", "2026-03-29", 0, "2026-03-29T04:00:00Z"},
	} {
		got := day(t, c.day).At(c.minute, zone(t, c.zone)).Time().Format(time.RFC3339)
		if got != c.want {
			t.Errorf("%s, minute %d in %s: got %s, want %s", c.day, c.minute, c.zone, got, c.want)
		}
	}
}

func TestDays(t *testing.T) {
	if *long {
		flag.Set("rapid.checks", "50000")
	}
	paris := zone(t, "Europe/Paris")
	rapid.Check(t, func(t *rapid.T) {
		d := when.Day(rapid.IntRange(1, 376_000).Draw(t, "day"))
		if got, ok := when.ParseDay(d.String()); !ok || got != d {
			t.Fatalf("%s is read as %d, was %d", d, got, d)
		}
		if next := (d + 1).Date().Sub(d.Date()); next != 24*time.Hour {
			t.Fatalf("%s has %s", d, next)
		}
		// Every minute that clocks show lies on its own day and comes in order.
		minute := rapid.IntRange(0, 24*60-1).Draw(t, "minute")
		at := d.At(minute, paris)
		if back := when.DayOf(at.Time().In(paris)); back != d {
			t.Fatalf("minute %d of %s lies on %s", minute, d, back)
		}
		if a, b := d.At(0, paris), (d+1).At(0, paris); b-a < 23*3600_000 || b-a > 25*3600_000 {
			t.Fatalf("%s lasts %d hours", d, (b-a)/3600_000)
		}
		monday := when.WeekOf(d)
		if monday.Date().Weekday() != time.Monday || monday > d || d-monday > 6 {
			t.Fatalf("the week of %s begins on %s", d, monday)
		}
		if when.Of(at.Time()) != at || at.Add(90*time.Second)-at != 90_000 {
			t.Fatal("instants do not add up")
		}
	})
}

func TestParseDay(t *testing.T) {
	for _, s := range []string{"", "2026-02-29", "2026-13-01", "2026-1-1", "26-01-01", "24/11/2026", "2026-11-24T00:00", " 2026-11-24", "1969-12-31", "3000-01-01", "-026-01-01"} {
		if d, ok := when.ParseDay(s); ok || d != 0 {
			t.Errorf("%q is %d", s, d)
		}
	}
	if got := when.Day(0).String(); got != "" {
		t.Errorf("no day is %q", got)
	}
	// Shortly after midnight in Paris it is still yesterday in UTC.
	at := time.Date(2026, 11, 24, 0, 30, 0, 0, zone(t, "Europe/Paris"))
	if got := when.DayOf(at).String(); got != "2026-11-24" {
		t.Errorf("got %s", got)
	}
}

func TestWeek(t *testing.T) {
	seen := map[when.Week]bool{}
	for d := time.Sunday; d <= time.Saturday; d++ {
		for _, h := range []when.Half{when.Morning, when.Afternoon} {
			bit := when.Bit(d, h)
			if seen[bit] || bit == 0 || bit >= 1<<14 {
				t.Errorf("%s %d is bit %b", d, h, bit)
			}
			seen[bit] = true
			for e := time.Sunday; e <= time.Saturday; e++ {
				if bit.Has(e, h) != (e == d) || bit.Has(e, when.AnyHalf) != (e == d) || bit.Has(e, 3-h) {
					t.Errorf("%s %d answers for %s", d, h, e)
				}
			}
		}
	}
	if when.Bit(time.Monday, when.Morning) != 1 || when.Bit(time.Sunday, when.Afternoon) != 1<<13 {
		t.Error("bits that stand in the store have moved")
	}
}

func TestHalves(t *testing.T) {
	for _, h := range []when.Half{when.Morning, when.Afternoon} {
		from, to := h.Hours()
		if from >= to || when.HalfOf(from) != h || when.HalfOf(to-1) != h {
			t.Errorf("half %d is from %d to %d", h, from, to)
		}
	}
	from, to := when.AnyHalf.Hours()
	if when.HalfOf(from) != when.Morning || when.HalfOf(to) != when.Afternoon {
		t.Errorf("a day is from %d to %d", from, to)
	}
}
