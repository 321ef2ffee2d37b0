package machine_test

import (
	"slices"
	"testing"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/contact"
	"github.com/bippop/bippop/node/internal/event"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
	"github.com/bippop/bippop/node/internal/when"
)

// story is a town at work, told command by command.
type story struct {
	*testing.T
	*peer
	at when.At
}

func tell(t *testing.T) *story {
	t.Helper()
	s := &story{T: t, peer: newReplica(t, t.TempDir())}
	t.Cleanup(func() { s.store.Close() })
	s.do(0, found())
	for _, c := range town() {
		s.do(0, c)
	}
	return s
}

// do applies c and fails unless it is answered with want.
func (s *story) do(want refuse.Reason, c command.Command) (version uint32) {
	s.Helper()
	reply := s.apply(s.T, c)
	if reply.Refusal != want {
		s.Fatalf("%T: got %q, want %q", c, reply.Refusal.Code(), want.Code())
	}
	return reply.Version
}

func (s *story) stamp() command.Stamp {
	s.at += minute
	return stamp(s.at)
}

func (s *story) request(n int) request.Request {
	s.Helper()
	q, ok := read(s.T, s.store).requests[req(n)]
	if !ok {
		s.Fatalf("no request %d", n)
	}
	return q
}

func (s *story) stands(n int, want request.State, toCall bool) {
	s.Helper()
	q := s.request(n)
	if q.State != want || s.toCall(n) != toCall {
		s.Fatalf("request %d is in state %d and on the call-back list: %v; want %d, %v", n, q.State, s.toCall(n), want, toCall)
	}
}

func (s *story) toCall(n int) (listed bool) {
	s.Helper()
	err := s.store.View(func(tx *store.Tx) error {
		return view.EachToCall(tx, func(_ ident.Beneficiary, q ident.Request) bool {
			listed = q == req(n)
			return !listed
		})
	})
	if err != nil {
		s.Fatal(err)
	}
	return listed
}

// open notes a request of the first person and asks volunteers.
func (s *story) open(want refuse.Reason, n, kind int, seats uint8, ask ...int) {
	s.Helper()
	c := command.OpenRequest{
		Stamp: s.stamp(), ID: req(n), Beneficiary: her(0), Type: kindOf(kind), Wish: request.Wish{Kind: request.Flexible},
		Plan: request.Plan{Seats: seats, Minutes: 60}, Counts: cell(public.Requested, n),
	}
	for _, v := range ask {
		c.Ask = append(c.Ask, him(v))
	}
	s.do(want, c)
}

func (s *story) accept(want refuse.Reason, n, v int, start when.At) {
	s.Helper()
	s.do(want, command.Accept{Stamp: s.stamp(), ID: req(n), Volunteer: him(v), Start: noon + start, Wish: read(s.T, s.store).requests[req(n)].Wish, Counts: cell(public.Found, n)})
}

func (s *story) reach(want refuse.Reason, attempt int, about ...command.About) {
	s.Helper()
	s.do(want, command.Reach{Stamp: s.stamp(), ID: try(attempt), Beneficiary: her(0), Result: contact.Told, Means: contact.ByPhone, About: about})
}

func (s *story) about(n int, w command.Word, v int) command.About {
	s.Helper()
	a := command.About{Request: req(n), Version: s.request(n).Version, Word: w, Counts: slices.Concat(cell(public.Told, n), cell(public.Cancelled, n))}
	if w == command.NotHim {
		a.Volunteer = him(v)
	}
	return a
}

func (s *story) counted(i public.Indicator, n int, want uint64) {
	s.Helper()
	if got := counter(s.T, s.store, i, n); got != want {
		s.Fatalf("request %d: indicator %d is %d, want %d", n, i, got, want)
	}
}

func (s *story) step(want refuse.Reason, v int, to people.Status) {
	s.Helper()
	s.do(want, command.StepVolunteer{Stamp: s.stamp(), ID: him(v), Version: read(s.T, s.store).volunteers[him(v)].Version, To: to})
}

func TestRuleOfTwo(t *testing.T) {
	s := tell(t)
	s.open(refuse.PairNeeded, 0, visits, 1)
	s.open(refuse.PairNeeded, 0, visits, 0)
	s.open(0, 0, visits, 2, 0, 1)
	s.do(refuse.PairNeeded, command.ChangeRequest{Stamp: s.stamp(), ID: req(0), Version: s.request(0).Version, Plan: request.Plan{Seats: 1, Minutes: 60}})
	s.accept(0, 0, 0, hour)
	s.stands(0, request.Asked, false)
	s.accept(refuse.AlreadySeated, 0, 0, hour)
	s.accept(refuse.OtherTime, 0, 1, 2*hour)
	s.accept(0, 0, 1, hour)
	s.stands(0, request.Covered, true)
	s.accept(refuse.SeatsFull, 0, 2, hour)
	s.counted(public.Found, 0, 1)
	s.reach(0, 0, s.about(0, command.Fine, 0))
	s.stands(0, request.Told, false)
	s.counted(public.Told, 0, 1)
	s.do(0, command.Finish{Stamp: s.stamp(), ID: req(0), Outcome: request.Outcome{Minutes: 60}, Counts: cell(public.Done, 0)})
	s.stands(0, request.Done, false)
	r := read(t, s.store)
	if r.beneficiaries[her(0)].Visits != 1 || r.volunteers[him(0)].Done != 1 || r.volunteers[him(1)].Done != 1 || r.volunteers[him(2)].Done != 0 {
		t.Error("the visit was not noted on both sides")
	}
	s.open(0, 1, visits, 1) // she knows them now
	s.open(refuse.PairNeeded, 2, always2, 1)
	exception := command.OpenRequest{Stamp: s.stamp(), ID: req(3), Beneficiary: her(0), Type: kindOf(always2), Plan: request.Plan{Seats: 1, Minutes: 60, Exception: true}}
	s.do(0, exception)
	exception.ID, exception.Plan.Seats = req(4), 0
	s.do(refuse.PairNeeded, exception) // an exception lets one go alone, never nobody
}

