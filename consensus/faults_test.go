package consensus_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bippop/bippop/consensus"
	"github.com/bippop/bippop/consensus/consensustest"
)

var faultSeed = flag.Uint64("faultseed", 0, "seed of TestFaults; 0 draws one")

const (
	clients = 4
	// pace keeps the histories, not the disks, small.
	pace = 4 * time.Millisecond
	// clientPatience ends an operation whose outcome is unknown then.
	clientPatience = time.Second
	// keysOfEpoch are few, so that clients meet.
	keysOfEpoch = 3
)

// storm is one run: clients that ask, and faults, one after the other.
type storm struct {
	t       *testing.T
	c       *consensustest.Cluster
	seed    uint64
	chance  *rand.Rand // of the faults; clients have their own
	members []int      // voters now
	history *history
	epoch   atomic.Int64
	asked   atomic.Int64 // operations that ended, whatever the end
	acks    atomic.Int64 // acknowledged writes
	stop    chan struct{}

	mu   sync.Mutex // guards once, for an append
	once []string   // keys that were written once, and acknowledged
}

// Whatever fails, nothing that was acknowledged is lost, every answer is one that
// a single copy could have given, and when it is over the replicas go on.
func TestFaults(t *testing.T) {
	faults := 30
	if *long {
		faults = 1000
	}
	seed := *faultSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	s := &storm{
		t: t, seed: seed, chance: rand.New(rand.NewPCG(seed, 1)), members: []int{0, 1, 2},
		history: newHistory(), stop: make(chan struct{}),
		c: consensustest.New(t, 3, consensustest.Options{MayFail: true, Tuning: consensus.Tuning{
			Heartbeat: 150 * time.Millisecond, Election: 150 * time.Millisecond, Lease: 75 * time.Millisecond,
			SnapshotCheck: 500 * time.Millisecond, SnapshotEntries: 300, TrailingEntries: 100,
			SegmentBytes: 64 << 10, StallLimit: time.Second,
		}}),
	}
	t.Logf("seed %d", seed)
	var running sync.WaitGroup
	for client := range clients {
		running.Go(func() { s.client(client, rand.New(rand.NewPCG(seed, uint64(client)+2))) })
	}
	ended := false
	defer func() {
		if !ended {
			close(s.stop)
			running.Wait()
		}
	}()
	counts := map[string]int{}
	injected, violations, stuck := 0, 0, 0
	const settled = 5 // epochs after which no client speaks of one any more
	for i := range faults {
		f := kinds[s.chance.IntN(len(kinds))]
		if i < len(kinds) {
			f = kinds[i] // each at least once
		}
		counts[f.name]++
		f.inject(s)
		injected++
		s.c.Calm()
		if err := s.goesOn(); err != nil {
			stuck++
			t.Errorf("after %s (fault %d, seed %d) the replicas do not go on: %v", f.name, i, seed, err)
			for _, m := range s.members {
				t.Logf("replica %d: %+v", m, s.c.Replica(m).Stats())
			}
			break
		}
		if e := int(s.epoch.Add(1)); e > settled && !s.history.judge(t, e-1-settled, seed) {
			violations++
		}
	}
	ended = true
	close(s.stop)
	running.Wait()
	for e := range int(s.epoch.Load()) + 1 {
		if !s.history.judge(t, e, seed) {
			violations++
		}
	}
	lost := 0
	if stuck == 0 {
		s.c.Settle(s.c.MustPropose(consensustest.Put("end", "end")).Index)
		for _, m := range s.members {
			values := s.c.Map(m).Values()
			for _, key := range s.once {
				if values[key] != key {
					lost++
					t.Errorf("replica %d lost %s, seed %d", m, key, seed)
				}
			}
		}
	}
	t.Logf("%v", counts)
	if t.Failed() {
		t.Logf("again with -faultseed %d", seed)
	}
	t.Logf("SUMMARY faults=%d operations=%d acknowledged_writes=%d lost=%d violations=%d stuck=%d seed=%d",
		injected, s.asked.Load(), s.acks.Load(), lost, violations, stuck, seed)
}

// client asks until the storm is over.
func (s *storm) client(client int, chance *rand.Rand) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	seen := map[string]string{}
	for n := 0; ; n++ {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		epoch := int(s.epoch.Load())
		in := asked{Key: fmt.Sprintf("%d/%d", epoch, chance.IntN(keysOfEpoch)), Value: fmt.Sprintf("%d.%d", client, n)}
		switch p := chance.IntN(100); {
		case p < 45:
			in.Kind, in.Value = "read", ""
		case p < 65:
			in.Kind = "write"
		case p < 90:
			in.Kind, in.Before = "swap", seen[in.Key]
		default:
			s.writeOnce(fmt.Sprintf("once/%d.%d", client, n))
			continue
		}
		call := s.history.now()
		out, ok := s.ask(in, chance)
		s.asked.Add(1)
		if !ok {
			continue // nothing was told, and nothing happened
		}
		s.history.add(client, epoch, call, in, out)
		if in.Kind == "read" {
			seen[in.Key] = out.Value
		}
		if in.Kind != "read" && !out.Unknown {
			s.acks.Add(1)
		}
		if len(seen) > 100 {
			clear(seen)
		}
	}
}

