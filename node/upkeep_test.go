package node_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// logFiles are the files of the log.
func (t *town) logFiles() map[string][]byte {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(t.cfg.Dir, "log", "log", "*.wal"))
	if err != nil || len(all) == 0 {
		t.Fatalf("the log's files: %v, %v", all, err)
	}
	out := map[string][]byte{}
	for _, path := range all {
		out[path], err = os.ReadFile(path)
		t.must(err)
	}
	return out
}

// TestLogLeavesAfterErasure: once somebody is erased, what the log held of her
// leaves the disk, and nobody else loses a word.
func TestLogLeavesAfterErasure(t *testing.T) {
	town := newTown(t)
	her, stays := town.enrol("Partie"), town.enrol("Restée")
	town.must(town.LookAfter(t.Context())) // notes where it stands
	before := town.logFiles()
	town.must(town.LookAfter(t.Context()))
	for path, was := range before {
		now := town.logFiles()[path]
		if !bytes.Equal(was, now) {
			t.Error("the log was cut although nothing was due")
		}
	}
	town.erase(her)
	until(t, "a log that is gone", func() bool { // something may be written meanwhile
		town.must(town.LookAfter(t.Context()))
		for path := range before {
			if _, err := os.Stat(path); err == nil {
				return false
			}
		}
		return true
	})
	town.enrol("Suite")
	town.reopen()
	if town.readable(her) || !town.readable(stays) {
		t.Errorf("the erased one: %v, who stays: %v", town.readable(her), town.readable(stays))
	}
	before = town.logFiles()
	town.wait(8 * 24 * time.Hour)
	town.must(town.LookAfter(t.Context()))
	for path := range before {
		if _, err := os.Stat(path); err == nil {
			t.Error("nothing was done after a week")
		}
	}
}

// TestDamageIsFound: what was altered on disk under a running node ends serving.
func TestDamageIsFound(t *testing.T) {
	town := newTown(t)
	town.enrol("Restée")
	town.reopen() // what was in memory becomes a table
	town.must(town.LookAfter(t.Context()))
	town.wait(8 * 24 * time.Hour)
	town.must(town.LookAfter(t.Context())) // every table was seen
	tables, err := filepath.Glob(filepath.Join(town.cfg.Dir, "store", "records", "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("no table: %v", err)
	}
	b, err := os.ReadFile(tables[len(tables)-1])
	town.must(err)
	b[len(b)/2] ^= 1
	town.must(os.WriteFile(tables[len(tables)-1], b, 0o600))
	town.wait(8 * 24 * time.Hour)
	if err := town.LookAfter(t.Context()); err == nil || town.Serving() == nil {
		t.Errorf("altered data are served: %v, %v", err, town.Serving())
	}
}
