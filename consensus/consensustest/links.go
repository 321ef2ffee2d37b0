package consensustest

import (
	"slices"
	"sync"
	"time"

	"github.com/bippop/bippop/consensus"
)

// Links are the ways between the replicas of a cluster. Its methods are those of
// [Cluster].
type Links struct {
	hub *hub

	mu        sync.Mutex // guards addresses, for a slice access
	addresses []string   // of replica i
}

func (l *Links) add(address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.addresses = append(l.addresses, address)
}

func (l *Links) address(i int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.addresses[i]
}

// Cut separates i from all others.
func (l *Links) Cut(i int) { l.hub.setCut(l.address(i), true) }

// Heal joins i again.
func (l *Links) Heal(i int) { l.hub.setCut(l.address(i), false) }

// Block lets nothing more arrive that one replica sends to another, while what the
// other sends does arrive: neither side is told. Heal does not end it.
func (l *Links) Block(from, to int) {
	l.hub.change(func() { l.hub.blocked[way{l.address(from), l.address(to)}] = true })
}

// Part separates replicas that stand together in no side. A replica may stand in
// several, and is alone when it stands in none.
func (l *Links) Part(sides ...[]int) {
	l.mu.Lock()
	addresses := slices.Clone(l.addresses)
	l.mu.Unlock()
	l.hub.change(func() {
		clear(l.hub.parted)
		for a := range addresses {
			for b := range addresses {
				together := a == b
				for _, side := range sides {
					together = together || slices.Contains(side, a) && slices.Contains(side, b)
				}
				l.hub.parted[way{addresses[a], addresses[b]}] = !together
			}
		}
	})
}

// Delay makes everything sent take a random time below most. Streams, of which a
// pair of replicas has several, overtake each other.
func (l *Links) Delay(most time.Duration) { l.hub.change(func() { l.hub.delay = most }) }

// Calm ends Block, Part and Delay, but not Cut.
func (l *Links) Calm() {
	l.hub.change(func() {
		clear(l.hub.parted)
		clear(l.hub.blocked)
		l.hub.delay = 0
	})
}

// Move gives i, which is down, another address for its next life.
func (l *Links) Move(i int, address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.addresses[i] = address
}

// Network is a further place on the cluster's network, for a replica that the
// test runs itself.
func (l *Links) Network(address string) consensus.Network { return l.hub.port(address) }
