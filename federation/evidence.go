package federation

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
	"golang.org/x/mod/sumdb/tlog"
)

// evidenceAsk shows two signed checkpoints that contradict each other.
type evidenceAsk struct {
	_      struct{} `cbor:",toarray"`
	Siren  public.Siren
	Epoch  uint16
	A, B   []byte
	Prefix [32]byte
	Proof  [][32]byte
}

type evidenceAnswer struct {
	_      struct{} `cbor:",toarray"`
	Status status
}

// evidences are the proofs of forks, one for each feed, in a folder. Safe for
// concurrent use.
type evidences struct {
	dir string
	mu  sync.RWMutex
	all map[feedKey]evidenceAsk
}

func openEvidences(dir string) (*evidences, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	e := &evidences{dir: dir, all: map[feedKey]evidenceAsk{}}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".next") {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return nil, err
		}
		a, err := parse[evidenceAsk](b)
		if err != nil {
			return nil, fmt.Errorf("%s is damaged: move it away", filepath.Join(dir, f.Name()))
		}
		e.all[feedKey{a.Siren, a.Epoch}] = a
	}
	return e, nil
}

func (e *evidences) has(k feedKey) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	_, ok := e.all[k]
	return ok
}

func (e *evidences) keep(a evidenceAsk) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	k := feedKey{a.Siren, a.Epoch}
	if _, ok := e.all[k]; ok {
		return nil
	}
	if err := writeFile(filepath.Join(e.dir, k.String()), must(wireEncoding.Marshal(a))); err != nil {
		return err
	}
	e.all[k] = a
	return nil
}

// frozen reports whether a feed has forked.
func (b *hub) frozen(k feedKey) bool { return b.proofs.has(k) }

func wireOf(k feedKey, e feed.Evidence) evidenceAsk {
	a := evidenceAsk{Siren: k.siren, Epoch: k.epoch, A: e.A, B: e.B, Prefix: e.Prefix}
	for _, h := range e.Proof {
		a.Proof = append(a.Proof, h)
	}
	return a
}

func (a evidenceAsk) evidence() feed.Evidence {
	e := feed.Evidence{A: a.A, B: a.B, Prefix: a.Prefix}
	for _, h := range a.Proof {
		e.Proof = append(e.Proof, tlog.Hash(h))
	}
	return e
}

// evidence answers whoever shows a fork. What proves nothing is a lie.
func (b *hub) evidence(l *link, who standing) error {
	ask, err := receive[evidenceAsk](l, l.terms.ask)
	if err != nil {
		return err
	}
	if !may(who.seat, actEvidence) {
		return errRole
	}
	if len(ask.Proof) > 64 {
		return errFrame
	}
	k := feedKey{ask.Siren, ask.Epoch}
	r, err := ruleOf(b.h.roster(), k)
	if err != nil {
		return l.send(l.terms.answer, evidenceAnswer{Status: statusBad})
	}
	e := ask.evidence()
	if err := e.Verify(r.policy); err != nil {
		err = b.fair(l.Conn(), errLie)
		b.h.blame(l.Conn().RemotePeer(), "evidence", err)
		answer := evidenceAnswer{}
		answer.Status, _ = verdict(err)
		return l.send(l.terms.answer, answer)
	}
	b.h.accuse(k, r.policy, e)
	return l.send(l.terms.answer, evidenceAnswer{})
}

// accuse keeps a proof of a fork and shows it to the hubs at the next calls. A hub
// takes no more entries of that feed.
func (h *Host) accuse(k feedKey, p feed.Policy, e feed.Evidence) {
	if e.Verify(p) != nil {
		return
	}
	h.log.Error("a feed has forked: it is frozen until a new epoch stands in the roster", "feed", k.String())
	if h.hub != nil {
		if err := h.hub.proofs.keep(wireOf(k, e)); err != nil {
			h.log.Error("the proof of a fork could not be kept", "feed", k.String(), "error", err)
		}
	}
	h.leaf.show(wireOf(k, e))
}

// shows hands over what proves a fork.
func (v *visit) shows(ctx context.Context, a evidenceAsk) (err error) {
	l, err := v.call(ctx, protocolEvidence)
	if err != nil {
		return err
	}
	defer func() { l.finish(err) }()
	if err = l.ask(a); err != nil {
		return err
	}
	answer, err := receive[evidenceAnswer](l, l.terms.answer)
	if err != nil {
		return err
	}
	if answer.Status != statusOK {
		return refused{status: answer.Status}
	}
	return nil
}

// list is the feeds that have forked.
func (e *evidences) list() (out []string) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	for k := range e.all {
		out = append(out, k.String())
	}
	slices.Sort(out)
	return out
}
