package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
)

// Scrub reads everything while the store is in use, step values at a time, and
// answers [ErrDamaged] if any of it was altered. Badger ends a walk without a
// word at a block that it cannot read, so that a walk alone proves nothing: the
// every table is compared first, and each key that the walk names is
// looked up by itself, which must find it. An error of ctx says that it did not
// end.
func (s *Store) Scrub(ctx context.Context, step int) error {
	if err := s.checkTables(); err != nil {
		return err
	}
	from := []byte{}
	for from != nil {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := s.View(func(tx *Tx) error {
			var keys [][]byte
			var next []byte
			err := tx.scan(nil, from, false, false, func(key, _ []byte) bool {
				if len(keys) == step {
					next = key
					return false
				}
				keys = append(keys, key)
				return true
			})
			for _, key := range keys {
				if err != nil {
					break
				}
				var value []byte
				if value, err = tx.get(key); err == nil && value == nil {
					err = ErrDamaged
				}
			}
			from = next
			return err
		})
		if err != nil {
			s.cfg.Logger.Error("reading all values", slog.String("error", err.Error()))
			return err
		}
	}
	return nil
}

// checkTables is checkBlocks for a store in use. Badger answers from memory what
// it has read before; so each table, which never changes, is compared with what
// it was when it was first seen.
func (s *Store) checkTables() error {
	s.upkeep.Lock()
	defer s.upkeep.Unlock()
	if err := s.checkBlocks(); err != nil {
		return err
	}
	seen := map[string][sha256.Size]byte{}
	for _, t := range s.db.Tables() {
		name := fmt.Sprintf("%06d.sst", t.ID) // Badger's name for it
		sum, err := sumOf(filepath.Join(s.db.Opts().Dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // merged meanwhile
		}
		if err != nil {
			return fmt.Errorf("reading a table: %w", err)
		}
		if was, ok := s.tables[name]; ok && was != sum {
			s.cfg.Logger.Error("a table was altered", slog.String("file", name))
			return ErrDamaged
		}
		seen[name] = sum
	}
	s.tables = seen
	return nil
}

func sumOf(path string) (sum [sha256.Size]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return [sha256.Size]byte(h.Sum(nil)), err
}

// Collect lets go of what was overwritten or deleted: it merges Badger's tables
// and its value log, beside traffic. It takes as long as reading and writing all.
func (s *Store) Collect() error {
	s.upkeep.Lock()
	defer s.upkeep.Unlock()
	if err := s.db.Flatten(1); err != nil {
		return fmt.Errorf("merging tables: %w", err)
	}
	for {
		err := s.db.RunValueLogGC(0.5)
		if errors.Is(err, badger.ErrNoRewrite) || errors.Is(err, badger.ErrRejected) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("collecting the value log: %w", err)
		}
	}
}
