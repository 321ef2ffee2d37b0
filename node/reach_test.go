package node_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/bippop/bippop/node"
)

// The next commune of the territory.
const nextCommune = "33187"

// hamlet is somebody, a neighbour, and one of everything between them.
type hamlet struct {
	her    node.BeneficiaryID
	him    node.VolunteerID
	asked  node.RequestID // he has accepted
	looks  node.RequestID // nobody was asked
	series node.SeriesID
	offer  node.OfferID
	bond   node.BondID
}

// settle puts a hamlet into a commune.
func (t *town) settle(commune, mark string) (h hamlet) {
	t.Helper()
	was := t.home
	defer func() { t.home = was }()
	t.home = commune
	h.her, h.him = t.enrol(mark+"elle"), t.approve(mark+"lui")
	h.asked, h.looks = t.ask(h.her, "Courses", t.tomorrow(), h.him), t.ask(h.her, "Courses", node.Wish{Kind: node.Flexible})
	_, err := t.Requests.Accept(t.Context(), t.admin, h.asked, h.him, node.Slot{})
	t.must(err)
	again, err := t.Series.Open(t.Context(), t.admin, node.NewSeries{Beneficiary: h.her, Type: t.kinds["Courses"], Rule: node.SeriesRule{Rhythm: 1, Weekday: 3, Half: node.Morning}})
	t.must(err)
	offer, err := t.Offers.Make(t.Context(), t.admin, node.NewOffer{Volunteer: h.him, Types: []node.TypeID{t.kinds["Courses"]}, Day: t.today() + 4, Half: node.Morning, Places: 2})
	t.must(err)
	tie, err := t.Bonds.Make(t.Context(), t.admin, h.her, h.him)
	t.must(err)
	h.series, h.offer, h.bond = again.ID, offer.ID, tie.ID
	return h
}

// enter opens an account and signs in under its first hat.
func (t *town) enter(login string, roles node.Roles, grants ...node.Grant) node.Caller {
	t.Helper()
	_, err := t.Accounts.Open(t.Context(), t.admin, node.NewAccount{Login: login, Password: secret(password), Roles: roles, Grants: grants})
	t.must(err)
	_, by, err := t.Accounts.SignIn(t.Context(), login, secret(password), login, false)
	t.must(err)
	return by
}

func agentOf(communes ...string) node.Grant {
	return node.Grant{Role: node.RoleAgent, Communes: communes}
}

