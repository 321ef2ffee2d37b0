package node

import (
	"context"
	"errors"
	"slices"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/dispatch"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/when"
)

// Requests are what people ask for.
type Requests struct{ *core }

// Asking for help: what an agent writes down.
type NewRequest struct {
	Beneficiary BeneficiaryID
	Type        TypeID
	Wish        Wish
	Minutes     uint16 // 0: the kind's usual length
	Seats       uint8  // 0: as the rule of two says
	Note        Secret
	Exception   Secret // why one goes alone where the rule says two
	Draft       bool
	Ask         []VolunteerID
}

// Open records a request, and asks the volunteers it names.
func (s *Requests) Open(ctx context.Context, by Caller, in NewRequest) (Receipt, error) {
	if err := by.may(HandleRequests); err != nil {
		return Receipt{}, err
	}
	b, t, err := s.personAndType(by, in.Beneficiary, in.Type)
	if err != nil {
		return Receipt{}, err
	}
	if err := s.checkWish(&in.Wish); err != nil {
		return Receipt{}, err
	}
	plan, err := planOf(in, b.Beneficiary, t)
	if err != nil {
		return Receipt{}, err
	}
	if err := tidyAll(line{"note", &in.Note, longestNote}, line{"exception", &in.Exception, longestLine}); err != nil {
		return Receipt{}, err
	}
	if len(in.Ask) > mostAsked {
		return Receipt{}, invalid("ask", "too-many", "at most 30 volunteers are asked at once")
	}
	if err := s.known(by, in.Ask); err != nil {
		return Receipt{}, err
	}
	id := newID[RequestID]()
	box, err := s.sealForHer(b.Leaf, store.Requests.Name, id, 1, request.Words{Note: in.Note, Exception: in.Exception})
	if err != nil {
		return Receipt{}, err
	}
	return s.propose(ctx, command.OpenRequest{
		Stamp: s.stamp(by, b.Commune), ID: id, Beneficiary: b.ID, Type: t.ID, Wish: in.Wish, Plan: plan,
		Draft: in.Draft, Ask: in.Ask, Box: box, Counts: s.counts(b, t, 1, public.Requested),
	})
}

// mostAsked is how many volunteers one question may go to: more is a broadcast,
// which people learn to ignore.
const mostAsked = 30

// known refuses volunteers whom the caller does not reach.
func (s *core) known(by Caller, who []VolunteerID) error {
	if !by.limited() {
		return nil // the machine says who is none
	}
	return s.view(by, func(tx *store.Tx) error {
		for _, v := range who {
			if _, ok, err := store.Volunteers.Get(tx, v[:]); err != nil || !ok {
				return either(err, errNoVolunteer)
			}
		}
		return nil
	})
}

func (s *core) personAndType(by Caller, who BeneficiaryID, what TypeID) (b Beneficiary, t ActionType, err error) {
	var r people.Beneficiary
	err = s.view(by, func(tx *store.Tx) error {
		if r, err = beneficiaryIn(tx, who); err == nil {
			t, err = actionTypeIn(tx, what)
		}
		return err
	})
	if err != nil {
		return b, t, err
	}
	if b, err = s.opening(itself).beneficiary(r); err != nil { // for counts: nobody is shown
		s.health.note(err)
		return b, t, explain(err)
	}
	return b, t, nil
}

func (s *core) actionType(id TypeID) (t ActionType, err error) {
	err = s.view(itself, func(tx *store.Tx) error {
		t, err = actionTypeIn(tx, id)
		return err
	})
	return t, err
}

func actionTypeIn(tx *store.Tx, id TypeID) (ActionType, error) {
	t, ok, err := store.ActionTypes.Get(tx, id[:])
	if err == nil && !ok {
		err = &Error{Kind: NotFound, Code: "no-action-type", Field: "type", Reason: "no such action type"}
	}
	return t, err
}

// sealForHer seals words about a request under her key; nothing gives no box.
func (s *core) sealForHer(leaf crypto.Leaf, collection string, id [16]byte, version uint32, words any) ([]byte, error) {
	switch w := words.(type) {
	case request.Words:
		if w.Note.Empty() && w.Exception.Empty() {
			return nil, nil
		}
	case request.OutcomeWords:
		if w.Word.Empty() {
			return nil, nil
		}
	case request.ThanksWords:
		if w.Line.Empty() {
			return nil, nil
		}
	}
	key, err := s.ring.Open(leaf)
	if err != nil {
		s.health.note(err)
		return nil, explain(err)
	}
	return s.seal(key, collection, id, version, words)
}

