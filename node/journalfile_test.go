package node_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// notes is a file of notes that a test closes and opens again.
type notes struct {
	testing.TB
	node.NoteFile
	dir string
	key crypto.Key
}

func newNotes(tb testing.TB) *notes {
	n := &notes{TB: tb, dir: filepath.Join(tb.TempDir(), "journal"), key: crypto.NewKey()}
	n.open(false)
	tb.Cleanup(func() { n.Close() })
	return n
}

func (n *notes) open(want bool) {
	n.Helper()
	f, found, err := node.OpenNoteFile(n.dir, n.key, 0)
	if err != nil || found != want {
		n.Fatalf("found %v, %v", found, err)
	}
	n.NoteFile = f
}

func (n *notes) reopen() {
	n.Helper()
	n.Close()
	n.open(true)
}

// text is the entry with a number, of some 2 kB.
func text(i uint64) []byte {
	return fmt.Appendf(nil, "note %d %s", i, strings.Repeat("Duplantier ", 200))
}

func (n *notes) add(count int) {
	n.Helper()
	for range count {
		if err := n.Note(text(n.Next())); err != nil {
			n.Fatal(err)
		}
	}
}

// holds checks that the entries from one number to another are there, and no more.
func (n *notes) holds(from, to uint64) {
	n.Helper()
	if n.Next() != to {
		n.Fatalf("%d entries, want %d", n.Next(), to)
	}
	for at := from; at < to; {
		got, err := n.Read(at, 10_000)
		if err != nil || len(got) == 0 {
			n.Fatalf("entry %d: %d, %v", at, len(got), err)
		}
		for _, b := range got {
			if !bytes.Equal(b, text(at)) {
				n.Fatalf("entry %d is %q", at, b)
			}
			at++
		}
	}
}

// last is the file that is written.
func (n *notes) last() string {
	n.Helper()
	files, err := filepath.Glob(filepath.Join(n.dir, "*.notes"))
	if err != nil || len(files) == 0 {
		n.Fatal(files, err)
	}
	return files[len(files)-1]
}

// TestNotesStay: what was noted is there after a start, over several files, and what
// stands in clear in them is nobody's word.
func TestNotesStay(t *testing.T) {
	n := newNotes(t)
	n.add(1200)
	files, _ := filepath.Glob(filepath.Join(n.dir, "*.notes"))
	if len(files) < 2 {
		t.Fatalf("%d files: the test notes too little", len(files))
	}
	n.holds(0, 1200)
	n.reopen()
	n.holds(0, 1200)
	n.add(1)
	n.reopen()
	n.holds(0, 1201)
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil || bytes.Contains(b, []byte("Duplantier")) {
			t.Errorf("%s: a name in clear, %v", filepath.Base(path), err)
		}
	}
	if err := n.Trim(1201); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(n.dir, "*.notes")); len(left) != 1 {
		t.Errorf("%d files are kept of what is recorded", len(left))
	}
	n.add(1200)
	n.reopen()
	if _, err := n.Read(0, 10); err == nil {
		t.Error("what was let go is read")
	}
	if n.Next() != 2401 {
		t.Errorf("%d entries", n.Next())
	}
}

// TestTornNote: of an entry that was cut off in the middle, which nobody was shown,
// nothing is left, wherever the cut is, and the next one takes its place.
func TestTornNote(t *testing.T) {
	n := newNotes(t)
	n.add(3)
	n.Close()
	path := n.last()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	size := 4 + int(binary.BigEndian.Uint32(whole)) // entries are of one size
	two, end := 2*size, 3*size
	for cut := two; cut < end; cut += 401 {
		torn := bytes.Clone(whole)
		clear(torn[cut:])
		if err := os.WriteFile(path, torn, 0o600); err != nil {
			t.Fatal(err)
		}
		n.open(true)
		n.holds(0, 2)
		n.add(2)
		n.reopen()
		n.holds(0, 4)
		n.Close()
	}
	// The file itself may be shorter, if the machine has lost its end.
	if err := os.WriteFile(path, whole[:two+5], 0o600); err != nil {
		t.Fatal(err)
	}
	n.open(true)
	n.holds(0, 2)
	n.add(1)
	n.reopen()
	n.holds(0, 3)
}

// TestAlteredNote: an entry that was altered, or stands in another's place, and what
// follows it, is not believed.
func TestAlteredNote(t *testing.T) {
	n := newNotes(t)
	n.add(3)
	n.Close()
	path := n.last()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	size := 4 + int(binary.BigEndian.Uint32(whole)) // entries are of one size
	end := 3 * size
	altered := bytes.Clone(whole)
	altered[size+20] ^= 1
	swapped := bytes.Clone(whole)
	copy(swapped[size:2*size], whole[2*size:end])
	copy(swapped[2*size:end], whole[size:2*size])
	for name, b := range map[string][]byte{"altered": altered, "swapped": swapped} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		n.open(true)
		if n.Next() != 1 {
			t.Errorf("%s: %d entries are believed", name, n.Next())
		}
		n.Close()
	}
}

// TestNotesTogether: many at once, each answered once its own is on the disk.
func TestNotesTogether(t *testing.T) {
	n := newNotes(t)
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			for j := range 20 {
				if err := n.Note(fmt.Appendf(nil, "%d %d", i, j)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	n.reopen()
	seen := map[string]bool{}
	for at := uint64(0); at < n.Next(); {
		got, err := n.Read(at, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range got {
			seen[string(b)] = true
		}
		at += uint64(len(got))
	}
	if len(seen) != 64*20 || n.Next() != 64*20 {
		t.Errorf("%d entries, %d different", n.Next(), len(seen))
	}
}

// TestNotesOnAFullDisk: on a disk without any room the space that was taken in advance
// still holds as many notes as fit, and then nothing is said to be noted that is not.
func TestNotesOnAFullDisk(t *testing.T) {
	n := newNotes(t)
	n.add(1)
	if err := os.Chmod(n.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	// What the disk would refuse is to make another file: a folder stands in its place.
	spare := filepath.Join(n.dir, "spare")
	count := uint64(1)
	for ; ; count++ {
		if _, err := os.Stat(spare); err != nil {
			if err := os.Mkdir(spare, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if err := n.Note(text(count)); err != nil {
			break
		}
		if count > 20_000 {
			t.Fatal("the disk is never full")
		}
	}
	if count < 800 {
		t.Errorf("%d notes fit into what was taken in advance", count)
	}
	n.holds(0, count)
	if err := os.Remove(spare); err != nil {
		t.Fatal(err)
	}
	n.add(1) // there is room again
	n.reopen()
	n.holds(0, count+1)
}

// BenchmarkNote is what noting adds to an answer, beside what the disk itself takes to
// write and wait.
func BenchmarkNote(b *testing.B) {
	b.Run("floor", func(b *testing.B) {
		f, err := os.OpenFile(filepath.Join(b.TempDir(), "floor"), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		f.Write(make([]byte, 1<<20))
		f.Sync()
		line := make([]byte, 300)
		for i := 0; b.Loop(); i++ {
			f.WriteAt(line, int64(i*300%(1<<19)))
			f.Sync()
		}
	})
	b.Run("one", func(b *testing.B) {
		n := newNotes(b)
		for b.Loop() {
			n.add(1)
			n.Trim(n.Next())
		}
	})
	b.Run("together", func(b *testing.B) {
		n := newNotes(b)
		b.SetParallelism(32)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := n.Note(text(0)); err != nil {
					b.Error(err)
				}
			}
		})
	})
}
