package simulation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"path/filepath"
	"sync"
	"time"

	"github.com/bippop/bippop/federation"
	"github.com/bippop/bippop/federation/public"
	"github.com/marcopolo/simnet"
)

// Plan is what happens in a run.
type Plan struct {
	Dir         string // of all hosts; best in memory, since every copy is synced to disk
	Territories int
	Replicas    int           // of each, whose signatures every checkpoint bears; 0: 3
	Hubs        int           // 0: 3
	Threshold   int           // of hubs that must cosign; 0: 2, or 1 of a single hub
	Poll        time.Duration // of hubs with each other and of the coordinator with hubs; 0: a second
	Pull        time.Duration // of territories; 0: as in production
	Within      time.Duration // virtual, or the run has failed; 0: a day
	Loss        float64       // share of packets that are lost, each way
	Offline     int           // territories that come only after Away
	Away        time.Duration
	HubDown     time.Duration // the first hub stops after it ...
	HubUp       time.Duration // ... and comes again after it; 0: never stops
	Progress    func(text string)
}

// headers of IPv4 and UDP, in bytes.
const headers = 28

// Result is what a run came to. Wire bytes are those of datagrams with their headers,
// sent by anybody, from the first connection to the instant at which the coordinator held
// every territory's release, settled; handshakes and polls are in it, and so are the
// signatures of replicas and witnesses. The roster was distributed before.
type Result struct {
	Territories int
	Virtual     time.Duration
	WireBytes   int64
	Packets     int64
	Messages    int64 // requests that hubs answered
}

const (
	latency  = 15 * time.Millisecond // one way
	megabits = simnet.Mibps
	simPort  = 8000
)

var (
	hubLink         = link(500, 500)
	coordinatorLink = link(100, 100)
	territoryLink   = link(5, 20)
)

func link(up, down int) simnet.NodeBiDiLinkSettings {
	return simnet.NodeBiDiLinkSettings{
		Uplink:   simnet.LinkSettings{BitsPerSecond: up * megabits, MTU: 1500},
		Downlink: simnet.LinkSettings{BitsPerSecond: down * megabits, MTU: 1500},
	}
}

// Net is the network between hosts. Safe for concurrent use.
type Net struct {
	sim  *simnet.Simnet
	loss float64

	mu   sync.Mutex
	ends []*simnet.SimConn
	next int // address
	port int // of a socket that asked for any
}

// NewNet is a network that loses a share of packets. It runs until Close.
func NewNet(loss float64) *Net {
	n := &Net{sim: &simnet.Simnet{LatencyFunc: simnet.StaticLatency(latency), Logger: slog.New(slog.DiscardHandler)}, loss: loss}
	n.sim.Start()
	return n
}

// Close ends the network; hosts are closed before.
func (n *Net) Close() { n.sim.Close() }

// Address is a further host's own.
func (n *Net) Address() net.IP {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.next++
	return simnet.IntToPublicIPv4(n.next).To16() // the form in which the library asks for it
}

// Listen makes the sockets of one host, or of several behind one address.
func (n *Net) Listen(ip net.IP) func(string, *net.UDPAddr) (net.PacketConn, error) {
	return n.listen(ip, hubLink)
}

func (n *Net) listen(ip net.IP, settings simnet.NodeBiDiLinkSettings) func(string, *net.UDPAddr) (net.PacketConn, error) {
	return func(_ string, at *net.UDPAddr) (net.PacketConn, error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.port++
		end := n.sim.NewEndpoint(&net.UDPAddr{IP: ip, Port: cmp.Or(at.Port, simPort+n.port)}, settings)
		n.ends = append(n.ends, end)
		if n.loss == 0 {
			return end, nil
		}
		return &lossy{end, n.loss}, nil
	}
}

// Sent is what went over the network so far.
func (n *Net) Sent() (bytes, packets int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, e := range n.ends {
		s := e.Stats()
		bytes, packets = bytes+int64(s.BytesSent)+headers*int64(s.PacketsSent), packets+int64(s.PacketsSent)
	}
	return bytes, packets
}