func (s *storm) writeOnce(key string) {
	ctx, cancel := context.WithTimeout(s.t.Context(), clientPatience)
	defer cancel()
	_, err := s.c.Propose(ctx, consensustest.Put(key, key))
	s.asked.Add(1)
	if err != nil {
		return
	}
	s.acks.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.once = append(s.once, key)
}

// ask reports false when nothing can have happened.
func (s *storm) ask(in asked, chance *rand.Rand) (got, bool) {
	ctx, cancel := context.WithTimeout(s.t.Context(), clientPatience)
	defer cancel()
	command := consensustest.Put(in.Key, in.Value)
	switch in.Kind {
	case "read":
		value, ok := s.read(ctx, in.Key, chance)
		return got{Value: value}, ok
	case "swap":
		command = consensustest.Swap(in.Key, in.Before, in.Value)
	}
	result, err := s.c.Propose(ctx, command)
	switch {
	case errors.Is(err, consensus.ErrUnknown):
		return got{Unknown: true}, true
	case err != nil:
		return got{}, false
	}
	switch reply := result.Reply.(type) {
	case string:
		return got{Value: reply}, true
	case bool:
		return got{Swapped: reply}, true
	}
	panic(fmt.Sprintf("a reply of type %T", result.Reply))
}

// read is linearizable: the leader's barrier, then any replica that has got there.
func (s *storm) read(ctx context.Context, key string, chance *rand.Rand) (string, bool) {
	for i := range s.c.Len() {
		leader := s.c.Replica(i)
		if leader == nil || !leader.Leading() {
			continue
		}
		index, err := leader.Barrier(ctx)
		if err != nil {
			continue
		}
		at := chance.IntN(s.c.Len())
		r, m := s.c.Replica(at), s.c.Map(at)
		if r == nil || r.Wait(ctx, index) != nil {
			return "", false
		}
		value := m.Get(key)
		// A crash takes the replica away first, then what its map had not synced.
		return value, s.c.Replica(at) == r
	}
	return "", false
}

// goesOn: a write is acknowledged, and every voter applies it. A replica that has
// told of a fault is started again, as its process would be: the machine that runs
// this has a disk of its own, which may be slow.
func (s *storm) goesOn() error {
	ctx, cancel := context.WithTimeout(s.t.Context(), consensustest.Patience)
	defer cancel()
	for {
		s.mend()
		try, done := context.WithTimeout(ctx, clientPatience)
		result, err := s.c.Propose(try, consensustest.Put("alive", "alive"))
		done()
		if err != nil && ctx.Err() == nil {
			continue
		}
		if err != nil {
			return err
		}
		for _, m := range s.members {
			if err := s.reaches(ctx, m, result.Index); err != nil {
				return fmt.Errorf("replica %d at %d of %d: %w", m, s.c.Replica(m).Applied(), result.Index, err)
			}
		}
		return nil
	}
}

func (s *storm) mend() {
	for _, m := range s.members {
		if s.c.Fault(m) != nil {
			s.restart(m)
		}
	}
}

func (s *storm) reaches(ctx context.Context, m int, index uint64) error {
	for {
		try, done := context.WithTimeout(ctx, clientPatience)
		err := s.c.Replica(m).Wait(try, index)
		done()
		if err == nil || ctx.Err() != nil {
			return err
		}
		s.mend()
	}
}

// hold lets a fault last while clients ask on: for n operations, or a while when
// they get no answers.
func (s *storm) hold(n int64) {
	enough := s.asked.Load() + n
	tick := time.NewTicker(pace)
	defer tick.Stop()
	late := time.After(600 * time.Millisecond)
	for s.asked.Load() < enough {
		select {
		case <-tick.C:
		case <-late:
			return
		}
	}
}

// someone is a voter, the leader in half of the cases.
func (s *storm) someone() int {
	if s.chance.IntN(2) == 0 {
		for _, m := range s.members {
			if s.c.Replica(m).Leading() {
				return m
			}
		}
	}
	return s.members[s.chance.IntN(len(s.members))]
}

// change must succeed: all voters are there.
func (s *storm) change(what func(ctx context.Context, leader *consensus.Replica) error) {
	s.t.Helper()
	if err := s.c.Change(what); err != nil {
		s.t.Errorf("changing members: %v, seed %d", err, s.seed)
	}
}

func (s *storm) add(i int) {
	id := consensustest.ID(i)
	s.change(func(ctx context.Context, leader *consensus.Replica) error { return leader.AddReplica(ctx, id, id) })
}

func (s *storm) remove(i int) {
	s.change(func(ctx context.Context, leader *consensus.Replica) error {
		err := leader.Remove(ctx, consensustest.ID(i))
		switch {
		case errors.Is(err, consensus.ErrNoMember):
			return nil
		case errors.Is(err, consensus.ErrLeads):
			leader.StepDown(ctx) // and ask the next one
		}
		return err
	})
}

func (s *storm) restart(i int) {
	s.c.Crash(i)
	s.c.Restart(i)
}

