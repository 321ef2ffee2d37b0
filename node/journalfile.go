package node

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/bippop/bippop/crypto"
)

// journalFile is where this replica notes what it shows, on its own disk, before the
// first byte of the answer leaves. Entries are sealed one by one under a key of this
// replica; in clear stand the number with which each file begins, and lengths. Space
// is taken in advance, so that a full disk stops no reading for some thousands of
// answers. A file whose entries are all in the territory's record is used again.
// Safe for concurrent use.
type journalFile struct {
	dir  string
	key  crypto.Key
	name []byte // of the territory and the replica, in each entry's place

	group sync.Mutex // guards batch: who comes while the disk is busy is written with the others
	batch *noteBatch

	disk   sync.Mutex // one writer; guards all below
	files  []*noteFile
	end    int64 // of the last file
	first  uint64
	places []notePlace // of the entries from first on
	broken error       // the disk has failed: what is on it is not known
}

// noteBatch is what goes to the disk together.
type noteBatch struct {
	entries [][]byte
	written bool
	err     error
}

// noteFile is one file; begin is the number of its first entry.
type noteFile struct {
	*os.File
	begin uint64
}

type notePlace struct {
	file *noteFile
	at   int64
	size int
}

const (
	noteFileSize = 1 << 20
	noteSuffix   = ".notes"
	noteSpare    = "spare"
	noteMost     = 60 << 10 // bytes of one entry
)

// errNotes says that nothing can be noted, so that nothing is shown.
var errNotes = &Error{Kind: Unavailable, Code: "journal-full", Reason: "what is shown of people is noted first, and this replica cannot write the note: the operator must look at its disk; other replicas go on"}

// openJournalFile opens the notes in dir, or begins them with the given number. Of the
// last file a tail that is not whole was never shown: it is cut off. found says that
// there were notes.
func openJournalFile(dir string, key crypto.Key, name string, next uint64) (f *journalFile, found bool, err error) {
	f = &journalFile{dir: dir, key: key, name: []byte(name), batch: &noteBatch{}}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, false, err
	}
	names, err := os.ReadDir(dir)
	if err != nil {
		return nil, false, err
	}
	for _, n := range names { // in order: the numbers have leading zeros
		text, ok := strings.CutSuffix(n.Name(), noteSuffix)
		if !ok {
			continue
		}
		begin, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			continue
		}
		file, err := os.OpenFile(filepath.Join(dir, n.Name()), os.O_RDWR, 0o600)
		if err != nil {
			return nil, false, errors.Join(err, f.close())
		}
		f.files = append(f.files, &noteFile{file, begin})
	}
	if len(f.files) == 0 {
		err = f.begin(next)
	} else if err = f.load(); err == nil {
		found = true
	}
	if err == nil {
		err = f.spare()
	}
	if err != nil {
		return nil, false, errors.Join(err, f.close())
	}
	return f, found, nil
}

// load finds the entries again.
func (f *journalFile) load() error {
	for i := len(f.files) - 1; i > 0; i-- { // a file that does not follow is of no use: what lies before it is lost
		if f.count(f.files[i-1]) != f.files[i].begin {
			for _, old := range f.files[:i] {
				old.Close()
				os.Remove(old.Name())
			}
			f.files = f.files[i:]
			break
		}
	}
	f.first = f.files[0].begin
	for _, file := range f.files {
		if err := f.scan(file, func(at int64, size int) { f.places = append(f.places, notePlace{file, at, size}) }); err != nil {
			return err
		}
	}
	last := f.files[len(f.files)-1]
	f.end = 0
	if n := len(f.places); n > 0 && f.places[n-1].file == last {
		f.end = f.places[n-1].at + int64(f.places[n-1].size)
	}
	rest := make([]byte, max(0, noteFileSize-f.end))
	if n, err := last.ReadAt(rest, f.end); n < len(rest) || err != nil || bytes.ContainsFunc(rest, func(r rune) bool { return r != 0 }) {
		clear(rest)
		if _, err := last.WriteAt(rest, f.end); err != nil {
			return err
		}
		return last.Sync()
	}
	return nil
}

// count is the number after the last whole entry of a file.
func (f *journalFile) count(file *noteFile) uint64 {
	n := file.begin
	f.scan(file, func(int64, int) { n++ })
	return n
}

// scan calls each with the place of every whole entry, up to the first that is not.
func (f *journalFile) scan(file *noteFile, each func(at int64, size int)) error {
	b := make([]byte, noteFileSize)
	n, err := file.ReadAt(b, 0)
	if n == 0 && err != nil && !errors.Is(err, fs.ErrClosed) {
		return nil // empty: it was being made
	}
	b = b[:n]
	for at, seq := 0, file.begin; at+4 <= len(b); seq++ {
		size := int(binary.BigEndian.Uint32(b[at:]))
		if size == 0 || size > noteMost || at+4+size > len(b) {
			break
		}
		if _, err := f.key.Open(b[at+4:at+4+size], f.place(seq)); err != nil {
			break
		}
		each(int64(at), 4+size)
		at += 4 + size
	}
	return nil
}

func (f *journalFile) place(seq uint64) []byte {
	return crypto.Place([]byte("note v1"), f.name, binary.BigEndian.AppendUint64(nil, seq))
}

