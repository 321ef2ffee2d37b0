package machine

import (
	"errors"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/store"
)

// checkNodes refuses nodes that exist already or whose parent is not the key in
// force. Of the top, whose parent is the root, only the absence is checked: the
// machine never sees a root.
func (a *act) checkNodes(nodes []crypto.TreeNode) error {
	type at struct {
		level uint8
		index uint32
	}
	var fresh []crypto.TreeNode
	key := func(p at) (crypto.KeyID, bool) {
		for _, n := range fresh {
			if n.Level == p.level && n.Index == p.index {
				return n.ID, true
			}
		}
		n, err := a.tx.TreeNode(p.level, p.index)
		if errors.Is(err, crypto.ErrNoNode) {
			return crypto.KeyID{}, false
		}
		a.must(err)
		return n.ID, true
	}
	for _, n := range nodes {
		if _, there := key(at{n.Level, n.Index}); there {
			return refuse.StaleTree
		}
		if n.Level > 0 {
			if parent, there := key(at{n.Level - 1, n.Index / 16}); !there || parent != n.Parent {
				return refuse.StaleTree
			}
		}
		fresh = append(fresh, n)
	}
	return nil
}

// takeSlots checks that each leaf hangs on the key in force and has a slot that
// nobody has had, not even somebody whose key is gone, and puts it in the tree. A
// record keeps its name only: see nameOf.
func (a *act) takeSlots(leaves ...crypto.Leaf) error {
	for i, l := range leaves {
		taken, err := store.SlotTaken(a.tx, l.Slot)
		a.must(err)
		n, err := a.tx.TreeNode(crypto.LastLevel, l.ParentIndex())
		if errors.Is(err, crypto.ErrNoNode) || err == nil && n.ID != l.Parent || taken {
			return refuse.StaleTree
		}
		a.must(err)
		for _, other := range leaves[:i] {
			if other.Slot == l.Slot {
				return refuse.StaleTree
			}
		}
	}
	mark, err := a.tx.Meta("slots")
	a.must(err)
	for _, l := range leaves {
		a.tx.PutTreeLeaf(l)
		mark = max(mark, uint64(l.Slot)+1)
	}
	a.tx.SetMeta("slots", mark)
	return nil
}

// nameOf is what a record keeps of its leaf, so that a copy of the records holds
// no key.
func nameOf(l crypto.Leaf) crypto.Leaf { return crypto.Leaf{Slot: l.Slot, ID: l.ID} }

func leavesOf(c command.ImportRows) []crypto.Leaf {
	leaves := make([]crypto.Leaf, 0, len(c.Beneficiaries)+len(c.Volunteers))
	for _, b := range c.Beneficiaries {
		leaves = append(leaves, b.Leaf)
	}
	for _, v := range c.Volunteers {
		leaves = append(leaves, v.Leaf)
	}
	return leaves
}
