package store_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/erasure"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/journal"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/replica"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/dgraph-io/badger/v4"
)

// wrapped would be a key in clear hands.
const wrapped = "Zyxwvut-wrapped-key"

// town fills a store as the machine does: the leaf in the tree, its name in the
// record.
func town(t testing.TB, s *store.Store, n int) {
	t.Helper()
	write(t, s, 1, n)
	update(t, s, func(tx *store.Tx) {
		tx.PutTreeNode(crypto.TreeNode{ID: crypto.KeyID{1}, Parent: crypto.KeyID{9}, Box: []byte(wrapped)})
		for i := 1; i <= n; i++ {
			r := record(i)
			r.Leaf = crypto.Leaf{Slot: uint32(i), ID: crypto.KeyID{2, byte(i)}}
			store.Beneficiaries.Put(tx, r)
			tx.PutTreeLeaf(crypto.Leaf{Slot: uint32(i), ID: r.Leaf.ID, Parent: crypto.KeyID{1}, Box: []byte(wrapped)})
		}
		tx.SetMeta("slots", uint64(n)+1)
		store.Replicas.Put(tx, replica.Replica{ID: ident.Replica{1}, Name: "replica-1"})
		store.Invitations.Put(tx, replica.Invitation{ID: ident.Invitation{1}})
		store.Erasures.Put(tx, erasure.Erasure{ID: ident.Erasure{1}, Order: 1})
		store.Sessions.Put(tx, account.Session{ID: account.SessionID{1}})
		tx.PutReplay(ident.Account{1}, "key", store.Replay{Index: 7, At: 1})
	})
}

func parts(t testing.TB, s *store.Store) (records, keys []byte) {
	t.Helper()
	var r, k bytes.Buffer
	if err := errors.Join(s.DumpRecords(&r), s.DumpKeys(&k)); err != nil {
		t.Fatal(err)
	}
	return r.Bytes(), k.Bytes()
}

func nothing(*store.Store) error { return nil }

// TestParts: an older records part and the newest keys part give back the records
// of the one and the keys of the other, and nothing of the former life.
func TestParts(t *testing.T) {
	s := open(t, config(t.TempDir()))
	town(t, s, 300)
	records, _ := parts(t, s)
	if bytes.Contains(records, []byte(wrapped)) || !bytes.Contains(records, []byte(canary)) {
		t.Error("the records part holds a key, or no records")
	}
	update(t, s, func(tx *store.Tx) {
		tx.DropLeaf(7)
		tx.PutTreeLeaf(crypto.Leaf{Slot: 400, ID: crypto.KeyID{4}, Box: []byte(wrapped)})
		store.Erasures.Put(tx, erasure.Erasure{ID: ident.Erasure{1}, Order: 2})
	})
	_, keys := parts(t, s)
	if !bytes.Contains(keys, []byte(wrapped)) || bytes.Contains(keys, []byte(canary)) {
		t.Error("the keys part holds no key, or people's records")
	}
	if err := errors.Join(store.VerifyRecords(bytes.NewReader(records)), store.VerifyKeys(bytes.NewReader(keys))); err != nil {
		t.Error(err)
	}
	cfg := config(t.TempDir())
	cfg.Values, cfg.Skin = key("another values"), key("another skin") // another machine
	fresh := open(t, cfg)
	seen := false
	err := fresh.LoadParts(bytes.NewReader(records), bytes.NewReader(keys), func(s *store.Store) error {
		seen = true
		return s.View(func(tx *store.Tx) error { _, err := tx.TreeNode(0, 0); return err })
	})
	if err != nil || !seen {
		t.Fatal(err, seen)
	}
	view(t, fresh, func(tx *store.Tx) error {
		count := 0
		store.Beneficiaries.Each(tx, nil, func(people.Beneficiary) bool { count++; return true })
		_, gone := tx.TreeLeaf(7)
		here, err := tx.TreeLeaf(8)
		taken, _ := store.SlotTaken(tx, 7)
		if count != 300 || !errors.Is(gone, crypto.ErrNoLeaf) || err != nil || string(here.Box) != wrapped || !taken {
			t.Errorf("%d people; %v, %v, %v", count, gone, err, taken)
		}
		applied, _ := tx.Meta("applied")
		slots, _ := tx.Meta("slots")
		e, _, _ := store.Erasures.Get(tx, []byte{0: 1, 15: 0})
		if applied != 0 || slots != 401 || e.Order != 2 {
			t.Errorf("applied %d, %d slots, erasure %+v", applied, slots, e)
		}
		_, r, _ := store.Replicas.Get(tx, []byte{0: 1, 15: 0})
		_, i, _ := store.Invitations.Get(tx, []byte{0: 1, 15: 0})
		_, o, _ := store.Sessions.Get(tx, []byte{0: 1, 31: 0})
		_, p, _ := tx.Replay(ident.Account{1}, "key")
		if !r || i || o || p {
			t.Errorf("of the former life there are a replica %v, an invitation %v, a session %v, a reply %v", r, i, o, p)
		}
		return nil
	})
}

