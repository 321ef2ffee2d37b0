package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/when"
	"github.com/fxamacker/cbor/v2"
)

// Records are deterministic CBOR with numbered fields: equal records are equal
// bytes on every replica, and an unknown field stops an older program.
var (
	encoding = must(cbor.CoreDetEncOptions().EncMode())
	decoding = must(cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, ExtraReturnErrors: cbor.ExtraDecErrorUnknownField, IndefLength: cbor.IndefLengthForbidden,
	}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic("store: " + err.Error())
	}
	return v
}

func put[T any](tx *Tx, key []byte, v T) {
	b, err := encoding.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("store: encoding %T: %v", v, err))
	}
	tx.put(key, b)
}

func get[T any](tx *Tx, key []byte) (v T, ok bool, err error) {
	b, err := tx.get(key)
	if err != nil || b == nil {
		return v, false, err
	}
	if err := decoding.Unmarshal(b, &v); err != nil {
		return v, false, tx.fail(fmt.Errorf("a stored %T is not of this program's form; use the version that wrote it", v))
	}
	return v, true, nil
}

// Get reads a record; ok says whether there is one in sight.
func (c Collection[R]) Get(tx *Tx, id []byte) (r R, ok bool, err error) {
	if r, ok, err = c.get(tx, id); err != nil || !ok || tx.sight == nil {
		return r, ok, err
	}
	if ok, err = sees(tx, r); err != nil || !ok {
		var none R
		return none, false, err
	}
	return r, true, nil
}

func (c Collection[R]) get(tx *Tx, id []byte) (r R, ok bool, err error) {
	key := c.key(id)
	k := tx.kept[keptRecords]
	if k == nil || !c.keeps() {
		return get[R](tx, key)
	}
	if tx.err != nil {
		return r, false, tx.err
	}
	if have, ok := k.find(tx, key); ok {
		return have.(R), true, nil
	}
	r, ok, err = get[R](tx, key)
	if ok {
		k.keep(tx, key, r)
	}
	return r, ok, err
}

// Put writes a record. Its views and history are the machine's business.
func (c Collection[R]) Put(tx *Tx, r R) {
	tx.touched[keptRecords] = tx.touched[keptRecords] || c.keeps()
	put(tx, c.key(c.id(r)), r)
}

// Delete removes a record.
func (c Collection[R]) Delete(tx *Tx, id []byte) {
	tx.touched[keptRecords] = tx.touched[keptRecords] || c.keeps()
	tx.delete(c.key(id))
}

// Each calls f with every record in sight, in order of ID, from the ID after on (nil: the
// first), until f says stop.
func (c Collection[R]) Each(tx *Tx, after []byte, f func(R) (more bool)) error {
	var from []byte
	if after != nil {
		from = append(c.key(after), 0)
	}
	var bad, blind error
	err := tx.scan(c.key(nil), from, false, true, func(_, value []byte) bool {
		var r R
		if bad = decoding.Unmarshal(value, &r); bad != nil {
			return false
		}
		yes, err := sees(tx, r)
		if blind = err; err != nil || !yes {
			return err == nil
		}
		return f(r)
	})
	if err == nil && blind != nil {
		return blind
	}
	if err == nil && bad != nil {
		err = tx.fail(fmt.Errorf("a stored %s is not of this program's form; use the version that wrote it", c.Name))
	}
	return err
}

// AddHistory keeps a change of the record id for ever.
func (tx *Tx) AddHistory(collection byte, id []byte, h History) {
	put(tx, historyKey(collection, id, h.Version), h)
}

// EachHistory calls f with the changes of a record, oldest first.
func (tx *Tx) EachHistory(collection byte, id []byte, f func(History)) error {
	prefix := append([]byte{spaceHistory, collection}, id...)
	var bad error
	err := tx.scan(prefix, nil, false, true, func(_, value []byte) bool {
		var h History
		if bad = decoding.Unmarshal(value, &h); bad == nil {
			f(h)
		}
		return bad == nil
	})
	if err == nil {
		err = bad
	}
	return err
}

// DropHistory forgets the changes of a record.
func DropHistory(tx *Tx, collection byte, id []byte) error {
	var keys [][]byte
	err := tx.scan(append([]byte{spaceHistory, collection}, id...), nil, false, false, func(key, _ []byte) bool {
		keys = append(keys, key)
		return true
	})
	for _, key := range keys {
		tx.delete(key)
	}
	return err
}