// next is the number of the entry that comes next.
func (f *journalFile) next() uint64 {
	f.disk.Lock()
	defer f.disk.Unlock()
	return f.first + uint64(len(f.places))
}

// note returns once an entry is on the disk. Those that come at the same time are
// written together.
func (f *journalFile) note(entry []byte) error {
	f.group.Lock()
	b := f.batch
	b.entries = append(b.entries, entry)
	f.group.Unlock()

	f.disk.Lock()
	defer f.disk.Unlock()
	if !b.written {
		f.group.Lock()
		f.batch = &noteBatch{}
		f.group.Unlock()
		b.err, b.written = f.write(b.entries), true
	}
	return b.err
}

// write appends entries and waits for the disk. With disk held.
func (f *journalFile) write(entries [][]byte) error {
	if f.broken != nil {
		return f.broken
	}
	var frames []byte
	var places []notePlace
	from := f.end
	flush := func() error {
		if len(frames) == 0 {
			return nil
		}
		last := f.files[len(f.files)-1]
		if _, err := last.WriteAt(frames, from); err != nil {
			return f.fail(err)
		}
		if err := last.Sync(); err != nil {
			return f.fail(err)
		}
		f.places = append(f.places, places...)
		f.end, frames, places = from+int64(len(frames)), nil, nil
		from = f.end
		return nil
	}
	for _, e := range entries {
		seq := f.first + uint64(len(f.places)+len(places))
		box := f.key.Seal(e, f.place(seq))
		if len(box) > noteMost {
			return errNotes
		}
		if from+int64(len(frames)+4+len(box)) > noteFileSize {
			if err := flush(); err != nil {
				return err
			}
			if err := f.begin(seq); err != nil {
				return err // the disk is full; what is noted is safe
			}
			from = f.end
		}
		places = append(places, notePlace{f.files[len(f.files)-1], from + int64(len(frames)), 4 + len(box)})
		frames = append(binary.BigEndian.AppendUint32(frames, uint32(len(box))), box...)
	}
	return flush()
}

// fail keeps that the disk has failed: after that nobody knows what is on it.
func (f *journalFile) fail(err error) error {
	f.broken = fmt.Errorf("noting what is shown: %w", err)
	return f.broken
}

// begin makes the next file, from the spare one if there is one.
func (f *journalFile) begin(seq uint64) error {
	path := filepath.Join(f.dir, fmt.Sprintf("%020d%s", seq, noteSuffix))
	spare := filepath.Join(f.dir, noteSpare)
	if err := f.spare(); err != nil {
		return err
	}
	if err := os.Rename(spare, path); err != nil {
		return err
	}
	if err := folder(f.dir).sync(); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if len(f.files) == 0 {
		f.first = seq
	}
	f.files = append(f.files, &noteFile{file, seq})
	f.end = 0
	return nil
}

// spare takes the space of the next file in advance. The space is written, not only
// promised: then the disk has no more to do than to write each entry.
func (f *journalFile) spare() error {
	spare := filepath.Join(f.dir, noteSpare)
	if info, err := os.Stat(spare); err == nil && info.Size() == noteFileSize {
		return nil
	}
	return crypto.WriteFile(spare, make([]byte, noteFileSize))
}

// errNoNote says that an entry is not there any more.
var errNoNote = errors.New("a note of what was shown is missing")

// read returns entries from a number on, at most most bytes of them, at least one if
// there is one.
func (f *journalFile) read(from uint64, most int) (entries [][]byte, err error) {
	f.disk.Lock()
	defer f.disk.Unlock()
	if from < f.first {
		return nil, errNoNote
	}
	for i := from - f.first; i < uint64(len(f.places)); i++ {
		p := f.places[i]
		if most -= p.size; most < 0 && len(entries) > 0 {
			break
		}
		b := make([]byte, p.size)
		if _, err := p.file.ReadAt(b, p.at); err != nil {
			return nil, err
		}
		plain, err := f.key.Open(b[4:], f.place(f.first+i))
		if err != nil {
			return nil, err
		}
		entries = append(entries, plain)
	}
	return entries, nil
}

// trim lets go of files whose entries all stand before a number: they are in the
// territory's record.
func (f *journalFile) trim(before uint64) error {
	f.disk.Lock()
	defer f.disk.Unlock()
	for len(f.files) > 1 && f.files[1].begin <= before {
		old := f.files[0]
		f.files = f.files[1:]
		f.places = slices.Clone(f.places[f.files[0].begin-f.first:])
		f.first = f.files[0].begin
		err := old.Close()
		spare := filepath.Join(f.dir, noteSpare)
		if _, none := os.Stat(spare); none != nil {
			err = errors.Join(err, os.Rename(old.Name(), spare))
		} else {
			err = errors.Join(err, os.Remove(old.Name()))
		}
		if err != nil {
			return err
		}
	}
	return f.spare()
}

func (f *journalFile) close() (err error) {
	f.disk.Lock()
	defer f.disk.Unlock()
	for _, file := range f.files {
		err = errors.Join(err, file.Close())
	}
	f.files = nil
	f.broken = errStopped
	return err
}
