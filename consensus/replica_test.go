package consensus_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bippop/bippop/consensus"
	"github.com/bippop/bippop/consensus/consensustest"
	"github.com/bippop/bippop/crypto"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func verbose(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func lone(t testing.TB, dir string, key crypto.Key, m consensus.Machine) consensus.Config {
	t.Helper()
	return consensus.Config{
		Dir: dir, ID: "a", LogKey: key, Machine: m, Logger: quiet(),
		OnFault: func(err error) { t.Errorf("fault: %v", err) },
	}
}

// open returns a replica that leads.
func open(t testing.TB, cfg consensus.Config) *consensus.Replica {
	t.Helper()
	r, err := consensus.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := r.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	return r
}

func propose(t testing.TB, r *consensus.Replica, key, value string) consensus.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	res, err := r.Propose(ctx, consensustest.Put(key, value))
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestLoneVoterLeadsAtOnce(t *testing.T) {
	start := time.Now()
	m := consensustest.NewMap()
	r := open(t, lone(t, t.TempDir(), crypto.NewKey(), m))
	t.Logf("ready after %v", time.Since(start))
	first := propose(t, r, "k", "1")
	second := propose(t, r, "k", "2")
	if second.Reply != "1" || second.Index <= first.Index {
		t.Errorf("got %v after %v, want reply 1 at a higher index", second, first)
	}
	if got := m.Get("k"); got != "2" {
		t.Errorf("got %q, want 2", got)
	}
	index, err := r.Barrier(t.Context())
	if err != nil || index < second.Index {
		t.Errorf("barrier: got %d, %v, want at least %d", index, err, second.Index)
	}
}

func TestOpenAgain(t *testing.T) {
	key, dir := crypto.NewKey(), t.TempDir()
	want := map[string]string{}
	m := consensustest.NewMap()
	for i := range 20 {
		if i%3 == 2 {
			m = consensustest.NewMap() // a state that was lost is made again
		}
		r := open(t, lone(t, dir, key, m))
		if _, err := consensus.Open(t.Context(), lone(t, dir, key, consensustest.NewMap())); err == nil {
			t.Fatal("the folder was opened twice")
		}
		k := fmt.Sprint(i)
		want[k] = k
		propose(t, r, k, k)
		if got := m.Values(); !maps.Equal(got, want) {
			t.Fatalf("opened %d times: got %v, want %v", i+1, got, want)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Propose(t.Context(), []byte("x")); !errors.Is(err, consensus.ErrClosed) {
			t.Fatalf("after close: got %v, want ErrClosed", err)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	good := lone(t, t.TempDir(), crypto.NewKey(), consensustest.NewMap())
	tests := []struct {
		name  string
		spoil func(*consensus.Config)
	}{
		{"no folder", func(c *consensus.Config) { c.Dir = "" }},
		{"no ID", func(c *consensus.Config) { c.ID = "" }},
		{"no key", func(c *consensus.Config) { c.LogKey = crypto.Key{} }},
		{"no machine", func(c *consensus.Config) { c.Machine = nil }},
		{"no logger", func(c *consensus.Config) { c.Logger = nil }},
		{"peers without network", func(c *consensus.Config) { c.Peers = []consensus.Peer{{ID: "a"}} }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := good
			test.spoil(&cfg)
			if r, err := consensus.Open(t.Context(), cfg); err == nil {
				r.Close()
				t.Error("opened")
			}
		})
	}
	if left, err := os.ReadDir(good.Dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestOtherReplicasLog(t *testing.T) {
	key, dir := crypto.NewKey(), t.TempDir()
	if err := open(t, lone(t, dir, key, consensustest.NewMap())).Close(); err != nil {
		t.Fatal(err)
	}
	cfg := lone(t, dir, key, consensustest.NewMap())
	cfg.ID = "b"
	if r, err := consensus.Open(t.Context(), cfg); err == nil {
		r.Close()
		t.Error("opened under another ID")
	}
}

// The machine's index stands still while raft's own entries go on.
func TestIndexHasGaps(t *testing.T) {
	key, dir, m := crypto.NewKey(), t.TempDir(), consensustest.NewMap()
	cfg := lone(t, dir, key, m)
	r := open(t, cfg)
	last := propose(t, r, "k", "v").Index
	for range 3 { // each start adds entries of raft's own
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		r = open(t, cfg)
		if got := r.Applied(); got != last {
			t.Errorf("got applied %d, want %d", got, last)
		}
		if s := r.Stats(); s.Last <= last || s.Commit <= last {
			t.Errorf("got %+v, want entries after %d", s, last)
		}
		if err := r.Snapshot(t.Context()); err != nil { // at one of raft's own entries
			t.Fatal(err)
		}
	}
	if m.Applies != 1 {
		t.Errorf("applied %d times, want once", m.Applies)
	}
	if err := r.Wait(t.Context(), last); err != nil {
		t.Error(err)
	}
}

func TestRefusalIsAReply(t *testing.T) {
	r := open(t, lone(t, t.TempDir(), crypto.NewKey(), consensustest.NewMap()))
	res, err := r.Propose(t.Context(), []byte("no put"))
	if err != nil || res.Reply != consensustest.Refusal("not a put") {
		t.Errorf("got %v, %v, want a refusal as reply", res, err)
	}
}

func TestCommandSizes(t *testing.T) {
	r := open(t, lone(t, t.TempDir(), crypto.NewKey(), consensustest.NewMap()))
	if _, err := r.Propose(t.Context(), make([]byte, consensus.MaxCommand+1)); !errors.Is(err, consensus.ErrTooLarge) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
	var writers sync.WaitGroup
	for i := range 40 { // more than fits into one entry
		writers.Go(func() {
			command := consensustest.Put(fmt.Sprint(i), "")
			command = append(command, make([]byte, consensus.MaxCommand-len(command))...)
			if _, err := r.Propose(t.Context(), command); err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
}

// gate stands before the disk.
type gate struct {
	shut    atomic.Bool
	reached chan struct{}
	open    chan error
}

func newGate() *gate { return &gate{reached: make(chan struct{}, 100), open: make(chan error)} }

func (g *gate) pass() error {
	if !g.shut.Load() {
		return nil
	}
	g.reached <- struct{}{}
	return <-g.open
}

func TestFullQueueAndContext(t *testing.T) {
	g := newGate()
	cfg := lone(t, t.TempDir(), crypto.NewKey(), consensustest.NewMap())
	cfg.BeforeStore(g.pass)
	cfg.Tuning.QueueLength = 1
	r := open(t, cfg)
	g.shut.Store(true)

	ctx, cancel := context.WithCancel(t.Context())
	answers := make(chan error, 10)
	try := func(ctx context.Context) {
		_, err := r.Propose(ctx, consensustest.Put("k", "v"))
		answers <- err
	}
	go try(ctx)
	<-g.reached // the first is at the disk
	busy, inFlight := 0, 1
	for busy == 0 { // the other packer holds one, one waits, then the queue is full
		go try(ctx)
		select {
		case err := <-answers:
			if !errors.Is(err, consensus.ErrBusy) {
				t.Fatalf("got %v, want ErrBusy", err)
			}
			busy++
		case <-time.After(20 * time.Millisecond):
			inFlight++
		}
	}
	cancel()
	unknown, withdrawn := 0, 0
	for range inFlight {
		switch err := <-answers; {
		case errors.Is(err, consensus.ErrUnknown) && errors.Is(err, context.Canceled):
			unknown++
		case errors.Is(err, context.Canceled):
			withdrawn++
		default:
			t.Errorf("got %v, want the context's error", err)
		}
	}
	if unknown != 2 || withdrawn != 1 {
		t.Errorf("got %d on their way and %d withdrawn, want 2 and 1", unknown, withdrawn)
	}
	g.shut.Store(false)
	close(g.open)
	for { // until the withdrawn one has left the queue
		_, err := r.Propose(t.Context(), consensustest.Put("k", "last"))
		if err == nil {
			break
		}
		if !errors.Is(err, consensus.ErrBusy) {
			t.Fatal(err)
		}
	}
}

func TestDiskFails(t *testing.T) {
	full := errors.New("no space left on device")
	g := newGate()
	told := make(chan error, 1)
	cfg := lone(t, t.TempDir(), crypto.NewKey(), consensustest.NewMap())
	cfg.BeforeStore(g.pass)
	cfg.OnFault = func(err error) { told <- err }
	r := open(t, cfg)
	propose(t, r, "k", "v")
	g.shut.Store(true)
	answer := make(chan error)
	go func() {
		_, err := r.Propose(t.Context(), consensustest.Put("k", "lost"))
		answer <- err
	}()
	<-g.reached
	g.shut.Store(false)
	g.open <- full
	if err := <-answer; !errors.Is(err, consensus.ErrStore) || !errors.Is(err, consensus.ErrUnknown) || !errors.Is(err, full) {
		t.Errorf("got %v, want ErrStore and ErrUnknown with the cause", err)
	}
	if err := <-told; !errors.Is(err, full) {
		t.Errorf("told %v, want %v", err, full)
	}
	if _, err := r.Propose(t.Context(), consensustest.Put("k", "later")); !errors.Is(err, consensus.ErrStore) {
		t.Errorf("got %v, want ErrStore until the log is opened again", err)
	}
	if err := r.Ready(t.Context()); !errors.Is(err, consensus.ErrStore) {
		t.Errorf("ready: got %v, want ErrStore", err)
	}
}

func TestDiskStalls(t *testing.T) {
	g := newGate()
	told := make(chan error, 1)
	cfg := lone(t, t.TempDir(), crypto.NewKey(), consensustest.NewMap())
	cfg.BeforeStore(g.pass)
	cfg.OnFault = func(err error) { told <- err }
	cfg.Tuning.StallLimit = 500 * time.Millisecond
	r := open(t, cfg)
	g.shut.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	answer := make(chan error)
	go func() {
		_, err := r.Propose(ctx, consensustest.Put("k", "v"))
		answer <- err
	}()
	if err := <-told; !errors.Is(err, consensus.ErrStalled) {
		t.Errorf("told %v, want ErrStalled", err)
	}
	cancel()
	if err := <-answer; !errors.Is(err, consensus.ErrUnknown) {
		t.Errorf("got %v, want ErrUnknown", err)
	}
	close(g.open)
}

func TestNoGoroutineIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 3 {
		r := open(t, lone(t, t.TempDir(), crypto.NewKey(), consensustest.NewMap()))
		propose(t, r, "k", "v")
		if _, err := r.Barrier(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	late := time.After(5 * time.Second)
	for runtime.NumGoroutine() > before {
		select {
		case <-late:
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		default:
			runtime.Gosched()
		}
	}
}

// BenchmarkPropose measures acknowledged writes of 512 bytes on a lone voter, with
// fsync; BenchmarkFsync is the disk's own floor.
func BenchmarkPropose(b *testing.B) {
	for _, writers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			r := open(b, lone(b, b.TempDir(), crypto.NewKey(), consensustest.NewMap()))
			before := r.Stats().Last
			command := consensustest.Put("k", strings.Repeat("v", 510))
			var left atomic.Int64
			left.Store(int64(b.N))
			var done sync.WaitGroup
			b.ResetTimer()
			for range writers {
				done.Go(func() {
					for left.Add(-1) >= 0 {
						if _, err := r.Propose(b.Context(), command); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			done.Wait()
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
			b.ReportMetric(float64(b.N)/float64(r.Stats().Last-before), "writes/entry")
		})
	}
}

// BenchmarkFsync appends 512 bytes to a file that was allocated ahead, and syncs.
func BenchmarkFsync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "floor"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(16 << 20); err != nil {
		b.Fatal(err)
	}
	block := make([]byte, 512)
	b.ResetTimer()
	for i := range b.N {
		if _, err := f.WriteAt(block, int64(i%(16<<11))*512); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "syncs/s")
}
