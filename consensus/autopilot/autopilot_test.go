package autopilot_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bippop/bippop/consensus/autopilot"
)

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

const commit = 10_000

// replica reads a shape: V voter, n non-voter, then what is wrong with it: d dead
// for 25 h, a away for an hour, l lags, y young, k without the current root key.
func replica(shape string) autopilot.Replica {
	r := autopilot.Replica{
		ID: shape, Voter: shape[0] == 'V', Applied: commit, Contact: now.Add(-time.Second),
		Stable: now.Add(-time.Hour), Holds: true,
	}
	for _, c := range shape[1:] {
		switch c {
		case 'd':
			r.Gone = now.Add(-25 * time.Hour)
		case 'a':
			r.Gone = now.Add(-time.Hour)
		case 'l':
			r.Applied = commit / 2
		case 'y':
			r.Stable = now.Add(-9 * time.Second)
		case 'k':
			r.Holds = false
		}
	}
	if !r.Gone.IsZero() {
		r.Contact, r.Stable = r.Gone, time.Time{}
	}
	return r
}

func state(shapes string) autopilot.State {
	s := autopilot.State{Commit: commit, Now: now}
	for i, shape := range strings.Fields(shapes) {
		r := replica(shape)
		r.ID = fmt.Sprint(i, shape)
		s.Replicas = append(s.Replicas, r)
	}
	return s
}

func TestNext(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"one alone", "V", "nothing"},
		{"one waits for two", "V n", "nothing"},
		{"the second is too young", "V n ny", "nothing"},
		{"one becomes three, first step", "V n n", "promote 1n"},
		{"one becomes three, second step", "V V n", "promote 2n"},
		{"two with one away have no quorum", "V Va n", "nothing"},
		{"two with one dead have no quorum", "V Vd n", "nothing"},
		{"three and a spare", "V V V n", "nothing"},
		{"three and two spares", "V V V n n", "promote 3n"},
		{"four and a spare", "V V V V n", "promote 4n"},
		{"five are enough", "V V V V V n n", "nothing"},
		{"a voter is away for an hour", "V V Va n", "nothing"},
		{"a voter is dead, no spare", "V V Vd", "nothing"},
		{"a voter is dead, the spare lags", "V V Vd nl", "nothing"},
		{"a voter is dead, the spare is young", "V V Vd ny", "nothing"},
		{"a voter is dead, the spare has no root", "V V Vd nk", "nothing"},
		{"a voter is dead, the spare takes its place", "V V Vd n", "promote 3n"},
		{"its place is taken", "V V Vd V", "remove 2Vd"},
		{"its place is taken by one that went away too", "V V Vd Va", "nothing"},
		{"two of three dead", "V Vd Vd n n", "nothing"},
		{"two of five dead, one spare", "V V V Vd Vd n", "promote 5n"},
		{"two of five dead, replaced once", "V V V Vd Vd V", "remove 3Vd"},
		{"of five, replaced once, no spare left", "V V V Vd V", "nothing"},
		{"who remains must hold the root", "V Vk Vd V", "remove 2Vd"},
		{"too few of who remain hold the root", "V Vk Vd Vk", "nothing"},
		{"a dead spare is left to a person", "V V V nd", "nothing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			step := autopilot.Next(state(test.in), autopilot.Rules{})
			got := strings.TrimSpace(step.Action.String() + " " + step.ID)
			if got != test.want {
				t.Errorf("%s: got %s (%s), want %s", test.in, got, step.Reason, test.want)
			}
			if step.Reason == "" {
				t.Error("no reason")
			}
			changing := state(test.in)
			changing.Changing = true
			if step := autopilot.Next(changing, autopilot.Rules{}); step.Action != autopilot.None {
				t.Errorf("while another change runs: %v", step)
			}
		})
	}
}

var shapes = rapid.StringMatching(`[Vn][dalyk]{0,2}`)

func drawState(t *rapid.T) autopilot.State {
	return state("V " + strings.Join(rapid.SliceOfN(shapes, 0, 8).Draw(t, "replicas"), " "))
}

func voters(s autopilot.State) (all, alive, holding int) {
	for _, r := range s.Replicas {
		if r.Voter {
			all++
			if r.Gone.IsZero() {
				alive++
				if r.Holds {
					holding++
				}
			}
		}
	}
	return all, alive, holding
}

// take does what was decided.
func take(s *autopilot.State, step autopilot.Step) {
	i := slices.IndexFunc(s.Replicas, func(r autopilot.Replica) bool { return r.ID == step.ID })
	switch step.Action {
	case autopilot.Promote:
		s.Replicas[i].Voter = true
	case autopilot.Remove:
		s.Replicas = slices.Delete(s.Replicas, i, i+1)
	}
}

// Laws, from any state until nothing is left to do.
func TestLaws(t *testing.T) {
	flag.Set("rapid.checks", "2000") // each takes some microseconds; a short run draws a fifth
	removed, promoted := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		s := drawState(t)
		for steps := 0; ; steps++ {
			if steps > 2*10 {
				t.Fatal("it goes on for ever")
			}
			before, _, _ := voters(s)
			step := autopilot.Next(s, autopilot.Rules{})
			if step.Action == autopilot.None {
				return
			}
			i := slices.IndexFunc(s.Replicas, func(r autopilot.Replica) bool { return r.ID == step.ID })
			if i < 0 {
				t.Fatalf("%v is about nobody", step)
			}
			r := s.Replicas[i]
			switch step.Action {
			case autopilot.Promote:
				promoted++
				if r.Voter || !r.Gone.IsZero() || !r.Holds || r.Applied < commit-1000 || now.Sub(r.Stable) < 10*time.Second {
					t.Fatalf("promotes %+v", r)
				}
			case autopilot.Remove:
				removed++
				if !r.Voter || r.Gone.IsZero() || now.Sub(r.Gone) < 24*time.Hour {
					t.Fatalf("removes %+v", r)
				}
				if before-1 < autopilot.Floor {
					t.Fatalf("removes one of %d voters", before)
				}
			}
			take(&s, step)
			after, alive, holding := voters(s)
			if 2*alive <= after || 2*holding <= after {
				t.Fatalf("after %v: %d of %d voters are there, %d hold the root", step, alive, after, holding)
			}
			if after-before > 1 || before-after > 1 {
				t.Fatalf("%v changed the voters from %d to %d", step, before, after)
			}
		}
	})
	if removed == 0 || promoted == 0 {
		t.Errorf("%d removed, %d promoted: this tested nothing", removed, promoted)
	}
}
