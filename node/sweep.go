package node

import (
	"context"
	"time"

	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/when"
)

// Nothing expires by itself: the leader's ticker proposes, the machine re-checks.
const (
	usualSweep = 10 * time.Minute
	// replayLife is how long an Idempotency-Key is remembered. A phone without
	// network sends its outbox within days.
	replayLife = 14 * 24 * time.Hour
)

func (n *Node) sweep(ctx context.Context) {
	tick := every(n.core.cfg.Pace.Sweep)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if !n.Leading() {
				continue
			}
			p := n.core.proposer
			now := p.clock()
			_, err := p.propose(ctx, command.Sweep{Stamp: p.own(), Sessions: now, Replays: now - when.At(replayLife.Milliseconds())})
			if err != nil && ctx.Err() == nil {
				n.core.cfg.Logger.Warn("sweeping", errAttr(err))
			}
			for _, chore := range []struct {
				of string
				do func(context.Context) error
			}{
				{"recurring", n.Series.recurAll},
				{"erasing whoever is wanted", n.Erasures.due},
				{"releasing a quarter", n.Figures.Quarters.due},
				{"saying that the territory is there", n.core.presence},
				{"help across borders", crossingsDue{n.Across}.propose},
				{"closing offers", n.Offers.pass},
				{"signing the journal's head", n.Journal.heads.due},
				{"letting go of the journal after a year", journaling{n.core}.due},
				{"counting sign-ins that failed", n.Entrance.count},
			} {
				if err := chore.do(ctx); err != nil && ctx.Err() == nil {
					n.core.cfg.Logger.Warn(chore.of, errAttr(err))
				}
			}
		}
	}
}

// every ticks by the machine's own clock, for what looks again now and then.
func every(d time.Duration) *time.Ticker { return time.NewTicker(d) }
