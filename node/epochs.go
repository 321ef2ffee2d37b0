package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/bippop/bippop/federation"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/egress"
)

// epochs are those of the own feed, as the roster opens them one after another.
// Safe for concurrent use.
type epochs struct{ *core }

// beginning is how the roster opens an epoch.
type beginning struct {
	epoch uint16
	size  uint64   // entries of the epoch before that count
	root  [32]byte // which they lead to; zero: the roster does not say, of a member that has come back
}

var (
	errEpochMissing = errors.New("the roster opens another epoch of this territory's feed, after more entries than it holds: they come back from the hubs; if this stays, tell the coordinator")
	errEpochOther   = errors.New("the roster opens another epoch of this territory's feed, after other entries than it holds; nothing leaves before the coordinator opens one after what both hold: tell the coordinator")
)

// next is the epoch that comes after one; ok is false when the roster is no further.
// A record that comes back from a backup may have missed more than one.
func (e epochs) next(f egress.Feed) (b beginning, ok bool, err error) {
	state := e.federating.rosters.State()
	siren, err := public.ParseSiren(e.siren)
	if err != nil || state == nil || f.Epoch == 0 {
		return b, false, err
	}
	m, ok := state.Member(siren)
	if !ok || m.Epoch <= f.Epoch {
		return b, false, nil
	}
	if m.Epoch > f.Epoch+1 {
		if m, err = e.began(siren, f.Epoch+1); err != nil {
			return b, false, err
		}
	}
	return beginning{m.Epoch, m.StartSize, m.StartRoot}, true, nil
}

// began is the member as a former version of the roster had it in an epoch.
func (e epochs) began(siren public.Siren, epoch uint16) (roster.Member, error) {
	entries, err := e.federating.rosters.Entries(0)
	if err != nil {
		return roster.Member{}, err
	}
	var s *roster.State
	for _, b := range entries {
		if s, err = s.Apply(b); err != nil {
			return roster.Member{}, err
		}
		if m, ok := s.Member(siren); ok && m.Epoch == epoch {
			return m, nil
		}
	}
	return roster.Member{}, fmt.Errorf("node: the roster has no epoch %d of this territory", epoch)
}

// follow opens the epoch that the roster names, or the next one on the way there.
// Releases and receipts that do not count any more are said again, with the same figures
// and the day on which they were first said: a record that is put back and follows once more
// says the same bytes. errEpochMissing, errEpochOther.
func (e epochs) follow(ctx context.Context) error {
	f, err := said{e.core}.newest()
	if err != nil {
		return err
	}
	b, ok, err := e.next(f)
	if err != nil || !ok {
		return err
	}
	if b.size > f.Size {
		return errEpochMissing
	}
	head, err := said{e.core}.head(f.Epoch, int64(b.size))
	switch {
	case err != nil:
		return err
	case b.root != [32]byte{} && b.root != head.Root:
		return errEpochOther
	}
	lost, err := said{e.core}.leaves(f.Epoch, b.size, int(f.Size))
	if err != nil {
		return err
	}
	c := command.OpenEpoch{Stamp: e.own(), Epoch: b.epoch, Size: b.size, Root: head.Root}
	for _, l := range lost {
		again, err := public.Decode(l.Bytes)
		if err != nil || !egress.SaidAgain(again.Body) {
			continue
		}
		again.Epoch, again.Seq = b.epoch, uint64(len(c.Again))
		bytes, err := public.Encode(again)
		if err != nil {
			return err
		}
		c.Again = append(c.Again, bytes)
	}
	_, err = e.propose(ctx, c)
	return err
}

// takeBack fetches what this record lacks of the epoch that it holds and that the
// roster has ended, when the roster says what it leads to. nil when nothing is lacking.
func (e epochs) takeBack(ctx context.Context, own *ownFeed, fetch federation.Fetch) error {
	f, err := said{e.core}.newest()
	if err != nil {
		return err
	}
	b, ok, err := e.next(f)
	if err != nil || !ok || b.size <= f.Size || b.root == [32]byte{} {
		return err
	}
	entries, err := fetch(ctx, f.Epoch, int64(f.Size), int64(b.size))
	if err != nil {
		return err
	}
	root, err := own.rootWith(f, entries)
	if err != nil {
		return err
	}
	if root != b.root {
		return errEpochOther
	}
	e.cfg.Logger.Warn("taking back what this territory had said in an epoch that has ended", slog.Int("epoch", int(f.Epoch)), slog.Int("entries", len(entries)))
	return own.record(ctx, entries)
}
