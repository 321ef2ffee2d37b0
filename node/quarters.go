package node

import (
	"context"
	"errors"
	"sync"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/catalogue"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/egress"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/release"
	"github.com/bippop/bippop/node/internal/replica"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/territory"
)

// Quarters are what of the figures leaves the territory: once a quarter, on the
// tenth day after its end, one release with noise. Safe for concurrent use.
type Quarters struct {
	*core
	mu    sync.Mutex // guards drawn, while a quarter is frozen
	drawn draw
}

// draw is a release whose noise is drawn and of which nobody knows yet whether it
// is recorded.
type draw struct {
	body   public.Release
	before public.Odometer // that it was paid from
	any    bool
}

// releaseDay is how many days after its end a quarter is released.
const releaseDay = 10

// ReleasedQuarter is a quarter that has left the territory.
type ReleasedQuarter struct {
	release.Released
	Figures public.Release
}

// Statement is what has been released, and what it has cost.
type Statement struct {
	Released []ReleasedQuarter // newest first
	// Spent is what each unit has spent in the civil year of the newest release, of
	// [public.MaxSpending].
	Spent public.Odometer
	// Next is released on the day On. Begun says that there is one: the quarters are
	// counted. Joined says that there is a federation to release it to.
	Next          public.Quarter
	On            public.Day
	Begun, Joined bool
}

// Statement is open to everybody who reads figures: what it holds has left.
func (s *Quarters) Statement(by Caller) (out Statement, err error) {
	if err := by.may(ReadReleases); err != nil {
		return out, err
	}
	err = s.view(by, func(tx *store.Tx) error {
		state, err := quarterState(tx)
		if err != nil {
			return err
		}
		out.Spent, out.Next, out.On, out.Begun, out.Joined = state.feed.Spent, state.next, state.next.End()+releaseDay, state.begun, state.feed.Epoch > 0
		var list []release.Released
		if err := store.Released.Each(tx, nil, func(r release.Released) bool { list = append(list, r); return true }); err != nil {
			return err
		}
		for i := len(list) - 1; i >= 0; i-- {
			leaf, ok, err := store.Leaves.Get(tx, egress.Key(list[i].Epoch, list[i].Seq))
			if err != nil || !ok {
				return either(err, errors.New("node: a release is missing from the feed"))
			}
			e, err := public.Decode(leaf.Bytes)
			if err != nil {
				return err
			}
			if r, ok := e.Body.(public.Release); ok {
				out.Released = append(out.Released, ReleasedQuarter{list[i], r})
			}
		}
		return nil
	})
	return out, err
}

// Freeze releases the next quarter now, if it is over: for who need not wait for the
// tenth day.
func (s *Quarters) Freeze(ctx context.Context, by Caller) (Receipt, error) {
	if err := by.may(ReleaseFigures); err != nil {
		return Receipt{}, err
	}
	return s.freeze(ctx, s.stamp(by, ""))
}

// due begins the counting where it has not begun, and releases what is due, the
// oldest quarter first. The leader's ticker calls it.
func (s *Quarters) due(ctx context.Context) error {
	for {
		var state quarters
		err := s.view(itself, func(tx *store.Tx) (err error) {
			state, err = quarterState(tx)
			return err
		})
		switch {
		case err != nil:
			return err
		case !state.begun:
			return s.begin(ctx)
		case state.feed.Epoch == 0 || state.feed.Frozen != 0:
			return nil
		case public.DayOf(s.now()) < state.next.End()+releaseDay:
			return nil
		}
		if _, err := s.freeze(ctx, s.own()); err != nil {
			return err
		}
	}
}

