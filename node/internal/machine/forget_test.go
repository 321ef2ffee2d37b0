package machine_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/backup"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/erasure"
	"github.com/bippop/bippop/node/internal/event"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/machine"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/replica"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/store"
)

// wish asks for erasures, and closes what is open.
func (s *story) wish(want refuse.Reason, collection byte, id [16]byte, withdraw bool) {
	s.Helper()
	s.do(want, command.WantErasure{Stamp: s.stamp(), Collection: collection, ID: id, Withdraw: withdraw})
}

// erasure is what the leader makes of all wishes now.
func (s *story) erasure(d *drafts) command.Erase {
	s.Helper()
	now := read(s.T, s.store)
	c := command.Erase{Stamp: s.stamp(), ID: erased(d.keys), Holders: []ident.Replica{box(0)}}
	for _, w := range now.wanted {
		l, _ := now.leafOf(w.Collection, w.ID)
		c.Who = append(c.Who, erasure.Erased{Collection: w.Collection, ID: w.ID, Slot: l.Slot})
	}
	var slots []uint32
	for _, w := range c.Who {
		slots = append(slots, w.Slot)
	}
	c.Rewrap = d.rewrap(now, slots)
	for n := range requests {
		c.Closings = append(c.Closings, command.Closing{Request: req(n), Counts: cell(public.Cancelled, n)})
	}
	return c
}

// TestHeIsForgotten: she whom he had promised is called, his past stays with those
// whom he has helped, without him, and whoever names him is told that he is gone.
func TestHeIsForgotten(t *testing.T) {
	s := tell(t)
	d := &drafts{}
	s.do(0, command.RecordDone{
		Stamp: s.stamp(), ID: req(5), Beneficiary: her(1), Type: kindOf(shopping), Wish: request.Wish{Kind: request.Flexible},
		Plan: request.Plan{Minutes: 60, Start: noon - 48*hour}, Volunteers: []ident.Volunteer{him(0)},
	})
	s.open(0, 0, shopping, 1, 0)
	s.accept(0, 0, 0, 24*hour)
	s.reach(0, 0, s.about(0, command.Fine, 0))
	s.stands(0, request.Told, false)
	b := read(t, s.store).beneficiaries[her(2)]
	s.do(0, command.ChangeBeneficiary{Stamp: s.stamp(), ID: her(2), Version: b.Version, Facts: people.Facts{Commune: "33001", State: people.Active, Basis: people.Consent, Preferred: []ident.Volunteer{him(0), him(1)}}})

	s.wish(refuse.ErasureWaits, store.Volunteers.Code, him(0), false)
	s.wish(0, store.Volunteers.Code, him(0), true)
	s.wish(refuse.Exists, store.Volunteers.Code, him(0), true)
	s.do(0, command.KeepPerson{Stamp: s.stamp(), Collection: store.Volunteers.Code, ID: him(0)})
	s.stands(0, request.Told, false) // nothing was closed yet
	early := s.erasure(d)
	l, _ := read(t, s.store).leafOf(store.Volunteers.Code, him(0))
	early.Who = []erasure.Erased{{Collection: store.Volunteers.Code, ID: him(0), Slot: l.Slot}}
	early.Rewrap = d.rewrap(read(t, s.store), []uint32{l.Slot})
	s.do(refuse.NotWanted, early) // he has taken it back
	s.wish(0, store.Volunteers.Code, him(0), true)
	s.do(0, s.erasure(d))

	s.stands(0, request.Open, true)
	if !slices.Contains(s.events, event.Event(event.Forgotten{Collection: store.Volunteers.Code, ID: him(0)})) {
		t.Errorf("nothing happened: %v", s.events)
	}
	now := read(t, s.store)
	if q := now.requests[req(5)]; q.State != request.Done || len(q.Coming()) != 1 || !q.Coming()[0].Zero() || q.Beneficiary != her(1) {
		t.Errorf("what he has done: %+v", q)
	}
	if p := now.beneficiaries[her(2)].Preferred; !slices.Equal(p, []ident.Volunteer{him(1)}) {
		t.Errorf("she prefers %v", p)
	}
	s.accept(refuse.Erased, 0, 0, 24*hour)
	s.do(refuse.Erased, command.ChangeVolunteer{Stamp: s.stamp(), ID: him(0), Version: 1})
	s.do(refuse.Erased, command.Register{Stamp: s.stamp(), Who: command.NewVolunteer{ID: him(0), Leaf: leaf(20)}})
	s.wish(refuse.Erased, store.Volunteers.Code, him(0), true)
	s.accept(0, 0, 1, 24*hour) // another one comes
	s.stands(0, request.Covered, true)
}

