package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// point is in 1e-5 degrees, WGS 84.
type point struct{ lat, lon int32 }

// place is a populated place of GeoNames.
type place struct {
	name       string
	country    string // ISO 3166: an overseas territory has its own
	insee      string // GeoNames admin4: in France the INSEE code of the commune; may be empty
	feature    string // PPL, PPLA..., see below
	admin      string // GeoNames admin1: in Mayotte, Saint-Pierre and Wallis the INSEE code of the commune
	population uint64
	point      point
}

var errCut = errors.New("cut short")

// readPlaces decodes cities.pbf: messages one after the other, each led by its length. Coordinates are differences
// from the message before, so none may be skipped.
func readPlaces(b []byte) ([]place, error) {
	var all []place
	var last point
	for len(b) > 0 {
		n, w := binary.Uvarint(b)
		if w <= 0 || n > uint64(len(b)-w) {
			return nil, errCut
		}
		p, err := readPlace(b[w:w+int(n)], &last)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
		b = b[w+int(n):]
	}
	return all, nil
}

func readPlace(b []byte, last *point) (place, error) {
	var p place
	for len(b) > 0 {
		key, w := binary.Uvarint(b)
		if w <= 0 {
			return p, errCut
		}
		b = b[w:]
		n, w := binary.Uvarint(b)
		if w <= 0 {
			return p, errCut
		}
		b = b[w:]
		var text string
		switch key & 7 {
		case 0:
		case 2:
			if n > uint64(len(b)) {
				return p, errCut
			}
			text, b = string(b[:n]), b[n:]
		default:
			return p, fmt.Errorf("wire type %d is not used by this format", key&7)
		}
		zigzag := int32(int64(n>>1) ^ -int64(n&1))
		switch key >> 3 {
		case 2:
			p.name = text
		case 3:
			p.country = text
		case 6:
			p.insee = text
		case 7:
			p.feature = text
		case 8:
			p.admin = text
		case 9:
			p.population = n
		case 10:
			last.lon += zigzag
		case 11:
			last.lat += zigzag
		}
	}
	p.point = *last
	return p, nil
}

// territories maps a country code of GeoNames to a département; "" is all France.
var territories = map[string]string{
	"FR": "", "GP": "971", "MQ": "972", "GF": "973", "RE": "974", "PM": "975", "YT": "976", "BL": "977", "MF": "978",
	"TF": "984", "WF": "986", "PF": "987", "NC": "988",
}

// Standing says why a place stands for its commune. Lower is better; a place without one is refused, because a code
// alone is sometimes wrong in GeoNames (Orival has the code of Saint-Hellier, 40 km away).
const (
	sameName  = iota // the place has the name of the commune, but for its article
	chefLieu         // the place has the name of the part whose code the commune has kept
	seat             // GeoNames says the place is the seat of a commune, an arrondissement, a département
	partName         // the place has the name of another part of the commune
	sharesOne        // the names have a telling word in common: Ruy, of Ruy-Montceau
	refused
)

// Farther than these, a point is refused, in km.
const (
	maxOutside   = 20 // from the outline of its département; islands off Brittany are not drawn, and are within 10
	maxNeighbour = 50 // from the nearest other point of its EPCI, in metropolitan France; the largest good one is 40
)

// locate gives each commune the point of its best place, and reports to w what it refused.
func (f *france) locate(places []place, outlines []outline, w io.Writer) {
	parts := map[string][]*commune{}
	for _, p := range f.parts {
		parts[p.of()] = append(parts[p.of()], p)
	}
	type choice struct {
		place
		standing int
	}
	best := map[*commune]choice{}
	for _, p := range places {
		c := f.communeOf(p)
		if c == nil {
			continue
		}
		n := choice{p, standing(c, parts[c.Code], p)}
		old, ok := best[c]
		if !ok || n.standing < old.standing || n.standing == old.standing && n.population > old.population {
			best[c] = n
		}
	}
	for c, p := range best {
		if p.standing != refused {
			c.point = &p.point
		}
	}
	var far []*commune
	for _, c := range f.communes {
		if p, ok := best[c]; ok && p.standing == refused {
			fmt.Fprintf(w, "refused %s %s: GeoNames gives %s\n", c.Code, c.Nom, p.name)
		}
		if why := f.misplaced(c, outlines); why != "" {
			fmt.Fprintf(w, "refused %s %s: %s\n", c.Code, c.Nom, why)
			far = append(far, c)
		}
	}
	for _, c := range far {
		c.point = nil
	}
	var located, population int
	for _, c := range f.communes {
		if c.point != nil {
			located, population = located+1, population+int(c.Population)
		}
	}
	fmt.Fprintf(w, "located %d communes of %d, where %d people live\n", located, len(f.communes), population)
}

