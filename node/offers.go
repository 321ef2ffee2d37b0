package node

import (
	"cmp"
	"context"
	"slices"
	"sort"
	"time"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/dispatch"
	"github.com/bippop/bippop/node/internal/geo"
	"github.com/bippop/bippop/node/internal/offer"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
	"github.com/bippop/bippop/node/internal/when"
)

// Offers are what volunteers propose before anybody asks: "on Thursday I shop in
// Langon, two people may profit". Each becomes a short list of calls.
type Offers struct{ *core }

// Offer is one proposal, with who made it and what of it is left.
type Offer struct {
	offer.Offer
	Him   Volunteer
	Kinds []ActionType
	Line  Secret // his words: "10 kg, coffre de Clio"
}

// Wish is when he comes, as people say it of a request.
func (o Offer) Wish() Wish {
	return Wish{Kind: request.OnDay, Day: o.Trip.Day, Half: o.Trip.Half, Minute: o.Trip.Minute}
}

// NewOffer is what a volunteer proposes.
type NewOffer struct {
	Volunteer   VolunteerID
	Types       []TypeID // 1 to 3
	Destination string   // INSEE code, inside the territory or not; may be empty
	Day         Day
	Half        Half
	Minute      uint16 // of the day, if he says an hour; 0: none
	Places      uint8  // people whom he can help, 1 to 8
	Line        Secret // his words, at most 200 characters
}

// Make records an offer: by the volunteer himself, or by the desk for him.
func (s *Offers) Make(ctx context.Context, by Caller, in NewOffer) (Receipt, error) {
	if err := by.mayFor(in.Volunteer, AnswerForSelf, HandleRequests); err != nil {
		return Receipt{}, err
	}
	if err := s.check(&in); err != nil {
		return Receipt{}, err
	}
	him, err := (&Volunteers{s.core}).record(by, in.Volunteer)
	if err != nil {
		return Receipt{}, err
	}
	first, err := s.actionType(in.Types[0])
	if err != nil {
		return Receipt{}, err
	}
	id := newID[OfferID]()
	var box []byte
	if !in.Line.Empty() {
		key, err := s.ring.Open(him.Leaf)
		if err != nil {
			s.health.note(err)
			return Receipt{}, explain(err)
		}
		if box, err = s.seal(key, store.Offers.Name, id, 1, offer.Words{Line: in.Line}); err != nil {
			return Receipt{}, err
		}
	}
	cell := s.cell(public.Offered, him.Offer.Commune, first.Category, BeneficiaryWords{})
	return s.propose(ctx, command.MakeOffer{
		Stamp: s.stamp(by, him.Offer.Commune), ID: id, Volunteer: him.ID, Box: box, Counts: []command.Count{command.CountOf(cell, 1)},
		Trip: offer.Trip{
			Types: in.Types, Destination: in.Destination, Day: in.Day, Half: in.Half, Minute: in.Minute, Places: in.Places,
			Until: (in.Day + 1).At(0, s.zone()),
		},
	})
}

// farthestOffer is how many days ahead somebody may propose: what lies further
// is forgotten.
const farthestOffer = 60

func (s *Offers) check(in *NewOffer) error {
	kinds := slices.Clone(in.Types)
	slices.SortFunc(kinds, func(a, b TypeID) int { return slices.Compare(a[:], b[:]) })
	switch today := s.today(); {
	case len(in.Types) == 0 || len(in.Types) > offer.MostTypes || len(slices.Compact(kinds)) != len(in.Types):
		return invalid("types", "out-of-range", "say one to three kinds of action, each once")
	case in.Day < today || in.Day > today+farthestOffer:
		return invalid("day", "day-out-of-range", "the day is over, or more than two months ahead")
	case in.Half > when.Afternoon || in.Minute >= 24*60:
		return invalid("hour", "hour-out-of-range", "say morning or afternoon, or an hour of the day")
	case in.Places < 1 || in.Places > offer.MostPlaces:
		return invalid("places", "out-of-range", "say how many people may profit: 1 to 8")
	}
	if in.Destination != "" {
		if _, ok := geo.Lookup(geo.Insee(in.Destination)); !ok {
			return invalid("destination", "commune-unknown", "this commune is not known; choose one from the list")
		}
	}
	if in.Minute > 0 {
		in.Half = when.HalfOf(int(in.Minute))
	}
	return tidyAll(line{"line", &in.Line, longestLine})
}

