package machine_test

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/erasure"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/journal"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/when"
)

// journalSlot is a leaf that nobody of the town has.
const journalSlot = 29

// noted is the journal as a record holds it.
func noted(t fataler, st *store.Store) (book journal.Book, entries []journal.Entry) {
	t.Helper()
	err := st.View(func(tx *store.Tx) (err error) {
		if book, _, err = store.JournalBooks.Get(tx, []byte{0}); err != nil {
			return err
		}
		return store.JournalEntries.Each(tx, nil, func(e journal.Entry) bool {
			entries = append(entries, e)
			return true
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return book, entries
}

// readings are n entries of a replica, as it has sealed them.
func (s *story) readings(replica, n int, month journal.Month) command.AppendJournal {
	s.Helper()
	book, _ := noted(s, s.store)
	chain := book.Of(box(replica))
	c := command.AppendJournal{Stamp: s.stamp(), Replica: box(replica), From: chain.Next, After: chain.Last, Written: chain.Next + uint64(n)}
	for i := range n {
		c.Entries = append(c.Entries, journal.Sealed{Month: month, Box: fmt.Appendf(nil, "sealed %d %d", replica, int(chain.Next)+i)})
	}
	return c
}

// TestJournal: entries of several replicas come in once, each in its replica's order,
// and stand in one tree that a stranger works out from the leaves alone.
func TestJournal(t *testing.T) {
	s := tell(t)
	now := journal.MonthOf(noon)
	s.do(refuse.JournalNoMonth, s.readings(0, 1, now))
	month := command.OpenJournalMonth{Stamp: s.stamp(), Month: now, Leaf: leaf(journalSlot)}
	s.do(0, month)
	s.do(refuse.Exists, month)
	s.do(refuse.StaleTree, command.OpenJournalMonth{Stamp: s.stamp(), Month: now + 1, Leaf: leaf(journalSlot)})
	s.do(0, s.readings(0, 3, now))
	twice := s.readings(1, 2, now)
	s.do(0, twice)
	s.do(refuse.JournalRepeat, twice)
	s.do(0, s.readings(0, 2, now))
	hole := s.readings(1, 1, now)
	hole.From++
	s.do(refuse.JournalGap, hole)
	other := s.readings(1, 1, now)
	other.After[0]++
	s.do(refuse.JournalGap, other)

	book, entries := noted(t, s.store)
	var leaves [][]byte
	last := map[ident.Replica]journal.Leaf{}
	for i, e := range entries {
		before, some := last[e.Leaf.Replica]
		switch {
		case e.Index != uint64(i):
			t.Errorf("entry %d stands at %d", i, e.Index)
		case some && (e.Leaf.Seq != before.Seq+1 || e.Leaf.After != before.Hash()), !some && (e.Leaf.Seq != 0 || e.Leaf.After != [32]byte{}):
			t.Errorf("entry %d does not follow the one before of its replica", i)
		case e.Leaf.Box != sha256.Sum256(e.Box):
			t.Errorf("entry %d: the hash is not that of the body", i)
		}
		last[e.Leaf.Replica] = e.Leaf
		leaves = append(leaves, e.Leaf.Bytes())
	}
	if book.Size != 7 || len(entries) != 7 || book.Of(box(0)).Next != 5 || book.Of(box(1)).Next != 2 || book.Of(box(1)).Last != last[box(1)].Hash() {
		t.Fatalf("%d entries: %+v", len(entries), book)
	}

	root := rootOf(leaves)
	s.do(refuse.JournalHead, command.KeepJournalHead{Stamp: s.stamp(), Size: 7, Root: [32]byte{1}})
	s.do(refuse.JournalHead, command.KeepJournalHead{Stamp: s.stamp(), Size: 8, Root: root})
	s.do(0, command.KeepJournalHead{Stamp: s.stamp(), Size: 7, Root: root, Signed: []byte("signed")})
	s.do(refuse.JournalHead, command.KeepJournalHead{Stamp: s.stamp(), Size: 6, Root: rootOf(leaves[:6])})
	if book, _ := noted(t, s.store); book.Head.Size != 7 || book.Head.Root != root {
		t.Errorf("the head is %+v", book.Head)
	}
}

// TestJournalMonthGoes: a month's key goes a year after its end and no earlier,
// whoever asks; its bodies follow, the leaves and the tree stay.
func TestJournalMonthGoes(t *testing.T) {
	s := tell(t)
	now := journal.MonthOf(noon)
	s.do(0, command.OpenJournalMonth{Stamp: s.stamp(), Month: now, Leaf: leaf(journalSlot)})
	s.do(0, command.OpenJournalMonth{Stamp: s.stamp(), Month: now + 1, Leaf: leaf(journalSlot - 1)})
	s.do(0, s.readings(0, 4, now))
	s.do(0, s.readings(0, 2, now+1))
	s.do(0, s.readings(1, 1, now)) // late: it goes with what stands before it
	_, before := noted(t, s.store)
	code := store.JournalMonths.Code

	s.wish(refuse.JournalKept, code, now.ID(), true)
	s.at = now.Due() - noon - 2*minute
	s.wish(refuse.JournalKept, code, now.ID(), true)
	s.wish(0, code, now.ID(), true)
	s.wish(refuse.JournalKept, code, (now + 1).ID(), true)
	d := &drafts{}
	s.do(0, command.Erase{
		Stamp: s.stamp(), ID: erased(0), Holders: []ident.Replica{box(0)}, Who: []erasure.Erased{{Collection: code, ID: now.ID(), Slot: journalSlot}},
		Rewrap: d.rewrap(read(t, s.store), []uint32{journalSlot}),
	})
	s.do(refuse.JournalRepeat, command.PruneJournal{Stamp: s.stamp(), From: 3})
	s.do(0, command.PruneJournal{Stamp: s.stamp()})
	book, after := noted(t, s.store)
	if book.Pruned != 4 || book.Size != 7 {
		t.Errorf("%d of %d entries are without body", book.Pruned, book.Size)
	}
	for i, e := range after {
		if (e.Box == nil) != (i < 4) || e.Leaf != before[i].Leaf || len(e.Hashes) != len(before[i].Hashes) {
			t.Errorf("entry %d: %+v", i, e)
		}
	}
	s.do(refuse.JournalNoMonth, s.readings(0, 1, now))
	s.do(refuse.JournalNoMonth, command.OpenJournalMonth{Stamp: s.stamp(), Month: now, Leaf: crypto.Leaf{Slot: journalSlot + 1}})
	s.do(0, s.readings(0, 1, now+1))
}

// TestMonths: a month is one of the calendar in UTC, and is kept for twelve more.
func TestMonths(t *testing.T) {
	m := journal.MonthOf(noon)
	for _, c := range []struct {
		at   when.At
		want string
	}{{m.Begin(), "2026-11-01"}, {m.End(), "2026-12-01"}, {m.Due(), "2027-12-01"}} {
		if got := c.at.Time().UTC().Format("2006-01-02T15:04:05"); got != c.want+"T00:00:00" {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
	if journal.MonthOf(m.End()-1) != m || journal.MonthOf(m.End()) != m+1 {
		t.Error("a month ends before the next begins")
	}
}
