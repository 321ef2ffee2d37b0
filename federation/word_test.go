package federation_test

import (
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/bippop/bippop/federation"
	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/simulation"
)

// at is a territory whose home hub is one of the world's.
func (w *world) at(hub int) *simulation.Writer {
	w.t.Helper()
	for _, own := range w.Territories {
		if peer, _ := federation.PeerOf(w.Hubs[hub].Seed); federation.Home(own.Siren, w.Roster()) == peer {
			return own
		}
	}
	w.t.Fatal("no territory is at home there")
	return nil
}

// called is the hubs that a host has called.
func called(h *federation.Host) (names []string) {
	for _, hub := range h.Status().Hubs {
		if !hub.Tried.IsZero() {
			names = append(names, hub.Name)
		}
	}
	return names
}

// A territory hears two witnesses before it speaks, in one call.
func TestOneCall(t *testing.T) {
	w := found(t, 2, 12, 1, hubAt(0, over(t, "quic")), hubAt(1, over(t, "quic")), hubAt(2, over(t, "quic")))
	for _, h := range w.hubs {
		w.sync(h) // so that they are connected
	}
	own := w.at(1)
	w.say(own, 2)
	h := w.leaf(own, nil)
	_ = h.Sync(t.Context()) // too few have cosigned yet
	if c, ok := w.hubs[1].Feed(own.Siren); !ok || c.Head().Size != 2 {
		t.Error("it has not spoken")
	}
	if names := called(h); !slices.Equal(names, []string{"hub-1.example"}) {
		t.Errorf("it has called %v", names)
	}
}

// What a territory's home hub brings of the other hub counts as that hub's word when
// that hub has signed it since the territory's host was opened, and not otherwise:
// then the other hub is called before a word is said.
func TestBroughtWord(t *testing.T) {
	const says, forgets = 5, 3
	for name, c := range map[string]struct {
		signer func(w *world) feed.Signer
		dated  time.Duration
		counts bool
	}{
		"the other hub's of now":       {other, 0, true},
		"the other hub's of before":    {other, -time.Minute, false},
		"the other hub's of tomorrow":  {other, 24 * time.Hour, false},
		"by a key of nobody":           {nobody, 0, false},
		"the hub's own, a second time": {itself, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := found(t, 2, 12, 1, hubAt(0, over(t, "tcp")), hubAt(1, over(t, "tcp")))
			own := w.at(0)
			w.say(own, says)
			for _, h := range w.hubs {
				w.sync(h)
			}
			w.sync(w.leaf(own, nil))
			w.sync(w.hubs[1])
			if f, ok := w.hubs[1].Feed(own.Siren); !ok || f.Head().Size != says {
				t.Fatal("the other hub does not hold what was said")
			}
			old, err := own.Restored(says - forgets)
			if err != nil {
				t.Fatal(err)
			}
			if c.counts {
				old = own // nothing was forgotten, so the word is true
			}
			held, err := old.Checkpoint(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			w.hubs[0].Close()
			liar, err := federation.NewCaller(w.Hubs[0].Seed, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer liar.Close()
			sign := func(s feed.Signer, at time.Time) []byte {
				c, err := s.Sign(feed.Checkpoint{Origin: held.Origin, Head: held.Head, Signed: held.Signed}, at)
				if err != nil {
					t.Error(err)
				}
				return c.Signed
			}
			var mu sync.Mutex
			var pushed int64 // the smallest head
			err = liar.Serve(w.Hubs[0].Config.Listen, func(protocol string, ask []byte, s io.Writer) {
				switch protocol {
				case federation.NameHello:
					now := time.Now()
					_, _ = s.Write(federation.Framed(federation.Wire(federation.HelloAnswer{
						Roster: w.State().Version, Time: now.Unix(), Checkpoint: sign(itself(w), now), Others: [][]byte{sign(c.signer(w), now.Add(c.dated))},
					})))
				case federation.NameRoster:
					_, _ = s.Write(federation.Framed(federation.Wire(federation.RosterAnswer{Version: w.State().Version})))
				case federation.NamePush:
					a, _ := federation.Unwire[federation.PushAsk](ask)
					p, _ := feed.ParseCheckpoint(a.Checkpoint)
					mu.Lock()
					defer mu.Unlock()
					if pushed == 0 || p.Head.Size < pushed {
						pushed = p.Head.Size
					}
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			w.say(old, 1)
			h := w.leaf(old, nil)
			_ = h.Sync(t.Context())
			mu.Lock()
			defer mu.Unlock()
			if c.counts {
				if pushed != says+1 {
					t.Errorf("it does not speak: %v", h.Status().Trouble)
				}
				return
			}
			if pushed != 0 && pushed < says { // once the other hub has given back what it forgot, it may push that
				t.Errorf("restored, and with a lying hub alone, it pushes a head of %d", pushed)
			}
			if !slices.Contains(called(h), "hub-1.example") {
				t.Error("the other hub is not called")
			}
		})
	}
}

func itself(w *world) feed.Signer {
	return feed.NewWitnessSigner(w.Hubs[0].Config.Name, w.Hubs[0].Config.Witness)
}

func other(w *world) feed.Signer {
	return feed.NewWitnessSigner(w.Hubs[1].Config.Name, w.Hubs[1].Config.Witness)
}

func nobody(w *world) feed.Signer {
	return feed.NewWitnessSigner(w.Hubs[1].Config.Name, simulation.Seed("nobody"))
}
