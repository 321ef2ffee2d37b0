package machine

import (
	"slices"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/series"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
	"github.com/bippop/bippop/node/internal/when"
)

func (a *act) openSeries(c command.OpenSeries) (Reply, error) {
	b, t, err := a.personAndType(c.Beneficiary, c.Type)
	if err != nil {
		return Reply{}, err
	}
	if err := unused(a, store.Series, c.ID); err != nil {
		return Reply{ID: c.ID}, err
	}
	if err := a.fitAll(c.Terms.Standing, nil, b, t); err != nil {
		return Reply{}, err
	}
	s := series.New(series.Series{ID: c.ID, Beneficiary: b.ID, Type: t.ID, Terms: c.Terms, Box: c.Box}, a.stamp.At)
	a.saveSeries(nil, s)
	a.use(b.Enrolled.Import)
	return Reply{ID: s.ID, Version: s.Version}, nil
}

// fitAll checks those who promise to come each time; who had promised before may
// stay, whatever keeps him away just now.
func (a *act) fitAll(who, before []ident.Volunteer, b people.Beneficiary, t actionType) error {
	for _, v := range who {
		if slices.Contains(before, v) {
			continue
		}
		if _, err := a.fit(v, b, t, 0); err != nil {
			return err
		}
	}
	return nil
}

// saveSeries keeps a change that people made. Who stands in the terms is used.
func (a *act) saveSeries(before *series.Series, after series.Series) {
	save(a, store.Series, before, &after, after.ID[:], after.Version)
	for _, id := range after.Terms.Standing {
		v, ok, err := store.Volunteers.Get(a.tx, id[:])
		a.must(err)
		if ok {
			a.use(v.Import)
		}
	}
}

// changeSeries replaces the terms. Requests that lie ahead follow: one whose day
// is gone is dropped, the others are moved, and those who come each time are
// seated anew. One that somebody moved by hand stays as it is while the series
// still has its day.
func (a *act) changeSeries(c command.ChangeSeries) (Reply, error) {
	before, err := find(a, store.Series, c.ID[:], refuse.NoSeries)
	if err != nil {
		return Reply{}, err
	}
	reply := Reply{ID: before.ID, Version: before.Version}
	b, t, err := a.personAndType(before.Beneficiary, before.Type)
	if err != nil && err != refuse.TypeRetired {
		return reply, err
	}
	after, err := before.Change(c.Version, c.Terms, c.Box, c.Past)
	if err != nil {
		return reply, err
	}
	if err := a.fitAll(after.Terms.Standing, before.Terms.Standing, b, t); err != nil {
		return reply, err
	}
	// Whatever may refuse is asked before anything is written.
	place := series.Departement(b.Commune)
	type move struct {
		r request.Request
		f command.Follow
	}
	var gone []request.Request
	var moves []move
	for _, r := range a.ahead(after.ID, c.Past) {
		switch {
		case !after.Holds(r.Occurrence, place):
			gone = append(gone, r)
		case before.Terms.Same(after.Terms) && len(c.Box) == 0, byHand(r, before.Terms):
		default:
			i := slices.IndexFunc(c.Follow, func(f command.Follow) bool { return f.Request == r.ID })
			if i < 0 || c.Follow[i].Version != r.Version {
				return reply, refuse.StaleVersion
			}
			moves = append(moves, move{r, c.Follow[i]})
		}
	}
	a.saveSeries(&before, after)
	why := request.ByUs
	if after.Terms.Told {
		why = request.ByHer
	}
	a.dropAll(gone, why, c.Counts)
	for _, m := range moves {
		a.follow(m.r, m.f, before.Terms, after.Terms, b, t, c.Counts)
	}
	reply.Version = after.Version
	return reply, nil
}

// byHand reports whether somebody gave the request another time than its series.
func byHand(r request.Request, t series.Terms) bool { return r.Wish != t.Wish(r.Occurrence) }

