package rotation

import (
	"slices"

	"github.com/bippop/bippop/crypto"
)

// Kept is what a replica's keeper sees of its own replica. A zero ID: there is
// none.
type Kept struct {
	Committed crypto.KeyID   // the root in force, by this replica's machine
	CaughtUp  bool           // the machine has applied a barrier begun since this process started
	Vault     []crypto.KeyID // on disk, the current first
	Ring      crypto.KeyID   // what the keyring in memory hangs on
	Attempt   crypto.KeyID   // the From of the rotation that this replica leads
	Backup    crypto.KeyID   // the root that a key backup made here carries
	Reported  crypto.KeyID   // the root that the machine says this replica holds
}

// Duty is what a keeper does next.
type Duty uint8

const (
	Rest       Duty = iota
	CatchUp         // go through a barrier: the machine may stand before the vault
	Ask             // fetch the committed root from a peer
	Follow          // Roots.Committed, written to the vault
	Turn            // Keyring.Turn, and forget what was found with the former root
	EndAttempt      // end the rotation that was led from a root of the past, and forget its candidate
	EndBackup       // end the key backup that carries a root of the past
	Report          // have "holds Committed, and nothing older" committed
)

// Duty decides. After each duty, and whenever something of k changed, it is asked
// again.
func (k Kept) Duty() Duty {
	switch none := (crypto.KeyID{}); {
	case k.Committed == none:
		return Rest
	case !slices.Contains(k.Vault, k.Committed) && !k.CaughtUp:
		return CatchUp
	case !slices.Contains(k.Vault, k.Committed):
		return Ask
	case k.Vault[0] != k.Committed:
		return Follow
	case k.Ring != k.Committed:
		return Turn
	case k.Attempt != none && k.Attempt != k.Committed:
		return EndAttempt
	case k.Backup != none && k.Backup != k.Committed:
		return EndBackup
	case k.Reported != k.Committed:
		return Report
	}
	return Rest
}

// Serves reports whether the replica can open people's words.
func (k Kept) Serves() bool { return k.Committed != crypto.KeyID{} && k.Ring == k.Committed }
