// Package journal is who read whose words: what is noted of every answer that shows
// people, and the chain in which the notes stand.
//
// Each replica notes what it shows in a chain of its own; all chains stand in one
// Merkle tree of the territory, in the machine's order. What is hashed says nothing of
// anybody: the notes themselves are sealed under the key of their month, and go with
// it after a year. The hashes stay, and with them the proof that nothing was left out.
package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/when"
	"golang.org/x/mod/sumdb/tlog"
)

// Kind is what an entry tells of. The numbers stand in sealed bodies for a year.
type Kind uint8

const (
	Shown      Kind = 1 // an answer has shown people's words
	Stated     Kind = 2 // somebody has said why a dossier is opened
	Switched   Kind = 3 // an account wears another hat
	BreakGlass Kind = 4 // an administrator was made on the machine itself
	Gap        Kind = 5 // entries of this replica between From and At may be lost with its disk
	Refused    Kind = 6 // somebody asked for a person who is out of reach
)

// Purpose is why people were shown. The numbers stand in sealed bodies.
type Purpose uint8

const (
	Request  Purpose = 1  // an open request, or help that comes again
	Call     Purpose = 2  // she is to be called
	Work     Purpose = 3  // the same account enrolled or changed her within a day
	Phone    Purpose = 4  // she phones: said
	Update   Purpose = 5  // her dossier is brought up to date: said
	Relative Purpose = 6  // a relative or a professional asks about her: said
	Check    Purpose = 7  // something is checked: said
	Other    Purpose = 8  // said
	Program  Purpose = 9  // a program asks, and says no more
	List     Purpose = 10 // a list or a search that the screen is for
	Own      Purpose = 11 // what concerns the account's own person
	Export   Purpose = 12 // a file or a print
	Audit    Purpose = 13 // the data protection officer's work
)

// MostNamed is how many people one entry names; more make another entry.
const MostNamed = 2000

// MostScreen is how long the name of a screen may be, in bytes.
const MostScreen = 96

// Person is somebody whose words were opened.
type Person struct {
	Collection byte
	ID         [16]byte
}

// Body is one entry as its reader sees it.
type Body struct {
	Kind    Kind          `cbor:"1,keyasint"`
	At      when.At       `cbor:"2,keyasint"`
	By      ident.Account `cbor:"3,keyasint"`
	Role    account.Roles `cbor:"4,keyasint,omitempty"` // the hat worn
	Means   uint8         `cbor:"5,keyasint,omitempty"` // by which the session began
	Purpose Purpose       `cbor:"6,keyasint,omitempty"`
	Screen  string        `cbor:"7,keyasint,omitempty"` // method and pattern of the route
	Request ident.Request `cbor:"8,keyasint"`           // that explains it, or zero
	Who     Named         `cbor:"9,keyasint,omitempty"`
	Alone   bool          `cbor:"10,keyasint,omitempty"` // no other replica was heard
	From    when.At       `cbor:"11,keyasint,omitempty"` // of a gap
	About   Named         `cbor:"12,keyasint,omitempty"` // whose dossier it was, of one; none for lists
}

// Named are people, packed: 17 bytes each.
type Named []byte

const namedBytes = 17

// Name packs people.
func Name(who []Person) Named {
	b := make(Named, 0, namedBytes*len(who))
	for _, p := range who {
		b = append(append(b, p.Collection), p.ID[:]...)
	}
	return b
}

// Len is how many people are named.
func (n Named) Len() int { return len(n) / namedBytes }

// Each calls f with each of them until f says no.
func (n Named) Each(f func(Person) bool) {
	for ; len(n) >= namedBytes; n = n[namedBytes:] {
		if !f(Person{n[0], [16]byte(n[1:namedBytes])}) {
			return
		}
	}
}

// Has reports whether somebody is named.
func (n Named) Has(who Person) (yes bool) {
	n.Each(func(p Person) bool {
		yes = p == who
		return !yes
	})
	return yes
}

// Month is a calendar month in UTC: twelve times the year, and 0 to 11.
type Month uint32

// MonthOf is the month of an instant.
func MonthOf(at when.At) Month {
	t := at.Time().UTC()
	return Month(12*t.Year() + int(t.Month()) - 1)
}

// Begin and End are its first instant and that of the next month.
func (m Month) Begin() when.At {
	return when.Of(time.Date(int(m/12), time.Month(m%12+1), 1, 0, 0, 0, 0, time.UTC))
}
func (m Month) End() when.At { return (m + 1).Begin() }

// Kept is how many months the bodies of a month stay after its end.
const Kept = 12

// Due is the instant after which its key is to be erased.
func (m Month) Due() when.At { return (m + Kept).End() }

// ID is the month's name among what can be erased: a month that is gone does not come
// back.
func (m Month) ID() (id [16]byte) {
	binary.BigEndian.PutUint32(id[12:], uint32(m))
	return id
}

// Key is the leaf of the key tree that seals a month's bodies.
type Key struct {
	Month Month       `cbor:"1,keyasint"`
	Leaf  crypto.Leaf `cbor:"2,keyasint"`
	Made  when.At     `cbor:"3,keyasint"`
}

