package store_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/when"
	"pgregory.net/rapid"
)

// key is the same at every call, so that a child process can open the store.
func key(label string) crypto.Key {
	k, err := crypto.KeyFromBytes(bytes.Repeat([]byte{7}, crypto.KeySize))
	if err != nil {
		panic(err)
	}
	return k.Derive(label)
}

func config(dir string) store.Config {
	return store.Config{Dir: dir, Values: key("values"), Skin: key("skin"), Dump: key("dump"), Logger: slog.New(slog.DiscardHandler)}
}

func open(t testing.TB, cfg store.Config) *store.Store {
	t.Helper()
	s, err := store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func update(t testing.TB, s *store.Store, f func(*store.Tx)) {
	t.Helper()
	if err := s.Update(func(tx *store.Tx) error { f(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

func view(t testing.TB, s *store.Store, f func(*store.Tx) error) {
	t.Helper()
	if err := s.View(f); err != nil {
		t.Fatal(err)
	}
}

func her(n int) ident.Beneficiary {
	return ident.Beneficiary{0x01, 0x9a, 6: 0x70, 8: 0x80, 13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)}
}

// canary would be read in clear by whoever has the disk.
const canary = "Zyxwvut-canary"

// record n has a box that says so.
func record(n int) people.Beneficiary {
	return people.Beneficiary{
		ID: her(n), Version: uint32(n), State: people.Active, Commune: canary[:5],
		Box: fmt.Appendf(nil, "%s %d %s", canary, n, strings.Repeat("x", 300)),
	}
}

// write commits records 1 to n, each with its number as the applied index, as
// the machine does.
func write(t testing.TB, s *store.Store, from, n int) {
	t.Helper()
	for i := from; i <= n; i++ {
		update(t, s, func(tx *store.Tx) {
			store.Beneficiaries.Put(tx, record(i))
			id := her(i)
			tx.AddRow(append([]byte("b"), id[:]...))
			tx.SetMeta("applied", uint64(i))
		})
	}
}

// honest fails if s serves anything but the records 1 to applied: an error is
// honest, a wrong, missing or surplus record is not.
func honest(s *store.Store) (applied int, err error) {
	return applied, s.View(func(tx *store.Tx) error {
		n, err := tx.Meta("applied")
		if err != nil {
			return err
		}
		applied = int(n)
		for i := 1; i <= applied; i++ {
			id := her(i)
			got, ok, err := store.Beneficiaries.Get(tx, id[:])
			if err != nil {
				return err
			}
			if !ok || !bytes.Equal(got.Box, record(i).Box) || got.Version != uint32(i) {
				return fmt.Errorf("LIE: record %d of %d is there: %v, %.40q", i, applied, ok, got.Box)
			}
		}
		seen := 0
		if err := store.Beneficiaries.Each(tx, nil, func(people.Beneficiary) bool { seen++; return true }); err != nil {
			return err
		}
		rows := 0
		if err := tx.EachRow([]byte("b"), nil, false, func([]byte) bool { rows++; return true }); err != nil {
			return err
		}
		if seen != applied || rows != applied {
			return fmt.Errorf("LIE: %d records and %d rows are listed of %d", seen, rows, applied)
		}
		return nil
	})
}

// TestMain lets the test run itself as a child that opens a damaged store:
// Badger panics on some damage in a goroutine of its own, and that must stop the
// child only.
func TestMain(m *testing.M) {
	dir := os.Getenv("BIPPOP_OPEN_DAMAGED")
	if dir == "" {
		os.Exit(m.Run())
	}
	s, err := store.Open(config(dir))
	if err != nil {
		fmt.Println("refused:", err)
		os.Exit(0)
	}
	applied, err := honest(s)
	fmt.Println("applied:", applied, err)
	os.Exit(0)
}

// inChild opens the store at dir in a process of its own.
func inChild(t *testing.T, dir string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "BIPPOP_OPEN_DAMAGED="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "stopped: " + strings.SplitN(string(out), "\n", 2)[0]
	}
	return string(out)
}

func copyDir(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// TestDamage flips a byte of every file, at many places, after a clean end and
// after a crash. Whatever is damaged, the store refuses to open, or answers
// ErrDamaged, or serves the state of an earlier index whole: never a wrong value
// and never a gap.
func TestDamage(t *testing.T) {
	places := 3
	if *long {
		places = 40
	}
	const records = 400
	whole, crashed := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "crashed")
	s := open(t, config(whole))
	write(t, s, 1, records/2)
	s.Close()
	s = open(t, config(whole))
	write(t, s, records/2+1, records)
	if err := s.Sync(); err != nil {
		t.Fatal(err)
	}
	copyDir(t, whole, crashed)
	s.Close()
	if got := inChild(t, crashed); got != fmt.Sprintf("applied: %d <nil>\n", records) {
		t.Fatalf("after a crash that lost nothing: %s", got)
	}
	answers := map[string]int{}
	for _, image := range []string{whole, crashed} {
		var files []string
		filepath.Walk(image, func(path string, info os.FileInfo, err error) error {
			if err == nil && info.Mode().IsRegular() && info.Size() > 0 {
				files = append(files, path)
			}
			return err
		})
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			used := len(bytes.TrimRight(b, "\x00")) // Badger's logs are mapped with room to grow
			if used == 0 {
				continue
			}
			n := places
			if filepath.Ext(file) == ".sst" {
				n *= 3
			}
			for i := range n {
				at := i * (used - 1) / max(1, n/2)
				if i >= n/2 {
					at = used - 1 - (i-n/2)*5 // the end of a table is where its index is
				}
				if at < 0 {
					continue
				}
				dir := filepath.Join(t.TempDir(), "damaged")
				copyDir(t, image, dir)
				name, _ := filepath.Rel(image, file)
				bad := bytes.Clone(b)
				bad[at] ^= 0x41
				if err := os.WriteFile(filepath.Join(dir, name), bad, 0o600); err != nil {
					t.Fatal(err)
				}
				got := inChild(t, dir)
				os.RemoveAll(dir)
				verdict, _, _ := strings.Cut(got, ":")
				answers[filepath.Ext(file)+" "+verdict]++
				switch {
				case strings.Contains(got, "LIE"), strings.Contains(got, canary):
					t.Errorf("%s, byte %d of %d: %s", filepath.Join(filepath.Base(image), name), at, used, got)
				case strings.HasPrefix(got, "stopped"):
					t.Errorf("%s, byte %d of %d: the process falls: %s", filepath.Join(filepath.Base(image), name), at, used, got)
				}
			}
		}
	}
	t.Log(answers)
}

func TestKeys(t *testing.T) {
	dir := t.TempDir()
	s := open(t, config(dir))
	write(t, s, 1, 3)
	if again, err := store.Open(config(dir)); err == nil || !strings.Contains(err.Error(), "another bippop process") {
		t.Errorf("opened twice: %v, %v", again, err)
	}
	if got := inChild(t, dir); !strings.Contains(got, "another bippop process") {
		t.Errorf("opened in another process: %s", got)
	}
	s.Close()
	for name, change := range map[string]func(*store.Config){
		"skin":   func(c *store.Config) { c.Skin = key("other") },
		"values": func(c *store.Config) { c.Values = key("other") },
	} {
		cfg := config(dir)
		change(&cfg)
		_, err := store.Open(cfg)
		if !errors.Is(err, store.ErrWrongKey) || !strings.Contains(err.Error(), "use the vault") {
			t.Errorf("%s key of another vault: %v", name, err)
		}
	}
	s = open(t, config(dir)) // nothing was harmed
	if n, err := honest(s); n != 3 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

func TestNoWordInClear(t *testing.T) {
	dir := t.TempDir()
	s := open(t, config(dir))
	write(t, s, 1, 200)
	var dump bytes.Buffer
	if err := s.Dump(&dump); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(dump.Bytes(), []byte(canary[:5])) {
		t.Error("the dump shows a word")
	}
	look := func(state string) {
		files := 0
		filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
			if err != nil || !info.Mode().IsRegular() {
				return err
			}
			files++
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			id := her(100)
			for name, word := range map[string][]byte{"word": []byte(canary[:5]), "ID": id[:]} {
				if bytes.Contains(b, word) {
					t.Errorf("%s shows a %s (%s)", path, name, state)
				}
			}
			if info.Mode().Perm()&0o077 != 0 && !strings.HasSuffix(path, ".mem") {
				t.Logf("%s has mode %v", path, info.Mode())
			}
			return nil
		})
		if files < 4 {
			t.Errorf("only %d files were looked at", files)
		}
	}
	look("open")
	s.Close()
	look("closed")
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Logf("folder: %v, %v", info.Mode(), err)
	}
}

