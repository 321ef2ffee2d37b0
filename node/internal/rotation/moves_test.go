package rotation_test

import (
	"errors"
	"slices"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/rotation"
)

// step makes one move.
func (w *world) step() {
	r := w.any()
	if r.leads == 0 && w.chance(2) {
		r = w.leader(r)
	}
	switch n := w.IntN(100); {
	case n < 22:
		for _, f := range w.replicas {
			if w.chance(2) {
				w.replicate(r, f)
			}
		}
	case n < 34:
		if r.up && r.applied < r.commit {
			w.apply(r, 1+w.IntN(r.commit-r.applied))
		}
	case n < 46:
		w.keep(r)
	case n < 58:
		w.attempt(r)
	case n < 74:
		if len(w.messages) > 0 {
			w.deliver(w.IntN(len(w.messages)))
		}
	case n < 78:
		if w.leaderFor(r) == nil || w.chance(4) {
			w.elect(r)
		}
	case n < 80:
		if r.up && w.chance(2) {
			w.crash(r)
		}
	case n < 83:
		w.start(r)
	case n < 86:
		w.enrol(r)
	case n < 88:
		w.ask()
	case n < 90:
		for i := range w.groups {
			w.groups[i] = w.IntN(2)
		}
	case n < 91:
		clear(w.groups)
		if w.chance(2) {
			for round := range w.IntN(25) {
				w.calm(round)
			}
		}
	case n < 93:
		w.backup(r)
	case n < 95:
		w.join(r)
	case n < 97:
		w.member(r)
	case n < 98:
		if w.chance(4) {
			w.lose(r, w.chance(2))
		}
	default:
		if w.chance(4) {
			w.bury(r)
		}
	}
}

func (w *world) apply(r *replica, n int) {
	for range n {
		was := w.state(r)
		r.applied++
		is := w.state(r)
		if was.root == is.root {
			continue
		}
		roots := r.vault // as the keeper hears of it, or hears of it again
		changed, _ := roots.Committed(was.root, is.root)
		if w.broken == "promises are kept" {
			changed, roots.Candidates = changed || len(roots.Candidates) > 0, nil
		}
		if changed && !w.save(r, roots) {
			return
		}
	}
}

func (w *world) keep(r *replica) {
	s := w.state(r)
	me, recorded := s.records[r.id]
	if !r.up || !recorded {
		return
	}
	k := rotation.Kept{Committed: s.root, CaughtUp: r.caughtUp || w.broken == "catch up first", Vault: r.ids, Ring: r.ring.Root()}
	if r.attempt != nil && w.broken != "end the attempt first" {
		k.Attempt = r.attempt.from
	}
	if r.uploading != nil && w.broken != "end the key backup first" {
		k.Backup = r.uploading.root
	}
	if me.Root == s.numbers[s.root] {
		k.Reported = s.root
	}
	switch k.Duty() {
	case rotation.CatchUp:
		w.catchUp(r)
	case rotation.Ask:
		if w.broken != "adopt" {
			w.note("ask")
			w.messages = append(w.messages, message{kind: "ask", from: r.id, to: w.any().id, root: s.root})
		}
	case rotation.Follow:
		roots := r.vault
		if _, err := roots.Committed(crypto.KeyID{}, s.root); err != nil {
			panic(err)
		}
		w.save(r, roots)
	case rotation.Turn:
		r.ring.Turn(r.vault.Current)
	case rotation.EndAttempt:
		w.note("attempt ended by another root")
		r.attempt = nil
	case rotation.EndBackup:
		w.note("key backup ended by another root")
		r.uploading = nil
	case rotation.Report:
		if l := w.leaderFor(r); l != nil {
			w.append(l, entry{kind: holds, id: r.id, root: s.root})
		}
	}
}

func (w *world) catchUp(r *replica) {
	if r.barrier == nil {
		if l := w.leaderFor(r); l != nil {
			r.barrier = &barrier{l.id, l.leads, w.append(l, entry{kind: noop})}
		}
		return
	}
	switch l := w.replicas[r.barrier.leader]; {
	case l.leads != r.barrier.term:
		r.barrier = nil
	case w.hears(l, r) && l.commit >= r.barrier.index && r.applied >= r.barrier.index:
		r.barrier, r.caughtUp = nil, true
	}
}

