package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/bippop/bippop/federation"
	"github.com/bippop/bippop/federation/bulletin"
	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/egress"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/store"
	"golang.org/x/mod/sumdb/tlog"
)

// ownFeed is the territory's feed as it speaks: federation.Own of a node. What its
// replicas and the witnesses have signed is kept here and on this machine's disk,
// never in the record: another leader collects it anew. Safe for concurrent use.
type ownFeed struct {
	*cosigning
	points pointFile

	mu   sync.Mutex // guards best, for a look
	best feed.Checkpoint
}

func newOwnFeed(c *cosigning) *ownFeed { return &ownFeed{cosigning: c, points: newPointFile(c.cfg)} }

// Checkpoint is the newest head with the signatures of enough replicas, and of the
// witnesses that have cosigned it so far.
func (o *ownFeed) Checkpoint(ctx context.Context) (feed.Checkpoint, error) {
	f, policy, err := o.place()
	if err != nil {
		return feed.Checkpoint{}, err
	}
	if f.Frozen != 0 {
		return feed.Checkpoint{}, refused(refuse.FeedFrozen, RequestID{})
	}
	o.mu.Lock()
	best := o.best
	o.mu.Unlock()
	if best.Origin == policy.Origin && best.Head.Size == int64(f.Size) && policy.Quorate(best) == nil {
		return best, nil
	}
	point, err := o.collect(ctx)
	if err != nil {
		return feed.Checkpoint{}, err
	}
	return o.merged(point)
}

// merged joins a checkpoint with what is known of the same head.
func (o *ownFeed) merged(point feed.Checkpoint) (feed.Checkpoint, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.best.Origin == point.Origin && o.best.Head == point.Head {
		both, err := feed.Merge(o.best, point)
		if err != nil {
			return feed.Checkpoint{}, err
		}
		point = both
	}
	if o.best.Origin != point.Origin || o.best.Head.Size <= point.Head.Size {
		o.best = point
	}
	return point, nil
}

// Entries are the bytes of the newest epoch's entries, from ≤ n < to.
func (o *ownFeed) Entries(_ context.Context, from, to int64) ([][]byte, error) {
	f, err := said{o.core}.newest()
	if err != nil {
		return nil, err
	}
	if from < 0 || from > to || to > int64(f.Size) {
		return nil, feed.ErrGap
	}
	leaves, err := said{o.core}.leaves(f.Epoch, uint64(from), int(to-from))
	out := make([][]byte, len(leaves))
	for i, l := range leaves {
		out[i] = l.Bytes
	}
	return out, err
}

// leaves an epoch: its entries from a place on, at most n.
func (c said) leaves(epoch uint16, from uint64, n int) (out []egress.Leaf, err error) {
	err = c.view(itself, func(tx *store.Tx) error {
		after := egress.Key(epoch, from-1)
		if from == 0 {
			after = egress.Key(epoch-1, 1<<64-1)
		}
		return store.Leaves.Each(tx, after, func(l egress.Leaf) bool {
			if l.Epoch != epoch || len(out) == n {
				return false
			}
			out = append(out, l)
			return true
		})
	})
	return out, err
}

// Witnessed takes in what hubs have cosigned of a checkpoint of ours.
func (o *ownFeed) Witnessed(_ context.Context, point feed.Checkpoint) error {
	f, policy, err := o.place()
	if err != nil {
		return err
	}
	if point.Origin != policy.Origin {
		return nil // of a former epoch
	}
	if err := o.holds(f, point.Head); err != nil {
		return err
	}
	if point, err = policy.Trim(point); err != nil {
		return err
	}
	if point, err = o.merged(point); err != nil {
		return err
	}
	if policy.Settled(point) != nil {
		return nil
	}
	return o.points.keep(f.Epoch, point)
}

// Compare takes in what a hub holds of this territory's feed. More than we hold: it
// is ours, said before this record was put back from an older disk or backup, and is
// taken back. Something else: the feed is frozen, with both as evidence, until people
// have decided.
func (o *ownFeed) Compare(ctx context.Context, hub feed.Checkpoint, fetch federation.Fetch) error {
	f, policy, err := o.place()
	if errors.Is(err, errNotMember) {
		return epochs{o.core}.takeBack(ctx, o, fetch)
	}
	if err != nil {
		return err
	}
	if hub.Origin != policy.Origin || hub.Signed == nil {
		return nil // it knows another epoch, or says nothing that it could be held to
	}
	siren, err := public.ParseSiren(o.siren)
	if err != nil {
		return err
	}
	if hub.Head.Size > 0 && !o.federating.rosters.quorateOnce(siren, f.Epoch, hub) {
		return feed.ErrQuorum // a hub can not speak in our name
	}
	err = o.holds(f, hub.Head)
	if errors.Is(err, errHubsAhead) && f.Frozen == 0 {
		err = o.takeBack(ctx, f, hub.Head, fetch)
	}
	if errors.Is(err, errContradiction) {
		return o.freeze(ctx, f, hub)
	}
	if err != nil {
		return err
	}
	o.comparison.note(policy, hub, o.now())
	return o.relieve(ctx)
}

