package ledger_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/ledger"
	"github.com/bippop/bippop/federation/public"
)

// growing writes a ledger of n entries, a release with all its cells every hundredth,
// without ever holding them together.
func growing(t testing.TB, n int) (dir string, genesis [32]byte) {
	t.Helper()
	w := newWorld(t)
	c, err := feed.OpenCopy(filepath.Join(t.TempDir(), "copy"), feed.EgressOrigin(reole, 1))
	if err != nil {
		t.Fatal(err)
	}
	var tree feed.Tree
	var spent public.Odometer
	quarter := public.Quarter(0)
	for from := 0; from < n; {
		batch := messages(t, reole, 1, from, min(1<<16, n-from))
		for i := range batch {
			if (from+i)%100 == 0 && quarter < 200 {
				var r public.Release
				r, spent = release(t, spent, quarter)
				batch[i] = encode(t, reole, 1, from+i, r)
				quarter++
			}
			tree.Add(batch[i])
		}
		if err := c.Append(batch, sign(t, c.Origin(), tree.Head(), w.signers(reole)...)); err != nil {
			t.Fatal(err)
		}
		from += len(batch)
	}
	w.feeds = []ledger.Feed{{Siren: reole, Epoch: 1, Log: ledger.Of(c)}}
	dir = filepath.Join(t.TempDir(), "ledger")
	if err := w.ledger().Write(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	return dir, w.state.Genesis
}

// TestMillion measures the check of a large ledger and prints time and memory. The
// figures are in seconds and bytes of one process that did nothing else meanwhile.
func TestMillion(t *testing.T) {
	n := 20_000
	if *long {
		n = 1_000_000
	}
	name, genesis := growing(t, n)
	src, err := ledger.Dir(name)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	runtime.GC()
	resetPeak(t)
	begun := time.Now()
	r := verify(t, src, ledger.Options{Genesis: genesis})
	took := time.Since(begun)
	if !r.OK || r.Entries != int64(n) {
		t.Fatalf("%d entries, %+v", r.Entries, r.Faults)
	}
	t.Logf("%d entries in %.1f s, %.0f a second; peak resident %d MB", n, took.Seconds(), float64(n)/took.Seconds(), peak(t)>>20)
	if *long && peak(t) > 512<<20 {
		t.Errorf("peak resident %d MB", peak(t)>>20)
	}
}

// resetPeak makes the system forget the most memory that this process had.
func resetPeak(t testing.TB) {
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil && !os.IsNotExist(err) {
		t.Log(err)
	}
}

// peak is the most resident memory of this process in bytes, 0 where the system does
// not tell.
func peak(t testing.TB) (bytes int64) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			if _, err := fmt.Sscanf(rest, "%d kB", &bytes); err != nil {
				t.Fatal(err)
			}
		}
	}
	return bytes << 10
}

func BenchmarkVerify(b *testing.B) {
	const n = 50_000
	name, genesis := growing(b, n)
	src, err := ledger.Dir(name)
	if err != nil {
		b.Fatal(err)
	}
	defer src.Close()
	for b.Loop() {
		if r := verify(b, src, ledger.Options{Genesis: genesis}); !r.OK {
			b.Fatal(r.Faults)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}