// communeOf returns the commune that a place says it is in, or nil.
func (f *france) communeOf(p place) *commune {
	territory, ok := territories[p.country]
	if !ok {
		return nil
	}
	if p.insee != "" {
		return f.current(p.insee)
	}
	if c := f.byCode[p.admin]; c != nil {
		return c
	}
	var in, named []*commune
	for _, c := range f.communes {
		if territory != "" && c.Departement != territory {
			continue
		}
		in = append(in, c)
		if bare(c.Nom) == bare(p.name) {
			named = append(named, c)
		}
	}
	switch {
	case len(named) == 1:
		return named[0]
	case len(in) == 1 && p.feature == "PPLC":
		return in[0] // Saint-Barthélemy and Saint-Martin are one commune each
	}
	return nil
}

// current returns the commune of this code, today's or that of a part.
func (f *france) current(code string) *commune {
	if c := f.byCode[code]; c != nil {
		return c
	}
	for _, p := range f.parts {
		if p.Code == code {
			return f.byCode[p.of()]
		}
	}
	return nil
}

func standing(c *commune, parts []*commune, p place) int {
	if bare(p.name) == bare(c.Nom) {
		return sameName
	}
	switch p.feature {
	case "PPLX", "PPLA5", "PPLL": // a quarter, an arrondissement of a city, a hamlet
		return refused
	}
	rank := refused
	if strings.HasPrefix(p.feature, "PPLA") || p.feature == "PPLC" {
		rank = seat
	}
	for _, part := range parts {
		if bare(part.Nom) != bare(p.name) {
			continue
		}
		rank = min(rank, partName)
		if part.Code == c.Code {
			return chefLieu
		}
	}
	for _, name := range append([]*commune{c}, parts...) {
		if slices.ContainsFunc(words(name.Nom), func(w string) bool {
			return len(w) > 2 && !slices.Contains(common, w) && slices.Contains(words(p.name), w)
		}) {
			rank = min(rank, sharesOne)
		}
	}
	return rank
}

// common words tell nothing about where a place is.
var common = []string{"saint", "sainte", "les", "des", "sur", "sous", "aux", "mer", "bois", "val", "ville", "mont",
	"chapelle", "notre", "dame", "plage", "bourg", "est", "ouest", "nord", "sud", "haut", "haute", "bas", "basse", "vieux"}

// misplaced says why the point of c cannot be right, or "".
func (f *france) misplaced(c *commune, outlines []outline) string {
	i := slices.IndexFunc(outlines, func(o outline) bool { return o.ID == c.Departement })
	if c.point == nil || i < 0 {
		return "" // overseas, where EPCI are wide and nothing is drawn, a name and a code must do
	}
	if d := outlines[i].km(*c.point); d > maxOutside {
		return fmt.Sprintf("%.0f km outside its département", d)
	}
	nearest := math.Inf(1)
	for _, o := range f.communes {
		if o != c && o.point != nil && o.epci == c.epci && c.epci != "" {
			nearest = min(nearest, km(*c.point, *o.point))
		}
	}
	if nearest > maxNeighbour && !math.IsInf(nearest, 1) {
		return fmt.Sprintf("%.0f km from the nearest point of its EPCI", nearest)
	}
	return ""
}

// km is the distance of two points not far from each other.
func km(a, b point) float64 {
	const perUnit = 111.195 / 1e5
	y := float64(a.lat-b.lat) * perUnit
	x := float64(a.lon-b.lon) * perUnit * math.Cos(float64(a.lat)/1e5*math.Pi/180)
	return math.Hypot(x, y)
}

// bare is a name without case, accents, separators, or leading article.
func bare(name string) string {
	w := words(name)
	if len(w) > 1 && slices.Contains([]string{"l", "le", "la", "les"}, w[0]) {
		w = w[1:]
	}
	return strings.Join(w, "")
}

var unaccent = strings.NewReplacer("à", "a", "â", "a", "ä", "a", "á", "a", "ç", "c", "é", "e", "è", "e", "ê", "e",
	"ë", "e", "î", "i", "ï", "i", "ô", "o", "ö", "o", "ó", "o", "ò", "o", "ù", "u", "û", "u", "ü", "u", "ÿ", "y",
	"œ", "oe", "’", "'")

func words(name string) []string {
	return strings.FieldsFunc(unaccent.Replace(strings.ToLower(name)), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
}