func (w *world) attempt(r *replica) {
	s := w.state(r)
	if r.attempt == nil {
		if r.leads != 0 && len(w.wanted) > 0 && len(r.ids) > 0 {
			r.attempt = &attempt{term: r.leads}
		}
		return
	}
	a := r.attempt
	cfg, _ := config(w, r)
	now := rotation.Attempt[rid]{
		Leads: r.leads == a.term, Settled: a.settle > 0 && r.applied >= a.settle, Committed: s.root, Current: r.ids[0],
		From: a.from, To: a.to, Voters: cfg, Holders: a.holders, Proposed: a.command > 0, Answered: a.command > 0 && r.applied >= a.command,
	}
	if w.broken == "a quorum holds it" && len(a.holders) > 0 {
		now.Holders = cfg
	}
	switch now.Move() {
	case rotation.Stop:
		if a.command > 0 && r.applied >= a.command && s.root != a.to {
			w.note("refused")
		}
		r.attempt, r.lastTo = nil, a.to
	case rotation.Settle:
		if a.settle == 0 {
			a.settle = w.append(r, entry{kind: noop})
		}
	case rotation.Draw:
		for _, slot := range w.slotsOf(w.wanted) {
			if _, there := s.tree.leaves[slot]; there && w.chance(2) {
				a.slots = append(a.slots, slot)
			}
		}
		if len(a.slots) == 0 || r.ring.Root() != s.root {
			r.attempt = nil
			return
		}
		key := crypto.NewKey()
		if w.broken == "a fresh root for each attempt" && r.lastTo != (crypto.KeyID{}) && r.lastTo != s.root && r.vault.Holds(r.lastTo) {
			key = w.keys[r.lastTo]
		}
		a.from, a.to = s.root, key.ID()
		w.keys[a.to] = key
		roots := r.vault
		if _, err := roots.Offer(key, a.from); err != nil {
			panic(err)
		}
		if w.save(r, roots) {
			a.holders = []rid{r.id}
		}
	case rotation.HandOver:
		for _, id := range w.ids(s) {
			if !s.records[id].removed && !slices.Contains(a.holders, id) && w.chance(2) {
				w.messages = append(w.messages, message{kind: "offer", from: r.id, life: r.life, to: id, root: a.to, in: a.from, attempt: a})
			}
		}
	case rotation.Propose:
		if w.chance(3) {
			return // a moment later, so that somebody comes between
		}
		tree := s.tree
		if w.chance(3) && w.states[a.settle].root == s.root {
			tree = w.states[a.settle].tree // computed before it was handed over
		}
		rw, err := r.ring.Over(tree).Forget(a.slots, w.keys[a.to])
		if errors.Is(err, crypto.ErrStaleRoot) {
			return // the keeper turns the ring first
		}
		if errors.Is(err, crypto.ErrNoLeaf) {
			return // she was enrolled since
		}
		if err != nil {
			panic(err)
		}
		for _, n := range rw.Nodes {
			w.wrap(n.ID, n.Parent)
		}
		for _, l := range rw.Leaves {
			w.wrap(l.ID, l.Parent)
		}
		a.command = w.append(r, entry{kind: erase, rewrap: rw})
		w.note("proposed")
	}
}

func (w *world) slotsOf(m map[uint32]bool) (slots []uint32) {
	for slot := range uint32(256) {
		if m[slot] {
			slots = append(slots, slot)
		}
	}
	return slots
}

func (w *world) ids(s *state) (ids []rid) {
	for i := range w.replicas {
		if _, ok := s.records[rid(i)]; ok {
			ids = append(ids, rid(i))
		}
	}
	return ids
}

func (w *world) deliver(i int) {
	m := w.messages[i]
	to := w.replicas[m.to]
	if !w.hears(w.replicas[m.from], to) && m.kind != "offer" || !to.up {
		if w.chance(4) || to.gone { // lost, or it comes later
			w.messages = slices.Delete(w.messages, i, i+1)
		}
		return
	}
	if m.kind != "offer" && m.kind != "given" || w.chance(2) { // what carries a key may come again
		w.messages = slices.Delete(w.messages, i, i+1)
	}
	s := w.state(to)
	switch m.kind {
	case "offer":
		roots := to.vault
		added, err := roots.Offer(w.keys[m.root], m.in)
		if err != nil && w.broken == "offers in place of the current root only" && !roots.Holds(m.root) {
			roots.Candidates, added, err = append(slices.Clone(roots.Candidates), crypto.Candidate{Key: w.keys[m.root], From: m.in}), true, nil
		}
		if err != nil {
			w.note("offer refused")
			return
		}
		if added && !w.save(to, roots) {
			return
		}
		w.messages = append(w.messages, message{kind: "promise", from: to.id, to: m.from, life: m.life, attempt: m.attempt})
	case "promise":
		if to.attempt == m.attempt && to.life == m.life && !slices.Contains(to.attempt.holders, m.from) {
			to.attempt.holders = append(to.attempt.holders, m.from)
		}
	case "ask":
		asks, recorded := s.records[m.from]
		if len(to.ids) > 0 && rotation.MayGive(m.root, s.root, to.ids[0], recorded && !asks.removed) {
			w.messages = append(w.messages, message{kind: "given", from: to.id, to: m.from, life: w.replicas[m.from].life, root: m.root})
		}
	case "given":
		if to.life != m.life || !rotation.MayAdopt(m.root, s.root, to.caughtUp || w.broken == "catch up first") && w.broken != "adopt what is in force only" {
			return
		}
		roots := to.vault
		roots.Adopt(w.keys[m.root])
		w.save(to, roots)
		w.note("adopted")
	}
}

