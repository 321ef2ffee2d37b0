package node

import (
	"context"
	"slices"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/series"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
	"github.com/bippop/bippop/node/internal/when"
)

// Series are what comes again: "every Tuesday morning". Requests are made three
// weeks ahead, see recurrences.go; each of them then lives its own life.
type Series struct{ *core }

// NewSeries is what an agent writes down, as it was agreed with her.
type NewSeries struct {
	Beneficiary BeneficiaryID // read by Open alone, like Type
	Type        TypeID
	Rule        SeriesRule
	From        Day // zero: today
	Until       Day // zero: open
	Holidays    bool
	Minutes     uint16        // 0: the kind's usual length
	Seats       uint8         // 0: as the rule of two says on the day
	Standing    []VolunteerID // who promised to come each time
	Agreed      bool          // with her in person: she expects them and needs no call while all come as promised
	Note        Secret
	Exception   Secret // why one goes alone where the rule says two
}

// mostStanding is how many may promise to come each time: as many as a visit has
// seats.
const mostStanding = 6

// Open records a series and makes its first requests.
func (s *Series) Open(ctx context.Context, by Caller, in NewSeries) (Receipt, error) {
	if err := by.may(HandleRequests); err != nil {
		return Receipt{}, err
	}
	b, t, err := s.personAndType(by, in.Beneficiary, in.Type)
	if err != nil {
		return Receipt{}, err
	}
	if in.From == 0 {
		in.From = s.today()
	}
	if err := s.checkSpan(in, series.Terms{}); err != nil {
		return Receipt{}, err
	}
	terms, err := termsOf(&in, b, t)
	if err != nil {
		return Receipt{}, err
	}
	id := newID[SeriesID]()
	if err := s.known(by, in.Standing); err != nil {
		return Receipt{}, err
	}
	box, err := s.sealForHer(b.Leaf, store.Series.Name, id, 1, series.Words{Note: in.Note, Exception: in.Exception})
	if err != nil {
		return Receipt{}, err
	}
	r, err := s.propose(ctx, command.OpenSeries{Stamp: s.stamp(by, b.Commune), ID: id, Beneficiary: b.ID, Type: t.ID, Terms: terms, Box: box})
	return s.thenRecur(ctx, r, err)
}

// thenRecur makes the requests of a series that was just changed, so that the
// agent sees them at once. The change stands, whatever becomes of them: the
// ticker comes by again.
func (s *Series) thenRecur(ctx context.Context, r Receipt, err error) (Receipt, error) {
	if err != nil {
		return r, err
	}
	index, err := s.recur(ctx, SeriesID(r.ID), s.today()+aheadDays)
	if err != nil {
		s.cfg.Logger.Warn("recurring", errAttr(err))
	}
	r.Index = max(r.Index, index)
	return r, nil
}

// checkSpan refuses days that are over or too far ahead, unless they stood there
// before.
func (s *Series) checkSpan(in NewSeries, before series.Terms) error {
	today := s.today()
	switch {
	case in.From != before.From && (in.From < today || in.From > today+400):
		return invalid("from", "day-out-of-range", "the first day is over, or more than a year ahead")
	case in.Until != 0 && (in.Until < in.From || in.Until > today+1100):
		return invalid("until", "day-out-of-range", "the last day comes before the first, or is more than three years ahead")
	}
	return nil
}

// termsOf checks what was agreed and puts it into its stored form.
func termsOf(in *NewSeries, b Beneficiary, t ActionType) (terms series.Terms, err error) {
	r := &in.Rule
	switch {
	case r.Rhythm < series.Weekly || r.Rhythm > series.Monthly:
		return terms, invalid("rhythm", "missing", "say how often: weekly, fortnightly or monthly")
	case r.Weekday < 1 || r.Weekday > 7:
		return terms, invalid("weekday", "missing", "say on which day of the week")
	case r.Rhythm == series.Monthly && (r.Nth < 1 || r.Nth > series.Last):
		return terms, invalid("nth", "missing", "say which one of the month: 1 to 4, or 5 for the last")
	case r.Half > when.Afternoon || r.Minute >= 24*60 || r.Half == when.AnyHalf && r.Minute == 0:
		return terms, invalid("half", "missing", "say morning or afternoon, or an hour of the day")
	case len(in.Standing) > mostStanding:
		return terms, invalid("volunteers", "too-many", "at most six volunteers at one visit")
	}
	if r.Minute > 0 {
		r.Half = when.HalfOf(int(r.Minute))
	}
	if r.Rhythm != series.Monthly {
		r.Nth = 0
	}
	if err := tidyAll(line{"note", &in.Note, longestNote}, line{"exception", &in.Exception, longestLine}); err != nil {
		return terms, err
	}
	plan, err := planOf(NewRequest{Minutes: in.Minutes, Seats: in.Seats, Exception: in.Exception}, b.Beneficiary, t)
	plan.Car = false // that of the kind, on the day
	if in.Seats == 0 {
		plan.Seats = 0
	}
	return series.Terms{
		Rule: in.Rule, From: in.From, Until: in.Until, Holidays: in.Holidays, Plan: plan, Standing: in.Standing, Told: in.Agreed,
	}, err
}

