package machine

import (
	"errors"
	"io"
	"strconv"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/erasure"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/journal"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/replica"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
	"github.com/bippop/bippop/node/internal/when"
)

// Restored says what a restore has brought back.
type Restored struct {
	Kept   int // records that have their key: people, accounts, imports
	Erased int // erased on request since the data backup, and again now
	Lost   int // newer than the key backup: nobody can read them, they are forgotten as if they had been erased
}

// Restore puts the two parts of a backup in the place of everything in st. Whoever
// has no key in the keys part is forgotten by the code that erases; so an old data
// backup gives back everybody but those who were erased since. The replicas of the
// former life count as removed: their vaults may still hold its root. here is the
// one machine that carries the new life. Nothing is put in place when accept
// returns an error, which Restore returns. See store.LoadParts.
func Restore(st *store.Store, records, keys io.Reader, here replica.Replica, accept func(Restored) error) (out Restored, err error) {
	err = st.LoadParts(records, keys, func(fresh *store.Store) error {
		if err := view.Restored(fresh); err != nil {
			return err
		}
		x := restore{fresh, &out, map[string]when.At{}}
		if err := x.erasures(); err != nil {
			return err
		}
		if err := x.replicas(here); err != nil {
			return err
		}
		err := errors.Join(
			restored(x, store.Beneficiaries, func(r people.Beneficiary) [16]byte { return r.ID }),
			restored(x, store.Volunteers, func(r people.Volunteer) [16]byte { return r.ID }),
			restored(x, store.Accounts, func(r account.Account) [16]byte { return r.ID }),
			restored(x, store.Imports, func(r people.Import) [16]byte { return r.ID }),
			restored(x, store.JournalMonths, func(r journal.Key) [16]byte { return r.Month.ID() }))
		if err != nil {
			return err
		}
		return accept(out)
	})
	return out, err
}

// replicas lets the former ones go, and here be the only one.
func (x restore) replicas(here replica.Replica) error {
	return x.Update(func(tx *store.Tx) error {
		a := &act{tx: tx, kind: command.KindStepReplica}
		clock, err := tx.Meta("clock")
		if err != nil {
			return err
		}
		a.stamp.At = when.At(clock)
		names := map[string]bool{}
		for _, before := range (replicas{a}).all() {
			names[before.Name] = true
			if after, err := before.Step(replica.Removed, ident.Account{}, a.stamp.At); err == nil {
				replicas{a}.save(&before, after)
			}
		}
		for n := 1; here.Name == "" || names[here.Name]; n++ {
			here.Name = "replica-" + strconv.Itoa(n)
		}
		replicas{a}.first(here)
		egresses{a}.revive()
		return tx.Err()
	})
}

type restore struct {
	*store.Store
	out    *Restored
	erased map[string]when.At // by erasure.Key
}

// erasures reads who was erased, and drops keys of theirs that an older keys part
// has brought.
func (x restore) erasures() error {
	return x.Update(func(tx *store.Tx) error {
		last := uint64(0)
		var slots []uint32
		var released []erasure.Erasure
		err := store.Erasures.Each(tx, nil, func(e erasure.Erasure) bool {
			last = max(last, e.Order)
			if e.Released > 0 && e.Certified == 0 {
				e.Released = 1 // indexes begin anew
				released = append(released, e)
			}
			for _, w := range e.Who {
				x.erased[string(erasure.Key(w.Collection, w.ID))] = e.At
				slots = append(slots, w.Slot)
			}
			return true
		})
		for _, e := range released {
			store.Erasures.Put(tx, e)
		}
		for _, slot := range slots {
			tx.DropLeaf(slot)
		}
		tx.SetMeta(metaRoots, last)
		return err
	})
}

// restoreStep is how many records one transaction looks at, forgetStep how many
// it forgets.
const (
	restoreStep = 1000
	forgetStep  = 20
)

// restored forgets the records of a collection that have no key.
func restored[R store.Record](x restore, c store.Collection[R], id func(R) [16]byte) error {
	var after []byte
	for {
		n := 0
		var lost []R
		err := x.View(func(tx *store.Tx) error {
			var found []R
			err := c.Each(tx, after, func(r R) bool {
				found = append(found, r)
				return len(found) < restoreStep
			})
			if err != nil {
				return err
			}
			for _, r := range found {
				name := store.LeafOf(r)
				if name.ID == (crypto.KeyID{}) {
					continue // it has no words of its own
				}
				leaf, err := tx.TreeLeaf(name.Slot)
				switch {
				case errors.Is(err, crypto.ErrNoLeaf), err == nil && leaf.ID != name.ID:
					lost = append(lost, r)
				case err != nil:
					return err
				default:
					x.out.Kept++
				}
			}
			if n = len(found); n > 0 {
				last := id(found[n-1])
				after = last[:]
			}
			return nil
		})
		for ; err == nil && len(lost) > 0; lost = lost[min(forgetStep, len(lost)):] {
			err = x.Update(func(tx *store.Tx) error {
				for _, r := range lost[:min(forgetStep, len(lost))] {
					x.forget(tx, c.Code, id(r))
				}
				return tx.Err()
			})
		}
		if err != nil || n == 0 {
			return err
		}
	}
}

func (x restore) forget(tx *store.Tx, collection byte, id [16]byte) {
	a := &act{tx: tx, kind: command.KindErase}
	clock, err := tx.Meta("clock")
	a.must(err)
	a.stamp.At = when.At(clock)
	at, asked := x.erased[string(erasure.Key(collection, id))]
	if asked {
		x.out.Erased++
	} else {
		at = a.stamp.At
		x.out.Lost++
	}
	if collection == store.Imports.Code && keptImport(a, id) {
		return
	}
	forgetting{a}.close(person{Erased: erasure.Erased{Collection: collection, ID: id}}, nil)
	forgetting{a}.forget(collection, id, at)
	store.Wanted.Delete(tx, erasure.Key(collection, id))
}

// keptImport keeps an import that was committed, without its words, because its
// people are seen through it.
func keptImport(a *act, id [16]byte) bool {
	i, ok, err := store.Imports.Get(a.tx, id[:])
	a.must(err)
	if !ok || i.State != people.Committed {
		return false
	}
	i.Leaf, i.Box = crypto.Leaf{}, nil
	store.Imports.Put(a.tx, i)
	return true
}
