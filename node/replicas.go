package node

import (
	"context"
	"errors"
	"time"

	"github.com/bippop/bippop/consensus"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/replica"
	"github.com/bippop/bippop/node/internal/rotation"
)

// Replicas are the machines on which the territory runs.
type Replicas struct{ *core }

// ReplicaID names a replica for ever: one that lost its folder comes back under
// another.
type ReplicaID = ident.Replica

// Unsealing is what opens a replica's vault when it starts.
type Unsealing = replica.Unsealing

const (
	ByFile   = replica.ByFile
	ByPerson = replica.ByPerson
	ByShares = replica.ByShares
	ByPlugin = replica.ByPlugin
	ByPeers  = replica.ByPeers
)

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
	ID        ReplicaID
	Version   uint32
	Name      string // "replica-2"
	Peer      string // host:port at which the others reach it
	URL       string // of its interface, may be empty
	State     ReplicaState
	Level     uint16    // of commands that its program knows
	Unsealing Unsealing // zero: not said
	Since     Instant

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

// stateWords are what the API calls the states of a record.
var stateWords = map[replica.State]ReplicaState{
	replica.Joining: ReplicaJoining, replica.Member: ReplicaMember, replica.Removed: ReplicaRemoved, replica.Destroyed: ReplicaDestroyed,
}

// List is what is known here of all replicas.
func (s *Replicas) List(by Caller) (Cluster, error) {
	if err := by.may(RunReplicas); err != nil {
		return Cluster{}, err
	}
	members, _ := s.replica.Members()
	voters := map[string]bool{}
	for _, m := range members {
		voters[m.ID] = m.Voter
	}
	leader, _ := s.replica.Leader()
	stats := s.replica.Stats()
	c := Cluster{Index: stats.Applied, Level: s.members.level(), Newest: uint16(command.Current)}
	root, err := rooting{s.core}.inForce()
	if err != nil {
		return Cluster{}, err
	}
	said := map[ReplicaID]hearing{}
	if s.peers != nil {
		said = s.peers.heard()
	}
	for _, h := range said {
		c.Index = max(c.Index, h.said.Applied)
	}
	for _, r := range s.members.all() {
		id := r.ID.String()
		out := Replica{
			ID: r.ID, Version: r.Version, Name: r.Name, Peer: r.At.Peer, URL: r.At.URL, State: stateWords[r.State], Level: r.At.Level, Unsealing: r.At.Unsealing, Since: r.JoinedAt,
			Here: r.ID == s.self, Leader: id == leader, Voter: voters[id], Current: r.Holds == root,
		}
		if h, ok := said[r.ID]; ok && r.State.Alive() {
			out.Said, out.Heard, out.Alive = h.said, h.at, h.alive
			if out.Here {
				out.Said.Applied = stats.Applied
			}
			out.Said.Lag = c.Index - min(c.Index, out.Said.Applied)
		}
		if out.Leader {
			c.Leader = r.ID
		}
		if out.Voter {
			c.Quorum++
			if out.Alive {
				c.Up++
			}
		}
		c.Replicas = append(c.Replicas, out)
	}
	c.Quorum = c.Quorum/2 + 1
	c.Releases, err = s.releases()
	return c, err
}

// Consequence says what a step would do to the quorum, before it is taken.
type Consequence struct {
	Voters  int    // afterwards
	Quorum  int    // afterwards
	MayLose int    // how many may then fail with the territory still writing
	Refused string // code of why the step is refused now, "" when it may be taken
	Pending bool   // erasures will wait for its vault to be recorded as destroyed
}

// Codes of why a replica cannot be removed now.
const (
	leadsItself   = "leads"        // hand leadership over first
	lastReplica   = "last"         // nobody would be left
	tooFewUp      = "no-quorum"    // the voters that are left would not be up in majority
	rootNotSpread = "root-missing" // too few of those left hold the root key
	goneAlready   = "removed"
)

