package geo_test

import (
	"math"
	"strings"
	"testing"

	"github.com/bippop/bippop/node/internal/geo"
	"pgregory.net/rapid"
)

func TestDistance(t *testing.T) {
	reole, langon := lookup(t, "33352").Point, lookup(t, "33227").Point
	paris, saintDenis, papeete := lookup(t, "75056").Point, lookup(t, "97411").Point, lookup(t, "98735").Point
	for _, test := range []struct {
		name     string
		a, b     geo.Point
		min, max int
	}{
		{"La Réole to Langon", reole, langon, 16_900, 17_200},
		{"Paris to Saint-Denis de La Réunion", paris, saintDenis, 9_300_000, 9_450_000},
		{"Paris to Papeete", paris, papeete, 15_650_000, 15_800_000},
		{"same point", reole, reole, 0, 0},
		{"one unit of latitude", geo.Point{}, geo.Point{Lat: 1}, 1, 1},
		{"one degree of latitude", geo.Point{Lat: 4_500_000}, geo.Point{Lat: 4_600_000}, 111_195, 111_195},
		{"across the date line", geo.Point{Lon: 17_900_000}, geo.Point{Lon: -17_900_000}, 222_390, 222_391},
		{"pole to pole", geo.Point{Lat: 9_000_000}, geo.Point{Lat: -9_000_000}, 20_015_114, 20_015_115},
		{"half way round", geo.Point{}, geo.Point{Lon: 18_000_000}, 20_015_114, 20_015_115},
	} {
		if got := geo.Distance(test.a, test.b); got < test.min || got > test.max {
			t.Errorf("%s: got %d m, want %d to %d", test.name, got, test.min, test.max)
		}
	}
}

// Distance computes with whole numbers what the haversine formula says, to the metre.
func TestDistanceLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		point := rapid.Custom(func(t *rapid.T) geo.Point {
			return geo.Point{
				Lat: rapid.Int32Range(-9_000_000, 9_000_000).Draw(t, "lat"),
				Lon: rapid.Int32Range(-18_000_000, 18_000_000).Draw(t, "lon"),
			}
		})
		a, b := point.Draw(t, "a"), point.Draw(t, "b")
		if rapid.Bool().Draw(t, "near") {
			b = geo.Point{Lat: a.Lat/2 + rapid.Int32Range(-99, 99).Draw(t, "dlat"), Lon: a.Lon / 2}
			a = geo.Point{Lat: a.Lat / 2, Lon: a.Lon/2 + rapid.Int32Range(-99, 99).Draw(t, "dlon")}
		}
		got := geo.Distance(a, b)
		if want := haversine(a, b); math.Abs(float64(got)-want) > 1 {
			t.Errorf("%v to %v: got %d m, want %.2f", a, b, got, want)
		}
		if back := geo.Distance(b, a); back != got {
			t.Errorf("%v to %v: got %d m one way and %d the other", a, b, got, back)
		}
	})
}

func haversine(a, b geo.Point) float64 {
	const rad = math.Pi / 180 / 1e5
	lat1, lat2 := float64(a.Lat)*rad, float64(b.Lat)*rad
	s, l := math.Sin((lat1-lat2)/2), math.Sin((float64(a.Lon)-float64(b.Lon))*rad/2)
	h := s*s + math.Cos(lat1)*math.Cos(lat2)*l*l
	// Near the antipode asin loses precision that atan2 keeps.
	return 2 * 6371008.8 * math.Atan2(math.Sqrt(h), math.Sqrt(max(0, 1-h)))
}

func TestMap(t *testing.T) {
	last := ""
	for _, o := range geo.Map() {
		d, ok := geo.LookupDepartement(o.Departement)
		if !ok || o.Departement <= last || geo.Zone(d.Code) != "Europe/Paris" {
			t.Errorf("outline of %q after %q", o.Departement, last)
		}
		last = o.Departement
		if len(o.Path) < 100 || o.Path[0] != 'm' || strings.Trim(o.Path, "mz 0123456789.,-e") != "" {
			t.Errorf("%s: got path %.20q", d.Name, o.Path)
		}
	}
	geo.Map()[0].Path = ""
	if geo.Map()[0].Path == "" {
		t.Error("a caller can write to the outlines kept by the package")
	}
}

func TestProject(t *testing.T) {
	for c := range geo.All() {
		x, y := geo.Project(c.Point)
		inside := x > 0 && x < 10*geo.MapWidth && y > 0 && y < 10*geo.MapHeight
		if c.Located && inside != (geo.Zone(c.Departement) == "Europe/Paris") {
			t.Errorf("%s is at (%d, %d), on the map: %t", c.Label(), x, y, inside)
		}
	}
	if x, y := geo.Project(lookup(t, "33352").Point); x != 2137 || y != 4022 {
		t.Errorf("La Réole is at (%d, %d), want (2137, 4022)", x, y)
	}
	// Far from the map the answer is useless, but must be an answer.
	for _, lat := range []int32{-9_000_000, 9_000_000} {
		if _, y := geo.Project(geo.Point{Lat: lat}); y > 1e6 || y < -1e6 {
			t.Errorf("latitude %d: got y %d", lat, y)
		}
	}
}

func BenchmarkDistance(b *testing.B) {
	p, q := geo.Point{Lat: 4458239, Lon: -3857}, geo.Point{Lat: 4455277, Lon: -24986}
	for b.Loop() {
		geo.Distance(p, q)
	}
}
