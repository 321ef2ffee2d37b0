package federation

import (
	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// gater lets through whom the roster names, and nobody else. A leaf calls hubs and
// is called by nobody; a hub calls other hubs. The roster is asked at every step,
// so that who left it while a handshake went on is out as well.
type gater struct{ h *Host }

func (g gater) InterceptPeerDial(p peer.ID) bool { return g.h.calls(p) }

func (g gater) InterceptAddrDial(p peer.ID, _ ma.Multiaddr) bool { return g.h.calls(p) }

func (g gater) InterceptAccept(network.ConnMultiaddrs) bool { return g.h.hub != nil }

func (g gater) InterceptSecured(d network.Direction, p peer.ID, _ network.ConnMultiaddrs) bool {
	return g.lets(d, p)
}

func (g gater) InterceptUpgraded(c network.Conn) (bool, control.DisconnectReason) {
	return g.lets(c.Stat().Direction, c.RemotePeer()), 0
}

func (g gater) lets(d network.Direction, p peer.ID) bool {
	if d == network.DirOutbound {
		return g.h.calls(p)
	}
	if g.h.hub == nil {
		return false
	}
	_, listed := g.h.standing(p)
	return listed && !g.h.hub.strikes.out(p, g.h.now())
}
