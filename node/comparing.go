package node

import (
	"sync"
	"time"

	"github.com/bippop/bippop/federation/feed"
)

// freshness is how old a witness's word may be for this replica to sign by it.
const freshness = 10 * time.Minute

// comparison is what witnesses have lately said of the territory's feed, signed and
// with the instant. A disk that was put back cannot tell this replica so; the hubs
// can. So it signs nothing, in each life of the process and each epoch, before as
// many witnesses as the roster asks for have said what they hold, and it holds that
// too. More than half of the witnesses must have said so, and more than half have
// cosigned whatever has settled: one at least knows of it. Safe for concurrent use.
type comparison struct {
	since time.Time // when this process began, in whole seconds as words are dated; what was said before is of before the disk was put back

	mu    sync.Mutex
	said  map[string]statement // by the witness's key
	done  string               // origin of the feed for which enough was said and held
	heard chan struct{}        // closed, and replaced, when it is worth looking again
	vain  bool                 // somebody has waited for the witnesses, and nothing was heard since
}

type statement struct {
	point feed.Checkpoint
	at    time.Time
}

// note takes in what witnesses have signed, if it is fresh and of this life of the
// process: under what one hub says now stand others' signatures of long ago. A
// checkpoint of nothing counts: a witness says that it holds nothing.
func (c *comparison) note(p feed.Policy, point feed.Checkpoint, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.said == nil {
		c.said = map[string]statement{}
	}
	for _, s := range p.Cosignatures(point) {
		if s.At.Before(c.since) || now.Sub(s.At) > freshness || s.At.Sub(now) > freshness || c.said[s.Witness].at.After(s.At) {
			continue
		}
		c.said[s.Witness] = statement{point, s.At}
		c.tell()
	}
}

// tell whoever waits. The lock is held.
func (c *comparison) tell() {
	if c.heard != nil {
		close(c.heard)
	}
	c.heard, c.vain = nil, false
}

// next is closed when it is worth looking again; nil when somebody has waited in vain
// since the witnesses were last heard: one wait is enough.
func (c *comparison) next() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.vain {
		return nil
	}
	if c.heard == nil {
		c.heard = make(chan struct{})
	}
	return c.heard
}

// inVain notes that somebody has waited for a witness and none was heard.
func (c *comparison) inVain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.vain = true
}

// fresh is what the witnesses of a policy have said and that is still fresh.
func (c *comparison) fresh(p feed.Policy, now time.Time) (out []feed.Checkpoint) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range p.Witnesses {
		if s, ok := c.said[w]; ok && s.point.Origin == p.Origin && now.Sub(s.at) <= freshness {
			out = append(out, s.point)
		}
	}
	return out
}

// compared reports whether enough was said of the feed, and calls holds for what
// was: it says whether this replica holds that.
func (c *comparison) compared(p feed.Policy, now time.Time, holds func(feed.Head) error) error {
	c.mu.Lock()
	done := c.done == p.Origin
	c.mu.Unlock()
	if done {
		return nil
	}
	said := c.fresh(p, now)
	if p.Threshold < 1 || len(said) < p.Threshold {
		return errNotCompared
	}
	for _, point := range said {
		if err := holds(point.Head); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done = p.Origin
	c.tell()
	return nil
}

// errNotCompared says that too few witnesses have said lately what they hold.
var errNotCompared = &Error{Kind: Unavailable, Code: "not-compared", After: 60, Reason: "since this machine was started too few hubs have said what they hold of this territory's feed; nothing was noted and nothing has left: try again in a minute; if it stays so, see bippop federation status"}
