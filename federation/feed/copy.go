package feed

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/mod/sumdb/tlog"
)

// Files of a copy, in its folder. What lies behind the checkpoint's size is of an
// append that was cut off, and is cut off when the copy is opened.
const (
	fileEntries    = "entries"    // each behind its length in 16 bits, as in C2SP's bundles
	fileEnds       = "ends"       // where each entry ends in it, 64 bits
	fileHashes     = "hashes"     // the tree's stored hashes, as tlog numbers them
	fileCheckpoint = "checkpoint" // replaced by renaming, last of all
	fileNext       = "checkpoint.next"
)

// Copy is one feed on this machine's disk: its entries and the newest checkpoint that
// was taken. It checks that entries lead to the signed root, not whose signatures
// those are: that is a [Policy]'s, before. Safe for concurrent use in one process; no
// file is open between calls.
type Copy struct {
	dir, origin string
	disk        disk

	mu     sync.RWMutex // held over a whole Append; readers hold it for a look at what follows
	point  Checkpoint
	end    int64 // of the last entry, in bytes
	closed bool
}

// OpenCopy opens the copy of a feed in a folder, or begins one. A crash in any write
// has left the state before it or after it. [ErrDamaged], [ErrCheckpoint] when the
// folder holds another feed.
func OpenCopy(dir, origin string) (*Copy, error) { return openCopy(dir, origin, osDisk{}) }

func openCopy(dir, origin string, d disk) (*Copy, error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		err = os.MkdirAll(dir, 0o700)
		if err == nil {
			err = d.SyncDir(filepath.Dir(dir))
		}
		if err != nil {
			return nil, fmt.Errorf("opening a copy of a feed: %w", err)
		}
	}
	c := &Copy{dir: dir, origin: origin, disk: d, point: Checkpoint{Origin: origin, Head: EmptyHead()}}
	signed, err := os.ReadFile(c.path(fileCheckpoint))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		signed = nil
	case err != nil:
		return nil, fmt.Errorf("opening a copy of a feed: %w", err)
	default:
		if c.point, err = ParseCheckpoint(signed); err != nil {
			return nil, ErrDamaged
		}
		if c.point.Origin != origin {
			return nil, fmt.Errorf("opening the copy of %s: %w: the folder holds %s", origin, ErrCheckpoint, c.point.Origin)
		}
	}
	if err := c.recover(); err != nil {
		return nil, fmt.Errorf("opening the copy of %s: %w", origin, err)
	}
	return c, nil
}

// recover cuts off what an append left behind that did not reach its checkpoint.
func (c *Copy) recover() error {
	size := c.point.Head.Size
	if err := c.cut(fileEnds, 8*size); err != nil {
		return err
	}
	if size > 0 {
		ends, err := c.read(fileEnds, 8*(size-1), 8)
		if err != nil {
			return err
		}
		c.end = int64(binary.BigEndian.Uint64(ends))
	}
	if err := c.cut(fileEntries, c.end); err != nil {
		return err
	}
	if err := c.cut(fileHashes, tlog.HashSize*tlog.StoredHashCount(size)); err != nil {
		return err
	}
	root, err := tlog.TreeHash(size, c)
	if err != nil {
		return err
	}
	if root != c.point.Head.Root {
		return ErrDamaged
	}
	return nil
}

// cut shortens a file to the length that the checkpoint vouches for.
func (c *Copy) cut(name string, length int64) error {
	info, err := os.Stat(c.path(name))
	switch {
	case errors.Is(err, fs.ErrNotExist) && length == 0:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return ErrDamaged
	case err != nil:
		return err
	case length < 0 || info.Size() < length:
		return ErrDamaged
	case info.Size() == length:
		return nil
	}
	return c.disk.Truncate(c.path(name), length)
}

// Origin of the feed.
func (c *Copy) Origin() string { return c.origin }

// Head is the newest state that was taken.
func (c *Copy) Head() Head { return c.Checkpoint().Head }

// Checkpoint is the newest that was taken; its Signed is nil before the first.
func (c *Copy) Checkpoint() Checkpoint {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.point
}

