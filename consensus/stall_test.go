package consensus_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bippop/bippop/consensus"
	"github.com/bippop/bippop/consensus/consensustest"
)

func leaderOf(c *consensustest.Cluster) (leader, follower int) {
	leader = c.Leader()
	c.Until("answers", func() bool { return len(c.Replica(leader).Contacts()) == 2 })
	return leader, (leader + 1) % 3
}

// Heartbeats go on while a leader's disk does not answer, so nobody else stands
// for election (hashicorp/raft#503): the fault ends the process.
func TestLeadersDiskStalls(t *testing.T) {
	c := consensustest.New(t, 3, consensustest.Options{Tuning: consensus.Tuning{StallLimit: 300 * time.Millisecond}})
	c.Settle(c.MustPropose(consensustest.Put("k", "before")).Index)
	leader, _ := leaderOf(c)
	c.Disk(leader).Stall()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	answer := make(chan error, 1)
	go func() {
		_, err := c.Replica(leader).Propose(ctx, consensustest.Put("k", "hangs"))
		answer <- err
	}()
	c.Until("the fault", func() bool { return errors.Is(c.Fault(leader), consensus.ErrStalled) })
	cancel()
	if err := <-answer; !errors.Is(err, consensus.ErrUnknown) {
		t.Errorf("got %v, want ErrUnknown", err)
	}
	c.Crash(leader) // as the process would
	c.MustPropose(consensustest.Put("k", "after"))
	c.Restart(leader)
	c.Settle(c.MustPropose(consensustest.Put("end", "end")).Index)
	for i := range c.Len() {
		if got := c.Map(i).Get("k"); got != "after" {
			t.Errorf("replica %d: got %q, want after", i, got)
		}
	}
}

// A follower whose disk hangs answers heartbeats and stores nothing. The leader
// sees it, the others go on; after its restart the same leader feeds it again
// (hashicorp/raft#612).
func TestFollowersDiskStalls(t *testing.T) {
	c := consensustest.New(t, 3, consensustest.Options{Tuning: consensus.Tuning{
		StallLimit: time.Minute, LagLimit: 300 * time.Millisecond,
	}})
	c.Settle(c.MustPropose(consensustest.Put("0", "0")).Index)
	leader, follower := leaderOf(c)
	if lagging := c.Replica(leader).Stats().Lagging; len(lagging) > 0 {
		t.Errorf("before: %v", lagging)
	}
	c.Disk(follower).Stall()
	want := map[string]string{"0": "0"}
	put := func() uint64 {
		k := fmt.Sprint(len(want))
		want[k] = k
		return c.MustPropose(consensustest.Put(k, k)).Index
	}
	c.Until("an alarm", func() bool {
		put()
		return slices.Equal(c.Replica(leader).Stats().Lagging, []string{consensustest.ID(follower)})
	})
	if c.Replica(follower).Stats().Contact.Before(time.Now().Add(-5 * time.Second)) {
		t.Error("the follower does not hear of the leader: it does not lag, it is away")
	}
	term := c.Replica(leader).Stats().Term
	c.Disk(follower).Heal() // the write that hung fails
	c.Until("the fault", func() bool { return errors.Is(c.Fault(follower), consensus.ErrStore) })
	put()
	c.Crash(follower)
	c.Restart(follower)
	c.Settle(put())
	agree(t, c, want)
	c.Until("no alarm", func() bool { return len(c.Replica(leader).Stats().Lagging) == 0 })
	if got := c.Replica(leader).Stats().Term; got != term {
		t.Errorf("the leader changed: term %d, then %d", term, got)
	}
}

// hanging is a machine that waits before every entry while it is shut.
type hanging struct {
	*consensustest.Map
	gate *gate
}

func (m hanging) Apply(index uint64, commands [][]byte) []any {
	m.gate.pass()
	return m.Map.Apply(index, commands)
}

func TestMachineHangs(t *testing.T) {
	var maps []*consensustest.Map
	var gates []*gate
	for range 3 {
		maps, gates = append(maps, consensustest.NewMap()), append(gates, newGate())
	}
	c := consensustest.New(t, 3, consensustest.Options{
		Tuning:  consensus.Tuning{LagLimit: 200 * time.Millisecond},
		Machine: func(i int) consensus.Machine { return hanging{maps[i], gates[i]} },
	})
	c.Settle(c.MustPropose(consensustest.Put("k", "1")).Index)
	_, follower := leaderOf(c)
	gates[follower].shut.Store(true)
	c.MustPropose(consensustest.Put("k", "2"))
	c.Until("an alarm", func() bool { return c.Replica(follower).Stats().Stuck })
	last := c.MustPropose(consensustest.Put("k", "3")).Index
	gates[follower].shut.Store(false)
	close(gates[follower].open)
	c.Settle(last)
	if c.Replica(follower).Stats().Stuck {
		t.Error("the alarm goes on")
	}
}

