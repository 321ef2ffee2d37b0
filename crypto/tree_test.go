package crypto_test

import (
	"bytes"
	"errors"
	"flag"
	"testing"

	"github.com/bippop/bippop/crypto"
	"pgregory.net/rapid"
)

// tree holds nodes by level and index, and leaves below level 5.
type tree map[[2]uint32]any

func (m tree) TreeLeaf(slot uint32) (crypto.Leaf, error) {
	l, ok := m[[2]uint32{crypto.LastLevel + 1, slot}].(crypto.Leaf)
	if !ok {
		return l, crypto.ErrNoLeaf
	}
	return l, nil
}

func (m tree) keep(l crypto.Leaf) { m[[2]uint32{crypto.LastLevel + 1, l.Slot}] = l }

func (m tree) apply(w crypto.Rewrap) {
	for _, n := range w.Nodes {
		m[[2]uint32{uint32(n.Level), n.Index}] = n.TreeNode
	}
	for _, l := range w.Leaves {
		m.keep(l)
	}
	for _, slot := range w.Gone {
		delete(m, [2]uint32{crypto.LastLevel + 1, slot})
	}
}

func (m tree) TreeNode(level uint8, index uint32) (crypto.TreeNode, error) {
	n, ok := m[[2]uint32{uint32(level), index}].(crypto.TreeNode)
	if !ok {
		return n, crypto.ErrNoNode
	}
	return n, nil
}

func (m tree) grow(t interface{ Fatal(...any) }, r *crypto.Keyring, slot uint32) {
	nodes, err := r.Grow(slot)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		at := [2]uint32{uint32(n.Level), n.Index}
		if _, there := m[at]; there {
			t.Fatal("a node that is there was made again")
		}
		if n.Level > 0 {
			if parent, there := m[[2]uint32{uint32(n.Level) - 1, n.Index / 16}].(crypto.TreeNode); !there || parent.ID != n.Parent {
				t.Fatal("a node comes before its parent")
			}
		}
		m[at] = n
	}
}

const siren = "200044394"