func TestWithdrawnAfterSheWasTold(t *testing.T) {
	s := tell(t)
	s.open(0, 0, shopping, 1, 0, 1)
	s.accept(0, 0, 0, hour)
	s.reach(0, 0, s.about(0, command.Fine, 0))
	s.stands(0, request.Told, false)
	s.do(0, command.Withdraw{Stamp: s.stamp(), ID: req(0), Volunteer: him(0)})
	s.stands(0, request.Asked, true) // she waits for somebody who will not come
	s.do(0, command.Refuse{Stamp: s.stamp(), ID: req(0), Volunteer: him(1)})
	s.stands(0, request.Open, true)
	s.accept(0, 0, 0, hour) // he can come after all: what she believes is right
	s.stands(0, request.Told, false)
	s.do(0, command.Withdraw{Stamp: s.stamp(), ID: req(0), Volunteer: him(0)})
	old := s.about(0, command.Fine, 0)
	s.accept(0, 0, 1, 2*hour)
	s.stands(0, request.Covered, true)
	s.reach(refuse.StaleVersion, 1, old) // the agent read out what was so a minute ago
	s.reach(0, 1, s.about(0, command.Fine, 0))
	s.stands(0, request.Told, false)
	s.reach(refuse.NothingToTell, 2, s.about(0, command.Fine, 0))
	s.counted(public.Found, 0, 1)
	s.counted(public.Told, 0, 1)
	drop := command.Drop{Stamp: s.stamp(), ID: req(0), Version: s.request(0).Version, Outcome: request.Outcome{Why: request.ByUs}, Counts: cell(public.Cancelled, 0)}
	s.do(0, drop)
	s.stands(0, request.Cancelled, true)
	s.reach(0, 2, s.about(0, command.Fine, 0))
	s.stands(0, request.Cancelled, false)
}

func TestNotReached(t *testing.T) {
	s := tell(t)
	s.open(0, 0, shopping, 1)
	s.accept(0, 0, 0, hour)
	s.do(0, command.Reach{Stamp: s.stamp(), ID: try(0), Beneficiary: her(0), Result: contact.NoAnswer, Means: contact.ByPhone, After: noon + hour, About: []command.About{s.about(0, command.NotReach, 0)}})
	s.stands(0, request.Covered, true)
	b := read(t, s.store).beneficiaries[her(0)]
	if b.Missed != 1 || b.CallAfter != noon+hour || b.Version != 1 {
		t.Errorf("missed %d, call after %d, version %d", b.Missed, b.CallAfter, b.Version)
	}
	s.do(refuse.Exists, command.Reach{Stamp: s.stamp(), ID: try(0), Beneficiary: her(0), Result: contact.NoAnswer})
	s.do(refuse.NoRequest, command.Reach{Stamp: s.stamp(), ID: try(1), Beneficiary: her(1), Result: contact.Told, About: []command.About{s.about(0, command.Fine, 0)}})
	s.reach(0, 1, s.about(0, command.Fine, 0))
	if b = read(t, s.store).beneficiaries[her(0)]; b.Missed != 0 || b.CallAfter != 0 {
		t.Error("she was reached, and is still called later")
	}
}

// TestTwiceInOneCall: a page that sends one piece of news twice must not tell it
// twice, nor leave the lists behind.
func TestTwiceInOneCall(t *testing.T) {
	s := tell(t)
	s.open(0, 0, shopping, 1)
	s.accept(0, 0, 0, hour)
	s.reach(refuse.StaleVersion, 0, s.about(0, command.Fine, 0), s.about(0, command.NoMore, 0))
	s.stands(0, request.Covered, true)
	s.counted(public.Told, 0, 0)
	s.counted(public.Cancelled, 0, 0)
}

