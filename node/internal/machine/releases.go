package machine

import (
	"errors"
	"fmt"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/erasure"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/release"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/store"
)

// releases are what of the counting leaves the territory, quarter by quarter.
type releases struct{ *act }

// whom says who a count is about. The zero whom is nobody in particular: a part of
// an import, see [releases.part].
type whom struct {
	her     ident.Beneficiary
	him     ident.Volunteer   // of what he does without her: joining, offering
	came    []ident.Volunteer // of an action that was done
	minutes uint16            // that each of them gave
}

// visited is whom a request that has ended is about.
func visited(r request.Request) whom {
	return whom{her: r.Beneficiary, came: r.Coming(), minutes: r.Outcome.Minutes}
}

// begin starts the counting. The present quarter is whole when nobody is known yet.
func (a releases) begin(command.BeginVectors) (Reply, error) {
	if !exists(a.act, store.Territories, []byte{0}) {
		return Reply{}, refuse.NotFounded
	}
	if _, begun := a.first(); begun {
		return Reply{}, refuse.VectorsBegun
	}
	q := release.At(a.stamp.At)
	if !empty(a.act, store.Beneficiaries) || !empty(a.act, store.Volunteers) {
		q++
	}
	a.tx.SetMeta(release.MetaFirst, uint64(q)+1)
	return Reply{}, nil
}

func empty[R store.Record](a *act, c store.Collection[R]) bool {
	none := true
	a.must(c.Each(a.tx, nil, func(R) bool { none = false; return false }))
	return none
}

// first is the first quarter that is counted whole.
func (a releases) first() (public.Quarter, bool) {
	n, err := a.tx.Meta(release.MetaFirst)
	a.must(err)
	if n == 0 {
		return 0, false
	}
	return public.Quarter(n - 1), true
}

// counts reports whether a quarter is one whose vector is counted: not before the
// counting began, and not once it was released.
func (a releases) counts(q public.Quarter) bool {
	first, begun := a.first()
	if !begun || q < first {
		return false
	}
	spent := egresses{a.act}.feed().Spent
	return !spent.Any || q > spent.Last
}

// note counts facts about somebody within the bounds of their quarter. What comes
// so late, or so early, that the quarter's tallies are gone counts in the exact
// counters alone.
func (a releases) note(about whom, cells []public.Cell) {
	if about.her.Zero() && about.him.Zero() {
		return
	}
	n := noting{releases: a}
	for _, c := range cells {
		if q := public.QuarterOf(c.Month); !release.Open(q, a.stamp.At) || !n.at(q) {
			continue
		}
		switch c.Indicator {
		case public.Requested:
			n.her(about, (*release.Use).Request)
		case public.Found:
			n.fate(about, soonest(cells))
		case public.Done:
			n.her(about, func(u *release.Use) []release.Change { return u.HelpedBy(c, len(about.came)) })
			for _, v := range about.came {
				n.him(v, func(u *release.Use) []release.Change { return u.Gave(about.minutes) })
			}
		case public.NotDone:
			n.fate(about, public.FateNotDone)
		case public.Cancelled:
			n.fate(about, public.FateCancelled)
		case public.Unfilled:
			n.fate(about, public.FateUnfilled)
		case public.Enrolled:
			n.her(about, (*release.Use).Enrol)
		case public.Bonds:
			n.her(about, (*release.Use).Bond)
		case public.Joined:
			n.him(about.him, (*release.Use).Join)
		case public.Offered:
			n.him(about.him, (*release.Use).Offer)
		}
	}
	n.write()
}

// soonest is the fate of a request for which somebody was found: by the narrowest
// time that is counted with it. What has no time is among the later ones, as on the
// territory's own pages.
func soonest(cells []public.Cell) int {
	fate := public.FateLater
	for _, c := range cells {
		switch c.Indicator {
		case public.FoundInDay:
			fate = min(fate, public.FateDay)
		case public.FoundInTwoDays:
			fate = min(fate, public.FateTwoDays)
		case public.FoundInWeek:
			fate = min(fate, public.FateWeek)
		}
	}
	return fate
}

