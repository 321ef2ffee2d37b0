// Package dispatch says which volunteers fit a request, and in which order an
// agent would rather ask them. Rules first: no preference buys back a rule that
// is not met, and each obstacle has a name that the agent can read.
package dispatch

import (
	"cmp"
	"slices"

	"github.com/bippop/bippop/node/internal/catalogue"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/when"
)

// Obstacle is a rule that a volunteer does not meet for a request.
type Obstacle string

const (
	NotApproved  Obstacle = "not-approved"
	RefusedByHer Obstacle = "refused-by-her"
	OtherKinds   Obstacle = "other-kinds"
	NoCar        Obstacle = "no-car"
	TooFar       Obstacle = "too-far"
	FarUnknown   Obstacle = "distance-unknown"
	Away         Obstacle = "away"
	NotFree      Obstacle = "not-free-then" // not a half-day that he gave; he may still say yes
	WeekIsFull   Obstacle = "week-is-full"
	Busy         Obstacle = "busy"
)

// soft obstacles may be asked past by a person who knows better.
var soft = []Obstacle{TooFar, FarUnknown, NotFree, WeekIsFull}

// Soft reports whether an agent may ask all the same.
func (o Obstacle) Soft() bool { return slices.Contains(soft, o) }

// Need is what a request asks of a volunteer, in numbers.
type Need struct {
	Kind catalogue.ActionType
	Her  people.Beneficiary
	Wish request.Wish
}

// Candidate is one volunteer beside one need.
type Candidate struct {
	Volunteer ident.Volunteer
	Obstacles []Obstacle
	Metres    int  // between their communes; -1 when not known
	Visits    int  // of his to her that took place
	Preferred bool // by her
	ThisWeek  int  // seats and open questions in the week of the wish
	Done      uint32
	LastAsked when.At // 0: never
}

// Fits reports whether nothing stands against asking him.
func (c Candidate) Fits() bool { return len(c.Obstacles) == 0 }

// May reports whether an agent may ask him.
func (c Candidate) May() bool {
	return !slices.ContainsFunc(c.Obstacles, func(o Obstacle) bool { return !o.Soft() })
}

// Look lists the obstacles between v and the need that his record shows; what
// depends on his week is added by Load.
func Look(v people.Volunteer, n Need, metres int) Candidate {
	c := Candidate{Volunteer: v.ID, Metres: metres, Done: v.Done, Preferred: slices.Contains(n.Her.Preferred, v.ID)}
	add := func(o Obstacle, is bool) {
		if is {
			c.Obstacles = append(c.Obstacles, o)
		}
	}
	add(NotApproved, v.Status != people.Approved)
	add(RefusedByHer, n.Her.Refuses(v.ID))
	add(OtherKinds, !v.Offer.Does(n.Kind.ID))
	add(NoCar, n.Kind.Car && !v.Offer.Car)
	add(FarUnknown, metres < 0)
	add(TooFar, metres > int(v.Offer.RadiusKm)*1000)
	add(Away, away(v.Offer, n.Wish))
	add(NotFree, !free(v.Offer, n.Wish))
	return c
}

// Load adds what his week holds: seats and questions in the week of the wish, and
// whether he is expected elsewhere at the hour.
func (c Candidate) Load(v people.Volunteer, thisWeek int, busy bool) Candidate {
	c.ThisWeek = thisWeek
	c.Obstacles = slices.Clone(c.Obstacles)
	if v.Offer.PerWeek > 0 && thisWeek >= int(v.Offer.PerWeek) {
		c.Obstacles = append(c.Obstacles, WeekIsFull)
	}
	if busy {
		c.Obstacles = append(c.Obstacles, Busy)
	}
	return c
}

// away: he is absent on every day that would answer the wish.
func away(r people.Readiness, w request.Wish) bool {
	switch w.Kind {
	case request.OnDay:
		return r.Away(w.Day)
	case request.InWeek:
		for d := w.Day; d < w.Day+7; d++ {
			if !r.Away(d) {
				return false
			}
		}
		return true
	}
	return false
}

// free: one of the half-days he gave answers the wish.
func free(r people.Readiness, w request.Wish) bool {
	if r.Week == 0 || w.Kind != request.OnDay {
		return true
	}
	return r.Week.Has(w.Day.Date().Weekday(), w.Half)
}

// Order sorts candidates as an agent would ask them: those who fit, then those
// who may be asked; whom she prefers or knows; who was never asked, then who was
// asked longest ago; the nearest. Equal ones stand by ID.
func Order(cs []Candidate) {
	slices.SortFunc(cs, func(a, b Candidate) int {
		return cmp.Or(
			first(a.Fits(), b.Fits()),
			first(a.May(), b.May()),
			first(a.Preferred, b.Preferred),
			cmp.Compare(min(b.Visits, 3), min(a.Visits, 3)),
			cmp.Compare(a.ThisWeek, b.ThisWeek),
			cmp.Compare(a.LastAsked, b.LastAsked),
			cmp.Compare(near(a), near(b)),
			slices.Compare(a.Volunteer[:], b.Volunteer[:]),
		)
	})
}

func first(a, b bool) int {
	switch {
	case a && !b:
		return -1
	case b && !a:
		return 1
	}
	return 0
}

func near(c Candidate) int {
	if c.Metres < 0 {
		return 1 << 30
	}
	return c.Metres
}
