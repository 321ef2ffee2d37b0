package node_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/bippop/bippop/node"
)

func (t *town) day(s string) node.Day {
	t.Helper()
	d, ok := node.ParseDay(s)
	if !ok {
		t.Fatalf("%s is no day", s)
	}
	return d
}

// weekly is Friday shopping, agreed with her.
func (t *town) weekly(her node.BeneficiaryID, who ...node.VolunteerID) node.NewSeries {
	return node.NewSeries{
		Beneficiary: her, Type: t.kinds["Courses"], Rule: node.SeriesRule{Rhythm: node.Weekly, Weekday: 5, Half: node.Afternoon},
		From: t.day("2026-11-27"), Standing: who, Agreed: true, Note: secret("la liste est sur le frigo"),
	}
}

// made lists the requests of a person, the oldest day first: "2026-12-04 told".
func (t *town) made(her node.BeneficiaryID) (out []string) {
	t.Helper()
	visits, _, err := t.Requests.OfPerson(t.admin, her, node.Page{Limit: 100})
	t.must(err)
	for _, v := range visits {
		out = append(out, fmt.Sprintf("%s %s", v.Wish.Day, stateNames[v.State]))
	}
	slices.Sort(out)
	return out
}

var stateNames = map[node.State]string{
	node.StateOpen: "open", node.StateAsked: "asked", node.StateCovered: "covered", node.StateTold: "told", node.StateDone: "done",
	node.StateCancelled: "cancelled", node.StateUnfilled: "unfilled",
}

func (t *town) is(what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
}

// toCall is how many people must hear something.
func (t *town) toCall() int {
	t.Helper()
	n, err := t.Calls.Count(t.admin)
	t.must(err)
	return n
}

// TestWeeks: two months of Fridays, with two holidays, one exception and one
// absence. Nobody calls her while all come as promised.
func TestWeeks(tt *testing.T) {
	t := newTown(tt)
	her, martin := t.enrol("Ducasse"), t.approve("Martin")
	r, err := t.Series.Open(t.Context(), t.admin, t.weekly(her, martin))
	t.must(err)
	id := node.SeriesID(r.ID)
	t.is("at once", t.made(her), []string{"2026-11-27 told", "2026-12-04 told", "2026-12-11 told"})
	if t.toCall() != 0 {
		t.Fatal("she agreed a minute ago and is to be called")
	}
	visits, _, err := t.Requests.OfPerson(t.admin, her, node.Page{})
	t.must(err)
	for _, v := range visits {
		if v.Note.Reveal() != "la liste est sur le frigo" || v.Start.Format("15:04") != "14:30" || v.Series != id || v.Plan.Seats != 1 {
			t.Fatalf("%+v", v)
		}
	}
	s, err := t.Series.Get(t.admin, id)
	t.must(err)
	var days []string
	for _, o := range s.Next {
		days = append(days, fmt.Sprintf("%s %s %v", o.Day, o.Holiday, o.Visit != nil))
	}
	t.is("the calendar", days, []string{
		"2026-11-27  true", "2026-12-04  true", "2026-12-11  true", "2026-12-18  false",
		"2026-12-25 christmas false", "2027-01-01 new-year false", "2027-01-08  false", "2027-01-15  false",
	})

	// He is away on the 18th, and she says: not on the 15th of January.
	him, err := t.Volunteers.Get(t.admin, martin)
	t.must(err)
	offer := him.Offer
	offer.Absences = []node.Absence{{From: t.day("2026-12-17"), To: t.day("2026-12-20")}}
	_, err = t.Volunteers.Change(t.Context(), t.admin, martin, him.Version, offer, him.Words)
	t.must(err)
	_, err = t.Series.Skip(t.Context(), t.admin, id, t.day("2027-01-15"), node.ByHer)
	t.must(err)
	if _, err := t.Series.Skip(t.Context(), t.admin, id, t.day("2027-01-15"), node.ByHer); code(err) != "not-its-day" {
		t.Fatalf("a day is skipped twice: %v", err)
	}

	calls := map[string]int{}
	for range 65 {
		t.wait(24 * time.Hour)
		t.must(t.Recur(t.Context()))
		t.must(t.Recur(t.Context()))
		calls[t.today().String()] = t.toCall()
	}
	if calls["2026-11-26"] != 0 || calls["2026-11-27"] != 1 {
		t.Fatalf("the visit without him is made on 27 November: %v", calls)
	}
	t.is("after two months", t.made(her), []string{
		"2026-11-27 told", "2026-12-04 told", "2026-12-11 told", "2026-12-18 open",
		"2027-01-08 told", "2027-01-22 told", "2027-01-29 told", "2027-02-05 told", "2027-02-12 told",
	})
	call, err := t.Calls.Of(t.admin, her)
	t.must(err)
	if call == nil || len(call.News) != 1 || call.News[0].Wish.Day != t.day("2026-12-18") || len(call.News[0].Believes.Coming) != 1 {
		t.Fatalf("what she must hear is that he cannot come: %+v", call)
	}
	t.reopen()
	t.signIn()
	was := t.made(her)
	t.must(t.Recur(t.Context()))
	t.is("after a restart", t.made(her), was)
	if got := t.counted(node.CountRequested); got != 9 {
		t.Errorf("%d requests are counted", got)
	}
	if got := t.counted(node.CountTold); got != 8 {
		t.Errorf("%d times she knew", got)
	}
}

