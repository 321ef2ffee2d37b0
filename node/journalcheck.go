package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/node/internal/erasure"
	"github.com/bippop/bippop/node/internal/journal"
	"github.com/bippop/bippop/node/internal/store"
	"golang.org/x/mod/sumdb/tlog"
)

// JournalCheck is what a check of the whole journal has found.
type JournalCheck struct {
	Entries  uint64
	Bodies   uint64 // that are there
	Gone     uint64 // that went with their month
	Root     string // of the tree now, hexadecimal
	Head     JournalHead
	Faults   []JournalFault // at most [mostJournalFaults]; none: nothing was altered
	Replicas []JournalChain
}

// JournalHead is the newest head that most replicas have signed.
type JournalHead struct {
	Size    uint64
	Root    string // hexadecimal: to be written down and compared later
	At      Instant
	Signers int
	Of      int
}

// JournalChain is how far one replica's entries are recorded.
type JournalChain struct {
	Replica ReplicaID
	Name    string
	Entries uint64
	Waiting uint64  // noted on its disk, when it last said so, and not recorded
	At      Instant // of the last
	Removed Instant // when the replica was taken out: what it had noted after At may be lost; 0: it is there
}

// JournalFault is something that was altered. Codes: "missing" (an entry is not there),
// "rewritten" (an entry is not the one that was hashed), "reordered" (an entry does not
// follow the one before of its replica), "body" (what it said was altered), "no-body" (what
// it said was taken away before its time), "truncated" (the end is missing), "head" (the
// tree is not the one that was signed), "signature" (the signatures do not hold).
type JournalFault struct {
	Code  string
	Index uint64
}

const mostJournalFaults = 100

// Verify reads the whole journal: every body against its hash, every entry against the
// one before of its replica, the tree against what it should be, and the tree's head
// against what most replicas, and this one, have signed.
func (s *Journal) Verify(ctx context.Context, by Caller) (JournalCheck, error) {
	if err := by.may(ReadJournal); err != nil {
		return JournalCheck{}, err
	}
	var out JournalCheck
	err := s.store.View(func(tx *store.Tx) error {
		c := journalCheck{tx: tx, last: map[ReplicaID]journal.Leaf{}, gone: map[journal.Month]bool{}}
		var err error
		if c.book, _, err = store.JournalBooks.Get(tx, theBook); err != nil {
			return err
		}
		var signed signedHead
		if h, ok := s.heads.file.read(); ok {
			signed = h
		}
		c.heads = []feed.Head{{Size: int64(c.book.Head.Size), Root: c.book.Head.Root}, {Size: signed.Size, Root: signed.Root}}
		err = store.JournalEntries.Each(tx, nil, func(e journal.Entry) bool {
			c.entry(e)
			return ctx.Err() == nil && c.err == nil
		})
		if err = either(err, either(c.err, ctx.Err())); err != nil {
			return err
		}
		c.end(journalOrigin(s.siren))
		out = c.out
		return nil
	})
	if err != nil {
		return out, explain(err)
	}
	out.Replicas, err = s.chains()
	return out, explain(err)
}

// chains is how far each replica's entries are recorded.
func (s *Journal) chains() (out []JournalChain, err error) {
	book, err := s.heads.book()
	for _, c := range book.Chains {
		chain := JournalChain{Replica: c.Replica, Entries: c.Next, Waiting: c.Written - min(c.Written, c.Next), At: c.At}
		if r, ok := s.members.known(c.Replica); ok {
			chain.Name = r.Name
			if !r.State.Alive() {
				chain.Removed = r.RemovedAt
			}
		}
		out = append(out, chain)
	}
	return out, err
}

// journalCheck goes through the journal once. Owned by one goroutine.
type journalCheck struct {
	tx    *store.Tx
	book  journal.Book
	last  map[ReplicaID]journal.Leaf
	gone  map[journal.Month]bool
	heads []feed.Head // that somebody has signed
	edge  []tlog.Hash // roots of the whole subtrees on the tree's right edge, the largest first
	size  uint64
	err   error
	out   JournalCheck
}

