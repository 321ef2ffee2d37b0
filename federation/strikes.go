package federation

import (
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

const (
	strikesAllowed = 3 // in strikeWindow; the next ones are not heard for strikePause
	strikeWindow   = 24 * time.Hour
	strikePause    = time.Hour
)

// strikes remembers who sent what no program of ours sends: a false signature, a
// frame in a wrong form, more than a frame may hold. Three in a day, and the peer is
// not heard for an hour; the operator is told. Never does it change the roster. Only
// peers of the roster are noted, so it does not grow. Safe for concurrent use.
type strikes struct {
	mu    sync.Mutex
	notes map[peer.ID][]time.Time
}

func newStrikes() *strikes { return &strikes{notes: map[peer.ID][]time.Time{}} }

// note one; it reports whether the peer is out from now on.
func (s *strikes) note(p peer.ID, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.notes[p][:0]
	for _, at := range s.notes[p] {
		if now.Sub(at) < strikeWindow {
			kept = append(kept, at)
		}
	}
	if len(kept) > strikesAllowed {
		kept = kept[len(kept)-strikesAllowed:]
	}
	s.notes[p] = append(kept, now)
	return len(s.notes[p]) >= strikesAllowed
}

// out reports whether the peer is not heard now.
func (s *strikes) out(p peer.ID, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.notes[p]
	return len(at) >= strikesAllowed && now.Sub(at[len(at)-1]) < strikePause && now.Sub(at[len(at)-strikesAllowed]) < strikeWindow
}

// count of a peer within the window.
func (s *strikes) count(p peer.ID, now time.Time) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, at := range s.notes[p] {
		if now.Sub(at) < strikeWindow {
			n++
		}
	}
	return n
}
