package node

import (
	"net/http"
)

// IndexHeader tells a replica that forwarded a request how far it has to read
// before it passes the answer on.
const IndexHeader = "X-Bippop-Index"

// ErrNoLeader says that no replica is known to lead: nothing was sent to it.
var ErrNoLeader error = errLeader

// ErrUnknownOutcome says that a request was on its way when its leader was lost.
var ErrUnknownOutcome error = errUnknown

// Alone reports whether this territory has one replica that no other can reach.
func (n *Node) Alone() bool { return n.core.peers == nil }

// Leading reports whether this replica leads.
func (n *Node) Leading() bool { return n.core.replica.Leading() }

// Removed reports whether this replica was taken out of the territory: it answers
// that, and nothing else.
func (n *Node) Removed() bool { return n.core.health.removed.Load() }

// Answer says what this replica answers to requests that others forward to it.
// It is called once, before the first of them.
func (n *Node) Answer(h http.Handler) {
	if n.core.peers != nil {
		n.core.peers.answer(h)
	}
}

// Forward sends r to the leader and returns what it answers; the caller closes
// the body. [ErrNoLeader]; any other error leaves open whether it was done.
func (n *Node) Forward(r *http.Request) (*http.Response, error) { return n.core.peers.forward(r) }
