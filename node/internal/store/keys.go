package store

import (
	"encoding/binary"
	"errors"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/across"
	"github.com/bippop/bippop/node/internal/backup"
	"github.com/bippop/bippop/node/internal/bond"
	"github.com/bippop/bippop/node/internal/catalogue"
	"github.com/bippop/bippop/node/internal/contact"
	"github.com/bippop/bippop/node/internal/credential"
	"github.com/bippop/bippop/node/internal/egress"
	"github.com/bippop/bippop/node/internal/erasure"
	"github.com/bippop/bippop/node/internal/handover"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/journal"
	"github.com/bippop/bippop/node/internal/notice"
	"github.com/bippop/bippop/node/internal/offer"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/release"
	"github.com/bippop/bippop/node/internal/replica"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/rights"
	"github.com/bippop/bippop/node/internal/series"
	"github.com/bippop/bippop/node/internal/territory"
	"github.com/bippop/bippop/node/internal/when"
)

// The keyspace. The first byte of a key says what it is; numbers in keys are
// big-endian so that keys sort as their numbers do. IDs are UUIDv7: records sort
// by the time they were made.
//
//	00 name                              meta: applied index, versions
//	01 collection id                     record (CBOR), the truth
//	02 collection id version             change of a record: who, when, which command
//	03 view …                            view row, key only, made again by view.Rebuild
//	04 account key                       idempotency
//	05 level index                       key tree
//	06 cell                              counter
//	07                                   was idempotency by age: never used again
//	08 slot                              key tree: a wrapped leaf; empty once its person is erased, and taken for ever
const (
	spaceMeta    = 0x00
	spaceRecord  = 0x01
	spaceHistory = 0x02
	spaceView    = 0x03
	spaceReplay  = 0x04
	spaceTree    = 0x05
	spaceCounter = 0x06
	spaceSlot    = 0x08
)

// Record is what can be kept under an ID.
type Record interface {
	people.Beneficiary | people.Volunteer | people.Import | request.Request | catalogue.ActionType |
		account.Account | account.Session | contact.Attempt | territory.Territory | offer.Offer | bond.Bond | series.Series |
		replica.Replica | replica.Invitation | replica.Release | erasure.Erasure | erasure.Gone | erasure.Wanted | backup.Destination |
		egress.Feed | egress.Leaf | egress.Hash | egress.RosterEntry | egress.Membership |
		handover.Handover | handover.Part |
		notice.Notice | notice.Piece | notice.Reading |
		release.Tally | release.Vector | release.Released |
		across.Offer | across.Interest |
		journal.Key | journal.Entry | journal.Book |
		rights.Case | rights.Text | rights.Choice | rights.Sorting | rights.Breach |
		credential.Set | credential.Glass
}

// Collection is the place of one kind of record. The numbers are in stores and
// in AEAD places: never reuse one.
type Collection[R Record] struct {
	Code byte
	Name string // in AEAD places of sealed words
	id   func(R) []byte
}

