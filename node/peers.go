package node

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/bippop/bippop/consensus/gossip"
	"github.com/bippop/bippop/consensus/mesh"
)

// Peering is how a replica meets the others. The zero Peering is a territory of
// one replica that no other can join.
type Peering struct {
	// Listener is where other replicas reach this one. The node closes it.
	Listener net.Listener
	// Address is the Listener's as the others dial it: "10.0.0.1:7400".
	Address string
	// URL is where people reach this replica's interface, for the others' pages.
	URL string
}

// What goes between replicas, each over its own kind of stream.
const (
	raftStreams = "bippop-raft/1"
	siteStreams = "bippop-site/1"   // requests that a follower forwards
	nodeStreams = "bippop-node/1"   // what nodes say to each other
	joinStreams = "bippop-join/1"   // from a machine that is not a replica yet
	ringStreams = "bippop-unlock/1" // from a replica that is sealed
)

// Times of what nodes say to each other.
const (
	askTimeout  = 5 * time.Second
	relayHeader = 2 * time.Minute // a spreadsheet is read by then
)

// peers is this replica's place among the others. Safe for concurrent use.
type peers struct {
	core    *core
	mesh    *mesh.Mesh
	gossip  *gossip.Gossip
	ask     *http.Client
	patient *http.Client // for what takes its time
	relay   *http.Transport
	inner   *http.Server
	outer   *http.Server
	logger  *slog.Logger
	locks   *locks
	lending *lending
	heads   *journalHeads
	others  atomic.Bool // who the others are has changed: look for them
}

func newPeers(c *core, lending *lending) (*peers, error) {
	p := &peers{core: c, logger: c.cfg.Logger, locks: newLocks(), lending: lending, heads: newJournalHeads(c)}
	var err error
	p.mesh, err = mesh.Open(mesh.Config{
		Listener: c.cfg.Peering.Listener, Advertise: c.cfg.Peering.Address, Credentials: c.keeper.credentials, Allow: p.allow, Logger: c.cfg.Logger,
	})
	if err != nil {
		return nil, err
	}
	p.ask = &http.Client{Transport: p.mesh.Transport(nodeStreams), Timeout: askTimeout}
	p.patient = &http.Client{Transport: p.mesh.Transport(nodeStreams)}
	p.relay = p.mesh.Transport(siteStreams)
	return p, nil
}

var errRemoved = errors.New("this replica was removed from the territory")
var errImpostor = errors.New("this is not the key that the replica has joined with")

// allow decides who may speak: a replica that is known shows the key it has
// joined with, and one that was removed stays out. Of a name not known here the
// territory's certificate is enough: this replica may have been away when it
// joined.
func (p *peers) allow(name string, fingerprint [32]byte) error {
	id, err := parseReplica(name)
	if err != nil {
		return err
	}
	r, ok := p.core.members.known(id)
	switch {
	case !ok:
		return nil
	case !r.State.Alive():
		return errRemoved
	case r.At.Fingerprint != fingerprint:
		return errImpostor
	}
	return nil
}

// serve begins to answer other replicas, and to look for them.
func (p *peers) serve() (err error) {
	p.inner = &http.Server{Handler: p.doors(), ReadHeaderTimeout: askTimeout, ErrorLog: quiet(), ConnContext: whoAsks}
	go p.inner.Serve(p.mesh.HTTP(nodeStreams))
	c := p.core
	p.mesh.HandleStranger(joinStreams, p.admit)
	p.mesh.HandleStranger(ringStreams, unlocking{c}.rung)
	p.gossip, err = gossip.Open(gossip.Config{
		Mesh: p.mesh, Key: c.keeper.copied().Shared.Gossip, Replica: c.self.String(), Meta: p.own(), Logger: c.cfg.Logger,
		Allow: func(name string) bool {
			id, err := parseReplica(name)
			r, ok := c.members.known(id)
			return err == nil && (!ok || r.State.Alive())
		},
	})
	if err != nil {
		return err
	}
	p.look()
	return nil
}

// look tells gossip where replicas may be. Nobody there is no fault: they are
// asked again.
func (p *peers) look() {
	var addresses []string
	for _, r := range p.core.members.present() {
		if r.ID != p.core.self && r.At.Peer != "" {
			addresses = append(addresses, r.At.Peer)
		}
	}
	if err := p.gossip.Join(addresses); err != nil {
		p.logger.Debug("looking for the other replicas", errAttr(err))
	}
}

// own is what this replica says of itself.
func (p *peers) own() gossip.Meta {
	c := p.core
	m := gossip.Meta{
		Address: p.mesh.Address(), URL: c.cfg.Peering.URL, Level: uint16(c.cfg.level), Program: c.cfg.Program, Fault: p.fault(),
		Expires: c.keeper.copied().TLS.Expires().Unix(),
	}
	if free, err := c.health.free(); err == nil {
		m.Free = free
	}
	if c.replica != nil {
		m.Applied = c.replica.Applied()
	}
	return m
}

// fault is a code of what is wrong here, or "".
func (p *peers) fault() string {
	c := p.core
	if e, ok := errors.AsType[*Error](c.health.writable()); ok {
		return e.Code
	}
	if c.replica != nil && c.replica.Stats().Stuck {
		return "stuck"
	}
	return ""
}