// lossy loses a share of what is sent.
type lossy struct {
	*simnet.SimConn
	share float64
}

func (l *lossy) WriteTo(b []byte, to net.Addr) (int, error) {
	if rand.Float64() < l.share {
		return len(b), nil
	}
	return l.SimConn.WriteTo(b, to)
}

// run is one run that goes on.
type run struct {
	Plan
	net    *Net
	nation *Nation
	roster *Roster
	hubs   []*federation.Host
	hubIPs []net.IP
	hosts  []*federation.Host
	heard  map[public.Siren]bool
	mu     sync.Mutex
	whole  chan struct{}
	answer int64 // of hubs that were stopped
}

// Run carries a plan out. Call it in a bubble of testing/synctest: then its time is
// virtual. Every territory releases a quarter's figures at the first instant.
func Run(ctx context.Context, p Plan) (_ Result, err error) {
	p.Replicas, p.Hubs = cmp.Or(p.Replicas, 3), cmp.Or(p.Hubs, 3)
	p.Threshold, p.Poll = cmp.Or(p.Threshold, min(2, p.Hubs)), cmp.Or(p.Poll, time.Second)
	p.Within = cmp.Or(p.Within, 24*time.Hour)
	if p.Progress == nil {
		p.Progress = func(string) {}
	}
	r := &run{Plan: p, net: NewNet(p.Loss), heard: map[public.Siren]bool{}, whole: make(chan struct{})}
	defer r.net.Close()
	defer func() {
		if r.close() != nil && err == nil {
			err = errors.New("a host did not close")
		}
	}()
	if err := r.found(); err != nil {
		return Result{}, err
	}
	if err := r.open(); err != nil {
		return Result{}, err
	}
	time.Sleep(warm)
	p.Progress(fmt.Sprintf("%d territories have signed a release each; now they speak", p.Territories))
	start := time.Now()
	before, beforePackets := r.net.Sent()
	r.answer = -r.answers()
	if err := r.territories(p.Offline, p.Territories); err != nil {
		return Result{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, p.Within)
	defer cancel()
	if err := r.events(ctx, start); err != nil {
		return Result{}, err
	}
	out := Result{Territories: p.Territories, Virtual: time.Since(start)}
	out.WireBytes, out.Packets = r.net.Sent()
	out.WireBytes, out.Packets = out.WireBytes-before, out.Packets-beforePackets
	out.Messages = r.answer + r.answers()
	return out, nil
}

// answers that the hubs that run have given.
func (r *run) answers() (n int64) {
	for _, h := range r.hubs {
		if h != nil {
			n += h.Status().Answers
		}
	}
	return n
}

// found makes the roster and what everybody has to say.
func (r *run) found() (err error) {
	var hubs []Hub
	for i := range r.Hubs {
		name := fmt.Sprintf("hub-%d.example", i)
		r.hubIPs = append(r.hubIPs, r.net.Address())
		at := fmt.Sprintf("/ip4/%s/udp/%d/quic-v1", r.hubIPs[i], simPort)
		hubs = append(hubs, Hub{Seed: Seed(name), Config: federation.HubConfig{Name: name, Witness: Seed(name + " witness"), Listen: []string{at}}})
	}
	today := public.DayOf(time.Now())
	if r.nation, err = Found(today, r.Threshold, hubs...); err != nil {
		return err
	}
	if err := r.nation.Add(r.Territories, r.Replicas); err != nil {
		return err
	}
	r.roster = r.nation.Roster()
	for i, w := range r.nation.Territories {
		m, err := release(i)
		if err != nil {
			return err
		}
		if err := w.Say(today, m); err != nil {
			return err
		}
	}
	return nil
}

// release is a quarter's figures as they are sent: of full length, with numbers of
// the size that a small territory has.
func release(n int) (public.Message, error) {
	receipt, err := public.Odometer{}.Charge(public.CatalogueVersion, 0)
	if err != nil {
		return nil, err
	}
	draw := rand.New(rand.NewPCG(1, uint64(n)))
	cells := make([]int32, public.Cells(public.CatalogueVersion))
	for i := range cells {
		cells[i] = draw.Int32N(400)
	}
	return receipt.Release(cells)
}

func (r *run) config(name string, seed [32]byte, ip net.IP, settings simnet.NodeBiDiLinkSettings) federation.Config {
	return federation.Config{
		Seed: seed, Dir: filepath.Join(r.Dir, name), Rosters: r.roster, Logger: slog.New(slog.DiscardHandler),
		SyncEvery: r.Poll, ListenUDP: r.net.listen(ip, settings),
	}
}

// warm is how long hubs and the coordinator run before a territory speaks.
const warm = 20 * time.Second

// open hubs and the coordinator.
func (r *run) open() error {
	for i := range r.Hubs {
		if err := r.openHub(i); err != nil {
			return err
		}
	}
	c := r.config("coordinator", r.nation.Coordinator.Seed(0), r.net.Address(), coordinatorLink)
	c.Siren, c.Own, c.PullEvery, c.Settled = r.nation.Coordinator.Siren, r.nation.Coordinator, r.Poll, r.settled
	return r.host(c)
}

// territories from one to before another begin to speak.
func (r *run) territories(from, to int) error {
	for _, w := range r.nation.Territories[from:to] {
		c := r.config(w.Siren.String(), w.Seed(0), r.net.Address(), territoryLink)
		c.Siren, c.Own, c.PullEvery = w.Siren, w, r.Pull
		if err := r.host(c); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) host(c federation.Config) error {
	h, err := federation.Open(c)
	if err != nil {
		return err
	}
	r.hosts = append(r.hosts, h)
	return nil
}

func (r *run) openHub(i int) error {
	seat := r.nation.Hubs[i]
	c := r.config(seat.Config.Name, seat.Seed, r.hubIPs[i], hubLink)
	c.Hub = &seat.Config
	h, err := federation.Open(c)
	if err != nil {
		return err
	}
	if i < len(r.hubs) {
		r.hubs[i] = h
	} else {
		r.hubs = append(r.hubs, h)
	}
	return nil
}

// settled hears what the coordinator is given.
func (r *run) settled(siren public.Siren, _ uint16, _ int64, _ [][]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.heard[siren] {
		return
	}
	r.heard[siren] = true
	if n := len(r.heard); n%100 == 0 {
		r.Progress(fmt.Sprintf("the coordinator holds %d releases", n))
	}
	if len(r.heard) == r.Territories {
		close(r.whole)
	}
}

// events are what befalls the nation until the coordinator holds everything.
func (r *run) events(ctx context.Context, start time.Time) error {
	type event struct {
		after time.Duration
		do    func() error
	}
	var all []event
	if r.HubUp > 0 {
		all = append(all, event{r.HubDown, func() error {
			r.answer += r.hubs[0].Status().Answers
			err := r.hubs[0].Close()
			r.hubs[0] = nil
			return err
		}}, event{r.HubUp, func() error { return r.openHub(0) }})
	}
	if r.Offline > 0 {
		all = append(all, event{r.Away, func() error { return r.territories(0, r.Offline) }})
	}
	for len(all) > 0 {
		at := 0
		for i, e := range all {
			if e.after < all[at].after {
				at = i
			}
		}
		select {
		case <-time.After(time.Until(start.Add(all[at].after))):
			if err := all[at].do(); err != nil {
				return err
			}
		case <-r.whole:
			return nil
		case <-ctx.Done():
			return r.lacks()
		}
		all = append(all[:at], all[at+1:]...)
	}
	select {
	case <-r.whole:
		return nil
	case <-ctx.Done():
		return r.lacks()
	}
}

func (r *run) lacks() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Errorf("the coordinator holds %d of %d releases", len(r.heard), r.Territories)
}

func (r *run) close() error {
	var all []error
	for _, h := range append(r.hosts, r.hubs...) {
		if h != nil {
			all = append(all, h.Close())
		}
	}
	return errors.Join(all...)
}
