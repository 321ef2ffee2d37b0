package rights_test

import (
	"testing"

	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/rights"
	"github.com/bippop/bippop/node/internal/when"
)

func day(t *testing.T, s string) when.Day {
	t.Helper()
	d, ok := when.ParseDay(s)
	if !ok {
		t.Fatal(s)
	}
	return d
}

// TestDue: as Regulation 1182/71 counts, with the holidays of France.
func TestDue(t *testing.T) {
	for _, c := range []struct {
		received    string
		months      int
		departement string
		want        string
	}{
		{"2026-11-23", 1, "33", "2026-12-23"},
		{"2025-08-31", 1, "33", "2025-09-30"}, // no 31 September
		{"2026-01-31", 1, "33", "2026-03-02"}, // 28 February is a Saturday
		{"2026-04-01", 1, "33", "2026-05-04"}, // 1 May is a Friday and a holiday
		{"2026-11-25", 1, "33", "2026-12-28"}, // Christmas is a Friday
		{"2024-12-26", 0, "67", "2024-12-27"}, // the second day of Christmas in Alsace
		{"2024-12-26", 0, "33", "2024-12-26"},
		{"2026-11-30", 3, "33", "2027-03-01"}, // extended: 28 February is a Sunday
		{"2026-12-31", 1, "33", "2027-02-01"}, // over the year's end, and a Sunday
	} {
		if got := rights.Due(day(t, c.received), c.months, c.departement); got != day(t, c.want) {
			t.Errorf("%s and %d months in %s: %s, want %s", c.received, c.months, c.departement, got, c.want)
		}
	}
	for from, want := range map[string]string{"2026-11-23": "2024-11-23", "2024-02-29": "2022-02-28"} {
		if got := rights.MonthsBefore(day(t, from), 24); got != day(t, want) {
			t.Errorf("two years before %s: %s", from, got)
		}
	}
}

// TestCase: no answer before it is known who asks, one extension and in time, an end
// is an end, and every refusal changes nothing.
func TestCase(t *testing.T) {
	c := rights.Open(rights.Case{Demand: rights.ToAccess, Received: 100, Due: 130, Asker: rights.Herself, State: rights.Answered, Check: rights.CardSeen}, 5)
	step := func(want error, s rights.Step, today when.Day) {
		t.Helper()
		after, err := c.Take(c.Version, s, nil, today, 7)
		if err != want {
			t.Fatalf("%+v: %v, want %v", s, err, want)
		}
		if err != nil && after.Version != c.Version {
			t.Fatalf("refused, and changed: %+v", after)
		}
		c = after
	}
	step(refuse.IdentityFirst, rights.Step{To: rights.Answered}, 101)
	step(refuse.WrongStep, rights.Step{To: rights.Checked}, 101)
	step(nil, rights.Step{To: rights.Checked, Check: rights.CardSeen}, 101)
	step(refuse.CaseLate, rights.Step{Due: 190}, 110)
	step(refuse.CaseLate, rights.Step{Due: 190, Reason: rights.Unfounded}, 110)
	step(refuse.CaseLate, rights.Step{Due: 190, Reason: rights.Complex}, 131)
	step(nil, rights.Step{Due: 190, Reason: rights.Complex}, 130)
	step(refuse.CaseExtended, rights.Step{Due: 250, Reason: rights.Many}, 140)
	step(refuse.WrongStep, rights.Step{To: rights.Declined, Reason: rights.Complex}, 140)
	step(nil, rights.Step{To: rights.Answered}, 140)
	step(refuse.CaseClosed, rights.Step{To: rights.Dropped}, 141)
	if c.Due != 190 || c.Closed != 7 || c.State != rights.Answered || c.Check != rights.CardSeen {
		t.Errorf("%+v", c)
	}
	if _, err := c.Take(c.Version+1, rights.Step{}, nil, 141, 8); err != refuse.StaleVersion {
		t.Error(err)
	}
}

// TestBreach: what has to be told is told before the page is closed.
func TestBreach(t *testing.T) {
	b := rights.Breach{Version: 1, Facts: rights.Facts{Known: 1000, Harm: rights.Disclosed, Risk: rights.HighRisk}}
	if b.Late(b.Deadline()) || !b.Late(b.Deadline()+1) || b.Deadline() != 1000+72*3600_000 {
		t.Error("72 hours")
	}
	f := b.Facts
	if _, err := b.Change(1, f, nil, true, 2000); err != refuse.BreachUntold {
		t.Error(err)
	}
	f.Notified = 1500
	if _, err := b.Change(1, f, nil, true, 2000); err != refuse.BreachUntold {
		t.Error("people were not told", err)
	}
	f.Informed = 1600
	b, err := b.Change(1, f, nil, true, 2000)
	if err != nil || b.Closed != 2000 || b.Late(1<<60) {
		t.Error(b, err)
	}
	if _, err := b.Change(2, f, nil, false, 2000); err != refuse.BreachClosed {
		t.Error(err)
	}
}

// TestChoice: within bounds, and what is not chosen is as usual.
func TestChoice(t *testing.T) {
	c, err := rights.Choice{}.Change(0, []uint8{12, 0, 3}, [16]byte{1}, 9)
	if err != nil || c.Of(rights.Accompanied) != 12 || c.Of(rights.EndedHelp) != 24 || c.Of(rights.NeverMet) != 3 || c.Of(rights.Leftovers) != 1 {
		t.Error(c, err)
	}
	for _, months := range [][]uint8{{5}, {61}, {12, 12, 12, 12, 12, 12}} {
		if _, err := c.Change(1, months, [16]byte{1}, 9); err != refuse.OutOfBounds {
			t.Errorf("%v: %v", months, err)
		}
	}
}

// TestNumbers: they are in stores.
func TestNumbers(t *testing.T) {
	if rights.ToObject != 6 || rights.Dropped != 5 || rights.Guardian != 3 || rights.MandateRead != 4 || rights.LegalDuty != 6 || rights.Leftovers != 5 ||
		rights.CourtesyList != 8 || rights.ByMail != 4 || rights.Federation != 5 || rights.Lost != 4 || rights.HighRisk != 3 {
		t.Error("numbers that stand in stores have changed")
	}
}