// TestNextCommuneIsNotThere: nothing that an agent of one commune does with somebody of
// the next succeeds, is recorded, or says otherwise than that there is nobody.
func TestNextCommuneIsNotThere(tt *testing.T) {
	t := newTown(tt)
	ours, theirs := t.settle(t.home, "Xanthe"), t.settle(nextCommune, "Zephyr")
	anne := t.enter("anne", node.RoleAgent, agentOf(t.home))
	ctx, kind := t.Context(), t.kinds["Courses"]
	facts := node.BeneficiaryFacts{Commune: nextCommune, State: node.Active, Basis: node.Consent}
	words := node.BeneficiaryWords{Last: secret("Neuve"), Phones: []node.Phone{{Number: secret("05 36 49 12 08")}}}
	ready := node.Readiness{Commune: nextCommune}
	self := node.VolunteerWords{Last: secret("Neuf"), Phones: []node.Phone{{Number: secret("06 39 98 11 23")}}}
	with := func(r node.Readiness, commune string) node.Readiness { r.Commune = commune; return r }
	at := func(f node.BeneficiaryFacts, commune string) node.BeneficiaryFacts { f.Commune = commune; return f }
	rule := node.SeriesRule{Rhythm: 1, Weekday: 2, Half: node.Morning}
	writes := map[string]func(context.Context) (node.Receipt, error){
		"enrol there": func(ctx context.Context) (node.Receipt, error) { return t.Beneficiaries.Enrol(ctx, anne, facts, words) },
		"change": func(ctx context.Context) (node.Receipt, error) {
			return t.Beneficiaries.Change(ctx, anne, theirs.her, 1, facts, words)
		},
		"move here": func(ctx context.Context) (node.Receipt, error) {
			return t.Beneficiaries.Change(ctx, anne, theirs.her, 1, at(facts, t.home), words)
		},
		"move ours there": func(ctx context.Context) (node.Receipt, error) {
			return t.Beneficiaries.Change(ctx, anne, ours.her, 1, facts, words)
		},
		"likes": func(ctx context.Context) (node.Receipt, error) {
			return t.Beneficiaries.Likes(ctx, anne, theirs.her, 1, ours.him, node.Prefers)
		},
		"ours likes theirs": func(ctx context.Context) (node.Receipt, error) {
			return t.Beneficiaries.Likes(ctx, anne, ours.her, 1, theirs.him, node.Prefers)
		},
		"informed": func(ctx context.Context) (node.Receipt, error) {
			return t.Beneficiaries.Informed(ctx, anne, theirs.her)
		},
		"register there": func(ctx context.Context) (node.Receipt, error) { return t.Volunteers.Register(ctx, anne, ready, self) },
		"change him": func(ctx context.Context) (node.Receipt, error) {
			return t.Volunteers.Change(ctx, anne, theirs.him, 3, ready, self)
		},
		"move him here": func(ctx context.Context) (node.Receipt, error) {
			return t.Volunteers.Change(ctx, anne, theirs.him, 3, with(ready, t.home), self)
		},
		"his readiness": func(ctx context.Context) (node.Receipt, error) {
			return t.Volunteers.SetReadiness(ctx, anne, theirs.him, 3, 0, 1, 1, nil)
		},
		"his next day": func(ctx context.Context) (node.Receipt, error) {
			return t.Volunteers.SetNext(ctx, anne, theirs.him, 3, t.today()+1)
		},
		"suspend him": func(ctx context.Context) (node.Receipt, error) {
			return t.Volunteers.Step(ctx, anne, theirs.him, 3, node.Suspended, 0)
		},
		"open": func(ctx context.Context) (node.Receipt, error) {
			return t.Requests.Open(ctx, anne, node.NewRequest{Beneficiary: theirs.her, Type: kind, Wish: t.tomorrow()})
		},
		"open and ask theirs": func(ctx context.Context) (node.Receipt, error) {
			return t.Requests.Open(ctx, anne, node.NewRequest{Beneficiary: ours.her, Type: kind, Wish: t.tomorrow(), Ask: []node.VolunteerID{theirs.him}})
		},
		"repeat": func(ctx context.Context) (node.Receipt, error) {
			return t.Requests.Repeat(ctx, anne, theirs.her, theirs.asked, t.tomorrow())
		},
		"change request": func(ctx context.Context) (node.Receipt, error) {
			return t.Requests.Change(ctx, anne, theirs.looks, 1, node.NewRequest{Wish: t.tomorrow()})
		},
		"publish": func(ctx context.Context) (node.Receipt, error) { return t.Requests.Publish(ctx, anne, theirs.looks) },
		"ask": func(ctx context.Context) (node.Receipt, error) {
			return t.Requests.Ask(ctx, anne, theirs.looks, []node.VolunteerID{ours.him})
		},
		"ask theirs": func(ctx context.Context) (node.Receipt, error) {
			return t.Requests.Ask(ctx, anne, ours.looks, []node.VolunteerID{theirs.him})
		},
		"accept": func(ctx context.Context) (node.Receipt, error) {
			return t.Requests.Accept(ctx, anne, theirs.looks, ours.him, node.Slot{Day: t.today() + 1})
		},
		"accept theirs": func(ctx context.Context) (node.Receipt, error) {
			return t.Requests.Accept(ctx, anne, ours.looks, theirs.him, node.Slot{Day: t.today() + 1})
		},
		"refuse": func(ctx context.Context) (node.Receipt, error) {
			return t.Requests.Refuse(ctx, anne, theirs.asked, theirs.him)
		},
		"withdraw": func(ctx context.Context) (node.Receipt, error) {
			return t.Requests.Withdraw(ctx, anne, theirs.asked, theirs.him)
		},
		"finish": func(ctx context.Context) (node.Receipt, error) {
			return t.Requests.Finish(ctx, anne, theirs.asked, false, node.Ending{Why: node.ByHer})
		},
		"drop": func(ctx context.Context) (node.Receipt, error) {
			return t.Requests.Drop(ctx, anne, theirs.looks, 1, false, node.ByHer)
		},
		"record": func(ctx context.Context) (node.Receipt, error) {
			return t.Requests.RecordDone(ctx, anne, node.PastAction{Beneficiary: theirs.her, Type: kind, Day: t.today() - 1, Volunteers: []node.VolunteerID{ours.him}})
		},
		"record theirs": func(ctx context.Context) (node.Receipt, error) {
			return t.Requests.RecordDone(ctx, anne, node.PastAction{Beneficiary: ours.her, Type: kind, Day: t.today() - 1, Volunteers: []node.VolunteerID{theirs.him}})
		},
		"thank": func(ctx context.Context) (node.Receipt, error) {
			return t.Requests.Thank(ctx, anne, theirs.asked, node.Secret{})
		},
		"thanks seen": func(ctx context.Context) (node.Receipt, error) {
			return t.Requests.SeeThanks(ctx, anne, theirs.asked, theirs.him)
		},
		"told": func(ctx context.Context) (node.Receipt, error) {
			return t.Calls.Told(ctx, anne, theirs.her, []node.Heard{{Request: theirs.asked, Version: 1}})
		},
		"not reached": func(ctx context.Context) (node.Receipt, error) {
			return t.Calls.NotReached(ctx, anne, theirs.her, node.CallNoAnswer, 0)
		},
		"told by him": func(ctx context.Context) (node.Receipt, error) {
			return t.Calls.ToldByVolunteer(ctx, anne, theirs.asked, 1)
		},
		"begin a series": func(ctx context.Context) (node.Receipt, error) {
			return t.Series.Open(ctx, anne, node.NewSeries{Beneficiary: theirs.her, Type: kind, Rule: rule})
		},
		"series of theirs": func(ctx context.Context) (node.Receipt, error) {
			return t.Series.Open(ctx, anne, node.NewSeries{Beneficiary: ours.her, Type: kind, Rule: rule, Standing: []node.VolunteerID{theirs.him}})
		},
		"change series": func(ctx context.Context) (node.Receipt, error) {
			return t.Series.Change(ctx, anne, theirs.series, 1, node.NewSeries{Rule: rule})
		},
		"skip": func(ctx context.Context) (node.Receipt, error) {
			return t.Series.Skip(ctx, anne, theirs.series, t.today()+2, node.ByHer)
		},
		"pause": func(ctx context.Context) (node.Receipt, error) {
			return t.Series.Pause(ctx, anne, theirs.series, 1, node.ByHer)
		},
		"resume": func(ctx context.Context) (node.Receipt, error) { return t.Series.Resume(ctx, anne, theirs.series, 1) },
		"end series": func(ctx context.Context) (node.Receipt, error) {
			return t.Series.End(ctx, anne, theirs.series, 1, node.ByHer)
		},
		"offer": func(ctx context.Context) (node.Receipt, error) {
			return t.Offers.Make(ctx, anne, node.NewOffer{Volunteer: theirs.him, Types: []node.TypeID{kind}, Day: t.today() + 2, Places: 1})
		},
		"withdraw offer": func(ctx context.Context) (node.Receipt, error) { return t.Offers.Withdraw(ctx, anne, theirs.offer) },
		"take": func(ctx context.Context) (node.Receipt, error) {
			return t.Offers.Take(ctx, anne, node.Taking{Offer: theirs.offer, Beneficiary: ours.her})
		},
		"take for theirs": func(ctx context.Context) (node.Receipt, error) {
			return t.Offers.Take(ctx, anne, node.Taking{Offer: ours.offer, Beneficiary: theirs.her})
		},
		"decline": func(ctx context.Context) (node.Receipt, error) {
			return t.Offers.Decline(ctx, anne, ours.offer, theirs.her)
		},
		"decline theirs": func(ctx context.Context) (node.Receipt, error) {
			return t.Offers.Decline(ctx, anne, theirs.offer, ours.her)
		},
		"bond":             func(ctx context.Context) (node.Receipt, error) { return t.Bonds.Make(ctx, anne, theirs.her, ours.him) },
		"bond with theirs": func(ctx context.Context) (node.Receipt, error) { return t.Bonds.Make(ctx, anne, ours.her, theirs.him) },
		"bond goes on":     func(ctx context.Context) (node.Receipt, error) { return t.Bonds.GoesOn(ctx, anne, theirs.bond, 1) },
		"bond ends": func(ctx context.Context) (node.Receipt, error) {
			return t.Bonds.End(ctx, anne, theirs.bond, 1, node.BondEnd(1))
		},
		"account for him": func(ctx context.Context) (node.Receipt, error) {
			return t.Accounts.Open(ctx, anne, node.NewAccount{Login: "lui", Password: secret(password), Roles: node.RoleVolunteer, Of: theirs.him})
		},
	}
	before := t.Index()
	for name, write := range writes {
		_, err := write(ctx)
		e, ok := errors.AsType[*node.Error](err)
		if !ok || e.Kind != node.NotFound && e.Code != "commune-beyond" && e.Code != "stale-version" {
			t.Errorf("%s: %v", name, err)
		}
		if e != nil && e.Code == "stale-version" && name != "repeat" {
			t.Errorf("%s knows that there is somebody: %v", name, err)
		}
	}
	if got := t.Index(); got != before {
		t.Errorf("%d writes went through", got-before)
	}
}

