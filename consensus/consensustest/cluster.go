// Package consensustest runs a territory's replicas in one process, over a network
// in memory that can be cut, for everybody's tests.
package consensustest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
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
	// Logger is silent when nil.
	Logger *slog.Logger
}

// Cluster is for one test. Its methods are called by one goroutine; Propose and
// Replica may be called by others while no replica is crashed or restarted.
type Cluster struct {
	t       testing.TB
	options Options
	hub     *hub
	peers   []consensus.Peer
	members []*member
}

type member struct {
	dir     string
	key     crypto.Key
	replica *consensus.Replica // nil while crashed
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
	c := &Cluster{t: t, options: options, hub: newHub()}
	for i := range n {
		c.peers = append(c.peers, consensus.Peer{ID: name(i), Address: name(i)})
		c.members = append(c.members, &member{dir: filepath.Join(t.TempDir(), name(i)), key: crypto.NewKey(), kept: NewMap()})
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

func name(i int) string { return fmt.Sprintf("replica-%d", i) }

// Len is the number of replicas.
func (c *Cluster) Len() int { return len(c.members) }

// Replica is nil while i is crashed.
func (c *Cluster) Replica(i int) *consensus.Replica { return c.members[i].replica }

// Machine is the one that i was last started with.
func (c *Cluster) Machine(i int) consensus.Machine { return c.members[i].machine }

// Map is the machine of i when Options named no other.
func (c *Cluster) Map(i int) *Map { return c.members[i].kept }

// Dir is the log's folder of i.
func (c *Cluster) Dir(i int) string { return c.members[i].dir }

// Cut separates i from all others.
func (c *Cluster) Cut(i int) { c.hub.setCut(name(i), true) }

// Heal joins i again.
func (c *Cluster) Heal(i int) { c.hub.setCut(name(i), false) }

// Crash ends i as a loss of power would: nothing gets out any more, and a [Map]
// falls back to what it had synced. The log is on disk as it is after any
// acknowledged write.
func (c *Cluster) Crash(i int) {
	c.t.Helper()
	c.Cut(i)
	c.stop(i)
	c.members[i].kept.Crash()
}

func (c *Cluster) stop(i int) {
	c.t.Helper()
	m := c.members[i]
	if err := m.replica.Close(); err != nil {
		c.t.Errorf("closing %s: %v", name(i), err)
	}
	m.replica = nil
	if closer, ok := m.machine.(io.Closer); ok {
		if err := closer.Close(); err != nil {
			c.t.Errorf("closing the machine of %s: %v", name(i), err)
		}
	}
}

// Restart opens i again after Crash, and joins it.
func (c *Cluster) Restart(i int) {
	c.t.Helper()
	m := c.members[i]
	if m.replica != nil {
		c.t.Fatalf("%s is running", name(i))
	}
	m.machine = m.kept
	if c.options.Machine != nil {
		m.machine = c.options.Machine(i)
	}
	c.Heal(i)
	cfg := consensus.Config{
		Dir: m.dir, ID: name(i), LogKey: m.key, Machine: m.machine,
		Peers: c.peers, Network: c.hub.port(name(i)),
		Logger: c.options.Logger, Tuning: c.options.Tuning,
		OnFault: func(err error) { c.t.Errorf("fault of %s: %v", name(i), err) },
	}
	replica, err := consensus.Open(c.t.Context(), cfg)
	if err != nil {
		c.t.Fatalf("opening %s: %v", name(i), err)
	}
	m.replica = replica
}

// Leader waits for a replica that leads and says which. A leader that was cut off
// may believe for a moment that it still leads.
func (c *Cluster) Leader() int {
	c.t.Helper()
	leader := -1
	c.Until("a leader", func() bool {
		for i, m := range c.members {
			if m.replica == nil {
				continue
			}
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			_, err := m.replica.Barrier(ctx)
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
		for _, m := range c.members {
			if m.replica == nil {
				continue
			}
			result, err := m.replica.Propose(ctx, command)
			if !errors.Is(err, consensus.ErrNotLeader) && !errors.Is(err, consensus.ErrBusy) {
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
	for i, m := range c.members {
		if m.replica == nil {
			continue
		}
		if err := m.replica.Wait(ctx, index); err != nil {
			c.t.Fatalf("%s at %d has not applied %d: %v", name(i), m.replica.Applied(), index, err)
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
