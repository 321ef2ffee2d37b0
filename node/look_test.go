package node_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bippop/bippop/node"
)

// year2026 of the territory, or of one commune.
func year2026(commune string) node.Look {
	return node.Look{From: node.MonthOf(2026, 1), To: node.MonthOf(2026, 12), Commune: commune}
}

func (t *town) official() node.Caller {
	t.Helper()
	_, err := t.Accounts.Open(t.Context(), t.admin, node.NewAccount{Login: "elu1", Password: secret(password), Roles: node.RoleOfficial})
	t.must(err)
	_, by, err := t.Accounts.SignIn(t.Context(), "elu1", secret(password), "test", false)
	t.must(err)
	return by
}

// done records n actions for somebody of the commune, one a day back from the day.
func (t *town) done(commune, civility string, him node.VolunteerID, from node.Day, hour, n int) {
	t.Helper()
	r, err := t.Beneficiaries.Enrol(t.Context(), t.admin, node.BeneficiaryFacts{Commune: commune, Basis: node.Consent},
		node.BeneficiaryWords{Civility: secret(civility), Last: secret("Laforêt"), First: secret("Exemple"), Birth: secret("1942"), Phones: []node.Phone{{Number: secret("05 36 49 12 07")}}})
	t.must(err)
	for i := range n {
		_, err := t.Requests.RecordDone(t.Context(), t.admin, node.PastAction{
			Beneficiary: r.ID, Type: t.kinds["Courses"], Day: from - node.Day(i), Minute: hour * 60, Volunteers: []node.VolunteerID{him},
		})
		t.must(err)
	}
}

// TestOfficial: whole years only, nothing exact, and no other role beside.
func TestOfficial(tt *testing.T) {
	t := newTown(tt)
	by := t.official()
	_, err := t.Figures.Read(by, node.MonthOf(2026, 1), node.MonthOf(2026, 12))
	wants(tt, err, "forbidden")
	for _, span := range [][2]node.Month{{0, 0}, {1, 12}, {0, 10}, {0, 23}} {
		_, err = t.Figures.Look(by, node.Look{From: node.MonthOf(2026, 1) + span[0], To: node.MonthOf(2026, 1) + span[1]})
		wants(tt, err, "whole-year")
	}
	_, err = t.Figures.Look(by, year2026("75056"))
	wants(tt, err, "commune-outside")
	for _, roles := range []node.Roles{node.RoleOfficial | node.RoleAgent, node.RoleOfficial | node.RoleAdmin, node.RoleDPO | node.RoleVolunteer, 1 << 11} {
		_, err = t.Accounts.Open(t.Context(), t.admin, node.NewAccount{Login: "elu2", Password: secret(password), Roles: roles})
		wants(tt, err, "unknown-role")
	}
	agent := t.admin
	agent.Roles = node.RoleAgent
	_, err = t.Accounts.Open(t.Context(), agent, node.NewAccount{Login: "elu2", Password: secret(password), Roles: node.RoleOfficial})
	wants(tt, err, "forbidden")
}

// TestWidens: Monségur has enough; Gironde-sur-Dropt has too little this year and
// shares its area with La Réole, whose number would tell it.
func TestWidens(tt *testing.T) {
	t := newTown(tt)
	by, him := t.official(), t.approve("Paul")
	t.wait(-366 * 24 * time.Hour)
	t.done("33187", "Mme", him, t.today(), 9, 25)
	t.wait(366 * 24 * time.Hour)
	t.done("33352", "Mme", him, t.today(), 9, 40)
	t.done("33289", "Mme", him, t.today(), 12, 15)
	t.done("33187", "M.", him, t.today(), 15, 4)
	look := func(commune string) (node.Sheet, string) {
		s, err := t.Figures.Look(by, year2026(commune))
		t.must(err)
		return s, fmt.Sprint(strings.Join(s.Communes, " "), " ", s.From.Year(), " ", s.Asked, " ", s.Total[node.CountDone], " ", s.Moved())
	}
	for commune, want := range map[string]string{
		"":      " 2026 {59 2} {59 2} false",
		"33289": "33289 2026 {15 2} {15 2} false",
		"33187": "33187 2025 {0 1} {25 2} true", // small: its own year before
		"33352": "33352 33187 2026 {0 0} {44 2} true",
	} {
		if _, got := look(commune); got != want {
			t.Errorf("%s: got %s, want %s", commune, got, want)
		}
	}
	s, _ := look("")
	if n := s.BySex[2][node.CountDone]; n.Mark != node.Small {
		t.Errorf("%+v men", n)
	}
	if n := s.BySex[1][node.CountDone]; n.Mark != node.Withheld {
		t.Errorf("%+v women: what is left is the men's", n)
	}
	if n := s.Mobility(); n != (node.Number{N: 59, Mark: node.Shown}) {
		t.Errorf("%+v of mobility", n)
	}
	all, err := t.Figures.Look(t.admin, year2026("33187"))
	t.must(err)
	if !all.Exact || all.Total[node.CountDone].N != 4 || len(all.ByCommune) != 1 || all.Moved() {
		t.Errorf("the desk sees %+v", all)
	}
	both, err := t.Figures.Look(t.admin, node.Look{From: node.MonthOf(2025, 1), To: node.MonthOf(2026, 12)})
	t.must(err)
	if n := both.Total[node.CountDone].N; n != 84 {
		t.Errorf("the desk counts %d in both years", n)
	}
}