// Change replaces what was agreed; version is the one read. The kind and the
// person stay.
//
// Visits that were made already follow, so that nobody comes at an hour that no
// longer holds: one whose day is gone is cancelled, the others are moved and those
// who promised to come each time are seated anew; who had accepted one of them
// besides is asked again when its hour moves. A visit that was moved by hand stays
// as it is while the series keeps its day. With Agreed she knows all that. Without,
// each visit of which she expected something else puts her on the call-back list.
func (s *Series) Change(ctx context.Context, by Caller, id SeriesID, version uint32, in NewSeries) (Receipt, error) {
	if err := by.may(HandleRequests); err != nil {
		return Receipt{}, err
	}
	old, err := s.series(by, id)
	if err != nil {
		return Receipt{}, err
	}
	b, t, err := s.personAndType(by, old.Beneficiary, old.Type)
	if err != nil {
		return Receipt{}, err
	}
	if in.From == 0 {
		in.From = old.Terms.From
	}
	if err := s.checkSpan(in, old.Terms); err != nil {
		return Receipt{}, err
	}
	terms, err := termsOf(&in, b, t)
	if err != nil {
		return Receipt{}, err
	}
	if err := s.known(by, in.Standing); err != nil {
		return Receipt{}, err
	}
	if !in.Agreed {
		if err := s.takenBack(ctx, old, b.Commune, 0); err != nil {
			return Receipt{}, err
		}
	}
	c := command.ChangeSeries{
		Stamp: s.stamp(by, b.Commune), ID: id, Version: version, Terms: terms, Past: s.past(terms.Rule),
		Counts: s.counts(b, t, 1, public.Cancelled, public.Found, public.Told),
	}
	if err := s.changeWords(by, &c, old, b, series.Words{Note: in.Note, Exception: in.Exception}); err != nil {
		return Receipt{}, err
	}
	r, err := s.propose(ctx, c)
	return s.thenRecur(ctx, r, err)
}

// changeWords adds to a change what follows it: hours, and when the words are new
// those for the series and for each visit.
func (s *Series) changeWords(by Caller, c *command.ChangeSeries, old series.Series, b Beneficiary, w series.Words) error {
	was, err := s.opening(by).seriesWords(b.Beneficiary, old)
	if err != nil {
		return explain(err)
	}
	key, err := s.ring.Open(b.Leaf)
	if err != nil {
		return explain(err)
	}
	seal := func(collection string, id [16]byte, version uint32) (box []byte, err error) {
		if was.Note.Reveal() != w.Note.Reveal() || was.Exception.Reveal() != w.Exception.Reveal() {
			box, err = s.seal(key, collection, id, version, w)
		}
		return box, err
	}
	if c.Box, err = seal(store.Series.Name, c.ID, c.Version+1); err != nil {
		return err
	}
	made, err := s.made(by, c.ID, c.Past-mostMoved)
	if err != nil {
		return err
	}
	for _, r := range made {
		if r.State.Closed() {
			continue
		}
		f := command.Follow{Request: r.ID, Version: r.Version, Start: s.startOn(c.Terms.Rule, r.Occurrence)}
		if f.Box, err = seal(store.Requests.Name, r.ID, r.Version+1); err != nil {
			return err
		}
		c.Follow = append(c.Follow, f)
	}
	return nil
}

// mostMoved is how many days back a visit of a series is looked for that may
// still lie ahead, because somebody moved it.
const mostMoved = 60

