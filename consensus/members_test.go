package consensus_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/bippop/bippop/consensus"
	"github.com/bippop/bippop/consensus/consensustest"
	"github.com/bippop/bippop/crypto"
)

// enlist adds a new replica to the cluster and makes it a voter.
func enlist(t *testing.T, c *consensustest.Cluster) int {
	t.Helper()
	i := c.Join()
	add(t, c, i)
	promote(t, c, i)
	return i
}

func add(t *testing.T, c *consensustest.Cluster, i int) {
	t.Helper()
	id := consensustest.ID(i)
	err := c.Change(func(ctx context.Context, leader *consensus.Replica) error { return leader.AddReplica(ctx, id, id) })
	if err != nil {
		t.Fatalf("adding %s: %v", id, err)
	}
}

func promote(t *testing.T, c *consensustest.Cluster, i int) {
	t.Helper()
	id := consensustest.ID(i)
	err := c.Change(func(ctx context.Context, leader *consensus.Replica) error { return leader.Promote(ctx, id) })
	if err != nil {
		t.Fatalf("promoting %s: %v", id, err)
	}
}

func remove(t *testing.T, c *consensustest.Cluster, i int) {
	t.Helper()
	id := consensustest.ID(i)
	err := c.Change(func(ctx context.Context, leader *consensus.Replica) error {
		err := leader.Remove(ctx, id)
		if errors.Is(err, consensus.ErrLeads) {
			return errors.Join(leader.StepDown(ctx), consensus.ErrNotLeader)
		}
		return err
	})
	if err != nil && !errors.Is(err, consensus.ErrNoMember) {
		t.Fatalf("removing %s: %v", id, err)
	}
}

func TestOneBecomesThreeAndOneIsReplaced(t *testing.T) {
	c := consensustest.New(t, 1, consensustest.Options{Tuning: consensus.Tuning{TrailingEntries: 4, SegmentBytes: 1 << 12}})
	want := map[string]string{}
	put := func(key string) uint64 {
		want[key] = key
		return c.MustPropose(consensustest.Put(key, key)).Index
	}
	for i := range 20 {
		put(fmt.Sprint(i))
	}
	if err := c.Replica(0).Snapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	one := c.Join()
	if got := c.Replica(one).Applied(); got != 0 {
		t.Errorf("before it was added: applied %d", got)
	}
	add(t, c, one)
	two := c.Join()
	add(t, c, two)
	members, _ := c.Replica(0).Members()
	if len(members) != 3 || !members[0].Voter || members[1].Voter || members[2].Voter {
		t.Fatalf("got %v, want one voter of three", members)
	}
	promote(t, c, one)
	promote(t, c, two)
	c.Settle(put("three"))

	c.Crash(0) // the founder's disk is lost
	put("without the founder")
	three := enlist(t, c)
	remove(t, c, 0)
	c.Settle(put("replaced"))
	for _, i := range []int{one, two, three} {
		if got := c.Map(i).Values(); !maps.Equal(got, want) {
			t.Errorf("replica %d: got %d values, want %d, or they differ", i, len(got), len(want))
		}
	}
	c.Crash(two)
	c.Restart(two) // it joined, and does not found
	c.Settle(put("again"))
	members, index := c.Replica(two).Members()
	if len(members) != 3 || index == 0 {
		t.Errorf("got %v at %d, want three", members, index)
	}
	for _, m := range members {
		if !m.Voter || m.ID == consensustest.ID(0) {
			t.Errorf("%+v is still there, or does not vote", m)
		}
	}
}

