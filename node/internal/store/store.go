// Package store keeps the territory's records in an encrypted Badger.
//
// Badger encrypts its files but does not authenticate them, so every value is
// sealed once more under a node key, together with the key under which it
// stands: a value that was altered on disk, or put in another's place, does not
// open, and [ErrDamaged] is all that anybody gets to see of it.
//
// Only the machine writes, in [Store.Update]; everybody reads in [Store.View],
// each time at one applied index.
package store

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/bippop/bippop/crypto"
	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

var (
	// ErrDamaged says that the data on disk was altered. Nothing of it is served.
	ErrDamaged = errors.New("the data on disk is damaged; stop this node and restore it from a backup or another replica")
	// ErrWrongKey says that the vault belongs to other data.
	ErrWrongKey = errors.New("the vault's keys do not fit this data folder; use the vault that was made with it")
)

// format is the version of the keyspace and of the value form. 2: leaves stand in
// the key tree, not in the records.
const format = 2

// Config of a store. All fields are required.
type Config struct {
	Dir    string     // owned by the store
	Values crypto.Key // seals each value
	Skin   crypto.Key // Badger's own encryption: hides keys and sizes, roughly
	Dump   crypto.Key // seals dumps; the same on every replica of the territory
	Logger *slog.Logger
}

// Store is the records of one replica. Safe for concurrent use.
type Store struct {
	cfg Config
	mu  sync.RWMutex // guards db, kept and latest against Load, which replaces them; held for one transaction
	db  *badger.DB

	upkeep sync.Mutex // taken before mu; keeps db open for Scrub and Collect, which take long; guards tables
	tables map[string][sha256.Size]byte
	latest numbers // as committed; Update's
	kept   memory
}

// Open opens or makes the store in cfg.Dir. [ErrWrongKey], [ErrDamaged], or an
// error of the file system.
func Open(cfg Config) (*Store, error) {
	if err := errors.Join(os.MkdirAll(cfg.Dir, 0o700), os.Chmod(cfg.Dir, 0o700)); err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	if err := finishSwap(cfg.Dir); err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	s := &Store{cfg: cfg}
	db, err := s.open(filepath.Join(cfg.Dir, "records"))
	if err != nil {
		return nil, err
	}
	s.db, s.latest, s.kept = db, numbers{}, newMemory()
	err = s.checkBlocks()
	if err == nil {
		err = s.checkFormat()
	}
	if err != nil {
		db.Close()
		return nil, err
	}
	return s, nil
}

// options of Badger: profile "small" of notes on storage, measured to keep an
// idle node under 80 MB resident.
func (s *Store) open(dir string) (*badger.DB, error) {
	opts := badger.DefaultOptions(dir).
		WithLogger(badgerLog{s.cfg.Logger}).
		WithEncryptionKey(s.cfg.Skin.Reveal()).
		WithSyncWrites(false). // the log is the durable copy; Sync comes before a snapshot
		WithDetectConflicts(false).
		WithCompression(options.None). // sealed values do not shrink
		WithMemTableSize(16 << 20).
		WithNumMemtables(2).
		WithBaseTableSize(4 << 20).
		WithNumLevelZeroTables(8).
		WithNumLevelZeroTablesStall(16).
		WithNumCompactors(2).
		WithNumGoroutines(1).
		WithBlockCacheSize(64 << 20).
		WithIndexCacheSize(32 << 20).
		WithValueLogFileSize(16 << 20).
		WithMetricsEnabled(false).
		WithChecksumVerificationMode(options.OnBlockRead)
	db, err := badger.Open(opts)
	switch {
	case errors.Is(err, badger.ErrEncryptionKeyMismatch):
		return nil, ErrWrongKey
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("opening the store: %w", fs.ErrPermission)
	case err != nil && isLocked(err):
		return nil, errors.New("opening the store: another bippop process holds this data folder; stop it first")
	case err != nil:
		s.cfg.Logger.Error("opening badger", slog.String("error", err.Error()))
		return nil, ErrDamaged
	}
	return db, nil
}

// checkBlocks reads every table once. Badger answers "no such key" for a block
// that it cannot read, and ends a walk there without an error: so a damaged disk
// must be found before anybody is served, not when somebody is missing.
func (s *Store) checkBlocks() (err error) {
	defer func() {
		if r := recover(); r != nil { // Badger 4.9.6 reports a bad block through a nil pointer
			err = ErrDamaged
		}
	}()
	if err := s.db.VerifyChecksum(); err != nil {
		s.cfg.Logger.Error("reading all tables", slog.String("error", err.Error()))
		return ErrDamaged
	}
	return nil
}

func (s *Store) checkFormat() error {
	return s.db.Update(func(txn *badger.Txn) error {
		tx := &Tx{txn: txn, values: s.cfg.Values, writes: true}
		have, err := tx.Meta("format")
		if errors.Is(err, ErrDamaged) {
			return ErrWrongKey
		}
		if err != nil {
			return err
		}
		if have == 0 {
			tx.SetMeta("format", format)
			writeNumbers(tx)
			return tx.err
		}
		if have != format {
			return fmt.Errorf("the data folder has format %d, this program knows %d: use the version that wrote it", have, format)
		}
		return nil
	})
}

