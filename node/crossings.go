package node

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/bippop/bippop/federation/market"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/across"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// NeighbourOffer is what a neighbouring territory offers.
type NeighbourOffer struct {
	Name Ref
	public.Offer
	By   Office
	Left int
	From Day
	Last Day
}

// Wanting is a neighbour's interest in an offer of ours that waits for an answer.
type Wanting struct {
	Name Ref
	By   Office
	Week Day // its Monday
}

// Meeting is a neighbour's interest that was answered.
type Meeting struct {
	across.Met
	By    Office
	Him   Volunteer
	Week  Day          // its Monday
	State market.State // as both feeds say
}

// Consenting is a volunteer whom an offer names, and what he has said.
type Consenting struct {
	across.Asked
	Him Volunteer
}

// CrossOffer is an offer of ours, whole.
type CrossOffer struct {
	across.Offer
	First   Day
	Last    Day
	Asks    []Consenting
	Waiting []Wanting
	Meets   []Meeting
	Ready   bool // everybody has said yes: it may be published
}

// CrossInterest is an interest of ours, whole.
type CrossInterest struct {
	across.Interest
	By    Office
	Visit Visit
	Week  Day // its Monday
	Now   market.State
	Why   public.Why
}

// Crossing is everything about help across borders on one page.
type Crossing struct {
	Member  bool // of a federation
	Hears   bool // this replica knows what the neighbours say
	Ours    []CrossOffer
	Asked   []CrossInterest
	Offered []NeighbourOffer
}

// mostCrossings is how many offers and interests a page shows, the newest first.
const mostCrossings = 50

// Board shows our offers, who asks, what we ask for, and what neighbours offer.
func (s *Across) Board(by Caller) (c Crossing, err error) {
	if err := by.may(HandleRequests); err != nil {
		return c, err
	}
	m, err := s.market()
	if err != nil && err != error(errElsewhere) {
		return c, err
	}
	c.Hears = m != nil
	zone := s.zone()
	err = s.view(by, func(tx *store.Tx) error {
		member, _, err := store.Memberships.Get(tx, []byte{0})
		if err != nil {
			return err
		}
		c.Member = member.Belongs()
		r := s.reader(by, tx, zone)
		var offers []across.Offer
		var interests []across.Interest
		if err := store.CrossOffers.Each(tx, nil, func(o across.Offer) bool { offers = append(offers, o); return true }); err != nil {
			return err
		}
		if err := store.Interests.Each(tx, nil, func(i across.Interest) bool { interests = append(interests, i); return true }); err != nil {
			return err
		}
		for n := len(offers) - 1; n >= 0 && len(c.Ours) < mostCrossings; n-- {
			if o := offers[n]; o.Waits() || o.End() > feedDay(s.today()-14) && o.State != across.Dropped {
				ours, err := crossingsSeen{s}.ours(r, m, o)
				if err != nil {
					return err
				}
				c.Ours = append(c.Ours, ours)
			}
		}
		for n := len(interests) - 1; n >= 0 && len(c.Asked) < mostCrossings; n-- {
			if i := interests[n]; i.State.Live() || i.Moved > s.clock()-14*24*3600_000 {
				asked, err := crossingsSeen{s}.asked(r, m, i)
				if err != nil {
					return err
				}
				c.Asked = append(c.Asked, asked)
			}
		}
		return nil
	})
	if err == nil && m != nil {
		c.Offered = crossingsSeen{s}.offered(m, func(market.Offer) bool { return true })
	}
	return c, err
}

// crossingsSeen opens what a page shows.
type crossingsSeen struct{ *Across }

// offered lists what neighbours offer now.
func (s crossingsSeen) offered(m *market.Market, wanted func(market.Offer) bool) (out []NeighbourOffer) {
	own, err := public.ParseSiren(s.siren)
	if err != nil {
		return nil
	}
	for _, o := range m.Offers(own, feedDay(s.today())) {
		if wanted(o) {
			out = append(out, NeighbourOffer{Name: o.Name, Offer: o.Offer, By: s.office(o.Name.From), Left: o.Left(), From: dayOfFeed(o.From), Last: dayOfFeed(o.End()) - 1})
		}
	}
	return out
}

func (s crossingsSeen) ours(r *reader, m *market.Market, o across.Offer) (out CrossOffer, err error) {
	first := dayOfFeed(o.Terms.From)
	out = CrossOffer{Offer: o, First: first, Last: dayOfFeed(o.End()) - 1, Ready: o.State == across.Preparing && !o.Unsupported()}
	for _, a := range o.Asked {
		c := Consenting{Asked: a}
		if c.Him, err = r.volunteer(a.Volunteer); err != nil {
			return out, err
		}
		out.Asks = append(out.Asks, c)
		out.Ready = out.Ready && a.Consent != across.NoAnswer
	}
	for _, met := range o.Met {
		x := Meeting{Met: met, By: s.office(met.Interest.From), Week: first + 7*Day(met.Week)}
		if x.Him, err = r.volunteer(met.Volunteer); err != nil {
			return out, err
		}
		if m != nil {
			known, _ := m.Match(met.Interest)
			x.State = known.State
		}
		out.Meets = append(out.Meets, x)
	}
	if m == nil || o.State != across.Published {
		return out, nil
	}
	for _, w := range m.Interests(o.Name.From) {
		if _, answered := o.Answered(w.Name); w.Offer == o.Name && !answered {
			out.Waiting = append(out.Waiting, Wanting{Name: w.Name, By: s.office(w.Name.From), Week: first + 7*Day(w.Week)})
		}
	}
	return out, nil
}

