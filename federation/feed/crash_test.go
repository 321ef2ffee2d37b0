package feed_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/bippop/bippop/federation/feed"
)

var errPower = errors.New("the current is gone")

// lossy is a disk that keeps after a power cut what was synced, and of the rest what
// chance leaves of it: each write whole, in part or not at all, names old or new.
type lossy struct {
	left  int // operations until the cut
	r     *rand.Rand
	files map[string]*inode // as programs see them
	kept  map[string]*inode // as the folder on the platter has them
	names []func()          // changes of kept that are not synced
}

// forever is more operations than a test makes: no cut comes.
const forever = 1 << 30

type inode struct {
	now, synced []byte
	since       []func([]byte) []byte // what happened after the last sync
}

// newLossy takes over what lies in a folder.
func newLossy(t *testing.T, dir string, left int, r *rand.Rand) *lossy {
	d := &lossy{left: left, r: r, files: map[string]*inode{}, kept: map[string]*inode{}}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		path := filepath.Join(dir, f.Name())
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		n := &inode{now: b, synced: slices.Clone(b)}
		d.files[path], d.kept[path] = n, n
	}
	return d
}

// step counts an operation; the one during which the current goes may still leave
// traces.
func (d *lossy) step() error {
	d.left--
	if d.left < 0 {
		return errPower
	}
	return nil
}

func (d *lossy) change(path string, f func([]byte) []byte) error {
	if d.left < 0 {
		return errPower
	}
	n, ok := d.files[path]
	if !ok {
		n = &inode{}
		d.files[path] = n
		d.names = append(d.names, func() { d.kept[path] = n })
	}
	n.since = append(n.since, f)
	n.now = f(n.now)
	if err := d.step(); err != nil {
		return err
	}
	return os.WriteFile(path, n.now, 0o600)
}

func put(old, b []byte, at int64) []byte {
	out := make([]byte, max(len(old), int(at)+len(b)))
	copy(out, old)
	copy(out[at:], b)
	return out
}

func (d *lossy) Write(path string, b []byte, at int64) error {
	b = slices.Clone(b)
	return d.change(path, func(old []byte) []byte { return put(old, b, at) })
}

func (d *lossy) Truncate(path string, size int64) error {
	return d.change(path, func(old []byte) []byte { return put(nil, old, 0)[:min(int(size), len(old))] })
}

func (d *lossy) Sync(path string) error {
	if err := d.step(); err != nil {
		return err
	}
	n := d.files[path]
	n.synced, n.since = slices.Clone(n.now), nil
	return nil
}

func (d *lossy) Rename(from, to string) error {
	if d.left < 0 {
		return errPower
	}
	n := d.files[from]
	delete(d.files, from)
	d.files[to] = n
	d.names = append(d.names, func() { delete(d.kept, from); d.kept[to] = n })
	if err := d.step(); err != nil {
		return err
	}
	return os.Rename(from, to)
}

func (d *lossy) SyncDir(string) error {
	if err := d.step(); err != nil {
		return err
	}
	for _, f := range d.names {
		f()
	}
	d.names = nil
	return nil
}

