// Package erasure holds what the territory knows of the people whose words it
// has forgotten: that it did, when, and who may still be able to read them.
//
// An erasure replaces the root key. It is certain once nobody holds the former
// root any more: not a replica, not the vault of one that was removed, not a key
// backup.
package erasure

import (
	"slices"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/when"
)

// Erased is one person, or one list of people, whose key is gone. Collection and
// ID are those of the record.
type Erased struct {
	Collection byte     `cbor:"1,keyasint"` // its code in the store
	ID         [16]byte `cbor:"2,keyasint"`
	Slot       uint32   `cbor:"3,keyasint"` // of the key that is gone
}

// Wanted is a wish to be forgotten. It may be taken back until it is done.
type Wanted struct {
	Collection byte          `cbor:"1,keyasint"`
	ID         [16]byte      `cbor:"2,keyasint"` // of the record
	At         when.At       `cbor:"3,keyasint"`
	By         ident.Account `cbor:"4,keyasint"`           // who noted it
	Withdraw   bool          `cbor:"5,keyasint,omitempty"` // what is still open is to be closed first; without it the erasure waits
}

// Gone is all that is left of a record: that it was, and that it was erased.
// While it stands the ID is never used again.
type Gone struct {
	Collection byte     `cbor:"1,keyasint"`
	ID         [16]byte `cbor:"2,keyasint"`
	At         when.At  `cbor:"3,keyasint"`
	Login      string   `cbor:"4,keyasint,omitempty"` // of an account: taken for ever, so that nobody signs in as somebody else
}

// Key is the place of a wish, and of what is gone.
func Key(collection byte, id [16]byte) []byte { return append([]byte{collection}, id[:]...) }

// Holder is a replica that has had the former root, or one before it.
type Holder struct {
	Replica     ident.Replica `cbor:"1,keyasint"`
	Name        string        `cbor:"2,keyasint"`           // for people, as it was then
	Root        crypto.KeyID  `cbor:"3,keyasint"`           // that it acknowledged since, and nothing older; zero: none
	At          when.At       `cbor:"4,keyasint,omitempty"` // when it did
	Destroyed   when.At       `cbor:"5,keyasint,omitempty"` // when a person said that its vault exists no more
	DestroyedBy ident.Account `cbor:"6,keyasint,omitzero"`
	How         string        `cbor:"7,keyasint,omitempty"` // it was, in the person's words about a machine
}

// Pending reports whether it may still hold the former root.
func (h Holder) Pending() bool { return h.At == 0 && h.Destroyed == 0 }

// Copy is a place where a key backup under the former root may lie.
type Copy struct {
	Destination ident.Destination `cbor:"1,keyasint"`
	Name        string            `cbor:"2,keyasint"`
	Root        crypto.KeyID      `cbor:"3,keyasint"`           // of the key backup that took its place
	At          when.At           `cbor:"4,keyasint,omitempty"` // when it did
	Deleted     when.At           `cbor:"5,keyasint,omitempty"` // when a person said that none lies there any more
	DeletedBy   ident.Account     `cbor:"6,keyasint,omitzero"`
}

// Pending reports whether the former root may still lie there.
func (c Copy) Pending() bool { return c.At == 0 && c.Deleted == 0 }

// Erasure is one change of the root key and the people who went with it. It is
// kept for ever: it says positively that they are gone.
type Erasure struct {
	ID        ident.Erasure `cbor:"1,keyasint"`
	Version   uint32        `cbor:"2,keyasint"`
	At        when.At       `cbor:"3,keyasint"`
	By        ident.Account `cbor:"4,keyasint"`
	Index     uint64        `cbor:"5,keyasint"` // of the log, in the life in which it was done
	Order     uint64        `cbor:"6,keyasint"` // of the root To among all roots, 1 for the first that replaced another; survives a restore
	From      crypto.KeyID  `cbor:"7,keyasint"`
	To        crypto.KeyID  `cbor:"8,keyasint"`
	Who       []Erased      `cbor:"9,keyasint,omitempty"` // nobody: the root was replaced for another reason
	Holders   []Holder      `cbor:"10,keyasint,omitempty"`
	Copies    []Copy        `cbor:"11,keyasint,omitempty"`
	Certified when.At       `cbor:"12,keyasint,omitempty"` // since when it is certain; 0: pending
	Released  uint64        `cbor:"13,keyasint,omitempty"` // index since which no replica holds the former root; key backups begun before do not count
}

// Has reports whether a record was erased by it.
func (e Erasure) Has(collection byte, id [16]byte) bool {
	return slices.ContainsFunc(e.Who, func(w Erased) bool { return w.Collection == collection && w.ID == id })
}

// Held notes that a replica holds root, which is To or came after it, and nothing
// older.
func (e Erasure) Held(r ident.Replica, root crypto.KeyID, at when.At) Erasure {
	return e.holder(r, func(h *Holder) { h.Root, h.At = root, at })
}

// Destroyed notes that a person says that the vault of a replica exists no more.
func (e Erasure) Destroyed(r ident.Replica, how string, by ident.Account, at when.At) Erasure {
	return e.holder(r, func(h *Holder) { h.Destroyed, h.DestroyedBy, h.How = at, by, how })
}

func (e Erasure) holder(r ident.Replica, f func(*Holder)) Erasure {
	e.Holders = slices.Clone(e.Holders)
	for i := range e.Holders {
		if h := &e.Holders[i]; h.Replica == r && h.Pending() {
			f(h)
		}
	}
	return e
}

// Replaced notes that a key backup under root, which is To or came after it, has
// taken the former one's place. One that was begun while a replica could still
// write the former root beside it does not count.
func (e Erasure) Replaced(d ident.Destination, root crypto.KeyID, begun uint64, at when.At) Erasure {
	if e.Released == 0 || begun < e.Released {
		return e
	}
	return e.copy(d, func(c *Copy) { c.Root, c.At = root, at })
}

// Deleted notes that a person says that no key backup lies there any more.
func (e Erasure) Deleted(d ident.Destination, by ident.Account, at when.At) Erasure {
	return e.copy(d, func(c *Copy) { c.Deleted, c.DeletedBy = at, by })
}

func (e Erasure) copy(d ident.Destination, f func(*Copy)) Erasure {
	e.Copies = slices.Clone(e.Copies)
	for i := range e.Copies {
		if c := &e.Copies[i]; c.Destination == d && c.Pending() {
			f(c)
		}
	}
	return e
}

// Release notes the index at which the last replica let go of the former root.
func (e Erasure) Release(index uint64) Erasure {
	if e.Released == 0 && len(e.Holders) > 0 && !slices.ContainsFunc(e.Holders, Holder.Pending) {
		e.Released = index
	}
	return e
}

// Certain reports whether nobody can hold the former root any more. Where no
// replica is known nothing is certain.
func (e Erasure) Certain() bool {
	return len(e.Holders) > 0 && !slices.ContainsFunc(e.Holders, Holder.Pending) && !slices.ContainsFunc(e.Copies, Copy.Pending)
}
