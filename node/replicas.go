package node

import (
	"context"
	"time"

	"github.com/bippop/bippop/node/internal/ident"
)

// Replicas are the machines on which the territory runs.
type Replicas struct{ *core }

// ReplicaID names a replica for ever: one that lost its folder comes back under
// another.
type ReplicaID = ident.Replica

// ReplicaState is where a replica stands. The words are the API's.
type ReplicaState string

const (
	ReplicaJoining   ReplicaState = "joining"   // receives everything, votes not yet
	ReplicaMember    ReplicaState = "member"    // votes
	ReplicaRemoved   ReplicaState = "removed"   // takes no part; its vault may still exist
	ReplicaDestroyed ReplicaState = "destroyed" // a person has recorded that its vault is gone
)

// Replica is one machine as this replica knows it.
type Replica struct {
	ID      ReplicaID
	Version uint32
	Name    string // "replica-2"
	Peer    string // host:port at which the others reach it
	URL     string // of its interface, may be empty
	State   ReplicaState
	Level   uint16 // of commands that its program knows
	Since   Instant

	Here    bool      // the one that answers
	Leader  bool      // as far as known here
	Voter   bool      // as raft's configuration says
	Current bool      // it holds the current root key, and no older one
	Said    Said      // what it last said of itself
	Heard   time.Time // when it last said so; zero: not since this replica started
	Alive   bool
}

// Said is what a replica says of itself, every second or so.
type Said struct {
	Applied uint64    // index
	Lag     uint64    // entries behind what the leader has committed
	Free    uint64    // bytes on the disk of the data folder
	Program string    // version
	Fault   string    // code of what is wrong, "" for nothing: disk-full, damaged, log-stopped, stuck, root-missing
	Expires time.Time // of its certificate
}

// Cluster is all replicas at one moment.
type Cluster struct {
	Replicas []Replica // present ones by name, then removed ones
	Quorum   int       // voters that must be up
	Up       int       // voters that are
	Leader   ReplicaID // zero: none known here
	Index    uint64    // committed, as far as known here
	Level    uint16    // the highest that all know
	Newest   uint16    // what this program knows
	Releases []Release // newest first, at most 50
}

// Release is an unlock key that was given to a restarted replica, or waits to be.
type Release struct {
	Replica ReplicaID
	At      Instant
	Waiting bool      // for Approve
	By      AccountID // zero: automatically, within the conditions
	Why     string    // "absent-too-long", "other-address", "second-connection"; "" when automatic
}

// List is what is known here of all replicas.
func (s *Replicas) List(by Caller) (Cluster, error) { return Cluster{}, errNotBuilt }

// Consequence says what a step would do to the quorum, before it is taken.
type Consequence struct {
	Voters  int    // afterwards
	Quorum  int    // afterwards
	MayLose int    // how many may then fail with the territory still writing
	Refused string // code of why the step is refused now, "" when it may be taken
	Pending bool   // erasures will wait for its vault to be recorded as destroyed
}

// Invite makes a token that lets one replica join, within life (at most 24 h; 0: one hour). It is shown once.
func (s *Replicas) Invite(ctx context.Context, by Caller, life time.Duration) (Secret, Receipt, error) {
	return Secret{}, Receipt{}, errNotBuilt
}

// Removing says what Remove would do.
func (s *Replicas) Removing(by Caller, id ReplicaID) (Consequence, error) {
	return Consequence{}, errNotBuilt
}

// Remove takes a replica out of the territory for ever.
func (s *Replicas) Remove(ctx context.Context, by Caller, id ReplicaID) (Receipt, error) {
	return Receipt{}, errNotBuilt
}

// Destroyed records that the vault of a removed replica exists no more: erasures
// that waited for it go on. how is what the certificate prints, in a person's
// words about a machine: "disk shredded on 3 May, minutes no. 12".
func (s *Replicas) Destroyed(ctx context.Context, by Caller, id ReplicaID, how string) (Receipt, error) {
	return Receipt{}, errNotBuilt
}

// Transfer hands leadership to a replica; the zero ID: to whichever is best placed.
func (s *Replicas) Transfer(ctx context.Context, by Caller, to ReplicaID) error { return errNotBuilt }

// Approve lets a restarted replica have its unlock key although it came too late
// or from elsewhere.
func (s *Replicas) Approve(ctx context.Context, by Caller, id ReplicaID) (Receipt, error) {
	return Receipt{}, errNotBuilt
}

// Rotate replaces the root key although nobody is erased: after a vault may have been seen.
func (s *Replicas) Rotate(ctx context.Context, by Caller) (Receipt, error) {
	return Receipt{}, errNotBuilt
}