// follow moves a request that a series made to the series' new terms.
func (a *act) follow(r request.Request, f command.Follow, was, now series.Terms, b people.Beneficiary, t actionType, counts []command.Count) {
	plan := now.Visit(t.Seats(b.Visits), t.Car)
	after := r
	if now.Told {
		after.Believes = now.Expects(plan.Seats, f.Start)
	}
	after, err := after.Change(r.Version, now.Wish(r.Occurrence), plan, f.Box, a.stamp.At)
	a.must(err)
	for _, asked := range slices.Clone(after.Askings) {
		v := asked.Volunteer
		leaves := slices.Contains(was.Standing, v) && !slices.Contains(now.Standing, v)
		switch asked.Answer {
		case request.Yes:
			if _, err := a.free(v, after); leaves || err != nil {
				after, err = after.Withdraw(v, request.Withdrawn, a.stamp.At)
				a.must(err)
			}
		case request.Waiting:
			if leaves {
				after, err = after.Refuse(v, a.stamp.At)
				a.must(err)
			}
		}
	}
	after = a.seat(after, now.Standing, was.Standing, f.Start, b, t, counts)
	a.saveRequest(&r, after)
}

// ahead are the requests of a series that are not closed and whose hour has not
// come.
func (a *act) ahead(s ident.Series, past when.Day) (out []request.Request) {
	var ids []ident.Request
	a.must(view.Occurrences(a.tx, s, max(1, past-movedBack), func(id ident.Request, _ when.Day) bool {
		ids = append(ids, id)
		return true
	}))
	for _, id := range ids {
		r, ok, err := store.Requests.Get(a.tx, id[:])
		a.must(err)
		switch last := r.Wish.Latest(); {
		case !ok || r.State.Closed():
		case r.Plan.Start != 0 && r.Plan.Start <= a.stamp.At:
		case r.Plan.Start == 0 && last != 0 && last <= past:
		default:
			out = append(out, r)
		}
	}
	return out
}

// movedBack is how many days after its day a request may lie, moved by hand.
const movedBack = 60

// dropAll ends requests of a series; its own exceptions do not grow by them.
func (a *act) dropAll(rs []request.Request, why request.Why, counts []command.Count) {
	for _, r := range rs {
		after, err := r.Drop(request.Cancelled, request.Outcome{At: a.stamp.At, Why: why})
		a.must(err)
		a.saveRequest(&r, after)
		a.count(whom{her: r.Beneficiary}, counts, public.Cancelled)
	}
}

// stepSeries pauses, resumes or ends. What the desk has paused she was told is off:
// when it begins again she expects none of it.
func (a *act) stepSeries(c command.StepSeries) (Reply, error) {
	before, err := find(a, store.Series, c.ID[:], refuse.NoSeries)
	if err != nil {
		return Reply{}, err
	}
	reply := Reply{ID: before.ID, Version: before.Version}
	after, err := before.Step(c.Version, c.To, c.Past)
	if err != nil {
		return reply, err
	}
	if after.State == series.Paused && c.Why == request.ByUs {
		after.Terms.Told = false
	}
	if after.State == series.Running {
		if _, err := a.beneficiary(before.Beneficiary); err != nil {
			return reply, err
		}
	} else {
		a.dropAll(a.ahead(before.ID, c.Past), c.Why, c.Counts)
	}
	a.saveSeries(&before, after)
	reply.Version = after.Version
	return reply, nil
}

// skipOccurrence makes an exception of one day.
func (a *act) skipOccurrence(c command.SkipOccurrence) (Reply, error) {
	before, err := find(a, store.Series, c.ID[:], refuse.NoSeries)
	if err != nil {
		return Reply{}, err
	}
	reply := Reply{ID: before.ID, Version: before.Version}
	b, err := a.beneficiary(before.Beneficiary)
	if err != nil {
		return reply, err
	}
	if before.State == series.Ended {
		return reply, refuse.SeriesEnded
	}
	r, made := a.occurrence(before.ID, c.Day)
	if !made && !before.Holds(c.Day, series.Departement(b.Commune)) || made && r.State.Closed() {
		return reply, refuse.NotItsDay
	}
	if made {
		a.dropAll([]request.Request{r}, c.Why, c.Counts)
	}
	after := before.Skip(c.Day)
	after.Version++
	a.saveSeries(&before, after)
	reply.Version = after.Version
	return reply, nil
}

// occurrence is the request that a series has for a day, if one was made that was
// not dropped.
func (a *act) occurrence(s ident.Series, d when.Day) (r request.Request, ok bool) {
	var ids []ident.Request
	a.must(view.Occurrences(a.tx, s, d, func(id ident.Request, on when.Day) bool {
		if on == d {
			ids = append(ids, id)
		}
		return on == d
	}))
	for _, id := range ids {
		r, ok, err := store.Requests.Get(a.tx, id[:])
		a.must(err)
		if ok && r.State != request.Cancelled && r.State != request.Unfilled {
			return r, true
		}
	}
	return request.Request{}, false
}

