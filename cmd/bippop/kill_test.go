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
		if lost := log.lost(ctx, t, c); lost > 0 {
			t.Fatalf("round %d: %d of %d acknowledged writes are lost", round, lost, log.acknowledged())
		}
	}
	if err := p.stop(); err != nil {
		t.Errorf("stopping: %v", err)
	}
	if log.acknowledged() < rounds {
		t.Errorf("only %d writes were acknowledged in %d rounds: there was no load", log.acknowledged(), rounds)
	}
	t.Logf("%d kills, %d acknowledged writes, 0 lost, 0 refused starts", rounds, log.acknowledged())
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

// killLog is what the client knows to be acknowledged. Safe for concurrent use.
type killLog struct {
	mu  sync.Mutex // guards ids, for one write
	ids map[string]bool
}

// write enrols people until the node is gone.
func (l *killLog) write(ctx context.Context, c *client, name string) {
	for i := 0; ; i++ {
		var made struct {
			ID string `json:"id"`
		}
		err := c.call(ctx, "POST", "/beneficiaries", map[string]any{
			"commune": "33352", "basis": "consent", "last_name": fmt.Sprintf("Exemple %s-%d", name, i), "address": "Le Bourg",
		}, &made)
		if err != nil {
			return
		}
		l.mu.Lock()
		if l.ids == nil {
			l.ids = map[string]bool{}
		}
		l.ids[made.ID] = true
		l.mu.Unlock()
	}
}

func (l *killLog) acknowledged() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.ids)
}

// lost counts the acknowledged people who are not in the list.
func (l *killLog) lost(ctx context.Context, t *testing.T, c *client) int {
	t.Helper()
	there := map[string]bool{}
	for cursor := ""; ; {
		var page struct {
			Items []struct {
				ID string `json:"id"`
			} `json:"items"`
			Next string `json:"next"`
		}
		if err := c.call(ctx, "GET", "/beneficiaries?limit=100&cursor="+cursor, nil, &page); err != nil {
			t.Fatalf("reading after a restart: %v", errors.Join(err))
		}
		for _, i := range page.Items {
			there[i.ID] = true
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	lost := 0
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.ids {
		if !there[id] {
			lost++
		}
	}
	return lost
}
