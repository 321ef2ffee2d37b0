package federation

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/roster"
)

// rosterAsk fetches the roster's entries from a number on, or hands newer ones over.
type rosterAsk struct {
	_    struct{} `cbor:",toarray"`
	From uint64
	Give [][]byte
}

// rosterAnswer has as many entries as fit; Version says whether there are more. The
// checkpoint is of the hub's whole roster, cosigned by the hub within the last day.
type rosterAnswer struct {
	_       struct{} `cbor:",toarray"`
	Status  status
	Version uint64
	Entries [][]byte
	Fresh   []byte
}

// rosters answers for the roster: any caller may have it, few may add to it. What is
// added counts by the holders' signatures in it, not by who brings it.
func (b *hub) rosters(ctx context.Context, l *link, who standing) error {
	ask, err := receive[rosterAsk](l, l.terms.ask)
	if err != nil {
		return err
	}
	if !may(who.seat, actReadRoster) || len(ask.Give) > 0 && !may(who.seat, actGiveRoster) {
		return errRole
	}
	if len(ask.Give) > 0 {
		if err := b.h.cfg.Rosters.Take(ctx, ask.Give); err != nil {
			b.h.log.Warn("entries of the roster are refused", "from", who.name(), "error", err)
			return l.send(l.terms.answer, rosterAnswer{Status: statusBad})
		}
		// Last of all: it may cut off the connection that we answer on.
		defer b.h.RosterChanged()
	}
	s := b.h.roster()
	if s == nil {
		return errUnknown
	}
	answer := rosterAnswer{Version: s.Version}
	if ask.From < s.Version {
		entries, err := b.h.cfg.Rosters.Entries(ask.From)
		if err != nil {
			return err
		}
		answer.Entries = pieces(entries)[0]
	}
	c, err := b.h.fresh.cosigned(b, s)
	if err != nil {
		return err
	}
	answer.Fresh = c.Signed
	return l.send(l.terms.answer, answer)
}

// rosters brings hub and host to the same version, and notes how fresh it is.
func (v *visit) rosters(ctx context.Context, theirs uint64) error {
	h := v.h
	var version uint64
	if s := h.roster(); s != nil {
		version = s.Version
	}
	if theirs < version && v.gives() {
		if err := v.give(ctx, theirs); err != nil {
			return err
		}
	}
	if s := h.roster(); theirs <= version && s != nil && h.now().Sub(h.fresh.since(s, h.now())) < freshFor/2 {
		return nil
	}
	for {
		answer, err := v.fetch(ctx, rosterAsk{From: version})
		if err != nil {
			return err
		}
		if len(answer.Entries) > 0 && answer.Version > version {
			if err := h.cfg.Rosters.Take(ctx, answer.Entries); err != nil {
				return fmt.Errorf("the hub's roster: %w: %w", err, errLie)
			}
			s := h.roster()
			if s == nil || s.Version <= version {
				return fmt.Errorf("the hub's roster does not grow by its entries: %w", errLie)
			}
			version = s.Version
			h.RosterChanged()
			if !h.calls(v.peer) {
				return errors.New("the newer roster does not name this hub")
			}
			if version < answer.Version {
				continue
			}
		}
		if s := h.roster(); s != nil {
			h.fresh.take(s, answer.Fresh, h.now())
		}
		return nil
	}
}

// gives reports whether the hub lets this host add to its roster.
func (v *visit) gives() bool {
	who, err := v.me()
	return err == nil && may(who.seat, actGiveRoster)
}

// give the hub what it lacks.
func (v *visit) give(ctx context.Context, from uint64) error {
	entries, err := v.h.cfg.Rosters.Entries(from)
	if err != nil {
		return err
	}
	for _, part := range pieces(entries) {
		answer, err := v.fetch(ctx, rosterAsk{From: from + uint64(len(entries)), Give: part})
		if err != nil {
			return err
		}
		if answer.Status != statusOK {
			return refused{status: answer.Status}
		}
	}
	return nil
}

