package main

import (
	"io"
	"testing"

	"github.com/bippop/bippop/cmd/bippop/internal/synth"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// TestFill: whatever the world invents is in the node afterwards, in the state in
// which the world has it, and those who may sign in find something to do.
func TestFill(t *testing.T) {
	for _, profile := range []synth.Profile{synth.Start, synth.CommuneProfile} {
		t.Run(string(profile), func(t *testing.T) {
			h, err := openDemoHome(t.TempDir(), false)
			if err != nil {
				t.Fatal(err)
			}
			h.Profile, h.Seed = profile, 3
			n, err := h.open(t.Context(), output{io.Discard, io.Discard})
			if err != nil {
				t.Fatal(err)
			}
			defer n.Close()
			callers := signInAll(t, n, h)
			checkStates(t, n, callers[0], profile)
			checkFigures(t, n, callers[0], callers[4], profile)
			for _, by := range callers[2:4] {
				mine, err := n.Requests.Mine(by)
				if err != nil || len(mine.Asked) == 0 || len(mine.Promised) == 0 {
					t.Errorf("a volunteer of the demo was asked %d times and has promised %d visits, %v; want some of both", len(mine.Asked), len(mine.Promised), err)
				}
			}
		})
	}
}

func signInAll(t *testing.T, n *node.Node, h *demoHome) (callers []node.Caller) {
	t.Helper()
	if len(h.Accounts) != 6 {
		t.Fatalf("the demo has %d accounts, want an administrator, an agent, two volunteers, an elected member and a DPO", len(h.Accounts))
	}
	for _, a := range h.Accounts {
		_, by, err := n.Accounts.SignIn(t.Context(), a.Login, crypto.NewSecret(a.Password), "test", true)
		if err != nil {
			t.Fatal(err)
		}
		callers = append(callers, by)
	}
	return callers
}

// weeklyVisits counts the visits that the demo's series has made.
func weeklyVisits(t *testing.T, n *node.Node, by node.Caller) (sum int) {
	t.Helper()
	for _, state := range []node.State{node.StateOpen, node.StateAsked, node.StateCovered, node.StateTold} {
		visits, _, err := n.Requests.InState(by, state, node.Page{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range visits {
			if !v.Series.Zero() {
				sum++
			}
		}
	}
	if sum == 0 {
		t.Error("the demo has no visit that comes each week")
	}
	return sum
}

func checkStates(t *testing.T, n *node.Node, by node.Caller, profile synth.Profile) {
	t.Helper()
	count := func(states ...node.State) (sum int) {
		for _, s := range states {
			k, err := n.Requests.CountIn(by, s, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			sum += k
		}
		return sum
	}
	size := profile.Size()
	if got := count(node.StateDone, node.StateNotDone, node.StateCancelled, node.StateUnfilled); got != size.PastRequests {
		t.Errorf("%d requests have ended, want %d", got, size.PastRequests)
	}
	weekly := weeklyVisits(t, n, by)
	if got := count(node.StateOpen, node.StateAsked, node.StateCovered, node.StateTold) - weekly; got != size.OpenRequests {
		t.Errorf("%d requests are under way beside %d that a series made, want %d", got, weekly, size.OpenRequests)
	}
	statuses, err := n.Find.VolunteerCounts(by)
	if err != nil {
		t.Fatal(err)
	}
	volunteers := 0
	for _, k := range statuses {
		volunteers += k
	}
	if volunteers != size.Volunteers {
		t.Errorf("%d volunteers, want %d", volunteers, size.Volunteers)
	}
	if calls, err := n.Calls.Count(by); err != nil || calls == 0 || calls > size.OpenRequests {
		t.Errorf("%d people are to be called, %v; want those who are covered and not told, and nobody of the past", calls, err)
	}
}

// checkFigures: the elected member finds something to read, and how soon somebody
// is found was counted.
func checkFigures(t *testing.T, n *node.Node, admin, elected node.Caller, profile synth.Profile) {
	t.Helper()
	year := n.Now().Year()
	all, err := n.Figures.Read(admin, node.MonthOf(year-2, 1), node.MonthOf(year, 12))
	if err != nil {
		t.Fatal(err)
	}
	if found, soon := all.Total[node.CountFound], all.Total[node.CountFoundInTwoDays]; soon*2 < found {
		t.Errorf("%d of %d found somebody within two days, want half of them", soon, found)
	}
	sheet, err := n.Figures.Look(elected, node.Look{From: node.MonthOf(year, 1), To: node.MonthOf(year, 12)})
	if err != nil || sheet.Exact {
		t.Errorf("the elected member sees %+v, %v", sheet, err)
	}
	if done := sheet.Total[node.CountDone]; profile != synth.Start && !done.Is(node.Least) {
		t.Errorf("the elected member sees %+v actions", done)
	}
}
