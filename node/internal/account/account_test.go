package account_test

import (
	"errors"
	"testing"

	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/refuse"
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
		want := r > 0 && r <= 8 || r == account.DPO || r == account.Coordinator || r == account.Coordinator|account.Admin
		if r.Valid() != want {
			t.Errorf("%b: %v", r, !want)
		}
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
