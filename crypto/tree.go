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
	// ErrNoLeaf says that a slot of the tree holds no leaf: its person was erased,
	// or it was never handed out.
	ErrNoLeaf = errors.New("no such leaf in the key tree: its person was erased, or never there")
	// ErrStaleRoot says that the tree in force hangs on another root than the
	// keyring's: the tree was turned a moment ago, or this replica was away.
	ErrStaleRoot = errors.New("the key tree hangs on another root key; this replica is fetching it, try again")
)

// TreeNode is one inner key of the tree, wrapped by its parent: a record.
type TreeNode struct {
	Level  uint8  `cbor:"1,keyasint"` // 0 is the top
	Index  uint32 `cbor:"2,keyasint"` // from the left; the parent's is Index/16
	ID     KeyID  `cbor:"3,keyasint"`
	Parent KeyID  `cbor:"4,keyasint"` // the key that wraps this one
	Box    []byte `cbor:"5,keyasint"`
}

// Leaf is a person's key as the tree keeps it: wrapped by the node above. Her
// record keeps Slot and ID only.
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

// Tree is where wrapped nodes and leaves are kept. Each of its methods reads
// what is in force.
type Tree interface {
	// TreeNode answers [ErrNoNode] for a node that does not exist.
	TreeNode(level uint8, index uint32) (TreeNode, error)
	// TreeLeaf answers [ErrNoLeaf] for a slot that was never handed out, and for
	// one whose person was erased.
	TreeLeaf(slot uint32) (Leaf, error)
}

// Keyring opens leaves. It holds the root key and the inner keys that it has
// opened. Safe for concurrent use.
type Keyring struct {
	territory []byte
	tree      Tree

	mu  sync.Mutex // guards now, for a pointer
	now *opened
}

// opened is what a keyring knows under one root. A reader that began under one
// root ends under it: what it opens late never enters the memory of the next.
type opened struct {
	root named

	mu    sync.Mutex // guards nodes, for a map access
	nodes map[nodeAt]named
}

// named is a key beside its name, which costs a hash.
type named struct {
	Key
	id KeyID
}

type nodeAt struct {
	level uint8
	index uint32
}

func name(k Key) named {
	if k.Zero() {
		return named{}
	}
	return named{k, k.ID()}
}

func under(root Key) *opened { return &opened{root: name(root), nodes: map[nodeAt]named{}} }

// NewKeyring opens leaves of territory's tree (its SIREN), topped by root. With
// the zero root it opens nothing until [Keyring.Turn]: [ErrStaleRoot].
func NewKeyring(territory string, root Key, tree Tree) *Keyring {
	return &Keyring{territory: []byte(territory), tree: tree, now: under(root)}
}

// Turn makes root the root and forgets every inner key. It is called once the
// tree in force hangs on root: between the two, leaves whose path was replaced
// answer [ErrStaleRoot].
func (r *Keyring) Turn(root Key) {
	next := under(root)
	r.mu.Lock()
	r.now = next
	r.mu.Unlock()
}

// Root names the root in use, all zero when there is none.
func (r *Keyring) Root() KeyID { return r.known().root.id }

