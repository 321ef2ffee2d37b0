package geo_test

import (
	"slices"
	"testing"

	"github.com/bippop/bippop/node/internal/geo"
)

func TestSearch(t *testing.T) {
	for _, test := range []struct {
		q    string
		want string // label of the first found
	}{
		{"La Réole", "La Réole"},
		{"la reole", "La Réole"},
		{"LA REOLE", "La Réole"},
		{"la re\u0301ole", "La Réole"},
		{"laréole", "La Réole"},
		{"réole", "La Réole"},
		{"paris", "Paris"},
		{"mar", "Marseille"},
		{"st denis", "Saint-Denis (La Réunion)"},
		{"St-Denis", "Saint-Denis (La Réunion)"},
		{"saint denis", "Saint-Denis (La Réunion)"},
		{"st. den", "Saint-Denis (La Réunion)"},
		{"st", "Le Saint"}, // exact; Strasbourg and Saint-Étienne follow, see below
		{"ste foy la grande", "Sainte-Foy-la-Grande"},
		{"ste g", "Sainte-Geneviève-des-Bois (Essonne)"},
		{"stras", "Strasbourg"},
		{"l'hay", "L'Haÿ-les-Roses"},
		{"lhaÿ les r", "L'Haÿ-les-Roses"},
		{"hay-les", "L'Haÿ-les-Roses"},
		{"havre", "Le Havre"},
		{"oeuilly", "Œuilly (Marne)"},
		{"pierrefitte-sur-seine", "Saint-Denis (Seine-Saint-Denis)"}, // since 2025
		{"lyon 3", "Lyon"},
		{"33352", "La Réole"},
		{"33190", "La Réole"},
		{"2A004", "Ajaccio"},
		{"2a004", "Ajaccio"},
		{"75116", "Paris"},
		{"33 190", "La Réole"},
		{"331", "Bordeaux"},
	} {
		got := geo.Search(test.q, 5)
		if len(got) == 0 || len(got) > 5 || got[0].Label() != test.want {
			t.Errorf("%q: got %v, want %s first", test.q, labels(got), test.want)
		}
	}
	if got := labels(geo.Search("st", 3)); !slices.Equal(got, []string{"Le Saint", "Strasbourg", "Saint-Étienne"}) {
		t.Errorf("st: got %v, want both what starts with st and what starts with saint", got)
	}
	if got := labels(geo.Search("ste", 2000)); !slices.Contains(got, "Stenay") || !slices.Contains(got, "Sainte-Foy-la-Grande") {
		t.Errorf("ste: got %v, want both Stenay and Sainte-Foy", got)
	}
	for _, q := range []string{"", " ", "-'", "zzz", "33352x", "333521", "331900", "\x00", "é\xff\xfe-zq"} {
		if got := geo.Search(q, 5); len(got) != 0 {
			t.Errorf("%q: got %v, want nothing", q, labels(got))
		}
	}
	for _, limit := range []int{0, -1} {
		if got := geo.Search("paris", limit); len(got) != 0 {
			t.Errorf("limit %d: got %v, want nothing", limit, labels(got))
		}
	}
}

func TestSearchOrder(t *testing.T) {
	got := geo.Search("saint-denis", 100)
	exact := true
	for i, c := range got {
		if slices.ContainsFunc(got[:i], func(o geo.Commune) bool { return o.Code == c.Code }) {
			t.Errorf("%s is found twice", c.Label())
		}
		if c.Name != "Saint-Denis" {
			exact = false
		} else if !exact {
			t.Errorf("%s comes after a longer name", c.Label())
		}
		if i > 0 && c.Name == got[i-1].Name && c.Population > got[i-1].Population {
			t.Errorf("%s comes after a smaller one", c.Label())
		}
	}
	if len(got) < 30 {
		t.Errorf("got %d communes, want at least 30", len(got))
	}
	first := geo.Search("saint-denis", 7)
	if !slices.Equal(labels(first), labels(got[:7])) {
		t.Errorf("limit 7 gives %v, limit 100 begins with %v", labels(first), labels(got[:7]))
	}
}

// Everybody finds their commune by its own name, by its code, and by its postcode.
func TestSearchFindsAll(t *testing.T) {
	for c := range geo.All() {
		if c.Code[4] != '1' {
			continue // one in ten is enough
		}
		for _, q := range append([]string{c.Name, string(c.Code)}, c.Postcodes...) {
			if !slices.ContainsFunc(geo.Search(q, 60), func(o geo.Commune) bool { return o.Code == c.Code }) {
				t.Errorf("%q does not find %s", q, c.Label())
			}
		}
	}
}

func TestPostcode(t *testing.T) {
	got := geo.Postcode("33190")
	if len(got) == 0 || got[0].Name != "La Réole" {
		t.Errorf("33190: got %v, want La Réole first", labels(got))
	}
	for i, c := range got {
		if !slices.Contains(c.Postcodes, "33190") {
			t.Errorf("%s does not have 33190", c.Label())
		}
		if i > 0 && c.Population > got[i-1].Population {
			t.Errorf("%s comes after a smaller one", c.Label())
		}
	}
	if got := geo.Postcode("51300"); len(got) != 46 {
		t.Errorf("51300: got %d communes, want 46", len(got))
	}
	if got := geo.Postcode("01400"); len(got) == 0 {
		t.Error("01400: got nothing")
	}
	for _, code := range []string{"", "331", "00000", "99999", "33 90", "+3319", "331900", "2A004"} {
		if got := geo.Postcode(code); len(got) != 0 {
			t.Errorf("%q: got %v, want nothing", code, labels(got))
		}
	}
}

func FuzzSearch(f *testing.F) {
	for _, q := range []string{"st", "2A", "la réole", "75", "œ", "\xff", "ste-"} {
		f.Add(q, 5)
	}
	f.Fuzz(func(t *testing.T, q string, limit int) {
		if got := geo.Search(q, limit); len(got) > max(limit, 0) {
			t.Errorf("got %d communes, want %d at most", len(got), limit)
		}
	})
}

func BenchmarkSearch(b *testing.B) {
	for _, q := range []string{"s", "saint", "la reole", "33190"} {
		b.Run(q, func(b *testing.B) {
			geo.Search(q, 10)
			b.ReportAllocs()
			for b.Loop() {
				geo.Search(q, 10)
			}
		})
	}
}

func labels(communes []geo.Commune) []string {
	var l []string
	for _, c := range communes {
		l = append(l, c.Label())
	}
	return l
}
