package machine_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/egress"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/offer"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/when"
)

// townsfolk are people of whom figures show what they show of others: everything in
// them that says who they are is drawn anew.
type townsfolk struct {
	*peer
	draw *rand.Rand
	// base sets their IDs apart from those of other townsfolk.
	base int
}

func newTownsfolk(t *testing.T, side int) *townsfolk {
	t.Helper()
	s := &townsfolk{peer: newReplica(t, t.TempDir()), draw: rand.New(rand.NewPCG(uint64(side), 1)), base: 50 * side}
	t.Cleanup(func() { s.store.Close() })
	s.do(t, found())
	s.do(t, command.BeginVectors{Stamp: stamp(0)})
	for n := range 3 {
		s.do(t, command.Enrol{Stamp: stamp(0), Counts: in(0, public.Enrolled, n),
			Who: command.NewBeneficiary{ID: her(s.base + n), Leaf: leaf(1 + n), Facts: s.facts(), Box: s.words()}})
		s.do(t, command.Register{Stamp: stamp(0), Counts: in(0, public.Joined, n),
			Who: command.NewVolunteer{ID: him(s.base + n), Leaf: leaf(4 + n), Status: people.Approved, Offer: s.ready(), Box: s.words()}})
	}
	err := s.store.Update(func(tx *store.Tx) error {
		store.Memberships.Put(tx, egress.Membership{Joined: 1})
		store.Feeds.Put(tx, egress.Feed{Epoch: 1})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *townsfolk) do(t *testing.T, c command.Command) {
	t.Helper()
	if reply := s.apply(t, c); reply.Refusal != 0 {
		t.Fatalf("%T: %v", c, reply.Refusal)
	}
}

// words are a sealed box: of any size, for any words.
func (s *townsfolk) words() []byte {
	b := make([]byte, 40+s.draw.IntN(400))
	for i := range b {
		b[i] = byte(s.draw.Uint32())
	}
	return b
}

func (s *townsfolk) commune() string { return fmt.Sprintf("33%03d", 1+s.draw.IntN(500)) }

func (s *townsfolk) facts() people.Facts {
	return people.Facts{Commune: s.commune(), State: people.Active, Basis: people.Consent, Refused: []ident.Volunteer{him(200 + s.draw.IntN(50))}}
}

func (s *townsfolk) ready() people.Readiness {
	return people.Readiness{Commune: s.commune(), RadiusKm: uint8(s.draw.IntN(30)), Car: true, Seats: uint8(1 + s.draw.IntN(4)), PerWeek: uint8(s.draw.IntN(5))}
}

// counts are those of one fact, in the commune where it happened to be.
func (s *townsfolk) counts(at when.At, n int, all ...public.Indicator) (out []command.Count) {
	for _, i := range all {
		c, err := public.ParseCell(in(at, i, n)[0].Cell)
		if err != nil {
			panic(err)
		}
		c.Commune = public.Commune([]byte(s.commune()))
		out = append(out, command.CountOf(c, 1))
	}
	return out
}

// deed is one thing that happens, by what figures show of it.
type deed struct {
	what     int
	at       when.At
	she, he  int
	two      bool
	minutes  uint16
	category int
}

func (s *townsfolk) live(t *testing.T, n int, d deed) {
	t.Helper()
	she, he, id := her(s.base+d.she), him(s.base+d.he), req(0)
	id[12], id[13], id[14] = byte(s.base), byte(n>>8), byte(n)
	wish := request.Wish{Kind: request.OnDay, Day: 20_000 + when.Day(s.draw.IntN(9))}
	switch d.what {
	case 0:
		s.do(t, command.OpenRequest{Stamp: stamp(d.at), ID: id, Beneficiary: she, Type: kindOf(shopping), Wish: wish, Plan: request.Plan{Seats: 1, Minutes: 60}, Box: s.words(), Counts: s.counts(d.at, d.category, public.Requested)})
		s.do(t, command.Drop{Stamp: stamp(d.at), ID: id, Version: 1, Unfilled: d.two, Outcome: request.Outcome{Why: request.ByHer}, Counts: s.counts(d.at, d.category, public.Unfilled)})
	case 1:
		made := trip(0)
		made[12], made[13], made[14] = byte(s.base), byte(n>>8), byte(n)
		s.do(t, command.MakeOffer{Stamp: stamp(d.at), ID: made, Volunteer: he, Box: s.words(), Counts: s.counts(d.at, d.category, public.Offered),
			Trip: offer.Trip{Types: []ident.ActionType{kindOf(shopping)}, Day: wish.Day, Places: uint8(1 + s.draw.IntN(5)), Until: noon + d.at + hour}})
	default:
		they := []ident.Volunteer{he}
		if d.two {
			they = append(they, him(s.base+(d.he+1)%3))
		}
		s.do(t, command.RecordDone{
			Stamp: stamp(d.at), ID: id, Beneficiary: she, Type: kindOf(shopping), Wish: wish, Volunteers: they, Box: s.words(),
			Plan: request.Plan{Seats: uint8(len(they)), Minutes: uint16(30 + s.draw.IntN(60)), Start: noon + d.at - hour}, Outcome: request.Outcome{Minutes: d.minutes},
			Counts: s.counts(d.at, d.category, public.Requested, public.Found, public.Done),
		})
	}
}

// others makes everybody somebody else who counts alike.
func (s *townsfolk) others(t *testing.T, at when.At) {
	t.Helper()
	for n := range 3 {
		r := read(t, s.store)
		b, v := r.beneficiaries[her(s.base+n)], r.volunteers[him(s.base+n)]
		s.do(t, command.ChangeBeneficiary{Stamp: stamp(at), ID: b.ID, Version: b.Version, Facts: s.facts(), Box: s.words()})
		s.do(t, command.ChangeVolunteer{Stamp: stamp(at), ID: v.ID, Version: v.Version, Offer: s.ready(), Box: s.words()})
	}
}

// leaves releases a quarter with the noise of a seed, and is everything that another
// territory could come to see of it: the entry, the hashes above it, what was spent.
func (s *townsfolk) leaves(t *testing.T, at when.At, q public.Quarter, seed uint64) []byte {
	t.Helper()
	vector, _ := vectors(t, s.store)
	if len(vector[q].Cells) == 0 {
		t.Fatalf("nothing was counted in %v, so that this shows nothing", q)
	}
	cells := slices.Clone(vector[q].Cells)
	noise := rand.New(rand.NewPCG(seed, 2))
	for i := range cells {
		if i > 2 { // of people
			cells[i] += noise.Int32N(100) - 50
		}
	}
	var feed egress.Feed
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	last := func(tx *store.Tx) error {
		return store.Feeds.Each(tx, nil, func(f egress.Feed) bool { feed = f; return true })
	}
	must(s.store.View(last))
	receipt, err := feed.Spent.Charge(1, q)
	must(err)
	body, err := receipt.Release(cells)
	must(err)
	entry, err := public.Encode(public.Entry{From: 200044394, Epoch: 1, Seq: feed.Size, Day: public.DayOf((noon + at).Time()), Body: body})
	must(err)
	s.do(t, command.Freeze{Stamp: stamp(at), Entry: entry})
	var out bytes.Buffer
	must(s.store.View(func(tx *store.Tx) error {
		must(last(tx))
		fmt.Fprintf(&out, "%+v\n", feed)
		l, _, err := store.Leaves.Get(tx, egress.Key(1, feed.Size-1))
		must(err)
		fmt.Fprintf(&out, "%x\n", l.Bytes)
		return store.Hashes.Each(tx, egress.Key(1, 2*feed.Size-min(2*feed.Size, 12)), func(h egress.Hash) bool {
			fmt.Fprintf(&out, "%d %x\n", h.Index, h.Hash)
			return true
		})
	}))
	return out.Bytes()
}

// TestAlike: two territories whose figures are the same and whose people are others,
// in everything that is known of them, release the same bytes. A pair is their two
// stores after one more quarter. The noise is fixed: it hides people, and this shows
// that there is nothing to hide beside the figures.
func TestAlike(t *testing.T) {
	pairs, each := 80, 40
	if *long {
		pairs, each = 10_000, 250
	}
	total, differing := 0, 0
	for from := 0; from < pairs; from += each {
		seed := uint64(from)
		t.Run(fmt.Sprint(from), func(t *testing.T) {
			here, there := newTownsfolk(t, 0), newTownsfolk(t, 1)
			plan := rand.New(rand.NewPCG(seed, 3))
			facts := 0
			for n := range each {
				q := t4 + public.Quarter(n)
				// 12 days into the quarter, which begins before noon of the tests by 54 days.
				at := max(0, when.At(q.End().Time().UnixMilli())-noon-70*day)
				for range 1 + plan.IntN(8) {
					at += 2*hour + when.At(plan.IntN(3))*day
					d := deed{what: plan.IntN(5), at: at, she: plan.IntN(3), he: plan.IntN(3), two: plan.IntN(2) == 0, minutes: uint16(plan.IntN(200)), category: plan.IntN(12)}
					here.live(t, facts, d)
					there.live(t, facts, d)
					facts++
				}
				here.others(t, at)
				there.others(t, at)
				end := when.At(q.End().Time().UnixMilli()) - noon + 10*day
				mine, theirs := here.leaves(t, end, q, seed+uint64(n)), there.leaves(t, end, q, seed+uint64(n))
				total += len(mine)
				for i := range min(len(mine), len(theirs)) {
					if mine[i] != theirs[i] {
						differing++
					}
				}
				differing += max(len(mine)-len(theirs), len(theirs)-len(mine))
				if !bytes.Equal(mine, theirs) {
					t.Fatalf("pair %d:\n%s\n%s", from+n, mine, theirs)
				}
			}
			// They are others indeed.
			a, b := walk(t, here.store), walk(t, there.store)
			if d := differ(a, b, nil); d == "" {
				t.Error("both stores are the same, so that this shows nothing")
			}
		})
	}
	t.Logf("%d pairs: %d of %d bytes differ", pairs, differing, total)
}
