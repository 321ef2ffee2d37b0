package federation_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/bippop/bippop/federation"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/simulation"
)

// mostQuiet is how many bytes of the handshake, acknowledgements and the like may
// leave beside the streams of one short QUIC connection, and mostControl how many on
// the streams that are neither entry nor checkpoint.
const (
	mostQuiet   = 16 << 10
	mostControl = 1 << 10
)

// sheet is a buffer that several write to.
type sheet struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *sheet) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *sheet) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// oneRound opens a territory's host, lets it meet the hubs once, and closes it.
func oneRound(w *world, own *simulation.Writer, change func(*federation.Config)) {
	w.t.Helper()
	cfg := w.config(own.Seed(0), w.Roster())
	cfg.Siren, cfg.Own = own.Siren, own
	change(&cfg)
	if err := federation.Once(w.t.Context(), cfg); err != nil {
		w.t.Fatal(err)
	}
}

// speaking is a territory that says some things to a hub and is then gone.
func speaking(t *testing.T, w *world, own *simulation.Writer, change func(*federation.Config)) federation.Ledger {
	t.Helper()
	for i := range 20 {
		w.say(own, 1)
		if err := own.Say(today(), public.Retract{Seq: uint64(i)}); err != nil {
			t.Fatal(err)
		}
	}
	before, err := own.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	oneRound(w, own, change)
	entries, err := own.Entries(t.Context(), 0, before.Head.Size)
	if err != nil {
		t.Fatal(err)
	}
	after, err := own.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l := federation.Ledger{Siren: own.Siren, Epoch: 1, Entries: entries, Checkpoints: [][]byte{before.Signed, after.Signed}, Roster: w.State().Version}
	for _, m := range w.State().Members {
		if m.Siren != own.Siren && w.State().MayRead(own.Siren, m.Siren) {
			l.Reads = append(l.Reads, m.Siren)
		}
	}
	return l
}

// overQUIC is a territory's day on the wire, opened with its key log.
func overQUIC(t *testing.T) (federation.Ledger, *opened) {
	t.Helper()
	w := found(t, 1, 3, 3, hubAt(0, over(t, "quic")))
	var keys sheet
	var tap wiretap
	t.Cleanup(federation.LogKeys(&keys))
	l := speaking(t, w, w.Territories[1], func(c *federation.Config) { c.ListenUDP = tap.listen })
	o, err := tap.open(keys.text())
	if err != nil {
		t.Fatal(err)
	}
	return l, o
}

// TestQUICEqualsLedger: every datagram that a territory sends, opened with the
// connection's secrets, is an entry of its ledger, a checkpoint of it, or one of a few
// numbers that follow from the roster. What carries them is bounded.
func TestQUICEqualsLedger(t *testing.T) {
	l, o := overQUIC(t)
	control, err := l.Account(o.inOrder())
	if err != nil {
		t.Fatal(err)
	}
	if len(o.streams) < 3 || control > mostControl || o.quiet > mostQuiet {
		t.Errorf("%d streams, %d bytes of control, %d bytes beside them", len(o.streams), control, o.quiet)
	}
	t.Logf("%d entries; %d bytes sent, %d on no stream, %d of control", len(l.Entries), o.sent, o.quiet, control)
}

// TestStreamsEqualLedger: over each transport, what a hub hears on the streams is the
// same and all of it is accounted for. Of TCP and WebSocket it proves nothing below
// the streams, where yamux and TLS add frames of their own.
func TestStreamsEqualLedger(t *testing.T) {
	for _, transport := range []string{"quic", "tcp", "ws"} {
		t.Run(transport, func(t *testing.T) {
			w := found(t, 1, 3, 3, hubAt(0, over(t, transport)))
			var mu sync.Mutex
			var heard []*sheet
			heardAll := w.hubs[0].Overhear(func() io.Writer {
				mu.Lock()
				defer mu.Unlock()
				heard = append(heard, &sheet{})
				return heard[len(heard)-1]
			})
			l := speaking(t, w, w.Territories[1], func(*federation.Config) {})
			heardAll.Wait()
			mu.Lock()
			defer mu.Unlock()
			var streams [][]byte
			for _, s := range heard {
				streams = append(streams, []byte(s.text()))
			}
			control, err := l.Account(streams)
			if err != nil || control > mostControl {
				t.Fatalf("%d bytes of control, %v", control, err)
			}
		})
	}
}

// TestLeaksOnTheWire: the comparison is worth what it notices.
func TestLeaksOnTheWire(t *testing.T) {
	l, o := overQUIC(t)
	if _, err := l.Account(o.inOrder()); err != nil {
		t.Fatal(err)
	}
	for _, leak := range federation.Leaks {
		var streams [][]byte
		for _, b := range o.inOrder() {
			streams = append(streams, bytes.Clone(b))
		}
		streams = leak.Do(l, streams, "ELIMONT Yvette")
		if slices.EqualFunc(streams, o.inOrder(), bytes.Equal) {
			t.Errorf("%s: nothing was hidden", leak.Name)
		}
		if _, err := l.Account(streams); !errors.Is(err, federation.ErrOffLedger) {
			t.Errorf("%s goes unnoticed: %v", leak.Name, err)
		}
	}
}

// TestControlIsIndependent: what surrounds the entries is the same whatever they say.
func TestControlIsIndependent(t *testing.T) {
	var all []string
	for _, said := range [][]public.Message{
		{public.Presence{}, public.Presence{}, public.Presence{}},
		{public.Presence{}, public.Retract{Seq: 0}, public.Retract{Seq: 1}},
	} {
		w := found(t, 1, 3, 3, hubAt(0, over(t, "quic")))
		var keys sheet
		var tap wiretap
		end := federation.LogKeys(&keys)
		own := w.Territories[1]
		for _, m := range said {
			if err := own.Say(today(), m); err != nil {
				t.Fatal(err)
			}
		}
		oneRound(w, own, func(c *federation.Config) { c.ListenUDP = tap.listen })
		end()
		o, err := tap.open(keys.text())
		if err != nil {
			t.Fatal(err)
		}
		var control []string
		for _, b := range o.inOrder() {
			if !bytes.Contains(b, []byte("/bippop-fed/push/1")) {
				control = append(control, string(b))
			}
		}
		all = append(all, strings.Join(control, "|"))
	}
	if all[0] != all[1] || all[0] == "" {
		t.Errorf("other words, other control bytes:\n%q\n%q", all[0], all[1])
	}
}
