package rotation_test

import (
	"maps"
	"slices"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/rotation"
)

// rid is a replica's ID, never used twice.
type rid int

// tree is one state of the key tree; it is never changed once it is in a state.
type tree struct {
	nodes  map[[2]uint32]crypto.TreeNode
	leaves map[uint32]crypto.Leaf
}

func (t tree) TreeNode(level uint8, index uint32) (crypto.TreeNode, error) {
	n, ok := t.nodes[[2]uint32{uint32(level), index}]
	if !ok {
		return n, crypto.ErrNoNode
	}
	return n, nil
}

func (t tree) TreeLeaf(slot uint32) (crypto.Leaf, error) {
	l, ok := t.leaves[slot]
	if !ok {
		return l, crypto.ErrNoLeaf
	}
	return l, nil
}

type kind uint8

const (
	noop kind = iota
	enrol
	erase
	join      // record a replica that may come
	voters    // who votes from now on; who voted and does not is removed
	destroyed // a person has seen that a removed replica's vault is no more
	holds     // a replica reports its root
	backup    // a destination reports its key backup
)

// entry is one entry of the log. Only the fields of its kind are set.
type entry struct {
	term   int
	kind   kind
	leaf   crypto.Leaf
	rewrap crypto.Rewrap
	id     rid // with voters: one who joined, never voted, and is removed
	root   crypto.KeyID
	voters []rid
	dest   int
	begun  uint64
}

const destinations = 2

type record struct {
	rotation.Replica
	removed bool
}

type erasure struct {
	rotation.Erasure
	slots     []uint32
	certified bool
}

// state is the machine's, after an entry. It is never changed.
type state struct {
	index    uint64
	tree     tree
	root     crypto.KeyID
	numbers  map[crypto.KeyID]uint64
	records  map[rid]record
	voters   []rid
	erasures []erasure
	backups  [destinations]rotation.Backup
}

// apply is the machine: what every replica does with a committed entry.
func (s *state) apply(w *world, e *entry) *state {
	next := *s
	next.index++
	switch e.kind {
	case enrol:
		n, err := s.tree.TreeNode(crypto.LastLevel, e.leaf.ParentIndex())
		if _, taken := s.tree.leaves[e.leaf.Slot]; taken || err != nil || n.ID != e.leaf.Parent {
			break
		}
		next.tree.leaves = maps.Clone(s.tree.leaves)
		next.tree.leaves[e.leaf.Slot] = e.leaf
	case erase:
		fits := e.rewrap.Fits(s.tree) == nil
		if w.broken == "completeness" { // only the root is compared
			fits = e.rewrap.From == s.root && !slices.ContainsFunc(e.rewrap.Gone, func(slot uint32) bool { _, there := s.tree.leaves[slot]; return !there })
		}
		if !fits {
			break
		}
		next.tree = tree{maps.Clone(s.tree.nodes), maps.Clone(s.tree.leaves)}
		for _, n := range e.rewrap.Nodes {
			next.tree.nodes[[2]uint32{uint32(n.Level), n.Index}] = n.TreeNode
		}
		for _, l := range e.rewrap.Leaves {
			next.tree.leaves[l.Slot] = l
		}
		for _, slot := range e.rewrap.Gone {
			delete(next.tree.leaves, slot)
		}
		next.root, next.numbers = e.rewrap.To, maps.Clone(s.numbers)
		next.numbers[next.root] = s.numbers[s.root] + 1
		next.erasures = append(slices.Clone(s.erasures), erasure{Erasure: rotation.Erasure{Index: next.index, Root: next.numbers[next.root]}, slots: e.rewrap.Gone})
	case join:
		next.records = maps.Clone(s.records)
		next.records[e.id] = record{Replica: rotation.Replica{Joined: next.index}}
	case voters:
		next.records, next.voters = maps.Clone(s.records), e.voters
		for _, v := range s.voters {
			if !slices.Contains(e.voters, v) {
				next.remove(v)
			}
		}
		if _, ok := next.records[e.id]; ok && e.id > 0 {
			next.remove(e.id)
		}
	case destroyed:
		if r, ok := s.records[e.id]; ok && r.removed {
			next.records = maps.Clone(s.records)
			r.Destroyed = true
			next.records[e.id] = r
		}
	case holds:
		if r, ok := s.records[e.id]; ok && s.numbers[e.root] > r.Root {
			next.records = maps.Clone(s.records)
			r.Root = s.numbers[e.root]
			next.records[e.id] = r
		}
	case backup:
		if b := (rotation.Backup{Root: s.numbers[e.root], Begun: e.begun}); b.Root >= s.backups[e.dest].Root && b.Begun >= s.backups[e.dest].Begun {
			next.backups[e.dest] = b
		}
	}
	next.certify(w)
	return &next
}

func (s *state) remove(id rid) {
	r := s.records[id]
	r.removed = true
	s.records[id] = r
}

func (s *state) certify(w *world) {
	s.erasures = slices.Clone(s.erasures)
	for i := range s.erasures {
		e := &s.erasures[i]
		if e.Acknowledged == 0 {
			waits := false
			for _, r := range s.records {
				if w.broken == "removed replicas count" && r.removed || w.broken == "joining replicas count" && r.Root == 0 && r.Joined > 1 {
					continue
				}
				waits = waits || e.Awaits(r.Replica)
			}
			if waits {
				continue
			}
			e.Acknowledged = s.index
		}
		e.certified = !slices.ContainsFunc(s.backups[:], func(b rotation.Backup) bool {
			if w.broken == "backups begin after the acknowledgements" {
				return b.Root < e.Root
			}
			return !e.Covered(b)
		})
	}
}
