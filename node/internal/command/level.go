package command

// Level counts the sets of command kinds that programs know, each with all before
// it. A kind is proposed only when every replica announces a level that knows it.
type Level uint16

// Current is what this program knows.
const Current Level = 2

// LevelOf is the first level that knows a kind: 1 for those of the first
// territories, 2 for replicas, erasures and backups.
func LevelOf(k Kind) Level {
	if k < KindAdmitReplica {
		return 1
	}
	return 2
}
