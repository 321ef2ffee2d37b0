package rotation_test

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/bippop/bippop/crypto"
)

// The laws, as they are broken.
var (
	errLost      = errors.New("people who stay are lost")
	errRemains   = errors.New("a live key opens somebody who is certified as erased")
	errUncertain = errors.New("an erasure is not certified though all came back")
)

// laws are checked after each move.
func (w *world) laws() error {
	if w.dirty {
		w.dirty = false
		w.leading()
	}
	for _, r := range w.replicas {
		for _, id := range w.live(r) {
			if w.bad[id] {
				return fmt.Errorf("%w: replica %d", errRemains, r.id)
			}
		}
	}
	for d, files := range w.files {
		for _, id := range files {
			if w.bad[id] {
				return fmt.Errorf("%w: destination %d", errRemains, d)
			}
		}
	}
	cfg, root := w.now().voters, w.now().root
	there, lack := 0, 0
	for _, v := range cfg {
		if r := w.replicas[v]; !r.gone {
			there++
			if !slices.Contains(r.ids, root) {
				lack++
			}
		}
	}
	if most := len(cfg)/2 + 1; there >= most && lack >= most {
		return fmt.Errorf("%w: a majority of the voters lacks the root in force", errLost)
	}
	return nil
}

// live names the keys that r still has somewhere.
func (w *world) live(r *replica) []crypto.KeyID {
	if r.burnt || w.now().records[r.id].Destroyed {
		return nil
	}
	if !r.up {
		return r.ids
	}
	ids := append(slices.Clone(r.ids), r.ring.Root())
	if r.attempt != nil {
		ids = append(ids, r.attempt.to)
	}
	if r.uploading != nil {
		ids = append(ids, r.uploading.root)
	}
	return ids
}

// leading finds all keys from which a way leads to somebody certified, through
// whatever was ever wrapped.
func (w *world) leading() {
	clear(w.bad)
	var next []crypto.KeyID
	for _, e := range w.now().erasures {
		for _, slot := range e.slots {
			if e.certified {
				next = append(next, w.people[slot].ID)
			}
		}
	}
	for len(next) > 0 {
		id := next[len(next)-1]
		next = next[:len(next)-1]
		if !w.bad[id] {
			w.bad[id] = true
			next = append(next, w.wrapped[id]...)
		}
	}
}

// heal brings everybody back, and everything to its end.
func (w *world) heal() error {
	clear(w.groups)
	for round := range 900 {
		for _, r := range w.replicas {
			w.start(r)
		}
		w.calm(round)
		if err := w.laws(); err != nil {
			return err
		}
		if w.done() {
			return w.end()
		}
	}
	if err := w.end(); err != nil {
		return err
	}
	return fmt.Errorf("%w: %+v", errUncertain, w.now().erasures)
}

// calm is a while in which those who hear each other work as they are meant to.
func (w *world) calm(round int) {
	var l *replica
	for _, r := range w.replicas {
		if r.leads > 0 && (l == nil || r.leads > l.leads) {
			l = r
		}
	}
	if l == nil || round%60 == 59 {
		for _, r := range w.replicas {
			if w.elect(r); r.leads > 0 {
				l = r
				break
			}
		}
	}
	if l == nil {
		return
	}
	for _, r := range w.replicas {
		w.replicate(l, r)
		if r.up && r.applied < r.commit {
			w.apply(r, r.commit-r.applied)
		}
		for range 3 {
			w.keep(r)
		}
		if w.chance(4) {
			w.backup(r)
		}
	}
	w.attempt(l)
	for range len(w.messages) {
		if len(w.messages) > 0 {
			w.deliver(w.IntN(len(w.messages)))
		}
	}
	if cfg, _ := config(w, l); round%7 == 0 && slices.ContainsFunc(cfg, func(v rid) bool { return w.replicas[v].gone }) {
		w.member(l)
	}
	for _, id := range w.ids(w.state(l)) { // who will never come is removed by a person
		cfg, changed := config(w, l)
		if rec := w.state(l).records[id]; w.replicas[id].gone && !slices.Contains(cfg, id) && !rec.removed && round%20 == 0 && changed <= l.commit && w.settled(l) {
			w.append(l, entry{kind: voters, voters: cfg, id: id})
		}
	}
	if round%5 == 0 && w.chance(6) {
		w.bury(l)
	}
}

func (w *world) done() bool {
	s := w.now()
	for slot := range w.wanted {
		if _, there := s.tree.leaves[slot]; there {
			return false
		}
	}
	for _, r := range w.replicas {
		if rec, ok := s.records[r.id]; ok && !rec.removed && !r.gone && (!r.up || w.state(r) != s && r.applied < len(w.truth)-40 || r.ring.Root() != s.root) {
			return false
		}
	}
	return !slices.ContainsFunc(s.erasures, func(e erasure) bool { return !e.certified })
}

