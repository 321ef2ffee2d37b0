// Package market folds the feeds of territories into offers of help across their
// borders and what became of them.
//
//	Open ─accept─▶ Accepted ─ack─▶ Acked ─close─▶ Closed
//	  │                │  └─lapse─▶ Lapsed (also from Acked, when the two crossed)
//	  ├─decline─▶ Declined
//	  ├─renounce─▶ Renounced ◀─renounce─┘
//	  └─the offer is withdrawn─▶ Gone; once accepted ─▶ Cancelled
//
// The territory that offers alone decides: whether slots are taken or free follows
// from the order of its own feed and the words of the interests that it names, from
// nothing else. So there is no transaction between territories, and the state is a
// function of the set of entries: whatever the order in which feeds arrive, the
// same entries give the same state. An entry that is not allowed where it stands
// has no effect and is listed with the reason.
package market

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/bippop/bippop/federation/public"
)

// ErrGap says that entries before these are missing.
var ErrGap = errors.New("entries of this feed before these are missing")

// State of an interest in an offer.
type State uint8

const (
	Open      State = 1 // the offering territory has not answered
	Declined  State = 2
	Accepted  State = 3 // waits for the acknowledgement of the one who asked
	Acked     State = 4 // the volunteer may call the requesting office
	Closed    State = 5 // it is over, see Outcome
	Renounced State = 6 // by the one who asked, before or after it was met
	Lapsed    State = 7 // accepted, and its slots are free again
	Gone      State = 8 // the offer was withdrawn before anybody answered
	Cancelled State = 9 // the offer was withdrawn although this was accepted
)

// Ended reports whether nothing follows any more.
func (s State) Ended() bool { return s != Open && s != Accepted && s != Acked }

// Offer of a territory, by the place of its entry.
type Offer struct {
	Name public.Ref
	public.Offer
	Made      public.Day
	Withdrawn bool
	Taken     uint8 // slots of accepted interests that did not lapse: at most Slots
}

// Left is how many slots are free.
func (o Offer) Left() int { return int(o.Slots) - int(o.Taken) }

// End is the first day after its last week.
func (o Offer) End() public.Day { return End(o.Offer) }

// End is the first day after the last week of an offer.
func End(o public.Offer) public.Day { return o.From + 7*public.Day(o.Weeks) }

// Live reports whether it can still be asked for on that day.
func (o Offer) Live(today public.Day) bool { return !o.Withdrawn && today < o.End() }

// Match is an interest in an offer and what became of it.
type Match struct {
	Name     public.Ref // of the interest; From is the territory that asks
	Offer    public.Ref // From is the territory that offers
	Slots    uint8
	Week     uint8 // of the offer, from 0
	State    State
	Shown    public.Day
	Answered public.Day     // accepted or declined; 0: neither
	Answer   public.Ref     // the entry that accepts or declines
	Ended    public.Ref     // the entry of the offering side that ended it: declined, lapsed, closed, or withdrew the offer
	Why      public.Why     // of Declined
	Outcome  public.Outcome // of Closed
}

// Reason says why an entry has no effect.
type Reason uint8

const (
	Unknown     Reason = 1 // names something that is not known, or not yet
	NotTheirs   Reason = 2 // about somebody else's offer or interest
	Over        Reason = 3 // the offer was withdrawn, or its last day is over
	Full        Reason = 4 // more slots than are left
	Beyond      Reason = 5 // more slots, or a later week, than the offer ever had
	Twice       Reason = 6 // was said before, or the contrary of it
	NotAccepted Reason = 7 // follows an acceptance that there is not
	Misplaced   Reason = 8 // no entry in its right form, or not at its own place
)

// Ignored is an entry without effect.
type Ignored struct {
	Name   public.Ref
	Reason Reason
}

// Market is the fold. Safe for concurrent use. The zero Market is empty.
type Market struct {
	mu    sync.Mutex
	feeds map[place]*entries
	fold  *fold // nil: entries have come since
}

// place is one epoch of one feed.
type place struct {
	siren public.Siren
	epoch uint16
}

// entries of a feed that the market is about.
type entries struct {
	size   uint64 // of the feed, other entries included
	kept   []kept
	broken []uint64 // places of what is no entry
	newest []byte
}

type kept struct {
	entry public.Entry
	bytes []byte
}

