package node

import (
	"context"
	"errors"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/catalogue"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/series"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/when"
)

// Requests of series are made by whoever comes by: the ticker, and the service
// that has just changed one. The machine makes the next occurrence only, so that
// several at once make nothing twice.

// aheadDays is how far ahead requests are made: time to find somebody where those
// who come each time cannot.
const aheadDays = 21

// recurAll makes what is due of every series. One that fails does not hold up the
// others.
func (s *Series) recurAll(ctx context.Context) error {
	var running []SeriesID
	last := s.today() + aheadDays
	err := s.view(itself, func(tx *store.Tx) error {
		return store.Series.Each(tx, nil, func(r series.Series) bool {
			if r.State == series.Running && r.Through < last {
				running = append(running, r.ID)
			}
			return true
		})
	})
	for _, id := range running {
		if ctx.Err() != nil {
			break
		}
		_, one := s.recur(ctx, id, last)
		err = errors.Join(err, one)
	}
	return err
}

// mostAtOnce is more than one series makes at a time: the weeks to the farthest day
// that can be skipped, and tries that somebody else was faster with.
const mostAtOnce = 80

// recur makes the requests of one series up to the day last, and says at which
// index the last one was made.
func (s *Series) recur(ctx context.Context, id SeriesID, last Day) (index uint64, err error) {
	for range mostAtOnce {
		c, due, err := s.nextOf(id, last)
		if err != nil || !due {
			return index, err
		}
		r, err := s.propose(ctx, c)
		if e, ok := errors.AsType[*Error](err); ok && (e.Code == refuse.StaleVersion.Code() || e.Code == refuse.SeriesStopped.Code()) {
			continue // somebody else was faster: look again
		}
		if err != nil {
			return index, err
		}
		index = r.Index
	}
	return index, nil
}

// takenBack makes the visits up to a day on which she counts, before the desk takes
// them back: dropped, they put her on the call-back list. Day 0 is the next one that
// is held. Where she was promised nothing, or who is to come, nothing is made.
func (s *Series) takenBack(ctx context.Context, q series.Series, commune string, day Day) error {
	if !q.Terms.Told {
		return nil
	}
	if day == 0 {
		day, _ = q.Next(s.past(q.Terms.Rule), series.Departement(commune))
	}
	_, err := s.recur(ctx, q.ID, day)
	return err
}

// nextOf prepares the next occurrence of a series, if one is due by the day last.
// Nothing is due for somebody who is not accompanied any more. A kind that is not
// offered any more goes on where it was agreed: she expects it until it is ended.
func (s *Series) nextOf(id SeriesID, last Day) (c command.Recur, due bool, err error) {
	var q series.Series
	var her people.Beneficiary
	var t catalogue.ActionType
	err = s.view(itself, func(tx *store.Tx) (err error) {
		if q, due, err = store.Series.Get(tx, id[:]); err != nil || !due || q.State != series.Running {
			due = false
			return err
		}
		if her, due, err = store.Beneficiaries.Get(tx, q.Beneficiary[:]); err != nil || !due {
			return err
		}
		if t, due, err = store.ActionTypes.Get(tx, q.Type[:]); err != nil || !due {
			return err
		}
		there, err := visible(tx, her.Enrolled.Import, map[ImportID]bool{})
		due = there && her.State == people.Active && her.Standing.Restricted == 0
		return err
	})
	if err != nil || !due {
		return c, false, err
	}
	past := s.past(q.Terms.Rule)
	day, ok := q.Next(max(q.Through, past), series.Departement(her.Commune))
	if !ok || day > last {
		return c, false, nil
	}
	b, err := s.opening(itself).beneficiary(her)
	if err != nil {
		s.health.note(err)
		return c, false, explain(err)
	}
	words, err := s.opening(itself).seriesWords(her, q)
	if err != nil {
		s.health.note(err)
		return c, false, explain(err)
	}
	c = command.Recur{
		Stamp: s.own(), ID: q.ID, Version: q.Version, Day: day, Past: past, Request: newID[RequestID](), Start: s.startOn(q.Terms.Rule, day),
		Counts: s.counts(b, t, 1, public.Requested, public.Found, public.Told),
	}
	c.Commune = her.Commune
	c.Box, err = s.sealForHer(her.Leaf, store.Requests.Name, c.Request, 1, words)
	return c, err == nil, err
}

// startOn is when a visit of the rule begins on a day: at its hour, or at the
// usual one of the half-day.
func (s *Series) startOn(r SeriesRule, day Day) Instant {
	minute := int(r.Minute)
	if minute == 0 {
		minute = morningHour
		if r.Half == when.Afternoon {
			minute = afternoonHour
		}
	}
	return day.At(minute, s.zone())
}

// past is the last day on which no visit of the rule can begin any more.
func (s *Series) past(r SeriesRule) Day {
	today := s.today()
	if s.startOn(r, today) <= s.clock() {
		return today
	}
	return today - 1
}
