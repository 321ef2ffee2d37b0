package federation

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sort"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/core/transport"
	"github.com/libp2p/go-libp2p/gologshim"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
	"github.com/libp2p/go-libp2p/p2p/host/peerstore/pstoremem"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/net/upgrader"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	libp2pquic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"github.com/libp2p/go-libp2p/p2p/transport/websocket"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/quic-go/quic-go"
)

// wires are the transports under a host: QUIC, TCP and WebSocket, TLS 1.3 and
// nothing else to secure them, yamux. There is no identify protocol, no relay, no
// address discovery: the other side learns our key and sees the address that it
// would see anyway.
type wires struct {
	swarm *swarm.Swarm
	quic  *quicreuse.ConnManager
	peers peerstore.Peerstore
	rcmgr network.ResourceManager

	closing sync.Once
	closed  error
}

// The library writes to standard error on its own, with addresses of peers. What the
// operator has to know, the host says itself.
func init() { gologshim.SetDefaultHandler(slog.DiscardHandler) }

// quicOptions is empty but in tests.
var quicOptions []libp2pquic.Option

// dialStep is how long an address of one class is ahead of the next.
const dialStep = 300 * time.Millisecond

func openWires(cfg Config, key crypto.PrivKey, g connmgr.ConnectionGater) (_ *wires, err error) {
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		return nil, err
	}
	w := &wires{}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if w.peers, err = pstoremem.NewPeerstore(); err != nil {
		return nil, err
	}
	if err := errors.Join(w.peers.AddPrivKey(id, key), w.peers.AddPubKey(id, key.GetPublic())); err != nil {
		return nil, err
	}
	if w.rcmgr, err = limits(cfg.Hub != nil); err != nil {
		return nil, err
	}
	w.swarm, err = swarm.NewSwarm(id, w.peers, eventbus.NewBus(),
		swarm.WithConnectionGater(g), swarm.WithResourceManager(w.rcmgr), swarm.WithDialRanker(rank),
		swarm.WithUDPBlackHoleSuccessCounter(nil), swarm.WithIPv6BlackHoleSuccessCounter(nil))
	if err != nil {
		return nil, err
	}
	muxers := []upgrader.StreamMuxer{{ID: yamux.ID, Muxer: yamux.DefaultTransport}}
	security, err := libp2ptls.New(libp2ptls.ID, key, muxers)
	if err != nil {
		return nil, err
	}
	up, err := upgrader.New([]sec.SecureTransport{security}, muxers, nil, w.rcmgr, g, upgrader.WithAcceptTimeout(helloWithin))
	if err != nil {
		return nil, err
	}
	if err := w.openQUIC(cfg, key, g); err != nil {
		return nil, err
	}
	overTCP, err := tcp.NewTCPTransport(up, w.rcmgr, nil, tcp.DisableReuseport())
	if err != nil {
		return nil, err
	}
	client := &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: cfg.WebRoots}
	overWeb, err := websocket.New(up, w.rcmgr, nil, websocket.WithTLSClientConfig(client))
	if err != nil {
		return nil, err
	}
	for _, t := range []transport.Transport{overTCP, overWeb} {
		if err := w.swarm.AddTransport(t); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *wires) openQUIC(cfg Config, key crypto.PrivKey, g connmgr.ConnectionGater) error {
	raw, err := key.Raw()
	if err != nil {
		return err
	}
	reset, err := hkdf.Key(sha256.New, raw, nil, "bippop federation quic stateless reset", len(quic.StatelessResetKey{}))
	if err != nil {
		return err
	}
	token, err := hkdf.Key(sha256.New, raw, nil, "bippop federation quic token", len(quic.TokenGeneratorKey{}))
	if err != nil {
		return err
	}
	options := []quicreuse.Option{quicreuse.OverrideSourceIPSelector(func() (quicreuse.SourceIPSelector, error) { return anySource{}, nil })}
	if cfg.ListenUDP != nil {
		options = append(options, quicreuse.OverrideListenUDP(cfg.ListenUDP))
	}
	if w.quic, err = quicreuse.NewConnManager(quic.StatelessResetKey(reset), quic.TokenGeneratorKey(token), options...); err != nil {
		return err
	}
	over, err := libp2pquic.NewTransport(key, w.quic, nil, g, w.rcmgr, quicOptions...)
	if err != nil {
		return err
	}
	return w.swarm.AddTransport(over)
}

// CheckListen says what is wrong with a hub's address to listen on, or nil.
func CheckListen(address string) error {
	_, err := ma.NewMultiaddr(address)
	return err
}

// listen on the hub's addresses.
func (w *wires) listen(addresses []string) error {
	for _, text := range addresses {
		a, err := ma.NewMultiaddr(text)
		if err != nil {
			return fmt.Errorf("listen address %q: %w", text, err)
		}
		if err := w.swarm.Listen(a); err != nil {
			return fmt.Errorf("the hub cannot listen on %s: stop the program that has this port, or give another address with --hub-listen (%w)", text, err)
		}
	}
	return nil
}

// close ends everything that was opened, once.
func (w *wires) close() error {
	w.closing.Do(func() { w.closed = w.end() })
	return w.closed
}

func (w *wires) end() error {
	var all []error
	if w.swarm != nil {
		all = append(all, w.swarm.Close())
	}
	if w.quic != nil {
		all = append(all, w.quic.Close())
	}
	if w.peers != nil {
		all = append(all, w.peers.Close())
	}
	if w.rcmgr != nil {
		all = append(all, w.rcmgr.Close())
	}
	return errors.Join(all...)
}

// dial a hub at its addresses, all classes but one step apart. A connection says
// nothing yet: the hub may close it once it knows who calls, so only an answered
// HELLO counts.
func (w *wires) dial(ctx context.Context, p peer.ID, addresses []string) (network.Conn, error) {
	var all []ma.Multiaddr
	for _, text := range addresses {
		if a, err := ma.NewMultiaddr(text); err == nil {
			all = append(all, a)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("the roster has no address of this hub that this program can read")
	}
	w.peers.ClearAddrs(p)
	w.peers.AddAddrs(p, all, peerstore.TempAddrTTL)
	// The library's own pause after a failure is set aside: how long to wait is decided
	// in one place, by what the hub answers.
	return w.swarm.DialPeer(network.WithForceDirectDial(ctx, "own backoff"), p)
}

// rank tries QUIC, then TCP, then WebSocket: the first goes through most networks
// in the fewest round trips, the last through nearly all, by way of a proxy.
func rank(addrs []ma.Multiaddr) []network.AddrDelay {
	class := func(a ma.Multiaddr) int {
		has := func(code int) bool { _, err := a.ValueForProtocol(code); return err == nil }
		switch {
		case has(ma.P_QUIC_V1):
			return 0
		case has(ma.P_WS), has(ma.P_WSS):
			return 2
		}
		return 1
	}
	sort.SliceStable(addrs, func(i, j int) bool { return class(addrs[i]) < class(addrs[j]) })
	var out []network.AddrDelay
	step, last := time.Duration(0), -1
	for _, a := range addrs {
		if c := class(a); last >= 0 && c != last {
			step += dialStep
		}
		last = class(a)
		out = append(out, network.AddrDelay{Addr: a, Delay: step})
	}
	return out
}

// anySource leaves the choice of our own address to the kernel.
type anySource struct{}

func (anySource) PreferredSourceIPForDestination(*net.UDPAddr) (net.IP, error) {
	return nil, errors.New("any address will do")
}