// platter puts into the folder what the cut has left.
func (d *lossy) platter(t *testing.T, dir string) {
	t.Helper()
	for _, f := range d.names {
		if d.r.IntN(2) == 0 {
			f()
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for path, n := range d.kept {
		b := n.synced
		for _, f := range n.since {
			switch after := f(b); d.r.IntN(3) {
			case 0: // lost
			case 1:
				b = after
			case 2: // torn: the length may have come without the bytes
				torn := slices.Clone(b)
				if n := len(after) - len(b); n > 0 {
					torn = append(torn, make([]byte, d.r.IntN(n+1))...)
				}
				copy(torn, after[:min(len(torn), d.r.IntN(len(after)+1))])
				b = torn
			}
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// same checks that a copy is the writer's feed up to one of its heads.
func same(t interface {
	Helper()
	Fatalf(string, ...any)
}, c *feed.Copy, entries [][]byte) {
	t.Helper()
	h := c.Head()
	if h.Size > int64(len(entries)) || h != headOf(entries[:h.Size]) {
		t.Fatalf("the copy has another head than the writer at size %d", h.Size)
	}
	n := int64(0)
	if err := c.Entries(0, h.Size, func(i int64, b []byte) error {
		if i != n || string(b) != string(entries[i]) {
			return fmt.Errorf("entry %d differs", i)
		}
		n++
		return nil
	}); err != nil || n != h.Size {
		t.Fatalf("after %d of %d entries: %v", n, h.Size, err)
	}
}

// TestCrash cuts the current at every operation on the disk: the copy is then as it
// was before the append under way or as it is after it, and takes what is missing.
func TestCrash(t *testing.T) {
	origin := feed.EgressOrigin(siren, 1)
	who := newCast(origin)
	entries := some(0, 300)
	type step struct {
		from, to int
		by       []feed.Signer
	}
	r0, r1, w0, w1 := who.replicas[0], who.replicas[1], who.witnesses[0], who.witnesses[1]
	steps := []step{
		{0, 1, []feed.Signer{r0, r1}}, {1, 1, []feed.Signer{w0, w1}}, {1, 4, []feed.Signer{r0, r1, w0}},
		{4, 260, []feed.Signer{r0, r1, w0, w1}}, {260, 260, []feed.Signer{who.replicas[2]}}, {260, 300, []feed.Signer{r0}},
	}
	var points []feed.Checkpoint
	for _, s := range steps {
		points = append(points, sign(t, origin, headOf(entries[:s.to]), noon, s.by...))
	}
	tries := 2
	if *long {
		tries = 200
	}
	cuts := 0
	for try := range tries {
		for cut := 0; ; cut++ {
			dir := filepath.Join(t.TempDir(), "feed")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(uint64(try), uint64(cut)))
			d := newLossy(t, dir, cut, r)
			c, err := feed.OpenCopyOn(dir, origin, d)
			if err != nil {
				t.Fatal(err)
			}
			done, last := 0, c.Checkpoint()
			for ; done < len(steps) && err == nil; done++ {
				if err = c.Append(entries[steps[done].from:steps[done].to], points[done]); err == nil {
					last = c.Checkpoint()
				}
			}
			whole := err == nil
			if !whole {
				done--
			}
			d.platter(t, dir)
			c, err = feed.OpenCopyOn(dir, origin, newLossy(t, dir, forever, r))
			if err != nil {
				t.Fatalf("try %d, cut after %d operations: %v", try, cut, err)
			}
			same(t, c, entries)
			size := c.Head().Size
			if size != last.Head.Size && (whole || size != int64(steps[done].to)) {
				t.Fatalf("try %d, cut after %d operations: size %d, neither before the append nor after it", try, cut, size)
			}
			if whole && string(c.Checkpoint().Signed) != string(last.Signed) {
				t.Fatalf("try %d: the checkpoint of an append that had ended is gone", try)
			}
			for ; done < len(steps); done++ {
				if err := c.Append(entries[c.Head().Size:steps[done].to], points[done]); err != nil {
					t.Fatalf("try %d, cut after %d operations, then: %v", try, cut, err)
				}
			}
			if same(t, c, entries); c.Head().Size != 300 {
				t.Fatalf("it ends at size %d", c.Head().Size)
			}
			if whole {
				break
			}
			cuts++
		}
	}
	if cuts < 40*tries {
		t.Errorf("only %d cuts: the test looks in the wrong place", cuts)
	}
}

// TestCopyLaw: whatever the batches, the cuts and the attempts to append something
// else, a copy is a beginning of the writer's feed, and what was durable stays.
func TestCopyLaw(t *testing.T) {
	origin := feed.RosterOrigin([32]byte{1, 2})
	who := newCast(origin)
	entries := some(0, 600)
	rapid.Check(t, func(rt *rapid.T) {
		dir := filepath.Join(t.TempDir(), "feed")
		if err := os.Mkdir(dir, 0o700); err != nil {
			rt.Fatal(err)
		}
		c, err := feed.OpenCopyOn(dir, origin, newLossy(t, dir, forever, nil))
		if err != nil {
			rt.Fatal(err)
		}
		for range rapid.IntRange(1, 8).Draw(rt, "steps") {
			size := c.Head().Size
			to := rapid.Int64Range(size, min(600, size+rapid.SampledFrom([]int64{1, 3, 300}).Draw(rt, "batch"))).Draw(rt, "to")
			batch, point := entries[size:to], sign(t, origin, headOf(entries[:to]), noon, who.replicas[0])
			switch rapid.IntRange(0, 4).Draw(rt, "what") {
			case 0: // something else, under another signed head
				other := append(slices.Clone(entries[:size]), []byte("other"))
				if err := c.Append(entries[size:min(600, size+1)], sign(t, origin, headOf(other), noon, who.replicas[0])); err == nil {
					rt.Fatal("entries were taken that do not lead to the root")
				}
			case 1: // the current goes
				r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "chance"), 0))
				d := newLossy(t, dir, rapid.IntRange(0, 12).Draw(rt, "left"), r)
				if c, err = feed.OpenCopyOn(dir, origin, d); err != nil {
					rt.Fatal(err)
				}
				err := c.Append(batch, point)
				d.platter(t, dir)
				var reopened error
				if c, reopened = feed.OpenCopyOn(dir, origin, newLossy(t, dir, forever, nil)); reopened != nil {
					rt.Fatalf("after a cut: %v", reopened)
				}
				if got := c.Head().Size; got != to && (err == nil || got != size) {
					rt.Fatalf("size %d after a cut between %d and %d", got, size, to)
				}
			default:
				if err := c.Append(batch, point); err != nil {
					rt.Fatal(err)
				}
			}
			same(rt, c, entries)
		}
	})
}

// TestLeftovers: what lies behind the checkpoint is of an append that was cut off. It
// is cut off, and what is missing before it is said to be damage.
func TestLeftovers(t *testing.T) {
	origin := feed.EgressOrigin(siren, 1)
	who := newCast(origin)
	entries := some(0, 40)
	dir := t.TempDir()
	c, err := feed.OpenCopy(dir, origin)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Append(entries[:20], who.settle(t, headOf(entries[:20]))); err != nil {
		t.Fatal(err)
	}
	sizes := map[string]int64{}
	for _, name := range []string{"entries", "ends", "hashes"} {
		path := filepath.Join(dir, name)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sizes[name] = int64(len(b))
		if err := os.WriteFile(path, append(b, make([]byte, 5000)...), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "checkpoint.next"), make([]byte, 5000), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err = feed.OpenCopy(dir, origin); err != nil {
		t.Fatal(err)
	}
	for name, want := range sizes {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() != want {
			t.Errorf("%s has %d bytes after opening, not %d: %v", name, info.Size(), want, err)
		}
	}
	if err := c.Append(entries[20:], who.settle(t, headOf(entries))); err != nil {
		t.Fatal(err)
	}
	if c, err = feed.OpenCopy(dir, origin); err != nil {
		t.Fatal(err)
	}
	same(t, c, entries)
	if _, err := feed.OpenCopy(dir, feed.EgressOrigin(siren, 2)); !errors.Is(err, feed.ErrCheckpoint) {
		t.Errorf("the folder of another feed opens: %v", err)
	}
	for name := range sizes {
		path := filepath.Join(dir, name)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b[:len(b)-1], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := feed.OpenCopy(dir, origin); !errors.Is(err, feed.ErrDamaged) {
			t.Errorf("%s lacks its last byte, and the copy opens: %v", name, err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// A byte that turns on the disk is not passed on.
	path := filepath.Join(dir, "entries")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Entries(39, 40, func(int64, []byte) error { return nil }); !errors.Is(err, feed.ErrDamaged) {
		t.Errorf("an entry that has turned is read: %v", err)
	}
}

// TestTogether: while one appends, others read, and what they read is the feed. Run it
// with -race.
func TestTogether(t *testing.T) {
	origin := feed.EgressOrigin(siren, 1)
	who := newCast(origin)
	entries := some(0, 400)
	c, err := feed.OpenCopy(t.TempDir(), origin)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	stop := make(chan struct{})
	for range 3 {
		go func() {
			for {
				select {
				case <-stop:
					done <- nil
					return
				default:
				}
				point := c.Checkpoint()
				if point.Head.Size == 0 {
					continue
				}
				n := int64(0)
				if err := c.Entries(0, point.Head.Size, func(i int64, b []byte) error {
					n++
					if string(b) != string(entries[i]) {
						return fmt.Errorf("entry %d differs", i)
					}
					return nil
				}); err != nil || n != point.Head.Size {
					done <- fmt.Errorf("%d of %d entries: %w", n, point.Head.Size, err)
					return
				}
				if err := who.policy.Settled(point); err != nil {
					done <- err
					return
				}
			}
		}()
	}
	for at := 0; at < len(entries); at += 25 {
		if err := c.Append(entries[at:at+25], who.settle(t, headOf(entries[:at+25]))); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	for range 3 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
