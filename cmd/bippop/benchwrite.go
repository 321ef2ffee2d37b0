package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// What a step of the write bench takes the time of, and among whom.
const (
	writesPerStep   = 200
	pagesPerStep    = 200
	writeBenchHer   = 1000
	writeBenchHim   = 2000
	smallestRecords = 1000
)

// benchPassword is that of the write bench's administrator.
const benchPassword = "measured-on-this-machine"

// writeBench is a node that grows.
type writeBench struct {
	node  *node.Node
	cfg   node.Config
	by    node.Caller
	kind  node.TypeID
	her   []node.BeneficiaryID
	him   []node.VolunteerID
	today node.Day
	grown int // requests there are
}

func benchWrite(ctx context.Context, o benchOptions, out output) (f figures, err error) {
	if o.records < smallestRecords {
		return nil, usagef("--records is at least %d", smallestRecords)
	}
	dir, err := os.MkdirTemp(o.dir, "bippop-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	f = figures{}
	if err := f.floors(dir); err != nil {
		return nil, err
	}
	b, err := newWriteBench(ctx, dir, out)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.node.Close()) }()
	steps := newProgress(out.progress, "growing", o.records)
	defer steps.end()
	var firstWrite, lastWrite, firstPage, lastPage time.Duration
	for size := smallestRecords; size <= o.records; size *= 10 {
		if err := b.grow(ctx, size, steps); err != nil {
			return nil, err
		}
		prefix := fmt.Sprintf("at_%d_", size)
		samples, err := measure(ctx, 1, f, func() (map[string]sample, error) {
			writes, err1 := b.writes(ctx)
			pages, err2 := b.pages()
			return map[string]sample{"write": writes, "page": pages}, errors.Join(err1, err2)
		})
		if err != nil {
			return nil, err
		}
		f.quantiles(prefix+"write_", samples["write"])
		f.quantiles(prefix+"page_", samples["page"])
		lastWrite, lastPage = samples["write"].at(0.5), samples["page"].at(0.5)
		if size == smallestRecords {
			firstWrite, firstPage = lastWrite, lastPage
		}
	}
	f["records"] = b.grown
	f["write_p50_ratio_largest_to_smallest"] = ratio(lastWrite, firstWrite)
	f["page_p50_ratio_largest_to_smallest"] = ratio(lastPage, firstPage)
	return f, nil
}

func ratio(a, b time.Duration) float64 { return float64(int(100*float64(a)/float64(b))) / 100 }

func newWriteBench(ctx context.Context, dir string, out output) (*writeBench, error) {
	identity := filepath.Join(dir, "identity.txt")
	if err := crypto.NewIdentityFile(identity); err != nil {
		return nil, err
	}
	unsealer, err := crypto.IdentityFile(identity)
	if err != nil {
		return nil, err
	}
	password := crypto.NewSecret(benchPassword)
	cfg := node.Config{
		Dir: filepath.Join(dir, "data"), Vault: filepath.Join(dir, "vault.age"), Unseal: unsealer,
		Logger: node.NewLogger(out.progress, slog.LevelWarn), PasswordCost: demoPasswords,
	}
	n, err := node.FoundTerritory(ctx, cfg, node.Founding{
		Territory: node.Territory{Siren: reole.Siren, Name: "bench", Calls: "bench", Communes: []string{"33352"}}, Login: "bench", Password: password,
	})
	if err != nil {
		return nil, err
	}
	b := &writeBench{node: n, cfg: cfg, today: node.DayOf(n.Now()), her: make([]node.BeneficiaryID, writeBenchHer), him: make([]node.VolunteerID, writeBenchHim)}
	if _, b.by, err = n.Accounts.SignIn(ctx, "bench", password, "bench", true); err == nil {
		err = b.people(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return b, nil
}

func (b *writeBench) people(ctx context.Context) error {
	types, err := b.node.Catalogue.All()
	if err != nil {
		return err
	}
	for _, t := range types {
		if t.Name == "Courses" {
			b.kind = t.ID
		}
	}
	phone := []node.Phone{{Number: crypto.NewSecret("05 36 49 12 07")}}
	if err := together(ctx, numbers(len(b.her)), func(ctx context.Context, i int) error {
		r, err := b.node.Beneficiaries.Enrol(ctx, b.by, node.BeneficiaryFacts{Commune: "33352", Basis: node.Consent},
			node.BeneficiaryWords{Last: crypto.NewSecret(fmt.Sprint("Exemple ", i)), Phones: phone})
		b.her[i] = r.ID
		return err
	}); err != nil {
		return err
	}
	return together(ctx, numbers(len(b.him)), func(ctx context.Context, i int) error {
		r, err := b.node.Volunteers.Register(ctx, b.by, node.Readiness{Commune: "33352", RadiusKm: 10},
			node.VolunteerWords{Last: crypto.NewSecret(fmt.Sprint("Exemple ", i)), Phones: phone})
		b.him[i] = r.ID
		return err
	})
}

// numbers from 0 to n-1.
func numbers(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// grow adds past actions until there are size requests. A volunteer has one a
// day, so that none stands in the way of another.
func (b *writeBench) grow(ctx context.Context, size int, steps *progress) error {
	todo := numbers(size)[min(b.grown, size):]
	err := together(ctx, todo, func(ctx context.Context, i int) error {
		_, err := b.node.Requests.RecordDone(ctx, b.by, node.PastAction{
			Beneficiary: b.her[i%len(b.her)], Type: b.kind, Day: b.today - 1 - node.Day(i/len(b.him)%1000), Minute: 9 * 60,
			Volunteers: []node.VolunteerID{b.him[i%len(b.him)]}, Note: crypto.NewSecret("la liste est sur la table"),
		})
		steps.step(1)
		return err
	})
	b.grown = max(b.grown, size)
	return err
}

// writes opens requests, one after the other.
func (b *writeBench) writes(ctx context.Context) (s sample, err error) {
	for i := range writesPerStep {
		from := time.Now()
		if _, err := b.node.Requests.Open(ctx, b.by, node.NewRequest{
			Beneficiary: b.her[i%len(b.her)], Type: b.kind, Wish: node.Wish{Kind: node.Flexible}, Note: crypto.NewSecret("la liste est sur la table"),
		}); err != nil {
			return nil, err
		}
		s = append(s, time.Since(from))
		b.grown++
	}
	return s, nil
}

// pages reads the newest fifty that were done, which is what a list shows first.
func (b *writeBench) pages() (s sample, err error) {
	for range pagesPerStep {
		from := time.Now()
		visits, _, err := b.node.Requests.InState(b.by, node.StateDone, node.Page{Limit: 50})
		if err != nil {
			return nil, err
		}
		if len(visits) != 50 {
			return nil, fmt.Errorf("a page of 50 holds %d", len(visits))
		}
		s = append(s, time.Since(from))
	}
	return s, nil
}
