package node

import (
	"context"
	"errors"
	"sync"

	"github.com/bippop/bippop/federation/market"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/across"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/egress"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// hearsay is what this replica knows of the neighbours' feeds while it leads: it
// begins empty, hears every feed from its first entry on, settled entries only, and
// forgets all when another one leads. Safe for concurrent use.
type hearsay struct {
	mu     sync.Mutex // guards market, for a look; the market guards itself
	market *market.Market
}

func (h *hearsay) begin() { h.set(&market.Market{}) }
func (h *hearsay) end()   { h.set(nil) }

func (h *hearsay) set(m *market.Market) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.market = m
}

func (h *hearsay) present() *market.Market {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.market
}

// heard takes entries of one feed, from a place on. A gap is left open: whoever
// tells begins anew.
func (h *hearsay) heard(siren public.Siren, epoch uint16, from int64, entries [][]byte) {
	if m := h.present(); m != nil {
		_ = m.Take(siren, epoch, uint64(max(0, from)), entries)
	}
}

// errElsewhere says that this replica does not hear the neighbours.
var errElsewhere = &Error{Kind: Unavailable, Code: "neighbours-unheard", Reason: "this replica has not heard the neighbouring territories yet; try again in a moment"}

// market is the fold of what the neighbours have said and of our own feed to its
// last entry. Whoever hears nobody gets errElsewhere.
func (s *Across) market() (*market.Market, error) {
	m := s.hearsay.present()
	if m == nil {
		return nil, errElsewhere
	}
	siren, err := public.ParseSiren(s.siren)
	if err != nil {
		return nil, err
	}
	err = s.view(itself, func(tx *store.Tx) error {
		var feeds []egress.Feed
		err := store.Feeds.Each(tx, nil, func(f egress.Feed) bool { feeds = append(feeds, f); return true })
		if err != nil {
			return err
		}
		for _, f := range feeds {
			if err := takeOwn(tx, m, siren, f); err != nil {
				return err
			}
		}
		return nil
	})
	return m, err
}

// takeOwn hands the market what it lacks of one epoch of our own feed.
func takeOwn(tx *store.Tx, m *market.Market, siren public.Siren, f egress.Feed) error {
	from := m.Size(siren, f.Epoch)
	var entries [][]byte
	for seq := from; seq < f.Size; seq++ {
		l, ok, err := store.Leaves.Get(tx, egress.Key(f.Epoch, seq))
		if err != nil {
			return err
		}
		if !ok {
			break // what was left out when a new epoch began
		}
		entries = append(entries, l.Bytes)
	}
	return m.Take(siren, f.Epoch, from, entries)
}

// crossingsDue are what comes about by itself: the ticker proposes, the machine
// checks again.
type crossingsDue struct{ *Across }

// propose proposes what has come about by itself: offers whose last day is over, or
// that no volunteer stands behind any more; acceptances that nobody took up;
// interests that the neighbour has ended, or whose request needs nobody any more.
func (s crossingsDue) propose(ctx context.Context) error {
	var offers []across.Offer
	var interests []across.Interest
	open := map[InterestID]bool{}
	err := s.view(itself, func(tx *store.Tx) error {
		ours, err := ids(tx, view.LiveCrossOffers(), 1000)
		if err != nil {
			return err
		}
		for _, id := range ours {
			o, _, err := store.CrossOffers.Get(tx, id[:])
			if err != nil {
				return err
			}
			offers = append(offers, o)
		}
		asked, err := ids(tx, view.LiveInterests(), 1000)
		if err != nil {
			return err
		}
		for _, id := range asked {
			i, _, err := store.Interests.Get(tx, id[:])
			if err != nil {
				return err
			}
			interests = append(interests, i)
			r, there, err := store.Requests.Get(tx, i.Request[:])
			if err != nil {
				return err
			}
			open[i.ID] = there && (r.State.Looking() || i.State == across.Acked && !r.State.Closed())
		}
		return nil
	})
	m := s.hearsay.present()
	if m != nil && err == nil {
		m, err = s.market()
	}
	if err != nil {
		return err
	}
	var faults []error // one that is stuck is in no other's way
	for _, o := range offers {
		faults = append(faults, s.offer(ctx, m, o))
	}
	for _, i := range interests {
		faults = append(faults, s.interest(ctx, m, i, open[i.ID]))
	}
	return errors.Join(faults...)
}

func (s crossingsDue) offer(ctx context.Context, m *market.Market, o across.Offer) (err error) {
	switch {
	case o.State.Live() && public.DayOf(s.now()) >= o.End():
		_, err = s.core.propose(ctx, command.EndCrossOffer{Stamp: s.own(), ID: o.ID})
	case o.State == across.Published && o.Unsupported():
		_, err = s.end(ctx, s.own(), o)
	}
	for _, met := range o.Met {
		if err != nil || m == nil || met.State != across.MetAccepted {
			continue
		}
		x, ok := m.Match(met.Interest)
		var spoken []byte
		switch {
		case ok && x.State == market.Renounced:
			spoken = m.Renounced(met.Interest)
		case ok && x.State == market.Accepted && s.clock()-met.At >= across.LapseAfter:
		case ok && x.State == market.Accepted && s.clock()-met.At >= across.LapseIfSpoken && s.spoke(m, met):
			spoken = m.Newest(met.Interest.From)
		default:
			continue
		}
		_, err = s.proposeEntry(ctx, public.Lapse{Interest: met.Interest}, func(entry []byte) command.Command {
			return command.LapseInterest{Stamp: s.own(), ID: o.ID, Spoken: spoken, Entry: entry}
		})
	}
	return err
}

// spoke reports whether the asking territory has said anything since.
func (s crossingsDue) spoke(m *market.Market, met across.Met) bool {
	e, err := public.Decode(m.Newest(met.Interest.From))
	return err == nil && e.Day > public.DayOf(met.At.Time())
}

func (s crossingsDue) interest(ctx context.Context, m *market.Market, i across.Interest, needed bool) (err error) {
	if m != nil {
		x, ok := m.Match(i.Name)
		ended := x.State == market.Declined || x.State == market.Lapsed || x.State == market.Gone || x.State == market.Cancelled
		if ok && (ended || x.State == market.Closed && x.Outcome == public.NoMatch) && x.Ended != (public.Ref{}) {
			_, err = s.core.propose(ctx, command.EndInterest{Stamp: s.own(), ID: i.ID, Other: m.Entry(x.Ended)})
			return err
		}
	}
	if !needed {
		_, err = s.renounce(ctx, s.own(), i)
	}
	return err
}
