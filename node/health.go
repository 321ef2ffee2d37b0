package node

import (
	"errors"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/bippop/bippop/consensus"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/store"
)

// health knows what this node can still do. Safe for concurrent use.
type health struct {
	dir     string
	minFree uint64
	now     func() time.Time
	root    interface{ serving() error } // whether people's words can be opened

	damaged atomic.Bool
	removed atomic.Bool // this replica was taken out of the territory
	stopped atomic.Bool
	checked atomic.Int64 // when free space was read, Unix ms
	full    atomic.Bool
}

// freeSpaceEvery is how old a reading of the free space may be.
const freeSpaceEvery = time.Second

// writable refuses writes while the disk is almost full: Badger writes to mapped
// files, and a full disk would end the process in the middle (badger#1801).
func (h *health) writable() error {
	if err := h.readable(); err != nil {
		return err
	}
	if now := h.now().UnixMilli(); now-h.checked.Load() > freeSpaceEvery.Milliseconds() {
		if free, err := h.free(); err == nil {
			h.full.Store(free < h.minFree)
			h.checked.Store(now)
		}
	}
	if h.full.Load() {
		return errFull
	}
	return nil
}

// free is how many bytes the disk of the data has left.
func (h *health) free() (bytes uint64, err error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(h.dir, &fs); err != nil {
		return 0, err
	}
	return fs.Bavail * uint64(fs.Bsize), nil
}

// readable refuses everything once altered data was met.
func (h *health) readable() error {
	switch {
	case h.damaged.Load():
		return errDamaged
	case h.removed.Load():
		return errTakenOut
	case h.stopped.Load():
		return errStopped
	}
	return h.root.serving()
}

// note remembers faults that concern every later call.
func (h *health) note(err error) {
	switch {
	case errors.Is(err, store.ErrDamaged), errors.Is(err, crypto.ErrDamaged), errors.Is(err, consensus.ErrDamaged):
		h.damaged.Store(true)
	case errors.Is(err, consensus.ErrStore), errors.Is(err, consensus.ErrStalled), errors.Is(err, consensus.ErrTransfer), errors.Is(err, consensus.ErrReplaced):
		h.stopped.Store(true)
	}
}
