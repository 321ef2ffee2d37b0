package node

import (
	"crypto/ed25519"
	"sync"

	"github.com/bippop/bippop/federation/public"
)

// federating is this replica's part in the federation.
type federating struct {
	rosters   *rosters
	cosigning *cosigning
	own       *ownFeed

	mu        sync.Mutex // guards listeners, for a look
	listeners []listener
}

func newFederating(c *core) *federating {
	f := &federating{rosters: &rosters{core: c}, cosigning: newCosigning(c)}
	f.own = newOwnFeed(f.cosigning)
	return f
}

// listener hears what other territories have said, once it is settled, on the
// replica that leads. It keeps what it needs in memory: begin comes before anything
// else whenever this replica begins to lead, and then every feed is heard from its
// first entry on, each in order. Calls come one at a time and must not wait for the
// network.
type listener interface {
	begin()
	// heard has entries of one feed, from a place on.
	heard(siren public.Siren, epoch uint16, from int64, entries [][]byte)
	// end says that this replica does not lead any more: what was heard is out of date
	// from now on.
	end()
}

// listen registers a consumer. Before the node's tasks begin.
func (f *federating) listen(l listener) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.listeners = append(f.listeners, l)
}

func (f *federating) each(tell func(listener)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range f.listeners {
		tell(l)
	}
}

// peerSeed is that of this replica's key among the federation's machines.
func (c *core) peerSeed() [32]byte {
	return [32]byte(c.keeper.copied().Node.Values.Derive("federation peer").Reveal())
}

func (c *core) peerKey() ed25519.PublicKey {
	seed := c.peerSeed()
	return ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
}
