package node_test

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bippop/bippop/node"
	"github.com/bippop/bippop/node/internal/rights"
)

// officer is a data protection officer of the town.
func (t *town) officer() node.Caller {
	t.Helper()
	_, err := t.Accounts.Open(t.Context(), t.admin, node.NewAccount{Login: "dpo1", Password: secret(password), Roles: node.RoleDPO})
	t.must(err)
	return t.officerAgain()
}

func (t *town) officerAgain() node.Caller {
	t.Helper()
	_, by, err := t.Accounts.SignIn(t.Context(), "dpo1", secret(password), "test", false)
	t.must(err)
	return by.Afresh()
}

// demand opens a case about her and makes sure who asks.
func (t *town) demand(dpo node.Caller, d node.Demand, who node.Subject) node.CaseID {
	t.Helper()
	r, err := t.DPO.Cases.Open(t.Context(), t.admin, node.NewCase{Demand: d, About: who, Asker: rights.Herself, Note: secret("elle appelle lundi matin")})
	t.must(err)
	_, err = t.DPO.Cases.Step(t.Context(), dpo, r.ID, 1, node.CaseStep{To: node.CaseChecked, Check: rights.CalledBack}, node.Secret{})
	t.must(err)
	return r.ID
}

func herself(id node.BeneficiaryID) node.Subject {
	who, _ := node.Somebody(node.ErasableBeneficiary, id)
	return who
}

func himself(id node.VolunteerID) node.Subject {
	who, _ := node.Somebody(node.ErasableVolunteer, id)
	return who
}

// fillWords gives every word of a struct a mark of its own, and returns the marks.
func fillWords(v reflect.Value, path string, marks map[string]bool) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[node.Secret]() {
			mark := "marque" + strings.ToLower(strings.ReplaceAll(path, ".", ""))
			switch {
			case strings.HasSuffix(path, "Birth"):
				mark = "1938"
			case strings.HasSuffix(path, "Email"):
				mark += "@exemple.fr"
			case strings.HasSuffix(path, "Number"), strings.HasSuffix(path, ".Phone"):
				mark = fmt.Sprintf("05 36 49 12 %02d", len(marks)+10)
			case strings.HasSuffix(path, "Civility"):
				mark = "Mme"
			case strings.HasSuffix(path, "Postcode"):
				mark = "33190"
			}
			marks[mark] = true
			v.Set(reflect.ValueOf(secret(mark)))
			return
		}
		for i := range v.NumField() {
			fillWords(v.Field(i), path+"."+v.Type().Field(i).Name, marks)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Struct {
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
			for i := range 2 {
				fillWords(v.Index(i), fmt.Sprintf("%s%d", path, i), marks)
			}
		}
	}
}

