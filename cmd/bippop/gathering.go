package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/bippop/bippop/crypto"
)

// gatheringLife is how long shares wait in memory for the next one.
const gatheringLife = 15 * time.Minute

// gathering collects shares, one by one, until they open something. It belongs to
// one goroutine at a time.
type gathering struct {
	shares []crypto.Share
	last   time.Time
}

// add takes in a share that was typed. done says that u is what the shares were
// made for; they are then forgotten here.
func (g *gathering) add(text crypto.Secret, n notice, now time.Time) (u crypto.Unsealer, done bool, err error) {
	if now.Sub(g.last) > gatheringLife {
		g.forget()
	}
	share, err := crypto.ParseShare(text.Reveal())
	if err != nil {
		return crypto.Unsealer{}, false, err
	}
	named := fmt.Sprintf("share %d of territory %s, set %s", share.Index(), share.Territory(), share.Set())
	switch {
	case n.Siren != "" && share.Territory() != n.Siren:
		return crypto.Unsealer{}, false, fmt.Errorf("%s: this replica belongs to territory %s: %w", named, n.Siren, crypto.ErrOtherShares)
	case n.Set != "" && share.Set() != n.Set:
		return crypto.Unsealer{}, false, fmt.Errorf("%s: the vault opens with set %s: %w", named, n.Set, crypto.ErrOtherShares)
	}
	u, err = crypto.CombineShares(append(g.shares[:len(g.shares):len(g.shares)], share))
	switch {
	case errors.Is(err, crypto.ErrTooFewShares):
		g.keep(share, now)
		return crypto.Unsealer{}, false, nil
	case err != nil:
		return crypto.Unsealer{}, false, err
	}
	g.forget()
	return u, true, nil
}

// keep adds share unless it is there.
func (g *gathering) keep(share crypto.Share, now time.Time) {
	g.last = now
	for _, s := range g.shares {
		if s.Index() == share.Index() {
			return
		}
	}
	g.shares = append(g.shares, share)
}

// forget lets go of all shares.
func (g *gathering) forget() { *g = gathering{} }

// progress is how many shares are here and how many must come together; 0 before
// the first.
func (g *gathering) progress(n notice, now time.Time) (given, needed int) {
	if now.Sub(g.last) > gatheringLife {
		g.forget()
	}
	if len(g.shares) > 0 {
		return len(g.shares), g.shares[0].Needed()
	}
	return 0, n.Needed
}
