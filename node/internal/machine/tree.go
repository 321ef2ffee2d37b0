package machine

import (
	"errors"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/refuse"
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
// nobody has had, not even somebody whose key is gone, and takes the slots.
func (a *act) takeSlots(leaves ...crypto.Leaf) error {
	for i, l := range leaves {
		taken, err := a.tx.SlotTaken(l.Slot)
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
		a.tx.TakeSlot(l.Slot)
		mark = max(mark, uint64(l.Slot)+1)
	}
	a.tx.SetMeta("slots", mark)
	return nil
}

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
