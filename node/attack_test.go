package node_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/dgraph-io/badger/v4"
	"github.com/fxamacker/cbor/v2"
	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
)

// attacker has copied every machine again and again, and holds every key that
// still exists. He tries to read somebody.
//
// What he does not have is an old copy of a vault together with what opens it: the
// certificate says that it promises nothing then.
type attacker struct {
	testing.TB
	siren string
	keys  map[crypto.KeyID]crypto.Key
	live  []crypto.Key // of these, those that still exist
	wraps map[string]wrap
	boxes map[string]box

	frames, versions int // entries of logs and values of stores that he has read
	erases           int // rotations in logs, refused ones too
}

// wrap is a key of the tree in another's box.
type wrap struct {
	child, parent crypto.KeyID
	place, box    []byte
}

// box holds words of somebody.
type box struct{ place, box []byte }

func newAttacker(t testing.TB, siren string) *attacker {
	return &attacker{TB: t, siren: siren, keys: map[crypto.KeyID]crypto.Key{}, wraps: map[string]wrap{}, boxes: map[string]box{}}
}

func (a *attacker) must(err error) {
	a.Helper()
	if err != nil {
		a.Fatal(err)
	}
}

// holds adds every key that a vault has.
func (a *attacker) holds(v crypto.Vault) {
	all := []crypto.Key{v.Roots.Current, v.Node.Log, v.Node.Values, v.Node.Skin, v.Shared.Domain, v.Shared.Gossip}
	for _, c := range v.Roots.Candidates {
		all = append(all, c.Key)
	}
	for _, use := range []string{"dump", "idempotency", "backup", "tree", "root", "sessions"} {
		all = append(all, v.Shared.Domain.Derive(use))
	}
	a.knows(all...)
}

func (a *attacker) knows(all ...crypto.Key) {
	for _, k := range all {
		if k.Zero() {
			continue
		}
		if _, known := a.keys[k.ID()]; !known {
			a.keys[k.ID()] = k
			a.live = append(a.live, k)
		}
	}
}

// loot reads a copy of a machine's data folder, whose node keys never change.
func (a *attacker) loot(dir string, keys crypto.NodeKeys) error {
	return errors.Join(a.lootStore(filepath.Join(dir, "store", "records"), keys), a.lootLog(filepath.Join(dir, "log", "log"), keys.Log))
}

// lootStore reads all versions of all values, those that were replaced too.
func (a *attacker) lootStore(dir string, keys crypto.NodeKeys) (err error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil // nothing had come yet
	}
	db, err := badger.Open(badger.DefaultOptions(dir).WithLogger(nil).WithEncryptionKey(keys.Skin.Reveal()).WithIndexCacheSize(1 << 20).
		WithMemTableSize(16 << 20).WithNumVersionsToKeep(1 << 20).WithBaseTableSize(4 << 20).WithValueLogFileSize(16 << 20))
	if err != nil {
		return err
	}
	defer db.Close()
	return db.View(func(txn *badger.Txn) error {
		opt := badger.DefaultIteratorOptions
		opt.AllVersions = true
		it := txn.NewIterator(opt)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			item := it.Item()
			if item.IsDeletedOrExpired() {
				continue
			}
			sealed, err := item.ValueCopy(nil)
			if err != nil {
				return err
			}
			key := item.KeyCopy(nil)
			value, err := keys.Values.Open(sealed, crypto.Place([]byte("value v1"), key))
			if err != nil {
				return fmt.Errorf("a value does not open with the node's key: %w", err)
			}
			a.versions++
			a.value(key, value)
		}
		return nil
	})
}

// value takes what a store keeps under key.
func (a *attacker) value(key, value []byte) {
	take := func(v any) {
		if len(value) > 0 {
			a.must(cbor.Unmarshal(value, v))
			a.find(reflect.ValueOf(v).Elem())
		}
	}
	switch key[0] {
	case 0x05:
		take(&crypto.TreeNode{})
	case 0x08:
		take(&crypto.Leaf{})
	case 0x01:
		switch key[1] {
		case store.Beneficiaries.Code:
			take(&people.Beneficiary{})
		case store.Volunteers.Code:
			take(&people.Volunteer{})
		case store.Requests.Code:
			take(&request.Request{})
		}
	}
}

