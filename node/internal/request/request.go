// Package request holds a request for help and the ways in which it may change.
//
//	Draft ─Open─▶ Open ─Ask─▶ Asked ─Accept, all seats─▶ Covered ─she knows─▶ Told ─▶ Done
//	                ▲           │  ▲                        │                   │      NotDone
//	                └─refused───┘  └──────Withdraw──────────┴───────────────────┘
//	any of these ─▶ Cancelled; Open, Asked ─▶ Unfilled; an end is an end, but
//	Done ─▶ Forgotten when she is erased.
//
// What she believes is part of the state ([Belief]). Whoever changes the truth
// makes the two differ, and while they differ she is on the call-back list. So
// nobody can forget to put her there, and an answer that changes nothing creates
// no call.
package request

import (
	"slices"

	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/when"
)

// State says where a request stands. The numbers are in the store: never reuse
// one.
type State uint8

const (
	Draft     State = 1
	Open      State = 2 // looks for volunteers; nobody has a question to answer
	Asked     State = 3 // at least one volunteer has not answered yet
	Covered   State = 4 // all seats are taken; she does not know yet
	Told      State = 5 // all seats are taken and she knows it
	Done      State = 6
	NotDone   State = 7
	Cancelled State = 8
	Unfilled  State = 9
	Forgotten State = 10 // it was done, and she was erased since: nothing of hers is left
)

// Closed reports whether the state is an end.
func (s State) Closed() bool { return s >= Done }

// Looking reports whether seats are still to be taken.
func (s State) Looking() bool { return s == Open || s == Asked }

// Wish is when she would like it.
type Wish struct {
	Kind   WishKind  `cbor:"1,keyasint"`
	Day    when.Day  `cbor:"2,keyasint,omitempty"` // of OnDay; of InWeek, its Monday
	Half   when.Half `cbor:"3,keyasint,omitempty"`
	Minute uint16    `cbor:"4,keyasint,omitempty"` // of the day, when an hour is given: an appointment
}

// WishKind is how firm the wish is.
type WishKind uint8

const (
	OnDay    WishKind = 1
	InWeek   WishKind = 2
	Flexible WishKind = 3
)

// Fits reports whether a visit on day d, beginning at minute, answers the wish.
func (w Wish) Fits(d when.Day, minute int) bool {
	switch w.Kind {
	case OnDay:
		if d != w.Day || w.Minute > 0 && minute != int(w.Minute) {
			return false
		}
		return w.Half == when.AnyHalf || w.Half == when.HalfOf(minute)
	case InWeek:
		return when.WeekOf(d) == w.Day
	}
	return true
}

// Latest is the last day that answers the wish, or 0 when there is none.
func (w Wish) Latest() when.Day {
	switch w.Kind {
	case OnDay:
		return w.Day
	case InWeek:
		return w.Day + 6
	}
	return 0
}

// Answer is what a volunteer said. The numbers are in the store.
type Answer uint8

const (
	Waiting   Answer = 0
	Yes       Answer = 1
	No        Answer = 2
	Withdrawn Answer = 3 // yes first, then "I cannot any more"
	Declined  Answer = 4 // she does not wish him
)

// Asking is one volunteer's part in a request.
type Asking struct {
	Volunteer ident.Volunteer `cbor:"1,keyasint"`
	At        when.At         `cbor:"2,keyasint"`
	Answer    Answer          `cbor:"3,keyasint,omitempty"`
	Answered  when.At         `cbor:"4,keyasint,omitempty"`
	Offer     ident.Offer     `cbor:"5,keyasint,omitzero"` // of his, by which he comes; zero: none
}

// Belief is what the person has been told last. The zero value is what she knows
// after she has asked: somebody is being looked for.
type Belief struct {
	Coming []ident.Volunteer `cbor:"1,keyasint,omitempty"` // sorted
	Start  when.At           `cbor:"2,keyasint,omitempty"`
	Over   bool              `cbor:"3,keyasint,omitempty"` // nobody comes and nobody is looked for
	Across bool              `cbor:"4,keyasint,omitempty"` // a neighbouring territory's volunteer comes
}

func (b Belief) equal(o Belief) bool {
	return b.Start == o.Start && b.Over == o.Over && b.Across == o.Across && slices.Equal(b.Coming, o.Coming)
}

// Why is the reason of an end. The numbers are in the store.
type Why uint8

const (
	NoReason     Why = 0
	ByHer        Why = 1 // she needs it no more, or said stop
	ByUs         Why = 2 // the desk: weather, danger, closed
	ByVolunteer  Why = 3 // he did not come
	NotAtHome    Why = 4
	NobodyFound  Why = 5
	EnteredTwice Why = 6
)