func TestRefusedChanges(t *testing.T) {
	c := consensustest.New(t, 3, consensustest.Options{})
	last := c.MustPropose(consensustest.Put("k", "v")).Index
	c.Settle(last)
	leader := c.Leader()
	follower, other := (leader+1)%3, (leader+2)%3
	l, id := c.Replica(leader), consensustest.ID
	ctx := t.Context()
	c.Until("answers", func() bool { return len(l.Contacts()) == 2 })
	before, index := l.Members()
	tests := []struct {
		name string
		got  error
		want error
	}{
		{"a follower changes", c.Replica(follower).AddReplica(ctx, "x", "x"), consensus.ErrNotLeader},
		{"a follower gives away what it has not", c.Replica(follower).StepDown(ctx), consensus.ErrNotLeader},
		{"new at an address in use", l.AddReplica(ctx, "x", id(follower)), consensus.ErrAddressTaken},
		{"moved to an address in use", l.Readdress(ctx, id(other), id(follower)), consensus.ErrAddressTaken},
		{"nobody is promoted", l.Promote(ctx, "x"), consensus.ErrNoMember},
		{"nobody is removed", l.Remove(ctx, "x"), consensus.ErrNoMember},
		{"nobody moves", l.Readdress(ctx, "x", "x"), consensus.ErrNoMember},
		{"nobody leads", l.Transfer(ctx, "x"), consensus.ErrNoMember},
		{"the leader is removed", l.Remove(ctx, id(leader)), consensus.ErrLeads},
		{"a voter is promoted", l.Promote(ctx, id(follower)), nil},
		{"a member is added", l.AddReplica(ctx, id(follower), id(follower)), nil},
	}
	for _, test := range tests {
		if !errors.Is(test.got, test.want) {
			t.Errorf("%s: got %v, want %v", test.name, test.got, test.want)
		}
	}
	if after, at := l.Members(); len(after) != len(before) || at != index {
		t.Errorf("members went from %v to %v", before, after)
	}

	// One away: the other two decide alone, so none of them may go.
	c.Crash(other)
	c.Until("silence", func() bool { return errors.Is(l.Transfer(ctx, id(other)), consensus.ErrLags) })
	if err := l.Remove(ctx, id(follower)); !errors.Is(err, consensus.ErrNoQuorum) {
		t.Errorf("got %v, want ErrNoQuorum", err)
	}
	ghost := c.Join() // never gets there
	c.Cut(ghost)
	add(t, c, ghost)
	if err := l.Promote(ctx, id(ghost)); !errors.Is(err, consensus.ErrLags) {
		t.Errorf("promoting one out of reach: got %v, want ErrLags", err)
	}
	if err := l.Remove(ctx, id(other)); err != nil {
		t.Errorf("removing the one away: %v", err)
	}
	if err := l.Remove(ctx, id(ghost)); err != nil {
		t.Errorf("removing one that does not vote: %v", err)
	}
	c.MustPropose(consensustest.Put("k", "end"))
}

func TestLastVoterStays(t *testing.T) {
	r := open(t, lone(t, t.TempDir(), crypto.NewKey(), consensustest.NewMap()))
	if err := r.Remove(t.Context(), "a"); !errors.Is(err, consensus.ErrLastVoter) {
		t.Errorf("got %v, want ErrLastVoter", err)
	}
	if err := r.StepDown(t.Context()); !errors.Is(err, consensus.ErrNoQuorum) {
		t.Errorf("got %v, want ErrNoQuorum", err)
	}
	propose(t, r, "k", "v")
}

func TestTransfer(t *testing.T) {
	c := consensustest.New(t, 3, consensustest.Options{})
	for i := range 6 {
		c.Settle(c.MustPropose(consensustest.Put("k", fmt.Sprint(i))).Index)
		leader := c.Leader()
		heir := consensustest.ID((leader + 1) % 3)
		c.Until("answers", func() bool { return len(c.Replica(leader).Contacts()) == 2 })
		// raft gives a transfer one election timeout, which a busy machine can miss;
		// then leadership stays, and the operator asks again.
		var last error
		c.Until("a transfer", func() bool {
			last = c.Replica(leader).Transfer(t.Context(), heir)
			return !errors.Is(last, consensus.ErrLags)
		})
		if last != nil {
			t.Fatal(last)
		}
		if got := consensustest.ID(c.Leader()); got != heir {
			t.Errorf("%s leads, want %s", got, heir)
		}
		if id, address := c.Replica(leader).Leader(); id != heir || address != heir {
			t.Errorf("the old leader takes %s at %s for the new one", id, address)
		}
	}
}