// fault harms the replicas and, but for what Calm ends, undoes it.
type fault struct {
	name   string
	inject func(s *storm)
}

var kinds = []fault{
	{"crash", func(s *storm) {
		i := s.someone()
		s.c.Crash(i)
		s.hold(30)
		s.c.Restart(i)
	}},
	{"cut", func(s *storm) {
		i := s.someone()
		s.c.Cut(i)
		s.hold(30)
		s.c.Heal(i)
	}},
	{"partition", func(s *storm) {
		var sides [2][]int
		for _, m := range s.members {
			side := s.chance.IntN(2)
			sides[side] = append(sides[side], m)
		}
		s.c.Part(sides[0], sides[1])
		s.hold(40)
	}},
	{"bridge", func(s *storm) {
		m := s.members
		s.c.Part([]int{m[0], m[1]}, []int{m[1], m[2]})
		s.hold(40)
	}},
	{"all alone", func(s *storm) {
		s.c.Part()
		s.hold(20)
	}},
	{"one way", func(s *storm) {
		from := s.someone()
		for _, to := range s.members {
			if to != from && s.chance.IntN(3) > 0 {
				s.c.Block(from, to)
			}
		}
		s.hold(40)
	}},
	{"deaf", func(s *storm) {
		to := s.someone()
		for _, from := range s.members {
			if to != from {
				s.c.Block(from, to)
			}
		}
		s.hold(40)
	}},
	{"delay and reorder", func(s *storm) {
		s.c.Delay(time.Duration(5+s.chance.IntN(60)) * time.Millisecond)
		s.hold(60)
	}},
	{"wipe and rejoin", func(s *storm) {
		gone := s.someone()
		s.c.Wipe(gone)
		s.hold(10)
		i := s.c.Join()
		s.add(i)
		s.change(func(ctx context.Context, leader *consensus.Replica) error {
			return leader.Promote(ctx, consensustest.ID(i))
		})
		s.remove(gone)
		s.members = append(slices.DeleteFunc(s.members, func(m int) bool { return m == gone }), i)
	}},
	{"slow disk", func(s *storm) {
		i := s.someone()
		s.c.Disk(i).Slow(time.Duration(10+s.chance.IntN(100)) * time.Millisecond)
		s.hold(40)
		s.c.Disk(i).Heal()
	}},
	{"failing disk", func(s *storm) {
		i := s.someone()
		s.c.Disk(i).Fail()
		s.hold(30)
		s.restart(i)
	}},
	{"stalled disk", func(s *storm) {
		i := s.someone()
		s.c.Disk(i).Stall()
		s.c.Until("a stall to be noticed", func() bool { return errors.Is(s.c.Fault(i), consensus.ErrStalled) })
		s.restart(i)
	}},
	{"crash at a write", func(s *storm) {
		i := s.someone()
		reached, once := make(chan struct{}), sync.Once{}
		left := atomic.Int64{}
		left.Store(int64(s.chance.IntN(20)))
		s.c.Disk(i).Before(func() {
			if left.Add(-1) < 0 {
				once.Do(func() { close(reached) })
			}
		})
		select {
		case <-reached:
		case <-time.After(5 * time.Second): // it wrote nothing more: its own disk has failed
		}
		s.restart(i)
	}},
	{"add and remove", func(s *storm) {
		i := s.c.Join()
		s.add(i)
		if s.chance.IntN(2) == 0 {
			s.restart(s.someone())
		}
		s.remove(i)
		s.c.Wipe(i)
	}},
	{"snapshots during a change", func(s *storm) {
		i := s.c.Join()
		var all sync.WaitGroup
		for _, m := range s.members {
			r := s.c.Replica(m)
			all.Go(func() {
				ctx, cancel := context.WithTimeout(s.t.Context(), consensustest.Patience)
				defer cancel()
				if err := r.Snapshot(ctx); err != nil {
					// raft takes none while members change, and says so
					s.t.Logf("snapshot: %v", err)
				}
			})
		}
		s.add(i)
		all.Wait()
		s.remove(i)
		s.c.Wipe(i)
	}},
	{"transfer", func(s *storm) {
		to := ""
		if s.chance.IntN(2) == 0 {
			to = consensustest.ID(s.members[s.chance.IntN(len(s.members))])
		}
		s.change(func(ctx context.Context, leader *consensus.Replica) error {
			if id, _ := leader.Leader(); id == to {
				return nil
			}
			return leader.Transfer(ctx, to)
		})
	}},
	{"move", func(s *storm) {
		i := s.someone()
		s.c.Crash(i)
		address := fmt.Sprintf("%s@%d", consensustest.ID(i), s.chance.Uint32())
		s.c.Move(i, address)
		s.c.Restart(i)
		s.change(func(ctx context.Context, leader *consensus.Replica) error {
			return leader.Readdress(ctx, consensustest.ID(i), address)
		})
	}},
	{"all restart", func(s *storm) {
		for _, m := range s.members {
			s.c.Crash(m)
		}
		for _, m := range s.members {
			s.c.Restart(m)
		}
	}},
}
