package geo_test

import (
	"testing"

	"github.com/bippop/bippop/node/internal/geo"
)

func TestAround(t *testing.T) {
	own, without, nowhere := 0, 0, 0
	for c := range geo.All() {
		p, ok := geo.Around(c.Code)
		switch {
		case !ok:
			nowhere++
		case c.Located:
			if own++; p != c.Point {
				t.Fatalf("%s is not where it is", c.Code)
			}
		default:
			without++
			// No département of France is wider than this but Guyane and the Terres australes.
			if near, ok := geo.Lookup(geo.CommunesOf(c.Departement)[0]); ok && near.Located && len(c.Departement) == 2 && geo.Distance(p, near.Point) > 300_000 {
				t.Errorf("%s lies %d km from %s", c.Code, geo.Distance(p, near.Point)/1000, near.Code)
			}
		}
	}
	if own < 8_000 || without < 20_000 || nowhere > 20 {
		t.Errorf("%d communes have a point, %d one around, %d none", own, without, nowhere)
	}
	if _, ok := geo.Around("00000"); ok {
		t.Error("an unknown commune lies somewhere")
	}
}
