package market

import (
	"maps"
	"slices"

	"github.com/bippop/bippop/federation/public"
)

// fold is the state that follows from a set of feeds.
type fold struct {
	offers    map[public.Ref]*Offer
	matches   map[public.Ref]*match
	renounced map[public.Ref]public.Ref // interest, and the entry that renounces it
	ignored   []Ignored
}

// match is a Match in the making. What the offering side says and what the asking
// side says are kept apart, because nothing orders the one before the other.
type match struct {
	Match
	counts    bool // its words fit its offer
	accepted  bool
	lapsed    bool
	cancelled bool // the offer was withdrawn after the acceptance
	closed    public.Outcome
	// Said by the asking side:
	acked, renounced bool
	closedByAsker    public.Outcome
}

// newFold works in three passes, each over the feeds in one fixed order: what there
// is; what the offering territories decide, in the order of their own feeds; what
// the asking ones say to it. A pass looks only at what the passes before it and the
// same feed have made, so that no order between feeds matters.
func newFold(feeds map[place]*entries) *fold {
	s := &fold{offers: map[public.Ref]*Offer{}, matches: map[public.Ref]*match{}, renounced: map[public.Ref]public.Ref{}}
	places := slices.SortedFunc(maps.Keys(feeds), func(a, b place) int {
		return byRef(public.Ref{From: a.siren, Epoch: a.epoch}, public.Ref{From: b.siren, Epoch: b.epoch})
	})
	for _, pass := range []func(public.Ref, public.Entry){s.appear, s.decide, s.follow} {
		for _, at := range places {
			for _, k := range feeds[at].kept {
				pass(public.Ref{From: at.siren, Epoch: at.epoch, Seq: k.entry.Seq}, k.entry)
			}
		}
	}
	for _, x := range s.matches {
		s.settle(x)
	}
	for _, at := range places {
		for _, seq := range feeds[at].broken {
			s.ignore(public.Ref{From: at.siren, Epoch: at.epoch, Seq: seq}, Misplaced)
		}
	}
	slices.SortFunc(s.ignored, func(a, b Ignored) int { return byRef(a.Name, b.Name) })
	return s
}

func (s *fold) ignore(name public.Ref, why Reason) { s.ignored = append(s.ignored, Ignored{name, why}) }

// appear notes what there is to decide about. No slot is taken yet.
func (s *fold) appear(name public.Ref, e public.Entry) {
	switch b := e.Body.(type) {
	case public.Offer:
		s.offers[name] = &Offer{Name: name, Offer: b, Made: e.Day}
	case public.Interest:
		s.matches[name] = &match{Match: Match{Name: name, Offer: b.Offer, Slots: b.Slots, Week: b.Week, Shown: e.Day}}
	}
}

// fits says why an interest can never be met; 0 when it can.
func (s *fold) fits(x *match) Reason {
	o, ok := s.offers[x.Offer]
	switch {
	case !ok:
		return Unknown
	case x.Offer.From == x.Name.From:
		return NotTheirs
	case x.Slots > o.Slots || x.Week >= o.Weeks:
		return Beyond
	case x.Shown >= o.End():
		return Over
	}
	return 0
}

// decide is about one entry of the offering side.
func (s *fold) decide(name public.Ref, e public.Entry) {
	switch b := e.Body.(type) {
	case public.Interest:
		x := s.matches[name]
		why := s.fits(x)
		x.counts = why == 0
		if why != 0 {
			s.ignore(name, why)
		}
	case public.Withdraw:
		s.withdraw(name, public.Ref{From: name.From, Epoch: name.Epoch, Seq: b.Offer})
	case public.Retract:
		if of := (public.Ref{From: name.From, Epoch: name.Epoch, Seq: b.Seq}); b.Seq < name.Seq && s.offers[of] != nil {
			s.withdraw(name, of)
		}
	case public.Accept:
		s.answer(name, b.Interest, func(x *match, o *Offer) Reason {
			switch {
			case x.Answered != 0:
				return Twice
			case o.Withdrawn || e.Day >= o.End():
				return Over
			case int(x.Slots) > o.Left():
				return Full
			}
			o.Taken += x.Slots
			x.accepted, x.Answered, x.Answer = true, e.Day, name
			return 0
		})
	case public.Decline:
		s.answer(name, b.Interest, func(x *match, _ *Offer) Reason {
			if x.Answered != 0 {
				return Twice
			}
			x.Answered, x.Answer, x.Why, x.Ended = e.Day, name, b.Why, name
			return 0
		})
	case public.Lapse:
		s.answer(name, b.Interest, func(x *match, o *Offer) Reason {
			switch {
			case !x.accepted:
				return NotAccepted
			case x.lapsed || x.closed != 0:
				return Twice
			}
			x.lapsed, x.Ended = true, name
			o.Taken -= x.Slots
			return 0
		})
	case public.Close:
		if b.Interest.From == name.From {
			return // said by the asking side: see follow
		}
		s.answer(name, b.Interest, func(x *match, _ *Offer) Reason {
			switch {
			case !x.accepted:
				return NotAccepted
			case x.lapsed || x.closed != 0:
				return Twice
			}
			x.closed, x.Ended = b.Outcome, name
			return 0
		})
	}
}

