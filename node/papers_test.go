package node_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/bippop/bippop/node"
)

// on opens a request for a day and lets him accept it.
func (t *town) on(her node.BeneficiaryID, him node.VolunteerID, day node.Day, minute uint16) node.RequestID {
	t.Helper()
	id := t.ask(her, "Courses", node.Wish{Kind: node.OnDay, Day: day, Minute: minute}, him)
	_, err := t.Requests.Accept(t.Context(), t.admin, id, him, node.Slot{})
	t.must(err)
	return id
}

// asVolunteer is the caller that his own account makes.
func asVolunteer(v node.VolunteerID, of node.Caller) node.Caller {
	return node.Caller{Account: of.Account, Roles: node.RoleVolunteer, Volunteer: v}.Afresh()
}

func TestAgenda(tt *testing.T) {
	t := newTown(tt)
	her, other, paul := t.enrol("Laforêt"), t.enrol("Exemplard"), t.approve("Paul")
	today := t.today()
	want := []node.RequestID{1: t.on(her, paul, today+9, 600), 0: t.on(her, paul, today+2, 600), 2: t.on(her, paul, today+27, 1439)}
	t.on(her, paul, today+28, 600)  // behind the last day
	t.on(other, paul, today+3, 600) // not hers
	gone := t.on(her, paul, today+4, 600)
	_, err := t.Requests.Withdraw(t.Context(), t.admin, gone, paul)
	t.must(err)
	t.ask(her, "Courses", t.tomorrow(), paul) // no promise yet

	got, err := t.Papers.Agenda(t.admin, her, today, today+27)
	t.must(err)
	if len(got) != len(want) {
		t.Fatalf("%d visits, want %d", len(got), len(want))
	}
	for i, v := range got {
		if v.ID != want[i] {
			t.Errorf("visit %d is not the one in order of time", i)
		}
		if len(v.Coming()) != 1 || v.Coming()[0].Volunteer.Words.First.Reveal() != "Paul" {
			t.Errorf("visit %d: who comes is missing", i)
		}
		if !v.NeedsCall() {
			t.Errorf("visit %d: nobody told her, and the agenda says so of none", i)
		}
	}
	_, err = t.Papers.Agenda(asVolunteer(paul, t.admin), her, today, today+27)
	wants(tt, err, "forbidden")
}

func TestWeekOfVolunteer(tt *testing.T) {
	t := newTown(tt)
	her, paul, jeanne := t.enrol("Laforêt"), t.approve("Paul"), t.approve("Jeanne")
	today := t.today()
	second := t.on(her, paul, today+8, 600)
	first := t.on(her, paul, today+1, 600)
	t.on(her, paul, today+14, 600)  // the week after
	t.on(her, jeanne, today+2, 600) // not his

	self := asVolunteer(paul, t.admin)
	for _, by := range []node.Caller{t.admin, self} {
		got, err := t.Papers.Week(by, paul, today, today+13)
		t.must(err)
		if len(got) != 2 || got[0].ID != first || got[1].ID != second {
			t.Fatalf("%d visits, want his two in order of time", len(got))
		}
		if got[0].Last.Reveal() != "Laforêt" || len(got[0].Phones) != 1 {
			t.Error("whom to see is missing")
		}
	}
	_, err := t.Papers.Week(self, jeanne, today, today+13)
	wants(tt, err, "forbidden")

	// Suspended, he sees nothing of people.
	v, err := t.Volunteers.Get(t.admin, paul)
	t.must(err)
	_, err = t.Volunteers.Step(t.Context(), t.admin, paul, v.Version, node.Suspended, 0)
	t.must(err)
	got, err := t.Papers.Week(self, paul, today, today+13)
	t.must(err)
	if len(got) != 0 {
		t.Errorf("%d visits on the paper of a suspended volunteer", len(got))
	}
}

// TestPaperLanguage: it is kept, refused when nobody can print it, and goes out
// and comes in with a spreadsheet.
func TestPaperLanguage(tt *testing.T) {
	t := newTown(tt)
	facts := node.BeneficiaryFacts{Commune: "33352", Basis: node.Consent}
	words := node.BeneficiaryWords{Last: secret("Whitfield"), Address: secret("1 rue des Exemples"), Paper: "cy"}
	_, err := t.Beneficiaries.Enrol(t.Context(), t.admin, facts, words)
	if e := wants(tt, err, "unknown-language"); e.Field != "paper" {
		t.Errorf("field %q", e.Field)
	}
	offer := node.Readiness{Commune: "33352"}
	him := node.VolunteerWords{Last: secret("Whitfield"), Email: secret("w@example.org"), Paper: "cy"}
	_, err = t.Volunteers.Register(t.Context(), t.admin, offer, him)
	wants(tt, err, "unknown-language")

	words.Paper, him.Paper = node.InEnglish, node.InEnglish
	r, err := t.Beneficiaries.Enrol(t.Context(), t.admin, facts, words)
	t.must(err)
	_, err = t.Volunteers.Register(t.Context(), t.admin, offer, him)
	t.must(err)
	if b, err := t.Beneficiaries.Get(t.admin, r.ID); err != nil || b.Words.Paper != node.InEnglish {
		t.Fatalf("her papers are in %q (%v)", b.Words.Paper, err)
	}
	for _, volunteers := range []bool{false, true} {
		var file bytes.Buffer
		t.must(t.Imports.Export(t.admin, &file, volunteers))
		again := strings.ReplaceAll(file.String(), "Whitfield", "Whitfield-Exemple")
		_, err := t.Imports.Run(t.Context(), t.admin, node.ImportID{}, node.Spreadsheet{Content: []byte(again), Volunteers: volunteers, Basis: node.Consent, Duplicates: true})
		t.must(err)
	}
	all, _, err := t.Beneficiaries.List(t.admin, "", node.Page{})
	t.must(err)
	hims, _, err := t.Volunteers.List(t.admin, node.Applicant, node.Page{})
	t.must(err)
	if len(all) != 2 || len(hims) != 2 {
		t.Fatalf("%d and %d people, want two each", len(all), len(hims))
	}
	for i := range all {
		if all[i].Words.Paper != node.InEnglish || hims[i].Words.Paper != node.InEnglish {
			t.Errorf("papers in %q and %q", all[i].Words.Paper, hims[i].Words.Paper)
		}
	}
}