// Withdraw ends an offer: he cannot any more. Whom he has promised comes on the
// call-back list.
func (s *Offers) Withdraw(ctx context.Context, by Caller, id OfferID) (Receipt, error) {
	o, err := s.offer(by, id)
	if err != nil {
		return Receipt{}, err
	}
	if err := by.mayFor(o.Volunteer, AnswerForSelf, HandleRequests); err != nil {
		return Receipt{}, err
	}
	return s.propose(ctx, command.EndOffer{Stamp: s.stamp(by, ""), ID: id})
}

// Taking is "yes, she profits", said on the phone.
type Taking struct {
	Offer       OfferID
	Beneficiary BeneficiaryID
	Type        TypeID // may be left out when the offer has one
	Minute      int    // of the day, if an hour was agreed; 0: his, or the usual one
	Note        Secret // of a new request
	Exception   Secret // why one goes alone where the rule says two
}

// Take gives her a place and him the seat, and notes that she knows: she is on
// the line. An open request of hers that the offer answers is the one that he
// gets; else one is made. Answers with the request.
func (s *Offers) Take(ctx context.Context, by Caller, in Taking) (Receipt, error) {
	if err := by.may(HandleRequests); err != nil {
		return Receipt{}, err
	}
	o, err := s.offer(by, in.Offer)
	if err != nil {
		return Receipt{}, err
	}
	if in.Type.Zero() && len(o.Trip.Types) == 1 {
		in.Type = o.Trip.Types[0]
	}
	if in.Type.Zero() {
		return Receipt{}, invalid("type", "missing", "say which of the kinds that he offers")
	}
	b, t, err := s.personAndType(by, in.Beneficiary, in.Type)
	if err != nil {
		return Receipt{}, err
	}
	if err := tidyAll(line{"note", &in.Note, longestNote}, line{"exception", &in.Exception, longestLine}); err != nil {
		return Receipt{}, err
	}
	if in.Minute < 0 || in.Minute >= 24*60 {
		return Receipt{}, invalid("hour", "hour-out-of-range", "this is not an hour of the day")
	}
	if in.Minute > 0 {
		o.Trip.Minute = uint16(in.Minute) // agreed; the machine checks it against what he said
	}
	c := command.TakeOffer{
		Stamp: s.stamp(by, b.Commune), ID: o.ID, Beneficiary: b.ID, Type: t.ID, Attempt: newID[AttemptID](),
	}
	opened := c.At
	hers, found, err := s.hers(by, o, b.ID, t.ID)
	if err != nil {
		return Receipt{}, err
	}
	minute := 0
	if found {
		c.Request, c.Version, opened = hers.ID, hers.Version, hers.Opened
		minute, _ = s.hour(o, hers)
	} else {
		c.Request = newID[RequestID]()
		minute, _ = dispatch.Hour(o.Trip, Wish{})
		if c.Plan, err = planOf(NewRequest{Seats: 1, Exception: in.Exception}, b.Beneficiary, t); err != nil {
			return Receipt{}, err
		}
		if c.Box, err = s.sealForHer(b.Leaf, store.Requests.Name, c.Request, 1, request.Words{Note: in.Note, Exception: in.Exception}); err != nil {
			return Receipt{}, err
		}
	}
	c.Counts = s.counts(b, t, 1, append(foundIn(opened, c.At), public.Requested, public.Found, public.Told)...)
	c.Minute, c.Start = uint16(minute), o.Trip.Day.At(minute, s.zone())
	return s.propose(ctx, c)
}

// hour is when he would come to an open request of hers, and whether that
// answers it.
func (s *Offers) hour(o offer.Offer, r request.Request) (minute int, ok bool) {
	if len(r.Coming()) == 0 {
		return dispatch.Hour(o.Trip, r.Wish)
	}
	start := r.Plan.Start.Time().In(s.zone())
	minute = start.Hour()*60 + start.Minute()
	_, ok = dispatch.Hour(o.Trip, Wish{Kind: request.OnDay, Day: DayOf(start), Minute: uint16(minute), Half: when.HalfOf(minute)})
	return minute, ok
}

// hers is an open request of hers that the offer answers, the most pressing one.
func (s *Offers) hers(by Caller, o offer.Offer, who BeneficiaryID, what TypeID) (best request.Request, found bool, err error) {
	err = s.view(by, func(tx *store.Tx) error {
		recent, err := newest(tx, view.OfPerson(who), mostOpen)
		if err != nil {
			return err
		}
		for _, id := range recent {
			r, _, err := store.Requests.Get(tx, id[:])
			if err != nil {
				return err
			}
			if _, fits := s.hour(o, r); !fits || r.Type != what || !r.State.Looking() {
				continue
			}
			if !found || pressing(r) < pressing(best) {
				best, found = r, true
			}
		}
		return nil
	})
	return best, found, err
}