// Append takes the entries that follow and the checkpoint that they lead to; at its
// return both are on the disk. Without entries it adds signatures to the same head,
// as [Merge] does; what a stranger sent goes through [Policy.Trim] first. Otherwise nothing has changed: [ErrRoot] for entries that do not
// lead to the signed root, [ErrGap] for a head that is further, [ErrOld] for one that
// was left behind, [ErrFork] for one that contradicts what is here.
func (c *Copy) Append(entries [][]byte, signed Checkpoint) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return os.ErrClosed
	}
	parsed, err := ParseCheckpoint(signed.Signed)
	if err != nil || parsed.Origin != c.origin || signed.Origin != c.origin || parsed.Head != signed.Head {
		return ErrCheckpoint
	}
	old, to := c.point.Head, parsed.Head
	switch {
	case to.Size < old.Size:
		return c.behind(to)
	case to.Size == old.Size && to != old:
		return ErrFork
	case to.Size > old.Size+int64(len(entries)):
		return ErrGap
	case to.Size < old.Size+int64(len(entries)):
		return ErrRoot
	case to == old:
		joined, err := Merge(c.point, parsed)
		if err != nil {
			return err
		}
		return c.replace(joined, c.end)
	}
	return c.grow(entries, parsed)
}

// behind says what a smaller head is: an old one, or a contradiction.
func (c *Copy) behind(to Head) error {
	root, err := tlog.TreeHash(to.Size, c)
	if err != nil {
		return err
	}
	if root != to.Root {
		return ErrFork
	}
	return ErrOld
}

func (c *Copy) grow(entries [][]byte, signed Checkpoint) error {
	size, end := c.point.Head.Size, c.end
	first := tlog.StoredHashCount(size)
	var data, ends, hashes []byte
	fresh := pending{first: first, before: c}
	for i, e := range entries {
		if len(e) > MaxEntry {
			return ErrRoot
		}
		data = AppendBundle(data, e)
		ends = binary.BigEndian.AppendUint64(ends, uint64(end+int64(len(data))))
		stored, err := tlog.StoredHashes(size+int64(i), e, &fresh)
		if err != nil {
			return err
		}
		fresh.hashes = append(fresh.hashes, stored...)
	}
	root, err := tlog.TreeHash(signed.Head.Size, &fresh)
	if err != nil {
		return err
	}
	if root != signed.Head.Root {
		return ErrRoot
	}
	for _, h := range fresh.hashes {
		hashes = append(hashes, h[:]...)
	}
	for _, w := range []struct {
		name string
		b    []byte
		at   int64
	}{{fileEntries, data, end}, {fileEnds, ends, 8 * size}, {fileHashes, hashes, first * tlog.HashSize}} {
		if err := c.disk.Write(c.path(w.name), w.b, w.at); err != nil {
			return fmt.Errorf("writing %s: %w", c.origin, err)
		}
		if err := c.disk.Sync(c.path(w.name)); err != nil {
			return fmt.Errorf("writing %s: %w", c.origin, err)
		}
	}
	return c.replace(signed, end+int64(len(data)))
}

// replace puts a checkpoint in the place of the former one: the renaming is the
// instant at which an append has happened. When only the folder's own sync fails, the
// caller is told so and tries again, with the same.
func (c *Copy) replace(signed Checkpoint, end int64) error {
	next := c.path(fileNext)
	err := c.disk.Write(next, signed.Signed, 0)
	if err == nil {
		err = c.disk.Truncate(next, int64(len(signed.Signed))) // an attempt that was cut off may have been longer
	}
	if err == nil {
		err = c.disk.Sync(next)
	}
	if err == nil && c.point.Head.Size == 0 {
		err = c.disk.SyncDir(c.dir) // the names of the files that this checkpoint vouches for
	}
	if err == nil {
		err = c.disk.Rename(next, c.path(fileCheckpoint))
	}
	if err == nil {
		c.point, c.end = signed, end
		err = c.disk.SyncDir(c.dir)
	}
	if err != nil {
		return fmt.Errorf("writing the checkpoint of %s: %w", c.origin, err)
	}
	return nil
}

// pending reads the hashes of an append that is not written yet, and before them
// those on disk.
type pending struct {
	first  int64
	hashes []tlog.Hash
	before tlog.HashReader
}

