package federation_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bippop/bippop/federation"
	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"github.com/bippop/bippop/federation/simulation"
)

// A territory that was restored from an old backup is told so, takes back what it had
// said, and says nothing twice.
func TestRestored(t *testing.T) {
	w := found(t, 1, 1, 1, hubAt(0, over(t, "tcp")))
	own := w.Territories[0]
	w.say(own, 5)
	first := w.leaf(own, nil)
	w.sync(first)
	said, _ := own.Entries(t.Context(), 0, 5)
	first.Close()
	old, err := own.Restored(2)
	if err != nil {
		t.Fatal(err)
	}
	c := caller(t, own.Seed(0))
	b, err := c.Ask(w.dial(c, 0), federation.NameHello, federation.HelloAsk{Min: 1, Max: 1, Siren: own.Siren, Epoch: 1, Size: 2})
	if err != nil {
		t.Fatal(err)
	}
	if a, err := federation.Unwire[federation.HelloAnswer](b); err != nil || a.Status != federation.StatusBehind {
		t.Errorf("with 2 of 5 entries it is told %q (%v)", a.Status, err)
	}
	c.Close()
	h := w.leaf(old, nil)
	w.sync(h)
	w.say(old, 1)
	w.sync(h)
	e := newEar()
	w.sync(w.leaf(w.Coordinator, func(c *federation.Config) { c.Settled = e.settled }))
	if err := e.await(t.Context(), own.Siren, 6); err != nil {
		t.Fatal(err)
	}
	for i, b := range said {
		if e.heard[own.Siren][i] != string(b) {
			t.Errorf("entry %d is another one now", i)
		}
	}
}

// A restored territory that has said something else in the meantime is frozen: the hub
// has the first words, and the others never settle.
func TestFork(t *testing.T) {
	w := found(t, 1, 1, 3, hubAt(0, over(t, "tcp")))
	own := w.Territories[0]
	w.say(own, 2)
	w.sync(w.leaf(own, nil))
	old, err := own.Restored(1)
	if err != nil {
		t.Fatal(err)
	}
	if err := old.Say(today(), public.Retract{Seq: 0}); err != nil {
		t.Fatal(err)
	}
	w.say(old, 1)
	h := w.leaf(old, func(c *federation.Config) { c.Seed = own.Seed(1) })
	if err := eventually(t, func() error { return h.Sync(t.Context()) }, feed.ErrFork); err != nil {
		t.Fatal(err)
	}
	// A writer that does not look and pushes all the same is refused, and the hub keeps
	// the proof.
	c := caller(t, own.Seed(2))
	conn := w.dial(c, 0)
	greet(t, c, conn, own)
	other, err := own.Restored(1)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Say(today(), public.Retract{Seq: 0}); err != nil {
		t.Fatal(err)
	}
	forked, _ := other.Checkpoint(t.Context())
	entries, _ := other.Entries(t.Context(), 0, 2)
	b, err := c.Ask(conn, federation.NamePush, federation.PushAsk{Epoch: 1, From: 2, Entries: nil, Checkpoint: forked.Signed})
	if err != nil {
		t.Fatal(err)
	}
	if a, _ := federation.Unwire[federation.PushAnswer](b); a.Status != federation.StatusFork {
		t.Errorf("a signed fork of the same size is answered %q", a.Status)
	}
	b, _ = c.Ask(conn, federation.NamePush, federation.PushAsk{Epoch: 1, Entries: entries, Checkpoint: forked.Signed})
	if a, _ := federation.Unwire[federation.PushAnswer](b); a.Status == federation.StatusOK {
		t.Error("a fork was taken")
	}
	if f := w.hubs[0].Status().Forked; len(f) != 1 || !strings.HasPrefix(f[0], own.Siren.String()) {
		t.Errorf("the hub keeps the proofs of %v", f)
	}
}

