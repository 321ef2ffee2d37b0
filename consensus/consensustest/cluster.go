// Package consensustest runs a territory's replicas in one process, over a network
// in memory and before disks that can be made to misbehave, for everybody's tests.
//
// Nothing in package consensus reads the wall clock to decide anything, so there is
// no clock to jump here; a machine that does gets its own from [Options.Machine].
package consensustest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/bippop/bippop/consensus"
	"github.com/bippop/bippop/crypto"
)

// Patience is how long the helpers wait for what must come.
const Patience = 30 * time.Second

// Options of a cluster; the zero value is fine.
type Options struct {
	// Machine opens the machine of replica i, at its first start and again at
	// each restart. A machine that is an io.Closer is closed before. Nil: a
	// [Map], which outlives restarts.
	Machine func(i int) consensus.Machine
	// Tuning of all replicas. The zero value takes short times.
	Tuning consensus.Tuning
	// MayFail: a replica's fault does not fail the test. Otherwise it does, while
	// no replica's [Disk] was harmed.
	MayFail bool
	// Logger is silent when nil.
	Logger *slog.Logger
}

// Cluster is for one test. Its methods are called by one goroutine, but for Len,
// Replica, Map and Propose, which others may call at any time.
type Cluster struct {
	*Links

	t       testing.TB
	options Options
	peers   []consensus.Peer

	mu      sync.Mutex // guards members, and replica, fault and life of each
	members []*member
}

type member struct {
	dir     string
	key     crypto.Key
	joined  bool
	disk    Disk
	replica *consensus.Replica // nil while crashed
	life    int                // how often it was started
	fault   error              // of this life
	machine consensus.Machine
	kept    *Map
}

// New starts n replicas and closes them when the test ends.
func New(t testing.TB, n int, options Options) *Cluster {
	t.Helper()
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Tuning.Heartbeat == 0 {
		options.Tuning.Heartbeat = 200 * time.Millisecond
		options.Tuning.Election = 200 * time.Millisecond
		options.Tuning.Lease = 100 * time.Millisecond
	}
	if options.Tuning.SegmentBytes == 0 {
		options.Tuning.SegmentBytes = 1 << 20
	}
	c := &Cluster{Links: &Links{hub: newHub()}, t: t, options: options}
	for i := range n {
		c.peers = append(c.peers, consensus.Peer{ID: ID(i), Address: ID(i)})
		c.new(false)
	}
	t.Cleanup(func() {
		for i := range c.members {
			if c.members[i].replica != nil {
				c.stop(i)
			}
		}
	})
	for i := range n {
		c.Restart(i)
	}
	return c
}

func (c *Cluster) new(joined bool) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := len(c.members)
	c.Links.add(ID(i))
	c.members = append(c.members, &member{dir: filepath.Join(c.t.TempDir(), ID(i)), key: crypto.NewKey(), joined: joined, kept: NewMap()})
	return i
}

// ID names replica i, and its address until it moves.
func ID(i int) string { return fmt.Sprintf("replica-%d", i) }

// Len is the number of replicas that ever were.
func (c *Cluster) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.members)
}

// Replica is nil while i is crashed.
func (c *Cluster) Replica(i int) *consensus.Replica {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.members[i].replica
}

// Fault is what i has told of in this life, if anything.
func (c *Cluster) Fault(i int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.members[i].fault
}

// LogKey is that of i.
func (c *Cluster) LogKey(i int) crypto.Key { return c.members[i].key }

// Disk is that of i's log.
func (c *Cluster) Disk(i int) *Disk { return &c.members[i].disk }

// Machine is the one that i was last started with.
func (c *Cluster) Machine(i int) consensus.Machine { return c.members[i].machine }

// Map is the machine of i when Options named no other.
func (c *Cluster) Map(i int) *Map {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.members[i].kept
}

// Dir is the log's folder of i.
func (c *Cluster) Dir(i int) string { return c.members[i].dir }

// Crash ends i as a loss of power would: nothing gets out any more, and a [Map]
// falls back to what it had synced. The log is on disk as it is after any
// acknowledged write.
func (c *Cluster) Crash(i int) {
	c.t.Helper()
	c.Cut(i)
	c.stop(i)
	c.members[i].kept.Crash()
}