// Outcome is how it ended.
type Outcome struct {
	At      when.At `cbor:"1,keyasint,omitempty"`
	Why     Why     `cbor:"2,keyasint,omitempty"`
	Minutes uint16  `cbor:"3,keyasint,omitempty"`
	Metres  uint32  `cbor:"4,keyasint,omitempty"`
	Box     []byte  `cbor:"5,keyasint,omitempty"` // a word on how it went, sealed under her key
}

// Counted says which facts of this request stand in the counters already, each
// at most once in its life.
type Counted uint8

const (
	CountedFound Counted = 1 << 0
	CountedTold  Counted = 1 << 1
)

// Request is one need of one person. Forgotten, it has no Beneficiary any more. A
// volunteer who came and was erased since stands in it as the zero volunteer.
type Request struct {
	ID          ident.Request     `cbor:"1,keyasint"`
	Version     uint32            `cbor:"2,keyasint"`
	Beneficiary ident.Beneficiary `cbor:"3,keyasint"`
	Type        ident.ActionType  `cbor:"4,keyasint"`
	Commune     string            `cbor:"5,keyasint"` // hers, when it was opened
	State       State             `cbor:"6,keyasint"`
	Wish        Wish              `cbor:"7,keyasint"`
	Plan        Plan              `cbor:"8,keyasint"`
	Askings     []Asking          `cbor:"9,keyasint,omitempty"`
	Believes    Belief            `cbor:"10,keyasint"`
	Counted     Counted           `cbor:"11,keyasint,omitempty"`
	Outcome     Outcome           `cbor:"12,keyasint"`
	Opened      when.At           `cbor:"13,keyasint"`
	Box         []byte            `cbor:"14,keyasint,omitempty"` // Words, sealed under her key at version Boxed
	Boxed       uint32            `cbor:"15,keyasint,omitempty"`
	Series      ident.Series      `cbor:"16,keyasint,omitzero"`  // that it comes from, if from one
	Occurrence  when.Day          `cbor:"17,keyasint,omitempty"` // the day of the series for which it was made; the wish may have moved since
	Thanks      Thanks            `cbor:"19,keyasint,omitzero"`
	Across      bool              `cbor:"20,keyasint,omitempty"` // a neighbouring territory has found somebody; he has no seat here
}

// Plan is what volunteers are needed for, in numbers that rules compare.
type Plan struct {
	Seats     uint8   `cbor:"1,keyasint"`           // volunteers needed
	Minutes   uint16  `cbor:"2,keyasint"`           // expected length
	Start     when.At `cbor:"3,keyasint,omitempty"` // fixed by the first acceptance
	Exception bool    `cbor:"4,keyasint,omitempty"` // a lone visit where the rule says two; the reason is in Box
	Car       bool    `cbor:"5,keyasint,omitempty"`
}

// End is when a visit that starts at Start is over.
func (p Plan) End() when.At { return p.Start + when.At(p.Minutes)*60_000 }

// TravelBuffer is kept free between two visits of one volunteer: 15 minutes, in
// milliseconds.
const TravelBuffer = 15 * 60_000

// Thanks are hers, relayed by the desk to those who came. The zero Thanks are
// none.
type Thanks struct {
	At   when.At           `cbor:"1,keyasint,omitempty"`
	Box  []byte            `cbor:"2,keyasint,omitempty"` // a line of hers, sealed under her key
	Seen []ident.Volunteer `cbor:"3,keyasint,omitempty"` // who has read them
}

// Clash reports whether nobody can make both visits, the way between counted.
func Clash(a, b Plan) bool {
	return a.Start < b.End()+TravelBuffer && b.Start < a.End()+TravelBuffer
}

// New opens a request, or keeps it as a draft.
func New(r Request, draft bool, at when.At) Request {
	r.Version, r.State, r.Opened, r.Boxed = 1, Open, at, 1
	if draft {
		r.State = Draft
	}
	return r
}

// Coming lists who has accepted, sorted.
func (r Request) Coming() []ident.Volunteer {
	var ids []ident.Volunteer
	for _, a := range r.Askings {
		if a.Answer == Yes {
			ids = append(ids, a.Volunteer)
		}
	}
	sortVolunteers(ids)
	return ids
}

// Asking is the volunteer's part in the request, if he has one.
func (r Request) Asking(v ident.Volunteer) (Asking, bool) {
	i := r.find(v)
	if i < 0 {
		return Asking{}, false
	}
	return r.Askings[i], true
}

func (r Request) find(v ident.Volunteer) int {
	return slices.IndexFunc(r.Askings, func(a Asking) bool { return a.Volunteer == v })
}

