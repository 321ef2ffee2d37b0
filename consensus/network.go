package consensus

import (
	"io"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// transport is what raft speaks through: a Network, or memory for a lone voter. It
// notes what the others answer to this leader.
type transport struct {
	wire
	address  raft.ServerAddress
	contacts *contacts
	heart    *heart
	close    func() error
}

// heart lets heartbeats through to raft, which handles them on goroutines that it
// does not wait for when it shuts down: one that came late would store a term in a
// log that is closed, and panic.
type heart struct {
	mu      sync.RWMutex // held for reading during a heartbeat
	stopped bool
}

func (h *heart) beat(rpc raft.RPC, handle func(raft.RPC)) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.stopped {
		rpc.Respond(nil, raft.ErrRaftShutdown)
		return
	}
	handle(rpc)
}

// stop waits for heartbeats under way and lets no more through.
func (h *heart) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopped = true
}

// SetHeartbeatHandler is part of raft.Transport.
func (t transport) SetHeartbeatHandler(handle func(raft.RPC)) {
	if handle == nil {
		t.wire.SetHeartbeatHandler(nil)
		return
	}
	t.wire.SetHeartbeatHandler(func(rpc raft.RPC) { t.heart.beat(rpc, handle) })
}

// wire has all that raft looks for. Without RequestPreVote in the method set raft
// would do without pre-vote, and say so only once, in its log.
type wire interface {
	raft.Transport
	raft.WithPreVote
}

// AppendEntries is part of raft.Transport.
func (t transport) AppendEntries(id raft.ServerID, target raft.ServerAddress, req *raft.AppendEntriesRequest, resp *raft.AppendEntriesResponse) error {
	if err := t.wire.AppendEntries(id, target, req, resp); err != nil {
		t.contacts.failed(id)
		return err
	}
	t.contacts.appended(id, req, resp)
	return nil
}

// InstallSnapshot is part of raft.Transport.
func (t transport) InstallSnapshot(id raft.ServerID, target raft.ServerAddress, req *raft.InstallSnapshotRequest, resp *raft.InstallSnapshotResponse, data io.Reader) error {
	defer t.contacts.installing(id)()
	if err := t.wire.InstallSnapshot(id, target, req, resp, data); err != nil {
		return err
	}
	t.contacts.installed(id, req, resp)
	return nil
}

const (
	// ioTimeout is for one request; a snapshot gets it once per 256 KiB.
	ioTimeout = 10 * time.Second
	// idleStreams are kept open to each peer.
	idleStreams = 3
)

func newTransport(cfg *Config, contacts *contacts) transport {
	if cfg.Network == nil {
		address, memory := raft.NewInmemTransport(raft.ServerAddress(cfg.ID))
		memory.Connect(address, memory) // to be told to lead at once
		return transport{memory, address, contacts, &heart{}, memory.Close}
	}
	n := raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream:  streams{cfg.Network},
		Logger:  newRaftLog(cfg.Logger, "raft-net"),
		MaxPool: idleStreams,
		Timeout: ioTimeout,
		// 1 turns pipelining off, which can wedge a follower for ever
		// (hashicorp/raft#612).
		MaxRPCsInFlight: 1,
	})
	return transport{n, n.LocalAddr(), contacts, &heart{}, func() error {
		err := n.Close()
		n.CloseStreams()
		return err
	}}
}

// streams is a Network in raft's words.
type streams struct{ Network }

func (s streams) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	return s.Network.Dial(string(address), timeout)
}
