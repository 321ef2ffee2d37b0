package node_test

import (
	"errors"
	"testing"
	"time"

	"github.com/bippop/bippop/node"
)

// code is how a refusal is named.
func code(err error) string {
	if e, ok := errors.AsType[*node.Error](err); ok {
		return e.Code
	}
	return ""
}

// volunteer opens an account for him and signs in.
func (t *town) volunteer(v node.VolunteerID, login string) node.Caller {
	t.Helper()
	_, err := t.Accounts.Open(t.Context(), t.admin, node.NewAccount{Login: login, Password: secret(password), Roles: node.RoleVolunteer, Of: v})
	t.must(err)
	_, by, err := t.Accounts.SignIn(t.Context(), login, secret(password), "test", false)
	t.must(err)
	return by
}

// TestAcceptTwice: what was recorded before its answer got lost is answered alike
// when it is sent again, although he was shown another state then.
func TestAcceptTwice(t *testing.T) {
	town := newTown(t)
	him := town.approve("Paul")
	by := town.volunteer(him, "voisin")
	wish := node.Wish{Kind: node.InWeek, Day: town.today()}
	id := town.ask(town.enrol("Laforêt"), "Courses", wish, him)
	by.Key, by.Body = "one", []byte("what was sent")
	slot := node.Slot{Day: town.today() + 1, Minute: 600, Wish: wish}
	first, err := town.Requests.Accept(t.Context(), by, id, him, slot)
	town.must(err)
	again, err := town.Requests.Accept(t.Context(), by, id, him, slot)
	if err != nil || again != first {
		t.Errorf("%+v, %v; the first time %+v", again, err, first)
	}
	other := by
	other.Body = []byte("something else")
	if _, err := town.Requests.Accept(t.Context(), other, id, him, slot); code(err) != "key-reused" {
		t.Errorf("another answer under the same key: %v", err)
	}
	other.Key = "two"
	if _, err := town.Requests.Accept(t.Context(), other, id, him, slot); code(err) != "already-seated" {
		t.Errorf("another yes: %v", err)
	}
	// So is one of two who are needed, while the other is still looked for.
	pair := town.ask(town.enrol("Martin"), "Visite", wish, him)
	by.Key, slot.Day = "pair", slot.Day+1
	first, err = town.Requests.Accept(t.Context(), by, pair, him, slot)
	town.must(err)
	if again, err = town.Requests.Accept(t.Context(), by, pair, him, slot); err != nil || again != first {
		t.Errorf("%+v, %v; the first time %+v", again, err, first)
	}
	// And so is a refusal.
	late := town.ask(town.enrol("Dupré"), "Courses", town.tomorrow(), him)
	busy := node.Slot{Minute: 600}
	by.Key = "three"
	for range 2 {
		if _, err := town.Requests.Accept(t.Context(), by, late, him, busy); code(err) != "double-booked" {
			t.Errorf("got %v", err)
		}
	}
}

