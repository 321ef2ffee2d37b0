package geo

import (
	"iter"
	"slices"
	"strings"
)

// EPCI is a grouping of communes: an EPCI à fiscalité propre, or an établissement public territorial.
type EPCI struct {
	Siren Siren
	Name  string // with its kind, short: "CC du Réolais en Sud Gironde"

	// Kind is "CC" communauté de communes, "CA" communauté d'agglomération, "CU" communauté urbaine, "METRO"
	// métropole, "MET69" Métropole de Lyon, "EPT" établissement public territorial.
	Kind string

	Members []Insee // ascending
}

// LookupEPCI returns the EPCI or EPT of this SIREN.
func LookupEPCI(s Siren) (EPCI, bool) {
	f := france()
	if i, ok := f.group(s); ok {
		return f.epciAt(i), true
	}
	i, ok := slices.BinarySearchFunc(f.ept, s, func(e EPCI, s Siren) int { return strings.Compare(string(e.Siren), string(s)) })
	if !ok {
		return EPCI{}, false
	}
	return f.eptAt(i), true
}

// EPCIs yields the 1,255 EPCI à fiscalité propre in order of SIREN. A commune is in one at most.
func EPCIs() iter.Seq[EPCI] {
	return func(yield func(EPCI) bool) {
		f := france()
		for i := range f.epci {
			if !yield(f.epciAt(i)) {
				return
			}
		}
	}
}

// EPTs yields the 11 établissements publics territoriaux in order of SIREN. They divide the Métropole du Grand Paris,
// Paris excepted: their communes have the métropole as EPCI.
func EPTs() iter.Seq[EPCI] {
	return func(yield func(EPCI) bool) {
		f := france()
		for i := range f.ept {
			if !yield(f.eptAt(i)) {
				return
			}
		}
	}
}
