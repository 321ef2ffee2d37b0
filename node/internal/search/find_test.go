package search_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/bippop/bippop/node/internal/search"
	"pgregory.net/rapid"
)

func id(n int) (id [16]byte) {
	id[14], id[15] = byte(n>>8), byte(n)
	return id
}

const (
	laReole  = "33352"
	monsegur = "33289"
)

// village is who lives in the stories; a person's ID is her place.
var village = []search.Doc{
	{Kind: search.Beneficiary, Last: "Laforêt", First: "Thérèse", BirthName: "Bouché", Phones: []string{"+33536491207"}, Commune: laReole, CommuneName: "La Réole"},
	{Kind: search.Beneficiary, Last: "Laforêt", First: "Yves", Commune: monsegur, CommuneName: "Monségur"},
	{Kind: search.Volunteer, Last: "Laforge", First: "Philippe", Phones: []string{"+33612345678", "+33536490012"}, Commune: laReole, CommuneName: "La Réole"},
	{Kind: search.Beneficiary, Last: "de La Tour du Pin", First: "Marie-Antoinette", Commune: monsegur, CommuneName: "Monségur"},
	{Kind: search.Beneficiary, Last: "D'Almeida", First: "João", Phones: []string{"+262262123456"}, Commune: monsegur, CommuneName: "Monségur"},
	{Kind: search.Volunteer, Last: "Martin", First: "Jean-Pierre", Phones: []string{"+447700900123"}, Commune: "33444", CommuneName: "Saint-Martin-de-Lerm"},
	{Kind: search.Beneficiary, Last: "Martinet", First: "Jeanne", Commune: laReole, CommuneName: "La Réole"},
	{Kind: search.Beneficiary, Last: "ST MARTIN", First: "André", Commune: monsegur, CommuneName: "Monségur"},
	{Kind: search.Beneficiary, Last: "Le Goff", First: "Haydée", Commune: monsegur, CommuneName: "Monségur"},
	{Kind: search.Volunteer, Last: "Kowalski", First: "Stéphan", Commune: monsegur, CommuneName: "Monségur"},
	{Kind: search.Beneficiary, Last: "Martin", First: "Zoé", Commune: monsegur, CommuneName: "Monségur"},
	{Kind: search.Beneficiary, Last: "Nguyễn", First: "Lê", Commune: monsegur, CommuneName: "Monségur"},
}

func settle() *search.Index {
	x := search.New()
	for i, d := range village {
		d.ID = id(i)
		x.Put(d)
	}
	return x
}

// tell says who was found and how: "0 name, 2 sound".
func tell(hits []search.Hit) string {
	var words []string
	for _, h := range hits {
		words = append(words, fmt.Sprintf("%d %v", int(h.ID[14])<<8|int(h.ID[15]), h.By))
	}
	return strings.Join(words, ", ")
}

