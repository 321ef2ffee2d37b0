// Package alarm decides when the operator is written to, in which words, and brings
// the letters to him.
//
//	node.Vitals ─▶ Look    what is wrong at this moment, each thing with its patience
//	            ─▶ Decide  with the memory of what was said: begins, still stands, has ended
//	            ─▶ Courier one queue per channel (mail, webhook), tried again until it arrives
//
//	 unseen ──seen──▶ waiting ──for its patience──▶ said ──daily──▶ said
//	    ▲               │                            │
//	    └──not seen─────┘      not seen for settled ─┴─▶ ended, said once
//
// Look and Decide have no clock and no memory of their own. What is wrong with the
// territory is said by the leader, what is wrong with one machine by itself. All
// replicas keep the same memory, so that a new leader repeats nothing.
//
// A letter holds names of machines, numbers and instants, and no word that a
// person has written.
package alarm

import (
	"slices"
	"time"

	"github.com/bippop/bippop/node"
)

// Kind is something that an operator has to know. The words are the webhook's.
type Kind string

const (
	BackupOld    Kind = "backup-old"
	KeyBackupOld Kind = "key-backup-not-current"
	ReplicaLost  Kind = "replica-lost"
	ErasureWaits Kind = "erasure-pending"
	LeaderFlaps  Kind = "leader-flapping"
	NoLeader     Kind = "no-leader"
	DiskLow      Kind = "disk-low"
	Certificate  Kind = "certificate-expiring"
	Sealed       Kind = "sealed"
	Faulty       Kind = "replica-faulty"
)

// federal conditions lie between the territory and its federation. Their words are
// the node's.
var federal = func() (all []Kind) {
	for _, t := range node.Troubles {
		all = append(all, Kind(t))
	}
	return all
}()

// territorial conditions are said by the leader, the others by the machine itself.
var territorial = append([]Kind{BackupOld, KeyBackupOld, ReplicaLost, ErasureWaits, LeaderFlaps}, federal...)

// Kinds are all of them.
var Kinds = append(slices.Clone(territorial), NoLeader, DiskLow, Certificate, Sealed, Faulty)

func (k Kind) territorial() bool { return slices.Contains(territorial, k) }

// When something is wrong, and how long it may last before it is said.
const (
	backupLife      = 26 * time.Hour      // a daily one, and two hours to make it
	keyBackupGrace  = time.Hour           // each erasure makes the one before out of date
	lostAfter       = 2 * time.Minute     // a restart takes less
	leaderlessAfter = 2 * time.Minute     // an election takes seconds
	sealedAfter     = 2 * time.Minute     // somebody stands before it
	certificateLife = 14 * 24 * time.Hour // renewed long before
	erasureLife     = 24 * time.Hour
	faultAfter      = 15 * time.Second
	lowDiskBytes    = 1 << 30 // four times what stops the writing
	flapsWithin     = 10 * time.Minute
	flapsAre        = 4 // changes of leader within flapsWithin
)

// federalPatience is for what mends itself at times: hubs are called every quarter of
// an hour, and again when they did not answer.
var federalPatience = map[node.Trouble]time.Duration{
	node.TroubleHubs: time.Hour, node.TroubleBehind: time.Hour, node.TroubleClock: 20 * time.Minute, node.TroubleBulletins: 10 * time.Minute,
}

// Condition is one thing that is wrong at this moment.
type Condition struct {
	Kind     Kind
	Subject  string        // name of the replica, code of the fault; "" for the whole territory
	Since    time.Time     // as far as known; zero: since it was first seen
	Value    int64         // hours, days, MiB or a count, as the kind has it
	Patience time.Duration // how long it must be seen before it is said
}

// Sight is what can be seen from here at one moment.
type Sight struct {
	Conditions []Condition
	Judged     []Kind // about which Conditions is complete
	Leads      bool   // this replica speaks for the territory
	Led        bool   // another one does
	Leader     string // its name, "" when unknown
}

// SealedSight is what a sealed replica sees: itself.
func SealedSight() Sight {
	return Sight{Conditions: []Condition{{Kind: Sealed, Patience: sealedAfter}}, Judged: []Kind{Sealed}}
}

