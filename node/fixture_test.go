package node_test

import (
	"bytes"
	"flag"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

var long = flag.Bool("long", false, "run the stated counts of laws and faults")

// town is a founded territory with a clock that the test moves.
type town struct {
	testing.TB
	*node.Node
	cfg   node.Config
	admin node.Caller
	kinds map[string]node.TypeID
	log   *bytes.Buffer
	home  string // INSEE code of the commune in which everybody lives

	mu  sync.Mutex // guards now, for a reading
	now time.Time
}

const password = "quatre mots bien tranquilles"

func secret(s string) node.Secret { return crypto.NewSecret(s) }

func (t *town) clock() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.now
}

func (t *town) wait(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now = t.now.Add(d)
}

// newTown founds a territory of three communes; change may alter its Config.
func newTown(tb testing.TB, change ...func(*node.Config)) *town {
	tb.Helper()
	return newTownOf(tb, "200044394", change...)
}

// newTownOf is newTown of another territory.
func newTownOf(tb testing.TB, siren string, change ...func(*node.Config)) *town {
	tb.Helper()
	return foundTown(tb, node.Territory{Siren: siren, Name: "CC du Réolais en Sud Gironde", Calls: "Entraide chez nous", Phone: "05 36 49 00 00", Communes: []string{"33352", "33187", "33289"}}, change...)
}

// foundTown is newTown of any territory; everybody lives in its first commune.
func foundTown(tb testing.TB, territory node.Territory, change ...func(*node.Config)) *town {
	tb.Helper()
	// Monday, 23 November 2026, 9 h in La Réole.
	t := &town{TB: tb, now: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC), kinds: map[string]node.TypeID{}, log: &bytes.Buffer{}}
	if len(territory.Communes) > 0 {
		t.home = territory.Communes[0]
	}
	unseal, err := crypto.Passphrase("une phrase de passe longue", 10)
	t.must(err)
	dir := tb.TempDir()
	t.cfg = node.Config{
		Dir: filepath.Join(dir, "data"), Vault: filepath.Join(dir, "vault.age"), Unseal: unseal, Logger: node.NewLogger(t.log, slog.LevelWarn),
		PasswordCost: crypto.PasswordCost{KiB: 64, Times: 1}, Now: t.clock,
	}
	for _, c := range change {
		c(&t.cfg)
	}
	t.Node, err = node.FoundTerritory(tb.Context(), t.cfg, node.Founding{Territory: territory, Login: "admin", Password: secret(password)})
	t.must(err)
	tb.Cleanup(func() {
		if t.Node != nil {
			t.Close()
		}
	})
	t.signIn()
	return t
}

func (t *town) signIn() {
	t.Helper()
	_, by, err := t.Accounts.SignIn(t.Context(), "admin", secret(password), "test", false)
	t.must(err)
	t.admin = by
	all, err := t.Catalogue.All()
	t.must(err)
	for _, k := range all {
		t.kinds[k.Name] = k.ID
	}
}

// reopen stops the node and starts it again on what is on disk.
func (t *town) reopen() {
	t.Helper()
	t.must(t.Close())
	t.Node = nil
	n, err := node.Open(t.Context(), t.cfg)
	t.must(err)
	t.Node = n
}

func (t *town) must(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (t *town) enrol(last string) node.BeneficiaryID {
	t.Helper()
	r, err := t.Beneficiaries.Enrol(t.Context(), t.admin, node.BeneficiaryFacts{Commune: t.home, Basis: node.Consent},
		node.BeneficiaryWords{Civility: secret("Mme"), Last: secret(last), First: secret("Exemple"), Birth: secret("1942"), Phones: []node.Phone{{Number: secret("05 36 49 12 07")}}})
	t.must(err)
	return r.ID
}

func (t *town) approve(first string) node.VolunteerID {
	t.Helper()
	r, err := t.Volunteers.Register(t.Context(), t.admin, node.Readiness{Commune: t.home, RadiusKm: 15, Car: true},
		node.VolunteerWords{First: secret(first), Last: secret("Exemplaire"), Phones: []node.Phone{{Number: secret("06 39 98 11 22")}}, CarText: secret("Clio bleue")})
	t.must(err)
	for i, to := range []node.Status{node.Met, node.Approved} {
		_, err := t.Volunteers.Step(t.Context(), t.admin, r.ID, uint32(i+1), to, 0)
		t.must(err)
	}
	return r.ID
}

func (t *town) ask(her node.BeneficiaryID, kind string, w node.Wish, who ...node.VolunteerID) node.RequestID {
	t.Helper()
	r, err := t.Requests.Open(t.Context(), t.admin, node.NewRequest{Beneficiary: her, Type: t.kinds[kind], Wish: w, Ask: who})
	t.must(err)
	return r.ID
}

func (t *town) today() node.Day { return node.DayOf(t.clock()) }

// tomorrow morning.
func (t *town) tomorrow() node.Wish {
	return node.Wish{Kind: node.OnDay, Day: t.today() + 1, Half: node.Morning}
}