func (v *visit) fetch(ctx context.Context, ask rosterAsk) (answer rosterAnswer, err error) {
	l, err := v.call(ctx, protocolRoster)
	if err != nil {
		return answer, err
	}
	defer func() { l.finish(err) }()
	if err = l.ask(ask); err != nil {
		return answer, err
	}
	return receive[rosterAnswer](l, l.terms.answer)
}

// freshness is the newest instant at which a witness said that the roster we have is
// the newest one. It is kept on disk: forgetting it would be to be fooled. Safe for
// concurrent use.
type freshness struct {
	path string
	mu   sync.Mutex
	note feed.Checkpoint // a leaf's proof, or a hub's own
}

const (
	freshFor   = 24 * time.Hour      // a hub cosigns anew after it
	staleAfter = 7 * 24 * time.Hour  // the operator is told
	frozenAt   = 30 * 24 * time.Hour // offers of neighbours are no longer pulled
	clockSlack = time.Hour           // how far ahead a witness's clock may be
)

func openFreshness(path string) (*freshness, error) {
	f := &freshness{path: path}
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return nil, err
	}
	if c, err := feed.ParseCheckpoint(b); err == nil {
		f.note = c
	}
	return f, nil
}

// Fresh is the roster's checkpoint with the witness's signature that says last that
// it was the newest; the zero Checkpoint when nobody has said so.
func (h *Host) Fresh() feed.Checkpoint {
	h.fresh.mu.Lock()
	defer h.fresh.mu.Unlock()
	return h.fresh.note
}

// cosigned is the roster's head with this hub's signature of the last day.
func (f *freshness) cosigned(b *hub, s *roster.State) (feed.Checkpoint, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := b.h.now()
	if f.note.Head == s.Head && f.note.Origin == s.Origin() {
		for _, w := range s.Freshness().Cosignatures(f.note) {
			if age := now.Sub(w.At); w.Witness == b.signer.Key() && age >= 0 && age < freshFor {
				return f.note, nil
			}
		}
	}
	c, err := b.cosign(s, feed.Checkpoint{Origin: s.Origin(), Head: s.Head})
	if err != nil || c.Signed == nil {
		return feed.Checkpoint{}, err // no witness: it may be a hub all the same
	}
	f.note = c
	return c, writeFile(f.path, c.Signed)
}

// take a hub's word on the roster that we have. What does not hold changes nothing.
func (f *freshness) take(s *roster.State, signed []byte, now time.Time) {
	c, err := feed.ParseCheckpoint(signed)
	if err != nil || c.Head != s.Head || c.Origin != s.Origin() {
		return
	}
	at, ok := latest(s, c, now)
	f.mu.Lock()
	defer f.mu.Unlock()
	if before, had := latest(s, f.note, now); !ok || had && f.note.Head == c.Head && !at.After(before) {
		return
	}
	f.note = c
	_ = writeFile(f.path, c.Signed) // lost, it is fetched again
}

// since is when the roster was last said to be the newest; zero: never.
func (f *freshness) since(s *roster.State, now time.Time) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	at, _ := latest(s, f.note, now)
	return at
}

// latest cosignature of a listed witness over the roster's head, or over an older one
// that was the newest then.
func latest(s *roster.State, c feed.Checkpoint, now time.Time) (at time.Time, ok bool) {
	for _, w := range s.Freshness().Cosignatures(c) {
		if w.At.Sub(now) <= clockSlack && w.At.After(at) {
			at, ok = w.At, true
		}
	}
	return at, ok
}

// writeFile replaces a small file: once it returns it is the new one whatever happens,
// and before that the old one or the new one.
func writeFile(path string, b []byte) error {
	f, err := os.Create(path + ".next")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(path+".next", path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path)) // a new name is certain once its folder is on disk
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