func (c *journalCheck) fault(code string, at uint64) {
	if len(c.out.Faults) < mostJournalFaults {
		c.out.Faults = append(c.out.Faults, JournalFault{code, at})
	}
}

func (c *journalCheck) entry(e journal.Entry) {
	if e.Index != c.size {
		c.fault("missing", c.size)
		c.size = e.Index
	}
	before, some := c.last[e.Leaf.Replica]
	if some && (e.Leaf.Seq != before.Seq+1 || e.Leaf.After != before.Hash()) || !some && (e.Leaf.Seq != 0 || e.Leaf.After != [32]byte{}) {
		c.fault("reordered", e.Index)
	}
	c.last[e.Leaf.Replica] = e.Leaf
	switch {
	case e.Box != nil && sha256.Sum256(e.Box) != e.Leaf.Box:
		c.fault("body", e.Index)
	case e.Box != nil:
		c.out.Bodies++
	case !c.isGone(e.Leaf.Month):
		c.fault("no-body", e.Index)
	default:
		c.out.Gone++
	}
	hashes := []tlog.Hash{tlog.Hash(e.Leaf.Hash())}
	for n := c.size; n&1 == 1 && len(c.edge) > 0; n >>= 1 { // a subtree is whole
		hashes = append(hashes, tlog.NodeHash(c.edge[len(c.edge)-1], hashes[len(hashes)-1]))
		c.edge = c.edge[:len(c.edge)-1]
	}
	c.edge = append(c.edge, hashes[len(hashes)-1])
	same := len(hashes) == len(e.Hashes)
	for i := 0; same && i < len(hashes); i++ {
		same = hashes[i] == e.Hashes[i]
	}
	if !same {
		c.fault("rewritten", e.Index)
	}
	c.size++
	c.out.Entries++
	for _, h := range c.heads {
		if uint64(h.Size) == c.size && c.root() != h.Root {
			c.fault("head", e.Index)
		}
	}
}

func (c *journalCheck) isGone(m journal.Month) bool {
	yes, known := c.gone[m]
	if !known && c.err == nil {
		_, yes, c.err = store.Gone.Get(c.tx, erasure.Key(store.JournalMonths.Code, m.ID()))
		c.gone[m] = yes
	}
	return yes
}

// root is that of all entries so far.
func (c *journalCheck) root() tlog.Hash {
	if len(c.edge) == 0 {
		return sha256.Sum256(nil)
	}
	root := c.edge[len(c.edge)-1]
	for i := len(c.edge) - 2; i >= 0; i-- {
		root = tlog.NodeHash(c.edge[i], root)
	}
	return root
}

// end compares what was found with what the record says of itself, and with what was
// signed.
func (c *journalCheck) end(origin string) {
	short := c.size != c.book.Size
	for _, h := range c.heads {
		short = short || uint64(h.Size) > c.size
	}
	for _, chain := range c.book.Chains {
		last, some := c.last[chain.Replica]
		short = short || !some && chain.Next > 0 || some && (last.Seq+1 != chain.Next || last.Hash() != chain.Last)
	}
	if short {
		c.fault("truncated", c.size)
	}
	root, h := c.root(), c.book.Head
	c.out.Root = hex.EncodeToString(root[:])
	c.out.Head = JournalHead{Size: h.Size, Root: hex.EncodeToString(h.Root[:]), At: h.At, Signers: len(h.Keys), Of: int(h.Of)}
	if h.Size == 0 {
		return
	}
	point, err := feed.ParseCheckpoint(h.Signed)
	policy := feed.Policy{Origin: origin, Replicas: h.Keys, Quorum: max(int(h.Of)/2+1, 1)}
	if err != nil || point.Head != (feed.Head{Size: int64(h.Size), Root: h.Root}) || policy.Quorate(point) != nil {
		c.fault("signature", h.Size)
	}
}