// mostOpen is how far back an open request of one person is looked for.
const mostOpen = 25

func pressing(r request.Request) uint32 { return uint32(r.Wish.Latest()) - 1 }

// newest lists the last requests of a list that sorts by age.
func newest(tx *store.Tx, l view.List, most int) (out []RequestID, err error) {
	err = view.Each(tx, l, nil, true, func(id RequestID, _ []byte) bool {
		out = append(out, id)
		return len(out) < most
	})
	return out, err
}

// Decline notes that she does not wish to profit from this one. She is not called
// for it again.
func (s *Offers) Decline(ctx context.Context, by Caller, id OfferID, her BeneficiaryID) (Receipt, error) {
	if err := by.may(HandleRequests); err != nil {
		return Receipt{}, err
	}
	b, err := s.beneficiaryRecord(by, her)
	if err != nil {
		return Receipt{}, err
	}
	if _, err := s.offer(by, id); err != nil {
		return Receipt{}, err
	}
	return s.propose(ctx, command.DeclineOffer{Stamp: s.stamp(by, b.Commune), ID: id, Beneficiary: her, Attempt: newID[AttemptID]()})
}

func (s *Offers) offer(by Caller, id OfferID) (o offer.Offer, err error) {
	err = s.view(by, func(tx *store.Tx) error {
		var ok bool
		o, ok, err = store.Offers.Get(tx, id[:])
		if err == nil && !ok {
			err = &Error{Kind: NotFound, Code: "no-offer", Reason: "no such offer"}
		}
		return err
	})
	return o, err
}

// Calling is an offer on the desk: who profits already, and whom to call.
type Calling struct {
	Offer
	Profits []Visit
	Callees []Callee // best first, about five
}

const (
	mostLive    = 20 // offers that the desk sees at once
	mostCalling = 6  // of them whose calls are worked out: the next ones
	mostCallees = 5  // a desk calls a handful, not a list
)

// Open lists the offers that have places left, the next day first, the first six
// of them with whom to call.
func (s *Offers) Open(by Caller) (out []Calling, err error) {
	if err := by.may(HandleRequests); err != nil {
		return nil, err
	}
	all, err := s.callings(by, view.LiveOffers(), mostLive, func(o offer.Offer) bool { return o.State == offer.Open && o.Trip.Day >= s.today() }, mostCalling)
	sort.SliceStable(all, func(i, j int) bool {
		a, b := &all[i], &all[j]
		return cmp.Or(cmp.Compare(a.Trip.Day, b.Trip.Day), cmp.Compare(a.Trip.Half, b.Trip.Half)) < 0
	})
	return all, err
}

// Ahead lists at most n open offers of today and later without weighing whom to
// call: for a page that shows other things.
func (s *Offers) Ahead(by Caller, n int) ([]Calling, error) {
	if err := by.may(HandleRequests); err != nil {
		return nil, err
	}
	return s.callings(by, view.LiveOffers(), n, func(o offer.Offer) bool { return o.State == offer.Open && o.Trip.Day >= s.today() }, 0)
}

// Full lists the offers of today and later whose places are all taken, the next
// day first.
func (s *Offers) Full(by Caller) ([]Calling, error) {
	if err := by.may(HandleRequests); err != nil {
		return nil, err
	}
	return s.callings(by, view.LiveOffers(), mostLive, func(o offer.Offer) bool { return o.State == offer.Full && o.Trip.Day >= s.today() }, 0)
}

// Get opens one offer, with whom to call while places are left.
func (s *Offers) Get(by Caller, id OfferID) (c Calling, err error) {
	if err := by.may(HandleRequests); err != nil {
		return c, err
	}
	o, err := s.offer(by, id)
	if err != nil {
		return c, err
	}
	zone := s.zone()
	err = s.view(by, func(tx *store.Tx) error {
		c, err = s.calling(s.reader(by, tx, zone), newNeighbours(), o, true)
		return err
	})
	return c, err
}

// OfVolunteer lists what a volunteer has proposed, the newest first.
func (s *Offers) OfVolunteer(by Caller, id VolunteerID, limit int) (out []Calling, err error) {
	if err := by.may(HandleRequests); err != nil {
		return nil, err
	}
	zone := s.zone()
	err = s.view(by, func(tx *store.Tx) error {
		all, err := s.newestOf(tx, id, limit)
		if err != nil {
			return err
		}
		r := s.reader(by, tx, zone)
		for _, o := range all {
			c, err := s.calling(r, nil, o, false)
			if err != nil {
				return err
			}
			out = append(out, c)
		}
		return nil
	})
	return out, err
}

