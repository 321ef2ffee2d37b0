package node

import "context"

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
