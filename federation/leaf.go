package federation

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

const (
	pullEvery        = 15 * time.Minute
	coordinatorEvery = 5 * time.Minute
	firstPullWithin  = 2 * time.Minute // after a start, so that a nation that starts at once does not pull at once
	settleWithin     = 2 * time.Minute // before a head that too few hubs have cosigned is taken to another one
	leastBackoff     = 5 * time.Second
	mostBackoff      = 30 * time.Minute
	revokedBackoff   = 24 * time.Hour
	muteAgain        = 30 * time.Second // before our own replicas, too few of which have signed, are asked again
	dialWithin       = 30 * time.Second
	otherHubEvery    = 8 // rounds: then another hub than the home is asked first, so that none can hide anything for long
)

// leaf calls the hubs. Safe for concurrent use.
type leaf struct {
	h     *Host
	woken chan struct{}
	turn  chan struct{} // held by the round that goes on
	pulls time.Duration
	since time.Time // when the host was opened, in whole seconds as signatures are dated

	mu      sync.Mutex
	hubs    map[string]*contact // by peer
	rounds  int
	pending []evidenceAsk // forks to show
	size    int64         // of the own feed
	settled int64         // of the own feed: at this size enough hubs had cosigned
	overdue time.Time     // when a head that does not settle goes to another hub
	mute    bool          // in the last round our own replicas did not sign
	trouble string
}

// contact is what is known of one hub, in this run.
type contact struct {
	compared bool // what it knows of the own feed was compared with it
	fails    int
	until    time.Time // not called before
	tried    time.Time
	reached  time.Time
	trip     time.Duration
	ahead    time.Duration // of its clock before ours
	size     int64         // of the own feed there
	refusal  string
	shown    map[feedKey]bool
	conn     network.Conn // on which a hub has let this hub in last
}

func newLeaf(h *Host) *leaf {
	l := &leaf{h: h, woken: make(chan struct{}, 1), turn: make(chan struct{}, 1), hubs: map[string]*contact{}, pulls: h.cfg.PullEvery, since: h.now().Truncate(time.Second)}
	if h.hub != nil {
		l.pulls = h.cfg.SyncEvery
	} else if l.pulls <= 0 {
		l.pulls = pullEvery
		if s := h.roster(); s != nil {
			if m, ok := s.Member(h.cfg.Siren); ok && m.Role == roster.Coordinator {
				l.pulls = coordinatorEvery
			}
		}
	}
	l.wake()
	return l
}

func (l *leaf) wake() {
	select {
	case l.woken <- struct{}{}:
	default:
	}
}

// rosterChanged lets what waited for a name on the roster go on, and a node that has
// known no hub so far, as the one that has just founded a federation, call one at once.
func (l *leaf) rosterChanged() {
	l.h.out.wake()
	l.mu.Lock()
	called := len(l.hubs) > 0
	l.mu.Unlock()
	if !called {
		l.wake()
	}
}

// show a fork to the hubs.
func (l *leaf) show(a evidenceAsk) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.ContainsFunc(l.pending, func(b evidenceAsk) bool { return a.Siren == b.Siren && a.Epoch == b.Epoch }) {
		l.pending = append(l.pending, a)
	}
}

// run calls the hubs until the host is closed: at once to push, then as often as it
// is due, and after a failure when a hub may be called again.
func (l *leaf) run() {
	due := time.Now().Add(rand.N(min(firstPullWithin, l.pulls)))
	next := time.NewTimer(time.Until(due))
	defer next.Stop()
	for {
		select {
		case <-l.h.ctx.Done():
			return
		case <-l.woken:
		case <-next.C:
		}
		full := !time.Now().Before(due)
		reached, _ := l.round(l.h.ctx, full, false)
		if reached && full {
			due = time.Now().Add(spread(l.pulls))
		}
		next.Reset(max(0, l.wait(reached, time.Until(due))))
	}
}

