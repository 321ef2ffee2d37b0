package consensus_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bippop/bippop/consensus"
	"github.com/bippop/bippop/consensus/consensustest"
	"github.com/bippop/bippop/crypto"
)

// small is a lone voter whose segments are quickly copied.
func small(t testing.TB, dir string, key crypto.Key, m consensus.Machine) consensus.Config {
	cfg := lone(t, dir, key, m)
	cfg.Tuning.SegmentBytes = 64 << 10
	return cfg
}

// written makes a closed log of n writes and the state it leads to. The last write
// begins after the first safe bytes of the segment.
func written(t *testing.T, key crypto.Key, n int) (dir string, want map[string]string, safe int) {
	t.Helper()
	dir = t.TempDir()
	want = map[string]string{}
	r := open(t, small(t, dir, key, consensustest.NewMap()))
	for i := range n {
		k := fmt.Sprintf("k%d", i)
		want[k] = strings.Repeat(k, 10)
		b, err := os.ReadFile(segment(t, dir))
		if err != nil {
			t.Fatal(err)
		}
		safe = used(b)
		propose(t, r, k, want[k])
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, want, safe
}

func segment(t *testing.T, dir string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "log", "*.wal"))
	if err != nil || len(names) != 1 {
		t.Fatalf("got segments %v, %v, want one", names, err)
	}
	return names[0]
}

// used is where the segment's zeros begin.
func used(b []byte) int { return len(bytes.TrimRight(b, "\x00")) }

func replayed(t *testing.T, dir string, key crypto.Key) (map[string]string, error) {
	t.Helper()
	m := consensustest.NewMap()
	r, err := consensus.Open(t.Context(), small(t, dir, key, m))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := r.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	return m.Values(), nil
}

// One flipped bit, anywhere but in the last write: the log does not open, or the
// bit meant nothing. It never opens to less than was acknowledged.
func TestFlippedBit(t *testing.T) {
	key := crypto.NewKey()
	t.Run("newest segment", func(t *testing.T) {
		dir, want, safe := written(t, key, 12)
		flipBits(t, dir, segment(t, dir), safe, key, want)
	})
	t.Run("older segment", func(t *testing.T) {
		dir, want := t.TempDir(), map[string]string{}
		cfg := small(t, dir, key, consensustest.NewMap())
		cfg.Tuning.SegmentBytes = 1 << 10
		r := open(t, cfg)
		for i := range 12 {
			k := fmt.Sprint(i)
			want[k] = strings.Repeat("v", 50)
			propose(t, r, k, want[k])
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		names, err := filepath.Glob(filepath.Join(dir, "log", "*.wal"))
		if err != nil || len(names) < 2 {
			t.Fatalf("got segments %v, %v, want several", names, err)
		}
		b, err := os.ReadFile(names[0])
		if err != nil {
			t.Fatal(err)
		}
		flipBits(t, dir, names[0], used(b), key, want)
	})
}

// flipBits damages copies of dir, each by one bit of name before end.
func flipBits(t *testing.T, dir, name string, end int, key crypto.Key, want map[string]string) {
	t.Helper()
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	step, damaged := 31, 0
	if os.Getenv("BIPPOP_EVERY_BYTE") != "" {
		step = 1
	}
	for at := rand.N(step); at < end; at += step {
		b := bytes.Clone(whole)
		b[at] ^= 1 << rand.N(8)
		copied := t.TempDir()
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(copied, "log", filepath.Base(name)), b, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := replayed(t, copied, key)
		switch {
		case errors.Is(err, consensus.ErrDamaged):
			damaged++
		case err != nil:
			t.Fatalf("byte %d: got %v, want ErrDamaged", at, err)
		case !maps.Equal(got, want):
			t.Fatalf("byte %d: opened to %d values of %d", at, len(got), len(want))
		}
	}
	if damaged == 0 {
		t.Error("no damage was found")
	}
	t.Logf("%d of %d found, the others meant nothing", damaged, (end+step-1)/step)
}

// The last write looks torn when it is damaged; the state knows better.
func TestLostTail(t *testing.T) {
	key := crypto.NewKey()
	dir := t.TempDir()
	m := consensustest.NewMap()
	r := open(t, lone(t, dir, key, m))
	for i := range 5 {
		propose(t, r, fmt.Sprint(i), "v")
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	name := segment(t, dir)
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, int64(used(b)-30)); err != nil {
		t.Fatal(err)
	}
	if _, err := consensus.Open(t.Context(), lone(t, dir, key, m)); !errors.Is(err, consensus.ErrDamaged) {
		t.Errorf("got %v, want ErrDamaged", err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "log")); err != nil {
		t.Fatal(err)
	}
	if _, err := consensus.Open(t.Context(), lone(t, dir, key, m)); !errors.Is(err, consensus.ErrDamaged) {
		t.Errorf("without a log: got %v, want ErrDamaged", err)
	}
}

// A write that a crash tore was never acknowledged: it is dropped.
func TestTornTail(t *testing.T) {
	key := crypto.NewKey()
	dir, want, _ := written(t, key, 5)
	name := segment(t, dir)
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	frame := bytes.Index(b, []byte{1, 0, 0, 0})
	torn := append([]byte{1, 0, 0, 0, 200, 0, 0, 0}, b[frame+8:frame+100]...)
	copy(b[(used(b)+7)/8*8:], torn)
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // and its remains do not matter later
		got, err := replayed(t, dir, key)
		if err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(got, want) {
			t.Errorf("got %d values, want %d", len(got), len(want))
		}
	}
}

