package machine

import (
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/journal"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/store"
	"golang.org/x/mod/sumdb/tlog"
)

// journals are the commands about who read whose words.
type journals struct{ *act }

// theBook is the ID of the one record of its collection.
var theBook = []byte{0}

// book is the zero Book before the first entry.
func (a journals) book() journal.Book {
	b, _, err := store.JournalBooks.Get(a.tx, theBook)
	a.must(err)
	return b
}

func (a journals) hashes() tlog.HashReader {
	return journal.Hashes(func(index uint64) (journal.Entry, bool, error) {
		return store.JournalEntries.Get(a.tx, journal.IndexKey(index))
	})
}

// open takes the key of a month in. One that was erased does not come back.
func (a journals) open(c command.OpenJournalMonth) (Reply, error) {
	id := c.Month.ID()
	switch {
	case exists(a.act, store.JournalMonths, id[:]):
		return Reply{ID: id}, refuse.Exists
	case gone(a.act, store.JournalMonths.Code, id[:]):
		return Reply{ID: id}, refuse.JournalNoMonth
	}
	if err := a.takeSlots(c.Leaf); err != nil {
		return Reply{ID: id}, err
	}
	store.JournalMonths.Put(a.tx, journal.Key{Month: c.Month, Leaf: nameOf(c.Leaf), Made: a.stamp.At})
	return Reply{ID: id}, nil
}

// append takes a replica's entries in, in its order, each once. What is brought again
// is refused as a repetition: the replica looks how far it is recorded and goes on.
func (a journals) append(c command.AppendJournal) (Reply, error) {
	book := a.book()
	chain := book.Of(c.Replica)
	if err := chain.Follows(c.From, c.After); err != nil {
		return Reply{}, err
	}
	for _, in := range c.Entries {
		if id := in.Month.ID(); !exists(a.act, store.JournalMonths, id[:]) {
			return Reply{}, refuse.JournalNoMonth
		}
	}
	for _, in := range c.Entries {
		var e journal.Entry
		var err error
		book, chain, e, err = book.Append(chain, in, a.hashes())
		a.must(err)
		store.JournalEntries.Put(a.tx, e)
	}
	chain.At, chain.Written = a.stamp.At, max(chain.Next, c.Written)
	store.JournalBooks.Put(a.tx, book.With(chain))
	return Reply{}, nil
}

// keep records a head of this very tree, never a smaller one than before.
func (a journals) keep(c command.KeepJournalHead) (Reply, error) {
	book := a.book()
	if c.Size > book.Size || c.Size < book.Head.Size {
		return Reply{}, refuse.JournalHead
	}
	root, err := tlog.TreeHash(int64(c.Size), a.hashes())
	a.must(err)
	if root != c.Root {
		return Reply{}, refuse.JournalHead
	}
	book.Head = journal.Head{Size: c.Size, Root: c.Root, Signed: c.Signed, Keys: c.Keys, Of: c.Of, At: a.stamp.At}
	store.JournalBooks.Put(a.tx, book)
	return Reply{}, nil
}

// pruneStep is how many entries one command looks at.
const pruneStep = 500

// prune takes away the bodies whose month's key is gone, the oldest first, as far as
// there is one whose key is there.
func (a journals) prune(c command.PruneJournal) (Reply, error) {
	book := a.book()
	if c.From != book.Pruned {
		return Reply{}, refuse.JournalRepeat
	}
	for range pruneStep {
		e, ok, err := store.JournalEntries.Get(a.tx, journal.IndexKey(book.Pruned))
		a.must(err)
		if id := e.Leaf.Month.ID(); !ok || !gone(a.act, store.JournalMonths.Code, id[:]) {
			break
		}
		e.Box = nil
		store.JournalEntries.Put(a.tx, e)
		book.Pruned++
	}
	store.JournalBooks.Put(a.tx, book)
	return Reply{}, nil
}
