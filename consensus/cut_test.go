package consensus_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/bippop/bippop/consensus"
	"github.com/bippop/bippop/consensus/consensustest"
	"github.com/bippop/bippop/crypto"
)

// TestCutLeavesNothing: after a cut no file of the log holds what was written
// before, and the replica goes on and starts again as if nothing had happened.
func TestCutLeavesNothing(t *testing.T) {
	dir, key, m := t.TempDir(), crypto.NewKey(), consensustest.NewMap()
	r := open(t, lone(t, dir, key, m))
	for range 50 {
		propose(t, r, "k", "1")
	}
	before := walFiles(t, dir)
	if whole, err := r.Cut(t.Context()); err != nil || !whole {
		t.Fatalf("the cut: %v, %v", whole, err)
	}
	for name, was := range before {
		now, err := os.ReadFile(filepath.Join(dir, "log", name))
		if err == nil && bytes.Equal(now, was) {
			t.Errorf("%s is still there", name)
		}
	}
	if s := r.Stats(); s.First != 0 {
		t.Errorf("the log begins at %d", s.First)
	}
	for range 2 { // empty, then with something in it
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		r = open(t, lone(t, dir, key, m))
		propose(t, r, "k", "2")
		if err := r.Snapshot(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if whole, err := r.Cut(t.Context()); err != nil || !whole || m.Get("k") != "2" {
		t.Errorf("again: %v, %v", whole, err)
	}
	if err := r.Snapshot(t.Context()); err != nil { // of nothing new
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r = open(t, lone(t, dir, key, m))
	if got := propose(t, r, "k", "3"); got.Reply != "2" {
		t.Errorf("the state was %v", got.Reply)
	}
}

func walFiles(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "log", "*.wal"))
	if err != nil || len(all) == 0 {
		t.Fatalf("the log's files: %v, %v", all, err)
	}
	out := map[string][]byte{}
	for _, path := range all {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(path)] = b
	}
	return out
}

// TestCutWithOthers: who was away while the leader cut gets the state instead, and
// so does who joins.
func TestCutWithOthers(t *testing.T) {
	c := consensustest.New(t, 3, consensustest.Options{})
	c.MustPropose(consensustest.Put("k", "1"))
	leader := c.Leader()
	away := (leader + 1) % 3
	c.Crash(away)
	for range 20 {
		c.MustPropose(consensustest.Put("k", "2"))
	}
	leader = c.Leader()
	if whole, err := c.Replica(leader).Cut(t.Context()); err != nil || !whole {
		t.Fatalf("the cut: %v, %v", whole, err)
	}
	c.Restart(away)
	joined := c.Join()
	if err := c.Change(func(ctx context.Context, r *consensus.Replica) error {
		return r.AddReplica(ctx, consensustest.ID(joined), c.Replica(joined).Address())
	}); err != nil {
		t.Fatal(err)
	}
	last := c.MustPropose(consensustest.Put("k", "3"))
	c.Settle(last.Index)
	for i := range c.Len() {
		if got := c.Map(i).Get("k"); got != "3" {
			t.Errorf("replica %d has %q", i, got)
		}
	}
}
