package geo_test

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/bippop/bippop/node/internal/geo"
)

// The counts are those of @etalab/decoupage-administratif 6.0.0.
func TestCounts(t *testing.T) {
	var communes, withSiren, nobody, noPostcode, noEPCI, located, locatedPopulation, population int
	names := map[string]int{}
	for c := range geo.All() {
		communes++
		population += int(c.Population)
		names[c.Name]++
		if c.Siren != "" {
			withSiren++
		}
		if c.Population == 0 {
			nobody++
		}
		if len(c.Postcodes) == 0 {
			noPostcode++
		}
		if c.EPCI == "" && c.Siren != "" {
			noEPCI++
		}
		if c.Located {
			located++
			locatedPopulation += int(c.Population)
		}
	}
	homonyms := 0
	for _, n := range names {
		if n > 1 {
			homonyms++
		}
	}
	epci, members, epts := 0, 0, 0
	kinds := map[string]int{}
	for e := range geo.EPCIs() {
		epci++
		members += len(e.Members)
		kinds[e.Kind]++
	}
	for range geo.EPTs() {
		epts++
	}
	departements, regions := 0, 0
	for range geo.Departements() {
		departements++
	}
	for range geo.Regions() {
		regions++
	}
	for _, c := range []struct {
		what      string
		got, want int
	}{
		{"communes", communes, 34_969},
		{"communes with a SIREN", withSiren, 34_875},
		{"communes without inhabitants", nobody, 12}, // six destroyed in 1916, six without permanent inhabitants
		{"communes without a postcode", noPostcode, 5},
		{"communes outside the collectivities without an EPCI", noEPCI, 4},
		{"population", population, 68_952_941},
		{"names that are not unique", homonyms, 1_441},
		{"located communes", located, 8_627},
		{"population of located communes", locatedPopulation, 57_507_675},
		{"EPCI", epci, 1_255},
		{"members of EPCI", members, 34_871},
		{"CC", kinds["CC"], 989},
		{"CA", kinds["CA"], 230},
		{"CU", kinds["CU"], 14},
		{"METRO", kinds["METRO"], 21},
		{"MET69", kinds["MET69"], 1},
		{"EPT", epts, 11},
		{"départements", departements, 109},
		{"regions", regions, 26},
		{"outlines", len(geo.Map()), 96},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %d, want %d", c.what, c.got, c.want)
		}
	}
}

func TestPopulationUnknown(t *testing.T) {
	for _, dep := range []string{"984", "989"} {
		for _, code := range geo.CommunesOf(dep) {
			if c := lookup(t, code); c.Population != 0 {
				t.Errorf("%s: got %d people, want none", c.Name, c.Population)
			}
		}
	}
	if got := len(geo.CommunesOf("984")) + len(geo.CommunesOf("989")); got != 6 {
		t.Errorf("got %d districts without a population, want 6", got)
	}
}

func TestLookup(t *testing.T) {
	for _, test := range []struct {
		code                     geo.Insee
		name, label, departement string
		epci                     geo.Siren
		postcode                 string
	}{
		{"33352", "La Réole", "La Réole", "33", "200044394", "33190"},
		{"75056", "Paris", "Paris", "75", "200054781", "75116"},
		{"69123", "Lyon", "Lyon", "69", "200046977", "69003"},
		{"2A004", "Ajaccio", "Ajaccio", "2A", "242010056", "20000"},
		{"93066", "Saint-Denis", "Saint-Denis (Seine-Saint-Denis)", "93", "200054781", "93200"},
		{"97411", "Saint-Denis", "Saint-Denis (La Réunion)", "974", "249740119", "97400"},
		{"29155", "Ouessant", "Ouessant", "29", "", "29242"},
		{"98735", "Papeete", "Papeete", "987", "", "98714"},
		{"01001", "L'Abergement-Clémenciat", "L'Abergement-Clémenciat", "01", "200069193", "01400"},
	} {
		c := lookup(t, test.code)
		if c.Code != test.code || c.Name != test.name || c.Departement != test.departement || c.EPCI != test.epci {
			t.Errorf("%s: got %+v", test.code, c)
		}
		if got := c.Label(); got != test.label {
			t.Errorf("%s: got label %q, want %q", test.code, got, test.label)
		}
		if !slices.Contains(c.Postcodes, test.postcode) || !slices.IsSorted(c.Postcodes) {
			t.Errorf("%s: got postcodes %v, want %s among them, ascending", test.code, c.Postcodes, test.postcode)
		}
	}
	for _, code := range []geo.Insee{"", "3", "33", "3335", "33999", "333520", "99999", "2a004", "33352\t"} {
		if c, ok := geo.Lookup(code); ok {
			t.Errorf("%q: got %s, want nothing", code, c.Name)
		}
	}
}

