package node_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bippop/bippop/node"
)

// wants checks the code of a refusal.
func wants(t *testing.T, err error, code string) *node.Error {
	t.Helper()
	e, ok := errors.AsType[*node.Error](err)
	if !ok || e.Code != code {
		t.Fatalf("got %v, want %s", err, code)
	}
	return e
}

func TestVoiceLoop(tt *testing.T) {
	t := newTown(tt)
	her, paul, jeanne := t.enrol("Laforêt"), t.approve("Paul"), t.approve("Jeanne")
	id := t.ask(her, "Courses", t.tomorrow(), paul)

	calls := func(want int) []node.Call {
		t.Helper()
		list, err := t.Calls.List(t.admin)
		t.must(err)
		if len(list) != want {
			t.Fatalf("%d people to call, want %d", len(list), want)
		}
		return list
	}
	tell := func() {
		t.Helper()
		c := calls(1)[0]
		_, err := t.Calls.Told(t.Context(), t.admin, her, []node.Heard{{Request: c.News[0].ID, Version: c.News[0].Version}})
		t.must(err)
	}
	calls(0) // she knows that somebody is being looked for
	_, err := t.Requests.Accept(t.Context(), t.admin, id, paul, node.Slot{})
	t.must(err)
	stale := calls(1)[0].News[0].Version
	tell()
	calls(0)

	// He cannot any more: she must hear it, and then of Jeanne.
	_, err = t.Requests.Withdraw(t.Context(), t.admin, id, paul)
	t.must(err)
	tell()
	_, err = t.Requests.Accept(t.Context(), t.admin, id, jeanne, node.Slot{})
	t.must(err)
	_, err = t.Calls.Told(t.Context(), t.admin, her, []node.Heard{{Request: id, Version: stale}})
	wants(tt, err, "stale-version") // what was read out is not so any more

	// Nobody answers: she stays on the list, and the list says how often.
	_, err = t.Calls.NotReached(t.Context(), t.admin, her, node.CallNoAnswer, 0)
	t.must(err)
	if c := calls(1)[0]; c.Missed != 1 {
		t.Errorf("missed %d", c.Missed)
	}
	// She does not wish Jeanne: the seat is free, and Jeanne never fits her again.
	c := calls(1)[0]
	_, err = t.Calls.Told(t.Context(), t.admin, her, []node.Heard{{Request: id, Version: c.News[0].Version, NotHim: jeanne}})
	t.must(err)
	calls(0)
	_, err = t.Requests.Ask(t.Context(), t.admin, id, []node.VolunteerID{jeanne})
	wants(tt, err, "volunteer-refused")

	// Cancelled by herself needs no call; by us it does.
	v, err := t.Requests.Get(t.admin, id)
	t.must(err)
	_, err = t.Requests.Drop(t.Context(), t.admin, id, v.Version, false, node.ByUs)
	t.must(err)
	tell()
	calls(0)
}

func TestDoubleBookingNamesTheClash(tt *testing.T) {
	t := newTown(tt)
	her, other, paul := t.enrol("Laforêt"), t.enrol("Duval"), t.approve("Paul")
	first := t.ask(her, "Courses", t.tomorrow())
	second := t.ask(other, "Promenade", t.tomorrow())
	_, err := t.Requests.Accept(t.Context(), t.admin, first, paul, node.Slot{Minute: 10 * 60})
	t.must(err)
	_, err = t.Requests.Accept(t.Context(), t.admin, second, paul, node.Slot{Minute: 10*60 + 45})
	if e := wants(tt, err, "double-booked"); e.Clash != first {
		t.Errorf("clash is %v, want %v", e.Clash, first)
	}
	_, err = t.Requests.Accept(t.Context(), t.admin, second, paul, node.Slot{Minute: 11*60 + 15}) // an hour and the way
	t.must(err)
}

