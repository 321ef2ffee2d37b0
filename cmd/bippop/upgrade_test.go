package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestUpgrade runs two builds side by side: machines with an older program are
// given the newer one, one after the other, while somebody works. As long as one
// is old, nothing is recorded that it does not know. Three machines that all vote
// take a minute before the upgrade begins: they are in the long form.
func TestUpgrade(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	newer, err := exec.LookPath("bippop") // this test binary under another name; see TestMain
	if err != nil {
		t.Fatal(err)
	}
	older := filepath.Join(t.TempDir(), "bippop-of-yesterday")
	build := exec.CommandContext(ctx, "go", "build", "-tags", "level1", "-o", older, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the older program: %v\n%s", err, out)
	}
	u := &upgrade{T: t, ctx: ctx, dir: t.TempDir()}
	replicas := 2
	if *long {
		replicas = 3
	}
	for range replicas {
		u.machines = append(u.machines, u.machine())
	}
	t.Cleanup(u.stopAll)
	first := u.machines[0]
	password := filepath.Join(u.dir, "password.txt")
	u.must(os.WriteFile(password, []byte("quatre mots bien tranquilles\n"), 0o600))
	u.run(older, "init", "--siren", "200044394", "--name", "CC", "--calls", "Entraide", "--phone", "05 36 49 00 00", "--commune", "33352",
		"--dir", first.data, "--vault", first.vault, "--identity", first.identity, "--admin", "admin", "--admin-password-file", password)
	u.start(first, older)
	c := u.signIn(first)
	for _, m := range u.machines[1:] {
		var invited struct{ Token string }
		u.must(c.call(ctx, "POST", "/replicas/invitations", map[string]int{"minutes": 5}, &invited))
		token := filepath.Join(u.dir, "token.txt")
		u.must(os.WriteFile(token, []byte(invited.Token), 0o600))
		u.run(older, "join", "--token-file", token, "--dir", m.data, "--vault", m.vault, "--identity", m.identity, "--peer-listen", m.peer)
		u.start(m, older)
	}
	u.until("all are there", func() bool { return *long && u.list(c).voters() == 3 || !*long && len(u.list(c).Items) == 2 })

	her := u.enrol(c, "Aubertin")
	worked := u.work(c)
	for i, m := range u.machines {
		if said := u.refusal(c, "/erasures", map[string]any{"kind": "beneficiary", "id": her, "now": true}); i > 0 && !strings.Contains(said, fmt.Sprint("upgrade replica-", i+1)) {
			t.Errorf("with %d new programs an erasure is answered %s", i, said)
		}
		u.stop(m)
		u.start(m, newer)
		c.base = m.url
		u.until("the machine is back", func() bool {
			up := 0
			for _, r := range u.list(c).Items {
				if r.Alive {
					up++
				}
			}
			return up == replicas
		})
	}
	n := worked()
	u.until("every program is new", func() bool { return u.list(c).Level > 1 })
	u.must(c.call(ctx, "POST", "/erasures", map[string]any{"kind": "beneficiary", "id": her, "now": true}, nil))
	u.until("she is erased everywhere", func() bool {
		var all struct {
			Items []struct {
				Certified time.Time `json:"certified_at"`
			}
		}
		u.must(c.call(ctx, "GET", "/erasures", nil, &all))
		return len(all.Items) > 0 && !all.Items[0].Certified.IsZero()
	})
	if n < 5 {
		t.Errorf("only %d writes were acknowledged during the upgrade: nobody worked", n)
	}
	for _, m := range u.machines {
		c.base = m.url
		var people struct{ Items []struct{ ID string } }
		u.must(c.call(ctx, "GET", "/beneficiaries?limit=100&fresh=1", nil, &people))
		if want := min(n, 100); len(people.Items) != want {
			t.Errorf("%s shows %d of %d people", m.name, len(people.Items), want)
		}
	}
	t.Logf("%d writes acknowledged during the upgrade, none lost", n)
}

// upgrade is three machines, and who upgrades them.
type upgrade struct {
	*testing.T
	ctx      context.Context
	dir      string
	machines []*upgraded
}

type upgraded struct {
	name, data, vault, identity, peer, web, url string

	running *exec.Cmd
	log     *bytes.Buffer
}