func TestRead(t *testing.T) {
	var last geo.Insee
	labels := map[string]geo.Insee{}
	for c := range geo.All() {
		if c.Code <= last {
			t.Fatalf("%s comes after %s", c.Code, last)
		}
		last = c.Code
		if again, ok := geo.Lookup(c.Code); !ok || again.Name != c.Name {
			t.Errorf("%s is yielded, but not found", c.Code)
		}
		if c.Siren != "" && !geo.ValidSiren(string(c.Siren)) {
			t.Errorf("%s has SIREN %q", c.Code, c.Siren)
		}
		if _, ok := geo.LookupDepartement(c.Departement); !ok {
			t.Errorf("%s is in département %q", c.Code, c.Departement)
		}
		if c.EPCI != "" {
			if e, ok := geo.LookupEPCI(c.EPCI); !ok || !slices.Contains(e.Members, c.Code) {
				t.Errorf("%s is in EPCI %q, which does not have it", c.Code, c.EPCI)
			}
		}
		if c.Located == (c.Point == geo.Point{}) {
			t.Errorf("%s: Located is %t at %v", c.Code, c.Located, c.Point)
		}
		if other, ok := labels[c.Label()]; ok {
			t.Errorf("%s and %s have the label %q", other, c.Code, c.Label())
		}
		labels[c.Label()] = c.Code
	}
}

func TestAllStops(t *testing.T) {
	n := 0
	for range geo.All() {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("got %d communes, want 3", n)
	}
}

func TestEPCI(t *testing.T) {
	for _, test := range []struct {
		siren      geo.Siren
		name, kind string
		member     geo.Insee
	}{
		{"200044394", "CC du Réolais en Sud Gironde", "CC", "33352"},
		{"200069599", "CC Rurales de l'Entre-Deux-Mers", "CC", "33506"},
		{"200057867", "Plaine Commune", "EPT", "93066"},
	} {
		e, ok := geo.LookupEPCI(test.siren)
		if !ok || e.Siren != test.siren || e.Name != test.name || e.Kind != test.kind || !slices.Contains(e.Members, test.member) {
			t.Errorf("%s: got %+v, want %q, %s, with %s", test.siren, e, test.name, test.kind, test.member)
		}
		if !slices.IsSorted(e.Members) {
			t.Errorf("%s: members are not ascending", test.siren)
		}
	}
	if e, ok := geo.LookupEPCI("213303522"); ok {
		t.Errorf("got %s, want nothing: a commune is no EPCI", e.Name)
	}
	for e := range geo.EPTs() {
		for _, m := range e.Members {
			if c := lookup(t, m); c.EPCI != "200054781" {
				t.Errorf("%s of %s is in EPCI %s, want the Métropole du Grand Paris", c.Name, e.Name, c.EPCI)
			}
		}
	}
	e, _ := geo.LookupEPCI("200044394")
	e.Members[0] = "00000"
	if again, _ := geo.LookupEPCI("200044394"); again.Members[0] == "00000" {
		t.Error("a caller can write to the members kept by the package")
	}
}

func TestDepartements(t *testing.T) {
	total := 0
	for d := range geo.Departements() {
		codes := geo.CommunesOf(d.Code)
		if len(codes) == 0 {
			t.Errorf("%s has no commune", d.Name)
		}
		for _, code := range codes {
			if c := lookup(t, code); c.Departement != d.Code {
				t.Errorf("%s is among the communes of %s", c.Name, d.Name)
			}
		}
		total += len(codes)
		if _, ok := geo.LookupRegion(d.Region); !ok {
			t.Errorf("%s is in region %q", d.Name, d.Region)
		}
	}
	if total != 34_969 {
		t.Errorf("départements have %d communes, want 34969", total)
	}
	if d, _ := geo.LookupDepartement("33"); d.Name != "Gironde" || d.Region != "75" {
		t.Errorf("33: got %+v", d)
	}
	if r, _ := geo.LookupRegion("75"); r.Name != "Nouvelle-Aquitaine" {
		t.Errorf("region 75: got %+v", r)
	}
	for _, code := range []string{"", "9", "20", "97", "98", "333"} {
		if _, ok := geo.LookupDepartement(code); ok || geo.CommunesOf(code) != nil || geo.Zone(code) != "" {
			t.Errorf("%q is taken for a département", code)
		}
	}
}