func TestTwoForAFirstVisit(tt *testing.T) {
	t := newTown(tt)
	her, paul := t.enrol("Laforêt"), t.approve("Paul")
	in := node.NewRequest{Beneficiary: her, Type: t.kinds["Visite"], Wish: t.tomorrow(), Seats: 1}
	_, err := t.Requests.Open(t.Context(), t.admin, in)
	wants(tt, err, "pair-needed")
	in.Exception = secret("sa nièce est là")
	r, err := t.Requests.Open(t.Context(), t.admin, in)
	t.must(err)
	_, err = t.Requests.Accept(t.Context(), t.admin, r.ID, paul, node.Slot{})
	t.must(err)
	_, err = t.Requests.Accept(t.Context(), t.admin, r.ID, paul, node.Slot{})
	wants(tt, err, "already-seated")
	v, err := t.Requests.Get(t.admin, r.ID)
	t.must(err)
	if !v.Plan.Exception || v.Exception.Reveal() != "sa nièce est là" {
		t.Error("the reason of the exception is lost")
	}
	_, err = t.Requests.Finish(t.Context(), t.admin, r.ID, true, node.Ending{})
	wants(tt, err, "not-yet")
	t.wait(24 * time.Hour)
	_, err = t.Requests.Finish(t.Context(), t.admin, r.ID, true, node.Ending{})
	t.must(err)
	in.Wish = t.tomorrow()
	in.Exception = node.Secret{} // she has had her first visit
	_, err = t.Requests.Open(t.Context(), t.admin, in)
	t.must(err)
}

func TestIdempotency(tt *testing.T) {
	t := newTown(tt)
	her := t.enrol("Laforêt")
	by := t.admin
	by.Key, by.Body = "a key of the caller", []byte("the same body")
	in := node.NewRequest{Beneficiary: her, Type: t.kinds["Courses"], Wish: t.tomorrow()}
	first, err := t.Requests.Open(t.Context(), by, in)
	t.must(err)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			again, err := t.Requests.Open(context.Background(), by, in)
			if err != nil || again.ID != first.ID {
				t.Errorf("again: %v, %v", again, err)
			}
		})
	}
	group.Wait()
	list, _, err := t.Requests.OfPerson(t.admin, her, node.Page{})
	t.must(err)
	if len(list) != 1 {
		t.Errorf("%d requests, want 1", len(list))
	}
	by.Body = []byte("another body")
	_, err = t.Requests.Open(t.Context(), by, in)
	wants(tt, err, "key-reused")
}

func TestCounted(tt *testing.T) {
	t := newTown(tt)
	her, paul := t.enrol("Laforêt"), t.approve("Paul")
	read := func() map[node.Indicator]uint64 {
		t.Helper()
		sums, err := t.Figures.Read(t.admin, node.MonthOf(2026, 11), node.MonthOf(2026, 12))
		t.must(err)
		return sums.Total
	}
	if n := read()[node.CountEnrolled]; n != 1 {
		t.Fatalf("enrolled %d", n)
	}
	id := t.ask(her, "Courses", t.tomorrow(), paul)
	for range 2 { // found once, though he withdraws and comes again
		_, err := t.Requests.Accept(t.Context(), t.admin, id, paul, node.Slot{})
		t.must(err)
		c, err := t.Calls.Of(t.admin, her)
		t.must(err)
		if c != nil { // the second time she believes already what is so again
			_, err = t.Calls.Told(t.Context(), t.admin, her, []node.Heard{{Request: id, Version: c.News[0].Version}})
			t.must(err)
		}
		_, err = t.Requests.Withdraw(t.Context(), t.admin, id, paul)
		t.must(err)
	}
	_, err := t.Requests.Accept(t.Context(), t.admin, id, paul, node.Slot{})
	t.must(err)
	t.wait(24 * time.Hour)
	_, err = t.Requests.Finish(t.Context(), t.admin, id, true, node.Ending{Minutes: 45, Metres: 3500})
	t.must(err)
	want := map[node.Indicator]uint64{
		node.CountRequested: 1, node.CountFound: 1, node.CountTold: 1, node.CountDone: 1, node.CountMinutes: 45, node.CountMetres: 3500,
		node.CountFoundInDay: 1, node.CountFoundInTwoDays: 1, node.CountFoundInWeek: 1,
	}
	check := func() {
		t.Helper()
		have := read()
		for i, n := range want {
			if have[i] != n {
				t.Errorf("indicator %d: %d, want %d", i, have[i], n)
			}
		}
	}
	check()
	t.reopen() // from the store, and not from what was kept in memory
	check()
}

