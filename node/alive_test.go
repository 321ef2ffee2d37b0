package node_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bippop/bippop/federation/roster"
	"github.com/bippop/bippop/node"
)

// speaksAt has something said once somebody leads, and one round at the hubs. That
// must do: nobody is refused for the hubs' sake while they answer, the head is signed,
// a hub holds it, and no hub is blamed for what is our own.
func (c *cluster) speaksAt(when string) {
	c.Helper()
	var leader *seat
	c.until(when+": something is said", func() bool {
		leader = c.leader()
		err := leader.node.Say(c.Context())
		switch code := refusalOf(err); {
		case err == nil:
			return true
		case code == "no-leader", code == "unknown-outcome", code == "log-stopped": // it has just changed
			return false
		default:
			c.Fatalf("%s: %v", when, err)
			return false
		}
	})
	if err := leader.node.Federation.Sync(c.Context(), c.admin); err != nil {
		c.Errorf("%s: %v", when, err)
	}
	status, err := leader.node.Federation.Status(c.Context(), c.admin)
	c.must(err)
	held := false
	for _, h := range status.Hubs {
		held = held || h.Size == int64(status.Size)
		if h.Refusal != "" {
			c.Errorf("%s: %s is said to have refused: %s", when, h.Name, h.Refusal)
		}
	}
	if !held || status.Next != node.StepNone {
		c.Errorf("%s: no hub has all %d entries: %+v", when, status.Size, status)
	}
}

// TestRestarts: after any restart of machines, with one of them down or not, however
// long after the hubs were last heard, the feed speaks within one round.
func TestRestarts(t *testing.T) {
	for _, hubs := range []int{1, 3} {
		t.Run(fmt.Sprintf("hubs %d", hubs), func(t *testing.T) {
			c, _ := newSpeaking(t, 3, hubs)
			c.say()
			c.synced()
			restart := func(which ...*seat) {
				for _, s := range which {
					s.stop()
					s.start()
					c.leader()
				}
				c.wait(time.Hour)
			}
			for i, s := range c.seats {
				restart(s)
				c.speaksAt(fmt.Sprintf("machine %d alone", i+1))
			}
			restart(c.seats...)
			c.speaksAt("one after the other")
			down := c.seats[:1]
			if *long {
				down = c.seats
			}
			for _, gone := range down {
				gone.kill()
				up := c.up()
				for i, s := range up {
					restart(s)
					c.speaksAt(fmt.Sprintf("one down, %d alone", i+1))
				}
				restart(up...)
				c.speaksAt("one down, one after the other")
				slices.Reverse(up)
				restart(up...)
				c.speaksAt("one down, in the other order")
				for _, s := range up {
					s.stop()
				}
				started := make(chan error, len(up))
				for _, s := range up {
					go func() { started <- s.tryStart() }()
				}
				for range up {
					c.must(<-started)
				}
				c.wait(time.Hour)
				c.speaksAt("one down, all at once")
				gone.start()
				c.allVote()
			}
		})
	}
}

// TestLateMachine: a machine whose clock is off can neither believe the hubs nor sign.
// While it is needed the operator reads that the own machines do not sign, which one,
// and what it says; once its clock is right nothing else need be done.
func TestLateMachine(t *testing.T) {
	c, _ := newSpeaking(t, 3, 1)
	c.say()
	c.synced()
	c.followers()[0].kill()
	late := c.followers()[0]
	c.mu.Lock()
	late.late = -time.Hour
	c.mu.Unlock()
	late.stop()
	late.start()
	for c.leader() == late {
		late.stop()
		late.start()
	}
	c.say()
	leader := c.leader()
	leader.node.Federation.Sync(t.Context(), c.admin)
	status, err := leader.node.Federation.Status(t.Context(), c.admin)
	c.must(err)
	if status.Next != node.StepOwn || !strings.Contains(status.Trouble, late.name+": ") || !strings.Contains(status.Trouble, "too few hubs have said") {
		t.Errorf("the operator reads %q, %q", status.Next, status.Trouble)
	}
	c.mu.Lock()
	late.late = 0
	c.mu.Unlock()
	c.speaksAt("with the right clock")
}

// TestClockAhead: a clock that jumps days ahead dates nothing ahead once a hub was
// asked; what was said before that waits for its day, which the operator reads, and
// then leaves by itself.
func TestClockAhead(t *testing.T) {
	c := newCluster(t, 1)
	n := newNation(t, 1, (&seat{cluster: c}).clock)
	n.joined(c)
	c.say()
	c.synced()
	s := c.seats[0]
	turn := func(d time.Duration) {
		c.mu.Lock()
		s.late = d
		c.mu.Unlock()
	}
	status := func() node.FederationStatus {
		s.node.Federation.Sync(t.Context(), c.admin) // it may well fail
		out, err := s.node.Federation.Status(t.Context(), c.admin)
		c.must(err)
		return out
	}
	turn(5 * 24 * time.Hour)
	c.must(s.node.Say(t.Context())) // nobody knows yet
	if got := status(); got.Next != node.StepClock {
		t.Errorf("while the clock is ahead: %+v", got)
	}
	if err := s.node.Say(t.Context()); refusalOf(err) != "clock-ahead" {
		t.Errorf("while the clock is ahead: %v", err)
	}
	turn(0)
	if got := status(); got.Next != node.StepClock || !strings.Contains(got.Trouble, "2026-11-28") || !strings.Contains(got.Trouble, "from 2026-11-27 on") || got.Settled != 1 {
		t.Errorf("with the right clock: %+v", got)
	}
	c.must(s.node.Say(t.Context())) // it stands behind
	c.wait(4 * 24 * time.Hour)
	if got := c.synced(); got.Size != 3 || got.Next != node.StepNone {
		t.Errorf("on the day: %+v", got)
	}
}

