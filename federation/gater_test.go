package federation_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bippop/bippop/federation"
	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"github.com/bippop/bippop/federation/simulation"
	"github.com/libp2p/go-libp2p/core/network"
)

// caller opens a peer that keeps to no rule.
func caller(t *testing.T, seed [32]byte) *federation.Caller {
	t.Helper()
	c, err := federation.NewCaller(seed, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// dial the world's hub.
func (w *world) dial(c *federation.Caller, hub int) network.Conn {
	w.t.Helper()
	conn, err := c.Dial(w.t.Context(), w.hubs[hub].Peer(), w.Hubs[hub].Config.Listen[:1])
	if err != nil {
		w.t.Fatal(err)
	}
	return conn
}

// Whoever is not on the roster reaches no handler, however often and over whatever
// it tries.
func TestStranger(t *testing.T) {
	tries := 300
	if *long {
		tries = 10_000
	}
	w := found(t, 1, 1, 3, hubAt(0, over(t, "quic"), over(t, "tcp"), over(t, "ws")))
	for i := range tries {
		c, err := federation.NewCaller(simulation.Seed(fmt.Sprintf("stranger %d", i)), nil)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := c.Dial(t.Context(), w.hubs[0].Peer(), w.Hubs[0].Config.Listen[i%3:i%3+1])
		if err == nil {
			b, err := c.Ask(conn, federation.NameHello, federation.HelloAsk{Min: 1, Max: 1, Siren: w.Territories[0].Siren, Epoch: 1})
			if err == nil {
				t.Fatalf("try %d was answered: %x", i, b)
			}
		}
		_ = c.Close()
	}
	if n := w.hubs[0].Status().Answers; n != 0 {
		t.Errorf("%d requests of strangers were let in", n)
	}
	w.sync(w.leaf(w.Territories[0], nil))
	if w.hubs[0].Status().Answers == 0 {
		t.Error("a territory is not counted: the test sees nothing")
	}
}

// Every role tries everything that the table knows, and gets just what the table
// gives.
func TestMatrix(t *testing.T) {
	w := found(t, 2, 2, 3, hubAt(0, over(t, "quic")), hubAt(1, over(t, "quic")))
	observer := simulation.NewWriter(simulation.Siren(900), 1, 1)
	seen := observer.Member(roster.Observer)
	seen.Neighbours = []public.Siren{w.Territories[0].Siren}
	if err := w.Change(roster.SetMember{Member: seen}); err != nil {
		t.Fatal(err)
	}
	w.hubs[0].Close()
	w.say(w.Territories[0], 1)
	own, _ := w.Territories[0].Checkpoint(t.Context())
	entries, _ := w.Territories[0].Entries(t.Context(), 0, 1)
	newer := w.Entries()[1:2] // known: taking it again changes nothing
	seats := map[string]struct {
		seed  [32]byte
		siren public.Siren
		given public.Siren // a feed that it may read
	}{
		"territory":   {w.Territories[0].Seed(0), w.Territories[0].Siren, w.Territories[1].Siren},
		"coordinator": {w.Coordinator.Seed(0), w.Coordinator.Siren, 0},
		"observer":    {observer.Seed(0), observer.Siren, w.Territories[0].Siren},
		"hub":         {w.Hubs[1].Seed, 0, 0},
	}
	w.hubs[1].Close() // its peer speaks by our mouth
	for name, acts := range federation.Matrix() {
		for seat, permitted := range acts {
			who := seats[seat]
			given := who.given
			if name == "pull given" && given == 0 {
				continue // whoever may pull all is not given single ones
			}
			// A hub for each, since it notes who asks for too much.
			w.Hubs[0].Config.Listen = []string{over(t, "quic")}
			w.hubs[0] = w.openHub(0, w.Roster(), nil)
			c := caller(t, who.seed)
			conn := w.dial(c, 0)
			hello, err := c.Ask(conn, federation.NameHello, federation.HelloAsk{Min: 1, Max: 1, Siren: who.siren, Epoch: 1})
			if err != nil {
				t.Fatalf("%s: HELLO: %v", seat, err)
			}
			if a, err := federation.Unwire[federation.HelloAnswer](hello); err != nil || a.Status != federation.StatusOK && a.Status != federation.StatusBehind {
				t.Fatalf("%s: HELLO: %v %v", seat, a.Status, err)
			}
			ok := false
			switch name {
			case "hello":
				ok = true
			case "read roster":
				ok = answered[federation.RosterAnswer](c.Ask(conn, federation.NameRoster, federation.RosterAsk{}))
			case "give roster":
				ok = answered[federation.RosterAnswer](c.Ask(conn, federation.NameRoster, federation.RosterAsk{Give: newer}))
			case "push":
				ask := federation.PushAsk{Epoch: 1, Entries: entries, Checkpoint: own.Signed}
				if seat != "territory" {
					ask = federation.PushAsk{Epoch: 1, Checkpoint: own.Signed} // not its own: refused as false at most
				}
				b, err := c.Ask(conn, federation.NamePush, ask)
				ok = err == nil && len(b) > 0
			case "pull own":
				ok = pulled(c.Ask(conn, federation.NamePull, federation.PullAsk{Have: []federation.Have{federation.FeedOf(max(who.siren, 0), 1, 0)}}))
				if seat == "hub" {
					ok = false // it has none
				}
			case "pull given":
				ok = pulled(c.Ask(conn, federation.NamePull, federation.PullAsk{Have: []federation.Have{federation.FeedOf(given, 1, 0)}}))
			case "pull all":
				ok = pulled(c.Ask(conn, federation.NamePull, federation.PullAsk{All: true}))
			case "evidence":
				b, err := c.Ask(conn, federation.NameEvidence, federation.EvidenceAsk{Siren: 1})
				ok = err == nil && len(b) > 0
			case "word":
				ok = answered[federation.WordAnswer](c.Ask(conn, federation.NameWord, federation.WordAsk{Feeds: []federation.WordOf{{Siren: w.Territories[0].Siren, Epoch: 1}}}))
			default:
				t.Fatalf("%s is not tried", name)
			}
			if ok != permitted {
				t.Errorf("%s by %s: let in %v, the table says %v", name, seat, ok, permitted)
			}
			_ = w.hubs[0].Close()
		}
	}
}

func answered[T any](b []byte, err error) bool {
	if err != nil {
		return false
	}
	_, err = federation.Unwire[T](b)
	return err == nil
}

// pulled reports whether a pull was let in.
func pulled(b []byte, err error) bool {
	if err != nil {
		return false
	}
	a, err := federation.Unwire[federation.PullAnswer](b)
	return err == nil && a.Status != federation.StatusRole
}

// A territory may not read one that is no neighbour of it.
func TestNoNeighbour(t *testing.T) {
	w := found(t, 1, 9, 3, hubAt(0, over(t, "quic")))
	first, last := w.Territories[0], w.Territories[8]
	w.say(first, 1)
	w.sync(w.leaf(first, nil))
	c := caller(t, last.Seed(0))
	conn := w.dial(c, 0)
	if _, err := c.Ask(conn, federation.NameHello, federation.HelloAsk{Min: 1, Max: 1, Siren: last.Siren, Epoch: 1}); err != nil {
		t.Fatal(err)
	}
	if pulled(c.Ask(conn, federation.NamePull, federation.PullAsk{Have: []federation.Have{federation.FeedOf(first.Siren, 1, 0)}})) {
		t.Error("it was told")
	}
	if pulled(c.Ask(conn, federation.NamePull, federation.PullAsk{All: true})) {
		t.Error("it was told everything")
	}
}

// Whoever leaves the roster is cut off while it is connected, and is not let in again.
func TestRevoked(t *testing.T) {
	w := found(t, 1, 2, 3, hubAt(0, over(t, "quic")))
	own := w.Territories[0]
	held := w.Roster()
	w.hubs[0].Close()
	w.Hubs[0].Config.Listen = []string{over(t, "quic")}
	hub := w.openHub(0, held, nil)
	w.hubs[0] = hub
	c := caller(t, own.Seed(0))
	conn := w.dial(c, 0)
	if _, err := c.Ask(conn, federation.NameHello, federation.HelloAsk{Min: 1, Max: 1, Siren: own.Siren, Epoch: 1}); err != nil {
		t.Fatal(err)
	}
	if err := w.Change(roster.RemoveMember{Siren: own.Siren, Last: 0}); err != nil {
		t.Fatal(err)
	}
	if err := held.Take(t.Context(), w.Entries()); err != nil {
		t.Fatal(err)
	}
	hub.RosterChanged()
	s, err := conn.NewStream(t.Context())
	if err == nil {
		_, err = s.Read(make([]byte, 1))
	}
	if err == nil {
		t.Fatal("the connection lives on")
	}
	var why *network.ConnError
	if !errors.As(err, &why) || !why.Remote {
		t.Logf("the peer reads: %v", err)
	}
	before := hub.Status().Answers
	if conn, err := c.Dial(t.Context(), hub.Peer(), w.Hubs[0].Config.Listen); err == nil {
		if _, err := c.Ask(conn, federation.NameHello, federation.HelloAsk{Min: 1, Max: 1, Siren: own.Siren, Epoch: 1}); err == nil {
			t.Error("it was let in again")
		}
	}
	if hub.Status().Answers != before {
		t.Error("a handler heard it again")
	}
}

// bubbled is a hub on a network whose time is virtual.
func bubbled(t *testing.T, territories int, f func(n *simulation.Nation, net *simulation.Net, hub *federation.Host)) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		net := simulation.NewNet(0)
		defer net.Close()
		ip := net.Address()
		n, err := simulation.Found(today(), 1, hubAt(0, fmt.Sprintf("/ip4/%s/udp/8000/quic-v1", ip)))
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Add(territories, 3); err != nil {
			t.Fatal(err)
		}
		w := &world{Nation: n, t: t}
		cfg := w.config(n.Hubs[0].Seed, n.Roster())
		cfg.Dir, cfg.Hub, cfg.ListenUDP = dir, &n.Hubs[0].Config, net.Listen(ip)
		hub, err := federation.Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer hub.Close()
		f(n, net, hub)
	})
}