func TestZone(t *testing.T) {
	for d := range geo.Departements() {
		zone := geo.Zone(d.Code)
		if zone == "" {
			t.Errorf("%s has no zone", d.Name)
		}
		if _, err := time.LoadLocation(zone); err != nil {
			t.Errorf("%s: %v", d.Name, err)
		}
	}
	winter := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)
	for code, want := range map[string]string{
		"33": "+0100", "2B": "+0100", "971": "-0400", "972": "-0400", "973": "-0300", "974": "+0400", "975": "-0300",
		"976": "+0300", "977": "-0400", "978": "-0400", "984": "+0500", "986": "+1200", "987": "-1000", "988": "+1100",
		"989": "-0800",
	} {
		zone, err := time.LoadLocation(geo.Zone(code))
		if err != nil {
			t.Fatal(err)
		}
		if got := winter.In(zone).Format("-0700"); got != want {
			t.Errorf("%s in January: got %s, want %s", code, got, want)
		}
	}
}

func TestParts(t *testing.T) {
	kinds := map[string]int{}
	for c := range geo.All() {
		for _, p := range geo.PartsOf(c.Code) {
			kinds[p.Kind]++
			if got, ok := geo.LookupPart(p.Code); !ok || got != p || p.Of != c.Code {
				t.Errorf("%s: got %+v, %t", p.Code, got, ok)
			}
		}
	}
	if kinds["déléguée"] != 2_105 || kinds["associée"] != 471 || kinds["arrondissement"] != 45 || len(kinds) != 3 {
		t.Errorf("got %v, want 2105 déléguées, 471 associées, 45 arrondissements", kinds)
	}
	for code, want := range map[geo.Insee]int{"75056": 20, "69123": 9, "13055": 16, "33352": 0} {
		if got := len(geo.PartsOf(code)); got != want {
			t.Errorf("%s: got %d parts, want %d", code, got, want)
		}
	}
	p, ok := geo.LookupPart("93059")
	if !ok || p.Name != "Pierrefitte-sur-Seine" || p.Kind != "déléguée" || p.Of != "93066" {
		t.Errorf("got %+v, want Pierrefitte-sur-Seine, of Saint-Denis", p)
	}
	if _, ok := geo.LookupPart("33352"); ok {
		t.Error("La Réole is taken for a part")
	}
}

func TestValidSiren(t *testing.T) {
	for s, want := range map[string]bool{
		"200069599": true, "213303522": true, "732829320": true,
		"": false, "20006959": false, "2000695990": false, "200069598": false, "20006959x": false, "000000000": false,
		"200 69599": false, "２００069599": false,
	} {
		if got := geo.ValidSiren(s); got != want {
			t.Errorf("%q: got %t, want %t", s, got, want)
		}
	}
}

func TestCredits(t *testing.T) {
	who := ""
	for _, c := range geo.Credits() {
		if c.What == "" || c.Who == "" || c.Licence == "" {
			t.Errorf("got %+v", c)
		}
		who += c.Who + " "
	}
	for _, name := range []string{"Etalab", "Insee", "GeoNames", "MapSVG"} {
		if !strings.Contains(who, name) {
			t.Errorf("%s is not credited", name)
		}
	}
}

func TestSize(t *testing.T) {
	files, err := filepath.Glob("data/*.gz")
	if err != nil || len(files) != 7 {
		t.Fatalf("got %v, %v, want seven files", files, err)
	}
	total := int64(0)
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
	}
	if total > 1_000_000 {
		t.Errorf("data are %d bytes, want 1,000,000 at most", total)
	}
}

func TestMemory(t *testing.T) {
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	geo.Search("a", 1)
	before := heap()
	kept := geo.DecodeAgain()
	got := heap() - before
	runtime.KeepAlive(kept)
	if got > 6<<20 {
		t.Errorf("tables keep %d bytes, want 6 MiB at most", got)
	}
	t.Logf("tables keep %d bytes", got)
}

func BenchmarkDecode(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		geo.DecodeAgain()
	}
}

func BenchmarkLookup(b *testing.B) {
	for b.Loop() {
		geo.Lookup("33352")
	}
}

func lookup(t *testing.T, code geo.Insee) geo.Commune {
	t.Helper()
	c, ok := geo.Lookup(code)
	if !ok {
		t.Fatalf("%s is not found", code)
	}
	return c
}
