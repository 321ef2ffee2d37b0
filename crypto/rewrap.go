package crypto

import (
	"errors"
	"slices"
)

// ErrStaleTree says that a [Rewrap] does not fit the tree in force: somebody was
// enrolled, or another root was committed, since it was computed.
var ErrStaleTree = errors.New("the key tree has moved on since this was computed; compute it again")

// ForgetMost is how many people one [Rewrap] may forget so that it surely fits
// into one command of 64 KiB, wherever in the tree they are.
const ForgetMost = 8

// Rewrap turns the tree from one root to another and leaves people out. It holds
// a new key for each node on the way to a forgotten leaf, and all that hangs on
// these nodes, wrapped again. Whoever has the new root opens the new tree; the
// forgotten hang on nodes that only the old root opens.
type Rewrap struct {
	From   KeyID        `cbor:"1,keyasint"` // the root before
	To     KeyID        `cbor:"2,keyasint"` // the root after, drawn for this one attempt
	Nodes  []RewrapNode `cbor:"3,keyasint"` // parents first
	Leaves []Leaf       `cbor:"4,keyasint"`
	Gone   []uint32     `cbor:"5,keyasint"` // slots, ascending
}

// RewrapNode is a node that takes another's place. With ID = Old it is the same
// key, wrapped by its parent's new one.
type RewrapNode struct {
	TreeNode
	Old KeyID `cbor:"6,keyasint"` // the node in force
}

// Replaced reports whether the node has a new key.
func (n RewrapNode) Replaced() bool { return n.ID != n.Old }

// Forget computes how the tree turns from the root in use to the root to without
// the leaves in slots; with none, only the top and what hangs on it is wrapped
// anew. It changes nothing.
//
// It reads some eighty places of the tree for one person; call it on
// [Keyring.Over] of one consistent view, a transaction. When the view is not
// consistent it answers [ErrStaleRoot], never a wrong Rewrap. [ErrNoLeaf]: one of
// the slots holds nobody.
func (r *Keyring) Forget(slots []uint32, to Key) (Rewrap, error) {
	o, root := r.known(), name(to)
	w := Rewrap{From: o.root.id, To: root.id, Gone: slices.Compact(slices.Sorted(slices.Values(slots)))}
	if w.From == w.To {
		return Rewrap{}, errors.New("crypto: a rewrap has a root of its own")
	}
	top, err := r.tree.TreeNode(0, 0)
	if err != nil {
		return Rewrap{}, err
	}
	path := []turning{{at: nodeAt{}, was: o.root, is: root}}
	if path[0], err = r.replace(&w, top, path[0]); err != nil {
		return Rewrap{}, err
	}
	for level := uint8(1); level <= LastLevel; level++ {
		var below []turning
		for _, parent := range path {
			for i := range uint32(treeFan) {
				at := nodeAt{level, parent.at.index*treeFan + i}
				n, err := r.tree.TreeNode(at.level, at.index)
				if errors.Is(err, ErrNoNode) {
					continue
				}
				if err != nil {
					return Rewrap{}, err
				}
				if !leadsTo(at, w.Gone) {
					k, err := r.unwrapNode(n, parent.was)
					if err != nil {
						return Rewrap{}, err
					}
					w.Nodes = append(w.Nodes, RewrapNode{r.wrapNode(at, parent.is, k), n.ID})
					continue
				}
				next, err := r.replace(&w, n, parent)
				if err != nil {
					return Rewrap{}, err
				}
				below = append(below, next)
			}
		}
		path = below
	}
	gone := 0
	for _, parent := range path {
		for i := range uint32(treeFan) {
			slot := parent.at.index*treeFan + i
			l, err := r.tree.TreeLeaf(slot)
			if errors.Is(err, ErrNoLeaf) {
				continue
			}
			if err != nil {
				return Rewrap{}, err
			}
			k, err := r.unwrapLeaf(l, parent.was)
			if err != nil {
				return Rewrap{}, err
			}
			if _, leaves := slices.BinarySearch(w.Gone, slot); leaves {
				gone++
				continue
			}
			w.Leaves = append(w.Leaves, r.wrapLeaf(slot, parent.is, named{k, l.ID}))
		}
	}
	if gone < len(w.Gone) {
		return Rewrap{}, ErrNoLeaf
	}
	return w, nil
}