// A peer that connects and does not say who it is is cut off after ten seconds; so is
// one that sends a frame byte by byte.
func TestSlow(t *testing.T) {
	bubbled(t, 1, func(n *simulation.Nation, net *simulation.Net, hub *federation.Host) {
		c, err := federation.NewCaller(n.Territories[0].Seed(0), net.Listen(net.Address()))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		conn, err := c.Dial(context.Background(), hub.Peer(), n.Hubs[0].Config.Listen)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * time.Second)
		if conn.IsClosed() {
			t.Error("cut off before ten seconds")
		}
		time.Sleep(2 * time.Second)
		if !conn.IsClosed() {
			t.Error("still connected after eleven seconds without HELLO")
		}
		if conn, err = c.Dial(context.Background(), hub.Peer(), n.Hubs[0].Config.Listen); err != nil {
			t.Fatal(err)
		}
		s, err := c.Stream(conn, federation.NameHello)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for err == nil && time.Since(start) < time.Minute {
			_, err = s.Write([]byte{0})
			time.Sleep(time.Second)
		}
		if took := time.Since(start); took > 15*time.Second {
			t.Errorf("a frame of one byte a second was read for %s", took)
		}
	})
}

// Frames of absurd sizes and numbers change nothing; a peer that goes on is not heard
// for an hour.
func TestAbsurd(t *testing.T) {
	bubbled(t, 2, func(n *simulation.Nation, net *simulation.Net, hub *federation.Host) {
		own := n.Territories[0]
		c, err := federation.NewCaller(own.Seed(0), net.Listen(net.Address()))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		greet := func() (network.Conn, error) {
			conn, err := c.Dial(context.Background(), hub.Peer(), n.Hubs[0].Config.Listen)
			if err != nil {
				return nil, err
			}
			b, err := c.Ask(conn, federation.NameHello, federation.HelloAsk{Min: 1, Max: 1, Siren: own.Siren, Epoch: 1, Size: 1 << 63, Roster: math.MaxUint64})
			if err != nil {
				return nil, err
			}
			a, err := federation.Unwire[federation.HelloAnswer](b)
			if err != nil {
				return nil, err
			}
			if known, err := feed.ParseCheckpoint(a.Checkpoint); err != nil || a.Status != federation.StatusOK || known.Head != feed.EmptyHead() {
				t.Errorf("a size of 2^63 is believed: %v %v", a, err)
			}
			return conn, nil
		}
		conn, err := greet()
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			if i > 0 { // three are struck; the third cuts off
				if conn, err = greet(); err != nil {
					t.Fatalf("after %d strikes: %v", i, err)
				}
			}
			if b, err := c.AskBytes(conn, federation.NamePush, []byte{0xff, 0xff, 0xff, 0xff, 1, 2, 3}); err == nil {
				t.Errorf("a frame of 4 GiB was answered: %x", b)
			}
			synctest.Wait()
		}
		if _, err := greet(); err == nil {
			t.Error("after three strikes it is still heard")
		}
		time.Sleep(61 * time.Minute)
		if _, err := greet(); err != nil {
			t.Errorf("after an hour it is still not heard: %v", err)
		}
	})
}

// Sixty territories behind one address are all let in.
func TestOneAddress(t *testing.T) {
	const many = 60
	bubbled(t, many, func(n *simulation.Nation, net *simulation.Net, hub *federation.Host) {
		ip := net.Address()
		rosters := n.Roster()
		var hosts []*federation.Host
		w := &world{Nation: n, t: t}
		for _, own := range n.Territories {
			if err := own.Say(today(), public.Presence{}); err != nil {
				t.Fatal(err)
			}
			cfg := w.config(own.Seed(0), rosters)
			cfg.Siren, cfg.Own, cfg.ListenUDP = own.Siren, own, net.Listen(ip)
			h, err := federation.Open(cfg)
			if err != nil {
				t.Fatal(err)
			}
			hosts = append(hosts, h)
		}
		time.Sleep(3 * time.Second)
		if n := len(hub.Status().Feeds); n != many {
			t.Errorf("%d of %d have come through", n, many)
		}
		for _, h := range slices.Backward(hosts) {
			if err := h.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
