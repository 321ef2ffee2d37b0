package main

import (
	"os"
	"time"

	"github.com/bippop/bippop/consensus"
	"github.com/bippop/bippop/node"
)

// skewVariable tells a tuned replica how far its clock is off.
const skewVariable = "BIPPOP_TEST_SKEW"

// sweepVariable tells a tuned replica how often it looks for what is due.
const sweepVariable = "BIPPOP_TEST_SWEEP"

// tunedMain is bippop with times and sizes at which faults meet each other within
// seconds, and with a clock that can be moved.
func tunedMain() {
	skew, _ := time.ParseDuration(os.Getenv(skewVariable))   // none: none
	sweep, _ := time.ParseDuration(os.Getenv(sweepVariable)) // none: as usual
	tuned = func(c *node.Config) {
		c.Autopilot = quickly
		c.PasswordCost = demoPasswords
		c.Sweep = sweep
		c.MinFree = 4 << 20
		c.Now = func() time.Time { return time.Now().Add(skew) }
		c.Tuning = consensus.Tuning{
			SnapshotCheck: 200 * time.Millisecond, SnapshotEntries: 150, TrailingEntries: 60, SegmentBytes: 256 << 10, StallLimit: 2 * time.Second,
		}
	}
	main()
}
