package federation

import (
	"github.com/libp2p/go-libp2p/core/network"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/x/rate"
)

const (
	// hubConns is how many connections a hub keeps: every replica of twice the
	// nation's 1,356 territories, with room for those that come back.
	hubConns  = 10_000
	leafConns = 64
	// peerConns is how many one peer may have: the old one, while the new one opens.
	peerConns   = 4
	peerStreams = 8
)

// limits are fixed, so that no machine is generous by accident. The library's own
// would admit 8 connections behind one address, and one more every five seconds:
// a whole département leaves through one address, a hub behind a reverse proxy sees
// the nation come from one, so an address is not what is counted here. Whoever is
// not on the roster is out after the handshake; floods of handshakes are for the
// firewall or the proxy, which see addresses.
func limits(hub bool) (network.ResourceManager, error) {
	conns, streams, memory := leafConns, 256, int64(32<<20)
	if hub {
		conns, streams, memory = hubConns, 4*hubConns, 1<<30
	}
	all := rcmgr.ResourceLimits{
		Streams: rcmgr.LimitVal(streams), StreamsInbound: rcmgr.LimitVal(streams), StreamsOutbound: rcmgr.LimitVal(streams),
		Conns: rcmgr.LimitVal(conns), ConnsInbound: rcmgr.LimitVal(conns), ConnsOutbound: rcmgr.LimitVal(conns),
		FD: rcmgr.LimitVal(conns), Memory: rcmgr.LimitVal64(memory),
	}
	peer := rcmgr.ResourceLimits{
		Streams: 2 * peerStreams, StreamsInbound: peerStreams, StreamsOutbound: peerStreams,
		Conns: peerConns, ConnsInbound: peerConns, ConnsOutbound: peerConns, FD: peerConns, Memory: 20 << 20,
	}
	one := rcmgr.ResourceLimits{
		Streams: 1, StreamsInbound: 1, StreamsOutbound: 1,
		Conns: 1, ConnsInbound: 1, ConnsOutbound: 1, FD: 1, Memory: 20 << 20,
	}
	fixed := rcmgr.PartialLimitConfig{
		System: all, Transient: all, PeerDefault: peer, Conn: one, Stream: one,
		AllowlistedSystem: none, AllowlistedTransient: none,
		ServiceDefault: none, ServicePeerDefault: none, ProtocolDefault: all, ProtocolPeerDefault: peer,
	}.Build(rcmgr.InfiniteLimits)
	each := []rcmgr.ConnLimitPerSubnet{{PrefixLength: 0, ConnCount: conns}}
	return rcmgr.NewResourceManager(rcmgr.NewFixedLimiter(fixed),
		rcmgr.WithLimitPerSubnet(each, each),
		rcmgr.WithConnRateLimiters(&rate.Limiter{}), // no limit by address; nil would be a crash on the first call
		rcmgr.WithMetricsDisabled(),
	)
}

// none blocks what is not used here.
var none = rcmgr.ResourceLimits{
	Streams: rcmgr.BlockAllLimit, StreamsInbound: rcmgr.BlockAllLimit, StreamsOutbound: rcmgr.BlockAllLimit,
	Conns: rcmgr.BlockAllLimit, ConnsInbound: rcmgr.BlockAllLimit, ConnsOutbound: rcmgr.BlockAllLimit,
	FD: rcmgr.BlockAllLimit, Memory: rcmgr.BlockAllLimit64,
}