func TestDumpAndLoad(t *testing.T) {
	from := open(t, config(t.TempDir()))
	write(t, from, 1, 300)
	var dump bytes.Buffer
	if err := from.Dump(&dump); err != nil {
		t.Fatal(err)
	}
	cfg := config(t.TempDir())
	cfg.Values, cfg.Skin = key("values of another replica"), key("skin of another replica")
	to := open(t, cfg)
	write(t, to, 1, 20)
	intact := func(what string, want int) {
		t.Helper()
		if n, err := honest(to); n != want || err != nil {
			t.Errorf("%s: %d, %v; want %d", what, n, err, want)
		}
	}
	frames := cut(dump.Bytes())
	if len(frames) < 3 {
		t.Fatalf("%d frames", len(frames))
	}
	other := cfg
	other.Dir, other.Dump = t.TempDir(), key("another territory")
	foreign := open(t, other)
	write(t, foreign, 1, 20)
	var alien bytes.Buffer
	if err := foreign.Dump(&alien); err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(dump.Bytes())
	flipped[len(flipped)/2] ^= 1
	for name, bad := range map[string][]byte{
		"empty": nil, "cut in a frame": dump.Bytes()[:dump.Len()-1], "cut in a length": dump.Bytes()[:2],
		"without its last frame": slices.Concat(frames[:len(frames)-1]...),
		"without its first":      slices.Concat(frames[1:]...),
		"shuffled":               slices.Concat(append([][]byte{frames[1], frames[0]}, frames[2:]...)...),
		"frame twice":            slices.Concat(append([][]byte{frames[0], frames[0]}, frames[1:]...)...),
		"last frame first":       frames[len(frames)-1],
		"altered":                flipped, "of another territory": alien.Bytes(),
		"huge length": {0xff, 0xff, 0xff, 0xff, 0}, "text": []byte("this is not a copy of anything"),
	} {
		if err := to.Load(bytes.NewReader(bad)); !errors.Is(err, store.ErrDump) {
			t.Errorf("%s: %v", name, err)
		}
		intact(name, 20)
	}
	// A length is not believed before its bytes are there.
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	to.Load(bytes.NewReader([]byte{0xff, 0xff, 0xff, 0xff, 0}))
	if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > 1<<30 {
		t.Errorf("four bytes made us take %d MB", (after.TotalAlloc-before.TotalAlloc)>>20)
	}
	if err := to.Load(bytes.NewReader(dump.Bytes())); err != nil {
		t.Fatal(err)
	}
	intact("loaded", 300)
	write(t, to, 301, 305)
	to.Close()
	to = open(t, cfg)
	intact("opened again", 305)

	// A crash between the two renames: the copy is there, the old state is gone or
	// not, and the next start finishes.
	to.Close()
	for _, gone := range []bool{true, false} {
		old, ready := filepath.Join(cfg.Dir, "records"), filepath.Join(cfg.Dir, "records.ready")
		if gone {
			if err := os.Rename(old, ready); err != nil {
				t.Fatal(err)
			}
		} else {
			copyDir(t, old, ready)
			if err := os.WriteFile(filepath.Join(old, "MANIFEST"), []byte("half removed"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		to = open(t, cfg)
		intact("after a crash in Load", 305)
		to.Close()
		if _, err := os.Stat(ready); !errors.Is(err, os.ErrNotExist) {
			t.Error("records.ready is still there")
		}
	}
}

// cut splits a dump into its frames.
func cut(b []byte) (frames [][]byte) {
	for len(b) > 0 {
		n := 4 + int(binary.BigEndian.Uint32(b))
		frames = append(frames, b[:n])
		b = b[n:]
	}
	return frames
}

func TestErrorEndsTransaction(t *testing.T) {
	s := open(t, config(t.TempDir()))
	boom := errors.New("boom")
	err := s.Update(func(tx *store.Tx) error {
		store.Beneficiaries.Put(tx, record(1))
		return boom
	})
	if !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
	if n, err := honest(s); n != 0 || err != nil {
		t.Errorf("a failed transaction left %d, %v", n, err)
	}
	defer func() {
		if recover() == nil {
			t.Error("a read transaction wrote")
		}
	}()
	s.View(func(tx *store.Tx) error { store.Beneficiaries.Put(tx, record(1)); return nil })
}

// TestPaging: walking in pages, from any place and in both directions, sees
// every row once and in order.
func TestPaging(t *testing.T) {
	if *long {
		rapidChecks("3000")
	}
	s := open(t, config(t.TempDir()))
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfDistinct(rapid.Custom(func(t *rapid.T) string {
			return rapid.SampledFrom([]string{"", "a", "b", "\x00", "\xff", "\xff\xff"}).Draw(t, "prefix") +
				string(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 'a', 'b', 0xfe, 0xff}), 0, 4).Draw(t, "rest"))
		}), rapid.ID[string]).Draw(t, "rows")
		prefix := rapid.SampledFrom([]string{"", "a", "b", "\xff"}).Draw(t, "under")
		page := rapid.IntRange(1, 4).Draw(t, "page")
		reverse := rapid.Bool().Draw(t, "reverse")
		if err := s.DropViews(); err != nil {
			t.Fatal(err)
		}
		if err := s.Update(func(tx *store.Tx) error {
			for _, r := range rows {
				tx.AddRow([]byte(r))
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		var want, got []string
		for _, r := range rows {
			if strings.HasPrefix(r, prefix) {
				want = append(want, r)
			}
		}
		slices.Sort(want)
		if reverse {
			slices.Reverse(want)
		}
		var from []byte
		for more := true; more; {
			more = false
			n := 0
			err := s.View(func(tx *store.Tx) error {
				return tx.EachRow([]byte(prefix), from, reverse, func(row []byte) bool {
					if reverse && from != nil && bytes.Equal(row, from) {
						return true // a reversed page begins with the last row of the one before
					}
					if n == page {
						more = true
						return false
					}
					n++
					got = append(got, string(row))
					return true
				})
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(got) > 0 {
				from = []byte(got[len(got)-1])
				if !reverse {
					from = append(from, 0)
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

func TestEach(t *testing.T) {
	s := open(t, config(t.TempDir()))
	write(t, s, 1, 25)
	var got []int
	var after []byte
	for {
		n := 0
		view(t, s, func(tx *store.Tx) error {
			return store.Beneficiaries.Each(tx, after, func(b people.Beneficiary) bool {
				got = append(got, int(b.Version))
				after = slices.Clone(b.ID[:])
				n++
				return n < 10
			})
		})
		if n == 0 {
			break
		}
	}
	for i, n := range got {
		if n != i+1 {
			t.Fatalf("got %v", got)
		}
	}
	if len(got) != 25 {
		t.Errorf("%d records, want 25", len(got))
	}
	view(t, s, func(tx *store.Tx) error {
		return store.Volunteers.Each(tx, nil, func(people.Volunteer) bool { t.Error("a beneficiary is read as a volunteer"); return true })
	})
}

func TestHistory(t *testing.T) {
	s := open(t, config(t.TempDir()))
	a, b := her(1), her(2)
	update(t, s, func(tx *store.Tx) {
		for _, v := range []uint32{300, 1, 256, 2} {
			tx.AddHistory(1, a[:], store.History{Version: v, At: when.At(v)})
		}
		tx.AddHistory(1, b[:], store.History{Version: 7})
		tx.AddHistory(2, a[:], store.History{Version: 8})
	})
	var got []uint32
	view(t, s, func(tx *store.Tx) error {
		return tx.EachHistory(1, a[:], func(h store.History) { got = append(got, h.Version) })
	})
	if !slices.Equal(got, []uint32{1, 2, 256, 300}) {
		t.Errorf("got %v", got)
	}
}

func TestSweepReplays(t *testing.T) {
	s := open(t, config(t.TempDir()))
	by, other := ident.Account{1}, ident.Account{2}
	update(t, s, func(tx *store.Tx) {
		for i := range 10 {
			tx.PutReplay(by, strconv.Itoa(i), store.Replay{At: when.At(i), Index: uint64(i)})
		}
		tx.PutReplay(other, "0", store.Replay{At: 100, Index: 100})
	})
	left := func() (n int) {
		view(t, s, func(tx *store.Tx) error {
			for i := range 10 {
				r, ok, err := tx.Replay(by, strconv.Itoa(i))
				if err != nil || ok && r.Index != uint64(i) {
					t.Errorf("%+v, %v", r, err)
				}
				if ok {
					n++
				}
			}
			if r, ok, err := tx.Replay(other, "0"); !ok || r.Index != 100 || err != nil {
				t.Errorf("another's key: %+v, %v, %v", r, ok, err)
			}
			return nil
		})
		return n
	}
	for _, c := range []struct {
		before when.At
		limit  int
		want   int
	}{{0, 100, 10}, {5, 2, 8}, {5, 100, 5}, {5, 100, 5}, {5, 3, 5}, {100, 3, 3}, {100, 100, 3}, {100, 100, 0}} { // the last but one ends the round that {5, 3} began
		update(t, s, func(tx *store.Tx) {
			if err := tx.SweepReplays(c.before, c.limit); err != nil {
				t.Error(err)
			}
		})
		if got := left(); got != c.want {
			t.Errorf("before %d, at most %d: %d left, want %d", c.before, c.limit, got, c.want)
		}
	}
}

func TestCounters(t *testing.T) {
	s := open(t, config(t.TempDir()))
	a := public.Cell{Indicator: public.Found, Month: public.MonthOf(2026, 11), Commune: public.Commune([]byte("33352")), Category: public.Visit}
	b := a
	b.Indicator = public.Requested
	later := a
	later.Month++
	update(t, s, func(tx *store.Tx) {
		for _, c := range []struct {
			cell public.Cell
			n    uint64
		}{{a, 2}, {b, 5}, {later, 9}, {a, 1}} {
			if err := tx.Count(c.cell, c.n); err != nil {
				t.Error(err)
			}
		}
		for _, c := range []struct {
			cell    public.Cell
			n, want uint64
		}{{b, 4, 4}, {later, 100, 9}, {later, 1, 0}} {
			if taken, err := tx.Uncount(c.cell, c.n); taken != c.want || err != nil {
				t.Errorf("took %d of %d, want %d (%v)", taken, c.n, c.want, err)
			}
		}
	})
	var got []string
	view(t, s, func(tx *store.Tx) error {
		if n, err := tx.Counter(later); n != 0 || err != nil {
			t.Errorf("a counter fell below zero: %d, %v", n, err)
		}
		return tx.EachCounter(a.Month, func(c public.Cell, n uint64) { got = append(got, fmt.Sprint(c.Indicator, " ", n)) })
	})
	if !slices.Equal(got, []string{"1 1", "2 3"}) {
		t.Errorf("got %v", got)
	}
}

func TestSlots(t *testing.T) {
	s := open(t, config(t.TempDir()))
	update(t, s, func(tx *store.Tx) { tx.PutTreeLeaf(crypto.Leaf{Slot: 7}) })
	view(t, s, func(tx *store.Tx) error {
		for slot, want := range map[uint32]bool{6: false, 7: true, 8: false, 7 << 8: false} {
			if got, err := store.SlotTaken(tx, slot); got != want || err != nil {
				t.Errorf("slot %d: %v, %v", slot, got, err)
			}
		}
		_, err := tx.TreeNode(0, 0)
		if !errors.Is(err, crypto.ErrNoNode) {
			t.Errorf("got %v", err)
		}
		return nil
	})
}

// TestFormat: a folder of a younger program is not touched.
func TestFormat(t *testing.T) {
	cfg := config(t.TempDir())
	s := open(t, cfg)
	update(t, s, func(tx *store.Tx) { tx.SetMeta("format", 99) })
	s.Close()
	if _, err := store.Open(cfg); err == nil || !strings.Contains(err.Error(), "format 99") {
		t.Errorf("got %v", err)
	}
}

// TestKept: records that stay in memory are those of the reader's own state: as
// they were for who began before a change, as they are for who began after it, and
// as they will be for the writer.
func TestKept(t *testing.T) {
	s := open(t, config(t.TempDir()))
	id := ident.Account{1}
	login := func(tx *store.Tx) string {
		a, ok, err := store.Accounts.Get(tx, id[:])
		if err != nil {
			t.Error(err)
		}
		if !ok {
			return ""
		}
		return a.Login
	}
	now := func() (text string) {
		view(t, s, func(tx *store.Tx) error { text = login(tx); return nil })
		return text
	}
	if got := now(); got != "" {
		t.Errorf("before there is one: %q", got)
	}
	for _, next := range []string{"a", "b", "c"} {
		before := now()
		view(t, s, func(old *store.Tx) error {
			update(t, s, func(tx *store.Tx) {
				store.Accounts.Put(tx, account.Account{ID: id, Login: next})
				if got := login(tx); got != next {
					t.Errorf("the writer reads %q, wrote %q", got, next)
				}
			})
			if got := login(old); got != before {
				t.Errorf("who began before reads %q, want %q", got, before)
			}
			return nil
		})
		for range 2 {
			if got := now(); got != next {
				t.Errorf("got %q, want %q", got, next)
			}
		}
	}
	update(t, s, func(tx *store.Tx) { login(tx) })
	failed := errors.New("not committed")
	if err := s.Update(func(tx *store.Tx) error {
		store.Accounts.Delete(tx, id[:])
		return failed
	}); err != failed {
		t.Error(err)
	}
	if got := now(); got != "c" {
		t.Errorf("after a change that was not committed: %q", got)
	}
	update(t, s, func(tx *store.Tx) { store.Accounts.Delete(tx, id[:]) })
	if got := now(); got != "" {
		t.Errorf("after it was removed: %q", got)
	}
}

// TestKeptLeaf: a leaf that is remembered is the one in force for whoever begins to
// read now, and nobody reads one that was dropped.
func TestKeptLeaf(t *testing.T) {
	s := open(t, config(t.TempDir()))
	now := func() (box string, err error) {
		err = s.View(func(tx *store.Tx) error {
			l, err := tx.TreeLeaf(7)
			box = string(l.Box)
			return err
		})
		return box, err
	}
	for _, box := range []string{"first", "again"} {
		update(t, s, func(tx *store.Tx) { tx.PutTreeLeaf(crypto.Leaf{Slot: 7, Box: []byte(box)}) })
		for range 2 {
			if got, err := now(); got != box || err != nil {
				t.Errorf("got %q, %v; want %q", got, err, box)
			}
		}
	}
	view(t, s, func(old *store.Tx) error {
		update(t, s, func(tx *store.Tx) { tx.DropLeaf(7) })
		if l, err := old.TreeLeaf(7); string(l.Box) != "again" || err != nil {
			t.Errorf("who began before finds %q, %v", l.Box, err)
		}
		return nil
	})
	if _, err := now(); !errors.Is(err, crypto.ErrNoLeaf) {
		t.Errorf("a leaf that was dropped: %v", err)
	}
}

// TestKeptOfACopy: what was kept of the state before is gone when a copy is loaded.
func TestKeptOfACopy(t *testing.T) {
	cfg := config(t.TempDir())
	s, id := open(t, cfg), ident.Account{1}
	put := func(login string) {
		update(t, s, func(tx *store.Tx) {
			store.Accounts.Put(tx, account.Account{ID: id, Login: login})
			tx.SetMeta("n", uint64(len(login)))
		})
	}
	put("first")
	var copied bytes.Buffer
	if err := s.Dump(&copied); err != nil {
		t.Fatal(err)
	}
	put("second")
	check := func(tx *store.Tx, want string) {
		a, _, err := store.Accounts.Get(tx, id[:])
		n, err2 := tx.Meta("n")
		if err := errors.Join(err, err2); err != nil || a.Login != want || n != uint64(len(want)) {
			t.Errorf("got %q and %d, %v; want %q", a.Login, n, err, want)
		}
	}
	update(t, s, func(tx *store.Tx) { check(tx, "second") })
	if err := s.Load(&copied); err != nil {
		t.Fatal(err)
	}
	update(t, s, func(tx *store.Tx) { check(tx, "first") })
	view(t, s, func(tx *store.Tx) error { check(tx, "first"); return nil })
}