func TestFind(t *testing.T) {
	x := settle()
	for _, c := range []struct{ name, text, want string }{
		{"the agent hears lafor", "lafor", "0 name, 1 name, 2 name"},
		{"and the first name", "lafor ther", "0 name"},
		{"first name first", "thérèse laforêt", "0 name"},
		{"capitals", "LAFORET THERESE", "0 name"},
		{"by ear", "tereze laforai", "0 sound"},
		{"birth name", "Bouché", "0 name"},
		{"birth name by ear", "boucher", "0 sound"},
		{"with the village", "laforet reole", "0 name"},
		{"with the village by ear", "laforet monsegure", "1 name"},
		{"cut in two", "la foret yves", "1 name"},
		{"civility", "Madame Laforêt Thérèse", "0 name"},
		{"the village alone", "la reole", "0 commune, 6 commune, 2 commune"},
		{"every word counts", "laforet zoé", ""},
		{"particles", "de la tour", "3 name"},
		{"without particles", "tour pin", "3 name"},
		{"particles in one", "delatour", "3 name"},
		{"half a particle name, then who fits without it", "de la t", "3 name, 0 name"},
		{"apostrophe", "d'almeida", "4 name"},
		{"typographic apostrophe", "D’Almeida", "4 name"},
		{"apostrophe left out", "dalmeida", "4 name"},
		{"particle left out", "almeida joao", "4 name"},
		{"exact before beginning, beneficiary before volunteer", "martin", "10 name, 7 name, 5 name, 6 name"},
		{"double first name", "jean pierre martin", "5 name"},
		{"double first name in one", "jeanpierre", "5 name"},
		{"st is saint", "saint martin", "7 name, 5 commune"},
		{"saint is st", "st martin andre", "7 name"},
		{"st is Stéphan too", "st", "7 name, 9 name, 5 commune"},
		{"le goff in one", "legoff", "8 name"},
		{"le goff by ear", "gof aidée", "8 sound"},
		{"kowalski by ear", "covalski", "9 sound"},
		{"kowalski by half an ear", "coval", "9 sound"},
		{"filip", "filip", "2 sound"},
		{"nguyen", "nguyen", "11 name"},
		{"typing error", "martniet", "6 spelling"},
		{"typing error and a good word", "kowalzki stephan", "9 spelling"},
		{"two typing errors", "kowalzki stephzn", ""},
		{"a short word has no typing error", "zao", ""},
		{"last four digits", "1207", "0 phone"},
		{"last four digits with zeros", "0012", "2 phone"},
		{"first digits", "05 36 49", "0 phone, 2 phone"},
		{"without the zero", "5 36 49 12", "0 phone"},
		{"the middle is not enough", "3649", ""},
		{"three digits are not enough", "207", ""},
		{"international", "+33 5 36 49 12 07", "0 phone"},
		{"international, beginning", "+33 6 12", "2 phone"},
		{"international by zeros", "0033 536 491 207", "0 phone"},
		{"both", "+33 (0)5.36.49.12.07", "0 phone"},
		{"no plus", "33536491207", "0 phone"},
		{"overseas", "0262 12 34 56", "4 phone"},
		{"abroad", "+44 7700 900123", "5 phone"},
		{"name and digits", "laforet 1207", "0 name"},
		{"name and wrong digits", "yves 1207", ""},
		{"name and too few digits", "laforet 12", "0 name, 1 name"},
		{"nothing", "", ""},
		{"only marks", " -'. ", ""},
		{"nobody", "zyxwvut", ""},
	} {
		if got := tell(x.Find(search.Query{Text: c.text})); got != c.want {
			t.Errorf("%s: Find(%q) = %q, want %q", c.name, c.text, got, c.want)
		}
	}
}

