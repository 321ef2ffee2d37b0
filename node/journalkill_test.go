package node_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/bippop/bippop/api"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// served is the surface of a town, and a session of its administrator.
func (t *town) served() (*httptest.Server, string) {
	t.Helper()
	s := httptest.NewServer(api.New(api.Config{Node: t.Node, Logger: node.NewLogger(t.log, slog.LevelError)}))
	t.Cleanup(s.Close)
	token, _, err := t.Accounts.SignIn(t.Context(), "admin", secret(password), "test", false)
	t.must(err)
	return s, token.Text.Reveal()
}

// read opens an address as a browser does.
func read(tb testing.TB, ctx context.Context, url, token string) (status int, body string, err error) {
	tb.Helper()
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		tb.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: "bippop", Value: token})
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	var b strings.Builder
	_, err = bufio.NewReader(res.Body).WriteTo(&b)
	return res.StatusCode, b.String(), err
}

// TestNothingShownUnnoted: where a reading cannot be noted, the answer says so, and no
// letter of anybody leaves: neither on pages nor to programs, nor in files.
func TestNothingShownUnnoted(t *testing.T) {
	town := newTown(t)
	rose := town.enrol("Zéphirin")
	server, token := town.served()
	paths := []string{"/people", "/people/" + rose.String(), "/people/" + rose.String() + "/calendar", "/api/v1/beneficiaries", "/api/v1/beneficiaries/" + rose.String(), "/api/v1/exports/beneficiaries"}
	for _, path := range paths {
		if status, body, err := read(t, t.Context(), server.URL+path, token); status != 200 || err != nil || !strings.Contains(path, "/exports/") && !strings.Contains(body, "phirin") {
			t.Fatalf("%s: %d, %v", path, status, err)
		}
	}
	town.BreakNotes()
	for _, path := range paths {
		status, body, err := read(t, t.Context(), server.URL+path, token)
		if status != 503 || err != nil || strings.Contains(body, "phirin") || len(body) == 0 {
			t.Errorf("%s: %d with %d bytes, %v", path, status, len(body), err)
		}
	}
	if status, _, err := read(t, t.Context(), server.URL+"/people/new", token); status != 200 || err != nil {
		t.Errorf("a page that shows nobody: %d, %v", status, err)
	}
}

// killedDir names the folder of the town in which a child of TestKilledReader reads.
const killedDir = "BIPPOP_TEST_KILLED"

// TestKilledReader: of a process that is killed in the middle of its work, every
// answer that had left is in the journal after the next start.
func TestKilledReader(t *testing.T) {
	if dir := os.Getenv(killedDir); dir != "" {
		readUntilKilled(t, dir)
		return
	}
	kills := 2
	if *long {
		kills = 30
	}
	dir := t.TempDir()
	cfg := killedConfig(t, dir)
	n, err := node.FoundTerritory(t.Context(), cfg, node.Founding{Territory: node.Territory{Siren: "200044394", Name: "CC", Calls: "CC", Phone: "05 36 49 00 00", Communes: []string{"33352"}}, Login: "admin", Password: secret(password)})
	if err != nil {
		t.Fatal(err)
	}
	_, by, err := n.Accounts.SignIn(t.Context(), "admin", secret(password), "test", false)
	if err == nil {
		_, err = n.Beneficiaries.Enrol(t.Context(), by, node.BeneficiaryFacts{Commune: "33352", Basis: node.Consent}, node.BeneficiaryWords{Last: secret("Lambert"), First: secret("Rose"), Phones: []node.Phone{{Number: secret("05 36 49 12 07")}}})
	}
	if err != nil {
		t.Fatal(err)
	}
	n.Close()
	answered := 0
	for kill := range kills {
		child := exec.Command(os.Args[0], "-test.run=^TestKilledReader$")
		child.Env = append(os.Environ(), killedDir+"="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		for lines, stop := bufio.NewScanner(out), 7+11*kill; lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "answered ") {
				answered++
				if stop--; stop == 0 {
					child.Process.Kill()
				}
			}
		}
		child.Wait()
		if n, err = node.Open(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		recorded(t, n)
		shown := 0
		for _, e := range journalOf(t, n) {
			if e.Kind == "gap" {
				t.Error("a kill is taken for a lost disk")
			}
			if e.Screen == "GET /people" && len(e.Who) == 1 {
				shown++
			}
		}
		if shown < answered {
			t.Errorf("%d answers had left, %d are in the journal", answered, shown)
		}
		if c, err := n.Journal.Verify(t.Context(), dpo()); err != nil || len(c.Faults) > 0 {
			t.Errorf("%+v, %v", c, err)
		}
		n.Close()
	}
	if answered < 7*kills {
		t.Errorf("%d answers: the children did not read", answered)
	}
}

func killedConfig(tb testing.TB, dir string) node.Config {
	unseal, err := crypto.Passphrase("une phrase de passe longue", 10)
	if err != nil {
		tb.Fatal(err)
	}
	return node.Config{
		Dir: filepath.Join(dir, "data"), Vault: filepath.Join(dir, "vault.age"), Unseal: unseal, MinFree: 1,
		Logger: node.NewLogger(os.Stderr, slog.LevelError), PasswordCost: crypto.PasswordCost{KiB: 64, Times: 1},
	}
}

// readUntilKilled says of each answer that it has arrived.
func readUntilKilled(t *testing.T, dir string) {
	n, err := node.Open(t.Context(), killedConfig(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(api.New(api.Config{Node: n, Logger: slog.New(slog.DiscardHandler)}))
	token, _, err := n.Accounts.SignIn(t.Context(), "admin", secret(password), "test", false)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100_000 {
		if status, body, err := read(t, t.Context(), s.URL+"/people", token.Text.Reveal()); status == 200 && err == nil && strings.Contains(body, "Lambert") {
			fmt.Println("answered " + strconv.Itoa(i))
		}
	}
}

// BenchmarkVerify checks a journal, of a million entries with -long.
func BenchmarkVerify(b *testing.B) {
	entries := 20_000
	if *long {
		entries = 1_000_000
	}
	town := newTown(b)
	town.FillJournal(entries)
	b.ResetTimer()
	for b.Loop() {
		c, err := town.Journal.Verify(b.Context(), dpo())
		if err != nil || len(c.Faults) > 0 || c.Entries != uint64(entries) {
			b.Fatalf("%d entries, %v: %v", c.Entries, c.Faults, err)
		}
	}
	b.ReportMetric(float64(entries)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*1_000_000/float64(entries), "s/million")
}
