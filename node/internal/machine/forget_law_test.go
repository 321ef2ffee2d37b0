package machine_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/backup"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/erasure"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/replica"
	"github.com/bippop/bippop/node/internal/store"
	"pgregory.net/rapid"
)

// drafts are erasures that a leader has prepared and not proposed yet, and the
// keys that were drawn in a log.
type drafts struct {
	prepared []command.Erase
	keys     int
}

func (d *drafts) key() crypto.KeyID {
	d.keys++
	return crypto.KeyID{0xee, byte(d.keys >> 8), byte(d.keys)}
}

// rewrap is what an honest leader makes of the tree that it reads, said once more
// and by hand.
func (d *drafts) rewrap(s records, gone []uint32) crypto.Rewrap {
	r := crypto.Rewrap{From: s.nodes[spot{}].Parent, To: d.key(), Gone: gone}
	fresh := map[spot]crypto.KeyID{}
	for level, span := uint8(0), uint32(crypto.TreeSlots); level <= crypto.LastLevel; level, span = level+1, span/16 {
		for _, slot := range append([]uint32{0}, gone...) {
			at := spot{level, slot / span}
			if _, done := fresh[at]; !done && (level == 0 || slices.Contains(gone, slot)) {
				fresh[at] = d.key()
			}
		}
	}
	for level := range uint8(crypto.LastLevel + 1) {
		for i := range uint32(5) {
			at := spot{level, i}
			n, there := s.nodes[at]
			if !there {
				continue
			}
			parent := r.To
			if level > 0 {
				var replaced bool
				if parent, replaced = fresh[spot{level - 1, i / 16}]; !replaced {
					continue
				}
			}
			w := crypto.RewrapNode{TreeNode: n, Old: n.ID}
			w.Parent, w.Box = parent, []byte("wrapped anew")
			if k, ok := fresh[at]; ok {
				w.ID = k
			}
			r.Nodes = append(r.Nodes, w)
		}
	}
	for _, slot := range slices.Sorted(maps.Keys(s.leaves)) {
		l := s.leaves[slot]
		if k, ok := fresh[spot{crypto.LastLevel, slot / 16}]; ok && !slices.Contains(gone, slot) {
			l.Parent, l.Box = k, []byte("wrapped anew")
			r.Leaves = append(r.Leaves, l)
		}
	}
	return r
}

// leafOf finds the slot of a record.
func (s records) leafOf(collection byte, id [16]byte) (crypto.Leaf, bool) {
	switch collection {
	case store.Beneficiaries.Code:
		r, ok := s.beneficiaries[id]
		return r.Leaf, ok
	case store.Volunteers.Code:
		r, ok := s.volunteers[id]
		return r.Leaf, ok
	case store.Accounts.Code:
		r, ok := s.accounts[id]
		return r.Leaf, ok
	}
	r, ok := s.imports[id]
	return r.Leaf, ok
}

// cluster is a territory with a second replica that votes, a copy of the keys, and
// somebody who wishes to be forgotten.
func cluster() []command.Command {
	return []command.Command{
		command.Invite{Stamp: stamp(0), Invitation: replica.Invitation{ID: token(1), Secret: [32]byte{1}, Until: noon + hour}},
		command.AdmitReplica{Stamp: stamp(0), ID: box(1), Name: "replica-2", At: address(1), Invitation: token(1), Secret: [32]byte{1}},
		command.HoldRoot{Stamp: stamp(0), Replica: box(1), Root: firstRoot},
		command.StepReplica{Stamp: stamp(0), ID: box(1), To: replica.Member},
		command.RegisterDestination{Stamp: stamp(0), Destination: backup.Destination{ID: shelf(0), Name: "NAS", Kind: backup.Folder, Keys: true}},
		command.WantErasure{Stamp: stamp(0), Collection: store.Beneficiaries.Code, ID: her(0), Withdraw: true},
		command.WantErasure{Stamp: stamp(0), Collection: store.Volunteers.Code, ID: him(0), Withdraw: true},
	}
}

