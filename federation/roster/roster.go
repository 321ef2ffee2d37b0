// Package roster is the federation's list of members: who may speak, with which
// keys, for which communes, through which hubs, in which words. It is a feed whose
// entries are signed by k of n holders; its first entry, the genesis, is pinned in
// every invitation.
package roster

import (
	"crypto/ed25519"

	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
)

// Role is what a member does. The numbers are in the roster.
type Role uint8

const (
	Territory   Role = 1
	Coordinator Role = 2
	Observer    Role = 3
)

// Contact of an office, public.
type Contact struct {
	_     struct{} `cbor:",toarray"`
	Name  string   // "CCAS de La Réole"
	Email string   // a functional mailbox
	Phone string   // E.164
}

// Replica is one machine of a member.
type Replica struct {
	_    struct{} `cbor:",toarray"`
	Peer string   // libp2p peer ID
	Key  string   // verifier key of its cosignatures, C2SP vkey
}

// Member is a territory, the coordinator, or an observer.
type Member struct {
	_           struct{} `cbor:",toarray"`
	Siren       public.Siren
	Role        Role
	Name        string
	Departement string // INSEE, "33"
	Contact     Contact
	Communes    []public.Commune // that it answers for; each belongs to one member at most
	Replicas    []Replica
	Quorum      uint8 // of replicas that must sign a checkpoint
	Epoch       uint16
	StartSize   uint64         // of the epoch: what of the former one counts
	StartRoot   [32]byte       // of the former epoch at StartSize
	Neighbours  []public.Siren // whose feeds it may read
	Simulated   bool           // of a demo: no such territory takes part
}

// Hub stores, passes on and witnesses.
type Hub struct {
	_         struct{} `cbor:",toarray"`
	Name      string
	Operator  string
	Peer      string
	Key       string   // verifier key, cosignature/v1
	Addresses []string // multiaddrs, in the order to try
	Witness   bool
}

// State is the roster after its entries so far. Immutable: applying an entry makes
// a new one.
type State struct {
	Genesis   [32]byte // SHA-256 of the first entry
	Version   uint64   // entries
	Head      feed.Head
	Name      string
	Holders   []ed25519.PublicKey
	Need      uint8    // holders that must sign
	Members   []Member // by SIREN
	Hubs      []Hub
	Threshold uint8 // witnesses that must sign
	Kinds     []public.Schema
	Expires   public.Day // after it nothing is pushed or accepted until a newer version is known
	Demo      bool
}