func TestNotHim(t *testing.T) {
	s := tell(t)
	s.open(0, 0, shopping, 1)
	s.accept(0, 0, 0, hour)
	s.open(0, 1, shopping, 1)
	s.accept(0, 1, 0, 3*hour)
	s.open(0, 2, shopping, 1, 0)
	s.reach(0, 0, s.about(1, command.Fine, 0))
	s.stands(1, request.Told, false)
	s.reach(refuse.NotSeated, 1, s.about(0, command.NotHim, 1))
	s.reach(0, 1, s.about(0, command.NotHim, 0))
	s.stands(0, request.Open, false) // it was she who said so
	if a, _ := s.request(0).Asking(him(0)); a.Answer != request.Declined {
		t.Errorf("his answer is %d", a.Answer)
	}
	s.accept(refuse.VolunteerRefused, 0, 0, hour)
	s.do(refuse.VolunteerRefused, command.Ask{Stamp: s.stamp(), ID: req(0), Volunteers: []ident.Volunteer{him(0)}})
	if !read(t, s.store).beneficiaries[her(0)].Refuses(him(0)) {
		t.Error("she must say so again")
	}
	// He does not come for another reason either, and she hears that too.
	s.stands(1, request.Open, true)
	s.stands(2, request.Open, false)
	s.open(refuse.VolunteerRefused, 3, shopping, 1, 0)
}

// TestRefusedInHerFile: an agent who writes down that she does not wish him has
// the same effect.
func TestRefusedInHerFile(t *testing.T) {
	s := tell(t)
	s.open(0, 0, shopping, 1)
	s.accept(0, 0, 0, hour)
	s.reach(0, 0, s.about(0, command.Fine, 0))
	s.do(0, command.ChangeBeneficiary{Stamp: s.stamp(), ID: her(0), Version: 1, Facts: people.Facts{Commune: "33001", State: people.Active, Basis: people.Consent, Refused: []ident.Volunteer{him(0)}}})
	s.stands(0, request.Open, true)
}

func TestSuspended(t *testing.T) {
	s := tell(t)
	s.open(0, 0, shopping, 1)
	s.accept(0, 0, 0, hour) // ahead
	s.open(0, 1, shopping, 1)
	s.accept(0, 1, 0, -24*hour) // long past: to be closed, not to be taken from him
	s.open(0, 2, shopping, 1, 0)
	s.reach(0, 0, s.about(0, command.Fine, 0))
	s.step(refuse.WrongStep, 0, people.Met)
	s.step(0, 0, people.Suspended)
	s.stands(0, request.Open, true)
	s.stands(1, request.Covered, true)
	s.stands(2, request.Open, false)
	s.accept(refuse.NotApproved, 0, 0, hour)
	s.open(refuse.NotApproved, 3, shopping, 1, 0)
	q := s.request(1) // the long past one is to be moved, and he must not be asked again
	s.do(0, command.ChangeRequest{Stamp: s.stamp(), ID: req(1), Version: q.Version, Wish: request.Wish{Kind: request.InWeek, Day: 20_780}, Plan: q.Plan})
	s.stands(1, request.Open, false)
	// One who has not answered yet when the last seat is taken, and is suspended
	// then, has no question again when the seat is free again.
	s.open(0, 4, shopping, 1, 1, 2)
	s.accept(0, 4, 1, 20*hour)
	s.step(0, 2, people.Suspended)
	s.do(0, command.Withdraw{Stamp: s.stamp(), ID: req(4), Volunteer: him(1)})
	s.stands(4, request.Open, false)
	s.step(0, 0, people.Approved)
	s.accept(0, 0, 0, hour)
	s.stands(0, request.Told, false)
}

func TestWhoMayAccept(t *testing.T) {
	s := tell(t)
	s.do(0, command.ChangeVolunteer{Stamp: s.stamp(), ID: him(1), Version: 1, Offer: people.Readiness{Commune: "33001", Kinds: []ident.ActionType{kindOf(rides)}, Absences: []people.Absence{{From: 20_000, To: 20_002}}}})
	s.open(0, 0, shopping, 1)
	s.open(0, 1, rides, 1)
	s.accept(refuse.KindNotCleared, 0, 1, hour)
	s.accept(refuse.CarNeeded, 1, 1, hour)
	s.accept(refuse.NoVolunteer, 1, 9, hour)
	s.accept(refuse.NoRequest, 9, 1, hour)
	s.do(0, command.ChangeVolunteer{Stamp: s.stamp(), ID: him(1), Version: 2, Offer: people.Readiness{Commune: "33001", Car: true, Absences: []people.Absence{{From: 20_000, To: 20_002}}}})
	for _, day := range []struct {
		day  when.Day
		want refuse.Reason
	}{{20_000, refuse.Absent}, {20_002, refuse.Absent}, {20_003, 0}} {
		s.do(day.want, command.Accept{Stamp: s.stamp(), ID: req(1), Volunteer: him(1), Start: noon, Day: day.day, Wish: s.request(1).Wish})
	}
}

