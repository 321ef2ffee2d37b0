// Package federation is how a node speaks with the others: a libp2p host, hubs that
// store, pass on and witness, and leaves that call them.
//
//	leaf ── HELLO ──▶ hub      who calls; what the hub knows of its feed
//	     ── roster ─▶          the newer entries of the roster, either way
//	     ── push ───▶          the own feed's new entries; a cosignature comes back
//	     ── pull ───▶          the feeds it may read, by version vector
//	hub  ── the same, but push ──▶ the other hubs
//
// Nothing that comes over the wire is believed. A feed's entries count with a
// checkpoint that a quorum of the territory's replicas has signed and, at a leaf,
// that enough witnesses have cosigned; they are decoded under the closed set of
// messages and their kind is looked up in the roster before they are stored or
// passed on. Entries of the roster carry the signatures of its holders. Who may do
// what stands in policy.go.
package federation

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"time"

	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
)

// Rosters is where a host keeps the roster. Safe for concurrent use.
type Rosters interface {
	// State is the newest one that was verified; nil before the first entry.
	State() *roster.State
	// Entries from a number on, as they were signed.
	Entries(from uint64) ([][]byte, error)
	// Take verifies further entries and keeps them: those before the own version are
	// skipped. They are durable when it returns.
	Take(ctx context.Context, entries [][]byte) error
}

// Own is the territory's own feed at its leader. Safe for concurrent use.
type Own interface {
	// Checkpoint is of the newest head that a quorum of replicas has signed.
	Checkpoint(ctx context.Context) (feed.Checkpoint, error)
	// Entries from a place to before another.
	Entries(ctx context.Context, from, to int64) ([][]byte, error)
	// Witnessed hands over a checkpoint with the cosignatures of hubs.
	Witnessed(ctx context.Context, c feed.Checkpoint) error
	// Compare is what a hub knows of the feed, unchecked, with its own signature of this
	// moment. Fetch brings entries from that hub; whether they lead to the checkpoint's
	// root is for Compare to see. Ahead of us: take the rest back. Contrary to us: freeze,
	// and [feed.ErrFork]. A signed head of size 0: the hub knows nothing of us. It is
	// called at each contact, before anything is pushed.
	Compare(ctx context.Context, hub feed.Checkpoint, fetch Fetch) error
}

// Fetch brings entries of the own feed in an epoch, from ≤ n < to, as a hub gives
// them: their form and place are checked, and nothing else.
type Fetch func(ctx context.Context, epoch uint16, from, to int64) ([][]byte, error)

// HubConfig makes a host a hub.
type HubConfig struct {
	Name    string   // as in the roster; cosignatures bear it
	Witness [32]byte // seed of the key of its cosignatures
	Listen  []string // multiaddrs
}

// Config says what a host is.
type Config struct {
	Seed    [32]byte // of its libp2p key (Ed25519)
	Dir     string   // copies of feeds; made when missing
	Siren   public.Siren
	Rosters Rosters
	Own     Own          // nil: a hub, or an observer
	Hub     *HubConfig   // nil: a leaf, which has no listener
	Invited []roster.Hub // to call while no roster is known
	// Settled is given the settled entries of every feed that the host holds, in order
	// and each once per start, by one goroutine. from is the place of the first.
	Settled func(siren public.Siren, epoch uint16, from int64, entries [][]byte)
	// Decode checks an entry of a kind that package public does not know, as the
	// coordinator's bulletins are. nil: there are none.
	Decode func(role roster.Role, entry []byte) error
	Clock  func() time.Time // what stamps and periods are read from; nil: time.Now
	Logger *slog.Logger     // nil: slog.Default

	PullEvery time.Duration  // a leaf; 0: 15 minutes (the coordinator 5)
	SyncEvery time.Duration  // a hub with the others; 0: a minute
	WebRoots  *x509.CertPool // whose certificates a hub's wss may have; nil: the machine's
	ListenUDP func(network string, at *net.UDPAddr) (net.PacketConn, error)
}

// Host speaks for one node. Only the leader's node has one. All methods are safe for
// concurrent use.
type Host struct {
	cfg    Config
	id     peer.ID
	log    *slog.Logger
	wires  *wires
	copies *copies
	hub    *hub  // nil at a leaf
	leaf   *leaf // calls the hubs; a hub has one as well
	fresh  *freshness
	out    *delivery

	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	closing sync.Once
	closed  error
}

// PeerOf is the libp2p peer ID of a seed, as the roster names it.
func PeerOf(seed [32]byte) (string, error) {
	_, id, err := keyOf(seed)
	return id.String(), err
}

func keyOf(seed [32]byte) (crypto.PrivKey, peer.ID, error) {
	key, err := crypto.UnmarshalEd25519PrivateKey(ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		return nil, "", err
	}
	id, err := peer.IDFromPrivateKey(key)
	return key, id, err
}

// Open starts a host: a hub listens at once, a leaf calls at once.
func Open(cfg Config) (*Host, error) {
	h, err := open(cfg)
	if err != nil {
		return nil, err
	}
	h.work.Go(h.out.run)
	h.work.Go(h.leaf.run)
	if h.hub != nil {
		h.work.Go(h.hub.others.run)
	}
	return h, nil
}

