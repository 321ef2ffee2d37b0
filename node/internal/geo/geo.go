// Package geo knows France's communes, EPCI, départements and regions: codes, names, who contains whom, how many live
// there, and where. It answers from data embedded in the program; it asks nothing of the network or the disk.
//
//	region ── département ── commune ── parts: déléguées, associées, arrondissements of Paris, Lyon, Marseille
//	                            │
//	EPCI (or EPT, in Greater Paris) ── members, sometimes over several départements
//
// The data are those of 2026. They are decoded on first use, and the search tables made on the first search: less than
// 100 ms together on a small server, and 4 MB kept. After that the package only reads, so every function is safe for
// concurrent use, and every answer is the same on every machine (but see [Project]). Slices are fresh: the caller owns
// them.
//
// A place that is not known is said not to be known: an unknown code gives false, a commune without a point has
// Located false. Nothing is estimated.
//
// The sources are in data/README.md, and in [Credits] for those who use the program.
package geo

//go:generate go run ./gen -src $BIPPOP_GEO_SRC

import "iter"

// Insee is the code of a commune in Insee's Code officiel géographique: five characters, digits but for Corsica's 2A
// and 2B. It is not a postcode.
type Insee string

// Siren is the number of a public body: nine digits, the last a check. See [ValidSiren].
type Siren string

// Commune is one of the 34,969 communes.
type Commune struct {
	Code        Insee
	Name        string // as Insee writes it: "La Réole", "Saint-Denis"; see Label
	Siren       Siren  // empty in the 94 communes of the overseas collectivities (975 to 989)
	Departement string // code: "33", "2A", "974"
	EPCI        Siren  // empty in four islands (Bréhat, Ouessant, Sein, Yeu) and in the overseas collectivities

	// Population is the municipal population in force in 2026. It is 0 in the six communes destroyed in 1916, and in
	// the six districts where nobody lives all year (984, 989), for which the source gives none.
	Population int32

	Postcodes []string // five digits each, ascending; none in the five districts of the Terres australes
	Point     Point    // of the main town, from GeoNames; meaningful only if Located
	Located   bool     // true in 8,627 communes, where 83 % of people live
}

// Lookup returns the commune of this code. The code of a part, or of a commune that has since merged, is not found
// here: see [LookupPart].
func Lookup(code Insee) (Commune, bool) {
	f := france()
	row, ok := f.row(code)
	if !ok {
		return Commune{}, false
	}
	return f.commune(row), true
}

// Label is the name, followed by the département's in parentheses if another commune of France has the same name:
// "Saint-Denis (La Réunion)". No two communes have the same label.
func (c Commune) Label() string {
	f := france()
	if _, ok := f.homonyms[c.Name]; !ok {
		return c.Name
	}
	d, ok := f.departement(c.Departement)
	if !ok {
		return c.Name
	}
	return c.Name + " (" + d.Name + ")"
}

// All yields every commune in order of code; Corsica (2A, 2B) is between 29 and 30.
func All() iter.Seq[Commune] {
	return func(yield func(Commune) bool) {
		f := france()
		for row := range f.start {
			if !yield(f.commune(uint16(row))) {
				return
			}
		}
	}
}