// TestTree: whatever slots are used in whatever order, a keyring that has only
// the root and the records opens every leaf; a damaged or moved record opens
// nothing.
func TestTree(t *testing.T) {
	if *long {
		flag.Set("rapid.checks", "2000")
	}
	rapid.Check(t, func(t *rapid.T) {
		root, m := crypto.NewKey(), tree{}
		writer := crypto.NewKeyring(siren, root, m)
		type held struct {
			leaf crypto.Leaf
			key  crypto.Key
		}
		var leaves []held
		slots := rapid.OneOf(rapid.Uint32Range(0, 600), rapid.Uint32Range(0, crypto.TreeSlots-1), rapid.Just(uint32(crypto.TreeSlots-1)))
		for range rapid.IntRange(1, 6).Draw(t, "leaves") {
			slot := slots.Draw(t, "slot")
			if _, err := m.TreeLeaf(slot); err == nil {
				continue // a slot is never used twice
			}
			m.grow(t, writer, slot)
			if more, err := writer.Grow(slot); err != nil || len(more) > 0 {
				t.Fatalf("grown twice: %d nodes, %v", len(more), err)
			}
			if more, err := writer.Grow(slot | 255); err != nil || len(more) > 0 {
				t.Fatalf("the block was not grown as a whole: %d nodes, %v", len(more), err)
			}
			l, k, err := writer.NewLeaf(slot)
			if err != nil || l.Slot != slot || l.ID != k.ID() {
				t.Fatalf("%+v, %v", l, err)
			}
			m.keep(l)
			leaves = append(leaves, held{l, k})
		}
		reader := crypto.NewKeyring(siren, root, m)
		for _, h := range leaves {
			got, err := reader.Open(crypto.Leaf{Slot: h.leaf.Slot, ID: h.leaf.ID})
			if err != nil || !bytes.Equal(got.Reveal(), h.key.Reveal()) {
				t.Fatalf("leaf %d: %v", h.leaf.Slot, err)
			}
			if _, err := writer.Over(m).Open(h.leaf); err != nil {
				t.Fatal(err)
			}
		}
		l := leaves[rapid.IntRange(0, len(leaves)-1).Draw(t, "leaf")].leaf
		fails := func(name string, r *crypto.Keyring, l crypto.Leaf) {
			t.Helper()
			if k, err := r.Open(l); !errors.Is(err, crypto.ErrDamaged) && !errors.Is(err, crypto.ErrNoLeaf) && !errors.Is(err, crypto.ErrNoNode) && !errors.Is(err, crypto.ErrStaleRoot) || !k.Zero() {
				t.Fatalf("%s: %v", name, err)
			}
		}
		fails("another territory", crypto.NewKeyring("200000001", root, m), l)
		fails("another root", crypto.NewKeyring(siren, crypto.NewKey(), m), l)
		fails("an empty tree", crypto.NewKeyring(siren, root, tree{}), l)
		moved := l
		moved.Slot ^= 1
		fails("another slot", reader, moved)
		for name, change := range map[string]func(*crypto.Leaf){
			"id": func(l *crypto.Leaf) { l.ID[0] ^= 1 }, "parent": func(l *crypto.Leaf) { l.Parent[0] ^= 1 },
			"box": func(l *crypto.Leaf) { l.Box = bytes.Clone(l.Box); l.Box[30] ^= 1 }, "no box": func(l *crypto.Leaf) { l.Box = nil },
		} {
			bad := l
			change(&bad)
			m.keep(bad)
			if name == "id" {
				fails("another's leaf in her slot", reader, l)
			}
			fails("leaf with another "+name, reader, bad)
			m.keep(l)
		}
		if _, err := reader.Open(l); err != nil {
			t.Fatal(err)
		}
		// One changed node on the path, at any level, and nothing below it opens.
		level := uint32(rapid.IntRange(0, crypto.LastLevel).Draw(t, "level"))
		index := l.Slot / 16
		for range crypto.LastLevel - level {
			index /= 16
		}
		n := m[[2]uint32{level, index}].(crypto.TreeNode)
		switch rapid.IntRange(0, 3).Draw(t, "what") {
		case 0:
			n.Box = bytes.Clone(n.Box)
			n.Box[rapid.IntRange(0, len(n.Box)-1).Draw(t, "at")] ^= 1
		case 1:
			n.ID[0] ^= 1
		case 2:
			n.Parent[0] ^= 1
		case 3:
			n = crypto.TreeNode{Level: n.Level, Index: n.Index, ID: n.ID, Parent: n.Parent, Box: root.Seal(crypto.NewKey().Reveal(), nil)}
		}
		m[[2]uint32{level, index}] = n
		fails("a changed node", crypto.NewKeyring(siren, root, m), l)
	})
}

func TestTreeEnds(t *testing.T) {
	r := crypto.NewKeyring(siren, crypto.NewKey(), tree{})
	if _, err := r.Grow(crypto.TreeSlots); !errors.Is(err, crypto.ErrTreeFull) {
		t.Errorf("got %v", err)
	}
	if _, _, err := r.NewLeaf(crypto.TreeSlots); !errors.Is(err, crypto.ErrTreeFull) {
		t.Errorf("got %v", err)
	}
	if _, _, err := r.NewLeaf(0); !errors.Is(err, crypto.ErrNoNode) {
		t.Errorf("a leaf hangs on nothing: %v", err)
	}
}

// TestGrowIsSmall: what one growth adds fits into one command.
func TestGrowIsSmall(t *testing.T) {
	nodes, err := crypto.NewKeyring(siren, crypto.NewKey(), tree{}).Grow(0)
	if err != nil || len(nodes) != 4+16 {
		t.Errorf("%d nodes, %v", len(nodes), err)
	}
}
