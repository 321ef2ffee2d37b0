package node

import (
	"context"
	"errors"
	"time"

	"github.com/bippop/bippop/federation/feed"
)

const (
	// compareWait is how long somebody who wants to add to the feed waits for the hubs'
	// word after a start or a change of leader: they are asked at once, in a moment.
	compareWait = 5 * time.Second
	// mostAhead is how far this machine's clock may be ahead of every hub's. The hubs
	// take nothing that is dated later than their tomorrow, and what stands in the feed
	// stays: one entry of next week would stop all others for a week.
	mostAhead = time.Hour
)

// errClock says that an entry made now would be dated ahead.
var errClock = &Error{Kind: Unavailable, Code: "clock-ahead", After: 60, Reason: "this machine's clock is more than an hour ahead of every hub's; nothing was noted and nothing has left: set it right, then try again in a minute"}

// speakable reports why nothing may be added to the feed now. A territory that no
// roster names yet may prepare what it will say; to an epoch that the roster has ended
// nothing is added, as it would never be heard. [errNotMember], errClock, [errNotCompared],
// [errHubsAhead], [errContradiction].
func (c *cosigning) speakable() error {
	f, policy, err := c.place()
	if errors.Is(err, errNotMember) {
		if _, ended, fault := (epochs{c.core}).next(f); ended || fault != nil {
			return errors.Join(err, fault)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if host := c.federating.speaker(); host != nil && host.Ahead() > mostAhead {
		return errClock
	}
	return c.comparison.compared(policy, c.now(), func(h feed.Head) error { return c.holds(f, h) })
}

// soonSpeakable is speakable for whoever can wait a moment, at most compareWait. Where
// this replica does not lead nothing is to come.
func (c *cosigning) soonSpeakable(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, compareWait)
	defer cancel()
	for {
		heard := c.comparison.next()
		err := c.speakable()
		e, ok := errors.AsType[*Error](err)
		if host := c.federating.speaker(); ok && e.Code == errClock.Code && host != nil {
			host.Wake() // somebody may have set it since
		}
		if !ok || e.Code != errNotCompared.Code || heard == nil || !c.replica.Leading() {
			return err
		}
		select {
		case <-heard:
		case <-waiting.Done():
			if ctx.Err() == nil {
				c.comparison.inVain()
			}
			return err
		}
	}
}
