package federation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	multistream "github.com/multiformats/go-multistream"
)

// codeRevoked is what a hub closes a connection with when the peer has left the
// roster.
const codeRevoked network.ConnErrorCode = 0xb1b0

// link is one stream with its protocol's terms: every frame has its size, every wait
// its end.
type link struct {
	network.Stream
	terms terms
	end   time.Time
	stop  func() bool // of the asker's context; nil at the answering side
}

func newLink(s network.Stream, p protocol.ID) *link {
	t := costs[p]
	return &link{Stream: s, terms: t, end: time.Now().Add(t.within)}
}

// arm sets the deadline of the next frame. The library's deadlines are of its own
// clock, whatever the node's says.
func (l *link) arm() error {
	at := l.end
	if l.terms.stall > 0 {
		if next := time.Now().Add(l.terms.stall); next.Before(at) {
			at = next
		}
	}
	return l.SetDeadline(at)
}

// send one frame.
func (l *link) send(limit int, v any) error {
	if err := l.arm(); err != nil {
		return err
	}
	return writeFrame(l, limit, v)
}

// ask sends the last frame of the asking side, and the end behind it. A hub that has
// answered by then reads no more and says so, which is no fault; any other shows when
// the answer is received.
func (l *link) ask(v any) error {
	if err := l.send(l.terms.ask, v); err != nil {
		return err
	}
	_ = l.CloseWrite()
	return nil
}

// receive one frame.
func receive[T any](l *link, limit int) (v T, err error) {
	if err := l.arm(); err != nil {
		return v, err
	}
	return readFrame[T](l, limit)
}

// muxer negotiates the protocol of an inbound stream. The names are constant.
var muxer = func() *multistream.MultistreamMuxer[protocol.ID] {
	m := multistream.NewMultistreamMuxer[protocol.ID]()
	for p := range costs {
		m.AddHandler(p, nil)
	}
	return m
}()

// call opens a stream to a hub that is connected.
func (v *visit) call(ctx context.Context, name protocol.ID) (*link, error) {
	s, err := v.conn.NewStream(ctx)
	if err != nil {
		return nil, err
	}
	l := newLink(s, name)
	l.stop = context.AfterFunc(ctx, func() { _ = s.Reset() })
	err = l.arm()
	if err == nil {
		err = multistream.SelectProtoOrFail(name, io.ReadWriteCloser(s))
	}
	if err != nil {
		l.finish(err)
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	_ = s.SetProtocol(name)
	return l, nil
}

// finish closes a stream, or resets it when what went over it was no good.
func (l *link) finish(err error) {
	if l.stop != nil {
		l.stop()
	}
	if err != nil {
		_ = l.Reset()
		return
	}
	_ = l.Close()
}

// serve answers one inbound stream. A leaf answers none.
func (h *Host) serve(s network.Stream) {
	p := s.Conn().RemotePeer()
	who, listed := h.standing(p)
	if h.hub == nil || !listed || h.hub.strikes.out(p, h.now()) || h.ctx.Err() != nil {
		_ = s.Conn().CloseWithError(codeRevoked)
		return
	}
	if err := s.SetDeadline(time.Now().Add(helloWithin)); err != nil {
		_ = s.Reset()
		return
	}
	name, _, err := muxer.Negotiate(s)
	if err != nil {
		_ = s.Reset()
		return
	}
	_ = s.SetProtocol(name)
	l := newLink(s, name)
	h.hub.answers.Add(1)
	err = h.hub.answer(h.ctx, l, name, who)
	if err != nil {
		h.blame(p, string(name), err)
	}
	l.finish(err)
}

// blame notes a fault of a peer that no program of ours makes.
func (h *Host) blame(p peer.ID, what string, err error) {
	if h.hub == nil || !errors.Is(err, errFrame) && !errors.Is(err, errLie) && !errors.Is(err, errRole) {
		return
	}
	if h.hub.strikes.note(p, h.now()) {
		h.log.Warn("a peer of the roster sends what no program of ours sends: it is not heard for an hour", "peer", p, "protocol", what, "error", err)
		_ = h.wires.swarm.ClosePeer(p)
	}
}

var (
	// errLie says that signatures, entries or their order are not what they claim.
	errLie = errors.New("what this peer sent does not hold")
	// errRole says that the roster does not give the peer what it asked for.
	errRole = errors.New("the roster does not give this peer what it asked for")
)
