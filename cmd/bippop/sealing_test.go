package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// patientFor is how long a test waits for what must happen.
const patientFor = 60 * time.Second

// until waits for a condition.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(patientFor); !ok(); {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("waiting until %s", what)
		}
	}
}

// safeBuffer is written by a node and read by its test.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// typed runs a command and returns what it answered.
func typed(args ...string) (string, error) {
	var answer bytes.Buffer
	err := run(context.Background(), args, func(string) string { return "" }, output{&answer, io.Discard})
	return answer.String(), err
}

func mustType(t *testing.T, args ...string) string {
	t.Helper()
	answer, err := typed(args...)
	if err != nil {
		t.Fatalf("bippop %s: %v", strings.Join(args, " "), err)
	}
	return answer
}

// post sits in a folder of a territory that was founded there.
type post struct {
	dir, vault, identity, listen, admin string
}

func founded(t *testing.T) post {
	t.Helper()
	dir := t.TempDir()
	p := post{dir, filepath.Join(dir, "vault.age"), filepath.Join(dir, "identity.txt"), freeAddress(t), freeAddress(t)}
	password := filepath.Join(dir, "password.txt")
	if err := os.WriteFile(password, []byte("le moulin du lavoir\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	mustType(t, "init", "--siren", "200044394", "--name", "CC", "--calls", "Entraide chez nous", "--phone", "05 36 49 00 00", "--epci", "200044394",
		"--dir", filepath.Join(dir, "data"), "--vault", p.vault, "--identity", p.identity, "--admin", "admin", "--admin-password-file", password)
	return p
}

// serve runs the node until stop, which returns what it ended with.
func (p post) serve(t *testing.T, args ...string) (log *safeBuffer, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	log = &safeBuffer{}
	ended := make(chan error, 1)
	all := append([]string{"serve", "--dir", filepath.Join(p.dir, "data"), "--vault", p.vault, "--listen", p.listen, "--admin", p.admin}, args...)
	go func() { ended <- run(ctx, all, func(string) string { return "" }, output{io.Discard, log}) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { stop() })
	until(t, "both listeners answer: "+log.String(), func() bool {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("serve ended: %v", err)
		default:
		}
		return get(p.listen+"/healthz").status == 200 && get(p.admin+"/healthz").status == 200
	})
	return log, stop
}

type got struct {
	status int
	body   string
	header http.Header
}

func get(url string) got {
	answer, err := http.Get("http://" + url)
	if err != nil {
		return got{}
	}
	defer answer.Body.Close()
	b, _ := io.ReadAll(answer.Body)
	return got{answer.StatusCode, string(b), answer.Header}
}