// TestSheIsForgotten: who was to come to her is free, what was done for her stays
// with him without a word of hers, the figures stay, and nothing names her.
func TestSheIsForgotten(t *testing.T) {
	s := tell(t)
	d := &drafts{}
	s.do(0, command.RecordDone{
		Stamp: s.stamp(), ID: req(5), Beneficiary: her(0), Type: kindOf(shopping), Wish: request.Wish{Kind: request.Flexible}, Box: []byte("kiné"),
		Plan: request.Plan{Minutes: 60, Start: noon - 48*hour}, Volunteers: []ident.Volunteer{him(0)}, Counts: cell(public.Done, 5),
		Outcome: request.Outcome{Minutes: 50, Box: []byte("tombée")},
	})
	s.open(0, 0, shopping, 1, 0)
	s.accept(0, 0, 0, 24*hour)
	s.wish(refuse.ErasureWaits, store.Beneficiaries.Code, her(0), false)
	s.wish(0, store.Beneficiaries.Code, her(0), true)
	about := s.stamp()
	about.Key, about.Digest = "again", [8]byte{1}
	known := read(t, s.store).beneficiaries[her(0)]
	repeated := command.ChangeBeneficiary{Stamp: about, ID: her(0), Version: known.Version, Facts: people.Facts{Commune: "33001", State: people.Active, Basis: people.Consent}}
	s.do(0, repeated)
	c := s.erasure(d)
	s.do(0, c)
	if reply := s.apply(t, repeated); reply.Refusal != refuse.Erased || reply.ID != [16]byte{} || reply.Version != 0 {
		t.Errorf("a command that is repeated tells of her: %+v", reply)
	}
	now := read(t, s.store)
	q := now.requests[req(5)]
	if q.State != request.Forgotten || !slices.Equal(q.Coming(), []ident.Volunteer{him(0)}) || q.Outcome.Minutes != 50 || now.volunteers[him(0)].Done != 1 {
		t.Errorf("what he has done: %+v", q)
	}
	s.counted(public.Done, 5, 1)
	s.counted(public.Cancelled, 0, 1)
	for k, v := range walk(t, s.store) {
		if strings.Contains(v, "kiné") || strings.Contains(v, "tombée") {
			t.Errorf("her words are in key %x", k)
		}
	}
	s.do(refuse.Erased, command.Enrol{Stamp: s.stamp(), Who: command.NewBeneficiary{ID: her(0), Leaf: leaf(20)}})
	s.do(refuse.Erased, command.Thank{Stamp: s.stamp(), ID: req(5)})
	s.do(refuse.Erased, command.Drop{Stamp: s.stamp(), ID: req(0), Version: 9})
	s.open(refuse.Erased, 1, shopping, 1)
	// He goes elsewhere at that hour.
	s.do(0, command.OpenRequest{Stamp: s.stamp(), ID: req(2), Beneficiary: her(1), Type: kindOf(shopping), Wish: request.Wish{Kind: request.Flexible}, Plan: request.Plan{Seats: 1, Minutes: 60}})
	s.accept(0, 2, 0, 24*hour)
}

// TestRivals: of two commands that were made over one tree, either may come first;
// the other one is made anew, and nobody's key is lost between them.
func TestRivals(t *testing.T) {
	enrol := func(now records, slot int) command.Command {
		l := leaf(slot)
		l.Parent = now.nodes[spot{crypto.LastLevel, uint32(slot) / 16}].ID
		return command.Enrol{Stamp: stamp(hour), Who: command.NewBeneficiary{ID: her(7), Leaf: l, Facts: people.Facts{State: people.Active, Commune: "33001"}, Box: []byte("sealed")}}
	}
	rivals := map[string]func(*story, *drafts, records) command.Command{
		"enrolment beside her": func(_ *story, _ *drafts, now records) command.Command { return enrol(now, 9) },
		"growth": func(_ *story, _ *drafts, now records) command.Command {
			n := node(crypto.LastLevel, 2)
			n.Parent = now.nodes[spot{crypto.LastLevel - 1, 0}].ID
			return command.GrowTree{Stamp: stamp(hour), Nodes: []crypto.TreeNode{n}}
		},
		"another root": func(s *story, d *drafts, _ records) command.Command {
			c := s.erasure(d)
			return c
		},
	}
	for name, rival := range rivals {
		for _, first := range []bool{true, false} {
			s := tell(t)
			d := &drafts{}
			s.wish(0, store.Beneficiaries.Code, her(0), true)
			now := read(t, s.store)
			erase, other := command.Command(s.erasure(d)), rival(s, d, now)
			one, two := erase, other
			if first {
				one, two = other, erase
			}
			s.do(0, one)
			before := walk(t, s.store)
			want := refuse.StaleTree
			if name == "another root" { // she is gone, which is said first
				want = refuse.Erased
			}
			s.do(want, two)
			if d := differ(before, walk(t, s.store), ignored); d != "" {
				t.Errorf("%s: a refusal changed %s", name, d)
			}
			now = read(t, s.store)
			for slot, l := range now.leaves {
				if now.nodes[spot{crypto.LastLevel, slot / 16}].ID != l.Parent {
					t.Errorf("%s: leaf %d is lost", name, slot)
				}
			}
		}
	}
	// Somebody who hangs elsewhere is in nobody's way.
	s := tell(t)
	s.wish(0, store.Beneficiaries.Code, her(0), true)
	now := read(t, s.store)
	c := s.erasure(&drafts{})
	s.do(0, enrol(now, 20))
	s.do(0, c)
}

