package mesh

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Config is what a mesh needs. All fields but Advertise are required.
type Config struct {
	// Listener accepts the TCP connections. The mesh closes it.
	Listener net.Listener
	// Advertise is where the other replicas reach Listener, host:port. Empty:
	// the listener's own address.
	Advertise string
	// Credentials are asked for at each handshake, so that renewed certificates
	// take effect. It is called concurrently and does not block.
	Credentials func() Credentials
	// Allow says whether a replica of the territory still belongs, under the key
	// of that fingerprint. Its error is for this replica's log and caller; the
	// other end hears ErrNotAllowed only. It is called concurrently, for each
	// stream, before a byte passes.
	Allow func(replica string, fingerprint [32]byte) error
	// Logger gets addresses, IDs and reasons.
	Logger *slog.Logger
}

const (
	// handshakeLimit is for all that happens before a handler gets its stream.
	handshakeLimit = 10 * time.Second
	// maxPending connections may be in their handshake.
	maxPending = 128
	// maxStrangers may be served at a time, each for at most strangerLimit.
	maxStrangers  = 16
	strangerLimit = time.Minute
	// acceptPause is after a failed accept: out of descriptors, mostly.
	acceptPause = 100 * time.Millisecond
)

// keepAlive ends a stream whose other end fell silent, a machine without power
// mostly, after some ten seconds.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3}

// Mesh is one replica's end of all streams. Its methods are safe for concurrent
// use.
type Mesh struct {
	cfg     Config
	address string
	closing context.Context // done when Close has begun
	close   context.CancelFunc
	tasks   sync.WaitGroup // the accept loop and what is in its handshake

	mu        sync.Mutex // guards what follows, for a map access
	handlers  map[string]handler
	wires     map[*wire]struct{}
	pending   []*wire // accepted and in their handshake, oldest first
	strangers int
	refused   string // the last refusal that was logged as a warning
}

// handler serves one protocol; one of the two is set.
type handler struct {
	replica  func(Peer, net.Conn)
	stranger func(*tls.Conn)
}

// wire is one TCP connection under TLS, known to the mesh until it is closed.
type wire struct {
	net.Conn
	mesh *Mesh
	// Guarded by mesh.mu; empty until known.
	protocol, replica string
	stranger          bool
}

func (w *wire) Close() error {
	w.mesh.forget(w)
	return w.Conn.Close()
}

// stream is what handlers and dialers get.
type stream struct {
	*tls.Conn
	peer Peer
}

// PeerOf says who is at the other end of a stream of a mesh.
func PeerOf(conn net.Conn) (Peer, bool) {
	s, ok := conn.(*stream)
	if !ok {
		return Peer{}, false
	}
	return s.peer, true
}

// Open starts to listen. Nobody is served before a protocol has its handler.
func Open(cfg Config) (*Mesh, error) {
	if cfg.Listener == nil || cfg.Credentials == nil || cfg.Allow == nil || cfg.Logger == nil {
		return nil, errors.New("mesh: listener, credentials, Allow and logger are required")
	}
	c := cfg.Credentials()
	if err := c.check(); err != nil {
		return nil, err
	}
	address := cfg.Advertise
	if address == "" {
		address = cfg.Listener.Addr().String()
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("mesh: the address that other replicas reach is host:port: %w", err)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return nil, fmt.Errorf("mesh: %s: the port is a number from 1 to 65535", address)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		return nil, fmt.Errorf("mesh: %s is no address that another replica could reach: name one to advertise", address)
	}
	m := &Mesh{cfg: cfg, address: address, handlers: map[string]handler{}, wires: map[*wire]struct{}{}}
	m.closing, m.close = context.WithCancel(context.Background())
	m.tasks.Go(m.accept)
	return m, nil
}

// Address is where the other replicas reach this one.
func (m *Mesh) Address() string { return m.address }

// Handle serves a protocol to replicas of the territory, each stream on its own
// goroutine. The handler owns the stream and closes it. It panics when the
// protocol has a handler.
func (m *Mesh) Handle(protocol string, serve func(peer Peer, conn net.Conn)) {
	m.handle(protocol, handler{replica: serve})
}

// HandleStranger serves a protocol to anybody, a joining replica mostly, each
// stream on its own goroutine. The handler owns the stream and closes it; it
// looks at the key that the other end has shown, if any, in the connection's
// state. The deadline is already set to a minute from the handshake.
func (m *Mesh) HandleStranger(protocol string, serve func(conn *tls.Conn)) {
	m.handle(protocol, handler{stranger: serve})
}

func (m *Mesh) handle(protocol string, h handler) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, twice := m.handlers[protocol]; twice || protocol == "" {
		panic("mesh: protocol " + strconv.Quote(protocol) + " is handled twice, or has no name")
	}
	m.handlers[protocol] = h
}

// unhandle refuses new streams of a protocol.
func (m *Mesh) unhandle(protocol string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.handlers, protocol)
}

// Drop ends every stream of a replica. Called after Allow has begun to refuse
// it, it leaves none: whatever is in its handshake is refused.
func (m *Mesh) Drop(replica string) {
	m.end(func(w *wire) bool { return w.replica == replica })
}

// Close ends every stream and waits for handshakes, not for handlers.
func (m *Mesh) Close() error {
	m.close()
	err := m.cfg.Listener.Close()
	m.end(func(*wire) bool { return true })
	m.tasks.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil // a second Close
	}
	return err
}

// end cuts without a word: a peer that does not read cannot hold it up.
func (m *Mesh) end(which func(*wire) bool) {
	m.mu.Lock()
	var cut []*wire
	for w := range m.wires {
		if which(w) {
			cut = append(cut, w)
		}
	}
	m.mu.Unlock()
	for _, w := range cut {
		w.Close()
	}
}

