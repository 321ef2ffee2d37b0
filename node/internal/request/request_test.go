package request_test

import (
	"flag"
	"fmt"
	"slices"
	"testing"

	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/when"
	"pgregory.net/rapid"
)

func him(n int) ident.Volunteer { return ident.Volunteer{15: byte(n)} }

const (
	noon when.At = 1795521600_000
	hour when.At = 3600_000
)

func must(r request.Request, err error) request.Request {
	if err != nil {
		panic(err)
	}
	return r
}

// in is a request of two seats in a state: 1 was asked, 1 and 2 come when it is
// covered.
func in(s request.State) request.Request {
	r := request.New(request.Request{Plan: request.Plan{Seats: 2, Minutes: 60}, Wish: request.Wish{Kind: request.OnDay, Day: 20_781}}, s == request.Draft, noon)
	if s == request.Draft || s == request.Open {
		return r
	}
	r = must(r.Ask([]ident.Volunteer{him(1)}, noon))
	if s == request.Asked {
		return r
	}
	r = must(r.Accept(him(1), noon, noon))
	r = must(r.Accept(him(2), noon, noon))
	switch s {
	case request.Covered:
		return r
	case request.Told:
		return must(r.Tell(r.Version))
	case request.Done, request.NotDone:
		return must(r.Finish(s, request.Outcome{At: noon}))
	}
	return must(r.Drop(s, request.Outcome{At: noon, Why: request.ByUs}))
}

// ways are all ways in which a request may change.
var ways = []struct {
	name string
	turn func(request.Request) (request.Request, error)
}{
	{"open", request.Request.Open},
	{"ask 3", func(r request.Request) (request.Request, error) { return r.Ask([]ident.Volunteer{him(3)}, noon) }},
	{"accept 1", func(r request.Request) (request.Request, error) { return r.Accept(him(1), noon, noon) }},
	{"accept 3", func(r request.Request) (request.Request, error) { return r.Accept(him(3), noon, noon) }},
	{"refuse 1", func(r request.Request) (request.Request, error) { return r.Refuse(him(1), noon) }},
	{"refuse 3", func(r request.Request) (request.Request, error) { return r.Refuse(him(3), noon) }},
	{"withdraw 1", func(r request.Request) (request.Request, error) { return r.Withdraw(him(1), request.Withdrawn, noon) }},
	{"withdraw 3", func(r request.Request) (request.Request, error) { return r.Withdraw(him(3), request.Withdrawn, noon) }},
	{"tell", func(r request.Request) (request.Request, error) { return r.Tell(r.Version) }},
	{"tell old", func(r request.Request) (request.Request, error) { return r.Tell(r.Version - 1) }},
	{"change words", func(r request.Request) (request.Request, error) {
		return r.Change(r.Version, r.Wish, r.Plan, []byte("new"), noon)
	}},
	{"change day", func(r request.Request) (request.Request, error) {
		w := r.Wish
		w.Day++
		return r.Change(r.Version, w, r.Plan, nil, noon)
	}},
	{"one seat", func(r request.Request) (request.Request, error) {
		p := r.Plan
		p.Seats = 1
		return r.Change(r.Version, r.Wish, p, nil, noon)
	}},
	{"three seats", func(r request.Request) (request.Request, error) {
		p := r.Plan
		p.Seats = 3
		return r.Change(r.Version, r.Wish, p, nil, noon)
	}},
	{"change old", func(r request.Request) (request.Request, error) {
		return r.Change(r.Version-1, r.Wish, r.Plan, nil, noon)
	}},
	{"done", func(r request.Request) (request.Request, error) {
		return r.Finish(request.Done, request.Outcome{At: noon})
	}},
	{"done 12 h early", func(r request.Request) (request.Request, error) {
		return r.Finish(request.Done, request.Outcome{At: noon - 12*hour})
	}},
	{"done too early", func(r request.Request) (request.Request, error) {
		return r.Finish(request.Done, request.Outcome{At: noon - 12*hour - 1})
	}},
	{"not done", func(r request.Request) (request.Request, error) {
		return r.Finish(request.NotDone, request.Outcome{At: noon})
	}},
	{"not done early", func(r request.Request) (request.Request, error) {
		return r.Finish(request.NotDone, request.Outcome{At: noon - 1})
	}},
	{"cancel by us", func(r request.Request) (request.Request, error) {
		return r.Drop(request.Cancelled, request.Outcome{Why: request.ByUs})
	}},
	{"cancel by her", func(r request.Request) (request.Request, error) {
		return r.Drop(request.Cancelled, request.Outcome{Why: request.ByHer})
	}},
	{"entered twice", func(r request.Request) (request.Request, error) {
		return r.Drop(request.Cancelled, request.Outcome{Why: request.EnteredTwice})
	}},
	{"unfilled", func(r request.Request) (request.Request, error) {
		return r.Drop(request.Unfilled, request.Outcome{Why: request.NobodyFound})
	}},
}