// turning is a node on the way to somebody who is forgotten, or the root: its
// key and the one that takes its place.
type turning struct {
	at      nodeAt
	was, is named
}

// replace puts a node with a fresh key under parent.is into w.
func (r *Keyring) replace(w *Rewrap, n TreeNode, parent turning) (turning, error) {
	was, err := r.unwrapNode(n, parent.was)
	if err != nil {
		return turning{}, err
	}
	t := turning{nodeAt{n.Level, n.Index}, was, name(NewKey())}
	w.Nodes = append(w.Nodes, RewrapNode{r.wrapNode(t.at, parent.is, t.is), n.ID})
	return t, nil
}

func leadsTo(at nodeAt, slots []uint32) bool {
	return slices.ContainsFunc(slots, func(slot uint32) bool { return pathNode(slot, at.level) == at })
}

// Fits answers [ErrStaleTree] unless w takes the whole place of what it replaces
// in the tree in force. It compares names and opens nothing, so that every
// replica decides alike:
//
//   - the top hangs on From, and will hang on To;
//   - each node named is in force, and each key is named once;
//   - what hangs on a replaced node is in w, wrapped by its new key, whoever was
//     enrolled since included, or is gone: nobody who stays is cut off;
//   - every node on the way to somebody gone is replaced: nobody who is gone can
//     be reached under To.
//
// Another error is the tree's own.
func (w Rewrap) Fits(t Tree) error {
	nodes := map[nodeAt]RewrapNode{}
	for i, n := range w.Nodes {
		at := nodeAt{n.Level, n.Index}
		if _, twice := nodes[at]; twice || n.Level > LastLevel {
			return ErrStaleTree
		}
		old, err := t.TreeNode(n.Level, n.Index)
		if errors.Is(err, ErrNoNode) || err == nil && old.ID != n.Old {
			return ErrStaleTree
		}
		if err != nil {
			return err
		}
		if i == 0 {
			if at != (nodeAt{}) || old.Parent != w.From || n.Parent != w.To || w.From == w.To || !n.Replaced() {
				return ErrStaleTree
			}
		} else {
			parent, there := nodes[nodeAt{n.Level - 1, n.Index / treeFan}]
			if n.Level == 0 || !there || !parent.Replaced() || n.Parent != parent.ID {
				return ErrStaleTree
			}
		}
		nodes[at] = n
	}
	leaves := map[uint32]Leaf{}
	for _, l := range w.Leaves {
		if _, twice := leaves[l.Slot]; twice {
			return ErrStaleTree
		}
		leaves[l.Slot] = l
	}
	if len(nodes) == 0 {
		return ErrStaleTree
	}
	found := 0
	for _, n := range w.Nodes {
		if !n.Replaced() {
			continue
		}
		for i := range uint32(treeFan) {
			child := n.Index*treeFan + i
			if n.Level < LastLevel {
				_, err := t.TreeNode(n.Level+1, child)
				if errors.Is(err, ErrNoNode) {
					continue
				}
				if err != nil {
					return err
				}
				if _, there := nodes[nodeAt{n.Level + 1, child}]; !there {
					return ErrStaleTree
				}
				continue
			}
			old, err := t.TreeLeaf(child)
			if errors.Is(err, ErrNoLeaf) {
				continue
			}
			if err != nil {
				return err
			}
			l, stays := leaves[child]
			_, goes := slices.BinarySearch(w.Gone, child)
			if stays == goes || stays && (l.ID != old.ID || l.Parent != n.ID) {
				return ErrStaleTree
			}
			found++
		}
	}
	// Each leaf and each slot of w was met under a replaced node, or hangs on
	// nothing that w replaces. Gone ascends, so that no slot counts twice.
	if found != len(w.Leaves)+len(w.Gone) || !ascending(w.Gone) {
		return ErrStaleTree
	}
	return nil
}

func ascending(slots []uint32) bool {
	for i := 1; i < len(slots); i++ {
		if slots[i] <= slots[i-1] {
			return false
		}
	}
	return true
}
