package machine_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/egress"
	"github.com/bippop/bippop/node/internal/erasure"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/offer"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/release"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/when"
	"pgregory.net/rapid"
)

// t4 is the quarter of the tests.
const t4 public.Quarter = 27

// in is a cell of an indicator in the month of an instant.
func in(at when.At, i public.Indicator, n int) []command.Count {
	year, month, _ := (noon + at).Time().Date()
	return []command.Count{command.CountOf(public.Cell{
		Indicator: i, Month: public.MonthOf(year, int(month)), Commune: public.Commune([]byte("33001")),
		Category: public.Category(1 + n%11), Sex: public.Sex(n % 3), Age: public.AgeBand(n % 8),
	}, 1)}
}

// done records something that took place. Instants must differ by two hours.
func done(at when.At, n, she int, they ...ident.Volunteer) command.RecordDone {
	return command.RecordDone{
		Stamp: stamp(at), ID: req(n), Beneficiary: her(she), Type: kindOf(shopping), Wish: request.Wish{Kind: request.OnDay, Day: 20_000},
		Plan: request.Plan{Seats: uint8(len(they)), Minutes: 60, Start: noon + at - hour}, Volunteers: they, Outcome: request.Outcome{Minutes: 95},
		Counts: slices.Concat(in(at, public.Requested, she), in(at, public.Found, she), in(at, public.Done, she)),
	}
}

// vectors are a store's, by quarter, and its tallies.
func vectors(t fataler, st *store.Store) (all map[public.Quarter]release.Vector, tallies []release.Tally) {
	t.Helper()
	all = map[public.Quarter]release.Vector{}
	err := st.View(func(tx *store.Tx) error {
		err := store.Vectors.Each(tx, nil, func(v release.Vector) bool { all[v.Quarter] = v; return true })
		if err != nil {
			return err
		}
		return store.Tallies.Each(tx, nil, func(u release.Tally) bool { tallies = append(tallies, u); return true })
	})
	if err != nil {
		t.Fatal(err)
	}
	return all, tallies
}

func group(v release.Vector, n public.GroupNumber) []int32 {
	at, g, _ := public.Place(1, n)
	if v.Cells == nil {
		return make([]int32, g.Cells)
	}
	return v.Cells[at : at+int(g.Cells)]
}

// counted is a territory that counts its quarters from its founding on.
func counted(t *testing.T) *story {
	t.Helper()
	s := &story{T: t, peer: newReplica(t, t.TempDir())}
	t.Cleanup(func() { s.store.Close() })
	s.do(0, found())
	s.do(0, command.BeginVectors{Stamp: stamp(0)})
	s.do(refuse.VectorsBegun, command.BeginVectors{Stamp: stamp(0)})
	for _, c := range town() {
		s.do(0, c)
	}
	return s
}

// join gives the territory a feed.
func (s *story) join() {
	s.Helper()
	err := s.store.Update(func(tx *store.Tx) error {
		store.Memberships.Put(tx, egress.Membership{Joined: 1})
		store.Feeds.Put(tx, egress.Feed{Epoch: 1})
		return nil
	})
	if err != nil {
		s.Fatal(err)
	}
}

func (s *story) feed() (f egress.Feed) {
	s.Helper()
	err := s.store.View(func(tx *store.Tx) error {
		return store.Feeds.Each(tx, nil, func(one egress.Feed) bool { f = one; return true })
	})
	if err != nil {
		s.Fatal(err)
	}
	return f
}

