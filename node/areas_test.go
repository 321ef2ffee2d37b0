package node_test

import (
	"slices"
	"testing"

	"github.com/bippop/bippop/node"
)

// TestAreas: each commune is in one area; areas have enough inhabitants, and
// communes of one post office stay together.
func TestAreas(t *testing.T) {
	_, communes, ok := node.LookupEPCI("200044394")
	if !ok {
		t.Fatal("no such EPCI")
	}
	areas := node.AreasOf(communes)
	var all []string
	for _, a := range areas {
		people := 0
		for _, code := range a {
			c, _ := node.LookupCommune(code)
			people += int(c.Population)
		}
		if people < node.AreaPeople {
			t.Errorf("%v has %d inhabitants", a, people)
		}
		if slices.Contains(a, "33170") && !slices.Contains(a, "33204") {
			t.Errorf("Fontet is without Hure, across the river: %v", a)
		}
		if slices.Contains(a, "33352") && len(a) > 1 {
			t.Errorf("La Réole is large enough: %v", a)
		}
		all = append(all, a...)
	}
	slices.Sort(all)
	slices.Sort(communes)
	if !slices.Equal(all, communes) {
		t.Errorf("%d communes in areas, %d in the territory", len(all), len(communes))
	}
	if len(areas) < 8 {
		t.Errorf("%d areas", len(areas))
	}
	if got := node.AreasOf([]string{"33066"}); len(got) != 1 {
		t.Errorf("a small commune alone: %v", got)
	}
}