func TestOtherKey(t *testing.T) {
	dir, _, _ := written(t, crypto.NewKey(), 1)
	if _, err := replayed(t, dir, crypto.NewKey()); !errors.Is(err, consensus.ErrDamaged) {
		t.Errorf("got %v, want ErrDamaged", err)
	}
}

func TestStateBehindSnapshot(t *testing.T) {
	key := crypto.NewKey()
	dir := t.TempDir()
	r := open(t, lone(t, dir, key, consensustest.NewMap()))
	propose(t, r, "k", "v")
	if err := r.Snapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := replayed(t, dir, key); !errors.Is(err, consensus.ErrBehind) {
		t.Errorf("got %v, want ErrBehind", err)
	}
}

// Words of a command are on no page of the folder, with or without snapshots.
func TestNothingInClear(t *testing.T) {
	const canary = "Zyxwvut+79990001122"
	key := crypto.NewKey()
	dir := t.TempDir()
	var log strings.Builder
	cfg := lone(t, dir, key, consensustest.NewMap())
	cfg.Logger = verbose(&log)
	r := open(t, cfg)
	for i := range 20 {
		propose(t, r, fmt.Sprintf("%s-%d", canary, i), canary)
	}
	if err := r.Snapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	files := 0
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		b, err := os.ReadFile(filepath.Join(dir, path))
		if bytes.Contains(b, []byte(canary)) {
			t.Errorf("%s holds the canary", path)
		}
		return err
	})
	if err != nil || files < 4 {
		t.Errorf("looked at %d files, %v", files, err)
	}
	if strings.Contains(log.String(), canary) {
		t.Error("the log output holds the canary")
	}
	if !strings.Contains(log.String(), "part=raft") {
		t.Error("raft's own log does not arrive")
	}
}

// TestKilled writes in another process, kills it, and looks for what it had been
// told was safe.
func TestKilled(t *testing.T) {
	if dir := os.Getenv("BIPPOP_KILLED_DIR"); dir != "" {
		writeUntilKilled(t, dir, os.Getenv("BIPPOP_KILLED_KEY"))
		return
	}
	key := crypto.NewKey()
	dir := t.TempDir()
	want := map[string]string{}
	for round := range 3 {
		for _, k := range killedAfter(t, dir, key, 20+rand.N(100)) {
			want[k] = k
		}
		got, err := replayed(t, dir, key)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		for k := range want {
			if got[k] != k {
				t.Fatalf("round %d: lost %s", round, k)
			}
		}
	}
	t.Logf("%d acknowledged", len(want))
}

func killedAfter(t *testing.T, dir string, key crypto.Key, writes int) (acknowledged []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), "BIPPOP_KILLED_DIR="+dir, "BIPPOP_KILLED_KEY="+hex.EncodeToString(key.Reveal()))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if k, ok := strings.CutPrefix(lines.Text(), "safe "); ok {
			acknowledged = append(acknowledged, k)
		}
		if len(acknowledged) == writes {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || len(acknowledged) < writes {
		t.Fatalf("the writer ended by itself after %d: %v", len(acknowledged), err)
	}
	return acknowledged
}

// writeUntilKilled has several writers, so that batches are torn, not only ends.
func writeUntilKilled(t *testing.T, dir, hexKey string) {
	b, err := hex.DecodeString(hexKey)
	if err != nil {
		t.Fatal(err)
	}
	key, err := crypto.KeyFromBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	r := open(t, lone(t, dir, key, consensustest.NewMap()))
	for range 8 {
		go func() {
			for {
				k := fmt.Sprint(rand.Uint64())
				if _, err := r.Propose(context.Background(), consensustest.Put(k, k)); err != nil {
					fmt.Println("error", err)
					return
				}
				fmt.Println("safe", k)
			}
		}()
	}
	select {}
}