// The collections.
var (
	Beneficiaries  = Collection[people.Beneficiary]{1, "beneficiary", func(r people.Beneficiary) []byte { return r.ID[:] }}
	Volunteers     = Collection[people.Volunteer]{2, "volunteer", func(r people.Volunteer) []byte { return r.ID[:] }}
	Requests       = Collection[request.Request]{3, "request", func(r request.Request) []byte { return r.ID[:] }}
	ActionTypes    = Collection[catalogue.ActionType]{4, "action type", func(r catalogue.ActionType) []byte { return r.ID[:] }}
	Accounts       = Collection[account.Account]{5, "account", func(r account.Account) []byte { return r.ID[:] }}
	Sessions       = Collection[account.Session]{6, "session", func(r account.Session) []byte { return r.ID[:] }}
	Attempts       = Collection[contact.Attempt]{7, "attempt", func(r contact.Attempt) []byte { return r.ID[:] }}
	Imports        = Collection[people.Import]{8, "import", func(r people.Import) []byte { return r.ID[:] }}
	Territories    = Collection[territory.Territory]{9, "territory", func(territory.Territory) []byte { return []byte{0} }}
	Series         = Collection[series.Series]{10, "series", func(r series.Series) []byte { return r.ID[:] }}
	Offers         = Collection[offer.Offer]{11, "offer", func(r offer.Offer) []byte { return r.ID[:] }}
	Bonds          = Collection[bond.Bond]{12, "bond", func(r bond.Bond) []byte { return r.ID[:] }}
	Replicas       = Collection[replica.Replica]{13, "replica", func(r replica.Replica) []byte { return r.ID[:] }}
	Invitations    = Collection[replica.Invitation]{14, "invitation", func(r replica.Invitation) []byte { return r.ID[:] }}
	Erasures       = Collection[erasure.Erasure]{15, "erasure", func(r erasure.Erasure) []byte { return r.ID[:] }}
	Destinations   = Collection[backup.Destination]{16, "destination", func(r backup.Destination) []byte { return r.ID[:] }}
	Releases       = Collection[replica.Release]{17, "release", func(r replica.Release) []byte { return r.ID[:] }}
	Gone           = Collection[erasure.Gone]{18, "gone", func(r erasure.Gone) []byte { return erasure.Key(r.Collection, r.ID) }}
	Wanted         = Collection[erasure.Wanted]{19, "wanted", func(r erasure.Wanted) []byte { return erasure.Key(r.Collection, r.ID) }}
	Feeds          = Collection[egress.Feed]{20, "feed", func(r egress.Feed) []byte { return []byte{byte(r.Epoch >> 8), byte(r.Epoch)} }}
	Leaves         = Collection[egress.Leaf]{21, "leaf", func(r egress.Leaf) []byte { return egress.Key(r.Epoch, r.Seq) }}
	Hashes         = Collection[egress.Hash]{22, "hash", func(r egress.Hash) []byte { return egress.Key(r.Epoch, r.Index) }}
	Roster         = Collection[egress.RosterEntry]{23, "roster", func(r egress.RosterEntry) []byte { return egress.Key(0, r.Seq) }}
	CrossOffers    = Collection[across.Offer]{35, "cross offer", func(r across.Offer) []byte { return r.ID[:] }}
	Interests      = Collection[across.Interest]{36, "interest", func(r across.Interest) []byte { return r.ID[:] }}
	Notices        = Collection[notice.Notice]{40, "notice", func(r notice.Notice) []byte { return notice.Key(r.Number) }}
	NoticePieces   = Collection[notice.Piece]{41, "notice piece", func(r notice.Piece) []byte { return notice.PieceKey(r.PDF, r.Index) }}
	Readings       = Collection[notice.Reading]{42, "reading", func(notice.Reading) []byte { return []byte{0} }}
	Handovers      = Collection[handover.Handover]{43, "handover", func(r handover.Handover) []byte { return r.Digest[:] }}
	HandoverParts  = Collection[handover.Part]{44, "handover part", func(r handover.Part) []byte { return handover.PartKey(r.Digest, r.Part) }}
	JournalMonths  = Collection[journal.Key]{48, "journal month", func(r journal.Key) []byte { id := r.Month.ID(); return id[:] }}
	JournalEntries = Collection[journal.Entry]{49, "journal entry", func(r journal.Entry) []byte { return journal.IndexKey(r.Index) }}
	JournalBooks   = Collection[journal.Book]{50, "journal book", func(journal.Book) []byte { return []byte{0} }}
	Tallies        = Collection[release.Tally]{30, "tally", func(r release.Tally) []byte { return erasure.Key(r.Collection, r.ID) }}
	Vectors        = Collection[release.Vector]{31, "vector", func(r release.Vector) []byte { return release.Key(r.Quarter) }}
	Released       = Collection[release.Released]{32, "released", func(r release.Released) []byte { return release.Key(r.Quarter) }}
	Memberships    = Collection[egress.Membership]{24, "membership", func(egress.Membership) []byte { return []byte{0} }}
	Cases          = Collection[rights.Case]{51, "case", func(r rights.Case) []byte { return r.ID[:] }}
	Texts          = Collection[rights.Text]{52, "text", func(r rights.Text) []byte { return rights.TextKey(r.Treatment, r.Version) }}
	Choices        = Collection[rights.Choice]{53, "choice", func(rights.Choice) []byte { return []byte{0} }}
	Sortings       = Collection[rights.Sorting]{54, "sorting", func(r rights.Sorting) []byte { return r.ID[:] }}
	Breaches       = Collection[rights.Breach]{55, "breach", func(r rights.Breach) []byte { return r.ID[:] }}
	Credentials    = Collection[credential.Set]{45, "credentials", func(r credential.Set) []byte { return r.Account[:] }}
	Glasses        = Collection[credential.Glass]{46, "glass", func(r credential.Glass) []byte { return r.Key() }}
)