// end reads and attacks with real keys.
func (w *world) end() error {
	s := w.now()
	for _, r := range w.replicas {
		if rec, ok := s.records[r.id]; !ok || rec.removed || r.gone || r.ring.Root() != w.state(r).root {
			continue
		}
		for _, l := range w.state(r).tree.leaves {
			if _, err := r.ring.Open(crypto.Leaf{Slot: l.Slot, ID: l.ID}); err != nil {
				return fmt.Errorf("%w: slot %d on replica %d: %w", errLost, l.Slot, r.id, err)
			}
		}
	}
	var trees []*state // one for each root ever in force, as it was at last
	for i, x := range w.states {
		if i+1 == len(w.states) || w.states[i+1].root != x.root {
			trees = append(trees, x)
		}
	}
	for _, files := range w.files { // whoever restores from a key backup
		for _, id := range files {
			for _, x := range trees {
				for _, l := range x.tree.leaves {
					if _, err := crypto.NewKeyring(siren, w.keys[id], x.tree).Open(l); x.root == id && err != nil {
						return fmt.Errorf("%w: slot %d from a key backup: %w", errLost, l.Slot, err)
					}
				}
			}
		}
	}
	for _, e := range s.erasures {
		for _, slot := range e.slots {
			for _, x := range trees {
				l, there := x.tree.leaves[slot]
				if !there {
					continue
				}
				for _, r := range w.replicas {
					for _, id := range w.live(r) {
						if _, err := crypto.NewKeyring(siren, w.keys[id], x.tree).Open(l); err == nil {
							return fmt.Errorf("%w: slot %d, replica %d", errRemains, slot, r.id)
						}
					}
				}
				if _, err := crypto.NewKeyring(siren, w.keys[x.root], x.tree).Open(l); err != nil {
					return fmt.Errorf("the attack does not work: the former root with the former tree: %w", err)
				}
				w.note("attack")
			}
		}
	}
	return nil
}

// run lives one world.
func run(seed uint64, broken string, seen map[string]int) (steps int, err error) {
	w := newWorld(seed, broken)
	defer func() {
		for what, n := range w.seen {
			seen[what] += n
		}
	}()
	for steps = range 400 {
		w.step()
		if err := w.laws(); err != nil {
			return steps, err
		}
	}
	seen["erased"] += len(w.now().erasures)
	return steps, w.heal()
}

var seedFlag = flag.Uint64("seed", 0, "the first world of TestRotation; 0 draws one")

// TestRotation: whatever happens, in whatever order, nobody who stays is lost,
// nobody certified comes back, and certification is reached.
func TestRotation(t *testing.T) {
	most := 100_000
	if *long {
		most = 10_000_000
	}
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()>>1 | 1
	}
	t.Logf("-seed %d", seed)
	seen := map[string]int{}
	worlds := 0
	for steps := 0; steps < most; worlds++ {
		n, err := run(seed+uint64(worlds), "", seen)
		if err != nil {
			t.Fatalf("-seed %d, step %d: %v", seed+uint64(worlds), n, err)
		}
		steps += n + 1
	}
	for _, what := range slices.Sorted(maps.Keys(seen)) {
		t.Logf("%8d %s", seen[what], what)
	}
	for _, what := range []string{"erased", "adopted", "refused", "snapshot", "deposed", "voters", "attack", "offer refused", "crash at the vault", "buried"} {
		if seen[what] == 0 {
			t.Errorf("%d worlds, and never: %s", worlds, what)
		}
	}
}

// TestEachRuleIsNeeded: without any one of its rules the protocol breaks, and
// breaks the law for which the rule is there.
func TestEachRuleIsNeeded(t *testing.T) {
	for _, c := range []struct {
		broken string
		want   error
		first  uint64 // a world where it shows soon, so that a short run is short
	}{
		{"a fresh root for each attempt", errRemains, 504},
		{"promises are kept", errLost, 40},
		{"a quorum holds it", errLost, 0},
		{"voters change among holders", errLost, 3440},
		{"completeness", errLost, 0},
		{"adopt", errUncertain, 0},
		{"offers in place of the current root only", errRemains, 7005},
		{"catch up first", errLost, 340},
		{"adopt what is in force only", errLost, 800},
		{"end the attempt first", errRemains, 2210},
		{"end the key backup first", errRemains, 0},
		{"backups begin after the acknowledgements", errRemains, 0},
		{"removed replicas count", errRemains, 0},
		{"joining replicas count", errRemains, 1730},
	} {
		t.Run(c.broken, func(t *testing.T) {
			t.Parallel()
			if *long {
				c.first = rand.Uint64() >> 1
			}
			for seed := c.first; seed < c.first+30_000; seed++ {
				if _, err := run(seed, c.broken, map[string]int{}); errors.Is(err, c.want) {
					t.Logf("world %d: %v", seed, err)
					return
				}
			}
			t.Error("30,000 worlds without it, and the law holds")
		})
	}
}
