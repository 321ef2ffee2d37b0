package feed

import (
	"golang.org/x/mod/sumdb/tlog"
)

// Tree computes heads while entries pass by. It holds one hash for each bit of the
// size. The zero Tree is empty.
type Tree struct {
	size int64
	edge []tlog.Hash // of the full subtrees, largest first
}

// Add appends an entry.
func (t *Tree) Add(entry []byte) { t.AddHash(tlog.RecordHash(entry)) }

// AddHash appends an entry by its leaf hash.
func (t *Tree) AddHash(h tlog.Hash) {
	t.size++
	for n := t.size; n&1 == 0; n >>= 1 {
		last := len(t.edge) - 1
		h = tlog.NodeHash(t.edge[last], h)
		t.edge = t.edge[:last]
	}
	t.edge = append(t.edge, h)
}

// Head is the state after the entries so far.
func (t *Tree) Head() Head {
	if t.size == 0 {
		return EmptyHead()
	}
	root := t.edge[len(t.edge)-1]
	for i := len(t.edge) - 2; i >= 0; i-- {
		root = tlog.NodeHash(t.edge[i], root)
	}
	return Head{t.size, root}
}

// Consistent checks that new continues old, with the stored hashes of the newer tree.
// They are checked, too: [ErrRoot] when they do not lead to new. [ErrFork] when new
// does not continue old, [ErrOld] when it is the smaller one.
func Consistent(old, new Head, newer tlog.HashReader) error {
	switch {
	case new.Size < old.Size:
		return ErrOld
	case new == old:
		return nil
	case new.Size == old.Size:
		return ErrFork
	}
	root, err := tlog.TreeHash(new.Size, newer)
	if err != nil {
		return err
	}
	if root != new.Root {
		return ErrRoot
	}
	before, err := tlog.TreeHash(old.Size, newer)
	if err != nil {
		return err
	}
	// Both roots are of the same stored hashes only if a proof between them holds: a
	// reader that makes hashes up could serve each root from other ones.
	if before != old.Root {
		return ErrFork
	}
	if old.Size == 0 {
		return nil
	}
	proof, err := tlog.ProveTree(new.Size, old.Size, newer)
	if err != nil {
		return err
	}
	if tlog.CheckTree(proof, new.Size, new.Root, old.Size, old.Root) != nil {
		return ErrRoot
	}
	return nil
}

// Evidence is two checkpoints that the same writer signed and that contradict each
// other: whoever holds it can show it to anybody. Of the same size, they speak for
// themselves. Of different sizes, Prefix and Proof show what the larger one, B, says
// that the feed was at A's size.
type Evidence struct {
	A, B   []byte
	Prefix tlog.Hash
	Proof  tlog.TreeProof
}

// Verify returns nil when the writer's quorum has signed both and they contradict
// each other. [ErrCheckpoint], [ErrQuorum]; [ErrFork] never, since that is what is
// shown; [ErrRoot] when they do not contradict each other, or it is not proved.
func (e Evidence) Verify(p Policy) error {
	a, err := ParseCheckpoint(e.A)
	if err != nil {
		return err
	}
	b, err := ParseCheckpoint(e.B)
	if err != nil {
		return err
	}
	for _, c := range []Checkpoint{a, b} {
		if err := p.Quorate(c); err != nil {
			return err
		}
	}
	if a.Head.Size == b.Head.Size {
		if a.Head.Root == b.Head.Root {
			return ErrRoot
		}
		return nil
	}
	if a.Head.Size < 1 || a.Head.Size > b.Head.Size || e.Prefix == a.Head.Root ||
		tlog.CheckTree(e.Proof, b.Head.Size, b.Head.Root, a.Head.Size, e.Prefix) != nil {
		return ErrRoot
	}
	return nil
}

// Contradict makes the evidence that b does not continue a, from the stored hashes of
// b's tree. [ErrRoot] when it does, or the hashes are not b's.
func Contradict(a, b Checkpoint, newer tlog.HashReader) (Evidence, error) {
	e := Evidence{A: a.Signed, B: b.Signed}
	switch {
	case a.Head.Size > b.Head.Size || a.Head.Size == 0 || a.Head == b.Head:
		return Evidence{}, ErrRoot
	case a.Head.Size == b.Head.Size:
		return e, nil
	}
	var err error
	if e.Prefix, err = tlog.TreeHash(a.Head.Size, newer); err != nil {
		return Evidence{}, err
	}
	if e.Proof, err = tlog.ProveTree(b.Head.Size, a.Head.Size, newer); err != nil {
		return Evidence{}, err
	}
	if e.Prefix == a.Head.Root || tlog.CheckTree(e.Proof, b.Head.Size, b.Head.Root, a.Head.Size, e.Prefix) != nil {
		return Evidence{}, ErrRoot
	}
	return e, nil
}
