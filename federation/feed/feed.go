// Package feed is an append-only log that one writer signs and others check: a
// Merkle tree as in RFC 6962, with checkpoints and tiles as in C2SP
// (tlog-checkpoint, tlog-cosignature, tlog-tiles). A territory's feed is its egress
// transparency log; the roster is a feed, too. It knows entries as bytes.
//
// A checkpoint goes through three hands. The writer's replicas sign it (signed
// note, Ed25519): a quorum of them can not sign two feeds unless one machine breaks
// its word. Witnesses then cosign it, with the instant: each only what continues
// what it has signed before. Readers take a checkpoint that is quorate and
// witnessed, called settled, and the entries that lead to its root, and nothing
// else:
//
//	c, err := feed.ParseCheckpoint(signed) // form
//	err = policy.Settled(c)                // whose word it is
//	err = copy.Append(entries, c)          // that these are the entries
//
// Signatures are counted by key, never by line: twice the same key is one, a key
// that the policy does not list is none.
package feed

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/bippop/bippop/federation/public"
)

var (
	// ErrCheckpoint says that bytes are no signed checkpoint of this feed.
	ErrCheckpoint = errors.New("not a signed checkpoint of this feed")
	// ErrQuorum says that too few of the territory's replicas have signed.
	ErrQuorum = errors.New("too few of the territory's replicas have signed this checkpoint")
	// ErrWitness says that too few witnesses have signed.
	ErrWitness = errors.New("too few witnesses have signed this checkpoint")
	// ErrRoot says that entries do not lead to the signed root.
	ErrRoot = errors.New("the entries do not lead to the root that was signed")
	// ErrFork says that two signed checkpoints contradict each other.
	ErrFork = errors.New("two signed checkpoints of this feed contradict each other")
	// ErrGap says that entries before these are missing.
	ErrGap = errors.New("entries before these are missing")
	// ErrOld says that a checkpoint is of a state that was left behind. It contradicts
	// nothing.
	ErrOld = errors.New("this checkpoint is older than what is known of the feed")
	// ErrDamaged says that a copy on disk is not what was written: its folder can be
	// deleted, and the feed fetched again.
	ErrDamaged = errors.New("the copy of this feed on disk is damaged: delete its folder, it is fetched again")
)

// MaxEntry is the size of an entry, in bytes: the bundles of C2SP tiles write it in
// 16 bits.
const MaxEntry = 1<<16 - 1

// Head is a state of a feed.
type Head struct {
	Size int64
	Root tlog.Hash // of size 0: SHA-256 of nothing
}

// EmptyHead is the state before the first entry.
func EmptyHead() Head { return Head{Root: sha256.Sum256(nil)} }

// Checkpoint is a signed note over a head. Signed is the text with all signatures
// that are known; which of them count, a [Policy] says.
type Checkpoint struct {
	Origin string
	Head   Head
	Signed []byte // nil: nobody has signed yet
}

// Cosignature is a witness's signature and the instant in it.
type Cosignature struct {
	Witness string // its verifier key
	At      time.Time
}

// EgressOrigin names the feed of a territory in one of its epochs.
func EgressOrigin(s public.Siren, epoch uint16) string {
	return fmt.Sprintf("bippop/egress/%s/%d", s, epoch)
}

// RosterOrigin names the feed of a roster after its genesis.
func RosterOrigin(genesis [32]byte) string {
	return fmt.Sprintf("bippop/roster/%x", genesis[:8])
}
