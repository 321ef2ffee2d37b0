package web

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bippop/bippop/node"
)

// TestDrafts: of many presses one begins, an import that runs is neither replaced
// nor dropped nor forgotten, and what waits has a limit.
func TestDrafts(t *testing.T) {
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	d := newDrafts(func() time.Time { return now })
	of := func(n byte) (id node.AccountID) { id[0] = n; return id }
	mine := draft{id: "one", of: of(1)}
	if !d.put(mine) {
		t.Fatal("nothing waits, and there is no room")
	}
	var begun atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			w := mine
			w.stage = running
			if d.change(w, looked, stuck) {
				begun.Add(1)
			}
		})
	}
	all.Wait()
	if begun.Load() != 1 {
		t.Errorf("%d began", begun.Load())
	}
	if d.put(draft{id: "two", of: of(1)}) {
		t.Error("a running import was replaced")
	}
	d.drop(of(1), "one")
	now = now.Add(2 * draftLife)
	if w, ok := d.get(of(1), "one"); !ok || w.stage != running {
		t.Error("a running import was forgotten")
	}
	mine.stage = ended
	if !d.change(mine, running) {
		t.Error("a running import does not end")
	}
	now = now.Add(draftLife + time.Second)
	if _, ok := d.get(of(1), ""); ok {
		t.Error("a draft outlives its time")
	}

	file := node.Spreadsheet{Content: make([]byte, node.MaxSpreadsheet)}
	const fit = mostDrafts / node.MaxSpreadsheet
	for n := range byte(fit) {
		if !d.put(draft{of: of(n), sheet: file}) {
			t.Errorf("file %d has no room", n)
		}
	}
	if d.put(draft{of: of(fit), sheet: file}) {
		t.Error("more waits than may")
	}
	if !d.put(draft{of: of(0), sheet: file}) {
		t.Error("one's own file is not replaced")
	}
}
