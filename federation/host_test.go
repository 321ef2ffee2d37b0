package federation_test

import (
	"testing"

	"github.com/bippop/bippop/federation"
)

// A territory's words reach the coordinator and a neighbour over each transport, with
// the receipt of the hub.
func TestTransports(t *testing.T) {
	for _, transport := range []string{"quic", "tcp", "ws"} {
		t.Run(transport, func(t *testing.T) {
			w := found(t, 1, 2, 3, hubAt(0, over(t, transport)))
			own, neighbour := w.Territories[0], w.Territories[1]
			w.say(own, 3)
			teller := w.leaf(own, nil)
			w.sync(teller)
			c, _ := own.Checkpoint(t.Context())
			policy, _ := w.State().Policy(own.Siren, 1)
			if err := policy.Settled(c); err != nil {
				t.Fatalf("no receipt of the hub came back: %v", err)
			}
			for _, reader := range []*struct {
				name string
				open func(*ear) *federation.Host
			}{
				{"the coordinator", func(e *ear) *federation.Host {
					return w.leaf(w.Coordinator, func(c *federation.Config) { c.Settled = e.settled })
				}},
				{"a neighbour", func(e *ear) *federation.Host {
					return w.leaf(neighbour, func(c *federation.Config) { c.Settled = e.settled })
				}},
			} {
				e := newEar()
				h := reader.open(e)
				w.sync(h)
				if err := e.await(t.Context(), own.Siren, 3); err != nil {
					t.Fatalf("%s: %v", reader.name, err)
				}
			}
		})
	}
}