// table says, for each way and each state from Draft to Unfilled, the new state
// and whether she must be called, or why not.
var table = map[string][9]string{
	//               Draft           Open            Asked           Covered          Told             Done              NotDone           Cancelled         Unfilled
	"open":            {"Open", "wrong-step", "wrong-step", "wrong-step", "wrong-step", "wrong-step", "wrong-step", "wrong-step", "wrong-step"},
	"ask 3":           {"not-open", "Asked", "Asked", "not-open", "not-open", "not-open", "not-open", "not-open", "not-open"},
	"accept 1":        {"not-open", "Open", "Open", "already-seated", "already-seated", "already-seated", "already-seated", "already-seated", "already-seated"},
	"accept 3":        {"not-open", "Open", "Asked", "seats-full", "seats-full", "not-open", "not-open", "not-open", "not-open"},
	"refuse 1":        {"not-asked", "not-asked", "Open", "not-asked", "not-asked", "not-asked", "not-asked", "not-asked", "not-asked"},
	"refuse 3":        {"not-asked", "not-asked", "not-asked", "not-asked", "not-asked", "not-asked", "not-asked", "not-asked", "not-asked"},
	"withdraw 1":      {"not-seated", "not-seated", "not-seated", "Open", "Open!", "request-closed", "request-closed", "request-closed", "request-closed"},
	"withdraw 3":      {"not-seated", "not-seated", "not-seated", "not-seated", "not-seated", "request-closed", "request-closed", "request-closed", "request-closed"},
	"tell":            {"nothing-to-tell", "nothing-to-tell", "nothing-to-tell", "Told", "nothing-to-tell", "nothing-to-tell", "nothing-to-tell", "Cancelled", "Unfilled"},
	"tell old":        {"stale-version", "stale-version", "stale-version", "stale-version", "stale-version", "stale-version", "stale-version", "stale-version", "stale-version"},
	"change words":    {"Draft", "Open", "Asked", "Covered!", "Told", "request-closed", "request-closed", "request-closed", "request-closed"},
	"change day":      {"Draft", "Open", "Asked", "Asked", "Asked!", "request-closed", "request-closed", "request-closed", "request-closed"},
	"one seat":        {"Draft", "Open", "Asked", "Asked", "Asked!", "request-closed", "request-closed", "request-closed", "request-closed"},
	"three seats":     {"Draft", "Open", "Asked", "Open", "Open!", "request-closed", "request-closed", "request-closed", "request-closed"},
	"change old":      {"stale-version", "stale-version", "stale-version", "stale-version", "stale-version", "stale-version", "stale-version", "stale-version", "stale-version"},
	"done":            {"not-covered", "not-covered", "not-covered", "Done", "Done", "request-closed", "request-closed", "request-closed", "request-closed"},
	"done 12 h early": {"not-covered", "not-covered", "not-covered", "Done", "Done", "request-closed", "request-closed", "request-closed", "request-closed"},
	"done too early":  {"not-covered", "not-covered", "not-covered", "not-yet", "not-yet", "request-closed", "request-closed", "request-closed", "request-closed"},
	"not done early":  {"not-covered", "not-covered", "not-covered", "not-yet", "not-yet", "request-closed", "request-closed", "request-closed", "request-closed"},
	"not done":        {"not-covered", "not-covered", "not-covered", "NotDone", "NotDone", "request-closed", "request-closed", "request-closed", "request-closed"},
	"cancel by us":    {"Cancelled!", "Cancelled!", "Cancelled!", "Cancelled!", "Cancelled!", "request-closed", "request-closed", "request-closed", "request-closed"},
	"cancel by her":   {"Cancelled", "Cancelled", "Cancelled", "Cancelled", "Cancelled", "request-closed", "request-closed", "request-closed", "request-closed"},
	"entered twice":   {"Cancelled", "Cancelled", "Cancelled", "Cancelled", "Cancelled!", "request-closed", "request-closed", "request-closed", "request-closed"},
	"unfilled":        {"Unfilled!", "Unfilled!", "Unfilled!", "Unfilled!", "Unfilled!", "request-closed", "request-closed", "request-closed", "request-closed"},
}

