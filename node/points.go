package node

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation/feed"
)

// pointFile keeps the newest settled checkpoint of each epoch on this machine's
// disk: the proof that what stands before it was received. It can be collected anew
// from the hubs. Safe for concurrent use.
type pointFile struct {
	dir string
	mu  *sync.Mutex // one writer at a time
}

func newPointFile(cfg Config) pointFile { return pointFile{federationDir(cfg), new(sync.Mutex)} }

func (p pointFile) path(epoch uint16) string {
	return filepath.Join(p.dir, "checkpoint-"+strconv.Itoa(int(epoch)))
}

// read is the zero Checkpoint when there is none.
func (p pointFile) read(epoch uint16) (feed.Checkpoint, error) {
	b, err := os.ReadFile(p.path(epoch))
	if errors.Is(err, fs.ErrNotExist) {
		return feed.Checkpoint{}, nil
	}
	if err != nil {
		return feed.Checkpoint{}, err
	}
	return feed.ParseCheckpoint(b)
}

// keep replaces the epoch's checkpoint by one that is not smaller.
func (p pointFile) keep(epoch uint16, point feed.Checkpoint) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if old, err := p.read(epoch); err == nil && old.Head.Size > point.Head.Size {
		return nil
	}
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return err
	}
	return crypto.WriteFile(p.path(epoch), point.Signed)
}
