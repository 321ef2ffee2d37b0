package node

import (
	"context"
	"errors"
	"sync"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/refuse"
)

// receipts hears, on the replica that leads, who confirms dossiers that this
// territory has given, and records it. Safe for concurrent use.
type receipts struct {
	*Handovers
	wake chan struct{}

	mu      sync.Mutex // guards waiting, for a look
	waiting []command.HearReceipt
}

func newReceipts(s *Handovers) *receipts {
	return &receipts{Handovers: s, wake: make(chan struct{}, 1)}
}

// begin drops what waits: everything is heard again from its first entry on.
func (s *receipts) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = nil
}

func (s *receipts) end() { s.begin() }

func (s *receipts) heard(siren public.Siren, _ uint16, _ int64, entries [][]byte) {
	for _, b := range entries {
		e, err := public.Decode(b)
		if err != nil || e.From != siren {
			continue
		}
		if h, ok := e.Body.(public.Handover); ok && h.Giver.String() == s.siren {
			s.mu.Lock()
			s.waiting = append(s.waiting, command.HearReceipt{Digest: h.Digest, Receiver: siren, Roster: h.Roster})
			s.mu.Unlock()
			select {
			case s.wake <- struct{}{}:
			default:
			}
		}
	}
}

// keep records what waits until ctx ends. What could not be recorded is tried again at
// every look, and is said once: the giver keeps the dossiers until then.
func (s *receipts) keep(ctx context.Context) {
	again := every(s.cfg.Pace.look)
	defer again.Stop()
	said := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-again.C:
		}
		c, ok := s.first()
		for ; ok; c, ok = s.first() {
			if err := s.hear(ctx, c); err != nil {
				if !said && ctx.Err() == nil {
					s.cfg.Logger.Warn("recording a receipt of dossiers; it is tried again", errAttr(err))
				}
				break
			}
			s.done(c)
		}
		said = ok
	}
}

// first of what waits.
func (s *receipts) first() (c command.HearReceipt, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		return c, false
	}
	return s.waiting[0], true
}

// done forgets what was recorded, unless all was forgotten meanwhile.
func (s *receipts) done(c command.HearReceipt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) > 0 && s.waiting[0].Digest == c.Digest && s.waiting[0].Receiver == c.Receiver {
		s.waiting = s.waiting[1:]
	}
}

// hear records one receipt. One that is recorded already, or of no file of ours, is
// passed over.
func (s *receipts) hear(ctx context.Context, c command.HearReceipt) error {
	h, ok, err := s.record(c.Digest)
	if err != nil || !ok || !h.Given() || h.Receipt != 0 {
		return err
	}
	c.Stamp = s.own()
	_, err = s.propose(ctx, c)
	if e, ok := errors.AsType[*Error](err); ok && (e.Code == refuse.HandoverSaid.Code() || e.Code == refuse.HandoverOther.Code()) {
		return nil
	}
	return err
}