// wait until the next round: one that reached no hub comes again when one may be
// called, one whose head has not settled after a while, and one whose head too few of
// our own machines have signed soon: the missing one may be back.
func (l *leaf) wait(reached bool, due time.Duration) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case reached && l.mute:
		return min(due, muteAgain, l.pulls)
	case reached && l.settled < l.size:
		return min(due, settleWithin)
	case reached:
		return due
	}
	soonest := mostBackoff
	for _, c := range l.hubs {
		soonest = min(soonest, c.until.Sub(l.h.now()))
	}
	return max(soonest, leastBackoff/2)
}

// spread is a period, a fifth more or less.
func spread(d time.Duration) time.Duration { return d*4/5 + rand.N(d*2/5+1) }

// order of the hubs to call: the home first, which the SIREN decides, so that every
// hub is the home of as many.
func (l *leaf) order() []roster.Hub {
	hubs := l.h.cfg.Invited
	if s := l.h.roster(); s != nil {
		hubs = s.Hubs
	}
	var out []roster.Hub
	for _, hub := range hubs {
		if hub.Peer != l.h.id.String() {
			out = append(out, hub)
		}
	}
	weight := func(hub roster.Hub) uint64 {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %s", l.h.cfg.Siren, hub.Peer))
		return binary.BigEndian.Uint64(sum[:])
	}
	sort.Slice(out, func(i, j int) bool { return weight(out[j]) < weight(out[i]) })
	if l.rounds%otherHubEvery == otherHubEvery-1 && len(out) > 1 {
		out = append(out[1:], out[0])
	}
	return out
}

// Sync runs one round now, whatever the pauses: it pushes, and pulls. nil when a hub
// was reached and took and gave what there was.
func (h *Host) Sync(ctx context.Context) error {
	_, err := h.leaf.round(ctx, true, true)
	return err
}

// errSettling says that too few hubs have cosigned the newest entries yet.
var errSettling = errors.New("too few hubs have cosigned the newest entries yet")

// errMute says that our own replicas have not signed what the feed has come to. No hub
// is at fault: it is asked for the rest, and none is passed over for it.
var errMute = errors.New("the own feed")

// round calls hubs. A leaf calls one, its home or the first that answers, and others
// too when the head of its feed does not settle, or is not signed by enough of our own
// replicas: one that was started again needs the word of as many hubs as must witness.
// A hub and the coordinator call all.
func (l *leaf) round(ctx context.Context, full, now bool) (reached bool, err error) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(l.h.ctx, cancel)()
	l.mu.Lock()
	hubs := l.order()
	l.rounds++
	l.mu.Unlock()
	all := l.callsAll()
	if len(hubs) == 0 {
		if l.h.hub != nil {
			return true, nil // it is the only one
		}
		return false, l.note(errors.New("no hub is known: the invitation or the roster names them"))
	}
	var faults []error
	var mute error
	needed := l.needed(hubs)
	for _, hub := range hubs {
		if ctx.Err() != nil {
			return reached, ctx.Err()
		}
		err := l.visit(ctx, hub, full, now, needed)
		if err != nil && !unsaid(err) {
			faults = append(faults, fmt.Errorf("hub %s: %w", hub.Name, err))
			continue
		}
		reached, mute = true, nil
		if errors.Is(err, errMute) {
			mute = err
		}
		further := mute != nil || err != nil && l.settleOverdue() || l.apart(hub)
		if !all && !further && l.done(needed) {
			break
		}
	}
	l.mu.Lock()
	l.mute = mute != nil
	l.mu.Unlock()
	if reached && !all {
		faults = nil // one that was reached has stood in for the others
		if !l.done(needed) {
			faults = []error{errAlone}
		}
	}
	return reached, l.note(errors.Join(append(faults, mute)...))
}

// unsaid reports whether a call went well but for what we say ourselves.
func unsaid(err error) bool { return errors.Is(err, errSettling) || errors.Is(err, errMute) }

// errAlone says why a territory does not speak.
var errAlone = errors.New("before a territory speaks, as many hubs as must sign say what they know of it: too few have said so yet, so nothing is sent; check that it reaches them")

func (l *leaf) note(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trouble = ""
	if err != nil {
		l.trouble = oneLine(err)
	}
	return err
}