// TestAnswer: whoever asks for access gets every word that is kept of her, whatever
// field it stands in, and what was done for her; nothing of others' files, and not
// before it is known who asks.
func TestAnswer(tt *testing.T) {
	t := newTown(tt)
	dpo := t.officer()
	marks := map[string]bool{}
	var w node.BeneficiaryWords
	fillWords(reflect.ValueOf(&w).Elem(), "", marks)
	w.Modes = []string{"letter"}
	r, err := t.Beneficiaries.Enrol(t.Context(), t.admin, node.BeneficiaryFacts{Commune: t.home, Basis: node.Consent}, w)
	t.must(err)
	her, other, him := node.BeneficiaryID(r.ID), t.enrol("Autredossier"), t.approve("Paul")
	request := t.ask(her, "Courses", t.tomorrow(), him)
	t.must(second(t.Requests.Accept(t.Context(), t.admin, request, him, node.Slot{Day: t.today() + 1, Minute: 600})))
	t.ask(other, "Courses", t.tomorrow())

	opened, err := t.DPO.Cases.Open(t.Context(), t.admin, node.NewCase{Demand: node.DemandAccess, About: herself(her), Asker: rights.Herself, Note: secret("marquenotedudossier")})
	t.must(err)
	id := node.CaseID(opened.ID)
	if _, err := t.DPO.Cases.Answer(dpo, id); code(err) != "identity-first" {
		t.Errorf("before it is known who asks: %v", err)
	}
	if _, err := t.DPO.Cases.Answer(t.admin, id); code(err) != "forbidden" {
		t.Errorf("to the desk: %v", err)
	}
	t.must(second(t.DPO.Cases.Step(t.Context(), dpo, id, 1, node.CaseStep{To: node.CaseChecked, Check: rights.CardSeen}, node.Secret{})))
	marks["marquenotedudossier"] = true
	a, err := t.DPO.Cases.Answer(dpo, id)
	t.must(err)
	var all strings.Builder
	for _, p := range a.Parts {
		for _, f := range p.Facts {
			if f.Name == "" || f.Value.Empty() {
				t.Errorf("%s has no words", f.Field)
			}
			fmt.Fprintf(&all, "%s = %s\n", f.Name, f.Value.Reveal())
		}
	}
	for mark := range marks {
		if !strings.Contains(all.String(), mark) {
			t.Errorf("the answer lacks %q", mark)
		}
	}
	for _, want := range []string{"type d’aide = Courses", "Paul", "La Réole", "base légale de l’inscription = consentement", "état = bénévole trouvé", "droit exercé = accès"} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("the answer lacks %q:\n%s", want, all.String())
		}
	}
	for _, not := range []string{"Autredossier", "Exemplaire", her.String()} {
		if strings.Contains(all.String(), not) {
			t.Errorf("the answer says %q", not)
		}
	}
	if a.Register.Treatment != rights.Isolation || len(a.Register.Recipients) == 0 || len(a.Register.Durations) == 0 {
		t.Errorf("what for, who, how long: %+v", a.Register)
	}
	t.must(second(t.DPO.Cases.Step(t.Context(), dpo, id, 2, node.CaseStep{To: node.CaseAnswered}, node.Secret{})))

	// His are another purpose: what he did, and nobody's name.
	c := t.demand(dpo, node.DemandPortability, himself(him))
	a, err = t.DPO.Cases.Answer(dpo, c)
	t.must(err)
	all.Reset()
	for _, p := range a.Parts {
		for _, f := range p.Facts {
			fmt.Fprintf(&all, "%s = %s\n", f.Name, f.Value.Reveal())
		}
	}
	if !strings.Contains(all.String(), "Clio bleue") || !strings.Contains(all.String(), "type d’aide = Courses") || strings.Contains(all.String(), "marquelast") {
		t.Errorf("his answer:\n%s", all.String())
	}
	if a.Register.Treatment != rights.Volunteering {
		t.Error("his data serve another purpose")
	}
}

// second is the error of a call that also gives a receipt.
func second[T any](_ T, err error) error { return err }

// TestErasureByCase: the officer erases whom a case is about, at once: nobody opens
// or finds her any more, the case keeps that she asked and nothing that was noted,
// and a certificate is there to be handed over.
func TestErasureByCase(tt *testing.T) {
	t := newTown(tt)
	dpo := t.officer()
	her := t.enrol("Effacée")
	t.ask(her, "Courses", t.tomorrow())
	id := t.demand(dpo, node.DemandErasure, herself(her))
	access := t.demand(dpo, node.DemandAccess, herself(her))
	if _, err := t.DPO.Cases.Erase(t.Context(), dpo, access); code(err) != "other-demand" {
		t.Errorf("a case about access: %v", err)
	}
	if _, err := t.Erasures.Want(t.Context(), dpo, node.ErasableBeneficiary, her, true); code(err) != "forbidden" {
		t.Errorf("without a case: %v", err)
	}
	t.must(second(t.DPO.Cases.Erase(t.Context(), dpo, id)))
	if _, err := t.Beneficiaries.Get(t.admin, her); err == nil {
		t.Error("her file opens")
	}
	if found, err := t.Find.People(t.admin, "Effacée", node.AnyPerson, 10); err != nil || len(found) > 0 {
		t.Errorf("she is found: %d, %v", len(found), err)
	}
	c, err := t.DPO.Cases.Get(dpo, id)
	t.must(err)
	if !c.Gone || c.State != node.CaseAnswered || !c.Note.Empty() || len(c.Box) > 0 || c.Who != her {
		t.Errorf("%+v", c.Case)
	}
	proof, ok, err := t.DPO.Cases.Proof(dpo, id)
	t.must(err)
	cert, err := t.Erasures.Certificate(dpo, proof)
	t.must(err)
	if !ok || len(cert.Who) != 1 || cert.Who[0].ID != her {
		t.Errorf("proof %v: %+v", ok, cert.Who)
	}
	if _, err := t.DPO.Cases.Erase(t.Context(), dpo, id); code(err) != "erased" {
		t.Errorf("again: %v", err)
	}
}

