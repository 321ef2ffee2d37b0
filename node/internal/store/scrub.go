package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/dgraph-io/badger/v4"
)

// Scrub reads everything while the store is in use, step values at a time, and
// answers [ErrDamaged] if any of it was altered. Badger ends a walk without a
// word at a block that it cannot read, so that a walk alone proves nothing: the
// checksum of every table is compared first, and each key that the walk names is
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

// checkTables is checkBlocks for a store in use.
func (s *Store) checkTables() error {
	s.upkeep.Lock()
	defer s.upkeep.Unlock()
	return s.checkBlocks()
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