// counts are the cells for facts about her request.
func (s *core) counts(b Beneficiary, t ActionType, n uint64, indicators ...public.Indicator) (out []command.Count) {
	for _, i := range indicators {
		if n > 0 {
			out = append(out, command.CountOf(s.cell(i, b.Commune, t.Category, b.Words), n))
		}
	}
	return out
}

// checkWish refuses days that are over or too far ahead, and puts a week on its
// Monday.
func (s *core) checkWish(w *Wish) error {
	today := s.today()
	switch w.Kind {
	case request.OnDay:
		if w.Day < today || w.Day > today+400 {
			return invalid("when", "day-out-of-range", "the day is over, or more than a year ahead")
		}
		if w.Half > when.Afternoon || w.Minute >= 24*60 {
			return invalid("when", "hour-out-of-range", "say morning or afternoon, or an hour of the day")
		}
		if w.Minute > 0 {
			w.Half = when.HalfOf(int(w.Minute))
		}
	case request.InWeek:
		if w.Day == 0 {
			w.Day = today
		}
		w.Day = when.WeekOf(w.Day)
		if w.Day+6 < today || w.Day > today+400 {
			return invalid("when", "week-out-of-range", "the week is over, or more than a year ahead")
		}
		w.Half, w.Minute = when.AnyHalf, 0
	case request.Flexible:
		*w = Wish{Kind: request.Flexible}
	default:
		return invalid("when", "missing", "say when: this week, a day, or flexible")
	}
	return nil
}

func planOf(in NewRequest, b people.Beneficiary, t ActionType) (request.Plan, error) {
	rule := t.Seats(b.Visits)
	p := request.Plan{Seats: in.Seats, Minutes: in.Minutes, Car: t.Car}
	if p.Seats == 0 {
		p.Seats = rule
	}
	if p.Minutes == 0 {
		p.Minutes = t.Minutes
	}
	switch {
	case p.Seats > 6:
		return p, invalid("seats", "out-of-range", "at most six volunteers at one visit")
	case p.Minutes < 5 || p.Minutes > 720:
		return p, invalid("minutes", "out-of-range", "a visit lasts between 5 minutes and 12 hours")
	case p.Seats < rule && in.Exception.Empty():
		return p, &Error{Kind: Conflict, Code: "pair-needed", Field: "exception", Reason: "this visit needs two people; offer a phone call, another day, come along yourself, or record the reason for an exception"}
	}
	p.Exception = p.Seats < rule
	return p, nil
}

// Change moves a request: wish, length, seats, note. version is the one read.
func (s *Requests) Change(ctx context.Context, by Caller, id RequestID, version uint32, in NewRequest) (Receipt, error) {
	if err := by.may(HandleRequests); err != nil {
		return Receipt{}, err
	}
	r, err := s.request(by, id)
	if err != nil {
		return Receipt{}, err
	}
	b, t, err := s.personAndType(by, r.Beneficiary, r.Type)
	if err != nil {
		return Receipt{}, err
	}
	if in.Wish != r.Wish { // a day that has come may stay
		if err := s.checkWish(&in.Wish); err != nil {
			return Receipt{}, err
		}
	}
	if err := tidyAll(line{"note", &in.Note, longestNote}, line{"exception", &in.Exception, longestLine}); err != nil {
		return Receipt{}, err
	}
	plan, err := planOf(in, b.Beneficiary, t)
	if err != nil {
		return Receipt{}, err
	}
	key, err := s.ring.Open(b.Leaf)
	if err != nil {
		return Receipt{}, explain(err)
	}
	box, err := s.seal(key, store.Requests.Name, id, version+1, request.Words{Note: in.Note, Exception: in.Exception})
	if err != nil {
		return Receipt{}, err
	}
	return s.propose(ctx, command.ChangeRequest{Stamp: s.stamp(by, r.Commune), ID: id, Version: version, Wish: in.Wish, Plan: plan, Box: box})
}

// Publish lets a draft look for volunteers.
func (s *Requests) Publish(ctx context.Context, by Caller, id RequestID) (Receipt, error) {
	if err := by.may(HandleRequests); err != nil {
		return Receipt{}, err
	}
	if _, err := s.request(by, id); err != nil {
		return Receipt{}, err
	}
	return s.propose(ctx, command.PublishDraft{Stamp: s.stamp(by, ""), ID: id})
}

