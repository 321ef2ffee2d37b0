package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/bippop/bippop/consensus"
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
	Catalogue     *Catalogue
	Accounts      *Accounts
	Imports       *Imports
	Figures       *Figures
	Settings      *Settings
	Papers        *Papers
	Find          *Find
	Replicas      *Replicas
	Erasures      *Erasures
	Backups       *Backups

	core    *core
	replica *consensus.Replica
	started time.Time
	sweeper context.CancelFunc
	swept   chan struct{}
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

func open(ctx context.Context, cfg Config, vault crypto.Vault) (_ *Node, err error) {
	if err := cfg.withDefaults(); err != nil {
		return nil, err
	}
	if inside(cfg.Vault, cfg.Dir) {
		return nil, errors.New("config: the vault lies inside the data folder; a copy of the data would carry its keys")
	}
	st, err := store.Open(store.Config{
		Dir: storeDir(cfg), Values: vault.Node.Values, Skin: vault.Node.Skin,
		Dump: vault.Shared.Domain.Derive("dump"), Logger: cfg.Logger,
	})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			st.Close()
		}
	}()
	ring := crypto.NewKeyring(vault.Territory, vault.Roots.Current, treeOf{st})
	h := &health{dir: cfg.Dir, minFree: cfg.MinFree, now: cfg.Now}
	c := &core{store: st, cfg: cfg, health: h, opener: opener{ring, vault.Territory}, places: newPlaces(), tallies: newTallies(), watch: newWatch()}
	c.find = newFind(c)
	c.proposer = &proposer{ring: ring, store: st, siren: vault.Territory, staff: vault.Shared.Domain, now: cfg.Now, health: h, tell: cfg.Wrote}
	if err := currentViews(st); err != nil {
		return nil, err
	}
	if err := c.find.load(); err != nil {
		return nil, err
	}
	blind := machine.New(st, c.after)
	replica, err := consensus.Open(ctx, consensus.Config{
		Dir: logDir(cfg), ID: vault.Replica, LogKey: vault.Node.Log,
		Machine: replicated{blind, st, c}, Logger: cfg.Logger, OnFault: func(err error) {
			cfg.Logger.Error("the log has failed; the node must be started again", errAttr(err))
			h.note(err)
		},
	})
	if err != nil {
		return nil, err
	}
	c.replica, c.proposer.replica = replica, replica
	if err = replica.Ready(ctx); err == nil {
		err = c.refresh()
	}
	if err != nil {
		replica.Close()
		return nil, err
	}
	n := c.node(replica)
	return n, nil
}

func (c *core) node(replica *consensus.Replica) *Node {
	n := &Node{core: c, replica: replica, started: c.now(), Find: c.find,
		Beneficiaries: &Beneficiaries{c}, Volunteers: &Volunteers{c}, Requests: &Requests{c}, Series: &Series{c}, Calls: &Calls{c},
		Offers: &Offers{c}, Bonds: &Bonds{c},
		Catalogue: &Catalogue{c}, Accounts: newAccounts(c), Imports: &Imports{c}, Figures: &Figures{c}, Settings: &Settings{c}, Papers: &Papers{c}, Replicas: &Replicas{c}, Erasures: &Erasures{c}, Backups: &Backups{c},
	}
	ctx, cancel := context.WithCancel(context.Background())
	n.sweeper, n.swept = cancel, make(chan struct{})
	go n.sweep(ctx)
	return n
}

// Close stops the node and waits. It can be opened again at once.
func (n *Node) Close() error {
	n.Dismiss()
	n.sweeper()
	<-n.swept
	return errors.Join(n.replica.Close(), n.core.store.Close())
}

// Index is the index of the last write that reads see here.
func (n *Node) Index() uint64 { return n.replica.Applied() }

// Await returns once reads here see the write at index.
func (n *Node) Await(ctx context.Context, index uint64) error {
	return explain(n.replica.Wait(ctx, index))
}

// Fresh returns once reads here see every write acknowledged before the call, by
// whatever replica.
func (n *Node) Fresh(ctx context.Context) error {
	_, err := n.replica.Barrier(ctx)
	return explain(err)
}

// Serving reports why the node serves nothing, or nil.
func (n *Node) Serving() error { return n.core.health.readable() }

// Writable reports why the node writes nothing, or nil.
func (n *Node) Writable() error { return n.core.health.writable() }

// Now is the node's clock in the territory's zone.
func (n *Node) Now() time.Time { return n.core.now().In(n.core.zone()) }

// after brings what is kept in memory up to date with an entry.
func (c *core) after(index uint64, events []event.Event) {
	for _, e := range events {
		switch e := e.(type) {
		case event.BeneficiaryChanged:
			c.find.beneficiary(e.ID)
		case event.VolunteerChanged:
			c.find.volunteer(e.ID)
		case event.ImportClosed:
			c.find.imported(e.ID)
		case event.Counted:
			c.tallies.counted(index, e)
		case event.SettingsChanged:
			c.places.forget()
		case event.RequestChanged, event.PersonReached, event.OfferChanged:
		}
	}
	c.watch.note(index, events)
}

// view runs f over one state and notes damage.
func (c *core) view(f func(*store.Tx) error) error {
	if err := c.health.readable(); err != nil {
		return err
	}
	err := c.store.View(f)
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
	r.core.places.forget()
	r.core.tallies.forget()
	return errors.Join(r.core.find.load(), r.core.refresh())
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