// begin starts the counting, once all replicas know how. A coordinator's node counts
// nobody and releases nothing.
func (s *Quarters) begin(ctx context.Context) error {
	var t territory.Territory
	err := s.view(itself, func(tx *store.Tx) (err error) {
		t, _, err = store.Territories.Get(tx, []byte{0})
		return err
	})
	if err != nil || t.Role == territory.RoleCoordinator {
		return err
	}
	level := command.LevelOf(command.KindBeginVectors)
	if _, behind := s.members.behind(level); behind || level > s.cfg.level { // at founding nobody is recorded yet
		return nil
	}
	_, err = s.propose(ctx, command.BeginVectors{Stamp: s.own()})
	if e, ok := errors.AsType[*Error](err); ok && e.Code == refuse.VectorsBegun.Code() {
		return nil
	}
	return err
}

// freeze proposes the release of the next quarter.
//
// Its noise is drawn once. As long as nobody knows whether a draw was recorded, this
// replica says the same body again. Another leader, or this one after a start, draws
// anew only where it finds no release of the quarter; should the former still be
// recorded, the machine refuses the second, because a quarter is released once. So
// there is no way to have two draws of one number, whose mean would wear the noise
// off: what is not recorded never leaves.
func (s *Quarters) freeze(ctx context.Context, stamp command.Stamp) (Receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := fresh(ctx, s.core); err != nil { // what a former leader has recorded is seen
		return Receipt{}, err
	}
	var state quarters
	var vector release.Vector
	err := s.view(itself, func(tx *store.Tx) (err error) {
		if state, err = quarterState(tx); err == nil {
			vector, err = frozen(tx, state.next)
		}
		return err
	})
	switch {
	case err != nil:
		return Receipt{}, err
	case state.feed.Epoch == 0:
		return Receipt{}, refused(refuse.NotFederated, RequestID{})
	case !state.begun || !release.Over(state.next, stamp.At):
		return Receipt{}, refused(refuse.QuarterOpen, RequestID{})
	}
	if !s.drawn.any || s.drawn.body.Quarter != state.next || s.drawn.before != state.feed.Spent {
		body, err := s.noised(vector, state.feed.Spent)
		if err != nil {
			return Receipt{}, err
		}
		s.drawn = draw{body: body, before: state.feed.Spent, any: true}
	}
	receipt, err := s.proposeEntry(ctx, s.drawn.body, func(entry []byte) command.Command {
		return command.Freeze{Stamp: stamp, Entry: entry}
	})
	if err == nil {
		s.drawn = draw{}
	}
	return receipt, err
}

// quarters is where the releases stand.
type quarters struct {
	feed  egress.Feed
	next  public.Quarter
	begun bool
}

func quarterState(tx *store.Tx) (q quarters, err error) {
	if err := store.Feeds.Each(tx, nil, func(f egress.Feed) bool { q.feed = f; return true }); err != nil { // epochs sort
		return q, err
	}
	first, err := tx.Meta(release.MetaFirst)
	if err != nil || first == 0 {
		return q, err
	}
	q.begun, q.next = true, release.Next(q.feed.Spent, public.Quarter(first-1))
	return q, nil
}

// frozen is a quarter's vector with the cells of the institution, as they are now.
func frozen(tx *store.Tx, q public.Quarter) (release.Vector, error) {
	v, ok, err := store.Vectors.Get(tx, release.Key(q))
	if err != nil {
		return v, err
	}
	if !ok {
		v = release.NewVector(q)
	}
	at, _, _ := public.Place(v.Catalogue, public.GroupInstitution)
	err = errors.Join(
		store.Territories.Each(tx, nil, func(t territory.Territory) bool {
			v.Cells[at+public.HasCommunes] = int32(len(t.Communes))
			return true
		}),
		store.ActionTypes.Each(tx, nil, func(t catalogue.ActionType) bool {
			if !t.Retired {
				v.Cells[at+public.HasKinds]++
			}
			return true
		}),
		store.Replicas.Each(tx, nil, func(r replica.Replica) bool {
			if r.State.Alive() {
				v.Cells[at+public.HasReplicas]++
			}
			return true
		}))
	return v, err
}
