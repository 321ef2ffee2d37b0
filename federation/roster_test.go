package federation_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bippop/bippop/federation"
	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"github.com/bippop/bippop/federation/simulation"
)

// A new member knows its invitation alone: it fetches the roster, and speaks in the
// same call. One that was invited to another federation takes nothing.
func TestInvited(t *testing.T) {
	w := found(t, 1, 1, 3, hubAt(0, over(t, "tcp")))
	own := w.Territories[0]
	w.say(own, 1)
	path := filepath.Join(t.TempDir(), "roster")
	file, err := federation.OpenRosterFile(path, w.Genesis())
	if err != nil {
		t.Fatal(err)
	}
	invited := func(r federation.Rosters) func(*federation.Config) {
		return func(c *federation.Config) { c.Rosters, c.Invited = r, w.State().Hubs }
	}
	h := w.leaf(own, invited(file))
	w.sync(h)
	if s := h.Status(); s.Roster != w.State().Version || s.Settled != 1 || s.Fresh.IsZero() {
		t.Errorf("after the first call: roster %d of %d, %d settled, fresh %s", s.Roster, w.State().Version, s.Settled, s.Fresh)
	}
	h.Close()
	again, err := federation.OpenRosterFile(path, w.Genesis())
	if err != nil || again.State().Version != w.State().Version {
		t.Errorf("the file does not hold the roster: %v", err)
	}
	b, _ := os.ReadFile(path)
	if err := os.WriteFile(path, b[:len(b)-3], 0o600); err != nil {
		t.Fatal(err)
	}
	if cut, err := federation.OpenRosterFile(path, w.Genesis()); err != nil || cut.State().Version != w.State().Version-1 {
		t.Errorf("cut short it is not read up to there: %v", err)
	}
	other, err := federation.OpenRosterFile(filepath.Join(t.TempDir(), "roster"), [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	wrong := w.leaf(w.Territories[0], func(c *federation.Config) { invited(other)(c); c.Seed = own.Seed(1) })
	if err := eventually(t, func() error { return wrong.Sync(t.Context()) }, roster.ErrGenesis); err != nil {
		t.Error(err)
	}
	if other.State() != nil {
		t.Error("another federation's roster was taken")
	}
}

// The coordinator's change reaches the hub, and from there the others.
func TestRosterSpreads(t *testing.T) {
	w := found(t, 1, 1, 3, hubAt(0, over(t, "tcp")))
	w.hubs[0].Close()
	hub := w.Roster()
	w.hubs[0] = w.openHub(0, hub, nil)
	far := w.Roster()
	leaf := w.leaf(w.Territories[0], func(c *federation.Config) { c.Rosters = far })
	if err := w.Add(1, 3); err != nil {
		t.Fatal(err)
	}
	w.sync(w.leaf(w.Coordinator, nil))
	w.sync(leaf)
	if v := w.State().Version; hub.State().Version != v || far.State().Version != v {
		t.Errorf("version %d; the hub has %d, the territory %d", v, hub.State().Version, far.State().Version)
	}
}

// A roster of which nobody says that it is the newest alarms after a week; after a
// month neighbours are no longer pulled, and what a territory says still goes out.
func TestFreshness(t *testing.T) {
	w := found(t, 1, 2, 3, hubAt(0, over(t, "tcp")))
	own, neighbour := w.Territories[0], w.Territories[1]
	dir := t.TempDir()
	var ahead atomic.Int64
	clock := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	open := func() *federation.Host {
		return w.leaf(own, func(c *federation.Config) { c.Dir, c.Clock = dir, clock })
	}
	h := open()
	w.sync(h)
	w.say(neighbour, 1)
	w.sync(w.leaf(neighbour, nil))
	h.Close()
	ahead.Store(int64(8 * 24 * time.Hour))
	h = open()
	if s := h.Status(); !s.Stale || s.Frozen {
		t.Errorf("after 8 days and a restart: stale %v, frozen %v", s.Stale, s.Frozen)
	}
	ahead.Store(int64(31 * 24 * time.Hour))
	w.say(own, 1)
	w.sync(h) // the hub's clock has stood still: its word is a month old
	if s := h.Status(); !s.Frozen || s.Settled != 1 {
		t.Errorf("after 31 days: frozen %v, %d settled", s.Frozen, s.Settled)
	}
	if _, ok := h.Feed(neighbour.Siren); ok {
		t.Error("a neighbour was pulled")
	}
	ahead.Store(0)
	w.sync(h)
	if c, ok := h.Feed(neighbour.Siren); !ok || c.Head().Size != 1 {
		t.Error("with a fresh word the neighbour is not pulled")
	}
}

// What a hub has witnessed it knows after a restart, and the next day's entries follow
// it.
func TestHubRestarts(t *testing.T) {
	w := found(t, 1, 1, 3, hubAt(0, over(t, "tcp")))
	w.hubs[0].Close()
	dir := t.TempDir()
	restart := func() { w.hubs[0] = w.openHub(0, w.Roster(), func(c *federation.Config) { c.Dir = dir }) }
	restart()
	own := w.Territories[0]
	h := w.leaf(own, nil)
	for i := range 3 {
		w.say(own, 1)
		w.sync(h)
		w.hubs[0].Close()
		restart()
		if c, ok := w.hubs[0].Feed(own.Siren); !ok || c.Head().Size != int64(i+1) {
			t.Fatalf("after restart %d the hub has lost entries", i)
		}
	}
}

// Entries that a quorum signs and that break a rule are refused all the same.
func TestRules(t *testing.T) {
	entry := func(change func(*public.Entry)) []byte {
		e := public.Entry{From: simulation.Siren(1), Epoch: 1, Seq: 1, Day: today(), Body: public.Presence{}}
		change(&e)
		b, err := public.Encode(e)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, b := range map[string][]byte{
		"another's name":  entry(func(e *public.Entry) { e.From = simulation.Siren(2) }),
		"another epoch":   entry(func(e *public.Entry) { e.Epoch = 2 }),
		"a later place":   entry(func(e *public.Entry) { e.Seq = 2 }),
		"a former place":  entry(func(e *public.Entry) { e.Seq = 0 }),
		"back-dated":      entry(func(e *public.Entry) { e.Day -= 2 }),
		"a day to come":   entry(func(e *public.Entry) { e.Day += 2 }),
		"a bulletin":      federation.Wire([]any{1, uint32(simulation.Siren(1)), 1, 1, uint16(today()), 50, []any{}}),
		"an unknown kind": federation.Wire([]any{1, uint32(simulation.Siren(1)), 1, 1, uint16(today()), 41, []any{}}),
		"no entry":        []byte("bonjour"),
		"nothing":         {},
	} {
		t.Run(name, func(t *testing.T) {
			w := found(t, 1, 1, 3, hubAt(0, over(t, "tcp")))
			own := w.Territories[0]
			w.say(own, 1)
			h := w.leaf(own, nil)
			w.sync(h)
			if err := own.Append(b); err != nil {
				t.Fatal(err)
			}
			if err := h.Sync(t.Context()); err == nil || errors.Is(err, context.Canceled) {
				t.Errorf("the push went well: %v", err)
			}
			if c, _ := w.hubs[0].Feed(own.Siren); c.Head().Size != 1 {
				t.Error("it was taken")
			}
		})
	}
}

// What fewer than a quorum of replicas have signed is refused by the hub.
func TestUnderSigned(t *testing.T) {
	w := found(t, 1, 1, 3, hubAt(0, over(t, "tcp")))
	own := w.Territories[0]
	w.say(own, 1)
	if err := own.SignBy(1); err != nil {
		t.Fatal(err)
	}
	h := w.leaf(own, nil)
	if err := h.Sync(t.Context()); err == nil {
		t.Error("the push went well")
	}
	if c, ok := w.hubs[0].Feed(own.Siren); ok && c.Head().Size != 0 {
		t.Error("it was taken")
	}
	if err := own.SignBy(2); err != nil {
		t.Fatal(err)
	}
	w.sync(h)
}

// A territory that leaves its federation while it is at a hub: the visit ends, and
// the node lives on.
func TestLeftWhileVisiting(t *testing.T) {
	w := found(t, 1, 1, 1, hubAt(0, over(t, "tcp")))
	held := &departing{Roster: w.Roster()}
	own := departed{w.Territories[0], held}
	w.say(own.Writer, 1)
	h := w.leaf(own.Writer, func(c *federation.Config) { c.Own, c.Rosters = own, held })
	if err := h.Sync(t.Context()); err == nil {
		t.Error("without a roster the round went well")
	}
}

// departing is a roster that is gone once its territory has left.
type departing struct {
	*simulation.Roster
	gone atomic.Bool
}

func (d *departing) State() *roster.State {
	if d.gone.Load() {
		return nil
	}
	return d.Roster.State()
}

// departed leaves while it is compared.
type departed struct {
	*simulation.Writer
	from *departing
}

func (d departed) Compare(context.Context, feed.Checkpoint, federation.Fetch) error {
	d.from.gone.Store(true)
	return errors.New("this territory is on no roster")
}

// A territory whose machines have other keys now, and that has nothing new to say,
// is in nobody's way, and who comes later hears it all the same.
func TestRekeyed(t *testing.T) {
	w := found(t, 2, 2, 1, hubAt(0, over(t, "tcp")), hubAt(1, over(t, "tcp")))
	var rosters []*simulation.Roster
	for i, h := range w.hubs {
		h.Close()
		rosters = append(rosters, w.Roster())
		w.hubs[i] = w.openHub(i, rosters[i], nil)
	}
	first, second := w.Territories[0], w.Territories[1]
	ours := w.Roster()
	rosters = append(rosters, ours)
	w.say(first, 1)
	a := w.leaf(first, func(c *federation.Config) { c.Rosters = ours })
	for range 2 {
		w.sync(a)
		w.sync(w.hubs[0])
		w.sync(w.hubs[1])
	}
	if err := first.Rekey(); err != nil {
		t.Fatal(err)
	}
	m := first.Member(roster.Territory)
	was, _ := w.State().Member(first.Siren)
	m.Neighbours = was.Neighbours
	if err := w.Change(roster.SetMember{Member: m}); err != nil {
		t.Fatal(err)
	}
	for _, r := range rosters {
		if err := r.Take(t.Context(), w.Entries()); err != nil {
			t.Fatal(err)
		}
	}
	w.say(second, 1)
	b := w.leaf(second, nil)
	w.sync(b)
	for _, hub := range w.hubs {
		if err := hub.Sync(t.Context()); err != nil {
			t.Errorf("the hubs no longer agree: %v", err)
		}
	}
	for i, hub := range w.hubs {
		if c, ok := hub.Feed(second.Siren); !ok || c.Head().Size != 1 {
			t.Errorf("hub %d has not heard the other territory", i)
		}
	}
	w.sync(a)
	w.sync(w.hubs[0])
	w.sync(w.hubs[1])
	e := newEar()
	w.sync(w.leaf(w.Coordinator, func(c *federation.Config) { c.Settled = e.settled }))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := e.await(ctx, first.Siren, 1); err != nil {
		t.Errorf("who comes later does not hear the rekeyed territory: %v", err)
	}
}
