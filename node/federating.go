package node

import (
	"crypto/ed25519"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/bippop/bippop/federation"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/event"
)

// federating is this replica's part in the federation.
type federating struct {
	rosters   *rosters
	cosigning *cosigning
	own       *ownFeed
	ear       *ear

	changed   chan struct{} // look again
	rosterNew atomic.Bool   // the roster has grown, or the territory has joined or left
	feedNew   atomic.Bool   // the own feed has grown

	mu        sync.Mutex // guards what follows, for a look
	listeners []listener
	host      *federation.Host // nil: this replica does not speak
	hub       *federation.Host // nil: no hub runs here
	stuck     string           // why the feed does not follow the roster's epoch; empty: it does
}

func newFederating(c *core) *federating {
	f := &federating{rosters: &rosters{core: c}, cosigning: newCosigning(c), ear: newEar(&Bulletins{c}), changed: make(chan struct{}, 1)}
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

// each tells the listeners. They may ask for the speaker: nothing is locked meanwhile.
func (f *federating) each(tell func(listener)) {
	f.mu.Lock()
	listeners := slices.Clone(f.listeners)
	f.mu.Unlock()
	for _, l := range listeners {
		tell(l)
	}
}

// stands notes whether the feed follows the roster's epoch, and reports whether that
// is news.
func (f *federating) stands(err error) (news bool) {
	stuck := ""
	if err != nil {
		stuck = err.Error()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	news, f.stuck = f.stuck != stuck, stuck
	return news
}

// standstill is why the feed does not follow the roster's epoch; empty: it does.
func (f *federating) standstill() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stuck
}

// speaker is the host that speaks here, or nil.
func (f *federating) speaker() *federation.Host {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.host
}

// speaks replaces the host, and gives the former one.
func (f *federating) speaks(host *federation.Host) (was *federation.Host) {
	f.mu.Lock()
	defer f.mu.Unlock()
	was, f.host = f.host, host
	return was
}

// hosts replaces the hub.
func (f *federating) hosts(hub *federation.Host) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hub = hub
}

// note follows the record: what speaks looks again.
func (f *federating) note(e event.Event) {
	switch e.(type) {
	case event.RosterChanged:
		f.rosterNew.Store(true)
	case event.FeedChanged:
		f.feedNew.Store(true)
	}
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

// seedOf is this replica's own seed for a purpose: the vault's format stays as it is.
func (c *core) seedOf(label string) [32]byte {
	return [32]byte(c.keeper.copied().Node.Values.Derive(label).Reveal())
}

// peerSeed is that of this replica's key among the federation's machines.
func (c *core) peerSeed() [32]byte {
	return c.seedOf("federation peer")
}

func (c *core) peerKey() ed25519.PublicKey {
	seed := c.peerSeed()
	return ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
}
