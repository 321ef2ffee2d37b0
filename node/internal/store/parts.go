package store

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"github.com/bippop/bippop/crypto"
	"github.com/dgraph-io/badger/v4"
)

// A backup has two parts. The records part may lie anywhere for any time: it
// holds no key, and nobody reads a word in it without the keys part. The keys
// part is small and the latest only: the key tree, and the word on who was erased.
//
// A part is its title, frames of entries, and SHA-256 of all that; it is not
// encrypted here. A frame is its length (4 bytes) and that many bytes of entries
// (key length, key, value length, value); a frame of length 0 is the last one.
const (
	recordsTitle = "bippop records 2"
	keysTitle    = "bippop keys    2"
)

// ErrKey says that a records part would hold a key. Nothing of it may be kept.
var ErrKey = errors.New("the data backup would hold a key; it was stopped, delete what was written and tell the makers of this program")

// DumpRecords writes everything but the key tree, as of one instant. [ErrKey],
// [ErrDamaged], or an error of w: what was written then is no backup.
func (s *Store) DumpRecords(w io.Writer) error {
	if err := s.checkTables(); err != nil {
		return err // a walk would pass over what it cannot read
	}
	return s.dumpPart(w, recordsTitle, checkNoKey, nil)
}

// DumpKeys writes the key tree, the erasures and the replicas, as of one instant.
func (s *Store) DumpKeys(w io.Writer) error {
	if err := s.checkTables(); err != nil {
		return err
	}
	return s.dumpPart(w, keysTitle, checkKeyPart,
		[][]byte{{spaceRecord, Replicas.Code}, {spaceRecord, Erasures.Code}, {spaceTree}, {spaceSlot}})
}

