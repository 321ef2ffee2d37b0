package consensus

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
	"github.com/hashicorp/raft-wal/metadb"

	"github.com/bippop/bippop/crypto"
)

// stallLimit is how long one call of the log store may take. A healthy disk
// needs milliseconds.
const stallLimit = 5 * time.Second

// sealedLog is a raft.LogStore that keeps the data of every entry sealed. Index,
// term, type and time stay in clear on disk and are bound to the data. One
// failed write stops all writes until the log is opened again: after a failed
// fsync nobody knows what is on disk, and raft-wal cannot go on after a failed
// rotation.
type sealedLog struct {
	wal        *wal.WAL
	key        crypto.Key
	faults     *faults
	stallLimit time.Duration

	before func() error // Tuning.BeforeStore
}

// openWAL opens or creates the log in dir. It closes what it opened on error,
// which raft-wal does not: its meta file would stay locked.
func openWAL(dir string, cfg *Config) (*wal.WAL, error) {
	if err := checkTail(dir); err != nil {
		return nil, err
	}
	meta := &metadb.BoltMetaDB{}
	w, err := wal.Open(dir, wal.WithMetaStore(meta), wal.WithSegmentSize(cfg.Tuning.SegmentBytes),
		wal.WithLogger(newRaftLog(cfg.Logger, "raft-wal")))
	if err == nil {
		return w, nil
	}
	if e := meta.Close(); e != nil {
		err = errors.Join(err, e)
	}
	if errors.Is(err, wal.ErrCorrupt) || errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil, err
}

func (s *sealedLog) FirstIndex() (uint64, error) { return s.wal.FirstIndex() }
func (s *sealedLog) LastIndex() (uint64, error)  { return s.wal.LastIndex() }

// IsMonotonic makes raft drop the whole log when it installs a snapshot. That
// alone does not avoid hashicorp/raft#697: see ErrReplaced.
func (s *sealedLog) IsMonotonic() bool { return s.wal.IsMonotonic() }

// GetLog returns raft.ErrLogNotFound, or [ErrDamaged].
func (s *sealedLog) GetLog(index uint64, entry *raft.Log) error {
	err := s.read(index, entry)
	if err == nil || errors.Is(err, raft.ErrLogNotFound) || errors.Is(err, wal.ErrClosed) {
		return err
	}
	err = fmt.Errorf("%w: entry %d: %w", ErrDamaged, index, err)
	s.faults.report(err)
	return err
}

func (s *sealedLog) read(index uint64, entry *raft.Log) (err error) {
	defer func() {
		// raft-wal's decoder slices by lengths it has not checked.
		if r := recover(); r != nil {
			err = fmt.Errorf("unreadable: %v", r)
		}
	}()
	if err := s.wal.GetLog(index, entry); err != nil {
		return err
	}
	if entry.Index != index {
		return fmt.Errorf("entry %d stands in its place", entry.Index)
	}
	entry.Data, err = s.key.Open(entry.Data, place(entry))
	return err
}

func (s *sealedLog) StoreLog(entry *raft.Log) error { return s.StoreLogs([]*raft.Log{entry}) }

// StoreLogs seals copies: raft and the cache above go on using the entries.
func (s *sealedLog) StoreLogs(entries []*raft.Log) error {
	sealed := make([]*raft.Log, len(entries))
	for i, entry := range entries {
		if len(entry.Extensions) > 0 {
			return fmt.Errorf("%w: entry %d has extensions, which nobody here writes", ErrStore, entry.Index)
		}
		box := *entry
		box.AppendedAt = entry.AppendedAt.UTC()
		box.Data = s.key.Seal(entry.Data, place(entry))
		sealed[i] = &box
	}
	return s.write("storing", func() error {
		if s.before != nil {
			if err := s.before(); err != nil {
				return err
			}
		}
		return s.wal.StoreLogs(sealed)
	})
}

func (s *sealedLog) DeleteRange(from, to uint64) error {
	return s.write("truncating", func() error { return s.wal.DeleteRange(from, to) })
}

// write runs one writing call under the watchdog.
func (s *sealedLog) write(what string, call func() error) error {
	if err := s.faults.first(); err != nil {
		return err
	}
	watchdog := time.AfterFunc(s.stallLimit, func() {
		s.faults.report(fmt.Errorf("%w: %s took more than %v", ErrStalled, what, s.stallLimit))
	})
	defer watchdog.Stop()
	if err := call(); err != nil {
		return s.faults.report(fmt.Errorf("%w: %s: %w", ErrStore, what, err))
	}
	return nil
}

// place binds the data of an entry to all else that is known of it.
func place(entry *raft.Log) []byte {
	var b [25]byte
	binary.BigEndian.PutUint64(b[0:], entry.Index)
	binary.BigEndian.PutUint64(b[8:], entry.Term)
	b[16] = byte(entry.Type)
	if !entry.AppendedAt.IsZero() { // UnixNano is undefined for the zero time
		binary.BigEndian.PutUint64(b[17:], uint64(entry.AppendedAt.UnixNano()))
	}
	return crypto.Place([]byte("bippop log entry v1"), b[:])
}
