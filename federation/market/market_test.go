package market

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"testing"

	"github.com/bippop/bippop/federation/public"
	"pgregory.net/rapid"
)

const (
	reole  public.Siren = 200044394
	rurale public.Siren = 200069599
	third  public.Siren = 243300316
)

// monday is 23 November 2026.
const monday public.Day = 2518

func bytesOf(t fataler, siren public.Siren, epoch uint16, from uint64, day public.Day, bodies ...public.Message) (out [][]byte) {
	t.Helper()
	for i, b := range bodies {
		e, err := public.Encode(public.Entry{From: siren, Epoch: epoch, Seq: from + uint64(i), Day: day, Body: b})
		if errors.Is(err, public.ErrRange) { // of an entry that comes only later: nobody can say that
			e, err = public.Encode(public.Entry{From: siren, Epoch: epoch, Seq: from + uint64(i), Day: day, Body: public.Presence{}})
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

type fataler interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func ref(siren public.Siren, seq uint64) public.Ref {
	return public.Ref{From: siren, Epoch: 1, Seq: seq}
}

func shopping(slots uint8) public.Offer {
	return public.Offer{Category: public.Shopping, From: monday, Weeks: 4, Slots: slots, Radius: public.Near, Languages: public.French}
}

func interest(offer public.Ref, slots uint8) public.Interest {
	return public.Interest{Offer: offer, Slots: slots}
}

// both folds two feeds: of la Réole, which offers, and of its neighbour, which
// asks.
func both(t *testing.T, offering, asking []public.Message) *Market {
	t.Helper()
	m := &Market{}
	if err := errors.Join(m.Take(reole, 1, 0, bytesOf(t, reole, 1, 0, monday, offering...)), m.Take(rurale, 1, 0, bytesOf(t, rurale, 1, 0, monday, asking...))); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestLife plays each way in which an interest can end.
func TestLife(t *testing.T) {
	i := ref(rurale, 0)
	ask := interest(ref(reole, 0), 1)
	for _, c := range []struct {
		name             string
		offering, asking []public.Message
		state            State
		left             int
		ignored          []Ignored
	}{
		{"nobody has answered", []public.Message{shopping(2)}, []public.Message{ask}, Open, 2, nil},
		{"declined", []public.Message{shopping(2), public.Decline{Interest: i, Why: public.NotThen}}, []public.Message{ask}, Declined, 2, nil},
		{"accepted", []public.Message{shopping(2), public.Accept{Interest: i}}, []public.Message{ask}, Accepted, 1, nil},
		{"acknowledged", []public.Message{shopping(2), public.Accept{Interest: i}}, []public.Message{ask, public.Ack{Interest: 0}}, Acked, 1, nil},
		{"it happened", []public.Message{shopping(2), public.Accept{Interest: i}}, []public.Message{ask, public.Ack{Interest: 0}, public.Close{Interest: i, Outcome: public.Happened}}, Closed, 1, nil},
		{"closed by the offering side", []public.Message{shopping(2), public.Accept{Interest: i}, public.Close{Interest: i, Outcome: public.NoMatch}}, []public.Message{ask}, Closed, 1, nil},
		{"lapsed", []public.Message{shopping(2), public.Accept{Interest: i}, public.Lapse{Interest: i}}, []public.Message{ask}, Lapsed, 2, nil},
		{"lapsed while the acknowledgement was under way", []public.Message{shopping(2), public.Accept{Interest: i}, public.Lapse{Interest: i}}, []public.Message{ask, public.Ack{Interest: 0}}, Lapsed, 2, nil},
		{"renounced", []public.Message{shopping(2)}, []public.Message{ask, public.Renounce{Interest: 0}}, Renounced, 2, nil},
		{"renounced after the acceptance: the slot is the offering side's to free", []public.Message{shopping(2), public.Accept{Interest: i}}, []public.Message{ask, public.Renounce{Interest: 0}}, Renounced, 1, nil},
		{"retracted", []public.Message{shopping(2)}, []public.Message{ask, public.Retract{Seq: 0}}, Renounced, 2, nil},
		{"the offer was withdrawn", []public.Message{shopping(2), public.Withdraw{Offer: 0}}, []public.Message{ask}, Gone, 2, nil},
		{"withdrawn beats what was not accepted", []public.Message{shopping(2), public.Withdraw{Offer: 0}, public.Accept{Interest: i}}, []public.Message{ask}, Gone, 2, []Ignored{{ref(reole, 2), Over}}},
		{"withdrawn after the acceptance", []public.Message{shopping(2), public.Accept{Interest: i}, public.Withdraw{Offer: 0}}, []public.Message{ask, public.Ack{Interest: 0}}, Cancelled, 1, nil},
		{"an acknowledgement of nothing", []public.Message{shopping(2)}, []public.Message{ask, public.Ack{Interest: 0}}, Open, 2, []Ignored{{ref(rurale, 1), NotAccepted}}},
		{"closed before it was acknowledged", []public.Message{shopping(2), public.Accept{Interest: i}}, []public.Message{ask, public.Close{Interest: i, Outcome: public.Happened}}, Accepted, 1, []Ignored{{ref(rurale, 1), NotAccepted}}},
		{"accepted twice", []public.Message{shopping(2), public.Accept{Interest: i}, public.Accept{Interest: i}}, []public.Message{ask}, Accepted, 1, []Ignored{{ref(reole, 2), Twice}}},
		{"declined, then accepted", []public.Message{shopping(2), public.Decline{Interest: i, Why: public.Taken}, public.Accept{Interest: i}}, []public.Message{ask}, Declined, 2, []Ignored{{ref(reole, 2), Twice}}},
		{"lapsed twice frees once", []public.Message{shopping(2), public.Accept{Interest: i}, public.Lapse{Interest: i}, public.Lapse{Interest: i}}, []public.Message{ask}, Lapsed, 2, []Ignored{{ref(reole, 3), Twice}}},
		{"accepted before the offer was made", []public.Message{public.Accept{Interest: i}, shopping(2)}, []public.Message{interest(ref(reole, 1), 1)}, Open, 2, []Ignored{{ref(reole, 0), Unknown}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := both(t, c.offering, c.asking)
			got, ok := m.Match(i)
			if !ok || got.State != c.state {
				t.Errorf("the match stands at %d (known: %v), want %d", got.State, ok, c.state)
			}
			if o, _ := m.Offer(got.Offer); o.Left() != c.left {
				t.Errorf("%d slots are left, want %d", o.Left(), c.left)
			}
			if ignored := m.Ignored(); !slices.Equal(ignored, c.ignored) {
				t.Errorf("ignored %v, want %v", ignored, c.ignored)
			}
		})
	}
}

// TestSlots: who comes when nothing is left is not met, whatever the offering side
// has said, until something is free again.
func TestSlots(t *testing.T) {
	first, second := ref(rurale, 0), ref(rurale, 1)
	m := both(t,
		[]public.Message{shopping(3), public.Accept{Interest: first}, public.Accept{Interest: second}, public.Lapse{Interest: first}, public.Accept{Interest: second}},
		[]public.Message{interest(ref(reole, 0), 2), interest(ref(reole, 0), 2), interest(ref(reole, 0), 4)})
	if x, _ := m.Match(second); x.State != Accepted || x.Answer != ref(reole, 4) {
		t.Errorf("the second one: %+v", x)
	}
	want := []Ignored{{ref(reole, 2), Full}, {ref(rurale, 2), Beyond}}
	if got := m.Ignored(); !slices.Equal(got, want) {
		t.Errorf("ignored %v, want %v", got, want)
	}
}

// TestOnlyTheOwner: nobody decides about another one's offer or interest.
func TestOnlyTheOwner(t *testing.T) {
	i := ref(rurale, 0)
	m := both(t, []public.Message{shopping(2)}, []public.Message{interest(ref(reole, 0), 1)})
	meddling := []public.Message{public.Accept{Interest: i}, public.Decline{Interest: i, Why: public.Taken}, public.Withdraw{Offer: 0}, public.Renounce{Interest: 0}, public.Ack{Interest: 0}, public.Close{Interest: i, Outcome: public.NoMatch}}
	if err := m.Take(third, 1, 0, bytesOf(t, third, 1, 0, monday, meddling...)); err != nil {
		t.Fatal(err)
	}
	if x, _ := m.Match(i); x.State != Open {
		t.Errorf("a third territory moved it to %d", x.State)
	}
	if got := m.Ignored(); len(got) != len(meddling) {
		t.Errorf("%d of %d meddling entries are listed: %v", len(got), len(meddling), got)
	}
	if own := both(t, []public.Message{shopping(2), interest(ref(reole, 0), 1)}, nil); len(own.Interests(reole)) != 0 {
		t.Error("a territory asks itself")
	}
}

// TestLists: a neighbour sees what it can ask for, and the offering side who asks.
func TestLists(t *testing.T) {
	m := both(t, []public.Message{shopping(2)}, []public.Message{interest(ref(reole, 0), 1)})
	if got := m.Offers(rurale, monday+27); len(got) != 1 || got[0].Name != ref(reole, 0) {
		t.Errorf("on its last day the neighbour sees %v", got)
	}
	if got := m.Offers(rurale, monday+28); len(got) != 0 {
		t.Errorf("when it is over the neighbour sees %v", got)
	}
	if got := m.Offers(reole, monday); len(got) != 0 {
		t.Errorf("its own offers as a neighbour's: %v", got)
	}
	if got := m.Interests(reole); len(got) != 1 || got[0].Name.From != rurale {
		t.Errorf("who asks: %v", got)
	}
	if got := m.Matches(reole); len(got) != 0 {
		t.Errorf("nothing was accepted, and there are matches: %v", got)
	}
	m.Take(reole, 1, 1, bytesOf(t, reole, 1, 1, monday, public.Accept{Interest: ref(rurale, 0)}))
	if a, b := m.Matches(reole), m.Matches(rurale); len(a) != 1 || len(b) != 1 || len(m.Interests(reole)) != 0 {
		t.Errorf("both sides see the match: %v, %v", a, b)
	}
}

// TestTake: entries come once each, in order, in their own form and place.
func TestTake(t *testing.T) {
	m := &Market{}
	all := bytesOf(t, reole, 1, 0, monday, shopping(1), public.Presence{}, shopping(2))
	if err := m.Take(reole, 1, 1, all[1:]); !errors.Is(err, ErrGap) {
		t.Errorf("a gap: %v", err)
	}
	for _, from := range []int{0, 0, 2, 1} {
		if err := m.Take(reole, 1, uint64(from), all[from:]); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(m.Offers(rurale, monday)); n != 2 || m.Size(reole, 1) != 3 {
		t.Errorf("%d offers of %d entries", n, m.Size(reole, 1))
	}
	stranger := [][]byte{all[0], []byte("no entry"), bytesOf(t, rurale, 1, 5, monday, shopping(1))[0]}
	if err := m.Take(reole, 1, 3, stranger); err != nil {
		t.Fatal(err)
	}
	want := []Ignored{{ref(reole, 3), Misplaced}, {ref(reole, 4), Misplaced}, {ref(reole, 5), Misplaced}}
	if got := m.Ignored(); !slices.Equal(got, want) || len(m.Offers(rurale, monday)) != 2 {
		t.Errorf("ignored %v", got)
	}
}

// feeds draws what three territories might say, mostly to each other, not always
// what they may.
func feeds() *rapid.Generator[map[place][][]byte] {
	return rapid.Custom(func(t *rapid.T) map[place][][]byte {
		sirens := []public.Siren{reole, rurale, third}
		// A few common shapes, so that entries meet: the first entry of everybody is an
		// offer, the next ones are mostly interests and answers.
		name := func(least, most int) public.Ref {
			return public.Ref{From: rapid.SampledFrom(sirens).Draw(t, "of"), Epoch: uint16(1 + rapid.IntRange(0, 5).Draw(t, "epoch")/5), Seq: uint64(rapid.IntRange(least, most).Draw(t, "seq"))}
		}
		// Now and then two of them meet from beginning to end, before all else.
		life := map[place][]public.Message{}
		if rapid.IntRange(0, 3).Draw(t, "whole") == 0 {
			life[place{reole, 1}] = []public.Message{shopping(3), shopping(1), public.Accept{Interest: ref(rurale, 2)}, public.Close{Interest: ref(rurale, 2), Outcome: public.Happened}}
			life[place{rurale, 1}] = []public.Message{shopping(1), shopping(1), public.Interest{Offer: ref(reole, 0), Slots: 1}, public.Ack{Interest: 2}, public.Close{Interest: ref(rurale, 2), Outcome: public.Happened}}
		}
		out := map[place][][]byte{}
		for _, siren := range sirens {
			for epoch := uint16(1); epoch <= 2; epoch++ {
				bodies := life[place{siren, epoch}]
				for i := range rapid.IntRange(0, 16).Draw(t, "entries") {
					n, kind := uint64(rapid.IntRange(2, 4).Draw(t, "own")), rapid.IntRange(0, 13).Draw(t, "kind")
					if plausible := rapid.IntRange(0, 9).Draw(t, "plausible") > 0; plausible && i < 2 {
						kind = 0
					} else if plausible && i < 5 {
						kind = 1
					}
					switch kind {
					case 0:
						bodies = append(bodies, shopping(uint8(rapid.IntRange(1, 4).Draw(t, "slots"))))
					case 1:
						bodies = append(bodies, public.Interest{Offer: name(0, 1), Slots: uint8(rapid.IntRange(1, 3).Draw(t, "wanted")), Week: uint8(rapid.IntRange(0, 4).Draw(t, "week"))})
					case 2, 3, 4, 5:
						bodies = append(bodies, public.Accept{Interest: name(2, 4)})
					case 6:
						bodies = append(bodies, public.Decline{Interest: name(2, 4), Why: public.Taken})
					case 7:
						bodies = append(bodies, public.Lapse{Interest: name(2, 4)})
					case 8:
						bodies = append(bodies, public.Renounce{Interest: n})
					case 9, 10:
						bodies = append(bodies, public.Ack{Interest: n})
					case 11:
						bodies = append(bodies, public.Close{Interest: name(2, 4), Outcome: public.Happened})
					case 12:
						bodies = append(bodies, public.Withdraw{Offer: uint64(rapid.IntRange(0, 1).Draw(t, "which"))})
					case 13:
						bodies = append(bodies, public.Retract{Seq: uint64(rapid.IntRange(0, 7).Draw(t, "wrong"))})
					}
				}
				out[place{siren, epoch}] = bytesOf(t, siren, epoch, 0, monday+public.Day(rapid.IntRange(0, 30).Draw(t, "day")), bodies...)
			}
		}
		return out
	})
}

// deliver hands feeds over in pieces, in any order between feeds, some twice.
func deliver(t *rapid.T, all map[place][][]byte, label string, look func(*Market)) *Market {
	m := &Market{}
	var open []place
	for _, siren := range []public.Siren{reole, rurale, third} {
		open = append(open, place{siren, 1}, place{siren, 2})
	}
	for len(open) > 0 {
		i := rapid.IntRange(0, len(open)-1).Draw(t, label)
		at := open[i]
		size := m.Size(at.siren, at.epoch)
		from := rapid.IntRange(0, int(size)).Draw(t, label+" from")
		to := rapid.IntRange(int(size), len(all[at])).Draw(t, label+" to")
		if err := m.Take(at.siren, at.epoch, uint64(from), all[at][from:to]); err != nil {
			t.Fatal(err)
		}
		look(m)
		if to == len(all[at]) {
			open = slices.Delete(open, i, i+1)
		}
	}
	return m
}

func dump(m *Market) string {
	s := m.folded()
	out := ""
	for _, name := range s.offerNames() {
		out += fmt.Sprintf("%+v\n", *s.offers[name])
	}
	for _, name := range s.matchNames() {
		out += fmt.Sprintf("%+v\n", *s.matches[name])
	}
	return out + fmt.Sprint(m.Ignored(), m.Matches(reole), m.Interests(reole), m.Offers(rurale, monday))
}

// TestAnyOrder: the same entries give the same state, however feeds arrive; and at
// every moment on the way no offer has given more than it had, and no entry both
// counts and is ignored.
func TestAnyOrder(t *testing.T) {
	flag.Set("rapid.nofailfile", "true")
	flag.Set("rapid.checks", "300")
	if *long {
		flag.Set("rapid.checks", "20000")
	}
	met, acked, closed := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		all := feeds().Draw(t, "feeds")
		look := func(m *Market) {
			s := m.folded()
			taken := map[public.Ref]int{}
			for _, x := range s.matches {
				if x.accepted && !x.lapsed {
					taken[x.Offer] += int(x.Slots)
				}
				if x.accepted && (x.Answer.From != x.Offer.From || !x.counts) {
					t.Fatalf("%+v was accepted by %d", x.Match, x.Answer.From)
				}
			}
			for name, o := range s.offers {
				if int(o.Taken) != taken[name] || o.Taken > o.Slots {
					t.Fatalf("%d of %d slots of %v are taken, by the matches %d", o.Taken, o.Slots, name, taken[name])
				}
			}
			for i := 1; i < len(s.ignored); i++ {
				if s.ignored[i-1].Name == s.ignored[i].Name {
					t.Fatalf("%v is ignored twice", s.ignored[i])
				}
			}
		}
		a, b := deliver(t, all, "one", look), deliver(t, all, "other", look)
		if a, b := dump(a), dump(b); a != b {
			t.Fatalf("one order:\n%s\nanother:\n%s", a, b)
		}
		for _, x := range a.folded().matches {
			if x.accepted {
				met++
			}
			if x.acked {
				acked++
			}
			if x.State == Closed {
				closed++
			}
		}
	})
	if met == 0 || acked == 0 || closed == 0 {
		t.Errorf("the feeds are too poor: %d accepted, %d acknowledged, %d closed", met, acked, closed)
	}
}