// TestCertificate follows one erasure until nobody can hold the former root: a
// second replica that is removed, a copy that is replaced, one that is deleted.
func TestCertificate(t *testing.T) {
	s := tell(t)
	d := &drafts{}
	for _, c := range cluster() {
		s.do(0, c)
	}
	s.do(0, command.RegisterDestination{Stamp: s.stamp(), Destination: backup.Destination{ID: shelf(1), Name: "clé USB", Kind: backup.Manual, Keys: true}})
	s.do(0, command.RecordBackup{Stamp: s.stamp(), ID: shelf(0), Made: backup.Made{Root: firstRoot}})
	c := s.erasure(d)
	s.do(refuse.TooFewHolders, c)
	c.Holders = []ident.Replica{box(0), box(1)}
	s.do(0, c)
	pending := func(want ...string) {
		t.Helper()
		var got []string
		e := read(t, s.store).erasures[c.ID]
		for _, h := range e.Holders {
			if h.Pending() {
				got = append(got, h.Name)
			}
		}
		for _, p := range e.Copies {
			if p.Pending() {
				got = append(got, p.Name)
			}
		}
		if !slices.Equal(got, want) || (e.Certified == 0) != (len(want) > 0) {
			t.Errorf("certified at %d, pending on %v; want %v", e.Certified, got, want)
		}
	}
	to := c.Rewrap.To
	pending("replica-1", "replica-2", "NAS", "clé USB")
	s.do(refuse.OlderRoot, command.HoldRoot{Stamp: s.stamp(), Replica: box(0), Root: firstRoot})
	s.do(refuse.NoRoot, command.HoldRoot{Stamp: s.stamp(), Replica: box(0), Root: crypto.KeyID{9, 9}})
	s.do(refuse.OlderRoot, command.RecordBackup{Stamp: s.stamp(), ID: shelf(0), Made: backup.Made{Root: firstRoot}})
	s.do(refuse.RootNotHeld, command.StepReplica{Stamp: s.stamp(), ID: box(1), To: replica.Removed})
	s.do(0, command.HoldRoot{Stamp: s.stamp(), Replica: box(0), Root: to})
	pending("replica-2", "NAS", "clé USB")
	s.do(0, command.StepReplica{Stamp: s.stamp(), ID: box(1), To: replica.Removed})
	s.do(refuse.ReplicaRemoved, command.HoldRoot{Stamp: s.stamp(), Replica: box(1), Root: to})
	s.do(refuse.LastReplica, command.StepReplica{Stamp: s.stamp(), ID: box(0), To: replica.Removed})
	pending("replica-2", "NAS", "clé USB") // its vault exists
	began, err := s.Applied()
	if err != nil {
		t.Fatal(err)
	}
	s.do(0, command.RecordBackup{Stamp: s.stamp(), ID: shelf(0), Made: backup.Made{Root: to, Begun: began}})
	s.do(0, command.DropDestination{Stamp: s.stamp(), ID: shelf(1)})
	pending("replica-2", "NAS", "clé USB") // replica-2 could write the former root; what lies there lies there
	node := s.stamp()
	node.By = ident.Account{}
	s.do(refuse.PersonNeeded, command.DropDestination{Stamp: node, ID: shelf(1), Deleted: true})
	s.do(refuse.PersonNeeded, command.StepReplica{Stamp: node, ID: box(1), To: replica.Destroyed})
	s.do(0, command.StepReplica{Stamp: s.stamp(), ID: box(1), To: replica.Destroyed})
	pending("NAS", "clé USB")
	s.do(0, command.RecordBackup{Stamp: s.stamp(), ID: shelf(0), Made: backup.Made{Root: to, Begun: began}})
	pending("NAS", "clé USB") // it was begun before
	if began, err = s.Applied(); err != nil {
		t.Fatal(err)
	}
	s.do(0, command.RecordBackup{Stamp: s.stamp(), ID: shelf(0), Made: backup.Made{Root: to, Begun: began}})
	pending("clé USB")
	s.do(0, command.DropDestination{Stamp: s.stamp(), ID: shelf(1), Deleted: true})
	pending()
	if e := read(t, s.store).erasures[c.ID]; e.Holders[1].DestroyedBy != acc(0) || e.Copies[1].DeletedBy != acc(0) {
		t.Errorf("the certificate does not say who said so: %+v", e)
	}
}

