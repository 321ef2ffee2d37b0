package gossip

import (
	"crypto/sha256"
	"net"
	"slices"
	"sort"
	"sync"
	"time"
)

// State is how a replica seems to be.
type State byte

const (
	Alive   State = 1 // answers
	Suspect State = 2 // did not answer lately; others may still hear it
	Left    State = 3 // said that it would end
	Gone    State = 4 // does not answer, and the others agree
)

func (s State) String() string {
	switch s {
	case Alive:
		return "alive"
	case Suspect:
		return "suspect"
	case Left:
		return "left"
	case Gone:
		return "gone"
	default:
		return "unknown"
	}
}

// Seen is what is known of one replica.
type Seen struct {
	Replica string
	Meta    Meta // its last word
	State   State
	Since   time.Time // in this state, by the clock of this replica
}

// silence is after how long without a packet a member of n is suspect: twice the
// time in which every member has asked every other.
func silence(n int) time.Duration { return time.Duration(2*n+1) * probeInterval }

// table is what this replica knows. All methods are safe for concurrent use.
type table struct {
	mu      sync.Mutex // guards what follows, for a map access
	members map[string]*member
	joining map[string]string // place -> address, of those that Join was given
	seeds   []string
}

type member struct {
	Seen
	place  string
	ended  State     // Left or Gone, or zero while memberlist knows it
	heard  time.Time // its last packet
	failed time.Time // the last packet that did not reach it
}

// place is a replica's made-up address, or that of an address to join.
func place(kind, name string) net.IP {
	sum := sha256.Sum256([]byte(kind + "\x00" + name))
	ip := make(net.IP, net.IPv6len)
	ip[0] = 0xfd // locally assigned, RFC 4193
	copy(ip[1:], sum[:])
	return ip
}

func placeOf(replica string) net.IP { return place("replica", replica) }

// alive notes a member that memberlist has found, or its new word.
func (t *table) alive(replica string, meta Meta, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.members[replica]
	if m == nil {
		m = &member{Seen: Seen{Replica: replica, State: Alive, Since: now}, place: placeOf(replica).String(), heard: now}
		t.members[replica] = m
	}
	if m.ended != 0 {
		m.ended, m.heard = 0, now
	}
	m.Meta = meta
}

func (t *table) ended(replica string) (how State, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.members[replica]
	if m == nil {
		return 0, false
	}
	m.ended = Gone
	if m.Meta.Leaving {
		m.ended = Left
	}
	return m.ended, true
}

func (t *table) heard(replica string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if m := t.members[replica]; m != nil {
		m.heard = now
	}
}

func (t *table) failed(replica string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if m := t.members[replica]; m != nil {
		m.failed = now
	}
}

// review sets every state by the time, forgets who is not allowed any more, and
// reports whether anything changed. Self is always alive.
func (t *table) review(self string, allow func(string) bool, now time.Time) (changed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for replica, m := range t.members {
		if replica != self && !allow(replica) {
			if m.ended != 0 { // else memberlist still speaks of it
				delete(t.members, replica)
			}
			continue
		}
		if m.ended == 0 {
			n++
		}
	}
	for replica, m := range t.members {
		state := Alive
		switch {
		case m.ended != 0:
			state = m.ended
		case replica == self:
		case m.failed.After(m.heard), now.Sub(m.heard) > silence(n):
			state = Suspect
		}
		if state != m.State {
			m.State, m.Since, changed = state, now, true
		}
	}
	return changed
}

func (t *table) list(self string, allow func(string) bool) []Seen {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []Seen
	for replica, m := range t.members {
		if replica == self || allow(replica) {
			all = append(all, m.Seen)
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Replica < all[j].Replica })
	return all
}

// at is who and where a made-up address stands for.
func (t *table) at(place string) (replica, address string, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if address, ok := t.joining[place]; ok {
		return "", address, true
	}
	for replica, m := range t.members {
		if m.place == place {
			return replica, m.Meta.Address, true
		}
	}
	return "", "", false
}

func (t *table) seed(addresses []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seeds = slices.Clone(addresses)
}

// targets gives made-up addresses for addresses to join, known until the next
// call.
func (t *table) targets(addresses []string) (places []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.joining = map[string]string{}
	for _, address := range addresses {
		p := place("address", address).String()
		if _, twice := t.joining[p]; !twice {
			places = append(places, net.JoinHostPort(p, "1"))
		}
		t.joining[p] = address
	}
	return places
}

// missed are the addresses to try again: of Join, and of those who are gone.
func (t *table) missed(allow func(string) bool) (addresses []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	there := map[string]bool{}
	for _, m := range t.members {
		there[m.Meta.Address] = there[m.Meta.Address] || m.ended == 0
	}
	for replica, m := range t.members {
		if m.ended == Gone && !there[m.Meta.Address] && allow(replica) {
			addresses = append(addresses, m.Meta.Address)
		}
	}
	for _, s := range t.seeds {
		if !there[s] {
			addresses = append(addresses, s)
		}
	}
	return addresses
}