func TestDoubleBooked(t *testing.T) {
	s := tell(t)
	s.open(0, 0, shopping, 1)
	s.accept(0, 0, 0, 10*hour)
	for _, c := range []struct {
		name  string
		start when.At
		want  refuse.Reason
	}{
		{"same", 10 * hour, refuse.DoubleBooked},
		{"ends as it begins", 9 * hour, refuse.DoubleBooked},
		{"ends 14 minutes before", 9*hour - 14*minute, refuse.DoubleBooked},
		{"begins 14 minutes after", 11*hour + 14*minute, refuse.DoubleBooked},
	} {
		s.open(0, 1, shopping, 1)
		r := s.apply(t, command.Accept{Stamp: s.stamp(), ID: req(1), Volunteer: him(0), Start: noon + c.start, Wish: s.request(1).Wish})
		if r.Refusal != c.want || r.Clash != req(0) {
			t.Errorf("%s: %q, clash %s", c.name, r.Refusal.Code(), r.Clash)
		}
		s.do(0, command.Drop{Stamp: s.stamp(), ID: req(1), Version: s.request(1).Version})
		// IDs are not used twice; the next case needs a fresh store of them.
		s.at = 0
		s = again(s)
	}
	s.open(0, 2, shopping, 1)
	s.accept(0, 2, 0, 9*hour-15*minute)
	s.open(0, 3, shopping, 1)
	s.accept(0, 3, 0, 11*hour+15*minute)
}

// again is the same story up to the first seat.
func again(old *story) *story {
	s := tell(old.T)
	s.open(0, 0, shopping, 1)
	s.accept(0, 0, 0, 10*hour)
	return s
}

// TestLongVisit: a visit of twelve hours reaches a quarter of an hour further.
func TestLongVisit(t *testing.T) {
	s := tell(t)
	long := command.OpenRequest{Stamp: s.stamp(), ID: req(0), Beneficiary: her(0), Type: kindOf(shopping), Plan: request.Plan{Seats: 1, Minutes: 720}}
	s.do(0, long)
	s.accept(0, 0, 0, 0)
	s.open(0, 1, shopping, 1)
	s.accept(refuse.DoubleBooked, 1, 0, 12*hour+10*minute)
	s.accept(0, 1, 0, 12*hour+15*minute)
}

// TestLonger: a visit that is made longer must not reach into his next one.
func TestLonger(t *testing.T) {
	s := tell(t)
	s.open(0, 0, shopping, 1)
	s.accept(0, 0, 0, hour)
	s.open(0, 1, shopping, 1)
	s.accept(0, 1, 0, 3*hour)
	longer := command.ChangeRequest{Stamp: s.stamp(), ID: req(0), Version: s.request(0).Version, Wish: request.Wish{Kind: request.Flexible}, Plan: request.Plan{Seats: 1, Minutes: 120}}
	longer.Key = "longer"
	r := s.apply(t, longer)
	if r.Refusal != refuse.DoubleBooked || r.Clash != req(1) {
		t.Fatalf("%q, clash %s", r.Refusal.Code(), r.Clash)
	}
	if again := s.apply(t, longer); again != r {
		t.Errorf("the same key answers %+v, then %+v", r, again)
	}
	longer.Key, longer.Plan.Minutes = "", 105
	s.do(0, longer)
}

func TestRecordDone(t *testing.T) {
	s := tell(t)
	c := command.RecordDone{
		Stamp: s.stamp(), ID: req(0), Beneficiary: her(0), Type: kindOf(visits), Plan: request.Plan{Minutes: 60, Start: noon - 24*hour},
		Volunteers: []ident.Volunteer{him(0)}, Outcome: request.Outcome{Minutes: 60}, Counts: cell(public.Done, 0),
	}
	none := c
	none.Volunteers = nil
	s.do(refuse.NotCovered, none)
	twice := c
	twice.Volunteers = []ident.Volunteer{him(0), him(0)}
	s.do(refuse.AlreadySeated, twice)
	s.do(0, c)
	s.stands(0, request.Done, false)
	s.counted(public.Done, 0, 1)
	s.do(refuse.Exists, c)
	c.ID = req(1)
	s.do(refuse.DoubleBooked, c)
	if r := read(t, s.store); r.beneficiaries[her(0)].Visits != 1 || r.volunteers[him(0)].Done != 1 {
		t.Error("the visit was not noted on both sides")
	}
}

// TestWishMoved: an instant that answered yesterday's wish is no answer to
// today's, even when nobody sees it from the instant.
func TestWishMoved(t *testing.T) {
	s := tell(t)
	s.open(0, 0, shopping, 1, 0)
	old := s.request(0).Wish
	accept := command.Accept{Stamp: s.stamp(), ID: req(0), Volunteer: him(0), Start: noon + hour, Wish: old, Counts: cell(public.Found, 0)}
	wish := request.Wish{Kind: request.OnDay, Day: 20_781, Half: when.Morning}
	s.do(0, command.ChangeRequest{Stamp: s.stamp(), ID: req(0), Version: s.request(0).Version, Wish: wish, Plan: s.request(0).Plan})
	s.do(refuse.StaleVersion, accept)
	accept.Wish = wish
	accept.Wish.Minute = 600
	s.do(refuse.StaleVersion, accept)
	s.stands(0, request.Asked, false)
	s.counted(public.Found, 0, 0)
	// Words and length may change meanwhile: the instant answers the wish still.
	plan := s.request(0).Plan
	plan.Minutes = 45
	s.do(0, command.ChangeRequest{Stamp: s.stamp(), ID: req(0), Version: s.request(0).Version, Wish: wish, Plan: plan, Box: []byte("new")})
	accept.Wish = wish
	s.do(0, accept)
	s.stands(0, request.Covered, true)
}