func (r *Keyring) known() *opened {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

// steady runs look, and once more when the root was turned while it looked.
func (r *Keyring) steady(look func(*opened) error) error {
	was := r.known()
	err := look(was)
	if now := r.known(); now != was && errors.Is(err, ErrStaleRoot) {
		err = look(now)
	}
	return err
}

// Grow returns the nodes that the tree lacks for the slots of the block in which
// slot lies, parents first. It returns none when nothing lacks. The caller
// commits them before it uses a slot of the block.
func (r *Keyring) Grow(slot uint32) (lacking []TreeNode, err error) {
	if slot >= TreeSlots {
		return nil, ErrTreeFull
	}
	err = r.steady(func(o *opened) error {
		lacking, err = r.grow(o, slot)
		return err
	})
	return lacking, err
}

func (r *Keyring) grow(o *opened, slot uint32) (lacking []TreeNode, err error) {
	parent := o.root
	if parent.Zero() {
		return nil, ErrStaleRoot
	}
	for level := uint8(0); level < LastLevel; level++ {
		at := pathNode(slot, level)
		k, err := r.node(o, at)
		if errors.Is(err, ErrNoNode) {
			k = name(NewKey())
			lacking = append(lacking, r.wrapNode(at, parent, k))
		} else if err != nil {
			return nil, err
		}
		parent = k
	}
	first := slot / growSlots * treeFan
	for i := first; i < first+treeFan; i++ {
		at := nodeAt{LastLevel, i}
		if _, err := r.node(o, at); errors.Is(err, ErrNoNode) {
			lacking = append(lacking, r.wrapNode(at, parent, name(NewKey())))
		} else if err != nil {
			return nil, err
		}
	}
	return lacking, nil
}

// NewLeaf draws a leaf key for slot. The tree must have grown there:
// [ErrNoNode] otherwise.
func (r *Keyring) NewLeaf(slot uint32) (l Leaf, k Key, err error) {
	if slot >= TreeSlots {
		return Leaf{}, Key{}, ErrTreeFull
	}
	err = r.steady(func(o *opened) error {
		parent, err := r.node(o, pathNode(slot, LastLevel))
		if err != nil {
			return err
		}
		leaf := name(NewKey())
		l, k = r.wrapLeaf(slot, parent, leaf), leaf.Key
		return nil
	})
	return l, k, err
}

// Open unwraps the leaf key that the tree keeps in l's slot; of l only Slot and
// ID count. [ErrNoLeaf]: it was erased, or never there. [ErrStaleRoot]: the tree
// hangs on another root. [ErrDamaged]: the tree was altered, or keeps another
// person's leaf there.
func (r *Keyring) Open(l Leaf) (k Key, err error) {
	err = r.steady(func(o *opened) error {
		kept, err := r.tree.TreeLeaf(l.Slot)
		if errors.Is(err, ErrNoLeaf) && len(l.Box) > 0 {
			kept, err = l, nil // a record of the first format brings its leaf along
		}
		if err != nil {
			return err
		}
		if kept.Slot != l.Slot || kept.ID != l.ID {
			return ErrDamaged
		}
		parent, err := r.node(o, pathNode(kept.Slot, LastLevel))
		if err != nil {
			return err
		}
		k, err = r.unwrapLeaf(kept, parent)
		return err
	})
	return k, err
}

// node opens an inner key, from what is known or down from the root.
func (r *Keyring) node(o *opened, at nodeAt) (named, error) {
	o.mu.Lock()
	k, ok := o.nodes[at]
	o.mu.Unlock()
	if ok {
		return k, nil
	}
	n, err := r.tree.TreeNode(at.level, at.index)
	if err != nil {
		return named{}, err
	}
	parent := o.root
	if at.level > 0 {
		if parent, err = r.node(o, nodeAt{at.level - 1, at.index / treeFan}); err != nil {
			return named{}, err
		}
	}
	if k, err = r.unwrapNode(n, parent); err != nil {
		return named{}, err
	}
	o.mu.Lock()
	o.nodes[at] = k
	o.mu.Unlock()
	return k, nil
}

func (r *Keyring) wrapNode(at nodeAt, parent, k named) TreeNode {
	n := TreeNode{Level: at.level, Index: at.index, ID: k.id, Parent: parent.id}
	n.Box = parent.Seal(k.Reveal(), r.nodePlace(n))
	return n
}

func (r *Keyring) unwrapNode(n TreeNode, parent named) (named, error) {
	if n.Parent != parent.id || parent.Zero() {
		return named{}, ErrStaleRoot
	}
	b, err := parent.Open(n.Box, r.nodePlace(n))
	if err != nil {
		return named{}, fmt.Errorf("key tree, level %d: %w", n.Level, err)
	}
	k, err := KeyFromBytes(b)
	return named{k, n.ID}, err
}

func (r *Keyring) wrapLeaf(slot uint32, parent, k named) Leaf {
	l := Leaf{Slot: slot, ID: k.id, Parent: parent.id}
	l.Box = parent.Seal(k.Reveal(), r.leafPlace(l))
	return l
}

func (r *Keyring) unwrapLeaf(l Leaf, parent named) (Key, error) {
	if l.Parent != parent.id {
		return Key{}, ErrStaleRoot
	}
	b, err := parent.Open(l.Box, r.leafPlace(l))
	if err != nil {
		return Key{}, err
	}
	return KeyFromBytes(b)
}

// pathNode is the node of a level through which the way to slot leads.
func pathNode(slot uint32, level uint8) nodeAt {
	for range treeLevels - level {
		slot /= treeFan
	}
	return nodeAt{level, slot}
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
// be committed, or one consistent view of the tree in force.
func (r *Keyring) Over(t Tree) *Keyring {
	return &Keyring{territory: r.territory, tree: t, now: &opened{root: r.known().root, nodes: map[nodeAt]named{}}}
}
