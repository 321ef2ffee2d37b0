package consensus

import (
	"net"
	"time"

	"github.com/hashicorp/raft"
)

// transport is what raft speaks through: a Network, or memory for a lone voter.
type transport struct {
	raft.Transport
	address raft.ServerAddress
	close   func() error
}

const (
	// ioTimeout is for one request; a snapshot gets it once per 256 KiB.
	ioTimeout = 10 * time.Second
	// idleStreams are kept open to each peer.
	idleStreams = 3
)

func newTransport(cfg *Config) transport {
	if cfg.Network == nil {
		address, memory := raft.NewInmemTransport(raft.ServerAddress(cfg.ID))
		memory.Connect(address, memory) // to be told to lead at once
		return transport{memory, address, memory.Close}
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
	return transport{n, n.LocalAddr(), func() error {
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
