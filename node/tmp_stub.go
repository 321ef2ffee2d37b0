package node

import "context"

func (s *Replicas) releases() ([]Release, error) { return nil, nil }
func (s *Replicas) Approve(ctx context.Context, by Caller, id ReplicaID) (Receipt, error) {
	return Receipt{}, errNotBuilt
}
func (s *Replicas) Rotate(ctx context.Context, by Caller) (Receipt, error) {
	return Receipt{}, errNotBuilt
}

// Voters is how many replicas vote.
func (n *Node) Voters() int { return len(n.core.voters()) }