var names = map[request.State]string{
	request.Draft: "Draft", request.Open: "Open", request.Asked: "Asked", request.Covered: "Covered", request.Told: "Told",
	request.Done: "Done", request.NotDone: "NotDone", request.Cancelled: "Cancelled", request.Unfilled: "Unfilled",
}

func TestTransitions(t *testing.T) {
	for _, way := range ways {
		row, ok := table[way.name]
		if !ok {
			t.Errorf("%s is not in the table", way.name)
		}
		for s := request.Draft; s <= request.Unfilled; s++ {
			before := in(s)
			if before.State != s {
				t.Fatalf("in(%s) is %s", names[s], names[before.State])
			}
			shot := fmt.Sprintf("%#v", before)
			after, err := way.turn(before)
			got := names[after.State]
			if after.NeedsCall() {
				got += "!"
			}
			if err != nil {
				reason, ok := err.(refuse.Reason)
				if !ok {
					t.Fatalf("%s in %s: %v is no reason", way.name, names[s], err)
				}
				got = reason.Code()
				if fmt.Sprintf("%#v", after) != shot {
					t.Errorf("%s in %s is refused and changes the request", way.name, names[s])
				}
			} else if after.Version != before.Version+1 {
				t.Errorf("%s in %s: version %d follows %d", way.name, names[s], after.Version, before.Version)
			}
			if want := row[s-request.Draft]; got != want {
				t.Errorf("%s in %s: got %s, want %s", way.name, names[s], got, want)
			}
			if fmt.Sprintf("%#v", before) != shot {
				t.Errorf("%s in %s changes the value it was called on", way.name, names[s])
			}
		}
	}
}

func TestNumbers(t *testing.T) {
	got := fmt.Sprint(
		[]request.State{request.Draft, request.Open, request.Asked, request.Covered, request.Told, request.Done, request.NotDone, request.Cancelled, request.Unfilled},
		[]request.Answer{request.Waiting, request.Yes, request.No, request.Withdrawn, request.Declined},
		[]request.Why{request.NoReason, request.ByHer, request.ByUs, request.ByVolunteer, request.NotAtHome, request.NobodyFound, request.EnteredTwice},
		[]request.WishKind{request.OnDay, request.InWeek, request.Flexible}, []request.Counted{request.CountedFound, request.CountedTold},
	)
	if want := "[1 2 3 4 5 6 7 8 9] [0 1 2 3 4] [0 1 2 3 4 5 6] [1 2 3] [1 2]"; got != want {
		t.Errorf("numbers that stand in the store have changed:\ngot  %s\nwant %s", got, want)
	}
}