// A leader that is closed hands over: nobody waits for its silence to be noticed.
func TestClosingHandsOver(t *testing.T) {
	c := consensustest.New(t, 3, consensustest.Options{Tuning: consensus.Tuning{Heartbeat: time.Second, Election: time.Second, Lease: time.Second}})
	c.Settle(c.MustPropose(consensustest.Put("k", "v")).Index)
	leader := c.Leader()
	term := c.Replica(leader).Stats().Term
	c.Until("answers", func() bool { return len(c.Replica(leader).Contacts()) == 2 })
	start := time.Now()
	c.Close(leader)
	c.MustPropose(consensustest.Put("k", "next"))
	if took := time.Since(start); took > time.Second {
		t.Errorf("the next leader took %v, longer than the first silence that is noticed", took)
	}
	if got := c.Replica(c.Leader()).Stats().Term; got != term+1 {
		t.Errorf("got term %d after %d: there was more than one election", got, term)
	}
}

// A replica that comes back elsewhere is heard of again once the leader knows.
func TestMovedReplica(t *testing.T) {
	c := consensustest.New(t, 3, consensustest.Options{})
	c.Settle(c.MustPropose(consensustest.Put("k", "1")).Index)
	away := (c.Leader() + 1) % 3
	c.Crash(away)
	c.Move(away, "elsewhere")
	c.Restart(away)
	r := c.Replica(away)
	if !r.Moved() || r.Address() != "elsewhere" {
		t.Fatalf("at %s: it does not know that it moved", r.Address())
	}
	err := c.Change(func(ctx context.Context, leader *consensus.Replica) error {
		return leader.Readdress(ctx, consensustest.ID(away), r.Address())
	})
	if err != nil {
		t.Fatal(err)
	}
	c.Settle(c.MustPropose(consensustest.Put("k", "2")).Index)
	if r.Moved() {
		t.Error("the others still know the old address")
	}
}

// A replica that was cut off does not unseat the leader when it comes back: it
// asks first whether anybody would vote for it.
func TestReturningReplicaDisturbsNobody(t *testing.T) {
	c := consensustest.New(t, 3, consensustest.Options{})
	c.Settle(c.MustPropose(consensustest.Put("k", "1")).Index)
	leader := c.Leader()
	away := (leader + 1) % 3
	term := c.Replica(leader).Stats().Term
	c.Cut(away)
	c.Until("a candidate", func() bool { return c.Replica(away).Stats().State == "Candidate" })
	for i := range 100 {
		c.MustPropose(consensustest.Put("k", fmt.Sprint(i)))
	}
	c.Heal(away)
	c.Settle(c.MustPropose(consensustest.Put("k", "2")).Index)
	if got := c.Replica(leader).Stats().Term; got != term || c.Leader() != leader {
		t.Errorf("term went from %d to %d, leader from %d to %d", term, got, leader, c.Leader())
	}
}

// A lone voter that is given a network later finds the way to three.
func TestLoneVoterGetsANetwork(t *testing.T) {
	key, dir := crypto.NewKey(), t.TempDir()
	m := consensustest.NewMap()
	cfg := lone(t, dir, key, m)
	r := open(t, cfg)
	propose(t, r, "k", "v")
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	c := consensustest.New(t, 1, consensustest.Options{}) // for its network
	cfg.Network = c.Network("a:7400")
	r = open(t, cfg)
	if !r.Moved() {
		t.Fatal("it does not know that it has an address now")
	}
	if err := r.Readdress(t.Context(), "a", r.Address()); err != nil {
		t.Fatal(err)
	}
	if r.Moved() {
		t.Error("its address was not taken over")
	}
	propose(t, r, "k", "w")
	if m.Get("k") != "w" {
		t.Error("the old state is gone")
	}
}
