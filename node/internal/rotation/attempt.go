package rotation

import "github.com/bippop/bippop/crypto"

// Attempt is one rotation as the leader that leads it sees it. A leader leads
// one at a time. Voters are those of the newest configuration in its log; a
// change of one voter may go beside it, because each majority of the voters
// after meets each majority of those before.
type Attempt[R comparable] struct {
	Leads     bool         // it leads since before the attempt began, in one term
	Settled   bool         // an entry proposed after the attempt began is applied here
	Committed crypto.KeyID // the root in force, by its machine
	Current   crypto.KeyID // in its vault
	From, To  crypto.KeyID // of the attempt; zero before the draw
	Voters    []R          // itself included
	Holders   []R          // have To in their vaults, itself included
	Proposed  bool         // the command is in the leader's log
	Answered  bool         // the machine has accepted or refused it
}

// Move is what the leader does next.
type Move uint8

const (
	Stop     Move = iota // the attempt is over, for better or worse; its key is forgotten
	Settle               // propose a barrier, and wait for it
	Draw                 // draw a fresh root, write it to the own vault as a candidate
	HandOver             // hand it to those who do not hold it, and wait
	Propose              // propose the command
	Wait                 // for the answer
)

// Move decides.
func (a Attempt[R]) Move() Move {
	switch none := (crypto.KeyID{}); {
	case !a.Leads || a.Answered:
		return Stop
	case !a.Settled:
		return Settle
	case a.Current != a.Committed || a.To != none && a.From != a.Committed:
		return Stop
	case a.To == none:
		return Draw
	case a.Proposed:
		return Wait
	case Quorum(a.Voters, a.Holders):
		return Propose
	}
	return HandOver
}