// putBack lets a machine's disk be what it was.
func (s *seat) putBack(older string) {
	s.Helper()
	s.stop()
	s.must(os.RemoveAll(s.cfg.Dir))
	s.must(os.CopyFS(s.cfg.Dir, os.DirFS(older)))
	s.start()
}

// kept is a copy of a machine's disk as it is now.
func (s *seat) kept() string {
	s.Helper()
	s.stop()
	dir := s.TempDir()
	s.must(os.CopyFS(dir, os.DirFS(s.cfg.Dir)))
	s.start()
	return dir
}

// opened begins a new epoch in the roster, after so many entries of the one before.
func (n *nation) opened(c *cluster, epoch uint16, size int) {
	n.Helper()
	p, err := c.leader().node.Quorate(n.Context())
	n.must(err)
	if int(p.Head.Size) < size {
		n.Fatalf("%d entries of %d", p.Head.Size, size)
	}
	root, err := c.leader().node.RootAt(epoch-1, size)
	n.must(err)
	n.write(roster.OpenEpoch{Siren: 200044394, Epoch: epoch, StartSize: uint64(size), StartRoot: root})
	c.until("the epoch is opened", func() bool {
		status := c.synced()
		return status.Epoch == epoch
	})
}

// TestEpochs: a record that was put back, and has missed two epochs, with more entries
// than it holds and a release that was said again, takes back what counts, contradicts
// nothing that was signed, and goes on.
func TestEpochs(t *testing.T) {
	c, n := newSpeaking(t, 1, 1)
	s := c.seats[0]
	c.say()
	c.synced()
	oldest := s.kept()
	c.say()
	c.synced()
	c.must(s.node.SayRelease(t.Context()))
	c.synced()
	older := s.kept()
	c.synced()
	n.opened(c, 2, 2)
	c.wait(3 * 24 * time.Hour)
	c.say()
	c.synced()
	n.opened(c, 3, 2)
	c.wait(3 * 24 * time.Hour)
	c.say()
	was := c.synced()
	before, err := s.node.Said()
	c.must(err)
	for name, disk := range map[string]string{"with the release": older, "before it": oldest} {
		s.putBack(disk)
		c.wait(24 * time.Hour)
		var got node.FederationStatus
		c.until(name+": all epochs are back", func() bool {
			got = c.synced()
			return got.Epoch == 3 && got.Size >= was.Size
		})
		after, err := s.node.Said()
		c.must(err)
		if got.Frozen != 0 || got.Trouble != "" || got.Next != node.StepNone || name == "with the release" && !slices.EqualFunc(before, after, slices.Equal) {
			t.Errorf("%s: %d entries of %d came back: %+v", name, len(after), len(before), got)
		}
	}
	c.say()
	if got := c.synced(); got.Frozen != 0 || got.Size != was.Size+1 {
		t.Errorf("and then: %+v", got)
	}
}

// TestEpochOfOthers: an epoch that begins after other entries than this record holds
// is not followed, and the operator is told whom to ask.
func TestEpochOfOthers(t *testing.T) {
	c, n := newSpeaking(t, 1, 1)
	c.say()
	c.synced()
	n.write(roster.OpenEpoch{Siren: 200044394, Epoch: 2, StartSize: 1, StartRoot: [32]byte{9}})
	var status node.FederationStatus
	c.until("the operator is told", func() bool {
		c.leader().node.Federation.Sync(t.Context(), c.admin)
		var err error
		status, err = c.leader().node.Federation.Status(t.Context(), c.admin)
		return err == nil && status.Next == node.StepEpoch
	})
	if !strings.Contains(status.Trouble, "tell the coordinator") || status.Epoch != 1 {
		t.Errorf("%+v", status)
	}
}

// TestListenerAsks: who is told that this replica leads may look at the federation
// while it is told.
func TestListenerAsks(t *testing.T) {
	c := newCluster(t, 1)
	n := c.leader().node
	asked := make(chan error, 1)
	n.Begins(func(bool) {
		_, err := n.Federation.Status(t.Context(), c.admin)
		select {
		case asked <- err:
		default:
		}
	})
	go n.TellListeners()
	select {
	case err := <-asked:
		c.must(err)
	case <-time.After(patience):
		t.Fatal("it waits for ever")
	}
}
