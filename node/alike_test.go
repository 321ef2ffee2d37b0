package node_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node"
)

// twin is another node on a copy of this one's disk: the same machine, with the same
// keys, which goes another way from here.
func (t *town) twin() *town {
	t.Helper()
	t.must(t.Close())
	t.Node = nil
	dir := t.TempDir()
	cfg := t.cfg
	cfg.Dir, cfg.Vault = filepath.Join(dir, "data"), filepath.Join(dir, "vault.age")
	t.must(os.CopyFS(cfg.Dir, os.DirFS(t.cfg.Dir)))
	vault, err := os.ReadFile(t.cfg.Vault)
	t.must(err)
	t.must(os.WriteFile(cfg.Vault, vault, 0o600))
	other := &town{TB: t.TB, now: t.now, kinds: t.kinds, log: &bytes.Buffer{}, admin: t.admin}
	cfg.Now = other.clock
	other.cfg = cfg
	for _, s := range []*town{t, other} {
		s.Node, err = node.Open(s.Context(), s.cfg)
		t.must(err)
	}
	t.Cleanup(func() { other.Close() })
	return other
}

// folk draws people: the same figures, whoever they are.
type folk struct {
	*town
	name     string // begins every word
	n        int
	communes []string
	hers     []node.BeneficiaryID
	his      []node.VolunteerID
}

// word is one that nobody else has, of another length each time.
func (f *folk) word(what string) node.Secret {
	f.n++
	return secret(f.name + what + fmt.Sprint(f.n*f.n*len(f.name)))
}

func (f *folk) phone() node.Phone {
	f.n++
	return node.Phone{Number: secret(fmt.Sprintf("05 36 49 %02d %02d", 10*len(f.name)%90+f.n/100%10, f.n%100)), Label: f.word("label"), Ring: f.word("ring")}
}

func (f *folk) close(link string) node.Contact {
	return node.Contact{Name: f.word("close"), Phone: f.phone().Number, Link: f.word(link)}
}

// commune in which somebody lives.
func (f *folk) commune() string { f.n++; return f.communes[f.n%len(f.communes)] }

func (f *folk) more() {
	f.Helper()
	r, err := f.Beneficiaries.Enrol(f.Context(), f.admin, node.BeneficiaryFacts{Commune: f.commune(), Basis: node.Consent}, node.BeneficiaryWords{
		Civility: secret("Mme"), Last: f.word("last"), First: f.word("first"), Birth: secret(fmt.Sprint(1930 + len(f.name)%7)), Phones: []node.Phone{f.phone(), f.phone()},
		Address: f.word("street"), Entry: f.word("entry"), Needs: f.word("needs"), Languages: f.word("languages"), Trusted: f.close("trusted"), Emergency: f.close("emergency"),
		MayAsk: []node.Contact{f.close("asks")}, TrustWord: f.word("trust"), Note: f.word("note"),
	})
	f.must(err)
	f.hers = append(f.hers, r.ID)
	r, err = f.Volunteers.Register(f.Context(), f.admin, node.Readiness{Commune: f.commune(), RadiusKm: uint8(10 + len(f.name)), Car: true}, node.VolunteerWords{
		First: f.word("first"), Last: f.word("last"), Birth: secret(fmt.Sprint(1960 + len(f.name)%9)), Phones: []node.Phone{f.phone()}, Address: f.word("street"),
		CarText: f.word("car"), Note: f.word("note"), Languages: f.word("languages"),
	})
	f.must(err)
	for i, to := range []node.Status{node.Met, node.Approved} {
		_, err := f.Volunteers.Step(f.Context(), f.admin, r.ID, uint32(i+1), to, 0)
		f.must(err)
	}
	f.his = append(f.his, r.ID)
}