// Streams counts the open streams of a replica, both ways.
func (m *Mesh) Streams(replica string) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for w := range m.wires {
		if w.replica == replica {
			n++
		}
	}
	return n
}

// wire notes a connection. It is refused when the mesh is closed, so that Close
// leaves none.
func (m *Mesh) wire(conn net.Conn) (*wire, error) {
	w := &wire{Conn: conn, mesh: m}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetKeepAliveConfig(keepAlive) // without it, an end is noticed later
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closing.Err() != nil {
		conn.Close()
		return nil, ErrClosed
	}
	m.wires[w] = struct{}{}
	return w, nil
}

func (m *Mesh) forget(w *wire) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.wires[w]; !known {
		return
	}
	delete(m.wires, w)
	if w.stranger {
		m.strangers--
	}
}

// admit notes whose stream w is and then asks Allow: in this order, so that Drop
// finds the stream or Allow refuses it.
func (m *Mesh) admit(w *wire, protocol string, c *Credentials, state tls.ConnectionState) (Peer, error) {
	peer, err := c.peer(state.PeerCertificates)
	if err != nil {
		return Peer{}, err
	}
	m.mu.Lock()
	w.protocol, w.replica = protocol, peer.Replica
	m.mu.Unlock()
	if err := m.cfg.Allow(peer.Replica, peer.Fingerprint); err != nil {
		return peer, fmt.Errorf("%w: %w", ErrNotAllowed, err)
	}
	return peer, nil
}

func (m *Mesh) accept() {
	for {
		conn, err := m.cfg.Listener.Accept()
		switch {
		case m.closing.Err() != nil:
			if err == nil {
				conn.Close()
			}
			return
		case errors.Is(err, net.ErrClosed):
			m.cfg.Logger.Error("the mesh's listener was closed by somebody else")
			return
		case err != nil:
			m.cfg.Logger.Warn("no connection can be accepted", slog.Any("error", err))
			select {
			case <-time.After(acceptPause):
			case <-m.closing.Done():
			}
			continue
		}
		w, err := m.wire(conn)
		if err != nil {
			return
		}
		m.enter(w)
		m.tasks.Go(func() {
			defer m.leave(w)
			m.serve(w)
		})
	}
}

// enter makes room for w among the handshakes.
func (m *Mesh) enter(w *wire) {
	m.mu.Lock()
	m.pending = append(m.pending, w)
	var oldest *wire
	if len(m.pending) > maxPending {
		oldest = m.pending[0]
		m.pending = slices.Delete(m.pending, 0, 1)
	}
	m.mu.Unlock()
	if oldest != nil {
		oldest.Close()
	}
}

func (m *Mesh) leave(w *wire) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := slices.Index(m.pending, w); i >= 0 {
		m.pending = slices.Delete(m.pending, i, i+1)
	}
}

// serve shakes hands, gives the verdict and starts the handler.
func (m *Mesh) serve(w *wire) {
	c := m.cfg.Credentials()
	m.mu.Lock()
	protocols := slices.Sorted(maps.Keys(m.handlers))
	m.mu.Unlock()
	conn := tls.Server(w, &tls.Config{
		MinVersion:             tls.VersionTLS13,
		Certificates:           []tls.Certificate{c.Certificate},
		ClientAuth:             tls.RequestClientCert, // judged by admit, by protocol
		NextProtos:             protocols,
		SessionTicketsDisabled: true,

		DynamicRecordSizingDisabled: true, // entries are large and the wire is short
	})
	w.SetDeadline(time.Now().Add(handshakeLimit))
	if err := conn.HandshakeContext(m.closing); err != nil {
		m.cfg.Logger.Debug("no handshake", slog.String("from", w.RemoteAddr().String()), slog.Any("error", err))
		w.Close()
		return
	}
	state := conn.ConnectionState()
	protocol := state.NegotiatedProtocol
	m.mu.Lock()
	h := m.handlers[protocol]
	m.mu.Unlock()
	var peer Peer
	var err error
	switch {
	case h.replica != nil:
		peer, err = m.admit(w, protocol, &c, state)
	case h.stranger != nil:
		err = m.admitStranger(w, protocol)
	default: // no protocol was asked for, or it was closed meanwhile
		w.Close()
		return
	}
	if err != nil {
		m.refuse(w, peer.Replica, err)
	}
	if _, werr := conn.Write([]byte{byte(verdictOf(err))}); err != nil || werr != nil {
		conn.Close()
		return
	}
	if h.stranger != nil {
		w.SetDeadline(time.Now().Add(strangerLimit))
		go h.stranger(conn)
		return
	}
	w.SetDeadline(time.Time{})
	go h.replica(peer, &stream{conn, peer})
}

func (m *Mesh) admitStranger(w *wire, protocol string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	w.protocol = protocol
	if m.strangers == maxStrangers {
		return ErrBusy
	}
	if _, open := m.wires[w]; open { // else forget has been here
		w.stranger = true
		m.strangers++
	}
	return nil
}

// refuse logs. A removed replica knocks without end, so the same refusal is a
// warning once.
func (m *Mesh) refuse(w *wire, replica string, err error) {
	text := replica + ": " + err.Error()
	m.mu.Lock()
	level := slog.LevelWarn
	if m.refused == text {
		level = slog.LevelDebug
	}
	m.refused = text
	m.mu.Unlock()
	m.cfg.Logger.Log(m.closing, level, "a machine was refused", slog.String("from", w.RemoteAddr().String()), slog.String("replica", replica), slog.Any("error", err))
}