// made lists the requests that a series has made for a day and later ones.
func (s *Series) made(by Caller, id SeriesID, from Day) (out []request.Request, err error) {
	err = s.view(by, func(tx *store.Tx) error {
		var ids []RequestID
		err := view.Occurrences(tx, id, max(1, from), func(id RequestID, _ Day) bool {
			ids = append(ids, id)
			return true
		})
		for _, id := range ids {
			r, ok, inner := store.Requests.Get(tx, id[:])
			if inner != nil {
				return inner
			}
			if ok {
				out = append(out, r)
			}
		}
		return err
	})
	return out, err
}

// Skip makes an exception of one day, by her wish or ours, and cancels the visit
// if there is one already. Other days stay as they are.
func (s *Series) Skip(ctx context.Context, by Caller, id SeriesID, day Day, why Why) (Receipt, error) {
	old, b, t, err := s.mayEnd(by, id, why)
	if err != nil {
		return Receipt{}, err
	}
	if today := s.today(); day < today || day > today+400 {
		return Receipt{}, invalid("day", "day-out-of-range", "the day is over, or more than a year ahead")
	}
	if why == request.ByUs {
		if err := s.takenBack(ctx, old, b.Commune, day); err != nil {
			return Receipt{}, err
		}
	}
	return s.propose(ctx, command.SkipOccurrence{
		Stamp: s.stamp(by, b.Commune), ID: id, Day: day, Why: why, Counts: s.counts(b, t, 1, public.Cancelled),
	})
}

// mayEnd reads a series and whose it is, for those who may and say who wishes it.
func (s *Series) mayEnd(by Caller, id SeriesID, why Why) (old series.Series, b Beneficiary, t ActionType, err error) {
	if err := by.may(HandleRequests); err != nil {
		return old, b, t, err
	}
	if why != request.ByHer && why != request.ByUs {
		return old, b, t, invalid("why", "missing", "say who wishes it: she, or the desk")
	}
	if old, err = s.series(by, id); err == nil {
		b, t, err = s.personAndType(by, old.Beneficiary, old.Type)
	}
	return old, b, t, err
}

// Pause makes no more requests until [Series.Resume]. Visits that lie ahead are
// cancelled; when it was not she who asked for it, she hears of each, and what
// comes after the pause is agreed with her anew.
func (s *Series) Pause(ctx context.Context, by Caller, id SeriesID, version uint32, why Why) (Receipt, error) {
	return s.step(ctx, by, id, version, series.Paused, why)
}

// Resume begins again, with the next day that fits.
func (s *Series) Resume(ctx context.Context, by Caller, id SeriesID, version uint32) (Receipt, error) {
	r, err := s.step(ctx, by, id, version, series.Running, request.ByUs)
	return s.thenRecur(ctx, r, err)
}

// End is [Series.Pause] for good.
func (s *Series) End(ctx context.Context, by Caller, id SeriesID, version uint32, why Why) (Receipt, error) {
	return s.step(ctx, by, id, version, series.Ended, why)
}

func (s *Series) step(ctx context.Context, by Caller, id SeriesID, version uint32, to series.State, why Why) (Receipt, error) {
	old, b, t, err := s.mayEnd(by, id, why)
	if err != nil {
		return Receipt{}, err
	}
	if to != series.Running && why == request.ByUs {
		if err := s.takenBack(ctx, old, b.Commune, 0); err != nil {
			return Receipt{}, err
		}
	}
	return s.propose(ctx, command.StepSeries{
		Stamp: s.stamp(by, b.Commune), ID: id, Version: version, To: to, Past: s.past(old.Terms.Rule), Why: why,
		Counts: s.counts(b, t, 1, public.Cancelled),
	})
}

// Recurrence is a series as the desk sees it.
type Recurrence struct {
	series.Series
	Her       Beneficiary
	Kind      ActionType
	Note      Secret
	Exception Secret
	Standing  []Volunteer
	Next      []Occurrence // the coming days; of one that does not run, none
}

// Occurrence is one day of a series.
type Occurrence struct {
	series.Date
	Visit *Visit // that was made for the day, if one was
}

// daysShown is how many coming days one series shows.
const daysShown = 8

// Get opens one series, with its next eight days, those that are passed over
// among them.
func (s *Series) Get(by Caller, id SeriesID) (out Recurrence, err error) {
	if err := by.may(HandleRequests); err != nil {
		return out, err
	}
	r, err := s.series(by, id)
	if err != nil {
		return out, err
	}
	all, err := s.open(by, []series.Series{r}, daysShown)
	if err != nil {
		return out, err
	}
	return all[0], nil
}

