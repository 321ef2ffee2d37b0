package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/bippop/bippop/consensus"
	"github.com/bippop/bippop/consensus/mesh"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/event"
	"github.com/bippop/bippop/node/internal/machine"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// Node is one running replica of a territory. It holds the services; each of
// them is safe for concurrent use.
type Node struct {
	Beneficiaries *Beneficiaries
	Volunteers    *Volunteers
	Requests      *Requests
	Series        *Series
	Calls         *Calls
	Offers        *Offers
	Bonds         *Bonds
	Across        *Across
	Catalogue     *Catalogue
	Accounts      *Accounts
	Entrance      *Entrance
	Sessions      *Sessions
	Credentials   *Credentials
	Imports       *Imports
	Figures       *Figures
	Settings      *Settings
	Papers        *Papers
	Find          *Find
	Replicas      *Replicas
	Erasures      *Erasures
	Backups       *Backups
	Federation    *Federation
	Handovers     *Handovers
	Ledger        *Ledger
	Bulletins     *Bulletins
	Nation        *Nation
	Journal       *Journal
	DPO           *DPO

	core    *core
	started time.Time
	cancel  context.CancelFunc // of tasks
	tasks   sync.WaitGroup
}

func storeDir(cfg Config) string { return filepath.Join(cfg.Dir, "store") }
func logDir(cfg Config) string   { return filepath.Join(cfg.Dir, "log") }

// core is what every service stands on.
type core struct {
	*proposer
	opener  opener
	store   *store.Store
	find    *Find
	places  *places
	tallies *tallies
	watch   *watch
	cfg     Config
	health  *health
	replica *consensus.Replica

	self    ReplicaID
	keeper  *keeper
	members *members
	turning sync.Mutex // one change of members or of the root at a time
	peers   *peers     // nil: alone
	turned  chan struct{}
	copies  *copies

	federating *federating
}

// ErrNotFounded says that the data folder holds no territory yet.
var ErrNotFounded = errors.New("there is no territory in this data folder; found one with: bippop init")

// Founded reports whether cfg.Vault exists: then [Open] is to be called, else
// [FoundTerritory].
func Founded(cfg Config) bool {
	_, err := os.Stat(cfg.Vault)
	return err == nil
}

// Open starts the replica in cfg.Dir and returns once everything that was ever
// acknowledged here can be read. Errors are for the operator: wrong key, damage,
// folder in use.
func Open(ctx context.Context, cfg Config) (*Node, error) {
	if !Founded(cfg) {
		return nil, ErrNotFounded
	}
	vault, err := crypto.LoadVault(cfg.Vault, cfg.Unseal)
	if err != nil {
		return nil, err
	}
	cfg.joining = true // whatever there is to found was founded
	if err := lostData(cfg); err != nil {
		return nil, err
	}
	n, err := open(ctx, cfg, vault)
	if err != nil {
		return nil, err
	}
	if _, err := n.Settings.Territory(); err != nil {
		n.Close()
		return nil, errors.New("the founding of this territory was interrupted: remove its vault and data folder and run bippop init again")
	}
	return n, nil
}

// joinedMark lies in the data folder of a replica that has joined. The data comes
// from the others, so an empty folder is right then, and only then.
const joinedMark = "joined"

// ErrLostData says that a replica's vault is there and its data is not. Under its
// old name it must not come back: it has forgotten what it promised.
var ErrLostData = errors.New("the vault of this replica is there, but its data folder is empty: with other replicas alive, remove this one (bippop replicas remove) and let the machine join anew with another vault; alone, restore from a backup")

func lostData(cfg Config) error {
	if _, err := os.Stat(filepath.Join(cfg.Dir, joinedMark)); err == nil {
		return nil
	}
	_, err := os.Stat(logDir(cfg))
	if errors.Is(err, os.ErrNotExist) {
		return ErrLostData
	}
	return err
}

func open(ctx context.Context, cfg Config, vault crypto.Vault) (_ *Node, err error) {
	if err := cfg.withDefaults(); err != nil {
		return nil, err
	}
	if inside(cfg.Vault, cfg.Dir) {
		return nil, errors.New("config: the vault lies inside the data folder; a copy of the data would carry its keys")
	}
	if cfg.Unsealing != ByPeers { // its operator may have chosen otherwise before
		if err := newLending(cfg.Vault).spoil(); err != nil {
			return nil, wrap("taking away what the other replicas could open", err)
		}
	}
	st, err := store.Open(store.Config{
		Dir: storeDir(cfg), Values: vault.Node.Values, Skin: vault.Node.Skin,
		Dump: vault.Shared.Domain.Derive("dump"), Logger: cfg.Logger,
	})
	if err != nil {
		return nil, err
	}
	c, err := newCore(cfg, vault, st)
	if err == nil {
		err = c.start(ctx, vault)
	}
	if err != nil {
		c.stop()
		return nil, errors.Join(err, st.Close())
	}
	notes, err := openNoting(c)
	if err != nil {
		return nil, errors.Join(err, c.stop(), st.Close())
	}
	return c.node(notes), nil
}

