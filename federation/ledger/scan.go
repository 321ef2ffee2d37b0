package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/bippop/bippop/federation/feed"
)

// Bounds of files, in bytes.
const (
	maxList       = 4 << 20
	maxCheckpoint = 32 << 10
	maxBundle     = feed.TileWidth * (feed.MaxEntry + 2)
	maxTile       = feed.TileWidth * tlog.HashSize
)

// scan reads one feed's tiles from first to last, in bounded memory: bundles are read
// and checked side by side and put together in their order.
type scan struct {
	src    Source
	folder string
	size   int64
	check  func(seq int64, b []byte) said // nil: entries are not looked into
	take   func(seq int64, b []byte, s said) error
	fault  func(seq int64, code Code, what string)

	tree   feed.Tree
	levels []level // of tiles above the first
}

// level is the tile of a level that is being filled.
type level struct {
	n      int64 // which tile
	hashes []byte
}

// piece is a bundle that was read.
type piece struct {
	from    int64
	entries [][]byte
	leaves  []tlog.Hash
	said    []said
	faults  []Fault // without the feed
	broken  bool    // the entries can not be told apart
}

// run returns the head that the entries lead to; whole is false when entries are
// missing, so that no root follows.
func (s *scan) run(ctx context.Context) (head feed.Head, whole bool, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	queue := make(chan chan piece, 2*runtime.GOMAXPROCS(0))
	go func() {
		defer close(queue)
		for from := int64(0); from < s.size; from += feed.TileWidth {
			slot := make(chan piece, 1)
			select {
			case queue <- slot:
			case <-ctx.Done():
				return
			}
			go func() { slot <- s.piece(ctx, from) }()
		}
	}()
	whole = true
	for slot := range queue {
		p := <-slot
		if err := ctx.Err(); err != nil {
			return feed.Head{}, false, err
		}
		for _, f := range p.faults {
			s.fault(f.Seq, f.Code, f.What)
		}
		if p.broken {
			return feed.Head{}, false, nil
		}
		for i, e := range p.entries {
			if err := s.take(p.from+int64(i), e, p.said[i]); err != nil {
				return feed.Head{}, false, err
			}
			s.tree.AddHash(p.leaves[i])
		}
		if len(p.entries) == feed.TileWidth {
			s.rise(ctx, 1, subtree(p.leaves))
		}
	}
	if err := ctx.Err(); err != nil {
		return feed.Head{}, false, err
	}
	for i := range s.levels {
		s.compare(ctx, i+1)
	}
	return s.tree.Head(), whole, nil
}

// piece reads one bundle and the tile of its hashes.
func (s *scan) piece(ctx context.Context, from int64) piece {
	n := int(min(s.size-from, feed.TileWidth))
	p := piece{from: from}
	note := func(seq int64, code Code, what string) {
		p.faults = append(p.faults, Fault{Seq: seq, Code: code, What: what})
	}
	path := feed.TilePath(-1, from/feed.TileWidth, n)
	raw, err := s.src.Read(ctx, s.folder+"/"+path, maxBundle)
	if err != nil {
		note(from, Unreadable, unread(path, err))
		p.broken = true
		return p
	}
	tile, err := s.read(ctx, 0, from/feed.TileWidth, n)
	if err != nil {
		note(from, Unreadable, err.Error())
	}
	p.entries, err = feed.ParseBundle(raw)
	p.broken = err != nil || len(p.entries) != n
	differ := -1
	for i, e := range p.entries {
		leaf := tlog.RecordHash(e)
		p.leaves = append(p.leaves, leaf)
		bad := tile != nil && (i >= n || !bytes.Equal(tile[i*tlog.HashSize:][:tlog.HashSize], leaf[:]))
		if bad && differ < 0 {
			differ = i
		}
		if bad && !p.broken {
			note(from+int64(i), Leaf, "the entry and its hash in the tile differ")
		}
		var out said
		if s.check != nil && !p.broken {
			out = s.check(from+int64(i), e)
			if out.code != "" && !bad {
				note(from+int64(i), out.code, out.what)
			}
		}
		p.said = append(p.said, out)
	}
	if p.broken {
		if differ < 0 {
			differ = min(len(p.entries), n)
		}
		note(from+int64(differ), Gap, fmt.Sprintf("%s does not hold %d entries from here on", path, n))
	}
	return p
}

// read reads a tile of hashes.
func (s *scan) read(ctx context.Context, level int, n int64, width int) ([]byte, error) {
	path := feed.TilePath(level, n, width)
	b, err := s.src.Read(ctx, s.folder+"/"+path, maxTile)
	if err == nil && len(b) != width*tlog.HashSize {
		err = errors.New("it has another length than its hashes")
	}
	if err != nil {
		return nil, errors.New(unread(path, err))
	}
	return b, nil
}

func unread(path string, err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return path + " is missing"
	}
	return fmt.Sprintf("%s can not be read: %v", path, err)
}

// subtree is the root of a full tile.
func subtree(leaves []tlog.Hash) tlog.Hash {
	var t feed.Tree
	for _, h := range leaves {
		t.AddHash(h)
	}
	return t.Head().Root
}

// rise puts the root of a full tile into the tile above it.
func (s *scan) rise(ctx context.Context, at int, h tlog.Hash) {
	if len(s.levels) < at {
		s.levels = append(s.levels, level{})
	}
	l := &s.levels[at-1]
	l.hashes = append(l.hashes, h[:]...)
	if len(l.hashes) < maxTile {
		return
	}
	full := make([]tlog.Hash, feed.TileWidth)
	for i := range full {
		full[i] = tlog.Hash(l.hashes[i*tlog.HashSize:])
	}
	s.compare(ctx, at)
	s.rise(ctx, at+1, subtree(full))
}

// compare holds the tile that was filled against the one that lies there.
func (s *scan) compare(ctx context.Context, at int) {
	l := &s.levels[at-1]
	width := len(l.hashes) / tlog.HashSize
	if width == 0 {
		return
	}
	span := int64(1) << (8 * at) // entries below one hash
	first := l.n * feed.TileWidth * span
	b, err := s.read(ctx, at, l.n, width)
	if err != nil {
		s.fault(first, Unreadable, err.Error())
	}
	for i := 0; err == nil && i < width; i++ {
		if !bytes.Equal(b[i*tlog.HashSize:][:tlog.HashSize], l.hashes[i*tlog.HashSize:][:tlog.HashSize]) {
			s.fault(first+int64(i)*span, Tile, feed.TilePath(at, l.n, width)+" holds another hash than the entries make")
			break
		}
	}
	*l = level{n: l.n + 1, hashes: l.hashes[:0]}
}
