package node

import "context"

// TestOnlyTries is how many limiters the throttle holds.
func (s *Accounts) TestOnlyTries() int {
	s.throttle.mu.Lock()
	defer s.throttle.mu.Unlock()
	return len(s.throttle.tries)
}

// PassOffers does what the ticker does every ten minutes.
func (n *Node) PassOffers() error { return n.Offers.pass(context.Background()) }
