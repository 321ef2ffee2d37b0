package node

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/egress"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/store"
)

// rosters is the federation's roster as this replica's record holds it: entries as
// they were signed, and the state that they lead to, worked out anew when the record
// has more of them. It is federation.Rosters of a node. Safe for concurrent use.
type rosters struct {
	core *core

	mu    sync.Mutex // guards what follows, for as long as new entries are verified
	state *roster.State
	// unread is how many entries of which roster the record held when one of them could
	// not be read: a newer program has taken it. This one does not try the same again.
	unread struct {
		genesis [32]byte
		version uint64 // 0: all were read
	}
}

// State is nil while the territory belongs to no federation or knows no entry of its
// roster.
func (r *rosters) State() *roster.State {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, err := r.core.membership()
	if err != nil || !m.Belongs() || m.Version == 0 {
		return nil
	}
	if r.state != nil && (r.state.Genesis != m.Genesis || r.state.Version > m.Version) {
		r.state = nil
	}
	from := uint64(0)
	if r.state != nil {
		from = r.state.Version
	}
	if from == m.Version || r.unread.genesis == m.Genesis && r.unread.version == m.Version {
		return r.state
	}
	entries, err := r.Entries(from)
	if err == nil {
		var state *roster.State
		if state, err = follow(r.state, m.Genesis, entries); err == nil {
			r.state, r.unread.version = state, 0
		} else {
			r.unread.genesis, r.unread.version = m.Genesis, m.Version
		}
	}
	if err != nil {
		r.core.cfg.Logger.Error("the roster in the record cannot be read: install the newest program on this machine", errAttr(err))
	}
	return r.state
}

// behind reports whether the record holds entries that this program cannot read.
func (r *rosters) behind() bool {
	r.State()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.unread.version != 0
}

// follow is the roster after more entries. The first one of all is the genesis.
func follow(s *roster.State, genesis [32]byte, entries [][]byte) (*roster.State, error) {
	if s == nil {
		return roster.Fold(genesis, entries)
	}
	for _, b := range entries {
		next, err := s.Apply(b)
		if err != nil {
			return nil, err
		}
		s = next
	}
	return s, nil
}

// membership is the zero Membership without a federation.
func (c *core) membership() (m egress.Membership, err error) {
	err = c.view(itself, func(tx *store.Tx) (err error) {
		m, _, err = store.Memberships.Get(tx, []byte{0})
		return err
	})
	return m, err
}

// Entries are the roster's from a place on.
func (r *rosters) Entries(from uint64) (out [][]byte, err error) {
	err = r.core.view(itself, func(tx *store.Tx) error {
		var after []byte
		if from > 0 {
			after = egress.Key(0, from-1)
		}
		return store.Roster.Each(tx, after, func(e egress.RosterEntry) bool {
			out = append(out, e.Bytes)
			return true
		})
	})
	return out, err
}

// rosterStep is how many bytes of entries one command takes.
const rosterStep = 48 << 10

// Take verifies entries that continue the roster, and records them. Entries that are
// known already are passed over. The errors of package roster for entries that do
// not belong there; nothing is recorded then.
func (r *rosters) Take(ctx context.Context, entries [][]byte) error {
	for range sayTries {
		m, err := r.core.membership()
		if err != nil {
			return err
		}
		if !m.Belongs() {
			return refused(refuse.NotFederated, RequestID{})
		}
		state := r.State()
		fresh, err := continues(state, entries)
		if err != nil || len(fresh) == 0 {
			return err
		}
		if _, err := follow(state, m.Genesis, fresh); err != nil {
			return err
		}
		err = r.record(ctx, m, fresh)
		if e, ok := errors.AsType[*Error](err); !ok || e.Code != refuse.StaleRoster.Code() {
			if err == nil {
				r.core.cfg.Logger.Info("the roster has a newer version", slog.Uint64("version", m.Version+uint64(len(fresh))))
			}
			return err
		}
	}
	return refused(refuse.StaleRoster, RequestID{})
}

// continues are those of entries that come after what is known.
func continues(s *roster.State, entries [][]byte) ([][]byte, error) {
	known := uint64(0)
	if s != nil {
		known = s.Version
	}
	for i, b := range entries {
		e, err := roster.DecodeEntry(b)
		if err != nil {
			return nil, err
		}
		if e.Seq >= known {
			return entries[i:], nil
		}
	}
	return nil, nil
}

func (r *rosters) record(ctx context.Context, m egress.Membership, entries [][]byte) error {
	for from := m.Version; len(entries) > 0; {
		n, size := 0, 0
		for n < len(entries) && (n == 0 || size+len(entries[n]) <= rosterStep) {
			size += len(entries[n])
			n++
		}
		_, err := r.core.propose(ctx, command.TakeRoster{Stamp: r.core.own(), Genesis: m.Genesis, From: from, Entries: entries[:n]})
		if err != nil {
			return err
		}
		from, entries = from+uint64(n), entries[n:]
	}
	return nil
}

// quorateOnce reports whether a checkpoint was quorate under the keys of some
// version of the roster: what the hubs hold may be older than the keys of today.
func (r *rosters) quorateOnce(siren public.Siren, epoch uint16, point feed.Checkpoint) bool {
	if s := r.State(); s != nil {
		if p, ok := s.Policy(siren, epoch); ok && p.Quorate(point) == nil {
			return true
		}
	}
	entries, err := r.Entries(0)
	if err != nil {
		return false
	}
	var s *roster.State
	for _, b := range entries {
		if s, err = s.Apply(b); err != nil {
			return false
		}
		if p, ok := s.Policy(siren, epoch); ok && p.Quorate(point) == nil {
			return true
		}
	}
	return false
}