// vector of a quarter; that of one in which nothing was counted is all noughts.
func (a releases) vector(q public.Quarter) release.Vector {
	v, ok, err := store.Vectors.Get(a.tx, release.Key(q))
	a.must(err)
	if !ok {
		return release.NewVector(q)
	}
	return v
}

// part counts, or takes back, the people of a part of an import. Each of them is in
// one part, once in all, and nobody is enrolled or approved twice: so the bound of
// one holds without a tally, also long after the quarter.
func (a releases) part(counts []command.Count, back bool) {
	groups := map[public.Indicator]public.GroupNumber{public.Enrolled: public.GroupEnrolled, public.Joined: public.GroupJoined}
	n := noting{releases: a}
	for _, c := range counts {
		cell := a.cell(c)
		g, ok := groups[cell.Indicator]
		if !ok || !n.at(public.QuarterOf(cell.Month)) {
			continue
		}
		by := int32(min(c.N, public.MaxCell))
		if back {
			by = -by
		}
		n.change([]release.Change{{Group: g, N: by}})
	}
	n.write()
}

// metaPruned is the first quarter that may have tallies.
const metaPruned = "tallied"

// prune forgets what was used in quarters for which nothing is counted any more.
func (a releases) prune() {
	at, err := a.tx.Meta(metaPruned)
	a.must(err)
	oldest := uint64(release.At(a.stamp.At))
	for oldest > 0 && release.Open(public.Quarter(oldest-1), a.stamp.At) {
		oldest--
	}
	if _, begun := a.first(); !begun || at >= oldest {
		return
	}
	var stale []release.Tally
	a.must(store.Tallies.Each(a.tx, nil, func(t release.Tally) bool {
		if t, less := t.Pruned(a.stamp.At); less {
			stale = append(stale, t)
		}
		return len(stale) < sweepStep
	}))
	for _, t := range stale {
		if len(t.Uses) > 0 {
			store.Tallies.Put(a.tx, t)
			continue
		}
		store.Tallies.Delete(a.tx, erasure.Key(t.Collection, t.ID))
	}
	if len(stale) < sweepStep {
		a.tx.SetMeta(metaPruned, oldest)
	}
}

// freeze appends a quarter's release: the next one in order, once it is over, within
// the year's budget. Its cells are final; what they were made of is forgotten.
func (a releases) freeze(c command.Freeze) (Reply, error) {
	e, err := egresses{a.act}.read(c.Entry, public.KindRelease)
	if err != nil {
		return Reply{}, err
	}
	r, ok := e.Body.(public.Release)
	if !ok || r.Catalogue != release.Version {
		panic(fmt.Sprintf("machine: entry %d: a release of another catalogue than the vectors are counted in", a.index))
	}
	feed := egresses{a.act}.feed()
	first, begun := a.first()
	next := release.Next(feed.Spent, first)
	switch {
	case feed.Spent.Any && r.Quarter <= feed.Spent.Last:
		return Reply{}, refuse.QuarterReleased
	case !begun || r.Quarter != next:
		return Reply{}, refuse.QuarterGap
	case !release.Over(r.Quarter, a.stamp.At):
		return Reply{}, refuse.QuarterOpen
	}
	_, err = feed.Spent.Follow(r) // append pays
	switch {
	case errors.Is(err, public.ErrBudget):
		return Reply{}, refuse.BudgetSpent
	case err != nil:
		panic(fmt.Sprintf("machine: entry %d: %v", a.index, err))
	}
	egresses{a.act}.append(c.Entry)
	store.Vectors.Delete(a.tx, release.Key(r.Quarter))
	store.Released.Put(a.tx, release.Released{Quarter: r.Quarter, Catalogue: r.Catalogue, Epoch: e.Epoch, Seq: e.Seq, At: a.stamp.At})
	return Reply{}, nil
}
