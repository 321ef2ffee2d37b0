package consensus

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
)

// Machine is the territory's state on this replica. Apply and Load are called by
// one goroutine, never at the same time, and Load runs alone. Sync and Dump come
// from other goroutines and run beside Apply, because a dump takes long and must
// not hold up writes.
type Machine interface {
	// Apply runs the commands of one committed entry, in order, in one
	// transaction that also stores index. Indexes grow, with gaps: entries
	// that are raft's own never come here. An entry at or below the applied
	// index was applied before: Apply does nothing and returns nil. Otherwise
	// it returns one reply for each command; a refusal is a reply. It panics
	// when its store fails. The commands are only lent: they are neither
	// changed nor kept.
	Apply(index uint64, commands [][]byte) (replies []any)
	// Applied is the index stored with the last transaction, 0 for none.
	Applied() (uint64, error)
	// Sync makes all that was applied durable on disk.
	Sync() error
	// Dump streams a consistent copy of the state and of its applied index,
	// sealed by the machine: the bytes rest on this replica's disk for a while
	// and cross the network.
	Dump(w io.Writer) error
	// Load replaces the state and its applied index by a copy that Dump made,
	// all or nothing, durable when it returns.
	Load(r io.Reader) error
}

// fsm is what raft drives: it unpacks entries for the machine and counts how far
// the machine is. raft calls it from one goroutine.
type fsm struct {
	machine   Machine
	snapshots *snapshots
	faults    *faults
	applied   atomic.Uint64 // the machine's index, mirrored for readers
	members   atomic.Uint64 // index of the newest committed configuration, 0 while unknown
	busy      atomic.Int64  // since when, as Unix nanoseconds, or 0
	changed   *signal
}

// work marks the machine as busy until the function it returns is called.
func (f *fsm) work() (done func()) {
	f.busy.Store(time.Now().UnixNano())
	return func() { f.busy.Store(0) }
}

// stuck reports whether the machine has been busy for longer than limit. A clock
// that jumps may make it true once, for as long as one entry takes.
func (f *fsm) stuck(limit time.Duration) bool {
	since := f.busy.Load()
	return since != 0 && time.Since(time.Unix(0, since)) > limit
}

func (f *fsm) Apply(entry *raft.Log) any { return f.apply(entry) }

func (f *fsm) ApplyBatch(entries []*raft.Log) []any {
	responses := make([]any, len(entries))
	for i, entry := range entries {
		responses[i] = f.apply(entry)
	}
	f.changed.notify()
	return responses
}

// apply returns the replies as []any, or nil for an entry that brought nothing new.
func (f *fsm) apply(entry *raft.Log) any {
	switch entry.Type {
	case raft.LogCommand:
	case raft.LogConfiguration:
		f.members.Store(entry.Index)
		return nil
	default:
		return nil
	}
	commands, err := decodeEntry(entry.Data)
	if err != nil {
		panic(fmt.Sprintf("consensus: committed entry %d: %v", entry.Index, err)) // written by a newer version
	}
	done := f.work()
	replies := f.machine.Apply(entry.Index, commands)
	done()
	if entry.Index > f.applied.Load() {
		f.applied.Store(entry.Index)
	} else if replies != nil {
		panic(fmt.Sprintf("consensus: machine applied entry %d twice", entry.Index))
	}
	return replies
}

func (f *fsm) Snapshot() (raft.FSMSnapshot, error) {
	return localSnapshot{store: f.snapshots, machine: f.applied.Load()}, nil
}

// Restore loads what another replica streamed here.
func (f *fsm) Restore(stream io.ReadCloser) error {
	defer f.work()()
	last, err := f.snapshots.log.LastIndex()
	if err != nil {
		return err
	}
	applied, err := f.snapshots.load(stream)
	if err != nil {
		return err
	}
	f.applied.Store(applied)
	meta := f.snapshots.current()
	f.members.Store(meta.ConfigurationIndex)
	f.changed.notify()
	if last > meta.Index {
		f.faults.report(fmt.Errorf("%w: it ended at %d, the snapshot at %d", ErrReplaced, last, meta.Index))
	}
	return nil
}