func TestVolunteerSeesNoNameBeforeHeAccepts(tt *testing.T) {
	t := newTown(tt)
	her, paul := t.enrol("Laforêt"), t.approve("Paul")
	_, err := t.Accounts.Open(t.Context(), t.admin, node.NewAccount{Login: "voisin", Password: secret(password), Roles: node.RoleVolunteer, Of: paul})
	t.must(err)
	_, by, err := t.Accounts.SignIn(t.Context(), "voisin", secret(password), "test", false)
	t.must(err)
	asked, near := t.ask(her, "Courses", t.tomorrow(), paul), t.ask(her, "Promenade", node.Wish{Kind: node.Flexible})
	m, err := t.Requests.Mine(by)
	t.must(err)
	if len(m.Asked) != 1 || m.Asked[0].ID != asked || len(m.Near) != 1 || m.Near[0].ID != near || len(m.Promised) != 0 {
		t.Fatalf("asked %d, near %d, promised %d", len(m.Asked), len(m.Near), len(m.Promised))
	}
	_, err = t.Requests.Get(by, asked)
	wants(tt, err, "forbidden")
	_, err = t.Beneficiaries.Get(by, her)
	wants(tt, err, "forbidden")
	_, err = t.Find.People(by, "laforet", node.AnyPerson, 10)
	wants(tt, err, "forbidden")
	_, err = t.Requests.Accept(t.Context(), by, asked, paul, node.Slot{})
	t.must(err)
	m, err = t.Requests.Mine(by)
	t.must(err)
	if len(m.Promised) != 1 || m.Promised[0].Last.Reveal() != "Laforêt" {
		t.Fatal("he has promised, and must know whom to see")
	}
	// Suspended, he sees nothing, and she must hear that he does not come.
	v, err := t.Volunteers.Get(t.admin, paul)
	t.must(err)
	c, err := t.Calls.Of(t.admin, her)
	t.must(err)
	_, err = t.Calls.Told(t.Context(), t.admin, her, []node.Heard{{Request: asked, Version: c.News[0].Version}})
	t.must(err)
	_, err = t.Volunteers.Step(t.Context(), t.admin, paul, v.Version, node.Suspended, 0)
	t.must(err)
	if m, err = t.Requests.Mine(by); err != nil || len(m.Asked)+len(m.Near)+len(m.Promised) != 0 {
		t.Errorf("a suspended volunteer sees %v, %v", m, err)
	}
	if c, err = t.Calls.Of(t.admin, her); err != nil || c == nil {
		t.Errorf("she is not on the call-back list: %v", err)
	}
}

func TestSignInThrottled(tt *testing.T) {
	t := newTown(tt)
	var last error
	for range 12 {
		_, _, last = t.Accounts.SignIn(t.Context(), "admin", secret("wrong words here"), "somewhere", false)
	}
	if e := wants(tt, last, "too-many-sign-ins"); e.After <= 0 {
		t.Error("says not how long to wait")
	}
	_, _, err := t.Accounts.SignIn(t.Context(), "admin", secret(password), "somewhere", false)
	wants(tt, err, "too-many-sign-ins")
	t.wait(10 * time.Minute)
	token, _, err := t.Accounts.SignIn(t.Context(), "admin", secret(password), "somewhere", false)
	t.must(err)
	t.reopen()
	if _, err := t.Accounts.Session(token.Text); err != nil {
		t.Errorf("the session does not survive a restart: %v", err)
	}
	t.wait(13 * time.Hour)
	_, err = t.Accounts.Session(token.Text)
	wants(tt, err, "sign-in")
}