// shape is an answer without what changes when anybody comes: where keys are wrapped.
func shape(v any) string { return leafText.ReplaceAllString(fmt.Sprintf("%+v", v), "") }

var leafText = regexp.MustCompile(`Leaf:\{[^}]*\}|0x[0-9a-f]+`)

// TestNextCommuneIsNotSeen: no list, count or search of an agent of one commune shows or
// counts anybody of the next.
func TestNextCommuneIsNotSeen(tt *testing.T) {
	t := newTown(tt)
	ours := t.settle(t.home, "Xanthe")
	anne := t.enter("anne", node.RoleAgent, agentOf(t.home))
	page := node.Page{Limit: 100}
	month := node.MonthOf(2026, 11)
	reads := map[string]func() (any, error){
		"list":  func() (any, error) { l, _, err := t.Beneficiaries.List(anne, "", page); return l, err },
		"there": func() (any, error) { l, _, err := t.Beneficiaries.List(anne, nextCommune, page); return l, err },
		"register": func() (any, error) {
			l, more, err := t.Find.Beneficiaries(anne, node.Register{Limit: 100})
			return []any{l, more}, err
		},
		"find":        func() (any, error) { return t.Find.People(anne, "Zephyrelle", node.AnyPerson, 50) },
		"find him":    func() (any, error) { return t.Find.People(anne, "Zephyrlui", node.AnyPerson, 50) },
		"find number": func() (any, error) { return t.Find.People(anne, "05 36 49 12 07", node.AnyPerson, 50) },
		"find commune": func() (any, error) {
			return t.Find.People(anne, "exemple "+node.CommuneName(nextCommune), node.AnyPerson, 50)
		},
		"doubles": func() (any, error) {
			return t.Find.Duplicates(anne, secret("Zephyrelle"), secret("Exemple"), []node.Secret{secret("05 36 49 12 07")})
		},
		"volunteers": func() (any, error) { l, _, err := t.Volunteers.List(anne, node.Approved, page); return l, err },
		"by name": func() (any, error) {
			l, more, err := t.Find.Volunteers(anne, node.Approved, node.Register{Limit: 100})
			return []any{l, more}, err
		},
		"near there":    func() (any, error) { return t.Find.Near(anne, nextCommune, 50) },
		"how many":      func() (any, error) { return t.Find.VolunteerCounts(anne) },
		"calls":         func() (any, error) { return t.Calls.Queue(anne, 50) },
		"calls counted": func() (any, error) { return t.Calls.Count(anne) },
		"covered":       func() (any, error) { l, _, err := t.Requests.InState(anne, node.StateCovered, page); return l, err },
		"open":          func() (any, error) { l, _, err := t.Requests.InState(anne, node.StateOpen, page); return l, err },
		"counted":       func() (any, error) { return t.Requests.CountIn(anne, node.StateOpen, 100) },
		"planned":       func() (any, error) { return t.Requests.Planned(anne, t.today(), t.today()+7, 0) },
		"to thank":      func() (any, error) { return t.Requests.ToThank(anne, 0) },
		"candidates":    func() (any, error) { return t.Requests.Candidates(anne, ours.looks, 60) },
		"series":        func() (any, error) { l, _, err := t.Series.List(anne, false, page); return l, err },
		"offers":        func() (any, error) { return t.Offers.Open(anne) },
		"ahead":         func() (any, error) { return t.Offers.Ahead(anne, 20) },
		"bonds":         func() (any, error) { l, _, err := t.Bonds.Alive(anne, page); return l, err },
		"figures":       func() (any, error) { return t.Figures.Look(anne, node.Look{From: month, To: month}) },
		"sums":          func() (any, error) { return t.Figures.Read(anne, month, month) },
	}
	before := map[string]string{}
	for name, read := range reads {
		v, err := read()
		t.must(err)
		before[name] = shape(v)
	}
	theirs := t.settle(nextCommune, "Zephyr")
	for name, read := range reads {
		v, err := read()
		if err != nil || shape(v) != before[name] {
			t.Errorf("%s tells of the next commune: %v\n%.600s\n%.600s", name, err, shape(v), before[name])
		}
		if strings.Contains(fmt.Sprintf("%+v", v), theirs.her.String()) {
			t.Errorf("%s names her", name)
		}
	}
	if _, err := t.Figures.Look(anne, node.Look{From: month, To: month, Commune: nextCommune}); err == nil {
		t.Error("the next commune's figures are shown whole")
	}
	single := map[string]error{}
	_, single["get"] = t.Beneficiaries.Get(anne, theirs.her)
	_, single["history"] = t.Beneficiaries.History(anne, theirs.her)
	_, single["him"] = t.Volunteers.Get(anne, theirs.him)
	_, single["his history"] = t.Volunteers.History(anne, theirs.him)
	_, single["request"] = t.Requests.Get(anne, theirs.asked)
	_, single["its history"] = t.Requests.History(anne, theirs.asked)
	_, single["candidates"] = t.Requests.Candidates(anne, theirs.looks, 10)
	_, single["candidates for"] = t.Requests.CandidatesFor(anne, theirs.her, t.kinds["Courses"], t.tomorrow(), 10)
	_, single["series"] = t.Series.Get(anne, theirs.series)
	_, single["offer"] = t.Offers.Get(anne, theirs.offer)
	_, single["bond"] = t.Bonds.Get(anne, theirs.bond)
	_, _, single["account"] = t.Accounts.OfVolunteer(anne, theirs.him)
	_, _, single["again"] = t.Requests.Again(anne, theirs.her)
	for name, err := range single {
		if e, ok := errors.AsType[*node.Error](err); !ok || e.Kind != node.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	empty := map[string]any{}
	empty["visits"], _, _ = t.Requests.OfPerson(anne, theirs.her, page)
	empty["his visits"], _, _ = t.Requests.OfVolunteer(anne, theirs.him, page)
	empty["alike"], _ = t.Requests.Alike(anne, theirs.her, t.kinds["Courses"], t.tomorrow())
	empty["series"], _ = t.Series.OfPerson(anne, theirs.her)
	empty["bonds"], _ = t.Bonds.OfPerson(anne, theirs.her)
	empty["his bonds"], _ = t.Bonds.OfVolunteer(anne, theirs.him)
	empty["offers"], _ = t.Offers.OfVolunteer(anne, theirs.him, 10)
	empty["agenda"], _ = t.Papers.Agenda(anne, theirs.her, t.today(), t.today()+7)
	empty["week"], _ = t.Papers.Week(anne, theirs.him, t.today(), t.today()+7)
	empty["calls"], _ = t.Calls.Attempts(anne, theirs.her, 10)
	empty["usual"], _ = t.Requests.Usual(anne, theirs.her)
	for name, v := range empty {
		if reflect.ValueOf(v).Len() != 0 {
			t.Errorf("%s: %+v", name, v)
		}
	}
	if c, err := t.Calls.Of(anne, theirs.her); err != nil || c != nil {
		t.Errorf("what she is to hear: %+v, %v", c, err)
	}

	// Who helps somebody of ours is known, wherever he lives.
	_, err := t.Requests.Accept(t.Context(), t.admin, ours.looks, theirs.him, node.Slot{Day: t.today() + 3})
	t.must(err)
	v, err := t.Requests.Get(anne, ours.looks)
	if err != nil || len(v.Coming()) != 1 || v.Coming()[0].Volunteer.Words.First.Reveal() != "Zephyrlui" {
		t.Errorf("who comes is not shown: %+v, %v", v.Seats, err)
	}
}
