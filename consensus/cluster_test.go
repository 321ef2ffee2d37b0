package consensus_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/bippop/bippop/consensus"
	"github.com/bippop/bippop/consensus/consensustest"
)

// agree fails unless all replicas hold want.
func agree(t *testing.T, c *consensustest.Cluster, want map[string]string) {
	t.Helper()
	for i := range c.Len() {
		if got := c.Map(i).Values(); !maps.Equal(got, want) {
			t.Errorf("replica %d: got %d values, want %d, or they differ", i, len(got), len(want))
		}
	}
}

func TestReplicasAgree(t *testing.T) {
	c := consensustest.New(t, 3, consensustest.Options{})
	want := map[string]string{}
	var last uint64
	for i := range 50 {
		key := fmt.Sprintf("k%d", i%7)
		want[key] = fmt.Sprint(i)
		last = c.MustPropose(consensustest.Put(key, want[key])).Index
	}
	c.Settle(last)
	agree(t, c, want)
	leader := c.Leader()
	for i := range c.Len() {
		_, err := c.Replica(i).Barrier(t.Context())
		if (err == nil) != (i == leader) {
			t.Errorf("barrier of replica %d, leader is %d: %v", i, leader, err)
		}
		if err := c.Replica(i).Ready(t.Context()); err != nil {
			t.Errorf("replica %d is not ready: %v", i, err)
		}
	}
}

