package crypto_test

import (
	"bytes"
	"errors"
	"flag"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/bippop/bippop/crypto"
	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"
)

// planted is a tree with a leaf in each of the slots.
func planted(t interface{ Fatal(...any) }, root crypto.Key, slots ...uint32) (tree, map[uint32]crypto.Leaf) {
	m, leaves := tree{}, map[uint32]crypto.Leaf{}
	r := crypto.NewKeyring(siren, root, m)
	for _, slot := range slots {
		m.grow(t, r, slot)
		l, _, err := r.NewLeaf(slot)
		if err != nil {
			t.Fatal(err)
		}
		m.keep(l)
		leaves[slot] = crypto.Leaf{Slot: slot, ID: l.ID}
	}
	return m, leaves
}

// TestForget: after the tree turned, everybody else opens under the new root,
// the forgotten does not, by whatever mix of old and new places; the old root
// opens her from the old places only.
func TestForget(t *testing.T) {
	if *long {
		flag.Set("rapid.checks", "2000")
	}
	rapid.Check(t, func(t *rapid.T) {
		slots := rapid.SliceOfNDistinct(rapid.OneOf(rapid.Uint32Range(0, 40), rapid.Uint32Range(0, 600), rapid.Uint32Range(0, crypto.TreeSlots-1)), 2, 8, rapid.ID).Draw(t, "slots")
		gone := slots[:rapid.IntRange(1, len(slots)-1).Draw(t, "gone")]
		root, to := crypto.NewKey(), crypto.NewKey()
		m, leaves := planted(t, root, slots...)
		before := maps.Clone(m)
		ring := crypto.NewKeyring(siren, root, m)
		for _, l := range leaves { // everything is remembered
			if _, err := ring.Open(l); err != nil {
				t.Fatal(err)
			}
		}
		w, err := ring.Forget(gone, to)
		if err != nil {
			t.Fatal(err)
		}
		if !maps.EqualFunc(m, before, func(a, b any) bool { return same(a, b) }) {
			t.Fatal("to compute changed the tree")
		}
		if err := w.Fits(m); err != nil {
			t.Fatal(err)
		}
		m.apply(w)
		if err := w.Fits(m); !errors.Is(err, crypto.ErrStaleTree) {
			t.Fatalf("it fits twice: %v", err)
		}
		ring.Turn(to)
		old := crypto.NewKeyring(siren, root, before)
		mixed := maps.Clone(m)
		for at, x := range before {
			if l, ok := x.(crypto.Leaf); ok && slices.Contains(gone, l.Slot) {
				mixed[at] = l
			}
		}
		for slot, l := range leaves {
			if !slices.Contains(gone, slot) {
				was, err1 := old.Open(l)
				is, err2 := ring.Open(l)
				cold, err3 := crypto.NewKeyring(siren, to, m).Open(l)
				if err := errors.Join(err1, err2, err3); err != nil || !bytes.Equal(was.Reveal(), is.Reveal()) || !bytes.Equal(was.Reveal(), cold.Reveal()) {
					t.Fatalf("somebody who stays: %v", err)
				}
				continue
			}
			if _, err := ring.Open(l); !errors.Is(err, crypto.ErrNoLeaf) {
				t.Fatalf("she is in the tree: %v", err)
			}
			for name, r := range map[string]*crypto.Keyring{
				"new root, her old leaf": crypto.NewKeyring(siren, to, mixed), "the turned ring, her old leaf": ring.Over(mixed),
				"new root, old tree": crypto.NewKeyring(siren, to, before), "old root, new tree": crypto.NewKeyring(siren, root, mixed),
			} {
				if _, err := r.Open(l); err == nil {
					t.Fatalf("%s opens her", name)
				}
			}
			if _, err := old.Open(l); err != nil { // or the above says nothing
				t.Fatalf("the attack does not work: %v", err)
			}
		}
	})
}

