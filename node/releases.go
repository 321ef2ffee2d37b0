package node

import (
	"context"

	"github.com/bippop/bippop/node/internal/replica"
	"github.com/bippop/bippop/node/internal/store"
)

func (s *Replicas) releases() (out []Release, err error) {
	err = s.view(func(tx *store.Tx) error {
		return store.Releases.Each(tx, nil, func(r replica.Release) bool {
			out = append([]Release{{Replica: r.Replica, At: r.At, By: r.By}}, out...)
			return true
		})
	})
	return out[:min(len(out), 50)], err
}

// Approve lets a restarted replica have its unlock key although it came too late
// or from elsewhere.
func (s *Replicas) Approve(ctx context.Context, by Caller, id ReplicaID) (Receipt, error) {
	return Receipt{}, errNotBuilt
}

// Voters is how many replicas vote.
func (n *Node) Voters() int { return len(rooting{n.core}.voters()) }