func TestClusterOfOne(t *testing.T) {
	c := consensustest.New(t, 1, consensustest.Options{})
	c.MustPropose(consensustest.Put("k", "v"))
	if _, err := c.Replica(0).Barrier(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestLeaderDies(t *testing.T) {
	c := consensustest.New(t, 3, consensustest.Options{})
	want := map[string]string{}
	put := func(key string) uint64 {
		want[key] = key
		return c.MustPropose(consensustest.Put(key, key)).Index
	}
	put("before")
	dead := c.Leader()
	c.Crash(dead)
	put("without")
	c.Restart(dead)
	c.Settle(put("after"))
	agree(t, c, want)
}

// A deposed leader keeps what it never committed to itself, and says so.
func TestLeaderIsCutOff(t *testing.T) {
	c := consensustest.New(t, 3, consensustest.Options{})
	c.MustPropose(consensustest.Put("k", "before"))
	alone := c.Leader()
	c.Cut(alone)
	_, err := c.Replica(alone).Propose(t.Context(), consensustest.Put("k", "alone"))
	if err == nil {
		t.Error("a leader without quorum acknowledged a write")
	}
	last := c.MustPropose(consensustest.Put("k", "quorum")).Index
	if _, err := c.Replica(alone).Barrier(t.Context()); err == nil {
		t.Error("a leader without quorum passed a barrier")
	}
	c.Heal(alone)
	c.Settle(last)
	agree(t, c, map[string]string{"k": "quorum"})
}

func TestFollowerCatchesUpBySnapshot(t *testing.T) {
	c := consensustest.New(t, 3, consensustest.Options{Tuning: consensus.Tuning{TrailingEntries: 4, SegmentBytes: 1 << 12}})
	want := map[string]string{"0": "0"}
	c.Settle(c.MustPropose(consensustest.Put("0", "0")).Index)
	leader := c.Leader()
	away := (leader + 1) % c.Len()
	c.Crash(away)
	for i := range 40 {
		key := fmt.Sprint(i)
		want[key] = key
		c.MustPropose(consensustest.Put(key, key))
	}
	for i := range c.Len() {
		if i != away {
			if err := c.Replica(i).Snapshot(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	c.Restart(away)
	want["last"] = "last"
	last := c.MustPropose(consensustest.Put("last", "last")).Index
	c.Settle(last)
	agree(t, c, want)
	if c.Replica(away).Stats().Snapshot == 0 {
		t.Error("no snapshot was installed")
	}
	if left, _ := filepath.Glob(filepath.Join(c.Dir(away), "[it][ne][sm][tp]*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}

	// The machine was synced by Load; the log goes on from the snapshot.
	c.Crash(away)
	c.Restart(away)
	want["again"] = "again"
	c.Settle(c.MustPropose(consensustest.Put("again", "again")).Index)
	agree(t, c, want)
}

// Many writers while leaders come and go: no acknowledged write is lost.
func TestNothingAcknowledgedIsLost(t *testing.T) {
	c := consensustest.New(t, 3, consensustest.Options{})
	const (
		writers = 8
		between = 100 // acknowledged writes from one cut to the next
	)
	var count atomic.Int64
	acknowledged := make([]map[string]string, writers)
	stop := make(chan struct{})
	var done sync.WaitGroup
	for w := range writers {
		acknowledged[w] = map[string]string{}
		done.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				key := fmt.Sprintf("%d-%d", w, i)
				if _, err := c.Propose(t.Context(), consensustest.Put(key, key)); err == nil {
					acknowledged[w][key] = key
					count.Add(1)
				}
			}
		})
	}
	for range 3 {
		enough := count.Load() + between
		c.Until("writes", func() bool { return count.Load() >= enough })
		leader := c.Leader()
		c.Cut(leader)
		c.Until("another leader", func() bool { return c.Leader() != leader })
		c.Heal(leader)
	}
	close(stop)
	done.Wait()
	c.Settle(c.MustPropose(consensustest.Put("end", "end")).Index)
	all := 0
	for i := range c.Len() {
		got := c.Map(i).Values()
		for _, keys := range acknowledged {
			for key := range keys {
				if got[key] != key {
					t.Fatalf("replica %d lost %s", i, key)
				}
				all++
			}
		}
	}
	t.Logf("%d acknowledged", all/c.Len())
	if one, two := c.Map(0).Values(), c.Map(1).Values(); !maps.Equal(one, two) {
		t.Error("replicas differ")
	}
}

// unloadable is a machine whose disk refuses a snapshot for a while.
type unloadable struct {
	*consensustest.Map
	refuse *atomic.Bool
}

func (m unloadable) Load(r io.Reader) error {
	if m.refuse.Load() {
		return errors.New("no space left on device")
	}
	return m.Map.Load(r)
}

// A crash between receiving a snapshot and loading it: opening ends the work.
func TestInstallationIsResumed(t *testing.T) {
	var refuse atomic.Bool
	maps := []*consensustest.Map{consensustest.NewMap(), consensustest.NewMap(), consensustest.NewMap()}
	c := consensustest.New(t, 3, consensustest.Options{
		Tuning:  consensus.Tuning{TrailingEntries: 2, SegmentBytes: 1 << 12},
		Machine: func(i int) consensus.Machine { return unloadable{maps[i], &refuse} },
	})
	c.Settle(c.MustPropose(consensustest.Put("k", "v")).Index)
	away := (c.Leader() + 1) % c.Len()
	c.Crash(away)
	maps[away].Crash()
	for i := range 40 {
		c.MustPropose(consensustest.Put("k", fmt.Sprint(i)))
	}
	for i := range c.Len() {
		if i != away {
			if err := c.Replica(i).Snapshot(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	refuse.Store(true)
	c.Restart(away)
	received := filepath.Join(c.Dir(away), "install")
	c.Until("a received snapshot", func() bool {
		_, err := os.Stat(received)
		return err == nil && c.Replica(away).Stats().Snapshot > 0
	})
	c.Crash(away)
	refuse.Store(false)
	c.Restart(away)
	if got := maps[away].Get("k"); got != "39" {
		t.Errorf("after opening: got %q, want 39", got)
	}
	if _, err := os.Stat(received); err == nil {
		t.Error("the received snapshot is still there")
	}
	c.Settle(c.MustPropose(consensustest.Put("k", "end")).Index)
	if got := maps[away].Get("k"); got != "end" {
		t.Errorf("got %q, want end", got)
	}
}