// newCore joins the parts that need no other replica.
func newCore(cfg Config, vault crypto.Vault, st *store.Store) (*core, error) {
	ring := crypto.NewKeyring(vault.Territory, vault.Roots.Current, treeOf{st})
	h := &health{dir: cfg.Dir, minFree: cfg.MinFree, now: cfg.Now}
	lending := newLending(cfg.Vault)
	k := &keeper{path: cfg.Vault, unseal: cfg.Unseal, ring: ring, logger: cfg.Logger, vault: vault, saving: lending.spoil, saved: lending.saved}
	c := &core{
		store: st, cfg: cfg, health: h, opener: opener{ring, k, vault.Territory}, places: newPlaces(), tallies: newTallies(), watch: newWatch(),
		keeper: k, turned: make(chan struct{}, 1),
	}
	c.find, c.copies = newFind(c), newCopies(c)
	c.proposer = &proposer{
		ring: ring, store: st, siren: vault.Territory, staff: vault.Shared.Domain, digests: vault.Shared.Domain.Derive("idempotency"), now: cfg.Now, health: h, tell: cfg.Wrote,
	}
	h.root = c.keeper
	self, err := parseReplica(vault.Replica)
	if err != nil {
		return c, err
	}
	c.self = self
	if err := currentViews(st); err != nil {
		return c, err
	}
	if c.members, err = newMembers(st, self); err != nil {
		return c, err
	}
	c.proposer.members = c.members
	c.federating = newFederating(c)
	c.proposer.speakable = c.federating.cosigning.soonSpeakable
	if cfg.Peering.Listener != nil {
		c.peers, err = newPeers(c, lending)
	}
	return c, err
}

// start replays what the log has, takes part, and returns once reads are current.
func (c *core) start(ctx context.Context, vault crypto.Vault) error {
	if err := (rooting{c}).follow(); err != nil {
		return err
	}
	var network consensus.Network
	if c.peers != nil {
		network = c.peers.mesh.Network(raftStreams)
	}
	replica, err := consensus.Open(ctx, consensus.Config{
		Dir: logDir(c.cfg), ID: vault.Replica, LogKey: vault.Node.Log, Network: network, Joining: c.cfg.joining && network != nil, Tuning: c.cfg.Tuning,
		Machine: replicated{machine.New(c.store, c.after), c.store, c}, Logger: c.cfg.Logger, OnFault: func(err error) {
			c.cfg.Logger.Error("the log has failed; the node must be started again", errAttr(err))
			c.health.note(err)
			if c.cfg.OnFault != nil {
				c.cfg.OnFault(err)
			}
		},
	})
	if err != nil {
		return err
	}
	c.replica, c.proposer.replica = replica, replica
	if c.peers != nil {
		if err := c.peers.serve(); err != nil {
			return err
		}
	}
	if err := (belonging{c}).meanwhile(ctx, rooting{c}.catchUp); err != nil {
		return err
	}
	return errors.Join(c.find.load(), c.refresh())
}

// catchUp returns once all that the others have committed is here, and the root
// in force.
func (c rooting) catchUp(ctx context.Context) error {
	if err := errors.Join(c.replica.Ready(ctx), c.draw(ctx)); err != nil {
		return err
	}
	if err := c.follow(); err != nil {
		return err
	}
	return c.hold(ctx)
}

// draw waits for what the leader had applied when it was asked: a replica that has
// just joined is ready with the first entries, and would serve a part of the
// territory. A leader that does not answer is no reason to serve nothing.
func (c rooting) draw(ctx context.Context) error {
	if c.peers == nil {
		return nil
	}
	at, err := askLeader(ctx, c.peers, "/barrier", c.peers.barrier, nothing{})
	if err != nil {
		c.cfg.Logger.Info("the leader does not say how far it is", errAttr(err))
		return ctx.Err()
	}
	return c.replica.Wait(ctx, at.Index)
}