func TestNoLoginIsGivenAway(tt *testing.T) {
	t := newTown(tt)
	_, _, wrong := t.Accounts.SignIn(t.Context(), "admin", secret("wrong words here"), "a", false)
	_, _, none := t.Accounts.SignIn(t.Context(), "nobody", secret("wrong words here"), "b", false)
	if wrong.Error() != none.Error() {
		t.Errorf("%v and %v differ", wrong, none)
	}
}

func TestErrorsCarryNoWords(tt *testing.T) {
	t := newTown(tt)
	const canary = "Zyxwvutine"
	_, err := t.Beneficiaries.Enrol(t.Context(), t.admin, node.BeneficiaryFacts{Commune: canary, Basis: node.Consent}, node.BeneficiaryWords{Last: secret(canary)})
	if e := wants(tt, err, "commune-outside"); strings.Contains(e.Error(), canary) {
		t.Errorf("got %v", e)
	}
	for _, w := range []node.BeneficiaryWords{
		{Last: secret(strings.Repeat(canary, 50))},
		{Last: secret(canary), Phones: []node.Phone{{Number: secret(canary)}}},
		{Last: secret(canary), Phones: []node.Phone{{Number: secret("0536491207")}}, Birth: secret(canary)},
		{Last: secret(canary), Phones: []node.Phone{{Number: secret("0536491207")}}, Email: secret(canary)},
		{Last: secret(canary), Phones: []node.Phone{{Number: secret("0536491207")}}, Modes: []string{canary}},
		{Last: secret(canary)},
	} {
		_, err := t.Beneficiaries.Enrol(t.Context(), t.admin, node.BeneficiaryFacts{Commune: "33352", Basis: node.Consent}, w)
		if err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("got %v", err)
		}
	}
	if strings.Contains(t.log.String(), canary) {
		t.Error("a word is in the log")
	}
}

// TestNobodyIsLeftOffTheList has more people to call than the list shows: the most
// pressing stand first, however late they came into the files.
func TestNobodyIsLeftOffTheList(tt *testing.T) {
	t := newTown(tt)
	const people = 120
	var last node.BeneficiaryID
	for i := range people {
		her := t.enrol(name(i))
		him := t.approve("Paul")
		w := t.tomorrow()
		w.Day += node.Day(people - i)
		_, err := t.Requests.Accept(t.Context(), t.admin, t.ask(her, "Courses", w), him, node.Slot{})
		t.must(err)
		last = her
	}
	list, err := t.Calls.List(t.admin)
	t.must(err)
	n, err := t.Calls.Count(t.admin)
	t.must(err)
	if n != people || len(list) != 100 || list[0].Her.ID != last {
		t.Errorf("%d to call, %d listed, the most pressing first: %v", n, len(list), list[0].Her.ID == last)
	}
	// "Call later" waits, but not past the visit itself.
	_, err = t.Calls.NotReached(t.Context(), t.admin, last, node.CallLater, node.Instant(t.clock().Add(10*24*time.Hour).UnixMilli()))
	t.must(err)
	if list, err = t.Calls.List(t.admin); err != nil || list[0].Her.ID != last || list[0].Later {
		t.Errorf("the visit is before she wants to be called: %v", err)
	}
}

func TestNoLoneVisitByTheBackDoor(tt *testing.T) {
	t := newTown(tt)
	her, paul := t.enrol("Laforêt"), t.approve("Paul")
	id := t.ask(her, "Visite", t.tomorrow(), paul)
	_, err := t.Requests.Accept(t.Context(), t.admin, id, paul, node.Slot{})
	t.must(err)
	t.wait(26 * time.Hour)
	_, err = t.Requests.Finish(t.Context(), t.admin, id, true, node.Ending{})
	wants(tt, err, "pair-needed")
}

