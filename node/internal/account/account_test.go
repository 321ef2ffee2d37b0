package account_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/when"
)

func TestRoles(t *testing.T) {
	if account.Admin != 1 || account.Agent != 2 || account.Volunteer != 4 || account.Official != 8 {
		t.Error("bits that stand in the store have changed")
	}
	both := account.Admin | account.Volunteer
	if !both.Has(account.Admin) || both.Has(account.Agent) || !both.Has(account.Agent|account.Volunteer) || account.Roles(0).Has(both) {
		t.Error("Has does not tell")
	}
}

// TestValid: whoever sees no people is nobody who does.
func TestValid(t *testing.T) {
	for r := range account.Roles(128) {
		official := r&^(account.Official|account.Volunteer) == 0 && r.Has(account.Official)
		desk := r.Has(account.Admin|account.Agent|account.Volunteer|account.Reception) && r&^(account.Admin|account.Agent|account.Volunteer|account.Reception) == 0
		want := official || desk || r == account.DPO || r == account.Coordinator || r == account.Coordinator|account.Admin
		if r.Valid() != want {
			t.Errorf("%b: %v", r, !want)
		}
	}
}

// TestOthersValid: the roles of those who do not work at the desk.
func TestOthersValid(t *testing.T) {
	for r, want := range map[account.Roles]bool{
		account.Operator: true, account.Operator | account.Volunteer: true, account.Operator | account.Agent: false, account.Operator | account.Official: true,
		account.Association: true, account.Association | account.Agent | account.Volunteer: true, account.Association | account.Official: false,
		account.Professional: true, account.Beneficiary: true, account.Beneficiary | account.Volunteer: false, account.Beneficiary | account.Admin: false,
		account.Professional | account.DPO: false, account.Operator | account.Coordinator: false, 1 << 11: false,
	} {
		if r.Valid() != want {
			t.Errorf("%b: %v", r, !want)
		}
	}
}

// TestGrants: a role is given once, reaches as such a role may, and a deputy has an end.
func TestGrants(t *testing.T) {
	away := ident.Account{7}
	agent, both := account.Agent, account.Agent|account.Volunteer
	for name, c := range map[string]struct {
		roles  account.Roles
		grants []account.Grant
		ok     bool
	}{
		"none":                    {both, nil, true},
		"one each":                {both, []account.Grant{{Role: agent, Communes: []string{"33008", "33352"}}, {Role: account.Volunteer}}, true},
		"one is missing":          {both, []account.Grant{{Role: agent}}, false},
		"twice":                   {agent, []account.Grant{{Role: agent}, {Role: agent, Communes: []string{"33352"}}}, false},
		"not of the account":      {agent, []account.Grant{{Role: account.Admin}}, false},
		"two in one":              {both, []account.Grant{{Role: both}}, false},
		"communes not in order":   {agent, []account.Grant{{Role: agent, Communes: []string{"33352", "33008"}}}, false},
		"a commune twice":         {agent, []account.Grant{{Role: agent, Communes: []string{"33352", "33352"}}}, false},
		"an admin of one commune": {account.Admin, []account.Grant{{Role: account.Admin, Communes: []string{"33352"}}}, false},
		"a DPO of one commune":    {account.DPO, []account.Grant{{Role: account.DPO, Communes: []string{"33352"}}}, false},
		"an association":          {account.Association, []account.Grant{{Role: account.Association, Association: "W332000001"}}, true},
		"an association of none":  {account.Association, []account.Grant{{Role: account.Association}}, false},
		"an agent of one":         {agent, []account.Grant{{Role: agent, Association: "W332000001"}}, false},
		"a deputy":                {agent, []account.Grant{{Role: agent}, {Role: agent, For: away, Until: 5}}, true},
		"a deputy for ever":       {agent, []account.Grant{{Role: agent}, {Role: agent, For: away}}, false},
		"an end, for nobody":      {agent, []account.Grant{{Role: agent, Until: 5}}, false},
		"a deputy only":           {agent, []account.Grant{{Role: agent, For: away, Until: 5}}, false},
	} {
		if err := account.CheckGrants(c.grants, c.roles); (err == nil) != c.ok || err != nil && !errors.Is(err, refuse.WrongGrants) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestReach: her own communes, those of who is away until she is back, and never more
// than the role.
func TestReach(t *testing.T) {
	anne := account.Account{ID: ident.Account{1}, Version: 1, Roles: account.Agent | account.Volunteer, Grants: []account.Grant{{Role: account.Agent, Communes: []string{"33352"}}, {Role: account.Volunteer}}}
	away := account.Account{ID: ident.Account{2}, Roles: account.Agent, Grants: []account.Grant{{Role: account.Agent, Communes: []string{"33008", "33352"}}}}
	reach := func(role account.Roles, at when.At) string {
		g, ok := anne.Reach(role, at)
		return fmt.Sprint(ok, g.Communes)
	}
	anne, err := anne.StandIn(away, account.Agent, 10, 20)
	if err != nil || anne.Version != 2 {
		t.Fatal(anne, err)
	}
	if got := reach(account.Agent, 10) + reach(account.Agent, 19) + reach(account.Agent, 20); got != "true [33008 33352]true [33008 33352]true [33352]" {
		t.Error(got)
	}
	if got := reach(account.Volunteer, 10) + reach(account.Admin, 10); got != "true []false []" {
		t.Error(got)
	}
	again, err := anne.StandIn(away, account.Agent, 10, 40)
	if err != nil || len(again.Grants) != 3 {
		t.Error(again.Grants, err)
	}
	if back := again.Return(away.ID); len(back.Grants) != 2 {
		t.Error(back.Grants)
	}
	// What is granted anew takes nothing from who is away; without the role nobody stands in.
	again, err = again.Regrant(3, account.Agent, []account.Grant{{Role: account.Agent, Communes: []string{"33100"}}})
	if got := fmt.Sprint(err, len(again.Grants)); got != "<nil> 2" {
		t.Error(got)
	}
	if again, err = again.Regrant(4, account.Volunteer, []account.Grant{{Role: account.Volunteer}}); err != nil || len(again.Grants) != 1 {
		t.Error(again.Grants, err)
	}
	whole := account.Account{ID: ident.Account{3}, Roles: account.Agent}
	if whole, err = whole.StandIn(away, account.Agent, 10, 20); err != nil {
		t.Fatal(err)
	}
	if g, ok := whole.Reach(account.Agent, 10); !ok || g.Communes != nil {
		t.Errorf("who reaches everything reaches less as a deputy: %+v", g)
	}
	if _, err := away.StandIn(away, account.Agent, 10, 20); !errors.Is(err, refuse.WrongGrants) {
		t.Error("somebody stands in for herself")
	}
}

func TestChange(t *testing.T) {
	a := account.Account{Version: 2, Login: "anne", Password: []byte("old"), Roles: account.Agent}
	got, err := a.Change(2, account.Admin, true, nil)
	if err != nil || got.Version != 3 || got.Roles != account.Admin || !got.Closed || string(got.Password) != "old" || got.Login != "anne" {
		t.Errorf("%+v, %v", got, err)
	}
	if got, _ = got.Change(3, account.Admin, false, []byte("new")); string(got.Password) != "new" || got.Closed {
		t.Errorf("%+v", got)
	}
	if got, err := a.Change(1, account.Admin, true, nil); !errors.Is(err, refuse.StaleVersion) || got.Version != 2 || got.Closed {
		t.Errorf("%+v, %v", got, err)
	}
}