// lootLog reads all entries, refused commands too.
func (a *attacker) lootLog(dir string, key crypto.Key) error {
	w, err := wal.Open(dir)
	if err != nil {
		return err
	}
	defer w.Close()
	first, err := w.FirstIndex()
	if err != nil {
		return err
	}
	last, err := w.LastIndex()
	if err != nil {
		return err
	}
	for i := max(first, 1); i <= last; i++ {
		var entry raft.Log
		if err := w.GetLog(i, &entry); err != nil {
			return err
		}
		plain, err := key.Open(entry.Data, entryPlace(&entry))
		if err != nil {
			return fmt.Errorf("an entry does not open with the log's key: %w", err)
		}
		if a.frames++; entry.Type == raft.LogCommand {
			a.entry(plain)
		}
	}
	return nil
}

// entryPlace is how package consensus binds an entry.
func entryPlace(entry *raft.Log) []byte {
	var b [25]byte
	binary.BigEndian.PutUint64(b[0:], entry.Index)
	binary.BigEndian.PutUint64(b[8:], entry.Term)
	b[16] = byte(entry.Type)
	if !entry.AppendedAt.IsZero() {
		binary.BigEndian.PutUint64(b[17:], uint64(entry.AppendedAt.UnixNano()))
	}
	return crypto.Place([]byte("bippop log entry v1"), b[:])
}

func (a *attacker) entry(plain []byte) {
	for rest := plain[1:]; len(rest) > 0; {
		n, width := binary.Uvarint(rest)
		c, err := command.Decode(rest[width : width+int(n)])
		a.must(err)
		if _, is := c.(command.Erase); is {
			a.erases++
		}
		a.find(reflect.ValueOf(c))
		rest = rest[width+int(n):]
	}
}

// find collects every wrapped key and every box, wherever it stands.
func (a *attacker) find(v reflect.Value) {
	switch x := v.Interface().(type) {
	case crypto.TreeNode:
		at := binary.BigEndian.AppendUint32([]byte{x.Level}, x.Index)
		a.wrapped(wrap{x.ID, x.Parent, crypto.Place([]byte("tree node v1"), []byte(a.siren), at, x.ID[:], x.Parent[:]), x.Box})
		return
	case crypto.Leaf:
		if len(x.Box) > 0 {
			at := binary.BigEndian.AppendUint32(nil, x.Slot)
			a.wrapped(wrap{x.ID, x.Parent, crypto.Place([]byte("tree leaf v1"), []byte(a.siren), at, x.ID[:], x.Parent[:]), x.Box})
		}
		return
	case people.Beneficiary:
		a.boxed("beneficiary", x.ID, x.Boxed, x.Box)
	case people.Volunteer:
		a.boxed("volunteer", x.ID, x.Boxed, x.Box)
	case command.NewBeneficiary:
		a.boxed("beneficiary", x.ID, 1, x.Box)
	case command.ChangeBeneficiary:
		a.boxed("beneficiary", x.ID, x.Version+1, x.Box)
	case request.Request:
		a.boxed("request", x.ID, x.Boxed, x.Box)
		a.boxed("outcome", x.ID, 1, x.Outcome.Box)
		a.boxed("thanks", x.ID, 1, x.Thanks.Box)
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				a.find(v.Field(i))
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.Uint8 {
			for i := range v.Len() {
				a.find(v.Index(i))
			}
		}
	case reflect.Interface, reflect.Pointer:
		if !v.IsNil() {
			a.find(v.Elem())
		}
	}
}

func (a *attacker) wrapped(w wrap) {
	a.wraps[string(w.child[:])+string(w.parent[:])+string(w.box)] = w
}

