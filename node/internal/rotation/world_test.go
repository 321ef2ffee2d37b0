package rotation_test

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/rotation"
)

const siren = "200044394"

// world is one territory, its replicas, the net between them and the attacker's
// memory: every wrapped key that was ever in any log.
type world struct {
	*rand.Rand
	broken string // the rule that is left out

	replicas []*replica
	messages []message
	truth    []*entry // committed
	states   []*state // after so many of truth
	groups   []int    // who hears whom

	keys    map[crypto.KeyID]crypto.Key     // all roots ever
	wrapped map[crypto.KeyID][]crypto.KeyID // a key, and those that open a box with it
	people  map[uint32]crypto.Leaf          // whoever was enrolled
	wanted  map[uint32]bool                 // who asked to be forgotten
	files   [destinations][]crypto.KeyID    // key backups at each destination: their roots
	bad     map[crypto.KeyID]bool           // what leads to somebody certified
	dirty   bool
	slots   []uint32
	seen    map[string]int // what has happened, so that a test knows what it tested
}

// replica is one replica: what is on its disk, and what is in its memory.
type replica struct {
	id        rid
	log       []*entry
	term      int
	vault     crypto.Roots
	ids       []crypto.KeyID // of the vault
	gone      bool           // its machine is burnt, or stolen
	burnt     bool           // and its vault with it
	up        bool
	life      int // counts its starts
	ring      *crypto.Keyring
	leads     int // the term in which it believes to lead, or 0
	match     map[rid]int
	commit    int
	applied   int
	barrier   *barrier
	caughtUp  bool
	attempt   *attempt
	lastTo    crypto.KeyID // a root of a former attempt, for who breaks the rule
	uploading *upload
}

type barrier struct {
	leader rid
	term   int
	index  int
}

type attempt struct {
	term     int
	settle   int
	from, to crypto.KeyID
	slots    []uint32
	holders  []rid
	command  int // its index in the log, from 1; 0 before
}

type upload struct {
	dest  int
	root  crypto.KeyID
	begun uint64
	stage int
}

type message struct {
	to      rid
	from    rid
	life    int // of the receiver, for answers; 0 for what any life takes
	kind    string
	root    crypto.KeyID
	in      crypto.KeyID // the From of an offer
	attempt *attempt
}

func newWorld(seed uint64, broken string) *world {
	w := &world{
		Rand: rand.New(rand.NewPCG(seed, 4)), broken: broken, keys: map[crypto.KeyID]crypto.Key{}, wrapped: map[crypto.KeyID][]crypto.KeyID{},
		people: map[uint32]crypto.Leaf{}, wanted: map[uint32]bool{}, bad: map[crypto.KeyID]bool{}, seen: map[string]int{},
	}
	w.slots = []uint32{0, 1, 2, 3, 16, 17, 18, 32, 33, 100, 101, 200, 255, 254, 240}
	w.Shuffle(len(w.slots), func(i, j int) { w.slots[i], w.slots[j] = w.slots[j], w.slots[i] })
	root := crypto.NewKey()
	w.keys[root.ID()] = root
	s := &state{tree: tree{map[[2]uint32]crypto.TreeNode{}, map[uint32]crypto.Leaf{}}, root: root.ID(), numbers: map[crypto.KeyID]uint64{root.ID(): 1}, records: map[rid]record{}, index: 1}
	ring := crypto.NewKeyring(siren, root, s.tree)
	nodes, err := ring.Grow(0)
	if err != nil {
		panic(err)
	}
	for _, n := range nodes {
		s.tree.nodes[[2]uint32{uint32(n.Level), n.Index}] = n
		w.wrap(n.ID, n.Parent)
	}
	for range 4 {
		l := w.leaf(ring)
		s.tree.leaves[l.Slot] = l
	}
	for i := range 1 + 2*w.IntN(3) {
		s.voters = append(s.voters, rid(i))
		s.records[rid(i)] = record{Replica: rotation.Replica{Joined: 1, Root: 1}}
	}
	for d := range s.backups {
		s.backups[d] = rotation.Backup{Root: 1, Begun: 1}
		w.files[d] = []crypto.KeyID{s.root}
	}
	w.states = []*state{s}
	for range s.voters {
		w.newReplica(crypto.Roots{Current: root})
	}
	return w
}

func (w *world) newReplica(roots crypto.Roots) *replica {
	r := &replica{id: rid(len(w.replicas)), vault: roots, ids: roots.IDs()}
	w.replicas = append(w.replicas, r)
	w.groups = append(w.groups, 0)
	w.start(r)
	return r
}

func (w *world) wrap(key, by crypto.KeyID) {
	w.wrapped[key] = append(w.wrapped[key], by)
	w.dirty = true
}

func (w *world) leaf(ring *crypto.Keyring) crypto.Leaf {
	slot := w.slots[0]
	w.slots = w.slots[1:]
	l, _, err := ring.NewLeaf(slot)
	if err != nil {
		panic(err)
	}
	w.wrap(l.ID, l.Parent)
	w.people[slot] = l
	return l
}

func (w *world) now() *state                  { return w.states[len(w.states)-1] }
func (w *world) state(r *replica) *state      { return w.states[r.applied] }
func (w *world) hears(a, b *replica) bool     { return a.up && b.up && w.groups[a.id] == w.groups[b.id] }
func (w *world) chance(n int) bool            { return w.IntN(n) == 0 }
func (w *world) any() *replica                { return w.replicas[w.IntN(len(w.replicas))] }
func (w *world) note(format string, a ...any) { w.seen[fmt.Sprintf(format, a...)]++ }

