package series_test

import (
	"flag"
	"slices"
	"testing"

	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/series"
	"github.com/bippop/bippop/node/internal/when"
	"pgregory.net/rapid"
)

func day(t *testing.T, s string) when.Day {
	t.Helper()
	d, ok := when.ParseDay(s)
	if !ok {
		t.Fatalf("%s is no day", s)
	}
	return d
}

func him(n int) ident.Volunteer { return ident.Volunteer{15: byte(n)} }

// TestDates: what people would write into a calendar.
func TestDates(t *testing.T) {
	tuesday := series.Rule{Rhythm: series.Weekly, Weekday: 2}
	for _, c := range []struct {
		name  string
		terms series.Terms
		skips []string
		after string
		want  []string
	}{
		{"every Tuesday, from a Tuesday", series.Terms{Rule: tuesday, From: day(t, "2026-11-24")}, nil, "2026-11-01",
			[]string{"2026-11-24", "2026-12-01", "2026-12-08"}},
		{"every Tuesday but one", series.Terms{Rule: tuesday, From: day(t, "2026-11-25")}, []string{"2026-12-08"}, "2026-11-24",
			[]string{"2026-12-01", "2026-12-15", "2026-12-22"}},
		{"until a day that counts", series.Terms{Rule: tuesday, From: day(t, "2026-11-24"), Until: day(t, "2026-12-01")}, nil, "2026-11-23",
			[]string{"2026-11-24", "2026-12-01"}},
		{"Fridays over Christmas", series.Terms{Rule: series.Rule{Rhythm: series.Weekly, Weekday: 5}, From: day(t, "2026-12-18")}, nil, "2026-12-01",
			[]string{"2026-12-18", "2027-01-08", "2027-01-15"}},
		{"Fridays, Christmas too", series.Terms{Rule: series.Rule{Rhythm: series.Weekly, Weekday: 5}, From: day(t, "2026-12-18"), Holidays: true}, nil, "2026-12-18",
			[]string{"2026-12-25", "2027-01-01", "2027-01-08"}},
		{"every other Thursday counts from the first one", series.Terms{Rule: series.Rule{Rhythm: series.Fortnightly, Weekday: 4}, From: day(t, "2026-11-27")}, nil, "2026-11-27",
			[]string{"2026-12-03", "2026-12-17", "2026-12-31"}},
		{"a holiday does not shift every other week", series.Terms{Rule: series.Rule{Rhythm: series.Fortnightly, Weekday: 5}, From: day(t, "2026-12-11")}, nil, "2026-12-01",
			[]string{"2026-12-11", "2027-01-08", "2027-01-22"}},
		{"second Wednesday", series.Terms{Rule: series.Rule{Rhythm: series.Monthly, Weekday: 3, Nth: 2}, From: day(t, "2026-11-24")}, nil, "2026-11-01",
			[]string{"2026-12-09", "2027-01-13", "2027-02-10"}},
		{"last Sunday", series.Terms{Rule: series.Rule{Rhythm: series.Monthly, Weekday: 7, Nth: series.Last}, From: day(t, "2026-11-24")}, nil, "2026-11-01",
			[]string{"2026-11-29", "2026-12-27", "2027-01-31"}},
		{"first Friday, which 1 January is", series.Terms{Rule: series.Rule{Rhythm: series.Monthly, Weekday: 5, Nth: 1}, From: day(t, "2026-12-01")}, nil, "2026-12-01",
			[]string{"2026-12-04", "2027-02-05", "2027-03-05"}},
	} {
		s := series.New(series.Series{Terms: c.terms}, 1)
		for _, d := range c.skips {
			s = s.Skip(day(t, d))
		}
		var got []string
		at := day(t, c.after)
		for range 3 {
			next, ok := s.Next(at, "33")
			if !ok {
				break
			}
			got, at = append(got, next.String()), next
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func anySeries() *rapid.Generator[series.Series] {
	return rapid.Custom(func(t *rapid.T) series.Series {
		n := func(name string, least, most int) int { return rapid.IntRange(least, most).Draw(t, name) }
		s := series.New(series.Series{Terms: series.Terms{
			Rule: series.Rule{Rhythm: series.Rhythm(n("rhythm", 1, 3)), Weekday: uint8(n("weekday", 1, 7)), Nth: uint8(n("nth", 1, 5))},
			From: when.Day(n("from", 20_700, 21_200)), Holidays: rapid.Bool().Draw(t, "holidays"),
		}}, 1)
		if rapid.Bool().Draw(t, "ends") {
			s.Terms.Until = s.Terms.From + when.Day(n("length", 0, 400))
		}
		for range n("skips", 0, 6) {
			s = s.Skip(s.Terms.From + when.Day(n("skip", 0, 120)))
		}
		return s
	})
}

// TestNext: the days of a series, whatever steps one takes along them.
func TestNext(t *testing.T) {
	if *long {
		flag.Set("rapid.checks", "20000")
	}
	rapid.Check(t, func(t *rapid.T) {
		s := anySeries().Draw(t, "series")
		place := rapid.SampledFrom([]string{"33", "67", "974"}).Draw(t, "departement")
		end := s.Terms.From + 430
		var days []when.Day
		for at := s.Terms.From - 1; ; {
			next, ok := s.Next(at, place)
			if !ok || next > end {
				break
			}
			if next <= at {
				t.Fatalf("%s follows %s", next, at)
			}
			days, at = append(days, next), next
		}
		for i, d := range days {
			weekday := (int(d.Date().Weekday())+6)%7 + 1
			switch {
			case weekday != int(s.Terms.Rule.Weekday):
				t.Fatalf("%s is no weekday %d", d, s.Terms.Rule.Weekday)
			case d < s.Terms.From, s.Terms.Until != 0 && d > s.Terms.Until:
				t.Fatalf("%s is outside", d)
			case s.Skipped(d):
				t.Fatalf("%s was skipped", d)
			case !s.Terms.Holidays && when.Holiday(d, place) != "":
				t.Fatalf("%s is a holiday", d)
			case i > 0 && s.Terms.Rule.Rhythm == series.Weekly && (d-days[i-1])%7 != 0, i > 0 && s.Terms.Rule.Rhythm == series.Fortnightly && (d-days[i-1])%14 != 0:
				t.Fatalf("%s and %s are out of step", days[i-1], d)
			case i > 0 && s.Terms.Rule.Rhythm == series.Monthly && d.Date().Format("2006-01") == days[i-1].Date().Format("2006-01"):
				t.Fatalf("%s and %s in one month", days[i-1], d)
			}
		}
		// Asked from every day, the same set.
		for d := s.Terms.From - 30; d < end-60; d++ {
			next, ok := s.Next(d, place)
			i, _ := slices.BinarySearch(days, d+1)
			if i < len(days) && (!ok || next != days[i]) || i == len(days) && ok && next <= end {
				t.Fatalf("after %s comes %s, %v; the days are %v", d, next, ok, days)
			}
			if _, there := slices.BinarySearch(days, d); there != s.Holds(d, place) {
				t.Fatalf("%s: held %v", d, !there)
			}
		}
		// A calendar says why the others are missing.
		var kept []when.Day
		for _, d := range s.Dates(s.Terms.From-1, place, 500) {
			if d.Day <= end && d.Holiday == "" && !d.Skipped {
				kept = append(kept, d.Day)
			}
		}
		if !slices.Equal(kept, days) {
			t.Fatalf("dates %v, days %v", kept, days)
		}
		// An exception takes its own day and no other.
		if len(days) > 0 {
			d := days[rapid.IntRange(0, len(days)-1).Draw(t, "from here")]
			if next, ok := s.Skip(d).Next(d-1, place); ok && next == d {
				t.Fatalf("%s was skipped and comes", d)
			}
		}
	})
}

// TestSteps: an end is an end, and what changes is worked out anew.
func TestSteps(t *testing.T) {
	s := series.New(series.Series{Terms: series.Terms{Rule: series.Rule{Rhythm: series.Weekly, Weekday: 2}, From: 20_781, Standing: []ident.Volunteer{him(2), him(1), him(2)}}}, 1)
	if !slices.Equal(s.Terms.Standing, []ident.Volunteer{him(1), him(2)}) || s.Through != 20_780 {
		t.Fatalf("%+v", s)
	}
	s.Through = 20_802
	s = s.Skip(20_783).Skip(20_790)
	if _, err := s.Step(2, series.Paused, 20_785); err != refuse.StaleVersion {
		t.Errorf("got %v", err)
	}
	if _, err := s.Step(1, series.Running, 20_785); err != refuse.WrongStep {
		t.Errorf("got %v", err)
	}
	s, err := s.Step(1, series.Paused, 20_785)
	if err != nil || s.Through != 20_785 || !slices.Equal(s.Skips, []when.Day{20_790}) {
		t.Fatalf("%+v, %v", s, err)
	}
	s, err = s.Change(2, series.Terms{From: 20_900}, []byte("box"), 20_785)
	if err != nil || s.Through != 20_899 || s.Boxed != 3 || s.State != series.Paused {
		t.Fatalf("%+v, %v", s, err)
	}
	s, err = s.Step(3, series.Ended, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Step(4, series.Running, 0); err != refuse.SeriesEnded {
		t.Errorf("got %v", err)
	}
	if _, err := s.Change(4, s.Terms, nil, 0); err != refuse.SeriesEnded {
		t.Errorf("got %v", err)
	}
}

// TestExpects: who agreed knows who comes; where somebody is still missing she
// knows only that.
func TestExpects(t *testing.T) {
	terms := series.Terms{Told: true, Standing: []ident.Volunteer{him(1), him(2)}, Plan: request.Plan{Seats: 1, Minutes: 60}}
	p := terms.Visit(1, true)
	if p.Seats != 2 || !p.Car {
		t.Errorf("%+v", p)
	}
	if b := terms.Expects(2, 7); len(b.Coming) != 2 || b.Start != 7 {
		t.Errorf("%+v", b)
	}
	if b := terms.Expects(3, 7); len(b.Coming) != 0 || b.Start != 0 {
		t.Errorf("one is missing: %+v", b)
	}
	silent := terms
	silent.Told = false
	if b := silent.Expects(2, 7); len(b.Coming) != 0 || b.Start != 0 {
		t.Errorf("nobody told her: %+v", b)
	}
	if !terms.Same(silent) || silent.Same(terms) {
		t.Error("to tell her is news, not to tell her again is none")
	}
	alone := series.Terms{Plan: request.Plan{Seats: 1, Exception: true}}
	if p := alone.Visit(2, false); p.Seats != 1 {
		t.Errorf("an exception is one: %+v", p)
	}
	if p := (series.Terms{}).Visit(2, false); p.Seats != 2 {
		t.Errorf("the rule of two: %+v", p)
	}
}
