package node

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/journal"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/store"
)

// noting is this replica's part of the access journal: what it shows is noted on its
// own disk first, and brought into the territory's record within a second, where it
// stands in this replica's own chain. Without a quorum reading goes on, and what waits
// is brought in later. Safe for concurrent use.
type noting struct {
	*core
	file *journalFile
}

// notingPace is how often a replica brings what it has noted.
const notingPace = 500 * time.Millisecond

// noteBytes is how much of the notes goes into one command, in bytes: what is sealed
// and said around it fits into one message between replicas.
const noteBytes = 40 << 10

// journalDir is where this replica notes what it shows.
func journalDir(cfg Config) string { return filepath.Join(cfg.Dir, "journal") }

// openNoting opens the notes of this replica. When they do not reach as far as it has
// once said, or are gone, a note says between which instants some may be lost.
func openNoting(c *core) (*noting, error) {
	n := &noting{core: c}
	chain, err := n.chain()
	if err != nil {
		return nil, err
	}
	seed := c.seedOf("journal")
	key, err := crypto.KeyFromBytes(seed[:])
	if err != nil {
		return nil, err
	}
	open := func() (f *journalFile, found bool, err error) {
		return openJournalFile(journalDir(c.cfg), key, c.siren+c.self.String(), chain.Next)
	}
	file, found, err := open()
	if err != nil {
		return nil, wrap("opening the journal of what is shown", err)
	}
	lost := !found && chain.Next > 0 || file.next() < max(chain.Next, chain.Written)
	var again [][]byte
	if file.next() < chain.Next || file.first > chain.Next {
		// The numbers go on where the record ends. What is still there is noted again.
		lost = true
		for from := max(file.first, chain.Next); from < file.next(); {
			more, err := file.read(from, noteFileSize)
			if err != nil {
				return nil, errors.Join(err, file.close())
			}
			again, from = append(again, more...), from+uint64(len(more))
		}
		if err := errors.Join(file.close(), os.RemoveAll(journalDir(c.cfg))); err != nil {
			return nil, err
		}
		if file, _, err = open(); err != nil {
			return nil, err
		}
	}
	n.file = file
	if lost {
		c.cfg.Logger.Error("the end of this replica's journal of what is shown is missing; the data protection officer is told")
		gap := journal.Body{Kind: journal.Gap, From: chain.At}
		err = n.note(gap)
	}
	for _, entry := range again {
		err = errors.Join(err, n.file.note(entry))
	}
	if err != nil {
		return nil, errors.Join(err, n.file.close())
	}
	return n, nil
}

// note returns once an entry is on this replica's disk. [errNotes].
func (n *noting) note(b journal.Body) error {
	b.At = n.clock()
	b.Alone = n.unheard()
	plain, err := boxEncoding.Marshal(b)
	if err == nil {
		err = n.file.note(plain)
	}
	if err != nil {
		n.cfg.Logger.Error("noting what is shown", errAttr(err))
		return errNotes
	}
	return nil
}

// unheard reports whether no leader is known: most of the others are out of reach.
func (n *noting) unheard() bool {
	if n.peers == nil || n.replica.Leading() {
		return false
	}
	_, leader := n.replica.Leader()
	return leader == ""
}

// chain is how far this replica's entries are recorded, as far as it knows.
func (n *noting) chain() (chain journal.Chain, err error) {
	err = n.store.View(func(tx *store.Tx) error {
		book, _, err := store.JournalBooks.Get(tx, theBook)
		chain = book.Of(n.self)
		return err
	})
	return chain, err
}

// theBook is the ID of the one record of its collection.
var theBook = []byte{0}

// keep brings in what was noted, until ctx ends. What waits then is brought in after
// the next start.
func (n *noting) keep(ctx context.Context) {
	tick := every(notingPace)
	defer tick.Stop()
	said := false // that it does not get through
	for recorded := uint64(0); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if n.file.next() == recorded {
			continue
		}
		to, err := n.bring(ctx)
		if recorded = to; err != nil && ctx.Err() == nil && !said {
			n.cfg.Logger.Info("what was shown here is noted, and not yet in the territory's record", errAttr(err))
		}
		said = err != nil
	}
}