// oneLine is an error for a page or a log.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// callsAll reports whether every hub is called in each round.
func (l *leaf) callsAll() bool {
	if l.h.hub != nil {
		return true
	}
	s := l.h.roster()
	if s == nil {
		return false
	}
	m, ok := s.Member(l.h.cfg.Siren)
	return ok && m.Role == roster.Coordinator
}

// needed is how many hubs must have said what they know of our feed before we speak:
// as many witnesses as must sign. More than half of them have signed whatever has
// settled, so one of these knows of it, even if every disk of ours was put back. One
// call may do: the hub brings the words of the others.
func (l *leaf) needed(hubs []roster.Hub) int {
	s := l.h.roster()
	if s == nil || l.h.cfg.Own == nil {
		return 0
	}
	return min(max(1, int(s.Threshold)), len(hubs))
}

// compared counts the hubs with which the own feed was compared in this run.
func (l *leaf) compared() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.hubs {
		if c.compared {
			n++
		}
	}
	return n
}

// lacks is how many hubs' words are needed beside that of one.
func (l *leaf) lacks(c *contact, needed int) uint8 {
	n := needed - l.compared()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !c.compared {
		n--
	}
	return uint8(min(max(0, n), mostOthers))
}

// done reports whether no further hub is needed.
func (l *leaf) done(needed int) bool { return l.h.cfg.Own == nil || l.compared() >= needed }

// settleOverdue reports whether the head is taken to another hub: the home hub had
// time to show it to the others.
func (l *leaf) settleOverdue() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.overdue.IsZero() {
		l.overdue = l.h.now().Add(settleWithin / 2)
	}
	return !l.h.now().Before(l.overdue)
}

// apart reports whether a hub's clock and ours differ so much that one of the two is
// wrong: the others are asked too.
func (l *leaf) apart(hub roster.Hub) bool {
	c := l.contact(hub)
	l.mu.Lock()
	defer l.mu.Unlock()
	return c.ahead.Abs() > clockAlarm
}

// contact with a hub.
func (l *leaf) contact(hub roster.Hub) *contact {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, ok := l.hubs[hub.Peer]
	if !ok {
		c = &contact{shown: map[feedKey]bool{}}
		l.hubs[hub.Peer] = c
	}
	return c
}

// at is a further call at a hub over the connection that a hub has to it.
func (l *leaf) at(hub roster.Hub) (v *visit, connected bool) {
	c := l.contact(hub)
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.conn == nil || c.conn.IsClosed() {
		return nil, false
	}
	return &visit{h: l.h, hub: hub, peer: c.conn.RemotePeer(), conn: c.conn, to: c}, true
}

// visit is one call at one hub.
type visit struct {
	h     *Host
	hub   roster.Hub
	peer  peer.ID
	conn  network.Conn
	epoch uint16
	to    *contact
	hello helloAnswer
	// needed is how many hubs must have said what they hold before we speak.
	needed int
}

func (v *visit) roster() *roster.State { return v.h.roster() }

// me is what this host is to the hub.
func (v *visit) me() (standing, error) {
	who, ok := v.h.standing(v.h.id)
	if !ok {
		return who, errors.New("this node is not on the roster that it knows")
	}
	return who.as(v.h.speaks())
}

// speaks is the SIREN that a host speaks for; a hub speaks for none.
func (h *Host) speaks() (siren public.Siren) {
	if h.hub == nil {
		siren = h.cfg.Siren
	}
	return siren
}