func (s crossingsSeen) asked(r *reader, m *market.Market, i across.Interest) (out CrossInterest, err error) {
	out = CrossInterest{Interest: i, By: s.office(i.Offer.From)}
	if i.Terms.From != 0 {
		out.Week = dayOfFeed(i.Terms.From) + 7*Day(i.Week)
	}
	if m != nil {
		x, _ := m.Match(i.Name)
		out.Now, out.Why = x.State, x.Why
	}
	if i.Request.Zero() {
		return out, nil
	}
	q, there, err := store.Requests.Get(r.tx, i.Request[:])
	if err != nil || !there {
		return out, err
	}
	out.Visit, err = r.visit(q)
	return out, err
}

// Fitting is what neighbours could do for one request.
type Fitting struct {
	Member bool             // of a federation
	Hears  bool             // this replica knows what the neighbours say
	Mine   *CrossInterest   // that was shown for it and is alive
	Offers []NeighbourOffer // that answer its kind and its wish, unless somebody was asked
}

// For is what neighbours could do for a request that looks for somebody.
func (s *Across) For(by Caller, id RequestID) (f Fitting, err error) {
	if err := by.may(HandleRequests); err != nil {
		return f, err
	}
	m, err := s.market()
	if err != nil && err != error(errElsewhere) {
		return f, err
	}
	f.Hears = m != nil
	zone := s.zone()
	var q request.Request
	var t ActionType
	err = s.view(by, func(tx *store.Tx) error {
		var there bool
		if q, there, err = store.Requests.Get(tx, id[:]); err != nil || !there {
			return err
		}
		if t, err = actionTypeIn(tx, q.Type); err != nil {
			return err
		}
		member, _, err := store.Memberships.Get(tx, []byte{0})
		if err != nil {
			return err
		}
		f.Member = member.Belongs()
		interests, err := ids(tx, view.InterestsFor(id), 100)
		if err != nil {
			return err
		}
		for _, interest := range interests {
			i, _, err := store.Interests.Get(tx, interest[:])
			if err != nil {
				return err
			}
			if !i.State.Live() {
				continue
			}
			mine, err := crossingsSeen{s}.asked(s.reader(by, tx, zone), m, i)
			if err != nil {
				return err
			}
			f.Mine = &mine
		}
		return nil
	})
	if err != nil || m == nil || f.Mine != nil || !q.State.Looking() {
		return f, err
	}
	f.Offers = crossingsSeen{s}.offered(m, func(o market.Offer) bool {
		_, fits := s.week(o.Offer, q.Wish)
		return fits && o.Category == t.Category
	})
	return f, nil
}

// MyCrossing is an offer to neighbours as a volunteer sees it who stands in it.
type MyCrossing struct {
	ID       CrossOfferID
	Terms    public.Offer
	First    Day
	Last     Day
	Consent  across.Consent
	Question bool // he is asked, and has not answered
	Calls    []MyOffice
}

// MyOffice is an office that the volunteer is asked to call.
type MyOffice struct {
	Interest Ref
	Office
	Week  Day
	Heard bool
}

// Mine lists the offers to neighbours in which the calling volunteer stands and that
// are not over.
func (s *Across) Mine(by Caller) (out []MyCrossing, err error) {
	if err := by.may(SeeOwnRequests); err != nil {
		return nil, err
	}
	if by.Volunteer.Zero() {
		return nil, errForbidden
	}
	err = s.view(by, func(tx *store.Tx) error {
		v, _, err := store.Volunteers.Get(tx, by.Volunteer[:])
		if err != nil || v.Status != people.Approved {
			return err
		}
		all, err := ids(tx, view.CrossOffersOf(by.Volunteer), mostCrossings)
		if err != nil {
			return err
		}
		for _, id := range all {
			o, _, err := store.CrossOffers.Get(tx, id[:])
			if err != nil {
				return err
			}
			if !o.Waits() {
				continue
			}
			out = append(out, crossingsSeen{s}.mine(o, by.Volunteer))
		}
		return nil
	})
	return out, err
}

func (s crossingsSeen) mine(o across.Offer, v VolunteerID) MyCrossing {
	first := dayOfFeed(o.Terms.From)
	asked, there := o.Of(v)
	m := MyCrossing{
		ID: o.ID, Terms: o.Terms, First: first, Last: dayOfFeed(o.End()) - 1, Consent: asked.Consent,
		Question: there && o.State.Live() && asked.Consent == across.NoAnswer,
	}
	for _, met := range o.Met {
		if met.Volunteer == v && met.State == across.MetAccepted {
			m.Calls = append(m.Calls, MyOffice{Interest: met.Interest, Office: s.office(met.Interest.From), Week: first + 7*Day(met.Week), Heard: met.Heard != 0})
		}
	}
	return m
}

// ParseRef reads what [RefText] writes.
func ParseRef(s string) (r Ref, err error) {
	wrong := invalid("name", "cross-entry", "this is no name of an entry: SIREN, epoch and number, with dots between")
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return r, wrong
	}
	if r.From, err = public.ParseSiren(parts[0]); err != nil {
		return r, wrong
	}
	epoch, err := strconv.ParseUint(parts[1], 10, 16)
	if err != nil {
		return r, wrong
	}
	if r.Seq, err = strconv.ParseUint(parts[2], 10, 64); err != nil {
		return r, wrong
	}
	r.Epoch = uint16(epoch)
	return r, nil
}

// RefText names an entry of a feed: "200069599.1.12".
func RefText(r Ref) string {
	return fmt.Sprintf("%s.%d.%d", r.From, r.Epoch, r.Seq)
}
