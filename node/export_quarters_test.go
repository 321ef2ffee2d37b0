package node

import (
	"context"
	"math/rand/v2"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/egress"
	"github.com/bippop/bippop/node/internal/release"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/when"
	"github.com/google/differential-privacy/go/v3/noise"
)

// FixNoise has every node of this process draw the noise of a seed from now on. Free
// takes that back.
func FixNoise(seed uint64) (free func()) {
	laplace = fixedNoise{noise.Laplace(), rand.New(rand.NewPCG(seed, 1))}
	return func() { laplace = noise.Laplace() }
}

type fixedNoise struct {
	noise.Noise
	draw *rand.Rand
}

func (f fixedNoise) AddNoiseInt64(n, _, _ int64, _, _ float64) (int64, error) {
	return n + f.draw.Int64N(40) - 20, nil
}

// Due is what the leader's ticker does about quarters.
func (s *Quarters) Due(ctx context.Context) error { return s.due(ctx) }

// Join gives the territory a feed, or freezes the one that it has.
func (s *Quarters) Join(frozen bool) error {
	return s.store.Update(func(tx *store.Tx) error {
		f, _, err := store.Feeds.Get(tx, []byte{0, 1})
		f.Epoch, f.Frozen = 1, 0
		if frozen {
			f.Frozen = when.Of(s.now())
		}
		store.Memberships.Put(tx, egress.Membership{Joined: 1})
		store.Feeds.Put(tx, f)
		return err
	})
}

// Vector is a quarter's, exact, and whether it is still there.
func (s *Quarters) Vector(q public.Quarter) (cells []int32, there bool, err error) {
	err = s.view(itself, func(tx *store.Tx) error {
		v, ok, err := store.Vectors.Get(tx, release.Key(q))
		cells, there = v.Cells, ok
		return err
	})
	return cells, there, err
}

// Drawn is the body that is not known to be recorded.
func (s *Quarters) Drawn() public.Release { return s.drawn.body }

// Noised draws once.
func (s *Quarters) Noised(q public.Quarter, cells []int32) (public.Release, error) {
	return s.noised(release.Vector{Quarter: q, Catalogue: release.Version, Cells: cells}, public.Odometer{})
}

// Feed is the newest epoch's.
func (s *Quarters) Feed() (f egress.Feed, err error) {
	err = s.view(itself, func(tx *store.Tx) error {
		return store.Feeds.Each(tx, nil, func(one egress.Feed) bool { f = one; return true })
	})
	return f, err
}
