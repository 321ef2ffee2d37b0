package node_test

import (
	"testing"
	"time"

	"github.com/bippop/bippop/node"
)

// asVolunteer is the caller who is that volunteer.
func (t *town) asVolunteer(id node.VolunteerID) node.Caller {
	return node.Caller{Account: t.admin.Account, Roles: node.RoleVolunteer, Volunteer: id}.Afresh()
}

// propose is "on Thursday afternoon I shop in Langon".
func (t *town) propose(by node.Caller, v node.VolunteerID, places uint8, kinds ...string) node.OfferID {
	t.Helper()
	in := node.NewOffer{Volunteer: v, Destination: "33227", Day: t.today() + 3, Half: node.Afternoon, Places: places, Line: secret("10 kg, coffre de Clio")}
	for _, k := range kinds {
		in.Types = append(in.Types, t.kinds[k])
	}
	r, err := t.Offers.Make(t.Context(), by, in)
	t.must(err)
	return r.ID
}

// did notes that she had it a number of days ago.
func (t *town) did(her node.BeneficiaryID, kind string, who node.VolunteerID, daysAgo ...node.Day) (id node.RequestID) {
	t.Helper()
	for _, d := range daysAgo {
		r, err := t.Requests.RecordDone(t.Context(), t.admin, node.PastAction{Beneficiary: her, Type: t.kinds[kind], Day: t.today() - d, Volunteers: []node.VolunteerID{who}})
		t.must(err)
		id = r.ID
	}
	return id
}

func (t *town) total(i node.Indicator) uint64 {
	t.Helper()
	now := t.clock()
	month := node.MonthOf(now.Year(), int(now.Month()))
	f, err := t.Figures.Read(t.admin, month-1, month)
	t.must(err)
	return f.Total[i]
}

// TestAnOfferFirst: a volunteer proposes, two people profit, the third finds it
// full; he cannot after all, and both are called back.
func TestAnOfferFirst(tt *testing.T) {
	t := newTown(tt)
	luc, paul := t.approve("Luc"), t.approve("Paul")
	asked, weekly, fresh, third := t.enrol("Laforêt"), t.enrol("Duval"), t.enrol("Martin"), t.enrol("Petit")
	open := t.ask(asked, "Courses", node.Wish{Kind: node.InWeek})
	t.did(weekly, "Courses", luc, 8, 15, 22)
	t.did(fresh, "Courses", paul, 1, 8, 15)
	t.did(third, "Promenade", paul, 20)
	me := t.asVolunteer(luc)
	id := t.propose(me, luc, 2, "Courses")
	if n := t.total(node.CountOffered); n != 1 {
		t.Errorf("%d offers counted", n)
	}

	list, err := t.Offers.Open(t.admin)
	t.must(err)
	if len(list) != 1 || list[0].Line.Reveal() != "10 kg, coffre de Clio" || list[0].Left() != 2 || list[0].Him.Words.First.Reveal() != "Luc" {
		t.Fatalf("open offers: %+v", list)
	}
	// Who has asked stands first, then whose rhythm has come round; who was served
	// yesterday is left in peace, and who asked for something else too.
	c := list[0].Callees
	if len(c) != 2 || c[0].Beneficiary != asked || c[0].Request != open || c[1].Beneficiary != weekly || c[1].Since != 11 || c[1].Every != 7 || c[1].Visits != 3 {
		t.Fatalf("to call: %+v", c)
	}

	// A call for nothing moves her down; it is a call like others.
	_, err = t.Calls.NotReached(t.Context(), t.admin, asked, node.CallNoAnswer, 0)
	t.must(err)
	one, err := t.Offers.Get(t.admin, id)
	t.must(err)
	if c := one.Callees; c[0].Beneficiary != weekly || c[1].Beneficiary != asked || c[1].Try == 0 {
		t.Fatalf("after a call for nothing: %+v", c)
	}

	// Yes: the open request gets him, she knows, and nothing is made twice.
	requested, found, told := t.total(node.CountRequested), t.total(node.CountFound), t.total(node.CountTold)
	inWeek := t.total(node.CountFoundInWeek)
	r, err := t.Offers.Take(t.Context(), t.admin, node.Taking{Offer: id, Beneficiary: asked})
	t.must(err)
	if r.ID != open {
		t.Error("another request was made beside the open one")
	}
	r, err = t.Offers.Take(t.Context(), t.admin, node.Taking{Offer: id, Beneficiary: weekly, Note: secret("du lait")})
	t.must(err)
	for i, was := range map[node.Indicator]uint64{node.CountRequested: requested + 1, node.CountFound: found + 2, node.CountFoundInWeek: inWeek + 2, node.CountTold: told + 2} {
		if have := t.total(i); have != was {
			t.Errorf("indicator %d: %d, want %d", i, have, was)
		}
	}
	v, err := t.Requests.Get(t.admin, r.ID)
	t.must(err)
	if v.State != node.StateTold || v.Note.Reveal() != "du lait" || v.Start.Hour() != 14 || node.DayOf(v.Start) != t.today()+3 {
		t.Errorf("her request: %+v", v)
	}
	calls, err := t.Calls.List(t.admin)
	t.must(err)
	if len(calls) != 0 {
		t.Errorf("%d people to call, and all know", len(calls))
	}
	_, err = t.Offers.Take(t.Context(), t.admin, node.Taking{Offer: id, Beneficiary: third})
	wants(tt, err, "offer-full")

	// He sees whom he helps, as of any promise.
	mine, err := t.Offers.Mine(me)
	t.must(err)
	if len(mine) != 1 || len(mine[0].Promised) != 2 || len(mine[0].Promised[0].Phones) != 1 || !mine[0].Promised[0].SheKnows {
		t.Fatalf("his offers: %+v", mine)
	}
	_, err = t.Offers.Withdraw(t.Context(), t.asVolunteer(paul), id)
	wants(tt, err, "no-offer")
	_, err = t.Offers.Withdraw(t.Context(), me, id)
	t.must(err)
	if calls, err = t.Calls.List(t.admin); err != nil || len(calls) != 2 {
		t.Errorf("%d people to call back (%v), want 2", len(calls), err)
	}
	_, err = t.Offers.Take(t.Context(), t.admin, node.Taking{Offer: id, Beneficiary: third})
	wants(tt, err, "offer-over")
}

