package consensus

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hashicorp/raft"
)

// Cut makes the state durable and lets go of the whole log, the trailing entries
// included, so that what stood in it leaves the disk. A replica that lacks some of
// it gets a dump of the state instead.
//
// raft-wal frees whole files only. whole reports that no file holds an entry from
// before the call: it is false when something was written meanwhile, or when the
// last entry is one of raft's own, which a later leader's barrier follows. Call it
// again then. One caller at a time.
func (r *Replica) Cut(ctx context.Context) (whole bool, err error) {
	err = r.await(ctx, func() (err error) {
		whole, err = r.cut()
		return err
	})
	if err != nil {
		return false, fmt.Errorf("cutting the log: %w", err)
	}
	return whole, nil
}

func (r *Replica) cut() (whole bool, err error) {
	if r.raft.State() == raft.Leader {
		// So that what stands at the log's end is known to be applied, also when
		// it is raft's own.
		if err := r.passBarrier(); err != nil {
			return false, err
		}
	}
	tuned := r.raft.ReloadableConfig()
	bare := tuned
	bare.TrailingLogs = 0
	r.snapshots.cutting.Store(true)
	defer r.snapshots.cutting.Store(false)
	if err := r.raft.ReloadConfig(bare); err != nil {
		return false, err
	}
	err = r.raft.Snapshot().Error()
	if err = errors.Join(err, r.raft.ReloadConfig(tuned)); err != nil {
		return false, err
	}
	oldest, err := oldestEntry(filepath.Join(r.snapshots.dir, walFolder))
	return oldest > r.snapshots.current().Index, err
}

// oldestEntry is where the oldest file of the log begins, by its name.
func oldestEntry(dir string) (index uint64, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		var base, number uint64
		if filepath.Ext(e.Name()) != ".wal" {
			continue
		}
		if _, err := fmt.Sscanf(e.Name(), "%020d-%016x.wal", &base, &number); err != nil {
			return 0, fmt.Errorf("%w: unknown segment file %s", ErrDamaged, e.Name())
		}
		if index == 0 || base < index {
			index = base
		}
	}
	if err == nil && index == 0 {
		err = fs.ErrNotExist
	}
	return index, err
}