// TestLaws walks at random through the ways of a request.
func TestLaws(t *testing.T) {
	if *long {
		flag.Set("rapid.checks", "20000")
	}
	rapid.Check(t, func(t *rapid.T) {
		r := request.New(request.Request{Plan: request.Plan{Seats: uint8(rapid.IntRange(1, 3).Draw(t, "seats")), Minutes: 60}}, rapid.Bool().Draw(t, "draft"), noon)
		v := func() ident.Volunteer { return him(rapid.IntRange(1, 4).Draw(t, "him")) }
		at := noon
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			at += hour
			start := noon + when.At(rapid.IntRange(0, 2).Draw(t, "start"))*hour
			var after request.Request
			var err error
			told := false
			what := rapid.IntRange(0, 11).Draw(t, "what")
			switch what {
			case 0:
				after, err = r.Open()
			case 1:
				after, err = r.Ask([]ident.Volunteer{v(), v()}, at)
			case 2, 3, 4, 5:
				after, err = r.Accept(v(), start, at)
			case 6:
				after, err = r.Refuse(v(), at)
			case 7:
				after, err = r.Withdraw(v(), request.Declined, at)
			case 8, 9:
				after, err = r.Tell(r.Version)
				told = true
			case 10:
				w, p := r.Wish, r.Plan
				w.Half = when.Half(rapid.IntRange(0, 1).Draw(t, "half"))
				p.Seats = uint8(rapid.IntRange(1, 3).Draw(t, "seats"))
				p.Start = start // must not come from outside
				after, err = r.Change(r.Version, w, p, nil, at)
			default:
				to := request.State(rapid.IntRange(int(request.Done), int(request.Unfilled)).Draw(t, "to"))
				if to <= request.NotDone {
					said := at - when.At(rapid.IntRange(0, 30).Draw(t, "early"))*hour
					after, err = r.Finish(to, request.Outcome{At: said})
					if short := len(r.Coming()) < int(r.Plan.Seats); err == nil && to == request.Done && (short || r.Plan.Start > said+12*hour) {
						t.Fatalf("it took place: %d came of %d, at %d, said at %d", len(r.Coming()), r.Plan.Seats, r.Plan.Start, said)
					}
					if err == nil && to == request.NotDone && r.Plan.Start > said {
						t.Fatal("what lies ahead did not take place")
					}
				} else {
					why := request.Why(rapid.IntRange(0, 6).Draw(t, "why"))
					after, err = r.Drop(to, request.Outcome{At: at, Why: why})
					if err == nil && why != request.ByHer && len(r.Believes.Coming) > 0 && !after.NeedsCall() {
						t.Fatal("she was told that somebody comes, and does not hear that nobody does")
					}
				}
			}
			if err != nil {
				if fmt.Sprintf("%#v", after) != fmt.Sprintf("%#v", r) {
					t.Fatalf("refused (%v), and changed", err)
				}
				continue
			}
			if r.State.Closed() && (after.State != r.State || !slices.Equal(after.Coming(), r.Coming())) {
				t.Fatalf("an end is no end: %d became %d", r.State, after.State)
			}
			if told && after.NeedsCall() {
				t.Fatal("she was told, and must be called")
			}
			if !told && what != 11 && fmt.Sprint(after.Believes) != fmt.Sprint(r.Believes) {
				t.Fatal("nobody told her, and she believes something else")
			}
			coming := after.Coming()
			switch full := len(coming) == int(after.Plan.Seats); {
			case len(coming) > int(after.Plan.Seats):
				t.Fatalf("%d come to %d seats", len(coming), after.Plan.Seats)
			case after.State.Looking() && full, (after.State == request.Covered || after.State == request.Told) && !full:
				t.Fatalf("state %d with %d of %d seats", after.State, len(coming), after.Plan.Seats)
			}
			if !after.State.Closed() && (len(coming) == 0) != (after.Plan.Start == 0) {
				t.Fatalf("%d come, at %d", len(coming), after.Plan.Start)
			}
			if waiting := slices.ContainsFunc(after.Askings, func(a request.Asking) bool { return a.Answer == request.Waiting }); after.State == request.Open && waiting || after.State == request.Asked && !waiting {
				t.Fatalf("state %d, waiting for an answer: %v", after.State, waiting)
			}
			if after.State == request.Told && after.NeedsCall() || after.State == request.Covered && !after.NeedsCall() {
				t.Fatalf("state %d, needs a call: %v", after.State, after.NeedsCall())
			}
			r = after
		}
	})
}