// counted is a number of the territory's, over the year.
func (t *town) counted(i node.Indicator) uint64 {
	t.Helper()
	sums, err := t.Figures.Read(t.admin, node.MonthOf(2026, 11), node.MonthOf(2027, 3))
	t.must(err)
	return sums.Total[i]
}

// TestOnce: several tickers at once make nothing twice.
func TestOnce(tt *testing.T) {
	t := newTown(tt)
	var people []node.BeneficiaryID
	for n := range 3 {
		her := t.enrol(fmt.Sprintf("Ducasse %d", n))
		people = append(people, her)
		_, err := t.Series.Open(t.Context(), t.admin, t.weekly(her))
		t.must(err)
	}
	t.wait(15 * 24 * time.Hour)
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			for range 3 {
				if err := t.Recur(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for _, her := range people {
		// The Christmas holidays: 25 December is passed over.
		t.is("once", t.made(her), []string{"2026-11-27 open", "2026-12-04 open", "2026-12-11 open", "2026-12-18 open"})
	}
	if t.toCall() != 0 {
		t.Error("nobody promised anything, and she is to be called")
	}
}

// TestDown: what lay ahead while the node was stopped is not made afterwards.
func TestDown(tt *testing.T) {
	t := newTown(tt)
	her := t.enrol("Ducasse")
	_, err := t.Series.Open(t.Context(), t.admin, t.weekly(her, t.approve("Martin")))
	t.must(err)
	t.wait(time.Duration(t.day("2027-02-05")-t.today())*24*time.Hour + 8*time.Hour) // a Friday, after the hour
	t.must(t.Recur(t.Context()))
	t.is("from now on", t.made(her)[3:], []string{"2027-02-12 told", "2027-02-19 told", "2027-02-26 told"})
}

// TestNewTerms: what is made already follows, and she hears what she does not
// know.
func TestNewTerms(tt *testing.T) {
	t := newTown(tt)
	her, martin, odile := t.enrol("Ducasse"), t.approve("Martin"), t.approve("Odile")
	in := t.weekly(her, martin)
	r, err := t.Series.Open(t.Context(), t.admin, in)
	t.must(err)
	id := node.SeriesID(r.ID)

	// Another volunteer, without a word to her: three visits, one call.
	in.Standing, in.Agreed = []node.VolunteerID{odile}, false
	r, err = t.Series.Change(t.Context(), t.admin, id, 1, in)
	t.must(err)
	t.is("somebody else", t.made(her), []string{"2026-11-27 covered", "2026-12-04 covered", "2026-12-11 covered"})
	call, err := t.Calls.Of(t.admin, her)
	t.must(err)
	if call == nil || len(call.News) != 3 || call.News[0].Coming()[0].Volunteer.ID != odile {
		t.Fatalf("%+v", call)
	}
	// She agrees, with another hour and other words.
	in.Agreed, in.Rule.Minute, in.Note = true, 10*60+15, secret("elle attend en bas")
	_, err = t.Series.Change(t.Context(), t.admin, id, r.Version, in)
	t.must(err)
	t.is("she agrees", t.made(her), []string{"2026-11-27 told", "2026-12-04 told", "2026-12-11 told"})
	visits, _, err := t.Requests.OfPerson(t.admin, her, node.Page{})
	t.must(err)
	for _, v := range visits {
		if v.Start.Format("15:04") != "10:15" || v.Note.Reveal() != "elle attend en bas" || v.Coming()[0].Volunteer.ID != odile {
			t.Fatalf("%s: %+v", v.Wish.Day, v)
		}
	}
	if t.toCall() != 0 {
		t.Fatal("she agreed and is to be called")
	}
	// One was moved by hand, to Saturday; another was cancelled.
	byHand := visits[2] // the newest first: 27 November
	_, err = t.Requests.Change(t.Context(), t.admin, byHand.ID, byHand.Version, node.NewRequest{
		Wish: node.Wish{Kind: node.OnDay, Day: byHand.Wish.Day + 1, Half: node.Morning}, Minutes: 60, Seats: 1,
	})
	t.must(err)
	cancelled := visits[1]
	_, err = t.Requests.Drop(t.Context(), t.admin, cancelled.ID, cancelled.Version, false, node.ByHer)
	t.must(err)
	s, err := t.Series.Get(t.admin, id)
	t.must(err)
	in.Rule.Minute = 11 * 60
	_, err = t.Series.Change(t.Context(), t.admin, id, s.Version, in)
	t.must(err)
	t.is("by hand", t.made(her), []string{"2026-11-28 asked", "2026-12-04 cancelled", "2026-12-11 told"})
	// From now on Wednesdays: every Friday is cancelled, she knows it.
	in.Rule.Weekday = 3
	_, err = t.Series.Change(t.Context(), t.admin, id, s.Version+1, in)
	t.must(err)
	t.is("Wednesdays", t.made(her), []string{
		"2026-11-28 cancelled", "2026-12-02 told", "2026-12-04 cancelled", "2026-12-09 told", "2026-12-11 cancelled",
	})
	if t.toCall() != 0 {
		t.Fatal("she agreed and is to be called")
	}
	// And Fridays again: what was cancelled for the change comes back, what she
	// cancelled does not.
	in.Rule.Weekday = 5
	_, err = t.Series.Change(t.Context(), t.admin, id, s.Version+2, in)
	t.must(err)
	t.is("Fridays", t.made(her), []string{
		"2026-11-27 told", "2026-11-28 cancelled", "2026-12-02 cancelled", "2026-12-04 cancelled", "2026-12-09 cancelled", "2026-12-11 cancelled", "2026-12-11 told",
	})
	if _, err := t.Series.Change(t.Context(), t.admin, id, s.Version, in); code(err) != "stale-version" {
		t.Errorf("got %v", err)
	}
}

// TestPause: a stay in hospital, and the end.
func TestPause(tt *testing.T) {
	t := newTown(tt)
	her := t.enrol("Ducasse")
	r, err := t.Series.Open(t.Context(), t.admin, t.weekly(her, t.approve("Martin")))
	t.must(err)
	id := node.SeriesID(r.ID)
	_, err = t.Series.Skip(t.Context(), t.admin, id, t.day("2026-12-04"), node.ByHer)
	t.must(err)
	t.is("skipped", t.made(her), []string{"2026-11-27 told", "2026-12-04 cancelled", "2026-12-11 told"})
	r, err = t.Series.Pause(t.Context(), t.admin, id, 2, node.ByHer)
	t.must(err)
	t.is("paused", t.made(her), []string{"2026-11-27 cancelled", "2026-12-04 cancelled", "2026-12-11 cancelled"})
	t.wait(6 * 24 * time.Hour)
	t.must(t.Recur(t.Context()))
	r, err = t.Series.Resume(t.Context(), t.admin, id, r.Version)
	t.must(err)
	t.is("again", t.made(her), []string{"2026-11-27 cancelled", "2026-12-04 cancelled", "2026-12-11 cancelled", "2026-12-11 told", "2026-12-18 told"})
	if t.toCall() != 0 {
		t.Fatal("she wished it so and is to be called")
	}
	r, err = t.Series.End(t.Context(), t.admin, id, r.Version, node.ByUs)
	t.must(err)
	if t.toCall() != 1 {
		t.Fatal("it was we who ended it, and nobody calls her")
	}
	if _, err := t.Series.Resume(t.Context(), t.admin, id, r.Version); code(err) != "series-ended" {
		t.Errorf("got %v", err)
	}
	for _, ended := range []bool{false, true} {
		list, next, err := t.Series.List(t.admin, ended, node.Page{})
		t.must(err)
		if (len(list) == 1) != ended || next != nil {
			t.Errorf("ended %v: %d, %x", ended, len(list), next)
		}
	}
}

// TestSaysNo: who cannot come on one day is not seated again because the series
// reads otherwise.
func TestSaysNo(tt *testing.T) {
	t := newTown(tt)
	her, martin := t.enrol("Ducasse"), t.approve("Martin")
	in := t.weekly(her, martin)
	r, err := t.Series.Open(t.Context(), t.admin, in)
	t.must(err)
	visits, _, err := t.Requests.OfPerson(t.admin, her, node.Page{})
	t.must(err)
	_, err = t.Requests.Withdraw(t.Context(), t.admin, visits[1].ID, martin)
	t.must(err)
	in.Note = secret("elle attend en bas")
	r, err = t.Series.Change(t.Context(), t.admin, node.SeriesID(r.ID), r.Version, in)
	t.must(err)
	t.is("he cannot", t.made(her), []string{"2026-11-27 told", "2026-12-04 open", "2026-12-11 told"})
	if t.toCall() != 1 {
		t.Fatal("nobody comes, and nobody tells her")
	}
	// He leaves the series and comes back to it: he has promised anew.
	in.Standing = nil
	r, err = t.Series.Change(t.Context(), t.admin, node.SeriesID(r.ID), r.Version, in)
	t.must(err)
	in.Standing = []node.VolunteerID{martin}
	_, err = t.Series.Change(t.Context(), t.admin, node.SeriesID(r.ID), r.Version, in)
	t.must(err)
	t.is("anew", t.made(her), []string{"2026-11-27 told", "2026-12-04 told", "2026-12-11 told"})
}

// TestSheHearsOfIt: a day on which she counts is taken back by the desk before
// there is a visit for it.
func TestSheHearsOfIt(tt *testing.T) {
	for _, c := range []struct {
		name    string
		takes   func(t *town, id node.SeriesID, version uint32, in node.NewSeries) error
		expects bool
	}{
		{"skipped by us", func(t *town, id node.SeriesID, _ uint32, _ node.NewSeries) error {
			_, err := t.Series.Skip(t.Context(), t.admin, id, t.day("2027-01-29"), node.ByUs)
			return err
		}, true},
		{"skipped by her", func(t *town, id node.SeriesID, _ uint32, _ node.NewSeries) error {
			_, err := t.Series.Skip(t.Context(), t.admin, id, t.day("2027-01-29"), node.ByHer)
			return err
		}, false},
		{"paused by us", func(t *town, id node.SeriesID, version uint32, _ node.NewSeries) error {
			_, err := t.Series.Pause(t.Context(), t.admin, id, version, node.ByUs)
			return err
		}, true},
		{"ended by us", func(t *town, id node.SeriesID, version uint32, _ node.NewSeries) error {
			_, err := t.Series.End(t.Context(), t.admin, id, version, node.ByUs)
			return err
		}, true},
		{"ended by her", func(t *town, id node.SeriesID, version uint32, _ node.NewSeries) error {
			_, err := t.Series.End(t.Context(), t.admin, id, version, node.ByHer)
			return err
		}, false},
		{"changed", func(t *town, id node.SeriesID, version uint32, in node.NewSeries) error {
			in.Rule.Weekday, in.Agreed = 3, false
			_, err := t.Series.Change(t.Context(), t.admin, id, version, in)
			return err
		}, true},
	} {
		tt.Run(c.name, func(tt *testing.T) {
			t := newTown(tt)
			in := t.weekly(t.enrol("Ducasse"), t.approve("Martin"))
			in.Rule.Rhythm, in.Rule.Nth, in.From = node.Monthly, node.LastOfMonth, t.day("2027-01-01")
			r, err := t.Series.Open(t.Context(), t.admin, in)
			t.must(err)
			t.is("nothing yet", t.made(in.Beneficiary), nil)
			t.must(c.takes(t, node.SeriesID(r.ID), r.Version, in))
			if (t.toCall() == 1) != c.expects {
				t.Errorf("%d people to call; visits: %v", t.toCall(), t.made(in.Beneficiary))
			}
		})
	}
}

// TestRetiredKind: a kind that is not offered any more. What was agreed goes on until
// somebody ends it, which she hears of; it does not stop by itself.
func TestRetiredKind(tt *testing.T) {
	t := newTown(tt)
	her := t.enrol("Ducasse")
	r, err := t.Series.Open(t.Context(), t.admin, t.weekly(her, t.approve("Martin")))
	t.must(err)
	kinds, err := t.Catalogue.All()
	t.must(err)
	for _, k := range kinds {
		k.Retired = true
		_, err := t.Catalogue.Define(t.Context(), t.admin, k.Version, k)
		t.must(err)
	}
	t.wait(7 * 24 * time.Hour)
	t.must(t.Recur(t.Context()))
	t.is("retired", t.made(her), []string{"2026-11-27 told", "2026-12-04 told", "2026-12-11 told", "2026-12-18 told"})
	_, err = t.Series.End(t.Context(), t.admin, node.SeriesID(r.ID), r.Version, node.ByUs)
	t.must(err)
	if t.toCall() != 1 {
		t.Error("it ends, and nobody calls her")
	}
}

// TestResumed: what the desk had taken back begins again, and she hears of it.
func TestResumed(tt *testing.T) {
	t := newTown(tt)
	her := t.enrol("Ducasse")
	r, err := t.Series.Open(t.Context(), t.admin, t.weekly(her, t.approve("Martin")))
	t.must(err)
	id := node.SeriesID(r.ID)
	r, err = t.Series.Pause(t.Context(), t.admin, id, r.Version, node.ByUs)
	t.must(err)
	_, err = t.Series.Resume(t.Context(), t.admin, id, r.Version)
	t.must(err)
	t.is("again", t.made(her)[1:2], []string{"2026-11-27 covered"})
}

// TestNobodyComesAgain: who has left, a volunteer who is suspended.
func TestNobodyComesAgain(tt *testing.T) {
	t := newTown(tt)
	her, other, martin := t.enrol("Ducasse"), t.enrol("Lalanne"), t.approve("Martin")
	r, err := t.Series.Open(t.Context(), t.admin, t.weekly(her, martin))
	t.must(err)
	in := t.weekly(other)
	in.Rule = node.SeriesRule{Rhythm: node.Monthly, Weekday: 2, Nth: node.LastOfMonth, Half: node.Morning}
	in.From = t.day("2027-03-01")
	r2, err := t.Series.Open(t.Context(), t.admin, in)
	t.must(err)
	t.is("nothing yet", t.made(other), nil)

	him, err := t.Volunteers.Get(t.admin, martin)
	t.must(err)
	_, err = t.Volunteers.Step(t.Context(), t.admin, martin, him.Version, node.Suspended, 0)
	t.must(err)
	t.wait(7 * 24 * time.Hour)
	t.must(t.Recur(t.Context()))
	t.is("without him", t.made(her)[1:], []string{"2026-12-04 open", "2026-12-11 open", "2026-12-18 open"})

	b, err := t.Beneficiaries.Get(t.admin, other)
	t.must(err)
	_, err = t.Beneficiaries.Change(t.Context(), t.admin, other, b.Version, node.BeneficiaryFacts{Commune: b.Commune, State: node.Left, Basis: node.Consent}, b.Words)
	t.must(err)
	s, err := t.Series.Get(t.admin, node.SeriesID(r2.ID))
	t.must(err)
	if s.State != node.SeriesEnded || len(s.Next) != 0 {
		t.Errorf("she has left, and %+v", s.Series)
	}
	_, err = t.Series.End(t.Context(), t.admin, node.SeriesID(r.ID), 1, node.ByHer)
	t.must(err)
}

// TestSeriesRefused: who may not, and what makes no sense.
func TestSeriesRefused(tt *testing.T) {
	t := newTown(tt)
	her := t.enrol("Ducasse")
	good := t.weekly(her)
	for _, c := range []struct {
		name, want string
		change     func(*node.NewSeries)
	}{
		{"no rhythm", "missing", func(s *node.NewSeries) { s.Rule.Rhythm = 0 }},
		{"no weekday", "missing", func(s *node.NewSeries) { s.Rule.Weekday = 8 }},
		{"which of the month", "missing", func(s *node.NewSeries) { s.Rule.Rhythm = node.Monthly }},
		{"no time of day", "missing", func(s *node.NewSeries) { s.Rule.Half = 0 }},
		{"yesterday", "day-out-of-range", func(s *node.NewSeries) { s.From = t.today() - 1 }},
		{"ends before it begins", "day-out-of-range", func(s *node.NewSeries) { s.Until = s.From - 1 }},
		{"a pair", "pair-needed", func(s *node.NewSeries) { s.Type, s.Seats = t.kinds["Visite"], 1 }},
		{"seven come", "too-many", func(s *node.NewSeries) { s.Standing = make([]node.VolunteerID, 7) }},
		{"nobody", "no-volunteer", func(s *node.NewSeries) { s.Standing = make([]node.VolunteerID, 1) }},
		{"nobody's", "no-beneficiary", func(s *node.NewSeries) { s.Beneficiary = node.BeneficiaryID{1} }},
	} {
		in := good
		c.change(&in)
		if _, err := t.Series.Open(t.Context(), t.admin, in); code(err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	stranger := t.admin
	stranger.Roles = node.RoleVolunteer
	id := node.SeriesID{1}
	_, err1 := t.Series.Open(t.Context(), stranger, good)
	_, err2 := t.Series.Change(t.Context(), stranger, id, 1, good)
	_, err3 := t.Series.Skip(t.Context(), stranger, id, t.today(), node.ByHer)
	_, err4 := t.Series.End(t.Context(), stranger, id, 1, node.ByHer)
	_, err5 := t.Series.Get(stranger, id)
	_, err6 := t.Series.OfPerson(stranger, her)
	_, _, err7 := t.Series.List(stranger, false, node.Page{})
	for i, err := range []error{err1, err2, err3, err4, err5, err6, err7} {
		if code(err) != "forbidden" {
			t.Errorf("%d: %v", i, err)
		}
	}
	if _, err := t.Series.Get(t.admin, id); code(err) != "no-series" {
		t.Errorf("got %v", err)
	}
}