// TestRestore: an old records part with today's keys gives back everybody but
// those who were erased since, and those whom nobody can read any more.
func TestRestore(t *testing.T) {
	s := tell(t)
	d := &drafts{}
	for _, c := range cluster() {
		s.do(0, c)
	}
	s.open(0, 0, shopping, 1, 0) // with him who is to be erased
	s.accept(0, 0, 0, 24*hour)
	s.reach(0, 0, s.about(0, command.Fine, 0))
	s.do(0, command.KeepPerson{Stamp: s.stamp(), Collection: store.Beneficiaries.Code, ID: her(0)})
	dump := func(f func(*bytes.Buffer) error) *bytes.Buffer {
		t.Helper()
		var b bytes.Buffer
		if err := f(&b); err != nil {
			t.Fatal(err)
		}
		return &b
	}
	records := func() *bytes.Buffer { return dump(func(b *bytes.Buffer) error { return s.store.DumpRecords(b) }) }
	keys := func() *bytes.Buffer { return dump(func(b *bytes.Buffer) error { return s.store.DumpKeys(b) }) }
	old, oldKeys := records(), keys()
	c := s.erasure(d)
	c.Holders = []ident.Replica{box(0), box(1)}
	s.do(0, c)
	l := leaf(12)
	l.Parent = read(t, s.store).nodes[spot{crypto.LastLevel, 0}].ID
	s.do(0, command.Enrol{Stamp: s.stamp(), Who: command.NewBeneficiary{ID: her(7), Leaf: l, Facts: people.Facts{State: people.Active, Commune: "33001"}, Box: []byte("sealed")}})
	newer, newKeys := records(), keys()
	for name, k := range map[string]struct {
		records, keys []byte
		want          machine.Restored
		her7          bool
	}{
		"an old data backup with today's keys": {old.Bytes(), newKeys.Bytes(), machine.Restored{Kept: 6, Erased: 1}, false},
		"today's":                              {newer.Bytes(), newKeys.Bytes(), machine.Restored{Kept: 7}, true},
		"today's data with old keys":           {newer.Bytes(), oldKeys.Bytes(), machine.Restored{Kept: 6, Lost: 1}, false},
	} {
		r := newReplica(t, t.TempDir())
		got, err := machine.Restore(r.store, bytes.NewReader(k.records), bytes.NewReader(k.keys), replica.Replica{ID: box(9)}, func(machine.Restored) error { return nil })
		if err != nil || got != k.want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, k.want)
		}
		now, state := read(t, r.store), walk(t, r.store)
		if _, there := now.volunteers[him(0)]; there || !now.isGone(him(0)) || now.leaves[4].Slot == 4 {
			t.Errorf("%s: he is back", name)
		}
		for key, v := range state {
			if id := him(0); (key[0] != 1 || key[1] != store.Gone.Code && key[1] != store.Erasures.Code) && strings.Contains(key+" "+v, string(id[:])) {
				t.Errorf("%s: he is in key %x", name, key)
			}
		}
		if q := now.requests[req(0)]; q.State != request.Open || !q.NeedsCall() {
			t.Errorf("%s: she still expects him: %+v", name, q)
		}
		if _, there := now.beneficiaries[her(7)]; there != k.her7 {
			t.Errorf("%s: somebody who was enrolled later is there: %v", name, there)
		}
		for id, r := range now.replicas {
			if want := map[bool]replica.State{true: replica.Member, false: replica.Removed}[id == box(9)]; r.State != want {
				t.Errorf("%s: %s is in state %d", name, r.Name, r.State)
			}
		}
		if _, there := now.replicas[box(9)]; !there || len(now.replicas) < 3 {
			t.Errorf("%s: %d replicas", name, len(now.replicas))
		}
		if n, err := r.Applied(); n != 0 || err != nil {
			t.Errorf("%s: applied %d, %v", name, n, err)
		}
		// The new life begins: nothing of the old one is in its way.
		if reply := r.apply(t, command.KeepPerson{Stamp: stamp(2 * hour), Collection: store.Volunteers.Code, ID: him(0)}); reply.Refusal != refuse.Erased {
			t.Errorf("%s: %v", name, reply)
		}
		r.store.Close()
	}
}
