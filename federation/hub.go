package federation

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
)

const (
	// replaceEvery is how often another replica of the same member may take the place
	// of the one that speaks: two that both believe to lead do not chase each other.
	replaceEvery = 5 * time.Second
	// hubMemory is how many bytes of entries all exchanges of a hub hold at one time.
	hubMemory = 256 << 20
)

// session is one connection that has said who it is.
type session struct {
	who    standing
	conn   network.Conn
	since  time.Time
	roster uint64 // version that the caller says it has
}

// excuse of a member that had a newer roster than this hub.
type excuse struct {
	version uint64    // of this hub's
	since   time.Time // when it was first needed
}

// hub answers: it stores, passes on and witnesses. Safe for concurrent use.
type hub struct {
	h       *Host
	signer  feed.Signer
	strikes *strikes
	room    *room
	proofs  *evidences
	others  *others
	answers atomic.Int64 // streams that were let in

	mu       sync.Mutex
	sessions map[string]*session // by connection
	speaks   map[string]*session // the newest, by who speaks
	changed  map[string]time.Time
	excused  map[string]excuse // by member
}

func newHub(h *Host) (*hub, error) {
	cfg := h.cfg.Hub
	if !feed.ValidName(cfg.Name) {
		return nil, errors.New("a hub's name is not empty and has neither blanks nor a plus")
	}
	if len(cfg.Listen) == 0 {
		return nil, errors.New("a hub needs an address to listen on")
	}
	proofs, err := openEvidences(filepath.Join(h.cfg.Dir, "evidence"))
	if err != nil {
		return nil, err
	}
	return &hub{
		h: h, signer: feed.NewWitnessSigner(cfg.Name, cfg.Witness), strikes: newStrikes(), room: &room{free: hubMemory}, proofs: proofs, others: newOthers(h),
		sessions: map[string]*session{}, speaks: map[string]*session{}, changed: map[string]time.Time{}, excused: map[string]excuse{},
	}, nil
}

// WitnessKey is the verifier key of a hub's cosignatures, as the roster names it.
func (c HubConfig) WitnessKey() string { return feed.NewWitnessSigner(c.Name, c.Witness).Key() }

// watch closes connections that do not say who they are.
func (b *hub) watch() {
	b.h.wires.swarm.Notify(&network.NotifyBundle{
		ConnectedF: func(_ network.Network, c network.Conn) {
			if who, _ := b.h.standing(c.RemotePeer()); c.Stat().Direction != network.DirInbound || who.hub != "" {
				return // what we opened; a hub may ask over the connection that we have to it
			}
			// The timer is real time, not the node's clock: it is about this connection.
			time.AfterFunc(helloWithin, func() {
				if b.session(c) == nil {
					_ = c.Close()
				}
			})
		},
		DisconnectedF: func(_ network.Network, c network.Conn) { b.leave(c) },
	})
}

func (b *hub) session(c network.Conn) *session {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sessions[c.ID()]
}

// name under which only one connection speaks.
func (s standing) name() string {
	if s.seat == seatHub {
		return "hub " + s.hub
	}
	return s.siren.String()
}

// admit a connection that has said who it is. The newest connection of a member
// takes the place of the one before; another machine's not more often than every
// replaceEvery: the answer is how long to wait.
func (b *hub) admit(c network.Conn, who standing, roster uint64, now time.Time) time.Duration {
	b.mu.Lock()
	name := who.name()
	old := b.speaks[name]
	if old != nil && old.conn.RemotePeer() != c.RemotePeer() {
		if wait := replaceEvery - now.Sub(b.changed[name]); wait > 0 && wait <= replaceEvery {
			b.mu.Unlock()
			return wait
		}
		b.changed[name] = now
	}
	if old == nil {
		b.changed[name] = now
	}
	s := &session{who, c, now, roster}
	b.sessions[c.ID()], b.speaks[name] = s, s
	b.mu.Unlock()
	if old != nil && old.conn.ID() != c.ID() && who.seat != seatHub {
		_ = old.conn.Close()
	}
	return 0
}

func (b *hub) leave(c network.Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.sessions[c.ID()]
	if s == nil {
		return
	}
	delete(b.sessions, c.ID())
	if b.speaks[s.who.name()] == s {
		delete(b.speaks, s.who.name())
	}
}

