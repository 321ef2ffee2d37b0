package consensus

import (
	"errors"
	"sync"
)

var (
	// ErrNotLeader says that this replica is not the leader; nothing was proposed.
	ErrNotLeader = errors.New("this replica is not the leader")
	// ErrUnknown says that nobody knows whether the command was or will be
	// committed. Ask again with the same bytes, which carry the same
	// idempotency key.
	ErrUnknown = errors.New("the outcome is unknown: ask again with the same idempotency key")
	// ErrBusy says that too many commands wait. Nothing was proposed.
	ErrBusy = errors.New("too many writes are waiting")
	// ErrTooLarge says that a command has more than [MaxCommand] bytes.
	ErrTooLarge = errors.New("command is too large")
	// ErrClosed says that the replica was closed; nothing was proposed.
	ErrClosed = errors.New("the replica is closed")
	// ErrDamaged says that the log cannot be trusted: an entry does not open, or
	// acknowledged entries are missing. Nothing was cut off or repaired. With
	// other replicas alive, this one rejoins empty; alone, it is restored from a
	// backup.
	ErrDamaged = errors.New("the log is damaged, or its key is another one")
	// ErrBehind says that the state is older than the log remembers. Restore the
	// state, or rejoin empty.
	ErrBehind = errors.New("the state is older than the log's snapshot")
	// ErrStore says that the log could not be written: disk full, I/O error. The
	// replica writes nothing more until it is opened again.
	ErrStore = errors.New("the log cannot be written")
	// ErrStalled says that the disk did not answer for a long time. The process
	// must end, so that another replica can lead: heartbeats would go on
	// (hashicorp/raft#503).
	ErrStalled = errors.New("the disk does not answer")

	// ErrReplaced says that a snapshot took the place of a log that went further,
	// with entries that nobody committed. raft goes on believing in them, and
	// would get the snapshot again and again (hashicorp/raft#697). The process
	// must end and start again; nothing else is wrong.
	ErrReplaced = errors.New("the log was replaced by a snapshot")
	// ErrTransfer says that a transfer of leadership never ended, so that this
	// replica would refuse all writes if it led again (hashicorp/raft#696). The
	// process must end and start again.
	ErrTransfer = errors.New("a transfer of leadership did not end")
	// ErrChanging says that another change of members is under way, or was not
	// committed yet. Nothing was changed; ask again.
	ErrChanging = errors.New("another change of members is under way: ask again when it is done")
	// ErrNoMember says that no replica has that ID.
	ErrNoMember = errors.New("no replica of this territory has that ID")
	// ErrAddressTaken says that another replica stands at that address. One that
	// is gone is removed before another takes its place.
	ErrAddressTaken = errors.New("another replica has that address: remove it first")
	// ErrLastVoter says that the territory would have no voter left.
	ErrLastVoter = errors.New("this is the last voter")
	// ErrLeads says that the leader cannot be removed.
	ErrLeads = errors.New("this replica leads: transfer leadership first")
	// ErrNoQuorum says that after the change fewer voters than a majority would
	// be in reach, so that nothing could be written any more.
	ErrNoQuorum = errors.New("too few voters would be in reach")
	// ErrLags says that a replica is not in reach, or lacks too many entries, to
	// vote or to lead now.
	ErrLags = errors.New("the replica is out of reach or has not caught up")
)

// faults keeps the first error after which the replica is of no more use, and
// tells the node once.
type faults struct {
	tell func(error)

	mu    sync.Mutex // guards what follows, for an assignment
	err   error
	armed bool // tell: Open has returned
	told  bool
}

// report returns the first fault ever reported.
func (f *faults) report(err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
	f.tellLocked()
	return f.err
}

func (f *faults) first() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// arm is called when Open has succeeded: from now on the node is told.
func (f *faults) arm() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed = true
	f.tellLocked()
}

// tellLocked uses a goroutine of its own: raft's must not wait for the node,
// which may call Close.
func (f *faults) tellLocked() {
	if f.err == nil || !f.armed || f.told || f.tell == nil {
		return
	}
	f.told = true
	go f.tell(f.err)
}
