package node

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/bippop/bippop/consensus/mesh"
)

// A replica that is removed seldom learns it from the log: the others end its
// streams with the very entry that removes it. So whoever hears of no leader asks
// the others, and believes the first that turns it away: that one has shown the
// territory's certificate, IDs are never used again, and nobody's record of a
// removal is taken back.

// belonging is what a replica knows of its own place among the others.
type belonging struct{ *core }

// turnedAwayPatience is how long the others are asked, all together.
const turnedAwayPatience = time.Second

// leftOut finds out whether this replica was removed, remembers it, and says so.
func (c belonging) leftOut(ctx context.Context) bool {
	if c.health.removed.Load() {
		return true
	}
	out := c.members.removed()
	if _, leader := c.replica.Leader(); !out && leader == "" && c.peers != nil {
		out = c.peers.turnedAway(ctx)
	}
	if out {
		c.cfg.Logger.Error("this replica was removed from the territory, and serves nothing any more: stop it, and destroy its vault")
		c.health.removed.Store(true)
	}
	return out
}

// turnedAway reports whether another replica says that this one does not belong.
func (p *peers) turnedAway(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, turnedAwayPatience)
	defer cancel()
	said := make(chan struct{}, 1)
	var all sync.WaitGroup
	for _, r := range p.core.members.present() {
		if r.ID == p.core.self {
			continue
		}
		all.Go(func() {
			if _, err := askAt[indexMessage](ctx, p, r.At.Peer, "/barrier", nothing{}); errors.Is(err, mesh.ErrTurnedAway) {
				select {
				case said <- struct{}{}:
				default:
				}
			}
		})
	}
	all.Wait()
	return len(said) > 0
}

// meanwhile runs f, and ends it when this replica turns out to be removed: nobody
// would ever let it catch up. While f waits, whoever leads is told the address of
// a replica that moved: it hears nothing before.
func (c belonging) meanwhile(ctx context.Context, f func(context.Context) error) error {
	if c.peers == nil {
		return f(ctx)
	}
	ctx, stop := context.WithCancelCause(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		tick := every(c.cfg.Pace.look)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if c.leftOut(ctx) {
				stop(errTakenOut)
				return
			}
			if c.replica.Moved() {
				c.tellMoved(ctx)
			}
		}
	})
	err := f(ctx)
	stop(nil)
	watch.Wait()
	if errors.Is(context.Cause(ctx), errTakenOut) {
		return errTakenOut
	}
	return err
}

// tellMoved tells every other replica where this one is now: it does not know who
// leads, and whoever leads commits it.
func (c belonging) tellMoved(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, turnedAwayPatience)
	defer cancel()
	here := (&steering{core: c.core}).whereabouts()
	for _, r := range c.members.present() {
		if r.ID == c.self {
			continue
		}
		if _, err := askAt[nothing](ctx, c.peers, r.At.Peer, "/moved", here); err == nil {
			return
		}
	}
}
