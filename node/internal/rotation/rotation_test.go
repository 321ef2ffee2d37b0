package rotation_test

import (
	"testing"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/rotation"
)

func TestQuorum(t *testing.T) {
	for _, c := range []struct {
		voters, holders []rid
		want            bool
	}{
		{nil, nil, false},
		{[]rid{1}, nil, false},
		{[]rid{1}, []rid{1}, true},
		{[]rid{1, 2}, []rid{1}, false},
		{[]rid{1, 2, 3}, []rid{1, 3}, true},
		{[]rid{1, 2, 3}, []rid{1, 4, 5}, false}, // who does not vote does not count
		{[]rid{1, 2, 3}, []rid{1, 1}, false},    // nor does one twice
		{[]rid{1, 2, 3, 4}, []rid{1, 2}, false},
	} {
		if rotation.Quorum(c.voters, c.holders) != c.want || rotation.MayChange(c.voters, c.holders) != c.want {
			t.Errorf("%v of %v", c.holders, c.voters)
		}
	}
}

// TestMayGive: a stolen replica that was removed gets no root, whatever it asks.
func TestMayGive(t *testing.T) {
	now, other, none := crypto.KeyID{1}, crypto.KeyID{2}, crypto.KeyID{}
	for _, c := range []struct {
		asked, committed, current crypto.KeyID
		recorded, want            bool
	}{
		{now, now, now, true, true},
		{now, now, now, false, false},
		{other, now, now, true, false},
		{now, other, now, true, false}, // the machine stands before the vault
		{now, now, other, true, false},
		{none, none, none, true, false},
	} {
		if got := rotation.MayGive(c.asked, c.committed, c.current, c.recorded); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