// Ask puts the question to volunteers. They see it on their pages; the agent may
// also phone them and note what they say.
func (s *Requests) Ask(ctx context.Context, by Caller, id RequestID, who []VolunteerID) (Receipt, error) {
	if err := by.may(HandleRequests); err != nil {
		return Receipt{}, err
	}
	if len(who) == 0 || len(who) > mostAsked {
		return Receipt{}, invalid("volunteers", "out-of-range", "name 1 to 30 volunteers")
	}
	if _, err := s.request(by, id); err != nil {
		return Receipt{}, err
	}
	if err := s.known(by, who); err != nil {
		return Receipt{}, err
	}
	return s.propose(ctx, command.Ask{Stamp: s.stamp(by, ""), ID: id, Volunteers: who})
}

// Slot is a moment that a volunteer proposes for a visit. The zero Slot means
// "as she wishes".
type Slot struct {
	Day    Day
	Minute int // of the day, in the territory; 0: the usual hour of the half-day

	// Wish and Start are what he was shown, if the caller knows: when she wishes
	// another time by now he is asked again. Zero: not stated.
	Wish  Wish
	Start Instant
}

// Usual hours when only a half-day is said.
const (
	morningHour   = dispatch.MorningHour
	afternoonHour = dispatch.AfternoonHour
)

// Accept gives a volunteer a seat: himself, or by the agent for him.
func (s *Requests) Accept(ctx context.Context, by Caller, id RequestID, v VolunteerID, slot Slot) (Receipt, error) {
	if err := by.mayFor(v, AnswerForSelf, HandleRequests); err != nil {
		return Receipt{}, err
	}
	if receipt, done, err := s.repeated(by, command.KindAccept); done || err != nil {
		return receipt, unsaid(by, err)
	}
	reads := by
	if !by.Staff() {
		reads = itself // mayTake decides which he may know of
	}
	r, err := s.request(reads, id)
	if err != nil {
		return Receipt{}, err
	}
	if _, asked := r.Asking(v); !asked && by.Staff() {
		if err := s.known(by, []VolunteerID{v}); err != nil {
			return Receipt{}, err
		}
	}
	b, t, err := s.personAndType(by, r.Beneficiary, r.Type)
	if err != nil {
		return Receipt{}, err
	}
	if !by.Staff() {
		if err := s.mayTake(v, r, b.Beneficiary, t); err != nil {
			return Receipt{}, err
		}
	}
	if r.State.Looking() && slot.Wish.Kind != 0 && (slot.Wish != r.Wish || slot.Start != r.Plan.Start) {
		return Receipt{}, refused(refuse.StaleVersion, RequestID{})
	}
	start, day, err := s.startOf(r, slot)
	if err != nil {
		return Receipt{}, err
	}
	stamp := s.stamp(by, r.Commune)
	receipt, err := s.propose(ctx, command.Accept{
		Stamp: stamp, ID: id, Volunteer: v, Start: start, Day: day, Wish: r.Wish, Counts: s.counts(b, t, 1, append(foundIn(r.Opened, stamp.At), public.Found)...),
	})
	return receipt, unsaid(by, err)
}

// foundIn says how soon somebody was found for a request. Begun minutes count.
func foundIn(opened, at Instant) []public.Indicator {
	return public.InTime(int64(at-opened+59_999) / 60_000)
}

// unsaid keeps from a volunteer that she does not wish him.
func unsaid(by Caller, err error) error {
	if e, ok := errors.AsType[*Error](err); ok && !by.Staff() && e.Code == refuse.VolunteerRefused.Code() {
		return refused(refuse.NotOpen, RequestID{})
	}
	return err
}

// startOf works out the instant of a visit from the wish, what the first
// volunteer fixed, and what this one proposes.
func (s *core) startOf(r request.Request, slot Slot) (when.At, Day, error) {
	zone := s.zone()
	if len(r.Coming()) > 0 {
		return r.Plan.Start, DayOf(r.Plan.Start.Time().In(zone)), nil
	}
	day, minute := slot.Day, slot.Minute
	if day == 0 && r.Wish.Kind == request.OnDay {
		day = r.Wish.Day
	}
	if day == 0 {
		return 0, 0, invalid("day", "missing", "say on which day: the wish leaves it open")
	}
	if minute == 0 {
		switch {
		case r.Wish.Minute > 0:
			minute = int(r.Wish.Minute)
		case r.Wish.Half == when.Afternoon:
			minute = afternoonHour
		default:
			minute = morningHour
		}
	}
	if minute < 0 || minute >= 24*60 || day > s.today()+400 {
		return 0, 0, invalid("day", "out-of-range", "this is not an hour of a day within the coming year")
	}
	if day < s.today() {
		return 0, 0, invalid("day", "day-out-of-range", "this day is over")
	}
	if !r.Wish.Fits(day, minute) {
		return 0, 0, &Error{Kind: Conflict, Code: "not-her-wish", Field: "day", Reason: "she asked for another time; change the request first, once she agrees"}
	}
	return day.At(minute, zone), day, nil
}