// View runs f over one consistent state. The first error of a read ends it.
func (s *Store) View(f func(*Tx) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.db.View(func(txn *badger.Txn) error {
		tx := &Tx{txn: txn, values: s.cfg.Values, kept: s.kept}
		if err := f(tx); err != nil {
			return err
		}
		return tx.err
	})
}

// Update runs f and commits what it wrote, all or nothing. The machine alone
// calls it, from one goroutine.
func (s *Store) Update(f func(*Tx) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var changed numbers
	var touched [keptKinds]bool
	err := s.db.Update(func(txn *badger.Txn) error {
		tx := &Tx{txn: txn, values: s.cfg.Values, writes: true, latest: s.latest, kept: s.kept}
		if err := f(tx); err != nil {
			return err
		}
		writeNumbers(tx)
		changed = tx.changed
		touched = tx.touched
		s.kept.begin(touched)
		return tx.err
	})
	s.kept.end(touched, s.now)
	if err == nil {
		s.latest.take(changed)
	}
	return err
}

// now is Badger's time: what was committed before is seen by whoever reads then.
func (s *Store) now() uint64 {
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	return txn.ReadTs()
}

// Sync returns once everything committed is on disk.
func (s *Store) Sync() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.db.Sync()
}

// Close closes the files. The store is of no use afterwards.
func (s *Store) Close() error {
	s.upkeep.Lock()
	defer s.upkeep.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.db.Close()
}

// Tx is one transaction. A Tx of View does not write. After a failed read or
// write all further ones do nothing, and the transaction ends with that error.
type Tx struct {
	txn    *badger.Txn
	values crypto.Key
	writes bool
	err    error

	latest  numbers // of the writer, before this transaction
	changed numbers // in this transaction

	kept    memory          // nil inside: read everything
	touched [keptKinds]bool // what was written of it

	sight func(*Tx, any) (bool, error) // see Through; nil: everything
}

// Through makes the transaction show only the records of which sees says yes: of
// others Get says that there is none, and Each passes them over. What sees itself
// reads is not restricted. View rows are not touched: they are IDs.
func Through(tx *Tx, sees func(tx *Tx, record any) (bool, error)) { tx.sight = sees }

// Plain calls f with everything in sight.
func Plain(tx *Tx, f func() error) error {
	sight := tx.sight
	tx.sight = nil
	defer func() { tx.sight = sight }()
	return f()
}

// sees reports whether a record is in sight.
func sees[R Record](tx *Tx, r R) (yes bool, err error) {
	if tx.sight == nil {
		return true, nil
	}
	sight := tx.sight
	err = Plain(tx, func() error {
		yes, err = sight(tx, r)
		return err
	})
	return yes, err
}

// Err is the first failure of this transaction.
func (tx *Tx) Err() error { return tx.err }

func (tx *Tx) fail(err error) error {
	if tx.err == nil {
		tx.err = err
	}
	return tx.err
}

// get answers nil for a key that is not there.
func (tx *Tx) get(key []byte) ([]byte, error) {
	if tx.err != nil {
		return nil, tx.err
	}
	item, err := tx.txn.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, tx.fail(damage(err))
	}
	return tx.open(item)
}

func (tx *Tx) open(item *badger.Item) ([]byte, error) {
	var plain []byte
	err := item.Value(func(box []byte) error {
		var err error
		plain, err = tx.values.Open(box, valuePlace(item.Key()))
		return err
	})
	if err != nil {
		return nil, tx.fail(damage(err))
	}
	if plain == nil {
		plain = []byte{}
	}
	return plain, nil
}

func (tx *Tx) put(key, value []byte) {
	if tx.err != nil {
		return
	}
	if !tx.writes {
		panic("store: write in a read transaction")
	}
	if err := tx.txn.Set(key, tx.values.Seal(value, valuePlace(key))); err != nil {
		tx.fail(err)
	}
}

func (tx *Tx) delete(key []byte) {
	if tx.err != nil {
		return
	}
	if !tx.writes {
		panic("store: write in a read transaction")
	}
	if err := tx.txn.Delete(key); err != nil {
		tx.fail(err)
	}
}

// scan calls f with the keys below prefix, from the key from on (nil: the first,
// or with reverse the last), until f says stop. With values it opens them too.
func (tx *Tx) scan(prefix, from []byte, reverse, values bool, f func(key, value []byte) (more bool)) error {
	if tx.err != nil {
		return tx.err
	}
	if writeNumbers(tx); tx.err != nil {
		return tx.err
	}
	opt := badger.DefaultIteratorOptions
	opt.Prefix, opt.Reverse, opt.PrefetchValues = prefix, reverse, false
	it := tx.txn.NewIterator(opt)
	defer it.Close()
	if from == nil {
		from = prefix
		if reverse {
			from = append(append([]byte{}, prefix...), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
		}
	}
	for it.Seek(from); it.ValidForPrefix(prefix); it.Next() {
		item := it.Item()
		var value []byte
		if values {
			var err error
			if value, err = tx.open(item); err != nil {
				return err
			}
		}
		if !f(item.KeyCopy(nil), value) {
			return nil
		}
	}
	return nil
}

// damage turns what Badger says of bytes that it cannot read into [ErrDamaged].
func damage(err error) error {
	if errors.Is(err, ErrDamaged) {
		return err
	}
	return ErrDamaged
}

func valuePlace(key []byte) []byte { return crypto.Place([]byte("value v1"), key) }
