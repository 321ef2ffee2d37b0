package feed

import (
	"encoding/binary"
	"io/fs"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// tileHeight is C2SP's: 256 hashes or entries in a tile.
const tileHeight = 8

// TileWidth is how many hashes, or entries, a full tile holds.
const TileWidth = 1 << tileHeight

// TilePath is a tile's path after C2SP: tile/LEVEL/NNN, tile/entries/NNN for level
// -1, with .p/WIDTH while it is not full.
func TilePath(level int, n int64, width int) string {
	path := tlog.Tile{H: tileHeight, L: level, N: n, W: width}.Path()
	path = strings.TrimPrefix(path, "tile/8/")
	if rest, ok := strings.CutPrefix(path, "data/"); ok {
		path = "entries/" + rest
	}
	return "tile/" + path
}

// ParseTilePath is the inverse of TilePath: what it takes, TilePath writes the same.
func ParseTilePath(path string) (t tlog.Tile, ok bool) {
	rest, ok := strings.CutPrefix(path, "tile/")
	if !ok || strings.HasPrefix(rest, "data/") || len(path) > 100 {
		return tlog.Tile{}, false
	}
	if e, ok := strings.CutPrefix(rest, "entries/"); ok {
		rest = "data/" + e
	}
	t, err := tlog.ParseTilePath("tile/8/" + rest)
	if err != nil || t.L > 7 || t.N < 0 || t.N > 1<<48 {
		return tlog.Tile{}, false
	}
	return t, true
}

// Tile is what a reader over HTTP asks for: "checkpoint", "tile/…" or
// "tile/entries/…", as C2SP's tlog-tiles names them. Partial tiles are there in every
// width that the feed ever had. fs.ErrNotExist for all else.
func (c *Copy) Tile(path string) ([]byte, error) {
	point := c.Checkpoint()
	if path == "checkpoint" {
		if point.Signed == nil {
			return nil, fs.ErrNotExist
		}
		return point.Signed, nil
	}
	t, ok := ParseTilePath(path)
	if !ok {
		return nil, fs.ErrNotExist
	}
	below := point.Head.Size >> (tileHeight * max(t.L, 0)) // hashes of the level
	from := t.N << tileHeight
	if from+int64(t.W) > below {
		return nil, fs.ErrNotExist
	}
	if t.L < 0 {
		return c.bundled(from, int64(t.W))
	}
	b, err := tlog.ReadTileData(t, c)
	if err != nil {
		return nil, damaged(err)
	}
	return b, nil
}

// Tiles are the paths of all tiles of a feed of some size, entries first, then level
// by level: what an export holds beside the checkpoint.
func Tiles(size int64) (paths []string) {
	for level := -1; level < 1 || size>>(tileHeight*level) > 0; level++ {
		n := size >> (tileHeight * max(level, 0))
		for at := int64(0); at<<tileHeight < n; at++ {
			paths = append(paths, TilePath(level, at, int(min(n-at<<tileHeight, TileWidth))))
		}
	}
	return paths
}

// AppendBundle appends an entry to a bundle of entries: its length in 16 bits, then
// itself. It panics past [MaxEntry].
func AppendBundle(bundle, entry []byte) []byte {
	if len(entry) > MaxEntry {
		panic("feed: an entry longer than a bundle can say")
	}
	return append(binary.BigEndian.AppendUint16(bundle, uint16(len(entry))), entry...)
}

// ParseBundle splits a bundle of entries; they share its memory. [ErrRoot] when it
// ends within one; those before are returned all the same.
func ParseBundle(b []byte) (entries [][]byte, err error) {
	for len(b) > 0 {
		if len(b) < 2 {
			return entries, ErrRoot
		}
		n := 2 + int(binary.BigEndian.Uint16(b))
		if len(b) < n {
			return entries, ErrRoot
		}
		entries = append(entries, b[2:n:n])
		b = b[n:]
	}
	return entries, nil
}
