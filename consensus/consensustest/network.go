package consensustest

import (
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"time"
)

// hub joins the ports of a cluster, in memory.
type hub struct {
	mu      sync.Mutex // guards all ports, for a map access
	ports   map[string]*port
	cut     map[string]bool
	parted  map[way]bool // refused, both ways
	blocked map[way]bool // nothing arrives
	delay   time.Duration
	changed chan struct{} // closed and renewed by every change
}

// way is a direction.
type way struct{ from, to string }

func newHub() *hub {
	return &hub{ports: map[string]*port{}, cut: map[string]bool{}, parted: map[way]bool{}, blocked: map[way]bool{}, changed: make(chan struct{})}
}

var (
	errCut    = errors.New("consensustest: no way to that replica")
	errClosed = errors.New("consensustest: port is closed")
)

// port is one replica's consensus.Network during one of its lives.
type port struct {
	hub     *hub
	address address
	calls   chan net.Conn
	closed  chan struct{}
	streams map[*stream]struct{} // guarded by hub.mu
}

type address string

func (address) Network() string  { return "memory" }
func (a address) String() string { return string(a) }

// port replaces the port of an earlier life.
func (h *hub) port(name string) *port {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := &port{hub: h, address: address(name), calls: make(chan net.Conn), closed: make(chan struct{}), streams: map[*stream]struct{}{}}
	h.ports[name] = p
	return p
}

// change alters what gets through, and ends the streams that no longer do.
func (h *hub) change(alter func()) {
	h.mu.Lock()
	alter()
	close(h.changed)
	h.changed = make(chan struct{})
	var end []*stream
	for _, p := range h.ports {
		for s := range p.streams {
			if h.refusedLocked(p.address.String(), s.peer.port.address.String()) {
				end = append(end, s)
			}
		}
	}
	h.mu.Unlock()
	for _, s := range end {
		s.end()
	}
}

func (h *hub) setCut(name string, cut bool) { h.change(func() { h.cut[name] = cut }) }

func (h *hub) refusedLocked(from, to string) bool {
	return h.cut[from] || h.cut[to] || h.parted[way{from, to}]
}

// pass waits until something may go from one to the other. It returns
// os.ErrDeadlineExceeded when it may not in time.
func (h *hub) pass(from, to string, late <-chan time.Time, closed <-chan struct{}) error {
	for {
		h.mu.Lock()
		blocked, changed := h.blocked[way{from, to}], h.changed
		h.mu.Unlock()
		if !blocked {
			return nil
		}
		select {
		case <-changed:
		case <-closed:
			return errClosed
		case <-late:
			return os.ErrDeadlineExceeded
		}
	}
}

func (p *port) Addr() net.Addr { return p.address }

func (p *port) Accept() (net.Conn, error) {
	select {
	case c := <-p.calls:
		return c, nil
	case <-p.closed:
		return nil, errClosed
	}
}

func (p *port) Dial(to string, timeout time.Duration) (net.Conn, error) {
	late := time.NewTimer(timeout)
	defer late.Stop()
	if err := p.hub.pass(p.address.String(), to, late.C, p.closed); err != nil {
		return nil, err
	}
	near, far, err := p.hub.pair(p, to)
	if err != nil {
		return nil, err
	}
	select {
	case far.port.calls <- far:
		return near, nil
	case <-far.port.closed:
		err = errClosed
	case <-p.closed:
		err = errClosed
	case <-late.C:
		err = errCut
	}
	near.end()
	return nil, err
}

func (h *hub) pair(from *port, to string) (near, far *stream, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	target := h.ports[to]
	if target == nil || h.refusedLocked(from.address.String(), to) {
		return nil, nil, errCut
	}
	a, b := net.Pipe()
	near, far = newStream(a, from), newStream(b, target)
	near.peer, far.peer = far, near
	from.streams[near] = struct{}{}
	target.streams[far] = struct{}{}
	return near, far, nil
}

func (p *port) Close() error {
	p.hub.mu.Lock()
	select {
	case <-p.closed:
		p.hub.mu.Unlock()
		return nil
	default:
	}
	close(p.closed)
	var end []*stream
	for s := range p.streams {
		end = append(end, s)
	}
	p.hub.mu.Unlock()
	for _, s := range end {
		s.end()
	}
	return nil
}

// stream is one end of a pipe. What is written may take its time, so that streams
// overtake each other, or wait for a way that is blocked.
type stream struct {
	net.Conn
	port *port
	peer *stream

	once   sync.Once
	closed chan struct{}

	mu       sync.Mutex // guards deadline
	deadline time.Time  // of writes
}

func newStream(c net.Conn, p *port) *stream {
	return &stream{Conn: c, port: p, closed: make(chan struct{})}
}

func (s *stream) Write(b []byte) (int, error) {
	s.mu.Lock()
	deadline := s.deadline
	s.mu.Unlock()
	var late <-chan time.Time
	if !deadline.IsZero() {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		late = timer.C
	}
	h := s.port.hub
	h.mu.Lock()
	delay := h.delay
	h.mu.Unlock()
	if delay > 0 {
		select {
		case <-time.After(rand.N(delay)):
		case <-s.closed:
			return 0, errClosed
		}
	}
	if err := h.pass(s.port.address.String(), s.peer.port.address.String(), late, s.closed); err != nil {
		return 0, err
	}
	return s.Conn.Write(b)
}

func (s *stream) SetDeadline(t time.Time) error {
	s.setWriteDeadline(t)
	return s.Conn.SetDeadline(t)
}

func (s *stream) SetWriteDeadline(t time.Time) error {
	s.setWriteDeadline(t)
	return s.Conn.SetWriteDeadline(t)
}

func (s *stream) setWriteDeadline(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline = t
}

func (s *stream) Close() error {
	s.end()
	return nil
}

func (s *stream) end() {
	h := s.port.hub
	h.mu.Lock()
	delete(s.port.streams, s)
	delete(s.peer.port.streams, s.peer)
	h.mu.Unlock()
	for _, e := range []*stream{s, s.peer} {
		e.once.Do(func() { close(e.closed) })
		e.Conn.Close() // a pipe's never fails
	}
}