func (a *attacker) boxed(collection string, id [16]byte, version uint32, sealed []byte) {
	if len(sealed) == 0 {
		return
	}
	v := binary.BigEndian.AppendUint32([]byte{1}, version)
	place := crypto.Place([]byte("words v1"), []byte(a.siren), []byte(collection), id[:], v)
	a.boxes[string(place)+string(sealed)] = box{place, sealed}
}

// open unwraps whatever he can: with every key that exists he tries every wrap
// ever written, and then follows the names down, round after round.
func (a *attacker) open() {
	for _, w := range a.wraps {
		for _, k := range a.live {
			a.unwrap(w, k)
		}
	}
	for again := true; again; {
		again = false
		for _, w := range a.wraps {
			if _, known := a.keys[w.child]; known {
				continue
			}
			if k, ok := a.keys[w.parent]; ok && a.unwrap(w, k) {
				again = true
			}
		}
	}
}

func (a *attacker) unwrap(w wrap, with crypto.Key) bool {
	plain, err := with.Open(w.box, w.place)
	if err != nil {
		return false
	}
	k, err := crypto.KeyFromBytes(plain)
	if err != nil {
		return false
	}
	a.keys[k.ID()] = k
	return true
}

// read tries every key on every box, and says which of the words he has read.
func (a *attacker) read(words ...string) (found []string) {
	a.open()
	for _, b := range a.boxes {
		for _, k := range a.keys {
			plain, err := k.Open(b.box, b.place)
			if err != nil {
				continue
			}
			for _, w := range words {
				if bytes.Contains(plain, []byte(w)) && !slices.Contains(found, w) {
					found = append(found, w)
				}
			}
		}
	}
	slices.Sort(found)
	return found
}

// also is the same attacker with further keys.
func (a *attacker) also(keys ...crypto.Key) *attacker {
	b := *a
	b.keys, b.live = maps.Clone(a.keys), slices.Clone(a.live)
	b.knows(keys...)
	return &b
}

// copyOf is a machine's folder at one moment, vault and all.
type copyOf struct {
	*seat
	when, dir string
}

// vault opens the copied vault.
func (c copyOf) vault() crypto.Vault {
	c.Helper()
	v, err := crypto.LoadVault(filepath.Join(c.dir, "vault.age"), c.key)
	c.must(err)
	return v
}

// copied takes a copy of every machine's folder, as it lies there.
func (c *cluster) copied(when string) (out []copyOf) {
	c.Helper()
	for _, s := range c.seats {
		to := filepath.Join(c.TempDir(), "copy")
		from := filepath.Dir(s.cfg.Vault)
		err := filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // a file that went away while we looked
			}
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(from, name)
			if err != nil {
				return err
			}
			if d.IsDir() {
				return os.MkdirAll(filepath.Join(to, rel), 0o700)
			}
			b, err := os.ReadFile(name)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(to, rel), b, 0o600)
		})
		c.must(err)
		out = append(out, copyOf{s, when, to})
	}
	return out
}