// visit a hub, unless it is in a pause, and note how it went.
func (l *leaf) visit(ctx context.Context, hub roster.Hub, full, now bool, needed int) error {
	c := l.contact(hub)
	l.mu.Lock()
	until, refusal := c.until, c.refusal
	l.mu.Unlock()
	if at := l.h.now(); !now && at.Before(until) && until.Sub(at) <= revokedBackoff {
		return fmt.Errorf("%s (called again after %s)", refusal, until.UTC().Format(time.RFC3339))
	}
	id, err := peer.Decode(hub.Peer)
	if err != nil {
		return err
	}
	v := &visit{h: l.h, hub: hub, peer: id, to: c, needed: needed}
	l.mu.Lock()
	c.tried = l.h.now()
	l.mu.Unlock()
	err = v.run(ctx, full)
	if l.h.hub == nil {
		_ = l.h.wires.swarm.ClosePeer(id)
	} // hubs stay connected: over the same connection the other one may be asking us
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil || unsaid(err) {
		c.fails, c.until, c.refusal = 0, time.Time{}, ""
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	c.fails++
	c.refusal = oneLine(err)
	if at := l.h.now().Add(pause(c.fails, err)); at.After(c.until) || c.until.Sub(l.h.now()) > revokedBackoff {
		c.until = at // a call that somebody asked for, and that failed too, does not end a longer pause
	}
	return err
}

// pause after failures in a row: from 5 seconds doubling to half an hour, half of it
// by chance. Whoever was told that he has left the roster comes back after a day.
func pause(fails int, err error) time.Duration {
	var r refused
	if errors.As(err, &r) && r.status == statusRevoked {
		return revokedBackoff
	}
	if errors.As(err, &r) && r.after > 0 {
		return min(r.after, mostBackoff) + rand.N(leastBackoff)
	}
	d := min(leastBackoff<<min(fails, 20), mostBackoff)
	return d/2 + rand.N(d/2)
}

func (v *visit) run(ctx context.Context, full bool) error {
	dial, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	var err error
	if v.conn, err = v.h.wires.dial(dial, v.peer, v.hub.Addresses); err != nil {
		return fmt.Errorf("not reached: %w", err)
	}
	if err := v.greet(ctx); err != nil {
		return revoked(err)
	}
	if err := v.rosters(ctx, v.hello.Roster); err != nil {
		return revoked(err)
	}
	s := v.roster()
	if s == nil {
		return errors.New("the hub has no roster")
	}
	if m, ok := s.Member(v.h.speaks()); ok && m.Epoch != v.epoch {
		// The roster that came with this call names another epoch, or us for the first
		// time: what the hub said was of the former.
		if err := v.greet(ctx); err != nil {
			return revoked(err)
		}
	}
	if err := v.proofs(ctx); err != nil {
		return err
	}
	if v.h.expired(s) {
		return errExpired
	}
	var unheard error // who is not heard hears the others all the same
	if v.h.cfg.Own != nil {
		if unheard = v.speak(ctx); unheard != nil && !unsaid(unheard) {
			return revoked(unheard)
		}
	}
	if full {
		if err := v.listen(ctx); err != nil {
			return revoked(err)
		}
	}
	return unheard
}

// revoked finds in an error that the hub closed the connection because we left the
// roster. Over TCP the reason may be lost with the connection: then we are refused at
// the next calls, each half an hour after the last.
func revoked(err error) error {
	var c *network.ConnError
	if errors.As(err, &c) && c.Remote && c.ErrorCode == codeRevoked {
		return errors.Join(refused{status: statusRevoked}, err)
	}
	return err
}

// greet says HELLO. Only its answer says that we are let in.
func (v *visit) greet(ctx context.Context) (err error) {
	l, err := v.call(ctx, protocolHello)
	if err != nil {
		return err
	}
	defer func() { l.finish(err) }()
	ask := helloAsk{Min: protocolVersion, Max: protocolVersion, Siren: v.h.speaks(), Others: v.h.leaf.lacks(v.to, v.needed)}
	if s := v.roster(); s != nil {
		ask.Roster = s.Version
		if m, ok := s.Member(ask.Siren); ok {
			v.epoch, ask.Epoch = m.Epoch, m.Epoch
		}
	}
	if v.h.cfg.Own != nil {
		if own, err := v.h.cfg.Own.Checkpoint(ctx); err == nil {
			ask.Size = uint64(own.Head.Size)
		}
	}
	before := time.Now()
	if err = l.ask(ask); err != nil {
		return err
	}
	if v.hello, err = receive[helloAnswer](l, l.terms.answer); err != nil {
		return err
	}
	trip := time.Since(before)
	now := v.h.now()
	v.h.leaf.mu.Lock()
	v.to.reached, v.to.trip = now, trip
	v.to.ahead = time.Unix(v.hello.Time, 0).Sub(now.Truncate(time.Second))
	if v.h.hub != nil && v.hello.Status == statusOK {
		v.to.conn = v.conn
	}
	v.h.leaf.mu.Unlock()
	switch v.hello.Status {
	case statusOK, statusBehind, statusFork, statusExpired:
		return nil // each is looked into
	}
	return refused{v.hello.Status, time.Duration(v.hello.After) * time.Second}
}

// proofs shows the forks that the hub was not shown yet.
func (v *visit) proofs(ctx context.Context) error {
	l := v.h.leaf
	l.mu.Lock()
	all := slices.Clone(l.pending)
	l.mu.Unlock()
	for _, a := range all {
		k := feedKey{a.Siren, a.Epoch}
		l.mu.Lock()
		shown := v.to.shown[k]
		l.mu.Unlock()
		if shown {
			continue
		}
		if err := v.shows(ctx, a); errors.As(err, new(refused)) {
			v.h.log.Warn("a hub does not take the proof of a fork", "hub", v.hub.Name, "feed", k.String(), "error", err)
		} else if err != nil {
			return err
		}
		l.mu.Lock()
		v.to.shown[k] = true
		l.mu.Unlock()
	}
	return nil
}

// speak compares what the hub knows of our feed with it, then pushes the rest.
func (v *visit) speak(ctx context.Context) error {
	s := v.roster()
	m, err := memberOf(s, v.h.cfg.Siren)
	if err != nil {
		return err
	}
	theirs, err := v.theirs(m)
	if err != nil {
		return err
	}
	if err := v.compare(ctx, v.to, theirs); err != nil {
		return err
	}
	if v.hello.Status == statusFork {
		return refused{status: statusFork}
	}
	policy, _ := s.Policy(m.Siren, m.Epoch)
	if err := v.hear(ctx, s, policy); err != nil {
		return err
	}
	if v.h.leaf.compared() < v.needed {
		return nil
	}
	own, err := v.h.cfg.Own.Checkpoint(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errMute, err)
	}
	if own.Head.Size == 0 {
		return v.note(own, true)
	}
	settled := policy.Settled(own) == nil
	if settled && theirs.Head == own.Head && policy.Quorate(theirs) == nil { // else it has our former keys' word
		return v.note(own, true)
	}
	if theirs.Head.Size > own.Head.Size {
		return refused{status: statusBehind}
	}
	if err := v.push(ctx, own, theirs.Head.Size); err != nil {
		return err
	}
	if own, err = v.h.cfg.Own.Checkpoint(ctx); err != nil {
		return fmt.Errorf("%w: %w", errMute, err)
	}
	return v.note(own, policy.Settled(own) == nil)
}

