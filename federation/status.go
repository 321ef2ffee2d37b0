package federation

import (
	"time"

	"github.com/bippop/bippop/federation/public"
)

// Status is what the operator and the pages read.
type Status struct {
	Peer     string
	Hub      bool
	Roster   uint64     // version; 0: none is known
	Expires  public.Day // of the roster
	Expired  bool       // nothing is pushed or accepted until a newer one is known
	Fresh    time.Time  // when a witness last said that the roster is the newest; zero: never
	Stale    bool       // for 7 days nobody has
	Frozen   bool       // for 30: neighbours' feeds are no longer pulled
	Size     int64      // of the own feed, when it was last looked at
	Settled  int64      // of it: enough hubs have cosigned so much
	Trouble  string     // why the last round failed; empty: it did not
	Mute     bool       // in the last round too few of our own replicas had signed
	Hubs     []HubStatus
	Feeds    []FeedStatus
	Callers  int      // a hub: who has said HELLO and is connected
	Answers  int64    // a hub: requests that were let in, in this run
	Forked   []string // a hub: feeds that are frozen, "SIREN-EPOCH"
	ClockOff bool     // a hub's clock and ours are more than five minutes apart
}

// HubStatus is one hub as this node sees it.
type HubStatus struct {
	Name     string
	Operator string
	Peer     string
	Witness  bool
	Tried    time.Time // last; zero: never in this run
	Reached  time.Time // last time that it answered HELLO
	Trip     time.Duration
	Ahead    time.Duration // of its clock before ours
	Size     int64         // of the own feed there
	Refusal  string        // why the last call failed; empty: it did not
	Next     time.Time     // not called before; zero: when it is due
}

// FeedStatus is one feed that this node holds.
type FeedStatus struct {
	Siren   public.Siren
	Epoch   uint16
	Size    int64
	Arrived time.Time     // of the newest entries; zero: before this start
	Delay   time.Duration // from the first witness's signature to us, of these
}

// clockAlarm is how far apart two clocks may be before the operator is told.
const clockAlarm = 5 * time.Minute

// measuredTogether is how far apart hubs were reached whose clocks are set against ours
// together: one that was reached earlier was so by another clock of ours, maybe.
const measuredTogether = time.Minute

// Ahead is by how much our clock is at least ahead of the clock of every hub that was
// reached last; 0 when it is ahead of none, or none was reached.
func (h *Host) Ahead() (least time.Duration) {
	h.leaf.mu.Lock()
	defer h.leaf.mu.Unlock()
	var newest time.Time
	for _, c := range h.leaf.hubs {
		if c.reached.After(newest) {
			newest = c.reached
		}
	}
	first := true
	for _, c := range h.leaf.hubs {
		if !c.reached.IsZero() && newest.Sub(c.reached) <= measuredTogether && (first || -c.ahead < least) {
			least, first = -c.ahead, false
		}
	}
	return max(0, least)
}

// Status of the host now.
func (h *Host) Status() Status {
	out := Status{Peer: h.id.String(), Hub: h.hub != nil}
	now := h.now()
	s := h.roster()
	hubs := h.cfg.Invited
	if s != nil {
		out.Roster, out.Expires, out.Expired = s.Version, s.Expires, h.expired(s)
		out.Fresh = h.fresh.since(s, now)
		out.Stale, out.Frozen = now.Sub(out.Fresh) > staleAfter, now.Sub(out.Fresh) > frozenAt
		hubs = s.Hubs
	}
	h.leaf.mu.Lock()
	out.Size, out.Settled, out.Trouble, out.Mute = h.leaf.size, h.leaf.settled, h.leaf.trouble, h.leaf.mute
	for _, hub := range hubs {
		if hub.Peer == out.Peer {
			continue
		}
		line := HubStatus{Name: hub.Name, Operator: hub.Operator, Peer: hub.Peer, Witness: hub.Witness}
		if c, ok := h.leaf.hubs[hub.Peer]; ok {
			line.Tried, line.Reached, line.Trip, line.Ahead = c.tried, c.reached, c.trip, c.ahead
			line.Size, line.Refusal, line.Next = c.size, c.refusal, c.until
			out.ClockOff = out.ClockOff || c.ahead.Abs() > clockAlarm
		}
		out.Hubs = append(out.Hubs, line)
	}
	h.leaf.mu.Unlock()
	for _, f := range h.copies.list() {
		f.mu.Lock()
		out.Feeds = append(out.Feeds, FeedStatus{f.key.siren, f.key.epoch, f.copy.Head().Size, f.arrived, f.delay})
		f.mu.Unlock()
	}
	if h.hub != nil {
		h.hub.mu.Lock()
		out.Callers = len(h.hub.speaks)
		h.hub.mu.Unlock()
		out.Answers = h.hub.answers.Load()
		out.Forked = h.hub.proofs.list()
	}
	return out
}