// answer one stream.
func (b *hub) answer(ctx context.Context, l *link, name protocol.ID, who standing) error {
	if name == protocolHello {
		return b.hello(ctx, l, who)
	}
	s := b.session(l.Conn())
	if s == nil {
		return fmt.Errorf("%s before HELLO: %w", name, errRole)
	}
	switch name {
	case protocolRoster:
		return b.rosters(ctx, l, s.who)
	case protocolPush:
		return b.push(l, s.who)
	case protocolPull:
		return b.pull(l, s.who)
	case protocolWord:
		return b.words(l, s.who)
	case protocolEvidence:
		return b.evidence(l, s.who)
	}
	return errRole
}

// errOlder says that this hub's roster is older than the caller's: what does not hold
// by it may hold by the newer one, so it is neither taken nor held against the caller.
var errOlder = errors.New("this hub's roster is older than the caller's")

// fair is err, or [errOlder] when the caller has a newer roster than this hub: a key of
// its own may be new, or a right. The hub asks the others for theirs every minute.
// Whoever lies about its version gains two of these minutes, once for each version that
// this hub has.
func (b *hub) fair(c network.Conn, err error) error {
	s, r := b.session(c), b.h.roster()
	if s == nil || r == nil || s.roster <= r.Version || !errors.Is(err, errLie) && !errors.Is(err, errRole) {
		return err
	}
	b.mu.Lock()
	x := b.excused[s.who.name()]
	if x.version != r.Version {
		x = excuse{r.Version, b.h.now()}
		b.excused[s.who.name()] = x
	}
	b.mu.Unlock()
	if b.h.now().Sub(x.since) > 2*b.h.cfg.SyncEvery {
		return err
	}
	return fmt.Errorf("%w: %s", errOlder, err) // not as what it was
}

// verdict is the status that an error is told as, or the error when the stream is to
// be cut off.
func verdict(err error) (status, error) {
	switch {
	case err == nil:
		return statusOK, nil
	case errors.Is(err, errRole):
		return statusRole, nil
	case errors.Is(err, errLie), errors.Is(err, feed.ErrCheckpoint):
		return statusBad, nil
	case errors.Is(err, errExpired):
		return statusExpired, nil
	case errors.Is(err, errQuota):
		return statusQuota, nil
	case errors.Is(err, errFuture):
		return statusClock, nil
	case errors.Is(err, errKind), errors.Is(err, public.ErrKind):
		return statusKind, nil
	case errors.Is(err, errFrozen), errors.Is(err, feed.ErrFork):
		return statusFork, nil
	case errors.Is(err, feed.ErrOld):
		return statusBehind, nil
	case errors.Is(err, feed.ErrGap):
		return statusGap, nil
	case errors.Is(err, errRoom), errors.Is(err, errOlder):
		return statusLater, nil
	}
	return statusLater, err
}

// me is the hub's own line in the roster.
func (b *hub) me(s *roster.State) (roster.Hub, bool) {
	for _, h := range s.Hubs {
		if h.Peer == b.h.id.String() {
			return h, true
		}
	}
	return roster.Hub{}, false
}

// cosign a checkpoint, when the roster names this hub as a witness.
func (b *hub) cosign(s *roster.State, c feed.Checkpoint) (feed.Checkpoint, error) {
	if me, ok := b.me(s); !ok || !me.Witness || me.Key != b.signer.Key() {
		return c, nil
	}
	return b.signer.Sign(c, b.h.now())
}

// cosigned reports whether the hub's own cosignature is on a checkpoint.
func (b *hub) cosigned(p feed.Policy, c feed.Checkpoint) bool {
	for _, w := range p.Cosignatures(c) {
		if w.Witness == b.signer.Key() {
			return true
		}
	}
	return false
}

// errRoom says that too much goes on at one time.
var errRoom = errors.New("the hub is busy")

// room bounds what all exchanges hold in memory.
type room struct {
	mu   sync.Mutex
	free int64
}

func (r *room) take(n int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if int64(n) > r.free {
		return errRoom
	}
	r.free -= int64(n)
	return nil
}

func (r *room) give(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.free += int64(n)
}