// TestObject: who objects to the whole is called off everywhere in one act, by the
// desk or the officer, and begins again only after taking it back; figures stay.
func TestObject(tt *testing.T) {
	t := newTown(tt)
	her, him := t.enrol("Objecte"), t.approve("Paul")
	request := t.ask(her, "Courses", t.tomorrow(), him)
	t.must(second(t.Requests.Accept(t.Context(), t.admin, request, him, node.Slot{Day: t.today() + 1, Minute: 600})))
	b, err := t.Beneficiaries.Get(t.admin, her)
	t.must(err)
	if _, err := t.DPO.Cases.Object(t.Context(), t.admin, herself(her), b.Version, node.UseWhole, 0); code(err) != "missing" {
		t.Errorf("without saying how: %v", err)
	}
	t.must(second(t.DPO.Cases.Object(t.Context(), t.admin, herself(her), b.Version, node.UseWhole, rights.ByPhone)))
	v, err := t.Requests.Get(t.admin, request)
	t.must(err)
	if !v.State.Closed() || v.NeedsCall() {
		t.Errorf("her visit stands: %+v", v.State)
	}
	b, err = t.Beneficiaries.Get(t.admin, her)
	t.must(err)
	if b.State != node.Left || !b.Standing.Objects.Has(node.UseWhole) || b.Standing.Objected.How != rights.ByPhone {
		t.Errorf("%+v", b.Beneficiary)
	}
	back := func() error {
		b, err := t.Beneficiaries.Get(t.admin, her)
		t.must(err)
		_, err = t.Beneficiaries.Change(t.Context(), t.admin, her, b.Version, node.BeneficiaryFacts{Commune: b.Commune, State: node.Active, Basis: node.Consent}, b.Words)
		return err
	}
	if err := back(); code(err) != "objected" {
		t.Errorf("accompanied against her word: %v", err)
	}
	t.must(second(t.DPO.Cases.Object(t.Context(), t.admin, herself(her), 0, 0, rights.ByHand)))
	t.must(back())

	// He stops: nobody expects him.
	request = t.ask(her, "Courses", t.tomorrow(), him)
	t.must(second(t.Requests.Accept(t.Context(), t.admin, request, him, node.Slot{Day: t.today() + 1, Minute: 600})))
	t.must(second(t.DPO.Cases.Object(t.Context(), t.admin, himself(him), 0, node.UseWhole, rights.ByLetter)))
	v, err = t.Requests.Get(t.admin, request)
	t.must(err)
	if v.State != node.StateOpen || len(v.Coming()) > 0 {
		t.Errorf("he is expected: %+v", v.State)
	}
	his, err := t.Volunteers.Get(t.admin, him)
	t.must(err)
	if his.Status != node.Ended {
		t.Errorf("%v", his.Status)
	}
	if _, err := t.Volunteers.Step(t.Context(), t.admin, him, his.Version, node.Applicant, 0); code(err) != "objected" {
		t.Errorf("taken back against his word: %v", err)
	}
}

// TestRetention: the look says who would go and touches nobody; who was in touch
// since stays, even when approved; another digest approves nothing.
func TestRetention(tt *testing.T) {
	t := newTown(tt)
	dpo := t.officer()
	old, came, him := t.enrol("Ancienne"), t.enrol("Revenue"), t.approve("Paul")
	t.must(second(t.DPO.Cases.Object(t.Context(), t.admin, himself(him), 0, node.UseWhole, rights.ByPhone)))
	t.wait(23 * 31 * 24 * time.Hour)
	t.signIn()
	dpo = t.officerAgain()
	look := func() node.Sorting {
		t.Helper()
		t.must(second(t.DPO.Retention.Look(t.Context(), dpo)))
		all, err := t.DPO.Retention.List(dpo)
		t.must(err)
		return all[0]
	}
	if s := look(); len(s.Due) != 0 {
		t.Errorf("before two years: %+v", s.Due)
	}
	t.wait(60 * 24 * time.Hour)
	t.signIn()
	dpo = t.officerAgain()
	young := t.enrol("Jeune")
	s := look()
	who := func(s node.Sorting) (out []string) {
		for _, d := range s.Due {
			out = append(out, node.BeneficiaryID(d.ID).String())
		}
		slices.Sort(out)
		return out
	}
	want := []string{old.String(), came.String(), him.String()}
	slices.Sort(want)
	if !slices.Equal(who(s), want) {
		t.Errorf("would go: %v, want %v", who(s), want)
	}
	b, err := t.Beneficiaries.Get(t.admin, came)
	t.must(err)
	t.must(second(t.Beneficiaries.Change(t.Context(), t.admin, came, b.Version, node.BeneficiaryFacts{Commune: b.Commune, State: node.Active, Basis: node.Consent}, b.Words)))
	if _, err := t.DPO.Retention.Approve(t.Context(), dpo, s.ID, strings.Repeat("0", 64)); code(err) != "sorting-approved" {
		t.Errorf("another digest: %v", err)
	}
	if _, err := t.DPO.Retention.Approve(t.Context(), t.admin, s.ID, s.Digest); code(err) != "forbidden" {
		t.Errorf("not by the officer: %v", err)
	}
	t.must(second(t.DPO.Retention.Approve(t.Context(), dpo, s.ID, s.Digest)))
	all, err := t.DPO.Retention.List(dpo)
	t.must(err)
	tallies := all[0].Tallies
	if len(all) != 1 || len(all[0].Due) != 0 || len(tallies) != 2 || tallies[0] != (rights.Tally{Rule: rights.Accompanied, Found: 2, Goes: 1, Stays: 1}) || tallies[1].Goes != 1 {
		t.Errorf("the report: %+v", all[0].Sorting)
	}
	t.must(second(t.Erasures.Run(t.Context(), t.admin)))
	if _, err := t.Beneficiaries.Get(t.admin, old); err == nil {
		t.Error("who is kept too long is there")
	}
	for _, id := range []node.BeneficiaryID{came, young} {
		if _, err := t.Beneficiaries.Get(t.admin, id); err != nil {
			t.Errorf("who was in touch has gone: %v", err)
		}
	}
	if _, err := t.DPO.Retention.Approve(t.Context(), dpo, s.ID, s.Digest); code(err) != "sorting-approved" {
		t.Errorf("twice: %v", err)
	}
}

