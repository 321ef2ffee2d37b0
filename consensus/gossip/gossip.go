package gossip

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/bippop/bippop/consensus/mesh"
	"github.com/bippop/bippop/crypto"
)

// Config is what gossip needs. All fields but Changed are required.
type Config struct {
	Mesh    *mesh.Mesh // it outlives Gossip
	Key     crypto.Key // the territory's gossip key, equal on all replicas
	Replica string     // ID of this replica
	Meta    Meta       // its first word
	// Allow says whether a replica belongs to the territory, as far as this
	// replica's records go. Others are neither listed nor asked. It is called
	// under locks: it does not block and does not call Gossip.
	Allow func(replica string) bool
	// Changed is called after [Gossip.Members] has changed, one call at a time. It
	// may call Members, not Close.
	Changed func()
	Logger  *slog.Logger
}

// ErrAlone says that no replica answered at any address that Join was given, or
// none that holds the same gossip key. They are tried again.
var ErrAlone = errors.New("no other replica answers: are they running, unsealed, and of the same territory?")

// The times make a dead replica of five gone after two to three seconds.
const (
	probeInterval = 500 * time.Millisecond // one member is asked
	probeTimeout  = 250 * time.Millisecond // for an answer on the packet stream
	suspicion     = 3                      // probe intervals in which a suspect may speak up
	streamTimeout = 2 * time.Second        // for one exchange of all that is known
	reviewEvery   = 250 * time.Millisecond
	rejoinEvery   = 2 * time.Second
	sayTimeout    = 500 * time.Millisecond // until own news are on their way
	leaveTimeout  = time.Second
)

// Gossip is one replica's ear and mouth. Its methods are safe for concurrent use.
type Gossip struct {
	cfg       Config
	table     *table
	transport *transport
	list      *memberlist.Memberlist
	stir      chan struct{} // the table has changed
	news      chan struct{} // meta has changed
	closing   context.Context
	stop      context.CancelFunc
	tasks     sync.WaitGroup
	once      sync.Once

	mu   sync.Mutex // guards what this replica says, for an assignment
	meta []byte     // own, encoded
	own  Meta

	joining sync.Mutex // held during a call of memberlist's Join
}

// Open starts to listen; nobody is known before [Gossip.Join] or until another
// replica has joined.
func Open(cfg Config) (*Gossip, error) {
	if cfg.Mesh == nil || cfg.Key.Zero() || cfg.Replica == "" || cfg.Allow == nil || cfg.Logger == nil {
		return nil, errors.New("gossip: mesh, key, replica, Allow and logger are required")
	}
	cfg.Meta.Leaving = false
	meta, err := cfg.Meta.encode()
	if err != nil {
		return nil, err
	}
	g := &Gossip{
		cfg: cfg, meta: meta, own: cfg.Meta, stir: make(chan struct{}, 1), news: make(chan struct{}, 1),
		table: &table{members: map[string]*member{}},
	}
	g.closing, g.stop = context.WithCancel(context.Background())
	g.transport = newTransport(cfg.Mesh, g.table, cfg.Replica)
	if g.list, err = memberlist.Create(g.config()); err != nil {
		g.stop()
		return nil, errors.Join(fmt.Errorf("gossip: %w", err), g.transport.Shutdown())
	}
	g.tasks.Go(g.watch)
	g.tasks.Go(g.say)
	g.tasks.Go(g.rejoin)
	return g, nil
}

func (g *Gossip) config() *memberlist.Config {
	c := memberlist.DefaultLANConfig()
	c.Name = g.cfg.Replica
	c.Transport = g.transport
	c.SecretKey = g.cfg.Key.Derive("memberlist").Reveal()
	c.Logger = newLines(g.cfg.Logger)
	c.Delegate, c.Events, c.Alive = voice{g}, ear{g}, guard{g}
	c.ProbeInterval, c.ProbeTimeout = probeInterval, probeTimeout
	c.SuspicionMult, c.SuspicionMaxTimeoutMult = suspicion, 1
	c.AwarenessMaxMultiplier = 2 // a slow replica asks half as often, not an eighth
	c.TCPTimeout = streamTimeout
	c.PushPullInterval = 10 * time.Second
	c.GossipInterval = 100 * time.Millisecond
	c.RetransmitMult = 3
	c.DeadNodeReclaimTime = time.Second // made-up addresses do not change; if they do, soon
	c.RequireNodeNames = false          // an address to join has none yet
	c.EnableCompression = false
	c.UDPBufferSize = 1 << 15 // there is no datagram to fit in
	return c
}

// Join asks at these addresses, until one answers, and goes on asking now and
// then at those where nobody is, until Close. They replace those of an earlier
// call. [ErrAlone] when nobody answers the first time.
func (g *Gossip) Join(addresses []string) error {
	g.table.seed(addresses)
	missed := g.table.missed(g.cfg.Allow)
	if len(missed) == 0 {
		return nil
	}
	if err := g.join(missed); err != nil {
		return fmt.Errorf("%w (%w)", ErrAlone, err)
	}
	return nil
}