// dumpPart writes what stands below the prefixes; none: everything but the key
// tree. check has the last word on each entry.
func (s *Store) dumpPart(w io.Writer, title string, check func(key, value []byte) error, prefixes [][]byte) error {
	out := &partWriter{w: w, sum: sha256.New()}
	out.write([]byte(title))
	err := s.View(func(tx *Tx) error {
		each := func(key, value []byte) bool {
			if len(prefixes) == 0 && (key[0] == spaceTree || key[0] == spaceSlot) {
				return true
			}
			if err := check(key, value); err != nil {
				out.fail(err)
			}
			out.entry(key, value)
			return out.err == nil
		}
		all := prefixes
		if len(all) == 0 {
			all = [][]byte{nil}
		}
		for _, prefix := range all {
			if err := tx.scan(prefix, nil, false, true, each); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return out.close()
}

// checkNoKey knows every place that holds no key, and looks into the records that
// once held one.
func checkNoKey(key, value []byte) error {
	switch key[0] {
	case spaceMeta, spaceHistory, spaceView, spaceReplay, spaceCounter:
		return nil
	case spaceRecord:
	default:
		return ErrKey
	}
	var leaf crypto.Leaf
	var err error
	switch key[1] {
	case Beneficiaries.Code:
		leaf, err = leafIn(value, Beneficiaries)
	case Volunteers.Code:
		leaf, err = leafIn(value, Volunteers)
	case Accounts.Code:
		leaf, err = leafIn(value, Accounts)
	case Imports.Code:
		leaf, err = leafIn(value, Imports)
	case JournalMonths.Code:
		leaf, err = leafIn(value, JournalMonths)
	default:
		if key[1] == 0 || key[1] > lastCollection {
			err = ErrKey
		}
	}
	if err != nil || len(leaf.Box) > 0 || leaf.Parent != (crypto.KeyID{}) {
		return ErrKey
	}
	return nil
}

// checkKeyPart keeps people's records out of the keys part.
func checkKeyPart(key, _ []byte) error {
	if k := key[0]; k == spaceTree || k == spaceSlot || k == spaceRecord && (key[1] == Replicas.Code || key[1] == Erasures.Code) {
		return nil
	}
	return ErrDump
}

func leafIn[R Record](value []byte, _ Collection[R]) (crypto.Leaf, error) {
	var r R
	if err := decoding.Unmarshal(value, &r); err != nil {
		return crypto.Leaf{}, err
	}
	return LeafOf(r), nil
}

// partWriter sums up what it writes. It stops at the first error.
type partWriter struct {
	w     io.Writer
	sum   hash.Hash
	frame []byte
	err   error
}

func (p *partWriter) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

func (p *partWriter) write(b []byte) {
	if p.err != nil {
		return
	}
	p.sum.Write(b)
	_, p.err = p.w.Write(b)
}

func (p *partWriter) entry(key, value []byte) {
	p.frame = appendEntry(p.frame, key, value)
	if len(p.frame) >= dumpFrame {
		p.flush()
	}
}

func (p *partWriter) flush() {
	p.write(binary.BigEndian.AppendUint32(nil, uint32(len(p.frame))))
	p.write(p.frame)
	p.frame = p.frame[:0]
}

func (p *partWriter) close() error {
	if len(p.frame) > 0 {
		p.flush()
	}
	p.flush()
	p.write(p.sum.Sum(nil))
	return p.err
}

// readPart calls f with every entry of a part. [ErrDump] when it is not whole:
// that is known at its end only.
func readPart(r io.Reader, title string, f func(key, value []byte) error) error {
	in := bufio.NewReaderSize(r, dumpFrame)
	sum := sha256.New()
	read := func(n uint32) ([]byte, error) {
		b := make([]byte, n)
		if _, err := io.ReadFull(in, b); err != nil {
			return nil, ErrDump
		}
		sum.Write(b)
		return b, nil
	}
	if head, err := read(uint32(len(title))); err != nil || string(head) != title {
		return ErrDump
	}
	for {
		head, err := read(4)
		if err != nil {
			return err
		}
		size := binary.BigEndian.Uint32(head)
		if size == 0 {
			break
		}
		if size > 4*dumpFrame {
			return ErrDump
		}
		frame, err := read(size)
		if err != nil {
			return err
		}
		if err := eachEntry(frame, f); err != nil {
			return err
		}
	}
	want := sum.Sum(nil)
	got := make([]byte, len(want))
	if _, err := io.ReadFull(in, got); err != nil || !bytes.Equal(got, want) {
		return ErrDump
	}
	if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
		return ErrDump
	}
	return nil
}

// VerifyRecords reads a records part whole, and VerifyKeys a keys part, without
// keeping anything. [ErrDump], [ErrKey].
func VerifyRecords(r io.Reader) error { return readPart(r, recordsTitle, checkNoKey) }
func VerifyKeys(r io.Reader) error    { return readPart(r, keysTitle, checkKeyPart) }

// LoadParts replaces everything by the two parts of a backup, which may be of
// different days, all or nothing: both are read whole into a folder of their own,
// finish works on what came of it, and only then it takes the place of what was
// there. The log begins anew: applied is 0. Of the former life stay neither
// invitations, sessions nor idempotency keys; where both parts know an erasure or a
// replica the keys part is right. [ErrDump], [ErrKey], or what finish returns.
func (s *Store) LoadParts(records, keys io.Reader, finish func(*Store) error) error {
	dir := filepath.Join(s.cfg.Dir, "records.new")
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("loading a backup: %w", err)
	}
	db, err := s.open(dir)
	if err != nil {
		return err
	}
	fresh := &Store{cfg: s.cfg, db: db, latest: numbers{}, kept: newMemory()}
	err = fresh.takeParts(records, keys)
	if err == nil {
		err = finish(fresh)
	}
	if err = errors.Join(err, db.Sync(), db.Close()); err != nil {
		os.RemoveAll(dir)
		return fmt.Errorf("loading a backup: %w", err)
	}
	return s.swap(dir)
}

func (s *Store) takeParts(records, keys io.Reader) error {
	if err := s.takePart(records, recordsTitle, checkNoKey, former); err != nil {
		return err
	}
	mark := uint64(0)
	err := s.takePart(keys, keysTitle, checkKeyPart, func(key []byte) bool {
		if key[0] == spaceSlot && len(key) == 5 {
			mark = max(mark, uint64(binary.BigEndian.Uint32(key[1:]))+1)
		}
		return former(key)
	})
	if err != nil {
		return err
	}
	if err := s.checkFormat(); err != nil {
		return err
	}
	return s.Update(func(tx *Tx) error {
		tx.SetMeta("applied", 0)
		have, err := tx.Meta("slots")
		tx.SetMeta("slots", max(have, mark))
		return err
	})
}

// former reports whether an entry belongs to the former life of a territory.
func former(key []byte) bool {
	switch key[0] {
	case spaceReplay:
		return true
	case spaceRecord, spaceHistory:
		return key[1] == Sessions.Code || key[1] == Invitations.Code
	}
	return false
}

func (s *Store) takePart(r io.Reader, title string, check func(key, value []byte) error, but func(key []byte) bool) error {
	wb := s.db.NewWriteBatch()
	defer wb.Cancel()
	err := readPart(r, title, func(key, value []byte) error {
		if err := check(key, value); err != nil {
			return err
		}
		if but(key) {
			return nil
		}
		return setEntry(wb, s.cfg.Values, key, value)
	})
	if err != nil {
		return err
	}
	return wb.Flush()
}

func setEntry(wb *badger.WriteBatch, values crypto.Key, key, value []byte) error {
	key = bytes.Clone(key)
	if err := wb.Set(key, values.Seal(value, valuePlace(key))); err != nil {
		return fmt.Errorf("loading a copy: %w", err)
	}
	return nil
}