// TestBreachPage: its words are sealed, and read by the officer alone.
func TestBreachPage(tt *testing.T) {
	t := newTown(tt)
	dpo := t.officer()
	now := node.Instant(t.clock().UnixMilli())
	f := node.BreachFacts{Known: now, Harm: rights.Disclosed, Risk: rights.SomeRisk, From: now - 3600_000, To: now}
	r, err := t.DPO.Breaches.Write(t.Context(), dpo, f, node.BreachWords{What: secret("un classeur oublié au marché")})
	t.must(err)
	b, err := t.DPO.Breaches.Get(dpo, r.ID)
	t.must(err)
	if b.Words.What.Reveal() != "un classeur oublié au marché" || strings.Contains(string(b.Box), "classeur") {
		t.Error("its words")
	}
	if _, err := t.DPO.Breaches.Get(t.admin, r.ID); code(err) != "forbidden" {
		t.Errorf("to others: %v", err)
	}
	if _, err := t.DPO.Breaches.Change(t.Context(), dpo, r.ID, 1, f, b.Words, true); code(err) != "breach-untold" {
		t.Errorf("closed untold: %v", err)
	}
	f.Notified = now
	t.must(second(t.DPO.Breaches.Change(t.Context(), dpo, r.ID, 1, f, b.Words, true)))
	f.Known = now + 3600_000
	if _, err := t.DPO.Breaches.Write(t.Context(), dpo, f, b.Words); code(err) != "time-out-of-range" {
		t.Errorf("of tomorrow: %v", err)
	}
}

// TestNotices: what is written is a version; who was told is recorded with it, and
// who was not yet is listed.
func TestNotices(tt *testing.T) {
	t := newTown(tt)
	her, him := t.enrol("Informée"), t.approve("Paul")
	texts, err := t.DPO.Texts.Current(t.admin)
	t.must(err)
	if len(texts) != 2 || texts[0].Version != 0 || texts[0].Words != "" {
		t.Errorf("%+v", texts)
	}
	t.must(second(t.DPO.Texts.Write(t.Context(), t.admin, rights.Isolation, 0, "Vos données restent ici.")))
	if _, err := t.DPO.Texts.Write(t.Context(), t.admin, rights.Isolation, 0, "Autre texte"); code(err) != "stale-text" {
		t.Errorf("over another's version: %v", err)
	}
	if _, n, err := t.DPO.Texts.Untold(t.admin, node.ErasableBeneficiary); n != 1 || err != nil {
		t.Errorf("%d untold, %v", n, err)
	}
	t.must(second(t.DPO.Texts.Inform(t.Context(), t.admin, herself(her), rights.ByHand)))
	t.must(second(t.DPO.Texts.Inform(t.Context(), t.admin, himself(him), rights.ByPhone)))
	for _, kind := range []node.Erasable{node.ErasableBeneficiary, node.ErasableVolunteer} {
		if _, n, err := t.DPO.Texts.Untold(t.admin, kind); n != 0 || err != nil {
			t.Errorf("%s: %d untold, %v", kind, n, err)
		}
	}
	b, err := t.Beneficiaries.Get(t.admin, her)
	t.must(err)
	if told := b.Standing.Told; told.Version != 1 || told.How != rights.ByHand || told.At == 0 {
		t.Errorf("%+v", told)
	}
}

