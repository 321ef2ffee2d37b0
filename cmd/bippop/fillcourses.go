package main

import (
	"context"
	"fmt"
	"time"

	"github.com/bippop/bippop/cmd/bippop/internal/synth"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// course is a request of the past that the demo lets run as it does in life: it is
// asked on one day, somebody is found then or some days later, and the visit takes
// place. So the figures of how soon somebody is found mean something.
type course struct {
	synth.Request
	found   int  // the day, counted from today
	evening bool // of the same day; else in the morning
	receipt node.Receipt
	covered bool
}

// mostCourses is how many requests of the past run their course; a larger past is
// written down as done, for the time it would take.
const mostCourses = 5000

// foundAfter deals the days until somebody is found: mostly soon.
var foundAfter = [...]int{0, 0, 1, 0, 2, 0, 1, 4}

// courses are the requests of the past that took place, by the day they were asked
// and by the day they were covered.
type courses struct{ asked, mornings, evenings map[int][]*course }

// courseKey tells a request of the past from the others.
type courseKey struct{ her, day, minute int }

func keyOf(q synth.Request) courseKey {
	return courseKey{q.BeneficiaryIndex, q.When.DaysFromToday, q.StartMinute}
}

// plan spreads the past over the days on which its parts happen.
func (f *filler) plan(past int) (c courses, by map[courseKey]*course) {
	c, by = courses{map[int][]*course{}, map[int][]*course{}, map[int][]*course{}}, map[courseKey]*course{}
	if past > mostCourses {
		return c, by
	}
	i := 0
	for q := range f.world.Past() {
		key := keyOf(q)
		if q.Outcome != synth.Done || by[key] != nil {
			continue
		}
		asked, wait := -q.AskedDaysAgo, foundAfter[i%len(foundAfter)]
		i++
		one := &course{Request: q, found: asked + wait, evening: wait == 0}
		for _, v := range q.VolunteerIndexes { // nobody is asked before he has come along
			if joined := -f.world.Volunteers[v].DaysInStatus; joined > one.found {
				one.found, one.evening = joined, false
			}
		}
		if one.found >= q.When.DaysFromToday {
			one.found, one.evening = q.When.DaysFromToday, false
		}
		by[key] = one
		c.asked[asked] = append(c.asked[asked], one)
		if one.evening {
			c.evenings[one.found] = append(c.evenings[one.found], one)
		} else {
			c.mornings[one.found] = append(c.mornings[one.found], one)
		}
	}
	return c, by
}

func (f *filler) begin(ctx context.Context, c *course, today time.Time) (err error) {
	c.receipt, err = f.open(ctx, c.Request, today)
	if err = f.forgive(err); err != nil {
		return fmt.Errorf("opening a request of the past: %w", err)
	}
	return nil
}

// find covers the request and tells her.
func (f *filler) find(ctx context.Context, c *course, today time.Time) error {
	if c.receipt.Version == 0 {
		return nil
	}
	r, err := f.cover(ctx, c.Request, today, c.receipt)
	if err == nil {
		c.receipt, c.covered = r, true
		err = f.tell(ctx, c.Request, r)
	}
	if err = f.forgive(err); err != nil {
		return fmt.Errorf("covering a request of the past: %w", err)
	}
	return nil
}

// end finishes what was covered. What was opened and did not find anybody ends so.
func (f *filler) end(ctx context.Context, c *course) error {
	requests, q := f.node.Requests, c.Request
	if c.covered {
		_, err := requests.Finish(ctx, f.by, c.receipt.ID, true, node.Ending{Minutes: uint16(q.Minutes), Metres: uint32(q.Km) * 1000, Word: crypto.NewSecret(q.Word)})
		return err
	}
	v, err := requests.Get(f.by, c.receipt.ID)
	if err != nil {
		return err
	}
	r, err := requests.Drop(ctx, f.by, v.ID, v.Version, true, node.NobodyFound)
	if err == nil {
		err = f.tell(ctx, q, r)
	}
	return err
}
