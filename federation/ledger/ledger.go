// Package ledger is what a data protection officer is given: the roster and the whole
// feeds of a territory, as files that a program of anybody's can read, and the check
// of them that needs no network and no trust in those who made them.
//
//	feeds.json                          which feeds there are
//	roster/checkpoint                   cosigned by witnesses
//	roster/tile/…                       tiles after C2SP's tlog-tiles
//	egress/SIREN/EPOCH/checkpoint       signed by a quorum of replicas, and witnessed
//	egress/SIREN/EPOCH/tile/…
//
// The same layout is a folder and what a node serves over HTTP. [Verify] starts from
// the digest of the roster's first entry, which everybody was given with an
// invitation; all else follows from the bytes.
package ledger

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
)

// Ledger is what can be handed out. Safe for concurrent use when its logs are.
type Ledger struct {
	Roster Log
	Feeds  []Feed // any order, each once
}

// Feed is the log of a territory in one epoch.
type Feed struct {
	Siren public.Siren
	Epoch uint16
	Log
}

// Log is a feed as its holder has it, up to a checkpoint. One whose checkpoint is
// unsigned is left out.
type Log struct {
	Checkpoint feed.Checkpoint
	// Entries are those from place from up to place to, which is left out.
	Entries func(ctx context.Context, from, to int64) ([][]byte, error)
	Hashes  tlog.HashReader // the tree's stored hashes; nil: they are computed from the entries
}

// Of is the log of a copy, up to its newest checkpoint.
func Of(c *feed.Copy) Log {
	return Log{
		Checkpoint: c.Checkpoint(),
		Hashes:     c,
		Entries: func(ctx context.Context, from, to int64) (out [][]byte, err error) {
			err = c.Entries(from, to, func(_ int64, b []byte) error {
				out = append(out, b)
				return ctx.Err()
			})
			return out, err
		},
	}
}

// Names of what lies beside the tiles.
const (
	fileFeeds      = "feeds.json"
	fileCheckpoint = "checkpoint"
	rosterFolder   = "roster"
)

// folder of a feed.
func folder(s public.Siren, epoch uint16) string { return fmt.Sprintf("egress/%s/%d", s, epoch) }

// listed is a line of feeds.json.
type listed struct {
	Siren public.Siren
	Epoch uint16
}

func (l listed) folder() string { return folder(l.Siren, l.Epoch) }

func compareListed(a, b listed) int {
	return cmp.Or(cmp.Compare(a.Siren, b.Siren), cmp.Compare(a.Epoch, b.Epoch))
}

// formatList writes feeds.json in its one form: a feed on each line, in order.
func formatList(all []listed) []byte {
	b := []byte("[")
	for i, l := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, "\n{\"siren\":%q,\"epoch\":%d}", l.Siren, l.Epoch)
	}
	return append(b, "\n]\n"...)
}

