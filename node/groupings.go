package node

import (
	"github.com/bippop/bippop/node/internal/geo"
)

// Grouping is an EPCI of the embedded registry.
type Grouping struct {
	Siren, Name string
	Departement string // of its most populous commune
	Population  int
	Communes    []string
}

// Groupings are all EPCIs à fiscalité propre in order of SIREN.
func Groupings() (out []Grouping) {
	for e := range geo.EPCIs() {
		out = append(out, groupingOf(e))
	}
	return out
}

// GroupingOf is one of them.
func GroupingOf(siren string) (Grouping, bool) {
	e, ok := geo.LookupEPCI(geo.Siren(siren))
	return groupingOf(e), ok
}

func groupingOf(e geo.EPCI) Grouping {
	g := Grouping{Siren: string(e.Siren), Name: e.Name}
	most := int32(-1)
	for _, code := range e.Members {
		c, ok := geo.Lookup(code)
		if !ok {
			continue
		}
		g.Communes = append(g.Communes, string(code))
		g.Population += int(c.Population)
		if c.Population > most {
			most, g.Departement = c.Population, c.Departement
		}
	}
	return g
}
