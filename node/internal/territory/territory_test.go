package territory_test

import (
	"errors"
	"testing"

	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/territory"
)

// TestChange: whose territory it is, and where its days are counted, stays.
func TestChange(t *testing.T) {
	old := territory.Territory{Siren: "200044394", Name: "old", Zone: "Europe/Paris", Founded: 5, Version: 1, Communes: []string{"33352"}}
	got, err := old.Change(1, territory.Territory{Siren: "1", Name: "new", Zone: "UTC", Founded: 9, Version: 7, Communes: []string{"33001"}})
	if err != nil || got.Siren != old.Siren || got.Zone != old.Zone || got.Founded != 5 || got.Version != 2 || got.Name != "new" || got.Communes[0] != "33001" {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := old.Change(2, territory.Territory{}); !errors.Is(err, refuse.StaleVersion) || got.Name != "old" {
		t.Errorf("%+v, %v", got, err)
	}
}