// parseList is the inverse of formatList and refuses every other form.
func parseList(b []byte) (all []listed, ok bool) {
	var lines []struct {
		Siren string `json:"siren"`
		Epoch uint16 `json:"epoch"`
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if d.Decode(&lines) != nil {
		return nil, false
	}
	for _, l := range lines {
		n, err := public.ParseSiren(l.Siren)
		if err != nil || l.Epoch == 0 {
			return nil, false
		}
		all = append(all, listed{n, l.Epoch})
	}
	for i := 1; i < len(all); i++ {
		if compareListed(all[i-1], all[i]) >= 0 {
			return nil, false
		}
	}
	return all, bytes.Equal(formatList(all), b)
}

// Read is one file of the layout: what a node serves at /transparency/. fs.ErrNotExist
// for all that is not part of it.
func (l Ledger) Read(ctx context.Context, path string) ([]byte, error) {
	if path == fileFeeds {
		return formatList(l.list()), nil
	}
	if rest, ok := strings.CutPrefix(path, rosterFolder+"/"); ok {
		return l.Roster.Read(ctx, rest)
	}
	for _, f := range l.Feeds {
		if rest, ok := strings.CutPrefix(path, folder(f.Siren, f.Epoch)+"/"); ok {
			return f.Read(ctx, rest)
		}
	}
	return nil, fs.ErrNotExist
}

// list is what feeds.json holds.
func (l Ledger) list() (all []listed) {
	for _, f := range l.Feeds {
		if f.Checkpoint.Signed != nil {
			all = append(all, listed{f.Siren, f.Epoch})
		}
	}
	sort.Slice(all, func(i, j int) bool { return compareListed(all[i], all[j]) < 0 })
	return all
}

// Read is one file of a log: "checkpoint", "tile/…" or "tile/entries/…".
// fs.ErrNotExist for all that is not part of it.
func (l Log) Read(ctx context.Context, path string) ([]byte, error) {
	if l.Checkpoint.Signed == nil {
		return nil, fs.ErrNotExist
	}
	if path == fileCheckpoint {
		return l.Checkpoint.Signed, nil
	}
	t, ok := feed.ParseTilePath(path)
	if !ok {
		return nil, fs.ErrNotExist
	}
	from, n := t.N*feed.TileWidth, int64(t.W)
	if from+n > l.Checkpoint.Head.Size>>(8*max(t.L, 0)) {
		return nil, fs.ErrNotExist
	}
	switch {
	case t.L < 0:
		return l.bundle(ctx, from, n)
	case l.Hashes != nil:
		return tlog.ReadTileData(t, l.Hashes)
	}
	return l.tile(ctx, t)
}

func (l Log) bundle(ctx context.Context, from, n int64) (b []byte, err error) {
	entries, err := l.Entries(ctx, from, from+n)
	if err != nil {
		return nil, err
	}
	if int64(len(entries)) != n {
		return nil, feed.ErrGap
	}
	for _, e := range entries {
		if len(e) > feed.MaxEntry {
			return nil, feed.ErrRoot
		}
		b = feed.AppendBundle(b, e)
	}
	return b, nil
}

// tile computes a tile from the entries below it.
func (l Log) tile(ctx context.Context, t tlog.Tile) (b []byte, err error) {
	width := int64(1) << (8 * t.L) // entries below one hash
	for i := range int64(t.W) {
		var sub feed.Tree
		from := (t.N*feed.TileWidth + i) * width
		for at := from; at < from+width; at += feed.TileWidth {
			to := min(at+feed.TileWidth, from+width)
			entries, err := l.Entries(ctx, at, to)
			if err != nil {
				return nil, err
			}
			if int64(len(entries)) != to-at {
				return nil, feed.ErrGap
			}
			for _, e := range entries {
				sub.Add(e)
			}
		}
		root := sub.Head().Root
		b = append(b, root[:]...)
	}
	return b, nil
}

// ErrFolder says that a ledger would be mixed with other files.
var ErrFolder = errors.New("the folder is not empty: name a new one, a ledger stands alone")

// Write puts the whole layout into a folder, which is new or empty. [ErrFolder].
func (l Ledger) Write(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("writing a ledger: %w", err)
	}
	there, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("writing a ledger: %w", err)
	}
	if len(there) > 0 {
		return ErrFolder
	}
	paths := []string{fileFeeds}
	if l.Roster.Checkpoint.Signed != nil {
		paths = append(paths, files(rosterFolder, l.Roster.Checkpoint.Head.Size)...)
	}
	for _, f := range l.Feeds {
		if f.Checkpoint.Signed != nil {
			paths = append(paths, files(folder(f.Siren, f.Epoch), f.Checkpoint.Head.Size)...)
		}
	}
	for _, path := range paths {
		b, err := l.Read(ctx, path)
		if err != nil {
			return fmt.Errorf("writing %s: %w", path, err)
		}
		file := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return fmt.Errorf("writing a ledger: %w", err)
		}
		if err := os.WriteFile(file, b, 0o644); err != nil {
			return fmt.Errorf("writing a ledger: %w", err)
		}
	}
	return nil
}

// files are the paths of a feed of some size in its folder.
func files(folder string, size int64) []string {
	all := []string{folder + "/" + fileCheckpoint}
	for _, t := range feed.Tiles(size) {
		all = append(all, folder+"/"+t)
	}
	return all
}
