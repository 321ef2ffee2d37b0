package consensus

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/bippop/bippop/crypto"
)

// Config is what a replica needs. Dir, ID, LogKey, Machine and Logger are
// required.
type Config struct {
	// Dir is the log's folder, made when missing. Nothing else may live there.
	// Losing it loses acknowledged writes; copying it makes no second replica.
	Dir string
	// ID names this replica in the territory, for ever: a replica that lost
	// its folder comes back under a new ID.
	ID string
	// Peers are the voters of a new territory, this replica among them, equal
	// on all of them. They are read on an empty folder only; afterwards the
	// log knows. Empty: this replica is the lone voter.
	Peers []Peer
	// Joining: this replica was made to be added to a territory that exists. On
	// an empty folder it waits for the leader's [Membership.AddReplica] instead
	// of founding. It stays true for the replica's life.
	Joining bool
	// Network carries streams between replicas. It may be nil for a lone voter,
	// and be given to it later, when others shall join. The replica closes it.
	// When its address is another one than before, see [Membership.Moved].
	Network Network
	// LogKey seals every entry on this disk. It cannot be changed later.
	LogKey crypto.Key
	// Machine is applied to. It is opened before and closed after the replica.
	Machine Machine
	// Logger gets IDs, indexes and durations, no bytes of commands.
	Logger *slog.Logger
	// OnFault, when set, is called at most once, on its own goroutine, when the
	// replica is of no more use: [ErrStore], [ErrStalled], [ErrDamaged],
	// [ErrTransfer], [ErrReplaced]. The process should end and start again; after ErrStalled
	// it must not wait for Close, which waits for the disk.
	OnFault func(error)
	// Tuning is for tests; the zero value is right for a territory.
	Tuning Tuning
}

// Peer is one replica and where its Network is reached.
type Peer struct {
	ID      string
	Address string
}

// Network carries streams between replicas. Whoever is at the other end is a
// replica of this territory: Network sees to that.
type Network interface {
	// Listener accepts streams of other replicas. Its address is this
	// replica's as in [Peer]. Close ends accepted and dialed streams too.
	net.Listener
	// Dial opens a stream to the replica at address.
	Dial(address string, timeout time.Duration) (net.Conn, error)
}

// Tuning holds times and sizes. Zero fields take the default in parentheses.
type Tuning struct {
	Heartbeat time.Duration // followers' patience with a silent leader (500 ms)
	Election  time.Duration // time for one vote, at least Heartbeat (500 ms)
	Lease     time.Duration // a leader without quorum steps down, at most Heartbeat (250 ms)

	SnapshotCheck   time.Duration // how often a snapshot is considered (30 s)
	SnapshotEntries uint64        // entries after which one is taken (20,000)
	// TrailingEntries are kept before it, for followers that were away (20,000).
	// They should outnumber by far what one leader has on its way, 1,024 in a
	// request: then nobody is sent a snapshot who has entries beyond it.
	TrailingEntries uint64

	SegmentBytes int           // size of a log file, allocated ahead (16 MiB)
	QueueLength  int           // commands that may wait (1,024)
	StallLimit   time.Duration // see ErrStalled (5 s)
	LagLimit     time.Duration // see Stats.Lagging and Stats.Stuck (10 s)

	// BeforeStore runs before entries are written, and its error is the disk's
	// (nothing).
	BeforeStore func() error
}

// queueBytes bounds the bytes of the commands that wait.
const queueBytes = 16 << 20

func (c *Config) validate() error {
	switch {
	case c.Dir == "":
		return errors.New("consensus: no folder for the log")
	case c.ID == "":
		return errors.New("consensus: the replica has no ID")
	case c.LogKey.Zero():
		return errors.New("consensus: no key for the log")
	case c.Machine == nil:
		return errors.New("consensus: no machine")
	case c.Logger == nil:
		return errors.New("consensus: no logger")
	case len(c.Peers) > 0 && c.Network == nil:
		return errors.New("consensus: peers, but no network to reach them")
	case c.Joining && c.Network == nil:
		return errors.New("consensus: joining, but no network to be reached by")
	case c.Joining && len(c.Peers) > 0:
		return errors.New("consensus: a replica that joins founds nothing: no peers")
	}
	if len(c.Peers) == 0 {
		return nil
	}
	for _, p := range c.Peers {
		if p.ID == c.ID {
			return nil
		}
	}
	return fmt.Errorf("consensus: %s is not among the peers", c.ID)
}

// withDefaults fills the zero fields.
func (t Tuning) withDefaults() Tuning {
	def(&t.Heartbeat, 500*time.Millisecond)
	def(&t.Election, max(t.Heartbeat, 500*time.Millisecond))
	def(&t.Lease, t.Heartbeat/2)
	def(&t.SnapshotCheck, 30*time.Second)
	def(&t.SnapshotEntries, 20_000)
	def(&t.TrailingEntries, 20_000)
	def(&t.SegmentBytes, 16<<20)
	def(&t.QueueLength, 1024)
	def(&t.StallLimit, stallLimit)
	def(&t.LagLimit, lagLimit)
	return t
}

func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
