package crypto

import (
	"errors"
	"slices"
)

var (
	// ErrLacking says that the committed root key is not here: this replica was
	// away when it was handed over, and asks its peers for it before it serves.
	ErrLacking = errors.New("the root key in force is not in this vault; it is fetched from another replica")
	// ErrOtherRoot says that a candidate was offered for a root that is not the
	// current one here.
	ErrOtherRoot = errors.New("this root key is offered in place of another one than the current; catch up first")
)

// mostCandidates is how many candidates are kept. More than one are there only
// when a leader was lost between handover and commit, or somebody was enrolled
// meanwhile, so that the next attempt drew another.
const mostCandidates = 32

// Roots are the root keys in a replica's vault. The zero Roots belong to a
// replica that has just joined. The methods touch neither disk nor clock; they
// never write into a slice that a copy of r shares: copy, change the copy, write
// it to the vault, then use it.
type Roots struct {
	Current    Key // tops the tree that was last seen committed
	Candidates []Candidate
}

// Candidate is a root that may come to be committed in place of From.
type Candidate struct {
	Key  Key
	From KeyID
}

// Offer keeps a candidate that a leader hands over, and reports whether it is new
// here. Once r is in the vault, the replica may answer that it holds key.
//
// [ErrOtherRoot]: from is not the current root. An offer that comes late, after
// another root took from's place, must not bring back a dead candidate: its
// command lies in some log and wraps people erased since. One that comes early,
// before this replica has followed, would be dropped or kept for no stated
// reason; the leader asks again, or goes on without this replica.
//
// A leader hands over one root at a time, and only after it has applied all that
// was proposed before: with each offer the older ones are dead but for those that
// a deposed leader sent and the net delayed. Past [mostCandidates] the oldest
// goes.
func (r *Roots) Offer(key Key, from KeyID) (added bool, err error) {
	id := key.ID()
	if r.Current.Zero() || r.Current.ID() != from || id == from {
		return false, ErrOtherRoot
	}
	if slices.ContainsFunc(r.Candidates, func(c Candidate) bool { return c.Key.ID() == id }) {
		return false, nil
	}
	kept := r.Candidates
	if len(kept) >= mostCandidates {
		kept = kept[len(kept)-mostCandidates+1:]
	}
	r.Candidates = append(slices.Clone(kept), Candidate{key, from})
	return true, nil
}

// Committed is told that the root to is in force, in place of from (zero when
// that is not known, as after a start), and reports whether r changed.
//
// To becomes the current root and every other root goes, because each may open
// somebody who is erased: the former one opens the former tree, and a candidate
// opens the command that named it, which lies in some log even if it was refused
// or never committed. Candidates in place of to stay: their command may still
// be committed, and this replica may be one of those that promised to hold them.
//
// [ErrLacking]: to is not here. Then only candidates in place of from go, which
// nobody will ever commit, since a root is followed by one root. Everything else
// stays: after a start the machine may stand before roots that this vault has
// already followed.
func (r *Roots) Committed(from, to KeyID) (changed bool, err error) {
	current := r.Current
	if current.Zero() || current.ID() != to {
		i := slices.IndexFunc(r.Candidates, func(c Candidate) bool { return c.Key.ID() == to })
		if i < 0 {
			return r.keep(func(c Candidate) bool { return c.From != from }), ErrLacking
		}
		r.Current, changed = r.Candidates[i].Key, true
	}
	return r.keep(func(c Candidate) bool { return c.From == to }) || changed, nil
}

// Adopt makes key, which a peer gave, the current root, as [Roots.Committed]
// does. The caller has seen that key.ID() is the committed root now, and that
// its machine has caught up since it started: a machine that lags behind its
// vault would otherwise fetch back a root that this replica has reported gone.
func (r *Roots) Adopt(key Key) {
	id := key.ID()
	r.Current = key
	r.keep(func(c Candidate) bool { return c.From == id })
}

func (r *Roots) keep(which func(Candidate) bool) (changed bool) {
	var kept []Candidate
	for _, c := range r.Candidates {
		if which(c) {
			kept = append(kept, c)
		}
	}
	changed = len(kept) != len(r.Candidates)
	r.Candidates = kept
	return changed
}

// Holds reports whether a root is here, as current or candidate.
func (r Roots) Holds(id KeyID) bool { return slices.Contains(r.IDs(), id) }

// IDs names all roots here, the current one first.
func (r Roots) IDs() []KeyID {
	var ids []KeyID
	if !r.Current.Zero() {
		ids = append(ids, r.Current.ID())
	}
	for _, c := range r.Candidates {
		ids = append(ids, c.Key.ID())
	}
	return ids
}
