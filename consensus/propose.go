package consensus

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

// packers is the number of goroutines that pack. While one waits for the disk
// the other gathers; four were slower than two (measured).
const packers = 2

// Result is what became of a command.
type Result struct {
	Index uint64 // of the entry that held it
	Reply any    // the machine's, a refusal included
}

// proposal is a command that waits.
type proposal struct {
	command []byte
	state   atomic.Int32 // waiting, then taken or withdrawn
	done    chan outcome // buffered
}

const (
	waiting int32 = iota
	taken
	withdrawn
)

type outcome struct {
	result Result
	err    error
}

// packer puts commands that wait into entries and hands these to raft. Two
// goroutines run it.
type packer struct {
	raft   *raft.Raft
	faults *faults
	queue  chan *proposal
	queued atomic.Int64  // bytes in queue
	stop   chan struct{} // closed when no command is left
}

// Propose replicates command and returns when it was applied here. Command is
// not changed until then. Errors: [ErrNotLeader], [ErrBusy], [ErrTooLarge] and
// [ErrClosed] mean that nothing happened or will; so does the context's error,
// unless it comes with [ErrUnknown]: then the command was on its way, as it is
// with [ErrStore] and when leadership was lost.
func (r *Replica) Propose(ctx context.Context, command []byte) (Result, error) {
	if len(command) > MaxCommand {
		return Result{}, fmt.Errorf("%w: %d bytes of at most %d", ErrTooLarge, len(command), MaxCommand)
	}
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	leave, err := r.enter()
	if err != nil {
		return Result{}, err
	}
	defer leave()
	if err := r.faults.first(); err != nil {
		return Result{}, err
	}
	if r.raft.State() != raft.Leader {
		return Result{}, ErrNotLeader
	}
	p := &proposal{command: command, done: make(chan outcome, 1)}
	if err := r.packer.enqueue(p); err != nil {
		return Result{}, err
	}
	select {
	case o := <-p.done:
		return o.result, o.err
	case <-ctx.Done():
		if p.state.CompareAndSwap(waiting, withdrawn) {
			return Result{}, ctx.Err()
		}
		return Result{}, fmt.Errorf("%w: %w", ErrUnknown, ctx.Err())
	}
}

func (k *packer) enqueue(p *proposal) error {
	size := int64(len(p.command))
	if k.queued.Add(size) > queueBytes {
		k.queued.Add(-size)
		return ErrBusy
	}
	select {
	case k.queue <- p:
		return nil
	default:
		k.queued.Add(-size)
		return ErrBusy
	}
}

// pack is one packer: it hands one entry at a time to raft.
func (k *packer) pack() {
	var over *proposal // did not fit into the last entry
	for {
		first := over
		over = nil
		if first == nil {
			select {
			case p := <-k.queue:
				if first = k.take(p); first == nil {
					continue
				}
			case <-k.stop:
				return
			}
		}
		var batch []*proposal
		batch, over = k.gather(first)
		k.commit(batch)
	}
}

// take returns p unless its caller gave up.
func (k *packer) take(p *proposal) *proposal {
	k.queued.Add(-int64(len(p.command)))
	if !p.state.CompareAndSwap(waiting, taken) {
		return nil
	}
	return p
}

// gather adds what waits to first, up to a full entry.
func (k *packer) gather(first *proposal) (batch []*proposal, over *proposal) {
	batch = []*proposal{first}
	size := 1 + frameSize(len(first.command))
	for len(batch) < maxEntryCommands {
		select {
		case p := <-k.queue:
			if p = k.take(p); p == nil {
				continue
			}
			size += frameSize(len(p.command))
			if size > maxEntry {
				return batch, p
			}
			batch = append(batch, p)
		default:
			return batch, nil
		}
	}
	return batch, nil
}

// commit proposes one entry and answers all who wait for it. raft answers every
// entry while it runs: by commit, or because leadership was lost.
func (k *packer) commit(batch []*proposal) {
	commands := make([][]byte, len(batch))
	for i, p := range batch {
		commands[i] = p.command
	}
	future := k.raft.Apply(encodeEntry(commands), 0)
	if err := future.Error(); err != nil {
		err = k.proposeError(err)
		for _, p := range batch {
			p.done <- outcome{err: err}
		}
		return
	}
	replies, _ := future.Response().([]any)
	if len(replies) != len(batch) {
		panic(fmt.Sprintf("consensus: machine gave %d replies to %d commands of new entry %d", len(replies), len(batch), future.Index()))
	}
	for i, p := range batch {
		p.done <- outcome{result: Result{Index: future.Index(), Reply: replies[i]}}
	}
}

// proposeError says in our words what raft says. A log that cannot be written
// leaves the outcome unknown too: the entry may be on disk, whatever the disk said.
func (k *packer) proposeError(err error) error {
	switch {
	case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrLeadershipTransferInProgress):
		return ErrNotLeader
	case errors.Is(err, raft.ErrLeadershipLost), errors.Is(err, raft.ErrRaftShutdown):
		return ErrUnknown
	}
	if fault := k.faults.first(); fault != nil {
		err = fault // raft's cache turned it into text
	}
	return fmt.Errorf("%w: %w", ErrUnknown, err)
}
