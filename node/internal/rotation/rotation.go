package rotation

import (
	"slices"

	"github.com/bippop/bippop/crypto"
)

// Quorum reports whether a majority of voters is among holders.
func Quorum[R comparable](voters, holders []R) bool {
	n := 0
	for _, v := range voters {
		if slices.Contains(holders, v) {
			n++
		}
	}
	return n > len(voters)/2
}

// MayChange reports whether the voters may become next, holders being those
// whose vaults were just now asked and hold the root in force.
func MayChange[R comparable](next, holders []R) bool {
	return len(next) > 0 && Quorum(next, holders)
}

// MayGive reports whether a replica gives its current root to a peer that asks
// for one by name. Recorded: the peer stands in this replica's records, and is
// not removed.
func MayGive(asked, committed, current crypto.KeyID, recorded bool) bool {
	return recorded && asked != crypto.KeyID{} && asked == committed && asked == current
}

// MayAdopt reports whether a root that a peer gave is taken, now that it is here.
func MayAdopt(given, committed crypto.KeyID, caughtUp bool) bool {
	return caughtUp && given == committed
}

// Replica is what the machine knows of one replica when it certifies.
type Replica struct {
	Joined    uint64 // index at which it was recorded
	Root      uint64 // number of the newest root that it reported to hold, and nothing older
	Destroyed bool   // a person has recorded that its vault is no more
}

// Erasure is what the machine knows of one erasure.
type Erasure struct {
	Index        uint64 // at which it was applied
	Root         uint64 // number of the root that it brought: 1 is the first after the founding
	Acknowledged uint64 // index at which it waited for no replica any more; 0 before
}

// Awaits reports whether e is pending on r.
func (e Erasure) Awaits(r Replica) bool {
	return r.Joined < e.Index && r.Root < e.Root && !r.Destroyed
}

// Backup is a key backup that has reached its destination, where every older one
// was deleted afterwards.
type Backup struct {
	Root  uint64 // number
	Begun uint64 // index that the replica which makes it had applied when it began
}

// Covered reports whether e is no longer pending on the destination that holds b.
func (e Erasure) Covered(b Backup) bool {
	return e.Acknowledged > 0 && b.Root >= e.Root && b.Begun >= e.Acknowledged
}