// stop ends what start has begun, in the opposite order.
func (c *core) stop() error {
	var errs []error
	if c.peers != nil {
		c.peers.leave()
	}
	if c.replica != nil {
		errs = append(errs, c.replica.Close())
	}
	if c.peers != nil {
		errs = append(errs, c.peers.close())
	} else if c.cfg.Peering.Listener != nil {
		errs = append(errs, c.cfg.Peering.Listener.Close())
	}
	return errors.Join(errs...)
}

func (c *core) node(notes *noting) *Node {
	entrance := newEntrance(c)
	n := &Node{core: c, started: c.now(), Find: c.find,
		Beneficiaries: &Beneficiaries{c}, Volunteers: &Volunteers{c}, Requests: &Requests{c}, Series: &Series{c}, Calls: &Calls{c},
		Offers: &Offers{c}, Bonds: &Bonds{c},
		Catalogue: &Catalogue{c}, Accounts: &Accounts{gate{c}, entrance}, Entrance: entrance, Sessions: &Sessions{gate: gate{c}}, Credentials: &Credentials{gate{c}}, Imports: &Imports{c}, Figures: &Figures{c, &Quarters{core: c}}, Settings: &Settings{c}, Papers: &Papers{c},
		Replicas: &Replicas{c}, Erasures: &Erasures{c}, Backups: &Backups{c}, Federation: &Federation{c}, Handovers: &Handovers{c}, Ledger: newLedger(c),
		Across:    &Across{c, &hearsay{}, listedOffices{c.federating.rosters}},
		Bulletins: &Bulletins{c}, Nation: newNation(c), Journal: newJournal(c, notes),
		DPO: &DPO{&Cases{c}, &Retention{c}, &Books{c}, &Texts{c}, &Breaches{c}},
	}
	c.federating.listen(n.Across.hearsay)
	c.federating.listen(n.Nation)
	receipts := newReceipts(n.Handovers)
	c.federating.listen(c.federating.ear)
	c.federating.listen(receipts)
	ctx, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	for _, task := range []func(context.Context){
		n.sweep, rooting{c}.keep, unlocking{c}.keep, (&steering{core: c}).steer, c.copies.keep, (&upkeep{core: c}).keep, (&speaking{core: c}).keep, c.federating.ear.keep, receipts.keep, notes.keep,
	} {
		n.tasks.Go(func() { task(ctx) })
	}
	return n
}

// Close stops the node and waits. It can be opened again at once.
func (n *Node) Close() error {
	n.Dismiss()
	n.cancel()
	n.tasks.Wait()
	return errors.Join(n.Journal.notes.file.close(), n.core.stop(), n.core.store.Close())
}

// Index is the index of the last write that reads see here.
func (n *Node) Index() uint64 { return n.core.replica.Applied() }

// Await returns once reads here see the write at index.
func (n *Node) Await(ctx context.Context, index uint64) error {
	return explain(n.core.replica.Wait(ctx, index))
}

// Fresh returns once reads here see every write acknowledged before the call, by
// whatever replica.
func (n *Node) Fresh(ctx context.Context) error { return fresh(ctx, n.core) }

func fresh(ctx context.Context, c *core) error {
	if c.peers == nil {
		_, err := c.replica.Barrier(ctx)
		return explain(err)
	}
	at, err := askLeader(ctx, c.peers, "/barrier", c.peers.barrier, nothing{})
	if errors.Is(err, mesh.ErrUnreachable) {
		return errLeader
	}
	if err != nil {
		return explain(err)
	}
	return explain(c.replica.Wait(ctx, at.Index))
}

// recognitionLimit bounds how long a token that is not known here is looked for.
const recognitionLimit = 2 * time.Second

// Recognise is [Accounts.Session], asked again once this replica has caught up: who
// signed in a moment ago, through another one, is not signed out here.
func (n *Node) Recognise(ctx context.Context, token Secret) (Caller, error) {
	c, err := n.Accounts.Session(token)
	if err == nil {
		n.Sessions.use(ctx, c)
	}
	if e, ok := errors.AsType[*Error](err); !ok || e.Kind != SignIn || token.Empty() || n.Alone() || n.Leading() {
		return c, err
	}
	ctx, cancel := context.WithTimeout(ctx, recognitionLimit)
	defer cancel()
	if n.Fresh(ctx) != nil {
		return c, err
	}
	return n.Accounts.Session(token)
}

// Serving reports why the node serves nothing, or nil.
func (n *Node) Serving() error { return n.core.health.readable() }