func TestSealedWithShares(t *testing.T) {
	p := founded(t)
	_, stop := p.serve(t, "--identity", p.identity) // writes what a sealed replica may say
	until(t, "the node is ready", func() bool { return get(p.admin+"/readyz").status == 200 })
	if _, err := typed("keys", "shares", "--vault", p.vault, "--identity", p.identity, "--of", "2,3", "--out", filepath.Join(p.dir, "early")); err == nil {
		t.Error("the vault is sealed anew under a node that runs")
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}

	sheets, other := filepath.Join(p.dir, "sheets"), filepath.Join(p.dir, "other")
	mustType(t, "keys", "shares", "--vault", p.vault, "--identity", p.identity, "--of", "2,3", "--out", sheets)
	share := func(dir string, n int) string { return filepath.Join(dir, fmt.Sprintf("share-%d-of-3.txt", n)) }
	if text := mustRead(t, filepath.Join(sheets, "sheets.html")); strings.Count(text, "<svg") < 3 {
		t.Error("the page to print has no square for each share")
	}
	if _, err := typed("keys", "vault", "--vault", p.vault, "--identity", p.identity); !errors.Is(err, crypto.ErrWrongUnseal) {
		t.Errorf("the identity still opens the vault: %v", err)
	}
	if answer := mustType(t, "keys", "vault", "--vault", p.vault, "--share-file", share(sheets, 1), "--share-file", share(sheets, 3)); !strings.Contains(answer, "shares") {
		t.Errorf("keys vault answers %s", answer)
	}
	strangers, _, err := crypto.NewShares("243300316", 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(share(other, 1), []byte(strangers[0].Text()), 0o600); err != nil {
		t.Fatal(err)
	}

	log, stop := p.serve(t, "--unseal", "shares")
	p.servesNothing(t)
	if _, err := typed("unseal", "--admin", p.admin, "--share-file", share(other, 1)); err == nil || !strings.Contains(err.Error(), "243300316") {
		t.Errorf("a share of another territory: %v, want it named", err)
	}
	mistyped := strings.Replace(mustRead(t, share(sheets, 1)), "\n3: ", "\n3: 0", 1)
	if err := os.WriteFile(share(other, 2), []byte(mistyped), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := typed("unseal", "--admin", p.admin, "--share-file", share(other, 2)); err == nil || !strings.Contains(err.Error(), "line 3") {
		t.Errorf("a mistyped share: %v, want its line named", err)
	}
	if answer := mustType(t, "unseal", "--admin", p.admin, "--share-file", share(sheets, 2)); !strings.Contains(answer, "1 of 2") {
		t.Errorf("after the first share: %s", answer)
	}
	if answer := mustType(t, "unseal", "--admin", p.admin, "--share-file", share(sheets, 2)); !strings.Contains(answer, "1 of 2") {
		t.Errorf("after the same share again: %s", answer)
	}
	p.servesNothing(t)
	if answer := mustType(t, "unseal", "--admin", p.admin, "--share-file", share(sheets, 1)); !strings.Contains(answer, "at work") {
		t.Errorf("after the second share: %s", answer)
	}
	if page := get(p.listen + "/"); page.status != 200 {
		t.Errorf("unsealed, the front page answers %d", page.status)
	}
	if answer := mustType(t, "seal", "--admin", p.admin); !strings.Contains(answer, "Sealed") {
		t.Errorf("seal answers %s", answer)
	}
	p.servesNothing(t)
	if err := stop(); err != nil {
		t.Errorf("stopping a sealed node: %v", err)
	}
	for _, line := range strings.Split(mustRead(t, share(sheets, 1)), "\n")[2:8] {
		if strings.Contains(log.String(), line[3:]) {
			t.Error("the log holds a share")
		}
	}
}

// servesNothing: people get the desk's number, programs a problem, nobody a record.
func (p post) servesNothing(t *testing.T) {
	t.Helper()
	page := get(p.listen + "/desk")
	if page.status != 503 || !strings.Contains(page.body, "05 36 49 00 00") || page.header.Get("Retry-After") == "" {
		t.Errorf("a page of a sealed replica: %d, Retry-After %q\n%s", page.status, page.header.Get("Retry-After"), page.body)
	}
	for _, path := range []string{"/api/v1/beneficiaries", "/api/v1/openapi.json", "/readyz"} {
		var problem struct{ Code string }
		answer := get(p.listen + path)
		if err := json.Unmarshal([]byte(answer.body), &problem); err != nil || answer.status != 503 || problem.Code != "sealed" {
			t.Errorf("%s of a sealed replica: %d %s", path, answer.status, answer.body)
		}
	}
	if answer := get(p.admin + "/readyz"); answer.status != 503 {
		t.Errorf("a sealed replica is ready: %d", answer.status)
	}
	if answer := get(p.admin + "/metrics"); !strings.Contains(answer.body, "\nbippop_sealed 1\n") || strings.Contains(answer.body, "bippop_ready ") {
		t.Error("the metrics of a sealed replica do not say that it is")
	}
	if other := get(p.listen + "/metrics").status; other != 503 {
		t.Errorf("the public listener answers /metrics with %d", other)
	}
}

func mustRead(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestSealAndUnsealWithFile: what was sealed by hand opens with the file again.
func TestSealAndUnsealWithFile(t *testing.T) {
	p := founded(t)
	p.serve(t, "--identity", p.identity)
	until(t, "the node is ready", func() bool { return get(p.listen+"/readyz").status == 200 })
	mustType(t, "seal", "--admin", p.admin)
	p.servesNothing(t)
	mustType(t, "unseal", "--admin", p.admin)
	if answer := get(p.listen + "/readyz"); answer.status != 200 {
		t.Errorf("unsealed again: %d %s", answer.status, answer.body)
	}
	if answer := get(p.listen + "/metrics"); answer.status != 404 {
		t.Errorf("the public listener answers /metrics with %d", answer.status)
	}
}

func TestServeRefusals(t *testing.T) {
	p := founded(t)
	for want, args := range map[string][]string{
		"only this machine": {"--identity", p.identity, "--admin", "0.0.0.0:9090"},
		"leave out":         {"--identity", p.identity, "--unseal", "ask", "--admin", p.admin},
		"needs --admin":     {"--unseal", "shares"},
		"shares, ask":       {"--unseal", "later", "--admin", p.admin},
		"with peers before": {"--unseal", "peers,", "--identity", p.identity},
		"--peer-listen":     {"--unseal", "peers", "--identity", p.identity},
		"--alarm-smtp":      {"--identity", p.identity, "--alarm-mail", "a@exemple.example"},
		"--oidc-secret":     {"--identity", p.identity, "--oidc-issuer", "https://a.example", "--oidc-client", "c", "--oidc-address", "https://b.example"},
		"--oidc-client":     {"--identity", p.identity, "--oidc-two-factors"},
		"https address":     {"--identity", p.identity, "--oidc-issuer", "http://a.example", "--oidc-client", "c", "--oidc-address", "https://b.example", "--oidc-secret-file", p.identity},
	} {
		all := append([]string{"serve", "--dir", filepath.Join(p.dir, "data"), "--vault", p.vault, "--listen", p.listen}, args...)
		if _, err := typed(all...); err == nil || !strings.Contains(err.Error(), want) || exitCode(err) != 2 {
			t.Errorf("serve %v: %v, want %q", args, err, want)
		}
	}
}

// fakeLock opens as the test says.
func fakeLock(t *testing.T, open func(context.Context) (*running, error)) *lockable {
	return newLockable(&lockable{
		shut: sealedAnswers(filepath.Join(t.TempDir(), "vault.age")), logger: node.NewLogger(io.Discard, nil),
		try:  func(crypto.Unsealer) error { return nil },
		open: func(ctx context.Context, _ crypto.Unsealer) (*running, error) { return open(ctx) },
	})
}

// TestSealWhileOpening: a replica that waits for the others can be sealed.
func TestSealWhileOpening(t *testing.T) {
	waits := make(chan struct{})
	k := fakeLock(t, func(ctx context.Context) (*running, error) {
		close(waits)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	if err := k.unseal(crypto.Unsealer{}); err != nil {
		t.Fatal(err)
	}
	<-waits
	if state, _, _ := k.at(); state != stateOpening {
		t.Errorf("state = %s, want opening", state)
	}
	if err := k.unseal(crypto.Unsealer{}); !errors.Is(err, errNotSealed) {
		t.Errorf("unsealing twice: %v", err)
	}
	if err := k.seal(); err != nil {
		t.Error(err)
	}
	if state, _, _ := k.at(); state != stateSealed {
		t.Errorf("state = %s, want sealed", state)
	}
}

// TestSealWaitsForAnswers: none meets a node that is closed.
func TestSealWaitsForAnswers(t *testing.T) {
	var closed, met bool
	inside, live := make(chan struct{}), make(chan struct{})
	k := fakeLock(t, func(context.Context) (*running, error) {
		return &running{
			handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				close(inside)
				<-live
				met = closed
			}),
			dismiss: func() { close(live) },
			close:   func() error { closed = true; return nil },
		}, nil
	})
	if err := k.unseal(crypto.Unsealer{}); err != nil {
		t.Fatal(err)
	}
	until(t, "it is open", func() bool { state, _, _ := k.at(); return state == stateOpen && k.answers.Load() != nil })
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		k.ServeHTTP(nil, &http.Request{Method: "GET"})
	}()
	<-inside
	if err := k.seal(); err != nil {
		t.Error(err)
	}
	<-answered
	if met || !closed {
		t.Errorf("closed %v, met by an answer %v", closed, met)
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
	if err := k.unseal(crypto.Unsealer{}); !errors.Is(err, errClosing) {
		t.Errorf("unsealing while the process ends: %v", err)
	}
}

// TestUnsealIsThrottled: ten wrong tries, and then a wait, also for the right one.
func TestUnsealIsThrottled(t *testing.T) {
	p := founded(t)
	p.serve(t, "--unseal", "ask")
	c := adminClient{p.admin}
	var last *problem
	for i := range triesAtOnce + 1 {
		_, err := c.call(t.Context(), "POST", "/unseal", offered{Passphrase: "court"})
		p, ok := errors.AsType[*problem](err)
		if !ok || i < triesAtOnce && p.Status != 422 {
			t.Fatalf("try %d: %v", i, err)
		}
		last = p
	}
	if last.Status != 429 || !strings.Contains(last.Title, "wait") {
		t.Errorf("after %d wrong tries: %d %s", triesAtOnce, last.Status, last.Title)
	}
}

// TestAdminKeepsBrowsersOut: a page that somebody visits on the server can do nothing.
func TestAdminKeepsBrowsersOut(t *testing.T) {
	p := founded(t)
	p.serve(t, "--identity", p.identity)
	until(t, "the node is ready", func() bool { return get(p.listen+"/readyz").status == 200 })
	for name, change := range map[string]func(*http.Request){
		"another site":                           func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"another site's own":                     func(r *http.Request) { r.Header.Set("Origin", "https://ailleurs.example") },
		"a name that was turned to this machine": func(r *http.Request) { r.Host = "ailleurs.example" },
	} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+p.admin+"/seal", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		change(r)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != 403 {
			t.Errorf("%s: %d, want 403", name, answer.StatusCode)
		}
	}
	if get(p.listen+"/readyz").status != 200 {
		t.Error("a page of a browser has sealed the replica")
	}
}