// replicas are commands about the machines and the copies.
func (g gen) replicas(s command.Stamp) command.Command {
	n := g.n("replica", 0, 3)
	now, there := g.s.replicas[box(n)]
	root := g.s.nodes[spot{}].Parent
	if g.rare("another root") {
		root = crypto.KeyID{0xee, 0, byte(g.n("root", 0, 9))}
		if g.n("first", 0, 2) == 0 {
			root = firstRoot
		}
	}
	shelved := shelf(g.n("shelf", 0, 1))
	if e, there := g.s.erasures[erased(len(g.s.erasures)-1)]; there && e.Certified == 0 && g.n("certify", 0, 2) > 0 {
		for _, h := range e.Holders {
			if st := g.s.replicas[h.Replica].State; h.Pending() && st.Alive() {
				return command.HoldRoot{Stamp: s, Replica: h.Replica, Root: root}
			} else if h.Pending() {
				return command.StepReplica{Stamp: s, ID: h.Replica, To: replica.Destroyed}
			}
		}
		for _, c := range e.Copies {
			if c.Pending() && g.s.destinations[c.Destination].State == backup.Registered {
				return command.RecordBackup{Stamp: s, ID: c.Destination, Made: backup.Made{Root: root, Begun: 1 << 30}}
			} else if c.Pending() {
				return command.DropDestination{Stamp: s, ID: c.Destination, Deleted: true}
			}
		}
	}
	what := g.n("replica command", 0, 15)
	switch {
	case what == 0:
		return command.Invite{Stamp: s, Invitation: replica.Invitation{ID: token(n), Secret: [32]byte{byte(n)}, Until: g.start()}}
	case !there && n > 0 && what < 9 && !g.rare("nobody"):
		if g.n("invited", 0, 1) == 0 {
			return command.Invite{Stamp: s, Invitation: replica.Invitation{ID: token(n), Secret: [32]byte{byte(n)}, Until: g.s.clock + 9*hour}}
		}
		c := command.AdmitReplica{Stamp: s, ID: box(n), Name: fmt.Sprintf("replica-%d", n+1), At: address(n), Invitation: token(n), Secret: [32]byte{byte(n)}}
		if g.rare("wrong token") {
			c.Secret[1] = 1
		}
		if g.rare("another's address") {
			c.At = address(0)
		}
		return c
	case what <= 4:
		return command.HoldRoot{Stamp: s, Replica: box(n), Root: root}
	case what <= 6:
		to := now.State + 1
		if to == replica.Removed && g.n("stays", 0, 1) == 0 {
			to = replica.Member
		}
		if g.rare("odd step") {
			to = replica.State(g.n("to", 1, 4))
		}
		if g.n("by itself", 0, 2) == 2 {
			s.By = ident.Account{}
		}
		return command.StepReplica{Stamp: s, ID: box(n), To: to}
	case what == 7:
		at := address(n)
		at.URL = "https://entraide.example"
		if g.n("taken", 0, 2) == 0 {
			at = address(g.n("another", 0, 3))
		}
		return command.ChangeReplica{Stamp: s, ID: box(n), At: at}
	case what == 8:
		return command.RecordRelease{Stamp: s, Release: replica.Release{ID: unlock(g.n("release", 0, 2)), Replica: box(n), From: box(0), Absent: 60}}
	case what <= 10:
		return command.RegisterDestination{Stamp: s, Destination: backup.Destination{ID: shelved, Name: "NAS", Kind: backup.Folder, Keys: g.n("keys", 0, 3) > 0, Data: true}}
	case what <= 12:
		if g.rare("nobody says so") {
			s.By = ident.Account{}
		}
		return command.DropDestination{Stamp: s, ID: shelved, Deleted: g.n("deleted", 0, 1) == 0}
	}
	c := command.RecordBackup{Stamp: s, ID: shelved, Made: backup.Made{Root: root, Data: g.n("data", 0, 1) == 0, Begun: 1 << 30}}
	if g.n("begun before", 0, 3) == 0 {
		c.Made.Begun = uint64(g.n("begun", 0, 60))
	}
	if g.rare("data alone") {
		c.Made.Root = crypto.KeyID{}
	}
	return c
}