// note how far the own feed is there.
func (v *visit) note(own feed.Checkpoint, settled bool) error {
	l := v.h.leaf
	l.mu.Lock()
	defer l.mu.Unlock()
	v.to.size, l.size = own.Head.Size, own.Head.Size
	if !settled {
		return errSettling
	}
	l.settled, l.overdue = own.Head.Size, time.Time{}
	return nil
}

// theirs is the hub's checkpoint of our feed. Whether our replicas have signed it, by
// today's keys or by former ones, Compare finds out.
func (v *visit) theirs(m roster.Member) (feed.Checkpoint, error) {
	none := feed.Checkpoint{Origin: feed.EgressOrigin(m.Siren, m.Epoch), Head: feed.EmptyHead()}
	if len(v.hello.Checkpoint) == 0 {
		return none, nil
	}
	c, err := feed.ParseCheckpoint(v.hello.Checkpoint)
	if err == nil && c.Origin != none.Origin {
		err = feed.ErrCheckpoint
	}
	if err != nil {
		return none, fmt.Errorf("what the hub knows of this feed: %w: %w", err, errLie)
	}
	return c, nil
}

// compare what a hub knows with our feed, at each contact: it also says that it was so
// a moment ago, which our replicas want to hear before they sign.
func (v *visit) compare(ctx context.Context, with *contact, theirs feed.Checkpoint) error {
	l := v.h.leaf
	l.mu.Lock()
	with.size = theirs.Head.Size
	l.mu.Unlock()
	if err := v.h.cfg.Own.Compare(ctx, theirs, v.back); err != nil {
		own, unsigned := v.h.cfg.Own.Checkpoint(ctx)
		if p, ok := v.roster().Policy(v.h.cfg.Siren, v.epoch); ok && unsigned == nil && errors.Is(err, feed.ErrFork) {
			v.h.accuse(feedKey{v.h.cfg.Siren, v.epoch}, p, feed.Evidence{A: own.Signed, B: theirs.Signed})
		}
		return fmt.Errorf("what the hub knows of this feed: %w", err)
	}
	l.mu.Lock()
	with.compared = true
	l.mu.Unlock()
	return nil
}