// Truth is what she would have to know.
func (r Request) Truth() Belief {
	switch {
	case r.State == Covered || r.State == Told:
		return Belief{Coming: r.Coming(), Start: r.Plan.Start}
	case r.State == Cancelled || r.State == Unfilled:
		return Belief{Over: true}
	case r.State.Looking() && r.Across:
		return Belief{Across: true}
	}
	return Belief{}
}

// NeedsCall reports whether she believes something that is not so.
func (r Request) NeedsCall() bool {
	return r.State != Done && r.State != NotDone && r.State != Forgotten && !r.Believes.equal(r.Truth())
}

// Open ends the draft.
func (r Request) Open() (Request, error) {
	if r.State != Draft {
		return r, refuse.WrongStep
	}
	r.State = Open
	return r.next(), nil
}

// Ask puts the question to volunteers. Who was asked before and said no, or is
// asked again, is asked anew.
func (r Request) Ask(who []ident.Volunteer, at when.At) (Request, error) {
	if !r.State.Looking() {
		return r, refuse.NotOpen
	}
	r.Askings = slices.Clone(r.Askings)
	for _, v := range who {
		if i := r.find(v); i < 0 {
			r.Askings = append(r.Askings, Asking{Volunteer: v, At: at})
		} else if r.Askings[i].Answer != Yes {
			r.Askings[i] = Asking{Volunteer: v, At: at}
		}
	}
	return r.next(), nil
}

// Accept gives v a seat. The first one fixes when; the others join him.
func (r Request) Accept(v ident.Volunteer, start, at when.At) (Request, error) {
	i := r.find(v)
	switch {
	case i >= 0 && r.Askings[i].Answer == Yes:
		return r, refuse.AlreadySeated
	case r.State == Covered || r.State == Told:
		return r, refuse.SeatsFull
	case !r.State.Looking():
		return r, refuse.NotOpen
	case len(r.Coming()) > 0 && start != r.Plan.Start:
		return r, refuse.OtherTime
	}
	r.Plan.Start = start
	r.Askings = slices.Clone(r.Askings)
	if i < 0 {
		r.Askings = append(r.Askings, Asking{Volunteer: v, At: at})
		i = len(r.Askings) - 1
	}
	r.Askings[i].Answer, r.Askings[i].Answered, r.Askings[i].Offer = Yes, at, ident.Offer{}
	return r.next(), nil
}

// AcceptBy is Accept of a volunteer who proposed it himself. Two visits of one
// offer are one trip: see [Request.OneTrip].
func (r Request) AcceptBy(o ident.Offer, v ident.Volunteer, start, at when.At) (Request, error) {
	r, err := r.Accept(v, start, at)
	if err == nil {
		r.Askings[r.find(v)].Offer = o
	}
	return r, err
}

// By is the offer by which v comes, or the zero ID.
func (r Request) By(v ident.Volunteer) ident.Offer {
	if i := r.find(v); i >= 0 && r.Askings[i].Answer == Yes {
		return r.Askings[i].Offer
	}
	return ident.Offer{}
}

// OneTrip reports whether v makes both visits on one way, as he has offered.
func (r Request) OneTrip(v ident.Volunteer, other Request) bool {
	o := r.By(v)
	return !o.Zero() && o == other.By(v)
}

// Refuse notes that v will not come.
func (r Request) Refuse(v ident.Volunteer, at when.At) (Request, error) {
	i := r.find(v)
	if i < 0 || r.Askings[i].Answer != Waiting {
		return r, refuse.NotAsked
	}
	return r.answer(i, No, at), nil
}

// Withdraw frees the seat of v, who cannot come any more or whom she does not
// wish. how is Withdrawn or Declined.
func (r Request) Withdraw(v ident.Volunteer, how Answer, at when.At) (Request, error) {
	i := r.find(v)
	switch {
	case r.State.Closed():
		return r, refuse.RequestClosed
	case i < 0 || r.Askings[i].Answer != Yes:
		return r, refuse.NotSeated
	}
	return r.answer(i, how, at), nil
}

func (r Request) answer(i int, a Answer, at when.At) Request {
	r.Askings = slices.Clone(r.Askings)
	r.Askings[i].Answer, r.Askings[i].Answered = a, at
	return r.next()
}

// Tell notes that she has heard how things are at this version.
func (r Request) Tell(version uint32) (Request, error) {
	switch {
	case r.Version != version:
		return r, refuse.StaleVersion
	case !r.NeedsCall():
		return r, refuse.NothingToTell
	}
	r.Believes = r.Truth()
	return r.next(), nil
}