// withdraw ends an offer; what was accepted of it and is not over is cancelled.
func (s *fold) withdraw(name, of public.Ref) {
	o, ok := s.offers[of]
	switch {
	case !ok || of.Seq >= name.Seq:
		s.ignore(name, Unknown)
		return
	case o.Withdrawn:
		s.ignore(name, Twice)
		return
	}
	o.Withdrawn = true
	for _, x := range s.matches {
		if x.Offer == of {
			if x.Ended == (public.Ref{}) {
				x.Ended = name
			}
			x.cancelled = x.accepted && !x.lapsed && x.closed == 0
		}
	}
}

// answer lets the offering territory say something to an interest in its offer.
func (s *fold) answer(name, interest public.Ref, say func(*match, *Offer) Reason) {
	x, ok := s.matches[interest]
	why := Unknown
	if ok {
		if why = s.fits(x); why == 0 && x.Offer.From != name.From {
			why = NotTheirs
		}
	}
	// An offer that this feed has made further on can not be answered for yet.
	if why == 0 && x.Offer.Epoch == name.Epoch && x.Offer.Seq > name.Seq || why == 0 && x.Offer.Epoch > name.Epoch {
		why = Unknown
	}
	if why == 0 {
		why = say(x, s.offers[x.Offer])
	}
	if why != 0 {
		s.ignore(name, why)
	}
}

// follow is about one entry of the asking side.
func (s *fold) follow(name public.Ref, e public.Entry) {
	own := func(seq uint64) public.Ref { return public.Ref{From: name.From, Epoch: name.Epoch, Seq: seq} }
	switch b := e.Body.(type) {
	case public.Renounce:
		s.say(name, own(b.Interest), func(x *match) Reason { return s.renounce(name, x) })
	case public.Retract:
		if of := own(b.Seq); b.Seq < name.Seq && s.matches[of] != nil {
			s.say(name, of, func(x *match) Reason { return s.renounce(name, x) })
		}
	case public.Ack:
		s.say(name, own(b.Interest), func(x *match) Reason {
			switch {
			case !x.accepted:
				return NotAccepted
			case x.acked || x.renounced:
				return Twice
			}
			x.acked = true
			return 0
		})
	case public.Close:
		if b.Interest.From != name.From {
			return
		}
		s.say(name, b.Interest, func(x *match) Reason {
			switch {
			case !x.acked:
				return NotAccepted
			case x.renounced || x.closedByAsker != 0:
				return Twice
			}
			x.closedByAsker = b.Outcome
			return 0
		})
	}
}

func (s *fold) renounce(name public.Ref, x *match) Reason {
	if x.renounced || x.closedByAsker != 0 {
		return Twice
	}
	x.renounced = true
	s.renounced[x.Name] = name
	return 0
}

// say lets the asking territory say something to an interest of its own.
func (s *fold) say(name, interest public.Ref, say func(*match) Reason) {
	x, ok := s.matches[interest]
	why := Unknown
	if ok && (interest.Epoch < name.Epoch || interest.Epoch == name.Epoch && interest.Seq < name.Seq) {
		if why = s.fits(x); why == 0 {
			why = say(x)
		}
	}
	if why != 0 {
		s.ignore(name, why)
	}
}

// settle says where the match stands. That it took place is a fact and stands above
// all; of two outcomes the asker's counts, whose person it is about.
func (s *fold) settle(x *match) {
	x.Outcome = x.closed
	if x.closedByAsker != 0 {
		x.Outcome = x.closedByAsker
	}
	switch {
	case x.Outcome != 0:
		x.State = Closed
	case x.renounced:
		x.State = Renounced
	case x.lapsed:
		x.State = Lapsed
	case x.cancelled:
		x.State = Cancelled
	case x.acked:
		x.State = Acked
	case x.accepted:
		x.State = Accepted
	case x.Answered != 0:
		x.State = Declined
	case x.counts && s.offers[x.Offer].Withdrawn:
		x.State = Gone
	default:
		x.State = Open
	}
}
