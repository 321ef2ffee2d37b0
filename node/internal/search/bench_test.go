package search_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/bippop/bippop/node/internal/search"
)

// people is a département's 6,090 beneficiaries and 5,786 volunteers, rounded up.
const people = 12000

// territory returns synthetic persons: some 8,000 last names made of syllables, with the common ones
// as frequent as they are in France, 60 first names, 41 communes, 1.5 phones, every fourth with a birth name.
func territory() []search.Doc {
	rnd := rand.New(rand.NewPCG(1, 2))
	pick := func(words []string) string { return words[rnd.IntN(len(words))] }
	common := []string{"Martin", "Bernard", "Thomas", "Petit", "Robert", "Richard", "Durand", "Dubois", "Moreau", "Laurent",
		"Simon", "Michel", "Lefèvre", "Leroy", "Roux", "David", "Bertrand", "Morel", "Fournier", "Girard", "Garcia", "Martinez", "Lopez", "Saint-Martin", "De La Tour"}
	heads := []string{"La", "Du", "De", "Bou", "Mar", "Gau", "Ro", "Cha", "Per", "Le", "Mon", "Fer", "Ber", "Cas", "Pi", "Sau", "Bre", "Gi", "Vi", "Te"}
	middles := []string{"fo", "ran", "vi", "ti", "che", "lan", "si", "ber", "gue", "nau", "to", "mi", "ga", "lle", "pou", "ra"}
	tails := []string{"rêt", "dier", "net", "teau", "gnac", "ssou", "val", "nd", "rt", "lin", "ville", "c", "mond", "rez", "illon", "ac", "ère"}
	firsts := []string{"Thérèse", "Yves", "Marie", "Jean", "Jeanne", "Pierre", "Monique", "Philippe", "Françoise", "Michel", "Simone", "André", "Denise",
		"Jacqueline", "Henri", "Yvette", "Georges", "Hélène", "Louis", "Paulette", "René", "Odette", "Marcel", "Lucienne", "Roger", "Ginette", "Claude", "Suzanne",
		"Bernard", "Colette", "Haydée", "Kévin", "Laura", "Camille", "Mathieu", "Sophie", "Mohamed", "Fatima", "João", "Wanda", "Élodie", "Guillaume", "Benoît",
		"Christine", "Christophe", "Nathalie", "Sébastien", "Agnès", "Gérard", "Huguette", "Jean-Pierre", "Jean-Claude", "Marie-Claude", "Anne-Marie", "Marie-Thérèse", "Luc", "Zoé", "Noël", "Ghislaine", "Étienne"}
	last := func() string {
		if rnd.IntN(4) == 0 {
			return pick(common)
		}
		return pick(heads) + pick(middles) + pick(tails)
	}
	docs := make([]search.Doc, people)
	for i := range docs {
		town := rnd.IntN(41)
		d := search.Doc{
			Kind: search.Kind(1 + i%2), ID: id(i), Last: last(), First: pick(firsts),
			Phones:  []string{fmt.Sprintf("+335%08d", rnd.IntN(1e8))},
			Commune: fmt.Sprint(33000 + town), CommuneName: []string{"La Réole", "Monségur", "Saint-Martin-de-Lerm", "Gironde-sur-Dropt"}[town%4] + " " + heads[town%20] + tails[town%17],
		}
		if i%2 == 0 {
			d.Phones = append(d.Phones, fmt.Sprintf("+336%08d", rnd.IntN(1e8)))
		}
		if i%4 == 0 {
			d.BirthName = last()
		}
		docs[i] = d
	}
	return docs
}

// heardOnPhone is a mix of what agents type; the worst come last: one letter, everybody's particle, nobody.
func heardOnPhone(docs []search.Doc) []string {
	var texts []string
	for i := 0; i < len(docs); i += 600 {
		d := docs[i]
		texts = append(texts, d.Last, d.First+" "+d.Last, string([]rune(d.Last)[:3]), d.Phones[0], d.Phones[0][8:], d.Last+" "+d.CommuneName)
	}
	return append(texts, "tereze laforai", "filip martin", "lafor", "la reole", "madame de la tour marie", "covalski",
		"dubios mraie", "m", "la", "a b", "jean", "de la", "zyxwvutsr", "saint martin de lerm sur dropt jean pierre de la tour")
}

func BenchmarkFind(b *testing.B) {
	docs := territory()
	x := house(docs)
	texts := heardOnPhone(docs)
	reach := func(code string) bool { return code < "33035" }
	took := make([]time.Duration, 0, b.N)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		start := time.Now()
		x.Find(search.Query{Text: texts[i%len(texts)], Communes: reach})
		took = append(took, time.Since(start))
	}
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(float64(took[len(took)-1].Microseconds()), "max-µs")
}

func BenchmarkDuplicates(b *testing.B) {
	docs := territory()
	x := house(docs)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		x.Duplicates(docs[i%len(docs)], 5)
	}
}

// BenchmarkPut fills an index.
func BenchmarkPut(b *testing.B) {
	docs := territory()
	for range b.N {
		house(docs)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*people), "µs/person")
}

// BenchmarkMemory reports what an index of 12,000 persons keeps, their documents not counted.
func BenchmarkMemory(b *testing.B) {
	docs := territory()
	heap := func() float64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	var kept float64
	var words int
	for range b.N {
		before := heap()
		x := house(docs)
		kept = heap() - before
		words, _ = search.HeldTestOnly(x)
		runtime.KeepAlive(x)
	}
	runtime.KeepAlive(docs)
	b.ReportMetric(kept/1e6, "MB")
	b.ReportMetric(kept/people, "B/person")
	b.ReportMetric(float64(words), "words")
}
