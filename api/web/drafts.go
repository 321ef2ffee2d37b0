package web

import (
	"sync"
	"time"

	"github.com/bippop/bippop/node"
)

// What may wait. A file is at most 8 MiB.
const (
	draftLife  = 30 * time.Minute
	mostDrafts = 64 << 20 // bytes, of all accounts
)

// stage is how far an upload has come.
type stage uint8

const (
	looked  stage = iota // somebody reads what would happen
	running              // its people come in
	ended                // they are in
	stuck                // something failed; it may be tried again
)

// draft is a spreadsheet between its upload and its import. It is a value: who
// wants to change one puts another in its place.
type draft struct {
	id     string
	of     node.AccountID
	sheet  node.Spreadsheet // without its content once it has ended
	report node.Report
	key    string // Idempotency-Key of the import: tried again with the same choices, it goes on
	stage  stage
	err    error // of a draft that is stuck
	until  time.Time
}

// drafts keeps one upload for each account, in memory and nowhere else: a file of
// people's words is not written to a disk that forgets nothing. A restart loses
// them, and the page says to choose the file again. Safe for concurrent use.
type drafts struct {
	now func() time.Time

	mu   sync.Mutex // guards what is below, for a reading or a change
	list map[node.AccountID]draft
}

func newDrafts(now func() time.Time) *drafts {
	return &drafts{now: now, list: map[node.AccountID]draft{}}
}

// put lets a file wait, in the place of an earlier one. It says no while one of
// the account comes in, or when too much waits already.
func (d *drafts) put(w draft) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forget()
	if d.list[w.of].stage == running {
		return false
	}
	size := len(w.sheet.Content)
	for of, other := range d.list {
		if of != w.of {
			size += len(other.sheet.Content)
		}
	}
	if size > mostDrafts {
		return false
	}
	w.until = d.now().Add(draftLife)
	d.list[w.of] = w
	time.AfterFunc(draftLife+time.Second, func() { // nobody may come to look
		d.mu.Lock()
		defer d.mu.Unlock()
		d.forget()
	})
	return true
}

// get is the account's draft, if it is still the one of that id. An empty id is
// any.
func (d *drafts) get(of node.AccountID, id string) (draft, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forget()
	w, ok := d.list[of]
	return w, ok && (id == "" || w.id == id)
}

// change replaces a draft that stands at one of the stages. Of two that try at
// once one succeeds.
func (d *drafts) change(w draft, from ...stage) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	old, ok := d.list[w.of]
	if !ok || old.id != w.id || !contains(from, old.stage) {
		return false
	}
	w.until = d.now().Add(draftLife)
	d.list[w.of] = w
	return true
}

// drop forgets an upload, unless it comes in.
func (d *drafts) drop(of node.AccountID, id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if w := d.list[of]; w.id == id && w.stage != running {
		delete(d.list, of)
	}
}

// forget drops what is past its time; who calls holds mu.
func (d *drafts) forget() {
	for of, w := range d.list {
		if w.stage != running && d.now().After(w.until) {
			delete(d.list, of)
		}
	}
}