// TestNotYet: what lies ahead neither took place nor failed to.
func TestNotYet(t *testing.T) {
	s := tell(t)
	finish := func(want refuse.Reason, n int, at when.At, not bool) {
		t.Helper()
		s.do(want, command.Finish{Stamp: stamp(at), ID: req(n), NotDone: not, Outcome: request.Outcome{At: noon + 99*hour, Minutes: 60}, Counts: cell(public.Done, n)})
	}
	for n, start := range []when.At{20 * hour, 40 * hour} {
		s.open(0, n, shopping, 1)
		s.accept(0, n, n, start)
	}
	finish(refuse.NotYet, 0, 8*hour-1, false)
	s.stands(0, request.Covered, true)
	s.counted(public.Done, 0, 0)
	if r := read(t, s.store); r.volunteers[him(0)].Done != 0 {
		t.Error("a visit that lies ahead was noted")
	}
	finish(0, 0, 8*hour, false) // they moved it by a word at the door
	s.stands(0, request.Done, false)
	finish(refuse.NotYet, 1, 40*hour-1, true)
	s.stands(1, request.Covered, true)
	finish(0, 1, 40*hour, true)
	s.stands(1, request.NotDone, false)
	s.do(refuse.NotYet, command.RecordDone{
		Stamp: stamp(40 * hour), ID: req(2), Beneficiary: her(0), Type: kindOf(shopping), Plan: request.Plan{Minutes: 60, Start: noon + 52*hour + 1},
		Volunteers: []ident.Volunteer{him(0)}, Counts: cell(public.Done, 2),
	})
}

// TestOneCame: where two were needed and one came, the exception is recorded
// before the visit is.
func TestOneCame(t *testing.T) {
	s := tell(t)
	s.open(0, 0, visits, 2)
	s.accept(0, 0, 0, -2*hour)
	done := command.Finish{Stamp: s.stamp(), ID: req(0), Outcome: request.Outcome{Minutes: 60}, Counts: cell(public.Done, 0)}
	s.do(refuse.PairNeeded, done)
	s.stands(0, request.Open, false)
	s.counted(public.Done, 0, 0)
	q := s.request(0)
	plan := request.Plan{Seats: 1, Minutes: 60}
	s.do(refuse.PairNeeded, command.ChangeRequest{Stamp: s.stamp(), ID: req(0), Version: q.Version, Wish: q.Wish, Plan: plan})
	plan.Exception = true
	s.do(0, command.ChangeRequest{Stamp: s.stamp(), ID: req(0), Version: q.Version, Wish: q.Wish, Plan: plan})
	s.do(0, done)
	s.stands(0, request.Done, false)
	s.counted(public.Done, 0, 1)
	if r := read(t, s.store); r.beneficiaries[her(0)].Visits != 1 || r.volunteers[him(0)].Done != 1 {
		t.Error("the visit was not noted on both sides")
	}
	s.open(0, 1, always2, 2)
	s.accept(0, 1, 1, -4*hour)
	s.do(0, command.Finish{Stamp: s.stamp(), ID: req(1), NotDone: true, Outcome: request.Outcome{Why: request.NotAtHome}})
	s.stands(1, request.NotDone, false)
}

// TestEnteredTwice: of a request that stands twice she hears only what was
// announced to her.
func TestEnteredTwice(t *testing.T) {
	s := tell(t)
	drop := func(n int) {
		t.Helper()
		s.do(0, command.Drop{Stamp: s.stamp(), ID: req(n), Version: s.request(n).Version, Outcome: request.Outcome{Why: request.EnteredTwice}, Counts: cell(public.Cancelled, n)})
	}
	for n := range 3 {
		s.open(0, n, shopping, 1)
	}
	s.accept(0, 1, 0, hour)
	s.accept(0, 2, 1, hour)
	s.reach(0, 0, s.about(2, command.Fine, 0))
	for n := range 3 {
		drop(n)
	}
	s.stands(0, request.Cancelled, false)
	s.stands(1, request.Cancelled, false)
	s.stands(2, request.Cancelled, true)
	s.reach(0, 1, s.about(2, command.Fine, 0))
	s.stands(2, request.Cancelled, false)
}