func TestWhatLiesAheadIsCancelled(tt *testing.T) {
	t := newTown(tt)
	her, paul := t.enrol("Laforêt"), t.approve("Paul")
	id := t.ask(her, "Courses", t.tomorrow(), paul)
	r, err := t.Requests.Accept(t.Context(), t.admin, id, paul, node.Slot{})
	t.must(err)
	_, err = t.Calls.Told(t.Context(), t.admin, her, []node.Heard{{Request: id, Version: r.Version}})
	t.must(err)
	_, err = t.Requests.Finish(t.Context(), t.admin, id, false, node.Ending{Why: node.ByUs})
	wants(tt, err, "not-yet")
	b, err := t.Beneficiaries.Get(t.admin, her)
	t.must(err)
	facts := node.BeneficiaryFacts{Commune: b.Commune, Basis: b.Enrolled.Basis, State: node.Left}
	_, err = t.Beneficiaries.Change(t.Context(), t.admin, her, b.Version, facts, b.Words)
	wants(tt, err, "requests-open") // somebody would stand at her door
	v, err := t.Requests.Get(t.admin, id)
	t.must(err)
	_, err = t.Requests.Drop(t.Context(), t.admin, id, v.Version, false, node.EnteredTwice)
	t.must(err)
	if c, err := t.Calls.Of(t.admin, her); err != nil || c == nil {
		t.Errorf("she was told that Paul comes, and must hear that he does not: %v", err)
	}
}

func TestSheWishesAnotherDayByNow(tt *testing.T) {
	t := newTown(tt)
	her, paul := t.enrol("Laforêt"), t.approve("Paul")
	id := t.ask(her, "Courses", t.tomorrow(), paul)
	v, err := t.Requests.Get(t.admin, id)
	t.must(err)
	seen := v.Wish
	moved := t.tomorrow()
	moved.Day++
	_, err = t.Requests.Change(t.Context(), t.admin, id, v.Version, node.NewRequest{Wish: moved})
	t.must(err)
	_, err = t.Requests.Accept(t.Context(), t.admin, id, paul, node.Slot{Wish: seen})
	wants(tt, err, "stale-version")
}

func TestWhomSheDoesNotWishIsNotToldSo(tt *testing.T) {
	t := newTown(tt)
	her, paul := t.enrol("Laforêt"), t.approve("Paul")
	_, err := t.Accounts.Open(t.Context(), t.admin, node.NewAccount{Login: "voisin", Password: secret(password), Roles: node.RoleVolunteer, Of: paul})
	t.must(err)
	_, by, err := t.Accounts.SignIn(t.Context(), "voisin", secret(password), "test", false)
	t.must(err)
	id := t.ask(her, "Courses", t.tomorrow(), paul)
	b, err := t.Beneficiaries.Get(t.admin, her)
	t.must(err)
	facts := node.BeneficiaryFacts{Commune: b.Commune, Basis: b.Enrolled.Basis, State: node.Active, Refused: []node.VolunteerID{paul}}
	_, err = t.Beneficiaries.Change(t.Context(), t.admin, her, b.Version, facts, b.Words)
	t.must(err)
	_, err = t.Requests.Accept(t.Context(), by, id, paul, node.Slot{})
	wants(tt, err, "not-open")
}

func TestThrottleKeepsLittle(tt *testing.T) {
	t := newTown(tt)
	for i := range 3000 {
		_, _, err := t.Accounts.SignIn(t.Context(), strings.Repeat("x", 1000)+name(i), secret("wrong words here"), "one address", false)
		if err == nil {
			t.Fatal("signed in")
		}
	}
	if n := t.Entrance.TestOnlyTries(); n > 50 {
		t.Errorf("%d tries are remembered for one address", n)
	}
}
