package node

import (
	"context"
	"time"
)

// TestOnlyTries is how many limiters the throttle holds.
func (s *Accounts) TestOnlyTries() int {
	s.throttle.mu.Lock()
	defer s.throttle.mu.Unlock()
	return len(s.throttle.tries)
}

// Recur is what the ticker does for series.
func (n *Node) Recur(ctx context.Context) error { return n.Series.recurAll(ctx) }

// PassOffers does what the ticker does every ten minutes.
func (n *Node) PassOffers() error { return n.Offers.pass(context.Background()) }

// Lent is how many other replicas hold the lock of this one's box.
func (n *Node) Lent() int {
	l := n.core.peers.lending
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.spoilt {
		return -1
	}
	return len(l.with)
}

// LastSeen makes another replica's absence begin d ago, as far as this one knows.
func (n *Node) LastSeen(id ReplicaID, d time.Duration) {
	l := n.core.peers.locks
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen[id] = systemClock().Add(-d)
}