func (g *Gossip) join(addresses []string) error {
	g.joining.Lock()
	defer g.joining.Unlock()
	if g.closing.Err() != nil {
		return mesh.ErrClosed
	}
	_, err := g.list.Join(g.table.targets(addresses))
	return err
}

// Update replaces what this replica says of itself; it is on its way soon.
func (g *Gossip) Update(m Meta) error {
	m.Leaving = false
	meta, err := m.encode()
	if err != nil {
		return err
	}
	g.mu.Lock()
	g.meta, g.own = meta, m
	g.mu.Unlock()
	wake(g.news)
	return nil
}

// Members are all replicas heard of that belong, this one among them, by ID.
func (g *Gossip) Members() []Seen { return g.table.list(g.cfg.Replica, g.cfg.Allow) }

// Close tells the others that this replica leaves, and ends. It takes a second as
// a rule, four at most.
func (g *Gossip) Close() (err error) {
	g.once.Do(func() {
		g.stop()
		g.tasks.Wait()
		g.joining.Lock() // whoever joins is heard out, or comes too late
		defer g.joining.Unlock()
		g.mu.Lock()
		g.own.Leaving = true
		if meta, err := g.own.encode(); err == nil { // else it goes as gone
			g.meta = meta
		}
		g.mu.Unlock()
		told := errors.Join(g.list.UpdateNode(sayTimeout), g.list.Leave(leaveTimeout))
		if told != nil {
			g.cfg.Logger.Debug("nobody may have heard the leave", slog.Any("error", told))
		}
		err = g.list.Shutdown()
	})
	return err
}

// watch reviews states as time goes by, and tells of changes.
func (g *Gossip) watch() {
	tick := time.NewTicker(reviewEvery)
	defer tick.Stop()
	for {
		told := false
		select {
		case <-g.closing.Done():
			return
		case <-g.stir:
			told = true
		case <-tick.C:
		}
		if g.table.review(g.cfg.Replica, g.cfg.Allow, time.Now()) {
			told = true
		}
		if told && g.cfg.Changed != nil {
			g.cfg.Changed()
		}
	}
}

func (g *Gossip) say() {
	for {
		select {
		case <-g.closing.Done():
			return
		case <-g.news:
			g.list.UpdateNode(sayTimeout) // late is well: the exchange of all brings it
		}
	}
}

func (g *Gossip) rejoin() {
	tick := time.NewTicker(rejoinEvery)
	defer tick.Stop()
	for {
		select {
		case <-g.closing.Done():
			return
		case <-tick.C:
			for _, address := range g.table.missed(g.cfg.Allow) {
				g.join([]string{address}) // memberlist logs why not
			}
		}
	}
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// voice is what memberlist asks this replica to say.
type voice struct{ g *Gossip }

func (v voice) NodeMeta(int) []byte {
	v.g.mu.Lock()
	defer v.g.mu.Unlock()
	return v.g.meta
}
func (voice) NotifyMsg([]byte)                {}
func (voice) GetBroadcasts(int, int) [][]byte { return nil }
func (voice) LocalState(bool) []byte          { return nil }
func (voice) MergeRemoteState([]byte, bool)   {}

// ear hears what memberlist has found, under memberlist's lock.
type ear struct{ g *Gossip }

func (e ear) NotifyJoin(n *memberlist.Node) {
	if e.note(n) && n.Name != e.g.cfg.Replica {
		e.g.cfg.Logger.Info("a replica is there", slog.String("replica", n.Name))
	}
}

func (e ear) NotifyUpdate(n *memberlist.Node) { e.note(n) }

func (e ear) note(n *memberlist.Node) bool {
	meta, err := decodeMeta(n.Meta)
	if err != nil {
		return false // guard has refused it
	}
	e.g.table.alive(n.Name, meta, time.Now())
	wake(e.g.stir)
	return true
}

func (e ear) NotifyLeave(n *memberlist.Node) {
	e.g.transport.drop(n.Name)
	if how, known := e.g.table.ended(n.Name); known && n.Name != e.g.cfg.Replica {
		e.g.cfg.Logger.Info("a replica is not there any more", slog.String("replica", n.Name), slog.String("state", how.String()))
	}
	wake(e.g.stir)
}

// guard keeps out who does not belong. A merge of what another knows is not
// refused as a whole: it may not have heard yet that somebody was removed, and
// guard leaves that one out.
type guard struct{ g *Gossip }

var errStranger = errors.New("not a replica of this territory")

func (d guard) NotifyAlive(n *memberlist.Node) error {
	if n.Name != d.g.cfg.Replica && !d.g.cfg.Allow(n.Name) {
		return errStranger
	}
	if !n.Addr.Equal(placeOf(n.Name)) {
		return errStranger
	}
	_, err := decodeMeta(n.Meta)
	return err
}
