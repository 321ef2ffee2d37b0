package catalogue_test

import (
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/catalogue"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
)

func TestSeats(t *testing.T) {
	for _, c := range []struct {
		pairing catalogue.Pairing
		visits  uint32
		want    uint8
	}{
		{catalogue.Alone, 0, 1}, {catalogue.Alone, 9, 1}, {catalogue.FirstVisit, 0, 2}, {catalogue.FirstVisit, 1, 1}, {catalogue.FirstVisit, 9, 1},
		{catalogue.AlwaysTwo, 0, 2}, {catalogue.AlwaysTwo, 9, 2}, {0, 0, 1},
	} {
		if got := (catalogue.ActionType{Pairing: c.pairing}).Seats(c.visits); got != c.want {
			t.Errorf("pairing %d after %d visits: %d seats, want %d", c.pairing, c.visits, got, c.want)
		}
	}
}

// TestSeed: whatever a territory starts with can be offered, counted and planned.
func TestSeed(t *testing.T) {
	names := map[string]bool{}
	for i, s := range catalogue.Seed() {
		if s.Name == "" || names[s.Name] || utf8.RuneCountInString(s.Name) > 40 || s.Icon == "" || s.Minutes < 5 || s.Minutes > 720 ||
			s.Pairing < catalogue.Alone || s.Pairing > catalogue.AlwaysTwo || s.Category == public.NoCategory || s.Category > public.Other || int(s.Order) != i+1 {
			t.Errorf("%+v", s)
		}
		if s.AtHome && s.Pairing == catalogue.Alone {
			t.Errorf("%s: somebody unknown goes alone into her home", s.Name)
		}
		names[s.Name] = true
	}
	if len(names) < 10 {
		t.Errorf("%d kinds", len(names))
	}
}

func TestChange(t *testing.T) {
	old := catalogue.ActionType{ID: ident.ActionType{15: 1}, Version: 3, Name: "Visite"}
	got, err := old.Change(3, catalogue.ActionType{ID: ident.ActionType{15: 2}, Version: 9, Name: "Autre"})
	if err != nil || got.ID != old.ID || got.Version != 4 || got.Name != "Autre" {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := old.Change(2, catalogue.ActionType{}); !errors.Is(err, refuse.StaleVersion) || got != old {
		t.Errorf("%+v, %v", got, err)
	}
}
