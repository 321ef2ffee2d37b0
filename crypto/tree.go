package crypto

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
)

// The tree has one top node (level 0, wrapped by the root key) and four more
// levels; each node wraps 16 children, the last level wraps leaves.
const (
	treeFan    = 16
	treeLevels = 5
	// TreeSlots is how many leaves a territory can ever have: 16^5.
	TreeSlots = treeFan * treeFan * treeFan * treeFan * treeFan
	// growSlots is how many slots one [Keyring.Grow] prepares: one node of the
	// level before the last, so that a growth is one small command.
	growSlots = treeFan * treeFan
)

var (
	// ErrTreeFull says that all slots of the tree were handed out.
	ErrTreeFull = errors.New("the key tree has no free slot left")
	// ErrNoNode says that a node of the tree is not there (yet).
	ErrNoNode = errors.New("no such node in the key tree")
)

// TreeNode is one inner key of the tree, wrapped by its parent: a record.
type TreeNode struct {
	Level  uint8  `cbor:"1,keyasint"` // 0 is the top
	Index  uint32 `cbor:"2,keyasint"` // from the left; the parent's is Index/16
	ID     KeyID  `cbor:"3,keyasint"`
	Parent KeyID  `cbor:"4,keyasint"` // the key that wraps this one
	Box    []byte `cbor:"5,keyasint"`
}

// Leaf is a person's key as her record keeps it: wrapped by the node above.
type Leaf struct {
	Slot   uint32 `cbor:"1,keyasint"` // 0 ≤ Slot < TreeSlots, never used twice
	ID     KeyID  `cbor:"2,keyasint"`
	Parent KeyID  `cbor:"3,keyasint"`
	Box    []byte `cbor:"4,keyasint"`
}

// ParentIndex is the index, on the last level, of the node that wraps l.
func (l Leaf) ParentIndex() uint32 { return l.Slot / treeFan }

// LastLevel is the level whose nodes wrap leaves.
const LastLevel = treeLevels - 1

// Tree is where wrapped nodes are kept. TreeNode answers [ErrNoNode] for a node
// that does not exist.
type Tree interface {
	TreeNode(level uint8, index uint32) (TreeNode, error)
}

// Keyring opens leaves. It holds the root key and the inner keys that it has
// opened. Safe for concurrent use.
type Keyring struct {
	territory []byte
	root      Key
	tree      Tree

	mu     sync.Mutex // guards opened, for a map access
	opened map[nodeAt]Key
}

type nodeAt struct {
	level uint8
	index uint32
}

// NewKeyring opens leaves of territory's tree (its SIREN), topped by root.
func NewKeyring(territory string, root Key, tree Tree) *Keyring {
	return &Keyring{territory: []byte(territory), root: root, tree: tree, opened: map[nodeAt]Key{}}
}

// Grow returns the nodes that the tree lacks for the slots of the block in which
// slot lies, parents first. It returns none when nothing lacks. The caller
// commits them before it uses a slot of the block.
func (r *Keyring) Grow(slot uint32) ([]TreeNode, error) {
	if slot >= TreeSlots {
		return nil, ErrTreeFull
	}
	var lacking []TreeNode
	parent := r.root
	span := uint32(TreeSlots)
	for level := uint8(0); level < LastLevel; level++ {
		at := nodeAt{level, slot / span}
		k, err := r.node(at)
		if errors.Is(err, ErrNoNode) {
			k = NewKey()
			lacking = append(lacking, r.wrapNode(at, parent, k))
		} else if err != nil {
			return nil, err
		}
		parent = k
		span /= treeFan
	}
	first := slot / growSlots * treeFan
	for i := first; i < first+treeFan; i++ {
		at := nodeAt{LastLevel, i}
		if _, err := r.node(at); errors.Is(err, ErrNoNode) {
			lacking = append(lacking, r.wrapNode(at, parent, NewKey()))
		} else if err != nil {
			return nil, err
		}
	}
	return lacking, nil
}

// NewLeaf draws a leaf key for slot. The tree must have grown there:
// [ErrNoNode] otherwise.
func (r *Keyring) NewLeaf(slot uint32) (Leaf, Key, error) {
	if slot >= TreeSlots {
		return Leaf{}, Key{}, ErrTreeFull
	}
	parent, err := r.node(nodeAt{LastLevel, slot / treeFan})
	if err != nil {
		return Leaf{}, Key{}, err
	}
	k := NewKey()
	l := Leaf{Slot: slot, ID: k.ID(), Parent: parent.ID()}
	l.Box = parent.Seal(k.Reveal(), r.leafPlace(l))
	return l, k, nil
}

// Open unwraps a leaf key. [ErrDamaged]: the record was altered, or its wrapping
// key has been replaced since.
func (r *Keyring) Open(l Leaf) (Key, error) {
	parent, err := r.node(nodeAt{LastLevel, l.ParentIndex()})
	if err != nil {
		return Key{}, err
	}
	b, err := parent.Open(l.Box, r.leafPlace(l))
	if err != nil {
		return Key{}, err
	}
	return KeyFromBytes(b)
}

// node opens an inner key, from the cache or down from the root.
func (r *Keyring) node(at nodeAt) (Key, error) {
	r.mu.Lock()
	k, ok := r.opened[at]
	r.mu.Unlock()
	if ok {
		return k, nil
	}
	n, err := r.tree.TreeNode(at.level, at.index)
	if err != nil {
		return Key{}, err
	}
	parent := r.root
	if at.level > 0 {
		if parent, err = r.node(nodeAt{at.level - 1, at.index / treeFan}); err != nil {
			return Key{}, err
		}
	}
	b, err := parent.Open(n.Box, r.nodePlace(n))
	if err != nil {
		return Key{}, fmt.Errorf("key tree, level %d: %w", at.level, err)
	}
	if k, err = KeyFromBytes(b); err != nil {
		return Key{}, err
	}
	r.mu.Lock()
	r.opened[at] = k
	r.mu.Unlock()
	return k, nil
}

func (r *Keyring) wrapNode(at nodeAt, parent, k Key) TreeNode {
	n := TreeNode{Level: at.level, Index: at.index, ID: k.ID(), Parent: parent.ID()}
	n.Box = parent.Seal(k.Reveal(), r.nodePlace(n))
	return n
}

func (r *Keyring) nodePlace(n TreeNode) []byte {
	at := binary.BigEndian.AppendUint32([]byte{n.Level}, n.Index)
	return Place([]byte("tree node v1"), r.territory, at, n.ID[:], n.Parent[:])
}

func (r *Keyring) leafPlace(l Leaf) []byte {
	at := binary.BigEndian.AppendUint32(nil, l.Slot)
	return Place([]byte("tree leaf v1"), r.territory, at, l.ID[:], l.Parent[:])
}

// Over is a keyring with the same root over another tree: one that is about to
// be committed.
func (r *Keyring) Over(t Tree) *Keyring { return NewKeyring(string(r.territory), r.root, t) }
