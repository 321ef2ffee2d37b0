package federation_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bippop/bippop/federation"
	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/roster"
	"github.com/bippop/bippop/federation/simulation"
)

// unsigned is a feed whose own machines do not sign it as long as too few are up.
type unsigned struct {
	*simulation.Writer
	down atomic.Bool
}

var errDown = errors.New("machine 2 is down")

func (u *unsigned) Checkpoint(ctx context.Context) (feed.Checkpoint, error) {
	if u.down.Load() {
		return feed.Checkpoint{}, errDown
	}
	return u.Writer.Checkpoint(ctx)
}

// A territory too few of whose machines sign reads on, blames no hub for it, tells its
// operator why nothing leaves, and speaks by itself once the machine is back, however
// often it has tried in vain.
func TestMute(t *testing.T) {
	w := found(t, 1, 2, 3, hubAt(0, over(t, "tcp")))
	neighbour := w.Territories[1]
	w.say(neighbour, 1)
	w.sync(w.leaf(neighbour, nil))
	own := &unsigned{Writer: w.Territories[0]}
	own.down.Store(true)
	w.say(own.Writer, 1)
	h := w.leaf(own.Writer, func(c *federation.Config) { c.Own, c.PullEvery = own, 50*time.Millisecond })
	for range 10 {
		if err := h.Sync(t.Context()); !errors.Is(err, errDown) {
			t.Fatalf("while the machine is down: %v", err)
		}
	}
	s := h.Status()
	if !strings.Contains(s.Trouble, "machine 2 is down") || s.Settled != 0 {
		t.Errorf("the operator reads %q, %d settled", s.Trouble, s.Settled)
	}
	for _, hub := range s.Hubs {
		if hub.Refusal != "" || !hub.Next.IsZero() || hub.Reached.IsZero() {
			t.Errorf("%s: refusal %q, called again at %s, reached at %s", hub.Name, hub.Refusal, hub.Next, hub.Reached)
		}
	}
	if c, ok := h.Feed(neighbour.Siren); !ok || c.Head().Size != 1 {
		t.Error("the neighbour was not heard")
	}
	own.down.Store(false)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for tick := time.NewTicker(20 * time.Millisecond); h.Status().Settled != 1; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("the machine is back, and nothing settles")
		}
	}
}

// A hub whose roster is older than the caller's neither takes what is signed with the
// caller's newer keys nor holds it against the caller. What is false by a roster that
// both have is still counted.
func TestOlderHub(t *testing.T) {
	w := found(t, 1, 1, 3, hubAt(0, over(t, "tcp")))
	w.hubs[0].Close()
	held := w.Roster()
	w.hubs[0] = w.openHub(0, held, nil)
	own := w.Territories[0]
	w.say(own, 1)
	h := w.leaf(own, nil)
	w.sync(h)
	if err := own.Rekey(); err != nil {
		t.Fatal(err)
	}
	was, _ := w.State().Member(own.Siren)
	m := own.Member(roster.Territory)
	m.Communes, m.Neighbours = was.Communes, was.Neighbours
	if err := w.Change(roster.SetMember{Member: m}); err != nil {
		t.Fatal(err)
	}
	h.Close()
	w.say(own, 1)
	h = w.leaf(own, nil)
	for i := range 5 {
		if err := h.Sync(t.Context()); err == nil || !strings.Contains(err.Error(), "come back later") {
			t.Fatalf("call %d, signed with keys that the hub does not know: %v", i+1, err)
		}
	}
	if err := held.Take(t.Context(), w.Entries()); err != nil {
		t.Fatal(err)
	}
	w.sync(h)
	if n := h.Status().Settled; n != 2 {
		t.Errorf("with the roster that the caller has, %d settled", n)
	}
	h.Close()
	c := caller(t, own.Seed(0))
	forged, err := own.Restored(2)
	if err != nil {
		t.Fatal(err)
	}
	w.say(forged, 1)
	if err := forged.SignBy(1); err != nil {
		t.Fatal(err)
	}
	few, _ := forged.Checkpoint(t.Context())
	entries, _ := forged.Entries(t.Context(), 2, 3)
	for i := range 3 {
		conn := w.dial(c, 0)
		if _, err := c.Ask(conn, federation.NameHello, federation.HelloAsk{Min: 1, Max: 1, Siren: own.Siren, Epoch: 1, Roster: w.State().Version}); err != nil {
			t.Fatal(err)
		}
		b, err := c.Ask(conn, federation.NamePush, federation.PushAsk{Epoch: 1, From: 2, Entries: entries, Checkpoint: few.Signed})
		if i == 2 && err != nil {
			break // it is cut off before the answer
		}
		if a, bad := federation.Unwire[federation.PushAnswer](b); err != nil || bad != nil || a.Status != federation.StatusBad {
			t.Errorf("too few signatures by the same roster: %v, %v", a.Status, err)
		}
	}
	if conn, err := c.Dial(t.Context(), w.hubs[0].Peer(), w.Hubs[0].Config.Listen); err == nil {
		if _, err := c.Ask(conn, federation.NameHello, federation.HelloAsk{Min: 1, Max: 1, Siren: own.Siren, Epoch: 1, Roster: w.State().Version}); err == nil {
			t.Error("after three lies it is still heard")
		}
	}
}