func TestFindWithin(t *testing.T) {
	x := settle()
	x.Put(search.Doc{Kind: search.Beneficiary, ID: id(12), Last: "Gautret", First: "Lise", Commune: monsegur})
	x.Put(search.Doc{Kind: search.Beneficiary, ID: id(13), Last: "Gautrot", First: "Lise", Commune: laReole})
	only := func(code string) func(string) bool { return func(c string) bool { return c == code } }
	for _, c := range []struct {
		name  string
		query search.Query
		want  string
	}{
		{"limit", search.Query{Text: "lafor", Limit: 1}, "0 name"},
		{"volunteers", search.Query{Text: "lafor", Kind: search.Volunteer}, "2 name"},
		{"reach", search.Query{Text: "lafor", Communes: only(monsegur)}, "1 name"},
		{"no reach", search.Query{Text: "lafor", Communes: only("75056")}, ""},
		{"reach by phone", search.Query{Text: "1207", Communes: only(monsegur)}, ""},
		{"typing errors count within reach", search.Query{Text: "gautrot", Communes: only(monsegur)}, "12 spelling"},
		{"and only when nobody fits", search.Query{Text: "gautrot"}, "13 name"},
	} {
		if got := tell(x.Find(c.query)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestPutReplaces(t *testing.T) {
	x := settle()
	d := village[0]
	d.ID, d.Last, d.BirthName, d.Phones = id(0), "Zyxwvut", "", nil
	x.Put(d)
	for text, want := range map[string]string{"zyxwvut": "0 name", "therese laforet": "", "bouche": "", "1207": ""} {
		if got := tell(x.Find(search.Query{Text: text})); got != want {
			t.Errorf("after replacing: Find(%q) = %q, want %q", text, got, want)
		}
	}
	if x.Len() != len(village) {
		t.Errorf("Len() = %d, want %d", x.Len(), len(village))
	}
}

func TestDuplicates(t *testing.T) {
	x := settle()
	for _, c := range []struct {
		name string
		doc  search.Doc
		want string
	}{
		{"same name", search.Doc{Last: "LAFORET", First: "Therese"}, "0 name"},
		{"same sound", search.Doc{Last: "Laforai", First: "Tereze"}, "0 sound"},
		{"birth name", search.Doc{Last: "Bouche", First: "Thérèse"}, "0 name"},
		{"her birth name", search.Doc{Last: "Dubois", BirthName: "Laforêt", First: "Thérèse"}, "0 name"},
		{"exchanged", search.Doc{Last: "Thérèse", First: "Laforêt"}, "0 name"},
		{"same phone", search.Doc{Last: "Autre", First: "Une", Phones: []string{"05 36 49 12 07"}}, "0 phone"},
		{"name before phone", search.Doc{Last: "Laforêt", First: "Ives", Phones: []string{"+33536491207"}}, "1 sound, 0 phone"},
		{"end of a phone is not the phone", search.Doc{Phones: []string{"1207"}}, ""},
		{"saint", search.Doc{Last: "Saint-Martin", First: "ANDRE"}, "7 name"},
		{"in one", search.Doc{Last: "Legoff", First: "Aidée"}, "8 sound"},
		{"last name only", search.Doc{Last: "Laforêt"}, ""},
		{"first name differs", search.Doc{Last: "Martin", First: "Jeanne"}, ""},
		{"empty", search.Doc{}, ""},
		{"herself", search.Doc{ID: id(1), Last: "Laforêt", First: "Yves"}, ""},
	} {
		if c.doc.ID == ([16]byte{}) {
			c.doc.ID = id(999)
		}
		if got := tell(x.Duplicates(c.doc, 0)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	if got := tell(x.Duplicates(search.Doc{ID: id(999), Last: "Laforêt", First: "Yves", Phones: []string{"+33536491207"}}, 1)); got != "1 name" {
		t.Errorf("limit: got %q, want 1 name", got)
	}
}

func TestConcurrent(t *testing.T) {
	x := settle()
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			d := village[i]
			d.ID = id(100 + i)
			for range 200 {
				x.Put(d)
				if got := x.Find(search.Query{Text: d.First + " " + d.Last}); len(got) == 0 {
					t.Error("a person just put is not found")
				}
				x.Duplicates(d, 3)
				x.Delete(d.ID)
			}
		})
	}
	wg.Wait()
	if x.Len() != len(village) {
		t.Errorf("Len() = %d, want %d", x.Len(), len(village))
	}
}

// everybody is a limit that cuts nobody off.
const everybody = 1 << 20

var (
	syllable = rapid.SampledFrom([]string{
		"la", "fo", "rêt", "mar", "tin", "du", "pont", "gau", "thier", "lé", "o", "nie", "ç", "œ", "è", "Ï", "ille", "ch",
		"gn", "x", "St", "ste", "ü", "kow", "ski", "ng", "b", "e\u0301", "ñ", "й",
	})
	gap  = rapid.SampledFrom([]string{" ", "-", "'", "’", " de ", " de la ", " d'", " Saint-", " le "})
	name = rapid.Custom(func(t *rapid.T) string {
		words := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
			return strings.Join(rapid.SliceOfN(syllable, 1, 4).Draw(t, "syllables"), "")
		}), 1, 3).Draw(t, "words")
		s := words[0]
		for _, w := range words[1:] {
			s += gap.Draw(t, "gap") + w
		}
		return s
	})
	doc = rapid.Custom(func(t *rapid.T) search.Doc {
		d := search.Doc{
			Kind: search.Kind(rapid.IntRange(1, 2).Draw(t, "kind")),
			Last: name.Draw(t, "last"), First: name.Draw(t, "first"),
			Phones:  rapid.SliceOfN(rapid.StringMatching(`\+33[1-9][0-9]{8}`), 0, 2).Draw(t, "phones"),
			Commune: rapid.SampledFrom([]string{laReole, monsegur, "33444"}).Draw(t, "commune"),
		}
		d.CommuneName = "village " + d.Commune
		if rapid.Bool().Draw(t, "married") {
			d.BirthName = name.Draw(t, "birth name")
		}
		return d
	})
	crowd = rapid.Custom(func(t *rapid.T) []search.Doc {
		docs := rapid.SliceOfN(doc, 1, 30).Draw(t, "docs")
		for i := range docs {
			docs[i].ID = id(i)
		}
		return docs
	})
)

func house(docs []search.Doc) *search.Index {
	x := search.New()
	for _, d := range docs {
		x.Put(d)
	}
	return x
}

func found(x *search.Index, text string, id [16]byte) bool {
	for _, h := range x.Find(search.Query{Text: text, Limit: everybody}) {
		if h.ID == id {
			return true
		}
	}
	return false
}

func TestFoundByName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		docs := crowd.Draw(t, "crowd")
		x := house(docs)
		for _, d := range docs {
			texts := []string{d.Last + " " + d.First, d.First + " " + d.Last, d.First + " " + d.BirthName}
			letters := []rune(d.Last)
			for n := 2; n <= len(letters); n++ {
				texts = append(texts, search.Fold(string(letters[:n])), string(letters[:n]))
			}
			for _, text := range texts {
				if !found(x, text, d.ID) {
					t.Fatalf("%q does not find %q %q born %q", text, d.Last, d.First, d.BirthName)
				}
			}
		}
	})
}

