package federation

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
)

var (
	errQuota   = errors.New("the day's quota of this feed is spent")
	errFuture  = errors.New("a clock is wrong: this day has not come")
	errKind    = errors.New("this kind of message is not in use")
	errExpired = errors.New("the roster has expired: a newer one is needed before anything is pushed or accepted")
	errFrozen  = errors.New("the feed forked and is frozen: a new epoch in the roster opens it again")
	errUnknown = errors.New("no such feed on the roster")
)

// offered is a piece of a feed as a peer sent it.
type offered struct {
	key     feedKey
	from    int64
	entries [][]byte
	signed  []byte // checkpoint at its end
}

// rule is what makes a feed's checkpoint count now.
type rule struct {
	policy feed.Policy
	last   int64 // entries that count; -1: no end
	role   roster.Role
}

func ruleOf(s *roster.State, k feedKey) (rule, error) {
	if m, ok := s.Member(k.siren); ok && m.Epoch == k.epoch {
		p, ok := s.Policy(k.siren, k.epoch)
		if !ok {
			return rule{}, errUnknown
		}
		return rule{p, -1, m.Role}, nil
	}
	p, last, ok := s.Ended(k.siren, k.epoch)
	if !ok {
		return rule{}, errUnknown
	}
	role := roster.Territory
	if m, ok := s.Member(k.siren); ok {
		role = m.Role
	}
	return rule{p, int64(min(last, 1<<62)), role}, nil
}

// take checks what a peer sent of a feed as if it lied, and keeps it: when it returns
// the entries and the checkpoint are durable. A leaf keeps what is settled alone. A
// hub keeps what is quorate, and its own cosignature is part of what is durable
// before anybody sees it. Entries that are here already are compared and skipped.
func (h *Host) take(o offered) (feed.Checkpoint, error) {
	s := h.roster()
	if s == nil {
		return feed.Checkpoint{}, errUnknown
	}
	if h.expired(s) {
		return feed.Checkpoint{}, errExpired
	}
	r, err := ruleOf(s, o.key)
	if err != nil {
		return feed.Checkpoint{}, err
	}
	signed, err := feed.ParseCheckpoint(o.signed)
	if err != nil {
		return feed.Checkpoint{}, fmt.Errorf("%w: %w", err, errLie)
	}
	if err := r.counts(signed, h.hub == nil); err != nil {
		return feed.Checkpoint{}, fmt.Errorf("%w: %w", err, errLie)
	}
	if signed, err = r.policy.Trim(signed); err != nil {
		return feed.Checkpoint{}, fmt.Errorf("%w: %w", err, errLie)
	}
	if r.last >= 0 && signed.Head.Size > r.last {
		return feed.Checkpoint{}, fmt.Errorf("the feed ended at %d entries: %w", r.last, errLie)
	}
	f, err := h.copies.open(o.key)
	if err != nil {
		return feed.Checkpoint{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if h.hub != nil && h.hub.frozen(o.key) {
		return feed.Checkpoint{}, errFrozen
	}
	if err := h.append(s, r, f, o, signed); err != nil {
		return feed.Checkpoint{}, err
	}
	return f.copy.Checkpoint(), nil
}

// counts checks a checkpoint's signatures.
func (r rule) counts(c feed.Checkpoint, settled bool) error {
	if settled {
		return r.policy.Settled(c)
	}
	return r.policy.Quorate(c)
}

func (h *Host) append(s *roster.State, r rule, f *held, o offered, signed feed.Checkpoint) error {
	have := f.copy.Head()
	fresh, err := f.skip(o, have.Size)
	if err != nil {
		return err
	}
	if signed.Head.Size < have.Size || signed.Head.Size == have.Size && signed.Head != have {
		return h.older(s, r, f, signed)
	}
	if int64(len(fresh)) != signed.Head.Size-have.Size {
		return fmt.Errorf("%d entries for %d places: %w", len(fresh), signed.Head.Size-have.Size, errLie)
	}
	if f.tally == nil {
		if f.tally, err = f.count(r.role == roster.Coordinator); err != nil {
			return err
		}
	}
	i := inspector{roster: s, role: r.role, decode: h.cfg.Decode, today: public.DayOf(h.now()), feed: f.key, tally: *f.tally}
	for n, b := range fresh {
		if err := i.check(have.Size+int64(n), b); err != nil {
			return err
		}
	}
	if h.hub != nil && r.last < 0 && (len(fresh) > 0 || !h.hub.cosigned(r.policy, f.copy.Checkpoint())) {
		if signed, err = h.hub.cosign(s, signed); err != nil {
			return err
		}
	}
	if len(fresh) == 0 {
		// Only what is new is written: the same checkpoint again costs nothing.
		merged, err := feed.Merge(f.copy.Checkpoint(), signed)
		if err != nil || bytes.Equal(merged.Signed, f.copy.Checkpoint().Signed) {
			return err
		}
	}
	switch err := f.copy.Append(fresh, signed); {
	case errors.Is(err, feed.ErrRoot):
		return fmt.Errorf("%w: %w", err, errLie)
	case err != nil:
		return err
	}
	f.tally = &i.tally
	f.note(r.policy, h.now(), len(fresh) > 0)
	h.out.wake()
	return nil
}

// older takes a checkpoint of a state that the copy has passed. An older one that
// the copy continues is no news. One that it contradicts, signed by a quorum, is a
// fork: it is kept as evidence and shown to the hubs.
func (h *Host) older(s *roster.State, r rule, f *held, signed feed.Checkpoint) error {
	switch err := f.copy.Append(nil, signed); {
	case errors.Is(err, feed.ErrOld):
		return feed.ErrOld
	case !errors.Is(err, feed.ErrFork):
		return err
	}
	e, err := feed.Contradict(signed, f.copy.Checkpoint(), f.copy)
	if err != nil {
		return err
	}
	h.accuse(f.key, r.policy, e)
	return feed.ErrFork
}

// skip drops the entries that the copy has, after it compared them.
func (f *held) skip(o offered, size int64) ([][]byte, error) {
	if o.from < 0 || o.from > size {
		return nil, feed.ErrGap
	}
	known := min(size-o.from, int64(len(o.entries)))
	if known == 0 {
		return o.entries, nil
	}
	same := true
	err := f.copy.Entries(o.from, o.from+known, func(i int64, b []byte) error {
		same = same && bytes.Equal(b, o.entries[i-o.from])
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !same {
		return nil, fmt.Errorf("entries differ from those that were sent before: %w", errLie)
	}
	return o.entries[known:], nil
}

// count the entries of the copy's newest day.
func (f *held) count(coordinator bool) (*tally, error) {
	size := f.copy.Head().Size
	limit := int64(DayEntries)
	if coordinator {
		limit = CoordinatorDayEntries
	}
	var t tally
	err := f.copy.Entries(max(0, size-limit-1), size, func(_ int64, b []byte) error {
		if e, err := parse[envelope](b); err == nil {
			_ = t.add(e.Day, len(b), coordinator) // they were accepted
		}
		return nil
	})
	return &t, err
}

// note when entries came, and how long after the first witness saw them.
func (f *held) note(p feed.Policy, now time.Time, grew bool) {
	if !grew {
		return
	}
	f.arrived, f.delay = now, 0
	for _, c := range p.Cosignatures(f.copy.Checkpoint()) {
		f.delay = max(f.delay, now.Sub(c.At))
	}
}
