package main

import (
	"context"
	"path/filepath"
	"strings"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// searchesPerRound is how many searches a round makes.
const searchesPerRound = 4000

func benchSearch(ctx context.Context, o benchOptions, out output) (figures, error) {
	h, done, err := o.home(ctx, out)
	if err != nil {
		return nil, err
	}
	defer done()
	n, err := h.open(ctx, out)
	if err != nil {
		return nil, err
	}
	defer n.Close()
	f := figures{"profile": o.profile}
	if err := f.floors(filepath.Join(h.dir, "data")); err != nil {
		return nil, err
	}
	admin, err := h.account("admin")
	if err != nil {
		return nil, err
	}
	_, by, err := n.Accounts.SignIn(ctx, admin.Login, crypto.NewSecret(admin.Password), "bench", true)
	if err != nil {
		return nil, err
	}
	texts, err := searchMix(n, by)
	if err != nil {
		return nil, err
	}
	samples, err := measure(ctx, o.rounds, f, func() (map[string]sample, error) {
		var took, hits sample
		for i := range searchesPerRound {
			from := time.Now()
			found, err := n.Find.People(by, texts[i%len(texts)], node.AnyPerson, 10)
			elapsed := time.Since(from)
			if err != nil {
				return nil, err
			}
			took = append(took, elapsed)
			if len(found) > 0 {
				hits = append(hits, elapsed)
			}
		}
		return map[string]sample{"": took, "hits": hits}, nil
	})
	took := samples[""]
	f.quantiles("", took)
	f["max_ms"], f["searches"] = ms(took.at(1)), len(took)
	f["searches_with_a_hit"] = len(samples["hits"])

	return f, err
}

// searchMix is what people type at a desk: names as heard, begun, without
// accents, with a commune; numbers whole, spaced, and their last four digits.
func searchMix(n *node.Node, by node.Caller) (texts []string, err error) {
	people, _, err := n.Beneficiaries.List(by, "", node.Page{Limit: 100})
	if err != nil {
		return nil, err
	}
	for _, p := range people {
		last, first := p.Words.Last.Reveal(), p.Words.First.Reveal()
		texts = append(texts,
			last, first+" "+last, begin(last, 3), begin(last, 2)+" "+begin(first, 2), strings.ToLower(last)+" "+strings.ToLower(node.CommuneName(p.Commune)),
			strings.NewReplacer("ou", "u", "au", "o", "é", "e", "th", "t").Replace(strings.ToLower(last)),
		)
		if len(p.Words.Phones) > 0 {
			number := p.Words.Phones[0].Number.Reveal()
			texts = append(texts, node.FormatPhone(number), number, number[len(number)-4:])
		}
	}
	return append(texts, "zzz", "martin", "ma", "0000"), nil
}

// begin is the first letters of a name.
func begin(s string, n int) string {
	r := []rune(s)
	return string(r[:min(n, len(r))])
}
