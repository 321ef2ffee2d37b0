package consensustest

import (
	"errors"
	"net"
	"sync"
	"time"
)

// hub joins the ports of a cluster, in memory.
type hub struct {
	mu    sync.Mutex // guards all ports, for a map access
	ports map[string]*port
	cut   map[string]bool
}

func newHub() *hub { return &hub{ports: map[string]*port{}, cut: map[string]bool{}} }

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

// setCut ends all streams of a replica and refuses new ones, or heals.
func (h *hub) setCut(name string, cut bool) {
	h.mu.Lock()
	h.cut[name] = cut
	var end []*stream
	if p := h.ports[name]; cut && p != nil {
		for s := range p.streams {
			end = append(end, s)
		}
	}
	h.mu.Unlock()
	for _, s := range end {
		s.end()
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
	near, far, err := p.hub.pair(p, to)
	if err != nil {
		return nil, err
	}
	late := time.NewTimer(timeout)
	defer late.Stop()
	select {
	case far.port.calls <- far:
		return near, nil
	case <-far.port.closed:
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
	if target == nil || h.cut[to] || h.cut[from.address.String()] {
		return nil, nil, errCut
	}
	a, b := net.Pipe()
	near, far = &stream{Conn: a, port: from}, &stream{Conn: b, port: target}
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

// stream is one end of a pipe.
type stream struct {
	net.Conn
	port *port
	peer *stream
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
	s.Conn.Close() // a pipe's never fails
	s.peer.Conn.Close()
}