// recur makes the request of the next occurrence, or refuses because the proposer
// took another day for it: so nothing is made twice, whoever proposes and how
// often.
func (a *act) recur(c command.Recur) (Reply, error) {
	s, err := find(a, store.Series, c.ID[:], refuse.NoSeries)
	if err != nil {
		return Reply{}, err
	}
	b, t, err := a.personAndType(s.Beneficiary, s.Type)
	if err != nil && err != refuse.TypeRetired {
		return Reply{}, err
	}
	day, ok := s.Next(max(s.Through, c.Past), series.Departement(b.Commune))
	switch {
	case s.State != series.Running:
		return Reply{}, refuse.SeriesStopped
	case s.Version != c.Version || !ok || day != c.Day:
		return Reply{}, refuse.StaleVersion
	}
	if err := unused(a, store.Requests, c.Request); err != nil {
		return Reply{}, err
	}
	s.Through = day
	store.Series.Put(a.tx, s)
	if r, there := a.occurrence(s.ID, day); there { // it stayed when the terms changed
		return Reply{ID: r.ID, Version: r.Version}, nil
	}
	plan := s.Terms.Visit(t.Seats(b.Visits), t.Car)
	r := request.New(request.Request{
		ID: c.Request, Beneficiary: b.ID, Type: t.ID, Commune: b.Commune, Wish: s.Terms.Wish(day), Plan: plan, Box: c.Box,
		Series: s.ID, Occurrence: day, Believes: s.Terms.Expects(plan.Seats, c.Start),
	}, false, a.stamp.At)
	r = a.seat(r, s.Terms.Standing, nil, c.Start, b, t, c.Counts)
	a.saveRequest(nil, r)
	a.use(b.Enrolled.Import)
	a.count(whom{her: b.ID}, c.Counts, public.Requested)
	return Reply{ID: r.ID, Version: r.Version}, nil
}

// seat gives those who promised to come each time their seats, as far as they fit
// and are free, and counts what has come about for the first time. Who had promised
// before and said no to this very visit is not seated again.
func (a *act) seat(r request.Request, standing, before []ident.Volunteer, start when.At, b people.Beneficiary, t actionType, counts []command.Count) request.Request {
	for _, v := range standing {
		if asked, there := r.Asking(v); there && asked.Answer != request.Waiting && slices.Contains(before, v) {
			continue
		}
		if _, err := a.fit(v, b, t, r.Wish.Day); err != nil {
			continue
		}
		after, err := r.Accept(v, start, a.stamp.At)
		if err != nil {
			continue
		}
		if _, err := a.free(v, after); err != nil {
			continue
		}
		r = after
	}
	if (r.State == request.Covered || r.State == request.Told) && r.Counted&request.CountedFound == 0 {
		r.Counted |= request.CountedFound
		a.count(whom{her: b.ID}, counts, public.Found)
	}
	if r.State == request.Told && r.Counted&request.CountedTold == 0 {
		r.Counted |= request.CountedTold
		a.count(whom{her: b.ID}, counts, public.Told)
	}
	return r
}

// passOver makes an exception of the day of a request that was dropped by itself,
// so that its series does not make it again.
func (a *act) passOver(r request.Request) {
	if r.Series.Zero() {
		return
	}
	s, ok, err := store.Series.Get(a.tx, r.Series[:])
	a.must(err)
	if ok && s.State != series.Ended {
		store.Series.Put(a.tx, s.Skip(r.Occurrence))
	}
}

// endSeriesOf ends what comes again for somebody who has left.
func (a *act) endSeriesOf(b ident.Beneficiary) {
	var ids []ident.Series
	a.must(view.Each(a.tx, view.SeriesOf(b), nil, false, func(id ident.Series, _ []byte) bool {
		ids = append(ids, id)
		return true
	}))
	for _, id := range ids {
		before, ok, err := store.Series.Get(a.tx, id[:])
		a.must(err)
		if !ok || before.State == series.Ended {
			continue
		}
		after, err := before.Step(before.Version, series.Ended, 0)
		a.must(err)
		a.saveSeries(&before, after)
	}
}