func (u *upgrade) must(err error) {
	u.Helper()
	if err != nil {
		u.Fatal(err)
	}
}

func (u *upgrade) machine() *upgraded {
	name := fmt.Sprint("machine-", len(u.machines)+1)
	dir := filepath.Join(u.dir, name)
	u.must(os.Mkdir(dir, 0o700))
	m := &upgraded{name: name, data: filepath.Join(dir, "data"), vault: filepath.Join(dir, "vault.age"), identity: filepath.Join(dir, "identity.txt"), peer: freeAddress(u.T), web: freeAddress(u.T)}
	m.url = "http://" + m.web
	return m
}

func (u *upgrade) run(program string, args ...string) {
	u.Helper()
	if out, err := exec.CommandContext(u.ctx, program, args...).CombinedOutput(); err != nil {
		u.Fatalf("bippop %s: %v\n%s", args[0], err, out)
	}
}

func (u *upgrade) start(m *upgraded, program string) {
	u.Helper()
	m.log = &bytes.Buffer{}
	m.running = exec.Command(program, "serve", "--dir", m.data, "--vault", m.vault, "--identity", m.identity, "--listen", m.web, "--peer-listen", m.peer, "--url", m.url, "--admin", "")
	m.running.Stdout, m.running.Stderr = m.log, m.log
	u.must(m.running.Start())
	u.must(awaitReady(m.url, time.Minute))
}

func (u *upgrade) stop(m *upgraded) {
	u.Helper()
	if m.running == nil {
		return
	}
	running := m.running
	m.running = nil
	u.must(running.Process.Signal(syscall.SIGTERM))
	if err := running.Wait(); err != nil {
		u.Errorf("stopping %s: %v\n%s", m.name, err, m.log.String())
	}
}

func (u *upgrade) stopAll() {
	for _, m := range u.machines {
		u.stop(m)
	}
}

func (u *upgrade) signIn(m *upgraded) *client {
	u.Helper()
	c := &client{base: m.url, http: &http.Client{Timeout: 20 * time.Second}}
	u.must(c.signIn(u.ctx, "admin", "quatre mots bien tranquilles"))
	return c
}

func (u *upgrade) list(c *client) (m machines) {
	if err := c.call(u.ctx, "GET", "/replicas", nil, &m); err != nil {
		return machines{}
	}
	return m
}

func (u *upgrade) enrol(c *client, last string) string {
	u.Helper()
	var made struct{ ID string }
	u.must(c.call(u.ctx, "POST", "/beneficiaries", map[string]any{"commune": "33352", "basis": "consent", "last_name": last, "address": "Le Bourg"}, &made))
	return made.ID
}

// refusal is what was answered instead of 2xx.
func (u *upgrade) refusal(c *client, path string, body any) string {
	b, err := json.Marshal(body)
	u.must(err)
	err = c.call(u.ctx, "POST", path, json.RawMessage(b), nil)
	if err == nil {
		return "yes"
	}
	return err.Error()
}

// work enrols people through whatever machine is up, until the function that it
// returns is called; that says how many were acknowledged.
func (u *upgrade) work(c *client) (stop func() int) {
	end := make(chan struct{})
	n := 0
	var all sync.WaitGroup
	own := *c
	all.Go(func() {
		for i := 0; n < 90; i++ {
			select {
			case <-end:
				return
			case <-time.After(100 * time.Millisecond):
			}
			own.base = u.machines[i%len(u.machines)].url
			body := map[string]any{"commune": "33352", "basis": "consent", "last_name": fmt.Sprint("Personne", i), "address": "Le Bourg"}
			if own.call(u.ctx, "POST", "/beneficiaries", body, nil) == nil {
				n++
			}
		}
	})
	return func() int {
		close(end)
		all.Wait()
		return n
	}
}

func (u *upgrade) until(what string, ok func() bool) {
	u.Helper()
	for !ok() {
		if pause(u.ctx, 100*time.Millisecond) != nil {
			for _, m := range u.machines {
				u.Logf("%s:\n%s", m.name, m.log.String())
			}
			u.Fatalf("in vain: %s", what)
		}
	}
}
