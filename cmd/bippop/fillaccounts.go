package main

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strconv"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// accounts opens sign-ins for an agent, two volunteers and an elected member, and
// lists them after the administrator's.
func (f *filler) accounts(ctx context.Context, admin demoAccount, passwords *passwords) ([]demoAccount, error) {
	out := []demoAccount{admin, {Role: "agent", Login: "accueil", Password: passwords.next(), Label: "Agent du CCAS"}}
	open := []node.NewAccount{{Roles: node.RoleAgent, Name: crypto.NewSecret("Victoria, accueil")}}
	two, err := f.busyVolunteers(ctx, 2)
	if err != nil {
		return nil, err
	}
	for i, v := range two {
		out = append(out, demoAccount{Role: "volunteer", Login: fmt.Sprintf("benevole%d", i+1), Password: passwords.next(), Label: "Bénévole"})
		open = append(open, node.NewAccount{Roles: node.RoleVolunteer, Of: f.him[v], Name: crypto.NewSecret(f.world.Volunteers[v].First)})
	}
	out = append(out, demoAccount{Role: "official", Login: "elu1", Password: passwords.next(), Label: "Élue"}, demoAccount{Role: "dpo", Login: "dpo", Password: passwords.next(), Label: "Délégué à la protection des données"})
	open = append(open, node.NewAccount{Roles: node.RoleOfficial, Name: crypto.NewSecret("Hélène, adjointe aux solidarités")}, node.NewAccount{Roles: node.RoleDPO, Name: crypto.NewSecret("Karim, DPO")})
	for i, a := range open {
		a.Login, a.Password = out[i+1].Login, crypto.NewSecret(out[i+1].Password)
		if _, err := f.node.Accounts.Open(ctx, f.by, a); err != nil {
			return nil, fmt.Errorf("opening an account: %w", err)
		}
	}
	return out, nil
}

// busyVolunteers are n volunteers who have promised something and are asked something
// too: first those who are asked already, then those who may be asked. On some days of
// the week the small world has fewer; then those who have only promised fill up.
func (f *filler) busyVolunteers(ctx context.Context, n int) ([]int, error) {
	var who, others []int
	for v := range f.world.Volunteers {
		if f.coming[v] > 0 {
			who = append(who, v)
		}
	}
	sort.SliceStable(who, func(i, j int) bool {
		a, b := who[i], who[j]
		return cmp.Or(cmp.Compare(f.asked[b], f.asked[a]), cmp.Compare(f.coming[b], f.coming[a])) < 0
	})
	var busy []int
	for _, v := range who {
		if len(busy) == n {
			break
		}
		if err := f.askToo(ctx, v); err != nil {
			return nil, err
		}
		if f.asked[v] > 0 {
			busy = append(busy, v)
		} else {
			others = append(others, v)
		}
	}
	busy = append(busy, others...)
	return busy[:min(n, len(busy))], nil
}

// askToo asks a volunteer whom nobody waits for: first where he fits best, else
// where he may be asked at all.
func (f *filler) askToo(ctx context.Context, v int) error {
	if f.asked[v] > 0 {
		return nil
	}
	for _, fits := range []bool{true, false} {
		for _, id := range f.waiting {
			candidates, err := f.node.Requests.Candidates(f.by, id, len(f.world.Volunteers))
			if err != nil {
				return err
			}
			i := slices.IndexFunc(candidates, func(c node.Candidate) bool { return c.Volunteer.ID == f.him[v] })
			if i < 0 || !candidates[i].May() || fits && !candidates[i].Fits() {
				continue
			}
			_, err = f.node.Requests.Ask(ctx, f.by, id, f.ids([]int{v}))
			if err = f.forgive(err); err != nil {
				return err
			}
			f.asked[v]++
			return nil
		}
	}
	return nil
}

// passwords draws passwords that can be read aloud. They protect nobody: the
// demo listens on this machine only, and its people are invented.
type passwords struct{ r *rand.Rand }

func newPasswords(seed uint64, at demoPlace) *passwords {
	stream := uint64(0xb1b909)
	if at != reole {
		n, _ := strconv.ParseUint(at.Siren, 10, 64)
		stream += n
	}
	return &passwords{rand.New(rand.NewPCG(seed, stream))}
}

var passwordWords = []string{
	"tilleul", "mirabelle", "hirondelle", "lavande", "moulin", "noisette", "cerisier", "girouette", "myosotis", "glycine", "muguet",
	"sureau", "romarin", "figuier", "grillon", "capucine", "verveine", "pervenche", "lavoir", "tourterelle",
}

func (p *passwords) next() string {
	word := func() string { return passwordWords[p.r.IntN(len(passwordWords))] }
	return fmt.Sprintf("%s-%s-%d", word(), word(), 10+p.r.IntN(90))
}