// Wipe ends i for ever: its folder and its map are gone. A replica that takes its
// place comes by [Cluster.Join], under a new ID.
func (c *Cluster) Wipe(i int) {
	c.t.Helper()
	if c.Replica(i) != nil {
		c.Crash(i)
	}
	if err := os.RemoveAll(c.Dir(i)); err != nil {
		c.t.Error(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.members[i].kept = NewMap()
}

// Close ends i as an operator would.
func (c *Cluster) Close(i int) {
	c.t.Helper()
	c.stop(i)
}

func (c *Cluster) stop(i int) {
	c.t.Helper()
	m := c.members[i]
	c.mu.Lock()
	replica := m.replica
	m.replica = nil
	c.mu.Unlock()
	m.disk.Heal() // who hung in the disk hangs no longer
	if err := replica.Close(); err != nil {
		c.t.Errorf("closing %s: %v", ID(i), err)
	}
	if closer, ok := m.machine.(io.Closer); ok {
		if err := closer.Close(); err != nil {
			c.t.Errorf("closing the machine of %s: %v", ID(i), err)
		}
	}
}

// Join starts a new, empty replica that waits to be added, and says which it is.
func (c *Cluster) Join() int {
	c.t.Helper()
	i := c.new(true)
	c.Restart(i)
	return i
}

// Change asks whoever leads for a change of members until it is in force. Errors
// other than those of leadership are the caller's.
func (c *Cluster) Change(change func(ctx context.Context, leader *consensus.Replica) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	err := error(consensus.ErrNotLeader)
	for {
		for i := range c.Len() {
			r := c.Replica(i)
			if r == nil || !r.Leading() {
				continue
			}
			try, done := context.WithTimeout(ctx, 2*time.Second)
			err = change(try, r)
			done()
			if !transient(err) {
				return err
			}
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return err
		}
	}
}

// transient are the errors after which another leader, or another moment, may do.
func transient(err error) bool {
	for _, e := range []error{consensus.ErrNotLeader, consensus.ErrUnknown, consensus.ErrChanging, consensus.ErrBusy, consensus.ErrClosed, consensus.ErrLags, consensus.ErrNoQuorum, consensus.ErrLeads} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// Restart opens i again after Crash, and joins it.
func (c *Cluster) Restart(i int) {
	c.t.Helper()
	m := c.members[i]
	if m.replica != nil {
		c.t.Fatalf("%s is running", ID(i))
	}
	m.machine = m.kept
	if c.options.Machine != nil {
		m.machine = c.options.Machine(i)
	}
	c.Heal(i)
	tuning := c.options.Tuning
	tuning.BeforeStore = m.disk.store
	m.disk.start()
	c.mu.Lock()
	m.fault = nil
	m.life++
	life := m.life
	c.mu.Unlock()
	cfg := consensus.Config{
		Dir: m.dir, ID: ID(i), LogKey: m.key, Machine: m.machine,
		Peers: c.peers, Network: c.hub.port(c.address(i)),
		Logger: c.options.Logger, Tuning: tuning,
		OnFault: func(err error) { c.fault(m, life, err) },
	}
	if m.joined {
		cfg.Joining, cfg.Peers = true, nil
	}
	replica, err := consensus.Open(c.t.Context(), cfg)
	if err != nil {
		c.t.Fatalf("opening %s: %v", ID(i), err)
	}
	c.mu.Lock()
	m.replica = replica
	c.mu.Unlock()
}

func (c *Cluster) fault(m *member, life int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if life != m.life {
		return // it was about to be told when it crashed
	}
	m.fault = err
	if c.options.MayFail {
		return
	}
	for _, o := range c.members {
		if o.disk.wasHarmed() {
			return
		}
	}
	c.t.Errorf("fault of %s: %v", filepath.Base(m.dir), err)
}

// Leader waits for a replica that leads and says which. A leader that was cut off
// may believe for a moment that it still leads.
func (c *Cluster) Leader() int {
	c.t.Helper()
	leader := -1
	c.Until("a leader", func() bool {
		for i := range c.Len() {
			r := c.Replica(i)
			if r == nil {
				continue
			}
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			_, err := r.Barrier(ctx)
			cancel()
			if err == nil {
				leader = i
				return true
			}
		}
		return false
	})
	return leader
}

// Propose proposes at whoever leads and asks on until somebody does. It returns
// consensus.ErrUnknown to the caller, who knows whether to ask again.
func (c *Cluster) Propose(ctx context.Context, command []byte) (consensus.Result, error) {
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		for i := range c.Len() {
			r := c.Replica(i)
			if r == nil || !r.Leading() {
				continue
			}
			result, err := r.Propose(ctx, command)
			if err == nil || errors.Is(err, consensus.ErrUnknown) || errors.Is(err, consensus.ErrTooLarge) || ctx.Err() != nil {
				return result, err
			}
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return consensus.Result{}, ctx.Err()
		}
	}
}

// MustPropose proposes until the outcome is known. The command must be idempotent.
func (c *Cluster) MustPropose(command []byte) consensus.Result {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	for {
		result, err := c.Propose(ctx, command)
		if err == nil {
			return result
		}
		if ctx.Err() != nil || !errors.Is(err, consensus.ErrUnknown) {
			c.t.Fatalf("proposing: %v", err)
		}
	}
}

// Settle waits until all running replicas have applied index.
func (c *Cluster) Settle(index uint64) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	for i := range c.Len() {
		r := c.Replica(i)
		if r == nil {
			continue
		}
		if err := r.Wait(ctx, index); err != nil {
			c.t.Fatalf("%s at %d has not applied %d: %v", ID(i), r.Applied(), index, err)
		}
	}
}

// Until waits for a condition.
func (c *Cluster) Until(what string, condition func() bool) {
	c.t.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	late := time.NewTimer(Patience)
	defer late.Stop()
	for !condition() {
		select {
		case <-again.C:
		case <-late.C:
			c.t.Fatalf("waited %v for %s", Patience, what)
		}
	}
}