// takeBack fetches what a hub holds more, and records it when it leads from our last
// entry to the head that was signed.
func (o *ownFeed) takeBack(ctx context.Context, f egress.Feed, to feed.Head, fetch federation.Fetch) error {
	entries, err := fetch(ctx, f.Epoch, int64(f.Size), to.Size)
	if err != nil {
		return err
	}
	if int64(len(entries)) != to.Size-int64(f.Size) {
		return feed.ErrGap
	}
	root, err := o.rootWith(f, entries)
	if err != nil {
		return err
	}
	if root != to.Root {
		// Either the hub sends other entries than it signed, or ours are others. All of
		// its entries together tell, and a hub's lie is no reason to freeze.
		return contradicts(ctx, f.Epoch, to, fetch)
	}
	o.cfg.Logger.Warn("taking back what this territory had said before its record was put back", slog.Int("entries", len(entries)))
	return o.record(ctx, entries)
}

// record takes back entries that were checked: they continue the feed.
func (o *ownFeed) record(ctx context.Context, entries [][]byte) error {
	if err := o.knows(entries); err != nil {
		return err
	}
	for len(entries) > 0 {
		n, size := 0, 0
		for n < len(entries) && (n == 0 || size+len(entries[n]) <= rosterStep) {
			size += len(entries[n])
			n++
		}
		if _, err := o.propose(ctx, command.TakeBack{Stamp: o.own(), Entries: entries[:n]}); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

// knows refuses what a newer program has said: the machine would stop at it.
func (o *ownFeed) knows(entries [][]byte) error {
	siren, err := public.ParseSiren(o.siren)
	if err != nil {
		return err
	}
	for _, b := range entries {
		if e, err := public.Decode(b); err == nil && e.From == siren {
			continue
		}
		if _, err := bulletin.Decode(b, siren); err != nil {
			return &Error{Kind: Unavailable, Code: "newer-kind", Reason: "a newer program has said what this one does not know: install that one again"}
		}
	}
	return nil
}

// rootWith is the root of the feed with more entries behind what is held.
func (o *ownFeed) rootWith(f egress.Feed, entries [][]byte) (tlog.Hash, error) {
	held, at := said{o.core}.hashes(f.Epoch), tlog.StoredHashCount(int64(f.Size))
	var more []tlog.Hash
	both := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, n := range indexes {
			if n >= at {
				out[i] = more[n-at]
				continue
			}
			h, err := held.ReadHashes([]int64{n})
			if err != nil {
				return nil, err
			}
			out[i] = h[0]
		}
		return out, nil
	})
	for i, b := range entries {
		h, err := tlog.StoredHashes(int64(f.Size)+int64(i), b, both)
		if err != nil {
			return tlog.Hash{}, err
		}
		more = append(more, h...)
	}
	return tlog.TreeHash(int64(f.Size)+int64(len(entries)), both)
}

// contradicts is [errContradiction] when a hub holds entries that lead to what was
// signed, and [feed.ErrRoot] when it only says so.
func contradicts(ctx context.Context, epoch uint16, to feed.Head, fetch federation.Fetch) error {
	entries, err := fetch(ctx, epoch, 0, to.Size)
	if err != nil {
		return err
	}
	var tree feed.Tree
	for _, b := range entries {
		tree.Add(b)
	}
	if tree.Head() != to {
		return feed.ErrRoot
	}
	return errContradiction
}

// freeze stops the feed with both checkpoints as evidence.
func (o *ownFeed) freeze(ctx context.Context, f egress.Feed, theirs feed.Checkpoint) error {
	o.mu.Lock()
	ours := o.best
	o.mu.Unlock()
	if ours.Origin != theirs.Origin || ours.Signed == nil {
		ours, _ = o.points.read(f.Epoch)
	}
	if ours.Signed == nil { // nothing of ours was signed in this life: say at least what we hold
		head, err := said{o.core}.head(f.Epoch, int64(f.Size))
		if err != nil {
			return err
		}
		ours.Signed = feed.FormatCheckpoint(theirs.Origin, head)
	}
	o.cfg.Logger.Error("two signed versions of what this territory has said contradict each other; nothing more leaves until people have decided", slog.Int("epoch", int(f.Epoch)), slog.Int64("their_size", theirs.Head.Size))
	_, err := o.propose(ctx, command.FreezeFeed{Stamp: o.own(), Epoch: f.Epoch, Evidence: [2][]byte{ours.Signed, theirs.Signed}})
	if e, ok := errors.AsType[*Error](err); err == nil || ok && e.Code == refuse.FeedFrozen.Code() {
		return fmt.Errorf("%w: %w", feed.ErrFork, refused(refuse.FeedFrozen, RequestID{}))
	}
	return err
}

// relieve lets a restored feed grow again, once enough witnesses have said that they
// hold no more than this replica does.
func (o *ownFeed) relieve(ctx context.Context) error {
	f, err := said{o.core}.newest()
	if err != nil {
		return err
	}
	if err := o.speakable(); err != nil || f.Restored == 0 {
		if e, ok := errors.AsType[*Error](err); ok && (e.Code == errNotCompared.Code || e.Code == errClock.Code) {
			return nil // the next hub's word may do, or somebody sets the clock
		}
		return err
	}
	_, err = o.propose(ctx, command.TakeBack{Stamp: o.own(), Whole: true})
	return err
}