// Refuse notes that a volunteer will not come this time. No reason is asked.
func (s *Requests) Refuse(ctx context.Context, by Caller, id RequestID, v VolunteerID) (Receipt, error) {
	if err := by.mayFor(v, AnswerForSelf, HandleRequests); err != nil {
		return Receipt{}, err
	}
	if _, err := s.request(by, id); err != nil {
		return Receipt{}, err
	}
	return s.propose(ctx, command.Refuse{Stamp: s.stamp(by, ""), ID: id, Volunteer: v})
}

// Withdraw frees the seat of a volunteer who cannot come any more.
func (s *Requests) Withdraw(ctx context.Context, by Caller, id RequestID, v VolunteerID) (Receipt, error) {
	if err := by.mayFor(v, AnswerForSelf, HandleRequests); err != nil {
		return Receipt{}, err
	}
	if _, err := s.request(by, id); err != nil {
		return Receipt{}, err
	}
	return s.propose(ctx, command.Withdraw{Stamp: s.stamp(by, ""), ID: id, Volunteer: v})
}

// Ending is how a visit went.
type Ending struct {
	Why     Why // of a visit that did not take place
	Minutes uint16
	Metres  uint32
	Word    Secret
}

// Finish says that it took place, or with a reason that it did not. A volunteer
// may say so of a visit of his.
func (s *Requests) Finish(ctx context.Context, by Caller, id RequestID, done bool, e Ending) (Receipt, error) {
	r, err := s.request(by, id)
	if err != nil {
		return Receipt{}, err
	}
	if err := s.mayHandle(by, r); err != nil {
		return Receipt{}, err
	}
	b, t, err := s.personAndType(by, r.Beneficiary, r.Type)
	if err != nil {
		return Receipt{}, err
	}
	outcome, err := s.outcome(b, r.ID, e)
	if err != nil {
		return Receipt{}, err
	}
	c := command.Finish{Stamp: s.stamp(by, r.Commune), ID: id, NotDone: !done, Outcome: outcome}
	if done {
		if outcome.Minutes == 0 {
			c.Outcome.Minutes = r.Plan.Minutes
		}
		c.Counts = s.doneCounts(b, t, c.Outcome, len(r.Coming()))
	} else {
		if e.Why == request.NoReason {
			return Receipt{}, invalid("why", "missing", "say why it did not take place")
		}
		c.Counts = s.counts(b, t, 1, public.NotDone)
	}
	return s.propose(ctx, c)
}

// mayHandle lets staff act on any request and a volunteer on one he accepted.
func (s *core) mayHandle(by Caller, r request.Request) error {
	if by.may(HandleRequests) == nil {
		return nil
	}
	if err := by.may(AnswerForSelf); err != nil {
		return err
	}
	if by.Volunteer.Zero() || !slices.Contains(r.Coming(), by.Volunteer) {
		return errForbidden
	}
	return nil
}

func (s *core) doneCounts(b Beneficiary, t ActionType, o request.Outcome, volunteers int) []command.Count {
	counts := s.counts(b, t, 1, public.Done)
	counts = append(counts, s.counts(b, t, uint64(o.Minutes)*uint64(volunteers), public.Minutes)...)
	return append(counts, s.counts(b, t, uint64(o.Metres), public.Metres)...)
}

func (s *core) outcome(b Beneficiary, id RequestID, e Ending) (o request.Outcome, err error) {
	switch {
	case e.Minutes > 24*60:
		return o, invalid("minutes", "out-of-range", "a visit lasts at most a day")
	case e.Metres > 2_000_000:
		return o, invalid("km", "out-of-range", "at most 2,000 km")
	case e.Why > request.EnteredTwice:
		return o, invalid("why", "unknown-reason", "this reason is not known")
	}
	if err := tidyAll(line{"word", &e.Word, longestNote}); err != nil {
		return o, err
	}
	box, err := s.sealForHer(b.Leaf, outcomeBox, id, 1, request.OutcomeWords{Word: e.Word})
	return request.Outcome{Why: e.Why, Minutes: e.Minutes, Metres: e.Metres, Box: box}, err
}