// TestOfferAgainstTheRules: what holds of any visit holds of one that was offered.
func TestOfferAgainstTheRules(tt *testing.T) {
	t := newTown(tt)
	luc, her, other := t.approve("Luc"), t.enrol("Laforêt"), t.enrol("Duval")
	id := t.propose(t.admin, luc, 8, "Courses", "Visite")
	_, err := t.Offers.Take(t.Context(), t.admin, node.Taking{Offer: id, Beneficiary: her})
	wants(tt, err, "missing") // which of the two kinds?
	_, err = t.Offers.Take(t.Context(), t.admin, node.Taking{Offer: id, Beneficiary: her, Type: t.kinds["Promenade"]})
	wants(tt, err, "offer-other")
	first := node.Taking{Offer: id, Beneficiary: her, Type: t.kinds["Visite"]}
	_, err = t.Offers.Take(t.Context(), t.admin, first)
	wants(tt, err, "pair-needed")
	first.Exception = secret("sa nièce est là")
	r, err := t.Offers.Take(t.Context(), t.admin, first)
	t.must(err)

	// One trip is no double booking; another visit at that hour is.
	_, err = t.Offers.Take(t.Context(), t.admin, node.Taking{Offer: id, Beneficiary: other, Type: t.kinds["Courses"]})
	t.must(err)
	clash := t.ask(t.enrol("Petit"), "Courses", node.Wish{Kind: node.OnDay, Day: t.today() + 3, Half: node.Afternoon})
	_, err = t.Requests.Accept(t.Context(), t.admin, clash, luc, node.Slot{})
	wants(tt, err, "double-booked")
	second := t.propose(t.admin, luc, 1, "Courses")
	_, err = t.Offers.Take(t.Context(), t.admin, node.Taking{Offer: second, Beneficiary: t.enrol("Roux")})
	wants(tt, err, "double-booked")
	_, err = t.Offers.Take(t.Context(), t.admin, node.Taking{Offer: second, Beneficiary: t.enrol("Blanc"), Minute: 17 * 60})
	t.must(err)

	// She says no more: her place is free again. A no is remembered for this offer.
	v, err := t.Requests.Get(t.admin, r.ID)
	t.must(err)
	_, err = t.Requests.Drop(t.Context(), t.admin, r.ID, v.Version, false, node.ByHer)
	t.must(err)
	one, err := t.Offers.Get(t.admin, id)
	t.must(err)
	if one.Left() != 7 || len(one.Profits) != 1 {
		t.Errorf("%d places left, %d profit", one.Left(), len(one.Profits))
	}
	t.did(her, "Courses", luc, 10)
	if one, err = t.Offers.Get(t.admin, id); err != nil || len(one.Callees) != 2 {
		t.Fatalf("to call: %+v, %v", one.Callees, err)
	}
	_, err = t.Offers.Decline(t.Context(), t.admin, id, her)
	t.must(err)
	if one, err = t.Offers.Get(t.admin, id); err != nil || len(one.Callees) != 1 || one.Callees[0].Request != clash {
		t.Fatalf("after her no: %+v, %v", one.Callees, err)
	}

	// A volunteer who is suspended offers nothing any more.
	w, err := t.Volunteers.Get(t.admin, luc)
	t.must(err)
	_, err = t.Volunteers.Step(t.Context(), t.admin, luc, w.Version, node.Suspended, 0)
	t.must(err)
	if list, err := t.Offers.Open(t.admin); err != nil || len(list) != 0 {
		t.Errorf("open offers of a suspended volunteer: %v, %v", list, err)
	}
	for _, bad := range []node.NewOffer{
		{}, {Types: []node.TypeID{t.kinds["Courses"]}, Day: t.today() - 1, Places: 1}, {Types: []node.TypeID{t.kinds["Courses"]}, Day: t.today(), Places: 9},
		{Types: []node.TypeID{t.kinds["Courses"], t.kinds["Courses"]}, Day: t.today(), Places: 1},
		{Types: []node.TypeID{t.kinds["Courses"]}, Day: t.today(), Places: 1, Destination: "00000"},
	} {
		bad.Volunteer = luc
		if _, err := t.Offers.Make(t.Context(), t.admin, bad); err == nil {
			t.Errorf("accepted %+v", bad)
		}
	}
}

