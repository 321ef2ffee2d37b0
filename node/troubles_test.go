package node_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bippop/bippop/node"
)

// troubles are what the instruments of a machine see of the federation.
func troubles(t testing.TB, n *node.Node) (out []node.Trouble) {
	t.Helper()
	v := n.Vitals()
	if v.Federation == nil {
		t.Fatal("nothing is known of the federation")
	}
	for _, x := range v.Federation.Troubles {
		out = append(out, x.Code)
	}
	return out
}

// TestTroubles: what goes wrong with the federation is seen on every machine of the
// territory, whichever speaks, and is over when it is mended.
func TestTroubles(t *testing.T) {
	c, n := newSpeaking(t, 3, 1)
	c.say()
	c.synced()
	sees := func(what string, want ...node.Trouble) {
		t.Helper()
		for _, s := range c.up() {
			var got []node.Trouble
			c.until(s.name+" sees "+what, func() bool {
				c.leader().node.Federation.Sync(t.Context(), c.admin)
				if v := s.node.Vitals(); v.Federation == nil {
					return false
				}
				got = troubles(t, s.node)
				return slices.Equal(got, want)
			})
		}
	}
	sees("that all is well")
	n.hubs[0].stop()
	sees("that no hub answers", node.TroubleHubs)
	c.wait(50 * 24 * time.Hour) // 12 January: nobody has released the quarter
	sees("what follows from seven weeks without", node.TroubleHubs, node.TroubleStale, node.TroubleNoOffers, node.TroubleRelease)
	leader := c.leader()
	v, err := c.followers()[0].node.Federation.Troubles(t.Context(), c.admin)
	c.must(err)
	for _, x := range v.Troubles {
		if x.Since == 0 || x.Since.Time().After(leader.clock()) {
			t.Errorf("%s since %v", x.Code, x.Since.Time())
		}
	}
	c.wait(400 * 24 * time.Hour)
	if got := troubles(t, leader.node); !slices.Contains(got, node.TroubleExpired) || slices.Contains(got, node.TroubleHubs) {
		t.Errorf("with an expired roster: %v", got)
	}
	if _, err := leader.node.Federation.Troubles(t.Context(), node.Caller{}); err == nil {
		t.Error("nobody at all is told")
	}
}

// TestTroublesOutside: who belongs to no federation has no trouble with one.
func TestTroublesOutside(tt *testing.T) {
	t := newTown(tt)
	t.wait(500 * 24 * time.Hour)
	if got := troubles(t, t.Node); len(got) > 0 {
		t.Error(got)
	}
}

// TestRosterOfTomorrow: an entry that a newer program has taken in is told of once,
// and as a trouble; the roster before it is in force as long as this program runs.
func TestRosterOfTomorrow(t *testing.T) {
	c, n := newSpeaking(t, 1, 1)
	s := c.seats[0]
	c.until("the roster is known", func() bool {
		r, err := s.node.Federation.Roster(c.admin)
		return err == nil && r.Version == n.state.Version
	})
	c.must(s.node.RecordRoster(t.Context(), []byte("an entry of tomorrow")))
	for range 50 {
		if r, err := s.node.Federation.Roster(c.admin); err != nil || r.Version != n.state.Version {
			t.Fatalf("version %d, %v", r.Version, err)
		}
	}
	if got := troubles(t, s.node); !slices.Contains(got, node.TroubleBehind) {
		t.Errorf("troubles are %v", got)
	}
	if times := strings.Count(s.log.String(), "the roster in the record cannot be read"); times != 1 {
		t.Errorf("the log says so %d times", times)
	}
}
