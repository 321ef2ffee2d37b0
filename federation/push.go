package federation

import (
	"context"
	"fmt"

	"github.com/bippop/bippop/federation/feed"
)

// pushAsk is one piece of what was appended to the caller's feed. The last has the
// checkpoint; without entries it only asks for the hub's cosignatures.
type pushAsk struct {
	_          struct{} `cbor:",toarray"`
	Epoch      uint16
	From       uint64
	Entries    [][]byte
	Checkpoint []byte // empty: more pieces follow
}

// pushAnswer has the checkpoint with all cosignatures that the hub has, its own among
// them: it is on the hub's disk by then.
type pushAnswer struct {
	_          struct{} `cbor:",toarray"`
	Status     status
	Checkpoint []byte
}

// pieceBytes is how much of entries one piece holds.
const pieceBytes = maxFrame - 64<<10

// pieces cuts entries so that each fits a frame.
func pieces(entries [][]byte) (out [][][]byte) {
	from, size := 0, 0
	for i, b := range entries {
		if size += len(b) + 8; size > pieceBytes && i > from {
			out = append(out, entries[from:i])
			from, size = i, len(b)+8
		}
	}
	return append(out, entries[from:])
}

// push answers a push.
func (b *hub) push(l *link, who standing) error {
	if !may(who.seat, actPush) {
		return errRole
	}
	o, held, err := b.gather(l, who)
	defer func() { b.room.give(held) }()
	if err != nil {
		return err
	}
	c, err := b.h.take(o)
	if err = b.fair(l.Conn(), err); err != nil {
		b.h.blame(l.Conn().RemotePeer(), "push", err)
	}
	answer := pushAnswer{}
	if answer.Status, err = verdict(err); err != nil {
		b.h.log.Error("a push could not be stored", "siren", who.siren, "error", err)
	}
	if answer.Status == statusOK {
		answer.Checkpoint = c.Signed
	}
	return l.send(l.terms.answer, answer)
}

// gather a push's pieces; held is what they take of the hub's room.
func (b *hub) gather(l *link, who standing) (o offered, held int, err error) {
	for first := true; ; first = false {
		ask, err := receive[pushAsk](l, l.terms.ask)
		if err != nil {
			return o, held, err
		}
		if first {
			o.key, o.from = feedKey{who.siren, ask.Epoch}, int64(ask.From)
		}
		if o.key.epoch != ask.Epoch || ask.From != uint64(o.from)+uint64(len(o.entries)) || len(ask.Checkpoint) == 0 && len(ask.Entries) == 0 {
			return o, held, fmt.Errorf("the pieces of a push do not follow each other: %w", errLie)
		}
		size := len(ask.Checkpoint)
		for _, e := range ask.Entries {
			size += len(e) + 24
		}
		if held+size > maxExchange {
			return o, held, fmt.Errorf("a push of more than %d bytes: %w", maxExchange, errLie)
		}
		if err := b.room.take(size); err != nil {
			return o, held, err
		}
		held += size
		o.entries = append(o.entries, ask.Entries...)
		if len(ask.Checkpoint) > 0 {
			o.signed = ask.Checkpoint
			return o, held, nil
		}
	}
}

// push what a hub does not have of the own feed, and take its cosignature. What comes
// back is checked: the same head, and signatures that count are added to ours.
func (v *visit) push(ctx context.Context, own feed.Checkpoint, known int64) (err error) {
	l, err := v.call(ctx, protocolPush)
	if err != nil {
		return err
	}
	defer func() { l.finish(err) }()
	from := min(known, own.Head.Size)
	entries, err := v.h.cfg.Own.Entries(ctx, from, own.Head.Size)
	if err != nil {
		return fmt.Errorf("reading the own feed: %w", err)
	}
	if int64(len(entries)) != own.Head.Size-from {
		return fmt.Errorf("the own feed gave %d entries for %d places", len(entries), own.Head.Size-from)
	}
	cut := pieces(entries)
	for i, part := range cut {
		ask := pushAsk{Epoch: v.epoch, From: uint64(from), Entries: part}
		if i == len(cut)-1 {
			ask.Checkpoint = own.Signed
			err = l.ask(ask)
		} else {
			err = l.send(l.terms.ask, ask)
		}
		if err != nil {
			return err
		}
		from += int64(len(part))
	}
	answer, err := receive[pushAnswer](l, l.terms.answer)
	if err != nil {
		return err
	}
	if answer.Status != statusOK {
		return refused{status: answer.Status}
	}
	return v.witnessed(ctx, own, answer.Checkpoint)
}

// witnessed takes the cosignatures of listed witnesses over the head that was pushed.
func (v *visit) witnessed(ctx context.Context, own feed.Checkpoint, signed []byte) error {
	c, err := feed.ParseCheckpoint(signed)
	if err != nil {
		return fmt.Errorf("the hub's receipt: %w: %w", err, errLie)
	}
	policy, ok := v.roster().Policy(v.h.cfg.Siren, v.epoch)
	if !ok {
		return errUnknown
	}
	if c.Origin != own.Origin || c.Head != own.Head {
		return fmt.Errorf("the hub's receipt is for another state of the feed: %w", errLie)
	}
	before := len(policy.Cosignatures(own))
	merged, err := feed.Merge(own, c)
	if err == nil {
		merged, err = policy.Trim(merged)
	}
	if err != nil {
		return fmt.Errorf("the hub's receipt: %w: %w", err, errLie)
	}
	if len(policy.Cosignatures(merged)) <= before {
		return nil
	}
	return v.h.cfg.Own.Witnessed(ctx, merged)
}