// A transfer to a replica that cannot follow does not end inside raft, which
// refuses all writes for as long (hashicorp/raft#696). It is a fault.
func TestTransferThatDoesNotEnd(t *testing.T) {
	c := consensustest.New(t, 3, consensustest.Options{Tuning: consensus.Tuning{StallLimit: time.Minute}})
	c.Settle(c.MustPropose(consensustest.Put("k", "1")).Index)
	leader, follower := leaderOf(c)
	c.Disk(follower).Stall()
	c.MustPropose(consensustest.Put("k", "2"))
	c.Until("a fault", func() bool {
		err := c.Replica(leader).Transfer(t.Context(), consensustest.ID(follower))
		if err == nil {
			t.Fatal("leadership went to a replica that stores nothing")
		}
		return errors.Is(c.Fault(leader), consensus.ErrTransfer)
	})
	c.Crash(leader) // as the process would
	c.Crash(follower)
	c.Restart(leader)
	c.Restart(follower)
	c.Settle(c.MustPropose(consensustest.Put("end", "end")).Index)
	for i := range c.Len() {
		if got := c.Map(i).Get("k"); got != "2" {
			t.Errorf("replica %d: got %q, want 2", i, got)
		}
	}
}

// counting counts the snapshots that its machine was given.
type counting struct {
	*consensustest.Map
	loads *atomic.Int64
}

func (m counting) Load(r io.Reader) error {
	m.loads.Add(1)
	return m.Map.Load(r)
}

// A snapshot for a replica whose log goes further than the snapshot, with entries
// that nobody committed: raft would install it again and again
// (hashicorp/raft#697). One restart ends it.
func TestSnapshotOverDivergentLog(t *testing.T) {
	var loads atomic.Int64
	maps := []*consensustest.Map{consensustest.NewMap(), consensustest.NewMap(), consensustest.NewMap()}
	c := consensustest.New(t, 3, consensustest.Options{
		MayFail: true,
		Tuning:  consensus.Tuning{TrailingEntries: 2, SegmentBytes: 1 << 12}, // what was cut off is in an older segment
		Machine: func(i int) consensus.Machine { return counting{maps[i], &loads} },
	})
	c.Settle(c.MustPropose(consensustest.Put("k", "0")).Index)
	leader, away := leaderOf(c)
	c.Crash(away)
	far, err := consensus.Diverge(c.Dir(away), c.LogKey(away), 200, consensustest.Put("k", "never committed"))
	if err != nil {
		t.Fatal(err)
	}
	c.Until("a term in which these entries are nothing", func() bool { return c.Replica(leader).StepDown(t.Context()) == nil })
	var last uint64
	for i := range 100 {
		last = c.MustPropose(consensustest.Put("k", fmt.Sprint(i))).Index
	}
	if last >= far {
		t.Fatalf("the snapshot at %d is beyond the divergent log, which ends at %d", last, far)
	}
	for i := range c.Len() {
		if i != away {
			if err := c.Replica(i).Snapshot(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	c.Restart(away)
	c.Until("the fault", func() bool { return errors.Is(c.Fault(away), consensus.ErrReplaced) })
	c.Crash(away) // as the process would
	c.Restart(away)
	loads.Store(0)
	for i := range 50 {
		last = c.MustPropose(consensustest.Put("k", fmt.Sprint("then ", i))).Index
	}
	c.Settle(last)
	c.Settle(c.MustPropose(consensustest.Put("k", "end")).Index)
	for i := range c.Len() {
		if got := maps[i].Get("k"); got != "end" {
			t.Errorf("replica %d: got %q, want end", i, got)
		}
	}
	if n := loads.Load(); n > 1 { // one may be the last of before
		t.Errorf("%d snapshots were loaded after the restart", n)
	}
}

// An operator asks for two changes at once: one of them is told to ask again, and
// both come to pass.
func TestOneChangeAtATime(t *testing.T) {
	c := consensustest.New(t, 3, consensustest.Options{})
	c.Settle(c.MustPropose(consensustest.Put("k", "v")).Index)
	leader, follower := leaderOf(c)
	c.Disk(leader).Slow(50 * time.Millisecond)
	c.Disk(follower).Slow(50 * time.Millisecond)
	var both sync.WaitGroup
	errs := make([]error, 2)
	for i := range errs {
		both.Go(func() {
			id := fmt.Sprint("new-", i)
			errs[i] = c.Replica(leader).AddReplica(t.Context(), id, id)
		})
	}
	both.Wait()
	refused := 0
	for _, err := range errs {
		switch {
		case errors.Is(err, consensus.ErrChanging):
			refused++
		case err != nil:
			t.Error(err)
		}
	}
	members, _ := c.Replica(leader).Members()
	if refused != 1 || len(members) != 4 {
		t.Errorf("%d refused, members %v, want one of two refused", refused, members)
	}
}
