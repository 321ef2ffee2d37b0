package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Rounds of TestKill. A fault that happens once in a hundred kills shows in the
// long form.
const (
	shortKills  = 10
	longKills   = 200
	killWriters = 6
)

// TestKill kills a node while several writers write, at random moments, and
// starts it again on the same folder: every write that was acknowledged is there,
// and no start is refused.
func TestKill(t *testing.T) {
	rounds := shortKills
	if *long {
		rounds = longKills
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rounds)*20*time.Second)
	defer cancel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	dir := filepath.Join(t.TempDir(), "demo")
	log := &killLog{}
	p := startKilled(ctx, t, dir)
	c := signInKilled(ctx, t, p)
	log.learn(ctx, t, c)
	for round := range rounds {
		var group sync.WaitGroup
		for i := range killWriters {
			group.Go(func() { log.write(ctx, c, fmt.Sprintf("r%d-w%d", round, i)) })
		}
		pauseFor(t, ctx, time.Duration(50+r.IntN(350))*time.Millisecond)
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		p.cmd.Wait()
		group.Wait()
		p = startKilled(ctx, t, dir)
		c.base = p.url() // the session survives too
		log.check(ctx, t, c, log.takeNew())
	}
	log.check(ctx, t, c, log.all)
	if err := p.stop(); err != nil {
		t.Errorf("stopping: %v", err)
	}
	if len(log.all) < rounds {
		t.Errorf("only %d writes were acknowledged in %d rounds: there was no load", len(log.all), rounds)
	}
	t.Logf("%d kills, %d acknowledged writes, 0 lost, 0 refused starts", rounds, len(log.all))
}

func startKilled(ctx context.Context, t *testing.T, dir string) *process {
	t.Helper()
	program, err := exec.LookPath("bippop") // this test binary under another name; see TestMain
	if err != nil {
		t.Fatal(err)
	}
	p, err := startProcess(ctx, program, dir)
	if err != nil {
		t.Fatalf("a start is refused: %v", err)
	}
	t.Cleanup(func() { p.cmd.Process.Kill() }) // our own child; it may have ended
	return p
}

func signInKilled(ctx context.Context, t *testing.T, p *process) *client {
	t.Helper()
	c := &client{base: p.url(), http: &http.Client{Timeout: 20 * time.Second}}
	admin := p.answer.Territories[0].Accounts[0]
	if err := c.signIn(ctx, admin.Login, admin.Password); err != nil {
		t.Fatal(err)
	}
	return c
}

// pauseFor lets the writers write.
func pauseFor(t *testing.T, ctx context.Context, d time.Duration) {
	t.Helper()
	if err := pause(ctx, d); err != nil {
		t.Fatal(err)
	}
}

// killLog is what the client knows to be acknowledged: the path of each record.
// Safe for concurrent use.
type killLog struct {
	mu  sync.Mutex // guards what follows, for one write
	all []string
	old int // of all, how many were taken

	kind string // of action
	her  []string
}

// learn reads who may be helped with what.
func (l *killLog) learn(ctx context.Context, t *testing.T, c *client) {
	t.Helper()
	type list struct {
		Items []struct{ ID, Name string }
	}
	var people, kinds list
	if err := errors.Join(c.call(ctx, "GET", "/beneficiaries", nil, &people), c.call(ctx, "GET", "/action-types", nil, &kinds)); err != nil {
		t.Fatal(err)
	}
	for _, p := range people.Items {
		l.her = append(l.her, p.ID)
	}
	for _, k := range kinds.Items {
		if k.Name == "Courses" {
			l.kind = k.ID
		}
	}
}

// write opens requests, and enrols somebody now and then, until the node is gone.
func (l *killLog) write(ctx context.Context, c *client, name string) {
	for i := 0; ; i++ {
		path := "/requests"
		body := map[string]any{"beneficiary": l.her[i%len(l.her)], "type": l.kind, "when": map[string]string{"kind": "flexible"}, "note": name}
		if i%10 == 0 {
			path = "/beneficiaries"
			body = map[string]any{"commune": "33352", "basis": "consent", "last_name": "Exemple " + name, "address": "Le Bourg"}
		}
		var made struct {
			ID string `json:"id"`
		}
		if c.call(ctx, "POST", path, body, &made) != nil {
			return
		}
		l.mu.Lock()
		l.all = append(l.all, path+"/"+made.ID)
		l.mu.Unlock()
	}
}

// takeNew is what was acknowledged since the last call.
func (l *killLog) takeNew() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	fresh := l.all[l.old:]
	l.old = len(l.all)
	return fresh
}

// check reads every one of the records.
func (l *killLog) check(ctx context.Context, t *testing.T, c *client, paths []string) {
	t.Helper()
	if err := together(ctx, paths, func(ctx context.Context, path string) error {
		if err := c.call(ctx, "GET", path, nil, nil); err != nil {
			return fmt.Errorf("an acknowledged write is lost: %s: %w", path, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
