package geo

import (
	"iter"
	"slices"
	"sort"
	"strings"
)

// Departement is one of the 101 départements, or one of the 8 overseas collectivities and territories that Insee
// codes like départements (975, 977, 978, 984, 986 to 989).
type Departement struct {
	Code   string // "33", "2A", "974"
	Name   string
	Region string // code; of a collectivity, its own code
}

// LookupDepartement returns the département of this code.
func LookupDepartement(code string) (Departement, bool) {
	return france().departement(code)
}

// Departements yields the 109 départements and collectivities in order of code.
func Departements() iter.Seq[Departement] {
	return slices.Values(france().departements)
}

// Region is one of the 18 regions, or one of the 8 overseas collectivities and territories.
type Region struct {
	Code string // "75"; beware, Insee's codes of regions and of départements overlap
	Name string
}

// LookupRegion returns the region of this code.
func LookupRegion(code string) (Region, bool) {
	f := france()
	i, ok := slices.BinarySearchFunc(f.regions, code, func(r Region, code string) int { return strings.Compare(r.Code, code) })
	if !ok {
		return Region{}, false
	}
	return f.regions[i], true
}

// Regions yields the 26 regions and collectivities in order of code.
func Regions() iter.Seq[Region] {
	return slices.Values(france().regions)
}

// CommunesOf returns the communes of a département in order of code; none if the département is unknown.
func CommunesOf(departement string) []Insee {
	f := france()
	if _, ok := f.departement(departement); !ok {
		return nil
	}
	first, end := f.rows(departement)
	codes := make([]Insee, 0, end-first)
	for row := first; row < end; row++ {
		codes = append(codes, f.code(uint16(row)))
	}
	return codes
}

// Zone is the IANA name of the time zone at the seat of a département, or "" if the département is unknown. Beware
// that [time.LoadLocation] takes "" for UTC. Inside French Polynesia the Marquesas and the Gambier have another time
// than Tahiti, and so have some districts of the Terres australes another than the Kerguelen: callers there must ask.
func Zone(departement string) string {
	switch departement {
	case "971":
		return "America/Guadeloupe"
	case "972":
		return "America/Martinique"
	case "973":
		return "America/Cayenne"
	case "974":
		return "Indian/Reunion"
	case "975":
		return "America/Miquelon"
	case "976":
		return "Indian/Mayotte"
	case "977":
		return "America/St_Barthelemy"
	case "978":
		return "America/Marigot"
	case "984":
		return "Indian/Kerguelen"
	case "986":
		return "Pacific/Wallis"
	case "987":
		return "Pacific/Tahiti"
	case "988":
		return "Pacific/Noumea"
	case "989":
		return "Etc/GMT+8" // Clipperton has no name of its own; the sign is that of POSIX: eight hours behind UTC
	}
	if _, ok := LookupDepartement(departement); ok {
		return "Europe/Paris"
	}
	return ""
}

// rows returns the first row whose code starts with prefix, and the one after the last.
func (f *tables) rows(prefix string) (first, end int) {
	first = sort.Search(len(f.start), func(i int) bool { return string(f.code(uint16(i))) >= prefix })
	end = first + sort.Search(len(f.start)-first, func(i int) bool {
		return !strings.HasPrefix(string(f.code(uint16(first+i))), prefix)
	})
	return first, end
}