// eventually repeats f until it fails for a reason; a hub lets another machine of the
// same member speak only after some seconds.
func eventually(t *testing.T, f func() error, want error) error {
	t.Helper()
	for {
		err := f()
		if errors.Is(err, want) {
			return nil
		}
		select {
		case <-t.Context().Done():
			return err
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// Two machines that both believe to lead push the same feed. The hub hears the newest;
// the other is told to wait, and nothing is stored twice or lost.
func TestTwoLeaders(t *testing.T) {
	w := found(t, 1, 1, 3, hubAt(0, over(t, "tcp")))
	own := w.Territories[0]
	w.say(own, 1)
	one := w.leaf(own, nil)
	w.sync(one)
	two := w.leaf(own, func(c *federation.Config) { c.Seed = own.Seed(1) })
	for range 3 {
		w.say(own, 1)
		a, b := one.Sync(t.Context()), two.Sync(t.Context())
		if a != nil && b != nil {
			t.Logf("both wait: %v; %v", a, b)
		}
	}
	c, ok := w.hubs[0].Feed(own.Siren)
	if !ok {
		t.Fatal("the hub has nothing")
	}
	_ = eventually(t, func() error { return one.Sync(t.Context()) }, nil) // the other may have been let in last
	if n := c.Head().Size; n != 4 {
		t.Errorf("the hub has %d entries of 4", n)
	}
}

// A clock that is an hour off changes nothing but that the operator is told.
func TestClockOff(t *testing.T) {
	for _, off := range []time.Duration{time.Hour, -time.Hour} {
		w := found(t, 1, 1, 3, hubAt(0, over(t, "tcp")))
		own := w.Territories[0]
		w.say(own, 1)
		h := w.leaf(own, func(c *federation.Config) {
			c.Clock = func() time.Time { return time.Now().Add(off) }
		})
		w.sync(h)
		s := h.Status()
		if !s.ClockOff || s.Hubs[0].Ahead.Round(time.Minute) != -off {
			t.Errorf("off by %s, the operator reads %s", off, s.Hubs[0].Ahead)
		}
		if s.Settled != 1 {
			t.Errorf("off by %s: %d entries settled", off, s.Settled)
		}
	}
}

// With an expired roster nothing is pushed or taken, and the operator is told; a newer
// roster that the hub has opens the way again.
func TestExpired(t *testing.T) {
	w := found(t, 1, 1, 3, hubAt(0, over(t, "tcp")))
	own := w.Territories[0]
	w.say(own, 1)
	var ahead atomic.Int64
	ahead.Store(int64(366 * 24 * time.Hour))
	later := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	w.hubs[0].Close()
	hubs := w.Roster()
	w.hubs[0] = w.openHub(0, hubs, func(c *federation.Config) { c.Clock = later })
	h := w.leaf(own, func(c *federation.Config) { c.Clock = later })
	if err := h.Sync(t.Context()); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Fatalf("with an expired roster: %v", err)
	}
	if s := h.Status(); !s.Expired || !strings.Contains(s.Trouble, "expired") {
		t.Errorf("the operator reads %+v", s)
	}
	if _, ok := w.hubs[0].Feed(own.Siren); ok {
		t.Error("the hub took something")
	}
	if err := w.Change(roster.Renew{Expires: today() + 700}); err != nil {
		t.Fatal(err)
	}
	if err := hubs.Take(t.Context(), w.Entries()); err != nil {
		t.Fatal(err)
	}
	w.sync(h)
	if n := h.Status().Settled; n != 1 {
		t.Errorf("after the renewal %d entries settled", n)
	}
}

// A node that has called nobody, because it knew no hub, calls as soon as its roster
// names one: whoever has just founded a federation does not wait for half an hour.
func TestFirstRosterIsFollowed(t *testing.T) {
	w := found(t, 1, 1, 1, hubAt(0, over(t, "tcp")))
	w.say(w.Territories[0], 1)
	held := w.Empty()
	h := w.leaf(w.Territories[0], func(c *federation.Config) { c.Rosters = held })
	until := func(what string, ok func(federation.Status) bool) {
		t.Helper()
		late := time.After(30 * time.Second)
		for !ok(h.Status()) {
			select {
			case <-late:
				t.Fatalf("in vain: %s: %+v", what, h.Status())
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	until("it knows no hub", func(s federation.Status) bool { return strings.Contains(s.Trouble, "no hub is known") })
	if err := held.Take(t.Context(), w.Entries()); err != nil {
		t.Fatal(err)
	}
	h.RosterChanged()
	until("the hub has its word", func(s federation.Status) bool { return s.Settled == 1 })
}

// A member that leaves while it is connected is told so, and comes back after a day.
// TCP may lose the reason: there it is cut off, and pauses.
func TestRevokedLeaf(t *testing.T) {
	for _, transport := range []string{"quic", "tcp"} {
		w := found(t, 1, 1, 3, hubAt(0, over(t, transport)))
		w.hubs[0].Close()
		held := w.Roster()
		w.hubs[0] = w.openHub(0, held, nil)
		own := &leaving{Writer: w.Territories[0], leave: func() {
			if err := w.Change(roster.RemoveMember{Siren: w.Territories[0].Siren}); err != nil {
				t.Error(err)
			}
			if err := held.Take(t.Context(), w.Entries()); err != nil {
				t.Error(err)
			}
			w.hubs[0].RosterChanged()
		}}
		w.say(own.Writer, 1)
		h := w.leaf(own.Writer, func(c *federation.Config) { c.Own, c.Rosters = own, w.Roster() })
		_ = h.Sync(t.Context())
		s := h.Status()
		least := map[string]time.Duration{"quic": 23 * time.Hour, "tcp": time.Second}[transport]
		if wait := time.Until(s.Hubs[0].Next); wait < least || s.Settled != 0 {
			t.Errorf("%s: it comes back after %s: %s", transport, wait, s.Hubs[0].Refusal)
		}
	}
}

// leaving is a writer that leaves the roster while it is compared.
type leaving struct {
	*simulation.Writer
	leave func()
	left  atomic.Bool
}

func (l *leaving) Compare(ctx context.Context, c feed.Checkpoint, f federation.Fetch) error {
	if !l.left.Swap(true) {
		l.leave()
	}
	return l.Writer.Compare(ctx, c, f)
}

// A hub that lies: none of it is taken, the lie is told to the operator, and the
// honest hub is asked.
func TestLyingHub(t *testing.T) {
	w := found(t, 1, 3, 3, hubAt(0, over(t, "tcp")))
	own := w.Territories[0]
	w.say(own, 2)
	w.sync(w.leaf(own, nil))
	honest, _ := own.Checkpoint(t.Context())
	entries, _ := own.Entries(t.Context(), 0, 2)
	stranger := simulation.NewWriter(own.Siren, 3, 2)
	_ = stranger.Say(today(), public.Presence{})
	wrong, _ := stranger.Checkpoint(t.Context())
	changed := append([]byte(nil), entries[1]...)
	changed[len(changed)-1] ^= 1
	under, _ := own.Restored(2)
	if err := under.SignBy(1); err != nil {
		t.Fatal(err)
	}
	few, _ := under.Checkpoint(t.Context())
	if err := under.SignBy(3); err != nil {
		t.Fatal(err)
	}
	unseen, _ := under.Checkpoint(t.Context())
	piece := func(entries [][]byte, signed []byte) federation.PullAnswer {
		return federation.PullAnswer{Siren: own.Siren, Epoch: 1, Entries: entries, Checkpoint: signed}
	}
	for name, lie := range map[string]federation.PullAnswer{
		"wrong bytes":       piece([][]byte{entries[0], changed}, honest.Signed),
		"an entry dropped":  piece(entries[:1], honest.Signed),
		"an entry twice":    piece([][]byte{entries[0], entries[0]}, honest.Signed),
		"another order":     piece([][]byte{entries[1], entries[0]}, honest.Signed),
		"another feed":      piece(entries[:1], wrong.Signed),
		"too few signed":    piece(entries, few.Signed),
		"no witness":        piece(entries, unseen.Signed),
		"garbage":           piece(entries, []byte("bippop/egress\n1\n")),
		"from the middle":   {Siren: own.Siren, Epoch: 1, From: 1, Entries: entries[1:], Checkpoint: honest.Signed},
		"what nobody asked": {Siren: w.Territories[2].Siren, Epoch: 9, Entries: entries, Checkpoint: honest.Signed},
	} {
		t.Run(name, func(t *testing.T) {
			seat := hubAt(0, over(t, "tcp"))
			liar, err := federation.NewCaller(seat.Seed, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer liar.Close()
			err = liar.Serve(seat.Config.Listen, func(protocol string, ask []byte, s io.Writer) {
				answer := func(v any) { _, _ = s.Write(federation.Framed(federation.Wire(v))) }
				switch protocol {
				case federation.NameHello:
					answer(federation.HelloAnswer{Roster: w.State().Version, Time: time.Now().Unix()})
				case federation.NameRoster:
					answer(federation.RosterAnswer{Version: w.State().Version})
				case federation.NamePull:
					answer(lie)
					answer(federation.PullAnswer{})
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			n := &world{Nation: w.Nation, t: t}
			e := newEar()
			cfg := n.config(w.Coordinator.Seed(0), moved{w.Roster(), seat.Config.Listen})
			cfg.Siren, cfg.Settled = w.Coordinator.Siren, e.settled
			h := n.open(cfg)
			if err := h.Sync(t.Context()); err == nil {
				t.Error("the round went well")
			}
			if h.Status().Hubs[0].Refusal == "" {
				t.Error("the operator is not told")
			}
			if c, ok := h.Feed(own.Siren); ok && c.Head().Size != 0 {
				t.Errorf("%d entries were taken", c.Head().Size)
			}
		})
	}
	e := newEar()
	w.sync(w.leaf(w.Coordinator, func(c *federation.Config) { c.Settled = e.settled }))
	if err := e.await(t.Context(), own.Siren, 2); err != nil {
		t.Errorf("the truth: %v", err)
	}
}

// moved is a roster whose only hub is reached elsewhere.
type moved struct {
	*simulation.Roster
	at []string
}

func (m moved) State() *roster.State {
	s := *m.Roster.State()
	s.Hubs = append([]roster.Hub(nil), s.Hubs...)
	s.Hubs[0].Addresses = m.at
	return &s
}