// quarter is three months of a territory: people come, are helped and not helped, help
// crosses the border both ways, and the figures leave. n is which.
func (f *folk) quarter(n int, heard [][]byte) {
	f.Helper()
	ctx := f.Context()
	f.more()
	her, him := f.hers[len(f.hers)-1], f.his[len(f.his)-1]
	_, err := f.Requests.RecordDone(ctx, f.admin, node.PastAction{Beneficiary: her, Type: f.kinds["Courses"], Volunteers: []node.VolunteerID{him}, Day: f.today(), Minute: 8 * 60, Note: f.word("note"), Ending: node.Ending{Minutes: uint16(30 + n%90), Word: f.word("said")}})
	f.must(err)
	ask := func(kind string) node.RequestID {
		r, err := f.Requests.Open(ctx, f.admin, node.NewRequest{Beneficiary: her, Type: f.kinds[kind], Wish: node.Wish{Kind: node.Flexible}, Note: f.word("note")})
		f.must(err)
		return r.ID
	}
	r, err := f.Bonds.Make(ctx, f.admin, her, him)
	f.must(err)
	r, err = f.Offers.Make(ctx, f.admin, node.NewOffer{Volunteer: him, Types: []node.TypeID{f.kinds["Courses"]}, Day: f.today() + 3, Half: node.Afternoon, Places: uint8(1 + len(f.name)%8), Line: f.word("line")})
	f.must(err)

	monday := f.today() - node.Day(int(f.today().Date().Weekday()+6)%7)
	r, err = f.Across.Prepare(ctx, f.admin, capacity(monday, 1+n%9, him, f.his[0]))
	f.must(err)
	for _, v := range slices.Compact([]node.VolunteerID{him, f.his[0]}) {
		r2, err := f.Across.Consent(ctx, f.asVolunteer(v), r.ID, v, true)
		f.must(err)
		r.Version = r2.Version
	}
	_, err = f.Across.Publish(ctx, f.admin, r.ID, r.Version)
	f.must(err)
	f.HeardNeighbour(rurale, int64(n), heard)
	wish := ask("Courses")
	fits, err := f.Across.For(f.admin, wish)
	f.must(err)
	if len(fits.Offers) == 0 {
		f.Fatal("the neighbour's offer fits nobody")
	}
	i, err := f.Across.Ask(ctx, f.admin, wish, fits.Offers[0].Name)
	f.must(err)
	_, err = f.Across.Renounce(ctx, f.admin, i.ID)
	f.must(err)
	_, err = f.Across.End(ctx, f.admin, r.ID)
	f.must(err)
	f.must(f.Say(ctx))
	f.wait(91*24*time.Hour + 6*time.Hour)
	f.must(f.Figures.Quarters.Due(ctx))
}

// outside is everything that leaves the node, or is given to whom it may concern
// outside: its feed, the application to the federation, the statement of releases.
func (f *folk) outside() [][]byte {
	f.Helper()
	said, err := f.Said()
	f.must(err)
	text, err := f.Federation.Application(f.Context(), f.admin, "accueil@reole.example")
	f.must(err)
	s, err := f.Figures.Quarters.Statement(f.admin)
	f.must(err)
	released, err := json.Marshal(s)
	f.must(err)
	entries, more, err := f.Ledger.Entries(f.admin, node.LedgerPage{})
	f.must(err)
	shown, err := json.Marshal(struct {
		Entries []node.LedgerEntry
		More    bool
	}{entries, more})
	f.must(err)
	return append(said, []byte(text), released, shown)
}

// TestAlike: two nodes that were one, then had other people with the same figures,
// send out the same bytes. A pair is both after one more quarter; IDs and keys of
// people are drawn as always, and are no part of what leaves.
func TestAlike(t *testing.T) {
	pairs, each := 100, 50
	if *long {
		pairs = 10_000
	}
	total := 0
	for from := 0; from < pairs && !t.Failed(); from += each {
		t.Run(fmt.Sprint(from), func(t *testing.T) { total += alike(t, from, each) })
	}
	t.Logf("%d pairs, %d bytes, of which none may differ", pairs, total)
}

// alike compares two nodes after each of so many quarters, and says how many bytes
// that were.
func alike(t *testing.T, from, pairs int) (total int) {
	first := newTown(t)
	first.must(first.Federate(t.Context(), first.admin))
	here := &folk{town: first, name: "Elimont", communes: []string{"33352", "33187"}}
	there := &folk{town: first.twin(), name: "Castaing-Lavergne", communes: []string{"33289", "33352", "33289"}}
	for _, f := range []*folk{here, there} {
		f.Neighbours(map[public.Siren]node.Office{})
		f.must(f.Figures.Quarters.Due(t.Context())) // from now on they are counted
		f.more()
		f.more()
	}
	for n := range pairs {
		day := public.DayOf(here.clock())
		for !day.Monday() {
			day--
		}
		offer, err := public.Encode(public.Entry{From: rurale, Epoch: 1, Seq: uint64(n), Day: day, Body: public.Offer{Category: public.Shopping, From: day, Weeks: 5, Slots: 3, Radius: public.Near, Languages: public.French}})
		here.must(err)
		for _, f := range []*folk{here, there} {
			free := node.FixNoise(uint64(from + n))
			f.quarter(n, [][]byte{offer})
			free()
		}
		a, b := here.outside(), there.outside()
		if len(a) != len(b) {
			t.Fatalf("pair %d: %d things leave, or %d", from+n, len(a), len(b))
		}
		for i := range a {
			if !bytes.Equal(a[i], b[i]) {
				t.Fatalf("pair %d: the %dth of %d things that leave depends on who lives there:\n%q\n%q", from+n, i, len(a), a[i], b[i])
			}
			total += len(a[i])
		}
	}
	s, err := here.Figures.Quarters.Statement(here.admin)
	here.must(err)
	if len(s.Released) < pairs || bytes.Equal(here.hers[0][:], there.hers[0][:]) {
		t.Errorf("%d quarters are released, and the people are the same: this shows nothing", len(s.Released))
	}
	return total
}