// Drop ends a request before it takes place: cancelled, or nobody found.
func (s *Requests) Drop(ctx context.Context, by Caller, id RequestID, version uint32, unfilled bool, why Why) (Receipt, error) {
	if err := by.may(HandleRequests); err != nil {
		return Receipt{}, err
	}
	r, err := s.request(by, id)
	if err != nil {
		return Receipt{}, err
	}
	b, t, err := s.personAndType(by, r.Beneficiary, r.Type)
	if err != nil {
		return Receipt{}, err
	}
	indicator := public.Cancelled
	if unfilled {
		indicator, why = public.Unfilled, request.NobodyFound
	} else if why == request.NoReason || why > request.EnteredTwice {
		return Receipt{}, invalid("why", "missing", "say who cancels: she, or the desk")
	}
	return s.propose(ctx, command.Drop{
		Stamp: s.stamp(by, r.Commune), ID: id, Version: version, Unfilled: unfilled,
		Outcome: request.Outcome{Why: why}, Counts: s.counts(b, t, 1, indicator),
	})
}

// PastAction is an action that has taken place outside the platform.
type PastAction struct {
	Beneficiary BeneficiaryID
	Type        TypeID
	Day         Day
	Minute      int // 0: the usual morning hour
	Volunteers  []VolunteerID
	Note        Secret
	Ending
}

// RecordDone notes an action that has taken place already.
func (s *Requests) RecordDone(ctx context.Context, by Caller, in PastAction) (Receipt, error) {
	if err := by.may(HandleRequests); err != nil {
		return Receipt{}, err
	}
	b, t, err := s.personAndType(by, in.Beneficiary, in.Type)
	if err != nil {
		return Receipt{}, err
	}
	if err := s.known(by, in.Volunteers); err != nil {
		return Receipt{}, err
	}
	if in.Minute == 0 {
		in.Minute = morningHour
	}
	switch {
	case in.Day > s.today() || in.Day < s.today()-1100:
		return Receipt{}, invalid("day", "day-out-of-range", "the day lies ahead, or more than three years back")
	case in.Minute < 0 || in.Minute >= 24*60:
		return Receipt{}, invalid("hour", "hour-out-of-range", "this is not an hour of the day")
	case len(in.Volunteers) == 0 || len(in.Volunteers) > 6:
		return Receipt{}, invalid("volunteers", "missing", "say who was there: 1 to 6 volunteers")
	}
	if in.Minutes == 0 {
		in.Minutes = t.Minutes
	}
	if in.Minutes > 720 {
		return Receipt{}, invalid("minutes", "out-of-range", "a visit lasts at most 12 hours")
	}
	if err := tidyAll(line{"note", &in.Note, longestNote}); err != nil {
		return Receipt{}, err
	}
	id := newID[RequestID]()
	outcome, err := s.outcome(b, id, in.Ending)
	if err != nil {
		return Receipt{}, err
	}
	box, err := s.sealForHer(b.Leaf, store.Requests.Name, id, 1, request.Words{Note: in.Note})
	if err != nil {
		return Receipt{}, err
	}
	return s.propose(ctx, command.RecordDone{
		Stamp: s.stamp(by, b.Commune), ID: id, Beneficiary: b.ID, Type: t.ID,
		Wish:       Wish{Kind: request.OnDay, Day: in.Day, Half: when.HalfOf(in.Minute)},
		Plan:       request.Plan{Minutes: in.Minutes, Start: in.Day.At(in.Minute, s.zone()), Car: t.Car},
		Volunteers: in.Volunteers, Outcome: outcome, Box: box,
		Counts: append(s.counts(b, t, 1, public.Requested, public.Found), s.doneCounts(b, t, outcome, len(in.Volunteers))...),
	})
}

func (s *core) request(by Caller, id RequestID) (r request.Request, err error) {
	err = s.view(by, func(tx *store.Tx) error {
		var ok bool
		r, ok, err = store.Requests.Get(tx, id[:])
		if err == nil && !ok {
			err = &Error{Kind: NotFound, Code: "no-request", Reason: "no such request"}
		}
		return err
	})
	return r, err
}