// Look finds what is wrong in v.
func Look(v node.Vitals) Sight {
	s := Sight{Judged: []Kind{Sealed, DiskLow, Faulty, NoLeader}, Leads: v.Leading}
	if v.DiskSize > 0 && v.DiskFree < lowDiskBytes {
		s.see(Condition{Kind: DiskLow, Value: int64(v.DiskFree >> 20)})
	}
	if v.Fault != "" {
		s.see(Condition{Kind: Faulty, Subject: code(v.Fault), Patience: faultAfter})
	}
	if v.Log.Leader == "" && !v.Leading {
		s.see(Condition{Kind: NoLeader, Patience: leaderlessAfter})
	}
	if v.Cluster != nil {
		s.replicas(v)
	}
	if v.Backups != nil {
		s.backups(v)
	}
	if f := v.Federation; f != nil {
		s.Judged = append(s.Judged, federal...)
		for _, t := range f.Troubles {
			c := Condition{Kind: Kind(t.Code), Patience: federalPatience[t.Code]}
			if t.Since != 0 {
				c.Since = t.Since.Time()
			}
			s.see(c)
		}
	}
	if e := v.Erasures; e != nil {
		s.Judged = append(s.Judged, ErasureWaits)
		if !e.Oldest.IsZero() && v.At.Sub(e.Oldest) > erasureLife {
			s.see(Condition{Kind: ErasureWaits, Since: e.Oldest, Value: int64(e.Pending + e.Wanted)})
		}
	}
	return s
}

func (s *Sight) see(c Condition) { s.Conditions = append(s.Conditions, c) }

func (s *Sight) replicas(v node.Vitals) {
	s.Judged = append(s.Judged, ReplicaLost, Certificate, LeaderFlaps)
	for _, r := range v.Cluster.Replicas {
		if r.Leader {
			s.Leader = r.Name
			s.Led = !r.Here
		}
		if r.State != node.ReplicaMember && r.State != node.ReplicaJoining {
			continue
		}
		if !r.Alive && !r.Here {
			s.see(Condition{Kind: ReplicaLost, Subject: r.Name, Since: r.Heard, Patience: lostAfter})
		}
		if r.Here && r.Said.Fault != "" && v.Fault == "" {
			s.see(Condition{Kind: Faulty, Subject: code(r.Said.Fault), Patience: faultAfter})
		}
		if r.Here && !r.Said.Expires.IsZero() && r.Said.Expires.Sub(v.At) < certificateLife {
			s.see(Condition{Kind: Certificate, Subject: r.Name, Value: int64(r.Said.Expires.Sub(v.At) / (24 * time.Hour))})
		}
	}
}

// backups: a territory younger than a backup may be has none to miss.
func (s *Sight) backups(v node.Vitals) {
	s.Judged = append(s.Judged, BackupOld, KeyBackupOld)
	founded := v.Started
	if v.Cluster != nil {
		for _, r := range v.Cluster.Replicas {
			if at := r.Since.Time(); r.Since > 0 && at.Before(founded) {
				founded = at
			}
		}
	}
	last := v.Backups.NewestData.Time()
	if v.Backups.NewestData == 0 {
		last = founded
	}
	if age := v.At.Sub(last); age > backupLife {
		s.see(Condition{Kind: BackupOld, Since: last, Value: int64(age / time.Hour)})
	}
	places, old := 0, 0
	for _, d := range v.Backups.Destinations {
		if d.Keys {
			places++
			if !d.Current {
				old++
			}
		}
	}
	switch {
	case old > 0:
		s.see(Condition{Kind: KeyBackupOld, Value: int64(old), Patience: keyBackupGrace})
	case places == 0 && v.At.Sub(founded) > backupLife:
		s.see(Condition{Kind: KeyBackupOld, Since: founded})
	}
}

// code lets through what has the form of our own codes.
func code(s string) string {
	if len(s) > 32 {
		return "fault"
	}
	for _, c := range s {
		if c != '-' && (c < 'a' || c > 'z') {
			return "fault"
		}
	}
	return s
}
