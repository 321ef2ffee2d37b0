// Package feed is an append-only log that one writer signs and others check: a
// Merkle tree as in RFC 6962, with checkpoints and tiles as in C2SP
// (tlog-checkpoint, tlog-cosignature, tlog-tiles). A territory's feed is its egress
// transparency log; the roster is a feed, too. It knows entries as bytes.
package feed

import (
	"errors"
	"time"

	"golang.org/x/mod/sumdb/tlog"
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
)

// Head is a state of a feed.
type Head struct {
	Size int64
	Root tlog.Hash // of size 0: SHA-256 of nothing
}

// Checkpoint is a signed note over a head. Signed is the text with all signatures
// that are known; which of them count, a [Policy] says.
type Checkpoint struct {
	Origin string
	Head   Head
	Signed []byte
}

// Cosignature is a witness's signature and the instant in it.
type Cosignature struct {
	Witness string // its verifier key
	At      time.Time
}

// Policy says whose signatures make a checkpoint of one feed count.
type Policy struct {
	Origin    string
	Replicas  []string // verifier keys (C2SP vkey) of the writer's replicas
	Quorum    int      // of them
	Witnesses []string // verifier keys of type cosignature/v1
	Threshold int      // of them
}
