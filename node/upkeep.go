package node

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/store"
)

const (
	// upkeepEvery is how often a replica looks whether its disk wants upkeep.
	upkeepEvery = time.Minute
	// upkeepAfter is how long, on the territory's clock, a replica waits after the
	// last upkeep when nobody was erased.
	upkeepAfter = 7 * 24 * time.Hour
	// upkeepFor is for how long the log is tried to be cut whole, on the territory's
	// clock: while people work, something is always written meanwhile.
	upkeepFor = 24 * time.Hour
	// scrubStep is how many values are read in one go.
	scrubStep = 256
)

// upkeepMark is a file in the data folder: when the last upkeep ended, and under
// which root.
const upkeepMark = "upkeep"

// upkeep lets what was overwritten leave this replica's disk, and reads everything
// to find damage while other replicas can still heal it. Each replica does so for
// itself, after an erasure and every week.
//
// What stood in the log leaves with whole files: see consensus.Replica.Cut. Where
// that does not succeed within a day, because somebody is always writing, it
// leaves when the file is full (16 MiB) and the trailing 20,000 entries have gone
// by. Nobody's words are at stake: their key is gone already. Owned by one
// goroutine.
type upkeep struct {
	*core
	begun Instant // trying to cut the log since; 0: not trying
}

func (u *upkeep) keep(ctx context.Context) {
	tick := every(upkeepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := u.round(ctx); err != nil && ctx.Err() == nil {
			u.cfg.Logger.Error("looking after the disk", errAttr(err))
			if errors.Is(err, store.ErrDamaged) {
				u.standBack(ctx)
				return
			}
		}
	}
}

// round does what is due, if anything is. Damage ends serving.
func (u *upkeep) round(ctx context.Context) (err error) {
	defer func() { u.health.note(err) }()
	root, err := rooting{u.core}.inForce()
	if err != nil {
		return err
	}
	mark := filepath.Join(u.cfg.Dir, upkeepMark)
	b, err := os.ReadFile(mark)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	under, at, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
	last, err := time.Parse(time.RFC3339, at)
	now := u.clock().Time().UTC()
	if err != nil { // never yet: nothing to leave the disk of a new replica
		return crypto.WriteFile(mark, []byte(root.String()+" "+now.Format(time.RFC3339)+"\n"))
	}
	if under == root.String() && now.Sub(last) < upkeepAfter {
		u.begun = 0
		return nil
	}
	if u.begun == 0 {
		u.begun = u.clock()
	}
	whole, err := u.cut(ctx)
	if err != nil {
		return err
	}
	if !whole && u.clock()-u.begun < Instant(upkeepFor.Milliseconds()) {
		return nil // again in a minute
	}
	if err := u.store.Collect(); err != nil {
		return err
	}
	if err := u.store.Scrub(ctx, scrubStep); err != nil {
		return err
	}
	u.cfg.Logger.Info("looked after the disk", slog.Bool("log_cut_whole", whole))
	u.begun = 0
	return crypto.WriteFile(mark, []byte(root.String()+" "+now.Format(time.RFC3339)+"\n"))
}

// cut lets go of the log. A leader waits until those who are up have what they
// would else be sent as a whole.
func (u *upkeep) cut(ctx context.Context) (whole bool, err error) {
	if u.peers != nil && u.replica.Leading() {
		applied := u.replica.Applied()
		for id, h := range u.peers.heard() {
			if r, ok := u.members.known(id); ok && r.State.Alive() && h.alive && h.said.Applied < applied {
				return false, nil
			}
		}
	}
	return u.replica.Cut(ctx)
}

// standBack lets another replica lead when this one may not serve any more.
func (u *upkeep) standBack(ctx context.Context) {
	if u.peers == nil || !u.replica.Leading() {
		return
	}
	if err := u.replica.Transfer(ctx, ""); err != nil {
		u.cfg.Logger.Warn("another replica should lead, this one is damaged", errAttr(err))
	}
}