// Writable reports why the node writes nothing, or nil.
func (n *Node) Writable() error { return n.core.health.writable() }

// Now is the node's clock in the territory's zone.
func (n *Node) Now() time.Time { return n.core.now().In(n.core.zone()) }

// after brings what is kept in memory up to date with an entry. A turn of the
// root comes first: nothing opens without it.
func (c *core) after(index uint64, events []event.Event) {
	for _, e := range events {
		if e, ok := e.(event.Rotated); ok {
			c.keeper.turned(e.From, e.To)
			select {
			case c.turned <- struct{}{}:
			default:
			}
		}
	}
	for _, e := range events {
		switch e := e.(type) {
		case event.BeneficiaryChanged:
			c.find.beneficiary(e.ID)
		case event.VolunteerChanged:
			c.find.volunteer(e.ID)
		case event.ImportClosed:
			c.find.imported(e.ID)
		case event.Forgotten:
			c.find.forgotten(e)
		case event.Counted:
			c.tallies.counted(index, e)
		case event.SettingsChanged:
			c.places.forget()
		case event.ReplicaChanged:
			c.learnMembers()
		case event.Rotated, event.ErasureChanged, event.DestinationChanged:
			c.copies.look()
		case event.FeedChanged, event.RosterChanged:
			c.federating.note(e)
		case event.RequestChanged, event.PersonReached, event.OfferChanged, event.BulletinCame:
		}
	}
	c.watch.note(index, events)
}

// learnMembers follows a change of the replicas' records. Streams of one that was
// removed end with it.
func (c *core) learnMembers() {
	gone, err := c.members.learn()
	c.health.note(err)
	if c.members.removed() {
		c.health.removed.Store(true)
	}
	if c.peers == nil {
		return
	}
	for _, id := range gone {
		c.peers.mesh.Drop(id.String())
		c.peers.locks.forget(id)
	}
	c.peers.others.Store(true)
}

// view runs f over one state, as the caller may see it, and notes damage. Of records
// beyond the caller's reach f finds none.
func (c *core) view(by Caller, f func(*store.Tx) error) error {
	if err := c.health.readable(); err != nil {
		return err
	}
	err := c.store.View(func(tx *store.Tx) error {
		sees, err := by.sight(tx)
		if err != nil {
			return err
		}
		if sees != nil {
			store.Through(tx, sees)
		}
		return f(tx)
	})
	c.health.note(err)
	return explain(err)
}

// replicated is the machine as consensus drives it.
type replicated struct {
	*machine.Machine
	*store.Store
	core *core
}

// Load replaces the state, and then what is kept in memory of it.
func (r replicated) Load(in io.Reader) error {
	if err := r.Store.Load(in); err != nil {
		return err
	}
	c := r.core
	c.places.forget()
	c.tallies.forget()
	c.learnMembers()
	c.federating.note(event.RosterChanged{})
	c.federating.note(event.FeedChanged{})
	if err := (rooting{c}).follow(); err != nil {
		return err
	}
	return errors.Join(c.find.again(), c.refresh())
}

// treeOf reads nodes of the key tree, each in its own transaction.
type treeOf struct{ *store.Store }

func (t treeOf) TreeNode(level uint8, index uint32) (n crypto.TreeNode, err error) {
	err = t.View(func(tx *store.Tx) (err error) {
		n, err = tx.TreeNode(level, index)
		return err
	})
	return n, err
}

func (t treeOf) TreeLeaf(slot uint32) (l crypto.Leaf, err error) {
	err = t.View(func(tx *store.Tx) (err error) {
		l, err = tx.TreeLeaf(slot)
		return err
	})
	return l, err
}

// currentViews makes the views again when this program keeps them otherwise than
// the one that wrote the store.
func currentViews(st *store.Store) error {
	var version, applied uint64
	err := st.View(func(tx *store.Tx) (err error) {
		if applied, err = tx.Meta("applied"); err == nil {
			version, err = tx.Meta("views")
		}
		return err
	})
	if err != nil || applied == 0 || version == view.Version {
		return err
	}
	return view.Rebuild(st)
}

// inside reports whether path lies below dir.
func inside(path, dir string) bool {
	p, err1 := filepath.Abs(path)
	d, err2 := filepath.Abs(dir)
	return err1 == nil && err2 == nil && strings.HasPrefix(p, d+string(filepath.Separator))
}

func wrap(doing string, err error) error { return fmt.Errorf("%s: %w", doing, err) }
