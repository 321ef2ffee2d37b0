package node

import (
	"context"
	"errors"
	"log/slog"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/store"
)

// rooting is what a replica does so that it holds the root key in force, and no
// other.
type rooting struct{ *core }

// keep looks whether this replica holds the root in force, has destroyed the
// others, and has said so, until ctx ends. It is woken by each turn of the root.
func (c rooting) keep(ctx context.Context) {
	tick := every(c.cfg.Pace.look)
	defer tick.Stop()
	var said crypto.KeyID
	for {
		held, ok, err := c.keeper.settle()
		switch {
		case err != nil:
			c.cfg.Logger.Error("destroying a former root key", errAttr(err))
		case !ok:
			c.fetch(ctx)
		case held != said && c.sayHeld(ctx, held):
			said = held
		}
		select {
		case <-ctx.Done():
			return
		case <-c.turned:
		case <-tick.C:
		}
	}
}

// hold returns once this replica holds the root in force. It is called with
// the log replayed.
func (c rooting) hold(ctx context.Context) error {
	again := every(c.cfg.Pace.look)
	defer again.Stop()
	for {
		_, ok, err := c.keeper.settle()
		if err != nil || ok {
			return err
		}
		if c.peers == nil || len(c.members.present()) == 1 {
			return errVaultOld
		}
		c.fetch(ctx)
		select {
		case <-ctx.Done():
			return errRootMissing
		case <-c.turned:
		case <-again.C:
		}
		if c.keeper.serving() == nil {
			return nil
		}
	}
}

// errVaultOld: a lone replica has nobody to ask.
var errVaultOld = errors.New("the vault is older than the data: a key was replaced since it was copied; use the newest vault of this replica, or restore from the newest key backup")

// fetch asks the others, one after the other, for the root in force. What is
// in force is what the leader has committed: a replica that lags would fetch back
// a root that it has destroyed.
func (c rooting) fetch(ctx context.Context) {
	if c.peers == nil {
		return
	}
	at, err := askLeader(ctx, c.peers, "/barrier", c.peers.barrier, nothing{})
	if err == nil {
		err = c.replica.Wait(ctx, at.Index)
	}
	missing := c.keeper.missing()
	if err != nil || missing == (crypto.KeyID{}) {
		return
	}
	for _, r := range c.members.present() {
		if r.ID == c.self {
			continue
		}
		answer, err := askAt[rootMessage](ctx, c.peers, r.At.Peer, "/root/missing", keyName{missing})
		if err != nil {
			continue
		}
		key, err := crypto.KeyFromBytes(answer.Key)
		if err == nil && key.ID() == missing {
			err = c.keeper.adopt(key)
		}
		if err == nil {
			err = c.find.again()
		}
		if err != nil {
			c.cfg.Logger.Error("taking the root key from another replica", slog.String("from", r.ID.String()), errAttr(err))
			continue
		}
		return
	}
}

// sayHeld tells the leader, which commits it, and reports whether it is recorded.
func (c rooting) sayHeld(ctx context.Context, held crypto.KeyID) bool {
	if r, ok := c.members.known(c.self); !ok || r.Holds == held {
		return ok
	}
	err := c.noteHeld(ctx, held)
	if err != nil && ctx.Err() == nil {
		c.cfg.Logger.Info("saying that a root key is held", errAttr(err))
	}
	return false // until the record says so
}

func (c rooting) noteHeld(ctx context.Context, held crypto.KeyID) error {
	if c.peers == nil {
		_, err := c.propose(ctx, command.HoldRoot{Stamp: c.own(), Replica: c.self, Root: held})
		return err
	}
	_, err := askLeader(ctx, c.peers, "/holds", c.peers.noteHolds, keyName{held})
	return err
}

// follow looks which root the state hangs on, and again when it was turned
// meanwhile.
func (c rooting) follow() error {
	for was := (crypto.KeyID{}); ; {
		root, err := c.inForce()
		if err != nil || root == was {
			return err
		}
		c.keeper.turned(crypto.KeyID{}, root)
		was = root
	}
}

// inForce is the root key that the machine names, zero before there is one.
func (c rooting) inForce() (id crypto.KeyID, err error) {
	err = c.store.View(func(tx *store.Tx) error {
		top, err := tx.TreeNode(0, 0)
		if errors.Is(err, crypto.ErrNoNode) {
			return nil
		}
		id = top.Parent
		return err
	})
	return id, err
}
