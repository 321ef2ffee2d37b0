package gossip_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"flag"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bippop/bippop/consensus"
	"github.com/bippop/bippop/consensus/consensustest"
	"github.com/bippop/bippop/consensus/gossip"
	"github.com/bippop/bippop/consensus/mesh"
	"github.com/bippop/bippop/consensus/mesh/meshtest"
	"github.com/bippop/bippop/crypto"
)

// long is known to every package, so that one flag serves them all.
var _ = flag.Bool("long", false, "take longer and try more")

var discard = slog.New(slog.DiscardHandler)

// town is a territory whose replicas gossip.
type town struct {
	*meshtest.Territory
	key crypto.Key
}

func newTown(siren string) town { return town{meshtest.New(siren), crypto.NewKey()} }

// replica is one life of one replica.
type replica struct {
	*gossip.Gossip
	mesh    *mesh.Mesh
	line    *meshtest.Line
	id      string
	changed chan struct{}
	cut     sync.Map // IDs that it does not speak to
	removed sync.Map // IDs that its records show as removed
	closed  atomic.Bool
}

func (tn town) open(t *testing.T, id string) *replica {
	t.Helper()
	r := &replica{id: id, changed: make(chan struct{}, 1), line: meshtest.NewLine(t)}
	l := meshtest.Listen(t)
	r.line.To(l.Addr().String())
	r.mesh = meshtest.Open(t, tn.Credentials(id), func(cfg *mesh.Config) {
		cfg.Listener, cfg.Advertise = l, r.line.Address()
		cfg.Allow = func(replica string, _ [32]byte) error {
			if _, cut := r.cut.Load(replica); cut {
				return errors.New("cut")
			}
			return nil
		}
	})
	var err error
	r.Gossip, err = gossip.Open(gossip.Config{
		Mesh: r.mesh, Key: tn.key, Replica: id, Meta: gossip.Meta{Address: r.mesh.Address(), Level: 1}, Logger: discard,
		Allow: func(replica string) bool { _, removed := r.removed.Load(replica); return !removed },
		Changed: func() {
			select {
			case r.changed <- struct{}{}:
			default:
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.end(t) })
	return r
}

// end leaves.
func (r *replica) end(t *testing.T) {
	t.Helper()
	if r.closed.CompareAndSwap(false, true) {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

// crash leaves nobody the time for a word.
func (r *replica) crash(t *testing.T) {
	t.Helper()
	if err := r.mesh.Close(); err != nil {
		t.Error(err)
	}
	r.end(t)
}

// until waits for what r sees.
func (r *replica) until(t *testing.T, what string, cond func(map[string]gossip.Seen) bool) {
	t.Helper()
	late := time.NewTimer(30 * time.Second)
	defer late.Stop()
	for {
		seen := map[string]gossip.Seen{}
		for _, s := range r.Members() {
			seen[s.Replica] = s
		}
		if cond(seen) {
			return
		}
		select {
		case <-r.changed:
		case <-late.C:
			t.Fatalf("%s never sees %s: %v", r.id, what, seen)
		}
	}
}

func (r *replica) sees(t *testing.T, other string, state gossip.State) {
	t.Helper()
	r.until(t, other+" "+state.String(), func(seen map[string]gossip.Seen) bool { return seen[other].State == state })
}

func separate(a, b *replica) {
	a.cut.Store(b.id, true)
	b.cut.Store(a.id, true)
	a.mesh.Drop(b.id)
	b.mesh.Drop(a.id)
}

func unite(a, b *replica) {
	a.cut.Delete(b.id)
	b.cut.Delete(a.id)
}

func join(t *testing.T, r *replica, others ...*replica) {
	t.Helper()
	var addresses []string
	for _, o := range others {
		addresses = append(addresses, o.mesh.Address())
	}
	if err := r.Join(addresses); err != nil {
		t.Fatal(err)
	}
}

func TestReplicasFindEachOther(t *testing.T) {
	t.Parallel()
	tn := newTown("200044394")
	a, b, c := tn.open(t, "a"), tn.open(t, "b"), tn.open(t, "c")
	join(t, b, a)
	join(t, c, b) // and hears of a
	for _, r := range []*replica{a, b, c} {
		for _, other := range []string{"a", "b", "c"} {
			r.sees(t, other, gossip.Alive)
		}
	}
	want := gossip.Meta{Address: c.mesh.Address(), URL: "https://entraide.example.fr", Level: 7, Applied: 1 << 40, Held: []crypto.KeyID{tn.key.ID(), {1}}}
	if err := c.Update(want); err != nil {
		t.Fatal(err)
	}
	a.until(t, "c's news", func(seen map[string]gossip.Seen) bool {
		got := seen["c"].Meta
		return got.Address == want.Address && got.URL == want.URL && got.Level == 7 && got.Applied == want.Applied && slices.Equal(got.Held, want.Held)
	})
	if err := c.Update(gossip.Meta{Address: "c:1", URL: strings.Repeat("x", 600)}); err == nil {
		t.Error("600 bytes passed as a word")
	}
	c.end(t)
	a.sees(t, "c", gossip.Left)
	b.sees(t, "c", gossip.Left)
}

// A dead replica is noticed in seconds, and found again wherever it comes back,
// although the two do not know where: one of them has asked.
func TestRestartAtAnotherAddress(t *testing.T) {
	t.Parallel()
	tn := newTown("200044394")
	a, b, c := tn.open(t, "a"), tn.open(t, "b"), tn.open(t, "c")
	join(t, b, a)
	join(t, c, a)
	a.sees(t, "c", gossip.Alive)
	b.sees(t, "c", gossip.Alive)
	began := time.Now()
	c.crash(t)
	a.sees(t, "c", gossip.Gone)
	b.sees(t, "c", gossip.Gone)
	t.Logf("gone for both after %v", time.Since(began))

	again := tn.open(t, "c")
	join(t, again, a)
	for _, r := range []*replica{a, b} {
		r.until(t, "c at its new address", func(seen map[string]gossip.Seen) bool {
			return seen["c"].State == gossip.Alive && seen["c"].Meta.Address == again.mesh.Address()
		})
	}
	// And at once, while the others still take it for alive.
	again.crash(t)
	third := tn.open(t, "c")
	join(t, third, b)
	for _, r := range []*replica{a, b} {
		r.until(t, "c at its third address", func(seen map[string]gossip.Seen) bool {
			return seen["c"].State == gossip.Alive && seen["c"].Meta.Address == third.mesh.Address()
		})
	}
}

func TestCutAndHeal(t *testing.T) {
	t.Parallel()
	tn := newTown("200044394")
	a, b, c := tn.open(t, "a"), tn.open(t, "b"), tn.open(t, "c")
	join(t, b, a)
	join(t, c, a)
	c.sees(t, "b", gossip.Alive)
	b.sees(t, "c", gossip.Alive)
	separate(a, c)
	separate(b, c)
	a.sees(t, "c", gossip.Suspect)
	a.sees(t, "c", gossip.Gone)
	c.sees(t, "a", gossip.Gone)
	c.sees(t, "b", gossip.Gone)
	b.sees(t, "a", gossip.Alive)
	unite(a, c)
	unite(b, c)
	for _, other := range []string{"a", "b"} {
		c.sees(t, other, gossip.Alive)
	}
	a.sees(t, "c", gossip.Alive)
	b.sees(t, "c", gossip.Alive)
}

// A replica that hangs, its connections open: the others notice, go on to hear
// each other, and find it again.
func TestReplicaHangs(t *testing.T) {
	t.Parallel()
	tn := newTown("200044394")
	a, b, c := tn.open(t, "a"), tn.open(t, "b"), tn.open(t, "c")
	join(t, b, a)
	join(t, c, a)
	c.sees(t, "b", gossip.Alive)
	b.sees(t, "c", gossip.Alive)
	c.line.Freeze()
	a.sees(t, "c", gossip.Gone)
	b.sees(t, "c", gossip.Gone)
	if err := b.Update(gossip.Meta{Address: b.mesh.Address(), Applied: 77}); err != nil {
		t.Fatal(err)
	}
	a.until(t, "b's news", func(seen map[string]gossip.Seen) bool {
		return seen["b"].State == gossip.Alive && seen["b"].Meta.Applied == 77
	})
	c.line.Thaw()
	a.sees(t, "c", gossip.Alive)
	b.sees(t, "c", gossip.Alive)
}

// Two who cannot reach each other, while a third reaches both: a doubt
// of these two, no more, and it ends with the cut.
func TestCutBetweenTwo(t *testing.T) {
	t.Parallel()
	tn := newTown("200044394")
	a, b, c := tn.open(t, "a"), tn.open(t, "b"), tn.open(t, "c")
	join(t, b, a)
	join(t, c, a)
	c.sees(t, "b", gossip.Alive)
	b.sees(t, "c", gossip.Alive)
	separate(b, c)
	c.sees(t, "b", gossip.Suspect)
	b.sees(t, "c", gossip.Suspect)
	unite(b, c)
	c.sees(t, "b", gossip.Alive)
	b.sees(t, "c", gossip.Alive)
	a.sees(t, "b", gossip.Alive)
	a.sees(t, "c", gossip.Alive)
}

// Whoever starts first finds nobody, and is found.
func TestJoinIsTriedAgain(t *testing.T) {
	t.Parallel()
	tn := newTown("200044394")
	a := tn.open(t, "a")
	line := meshtest.NewLine(t) // b's, before b is
	if err := a.Join([]string{line.Address()}); !errors.Is(err, gossip.ErrAlone) {
		t.Errorf("got %v, want ErrAlone", err)
	}
	b := tn.open(t, "b")
	line.To(b.line.Address())
	a.sees(t, "b", gossip.Alive)
	b.sees(t, "a", gossip.Alive)
}

func TestStrangers(t *testing.T) {
	t.Parallel()
	tn := newTown("200044394")
	a, b := tn.open(t, "a"), tn.open(t, "b")
	join(t, b, a)
	a.sees(t, "b", gossip.Alive)

	other := newTown("200069599").open(t, "other")
	if err := other.Join([]string{a.mesh.Address()}); !errors.Is(err, gossip.ErrAlone) || !strings.Contains(err.Error(), mesh.ErrOtherTerritory.Error()) {
		t.Errorf("another territory: got %v, want ErrAlone that says so", err)
	}
	wrongKey := town{tn.Territory, crypto.NewKey()}.open(t, "wrongkey")
	if err := wrongKey.Join([]string{a.mesh.Address()}); !errors.Is(err, gossip.ErrAlone) {
		t.Errorf("another gossip key: got %v, want ErrAlone", err)
	}
	// c is removed: a and b know, its certificate and the key are still good.
	a.removed.Store("c", true)
	b.removed.Store("c", true)
	c := tn.open(t, "c")
	c.Join([]string{a.mesh.Address()}) // may hear them; they do not hear it
	d := tn.open(t, "d")
	join(t, d, a)
	for _, r := range []*replica{a, b, d} {
		r.sees(t, "d", gossip.Alive) // what was said before has been heard
		for _, s := range r.Members() {
			if !slices.Contains([]string{"a", "b", "d"}, s.Replica) {
				t.Errorf("%s sees %s", r.id, s.Replica)
			}
		}
	}
	// b is removed while it is there.
	a.removed.Store("b", true)
	a.until(t, "no b", func(seen map[string]gossip.Seen) bool { _, there := seen["b"]; return !there })
}

// All that three replicas say to each other, heard on the wire: log entries and
// hearsay show no word.
func TestWireShowsNoWord(t *testing.T) {
	t.Parallel()
	words := []string{"Zyxwvut-Canary", "+79990001122"}
	tn := newTown("200044394")
	var replicas []*replica
	var peers []consensus.Peer
	for _, id := range []string{"a", "b", "c"} {
		r := tn.open(t, id)
		replicas = append(replicas, r)
		peers = append(peers, consensus.Peer{ID: id, Address: r.mesh.Address()})
	}
	maps := make([]*consensustest.Map, 3)
	nodes := make([]*consensus.Replica, 3)
	for i, r := range replicas {
		maps[i] = consensustest.NewMap()
		var err error
		nodes[i], err = consensus.Open(t.Context(), consensus.Config{
			Dir: t.TempDir(), ID: r.id, Peers: peers, Network: r.mesh.Network("bippop/raft/1"), LogKey: crypto.NewKey(), Machine: maps[i], Logger: discard,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer nodes[i].Close()
	}
	join(t, replicas[1], replicas[0])
	join(t, replicas[2], replicas[0])
	if err := replicas[2].Update(gossip.Meta{Address: replicas[2].mesh.Address(), URL: strings.Join(words, " ")}); err != nil {
		t.Fatal(err)
	}
	replicas[0].until(t, "the words", func(seen map[string]gossip.Seen) bool { return strings.Contains(seen["c"].Meta.URL, words[1]) })

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var last uint64
	for written := false; !written; {
		for _, n := range nodes {
			if n.Ready(ctx) != nil {
				t.Fatal("no leader")
			}
			result, err := n.Propose(ctx, consensustest.Put(words[0], strings.Repeat(words[1], 20)))
			if err == nil {
				last, written = result.Index, true
				break
			}
			if ctx.Err() != nil {
				t.Fatal(err)
			}
		}
	}
	for i, n := range nodes {
		if err := n.Wait(ctx, last); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(maps[i].Get(words[0]), words[1]) {
			t.Fatal("the words did not arrive: this test hears nothing")
		}
	}
	total := 0
	for _, r := range replicas {
		heard := r.line.Heard()
		total += len(heard)
		for _, word := range words {
			for _, form := range forms(word) {
				if bytes.Contains(heard, form) {
					t.Errorf("the wire of %s shows %q as %q", r.id, word, form)
				}
			}
		}
	}
	if total < 10_000 {
		t.Errorf("only %d bytes were heard", total)
	}
}

// forms are a word raw, in hex, and in base64 at each of three offsets.
func forms(word string) [][]byte {
	all := [][]byte{[]byte(word), []byte(hex.EncodeToString([]byte(word))), []byte(strings.ToUpper(hex.EncodeToString([]byte(word))))}
	for shift := range 3 {
		b := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), word...))
		all = append(all, []byte(b[4:len(b)-4]))
	}
	return all
}
