package node

import (
	"crypto/subtle"
	"sync"
	"time"

	"github.com/bippop/bippop/crypto"
)

// locks are what this replica holds for others, so that one which restarts gets
// its vault open without a person: in memory alone, never on a disk or in a log
// line. Whoever restarts has lost what it held. Times are of the machine's own
// clock. Safe for concurrent use.
type locks struct {
	mu     sync.Mutex // guards all that follows, for a look or a change in memory
	held   map[ReplicaID]heldLock
	seen   map[ReplicaID]time.Time // when each replica was last there
	wishes map[ReplicaID]wish
	grants map[ReplicaID]grant
}

func newLocks() *locks {
	return &locks{held: map[ReplicaID]heldLock{}, seen: map[ReplicaID]time.Time{}, wishes: map[ReplicaID]wish{}, grants: map[ReplicaID]grant{}}
}

// heldLock opens the box on another replica's disk. There may be two, as that
// replica may stop between handing a lock over and writing the box of it.
type heldLock struct {
	doorbell     [32]byte   // fingerprint of the key by which it rings
	newest, sure crypto.Key // sure: its box is written; zero: none
}

// wish is that of a sealed replica which waits for an administrator.
type wish struct {
	from   string // IP address
	via    ReplicaID
	why    string // as in Release
	absent time.Duration
	since  Instant
	rung   time.Time // the last time
	rival  time.Time // when another address last rang for the same replica
}

// grant is an administrator's yes, for who rings at one address.
type grant struct {
	from  string
	until time.Time
}

const (
	// wishLife is after how much silence nobody waits any more.
	wishLife = time.Minute
	// grantLife is how long a yes is good for: the machine rings every few seconds.
	grantLife = 10 * time.Minute
)

// take keeps a lock that its replica hands over, beside the one that is sure.
func (l *locks) take(id ReplicaID, lock crypto.Key, doorbell [32]byte, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held[id] = heldLock{doorbell: doorbell, newest: lock, sure: l.held[id].sure}
	l.seen[id] = now
}

// written lets every lock go but the one of that name, and reports whether it is
// held.
func (l *locks) written(id ReplicaID, name crypto.KeyID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.held[id]
	if h.newest.Zero() || h.newest.ID() != name {
		return false
	}
	h.sure = h.newest
	l.held[id] = h
	return true
}

// lock is the one of that name, for who rings with the doorbell that came with
// it.
func (l *locks) lock(id ReplicaID, name crypto.KeyID, doorbell [32]byte) (crypto.Key, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h, ok := l.held[id]
	switch {
	case !ok:
		return crypto.Key{}, errNoLock
	case subtle.ConstantTimeCompare(h.doorbell[:], doorbell[:]) != 1:
		return crypto.Key{}, errDoorbell
	}
	for _, k := range []crypto.Key{h.newest, h.sure} {
		if !k.Zero() && k.ID() == name {
			return k, nil
		}
	}
	return crypto.Key{}, errOldBox
}

func (l *locks) holds(id ReplicaID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.held[id]
	return ok
}

// forget lets go of what concerns a replica that takes no part any more.
func (l *locks) forget(id ReplicaID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.held, id)
	delete(l.seen, id)
	delete(l.wishes, id)
	delete(l.grants, id)
}

// see notes that a replica is there. Whoever is there waits no more.
func (l *locks) see(id ReplicaID, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen[id] = now
	delete(l.grants, id)
	if now.Sub(l.wishes[id].rung) > 2*ringEvery {
		delete(l.wishes, id)
	}
}

// absent is for how long a replica has been away; known is false when it was not
// seen since this one started.
func (l *locks) absent(id ReplicaID, now time.Time) (d time.Duration, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	last, known := l.seen[id]
	return now.Sub(last), known
}

// ring notes who rings for a replica from an IP address, and reports whether
// another address has rung for it lately.
func (l *locks) ring(id ReplicaID, from string, at Instant, now time.Time) (w wish, rival bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w, ok := l.wishes[id]
	switch {
	case !ok || now.Sub(w.rung) > wishLife:
		w = wish{from: from, since: at}
	case w.from != from:
		w.rival, w.from = now, from
	}
	w.rung = now
	l.wishes[id] = w
	return w, !w.rival.IsZero() && now.Sub(w.rival) <= wishLife
}

// waits says why whoever rings must wait; "" when it need not any more.
func (l *locks) waits(id ReplicaID, why string, via ReplicaID, absent time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w, ok := l.wishes[id]
	if !ok {
		return
	}
	if why == "" {
		delete(l.wishes, id)
		return
	}
	w.why, w.via, w.absent = why, via, absent
	l.wishes[id] = w
}

// waiting are the wishes of those who still ring.
func (l *locks) waiting(now time.Time) map[ReplicaID]wish {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[ReplicaID]wish{}
	for id, w := range l.wishes {
		if w.why != "" && now.Sub(w.rung) <= wishLife {
			out[id] = w
		}
	}
	return out
}

func (l *locks) grant(id ReplicaID, from string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.grants[id] = grant{from, now.Add(grantLife)}
}

func (l *locks) granted(id ReplicaID, from string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	g, ok := l.grants[id]
	return ok && g.from == from && now.Before(g.until)
}