func (w *world) enrol(r *replica) {
	if r.leads == 0 || len(w.slots) == 0 || r.ring.Root() != w.state(r).root || w.chance(3) {
		return
	}
	w.append(r, entry{kind: enrol, leaf: w.leaf(r.ring.Over(w.state(r).tree))})
}

// ask is a person who asks to be forgotten.
func (w *world) ask() {
	for slot := range uint32(256) {
		if _, there := w.now().tree.leaves[slot]; there && !w.wanted[slot] && w.chance(4) {
			w.wanted[slot] = true
			return
		}
	}
}

func (w *world) backup(r *replica) {
	s := w.state(r)
	if !r.up || len(r.ids) == 0 {
		return
	}
	if r.uploading == nil {
		if r.ids[0] == s.root && r.ring.Root() == s.root {
			r.uploading = &upload{dest: w.IntN(destinations), root: s.root, begun: s.index}
		}
		return
	}
	u := r.uploading
	number := w.now().numbers
	switch u.stage++; u.stage {
	case 2:
		w.files[u.dest] = append(w.files[u.dest], u.root)
	case 3:
		w.files[u.dest] = slices.DeleteFunc(slices.Clone(w.files[u.dest]), func(id crypto.KeyID) bool { return number[id] < number[u.root] })
	case 4:
		if l := w.leaderFor(r); l != nil {
			w.append(l, entry{kind: backup, dest: u.dest, root: u.root, begun: u.begun})
			r.uploading = nil
		} else {
			u.stage--
		}
	}
}

func (w *world) join(r *replica) {
	if w.settled(r) && len(w.replicas) < 9 && w.chance(2) {
		n := w.newReplica(crypto.Roots{})
		n.applied, n.commit = 0, 0
		w.append(r, entry{kind: join, id: n.id})
		w.note("join")
	}
}

// member changes who votes: a learner comes in, or a voter goes out.
func (w *world) member(r *replica) {
	cfg, changed := config(w, r)
	if !w.settled(r) || changed > r.commit {
		return
	}
	s := w.state(r)
	var next []rid
	if w.chance(2) {
		for _, id := range w.ids(s) {
			n := w.replicas[id]
			if !slices.Contains(cfg, id) && !s.records[id].removed && w.hears(r, n) && r.match[id] >= r.applied {
				next = append(slices.Clone(cfg), id)
			}
		}
	} else {
		out := cfg[w.IntN(len(cfg))]
		for _, id := range cfg {
			if w.replicas[id].gone {
				out = id
			}
		}
		if out != r.id {
			next = slices.DeleteFunc(slices.Clone(cfg), func(id rid) bool { return id == out })
		}
	}
	var hold []rid
	for _, id := range next {
		if w.hears(r, w.replicas[id]) && w.replicas[id].vault.Holds(s.root) {
			hold = append(hold, id)
		}
	}
	if next == nil || !rotation.MayChange(next, hold) && w.broken != "voters change among holders" {
		return
	}
	w.append(r, entry{kind: voters, voters: next})
	w.note("voters")
}

// lose burns or steals a replica for good, if the voters can bear it.
func (w *world) lose(r *replica, stolen bool) {
	if r.gone {
		return
	}
	bear := func(cfg []rid) bool {
		var left []rid
		for _, v := range cfg {
			if x := w.replicas[v]; !x.gone && x != r {
				left = append(left, v)
			}
		}
		return rotation.Quorum(cfg, left)
	}
	ok := bear(w.now().voters)
	for _, x := range w.replicas {
		if !x.gone {
			cfg, _ := config(w, x)
			ok = ok && bear(cfg)
		}
	}
	if ok {
		w.crash(r)
		r.gone, r.burnt = true, !stolen
		w.note("lost, stolen %v", stolen)
	}
}

// bury is a person who records that the vault of a removed replica is no more.
func (w *world) bury(l *replica) {
	if l.leads == 0 {
		return
	}
	for _, id := range w.ids(w.state(l)) {
		if x, rec := w.replicas[id], w.state(l).records[id]; rec.removed && !rec.Destroyed {
			w.crash(x)
			x.gone, x.burnt = true, x.burnt || !x.gone
			w.append(l, entry{kind: destroyed, id: id})
			w.note("buried")
			return
		}
	}
}
