package node

import (
	"context"
	"time"

	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/replica"
	"github.com/bippop/bippop/node/internal/store"
)

// releases are those that wait, as far as they have rung here or this replica
// leads, and then those that are committed.
func (s *Replicas) releases() (out []Release, err error) {
	err = s.view(itself, func(tx *store.Tx) error {
		return store.Releases.Each(tx, nil, func(r replica.Release) bool {
			out = append([]Release{{Replica: r.Replica, At: r.At, By: r.By}}, out...)
			return true
		})
	})
	if s.peers != nil {
		for id, w := range s.peers.locks.waiting(systemClock()) {
			out = append([]Release{{Replica: id, At: w.since, Waiting: true, Why: w.why}}, out...)
		}
	}
	return out[:min(len(out), 50)], err
}

// Released are the keys that machines got back after a restart, for who keeps the
// registers.
func (s *Replicas) Released(by Caller) ([]Release, error) {
	if err := by.may(KeepBooks); err != nil {
		return nil, err
	}
	return s.releases()
}

var (
	errNotWaiting = &Error{Kind: NotFound, Code: "not-waiting", Reason: "this replica does not ask for its key now: start it, and approve it while it waits"}
	errSecond     = &Error{Kind: Conflict, Code: secondConnection, Reason: "another machine of this identity is connected, or two ask for its key: stop the one that is not yours; if you do not know it, remove the replica and replace the root key"}
)

// Approve lets a restarted replica have its unlock key although it came too late
// or from elsewhere: whoever asks from the address from which it asks now, within
// ten minutes. It is committed now; the key leaves when the replica asks again. The
// leader answers this.
func (s *Replicas) Approve(ctx context.Context, by Caller, id ReplicaID) (Receipt, error) {
	if err := by.may(RunReplicas); err != nil {
		return Receipt{}, err
	}
	if s.peers == nil {
		return Receipt{}, errNoPeering
	}
	if !s.replica.Leading() {
		return Receipt{}, errLeader
	}
	w, ok := s.peers.locks.waiting(systemClock())[id]
	switch {
	case !ok:
		return Receipt{}, errNotWaiting
	case w.why == secondConnection:
		return Receipt{}, errSecond
	}
	receipt, err := s.propose(ctx, command.RecordRelease{Stamp: s.stamp(by, ""), Release: replica.Release{
		ID: newID[ident.Release](), Replica: id, From: w.via, Absent: uint32(w.absent / time.Second),
	}})
	if err == nil {
		s.peers.locks.grant(id, w.from, systemClock())
	}
	return receipt, err
}

// Voters is how many replicas vote.
func (n *Node) Voters() int { return len(rooting{n.core}.voters()) }
