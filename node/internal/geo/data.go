package geo

import (
	"compress/gzip"
	_ "embed"
	"encoding/binary"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// The tables are lines of fields separated by tabs, in order of their first field, in gzip. gen writes them.
var (
	//go:embed data/communes.tsv.gz
	communesData string
	//go:embed data/parts.tsv.gz
	partsData string
	//go:embed data/epci.tsv.gz
	epciData string
	//go:embed data/ept.tsv.gz
	eptData string
	//go:embed data/departements.tsv.gz
	departementsData string
	//go:embed data/regions.tsv.gz
	regionsData string
	//go:embed data/outlines.tsv.gz
	outlinesData string
)

// france returns the tables, decoded by the first call.
var france = sync.OnceValue(decode)

// drawing returns the outlines, decoded by the first call: only who draws pays for them.
var drawing = sync.OnceValue(func() []Outline {
	var outlines []Outline
	for l := range lines(unpack(outlinesData)) {
		outlines = append(outlines, Outline{Departement: l.next(), Path: l.next()})
	}
	return outlines
})

// tables is all of France. It is written by decode and read by everybody after.
//
// Communes stay as text, one line each, and are read again on demand: that is three times smaller than structs. A row
// is the rank of a commune in order of code.
type tables struct {
	text       string
	start      []uint32 // row -> where its line starts in text
	population []int32  // row -> inhabitants

	epci         []EPCI   // without Members
	members      []uint16 // rows, EPCI after EPCI
	firstMember  []uint16 // EPCI -> where its members start; one more at the end
	ept          []EPCI
	parts        []Part
	departements []Departement
	regions      []Region

	homonyms map[string]struct{} // names that more than one commune has
}

func decode() *tables {
	f := &tables{text: unpack(communesData), homonyms: map[string]struct{}{}}
	for l := range lines(unpack(epciData)) {
		f.epci = append(f.epci, EPCI{Siren: Siren(l.next()), Name: l.next(), Kind: l.next()})
	}
	for l := range lines(unpack(eptData)) {
		e := EPCI{Siren: Siren(l.next()), Name: l.next(), Kind: "EPT"}
		for code := range strings.FieldsSeq(l.next()) {
			e.Members = append(e.Members, Insee(code))
		}
		f.ept = append(f.ept, e)
	}
	for l := range lines(unpack(partsData)) {
		f.parts = append(f.parts, Part{Code: Insee(l.next()), Name: l.next(), Kind: l.next(), Of: Insee(l.next())})
	}
	for l := range lines(unpack(departementsData)) {
		f.departements = append(f.departements, Departement{Code: l.next(), Name: l.next(), Region: l.next()})
	}
	for l := range lines(unpack(regionsData)) {
		f.regions = append(f.regions, Region{Code: l.next(), Name: l.next()})
	}
	f.indexCommunes()
	return f
}

// indexCommunes fills start, population, members and homonyms.
func (f *tables) indexCommunes() {
	n := strings.Count(f.text, "\n")
	f.start, f.population = make([]uint32, 0, n), make([]int32, 0, n)
	groups := make([]int, 0, n) // row -> EPCI, or -1
	f.firstMember = make([]uint16, len(f.epci)+1)
	seen := make(map[string]struct{}, n)
	at := 0
	for l := range lines(f.text) {
		size := len(l) + 1
		l.next() // code
		name := l.next()
		l.next() // SIREN
		epci, population := Siren(l.next()), l.next()
		if _, ok := seen[name]; ok {
			f.homonyms[name] = struct{}{}
		}
		seen[name] = struct{}{}
		i, ok := f.group(epci)
		if ok {
			f.firstMember[i+1]++
		} else {
			i = -1
		}
		groups = append(groups, i)
		f.start = append(f.start, uint32(at))
		f.population = append(f.population, number(population))
		at += size
	}
	for i := range f.epci {
		f.firstMember[i+1] += f.firstMember[i]
	}
	next := slices.Clone(f.firstMember)
	f.members = make([]uint16, f.firstMember[len(f.epci)])
	for row, i := range groups {
		if i >= 0 {
			f.members[next[i]] = uint16(row)
			next[i]++
		}
	}
}

// code is the code of a row.
func (f *tables) code(row uint16) Insee {
	at := f.start[row]
	return Insee(f.text[at : at+5])
}

// row is the row of a code.
func (f *tables) row(code Insee) (uint16, bool) {
	if len(code) != 5 {
		return 0, false
	}
	first, end := f.rows(string(code))
	return uint16(first), end > first
}

// commune reads a row.
func (f *tables) commune(row uint16) Commune {
	l, _, _ := strings.Cut(f.text[f.start[row]:], "\n")
	r := line(l)
	c := Commune{Code: Insee(r.next()), Name: r.next(), Siren: Siren(r.next()), EPCI: Siren(r.next())}
	c.Departement = departementOf(c.Code)
	c.Population = number(r.next())
	if postcodes := r.next(); postcodes != "" {
		c.Postcodes = strings.Split(postcodes, " ")
	}
	if lat := r.next(); lat != "" {
		c.Point, c.Located = Point{Lat: number(lat), Lon: number(r.next())}, true
	}
	return c
}

// departementOf reads the département in a code: three characters overseas, two elsewhere. gen checks it.
func departementOf(code Insee) string {
	if c := string(code[:2]); c != "97" && c != "98" {
		return c
	}
	return string(code[:3])
}

func (f *tables) departement(code string) (Departement, bool) {
	i, ok := slices.BinarySearchFunc(f.departements, code, func(d Departement, code string) int { return strings.Compare(d.Code, code) })
	if !ok {
		return Departement{}, false
	}
	return f.departements[i], true
}

// group is the index of an EPCI.
func (f *tables) group(s Siren) (int, bool) {
	return slices.BinarySearchFunc(f.epci, s, func(e EPCI, s Siren) int { return strings.Compare(string(e.Siren), string(s)) })
}

func (f *tables) epciAt(i int) EPCI {
	e := f.epci[i]
	rows := f.members[f.firstMember[i]:f.firstMember[i+1]]
	e.Members = make([]Insee, len(rows))
	for i, row := range rows {
		e.Members[i] = f.code(row)
	}
	return e
}

func (f *tables) eptAt(i int) EPCI {
	e := f.ept[i]
	e.Members = slices.Clone(e.Members)
	return e
}

// line is what remains to be read of a line.
type line string

// next takes the next field; "" past the last.
func (l *line) next() string {
	field, rest, _ := strings.Cut(string(*l), "\t")
	*l = line(rest)
	return field
}

func lines(text string) iter.Seq[line] {
	return func(yield func(line) bool) {
		for text != "" {
			l, rest, _ := strings.Cut(text, "\n")
			if !yield(line(l)) {
				return
			}
			text = rest
		}
	}
}

// number reads a field written by gen; an empty one is 0.
func number(field string) int32 {
	if field == "" {
		return 0
	}
	n, err := strconv.ParseInt(field, 10, 32)
	if err != nil {
		panic("geo: embedded data: " + err.Error())
	}
	return int32(n)
}

// unpack returns the text of a gzip, whose last four bytes are the size of the text (RFC 1952).
func unpack(data string) string {
	z, err := gzip.NewReader(strings.NewReader(data))
	if err != nil {
		panic("geo: embedded data: " + err.Error())
	}
	var text strings.Builder
	text.Grow(int(binary.LittleEndian.Uint32([]byte(data[len(data)-4:]))))
	if _, err := io.Copy(&text, z); err != nil {
		panic("geo: embedded data: " + err.Error())
	}
	return text.String()
}
