package node_test

import (
	"slices"
	"testing"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"github.com/bippop/bippop/node"
	"github.com/bippop/bippop/node/internal/geo"
)

// TestNeighbours with every EPCI of France, and one département.
func TestNeighbours(t *testing.T) {
	var members []roster.Member
	for e := range geo.EPCIs() {
		s, err := public.ParseSiren(string(e.Siren))
		if err != nil {
			t.Fatal(err)
		}
		m := roster.Member{Siren: s, Role: roster.Territory}
		for _, code := range e.Members {
			c, err := public.ParseCommune(string(code))
			if err != nil {
				t.Fatal(err)
			}
			m.Communes = append(m.Communes, c)
		}
		first, _ := geo.Lookup(e.Members[0])
		m.Departement = first.Departement
		members = append(members, m)
	}
	gironde := public.Siren(223300013)
	members = append(members, roster.Member{Siren: gironde, Role: roster.Territory, Departement: "33"}, roster.Member{Siren: 200000008, Role: roster.Observer, Departement: "33"})
	got := node.Neighbours(members)

	const reolais, entreDeuxMers, langon, brest = 200044394, 200069599, 200069581, 242900314
	for _, n := range []public.Siren{entreDeuxMers, langon, gironde} { // beside it, and the département
		if !slices.Contains(got[reolais], n) {
			t.Errorf("La Réole is not beside %s: %v", n, got[reolais])
		}
	}
	if slices.Contains(got[reolais], brest) || len(got[200000008]) > 0 || len(got[gironde]) < 25 {
		t.Errorf("Brest or an observer is a neighbour, or the Gironde has %d", len(got[gironde]))
	}
	sum, most := 0, 0
	for _, m := range members {
		if n := len(got[m.Siren]); m.Role == roster.Territory {
			sum, most = sum+n, max(most, n)
			if n < 4 || n > roster.MaxNeighbours {
				t.Errorf("%s has %d neighbours", m.Siren, n)
			}
		}
	}
	if mean := float64(sum) / float64(len(got)); mean < 5 || mean > 12 {
		t.Errorf("a territory has %.1f neighbours, one %d", mean, most)
	}
	t.Logf("%d territories, %.1f neighbours each, %d at most", len(got), float64(sum)/float64(len(got)), most)
}