func TestWish(t *testing.T) {
	const tuesday when.Day = 20_781 // 2026-11-24
	for _, c := range []struct {
		name   string
		wish   request.Wish
		day    when.Day
		minute int
		want   bool
		latest when.Day
	}{
		{"day", request.Wish{Kind: request.OnDay, Day: tuesday}, tuesday, 600, true, tuesday},
		{"other day", request.Wish{Kind: request.OnDay, Day: tuesday}, tuesday + 1, 600, false, tuesday},
		{"hour", request.Wish{Kind: request.OnDay, Day: tuesday, Minute: 600}, tuesday, 600, true, tuesday},
		{"other hour", request.Wish{Kind: request.OnDay, Day: tuesday, Minute: 600}, tuesday, 601, false, tuesday},
		{"morning", request.Wish{Kind: request.OnDay, Day: tuesday, Half: when.Morning}, tuesday, 779, true, tuesday},
		{"not morning", request.Wish{Kind: request.OnDay, Day: tuesday, Half: when.Morning}, tuesday, 780, false, tuesday},
		{"afternoon", request.Wish{Kind: request.OnDay, Day: tuesday, Half: when.Afternoon}, tuesday, 780, true, tuesday},
		{"week, Monday", request.Wish{Kind: request.InWeek, Day: tuesday - 1}, tuesday - 1, 0, true, tuesday + 5},
		{"week, Sunday", request.Wish{Kind: request.InWeek, Day: tuesday - 1}, tuesday + 5, 0, true, tuesday + 5},
		{"next week", request.Wish{Kind: request.InWeek, Day: tuesday - 1}, tuesday + 6, 0, false, tuesday + 5},
		{"flexible", request.Wish{Kind: request.Flexible}, tuesday, 0, true, 0},
	} {
		if got := c.wish.Fits(c.day, c.minute); got != c.want {
			t.Errorf("%s: got %v", c.name, got)
		}
		if got := c.wish.Latest(); got != c.latest {
			t.Errorf("%s: latest %d, want %d", c.name, got, c.latest)
		}
	}
}

// TestOneOfTwo: a visit for two that one made needs its exception first; that it
// did not take place can be said at once.
func TestOneOfTwo(t *testing.T) {
	r := must(in(request.Open).Accept(him(1), noon, noon))
	o := request.Outcome{At: noon + hour}
	if got, err := r.Finish(request.Done, o); err != refuse.PairNeeded || got.State != r.State || got.Version != r.Version {
		t.Errorf("state %d, %v", got.State, err)
	}
	if got, err := r.Finish(request.NotDone, o); err != nil || got.State != request.NotDone {
		t.Errorf("state %d, %v", got.State, err)
	}
	p := r.Plan
	p.Seats, p.Exception = 1, true
	r = must(r.Change(r.Version, r.Wish, p, nil, noon+hour))
	if got, err := r.Finish(request.Done, o); err != nil || got.State != request.Done || !slices.Equal(got.Coming(), []ident.Volunteer{him(1)}) {
		t.Errorf("state %d, %v", got.State, err)
	}
}

// TestEnteredTwice: she hears of it if somebody was announced to her, even when
// that one has withdrawn since.
func TestEnteredTwice(t *testing.T) {
	r := must(in(request.Told).Withdraw(him(1), request.Withdrawn, noon))
	r = must(r.Drop(request.Cancelled, request.Outcome{At: noon, Why: request.EnteredTwice}))
	if !r.NeedsCall() || len(r.Believes.Coming) != 2 {
		t.Errorf("she believes %+v", r.Believes)
	}
	if r = must(r.Tell(r.Version)); r.NeedsCall() {
		t.Errorf("she was told, and believes %+v", r.Believes)
	}
}

// TestChangedDay: who said yes to a day is not expected on another one.
func TestChangedDay(t *testing.T) {
	r := in(request.Told)
	w := r.Wish
	w.Day++
	r = must(r.Change(r.Version, w, r.Plan, nil, noon+hour))
	for _, a := range r.Askings {
		if a.Answer != request.Waiting || a.At != noon+hour {
			t.Errorf("%+v", a)
		}
	}
	if r.Plan.Start != 0 || !r.NeedsCall() {
		t.Errorf("start %d, needs a call: %v", r.Plan.Start, r.NeedsCall())
	}
}
