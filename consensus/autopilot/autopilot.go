// Package autopilot decides who should vote next, from what a leader knows. It
// changes nothing itself, and has no clock.
//
//	joined ─▶ non-voter ──ready, and the voters become odd──▶ voter ──gone 24 h, and replaced──▶ removed
//	              └──ready, and a voter is gone for 24 h───────▲
//
// One step at a time: the caller takes it, looks again, and asks for the next.
//
// A voter too many costs nothing, a voter too few may cost everything. So
// replacing begins with the new voter: four voters for a moment, then three again,
// never two. A lone voter is joined by two at once, because of two voters neither
// may fail. What a person does is not held back here.
package autopilot

import (
	"fmt"
	"sort"
	"strings"
	"time"
)

// Replica is what the leader knows of one member of the configuration, itself
// included.
type Replica struct {
	ID    string
	Voter bool
	// Applied is its machine's index.
	Applied uint64
	// Contact is when it was last heard of. For the leader itself it is now.
	Contact time.Time
	// Stable is since when it has been in contact without a break.
	Stable time.Time
	// Gone is since when it has been out of contact; zero while it is not. The
	// caller takes its own monotonic clock, and begins anew when it wins an
	// election: a time on the wall that jumps must not make anybody look gone.
	Gone time.Time
	// Holds: it has told that it holds the current root key.
	Holds bool
}

// State is the territory at one moment, as its leader sees it.
type State struct {
	Replicas []Replica
	// Commit is the machine's index at the leader.
	Commit uint64
	// Changing: a change of members is not committed yet.
	Changing bool
	Now      time.Time
}

// Rules are the times and sizes. Zero fields take the default in parentheses.
type Rules struct {
	Stable  time.Duration // a replica was in contact for so long before it votes (10 s)
	Gone    time.Duration // a voter was away for so long before it is removed (24 h)
	Contact time.Duration // a replica that was heard of within it is there (10 s)
	Lag     uint64        // entries that a replica may lack and count as caught up (128)
}

// Floor is the number of voters below which nobody is removed without a person,
// and Most the number above which nobody is promoted without one.
const (
	Floor = 3
	Most  = 5
)

// Action is what to do.
type Action int

// Actions.
const (
	None Action = iota
	Promote
	Remove
)

func (a Action) String() string { return [...]string{"nothing", "promote", "remove"}[a] }

// Step is what to do next. Reason is for the operator: one sentence, lower case.
// With None it says what is waited for.
type Step struct {
	Action Action
	ID     string
	Reason string
}

func wait(format string, args ...any) Step {
	return Step{Reason: fmt.Sprintf(format, args...)}
}

// Next decides at most one step.
func Next(s State, rules Rules) Step {
	rules = rules.withDefaults()
	if s.Changing {
		return wait("a change of members is under way")
	}
	v := look(s, rules)
	if !v.safe(0, 0) {
		return wait("only %d of %d voters are there", v.alive, v.voters)
	}
	if step, ok := v.remove(); ok {
		return step
	}
	return v.promote()
}

func (r Rules) withDefaults() Rules {
	if r.Stable == 0 {
		r.Stable = 10 * time.Second
	}
	if r.Gone == 0 {
		r.Gone = 24 * time.Hour
	}
	if r.Contact == 0 {
		r.Contact = 10 * time.Second
	}
	if r.Lag == 0 {
		r.Lag = 128
	}
	return r
}

// view is a state, counted.
type view struct {
	voters, alive, holding int       // holding: alive and holds the current root
	spares                 []Replica // ready to vote, longest stable first
	dead                   []Replica // voters, longest gone first
}

func look(s State, rules Rules) view {
	var v view
	for _, r := range s.Replicas {
		there := r.Gone.IsZero() && !r.Contact.IsZero() && s.Now.Sub(r.Contact) <= rules.Contact
		switch {
		case r.Voter && there:
			v.voters++
			v.alive++
			if r.Holds {
				v.holding++
			}
		case r.Voter:
			v.voters++
			if !r.Gone.IsZero() && s.Now.Sub(r.Gone) >= rules.Gone {
				v.dead = append(v.dead, r)
			}
		case there && r.Holds && r.Applied+rules.Lag >= s.Commit && !r.Stable.IsZero() && s.Now.Sub(r.Stable) >= rules.Stable:
			v.spares = append(v.spares, r)
		}
	}
	sort.Slice(v.spares, func(i, j int) bool {
		return order(v.spares[i].Stable, v.spares[j].Stable, v.spares[i].ID, v.spares[j].ID) < 0
	})
	sort.Slice(v.dead, func(i, j int) bool { return order(v.dead[i].Gone, v.dead[j].Gone, v.dead[i].ID, v.dead[j].ID) < 0 })
	return v
}

func order(a, b time.Time, x, y string) int {
	if c := a.Compare(b); c != 0 {
		return c
	}
	return strings.Compare(x, y)
}

// safe: with so many voters more, of which so many are there, a majority is there.
func (v view) safe(voters, alive int) bool { return 2*(v.alive+alive) > v.voters+voters }

// held: likewise, a majority is there and holds the current root, so that it
// cannot be lost.
func (v view) held(voters, holding int) bool { return 2*(v.holding+holding) > v.voters+voters }

// remove takes out a dead voter whose place was taken: the voters are even, one
// more than they were when it died.
func (v view) remove() (Step, bool) {
	if len(v.dead) == 0 || v.voters%2 == 1 || v.voters-1 < Floor || !v.safe(-1, 0) || !v.held(-1, 0) {
		return Step{}, false
	}
	return Step{Remove, v.dead[0].ID, "it has been away for too long, and another replica has taken its place"}, true
}

func (v view) promote() Step {
	replacing := len(v.dead) > 0 && v.voters%2 == 1
	switch {
	case len(v.spares) == 0:
		return wait("no replica waits that has caught up")
	case v.voters >= Most && !replacing:
		return wait("%d voters are enough", v.voters)
	case v.voters%2 == 1 && !replacing && len(v.spares) < 2:
		return wait("one replica is ready to vote; two are needed, so that the voters stay odd")
	case replacing && v.voters < Floor:
		return wait("too few voters to replace one")
	case !v.safe(1, 1):
		return wait("with one voter more no majority would be there")
	case !v.held(1, 1):
		return wait("only %d of %d voters are known to hold the current root key", v.holding, v.voters)
	}
	reason := "it has caught up and is stable, and the voters become odd"
	switch {
	case replacing:
		reason = "it has caught up and is stable, and takes the place of " + v.dead[0].ID
	case v.voters%2 == 1:
		reason = "it has caught up and is stable, and so has another that will follow"
	}
	return Step{Promote, v.spares[0].ID, reason}
}
