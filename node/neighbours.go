package node

import (
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"github.com/bippop/bippop/node/internal/geo"
)

// Neighbours says whose territories lie side by side, from where their communes lie:
// whoever edits the roster asks it once. It looks at territories only.
func Neighbours(members []roster.Member) map[public.Siren][]public.Siren {
	var places []roster.Place
	for _, m := range members {
		if m.Role != roster.Territory {
			continue
		}
		p := roster.Place{Siren: m.Siren, Departement: m.Departement, Whole: isDepartement(m.Siren)}
		seen := map[geo.Point]bool{} // communes without a point share their EPCI's
		for _, c := range m.Communes {
			if at, ok := geo.Around(geo.Insee(c.String())); ok && !seen[at] {
				seen[at] = true
				p.Points = append(p.Points, roster.Point{Lat: at.Lat, Lon: at.Lon})
			}
		}
		places = append(places, p)
	}
	return roster.Neighbours(places)
}

// isDepartement reports whether a body is a département: Insee gave them SIREN
// numbers that begin with 22. The few collectivities of another status have others,
// and are neighbours of those whom they touch.
func isDepartement(n public.Siren) bool { return n/10_000_000 == 22 }