// TestAnOfferPasses: once its day is over nobody is called for it.
func TestAnOfferPasses(tt *testing.T) {
	t := newTown(tt)
	luc, her := t.approve("Luc"), t.enrol("Laforêt")
	id := t.propose(t.admin, luc, 2, "Courses")
	t.must(t.PassOffers())
	if o, err := t.Offers.Get(t.admin, id); err != nil || o.State != node.OfferOpen {
		t.Fatalf("passed before its day: %+v, %v", o, err)
	}
	t.wait(4 * 24 * time.Hour)
	_, err := t.Offers.Take(t.Context(), t.admin, node.Taking{Offer: id, Beneficiary: her})
	wants(tt, err, "offer-over")
	t.must(t.PassOffers())
	t.reopen()
	if o, err := t.Offers.Get(t.admin, id); err != nil || o.State != node.OfferPast {
		t.Fatalf("its day is over: %+v, %v", o, err)
	}
}

// TestThanks: relayed once, read by each who came, and out of the list.
func TestThanks(tt *testing.T) {
	t := newTown(tt)
	luc, paul, her := t.approve("Luc"), t.approve("Paul"), t.enrol("Laforêt")
	ahead := t.ask(her, "Courses", t.tomorrow())
	_, err := t.Requests.Thank(t.Context(), t.admin, ahead, secret(""))
	wants(tt, err, "not-done-yet")
	id := t.did(her, "Courses", luc, 1)
	list, err := t.Requests.ToThank(t.admin, 0)
	t.must(err)
	if len(list) != 1 || list[0].ID != id {
		t.Fatalf("to thank for: %+v", list)
	}
	_, err = t.Requests.Thank(t.Context(), t.admin, id, secret("les pêches étaient parfaites"))
	t.must(err)
	_, err = t.Requests.Thank(t.Context(), t.admin, id, secret(""))
	wants(tt, err, "thanked")
	if list, err = t.Requests.ToThank(t.admin, 0); err != nil || len(list) != 0 {
		t.Errorf("still to thank for: %+v, %v", list, err)
	}
	mine, err := t.Requests.Mine(t.asVolunteer(luc))
	t.must(err)
	if len(mine.Thanks) != 1 || mine.Thanks[0].Line.Reveal() != "les pêches étaient parfaites" || mine.Thanks[0].Her.Last.Reveal() != "Laforêt" || len(mine.Thanks[0].Her.Phones) != 0 {
		t.Fatalf("his thanks: %+v", mine.Thanks)
	}
	_, err = t.Requests.SeeThanks(t.Context(), t.asVolunteer(paul), id, luc)
	wants(tt, err, "forbidden")
	_, err = t.Requests.SeeThanks(t.Context(), t.asVolunteer(paul), id, paul)
	wants(tt, err, "no-request")
	_, err = t.Requests.SeeThanks(t.Context(), t.asVolunteer(luc), id, luc)
	t.must(err)
	_, err = t.Requests.SeeThanks(t.Context(), t.asVolunteer(luc), id, luc)
	wants(tt, err, "no-thanks")
	if mine, err = t.Requests.Mine(t.asVolunteer(luc)); err != nil || len(mine.Thanks) != 0 {
		t.Errorf("read, and there still: %+v, %v", mine.Thanks, err)
	}
	v, err := t.Requests.Get(t.admin, id)
	t.must(err)
	if v.Line.Reveal() != "les pêches étaient parfaites" {
		t.Error("her line is lost to the desk")
	}
	t.did(her, "Courses", luc, 3)
	t.wait(20 * 24 * time.Hour)
	if list, err = t.Requests.ToThank(t.admin, 0); err != nil || len(list) != 0 {
		t.Errorf("three weeks later: %+v, %v", list, err)
	}
}

