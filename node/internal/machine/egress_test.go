package machine_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/egress"
	"github.com/bippop/bippop/node/internal/machine"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/replica"
	"github.com/bippop/bippop/node/internal/store"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

const ourSiren public.Siren = 200044394

// said is what a record holds about the federation.
type said struct {
	membership egress.Membership
	feeds      []egress.Feed
	leaves     []egress.Leaf
	hashes     map[string]tlog.Hash
	roster     []egress.RosterEntry
}

func (s said) feed() egress.Feed {
	if len(s.feeds) == 0 {
		return egress.Feed{}
	}
	return s.feeds[len(s.feeds)-1]
}

// of are an epoch's entries.
func (s said) of(epoch uint16) (out [][]byte) {
	for _, l := range s.leaves {
		if l.Epoch == epoch {
			out = append(out, l.Bytes)
		}
	}
	return out
}

func saidBy(t fataler, st *store.Store) (s said) {
	t.Helper()
	s.hashes = map[string]tlog.Hash{}
	err := st.View(func(tx *store.Tx) error {
		s.membership, _, _ = store.Memberships.Get(tx, []byte{0})
		store.Feeds.Each(tx, nil, func(f egress.Feed) bool { s.feeds = append(s.feeds, f); return true })
		store.Leaves.Each(tx, nil, func(l egress.Leaf) bool { s.leaves = append(s.leaves, l); return true })
		store.Roster.Each(tx, nil, func(r egress.RosterEntry) bool { s.roster = append(s.roster, r); return true })
		store.Hashes.Each(tx, nil, func(h egress.Hash) bool { s.hashes[string(egress.Key(h.Epoch, h.Index))] = h.Hash; return true })
		return tx.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rootOf is worked out from the entries alone, as a stranger would.
func rootOf(entries [][]byte) tlog.Hash {
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(at []int64) (out []tlog.Hash, err error) {
		for _, i := range at {
			out = append(out, stored[i])
		}
		return out, nil
	})
	for i, b := range entries {
		h, err := tlog.StoredHashes(int64(i), b, read)
		if err != nil {
			panic(err)
		}
		stored = append(stored, h...)
	}
	h, err := tlog.TreeHash(int64(len(entries)), read)
	if err != nil {
		panic(err)
	}
	return h
}

// root is what the record's own hashes say.
func (s said) root(t fataler, epoch uint16, size uint64) tlog.Hash {
	t.Helper()
	h, err := tlog.TreeHash(int64(size), tlog.HashReaderFunc(func(at []int64) (out []tlog.Hash, err error) {
		for _, i := range at {
			h, ok := s.hashes[string(egress.Key(epoch, uint64(i)))]
			if !ok {
				t.Fatalf("hash %d of epoch %d is missing", i, epoch)
			}
			out = append(out, h)
		}
		return out, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func entry(epoch uint16, seq uint64, m public.Message) []byte {
	b, err := public.Encode(public.Entry{From: ourSiren, Epoch: epoch, Seq: seq, Day: 2500, Body: m})
	if err != nil {
		panic(err)
	}
	return b
}

// release of a quarter, paid after what was spent.
func quarterly(o public.Odometer, q public.Quarter, first int32) (public.Release, public.Odometer, bool) {
	receipt, err := o.Charge(public.CatalogueVersion, q)
	if err != nil {
		return public.Release{}, o, false
	}
	cells := make([]int32, public.Cells(public.CatalogueVersion))
	cells[0] = first
	r, err := receipt.Release(cells)
	if err != nil {
		panic(err)
	}
	after, err := o.Follow(r)
	if err != nil {
		panic(err)
	}
	return r, after, true
}

var rosterEntries = [][]byte{[]byte("genesis"), []byte("member"), []byte("renewal"), []byte("another")}
var genesis = sha256.Sum256(rosterEntries[0])

// TestLawsOfFeed: nothing that was said changes or vanishes, the tree is that of
// its entries, nothing grows where it may not, and every release is paid for once,
// in whatever order people and hubs do what they can.
func TestLawsOfFeed(t *testing.T) {
	flag.Set("rapid.checks", "60")
	flag.Set("rapid.nofailfile", "true")
	if *long {
		flag.Set("rapid.checks", "2000")
	}
	refusals, done := map[refuse.Reason]int{}, map[command.Kind]int{}
	releases, again := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "feed")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		a, b := newReplica(t, dir+"/a"), newReplica(t, dir+"/b")
		defer func() { a.store.Close(); b.store.Close() }()
		a.apply(t, found())
		b.apply(t, found())
		n := func(label string, most int) int { return rapid.IntRange(0, most).Draw(t, label) }
		quarter := public.Quarter(20)
		for i := range 40 {
			before := saidBy(t, a.store)
			f := before.feed()
			s := stamp(minute * 1)
			s.At += minute * 1
			if n("nobody", 9) == 0 {
				s.By = [16]byte{}
			}
			epoch, seq := f.Epoch, f.Size
			if n("late", 7) == 0 && seq > 0 {
				seq--
			}
			if n("other epoch", 9) == 0 || epoch == 0 {
				epoch++
			}
			var c command.Command
			switch what := n("what", 11); {
			case i == 0 && n("joined", 4) > 0, what == 0:
				g := genesis
				if n("other", 7) == 0 {
					g[0]++
				}
				c = command.JoinFederation{Stamp: s, Genesis: g, Invitation: "come"}
			case what <= 2:
				c = command.Say{Stamp: s, Entry: entry(epoch, seq, public.Presence{})}
			case what <= 6:
				var entries [][]byte
				spent := f.Spent
				if n("wrong history", 9) == 0 {
					spent = public.Odometer{}
				}
				for j := range n("entries", 3) {
					quarter += public.Quarter(n("quarters", 2))
					var m public.Message = public.Presence{}
					if r, after, ok := quarterly(spent, quarter, int32(i)); ok {
						m, spent = r, after
					}
					entries = append(entries, entry(epoch, seq+uint64(j), m))
				}
				c = command.TakeBack{Stamp: s, Entries: entries}
			case what == 7:
				c = command.FreezeFeed{Stamp: s, Epoch: epoch, Evidence: [2][]byte{[]byte("ours"), []byte("theirs")}}
			case what <= 9:
				size := uint64(n("counting", int(f.Size)+1))
				open := command.OpenEpoch{Stamp: s, Epoch: f.Epoch + uint16(n("epochs on", 2)), Size: size}
				if f.Epoch > 0 && size <= f.Size {
					open.Root = before.root(t, f.Epoch, size)
					seq := uint64(0)
					for _, e := range before.of(f.Epoch)[size:] {
						if d, err := public.Decode(e); err == nil && d.Body.Kind() == public.KindRelease {
							if n("left out", 9) > 0 {
								open.Again = append(open.Again, entry(open.Epoch, seq, d.Body))
							}
							seq++
						}
					}
				}
				c = open
			case what == 10:
				from := min(int(before.membership.Version)+n("ahead", 1), len(rosterEntries))
				g := genesis
				if n("foreign", 5) == 0 {
					g[1]++
				}
				c = command.TakeRoster{Stamp: s, Genesis: g, From: uint64(from), Entries: rosterEntries[from:min(from+1+n("more", 1), len(rosterEntries))]}
			default:
				c = command.LeaveFederation{Stamp: s}
			}
			reply := a.apply(t, c)
			if other := b.apply(t, c); other != reply {
				t.Fatalf("replicas answer %+v and %+v", reply, other)
			}
			refusals[reply.Refusal]++
			if reply.Refusal == 0 {
				done[c.Kind()]++
			}
			after := saidBy(t, a.store)
			lawsOfFeed(t, before, after, c, reply.Refusal)
			releases += len(after.leaves) - len(before.leaves)
			if c, ok := c.(command.OpenEpoch); ok && reply.Refusal == 0 {
				again += len(c.Again)
			}
		}
		if d := differ(walk(t, a.store), walk(t, b.store), nil); d != "" {
			t.Fatalf("replicas differ in %s", d)
		}
	})
	for r := refuse.NotFederated; r <= refuse.WrongHistory; r++ {
		if refusals[r] == 0 {
			t.Errorf("nothing was refused with %s", r.Code())
		}
	}
	for k := command.KindSay; k <= command.KindLeaveFederation; k++ {
		if done[k] == 0 {
			t.Errorf("no command of kind %d was done", k)
		}
	}
	if releases == 0 || again == 0 {
		t.Errorf("%d entries, %d releases said again", releases, again)
	}
}

func lawsOfFeed(t *rapid.T, before, after said, c command.Command, refusal refuse.Reason) {
	t.Helper()
	if len(after.leaves) < len(before.leaves) {
		t.Fatal("entries have vanished")
	}
	for i, l := range before.leaves { // epochs grow: new ones come last
		if now := after.leaves[i]; now.Epoch != l.Epoch || now.Seq != l.Seq || now.At != l.At || !bytes.Equal(now.Bytes, l.Bytes) {
			t.Fatalf("entry %d is another one now", i)
		}
	}
	grown := len(after.leaves) > len(before.leaves)
	_, opened := c.(command.OpenEpoch)
	switch {
	case refusal != 0 && grown, grown && before.feed().Frozen != 0 && !opened:
		t.Fatalf("the feed has grown by %T, refused with %v, frozen %d", c, refusal, before.feed().Frozen)
	case grown && !before.membership.Belongs() && c.Kind() != command.KindTakeBack:
		t.Fatal("something was said outside of a federation")
	}
	var spent public.Odometer
	for i, f := range after.feeds {
		entries := after.of(f.Epoch)
		if uint64(len(entries)) != f.Size || rootOf(entries) != after.root(t, f.Epoch, f.Size) {
			t.Fatalf("epoch %d has size %d, %d entries, and another root than they lead to", f.Epoch, f.Size, len(entries))
		}
		counts := f.Size
		if i+1 < len(after.feeds) {
			counts = after.feeds[i+1].After
		}
		for _, b := range entries[:counts] {
			e, err := public.Decode(b)
			if err != nil {
				t.Fatal(err)
			}
			if r, ok := e.Body.(public.Release); ok {
				if spent, err = spent.Follow(r); err != nil {
					t.Fatalf("whoever follows what counts meets: %v", err)
				}
			}
		}
	}
	if spent != after.feed().Spent {
		t.Fatalf("spent %+v, the record says %+v", spent, after.feed().Spent)
	}
	if o := before.feed().Spent; o.Any && (!spent.Any || spent.Last < o.Last) {
		t.Fatal("a release was forgotten")
	}
	if uint64(len(after.roster)) != after.membership.Version {
		t.Fatalf("%d entries of the roster, the record says %d", len(after.roster), after.membership.Version)
	}
	for i, r := range after.roster {
		if r.Seq != uint64(i) || i == 0 && sha256.Sum256(r.Bytes) != after.membership.Genesis {
			t.Fatalf("entry %d of the roster has number %d, or is of another one", i, r.Seq)
		}
	}
}

// TestTakeBack: a record that has lost the end of its feed is, once the hubs have
// given it back, what it was; so no quarter is released twice.
func TestTakeBack(t *testing.T) {
	whole, restored := tell(t), tell(t)
	for _, s := range []*story{whole, restored} {
		s.do(0, command.JoinFederation{Stamp: s.stamp(), Genesis: genesis})
	}
	first, spent, _ := quarterly(public.Odometer{}, 24, 1)
	second, _, _ := quarterly(spent, 25, 2)
	entries := [][]byte{entry(1, 0, first), entry(1, 1, public.Presence{}), entry(1, 2, second), entry(1, 3, public.Retract{Seq: 0})}
	for _, b := range entries {
		whole.do(0, command.TakeBack{Stamp: whole.stamp(), Entries: [][]byte{b}})
	}
	restored.do(0, command.TakeBack{Stamp: restored.stamp(), Entries: entries[:1]})
	restored.do(refuse.StaleFeed, command.TakeBack{Stamp: restored.stamp(), Entries: entries[2:]}) // not with a gap
	restored.do(0, command.TakeBack{Stamp: restored.stamp(), Entries: entries[1:]})
	a, b := saidBy(t, whole.store), saidBy(t, restored.store)
	if !reflect.DeepEqual(a.feed(), b.feed()) || a.root(t, 1, 4) != b.root(t, 1, 4) {
		t.Errorf("taken back: %+v, was %+v", b.feed(), a.feed())
	}
	other, _, _ := quarterly(public.Odometer{}, 24, 9)
	restored.do(refuse.WrongHistory, command.TakeBack{Stamp: restored.stamp(), Entries: [][]byte{entry(1, 4, other)}})
}

// TestForeign: what is no message of this territory stops the machine before it
// stands in the feed.
func TestForeign(t *testing.T) {
	s := tell(t)
	s.do(0, command.JoinFederation{Stamp: s.stamp(), Genesis: genesis})
	foreign, err := public.Encode(public.Entry{From: 200069599, Epoch: 1, Day: 1, Body: public.Presence{}})
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := quarterly(public.Odometer{}, 24, 1)
	for name, c := range map[string]command.Command{
		"another's":        command.Say{Stamp: s.stamp(), Entry: foreign},
		"another's, taken": command.TakeBack{Stamp: s.stamp(), Entries: [][]byte{foreign}},
		"no message":       command.Say{Stamp: s.stamp(), Entry: []byte("Mme Dupont")},
		"of another kind":  command.Say{Stamp: s.stamp(), Entry: entry(1, 0, first)},
	} {
		func() {
			defer func() {
				if said, _ := recover().(string); !strings.HasPrefix(said, "machine: ") || strings.Contains(said, "Dupont") {
					t.Errorf("%s: %q", name, said)
				}
			}()
			s.apply(t, c)
		}()
	}
	if got := saidBy(t, s.store); got.feed().Size != 0 {
		t.Errorf("%d entries", got.feed().Size)
	}
}

// TestRevived: a territory that comes back from a backup says nothing before the
// hubs have given back what it had said, even if the backup is older than the day on
// which it joined.
func TestRevived(t *testing.T) {
	for _, joined := range []bool{true, false} {
		former := tell(t)
		if joined {
			former.do(0, command.JoinFederation{Stamp: former.stamp(), Genesis: genesis})
			former.do(0, command.Say{Stamp: former.stamp(), Entry: entry(1, 0, public.Presence{})})
		}
		var records, keys bytes.Buffer
		if err := errors.Join(former.store.DumpRecords(&records), former.store.DumpKeys(&keys)); err != nil {
			t.Fatal(err)
		}
		now := &story{T: t, peer: newReplica(t, t.TempDir()), at: former.at}
		defer now.store.Close()
		here := replica.Replica{ID: box(5), At: address(5)}
		if _, err := machine.Restore(now.store, &records, &keys, here, func(machine.Restored) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if !joined {
			now.do(0, command.JoinFederation{Stamp: now.stamp(), Genesis: genesis})
		}
		seq := saidBy(t, now.store).feed().Size
		next := entry(1, seq, public.Presence{})
		now.do(refuse.FeedRestored, command.Say{Stamp: now.stamp(), Entry: next})
		now.do(0, command.TakeBack{Stamp: now.stamp(), Entries: [][]byte{next}}) // one hub's
		now.do(refuse.FeedRestored, command.Say{Stamp: now.stamp(), Entry: entry(1, seq+1, public.Presence{})})
		held := saidBy(t, now.store)
		now.do(0, command.OpenEpoch{Stamp: now.stamp(), Epoch: 2, Size: seq + 1, Root: held.root(t, 1, seq+1)})
		now.do(refuse.FeedRestored, command.Say{Stamp: now.stamp(), Entry: entry(2, 0, public.Presence{})}) // nor in the next epoch
		now.do(0, command.TakeBack{Stamp: now.stamp(), Whole: true})
		now.do(0, command.Say{Stamp: now.stamp(), Entry: entry(2, 0, public.Presence{})})
	}
}

// TestAgain: releases and receipts are said again in a new epoch as they were first said, of the
// same day: another day would be other bytes in the same place, whenever a record that
// was put back opens the epoch once more.
func TestAgain(t *testing.T) {
	s := tell(t)
	s.do(0, command.JoinFederation{Stamp: s.stamp(), Genesis: genesis})
	r, _, _ := quarterly(public.Odometer{}, 24, 1)
	lareole, err := public.ParseCommune("33352")
	if err != nil {
		t.Fatal(err)
	}
	receipt := public.Handover{Giver: rurale, Communes: []public.Commune{lareole}, Roster: 2, Digest: [32]byte{7}}
	s.do(0, command.TakeBack{Stamp: s.stamp(), Entries: [][]byte{entry(1, 0, r), entry(1, 1, public.Presence{}), entry(1, 2, receipt)}})
	held := saidBy(t, s.store)
	again := func(day public.Day, all ...public.Message) (out [][]byte) {
		for i, m := range all {
			b, err := public.Encode(public.Entry{From: ourSiren, Epoch: 2, Seq: uint64(i), Day: day, Body: m})
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, b)
		}
		return out
	}
	open := command.OpenEpoch{Stamp: s.stamp(), Epoch: 2, Root: held.root(t, 1, 0)}
	for name, b := range map[string][][]byte{
		"of another day": again(2501, r, receipt), "without the receipt": again(2500, r), "without the release": again(2500, receipt),
		"in another order": again(2500, receipt, r), "with what needs no repeating": again(2500, r, public.Presence{}, receipt),
	} {
		t.Log(name)
		open.Stamp, open.Again = s.stamp(), b
		s.do(refuse.StaleFeed, open)
	}
	open.Stamp, open.Again = s.stamp(), again(2500, r, receipt)
	s.do(0, open)
}
