package federation

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	libp2pquic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	multistream "github.com/multiformats/go-multistream"
)

// Caller is a peer that keeps to no rule: it says what it likes to a hub, or answers
// like one.
type Caller struct{ w *wires }

func NewCaller(seed [32]byte, listenUDP func(string, *net.UDPAddr) (net.PacketConn, error)) (*Caller, error) {
	key, _, err := keyOf(seed)
	if err != nil {
		return nil, err
	}
	w, err := openWires(Config{ListenUDP: listenUDP, Hub: &HubConfig{}}, key, nil)
	return &Caller{w}, err
}

func (c *Caller) Close() error { return c.w.close() }

func (c *Caller) Dial(ctx context.Context, hub string, addresses []string) (network.Conn, error) {
	id, err := peer.Decode(hub)
	if err != nil {
		return nil, err
	}
	return c.w.dial(ctx, id, addresses)
}

// Stream opens one over a connection and names its protocol.
func (c *Caller) Stream(conn network.Conn, name string) (network.Stream, error) {
	s, err := conn.NewStream(context.Background())
	if err != nil {
		return nil, err
	}
	_ = s.SetDeadline(time.Now().Add(10 * time.Second))
	if err := multistream.SelectProtoOrFail(protocol.ID(name), io.ReadWriteCloser(s)); err != nil {
		return nil, err
	}
	return s, nil
}

// Ask sends one frame over a new stream and reads one answer of any form.
func (c *Caller) Ask(conn network.Conn, name string, ask any) ([]byte, error) {
	return c.AskBytes(conn, name, Framed(must(wireEncoding.Marshal(ask))))
}

func (c *Caller) AskBytes(conn network.Conn, name string, b []byte) ([]byte, error) {
	s, err := c.Stream(conn, name)
	if err != nil {
		return nil, err
	}
	defer s.Reset()
	if _, err := s.Write(b); err != nil {
		return nil, err
	}
	return ReadFramed(s)
}

// Serve answers every stream by f, with what was asked.
func (c *Caller) Serve(listen []string, f func(name string, ask []byte, s io.Writer)) error {
	c.w.swarm.SetStreamHandler(func(s network.Stream) {
		defer s.Close()
		name, _, err := muxer.Negotiate(s)
		if err != nil {
			return
		}
		ask, err := ReadFramed(s)
		if err == nil {
			f(string(name), ask, s)
		}
	})
	return c.w.listen(listen)
}

func Framed(body []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

func ReadFramed(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	b := make([]byte, binary.BigEndian.Uint32(head[:]))
	_, err := io.ReadFull(r, b)
	return b, err
}

// Forms of the wire, for tests that write them.
type (
	HelloAsk       = helloAsk
	HelloAnswer    = helloAnswer
	RosterAsk      = rosterAsk
	RosterAnswer   = rosterAnswer
	PushAsk        = pushAsk
	PushAnswer     = pushAnswer
	PullAsk        = pullAsk
	PullAnswer     = pullAnswer
	EvidenceAsk    = evidenceAsk
	EvidenceAnswer = evidenceAnswer
	WordAsk        = wordAsk
	WordOf         = wordOf
	WordAnswer     = wordAnswer
	Have           = have
)

const (
	StatusOK, StatusBehind, StatusFork, StatusExpired, StatusBad, StatusRole = statusOK, statusBehind, statusFork, statusExpired, statusBad, statusRole
	StatusLater                                                              = statusLater
)

// Wire encodes a form.
func Wire(v any) []byte { return must(wireEncoding.Marshal(v)) }

// Unwire decodes one.
func Unwire[T any](b []byte) (T, error) { return parse[T](b) }

// FeedOf is a line of a version vector.
func FeedOf(siren public.Siren, epoch uint16, size uint64) Have {
	return Have{Siren: siren, Epoch: epoch, Size: size, Settled: true}
}

// Matrix is the table of what is permitted, as cells of act and seat.
func Matrix() map[string]map[string]bool {
	acts := map[act]string{actHello: "hello", actReadRoster: "read roster", actGiveRoster: "give roster", actPush: "push", actPullOwn: "pull own", actPullGiven: "pull given", actPullAll: "pull all", actEvidence: "evidence", actWord: "word"}
	seats := map[seat]string{seatTerritory: "territory", seatCoordinator: "coordinator", seatObserver: "observer", seatHub: "hub"}
	out := map[string]map[string]bool{}
	for a, name := range acts {
		out[name] = map[string]bool{}
		for s, who := range seats {
			out[name][who] = may(s, a)
		}
	}
	return out
}

const (
	NameHello, NameRoster, NamePush, NamePull, NameEvidence = string(protocolHello), string(protocolRoster), string(protocolPush), string(protocolPull), string(protocolEvidence)
	NameWord                                                = string(protocolWord)
)

// ReadFrame reads one frame of a form.
func ReadFrame[T any](r io.Reader, limit int) (T, error) { return readFrame[T](r, limit) }

// Inspect one entry of a territory's feed under a roster that names every kind.
func Inspect(siren public.Siren, epoch uint16, seq int64, b []byte) error {
	s := &roster.State{}
	for _, k := range public.Kinds() {
		s.Kinds = append(s.Kinds, public.SchemaOf(k))
	}
	i := inspector{roster: s, role: roster.Territory, today: 2000, feed: feedKey{siren, epoch}}
	return i.check(seq, b)
}

// Once opens a host, has it meet the hubs once, and closes it. A host that was opened
// by Open may have met them by itself by the time it is asked to.
func Once(ctx context.Context, cfg Config) error {
	h, err := open(cfg)
	if err != nil {
		return err
	}
	return errors.Join(h.Sync(ctx), h.Close())
}

// Home is the peer of the hub that a territory calls first.
func Home(siren public.Siren, r Rosters) string {
	l := &leaf{h: &Host{cfg: Config{Siren: siren, Rosters: r}}}
	return l.order()[0].Peer
}

// LogKeys has every QUIC connection of hosts that are opened from now on write its
// secrets to w. The call that comes back ends it.
func LogKeys(w io.Writer) (end func()) {
	quicOptions = []libp2pquic.Option{libp2pquic.WithTLSIdentityOption(libp2ptls.WithKeyLogWriter(w))}
	return func() { quicOptions = nil }
}

// Overhear gives a writer for each stream that comes to a hub everything that the
// caller sent on it. The group that comes back waits for the streams that have come.
func (h *Host) Overhear(each func() io.Writer) *sync.WaitGroup {
	all := new(sync.WaitGroup)
	h.wires.swarm.SetStreamHandler(func(s network.Stream) {
		all.Add(1)
		defer all.Done()
		h.serve(overheard{s, each()})
	})
	return all
}

type overheard struct {
	network.Stream
	to io.Writer
}

func (o overheard) Read(b []byte) (int, error) {
	n, err := o.Stream.Read(b)
	o.to.Write(b[:n])
	return n, err
}

// Close reads first what the hub had no wish to read.
func (o overheard) Close() error {
	io.Copy(io.Discard, o)
	return o.Stream.Close()
}
