package mesh

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/bippop/bippop/consensus"
)

// listener hands the streams of one protocol to who accepts them.
type listener struct {
	mesh     *Mesh
	protocol string
	streams  chan net.Conn
	once     sync.Once
	closed   chan struct{}
}

func (m *Mesh) listen(protocol string) *listener {
	l := &listener{mesh: m, protocol: protocol, streams: make(chan net.Conn), closed: make(chan struct{})}
	m.Handle(protocol, func(_ Peer, conn net.Conn) {
		select {
		case l.streams <- conn:
		case <-l.closed:
			conn.Close()
		case <-m.closing.Done():
			conn.Close()
		}
	})
	return l
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.streams:
		select {
		case <-l.closed: // perhaps before the end of all streams could see this one
			conn.Close()
			return nil, net.ErrClosed
		default:
			return conn, nil
		}
	case <-l.closed:
	case <-l.mesh.closing.Done():
	}
	return nil, net.ErrClosed
}

func (l *listener) Close() error {
	l.once.Do(func() {
		l.mesh.unhandle(l.protocol)
		close(l.closed)
	})
	return nil
}

func (l *listener) Addr() net.Addr { return meshAddr(l.mesh.address) }

// meshAddr is an advertised address, which may hold a host name.
type meshAddr string

func (meshAddr) Network() string  { return "tcp" }
func (a meshAddr) String() string { return string(a) }

// network is a listener that dials, and ends its streams with itself.
type network struct{ *listener }

// Network is one protocol in the words of package consensus. Its address is
// [Mesh.Address]. Close ends all streams of the protocol, and of no other.
func (m *Mesh) Network(protocol string) consensus.Network { return network{m.listen(protocol)} }

func (n network) Dial(address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	conn, err := n.mesh.Dial(ctx, address, "", n.protocol)
	if err != nil {
		return nil, err
	}
	select {
	case <-n.closed: // perhaps before Close could see the stream
		conn.Close()
		return nil, net.ErrClosed
	default:
		return conn, nil
	}
}

func (n network) Close() error {
	err := n.listener.Close()
	n.mesh.end(func(w *wire) bool { return w.protocol == n.protocol })
	return err
}

// HTTP accepts streams of a protocol that is HTTP/1.1, for [http.Server.Serve];
// [PeerOf] in its ConnContext says who asks. Close leaves accepted streams, as
// the server's shutdown wants it.
func (m *Mesh) HTTP(protocol string) net.Listener { return m.listen(protocol) }

// Transport sends HTTP/1.1 over streams of a protocol to the replica whose
// address is the URL's host: http://10.0.0.1:7400/. Streams are kept and used
// again; [http.Transport.CloseIdleConnections] ends them.
func (m *Mesh) Transport(protocol string) *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			return m.Dial(ctx, address, "", protocol)
		},
		MaxIdleConnsPerHost: 64,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  true, // lengths tell less, and the wire is short
	}
}