// TestBond: counted once, asked after in three months and then in six, and ended.
func TestBond(tt *testing.T) {
	t := newTown(tt)
	luc, her := t.approve("Luc"), t.enrol("Laforêt")
	r, err := t.Bonds.Make(t.Context(), t.admin, her, luc)
	t.must(err)
	_, err = t.Bonds.Make(t.Context(), t.admin, her, luc)
	wants(tt, err, "bond-alive")
	if n := t.total(node.CountBonds); n != 1 {
		t.Errorf("%d bonds counted", n)
	}
	due := func(want int) {
		t.Helper()
		if list, err := t.Bonds.Due(t.admin); err != nil || len(list) != want {
			t.Fatalf("due: %+v, %v; want %d", list, err, want)
		}
	}
	due(0)
	t.wait(92 * 24 * time.Hour)
	due(1)
	_, err = t.Bonds.GoesOn(t.Context(), t.admin, r.ID, r.Version)
	t.must(err)
	_, err = t.Bonds.GoesOn(t.Context(), t.admin, r.ID, r.Version)
	wants(tt, err, "stale-version")
	due(0)
	t.wait(183 * 24 * time.Hour)
	due(1)
	// His leaving shows, and ends nothing.
	v, err := t.Volunteers.Get(t.admin, luc)
	t.must(err)
	_, err = t.Volunteers.Step(t.Context(), t.admin, luc, v.Version, node.Ended, 0)
	t.must(err)
	b, err := t.Bonds.Get(t.admin, r.ID)
	t.must(err)
	if b.State != node.BondAlive || b.Him.Status != node.Ended || b.Checks != 1 {
		t.Errorf("%+v", b.Bond)
	}
	_, err = t.Bonds.End(t.Context(), t.admin, r.ID, b.Version, 0)
	wants(tt, err, "missing")
	_, err = t.Bonds.End(t.Context(), t.admin, r.ID, b.Version, node.EndByHim)
	t.must(err)
	due(0)
	_, err = t.Bonds.GoesOn(t.Context(), t.admin, r.ID, b.Version+1)
	wants(tt, err, "bond-ended")
	if n := t.total(node.CountBonds); n != 0 {
		t.Errorf("%d bonds counted in the months of the end", n)
	}
	// She leaves: nobody is to ring and ask.
	second, err := t.Bonds.Make(t.Context(), t.admin, her, luc)
	t.must(err)
	she, err := t.Beneficiaries.Get(t.admin, her)
	t.must(err)
	_, err = t.Beneficiaries.Change(t.Context(), t.admin, her, she.Version, node.BeneficiaryFacts{Commune: she.Commune, State: node.Left, Basis: node.Consent}, she.Words)
	t.must(err)
	if b, err = t.Bonds.Get(t.admin, second.ID); err != nil || b.State != node.BondEnded || b.Why != node.EndGone {
		t.Errorf("%+v, %v", b.Bond, err)
	}
}
