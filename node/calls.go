package node

import (
	"context"
	"slices"
	"sort"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/contact"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// Calls are the voice loop: whoever waits for an answer is told by phone.
type Calls struct{ *core }

// Call is one person on the call-back list, with everything she must hear.
type Call struct {
	Her    Beneficiary
	News   []News
	Due    Instant // the earliest hour that the news is about; 0 when none presses
	After  Instant // not before, when somebody said "later"
	Missed int     // calls without answer since the last talk
	Later  bool    // not now: somebody said "later", and nothing presses before
}

// News is what she must hear about one request.
type News struct {
	Visit
	// Before says what she believes: nobody told her anything (First), or
	// somebody else or another hour (Changed).
	First bool
}

// callLimit is how many people the list shows: a desk calls one after the other.
const callLimit = 100

// List is the call-back list: one entry a person, the most pressing first, those
// to be called later last. Everybody is weighed; the first hundred are opened.
func (s *Calls) List(by Caller) ([]Call, error) {
	queue, err := s.Queue(by, callLimit)
	return queue.First, err
}

// Queue is the call-back list as a page shows it: the first few opened, the others
// as a number.
type Queue struct {
	First []Call
	Now   int // people to be called now, those in First among them
	Later int // people to be called later
}

// Queue opens the first n of the call-back list.
func (s *Calls) Queue(by Caller, n int) (q Queue, err error) {
	if err := by.may(CallPeople); err != nil {
		return q, err
	}
	zone, now := s.zone(), s.clock()
	err = s.view(by, func(tx *store.Tx) error {
		waiting, err := s.waiting(tx, now)
		if err != nil {
			return err
		}
		r := s.reader(by, tx, zone)
		for i, w := range waiting {
			if w.later {
				q.Later++
			} else {
				q.Now++
			}
			if i >= n {
				continue
			}
			c, err := s.call(r, w.requests, now)
			if err != nil {
				return err
			}
			q.First = append(q.First, c)
		}
		return nil
	})
	return q, err
}

// unheard is one person who must hear something, before her words are opened.
type unheard struct {
	requests []RequestID
	due      Instant
	later    bool
	hers     bool // she is in sight
}

// waiting weighs everybody who must hear something, by records alone.
func (s *Calls) waiting(tx *store.Tx, now Instant) (out []unheard, err error) {
	var last BeneficiaryID
	var people []BeneficiaryID
	err = view.EachToCall(tx, func(b BeneficiaryID, id RequestID) bool {
		if b != last {
			people, out, last = append(people, b), append(out, unheard{}), b
		}
		u := &out[len(out)-1]
		u.requests = append(u.requests, id)
		return true
	})
	if err != nil {
		return nil, err
	}
	for i := range out {
		her, ok, err := store.Beneficiaries.Get(tx, people[i][:])
		if err != nil {
			return nil, err
		}
		if !ok {
			continue // another desk's
		}
		for _, id := range out[i].requests {
			r, _, err := store.Requests.Get(tx, id[:])
			if err != nil {
				return nil, err
			}
			out[i].due = sooner(out[i].due, dueOf(r))
		}
		out[i].hers = true
		out[i].later = waits(her.CallAfter, out[i].due, now)
	}
	out = slices.DeleteFunc(out, func(u unheard) bool { return !u.hers })
	sort.SliceStable(out, func(i, j int) bool {
		a, b := &out[i], &out[j]
		if a.later != b.later {
			return b.later
		}
		return uint64(a.due)-1 < uint64(b.due)-1 // 0, which presses least, comes last
	})
	return out, nil
}

// dueOf is the hour that the news of a request is about, or 0.
func dueOf(r request.Request) Instant {
	if r.Plan.Start != 0 {
		return r.Plan.Start
	}
	return r.Believes.Start
}

func sooner(a, b Instant) Instant {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// waits: she asked to be called later, and nothing happens before.
func waits(after, due, now Instant) bool { return after > now && (due == 0 || due > after) }

// Of is what one person must hear; nil when nothing.
func (s *Calls) Of(by Caller, id BeneficiaryID) (*Call, error) {
	if err := by.may(CallPeople); err != nil {
		return nil, err
	}
	var call *Call
	zone, now := s.zone(), s.clock()
	err := s.view(by, func(tx *store.Tx) error {
		if yes, err := inSight(by, tx, store.Beneficiaries, id[:]); err != nil || !yes {
			return err
		}
		requests, err := ids(tx, view.ToCall(id), 50)
		if err != nil || len(requests) == 0 {
			return err
		}
		c, err := s.call(s.reader(by, tx, zone), requests, now)
		call = &c
		return err
	})
	return call, err
}

// Count is how many people are to be called, counted up to a thousand news.
func (s *Calls) Count(by Caller) (n int, err error) {
	if err := by.may(CallPeople); err != nil {
		return 0, err
	}
	err = s.view(by, func(tx *store.Tx) error {
		var last BeneficiaryID
		var inner error
		err := view.EachToCall(tx, func(b BeneficiaryID, _ RequestID) bool {
			if b != last {
				last = b
				var yes bool
				if yes, inner = inSight(by, tx, store.Beneficiaries, b[:]); yes {
					n++
				}
			}
			return inner == nil && n < 1000
		})
		return either(err, inner)
	})
	return n, err
}

// call opens what one person must hear.
func (s *Calls) call(r *reader, requests []RequestID, now Instant) (c Call, err error) {
	visits, err := r.all(requests)
	if err != nil {
		return c, err
	}
	for _, v := range visits {
		c.Her, c.After, c.Missed = v.Her, v.Her.CallAfter, int(v.Her.Missed)
		c.News = append(c.News, News{Visit: v, First: len(v.Believes.Coming) == 0 && !v.Believes.Over && !v.Believes.Across})
		c.Due = sooner(c.Due, dueOf(v.Request))
	}
	c.Later = waits(c.After, c.Due, now)
	return c, nil
}

// Heard is what she said to one piece of news.
type Heard struct {
	Request RequestID
	Version uint32 // that was read out
	NotHim  VolunteerID
	NoMore  bool
}

// Told notes that she was reached, by phone or in person, and what she said.
func (s *Calls) Told(ctx context.Context, by Caller, her BeneficiaryID, heard []Heard) (Receipt, error) {
	if err := by.may(CallPeople); err != nil {
		return Receipt{}, err
	}
	return s.reach(ctx, by, her, contact.Told, contact.ByPhone, 0, heard)
}

// NotReached notes a call without success. after is when to try again; the zero
// Instant means at the desk's leisure.
func (s *Calls) NotReached(ctx context.Context, by Caller, her BeneficiaryID, result CallResult, after Instant) (Receipt, error) {
	if err := by.may(CallPeople); err != nil {
		return Receipt{}, err
	}
	if result != contact.NoAnswer && result != contact.Later {
		return Receipt{}, invalid("result", "unknown-result", "result is told, no-answer or later")
	}
	if after != 0 && (after < s.clock() || after > s.clock()+14*24*3600_000) {
		return Receipt{}, invalid("after", "out-of-range", "call again within the next two weeks")
	}
	c, err := s.Of(by, her)
	if err != nil {
		return Receipt{}, err
	}
	var about []Heard
	if c != nil {
		for _, n := range c.News {
			about = append(about, Heard{Request: n.ID, Version: n.Version})
		}
	}
	return s.reach(ctx, by, her, result, contact.ByPhone, after, about)
}

// ToldByVolunteer notes that a volunteer told her himself of his visit.
func (s *Calls) ToldByVolunteer(ctx context.Context, by Caller, id RequestID, version uint32) (Receipt, error) {
	r, err := s.request(by, id)
	if err != nil {
		return Receipt{}, err
	}
	if err := s.mayHandle(by, r); err != nil {
		return Receipt{}, err
	}
	return s.reach(ctx, by, r.Beneficiary, contact.Told, contact.ByVolunteer, 0, []Heard{{Request: id, Version: version}})
}

func (s *Calls) reach(ctx context.Context, by Caller, her BeneficiaryID, result contact.Result, means contact.Means, after Instant, heard []Heard) (Receipt, error) {
	if len(heard) > 50 {
		return Receipt{}, invalid("about", "too-many", "at most 50 pieces of news in one call")
	}
	rec, err := s.beneficiaryRecord(by, her)
	if err != nil {
		return Receipt{}, err
	}
	b, err := s.opening(by).beneficiary(rec)
	if err != nil {
		s.health.note(err)
		return Receipt{}, explain(err)
	}
	c := command.Reach{Stamp: s.stamp(by, b.Commune), ID: newID[AttemptID](), Beneficiary: her, Result: result, Means: means, After: after}
	for _, h := range heard {
		r, err := s.request(by, h.Request)
		if err != nil {
			return Receipt{}, err
		}
		t, err := s.actionType(r.Type)
		if err != nil {
			return Receipt{}, err
		}
		about := command.About{Request: h.Request, Version: h.Version, Word: command.Fine}
		switch {
		case result != contact.Told:
			about.Word = command.NotReach
		case h.NoMore:
			about.Word, about.Counts = command.NoMore, s.counts(b, t, 1, public.Cancelled)
		case !h.NotHim.Zero():
			about.Word, about.Volunteer = command.NotHim, h.NotHim
		default:
			about.Counts = s.counts(b, t, 1, public.Told)
		}
		c.About = append(c.About, about)
	}
	return s.propose(ctx, c)
}

// Attempts lists the calls to a person, the newest first.
func (s *Calls) Attempts(by Caller, her BeneficiaryID, limit int) (out []Attempt, err error) {
	if err := by.may(CallPeople); err != nil {
		return nil, err
	}
	err = s.view(by, func(tx *store.Tx) error {
		var ids []AttemptID
		err := view.Each(tx, view.CallsTo(her), nil, true, func(id AttemptID, _ []byte) bool {
			ids = append(ids, id)
			return len(ids) < limit
		})
		if err != nil {
			return err
		}
		for _, id := range ids {
			a, ok, err := store.Attempts.Get(tx, id[:])
			if err != nil {
				return err
			}
			if ok {
				out = append(out, a)
			}
		}
		return nil
	})
	return out, err
}