// TestLeft: nobody leaves while somebody may stand at her door, or while she
// waits for somebody in vain.
func TestLeft(t *testing.T) {
	s := tell(t)
	change := func(want refuse.Reason, to people.BeneficiaryState) {
		t.Helper()
		was := read(t, s.store).beneficiaries[her(0)]
		s.do(want, command.ChangeBeneficiary{Stamp: s.stamp(), ID: her(0), Version: was.Version, Facts: people.Facts{Commune: "33002", State: to, Basis: people.Consent}})
		if is := read(t, s.store).beneficiaries[her(0)]; want != 0 && (is.State != was.State || is.Version != was.Version) {
			t.Error("a refused change has changed her")
		}
	}
	drop := func(n int, why request.Why) {
		t.Helper()
		s.do(0, command.Drop{Stamp: s.stamp(), ID: req(n), Version: s.request(n).Version, Outcome: request.Outcome{Why: why}})
	}
	// Another one's request is not hers.
	s.do(0, command.OpenRequest{Stamp: s.stamp(), ID: req(5), Beneficiary: her(1), Type: kindOf(shopping), Plan: request.Plan{Seats: 1, Minutes: 60}})
	s.do(0, command.OpenRequest{Stamp: s.stamp(), ID: req(0), Beneficiary: her(0), Type: kindOf(shopping), Plan: request.Plan{Seats: 1, Minutes: 60}, Draft: true})
	change(refuse.RequestsOpen, people.Left)
	drop(0, request.ByHer)
	s.open(0, 1, shopping, 1)
	change(refuse.RequestsOpen, people.Left)
	s.accept(0, 1, 0, hour)
	change(refuse.RequestsOpen, people.Left)
	change(0, people.Active) // anything else about her may change
	s.reach(0, 0, s.about(1, command.Fine, 0))
	change(refuse.RequestsOpen, people.Left)
	drop(1, request.ByUs)
	change(refuse.RequestsOpen, people.Left) // she still expects him
	s.reach(0, 1, s.about(1, command.Fine, 0))
	s.open(0, 2, shopping, 1)
	s.accept(0, 2, 0, 0)
	s.do(0, command.Finish{Stamp: s.stamp(), ID: req(2), Outcome: request.Outcome{Minutes: 60}})
	change(0, people.Left) // what is over, and known to her, holds nobody
	change(0, people.Left)
	s.open(refuse.BeneficiaryEnded, 3, shopping, 1)
	change(0, people.Active)
	s.open(0, 3, shopping, 1)
}

func TestLastAdmin(t *testing.T) {
	s := tell(t)
	open := command.OpenAccount{Stamp: s.stamp(), Account: account.Account{ID: acc(1), Login: "anne", Roles: account.Agent, Leaf: leaf(10)}}
	s.do(0, open)
	open.Account.ID, open.Account.Leaf = acc(2), leaf(11)
	s.do(refuse.LoginTaken, open)
	open.Account.Login = "ann" // the beginning of another one's
	s.do(0, open)
	change := command.ChangeAccount{Stamp: s.stamp(), ID: acc(0), Version: 1, Roles: account.Agent}
	s.do(refuse.LastAdmin, change)
	change.Roles, change.Closed = account.Admin, true
	s.do(refuse.LastAdmin, change)
	s.do(0, command.OpenSession{Stamp: s.stamp(), Session: account.Session{ID: session(0), Account: acc(1), Expires: noon + hour}})
	s.do(0, command.ChangeAccount{Stamp: s.stamp(), ID: acc(1), Version: 1, Roles: account.Admin})
	s.do(refuse.NoSession, command.CloseSession{Stamp: s.stamp(), ID: session(0)}) // it ended with the change
	s.do(0, change)
	s.do(refuse.AccountClosed, command.OpenSession{Stamp: s.stamp(), Session: account.Session{ID: session(0), Account: acc(0)}})
	s.do(refuse.LastAdmin, command.ChangeAccount{Stamp: s.stamp(), ID: acc(1), Version: 2, Roles: account.Admin, Closed: true})
}

func (s *story) row(n, slot int) command.NewBeneficiary {
	return command.NewBeneficiary{ID: her(n), Leaf: leaf(slot), Facts: people.Facts{Commune: "33001", State: people.Active, Basis: people.PublicInterest}, Box: []byte("sealed")}
}