// Take adds entries of a feed, the first of them at place from. Those that are
// known already are passed over. [ErrGap]: nothing was taken. A kind that this
// program does not know has no part in a market. Take keeps the bytes.
func (m *Market) Take(siren public.Siren, epoch uint16, from uint64, bytes [][]byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := place{siren, epoch}
	f := m.feeds[at]
	if f == nil {
		f = &entries{}
	}
	if from > f.size {
		return ErrGap
	}
	if m.feeds == nil {
		m.feeds = map[place]*entries{}
	}
	m.feeds[at] = f
	for i, b := range bytes {
		seq := from + uint64(i)
		if seq < f.size {
			continue
		}
		f.size, f.newest, m.fold = seq+1, b, nil
		e, err := public.Decode(b)
		switch {
		case errors.Is(err, public.ErrKind):
		case err != nil, e.From != siren, e.Epoch != epoch, e.Seq != seq:
			f.broken = append(f.broken, seq)
		case concerns(e.Body):
			f.kept = append(f.kept, kept{e, b})
		}
	}
	return nil
}

// concerns reports whether a market is about the message.
func concerns(m public.Message) bool {
	switch m.(type) {
	case public.Offer, public.Withdraw, public.Accept, public.Decline, public.Lapse, public.Interest, public.Renounce, public.Ack, public.Close, public.Retract:
		return true
	}
	return false
}

// Size is how many entries of a feed were taken: the place from which on Take
// wants more.
func (m *Market) Size(siren public.Siren, epoch uint16) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f := m.feeds[place{siren, epoch}]; f != nil {
		return f.size
	}
	return 0
}

// Newest is the last entry of the territory's newest epoch; nil when there is
// none.
func (m *Market) Newest(siren public.Siren) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	var last place
	for at := range m.feeds {
		if at.siren == siren && at.epoch >= last.epoch {
			last = at
		}
	}
	if f := m.feeds[last]; f != nil {
		return f.newest
	}
	return nil
}

// Entry is the bytes of an entry that a market is about; nil when it is not known.
func (m *Market) Entry(name public.Ref) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.feeds[place{name.From, name.Epoch}]
	if f == nil {
		return nil
	}
	for _, k := range f.kept {
		if k.entry.Seq == name.Seq {
			return k.bytes
		}
	}
	return nil
}

// Renounced is the entry by which an interest was renounced; nil when it was not.
func (m *Market) Renounced(interest public.Ref) []byte {
	s := m.folded()
	if name, ok := s.renounced[interest]; ok {
		return m.Entry(name)
	}
	return nil
}

// Offers lists the offers of others that the viewer can still ask for on that day:
// live, with slots left; by territory and place.
func (m *Market) Offers(viewer public.Siren, today public.Day) (out []Offer) {
	s := m.folded()
	for _, name := range s.offerNames() {
		if o := s.offers[name]; name.From != viewer && o.Live(today) && o.Left() > 0 {
			out = append(out, *o)
		}
	}
	return out
}

// Offer finds one.
func (m *Market) Offer(name public.Ref) (Offer, bool) {
	if o, ok := m.folded().offers[name]; ok {
		return *o, true
	}
	return Offer{}, false
}

// Match finds an interest that counts.
func (m *Market) Match(name public.Ref) (Match, bool) {
	if x, ok := m.folded().matches[name]; ok && x.counts {
		return x.Match, true
	}
	return Match{}, false
}

// Matches lists the interests in which the territory has a part, on either side,
// and that were accepted at some time; by territory and place.
func (m *Market) Matches(of public.Siren) []Match {
	return m.list(func(x *match) bool { return x.accepted && (x.Name.From == of || x.Offer.From == of) })
}

// Interests lists the interests that others have shown in offers of that
// territory and that wait for its answer.
func (m *Market) Interests(in public.Siren) []Match {
	return m.list(func(x *match) bool { return x.Offer.From == in && x.State == Open })
}

func (m *Market) list(wanted func(*match) bool) (out []Match) {
	s := m.folded()
	for _, name := range s.matchNames() {
		if x := s.matches[name]; x.counts && wanted(x) {
			out = append(out, x.Match)
		}
	}
	return out
}

// Ignored lists the entries that have no effect, by territory and place.
func (m *Market) Ignored() []Ignored { return slices.Clone(m.folded().ignored) }

// folded is the present state; it does not change any more.
func (m *Market) folded() *fold {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fold == nil {
		m.fold = newFold(m.feeds)
	}
	return m.fold
}

func byRef(a, b public.Ref) int {
	return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Epoch, b.Epoch), cmp.Compare(a.Seq, b.Seq))
}

func (s *fold) offerNames() []public.Ref { return slices.SortedFunc(maps.Keys(s.offers), byRef) }
func (s *fold) matchNames() []public.Ref { return slices.SortedFunc(maps.Keys(s.matches), byRef) }