// bring records all that waits, and returns how far the record then is.
func (n *noting) bring(ctx context.Context) (recorded uint64, err error) {
	for {
		chain, err := n.chain()
		if err != nil {
			return 0, err
		}
		if err := n.file.trim(chain.Next); err != nil {
			n.cfg.Logger.Error("making room for notes", errAttr(err)) // what is there goes on
		}
		if n.file.next() <= chain.Next {
			return chain.Next, nil
		}
		in, err := n.batch(chain)
		if err != nil {
			return chain.Next, err
		}
		if n.peers == nil {
			_, err = journaling{n.core}.take(context.WithValue(ctx, peerKey{}, n.self), in)
		} else {
			var at indexMessage
			if at, err = askLeader(ctx, n.peers, "/journal", journaling{n.core}.take, in); err == nil {
				err = n.replica.Wait(ctx, at.Index)
			}
		}
		if err != nil {
			return chain.Next, err
		}
	}
}

// journalMessage brings entries of the asking replica to the leader.
type journalMessage struct {
	From    uint64           `cbor:"1,keyasint"`
	After   [32]byte         `cbor:"2,keyasint"`
	Entries []journal.Sealed `cbor:"3,keyasint"` // none: it lacks the key of the month
	Written uint64           `cbor:"4,keyasint"`
}

// batch seals what comes next under the keys of the months.
func (n *noting) batch(chain journal.Chain) (in journalMessage, err error) {
	in = journalMessage{From: chain.Next, After: chain.Last, Written: n.file.next()}
	notes, err := n.file.read(chain.Next, noteBytes)
	if err != nil {
		return in, err
	}
	keys := monthKeys{core: n.core}
	for i, plain := range notes {
		var b journal.Body
		if err := boxDecoding.Unmarshal(plain, &b); err != nil {
			return in, errNoNote
		}
		month, key, err := keys.sealing(journal.MonthOf(b.At))
		if errors.Is(err, errNoMonth) {
			return in, nil // the leader opens it
		}
		if err != nil {
			return in, err
		}
		in.Entries = append(in.Entries, journal.Sealed{Month: month, Box: key.Seal(plain, entryPlace(n.siren, n.self, chain.Next+uint64(i)))})
	}
	return in, nil
}

// entryPlace binds a sealed entry to its place.
func entryPlace(siren string, by ReplicaID, seq uint64) []byte {
	return crypto.Place([]byte("journal v1"), []byte(siren), by[:], binary.BigEndian.AppendUint64(nil, seq))
}

// monthKeys opens the keys of months, each once. Owned by one goroutine.
type monthKeys struct {
	*core
	open map[journal.Month]crypto.Key
}

// errNoMonth says that there is no key for a month: not yet, or not any more.
var errNoMonth = errors.New("the journal has no key for this month")

// key opens that of a month. [errNoMonth].
func (k *monthKeys) key(m journal.Month) (crypto.Key, error) {
	if key, ok := k.open[m]; ok {
		return key, nil
	}
	id := m.ID()
	var found bool
	var record journal.Key
	err := k.store.View(func(tx *store.Tx) (err error) {
		record, found, err = store.JournalMonths.Get(tx, id[:])
		return err
	})
	if err == nil && !found {
		err = errNoMonth
	}
	if err != nil {
		return crypto.Key{}, err
	}
	key, err := k.opener.leaf(record.Leaf)
	if err != nil {
		return key, err
	}
	if k.open == nil {
		k.open = map[journal.Month]crypto.Key{}
	}
	k.open[m] = key
	return key, nil
}

// sealing is the key that seals an entry of a month: its own, or the newest that
// there is where that was never made, or is gone.
func (k *monthKeys) sealing(m journal.Month) (journal.Month, crypto.Key, error) {
	key, err := k.key(m)
	if !errors.Is(err, errNoMonth) {
		return m, key, err
	}
	newest, err := journaling{k.core}.newestMonth()
	if err != nil {
		return m, crypto.Key{}, err
	}
	key, err = k.key(newest)
	return newest, key, err
}