// TestForgetting attacks somebody who was erased with every file that any machine
// has ever had and every key that still exists anywhere.
func TestForgetting(t *testing.T) {
	const name, note, stays = "Zyxwvutine", "Kryptonoise", "Aubertinette"
	c := newCluster(t, 3, func(cfg *node.Config) {
		cfg.Tuning.SnapshotEntries, cfg.Tuning.TrailingEntries, cfg.Tuning.SnapshotCheck = 40, 1024, 50e6
	})
	for i := range 20 {
		c.enrol(fmt.Sprintf("Voisin%d", i))
	}
	d := c.leader().desk()
	kept := c.enrol(stays)
	her := c.enrol(name)
	d.wants(201, "POST", "/api/v1/requests", map[string]any{
		"beneficiary": her.String(), "type": c.kinds["Courses"].String(), "when": map[string]any{"kind": "flexible"}, "note": note,
	})
	c.together()
	copies := c.copied("before")
	former := copies[0].vault().Roots.Current

	// No majority can be given the new key: it stays a candidate, and dies later.
	leader := c.leader()
	for _, s := range c.followers() {
		s.line.Cut()
	}
	if _, err := leader.node.Erasures.Want(t.Context(), c.admin, node.ErasableBeneficiary, her, true); err == nil {
		t.Error("erased without a majority")
	}
	copies = append(copies, c.copied("a leader alone")...)
	for _, s := range c.seats {
		s.line.Heal()
	}
	c.together()

	// One machine is away: the certificate waits for it, and rightly so.
	away := c.followers()[0]
	away.kill()
	_, err := c.leader().node.Erasures.Want(t.Context(), c.admin, node.ErasableBeneficiary, her, true)
	c.must(err) // although she is wanted since the try that failed
	c.until("the two that run have let go", func() bool { return c.pending() == away.name })
	copies = append(copies, c.copied("pending")...)
	if found := c.attack(copies).read(name, note, stays); !slices.Equal(found, []string{stays, note, name}) {
		t.Errorf("while %s holds the former key, the attack reads only %v: it is blind", away.name, found)
	}
	away.start()
	c.certified()
	c.allRead(kept, stays)
	copies = append(copies, c.copied("certified")...)
	c.enrol("Dernier")
	for _, s := range c.seats {
		s.stop()
	}
	copies = append(copies, c.copied("stopped")...)

	a := c.attack(copies)
	t.Logf("%d keys that exist, %d wrapped keys ever written, %d boxes, %d entries of logs, %d stored values, %d rotations in logs",
		len(a.live), len(a.wraps), len(a.boxes), a.frames, a.versions, a.erases)
	if found := a.read(name, note, stays); !slices.Equal(found, []string{stays}) {
		t.Errorf("once certified, every key that still exists reads %v: only %s may be", found, stays)
	}
	if found := a.also(former).read(name, note, stays); !slices.Equal(found, []string{stays, note, name}) {
		t.Errorf("with the former root the same attack reads only %v: it is blind", found)
	}
	c.searchCanaries(copies, name, note, stays)
}

// attack gives every copy to somebody who holds what exists today.
func (c *cluster) attack(copies []copyOf) *attacker {
	c.Helper()
	a := newAttacker(c, c.siren)
	read := 0
	for _, copied := range copies {
		today, err := crypto.LoadVault(copied.cfg.Vault, c.key)
		c.must(err)
		a.holds(today)
		// What lies beside the vault today.
		others, err := os.ReadDir(filepath.Dir(copied.cfg.Vault))
		c.must(err)
		for _, f := range others {
			if v, err := crypto.LoadVault(filepath.Join(filepath.Dir(copied.cfg.Vault), f.Name()), c.key); err == nil {
				a.holds(v)
			}
		}
		again := filepath.Join(c.TempDir(), "data") // opening writes
		c.must(os.CopyFS(again, os.DirFS(filepath.Join(copied.dir, "data"))))
		if err := a.loot(again, today.Node); err != nil {
			c.Logf("the copy of %s (%s) is torn: %v", copied.name, copied.when, err)
			continue
		}
		read++
	}
	if 3*read < 2*len(copies) {
		c.Errorf("only %d of %d copies could be read", read, len(copies))
	}
	return a
}

// searchCanaries looks for words in whatever left the replicas' memory.
func (c *cluster) searchCanaries(copies []copyOf, words ...string) {
	c.Helper()
	s := seek(words...)
	files := 0
	for _, copied := range copies {
		found, n := s.below(c, copied.dir)
		files += n
		for _, f := range found {
			c.Errorf("%s, %s: %s", copied.name, copied.when, f)
		}
	}
	heard := 0
	for _, seat := range c.seats {
		b := seat.line.Heard()
		heard += len(b)
		for _, form := range s.in(b) {
			c.Errorf("on the line of %s: %s", seat.name, form)
		}
		for _, form := range s.in([]byte(seat.log.String())) {
			c.Errorf("in the log of %s: %s", seat.name, form)
		}
		if len(b) == 0 || seat.log.String() == "" {
			c.Errorf("nothing was heard of %s: the search is blind", seat.name)
		}
	}
	c.Logf("%d files and %d bytes between replicas hold no word", files, heard)
}
