package web_test

import (
	"context"
	"io"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/bippop/bippop/api"
	"github.com/bippop/bippop/api/web"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// town is a real node behind a real server, with a few people in La Réole.
type town struct {
	*testing.T
	node  *node.Node
	url   string
	admin node.Caller
	kinds map[string]node.TypeID
	home  string // INSEE code of the commune in which everybody lives

	mu  sync.Mutex // guards now, for a reading
	now time.Time
}

const password = "quatre mots bien tranquilles"

// Monday, 23 November 2026, 9 h in La Réole.
var monday = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

func (t *town) clock() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.now
}

// wait lets time pass.
func (t *town) wait(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now = t.now.Add(d)
}

func newTown(tt *testing.T, demo ...web.DemoAccount) *town {
	return foundTown(tt, node.Territory{
		Siren: "200044394", Name: "CC du Réolais en Sud Gironde", Calls: "Entraide chez nous", Phone: "05 36 49 00 00", Hours: "du lundi au vendredi, 9 h – 17 h", Communes: []string{"33352", "33187", "33289"},
	}, nil, demo...)
}

// foundTown is newTown of any territory; change may alter its Config.
func foundTown(tt *testing.T, territory node.Territory, change func(*node.Config), demo ...web.DemoAccount) *town {
	tt.Helper()
	t := &town{T: tt, now: monday, kinds: map[string]node.TypeID{}}
	if len(territory.Communes) > 0 {
		t.home = territory.Communes[0]
	}
	dir := t.TempDir()
	unseal, err := crypto.Passphrase("une phrase de passe longue", 10)
	t.must(err)
	log := node.NewLogger(io.Discard, slog.LevelError)
	own := node.Config{
		Dir: filepath.Join(dir, "data"), Vault: filepath.Join(dir, "vault.age"), Unseal: unseal, Logger: log,
		PasswordCost: crypto.PasswordCost{KiB: 64, Times: 1}, Now: t.clock,
	}
	if change != nil {
		change(&own)
	}
	t.node, err = node.FoundTerritory(t.Context(), own, node.Founding{Territory: territory, Login: "admin", Password: crypto.NewSecret(password), Name: crypto.NewSecret("Claire, mairie")})
	t.must(err)
	t.Cleanup(func() { t.node.Close() })
	_, t.admin, err = t.node.Accounts.SignIn(t.Context(), "admin", crypto.NewSecret(password), "test", false)
	t.must(err)
	all, err := t.node.Catalogue.All()
	t.must(err)
	for _, k := range all {
		t.kinds[k.Name] = k.ID
	}
	cfg := api.Config{Node: t.node, Logger: log}
	if len(demo) > 0 {
		cfg.Demo = &web.Demo{Accounts: demo}
	}
	server := httptest.NewServer(api.New(cfg))
	t.Cleanup(server.Close)
	t.url = server.URL
	return t
}

func (t *town) must(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// agent opens an account for the desk.
func (t *town) agent(login string) {
	_, err := t.node.Accounts.Open(context.Background(), t.admin, node.NewAccount{Login: login, Password: crypto.NewSecret(password), Roles: node.RoleAgent, Name: crypto.NewSecret("Victoria, accueil")})
	t.must(err)
}

// beneficiary enrols somebody.
func (t *town) beneficiary(civility, first, last, phone string) node.BeneficiaryID {
	r, err := t.node.Beneficiaries.Enrol(context.Background(), t.admin, node.BeneficiaryFacts{Commune: t.home, Basis: node.Consent, Notice: node.ReadOnPhone}, node.BeneficiaryWords{
		Civility: crypto.NewSecret(civility), First: crypto.NewSecret(first), Last: crypto.NewSecret(last), Birth: crypto.NewSecret("12/03/1942"),
		Phones:  []node.Phone{{Number: crypto.NewSecret(phone), Ring: crypto.NewSecret("laisser sonner longtemps")}},
		Address: crypto.NewSecret("12 rue des Exemples"), Entry: crypto.NewSecret("2e sonnette"), Needs: crypto.NewSecret("marche lentement, voiture basse"), TrustWord: crypto.NewSecret("tilleul"),
	})
	t.must(err)
	return r.ID
}

// volunteer brings somebody through all steps and opens an account.
func (t *town) volunteer(first, last, login string) node.VolunteerID {
	ctx := context.Background()
	r, err := t.node.Volunteers.Register(ctx, t.admin, node.Readiness{Commune: t.home, RadiusKm: 10, Car: true, Seats: 3, PerWeek: 3}, node.VolunteerWords{
		First: crypto.NewSecret(first), Last: crypto.NewSecret(last), Phones: []node.Phone{{Number: crypto.NewSecret("06 39 98 11 22")}}, CarText: crypto.NewSecret("Clio bleue"),
	})
	t.must(err)
	version := r.Version
	for _, step := range []node.Status{node.Met, node.Approved} {
		s, err := t.node.Volunteers.Step(ctx, t.admin, r.ID, version, step, 0)
		t.must(err)
		version = s.Version
	}
	if login != "" {
		_, err = t.node.Accounts.Open(ctx, t.admin, node.NewAccount{Login: login, Password: crypto.NewSecret(password), Roles: node.RoleVolunteer, Of: r.ID})
		t.must(err)
	}
	return r.ID
}

// requests makes one request in each state that looks different: asked, covered,
// told, done.
func (t *town) requests(her node.BeneficiaryID, him node.VolunteerID) (ids []node.RequestID) {
	ctx := context.Background()
	today := node.DayOf(t.clock())
	for i, upTo := range []node.State{node.StateAsked, node.StateCovered, node.StateTold, node.StateDone, node.StateOpen} {
		in := node.NewRequest{Beneficiary: her, Type: t.kinds["Courses"], Wish: node.Wish{Kind: node.OnDay, Day: today, Minute: uint16(9*60 + 150*i)}}
		if upTo == node.StateAsked || upTo == node.StateOpen {
			in.Wish = node.Wish{Kind: node.InWeek, Day: today}
		}
		if upTo != node.StateOpen {
			in.Ask = []node.VolunteerID{him}
		}
		r, err := t.node.Requests.Open(ctx, t.admin, in)
		t.must(err)
		id := node.RequestID(r.ID)
		ids = append(ids, id)
		if upTo == node.StateAsked || upTo == node.StateOpen {
			continue
		}
		r, err = t.node.Requests.Accept(ctx, t.admin, id, him, node.Slot{})
		t.must(err)
		if upTo == node.StateCovered {
			continue
		}
		_, err = t.node.Calls.Told(ctx, t.admin, her, []node.Heard{{Request: id, Version: r.Version}})
		t.must(err)
		if upTo == node.StateDone {
			_, err = t.node.Requests.Finish(ctx, t.admin, id, true, node.Ending{})
			t.must(err)
		}
	}
	return ids
}

// weekly is shopping on Friday afternoons, from this week on.
func (t *town) weekly(her node.BeneficiaryID, who ...node.VolunteerID) node.SeriesID {
	r, err := t.node.Series.Open(context.Background(), t.admin, node.NewSeries{
		Beneficiary: her, Type: t.kinds["Courses"], Rule: node.SeriesRule{Rhythm: node.Weekly, Weekday: 5, Half: node.Afternoon}, Standing: who, Agreed: true,
	})
	t.must(err)
	return node.SeriesID(r.ID)
}
