package federation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
)

// A hub's word is a checkpoint that it has signed at this moment: what it holds of a
// feed, also nothing. A territory hears the words of as many witnesses as must sign
// before it speaks. The first hub that it calls brings those of the others: they are
// signed by the others and dated, so it can neither invent one nor bring one of before
// the territory's host was opened, that is of before a disk was put back.

// wordAsk asks a hub for its word on feeds that another hub was asked about.
type wordAsk struct {
	_     struct{} `cbor:",toarray"`
	Feeds []wordOf
}

type wordOf struct {
	_     struct{} `cbor:",toarray"`
	Siren public.Siren
	Epoch uint16
}

// wordAnswer has a word for each feed that was asked for, in order. An empty one: it
// gives none, and the territory is to ask it itself.
type wordAnswer struct {
	_      struct{} `cbor:",toarray"`
	Status status
	Words  [][]byte
}

const (
	mostWords    = 64                     // feeds in one question
	mostOthers   = 4                      // hubs whose words a territory gets beside that of the hub it calls
	mostWord     = 3 << 10                // bytes of one, so that no hub's word keeps another hub from answering HELLO
	othersWithin = 2 * time.Second        // a territory does not wait longer for them: it calls the others itself
	oneWithin    = 600 * time.Millisecond // a hub whose connection is dead keeps nobody from asking the next
	// wordAhead is how far a witness's clock may be before ours for its word to be
	// taken from another hub.
	wordAhead = 2 * time.Second
)

// word is what the hub holds of a feed, signed now.
func (b *hub) word(k feedKey, now time.Time) (feed.Checkpoint, error) {
	c := feed.Checkpoint{Origin: feed.EgressOrigin(k.siren, k.epoch), Head: feed.EmptyHead()}
	if f, ok := b.h.copies.find(k); ok && f.copy.Head().Size > 0 {
		c = f.copy.Checkpoint()
	}
	return b.signer.Sign(c, now)
}

// words answers another hub. Of a feed that is frozen here it gives none: its writer
// is to hear that at HELLO.
func (b *hub) words(l *link, who standing) error {
	if !may(who.seat, actWord) {
		return errRole
	}
	ask, err := receive[wordAsk](l, l.terms.ask)
	if err != nil {
		return err
	}
	if len(ask.Feeds) > mostWords {
		return errFrame
	}
	var answer wordAnswer
	if s := b.h.roster(); s == nil || b.h.expired(s) {
		answer.Status = statusExpired
		return l.send(l.terms.answer, answer)
	}
	for _, f := range ask.Feeds {
		var signed []byte
		if k := (feedKey{f.Siren, f.Epoch}); !b.frozen(k) {
			c, err := b.word(k, b.h.now())
			if err != nil {
				return err
			}
			signed = c.Signed
		}
		answer.Words = append(answer.Words, signed)
	}
	return l.send(l.terms.answer, answer)
}

// others asks the other hubs for their words, for all territories that want them at
// one time together: a nation that begins at one instant is a few questions. Safe for
// concurrent use.
type others struct {
	h     *Host
	wants chan *wanted
}

// wanted is what one territory waits for.
type wanted struct {
	of    wordOf
	hubs  int // whose words it wants
	words [][]byte
	done  chan struct{}
}

func newOthers(h *Host) *others { return &others{h, make(chan *wanted)} }

// words of so many other witnesses on a feed, or of fewer.
func (o *others) words(ctx context.Context, k feedKey, hubs int) [][]byte {
	ctx, cancel := context.WithTimeout(ctx, othersWithin)
	defer cancel()
	w := &wanted{of: wordOf{Siren: k.siren, Epoch: k.epoch}, hubs: min(hubs, mostOthers), done: make(chan struct{})}
	select {
	case o.wants <- w:
	case <-ctx.Done():
		return nil
	}
	select {
	case <-w.done:
		return w.words
	case <-ctx.Done():
		return nil
	}
}

// run asks until the host is closed.
func (o *others) run() {
	for {
		var all []*wanted
		select {
		case w := <-o.wants:
			all = append(all, w)
		case <-o.h.ctx.Done():
			return
		}
		for more := true; more && len(all) < mostWords; {
			select {
			case w := <-o.wants:
				all = append(all, w)
			default:
				more = false
			}
		}
		o.ask(all)
		for _, w := range all {
			close(w.done)
		}
	}
}

// ask one hub after the other until everybody has what he wants, or there is none
// more. Only hubs that are connected are asked.
func (o *others) ask(all []*wanted) {
	ctx, cancel := context.WithTimeout(o.h.ctx, othersWithin)
	defer cancel()
	s := o.h.roster()
	if s == nil {
		return
	}
	for _, hub := range s.Hubs {
		var lacking []*wanted
		var ask wordAsk
		for _, w := range all {
			if len(w.words) < w.hubs {
				lacking, ask.Feeds = append(lacking, w), append(ask.Feeds, w.of)
			}
		}
		if len(lacking) == 0 || ctx.Err() != nil {
			return
		}
		if !hub.Witness || hub.Peer == o.h.id.String() {
			continue
		}
		v, connected := o.h.leaf.at(hub)
		if !connected {
			continue
		}
		words, err := func() ([][]byte, error) {
			ctx, cancel := context.WithTimeout(ctx, oneWithin)
			defer cancel()
			return v.words(ctx, ask)
		}()
		if err != nil {
			o.h.log.Info("a hub does not say what it holds; territories call it themselves", "hub", hub.Name, "error", err)
			continue
		}
		for i, w := range lacking {
			if n := len(words[i]); n > 0 && n <= mostWord {
				w.words = append(w.words, words[i])
			}
		}
	}
}

// words of a hub, as many as feeds that are asked for.
func (v *visit) words(ctx context.Context, ask wordAsk) (_ [][]byte, err error) {
	l, err := v.call(ctx, protocolWord)
	if err != nil {
		return nil, err
	}
	defer func() { l.finish(err) }()
	if err = l.ask(ask); err != nil {
		return nil, err
	}
	answer, err := receive[wordAnswer](l, l.terms.answer)
	switch {
	case err != nil:
		return nil, err
	case answer.Status != statusOK:
		return nil, refused{status: answer.Status}
	case len(answer.Words) != len(ask.Feeds):
		return nil, fmt.Errorf("%d words on %d feeds: %w", len(answer.Words), len(ask.Feeds), errLie)
	}
	return answer.Words, nil
}

// hear compares the own feed with the words of other hubs that this hub brings. One
// counts when the other hub has signed it since this host was opened. What does not
// hold changes nothing, and neither does one that this hub cannot make good: then that
// hub is called. A fork stops everything, whoever brings it.
func (v *visit) hear(ctx context.Context, s *roster.State, p feed.Policy) error {
	now := v.h.now()
	for _, signed := range v.hello.Others {
		c, err := feed.ParseCheckpoint(signed)
		if err != nil {
			continue
		}
		for _, w := range p.Cosignatures(c) {
			hub, ok := witness(s, w.Witness)
			if !ok || w.At.Before(v.h.leaf.since) || w.At.Sub(now) > wordAhead {
				continue
			}
			if err := v.compare(ctx, v.h.leaf.contact(hub), c); errors.Is(err, feed.ErrFork) {
				return err
			}
		}
	}
	return nil
}

// witness whose key this is.
func witness(s *roster.State, key string) (roster.Hub, bool) {
	for _, h := range s.Hubs {
		if h.Witness && h.Key == key {
			return h, true
		}
	}
	return roster.Hub{}, false
}