// lastCollection is the highest number that is given out, here or to what comes
// next of the federation: none of these holds a key. A backup stops at others.
const lastCollection = 57

func (c Collection[R]) key(id []byte) []byte {
	return append([]byte{spaceRecord, c.Code}, id...)
}

// History is one change of a record, as it is kept for ever.
type History struct {
	Version uint32        `cbor:"1,keyasint"`
	At      when.At       `cbor:"2,keyasint"`
	By      ident.Account `cbor:"3,keyasint"`
	Command uint8         `cbor:"4,keyasint"` // its kind
}

func historyKey(collection byte, id []byte, version uint32) []byte {
	k := append([]byte{spaceHistory, collection}, id...)
	return binary.BigEndian.AppendUint32(k, version)
}

func treeKey(level uint8, index uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{spaceTree, level}, index)
}

func counterKey(c public.Cell) []byte { return append([]byte{spaceCounter}, c.Bytes()...) }

// Replay is what a command with an idempotency key has led to.
type Replay struct {
	Kind    uint8    `cbor:"1,keyasint"` // of the command
	Digest  [8]byte  `cbor:"2,keyasint"` // keyed and salted, of what the caller sent
	ID      [16]byte `cbor:"3,keyasint"` // of what was made
	Index   uint64   `cbor:"4,keyasint"`
	Refusal uint16   `cbor:"5,keyasint"`
	At      when.At  `cbor:"6,keyasint"`
	Version uint32   `cbor:"7,keyasint"` // of the record afterwards

	Clash ident.Request `cbor:"8,keyasint"` // with DoubleBooked: where he is expected
}

func replayKey(by ident.Account, key string) []byte {
	return append(append([]byte{spaceReplay}, by[:]...), key...)
}

// TreeNode implements crypto.Tree.
func (tx *Tx) TreeNode(level uint8, index uint32) (crypto.TreeNode, error) {
	n, ok, err := get[crypto.TreeNode](tx, treeKey(level, index))
	if err == nil && !ok {
		err = crypto.ErrNoNode
	}
	return n, err
}

// PutTreeNode adds or replaces a node of the key tree.
func (tx *Tx) PutTreeNode(n crypto.TreeNode) { put(tx, treeKey(n.Level, n.Index), n) }

func leafKey(slot uint32) []byte { return binary.BigEndian.AppendUint32([]byte{spaceSlot}, slot) }

// TreeLeaf implements crypto.Tree: [crypto.ErrNoLeaf] where no leaf is, because
// the slot was never handed out or because its person was erased.
func (tx *Tx) TreeLeaf(slot uint32) (crypto.Leaf, error) {
	key, k := leafKey(slot), tx.kept[keptLeaves]
	if k != nil && tx.err == nil {
		if l, ok := k.find(tx, key); ok {
			return l.(crypto.Leaf), nil
		}
	}
	var l crypto.Leaf
	b, err := tx.get(key)
	switch {
	case err != nil:
		return l, err
	case len(b) == 0:
		return l, crypto.ErrNoLeaf
	}
	if err := decoding.Unmarshal(b, &l); err != nil {
		return l, tx.fail(errors.New("a stored leaf is not of this program's form; use the version that wrote it"))
	}
	if k != nil {
		k.keep(tx, key, l)
	}
	return l, nil
}

// PutTreeLeaf takes a slot for ever, or wraps its leaf anew.
func (tx *Tx) PutTreeLeaf(l crypto.Leaf) {
	tx.touched[keptLeaves] = true
	put(tx, leafKey(l.Slot), l)
}

// DropLeaf forgets the leaf in a slot. The slot stays taken.
func (tx *Tx) DropLeaf(slot uint32) {
	tx.touched[keptLeaves] = true
	tx.put(leafKey(slot), nil)
}

// SlotTaken reports whether a leaf slot was ever handed out.
func SlotTaken(tx *Tx, slot uint32) (bool, error) {
	b, err := tx.get(leafKey(slot))
	return b != nil, err
}

// LeafOf is what a record keeps of its leaf: where it stands and its name. Records
// without a key of their own have none.
func LeafOf[R Record](r R) crypto.Leaf {
	switch r := any(r).(type) {
	case people.Beneficiary:
		return r.Leaf
	case people.Volunteer:
		return r.Leaf
	case people.Import:
		return r.Leaf
	case account.Account:
		return r.Leaf
	case journal.Key:
		return r.Leaf
	}
	return crypto.Leaf{}
}
