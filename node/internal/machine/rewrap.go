package machine

import (
	"errors"
	"slices"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/refuse"
)

// place is where a node of the key tree stands.
type place struct {
	level uint8
	index uint32
}

// rotation is a rewrap that is compared with the tree in force.
type rotation struct {
	*act
	crypto.Rewrap
	nodes  map[place]crypto.RewrapNode
	leaves map[uint32]crypto.Leaf
	gone   map[uint32]bool
}

// rotationOf sorts what comes along by its place.
func rotationOf(a *act, r crypto.Rewrap) rotation {
	x := rotation{a, r, map[place]crypto.RewrapNode{}, map[uint32]crypto.Leaf{}, map[uint32]bool{}}
	for _, n := range x.Nodes {
		x.nodes[place{n.Level, n.Index}] = n
	}
	for _, l := range x.Leaves {
		x.leaves[l.Slot] = l
	}
	for _, slot := range x.Gone {
		x.gone[slot] = true
	}
	return x
}

// check compares by name, blindly: the root that is replaced is the one in
// force, every node that gets another key is the one in force and everything that
// hangs on it comes along. Somebody who was enrolled, or a node that grew, since
// the rewrap was made is missing in it: it is stale, and nobody's key is lost.
func (x rotation) check() error {
	roots := replicas{x.act}
	if roots.wasRoot(x.To) || x.To == (crypto.KeyID{}) || x.From != roots.root() || !x.once() || !x.names() {
		return refuse.StaleTree
	}
	for _, n := range x.Nodes {
		if !x.hangs(n) || n.ID != n.Old && !x.brings(n) {
			return refuse.StaleTree
		}
	}
	for _, l := range x.Leaves {
		if x.gone[l.Slot] || !x.anew(l.ParentIndex()) {
			return refuse.StaleTree
		}
	}
	for _, slot := range x.Gone {
		if slot >= crypto.TreeSlots || !x.anew(crypto.Leaf{Slot: slot}.ParentIndex()) {
			return refuse.StaleTree
		}
	}
	return nil
}

// once reports whether the top comes along, and nothing twice.
func (x rotation) once() bool {
	_, top := x.nodes[place{}]
	return top && len(x.nodes) == len(x.Nodes) && len(x.leaves) == len(x.Leaves) && len(x.gone) == len(x.Gone)
}

// names reports whether each fresh key has a name of its own, that is in force
// nowhere in the command.
func (x rotation) names() bool {
	var fresh []crypto.KeyID
	for _, n := range x.Nodes {
		if n.ID != n.Old {
			fresh = append(fresh, n.ID)
		}
	}
	return !slices.ContainsFunc(x.Nodes, func(n crypto.RewrapNode) bool { return slices.Contains(fresh, n.Old) })
}

// hangs reports whether n replaces the node in force, and hangs on the new root
// or on a node that gets another key.
func (x rotation) hangs(n crypto.RewrapNode) bool {
	have, there := x.node(place{n.Level, n.Index})
	if !there || have.ID != n.Old || len(n.Box) == 0 {
		return false
	}
	if n.Level == 0 {
		return n.Parent == x.To
	}
	parent, along := x.nodes[place{n.Level - 1, n.Index / 16}]
	return along && parent.ID != parent.Old && n.Parent == parent.ID
}

// brings reports whether everything that hangs on n comes along with it.
func (x rotation) brings(n crypto.RewrapNode) bool {
	for i := 16 * n.Index; i < 16*n.Index+16; i++ {
		if n.Level < crypto.LastLevel {
			below := place{n.Level + 1, i}
			_, there := x.node(below)
			if _, along := x.nodes[below]; there != along {
				return false
			}
			continue
		}
		have, there := x.leaf(i)
		l, along := x.leaves[i]
		switch {
		case x.gone[i] && (!there || along):
			return false
		case x.gone[i]:
		case there != along:
			return false
		case along && (l.ID != have.ID || l.Parent != n.ID || len(l.Box) == 0):
			return false
		}
	}
	return true
}

// anew reports whether the node of the last level at index gets another key.
func (x rotation) anew(index uint32) bool {
	n, along := x.nodes[place{crypto.LastLevel, index}]
	return along && n.ID != n.Old
}

func (x rotation) node(at place) (crypto.TreeNode, bool) {
	n, err := x.tx.TreeNode(at.level, at.index)
	if errors.Is(err, crypto.ErrNoNode) {
		return n, false
	}
	x.must(err)
	return n, true
}

func (x rotation) leaf(slot uint32) (crypto.Leaf, bool) {
	l, err := x.tx.TreeLeaf(slot)
	if errors.Is(err, crypto.ErrNoLeaf) {
		return l, false
	}
	x.must(err)
	return l, true
}

// write replaces the tree. It was checked.
func (x rotation) write() {
	for _, n := range x.Nodes {
		x.tx.PutTreeNode(n.TreeNode)
	}
	for _, l := range x.Leaves {
		x.tx.PutTreeLeaf(l)
	}
	for _, slot := range x.Gone {
		x.tx.DropLeaf(slot)
	}
}
