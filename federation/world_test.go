package federation_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/bippop/bippop/federation"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/simulation"
	"github.com/libp2p/go-libp2p/core/network"
)

// today is the day of a test's roster and entries.
func today() public.Day { return public.DayOf(time.Now()) }

// world is a nation whose hubs listen on this machine.
type world struct {
	*simulation.Nation
	t    *testing.T
	hubs []*federation.Host
}

// over is a loopback address of a transport.
func over(t *testing.T, transport string) string {
	t.Helper()
	switch p := simulation.FreePort(); transport {
	case "quic":
		return fmt.Sprintf("/ip4/127.0.0.1/udp/%d/quic-v1", p)
	case "tcp":
		return fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", p)
	case "ws":
		return fmt.Sprintf("/ip4/127.0.0.1/tcp/%d/ws", p)
	}
	t.Fatal("no such transport")
	return ""
}

func hubAt(n int, addresses ...string) simulation.Hub {
	name := fmt.Sprintf("hub-%d.example", n)
	return simulation.Hub{Seed: simulation.Seed(name), Config: federation.HubConfig{Name: name, Witness: simulation.Seed(name + " witness"), Listen: addresses}}
}

// found a nation with hubs that run, and territories with so many replicas.
func found(t *testing.T, threshold, territories, replicas int, hubs ...simulation.Hub) *world {
	t.Helper()
	n, err := simulation.Found(today(), threshold, hubs...)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Add(territories, replicas); err != nil {
		t.Fatal(err)
	}
	w := &world{Nation: n, t: t}
	for i := range hubs {
		w.hubs = append(w.hubs, w.openHub(i, w.Roster(), nil))
	}
	return w
}

func (w *world) config(seed [32]byte, rosters federation.Rosters) federation.Config {
	return federation.Config{Seed: seed, Dir: w.t.TempDir(), Rosters: rosters, Logger: slog.New(slog.DiscardHandler), PullEvery: time.Hour, SyncEvery: time.Hour}
}

func (w *world) open(cfg federation.Config) *federation.Host {
	w.t.Helper()
	h, err := federation.Open(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := h.Close(); err != nil {
			w.t.Error(err)
		}
	})
	return h
}

func (w *world) openHub(i int, rosters federation.Rosters, change func(*federation.Config)) *federation.Host {
	w.t.Helper()
	cfg := w.config(w.Hubs[i].Seed, rosters)
	cfg.Hub = &w.Hubs[i].Config
	if change != nil {
		change(&cfg)
	}
	return w.open(cfg)
}

// leaf opens a territory's host, at its first replica unless change says otherwise.
func (w *world) leaf(own *simulation.Writer, change func(*federation.Config)) *federation.Host {
	w.t.Helper()
	cfg := w.config(own.Seed(0), w.Roster())
	cfg.Siren, cfg.Own = own.Siren, own
	if change != nil {
		change(&cfg)
	}
	return w.open(cfg)
}

func (w *world) sync(h *federation.Host) {
	w.t.Helper()
	if err := h.Sync(w.t.Context()); err != nil {
		w.t.Fatalf("a round failed: %v", err)
	}
}

func (w *world) say(own *simulation.Writer, entries int) {
	w.t.Helper()
	for range entries {
		if err := own.Say(today(), public.Presence{}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// ear collects what a host hands over.
type ear struct {
	mu    sync.Mutex
	heard map[public.Siren][]string
	came  chan struct{}
}

func newEar() *ear { return &ear{heard: map[public.Siren][]string{}, came: make(chan struct{}, 1)} }

func (e *ear) settled(siren public.Siren, _ uint16, from int64, entries [][]byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if from != int64(len(e.heard[siren])) {
		e.heard[siren] = append(e.heard[siren], fmt.Sprintf("OUT OF ORDER: %d", from))
	}
	for _, b := range entries {
		e.heard[siren] = append(e.heard[siren], string(b))
	}
	select {
	case e.came <- struct{}{}:
	default:
	}
}

// await so many entries of a member.
func (e *ear) await(ctx context.Context, siren public.Siren, n int) error {
	for {
		e.mu.Lock()
		have := len(e.heard[siren])
		e.mu.Unlock()
		if have >= n {
			if have > n {
				return fmt.Errorf("%d entries of %s, not %d", have, siren, n)
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d entries of %s, not %d: %w", have, siren, n, ctx.Err())
		case <-e.came:
		}
	}
}

// greet says HELLO for a member, as long as the hub asks to wait.
func greet(t *testing.T, c *federation.Caller, conn network.Conn, own *simulation.Writer) {
	t.Helper()
	for {
		b, err := c.Ask(conn, federation.NameHello, federation.HelloAsk{Min: 1, Max: 1, Siren: own.Siren, Epoch: own.Epoch})
		if err != nil {
			t.Fatal(err)
		}
		a, err := federation.Unwire[federation.HelloAnswer](b)
		if err != nil {
			t.Fatal(err)
		}
		if a.Status != federation.StatusLater {
			return
		}
		select {
		case <-t.Context().Done():
			t.Fatal("not let in")
		case <-time.After(200 * time.Millisecond):
		}
	}
}
