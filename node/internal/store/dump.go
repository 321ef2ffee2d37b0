package store

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/bippop/bippop/crypto"
	"github.com/dgraph-io/badger/v4"
)

// A dump is a consistent copy of every key and value, in frames sealed under the
// dump key: length (4 bytes), then the box of a frame. A frame holds entries
// (key length, key, value length, value); each is bound to its number, and the
// last one to being the last, so that a dump cannot be cut, shuffled or mixed.
const dumpFrame = 64 << 10

// ErrDump says that a dump does not open whole.
var ErrDump = errors.New("the copy is damaged, cut short, or of another territory")

// Dump writes a copy of the state as of one instant.
func (s *Store) Dump(w io.Writer) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.db.View(func(txn *badger.Txn) error {
		tx := &Tx{txn: txn, values: s.cfg.Values}
		var frame []byte
		var number uint64
		var failed error
		flush := func(last bool) error {
			box := s.cfg.Dump.Seal(frame, dumpPlace(number, last))
			if err := binary.Write(w, binary.BigEndian, uint32(len(box))); err != nil {
				return err
			}
			number++
			frame = frame[:0]
			_, err := w.Write(box)
			return err
		}
		err := tx.scan(nil, nil, false, true, func(key, value []byte) bool {
			frame = appendEntry(frame, key, value)
			if len(frame) >= dumpFrame {
				failed = flush(false)
			}
			return failed == nil
		})
		if err != nil {
			return err
		}
		if failed == nil {
			failed = flush(true)
		}
		return failed
	})
}

// Load replaces the whole state by a copy, all or nothing: the copy is written
// and verified in a folder of its own first. [ErrDump] leaves all as it was.
func (s *Store) Load(r io.Reader) error {
	fresh := filepath.Join(s.cfg.Dir, "records.new")
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("loading a copy: %w", err)
	}
	db, err := s.open(fresh)
	if err != nil {
		return err
	}
	if err := s.fill(db, r); err != nil {
		db.Close()
		os.RemoveAll(fresh)
		return err
	}
	if err := errors.Join(db.Sync(), db.Close()); err != nil {
		return fmt.Errorf("loading a copy: %w", err)
	}
	return s.swap(fresh)
}

// swap puts a whole copy in the place of what is there.
func (s *Store) swap(fresh string) error {
	s.upkeep.Lock()
	defer s.upkeep.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("loading a copy: %w", err)
	}
	err := os.Rename(fresh, filepath.Join(s.cfg.Dir, "records.ready"))
	if err == nil {
		err = syncDir(s.cfg.Dir)
	}
	if err != nil {
		return fmt.Errorf("loading a copy: %w", err)
	}
	if err := finishSwap(s.cfg.Dir); err != nil {
		return fmt.Errorf("loading a copy: %w", err)
	}
	s.latest, s.kept = numbers{}, newMemory()
	db, err := s.open(filepath.Join(s.cfg.Dir, "records"))
	if err == nil {
		s.db, s.tables = db, nil
	}
	return err
}

// finishSwap puts a loaded copy in place, also after a crash in the middle.
func finishSwap(dir string) error {
	ready, records := filepath.Join(dir, "records.ready"), filepath.Join(dir, "records")
	if _, err := os.Stat(ready); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err := os.RemoveAll(records); err != nil {
		return err
	}
	if err := os.Rename(ready, records); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes names in a folder survive a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (s *Store) fill(db *badger.DB, r io.Reader) error {
	in := bufio.NewReaderSize(r, dumpFrame)
	wb := db.NewWriteBatch()
	defer wb.Cancel()
	for number := uint64(0); ; number++ {
		var size uint32
		if err := binary.Read(in, binary.BigEndian, &size); err != nil || size > 4*dumpFrame {
			return ErrDump
		}
		box := make([]byte, size)
		if _, err := io.ReadFull(in, box); err != nil {
			return ErrDump
		}
		last := false
		frame, err := s.cfg.Dump.Open(box, dumpPlace(number, false))
		if err != nil {
			if frame, err = s.cfg.Dump.Open(box, dumpPlace(number, true)); err != nil {
				return ErrDump
			}
			last = true
		}
		if err := eachEntry(frame, func(key, value []byte) error { return setEntry(wb, s.cfg.Values, key, value) }); err != nil {
			return err
		}
		if last {
			return wb.Flush()
		}
	}
}

func appendEntry(frame, key, value []byte) []byte {
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(key)))
	frame = append(frame, key...)
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(value)))
	return append(frame, value...)
}

// eachEntry calls f with the entries of a frame. No key is shorter than two bytes.
func eachEntry(frame []byte, f func(key, value []byte) error) error {
	for len(frame) > 0 {
		key, rest, ok := cutSized(frame)
		value, rest, ok2 := cutSized(rest)
		if !ok || !ok2 || len(key) < 2 {
			return ErrDump
		}
		if err := f(key, value); err != nil {
			return err
		}
		frame = rest
	}
	return nil
}

func cutSized(b []byte) (part, rest []byte, ok bool) {
	if len(b) < 4 {
		return nil, nil, false
	}
	n := binary.BigEndian.Uint32(b)
	if uint64(len(b)-4) < uint64(n) {
		return nil, nil, false
	}
	return b[4 : 4+n], b[4+n:], true
}

func dumpPlace(number uint64, last bool) []byte {
	end := byte(0)
	if last {
		end = 1
	}
	return crypto.Place([]byte("dump v1"), binary.BigEndian.AppendUint64(nil, number), []byte{end})
}
