package federation

import (
	"context"
	"fmt"
	"slices"

	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
)

// have is what the caller has of a feed.
type have struct {
	_       struct{} `cbor:",toarray"`
	Siren   public.Siren
	Epoch   uint16
	Size    uint64
	Settled bool // false: cosignatures over the same head are welcome
}

// pullAsk is a version vector.
type pullAsk struct {
	_    struct{} `cbor:",toarray"`
	All  bool     // also feeds that are not in Have
	Have []have
}

// pullAnswer is one piece of one feed. A feed's last piece has the checkpoint; after
// the last feed comes a piece of the zero Siren.
type pullAnswer struct {
	_          struct{} `cbor:",toarray"`
	Status     status
	Siren      public.Siren
	Epoch      uint16
	From       uint64
	Entries    [][]byte
	Checkpoint []byte
}

// maxHave bounds a version vector: every feed of a nation, in some epochs.
const maxHave = 8192

// pull answers a pull.
func (b *hub) pull(l *link, who standing) error {
	ask, err := receive[pullAsk](l, l.terms.ask)
	if err != nil {
		return err
	}
	if len(ask.Have) > maxHave {
		return errFrame
	}
	wanted, err := b.wanted(ask, who)
	if err = b.fair(l.Conn(), err); err != nil {
		b.h.blame(l.Conn().RemotePeer(), "pull", err)
		answer := pullAnswer{}
		if answer.Status, err = verdict(err); err != nil {
			return err
		}
		return l.send(l.terms.answer, answer)
	}
	budget := int64(maxExchange)
	for _, w := range wanted {
		if budget <= 0 {
			break // the caller comes again, and is further by then
		}
		if err := b.tell(l, who, w, &budget); err != nil {
			return err
		}
	}
	return l.send(l.terms.answer, pullAnswer{})
}

// wanted is which feeds a caller is told of, and from where on. One that it may not
// read, by name, makes the whole request a refusal.
func (b *hub) wanted(ask pullAsk, who standing) ([]have, error) {
	s := b.h.roster()
	if s == nil {
		return nil, errUnknown
	}
	if b.h.expired(s) {
		return nil, errExpired
	}
	if ask.All && !may(who.seat, actPullAll) {
		return nil, errRole
	}
	asked := map[feedKey]bool{}
	for _, w := range ask.Have {
		k := feedKey{w.Siren, w.Epoch}
		if asked[k] || w.Size > 1<<62 {
			return nil, fmt.Errorf("a feed is asked for twice, or from nowhere: %w", errLie)
		}
		asked[k] = true
		switch {
		case may(who.seat, actPullAll):
		case w.Siren == who.siren && may(who.seat, actPullOwn):
		case w.Siren != who.siren && may(who.seat, actPullGiven) && s.MayRead(who.siren, w.Siren):
		default:
			return nil, errRole
		}
	}
	out := slices.Clone(ask.Have)
	if ask.All {
		for _, f := range b.h.copies.list() {
			if !asked[f.key] {
				out = append(out, have{Siren: f.key.siren, Epoch: f.key.epoch})
			}
		}
	}
	return out, nil
}

// tell what the caller lacks of a feed. Another hub is told what is quorate, everybody
// else what is settled, both by the keys of today: what was signed with former ones is
// told again once its territory has signed it anew.
func (b *hub) tell(l *link, who standing, w have, budget *int64) error {
	k := feedKey{w.Siren, w.Epoch}
	f, ok := b.h.copies.find(k)
	if !ok {
		return nil
	}
	c := f.copy.Checkpoint()
	size := int64(w.Size)
	if c.Head.Size == 0 || c.Head.Size < size || c.Head.Size == size && w.Settled {
		return nil
	}
	r, err := ruleOf(b.h.roster(), k)
	if err != nil {
		return nil // removed from the roster, by a rule that no longer reads it
	}
	own := w.Siren == who.siren // its own words come back whole, however few have cosigned them
	if !own && r.counts(c, who.seat != seatHub) != nil {
		return nil
	}
	return b.stream(l, f, c, size, budget)
}

// stream a feed's pieces from a place to a checkpoint.
func (b *hub) stream(l *link, f *held, c feed.Checkpoint, from int64, budget *int64) error {
	piece := pullAnswer{Siren: f.key.siren, Epoch: f.key.epoch, From: uint64(from)}
	bytes := 0
	err := f.copy.Entries(from, c.Head.Size, func(i int64, e []byte) error {
		if bytes += len(e) + 8; bytes > pieceBytes && len(piece.Entries) > 0 {
			if err := l.send(l.terms.answer, piece); err != nil {
				return err
			}
			piece.From, piece.Entries, bytes = uint64(i), nil, len(e)+8
		}
		*budget -= int64(len(e))
		piece.Entries = append(piece.Entries, slices.Clone(e))
		return nil
	})
	if err != nil {
		return err
	}
	piece.Checkpoint = c.Signed
	return l.send(l.terms.answer, piece)
}

// pull asks for what this host may read and lacks. Each feed is given to take as
// soon as it is whole.
func (v *visit) pull(ctx context.Context, ask pullAsk, take func(offered) error) (err error) {
	l, err := v.call(ctx, protocolPull)
	if err != nil {
		return err
	}
	defer func() { l.finish(err) }()
	if err := l.ask(ask); err != nil {
		return err
	}
	asked := map[feedKey]uint64{}
	for _, w := range ask.Have {
		asked[feedKey{w.Siren, w.Epoch}] = w.Size
	}
	done := map[feedKey]bool{}
	for {
		o, more, err := v.whole(l)
		if err != nil || !more {
			return err
		}
		size, listed := asked[o.key]
		if done[o.key] || !listed && !ask.All || uint64(o.from) != size {
			return fmt.Errorf("the hub sends what it was not asked for: %w", errLie)
		}
		done[o.key] = true
		if err := take(o); err != nil {
			return err
		}
	}
}

// whole reads the pieces of one feed.
func (v *visit) whole(l *link) (o offered, more bool, err error) {
	size := 0
	for {
		piece, err := receive[pullAnswer](l, l.terms.answer)
		if err != nil {
			return o, false, err
		}
		if piece.Status != statusOK {
			return o, false, refused{status: piece.Status}
		}
		key := feedKey{piece.Siren, piece.Epoch}
		if o.key == (feedKey{}) {
			if piece.Siren == 0 {
				return o, false, nil
			}
			o.key, o.from = key, int64(piece.From)
		}
		if o.key != key || piece.From != uint64(o.from)+uint64(len(o.entries)) || len(piece.Checkpoint) == 0 && len(piece.Entries) == 0 {
			return o, false, fmt.Errorf("the pieces of a feed do not follow each other: %w", errLie)
		}
		for _, e := range piece.Entries {
			size += len(e) + 24
		}
		if size > 2*maxExchange {
			return o, false, fmt.Errorf("a feed of more than %d bytes: %w", 2*maxExchange, errLie)
		}
		o.entries = append(o.entries, piece.Entries...)
		if len(piece.Checkpoint) > 0 {
			o.signed = piece.Checkpoint
			return o, true, nil
		}
	}
}
