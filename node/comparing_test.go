package node_test

import (
	"testing"
	"time"

	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/node"
)

// TestWordsOfBefore: one hub brings, under what it says now, another hub's signature of
// before this process began: of the state to which a disk was put back, maybe. It does
// not stand for that hub's word.
func TestWordsOfBefore(t *testing.T) {
	began := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	now := began.Add(3 * time.Second)
	a, b := feed.NewWitnessSigner("a.example", [32]byte{1}), feed.NewWitnessSigner("b.example", [32]byte{2})
	policy := feed.Policy{Origin: "bippop/egress/200044394/1", Witnesses: []string{a.Key(), b.Key()}, Threshold: 2}
	says := func(s feed.Signer, c feed.Checkpoint, at time.Time) feed.Checkpoint {
		c, err := s.Sign(c, at)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	nothing := feed.Checkpoint{Origin: policy.Origin, Head: feed.EmptyHead()}
	for name, c := range map[string]struct {
		b  time.Time
		is bool
	}{
		"eight minutes ago":       {began.Add(-8 * time.Minute), false},
		"one second before":       {began.Add(-time.Second), false},
		"since it began":          {began, true},
		"this moment":             {now, true},
		"a quarter of an hour on": {now.Add(15 * time.Minute), false},
	} {
		t.Run(name, func(t *testing.T) {
			point := says(a, says(b, nothing, c.b), now)
			if got := node.Compared(began, policy, point, now); got != c.is {
				t.Errorf("two hubs were heard: %v, want %v", got, c.is)
			}
		})
	}
}