func (s *Offers) newestOf(tx *store.Tx, id VolunteerID, limit int) (out []offer.Offer, err error) {
	var ids []OfferID
	err = view.Each(tx, view.OffersOf(id), nil, true, func(id OfferID, _ []byte) bool {
		ids = append(ids, id)
		return len(ids) < limit
	})
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		o, ok, err := store.Offers.Get(tx, id[:])
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, o)
		}
	}
	return out, nil
}

func (s *Offers) callings(by Caller, l view.List, most int, wanted func(offer.Offer) bool, callees int) (out []Calling, err error) {
	zone := s.zone()
	err = s.view(by, func(tx *store.Tx) error {
		var ids []OfferID
		err := view.Each(tx, l, nil, false, func(id OfferID, _ []byte) bool {
			ids = append(ids, id)
			return true
		})
		if err != nil {
			return err
		}
		r, near := s.reader(by, tx, zone), newNeighbours()
		for _, id := range ids {
			o, ok, err := store.Offers.Get(tx, id[:])
			if err != nil {
				return err
			}
			if !ok || !wanted(o) {
				continue
			}
			c, err := s.calling(r, near, o, len(out) < callees)
			if err != nil {
				return err
			}
			if out = append(out, c); len(out) == most {
				return nil
			}
		}
		return nil
	})
	return out, err
}

// open reads an offer with who made it.
func (s *Offers) open(r *reader, o offer.Offer) (out Offer, err error) {
	out.Offer = o
	if out.Him, err = r.volunteer(o.Volunteer); err != nil {
		return out, err
	}
	for _, id := range o.Trip.Types {
		t, err := r.kind(id)
		if err != nil {
			return out, err
		}
		out.Kinds = append(out.Kinds, t)
	}
	words, err := r.opening(r.by).offerWords(out.Him.Volunteer, o)
	out.Line = words.Line
	return out, err
}

func (s *Offers) calling(r *reader, near *neighbours, o offer.Offer, callees bool) (c Calling, err error) {
	if c.Offer, err = s.open(r, o); err != nil {
		return c, err
	}
	if c.Profits, err = r.all(o.Taken); err != nil {
		return c, err
	}
	if callees && c.Left() > 0 {
		c.Callees, err = s.callees(r, near, c.Offer)
	}
	return c, err
}

// MyOffer is a volunteer's own offer: who profits, where to go.
type MyOffer struct {
	Offer
	Promised []Promise
}

// mostMine is how many of his offers a volunteer sees.
const mostMine = 10

// Mine lists what the calling volunteer has proposed for today and later, the
// next day first.
func (s *Offers) Mine(by Caller) (out []MyOffer, err error) {
	if err := by.may(SeeOwnRequests); err != nil {
		return nil, err
	}
	if by.Volunteer.Zero() {
		return nil, errForbidden
	}
	zone, now, today := s.zone(), s.now(), s.today()
	err = s.view(by, func(tx *store.Tx) error {
		all, err := s.newestOf(tx, by.Volunteer, 5*mostMine)
		if err != nil {
			return err
		}
		r := s.reader(by, tx, zone)
		for _, o := range all {
			if !o.State.Live() || o.Trip.Day < today || len(out) == mostMine {
				continue
			}
			mine, err := s.mine(r, o, now)
			if err != nil {
				return err
			}
			out = append(out, mine)
		}
		return nil
	})
	sort.SliceStable(out, func(i, j int) bool { return out[i].Trip.Day < out[j].Trip.Day })
	return out, err
}

func (s *Offers) mine(r *reader, o offer.Offer, now time.Time) (m MyOffer, err error) {
	if m.Offer, err = s.open(r, o); err != nil {
		return m, err
	}
	h, err := r.helper(o.Volunteer)
	if err != nil {
		return m, err
	}
	for _, id := range o.Taken {
		q, _, err := store.Requests.Get(r.tx, id[:])
		if err != nil {
			return m, err
		}
		p, err := h.promise(q, now)
		if err != nil {
			return m, err
		}
		m.Promised = append(m.Promised, p)
	}
	return m, nil
}

// pass proposes to close the offers whose day is over.
func (s *Offers) pass(ctx context.Context) error {
	var over []OfferID
	err := s.view(itself, func(tx *store.Tx) error {
		return view.OffersUntil(tx, s.clock(), func(id OfferID) bool {
			over = append(over, id)
			return len(over) < 200
		})
	})
	for _, id := range over {
		if err == nil {
			_, err = s.propose(ctx, command.EndOffer{Stamp: s.own(), ID: id, Past: true})
		}
	}
	return err
}