func TestFoundByPhone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		docs := crowd.Draw(t, "crowd")
		x := house(docs)
		space := rapid.SampledFrom([]string{"", " ", ".", "-", "/", "\u00a0", "\u202f", "‑", " - "}).Draw(t, "space")
		lead := rapid.SampledFrom([]string{"0", "+33", "+33 ", "0033", "0033 ", "+33(0)", "+33 (0) ", "33"}).Draw(t, "lead")
		for _, d := range docs {
			for _, e164 := range d.Phones {
				n := strings.TrimPrefix(e164, "+33")
				pairs := n[:1] + space + n[1:3] + space + n[3:5] + space + n[5:7] + space + n[7:]
				end := rapid.IntRange(4, 9).Draw(t, "end")
				start := rapid.IntRange(3, 9).Draw(t, "start")
				for _, text := range []string{lead + pairs, n[9-end:], "0" + n[:start], "+33" + n[:start]} {
					if !found(x, text, d.ID) {
						t.Fatalf("%q does not find %q", text, e164)
					}
				}
			}
		}
	})
}

func TestDeleteLeavesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		docs := crowd.Draw(t, "crowd")
		x := house(docs)
		for _, i := range rapid.Permutation(docs).Draw(t, "order") {
			x.Delete(i.ID)
			if found(x, i.Last+" "+i.First, i.ID) {
				t.Fatalf("%q is found after deletion", i.Last)
			}
		}
		words, communes := search.HeldTestOnly(x)
		if x.Len() != 0 || words != 0 || communes != 0 {
			t.Fatalf("%d documents, %d words and %d communes are left", x.Len(), words, communes)
		}
	})
}

func TestRefusedNeverAppear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		docs := crowd.Draw(t, "crowd")
		x := house(docs)
		open := rapid.SampledFrom([]string{laReole, monsegur, "33444", "none"}).Draw(t, "open")
		reach := func(code string) bool { return code == open }
		kept := search.New()
		for _, d := range docs {
			if reach(d.Commune) {
				kept.Put(d)
			}
		}
		for _, d := range docs {
			for _, text := range append([]string{d.Last, d.First, d.Last + "q", d.CommuneName, d.Last[:1]}, d.Phones...) {
				within := x.Find(search.Query{Text: text, Communes: reach, Limit: everybody})
				alone := kept.Find(search.Query{Text: text, Limit: everybody})
				if tell(within) != tell(alone) {
					t.Fatalf("%q: within reach %q, of an index of the reach alone %q", text, tell(within), tell(alone))
				}
			}
		}
	})
}

// The limit cuts the list, it does not change it.
func TestLimitIsBeginning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := house(rapid.SliceOfN(doc, 0, 5).Draw(t, "few"))
		for i := range 400 { // more than what ranks keeps before it sorts
			// By name they stand in another order than by cost: alphabetical are sound, beginning, letters, beginning.
			last := []string{"Aa Marre", "Bb Martu", "Cc Mart", "Dd Martu", "Mart"}[i*7%5]
			x.Put(search.Doc{Kind: search.Kind(1 + i%2), ID: id(1000 + i), Last: last, First: strings.Repeat("a", i%3)})
		}
		text := rapid.SampledFrom([]string{"mart", "m", "a", "mart a", "mar", "marte"}).Draw(t, "text")
		limit := rapid.IntRange(1, 40).Draw(t, "limit")
		all := x.Find(search.Query{Text: text, Limit: everybody})
		some := x.Find(search.Query{Text: text, Limit: limit})
		if tell(some) != tell(all[:min(limit, len(all))]) {
			t.Fatalf("Find(%q) within %d = %q, want the beginning of %q", text, limit, tell(some), tell(all))
		}
	})
}

func FuzzFind(f *testing.F) {
	for _, s := range []string{"lafor", "de la", "st", "1207", "+33(0)5", "00", "+", "e\u0301", "\xff", "ng", "x", "illill", "eau", "aaaaa b c d e f g h i j k l m n o p q r"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		x := settle()
		x.Find(search.Query{Text: s})
		d := search.Doc{Kind: search.Beneficiary, ID: id(500), Last: s, First: s, BirthName: s, Phones: []string{s}, Commune: s, CommuneName: s}
		x.Put(d)
		x.Find(search.Query{Text: s})
		x.Duplicates(d, 0)
		x.Delete(d.ID)
		if x.Len() != len(village) {
			t.Errorf("Len() = %d, want %d", x.Len(), len(village))
		}
	})
}
