package federation

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"github.com/bippop/bippop/federation/roster"
)

// RosterFile is the roster of a machine without a node: its entries in one file.
// Safe for concurrent use in one process.
type RosterFile struct {
	path    string
	genesis [32]byte
	mu      sync.RWMutex
	entries [][]byte
	state   *roster.State
}

// OpenRosterFile reads a file, or begins one. Genesis is the digest of the first
// entry, from the invitation. An entry that a crash cut off is dropped: it is fetched
// again.
func OpenRosterFile(path string, genesis [32]byte) (*RosterFile, error) {
	f := &RosterFile{path: path, genesis: genesis}
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for len(b) >= 4 {
		n := int(binary.BigEndian.Uint32(b))
		if n > len(b)-4 {
			break
		}
		f.entries = append(f.entries, slices.Clone(b[4:4+n]))
		b = b[4+n:]
	}
	if len(f.entries) == 0 {
		return f, nil
	}
	if f.state, err = roster.Fold(genesis, f.entries); errors.Is(err, roster.ErrGenesis) {
		return nil, fmt.Errorf("%s: %w", path, err)
	} else if err != nil {
		return nil, fmt.Errorf("%s: %w: delete it, the roster is fetched again", path, err)
	}
	return f, nil
}

// State implements Rosters.
func (f *RosterFile) State() *roster.State {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.state
}

// Entries implements Rosters.
func (f *RosterFile) Entries(from uint64) ([][]byte, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if from > uint64(len(f.entries)) {
		return nil, nil
	}
	return slices.Clone(f.entries[from:]), nil
}

// Take implements Rosters. Entries begin at the version held, or anywhere before it
// when they are all that are known.
func (f *RosterFile) Take(_ context.Context, entries [][]byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	state, all := f.state, slices.Clone(f.entries)
	for _, e := range entries {
		if slices.ContainsFunc(f.entries, func(known []byte) bool { return string(known) == string(e) }) {
			continue
		}
		var next *roster.State
		var err error
		if state == nil {
			next, err = roster.Fold(f.genesis, [][]byte{e})
		} else {
			next, err = state.Apply(e)
		}
		if err != nil {
			return err
		}
		state, all = next, append(all, e)
	}
	if len(all) == len(f.entries) {
		return nil
	}
	var b []byte
	for _, e := range all {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(e))), e...)
	}
	if err := writeFile(f.path, b); err != nil {
		return err
	}
	f.state, f.entries = state, all
	return nil
}