func TestImport(t *testing.T) {
	s := tell(t)
	s.do(0, command.BeginImport{Stamp: s.stamp(), ID: file(0), Leaf: leaf(12), Box: []byte("sealed")})
	rows := command.ImportRows{Stamp: s.stamp(), ID: file(0), From: 0, Beneficiaries: []command.NewBeneficiary{s.row(5, 13), s.row(6, 14)}}
	rows.Volunteers = []command.NewVolunteer{{ID: him(5), Leaf: leaf(15), Status: people.Approved, Box: []byte("sealed")}}
	gap := rows
	gap.From = 1
	s.do(refuse.ImportGap, gap)
	twice := rows
	twice.Beneficiaries = []command.NewBeneficiary{s.row(5, 13), s.row(5, 14)}
	s.do(refuse.Exists, twice)
	slots := rows
	slots.Beneficiaries = []command.NewBeneficiary{s.row(5, 13), s.row(6, 13)}
	s.do(refuse.StaleTree, slots)
	s.do(0, rows)
	s.do(refuse.ImportGap, rows) // a retry without a key
	commit := command.CloseImport{Stamp: s.stamp(), ID: file(0), Rows: 2}
	s.do(refuse.ImportGap, commit)

	// Nobody works with people who are not to be seen yet.
	open := command.OpenRequest{Stamp: s.stamp(), ID: req(0), Beneficiary: her(5), Type: kindOf(shopping), Plan: request.Plan{Seats: 1, Minutes: 60}}
	s.do(refuse.NoBeneficiary, open)
	s.open(refuse.NoVolunteer, 1, shopping, 1, 5)
	s.do(refuse.NoVolunteer, command.StepVolunteer{Stamp: s.stamp(), ID: him(5), Version: 1, To: people.Suspended})

	commit.Rows = 3
	first := command.CountImport{Stamp: s.stamp(), ID: file(0), Part: 0, Counts: cell(public.Enrolled, 40)}
	second := command.CountImport{Stamp: s.stamp(), ID: file(0), Part: 1, Counts: cell(public.Enrolled, 41)}
	s.do(refuse.NoImport, command.CountImport{Stamp: s.stamp(), ID: file(1), Counts: cell(public.Enrolled, 40)})
	s.do(refuse.ImportClosed, first) // nobody sees them yet
	s.do(0, commit)
	s.counted(public.Enrolled, 40, 0)
	s.do(refuse.ImportGap, second)
	s.do(0, first)
	s.do(refuse.ImportGap, first) // a retry without a key
	s.do(0, second)
	back := first
	back.Back = true
	s.do(refuse.ImportClosed, back)
	s.counted(public.Enrolled, 40, 1)
	s.counted(public.Enrolled, 41, 1)
	s.do(refuse.ImportClosed, rows)
	s.do(refuse.ImportClosed, commit)
	undo := commit
	undo.Undo = true
	s.do(0, undo)
	s.counted(public.Enrolled, 40, 1)
	s.do(refuse.ImportClosed, command.CountImport{Stamp: s.stamp(), ID: file(0), Part: 2, Counts: cell(public.Enrolled, 42)})
	s.do(refuse.ImportGap, back) // the last part first
	second.Back, second.Counts[0].N = true, 7
	s.do(0, second)
	if len(s.events) != 1 {
		t.Fatalf("got %v", s.events)
	}
	if c, ok := s.events[0].(event.Counted); !ok || c.N != -1 { // not more than was there
		t.Errorf("got %v", s.events)
	}
	s.do(refuse.ImportGap, second)
	s.do(0, back)
	s.do(refuse.ImportGap, back)
	none := back
	none.Part = 1<<32 - 1
	s.do(refuse.ImportGap, none)
	for _, n := range []int{40, 41, 42} {
		s.counted(public.Enrolled, n, 0)
	}
	s.do(refuse.NoBeneficiary, open)
	s.open(refuse.NoVolunteer, 1, shopping, 1, 5)
	s.do(refuse.NoBeneficiary, command.ChangeBeneficiary{Stamp: s.stamp(), ID: her(5), Version: 1})
	s.do(refuse.ImportClosed, undo)
	s.do(refuse.StaleTree, command.Enrol{Stamp: s.stamp(), Who: s.row(7, 13)}) // her slot is not used again
}

func TestImportInUse(t *testing.T) {
	for name, use := range map[string]func(*story){
		"a request": func(s *story) {
			s.do(0, command.OpenRequest{Stamp: s.stamp(), ID: req(0), Beneficiary: her(5), Type: kindOf(shopping), Plan: request.Plan{Seats: 1, Minutes: 60}})
		},
		"a change": func(s *story) {
			s.do(0, command.ChangeBeneficiary{Stamp: s.stamp(), ID: her(5), Version: 1, Facts: s.row(5, 13).Facts})
		},
		"a question":    func(s *story) { s.open(0, 0, shopping, 1, 5) },
		"an acceptance": func(s *story) { s.open(0, 0, shopping, 1); s.accept(0, 0, 5, hour) },
		"a step":        func(s *story) { s.step(0, 5, people.Suspended) },
		"a call": func(s *story) {
			s.do(0, command.Reach{Stamp: s.stamp(), ID: try(0), Beneficiary: her(5), Result: contact.Told, Means: contact.ByPhone})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := tell(t)
			s.do(0, command.BeginImport{Stamp: s.stamp(), ID: file(0), Leaf: leaf(12), Box: []byte("sealed")})
			s.do(0, command.ImportRows{Stamp: s.stamp(), ID: file(0), Beneficiaries: []command.NewBeneficiary{s.row(5, 13)},
				Volunteers: []command.NewVolunteer{{ID: him(5), Leaf: leaf(15), Status: people.Approved, Box: []byte("sealed")}}})
			s.do(0, command.CloseImport{Stamp: s.stamp(), ID: file(0), Rows: 2})
			use(s)
			s.do(refuse.ImportUsed, command.CloseImport{Stamp: s.stamp(), ID: file(0), Undo: true})
		})
	}
}

