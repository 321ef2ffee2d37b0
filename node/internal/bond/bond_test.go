package bond_test

import (
	"flag"
	"testing"

	"github.com/bippop/bippop/node/internal/bond"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/when"
	"pgregory.net/rapid"
)

// TestLife: each check counts once, an end is an end and has a reason, and who
// acts on what he has not read is told so.
func TestLife(t *testing.T) {
	if *long {
		flag.Set("rapid.checks", "20000")
	}
	rapid.Check(t, func(t *rapid.T) {
		b := bond.New(bond.Bond{Since: 10, NextCheck: 100, Checks: 7, Why: bond.Other}, 1)
		checks := uint16(0)
		for range rapid.IntRange(0, 12).Draw(t, "steps") {
			before, version := b, b.Version+uint32(rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(t, "stale"))
			next := when.Day(rapid.IntRange(100, 999).Draw(t, "next"))
			var err error
			ends := rapid.IntRange(0, 4).Draw(t, "ends") == 4
			if ends {
				b, err = b.End(version, bond.ByHim, 2)
			} else if b, err = b.GoesOn(version, next, 2); err == nil {
				checks++
			}
			switch {
			case version != before.Version && err != refuse.StaleVersion:
				t.Fatalf("not read, and %v", err)
			case version == before.Version && before.State == bond.Ended && err != refuse.BondEnded:
				t.Fatalf("after the end: %v", err)
			case err != nil && b != before:
				t.Fatalf("refused, and changed: %+v", b)
			case err == nil && (b.Version != before.Version+1 || !ends && b.NextCheck != next):
				t.Fatalf("%+v follows %+v", b, before)
			case (b.State == bond.Ended) != (b.Why != bond.NotEnded) || b.Checks != checks:
				t.Fatalf("%+v after %d checks", b, checks)
			}
		}
	})
}

// TestNumbers: they are in stores.
func TestNumbers(t *testing.T) {
	if bond.Alive != 1 || bond.Ended != 2 || bond.ByHer != 1 || bond.ByHim != 2 || bond.Gone != 3 || bond.Other != 4 {
		t.Error("numbers that stand in stores have changed")
	}
}