func same(a, b any) bool {
	x, err1 := cbor.Marshal(a)
	y, err2 := cbor.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

// TestForgetTurnsKeys: a forgotten neighbour's node has another key, and the
// ring that was turned has forgotten the former one.
func TestForgetTurnsKeys(t *testing.T) {
	root, to := crypto.NewKey(), crypto.NewKey()
	m, leaves := planted(t, root, 0, 1, 300)
	before := maps.Clone(m)
	ring := crypto.NewKeyring(siren, root, m)
	for _, l := range leaves {
		ring.Open(l)
	}
	w, err := ring.Forget([]uint32{0}, to)
	if err != nil {
		t.Fatal(err)
	}
	m.apply(w)
	if _, err := ring.Open(leaves[1]); !errors.Is(err, crypto.ErrStaleRoot) {
		t.Errorf("between commit and turn: %v", err)
	}
	ring.Turn(to)
	if _, err := ring.Open(leaves[1]); err != nil || ring.Root() != to.ID() {
		t.Error(err)
	}
	// The ring reads the old places again: only a remembered key could open them.
	maps.Copy(m, before)
	ring.Turn(to)
	for slot, l := range leaves {
		if _, err := ring.Open(l); !errors.Is(err, crypto.ErrStaleRoot) {
			t.Errorf("slot %d opens with a key that was to be forgotten: %v", slot, err)
		}
	}
}

// TestFits: a command that is anything less than whole is refused.
func TestFits(t *testing.T) {
	root := crypto.NewKey()
	m, _ := planted(t, root, 0, 1, 2, 17, 300, 5000)
	ring := crypto.NewKeyring(siren, root, m)
	refused := func(name string, tr tree, change func(*crypto.Rewrap)) {
		t.Helper()
		w, err := ring.Forget([]uint32{1, 300}, crypto.NewKey())
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Fits(m); err != nil {
			t.Fatal(err)
		}
		change(&w)
		if err := w.Fits(tr); !errors.Is(err, crypto.ErrStaleTree) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w, err := ring.Forget([]uint32{1, 300}, crypto.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	for i := range w.Nodes {
		refused("a node is missing", m, func(w *crypto.Rewrap) { w.Nodes = slices.Delete(w.Nodes, i, i+1) })
		refused("another node is in force", m, func(w *crypto.Rewrap) { w.Nodes[i].Old[0] ^= 1 })
		refused("a node hangs on another key", m, func(w *crypto.Rewrap) { w.Nodes[i].Parent[0] ^= 1 })
		refused("a node twice", m, func(w *crypto.Rewrap) { w.Nodes = append(w.Nodes, w.Nodes[i]) })
	}
	for i := range w.Leaves {
		refused("a leaf is missing", m, func(w *crypto.Rewrap) { w.Leaves = slices.Delete(w.Leaves, i, i+1) })
		refused("a leaf twice", m, func(w *crypto.Rewrap) { w.Leaves = append(w.Leaves, w.Leaves[i]) })
		refused("another key in her slot", m, func(w *crypto.Rewrap) { w.Leaves[i].ID[0] ^= 1 })
		refused("a leaf hangs on another key", m, func(w *crypto.Rewrap) { w.Leaves[i].Parent[0] ^= 1 })
		refused("gone and there", m, func(w *crypto.Rewrap) { w.Gone = append(w.Gone, w.Leaves[i].Slot); slices.Sort(w.Gone) })
	}
	refused("another root", m, func(w *crypto.Rewrap) { w.From[0] ^= 1 })
	refused("the same root", m, func(w *crypto.Rewrap) { w.To, w.Nodes[0].Parent = w.From, w.From })
	refused("her node keeps its key", m, func(w *crypto.Rewrap) {
		last := slices.IndexFunc(w.Nodes, func(n crypto.RewrapNode) bool { return n.Level == crypto.LastLevel && n.Replaced() })
		w.Nodes[last].ID = w.Nodes[last].Old
	})
	refused("nobody", m, func(w *crypto.Rewrap) { w.Gone = nil })
	refused("somebody twice", m, func(w *crypto.Rewrap) { w.Gone = append(w.Gone, w.Gone...) })
	refused("nothing", m, func(w *crypto.Rewrap) { *w = crypto.Rewrap{From: w.From, To: w.To} })
	later := maps.Clone(m)
	l, _, err := ring.NewLeaf(3)
	if err != nil {
		t.Fatal(err)
	}
	later.keep(l)
	refused("somebody was enrolled meanwhile", later, func(*crypto.Rewrap) {})
	grown := maps.Clone(m)
	grown.grow(t, ring, 70000)
	refused("the tree has grown meanwhile", grown, func(*crypto.Rewrap) {})
}

func TestForgetEnds(t *testing.T) {
	root := crypto.NewKey()
	m, _ := planted(t, root, 5)
	ring := crypto.NewKeyring(siren, root, m)
	for _, slot := range []uint32{4, 4000} {
		if _, err := ring.Forget([]uint32{5, slot}, crypto.NewKey()); !errors.Is(err, crypto.ErrNoLeaf) {
			t.Errorf("slot %d: %v", slot, err)
		}
	}
	if w, err := ring.Forget(nil, crypto.NewKey()); err != nil || w.Fits(m) != nil || len(w.Leaves) > 0 {
		t.Errorf("a root that turns without anybody: %v, %v", w.Fits(m), err)
	}
	if _, err := ring.Forget([]uint32{5}, root); err == nil {
		t.Error("the root stays")
	}
	if _, err := crypto.NewKeyring(siren, crypto.Key{}, m).Open(crypto.Leaf{Slot: 5}); err == nil {
		t.Error("no root opens")
	}
}

// TestForgetIsSmall: as many as may go at once fit into one command, from a full
// tree, as far from one another as can be.
func TestForgetIsSmall(t *testing.T) {
	root := crypto.NewKey()
	var slots, gone []uint32
	for i := range uint32(crypto.ForgetMost) {
		far := i * 2 << 16
		gone = append(gone, far)
		for j := range uint32(16) {
			slots = append(slots, far+j, far+j<<8, far+j<<12, j<<16)
		}
	}
	m, _ := planted(t, root, slots...)
	w, err := crypto.NewKeyring(siren, root, m).Forget(gone, crypto.NewKey())
	if err != nil {
		t.Fatal(err)
	}
	b, err := cbor.Marshal(w)
	if err != nil || len(b) > 62<<10 {
		t.Errorf("%d nodes, %d leaves: %d bytes, %v", len(w.Nodes), len(w.Leaves), len(b), err)
	}
}

// guarded is a tree that changes while it is read.
type guarded struct {
	mu sync.Mutex
	tree
}

func (g *guarded) TreeNode(level uint8, index uint32) (crypto.TreeNode, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.tree.TreeNode(level, index)
}

func (g *guarded) TreeLeaf(slot uint32) (crypto.Leaf, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.tree.TreeLeaf(slot)
}

// TestTurnWhileRead: readers that race with the turn get her key or
// ErrStaleRoot, and what they opened late is not remembered.
func TestTurnWhileRead(t *testing.T) {
	root := crypto.NewKey()
	slots := []uint32{0, 1, 2, 3, 20, 40, 300, 5000, 70000}
	m, leaves := planted(t, root, slots...)
	g := &guarded{tree: m}
	ring := crypto.NewKeyring(siren, root, g)
	want := map[uint32]crypto.Key{}
	for slot, l := range leaves {
		want[slot], _ = ring.Open(l)
	}
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				for _, slot := range slots[4:] {
					select {
					case <-stop:
						return
					default:
					}
					k, err := ring.Open(leaves[slot])
					if err != nil && !errors.Is(err, crypto.ErrStaleRoot) || err == nil && !bytes.Equal(k.Reveal(), want[slot].Reveal()) {
						t.Errorf("slot %d: %v", slot, err)
						return
					}
				}
			}
		})
	}
	for _, slot := range slots[:4] {
		for range 5 {
			to := crypto.NewKey()
			w, err := ring.Forget([]uint32{slot}, to)
			if err != nil {
				t.Fatal(err)
			}
			g.mu.Lock()
			g.apply(w)
			g.mu.Unlock()
			ring.Turn(to)
			for _, stays := range slots[4:] {
				if _, err := ring.Open(leaves[stays]); err != nil {
					t.Errorf("after the turn: %v", err)
				}
			}
			l, _, err := ring.NewLeaf(slot)
			if err != nil {
				t.Fatal(err)
			}
			g.mu.Lock()
			g.keep(l)
			g.mu.Unlock()
		}
	}
	close(stop)
	readers.Wait()
}

// BenchmarkForget: one person of 100,000.
func BenchmarkForget(b *testing.B) {
	root := crypto.NewKey()
	slots := make([]uint32, 100_000)
	for i := range slots {
		slots[i] = uint32(i)
	}
	m, _ := planted(b, root, slots...)
	ring, to := crypto.NewKeyring(siren, root, m), crypto.NewKey()
	for i := 0; b.Loop(); i++ {
		if _, err := ring.Over(m).Forget([]uint32{uint32(i*7919) % 100_000}, to); err != nil {
			b.Fatal(err)
		}
	}
}