// AddRow and DropRow keep the view rows of a record; see package view.
func (tx *Tx) AddRow(row []byte)  { tx.put(append([]byte{spaceView}, row...), nil) }
func (tx *Tx) DropRow(row []byte) { tx.delete(append([]byte{spaceView}, row...)) }

// EachRow calls f with the view rows below prefix, from the row from on (nil:
// the first; with reverse, the last).
func (tx *Tx) EachRow(prefix, from []byte, reverse bool, f func(row []byte) (more bool)) error {
	if from != nil {
		from = append([]byte{spaceView}, from...)
	}
	return tx.scan(append([]byte{spaceView}, prefix...), from, reverse, true, func(key, _ []byte) bool { return f(key[1:]) })
}

// Replay is what became of a command with this idempotency key.
func (tx *Tx) Replay(by ident.Account, key string) (Replay, bool, error) {
	return get[Replay](tx, replayKey(by, key))
}

// PutReplay remembers what became of a command.
func (tx *Tx) PutReplay(by ident.Account, key string, r Replay) {
	put(tx, replayKey(by, key), r)
}

// SweepReplays looks at the next limit idempotency keys, from where the last sweep
// ended and round again, and forgets those from before the instant. There is no
// list of them by age: it would cost each command a row more.
func (tx *Tx) SweepReplays(before when.At, limit int) error {
	at, err := tx.get(metaKey("swept"))
	if err != nil {
		return err
	}
	var from, last []byte
	if len(at) > 0 {
		from = append(at, 0)
	}
	var old [][]byte
	var bad error
	n := 0
	err = tx.scan([]byte{spaceReplay}, from, false, true, func(key, value []byte) bool {
		var r Replay
		if bad = decoding.Unmarshal(value, &r); bad != nil {
			return false
		}
		if r.At < before {
			old = append(old, key)
		}
		last = key
		n++
		return n < limit
	})
	if err == nil && bad != nil {
		err = tx.fail(errors.New("a remembered command is not of this program's form; use the version that wrote it"))
	}
	if err != nil {
		return err
	}
	for _, key := range old {
		tx.delete(key)
	}
	if n < limit {
		last = nil // the end: begin again
	}
	tx.put(metaKey("swept"), last)
	return nil
}

// EachCounter calls f with every cell of a month and its number, in the cells'
// order.
func (tx *Tx) EachCounter(m public.Month, f func(public.Cell, uint64)) error {
	for i := public.FirstIndicator; i <= public.LastIndicator; i++ {
		if err := eachOfMonth(tx, i, m, f); err != nil {
			return err
		}
	}
	return nil
}

func eachOfMonth(tx *Tx, i public.Indicator, m public.Month, f func(public.Cell, uint64)) error {
	var bad error
	err := tx.scan([]byte{spaceCounter, byte(i), byte(m >> 8), byte(m)}, nil, false, true, func(key, value []byte) bool {
		var c public.Cell
		if c, bad = public.ParseCell(key[1:]); bad == nil && len(value) == 8 {
			f(c, binary.BigEndian.Uint64(value))
		}
		return bad == nil
	})
	if err == nil && bad != nil {
		err = tx.fail(ErrDamaged)
	}
	return err
}

// DropViews removes all view rows, or those with the given first bytes, in steps
// of their own so that no transaction grows too big. It is for rebuilding, while
// nobody reads.
func (s *Store) DropViews(only ...byte) error {
	if len(only) == 0 {
		return s.dropAll([]byte{spaceView})
	}
	for _, v := range only {
		if err := s.dropAll([]byte{spaceView, v}); err != nil {
			return err
		}
	}
	return nil
}

// dropAll removes every key below prefix, in steps.
func (s *Store) dropAll(prefix []byte) error {
	for {
		n := 0
		err := s.Update(func(tx *Tx) error {
			var rows [][]byte
			err := tx.scan(prefix, nil, false, false, func(key, _ []byte) bool {
				rows = append(rows, key)
				return len(rows) < 5000
			})
			n = len(rows)
			for _, r := range rows {
				tx.delete(r)
			}
			return err
		})
		if err != nil || n == 0 {
			return err
		}
	}
}
