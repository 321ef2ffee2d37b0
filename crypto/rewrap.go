package crypto

import "errors"

// Rewrap replaces the root From by To. It has new keys for the nodes above the
// slots that are Gone, and wraps everything else below them anew. It holds no key
// in clear: it may stand in the log.
type Rewrap struct {
	From   KeyID        `cbor:"1,keyasint"` // the root in force
	To     KeyID        `cbor:"2,keyasint"`
	Nodes  []RewrapNode `cbor:"3,keyasint"` // the top first
	Leaves []Leaf       `cbor:"4,keyasint"` // of those who stay, wrapped by a new node
	Gone   []uint32     `cbor:"5,keyasint"` // slots whose leaves are forgotten
}

// RewrapNode is a node as it stands afterwards. Its ID is Old when the key stays
// and only its wrapping is new.
type RewrapNode struct {
	TreeNode
	Old KeyID `cbor:"6,keyasint"` // of the node that is in force at this place
}

// ErrNoLeaf says that a slot of the tree holds no leaf: its person was erased, or
// it was never handed out.
var ErrNoLeaf = errors.New("no such leaf in the key tree: its person was erased, or never there")
