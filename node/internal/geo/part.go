package geo

import (
	"slices"
	"strings"
)

// Part is what people still say though it is no commune, or not any more: "Saint-Macaire-en-Mauges", "Lyon 3e".
type Part struct {
	Code Insee  // often that of the former commune; a déléguée that is the seat has the code of its commune
	Name string // "Saint-Macaire-en-Mauges", "Marseille 1er Arrondissement"
	Kind string // "déléguée", "associée" or "arrondissement"
	Of   Insee  // the commune
}

// LookupPart returns the commune déléguée, commune associée or arrondissement municipal of this code.
func LookupPart(code Insee) (Part, bool) {
	f := france()
	i, ok := slices.BinarySearchFunc(f.parts, code, func(p Part, code Insee) int { return strings.Compare(string(p.Code), string(code)) })
	if !ok {
		return Part{}, false
	}
	return f.parts[i], true
}

// PartsOf returns the parts of a commune in order of code; most communes have none.
func PartsOf(commune Insee) []Part {
	var in []Part
	for _, p := range france().parts {
		if p.Of == commune {
			in = append(in, p)
		}
	}
	return in
}
