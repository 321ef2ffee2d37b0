package gossip

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/bippop/bippop/consensus"
	"github.com/bippop/bippop/consensus/mesh"
)

const (
	// The protocols' numbers change with the format.
	streamProtocol = "bippop/gossip/1"
	packetProtocol = "bippop/gossip-packets/1"

	maxPacket = 1<<16 - 1 // in bytes: a length of two bytes goes before it
	// laneLength packets may wait for one replica; more are lost, as packets may be.
	laneLength = 64
	// patience is for opening a packet stream and for one write on it.
	patience = time.Second
	// idle ends a packet stream that says nothing; pings come every few seconds.
	idle = time.Minute
)

var errNowhere = errors.New("gossip: nobody is known at this address")

// transport is memberlist's, over a mesh: streams as streams, packets as frames
// on one stream that is kept for each replica.
type transport struct {
	mesh    *mesh.Mesh
	table   *table
	self    net.IP
	streams consensus.Network
	packets consensus.Network

	streamCh chan net.Conn
	packetCh chan *memberlist.Packet
	closing  context.Context
	close    context.CancelFunc
	tasks    sync.WaitGroup

	mu    sync.Mutex // guards lanes, for a map access
	lanes map[string]*lane
}

// lane carries packets to one replica, in the order they were written or not at
// all.
type lane struct {
	replica string
	queue   chan []byte
	closing context.Context
	close   context.CancelFunc
}

func newTransport(m *mesh.Mesh, t *table, self string) *transport {
	tr := &transport{
		mesh: m, table: t, self: placeOf(self), streams: m.Network(streamProtocol), packets: m.Network(packetProtocol),
		streamCh: make(chan net.Conn), packetCh: make(chan *memberlist.Packet), lanes: map[string]*lane{},
	}
	tr.closing, tr.close = context.WithCancel(context.Background())
	tr.tasks.Go(func() { tr.accept(tr.streams, tr.takeStream) })
	tr.tasks.Go(func() { tr.accept(tr.packets, func(conn net.Conn) { tr.tasks.Go(func() { tr.receive(conn) }) }) })
	return tr
}

func (t *transport) accept(from net.Listener, take func(net.Conn)) {
	for {
		conn, err := from.Accept()
		if err != nil {
			return
		}
		take(conn)
	}
}

func (t *transport) takeStream(conn net.Conn) {
	select {
	case t.streamCh <- conn:
	case <-t.closing.Done():
		conn.Close()
	}
}

// receive reads the packets of one replica.
func (t *transport) receive(conn net.Conn) {
	defer conn.Close()
	peer, _ := mesh.PeerOf(conn)
	from := &net.TCPAddr{IP: placeOf(peer.Replica), Port: 1}
	for {
		conn.SetReadDeadline(time.Now().Add(idle))
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		packet := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, packet); err != nil {
			return
		}
		now := time.Now()
		t.table.heard(peer.Replica, now)
		select {
		case t.packetCh <- &memberlist.Packet{Buf: packet, From: from, Timestamp: now}:
		case <-t.closing.Done():
			return
		}
	}
}

// FinalAdvertiseAddr gives the made-up address.
func (t *transport) FinalAdvertiseAddr(string, int) (net.IP, int, error) { return t.self, 1, nil }

func (t *transport) PacketCh() <-chan *memberlist.Packet { return t.packetCh }
func (t *transport) StreamCh() <-chan net.Conn           { return t.streamCh }

func (t *transport) WriteTo(b []byte, addr string) (time.Time, error) {
	return t.WriteToAddress(b, memberlist.Address{Addr: addr})
}

func (t *transport) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	return t.DialAddressTimeout(memberlist.Address{Addr: addr}, timeout)
}

// WriteToAddress never waits: memberlist asks one member after the other.
func (t *transport) WriteToAddress(b []byte, a memberlist.Address) (time.Time, error) {
	replica, _, err := t.find(a)
	if err != nil {
		return time.Time{}, err
	}
	if len(b) > maxPacket || replica == "" {
		return time.Time{}, fmt.Errorf("gossip: a packet of %d bytes cannot be sent", len(b))
	}
	frame := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(b)), uint16(len(b)))
	l, err := t.lane(replica)
	if err != nil {
		return time.Time{}, err
	}
	select {
	case l.queue <- append(frame, b...):
	default: // lost
	}
	return time.Now(), nil
}

func (t *transport) DialAddressTimeout(a memberlist.Address, timeout time.Duration) (net.Conn, error) {
	replica, address, err := t.find(a)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(t.closing, timeout)
	defer cancel()
	return t.mesh.Dial(ctx, address, replica, streamProtocol)
}

func (t *transport) find(a memberlist.Address) (replica, address string, err error) {
	host, _, err := net.SplitHostPort(a.Addr)
	if err != nil {
		return "", "", errNowhere
	}
	replica, address, known := t.table.at(host)
	if !known {
		return "", "", errNowhere
	}
	return replica, address, nil
}

func (t *transport) lane(replica string) (*lane, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closing.Err() != nil {
		return nil, net.ErrClosed
	}
	l := t.lanes[replica]
	if l == nil {
		l = &lane{replica: replica, queue: make(chan []byte, laneLength)}
		l.closing, l.close = context.WithCancel(t.closing)
		t.lanes[replica] = l
		t.tasks.Go(func() { t.drive(l) })
	}
	return l, nil
}

// drop ends the lane to a replica that is gone, so that its stream does not wait
// for an answer that TCP asks for more and more rarely.
func (t *transport) drop(replica string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l := t.lanes[replica]; l != nil {
		l.close()
		delete(t.lanes, replica)
	}
}

// drive writes what waits; a stream that fails is opened again for the next
// packet.
func (t *transport) drive(l *lane) {
	var conn net.Conn
	var ended chan struct{} // closed when the other end has closed conn
	hangUp := func() {
		if conn != nil {
			conn.Close()
			<-ended
			conn, ended = nil, nil
		}
	}
	defer hangUp()
	for {
		select {
		case <-l.closing.Done():
			return
		case <-ended:
			hangUp()
			t.table.failed(l.replica, time.Now())
		case frame := <-l.queue:
			if conn == nil {
				conn, ended = t.open(l)
			}
			if conn == nil {
				t.table.failed(l.replica, time.Now())
				continue
			}
			conn.SetWriteDeadline(time.Now().Add(patience))
			if _, err := conn.Write(frame); err != nil {
				hangUp()
				t.table.failed(l.replica, time.Now())
			}
		}
	}
}

// open returns no connection when there is none to be had.
func (t *transport) open(l *lane) (net.Conn, chan struct{}) {
	_, address, known := t.table.at(placeOf(l.replica).String())
	if !known {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(l.closing, patience)
	defer cancel()
	conn, err := t.mesh.Dial(ctx, address, l.replica, packetProtocol)
	if err != nil {
		return nil, nil
	}
	ended := make(chan struct{})
	t.tasks.Go(func() {
		defer close(ended)
		conn.Read(make([]byte, 1)) // nothing comes but the end
	})
	return conn, ended
}

// Shutdown returns when nothing of the transport runs.
func (t *transport) Shutdown() error {
	t.mu.Lock()
	t.close()
	t.mu.Unlock()
	err := errors.Join(t.streams.Close(), t.packets.Close())
	t.tasks.Wait()
	return err
}