func (w *world) start(r *replica) {
	if r.up || r.gone {
		return
	}
	r.up, r.life, r.leads, r.caughtUp, r.barrier, r.attempt, r.uploading = true, r.life+1, 0, false, nil, nil, nil
	// The store may have lost what it had not synced; the log has it.
	r.applied = max(0, r.applied-w.IntN(12)*w.IntN(2))
	r.commit = r.applied
	r.ring = crypto.NewKeyring(siren, r.vault.Current, at{w, r})
}

// at is the tree that a replica's machine holds.
type at struct {
	w *world
	r *replica
}

func (a at) TreeNode(level uint8, index uint32) (crypto.TreeNode, error) {
	return a.w.state(a.r).tree.TreeNode(level, index)
}
func (a at) TreeLeaf(slot uint32) (crypto.Leaf, error) { return a.w.state(a.r).tree.TreeLeaf(slot) }

func (w *world) crash(r *replica) {
	if r.up {
		w.note("crash")
	}
	r.up, r.leads, r.attempt, r.uploading, r.barrier, r.ring = false, 0, nil, nil, nil, nil
}

// save writes roots to r's vault, and reports whether r lived to know.
func (w *world) save(r *replica, roots crypto.Roots) bool {
	at := 2
	if w.chance(12) {
		at = w.IntN(2)
		w.note("crash at the vault")
	}
	if at > 0 {
		r.vault, r.ids = roots, roots.IDs()
	}
	if at < 2 {
		w.crash(r)
	}
	return at == 2
}

// ---- the log: a raft with what matters here

func config(w *world, r *replica) (now []rid, index int) {
	for i := len(r.log) - 1; i >= 0; i-- {
		if r.log[i].kind == voters {
			return r.log[i].voters, i + 1
		}
	}
	return w.states[0].voters, 0
}

func (w *world) append(l *replica, e entry) int {
	e.term = l.leads
	l.log = append(l.log, &e)
	l.match[l.id] = len(l.log)
	w.commit(l)
	return len(l.log)
}

func lastTerm(r *replica) int {
	if len(r.log) == 0 {
		return 0
	}
	return r.log[len(r.log)-1].term
}

func (w *world) elect(r *replica) {
	cfg, _ := config(w, r)
	if !r.up || !slices.Contains(cfg, r.id) && !slices.Contains(w.now().voters, r.id) {
		return // who is leaving may still lead until that is committed
	}
	term, votes := r.term, []rid{}
	for _, v := range w.replicas {
		if w.hears(r, v) {
			term = max(term, v.term)
		}
	}
	term++
	for _, v := range w.replicas {
		if w.hears(r, v) && (lastTerm(r) > lastTerm(v) || lastTerm(r) == lastTerm(v) && len(r.log) >= len(v.log)) {
			votes = append(votes, v.id)
		}
	}
	if !rotation.Quorum(cfg, votes) {
		return
	}
	for _, v := range votes {
		w.replicas[v].term, w.replicas[v].leads = term, 0
	}
	r.leads, r.match = term, map[rid]int{}
	w.append(r, entry{kind: noop})
	w.note("elected")
}

func (w *world) replicate(l, f *replica) {
	if l.leads == 0 || l == f || !w.hears(l, f) {
		return
	}
	cfg, _ := config(w, l)
	if rec, recorded := w.state(l).records[f.id]; (!recorded || rec.removed) && !slices.Contains(cfg, f.id) {
		return
	}
	if f.term > l.leads {
		l.leads = 0
		l.term = f.term
		w.note("deposed")
		return
	}
	f.term = l.leads
	if f.leads != 0 && f.leads != l.leads {
		f.leads = 0
		w.note("deposed")
	}
	same := min(len(l.log), len(f.log))
	for same > 0 && l.log[same-1] != f.log[same-1] {
		same--
	}
	n := same + w.IntN(len(l.log)-same+1)
	if l.applied > len(f.log) && w.chance(3) { // a snapshot
		f.log, n = slices.Clone(l.log[:l.applied]), l.applied
		f.applied, f.commit = max(f.applied, n), max(f.commit, n)
		w.note("snapshot")
	}
	if n > same {
		f.log = append(f.log[:same:same], l.log[same:n]...)
	}
	l.match[f.id] = max(l.match[f.id], n)
	f.commit = max(f.commit, min(l.commit, n))
	w.commit(l)
}

func (w *world) commit(l *replica) {
	cfg, _ := config(w, l)
	for n := len(l.log); n > l.commit; n-- {
		if l.log[n-1].term != l.leads {
			return
		}
		var have []rid
		for id, m := range l.match {
			if m >= n {
				have = append(have, id)
			}
		}
		if !rotation.Quorum(cfg, have) {
			continue
		}
		l.commit = n
		for i, e := range l.log[:n] {
			if i >= len(w.truth) {
				w.truth = append(w.truth, e)
				w.states = append(w.states, w.now().apply(w, e))
				w.dirty = true
			} else if w.truth[i] != e {
				panic("the log of the simulator forks")
			}
		}
		return
	}
}

// settled reports whether a leader knows the fate of all that was proposed
// before its term.
func (w *world) settled(l *replica) bool {
	return l.leads != 0 && l.applied == l.commit && l.commit > 0 && l.log[l.commit-1].term == l.leads
}

// leader is any that believes to lead, or r.
func (w *world) leader(r *replica) *replica {
	from := w.IntN(len(w.replicas))
	for i := range w.replicas {
		if l := w.replicas[(from+i)%len(w.replicas)]; l.leads != 0 {
			return l
		}
	}
	return r
}

func (w *world) leaderFor(r *replica) *replica {
	var found []*replica
	for _, l := range w.replicas {
		if l.leads != 0 && w.hears(l, r) {
			found = append(found, l)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return found[w.IntN(len(found))]
}