// open a host that does nothing by itself but listen.
func open(cfg Config) (_ *Host, err error) {
	if cfg.Rosters == nil || cfg.Dir == "" {
		return nil, errors.New("a host needs a roster and a folder")
	}
	if cfg.Hub != nil && cfg.Own != nil {
		return nil, errors.New("a hub has no feed of its own: open a second host for it")
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.SyncEvery <= 0 {
		cfg.SyncEvery = time.Minute
	}
	key, id, err := keyOf(cfg.Seed)
	if err != nil {
		return nil, err
	}
	h := &Host{cfg: cfg, id: id, log: cfg.Logger.With("part", "federation")}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			err = errors.Join(err, h.Close())
		}
	}()
	if h.copies, err = openCopies(filepath.Join(cfg.Dir, "feeds")); err != nil {
		return nil, err
	}
	if h.fresh, err = openFreshness(filepath.Join(cfg.Dir, "fresh")); err != nil {
		return nil, err
	}
	if cfg.Hub != nil {
		if h.hub, err = newHub(h); err != nil {
			return nil, err
		}
	}
	h.leaf = newLeaf(h)
	h.out = newDelivery(h)
	if h.wires, err = openWires(cfg, key, gater{h}); err != nil {
		return nil, err
	}
	h.wires.swarm.SetStreamHandler(h.serve)
	if h.hub != nil {
		h.hub.watch()
		if err := h.wires.listen(cfg.Hub.Listen); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// Peer is the host's peer ID.
func (h *Host) Peer() string { return h.id.String() }

// Addresses are those that a hub listens on, as it was told to.
func (h *Host) Addresses() (out []string) {
	for _, a := range h.wires.swarm.ListenAddresses() {
		out = append(out, a.String())
	}
	return out
}

// Wake tells that the own feed has grown: it is pushed at once.
func (h *Host) Wake() { h.leaf.wake() }

// RosterChanged tells that the node has taken a newer roster: whoever left it is cut
// off before it returns.
func (h *Host) RosterChanged() {
	for _, c := range h.wires.swarm.Conns() {
		if !(gater{h}).lets(c.Stat().Direction, c.RemotePeer()) {
			h.log.Info("a connection ends: the peer is not on the roster", "peer", c.RemotePeer())
			_ = c.CloseWithError(codeRevoked)
		}
	}
	h.leaf.rosterChanged()
}

// Feed is the host's copy of a member's feed in its present epoch.
func (h *Host) Feed(siren public.Siren) (*feed.Copy, bool) {
	s := h.roster()
	if s == nil {
		return nil, false
	}
	m, ok := s.Member(siren)
	if !ok {
		return nil, false
	}
	c, ok := h.copies.find(feedKey{siren, m.Epoch})
	if !ok {
		return nil, false
	}
	return c.copy, true
}

// Epoch is the host's copy of a feed in one epoch.
func (h *Host) Epoch(siren public.Siren, epoch uint16) (*feed.Copy, bool) {
	c, ok := h.copies.find(feedKey{siren, epoch})
	if !ok {
		return nil, false
	}
	return c.copy, true
}

// Close ends all connections and waits for what goes on.
func (h *Host) Close() error {
	h.closing.Do(func() { h.closed = h.close() })
	return h.closed
}

func (h *Host) close() error {
	h.cancel()
	h.settle()
	var all []error
	if h.wires != nil {
		all = append(all, h.wires.close())
	}
	h.work.Wait()
	if h.copies != nil {
		all = append(all, h.copies.close())
	}
	return errors.Join(all...)
}

// closeGrace is how long a closing host waits for calls that are ending.
const closeGrace = 3 * time.Second

// settle waits until nobody calls any more: a swarm that is closed has no transports,
// and a call that still begins on one panics.
func (h *Host) settle() {
	over := make(chan struct{})
	go func() {
		defer close(over)
		h.work.Wait()
		if h.leaf != nil {
			h.leaf.turn <- struct{}{}
			<-h.leaf.turn
		}
	}()
	select {
	case <-over:
	case <-time.After(closeGrace):
	}
}

func (h *Host) now() time.Time { return h.cfg.Clock() }

func (h *Host) roster() *roster.State { return h.cfg.Rosters.State() }

func (h *Host) expired(s *roster.State) bool { return s.Expired(public.DayOf(h.now())) }

// standing is what a peer is on the roster. One peer may be a member's replica and a
// hub; which of both it speaks as, its HELLO says.
type standing struct {
	seat  seat // of the member; seatHub for a hub that is nothing else
	siren public.Siren
	hub   string // name; empty: no hub
}

func (h *Host) standing(p peer.ID) (standing, bool) {
	s := h.roster()
	if s == nil {
		return standing{}, false
	}
	st, ok := s.ByPeer(p.String())
	if !ok {
		return standing{}, false
	}
	who := standing{seat: seat(st.Role), siren: st.Siren, hub: st.Hub}
	if st.Siren == 0 {
		who.seat = seatHub
	}
	return who, true
}

// as is the standing in which a peer speaks that names a SIREN, or none as a hub.
func (s standing) as(siren public.Siren) (standing, error) {
	switch {
	case siren == 0 && s.hub != "":
		return standing{seat: seatHub, hub: s.hub}, nil
	case siren != 0 && siren == s.siren:
		return standing{seat: s.seat, siren: siren}, nil
	}
	return standing{}, fmt.Errorf("the peer speaks in another name than its own: %w", errLie)
}

// calls reports whether p is a hub to call.
func (h *Host) calls(p peer.ID) bool {
	if p == h.id {
		return false
	}
	if s := h.roster(); s != nil {
		who, ok := s.ByPeer(p.String())
		return ok && who.Hub != ""
	}
	for _, hub := range h.cfg.Invited {
		if hub.Peer == p.String() {
			return true
		}
	}
	return false
}

// member of the roster, or an error that says so.
func memberOf(s *roster.State, siren public.Siren) (roster.Member, error) {
	if s == nil {
		return roster.Member{}, errors.New("no roster is known yet")
	}
	m, ok := s.Member(siren)
	if !ok {
		return m, fmt.Errorf("%s is not on the roster", siren)
	}
	return m, nil
}
