package feed_test

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
)

// noon is the instant of all cosignatures that do not matter.
var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

const siren = public.Siren(200044394)

// seed of a key by its name, so that golden files stay.
func seed(name string) [32]byte { return sha256.Sum256([]byte(name)) }

// cast is a territory with three replicas, of which two sign, and three witnesses, of
// which two cosign.
type cast struct {
	policy    feed.Policy
	replicas  []feed.Signer
	witnesses []feed.Signer
}

func newCast(origin string) cast {
	c := cast{policy: feed.Policy{Origin: origin, Quorum: 2, Threshold: 2}}
	for i := range 3 {
		r := feed.NewReplicaSigner(fmt.Sprintf("bippop/%s/%d", siren, i+1), seed(fmt.Sprint("replica ", i)))
		w := feed.NewWitnessSigner(fmt.Sprintf("hub%d.example", i+1), seed(fmt.Sprint("witness ", i)))
		c.replicas, c.witnesses = append(c.replicas, r), append(c.witnesses, w)
		c.policy.Replicas = append(c.policy.Replicas, r.Key())
		c.policy.Witnesses = append(c.policy.Witnesses, w.Key())
	}
	return c
}

// sign has signers sign a head.
func sign(t testing.TB, origin string, h feed.Head, at time.Time, signers ...feed.Signer) feed.Checkpoint {
	t.Helper()
	c := feed.Checkpoint{Origin: origin, Head: h}
	for _, s := range signers {
		var err error
		if c, err = s.Sign(c, at); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// settle is a head signed by two replicas and two witnesses.
func (c cast) settle(t testing.TB, h feed.Head) feed.Checkpoint {
	t.Helper()
	return sign(t, c.policy.Origin, h, noon, c.replicas[0], c.replicas[1], c.witnesses[0], c.witnesses[1])
}

// some are n entries of all lengths.
func some(from, n int) (out [][]byte) {
	for i := range n {
		b := fmt.Appendf(nil, "entry %d", from+i)
		for range (from + i) % 7 {
			b = append(b, 0, 0xff, '\n')
		}
		out = append(out, b)
	}
	return out
}

// headOf entries, computed by this package's Tree.
func headOf(entries [][]byte) feed.Head {
	var t feed.Tree
	for _, e := range entries {
		t.Add(e)
	}
	return t.Head()
}