// TestSweep: an idempotency key answers until it is swept, and a session lasts
// until its hour.
func TestSweep(t *testing.T) {
	s := tell(t)
	c := command.DefineType{Stamp: s.stamp(), Type: types()[0]}
	c.Key, c.Type.ID = "k", kindOf(7)
	s.do(0, c)
	for i := range 2 {
		s.do(0, command.OpenSession{Stamp: s.stamp(), Session: account.Session{ID: session(i), Account: acc(0), Expires: noon + when.At(1+i)*hour}})
	}
	s.do(0, command.Sweep{Stamp: s.stamp(), Sessions: noon + hour, Replays: c.At})
	s.do(0, c) // the first answer
	s.do(refuse.Exists, command.OpenSession{Stamp: s.stamp(), Session: account.Session{ID: session(0), Account: acc(0)}})
	s.do(0, command.Sweep{Stamp: s.stamp(), Sessions: noon + hour + 1, Replays: c.At + 1})
	s.do(refuse.Exists, c)
	s.do(refuse.NoSession, command.CloseSession{Stamp: s.stamp(), ID: session(0)})
	s.do(0, command.CloseSession{Stamp: s.stamp(), ID: session(1)})
	c.Digest[0] = 1
	s.do(refuse.KeyReused, c)
}

// TestClock: a leader whose clock is behind does not send time back.
func TestClock(t *testing.T) {
	s := tell(t)
	open := command.OpenRequest{Stamp: stamp(hour), ID: req(0), Beneficiary: her(0), Type: kindOf(shopping), Plan: request.Plan{Seats: 1, Minutes: 60}}
	s.do(0, open)
	open.Stamp, open.ID = stamp(-hour), req(1)
	s.do(0, open)
	open.Stamp, open.ID = command.Stamp{At: -1}, req(2)
	s.do(0, open)
	for n := range 3 {
		if got := s.request(n).Opened; got != noon+hour {
			t.Errorf("request %d was opened at %d, want %d", n, got, noon+hour)
		}
	}
}

func TestEvents(t *testing.T) {
	s := tell(t)
	s.open(0, 0, shopping, 1)
	want := []event.Event{event.RequestChanged{ID: req(0), Beneficiary: her(0), State: request.Open, By: acc(0)}}
	if len(s.events) != 2 || s.events[0] != want[0] {
		t.Errorf("got %v", s.events)
	}
	if c, ok := s.events[1].(event.Counted); !ok || c.N != 1 || c.Cell.Indicator != public.Requested {
		t.Errorf("got %v", s.events)
	}
	s.events = nil
	s.open(refuse.Exists, 0, shopping, 1)
	if len(s.events) != 0 {
		t.Errorf("a refusal has happened: %v", s.events)
	}
}

// TestPanics: what must stop a node rather than become an answer.
func TestPanics(t *testing.T) {
	good, err := command.Encode(command.Sweep{Stamp: stamp(0)})
	if err != nil {
		t.Fatal(err)
	}
	cell := command.Enrol{Stamp: stamp(0), Who: command.NewBeneficiary{ID: her(8), Leaf: leaf(9)}, Counts: []command.Count{{Cell: []byte("not a cell"), N: 1}}}
	bad, err := command.Encode(cell)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		entry []byte
		shut  bool
	}{
		{"unknown kind", []byte{200, 0xa0}, false},
		{"kind zero", []byte{0, 0xa0}, false},
		{"empty", nil, false},
		{"unknown field", append([]byte{byte(command.KindSweep)}, 0xa1, 0x18, 0x63, 0x00), false},
		{"trailing byte", append(slices.Clone(good), 0), false},
		{"malformed cell", bad, false},
		{"closed store", good, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := tell(t)
			before := walk(t, s.store)
			index, err := s.Applied()
			if err != nil {
				t.Fatal(err)
			}
			if c.shut {
				s.store.Close()
			}
			func() {
				defer func() {
					if recover() == nil {
						t.Error("did not stop")
					}
				}()
				s.Apply(index+1, [][]byte{good, c.entry})
			}()
			if c.shut {
				return
			}
			if d := differ(before, walk(t, s.store), nil); d != "" {
				t.Errorf("a stopped entry left %s", d)
			}
			if replies := s.Apply(index+1, [][]byte{good}); len(replies) != 1 {
				t.Error("the store does not go on")
			}
		})
	}
}

// TestSkips: an entry that was applied before has no answer, in one piece or not.
func TestSkips(t *testing.T) {
	s := tell(t)
	a, err := command.Encode(command.OpenRequest{Stamp: stamp(0), ID: req(0), Beneficiary: her(0), Type: kindOf(shopping), Plan: request.Plan{Seats: 1, Minutes: 60}})
	if err != nil {
		t.Fatal(err)
	}
	b, err := command.Encode(command.Ask{Stamp: stamp(0), ID: req(0), Volunteers: []ident.Volunteer{him(0)}})
	if err != nil {
		t.Fatal(err)
	}
	if r := s.Apply(1000, [][]byte{a, b}); len(r) != 2 {
		t.Fatalf("%d replies to two commands", len(r))
	}
	s.events = nil
	for _, index := range []uint64{1000, 999, 1} {
		if r := s.Apply(index, [][]byte{b}); r != nil || s.events != nil {
			t.Errorf("entry %d was answered: %v", index, r)
		}
	}
	if got, err := s.Applied(); got != 1000 || err != nil {
		t.Errorf("applied %d, %v", got, err)
	}
	if q := s.request(0); q.Version != 2 {
		t.Errorf("version %d", q.Version)
	}
}