// TestMine: what clashes is known before, what is near comes soonest first, and
// what he has done counts.
func TestMine(t *testing.T) {
	town := newTown(t)
	him := town.approve("Paul")
	by := town.volunteer(him, "voisin")
	her := town.enrol("Laforêt")
	promised := town.ask(her, "Courses", town.tomorrow(), him)
	_, err := town.Requests.Accept(t.Context(), by, promised, him, node.Slot{})
	town.must(err)
	flexible := town.ask(her, "Courses", node.Wish{Kind: node.Flexible})
	week := town.ask(her, "Courses", node.Wish{Kind: node.InWeek, Day: town.today()})
	late := town.ask(her, "Courses", node.Wish{Kind: node.OnDay, Day: town.today() + 3})
	early := town.ask(her, "Courses", node.Wish{Kind: node.OnDay, Day: town.today() + 2})
	m, err := town.Requests.Mine(by)
	town.must(err)
	var order []node.RequestID
	for _, p := range m.Near {
		order = append(order, p.ID)
		if p.Metres != 0 || p.Asked || !p.Needs.Empty() {
			t.Errorf("%+v", p)
		}
	}
	if want := []node.RequestID{early, late, week, flexible}; len(order) != 4 || order[0] != want[0] || order[1] != want[1] || order[2] != want[2] || order[3] != want[3] {
		t.Errorf("near him in the order %v, want %v", order, want)
	}
	if got := m.On(town.today() + 1); len(got) != 1 || got[0].ID != promised || len(m.On(town.today())) != 0 {
		t.Errorf("promised for tomorrow: %+v", got)
	}
	ten := m.Promised[0].Start
	for after, clash := range map[time.Duration]bool{-2 * time.Hour: false, -30 * time.Minute: true, 0: true, 70 * time.Minute: true, 76 * time.Minute: false} {
		if _, got := m.Clash(early, ten.Add(after), 60); got != clash {
			t.Errorf("a visit %s after another one clashes: %v", after, got)
		}
	}
	if _, clash := m.Clash(promised, ten, 60); clash {
		t.Error("a visit clashes with itself")
	}

	town.wait(30 * time.Hour)
	_, err = town.Requests.Finish(t.Context(), by, promised, true, node.Ending{Minutes: 45})
	town.must(err)
	m, err = town.Requests.Mine(by)
	town.must(err)
	if m.Past.Visits != 1 || m.Past.Minutes != 45 || len(m.Past.Last) != 1 || m.Past.Last[0].Day != town.today() {
		t.Errorf("%+v", m.Past)
	}
	town.wait(60 * 24 * time.Hour) // another year
	if m, err = town.Requests.Mine(by); err != nil || m.Past.Visits != 0 {
		t.Errorf("%+v, %v", m.Past, err)
	}
}

// TestNextStep: the day of the next step is the agent's to say, stays when the
// volunteer changes his week, and goes with the step.
func TestNextStep(t *testing.T) {
	town := newTown(t)
	r, err := town.Volunteers.Register(t.Context(), town.admin, node.Readiness{Commune: "33352"}, node.VolunteerWords{Last: secret("Exemplaire"), Phones: []node.Phone{{Number: secret("06 39 98 11 22")}}})
	town.must(err)
	by := town.volunteer(r.ID, "nina")
	if _, err := town.Volunteers.SetNext(t.Context(), by, r.ID, 1, town.today()); code(err) != "forbidden" {
		t.Errorf("he sets it himself: %v", err)
	}
	if _, err := town.Volunteers.SetNext(t.Context(), town.admin, r.ID, 1, town.today()-1); code(err) != "day-out-of-range" {
		t.Errorf("a day that is over: %v", err)
	}
	_, err = town.Volunteers.SetNext(t.Context(), town.admin, r.ID, 1, town.today()+9)
	town.must(err)
	_, err = town.Volunteers.SetReadiness(t.Context(), by, r.ID, 2, 0, 1, 5, nil)
	town.must(err)
	v, err := town.Volunteers.Get(by, r.ID)
	town.must(err)
	if v.Next != town.today()+9 || v.Words.Last.Reveal() != "Exemplaire" {
		t.Errorf("next is %s", v.Next)
	}
	_, err = town.Volunteers.Step(t.Context(), town.admin, r.ID, 3, node.Met, town.today()+20)
	town.must(err)
	if v, err = town.Volunteers.Get(by, r.ID); err != nil || v.Next != town.today()+20 {
		t.Errorf("next is %s, %v", v.Next, err)
	}
	_, err = town.Volunteers.Step(t.Context(), town.admin, r.ID, 4, node.Approved, 0)
	town.must(err)
	if v, err = town.Volunteers.Get(by, r.ID); err != nil || v.Next != 0 {
		t.Errorf("next is %s, %v", v.Next, err)
	}
}
