package store_test

import (
	"errors"
	"flag"
	"testing"

	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/dgraph-io/badger/v4"
)

func rapidChecks(n string) { flag.Set("rapid.checks", n) }

// TestMoved: whoever can write the disk puts one person's record in another's
// place. It does not open there.
func TestMoved(t *testing.T) {
	cfg := config(t.TempDir())
	s := open(t, cfg)
	write(t, s, 1, 3)
	s.Close()
	opts := badger.DefaultOptions(cfg.Dir + "/records").WithEncryptionKey(cfg.Skin.Reveal()).WithIndexCacheSize(1 << 20).WithLogger(nil)
	db, err := badger.Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	one, two := her(1), her(2)
	place := func(id []byte) []byte { return append([]byte{0x01, store.Beneficiaries.Code}, id...) }
	err = db.Update(func(txn *badger.Txn) error {
		item, err := txn.Get(place(one[:]))
		if err != nil {
			return err
		}
		box, err := item.ValueCopy(nil)
		if err != nil {
			return err
		}
		return txn.Set(place(two[:]), box)
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	s = open(t, cfg)
	if err := s.View(func(tx *store.Tx) error {
		_, _, err := store.Beneficiaries.Get(tx, two[:])
		return err
	}); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("got %v", err)
	}
	if err := s.View(func(tx *store.Tx) error {
		return store.Beneficiaries.Each(tx, nil, func(people.Beneficiary) bool { return true })
	}); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("listed: %v", err)
	}
	// The transaction ends with the damage even if its caller looks away.
	if err := s.Update(func(tx *store.Tx) error {
		store.Beneficiaries.Get(tx, two[:])
		store.Beneficiaries.Put(tx, record(9))
		return nil
	}); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("written on: %v", err)
	}
}