// somebody is a record that has a key.
func (g gen) somebody() (collection byte, id [16]byte) {
	switch g.n("somebody", 0, 5) {
	case 0, 1:
		return store.Beneficiaries.Code, g.her()
	case 2, 3:
		return store.Volunteers.Code, g.him()
	case 4:
		return store.Accounts.Code, acc(g.n("account", 0, 2))
	}
	return store.Imports.Code, file(g.n("import", 0, imports-1))
}

// forget is a wish, its withdrawal, or an erasure, prepared now or before.
func (g gen) forget(s command.Stamp) command.Command {
	collection, id := g.somebody()
	keys := slices.Sorted(maps.Keys(g.s.wanted))
	what := g.n("forget", 0, 8)
	switch {
	case what == 8 && len(g.d.prepared) > 0:
		c := g.d.prepared[g.n("prepared", 0, len(g.d.prepared)-1)]
		c.Stamp = s
		return c
	case len(keys) == 0 && what < 7, what == 0:
		return command.WantErasure{Stamp: s, Collection: collection, ID: id, Withdraw: g.n("withdraw", 0, 2) > 0}
	case what == 2 && len(keys) > 0 && !g.rare("not wanted"):
		w := g.s.wanted[keys[g.n("wish", 0, len(keys)-1)]]
		return command.KeepPerson{Stamp: s, Collection: w.Collection, ID: w.ID}
	case what == 2:
		return command.KeepPerson{Stamp: s, Collection: collection, ID: id}
	}
	c := g.erase(s)
	if g.n("later", 0, 2) == 0 {
		g.d.prepared = append(g.d.prepared, c)
		return command.WantErasure{Stamp: s, Collection: collection, ID: id, Withdraw: true}
	}
	return c
}