// ReadHashes implements tlog.HashReader.
func (p *pending) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	var old []int64
	for _, i := range indexes {
		if i < p.first {
			old = append(old, i)
		}
	}
	read, err := p.before.ReadHashes(old)
	if err != nil {
		return nil, err
	}
	for at, i := range indexes {
		switch {
		case i < p.first:
			out[at], read = read[0], read[1:]
		case i-p.first < int64(len(p.hashes)):
			out[at] = p.hashes[i-p.first]
		default:
			return nil, ErrDamaged
		}
	}
	return out, nil
}

// near is how many hashes are rather read in one piece than one by one.
const near = 1024

// ReadHashes implements tlog.HashReader over the feed's tree.
func (c *Copy) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	if len(indexes) == 0 {
		return nil, nil
	}
	f, err := os.Open(c.path(fileHashes))
	if err != nil {
		return nil, damaged(err)
	}
	defer f.Close()
	out := make([]tlog.Hash, len(indexes))
	first, last := slices.Min(indexes), slices.Max(indexes)
	if last-first < near {
		b := make([]byte, (last-first+1)*tlog.HashSize)
		if _, err := f.ReadAt(b, first*tlog.HashSize); err != nil {
			return nil, damaged(err)
		}
		for i, x := range indexes {
			out[i] = tlog.Hash(b[(x-first)*tlog.HashSize:])
		}
		return out, nil
	}
	for i, x := range indexes {
		if _, err := f.ReadAt(out[i][:], x*tlog.HashSize); err != nil {
			return nil, damaged(err)
		}
	}
	return out, nil
}

// Entries hands over the entries from place from up to place to, which is left out,
// in order, until f fails. What f was handed is its own to keep. [ErrGap] when the
// copy does not reach that far, [ErrDamaged] for an entry that is not what was taken.
func (c *Copy) Entries(from, to int64, f func(i int64, b []byte) error) error {
	if from < 0 || from > to || to > c.Head().Size {
		return ErrGap
	}
	for from < to {
		n := min(to-from, 256-from%256) // as far as its bundle goes
		entries, err := c.bundle(from, n)
		if err != nil {
			return err
		}
		for i, e := range entries {
			if err := f(from+int64(i), e); err != nil {
				return err
			}
		}
		from += n
	}
	return nil
}

// bundle reads n entries, 1 to 256, and checks them against the tree's leaves.
func (c *Copy) bundle(from, n int64) ([][]byte, error) {
	raw, err := c.bundled(from, n)
	if err != nil {
		return nil, err
	}
	entries, err := ParseBundle(raw)
	if err != nil || int64(len(entries)) != n {
		return nil, ErrDamaged
	}
	leaves := make([]int64, n)
	for i := range leaves {
		leaves[i] = tlog.StoredHashIndex(0, from+int64(i))
	}
	hashes, err := c.ReadHashes(leaves)
	if err != nil {
		return nil, err
	}
	for i, e := range entries {
		if tlog.RecordHash(e) != hashes[i] {
			return nil, ErrDamaged
		}
	}
	return entries, nil
}

// bundled reads the raw form of n entries.
func (c *Copy) bundled(from, n int64) ([]byte, error) {
	ends, err := c.read(fileEnds, max(0, 8*(from-1)), 8*(n+min(from, 1)))
	if err != nil {
		return nil, err
	}
	start := int64(0)
	if from > 0 {
		start = int64(binary.BigEndian.Uint64(ends))
	}
	end := int64(binary.BigEndian.Uint64(ends[len(ends)-8:]))
	if end < start || end-start > n*(MaxEntry+2) {
		return nil, ErrDamaged
	}
	return c.read(fileEntries, start, end-start)
}

func (c *Copy) read(name string, at, n int64) ([]byte, error) {
	f, err := os.Open(c.path(name))
	if err != nil {
		return nil, damaged(err)
	}
	defer f.Close()
	b := make([]byte, n)
	if _, err := f.ReadAt(b, at); err != nil {
		return nil, damaged(err)
	}
	return b, nil
}

// damaged names what it means that something is missing that a checkpoint vouches
// for.
func damaged(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrDamaged
	}
	return fmt.Errorf("reading a feed: %w", err)
}

// Close waits for an append under way; later ones are refused with os.ErrClosed.
func (c *Copy) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return nil
}

func (c *Copy) path(name string) string { return filepath.Join(c.dir, name) }
