package crypto_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/bippop/bippop/crypto"
)

func TestRoots(t *testing.T) {
	a, b, b2, c := crypto.NewKey(), crypto.NewKey(), crypto.NewKey(), crypto.NewKey()
	r := crypto.Roots{Current: a}
	offer := func(k, from crypto.Key, added bool, want error) {
		t.Helper()
		if got, err := r.Offer(k, from.ID()); got != added || !errors.Is(err, want) {
			t.Errorf("offer: %v, %v", got, err)
		}
	}
	holds := func(keys ...crypto.Key) {
		t.Helper()
		var want []crypto.KeyID
		for _, k := range keys {
			want = append(want, k.ID())
		}
		if got := r.IDs(); !slices.Equal(got, want) {
			t.Errorf("holds %v, not %v", got, want)
		}
	}
	committed := func(from, to crypto.Key, changed bool, want error) {
		t.Helper()
		if got, err := r.Committed(from.ID(), to.ID()); got != changed || !errors.Is(err, want) {
			t.Errorf("committed: %v, %v", got, err)
		}
	}
	offer(b, a, true, nil)
	offer(b, a, false, nil)
	offer(b2, a, true, nil)
	offer(c, b, false, crypto.ErrOtherRoot)
	offer(a, a, false, crypto.ErrOtherRoot)
	copied := r
	holds(a, b, b2)
	committed(a, b2, true, nil)
	holds(b2)
	if !copied.Holds(a.ID()) || !copied.Holds(b.ID()) || r.Holds(a.ID()) {
		t.Error("a copy was changed")
	}
	offer(b, a, false, crypto.ErrOtherRoot) // it comes late
	offer(c, b2, true, nil)
	committed(a, b2, false, nil) // replayed
	holds(b2, c)                 // a promise stands
	committed(crypto.NewKey(), a, false, crypto.ErrLacking)
	holds(b2, c) // the machine stands before what the vault has followed

	r = crypto.Roots{Current: a}
	offer(c, a, true, nil)
	committed(a, b, true, crypto.ErrLacking) // c will never be
	holds(a)
	committed(b, b2, false, crypto.ErrLacking)
	r.Adopt(b2)
	holds(b2)

	r = crypto.Roots{}
	offer(b, a, false, crypto.ErrOtherRoot)
	committed(a, b, false, crypto.ErrLacking)
	holds()
	r.Adopt(b)
	holds(b)
	for range 100 {
		offer(crypto.NewKey(), b, true, nil)
	}
	offer(c, b, true, nil)
	if ids := r.IDs(); len(ids) > 40 || ids[0] != b.ID() || !r.Holds(c.ID()) {
		t.Errorf("holds %d roots", len(ids))
	}
}
