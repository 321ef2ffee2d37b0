package machine

import (
	"slices"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/erasure"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/release"
	"github.com/bippop/bippop/node/internal/store"
)

// noting collects what one command counts for a quarter's release, so that each
// record is written once.
type noting struct {
	releases
	quarter public.Quarter // of the fact at hand
	tallies []release.Tally
	vectors []release.Vector
	asked   []public.Quarter // of which is known whether they are counted
	counted []bool
}

// at takes up a fact of a quarter, and reports whether the quarter is counted. Cells
// are many and quarters few: the records are asked once of each.
func (n *noting) at(q public.Quarter) bool {
	n.quarter = q
	i := slices.Index(n.asked, q)
	if i < 0 {
		i = len(n.asked)
		n.asked, n.counted = append(n.asked, q), append(n.counted, n.counts(q))
	}
	return n.counted[i]
}

func (n *noting) her(about whom, f func(*release.Use) []release.Change) {
	if !about.her.Zero() {
		n.use(store.Beneficiaries.Code, about.her, f)
	}
}

func (n *noting) him(he ident.Volunteer, f func(*release.Use) []release.Change) {
	if !he.Zero() { // the zero one was erased
		n.use(store.Volunteers.Code, he, f)
	}
}

func (n *noting) fate(about whom, fate int) {
	n.her(about, func(u *release.Use) []release.Change { return u.Fate(fate) })
}

// use notes a fact of somebody and changes the vector by what the bounds leave.
func (n *noting) use(collection byte, id [16]byte, f func(*release.Use) []release.Change) {
	t := n.tally(collection, id)
	u, rest := t.Of(n.quarter)
	n.change(f(&u))
	*t = rest.With(u)
}

func (n *noting) tally(collection byte, id [16]byte) *release.Tally {
	i := slices.IndexFunc(n.tallies, func(t release.Tally) bool { return t.Collection == collection && t.ID == id })
	if i >= 0 {
		return &n.tallies[i]
	}
	t, ok, err := store.Tallies.Get(n.tx, erasure.Key(collection, id))
	n.must(err)
	if !ok {
		t = release.Tally{Collection: collection, ID: id}
	}
	t, _ = t.Pruned(n.stamp.At)
	n.tallies = append(n.tallies, t)
	return &n.tallies[len(n.tallies)-1]
}

func (n *noting) change(changes []release.Change) {
	if len(changes) == 0 {
		return
	}
	i := slices.IndexFunc(n.vectors, func(v release.Vector) bool { return v.Quarter == n.quarter })
	if i < 0 {
		i = len(n.vectors)
		n.vectors = append(n.vectors, n.vector(n.quarter))
	}
	n.vectors[i] = n.vectors[i].Apply(changes)
}

func (n *noting) write() {
	for _, t := range n.tallies {
		store.Tallies.Put(n.tx, t)
	}
	for _, v := range n.vectors {
		store.Vectors.Put(n.tx, v)
	}
}