// TestRestricted: a restricted file is there for the officer alone: not opened, found,
// listed, counted, exported, or worked with by the desk, and no volunteer reads of it;
// lifted, it is as before.
func TestRestricted(tt *testing.T) {
	t := newTown(tt)
	dpo := t.officer()
	her, other, him, paired := t.enrol("Retirée"), t.enrol("Présente"), t.approve("Paul"), t.approve("Cachée")
	request := t.ask(her, "Courses", t.tomorrow(), him)
	t.must(second(t.Requests.Accept(t.Context(), t.admin, request, him, node.Slot{Day: t.today() + 1, Minute: 600})))
	t.ask(other, "Courses", t.tomorrow(), paired)
	volunteer := t.volunteer(him, "benevole1").Afresh()
	id, his := t.demand(dpo, node.DemandRestriction, herself(her)), t.demand(dpo, node.DemandRestriction, himself(paired))

	check := func(hidden bool) {
		t.Helper()
		by := t.admin.Afresh()
		_, err := t.Beneficiaries.Get(by, her)
		_, err2 := t.Requests.Get(by, request)
		_, err3 := t.Volunteers.Get(by, paired)
		for _, err := range []error{err, err2, err3} {
			if (err != nil) != hidden {
				t.Errorf("hidden %v, opened: %v", hidden, err)
			}
		}
		seen := func(what string, n, want int, err error) {
			t.Helper()
			t.must(err)
			if hidden {
				want--
			}
			if n != want {
				t.Errorf("hidden %v: %d %s, want %d", hidden, n, what, want)
			}
		}
		found, err := t.Find.People(by, "Retirée", node.AnyPerson, 10)
		seen("found", len(found), 1, err)
		found, err = t.Find.People(by, "Cachée", node.AnyPerson, 10)
		seen("volunteers found", len(found), 1, err)
		list, _, err := t.Beneficiaries.List(by, "", node.Page{})
		seen("listed", len(list), 2, err)
		page, _, err := t.Find.Beneficiaries(by, node.Register{Limit: 50})
		seen("in the register", len(page), 2, err)
		visits, _, err := t.Requests.InState(by, node.StateCovered, node.Page{})
		seen("visits", len(visits), 1, err)
		n, err := t.Requests.CountIn(by, node.StateCovered, 100)
		seen("visits counted", n, 1, err)
		volunteers, _, err := t.Volunteers.List(by, node.Approved, node.Page{})
		seen("volunteers", len(volunteers), 2, err)
		calls, err := t.Calls.Count(by)
		seen("calls", calls, 1, err)
		promises, err := t.Papers.Week(volunteer, him, t.today(), t.today()+7)
		seen("promises of the volunteer", len(promises), 1, err)
		var file bytes.Buffer
		t.must(t.Imports.Export(by, &file, false))
		if strings.Contains(file.String(), "Retirée") == hidden || !strings.Contains(file.String(), "Présente") {
			t.Errorf("hidden %v, exported: %s", hidden, file.String())
		}
	}
	check(false)
	t.must(second(t.DPO.Cases.Restrict(t.Context(), dpo, id, false)))
	t.must(second(t.DPO.Cases.Restrict(t.Context(), dpo, his, false)))
	check(true)
	if _, err := t.Requests.Open(t.Context(), t.admin, node.NewRequest{Beneficiary: her, Type: t.kinds["Courses"], Wish: t.tomorrow()}); err == nil {
		t.Error("a request for her was opened")
	}
	t.reopen() // what is in memory only is built again
	t.signIn()
	dpo, volunteer = t.officerAgain(), volunteer.Afresh()
	check(true)
	all, err := t.DPO.Cases.Restricted(dpo)
	t.must(err)
	c, err := t.DPO.Cases.Get(dpo, id)
	t.must(err)
	if len(all) != 2 || c.Person.Name.Reveal() != "Retirée" || c.State != node.CaseAnswered {
		t.Errorf("the officer sees %d, %+v", len(all), c.Case)
	}
	t.must(second(t.DPO.Cases.Restrict(t.Context(), dpo, id, true)))
	t.must(second(t.DPO.Cases.Restrict(t.Context(), dpo, his, true)))
	check(false)
}