// TestBadParts: a part that is altered anywhere, cut, of the other kind, or that
// holds what it must not, changes nothing.
func TestBadParts(t *testing.T) {
	s := open(t, config(t.TempDir()))
	town(t, s, 300)
	records, keys := parts(t, s)
	target := open(t, config(t.TempDir()))
	write(t, target, 1, 3)
	flip := func(b []byte, at int) []byte { b = bytes.Clone(b); b[at] ^= 0x41; return b }
	cases := map[string][2][]byte{
		"nothing": {nil, nil}, "no keys": {records, nil}, "no records": {nil, keys}, "swapped": {keys, records}, "records twice": {records, records},
		"more behind": {append(bytes.Clone(records), 0), keys},
	}
	for i := range 12 {
		at := i * (len(records) - 1) / 11
		cases["records altered at "+strings.Repeat("i", i)] = [2][]byte{flip(records, at), keys}
		cases["records cut at "+strings.Repeat("i", i)] = [2][]byte{records[:at], keys}
		at = i * (len(keys) - 1) / 11
		cases["keys altered at "+strings.Repeat("i", i)] = [2][]byte{records, flip(keys, at)}
		cases["keys cut at "+strings.Repeat("i", i)] = [2][]byte{records, keys[:at]}
	}
	for name, c := range cases {
		err := target.LoadParts(bytes.NewReader(c[0]), bytes.NewReader(c[1]), nothing)
		if !errors.Is(err, store.ErrDump) && !errors.Is(err, store.ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
		if n, err := honest(target); n != 3 || err != nil {
			t.Fatalf("%s: %d records, %v", name, n, err)
		}
	}
	no := errors.New("no")
	if err := target.LoadParts(bytes.NewReader(records), bytes.NewReader(keys), func(*store.Store) error { return no }); !errors.Is(err, no) {
		t.Error(err)
	}
	if n, err := honest(target); n != 3 || err != nil {
		t.Fatalf("%d records, %v", n, err)
	}
}

// TestNoKeyInRecords: a records part that would hold a key fails, wherever the key
// stands.
func TestNoKeyInRecords(t *testing.T) {
	full := crypto.Leaf{Slot: 3, ID: crypto.KeyID{1}, Box: []byte(wrapped)}
	for name, plant := range map[string]func(*store.Tx){
		"beneficiary": func(tx *store.Tx) { store.Beneficiaries.Put(tx, people.Beneficiary{ID: her(9), Leaf: full}) },
		"volunteer":   func(tx *store.Tx) { store.Volunteers.Put(tx, people.Volunteer{Leaf: full}) },
		"account":     func(tx *store.Tx) { store.Accounts.Put(tx, account.Account{Leaf: full}) },
		"import":      func(tx *store.Tx) { store.Imports.Put(tx, people.Import{Leaf: full}) },
		"journal":     func(tx *store.Tx) { store.JournalMonths.Put(tx, journal.Key{Leaf: full}) },
		"parent":      func(tx *store.Tx) { store.Imports.Put(tx, people.Import{Leaf: crypto.Leaf{Parent: crypto.KeyID{1}}}) },
	} {
		s := open(t, config(t.TempDir()))
		town(t, s, 3)
		update(t, s, plant)
		var b bytes.Buffer
		if err := s.DumpRecords(&b); !errors.Is(err, store.ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
		if bytes.Contains(b.Bytes(), []byte(wrapped)) {
			t.Errorf("%s: the key was written", name)
		}
	}
	// A space that this program does not know may hold anything.
	cfg := config(t.TempDir())
	s := open(t, cfg)
	s.Close()
	raw(t, cfg, func(txn *badger.Txn) error {
		k := []byte{0x20, 1}
		return txn.Set(k, cfg.Values.Seal([]byte("?"), crypto.Place([]byte("value v1"), k)))
	})
	s = open(t, cfg)
	if err := s.DumpRecords(&bytes.Buffer{}); !errors.Is(err, store.ErrKey) {
		t.Errorf("an unknown space: %v", err)
	}
}

// raw changes the disk behind the store's back.
func raw(t *testing.T, cfg store.Config, f func(*badger.Txn) error) {
	t.Helper()
	opts := badger.DefaultOptions(cfg.Dir + "/records").WithEncryptionKey(cfg.Skin.Reveal()).WithIndexCacheSize(1 << 20).WithLogger(nil)
	db, err := badger.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(f), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestScrub: a store in use finds what was altered under it, in a value or in a
// table, before somebody asks for it.
func TestScrub(t *testing.T) {
	cfg := config(t.TempDir())
	s := open(t, cfg)
	write(t, s, 1, 300)
	for _, step := range []int{1, 7, 100000} {
		if err := s.Scrub(context.Background(), step); err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
	}
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Scrub(done, 10); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	s.Close()
	raw(t, cfg, func(txn *badger.Txn) error {
		id := her(150)
		return txn.Set(append([]byte{1, store.Beneficiaries.Code}, id[:]...), []byte("not sealed"))
	})
	s = open(t, cfg)
	if err := s.Scrub(context.Background(), 10); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("an altered value: %v", err)
	}
}

// TestScrubTable: Badger passes over a block that it cannot read; the scrub does
// not.
func TestScrubTable(t *testing.T) {
	cfg := config(t.TempDir())
	s := open(t, cfg)
	write(t, s, 1, 2000)
	s.Close() // writes a table
	s = open(t, cfg)
	if err := s.Scrub(context.Background(), 500); err != nil {
		t.Fatal(err)
	}
	tables, err := filepath.Glob(cfg.Dir + "/records/*.sst")
	if err != nil || len(tables) == 0 {
		t.Fatal(tables, err)
	}
	f, err := os.OpenFile(tables[0], os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte{0x41}, 64), 9000); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := s.Scrub(context.Background(), 500); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("an altered block: %v", err)
	}
}

// TestCollect: what is overwritten and deleted goes, while others write, and
// nothing else.
func TestCollect(t *testing.T) {
	s := open(t, config(t.TempDir()))
	write(t, s, 1, 100)
	done := make(chan error, 1)
	go func() { done <- s.Collect() }()
	write(t, s, 101, 300)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := s.Collect(); err != nil {
		t.Fatal(err)
	}
	if n, err := honest(s); n != 300 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}
