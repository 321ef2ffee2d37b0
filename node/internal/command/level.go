package command

import "fmt"

// Level counts the sets of command kinds that programs know, each with all before
// it. A kind is proposed only when every replica announces a level that knows it.
type Level uint16

// LevelOf is the first level that knows a kind. Level 1 holds all by which
// replicas know each other: a program without these can be no replica, and a
// territory of several programs must always be able to announce a level, to add
// and to remove. Level 2: erasures and backups. Level 3: the federation. Level 4: who
// may see whom, the access journal, data rights.
func LevelOf(k Kind) Level {
	switch {
	case k < KindWantErasure || k == KindHoldRoot:
		return 1
	case k < KindSay:
		return 2
	case k < KindGrantRoles:
		return 3
	}
	return 4
}

// known refuses a kind of a level above this program's.
func known(k Kind) error {
	if LevelOf(k) > Current {
		return fmt.Errorf("command kind %d is of level %d and this program knows level %d: it is older than the log; install the newer one", k, LevelOf(k), Current)
	}
	return nil
}