// Removing says what Remove would do.
func (s *Replicas) Removing(by Caller, id ReplicaID) (Consequence, error) {
	if err := by.may(RunReplicas); err != nil {
		return Consequence{}, err
	}
	cluster, err := s.List(by)
	if err != nil {
		return Consequence{}, err
	}
	var c Consequence
	up, known := 0, false
	var left, holding []ReplicaID
	for _, r := range cluster.Replicas {
		if r.ID == id {
			known = true
			switch {
			case r.State != ReplicaJoining && r.State != ReplicaMember:
				c.Refused = goneAlready
			case r.Leader:
				c.Refused = leadsItself
			}
			continue
		}
		if !r.Voter {
			continue
		}
		c.Voters++
		left = append(left, r.ID)
		if r.Current {
			holding = append(holding, r.ID)
		}
		if r.Alive {
			up++
		}
	}
	c.Quorum, c.Pending = c.Voters/2+1, true
	c.MayLose = max(0, c.Voters-c.Quorum)
	switch {
	case !known:
		return c, errNoReplica
	case c.Refused != "":
	case c.Voters == 0:
		c.Refused = lastReplica
	case up < c.Quorum:
		c.Refused = tooFewUp
	case !rotation.Quorum(left, holding):
		c.Refused = rootNotSpread
	}
	return c, nil
}

var errNoReplica = &Error{Kind: NotFound, Code: "no-replica", Reason: "no such replica"}

// Remove takes a replica out of the territory for ever.
func (s *Replicas) Remove(ctx context.Context, by Caller, id ReplicaID) (Receipt, error) {
	c, err := s.Removing(by, id)
	if err != nil {
		return Receipt{}, err
	}
	if reason, no := whyNot[c.Refused]; no {
		return Receipt{}, &Error{Kind: Conflict, Code: c.Refused, Reason: reason}
	}
	s.turning.Lock() // no rotation of the root and no other change of members meanwhile
	defer s.turning.Unlock()
	receipt, err := s.propose(ctx, command.StepReplica{Stamp: s.stamp(by, ""), ID: id, To: replica.Removed})
	if err != nil {
		return receipt, err
	}
	// What fails here is done by the steering, which compares records and members.
	if err := s.replica.Remove(ctx, id.String()); err != nil && !errors.Is(err, consensus.ErrNoMember) {
		s.cfg.Logger.Warn("a removed replica still counts; tried again within seconds", errAttr(err))
	}
	return receipt, nil
}

var whyNot = map[string]string{
	leadsItself:   "this replica leads: hand leadership over first",
	lastReplica:   "this is the last replica that votes: nobody would be left",
	tooFewUp:      "the replicas that would be left are not up in majority: nothing could be written any more; bring one back first",
	rootNotSpread: "too few of the replicas that would be left hold the key in force; wait until they do",
	goneAlready:   "this replica takes no part any more",
}

// Destroyed records that the vault of a removed replica exists no more: erasures
// that waited for it go on.
func (s *Replicas) Destroyed(ctx context.Context, by Caller, id ReplicaID, how string) (Receipt, error) {
	if err := by.may(RunReplicas); err != nil {
		return Receipt{}, err
	}
	if err := shortText("how", how, 200); err != nil {
		return Receipt{}, err
	}
	return s.propose(ctx, command.StepReplica{Stamp: s.stamp(by, ""), ID: id, To: replica.Destroyed, How: how})
}

// Transfer hands leadership to a replica; the zero ID: to whichever is best placed.
func (s *Replicas) Transfer(ctx context.Context, by Caller, to ReplicaID) error {
	if err := by.may(RunReplicas); err != nil {
		return err
	}
	err := s.replica.Transfer(ctx, to.String())
	switch {
	case errors.Is(err, consensus.ErrNoMember):
		return errNoReplica
	case errors.Is(err, consensus.ErrLags), errors.Is(err, consensus.ErrNoQuorum), errors.Is(err, consensus.ErrLeads):
		return &Error{Kind: Conflict, Code: "cannot-lead", Reason: "this replica cannot lead now: it leads already, does not vote, or has not caught up"}
	}
	return explain(err)
}

// Rotate replaces the root key although nobody is erased: after a vault may have
// been seen.
func (s *Replicas) Rotate(ctx context.Context, by Caller) (Receipt, error) {
	if err := by.may(RunReplicas); err != nil {
		return Receipt{}, err
	}
	by.Key = "" // again is again
	return rooting{s.core}.turn(ctx, s.stamp(by, ""), nil, nil)
}
