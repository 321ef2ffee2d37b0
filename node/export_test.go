package node

// TestOnlyTries is how many limiters the throttle holds.
func (s *Accounts) TestOnlyTries() int {
	s.throttle.mu.Lock()
	defer s.throttle.mu.Unlock()
	return len(s.throttle.tries)
}
