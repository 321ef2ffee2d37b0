package node_test

import (
	"context"
	"testing"
	"time"

	"github.com/bippop/bippop/node"
)

func TestLikeLastTime(tt *testing.T) {
	t := newTown(tt)
	her, paul, jeanne := t.enrol("Laforêt"), t.approve("Paul"), t.approve("Jeanne")
	if _, ok, err := t.Requests.Again(t.admin, her); ok || err != nil {
		t.Fatalf("last time of somebody who never asked: %v, %v", ok, err)
	}
	thursday := t.today() + 3
	id := t.ask(her, "Courses", node.Wish{Kind: node.OnDay, Day: thursday, Half: node.Morning}, paul)
	_, err := t.Requests.Accept(t.Context(), t.admin, id, paul, node.Slot{Minute: 9*60 + 30})
	t.must(err)
	t.wait(4 * 24 * time.Hour) // Friday
	_, err = t.Requests.Finish(t.Context(), t.admin, id, true, node.Ending{})
	t.must(err)

	a, ok, err := t.Requests.Again(t.admin, her)
	t.must(err)
	want := node.Wish{Kind: node.OnDay, Day: thursday + 7, Half: node.Morning}
	if !ok || a.Wish != want || a.Kind.Name != "Courses" || len(a.With) != 1 || a.With[0].ID != paul {
		t.Fatalf("again is %v, %v with %d", a.Wish, a.Kind.Name, len(a.With))
	}
	once := t.admin
	once.Key, once.Body = "once", []byte("again")
	r, err := t.Requests.Repeat(t.Context(), once, her, a.From, a.Wish)
	t.must(err)
	if twice, err := t.Requests.Repeat(t.Context(), once, her, a.From, a.Wish); err != nil || twice.ID != r.ID {
		t.Fatalf("the same press a second time: %x, %v", twice.ID, err)
	}
	v, err := t.Requests.Get(t.admin, r.ID)
	t.must(err)
	if v.Wish != want || len(v.Waiting()) != 1 || v.Waiting()[0].Volunteer.ID != paul {
		t.Errorf("repeated as %v, asking %d", v.Wish, len(v.Waiting()))
	}

	// The same page sent later, when another week is proposed, records nothing.
	_, err = t.Requests.Repeat(t.Context(), t.admin, her, a.From, a.Wish)
	wants(tt, err, "stale-version")
	if a, _, _ = t.Requests.Again(t.admin, her); a.Wish.Day != thursday+14 {
		t.Errorf("the week after is %v", a.Wish.Day)
	}
	// Whom she does not wish any more is not asked again.
	b, err := t.Beneficiaries.Get(t.admin, her)
	t.must(err)
	facts := node.BeneficiaryFacts{Commune: b.Commune, Basis: node.Consent, State: node.Active, Refused: []node.VolunteerID{paul}}
	_, err = t.Beneficiaries.Change(t.Context(), t.admin, her, b.Version, facts, b.Words)
	t.must(err)
	if a, _, _ = t.Requests.Again(t.admin, her); len(a.With) != 0 {
		t.Error("somebody whom she refuses is proposed again")
	}
	_ = jeanne
}

func TestAlikeAndSameDay(tt *testing.T) {
	t := newTown(tt)
	her, paul := t.enrol("Laforêt"), t.approve("Paul")
	morning := t.tomorrow()
	id := t.ask(her, "Courses", morning)
	alike := func(kind string, w node.Wish) int {
		t.Helper()
		list, err := t.Requests.Alike(t.admin, her, t.kinds[kind], w)
		t.must(err)
		return len(list)
	}
	for _, c := range []struct {
		name string
		kind string
		wish node.Wish
		want int
	}{
		{"the same", "Courses", morning, 1},
		{"that day", "Courses", node.Wish{Kind: node.OnDay, Day: morning.Day}, 1},
		{"that week", "Courses", node.Wish{Kind: node.InWeek}, 1},
		{"the other half", "Courses", node.Wish{Kind: node.OnDay, Day: morning.Day, Half: node.Afternoon}, 0},
		{"another day", "Courses", node.Wish{Kind: node.OnDay, Day: morning.Day + 1}, 0},
		{"whenever", "Courses", node.Wish{Kind: node.Flexible}, 0},
		{"something else", "Promenade", morning, 0},
	} {
		if got := alike(c.kind, c.wish); got != c.want {
			t.Errorf("%s: %d alike, want %d", c.name, got, c.want)
		}
	}
	once := t.admin
	once.Key, once.Body = "once", []byte("a walk")
	_, err := t.Requests.Open(t.Context(), once, node.NewRequest{Beneficiary: her, Type: t.kinds["Visite"], Wish: morning})
	t.must(err)
	if list, err := t.Requests.Alike(once, her, t.kinds["Visite"], morning); err != nil || len(list) != 0 {
		t.Errorf("what this very call has recorded is in its own way: %d, %v", len(list), err)
	}
	_, err = t.Requests.Accept(t.Context(), t.admin, id, paul, node.Slot{})
	t.must(err)
	walk := t.ask(her, "Promenade", morning)
	v, err := t.Requests.Get(t.admin, walk)
	t.must(err)
	others, err := t.Requests.SameDay(t.admin, v)
	t.must(err)
	if len(others) != 1 || others[0].ID != id {
		t.Errorf("%d other visits that day", len(others))
	}
}

func TestWatch(tt *testing.T) {
	t := newTown(tt)
	paul := t.approve("Paul")
	her := t.enrol("Laforêt")
	before := t.Index()
	id := t.ask(her, "Courses", t.tomorrow())
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	if _, err := t.Watch(ctx, node.Caller{Account: t.admin.Account, Roles: node.RoleVolunteer, Volunteer: paul}, 0); err == nil {
		t.Error("a volunteer watches the desk")
	}
	moved, err := t.Watch(ctx, t.admin, before)
	t.must(err)
	if m := <-moved; m.Request != id || m.By != t.admin.Account || m.Index <= before {
		t.Errorf("what happened just before is %+v", m)
	}
	_, err = t.Requests.Ask(t.Context(), t.admin, id, []node.VolunteerID{paul})
	t.must(err)
	if m := <-moved; m.Request != id {
		t.Errorf("got %+v", m)
	}
	for range 1000 { // a screen that does not read holds nobody up
		_, err = t.Requests.Ask(t.Context(), t.admin, id, []node.VolunteerID{paul})
		t.must(err)
	}
	stop()
	for range moved { // ends, with some missed
	}
	ctx2, stop2 := context.WithCancel(t.Context())
	defer stop2()
	moved, err = t.Watch(ctx2, t.admin, t.Index())
	t.must(err)
	t.Dismiss()
	if _, more := <-moved; more {
		t.Error("a watch outlives the node")
	}
}
