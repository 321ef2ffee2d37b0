package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/bippop/bippop/consensus/mesh"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/erasure"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/rotation"
	"github.com/bippop/bippop/node/internal/store"
)

// handoverPatience is how long a leader waits for replicas that are up but slow;
// a quorum is enough, and the others fetch the root later.
const handoverPatience = 2 * time.Second

// turnRetries bounds the attempts while people are enrolled at the same time.
const turnRetries = 10

var errNoHandover = &Error{Kind: Unavailable, Code: "no-quorum", Reason: "the new key could not be handed to a majority of the replicas: nothing was erased; try again when they are up"}

// turn replaces the root key, and forgets who. Each attempt draws a key of its
// own: the command of one that was refused stays in logs and wraps people who
// stay, so its key must not come into force with another command.
func (c rooting) turn(ctx context.Context, stamp command.Stamp, who []erasure.Erased, closings []command.Closing) (Receipt, error) {
	c.turning.Lock() // no change of members meanwhile
	defer c.turning.Unlock()
	for range turnRetries {
		receipt, err := c.turnOnce(ctx, stamp, who, closings)
		var no refusal
		if !errors.As(err, &no) || no.reason != refuse.StaleTree {
			return finish(receipt, err)
		}
	}
	return Receipt{}, refused(refuse.StaleTree, RequestID{})
}

func (c rooting) turnOnce(ctx context.Context, stamp command.Stamp, who []erasure.Erased, closings []command.Closing) (Receipt, error) {
	// What was proposed before, by whatever leader, is applied now.
	if _, err := c.replica.Barrier(ctx); err != nil {
		return Receipt{}, err
	}
	from := c.ring.Root()
	if err := c.keeper.serving(); err != nil {
		return Receipt{}, err
	}
	to := crypto.NewKey()
	holders, err := c.handOver(ctx, to, from)
	if err != nil {
		return Receipt{}, err
	}
	handed := systemClock()
	var slots []uint32
	for _, w := range who {
		slots = append(slots, w.Slot)
	}
	e := command.Erase{Stamp: stamp, ID: newID[ident.Erasure](), Who: who, Holders: holders, Closings: closings}
	err = c.store.View(func(tx *store.Tx) (err error) {
		e.Rewrap, err = c.ring.Over(tx).Forget(slots, to)
		return err
	})
	if err != nil {
		return Receipt{}, fmt.Errorf("computing the new key tree: %w", err)
	}
	receipt, err := c.do(ctx, e)
	if err == nil {
		c.cfg.Logger.Info("the root key is replaced", slog.Int("erased", len(who)), slog.Int("holders", len(holders)), slog.Duration("committing", systemClock().Sub(handed)))
	}
	return receipt, err
}

// handOver gives a candidate to every replica, and returns who has it on disk:
// this one, and a majority at least.
func (c rooting) handOver(ctx context.Context, to crypto.Key, from crypto.KeyID) ([]ReplicaID, error) {
	if err := c.keeper.offer(to, from); err != nil {
		return nil, err
	}
	holders, index := []ReplicaID{c.self}, c.replica.Applied()
	if c.peers != nil {
		ctx, cancel := context.WithTimeout(ctx, handoverPatience)
		defer cancel()
		var mu sync.Mutex // guards holders
		var all sync.WaitGroup
		for _, r := range c.members.present() {
			if r.ID == c.self {
				continue
			}
			all.Go(func() {
				holder, err := askAt[holderMessage](ctx, c.peers, r.At.Peer, "/root", rootMessage{Key: to.Reveal(), From: from, Index: index})
				if err == nil && holder.Replica != r.ID {
					err = mesh.ErrOtherReplica
				}
				if err != nil {
					c.cfg.Logger.Warn("handing a key over", slog.String("replica", r.ID.String()), errAttr(err))
					return
				}
				mu.Lock()
				defer mu.Unlock()
				holders = append(holders, r.ID)
			})
		}
		all.Wait()
	}
	if !rotation.Quorum(c.voters(), holders) {
		return nil, errNoHandover
	}
	return holders, nil
}

// voters are the replicas whose majority decides.
func (c rooting) voters() []ReplicaID {
	var out []ReplicaID
	members, _ := c.replica.Members()
	for _, m := range members {
		if id, err := parseReplica(m.ID); err == nil && m.Voter {
			out = append(out, id)
		}
	}
	return out
}