// journaling is the leader's part of the access journal.
type journaling struct{ *core }

// newestMonth is the last one that has a key, 0 without any.
func (j journaling) newestMonth() (last journal.Month, err error) {
	err = j.store.View(func(tx *store.Tx) error {
		return store.JournalMonths.Each(tx, nil, func(k journal.Key) bool {
			last = k.Month // months sort
			return true
		})
	})
	return last, err
}

// take records entries of the asking replica. The keys of this month and of the next
// are there before: a month may begin while nobody leads.
func (j journaling) take(ctx context.Context, in journalMessage) (at indexMessage, err error) {
	if !j.replica.Leading() {
		return at, errLeader
	}
	if err := j.months(ctx); err != nil {
		return at, err
	}
	if len(in.Entries) == 0 {
		return indexMessage{j.replica.Applied()}, nil
	}
	receipt, err := j.do(ctx, command.AppendJournal{
		Stamp: j.own(), Replica: peerOf(ctx), From: in.From, After: in.After, Entries: in.Entries, Written: in.Written,
	})
	if no, ok := errors.AsType[refusal](err); ok && no.reason == refuse.JournalRepeat {
		err = nil // recorded before: its sender waits until it sees that
	}
	receipt, err = finish(receipt, err)
	return indexMessage{receipt.Index}, err
}

// months opens this month and the next.
func (j journaling) months(ctx context.Context) error {
	now := journal.MonthOf(j.clock())
	for _, m := range []journal.Month{now, now + 1} {
		id := m.ID()
		var there bool
		err := j.store.View(func(tx *store.Tx) (err error) {
			_, there, err = store.JournalMonths.Get(tx, id[:])
			return err
		})
		if err != nil {
			return err
		}
		if there {
			continue
		}
		_, err = j.proposeSealed(ctx, 1, func(leaves []crypto.Leaf, _ []crypto.Key) (command.Command, error) {
			return command.OpenJournalMonth{Stamp: j.own(), Month: m, Leaf: leaves[0]}, nil
		})
		if e, ok := errors.AsType[*Error](err); ok && (e.Code == refuse.Exists.Code() || e.Code == refuse.JournalNoMonth.Code() && m != now) {
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// due lets go of what is a year old: the leader asks for the erasure of each month's
// key, and takes the bodies away that nobody can open any more.
func (j journaling) due(ctx context.Context) error {
	var months []journal.Month
	var pruned uint64
	prune := false
	now := j.clock()
	err := j.store.View(func(tx *store.Tx) error {
		err := store.JournalMonths.Each(tx, nil, func(k journal.Key) bool {
			if k.Month.Due() <= now {
				months = append(months, k.Month)
			}
			return true
		})
		if err != nil {
			return err
		}
		book, _, err := store.JournalBooks.Get(tx, theBook)
		if err != nil || book.Pruned == book.Size {
			return err
		}
		pruned = book.Pruned
		e, ok, err := store.JournalEntries.Get(tx, journal.IndexKey(pruned))
		if err != nil || !ok {
			return err
		}
		id := e.Leaf.Month.ID()
		_, there, err := store.JournalMonths.Get(tx, id[:])
		prune = !there
		return err
	})
	if err != nil {
		return err
	}
	for _, m := range months {
		_, err := j.propose(ctx, command.WantErasure{Stamp: j.own(), Collection: store.JournalMonths.Code, ID: m.ID(), Withdraw: true})
		if e, ok := errors.AsType[*Error](err); ok && e.Code == refuse.Exists.Code() {
			err = nil // wanted already
		}
		if err != nil {
			return err
		}
	}
	for prune && ctx.Err() == nil {
		if _, err := j.propose(ctx, command.PruneJournal{Stamp: j.own(), From: pruned}); err != nil {
			return err
		}
		was := pruned
		err := j.store.View(func(tx *store.Tx) error {
			book, _, err := store.JournalBooks.Get(tx, theBook)
			pruned = book.Pruned
			return err
		})
		if err != nil || pruned == was {
			return err
		}
	}
	return nil
}