// Leaf is what is hashed of an entry. It names nobody.
type Leaf struct {
	Replica ident.Replica `cbor:"1,keyasint"`
	Seq     uint64        `cbor:"2,keyasint"` // of that replica
	Month   Month         `cbor:"3,keyasint"` // whose key seals the body
	Box     [32]byte      `cbor:"4,keyasint"` // SHA-256 of the sealed body
	After   [32]byte      `cbor:"5,keyasint"` // [Leaf.Hash] of that replica's entry before; zero for its first
}

// Bytes is the form that is hashed: fixed for ever.
func (l Leaf) Bytes() []byte {
	b := append(make([]byte, 0, 108), "bippop journal 1"...)
	b = append(b, l.Replica[:]...)
	b = binary.BigEndian.AppendUint64(b, l.Seq)
	b = binary.BigEndian.AppendUint32(b, uint32(l.Month))
	b = append(b, l.Box[:]...)
	return append(b, l.After[:]...)
}

// Hash is that of the leaf in the tree (RFC 6962).
func (l Leaf) Hash() [32]byte { return tlog.RecordHash(l.Bytes()) }

// Entry is one entry as it is recorded.
type Entry struct {
	Index  uint64     `cbor:"1,keyasint"` // its place in the tree
	Leaf   Leaf       `cbor:"2,keyasint"`
	Hashes [][32]byte `cbor:"3,keyasint"`           // of the tree that it completes, from the leaf upwards
	Box    []byte     `cbor:"4,keyasint,omitempty"` // the sealed body; nil once its month is gone
}

// IndexKey makes entries sort.
func IndexKey(index uint64) []byte { return binary.BigEndian.AppendUint64(nil, index) }

// Sealed is a body on its way into the record.
type Sealed struct {
	Month Month  `cbor:"1,keyasint"`
	Box   []byte `cbor:"2,keyasint"`
}

// Chain is how far the entries of one replica are recorded.
type Chain struct {
	Replica ident.Replica `cbor:"1,keyasint"`
	Next    uint64        `cbor:"2,keyasint"` // entries recorded
	Last    [32]byte      `cbor:"3,keyasint"` // hash of the last one's leaf
	At      when.At       `cbor:"4,keyasint"` // when the last ones were recorded
	Written uint64        `cbor:"5,keyasint"` // entries that the replica has said to have on its own disk
}

// Head is the newest head of the tree that most replicas have signed.
type Head struct {
	Size   uint64   `cbor:"1,keyasint"`
	Root   [32]byte `cbor:"2,keyasint"`
	Signed []byte   `cbor:"3,keyasint"` // the signed note
	Keys   []string `cbor:"4,keyasint"` // of those who have signed
	Of     uint32   `cbor:"5,keyasint"` // replicas that there were
	At     when.At  `cbor:"6,keyasint"`
}

// Book is the state of the whole. One record.
type Book struct {
	Size   uint64  `cbor:"1,keyasint"` // entries in the tree
	Pruned uint64  `cbor:"2,keyasint"` // the first of them have no bodies any more
	Chains []Chain `cbor:"3,keyasint"` // by replica, in order of their first entry
	Head   Head    `cbor:"4,keyasint"`
}

// Of is the chain of a replica, the zero Chain with its name before its first entry.
func (b Book) Of(r ident.Replica) Chain {
	for _, c := range b.Chains {
		if c.Replica == r {
			return c
		}
	}
	return Chain{Replica: r}
}

// With is the book with a chain in its place.
func (b Book) With(chain Chain) Book {
	chains := append([]Chain(nil), b.Chains...)
	for i, c := range chains {
		if c.Replica == chain.Replica {
			chains[i] = chain
			b.Chains = chains
			return b
		}
	}
	b.Chains = append(chains, chain)
	return b
}

// Append adds a sealed body at the end of a chain and of the book. hashes reads what
// the tree has so far.
func (b Book) Append(chain Chain, in Sealed, hashes tlog.HashReader) (Book, Chain, Entry, error) {
	leaf := Leaf{Replica: chain.Replica, Seq: chain.Next, Month: in.Month, Box: sha256.Sum256(in.Box), After: chain.Last}
	added, err := tlog.StoredHashes(int64(b.Size), leaf.Bytes(), hashes)
	if err != nil {
		return b, chain, Entry{}, err
	}
	e := Entry{Index: b.Size, Leaf: leaf, Box: in.Box, Hashes: make([][32]byte, len(added))}
	for i, h := range added {
		e.Hashes[i] = h
	}
	b.Size++
	chain.Next++
	chain.Last = added[0]
	return b, chain, e, nil
}

// Follows says whether what a replica brings comes next in its chain.
func (c Chain) Follows(from uint64, after [32]byte) error {
	switch {
	case from < c.Next:
		return refuse.JournalRepeat
	case from > c.Next || after != c.Last:
		return refuse.JournalGap
	}
	return nil
}

// errHash says that a hash is not there.
var errHash = errors.New("journal: a hash of the tree is missing")

// Hashes reads the tree's hashes out of entries.
func Hashes(entry func(index uint64) (Entry, bool, error)) tlog.HashReader {
	return tlog.HashReaderFunc(func(places []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(places))
		for i, p := range places {
			level, n := tlog.SplitStoredHashIndex(p)
			e, ok, err := entry(uint64(n+1)<<level - 1) // which completed that subtree
			if err != nil {
				return nil, err
			}
			if !ok || level >= len(e.Hashes) {
				return nil, errHash
			}
			out[i] = e.Hashes[level]
		}
		return out, nil
	})
}