// back fetches entries of our own feed from the hub. Their form and place are
// checked here; that they lead to the root, by whoever asked.
func (v *visit) back(ctx context.Context, epoch uint16, from, to int64) (out [][]byte, err error) {
	if from < 0 || to < from {
		return nil, fmt.Errorf("entries %d to %d", from, to)
	}
	siren := v.h.cfg.Siren
	ask := pullAsk{Have: []have{{Siren: siren, Epoch: epoch, Size: uint64(from)}}}
	err = v.pull(ctx, ask, func(o offered) error {
		if int64(len(o.entries)) < to-from {
			return fmt.Errorf("%d entries of %d: %w", len(o.entries), to-from, errLie)
		}
		out = o.entries[:to-from]
		return nil
	})
	if err == nil && int64(len(out)) != to-from {
		err = fmt.Errorf("the hub knows entries that it does not give back: %w", errLie)
	}
	return out, err
}

// mostFaults is how many feeds' faults one round tells of.
const mostFaults = 8

// listen pulls what this host may read.
func (v *visit) listen(ctx context.Context) error {
	ask, any := v.wants()
	if !any {
		return nil
	}
	var faults []error
	err := v.pull(ctx, ask, func(o offered) error {
		_, err := v.h.take(o)
		switch {
		case err == nil, errors.Is(err, feed.ErrOld), errors.Is(err, errFrozen):
		case len(faults) < mostFaults: // the others are read on: no feed stands in the way of another
			faults = append(faults, fmt.Errorf("feed %s: %w", o.key, err))
		}
		return nil
	})
	return errors.Join(append(faults, err)...)
}

// wants is the version vector of what this host may read.
func (v *visit) wants() (ask pullAsk, any bool) {
	s := v.roster()
	who, err := v.me()
	if err != nil || s == nil {
		return ask, false
	}
	ask.All = may(who.seat, actPullAll)
	if ask.All {
		for _, f := range v.h.copies.list() {
			ask.Have = append(ask.Have, v.has(s, f.key))
		}
		return ask, true
	}
	if at := v.h.fresh.since(s, v.h.now()); v.h.now().Sub(at) > frozenAt {
		return ask, false // nobody says that this roster is still the newest: neighbours' offers wait
	}
	for _, m := range s.Members {
		if m.Siren != v.h.cfg.Siren && m.Role != roster.Observer && s.MayRead(v.h.cfg.Siren, m.Siren) {
			ask.Have = append(ask.Have, v.has(s, feedKey{m.Siren, m.Epoch}))
		}
	}
	return ask, len(ask.Have) > 0
}

func (v *visit) has(s *roster.State, k feedKey) have {
	w := have{Siren: k.siren, Epoch: k.epoch, Settled: true}
	f, ok := v.h.copies.find(k)
	if !ok {
		return w
	}
	c := f.copy.Checkpoint()
	w.Size = uint64(c.Head.Size)
	if r, err := ruleOf(s, k); err == nil && w.Size > 0 {
		w.Settled = r.policy.Settled(c) == nil
	}
	return w
}