// report tells the others how this replica is.
func (p *peers) report() {
	if p.others.Swap(false) {
		p.look()
	}
	if err := p.gossip.Update(p.own()); err != nil {
		p.logger.Warn("telling the other replicas how this one is", errAttr(err))
	}
}

// hearing is what a replica said last.
type hearing struct {
	said  Said
	at    time.Time
	alive bool
}

// heard is what each replica said last, this one included.
func (p *peers) heard() map[ReplicaID]hearing {
	out := map[ReplicaID]hearing{}
	for _, m := range p.gossip.Members() {
		id, err := parseReplica(m.Replica)
		if err != nil {
			continue
		}
		at := m.Since
		if m.State == gossip.Alive {
			at = systemClock() // silence of some tenths of a second would show
		}
		out[id] = hearing{
			said: Said{Applied: m.Meta.Applied, Free: m.Meta.Free, Program: m.Meta.Program, Fault: m.Meta.Fault, Expires: time.Unix(m.Meta.Expires, 0)},
			at:   at, alive: m.State == gossip.Alive,
		}
	}
	return out
}

// leave ends what is asked of this replica; close ends the rest, when the log is
// closed.
func (p *peers) leave() {
	if p.gossip != nil {
		if err := p.gossip.Close(); err != nil {
			p.logger.Debug("leaving", errAttr(err))
		}
	}
	for _, s := range []*http.Server{p.inner, p.outer} {
		if s != nil {
			s.Close()
		}
	}
	p.relay.CloseIdleConnections()
	p.ask.CloseIdleConnections()
	p.patient.CloseIdleConnections()
}

func (p *peers) close() error { return p.mesh.Close() }

// answer is what followers' requests meet.
func (p *peers) answer(h http.Handler) {
	p.outer = &http.Server{Handler: h, ReadHeaderTimeout: askTimeout, ErrorLog: quiet()}
	go p.outer.Serve(p.mesh.HTTP(siteStreams))
}

// whoAsks puts the replica at the other end into a request's context.
func whoAsks(ctx context.Context, conn net.Conn) context.Context {
	peer, _ := mesh.PeerOf(conn)
	id, err := parseReplica(peer.Replica)
	if err != nil {
		return ctx
	}
	return context.WithValue(ctx, peerKey{}, id)
}

func quiet() *log.Logger { return slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) }

// forward sends a request of people or programs to the leader.
func (p *peers) forward(r *http.Request) (*http.Response, error) {
	_, address := p.core.replica.Leader()
	if address == "" || address == p.mesh.Address() {
		return nil, errLeader
	}
	r.URL.Scheme, r.URL.Host = "http", address
	r.RequestURI = ""
	answer, err := p.relay.RoundTrip(r)
	if errors.Is(err, mesh.ErrUnreachable) {
		return nil, errLeader // no stream, so nothing was sent over one
	}
	return answer, err
}

// The doors at which replicas ask each other.
//
// Only a replica with a record may use them. The log's streams know less: whoever
// holds a certificate may bring entries to a replica that was away while it
// joined. But a certificate can be made by whoever has stolen a vault, so it
// gets nobody a key.
func (p *peers) doors() http.Handler {
	m := http.NewServeMux()
	recorded := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if known, ok := p.core.members.known(peerOf(r.Context())); !ok || !known.State.Alive() {
			http.Error(w, "this replica has no record here", http.StatusForbidden)
			return
		}
		m.ServeHTTP(w, r)
	})
	m.HandleFunc("POST /root", door(p.takeRoot))
	m.HandleFunc("POST /root/missing", door(p.giveRoot))
	m.HandleFunc("POST /holds", door(p.noteHolds))
	m.HandleFunc("POST /barrier", door(p.barrier))
	m.HandleFunc("POST /used", door(gate{p.core}.renew))
	m.HandleFunc("POST /moved", door(p.noteMoved))
	m.HandleFunc("POST /journal", door(journaling{p.core}.take))
	m.HandleFunc("POST /journal/sign", door(p.heads.sign))
	u := unlocking{p.core}
	m.HandleFunc("POST /lock", door(u.takeLock))
	m.HandleFunc("POST /lock/written", door(u.noteWritten))
	m.HandleFunc("POST /lock/wanted", door(u.noteWanted))
	m.HandleFunc("POST /release", door(u.decide))
	copies := p.core.copies
	m.HandleFunc("POST /backup/try", door(copies.try))
	m.HandleFunc("POST /backup/now", door(copies.now))
	m.HandleFunc("POST /backup/clear", door(copies.clear))
	m.HandleFunc("POST /backup/made", door(copies.noteMade))
	m.HandleFunc("POST /federation/sign", door(p.core.federating.cosigning.sign))
	m.HandleFunc("POST /federation/apply", door(p.core.federating.cosigning.apply))
	m.HandleFunc("POST /federation/keys", door(p.core.federating.cosigning.keys))
	m.HandleFunc("POST /federation/troubles", door(troubles{p.core}.here))
	return recorded
}