// TestOnePerson: the same log with all that was done for one person, or by one
// volunteer, and without: no group about people like her differs by more than its
// bound, and the exact counters do as they always did.
func TestOnePerson(t *testing.T) {
	flag.Set("rapid.checks", "12")
	if *long {
		flag.Set("rapid.checks", "200")
	}
	rapid.Check(t, func(t *rapid.T) {
		with, without, twin := newReplica(t, tempDir(t)), newReplica(t, tempDir(t)), newReplica(t, tempDir(t))
		defer func() { with.store.Close(); without.store.Close(); twin.store.Close() }()
		unit := rapid.SampledFrom([]public.Unit{public.Person, public.Helper}).Draw(t, "unit")
		exact := map[string]uint64{}
		apply := func(c command.Command, about bool, counts []command.Count) {
			if reply := with.apply(t, c); reply.Refusal != 0 {
				t.Fatalf("%T: %v", c, reply.Refusal)
			}
			if reply := twin.apply(t, c); reply.Refusal != 0 {
				t.Fatalf("%T: %v", c, reply.Refusal)
			}
			for _, n := range counts {
				exact[string(n.Cell)] += n.N
			}
			if !about {
				if reply := without.apply(t, c); reply.Refusal != 0 {
					t.Fatalf("without: %T: %v", c, reply.Refusal)
				}
			}
		}
		apply(found(), false, nil)
		apply(command.BeginVectors{Stamp: stamp(0)}, false, nil)
		for _, c := range town() {
			switch c := c.(type) {
			case command.Enrol:
				c.Counts = in(0, public.Enrolled, 0)
				apply(c, unit == public.Person && c.Who.ID == her(0), c.Counts)
			case command.Register:
				c.Counts = in(0, public.Joined, 0)
				apply(c, unit == public.Helper && c.Who.ID == him(0), c.Counts)
			}
		}
		at := when.At(0)
		for n := range rapid.IntRange(0, 60).Draw(t, "facts") {
			at += hour * when.At(rapid.SampledFrom([]int{2, 2, 2, 24, 24 * 9}).Draw(t, "later"))
			she, he := rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "her"), rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "him")
			about := unit == public.Person && she == 0
			switch what := rapid.IntRange(0, 7).Draw(t, "fact"); what {
			case 0:
				bond := command.MakeBond{Stamp: stamp(at), ID: tie(n), Beneficiary: her(she), Volunteer: him(he), Counts: in(at, public.Bonds, she)}
				if unit == public.Helper && he == 0 { // he stands in it, and it counts hers
					continue
				}
				if reply := with.apply(t, bond); reply.Refusal == 0 {
					twin.apply(t, bond)
					exact[string(bond.Counts[0].Cell)]++
					if !about {
						without.apply(t, bond)
					}
				} else if reply.Refusal != refuse.BondAlive {
					t.Fatal(reply.Refusal)
				} else {
					twin.apply(t, bond)
				}
			case 1:
				c := command.MakeOffer{Stamp: stamp(at), ID: trip(n), Volunteer: him(he), Trip: offer.Trip{Types: []ident.ActionType{kindOf(shopping)}, Day: 20_000, Places: 1, Until: noon + at + hour}, Counts: in(at, public.Offered, 0)}
				apply(c, unit == public.Helper && he == 0, c.Counts)
			case 2, 3:
				open := command.OpenRequest{Stamp: stamp(at), ID: req(n), Beneficiary: her(she), Type: kindOf(shopping), Plan: request.Plan{Seats: 1, Minutes: 60}, Wish: request.Wish{Kind: request.Flexible}, Counts: in(at, public.Requested, she)}
				end := command.Drop{Stamp: stamp(at), ID: req(n), Version: 1, Unfilled: what == 2, Outcome: request.Outcome{Why: request.ByHer}, Counts: in(at, public.Unfilled, she)}
				apply(open, about, open.Counts)
				apply(end, about, end.Counts)
			default:
				they := []ident.Volunteer{him(he)}
				if other := (he + 1) % 3; rapid.Bool().Draw(t, "two") {
					they = append(they, him(other))
				}
				c := done(at, n, she, they...)
				shared := unit == public.Helper && slices.Contains(they, him(0))
				apply(c, about || shared, c.Counts)
				if others := slices.DeleteFunc(slices.Clone(they), func(v ident.Volunteer) bool { return v == him(0) }); shared && len(others) > 0 {
					if reply := without.apply(t, done(at, n, she, others...)); reply.Refusal != 0 {
						t.Fatal(reply.Refusal)
					}
				}
			}
			if rapid.IntRange(0, 9).Draw(t, "sweep") == 0 {
				apply(command.Sweep{Stamp: stamp(at)}, false, nil)
			}
		}
		all, _ := vectors(t, with.store)
		others, _ := vectors(t, without.store)
		for q, v := range all {
			for _, g := range public.Catalogue(1) {
				if g.Unit != unit {
					continue
				}
				l1 := int32(0)
				mine, theirs := group(v, g.Number), group(others[q], g.Number)
				for i := range mine {
					l1 += max(mine[i]-theirs[i], theirs[i]-mine[i])
				}
				if l1 > int32(g.Bound) {
					t.Fatalf("in %v one of unit %d changes group %d by %d, bound %d", q, unit, g.Number, l1, g.Bound)
				}
			}
		}
		if d := differ(walk(t, with.store), walk(t, twin.store), nil); d != "" {
			t.Fatalf("the same log has led to another %s", d)
		}
		err := with.store.View(func(tx *store.Tx) error {
			for key, want := range exact {
				c, err := public.ParseCell([]byte(key))
				if err != nil {
					return err
				}
				if have, err := tx.Counter(c); err != nil || have != want {
					t.Fatalf("%+v holds %d, want %d (%v)", c, have, want, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func tempDir(t *rapid.T) string {
	dir, err := os.MkdirTemp("", "laws")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// TestQuarterFrozen tells a quarter from its first visit to its release.
func TestQuarterFrozen(t *testing.T) {
	s := counted(t)
	v, tallies := vectors(t, s.store)
	if len(v) != 0 || len(tallies) != 0 {
		t.Fatalf("counted before anything was: %v", v)
	}
	s.do(0, done(0, 1, 0, him(0), him(1)))
	s.do(0, done(2*hour, 2, 0, him(0)))
	s.do(0, done(4*hour, 3, 1, him(1)))
	v, tallies = vectors(t, s.store)
	if got := fmt.Sprint(group(v[t4], public.GroupOften), group(v[t4], public.GroupPaired), group(v[t4], public.GroupHours), group(v[t4], public.GroupHelpers), group(v[t4], public.GroupRequests)); got != "[2 0 0 0 0] [1] [6] [2] [3 0 0 0 3 0 0 0]" {
		t.Errorf("the vector says %s", got)
	}
	if len(tallies) != 4 {
		t.Errorf("%d tallies, of two people and two volunteers", len(tallies))
	}

	entry := func(q public.Quarter, seq uint64, cells []int32) []byte {
		r, err := s.feed().Spent.Charge(1, q)
		if err != nil { // whatever it says: the machine must refuse it itself
			r, _ = public.Odometer{}.Charge(1, q)
		}
		body, err := r.Release(cells)
		if err != nil {
			t.Fatal(err)
		}
		b, err := public.Encode(public.Entry{From: 200044394, Epoch: 1, Seq: seq, Day: 2600, Body: body})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	cells := make([]int32, public.Cells(1))
	cells[30] = -7
	freeze := func(want refuse.Reason, at when.At, q public.Quarter, seq uint64) {
		t.Helper()
		s.do(want, command.Freeze{Stamp: stamp(at), Entry: entry(q, seq, cells)})
	}
	const soon, late = 5 * hour, 60 * day // 23 January
	freeze(refuse.NotFederated, soon, t4, 0)
	s.join()
	freeze(refuse.QuarterOpen, soon, t4, 0)
	freeze(refuse.QuarterGap, soon, t4+1, 0)
	freeze(refuse.QuarterGap, soon, t4-1, 0) // from before the counting
	freeze(refuse.StaleFeed, soon, t4, 1)

	// After the quarter and its grace nothing more is counted for it, and what was used is forgotten.
	s.do(0, command.Sweep{Stamp: stamp(36 * day)})
	if _, tallies = vectors(t, s.store); len(tallies) != 4 {
		t.Fatalf("%d tallies on 30 December", len(tallies))
	}
	s.do(0, command.Sweep{Stamp: stamp(40 * day)})
	if _, tallies = vectors(t, s.store); len(tallies) != 0 {
		t.Fatalf("kept after the quarter: %+v", tallies)
	}
	belated := done(41*day, 4, 2, him(2))
	belated.Counts = done(0, 4, 2, him(2)).Counts // of November, in January
	before, _ := vectors(t, s.store)
	s.do(0, belated)
	if after, _ := vectors(t, s.store); !slices.Equal(after[t4].Cells, before[t4].Cells) {
		t.Error("counted for a quarter that is over")
	}

	good := entry(t4, 0, cells)
	s.do(0, command.Freeze{Stamp: stamp(late), Entry: good})
	f := s.feed()
	if f.Size != 1 || f.Spent != (public.Odometer{Last: t4, Any: true, Spent: [3]public.Micro{0, 1_000_000, 1_000_000}}) {
		t.Errorf("the feed: %+v", f)
	}
	err := s.store.View(func(tx *store.Tx) error {
		leaf, _, err := store.Leaves.Get(tx, egress.Key(1, 0))
		if err != nil || !bytes.Equal(leaf.Bytes, good) {
			t.Errorf("what has left is %x, %v", leaf.Bytes, err)
		}
		r, there, err := store.Released.Get(tx, release.Key(t4))
		if err != nil || !there || r != (release.Released{Quarter: t4, Catalogue: 1, Epoch: 1, Seq: 0, At: noon + late}) {
			t.Errorf("%+v, %v", r, err)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := vectors(t, s.store); len(v) != 0 {
		t.Errorf("kept after the release: %v", v)
	}
	freeze(refuse.QuarterReleased, late, t4, 1)
	freeze(refuse.QuarterReleased, late, t4-3, 1)
	freeze(refuse.QuarterGap, late+200*day, t4+2, 1)
	freeze(0, late+200*day, t4+1, 1) // nothing was counted in it: it says so
	freeze(0, late+200*day, t4+2, 2)
	if f := s.feed(); f.Size != 3 || f.Spent.Spent[public.Person] != 2_000_000 {
		t.Errorf("the feed: %+v", f)
	}
}

// TestBudgetSpent: a record that says the year's budget is gone stops the release.
func TestBudgetSpent(t *testing.T) {
	s := counted(t)
	if err := s.store.Update(func(tx *store.Tx) error {
		store.Memberships.Put(tx, egress.Membership{Joined: 1})
		store.Feeds.Put(tx, egress.Feed{Epoch: 1, Spent: public.Odometer{Last: t4 - 1, Any: true, Spent: [3]public.Micro{0, public.MaxSpending, 0}}})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	r, err := public.Odometer{}.Charge(1, t4)
	if err != nil {
		t.Fatal(err)
	}
	body, err := r.Release(make([]int32, public.Cells(1)))
	if err != nil {
		t.Fatal(err)
	}
	b, err := public.Encode(public.Entry{From: 200044394, Epoch: 1, Day: 2600, Body: body})
	if err != nil {
		t.Fatal(err)
	}
	s.do(refuse.BudgetSpent, command.Freeze{Stamp: stamp(60 * day), Entry: b})
	if f := s.feed(); f.Size != 0 {
		t.Error("something has left")
	}
}

// TestErasedTally: what somebody has used goes with her; what was counted stays.
func TestErasedTally(t *testing.T) {
	s := counted(t)
	s.do(0, done(0, 1, 0, him(0)))
	before, tallies := vectors(t, s.store)
	s.do(0, command.WantErasure{Stamp: stamp(hour), Collection: store.Beneficiaries.Code, ID: her(0), Withdraw: true})
	r := read(t, s.store)
	slot := r.beneficiaries[her(0)].Leaf.Slot
	c := command.Erase{Stamp: stamp(hour), ID: erased(0), Who: []erasure.Erased{{Collection: store.Beneficiaries.Code, ID: her(0), Slot: slot}}, Holders: []ident.Replica{box(0)}}
	c.Rewrap = (&drafts{}).rewrap(r, []uint32{slot})
	s.do(0, c)
	after, left := vectors(t, s.store)
	if len(tallies) != 2 || len(left) != 1 || left[0].Collection != store.Volunteers.Code || left[0].ID != him(0) {
		t.Errorf("%+v is left of %+v", left, tallies)
	}
	if !slices.Equal(before[t4].Cells, after[t4].Cells) {
		t.Error("an erasure has changed the figures")
	}
}

// TestPartsOfImports: the people of an import are counted for the quarter part by
// part, and taken back when it is undone, but not out of what was released.
func TestPartsOfImports(t *testing.T) {
	s := counted(t)
	rows := []command.NewBeneficiary{}
	for n := range 3 {
		rows = append(rows, command.NewBeneficiary{ID: her(6 + n), Leaf: crypto.Leaf(leaf(17 + n)), Facts: people.Facts{Commune: "33001", State: people.Active, Basis: people.Consent}, Box: []byte("sealed")})
	}
	three := in(0, public.Enrolled, 1)
	three[0].N = 3
	for n := range 2 {
		if n == 1 {
			rows = nil
			three[0].N = 2
		}
		s.do(0, command.BeginImport{Stamp: stamp(0), ID: file(n), Leaf: leaf(15 + n), Box: []byte("sealed")})
		s.do(0, command.ImportRows{Stamp: stamp(0), ID: file(n), Beneficiaries: rows})
		s.do(0, command.CloseImport{Stamp: stamp(0), ID: file(n), Rows: uint32(len(rows))})
		s.do(0, command.CountImport{Stamp: stamp(0), ID: file(n), Counts: append(slices.Clone(three), in(0, public.Joined, 0)...)})
	}
	says := func(want string) {
		t.Helper()
		v, tallies := vectors(t, s.store)
		if got := fmt.Sprint(group(v[t4], public.GroupEnrolled), group(v[t4], public.GroupJoined)); got != want || len(tallies) != 0 {
			t.Errorf("got %s, want %s; %v", got, want, tallies)
		}
	}
	says("[5] [2]")
	s.do(0, command.CloseImport{Stamp: stamp(50 * day), ID: file(0), Undo: true})
	three[0].N = 3
	s.do(0, command.CountImport{Stamp: stamp(50 * day), ID: file(0), Back: true, Counts: append(slices.Clone(three), in(0, public.Joined, 0)...)})
	says("[2] [1]")
}

// TestBegun: what was done before the counting began is in no vector, and the quarter
// in which it began with people known is not whole.
func TestBegun(t *testing.T) {
	s := tell(t) // with people
	s.do(0, done(0, 1, 0, him(0)))
	s.do(0, command.BeginVectors{Stamp: stamp(hour)})
	s.do(0, done(4*hour, 2, 0, him(0)))
	if v, tallies := vectors(t, s.store); len(v)+len(tallies) != 0 {
		t.Errorf("a quarter that is not whole is counted: %v, %v", v, tallies)
	}
	s.do(0, done(45*day, 3, 0, him(0)))
	if v, tallies := vectors(t, s.store); len(v) != 1 || v[t4+1].Cells == nil || len(tallies) != 2 {
		t.Errorf("the first whole quarter: %v, %v", v, tallies)
	}
}

// lawsOfVectors: a quarter's vector is what its tallies say, and what people who are
// erased by now, and imports, have added; and no tally says more than the bounds.
func lawsOfVectors(t *rapid.T, st *store.Store, r records) {
	all, tallies := vectors(t, st)
	sums := map[public.Quarter][]int32{}
	for _, tally := range tallies {
		if r.isGone(tally.ID) {
			t.Fatalf("a tally of somebody who was erased: %+v", tally)
		}
		for _, u := range tally.Uses {
			sum := sums[u.Quarter]
			if sum == nil {
				sum = make([]int32, public.Cells(1))
				sums[u.Quarter] = sum
			}
			add := func(n public.GroupNumber, cell int, by int32) {
				at, g, _ := public.Place(1, n)
				if by > int32(g.Bound) {
					t.Fatalf("%+v is beyond the bound of group %d", tally, n)
				}
				sum[at+cell] += by
			}
			add(public.GroupDone, 0, int32(min(u.Helped, 13)))
			add(public.GroupActions, 0, int32(min(u.Helped, 3)))
			if u.Helped > 0 {
				add(public.GroupHelped, 0, 1)
				add(public.GroupOften, public.OftenOf(uint16(u.Helped)), 1)
			}
			if u.Came > 0 {
				add(public.GroupHelpers, 0, 1)
			}
			add(public.GroupRequests, 0, int32(u.Recorded))
			add(public.GroupRequests, 1, int32(u.Fates))
			add(public.GroupPaired, 0, int32(u.Paired))
			add(public.GroupEnrolled, 0, int32(u.Enrolled))
			add(public.GroupBonds, 0, int32(u.Bonds))
			add(public.GroupHours, 0, int32(u.Minutes/60))
			add(public.GroupJoined, 0, int32(u.Joined))
			add(public.GroupOffered, 0, int32(u.Offered))
			if u.Recorded > 4 || u.Fates > 4 {
				t.Fatalf("%+v is beyond the bound of requests", tally)
			}
		}
	}
	for q, v := range all {
		if !release.Open(q, r.clock) {
			continue // nothing is counted in it any more: its tallies may be gone
		}
		sum := sums[q]
		if sum == nil {
			sum = make([]int32, public.Cells(1))
		}
		at := 0
		for _, g := range public.Catalogue(1) {
			have, want := int32(0), int32(0)
			for i := at; i < at+int(g.Cells); i++ {
				have, want = have+v.Cells[i], want+sum[i]
			}
			exact := len(r.gone) == 0 && g.Number != public.GroupEnrolled && g.Number != public.GroupJoined
			if have < want || exact && have != want {
				t.Fatalf("group %d of %v holds %d, the tallies say %d", g.Number, q, have, want)
			}
			at += int(g.Cells)
		}
	}
}