// Change moves the wish, the number of seats or the words. Who had accepted
// another time is free again.
func (r Request) Change(version uint32, wish Wish, plan Plan, box []byte, at when.At) (Request, error) {
	switch {
	case r.Version != version:
		return r, refuse.StaleVersion
	case r.State.Closed():
		return r, refuse.RequestClosed
	}
	plan.Start = r.Plan.Start
	if wish != r.Wish || plan.Seats < uint8(len(r.Coming())) {
		r.Askings = slices.Clone(r.Askings)
		for i := range r.Askings {
			if r.Askings[i].Answer == Yes {
				r.Askings[i] = Asking{Volunteer: r.Askings[i].Volunteer, At: at}
			}
		}
	}
	r.Wish, r.Plan = wish, plan
	r = r.next()
	if len(box) > 0 {
		r.Box, r.Boxed = box, r.Version
	}
	return r, nil
}

// early is how long before its hour a visit may be said to have taken place: it
// was moved by a word at the door. Twelve hours, in milliseconds.
const early = 12 * 3600_000

// Finish ends a request that was covered: it took place, or at o.At, after its
// hour, it had not. What lies ahead is cancelled, so that she hears of it. Where
// two were needed and one came, the exception is recorded first.
func (r Request) Finish(to State, o Outcome) (Request, error) {
	switch {
	case r.State.Closed():
		return r, refuse.RequestClosed
	case len(r.Coming()) == 0:
		return r, refuse.NotCovered
	case to == Done && len(r.Coming()) < int(r.Plan.Seats):
		return r, refuse.PairNeeded
	case to == Done && r.Plan.Start > o.At+early, to == NotDone && r.Plan.Start > o.At:
		return r, refuse.NotYet
	}
	r.State, r.Outcome = to, o
	r.Version++
	return r, nil
}

// FromAcross notes that a volunteer of a neighbouring territory comes, or does not
// come any more. The request goes on looking: whoever is found at home is found.
func FromAcross(r Request, comes bool) (Request, error) {
	if r.State.Closed() || r.State == Draft {
		return r, refuse.RequestClosed
	}
	r.Across = comes
	return r.next(), nil
}

// FinishAcross ends a request to which a neighbouring territory's volunteer came.
func FinishAcross(r Request, o Outcome) (Request, error) {
	switch {
	case r.State.Closed():
		return r, refuse.RequestClosed
	case !r.Across:
		return r, refuse.NotCovered
	}
	r.State, r.Outcome = Done, o
	r.Version++
	return r, nil
}

// Drop ends a request before it takes place. When it was she who said so she
// knows; one that was entered twice she need not hear of, unless she was told
// that somebody comes.
func (r Request) Drop(to State, o Outcome) (Request, error) {
	if r.State.Closed() {
		return r, refuse.RequestClosed
	}
	r.State, r.Outcome = to, o
	r.Version++
	if o.Why == ByHer || o.Why == EnteredTwice && len(r.Believes.Coming) == 0 && !r.Believes.Across {
		r.Believes = r.Truth()
	}
	return r, nil
}

// Thank relays her thanks for what has taken place, once.
func (r Request) Thank(box []byte, at when.At) (Request, error) {
	switch {
	case r.State == Forgotten:
		return r, refuse.Erased
	case r.State != Done:
		return r, refuse.NotDoneYet
	case r.Thanks.At != 0:
		return r, refuse.Thanked
	}
	r.Thanks = Thanks{At: at, Box: box}
	r.Version++
	return r, nil
}

// ThanksFor reports whether there are thanks that v has not read yet.
func (r Request) ThanksFor(v ident.Volunteer) bool {
	i := r.find(v)
	return r.Thanks.At != 0 && i >= 0 && r.Askings[i].Answer == Yes && !slices.Contains(r.Thanks.Seen, v)
}

// SeeThanks notes that v has read them.
func (r Request) SeeThanks(v ident.Volunteer) (Request, error) {
	if !r.ThanksFor(v) {
		return r, refuse.NoThanks
	}
	r.Thanks.Seen = append(slices.Clone(r.Thanks.Seen), v)
	r.Version++
	return r, nil
}

// next raises the version and says where the request stands now.
func (r Request) next() Request {
	r.Version++
	if r.State == Draft || r.State.Closed() {
		return r
	}
	coming, waiting := 0, 0
	for _, a := range r.Askings {
		switch a.Answer {
		case Yes:
			coming++
		case Waiting:
			waiting++
		}
	}
	if coming == 0 {
		r.Plan.Start = 0
	}
	switch {
	case coming >= int(r.Plan.Seats):
		r.State = Covered
		if r.Believes.equal(Belief{Coming: r.Coming(), Start: r.Plan.Start}) {
			r.State = Told
		}
	case waiting > 0:
		r.State = Asked
	default:
		r.State = Open
	}
	return r
}
