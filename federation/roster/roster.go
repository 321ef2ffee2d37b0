// Package roster is the federation's list of members: who may speak, with which
// keys, for which communes, through which hubs, in which words. It is a feed whose
// entries are signed by k of n holders; its first entry, the genesis, is pinned in
// every invitation.
//
//	an application ──▶ a draft ──▶ signed by holders ──▶ an entry ──▶ the next state
//	(keys of a member)  (what would change, in      (bound to the roster,
//	                     words that can be read)     its length and its root)
//
// An [Entry] says one or more changes, each a [Body], which take effect together or
// not at all. Nothing is taken on trust: a state is what its entries lead to, and
// each entry was signed by those whom the entries before it name.
//
// # Signatures
//
// What a holder signs names the roster (its genesis), the place of the entry and the
// root before it, so an entry fits one place in one roster. An entry needs [State.Need]
// of the holders; one that replaces holders needs the former number of the former
// ones and the new number of the new ones, and each key that is new signs as well, so
// that no mistyped key gets in: the genesis is signed by all. An entry has no
// signature that could be taken away: nobody but holders can make another form of it,
// which would be another leaf of the feed.
//
// # Former keys
//
// [State.Policy] knows the keys of today. The newest checkpoint of a feed that goes
// on is always one that today's replicas have signed, since they sign its head anew
// when the roster has changed. A feed that has ended, by a new epoch or because its
// member was removed, keeps the keys and witnesses of its last day, and the size up
// to which it counts: [State.Ended]. Who wants to check a checkpoint that is older
// than that folds the entries up to the version of that day and asks there.
package roster

import (
	"crypto/ed25519"
	"errors"

	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
)

// Bounds of a roster.
const (
	MaxMembers    = 4_000
	MaxCommunes   = 40_000 // of all members
	MaxOwn        = 1_500  // communes of one member
	MaxName       = 120    // bytes, of any name
	MaxReplicas   = 9      // of one member
	MaxHubs       = 16
	MaxAddresses  = 6   // of one hub
	MaxAddress    = 200 // bytes
	MaxNeighbours = 200 // of one member
	MaxHolders    = 15
	MaxKinds      = 100
	MaxTerm       = 800 // days from an entry to the day on which it lets the roster expire
)

var (
	// ErrForm says that bytes are no entry, draft, invitation, application or roster in
	// its one right form.
	ErrForm = errors.New("not in its right form: it was damaged or cut short, ask for it again")
	// ErrNewer says that an entry has a change which this program does not know.
	ErrNewer = errors.New("the roster says something that this program does not know: install the newer one")
	// ErrSignature says that an entry has not exactly the signatures that it needs.
	ErrSignature = errors.New("not signed as the roster asks")
	// ErrOrder says that an entry does not come next in this roster.
	ErrOrder = errors.New("this entry does not come next in this roster: make the draft anew from the newest roster")
	// ErrInvariant says that an entry would make the roster contradict itself. What it
	// wraps names the rule; all of it is public.
	ErrInvariant = errors.New("the roster does not allow this")
	// ErrGenesis says that a roster is not the one that was named.
	ErrGenesis = errors.New("this is another federation's roster than the one you were invited to: take no part in it, and call who invited you")
)

// Role is what a member does. The numbers are in the roster.
type Role uint8

const (
	Territory   Role = 1
	Coordinator Role = 2 // at most one; reads all feeds, and all read its
	Observer    Role = 3
)

func (r Role) String() string {
	switch r {
	case Territory:
		return "territory"
	case Coordinator:
		return "coordinator"
	case Observer:
		return "observer"
	}
	return "unknown role"
}

// Contact of an office, public. A territory has a name and a phone or an e-mail
// address.
type Contact struct {
	_     struct{} `cbor:",toarray"`
	Name  string   // "CCAS de La Réole"
	Email string   // a functional mailbox
	Phone string   // E.164
}

// Replica is one machine of a member.
type Replica struct {
	_    struct{} `cbor:",toarray"`
	Peer string   // libp2p peer ID of an Ed25519 key, see [PeerOf]
	Key  string   // verifier key of its cosignatures: C2SP vkey, Ed25519, named bippop/<siren>/…
}

// Member is a territory, the coordinator, or an observer.
type Member struct {
	_           struct{} `cbor:",toarray"`
	Siren       public.Siren
	Role        Role // never changes
	Name        string
	Departement string // INSEE, "33"
	Contact     Contact
	Communes    []public.Commune // that a territory answers for, ascending; each belongs to one member at most
	Replicas    []Replica        // 1 to MaxReplicas
	Quorum      uint8            // of replicas that must sign a checkpoint: a majority
	Epoch       uint16           // from 1; see [OpenEpoch]
	StartSize   uint64           // of the epoch: what of the former one counts
	StartRoot   [32]byte         // of the former epoch at StartSize
	Neighbours  []public.Siren   // ascending; of a territory: mutual; of an observer: whose feeds it may read
	Simulated   bool             // of a demo: no such territory takes part
}

// Hub stores, passes on and witnesses.
type Hub struct {
	_         struct{} `cbor:",toarray"`
	Name      string   // that of its key, without spaces: "hub1.example.org"
	Operator  string
	Peer      string   // its own, or that of a replica of the coordinator
	Key       string   // verifier key, cosignature/v1
	Addresses []string // multiaddrs, in the order to try
	Witness   bool
}

// Holder is one of those who sign the roster.
type Holder struct {
	_    struct{}          `cbor:",toarray"`
	Name string            // an office rather than a person; without spaces and plus signs
	Key  ed25519.PublicKey // 32 bytes
}

// Closed is a feed that has ended.
type Closed struct {
	Siren     public.Siren
	Epoch     uint16
	Last      uint64 // entries that count; what follows them is refused
	Replicas  []string
	Quorum    int
	Witnesses []string
	Threshold int
}

// State is the roster after its entries so far. Immutable: applying an entry makes
// a new one. Its slices are not to be changed.
type State struct {
	Genesis   [32]byte // SHA-256 of the first entry
	Version   uint64   // entries
	Head      feed.Head
	Day       public.Day // of the last entry
	Name      string
	Holders   []Holder // by key
	Need      uint8    // holders that must sign
	Members   []Member // by SIREN
	Hubs      []Hub
	Threshold uint8           // witnesses that must sign; 0: none are named, so nothing settles
	Kinds     []public.Schema // by kind
	Expires   public.Day      // after it nothing is pushed or accepted until a newer version is known
	Closed    []Closed        // in the order in which they ended
	Demo      bool

	index index
}