func (g gen) erase(s command.Stamp) command.Erase {
	c := command.Erase{Stamp: s, ID: erased(len(g.s.erasures))}
	add := func(collection byte, id [16]byte) {
		l, ok := g.s.leafOf(collection, id)
		if e := (erasure.Erased{Collection: collection, ID: id, Slot: l.Slot}); ok && !slices.Contains(c.Who, e) {
			c.Who = append(c.Who, e)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(g.s.wanted)) {
		w := g.s.wanted[key]
		if g.n("goes", 0, 3) == 3 {
			continue
		}
		add(w.Collection, w.ID)
		for n := range 8 {
			if a := g.s.accounts[acc(n)]; w.Collection == store.Volunteers.Code && a.Of == ident.Volunteer(w.ID) && !a.Of.Zero() && !g.rare("left out") {
				add(store.Accounts.Code, a.ID)
			}
			if b := g.s.beneficiaries[her(n)]; w.Collection == store.Imports.Code && b.Enrolled.Import == ident.Import(w.ID) && !g.rare("left out") {
				add(store.Beneficiaries.Code, b.ID)
			}
			if v := g.s.volunteers[him(n)]; w.Collection == store.Imports.Code && v.Import == ident.Import(w.ID) && !g.rare("left out") {
				add(store.Volunteers.Code, v.ID)
			}
		}
	}
	if g.rare("anybody") {
		add(g.somebody())
	}
	var slots []uint32
	for _, w := range c.Who {
		slots = append(slots, w.Slot)
	}
	c.Rewrap = g.d.rewrap(g.s, slots)
	for _, id := range slices.SortedFunc(maps.Keys(g.s.replicas), func(a, b ident.Replica) int { return slices.Compare(a[:], b[:]) }) {
		if g.s.replicas[id].State.Alive() && !g.rare("not handed") {
			c.Holders = append(c.Holders, id)
		}
	}
	for n := range requests {
		c.Closings = append(c.Closings, command.Closing{Request: req(n), Counts: cell(public.Cancelled, n)})
	}
	switch { // what a broken leader, or one that was overtaken, proposes
	case g.rare("lost leaf") && len(c.Rewrap.Leaves) > 0:
		c.Rewrap.Leaves = c.Rewrap.Leaves[1:]
	case g.rare("lost node") && len(c.Rewrap.Nodes) > 0:
		c.Rewrap.Nodes = c.Rewrap.Nodes[:len(c.Rewrap.Nodes)-1]
	case g.rare("old node") && len(c.Rewrap.Nodes) > 0:
		c.Rewrap.Nodes[len(c.Rewrap.Nodes)-1].Old[7]++
	case g.rare("old root"):
		c.Rewrap.From[7]++
	case g.rare("root twice"):
		c.Rewrap.To = firstRoot
	case g.rare("kept key") && len(slots) > 0:
		c.Rewrap.Gone = c.Rewrap.Gone[1:]
	case g.rare("same key") && len(c.Rewrap.Nodes) > 0:
		n := &c.Rewrap.Nodes[g.n("which", 0, len(c.Rewrap.Nodes)-1)]
		n.ID = n.Old
	}
	return c
}

// marked writes whose words they are into every box of a command, so that the
// walk over the store finds them.
func (s records) marked(c command.Command) command.Command {
	mark := func(b []byte, id [16]byte) []byte {
		if len(b) == 0 {
			return b
		}
		return slices.Concat(b, id[:])
	}
	switch c := c.(type) {
	case command.Enrol:
		c.Who.Box = mark(c.Who.Box, c.Who.ID)
		return c
	case command.Register:
		c.Who.Box = mark(c.Who.Box, c.Who.ID)
		return c
	case command.ImportRows:
		for i := range c.Beneficiaries {
			c.Beneficiaries[i].Box = mark(c.Beneficiaries[i].Box, c.Beneficiaries[i].ID)
		}
		for i := range c.Volunteers {
			c.Volunteers[i].Box = mark(c.Volunteers[i].Box, c.Volunteers[i].ID)
		}
		return c
	case command.TakeDossiers:
		c.Box = mark(c.Box, c.ID)
		return c
	case command.BeginImport:
		c.Box = mark(c.Box, c.ID)
		return c
	case command.OpenAccount:
		c.Account.Box = secretOf(c.Account.ID)
		return c
	case command.ChangeBeneficiary:
		c.Box = mark(c.Box, c.ID)
		return c
	case command.ChangeVolunteer:
		c.Box = mark(c.Box, c.ID)
		return c
	case command.OpenRequest:
		c.Box = mark(c.Box, c.Beneficiary)
		return c
	case command.ChangeRequest:
		c.Box = mark(c.Box, s.requests[c.ID].Beneficiary)
		return c
	case command.RecordDone:
		c.Box, c.Outcome.Box = mark(c.Box, c.Beneficiary), mark([]byte("word"), c.Beneficiary)
		return c
	case command.Finish:
		c.Outcome.Box = mark([]byte("word"), s.requests[c.ID].Beneficiary)
		return c
	case command.Drop:
		c.Outcome.Box = mark([]byte("word"), s.requests[c.ID].Beneficiary)
		return c
	case command.Thank:
		c.Box = mark(c.Box, s.requests[c.ID].Beneficiary)
		return c
	case command.OpenSeries:
		c.Box = mark(c.Box, c.Beneficiary)
		return c
	case command.ChangeSeries:
		c.Box = mark(c.Box, s.series[c.ID].Beneficiary)
		return c
	case command.Recur:
		c.Box = mark(c.Box, s.series[c.ID].Beneficiary)
		return c
	case command.MakeOffer:
		c.Box = mark(c.Box, c.Volunteer)
		return c
	case command.TakeOffer:
		c.Box = mark(c.Box, c.Beneficiary)
		return c
	}
	return c
}

// secretOf stands for the words of an account, whose ID stays in histories.
func secretOf(id ident.Account) []byte { return append([]byte("words of an account "), id[15]) }

// lawsOfErased: of somebody who was erased nothing is in the store, not a key, not
// a word, not a name, but the two records that say so and, for some days, what became
// of commands; and nobody who was erased comes back.
func lawsOfErased(t *rapid.T, r records, state map[string]string, before records) {
	for key, g := range before.gone {
		if r.gone[key] != g {
			t.Fatalf("%x was erased, and is not any more", key)
		}
	}
	of := map[string]bool{}
	for _, e := range r.erasures {
		for _, w := range e.Who {
			of[string(erasure.Key(w.Collection, w.ID))] = true
			if l, there := r.leaves[w.Slot]; there {
				t.Fatalf("slot %d of somebody who was erased has the leaf %s", w.Slot, l.ID)
			}
			if b, there := state["\x08"+string([]byte{0, 0, byte(w.Slot >> 8), byte(w.Slot)})]; !there || len(b) > 0 {
				t.Fatalf("slot %d is free again: %v, %x", w.Slot, there, b)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(of)) {
		g, there := r.gone[key]
		if !there {
			t.Fatalf("%x was erased and nothing says so", key)
		}
		what := string(g.ID[:])
		if g.Collection == store.Accounts.Code {
			what = string(secretOf(g.ID))
			if _, there := r.accounts[g.ID]; there {
				t.Fatalf("account %x is back", g.ID)
			}
		}
		for k, v := range state {
			if k[0] == 1 && (k[1] == store.Gone.Code || k[1] == store.Erasures.Code) {
				continue
			}
			if k[0] == 4 && !strings.Contains(k, what) {
				continue // what became of a command: only its ID, told to nobody and swept
			}
			if strings.Contains(k, what) || strings.Contains(v, what) {
				t.Fatalf("%x was erased; it is in key %x: %x", key, k, v)
			}
		}
	}
}

// lawsOfTree: whoever stays can be opened from the root in force: every key hangs
// on the one above it by name.
func lawsOfTree(t *rapid.T, r records) {
	for at, n := range r.nodes {
		if at.level > 0 && r.nodes[spot{at.level - 1, at.index / 16}].ID != n.Parent {
			t.Fatalf("node %v hangs on nothing", at)
		}
	}
	for slot, l := range r.leaves {
		if r.nodes[spot{crypto.LastLevel, slot / 16}].ID != l.Parent {
			t.Fatalf("leaf %d hangs on nothing", slot)
		}
	}
}

// vaults says how old a root each vault and each copy may still hold, at the
// oldest: what a certificate must know, worked out from the log alone.
type vaults struct {
	replicas map[ident.Replica]uint64
	copies   map[ident.Destination]uint64 // up to which root it is clean
	roots    uint64                       // in force, counted from the founding
	released []uint64                     // index at which no replica could hold what came before a root; by the root
	certain  int
}

func (v *vaults) note(index uint64, c command.Command) {
	switch c := c.(type) {
	case command.Found:
		v.replicas, v.copies = map[ident.Replica]uint64{c.Replica.ID: 0}, map[ident.Destination]uint64{}
		v.released = []uint64{0}
	case command.AdmitReplica:
		v.replicas[c.ID] = v.roots
	case command.Erase:
		v.roots++
	case command.HoldRoot:
		v.replicas[c.Replica] = v.roots
	case command.StepReplica:
		if c.To == replica.Destroyed {
			delete(v.replicas, c.ID)
		}
	case command.RegisterDestination:
		if c.Destination.Keys {
			v.copies[c.Destination.ID] = v.roots
		}
	case command.RecordBackup:
		if _, keys := v.copies[c.ID]; keys && c.Made.Root != (crypto.KeyID{}) {
			for root, index := range v.released {
				if c.Made.Begun >= index {
					v.copies[c.ID] = max(v.copies[c.ID], uint64(root))
				}
			}
		}
	case command.DropDestination:
		if c.Deleted {
			delete(v.copies, c.ID)
		}
	}
	oldest := v.roots
	for _, n := range v.replicas {
		oldest = min(oldest, n)
	}
	for uint64(len(v.released)) <= oldest {
		v.released = append(v.released, index)
	}
}

// laws: an erasure is certain as soon as no vault and no copy can hold what was in
// force before it, and not before.
func (v *vaults) laws(t *rapid.T, r records) {
	oldest := v.roots
	for _, n := range v.replicas {
		oldest = min(oldest, n)
	}
	for _, n := range v.copies {
		oldest = min(oldest, n)
	}
	for _, e := range r.erasures {
		if (e.Certified != 0) != (oldest >= e.Order) {
			t.Fatalf("erasure %d is certified at %d; the oldest root that somebody may hold is %d: %+v", e.Order, e.Certified, oldest, e)
		}
		if e.Certified != 0 {
			v.certain++
		}
	}
	if uint64(len(r.erasures)) != v.roots {
		t.Fatalf("%d erasures, %d roots", len(r.erasures), v.roots)
	}
}
