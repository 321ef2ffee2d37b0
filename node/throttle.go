package node

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// throttle slows down guessing: a few tries at once, then one every so often, per
// login or account, per address and per network. It is asked before anything that
// costs work, and never about somebody who is in. It is kept in memory of whoever
// leads: a restart forgives. Safe for concurrent use.
type throttle struct {
	mu     sync.Mutex // guards all, for a lookup
	tries  map[string]*rate.Limiter
	swept  time.Time
	missed map[AccountID]uint16 // tries that failed since somebody came in
	misses uint64               // in all, not yet said to the log
}

// tempo is how many tries there are at once, and how long until another one.
type tempo struct {
	burst int
	every time.Duration
}

// Tempos. A person mistypes five times; a guesser gets 30 tries an hour and login. A
// town hall shares one address, and sometimes a network.
var (
	ofLogin   = tempo{5, 2 * time.Minute}
	ofCode    = tempo{5, 5 * time.Minute}  // six digits
	ofSender  = tempo{5, 12 * time.Minute} // codes sent: five an hour and address
	ofAddress = tempo{40, 5 * time.Second}
	ofNetwork = tempo{200, time.Second}
)

// mostTries bounds the memory of the throttle: some 20 MB.
const mostTries = 100_000

func newThrottle() *throttle {
	return &throttle{tries: map[string]*rate.Limiter{}, missed: map[AccountID]uint16{}}
}

// take returns how long to wait, or 0 when somebody may try what is named so.
func (t *throttle) take(what string, pace tempo, from string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Sub(t.swept) > time.Hour || len(t.tries) > mostTries {
		t.sweep(now)
	}
	if len(t.tries) > mostTries {
		return ofAddress.every // under attack from very many addresses: everybody waits a little
	}
	for _, of := range []struct {
		name string
		tempo
	}{{"a" + from, ofAddress}, {"n" + network(from), ofNetwork}, {"l" + what, pace}} {
		l := t.limiter(of.name, of.tempo)
		if !l.AllowN(now, 1) {
			return max(time.Second, time.Duration((1-l.TokensAt(now))*float64(of.every)))
		}
	}
	return 0
}

// network is the /24 or /48 of an address.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	ip = ip.Unmap().WithZone("")
	bits := 48
	if ip.Is4() {
		bits = 24
	}
	p, _ := ip.Prefix(bits) // the bits fit the address
	return p.String()
}

func (t *throttle) limiter(key string, pace tempo) *rate.Limiter {
	l, ok := t.tries[key]
	if !ok {
		l = rate.NewLimiter(rate.Every(pace.every), pace.burst)
		t.tries[key] = l
	}
	return l
}

// forgive forgets the tries of somebody who was right in the end, and says how many
// had failed.
func (t *throttle) forgive(what string, who AccountID) (missed uint16) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.tries, "l"+what)
	missed = t.missed[who]
	delete(t.missed, who)
	return missed
}

// miss counts a try that failed; who is zero for a login that nobody has.
func (t *throttle) miss(who AccountID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.misses++
	if !who.Zero() {
		t.missed[who] = min(t.missed[who], 1<<16-2) + 1
	}
}

// unsaid is how many failed that the log does not know of; take says that it does now.
func (t *throttle) unsaid(take uint64) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.misses -= min(take, t.misses)
	return t.misses
}

func (t *throttle) sweep(now time.Time) {
	for key, l := range t.tries {
		if l.TokensAt(now) >= float64(l.Burst()) {
			delete(t.tries, key)
		}
	}
	t.swept = now
}