// OfPerson lists what comes again for her, the newest first, each with its next
// day.
func (s *Series) OfPerson(by Caller, her BeneficiaryID) ([]Recurrence, error) {
	if err := by.may(HandleRequests); err != nil {
		return nil, err
	}
	var found []series.Series
	err := s.view(by, func(tx *store.Tx) error {
		var ids []SeriesID
		err := view.Each(tx, view.SeriesOf(her), nil, true, func(id SeriesID, _ []byte) bool {
			ids = append(ids, id)
			return len(ids) < 100
		})
		for _, id := range ids {
			r, ok, inner := store.Series.Get(tx, id[:])
			if inner != nil {
				return inner
			}
			if ok {
				found = append(found, r)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.open(by, found, 1)
}

// List opens the series that have not ended, in the order in which they were
// begun, each with its next day, and gives the cursor of the next page, or nil.
// With ended, those that have.
func (s *Series) List(by Caller, ended bool, page Page) (out []Recurrence, next []byte, err error) {
	if err := by.may(HandleRequests); err != nil {
		return nil, nil, err
	}
	var found []series.Series
	more := false
	err = s.view(by, func(tx *store.Tx) error {
		return store.Series.Each(tx, page.Cursor, func(r series.Series) bool {
			if (r.State == series.Ended) != ended {
				return true
			}
			if more = len(found) == page.limit(); more {
				return false
			}
			found = append(found, r)
			return true
		})
	})
	if err != nil {
		return nil, nil, err
	}
	if more {
		next = slices.Clone(found[len(found)-1].ID[:])
	}
	out, err = s.open(by, found, 1)
	return out, next, err
}

// open opens series whole, with their next n days.
func (s *Series) open(by Caller, all []series.Series, n int) (out []Recurrence, err error) {
	zone := s.zone()
	past := make([]Day, len(all))
	for i, r := range all {
		past[i] = s.past(r.Terms.Rule)
	}
	err = s.view(by, func(tx *store.Tx) error {
		r := s.reader(by, tx, zone)
		for i, q := range all {
			o, err := r.recurrence(q, past[i], n)
			if err != nil {
				return err
			}
			out = append(out, o)
		}
		return nil
	})
	return out, err
}

func (r *reader) recurrence(q series.Series, past Day, n int) (out Recurrence, err error) {
	out.Series = q
	if out.Her, err = r.beneficiary(q.Beneficiary); err != nil {
		return out, err
	}
	if out.Kind, err = r.kind(q.Type); err != nil {
		return out, err
	}
	words, err := r.opening(r.by).seriesWords(out.Her.Beneficiary, q)
	if err != nil {
		return out, err
	}
	out.Note, out.Exception = words.Note, words.Exception
	for _, v := range q.Terms.Standing {
		him, err := r.volunteer(v)
		if err != nil {
			return out, err
		}
		out.Standing = append(out.Standing, him)
	}
	if q.State != series.Running {
		return out, nil
	}
	for _, d := range q.Dates(past, series.Departement(out.Her.Commune), n) {
		o := Occurrence{Date: d}
		var ids []RequestID
		err := view.Occurrences(r.tx, q.ID, d.Day, func(id RequestID, on Day) bool {
			if on == d.Day {
				ids = append(ids, id)
			}
			return on == d.Day
		})
		if err != nil {
			return out, err
		}
		visits, err := r.all(ids)
		if err != nil {
			return out, err
		}
		for _, v := range visits {
			if v.State != request.Cancelled && v.State != request.Unfilled {
				o.Visit = &v
			}
		}
		out.Next = append(out.Next, o)
	}
	return out, nil
}

func (s *Series) series(by Caller, id SeriesID) (r series.Series, err error) {
	err = s.view(by, func(tx *store.Tx) error {
		var ok bool
		r, ok, err = store.Series.Get(tx, id[:])
		if err == nil && !ok {
			err = &Error{Kind: NotFound, Code: "no-series", Reason: "no such series"}
		}
		return err
	})
	return r, err
}

// Holiday names the public holiday on the day in a commune, or "".
func Holiday(d Day, commune string) string { return when.Holiday(d, series.Departement(commune)) }
