package store

import (
	"encoding/binary"
	"maps"
	"slices"

	"github.com/bippop/bippop/federation/public"
)

// numbers are what the store counts and keeps about itself, by key, as the one
// writer last left them: each command reads some, and most commands of an entry
// change the same ones. Owned by the goroutine of [Store.Update].
type numbers map[string]uint64

// mostNumbers are kept at once: cells of the month, and a few of the store's own.
const mostNumbers = 4096

// Meta is a number that the store keeps about itself; 0 when it was never set.
func (tx *Tx) Meta(name string) (uint64, error) { return number(tx, metaKey(name)) }

// SetMeta keeps a number.
func (tx *Tx) SetMeta(name string, n uint64) { setNumber(tx, metaKey(name), n) }

// Counter is the number in a cell.
func (tx *Tx) Counter(c public.Cell) (uint64, error) { return number(tx, counterKey(c)) }

// Count adds n to a cell.
func (tx *Tx) Count(c public.Cell, n uint64) error {
	key := counterKey(c)
	have, err := number(tx, key)
	if err != nil {
		return err
	}
	setNumber(tx, key, have+n)
	return nil
}

// Uncount takes n from a cell, at most what it holds, and says how much it took.
func (tx *Tx) Uncount(c public.Cell, n uint64) (taken uint64, err error) {
	key := counterKey(c)
	have, err := number(tx, key)
	if err != nil {
		return 0, err
	}
	taken = min(n, have)
	setNumber(tx, key, have-taken)
	return taken, nil
}

func metaKey(name string) []byte { return append([]byte{spaceMeta}, name...) }

// number reads one: of this transaction, of the last one, or from the disk.
func number(tx *Tx, key []byte) (uint64, error) {
	if tx.err != nil {
		return 0, tx.err
	}
	if n, ok := tx.changed[string(key)]; ok {
		return n, nil
	}
	if n, ok := tx.latest[string(key)]; ok {
		return n, nil
	}
	b, err := tx.get(key)
	if err != nil || len(b) != 8 {
		return 0, err
	}
	n := binary.BigEndian.Uint64(b)
	if tx.latest != nil {
		tx.latest[string(key)] = n
	}
	return n, nil
}

// setNumber is written when the transaction ends, once however often it changed.
func setNumber(tx *Tx, key []byte, n uint64) {
	if tx.err != nil {
		return
	}
	if !tx.writes {
		panic("store: write in a read transaction")
	}
	if tx.changed == nil {
		tx.changed = numbers{}
	}
	tx.changed[string(key)] = n
}

// writeNumbers puts what has changed, before the commit and before a walk that may
// pass it.
func writeNumbers(tx *Tx) {
	for _, key := range slices.Sorted(maps.Keys(tx.changed)) {
		tx.put([]byte(key), binary.BigEndian.AppendUint64(nil, tx.changed[key]))
	}
}

// take keeps what was committed.
func (n numbers) take(changed numbers) {
	if len(n)+len(changed) > mostNumbers {
		clear(n)
	}
	maps.Copy(n, changed)
}
