package node

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/bippop/bippop/consensus/gossip"
	"github.com/bippop/bippop/consensus/mesh"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/replica"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/fxamacker/cbor/v2"
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
	siteStreams = "bippop-site/1" // requests that a follower forwards
	nodeStreams = "bippop-node/1" // what nodes say to each other
	joinStreams = "bippop-join/1" // from a machine that is not a replica yet
)

// Times of what nodes say to each other.
const (
	askTimeout  = 5 * time.Second
	relayHeader = 2 * time.Minute // a spreadsheet is read by then
)

// peers is this replica's place among the others. Safe for concurrent use.
type peers struct {
	core   *core
	mesh   *mesh.Mesh
	gossip *gossip.Gossip
	ask    *http.Client
	relay  *http.Transport
	inner  *http.Server
	outer  *http.Server
	logger *slog.Logger
}

func newPeers(c *core, credentials func() mesh.Credentials) (*peers, error) {
	p := &peers{core: c, logger: c.cfg.Logger}
	var err error
	p.mesh, err = mesh.Open(mesh.Config{
		Listener: c.cfg.Peering.Listener, Advertise: c.cfg.Peering.Address, Credentials: credentials, Allow: p.allow, Logger: c.cfg.Logger,
	})
	if err != nil {
		return nil, err
	}
	p.ask = &http.Client{Transport: p.mesh.Transport(nodeStreams), Timeout: askTimeout}
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

// serve begins to answer other replicas.
func (p *peers) serve() {
	p.inner = &http.Server{Handler: p.doors(), ReadHeaderTimeout: askTimeout, ErrorLog: quiet()}
	p.inner.ConnContext = whoAsks
	go p.inner.Serve(p.mesh.HTTP(nodeStreams))
	p.mesh.HandleStranger(joinStreams, p.admit)
}

// answer is what followers' requests meet.
func (p *peers) answer(h http.Handler) {
	p.outer = &http.Server{Handler: h, ReadHeaderTimeout: askTimeout, ErrorLog: quiet()}
	go p.outer.Serve(p.mesh.HTTP(siteStreams))
}

// whoAsks puts the replica at the other end into a request's context.
func whoAsks(ctx context.Context, conn net.Conn) context.Context {
	peer, _ := mesh.PeerOf(conn)
	id, _ := ident.Parse[replicaNoun](peer.Replica)
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
	r.Header.Set("X-Forwarded-Proto", scheme(r))
	return p.relay.RoundTrip(r)
}

// The doors at which replicas ask each other.
func (p *peers) doors() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("POST /root", door(p.takeRoot))
	m.HandleFunc("POST /root/missing", door(p.giveRoot))
	m.HandleFunc("POST /holds", door(p.noteHolds))
	m.HandleFunc("POST /barrier", door(p.barrier))
	m.HandleFunc("POST /moved", door(p.noteMoved))
	return m
}
