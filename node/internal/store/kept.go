package store

import "sync"

// kept are records in memory, decoded: those that nearly every call reads, and that
// change seldom. They hold no words, and whoever gets one changes none of its
// slices. Safe for concurrent use.
//
// What is kept was read at floor or later, and nothing kept has been written
// since: so it is what any transaction finds that began at floor or later. While a
// writer of such records commits, nothing is kept.
type kept struct {
	what    keptKind
	mu      sync.Mutex // guards what follows, for a lookup
	records map[string]any
	floor   uint64 // Badger's time
	shut    bool
}

// mostKept bounds the memory: sessions of a département's volunteers, and little
// else.
const mostKept = 8192

// keptKind tells what is kept apart, because it is written at other times.
type keptKind int

const (
	keptRecords keptKind = iota // sessions, accounts, kinds of action
	keptLeaves                  // of the key tree, wrapped: every box that is opened needs one
	keptKinds
)

// memory is all that is kept.
type memory [keptKinds]*kept

func newMemory() (m memory) {
	for i := range m {
		m[i] = &kept{what: keptKind(i), records: map[string]any{}}
	}
	return m
}

// begin and end stand around the commit of what was touched.
func (m memory) begin(touched [keptKinds]bool) {
	for i, k := range m {
		if touched[i] {
			k.begin()
		}
	}
}

func (m memory) end(touched [keptKinds]bool, now func() uint64) {
	for i, k := range m {
		if touched[i] {
			k.end(now())
		}
	}
}

// keeps reports whether records of c are kept.
func (c Collection[R]) keeps() bool {
	switch c.Code {
	case ActionTypes.Code, Accounts.Code, Sessions.Code:
		return true
	}
	return false
}

// usable reports whether tx may take from here and give: it began late enough, and
// has written no such record itself.
func (k *kept) usable(tx *Tx) bool {
	return !k.shut && !tx.touched[k.what] && tx.txn.ReadTs() >= k.floor
}

func (k *kept) find(tx *Tx, key []byte) (any, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.usable(tx) {
		return nil, false
	}
	r, ok := k.records[string(key)]
	return r, ok
}

func (k *kept) keep(tx *Tx, key []byte, r any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.usable(tx) {
		return
	}
	if len(k.records) >= mostKept {
		clear(k.records)
	}
	k.records[string(key)] = r
}

// begin is called before such records are committed, end afterwards with a time at
// which they are to be read.
func (k *kept) begin() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.shut = true
	clear(k.records)
}

func (k *kept) end(floor uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.shut, k.floor = false, floor
}
