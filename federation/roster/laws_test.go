package roster_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"pgregory.net/rapid"
)

// invariants of a state, counted anew from what it shows.
func invariants(s *roster.State) error {
	communes, peers, keys := map[public.Commune]bool{}, map[string]bool{}, map[string]bool{}
	coordinators := 0
	for i, m := range s.Members {
		if i > 0 && s.Members[i-1].Siren >= m.Siren {
			return fmt.Errorf("members are out of order")
		}
		if m.Role == roster.Coordinator {
			coordinators++
		}
		if 2*int(m.Quorum) <= len(m.Replicas) || int(m.Quorum) > len(m.Replicas) {
			return fmt.Errorf("quorum %d of %d", m.Quorum, len(m.Replicas))
		}
		for _, c := range m.Communes {
			if communes[c] {
				return fmt.Errorf("commune %s belongs to two", c)
			}
			communes[c] = true
			if owner, ok := s.ByCommune(c); !ok || owner != m.Siren {
				return fmt.Errorf("commune %s is looked up as %s's", c, owner)
			}
		}
		for j, r := range m.Replicas {
			if peers[r.Peer] || keys[r.Key] {
				return fmt.Errorf("a peer or key of %s is used twice", m.Siren)
			}
			peers[r.Peer], keys[r.Key] = true, true
			if st, ok := s.ByPeer(r.Peer); !ok || st.Siren != m.Siren || st.Replica != j || st.Role != m.Role {
				return fmt.Errorf("peer of %s is looked up as %+v", m.Siren, st)
			}
		}
		for _, n := range m.Neighbours {
			o, ok := s.Member(n)
			if !ok || o.Role != roster.Territory {
				return fmt.Errorf("%s has a neighbour that is no territory", m.Siren)
			}
			if m.Role == roster.Territory && !slices.Contains(o.Neighbours, m.Siren) {
				return fmt.Errorf("%s and %s are not neighbours of each other", m.Siren, n)
			}
		}
		if _, ok := s.Policy(m.Siren, m.Epoch); !ok {
			return fmt.Errorf("%s has no policy", m.Siren)
		}
	}
	if coordinators > 1 {
		return fmt.Errorf("%d coordinators", coordinators)
	}
	for _, h := range s.Hubs {
		if keys[h.Key] {
			return fmt.Errorf("a key of hub %s is used twice", h.Name)
		}
		keys[h.Key] = true
		if st, _ := s.ByPeer(h.Peer); st.Hub != h.Name || st.Role != 0 && st.Role != roster.Coordinator {
			return fmt.Errorf("hub %s is looked up as %+v", h.Name, st)
		}
	}
	return nil
}

// bodies draws changes that often fit and often do not.
func bodies(s *roster.State) *rapid.Generator[roster.Body] {
	return rapid.Custom(func(t *rapid.T) roster.Body {
		number := func(label string, most int) int { return rapid.IntRange(0, most).Draw(t, label) }
		one := func() public.Siren { return siren(number("who", 6)) }
		some := func() (out []public.Commune) {
			for n := range 12 {
				if rapid.IntRange(0, 4).Draw(t, "take") == 0 {
					out = append(out, commune(33000+n))
				}
			}
			return out
		}
		switch number("change", 8) {
		case 0, 1, 2:
			m := member(number("who", 6), some()...)
			if was, ok := s.Member(m.Siren); ok && rapid.Bool().Draw(t, "keeps") {
				m = was
				m.Name, m.Replicas = "CC", slices.Clone(was.Replicas)
			}
			m.Role = rapid.SampledFrom([]roster.Role{1, 1, 1, 1, 2, 3, 4}).Draw(t, "role")
			if m.Role != roster.Territory {
				m.Communes = nil
			}
			m.Epoch = uint16(number("epoch", 3))
			m.StartSize = uint64(rapid.SampledFrom([]int{0, 5}).Draw(t, "start"))
			m.Quorum = uint8(number("quorum", 4))
			m.Simulated = number("simulated", 9) == 0
			if number("double", 5) == 0 {
				m.Replicas[0].Peer = replica(one(), 2).Peer
			}
			if number("double key", 9) == 0 {
				m.Replicas[0] = m.Replicas[1]
			}
			m.Neighbours = nil
			for n := range 7 {
				if rapid.IntRange(0, 3).Draw(t, "near") == 0 {
					m.Neighbours = append(m.Neighbours, siren(n))
				}
			}
			return roster.SetMember{Member: m}
		case 3:
			return roster.RemoveMember{Siren: one(), Last: 5}
		case 4:
			return roster.MoveCommunes{From: one(), To: one(), Communes: some()}
		case 5:
			b := roster.SetHubs{Threshold: uint8(number("threshold", 3))}
			for _, name := range []string{"hub-a.example", "hub-b.example", "hub-c.example"} {
				h := hub(name)
				h.Witness = number("witness", 3) > 0
				if number("operator", 5) == 0 {
					h.Operator = "the same"
				}
				if number("double", 5) == 0 {
					h.Peer = replica(one(), 1).Peer
				}
				b.Hubs = append(b.Hubs, h)
			}
			return b
		case 6:
			return roster.OpenEpoch{Siren: one(), Epoch: uint16(number("epoch", 4)), StartSize: 5}
		case 7:
			return roster.Renew{Expires: today + public.Day(number("days", 900))}
		}
		names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"ana", "bob", "eve", "dan"}), 0, 4, rapid.ID).Draw(t, "holders")
		return roster.SetHolders{Holders: holders(names...), Need: uint8(number("need", 4))}
	})
}

// TestInvariants: whatever is tried, and however often it is signed, no state breaks
// a rule, and what Draft lets pass Apply accepts.
func TestInvariants(t *testing.T) {
	accepted, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		s := founded(t).state
		for range 25 {
			some := rapid.SliceOfN(bodies(s), 1, 2).Draw(t, "changes")
			before := fmt.Sprint(s.Head, s.Members, s.Hubs, s.Closed)
			d, err := s.Draft(today, some...)
			if fmt.Sprint(s.Head, s.Members, s.Hubs, s.Closed) != before {
				t.Fatal("a draft has changed the state")
			}
			if err != nil {
				if !errors.Is(err, roster.ErrInvariant) {
					t.Fatalf("%v", err)
				}
				refused++
				continue
			}
			accepted++
			if lines, err := s.Tell(d); err != nil || len(lines) == 0 {
				t.Fatalf("it is not told: %v", err)
			}
			for _, name := range rapid.Permutation([]string{"ana", "bob", "eve", "dan"}).Draw(t, "order") {
				d.Sign(key(name)) // those who are no holders are refused
			}
			b, err := d.Entry()
			if err != nil {
				t.Fatal(err)
			}
			next, err := s.Apply(b)
			if err != nil {
				t.Fatalf("it was drafted, and is refused: %v", err)
			}
			if fmt.Sprint(s.Head, s.Members, s.Hubs, s.Closed) != before {
				t.Fatal("a state has changed")
			}
			if err := invariants(next); err != nil {
				t.Fatal(err)
			}
			if err := invariants(s); err != nil {
				t.Fatalf("the former state: %v", err)
			}
			s = next
		}
	})
	if accepted < 100 || refused < 100 {
		t.Errorf("%d were accepted and %d refused: this tries too little", accepted, refused)
	}
}

// TestImmutable: readers keep a state while others make the next ones of it.
func TestImmutable(t *testing.T) {
	c := founded(t)
	for n := range 8 {
		c.add(two, roster.SetMember{Member: member(n, commune(33000+10*n), commune(33000+10*n+5))})
	}
	near := func(n int, of ...int) roster.Body {
		m, _ := c.state.Member(siren(n))
		m.Neighbours = nil
		for _, o := range of {
			m.Neighbours = append(m.Neighbours, siren(o))
		}
		return roster.SetMember{Member: m}
	}
	type seen struct {
		state *roster.State
		text  string
	}
	var all []seen
	look := func() { all = append(all, seen{c.state, fmt.Sprint(c.state.Members, c.state.Hubs, c.state.Closed)}) }
	look()
	step := func(bodies ...roster.Body) { c.add(two, bodies...); look() }
	for n := 7; n > 0; n-- { // siren 0 gets one neighbour after the other, each before the others
		step(near(n, 0))
	}
	for n := 1; n < 8; n++ {
		step(roster.MoveCommunes{From: siren(n), To: siren(0), Communes: []public.Commune{commune(33000 + 10*n)}})
		step(roster.MoveCommunes{From: siren(0), To: siren(n), Communes: []public.Commune{commune(33000 + 10*n)}})
	}
	for n := 7; n > 0; n-- {
		step(roster.MoveCommunes{From: siren(n), To: siren(0), Communes: []public.Commune{commune(33000 + 10*n)}})
	}
	step(near(1))
	step(near(2))
	step(roster.RemoveMember{Siren: siren(3), Last: 1})
	step(roster.OpenEpoch{Siren: siren(4), Epoch: 2})
	for i, s := range all {
		if fmt.Sprint(s.state.Members, s.state.Hubs, s.state.Closed) != s.text {
			t.Errorf("state %d has changed since", i)
		}
	}
}

// TestOrderOfSignatures: it does not matter who signs first, nor who passes copies on.
func TestOrderOfSignatures(t *testing.T) {
	s := founded(t).state
	var want []byte
	for _, order := range [][]string{{"ana", "bob"}, {"bob", "ana"}, {"bob", "bob", "ana", "ana"}} {
		d, _ := s.Draft(today, roster.SetMember{Member: member(1, commune(33001))})
		other, err := roster.ParseDraft(d.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Sign(key(order[0])); err != nil {
			t.Fatal(err)
		}
		for _, name := range order[1:] {
			if err := other.Sign(key(name)); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Merge(other); err != nil {
			t.Fatal(err)
		}
		again, err := roster.ParseDraft(append([]byte("Bonjour,\n\n"), d.Encode()...))
		if err != nil {
			t.Fatal(err)
		}
		b, err := again.Entry()
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = b
		}
		if !bytes.Equal(b, want) {
			t.Errorf("signed in order %v it is another entry", order)
		}
	}
}

// TestForgeries: of all that is not exactly the next entry with exactly its
// signatures, nothing is accepted.
func TestForgeries(t *testing.T) {
	c := founded(t)
	for n := range 4 {
		c.add(two, roster.SetMember{Member: member(n, commune(33000+n))})
	}
	stranger := &chain{t: t}
	f := found()
	f.Name = "Entr'aide" // the same holders, another roster
	stranger.add(founders, f, roster.SetHubs{Hubs: c.state.Hubs, Threshold: 2}, roster.SetKinds{Kinds: kinds()})
	for n := range 4 {
		stranger.add(two, roster.SetMember{Member: member(n, commune(33000+n))})
	}
	states := []*roster.State{nil}
	for i := range c.entries {
		s, err := roster.Fold([32]byte{}, c.entries[:i+1])
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, s)
	}
	tries, all := 0, []string{"ana", "bob", "eve", "dan", "zoe"}
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.IntRange(0, len(c.entries)-1).Draw(t, "at")
		s, right := states[at], c.entries[at]
		try := func(what string, b []byte) {
			tries++
			if bytes.Equal(b, right) {
				return
			}
			got, err := s.Apply(b)
			if err == nil {
				t.Fatalf("%s is accepted at %d", what, at)
			}
			if got != nil {
				t.Fatalf("%s leaves a state", what)
			}
			if !slices.ContainsFunc([]error{roster.ErrForm, roster.ErrNewer, roster.ErrOrder, roster.ErrSignature, roster.ErrInvariant}, func(want error) bool { return errors.Is(err, want) }) {
				t.Fatalf("%s: an error without a name: %v", what, err)
			}
		}
		for i, b := range c.entries {
			if i != at {
				try("an entry of another place", b)
			}
		}
		for _, b := range stranger.entries {
			if at > 0 {
				try("an entry of another roster", b)
			}
		}
		flipped := slices.Clone(right)
		bit := rapid.IntRange(0, 8*len(right)-1).Draw(t, "bit")
		flipped[bit/8] ^= 1 << (bit % 8)
		try("a flipped bit", flipped)
		cut := rapid.IntRange(0, len(right)-1).Draw(t, "cut")
		try("a part", right[:cut])
		try("more than the entry", append(slices.Clone(right), byte(cut)))

		e, err := roster.DecodeEntry(right)
		if err != nil {
			t.Fatal(err)
		}
		resigned := func(what string, e roster.Entry, names []string) {
			e.Signatures = nil
			for _, name := range names {
				e.Signatures = append(e.Signatures, roster.Signature{Key: [32]byte(publicKey(name)), Sign: [64]byte(ed25519.Sign(key(name), roster.SignedText(e)))})
			}
			slices.SortFunc(e.Signatures, func(a, b roster.Signature) int { return bytes.Compare(a.Key[:], b.Key[:]) })
			b, err := e.Encode()
			if err != nil {
				t.Fatal(err)
			}
			try(what, b)
		}
		// Too few, strangers, or more than are needed.
		names := rapid.SliceOfNDistinct(rapid.SampledFrom(all), 0, 5, rapid.ID).Draw(t, "signers")
		in := 0
		for _, name := range names {
			if slices.Contains(founders, name) {
				in++
			}
		}
		if right := map[bool]int{true: 3, false: 2}[at == 0]; in != right || len(names) != right {
			resigned(fmt.Sprintf("signed by %v", names), e, names)
		}
		// Well signed, for another place.
		for i, change := range []func(e *roster.Entry){
			func(e *roster.Entry) { e.Seq += uint64(1 + cut) },
			func(e *roster.Entry) { e.Before[cut%32]++ },
			func(e *roster.Entry) { e.Genesis[cut%32]++ },
			func(e *roster.Entry) { e.Day = today - 1 },
		} {
			if at == 0 && i == 3 {
				continue // a genesis may be of any day
			}
			other := e
			change(&other)
			signers := two
			if at == 0 {
				signers = founders
			}
			resigned(fmt.Sprintf("signed for another place (%d)", i), other, signers)
		}
		// A signature of another entry of the same holders.
		if at > 1 {
			other, _ := roster.DecodeEntry(c.entries[at-1])
			other.Bodies, other.Seq, other.Before = e.Bodies, e.Seq, e.Before
			b, _ := other.Encode()
			if len(other.Signatures) == 2 {
				try("signatures of another entry", b)
			}
		}
	})
	if tries < 1000 {
		t.Errorf("only %d tries", tries)
	}
}

func TestOtherGenesis(t *testing.T) {
	c := founded(t)
	if _, err := roster.Fold([32]byte{1}, c.entries); !errors.Is(err, roster.ErrGenesis) {
		t.Errorf("got %v", err)
	}
	if _, err := roster.Fold([32]byte{1}, nil); err == nil {
		t.Error("a roster of nothing")
	}
}

// TestHolders: keys follow each other; each step needs the former and the new ones.
func TestHolders(t *testing.T) {
	c := founded(t)
	refused := func(next roster.SetHolders, signers ...string) {
		t.Helper()
		d, err := c.state.Draft(today, next)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range signers {
			if err := d.Sign(key(name)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := d.Entry(); !errors.Is(err, roster.ErrSignature) {
			t.Errorf("%v may replace the holders: %v", signers, err)
		}
		// Nor does it pass when somebody hands it over all the same.
		e := roster.Entry{Genesis: c.state.Genesis, Seq: c.state.Version, Before: c.state.Head.Root, Day: today, Bodies: []roster.Body{next}}
		for _, name := range signers {
			e.Signatures = append(e.Signatures, roster.Signature{Key: [32]byte(publicKey(name)), Sign: [64]byte(ed25519.Sign(key(name), roster.SignedText(e)))})
		}
		slices.SortFunc(e.Signatures, func(a, b roster.Signature) int { return bytes.Compare(a.Key[:], b.Key[:]) })
		b, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.state.Apply(b); !errors.Is(err, roster.ErrSignature) {
			t.Errorf("signed by %v it is accepted: %v", signers, err)
		}
	}
	// Eve's key is lost.
	next := roster.SetHolders{Holders: holders("ana", "bob", "dan"), Need: 2}
	refused(next, "ana")
	refused(next, "ana", "bob") // dan has not shown that he has his key
	refused(next, "ana", "dan") // one of the former ones
	c.add([]string{"dan", "bob", "ana"}, next)
	if _, err := c.state.Draft(today, roster.Renew{Expires: today + 10}); err != nil {
		t.Fatal(err)
	}
	d, _ := c.state.Draft(today, roster.Renew{Expires: today + 10})
	if err := d.Sign(key("eve")); !errors.Is(err, roster.ErrSignature) {
		t.Errorf("a former holder signs: %v", err)
	}
	// More shall sign from now on: they show that they can.
	refused(roster.SetHolders{Holders: holders("ana", "bob", "dan"), Need: 3}, "ana", "bob")
	// All are replaced in one step, then one alone.
	all := roster.SetHolders{Holders: holders("una", "ulf", "ute", "uwe", "udo"), Need: 3}
	refused(all, "una", "ulf", "ute", "uwe", "udo", "ana")
	refused(all, "una", "ulf", "ute", "uwe", "ana", "bob")
	c.add([]string{"una", "ulf", "ute", "uwe", "udo", "ana", "bob"}, all)
	c.add([]string{"ulf", "ute", "uwe", "zoe"}, roster.SetHolders{Holders: holders("zoe"), Need: 1})
	c.add([]string{"zoe"}, roster.Renew{Expires: today + 10})
	if _, err := roster.Fold(c.state.Genesis, c.entries); err != nil {
		t.Error(err)
	}
}

// TestSurplus: who holds a draft with more signatures than it needs makes the one
// entry that has none too many.
func TestSurplus(t *testing.T) {
	c := founded(t)
	c.add(founders, roster.Renew{Expires: today + 100})
	e, err := roster.DecodeEntry(c.entries[1])
	if err != nil || len(e.Signatures) != 2 {
		t.Fatalf("%d signatures, %v", len(e.Signatures), err)
	}
}

func TestTell(t *testing.T) {
	c := founded(t)
	c.add(two, roster.SetMember{Member: member(1, commune(33001), commune(33002))}, roster.SetMember{Member: member(2)})
	m, _ := c.state.Member(siren(1))
	m.Replicas = []roster.Replica{m.Replicas[0], replica(m.Siren, 4)}
	m.Contact.Phone = "+33556999999"
	d, err := c.state.Draft(today,
		roster.MoveCommunes{From: siren(1), To: siren(2), Communes: []public.Commune{commune(33002)}},
		roster.RemoveMember{Siren: siren(2), Last: 40})
	if err != nil {
		t.Fatal(err)
	}
	lines, err := c.state.Tell(d)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(lines, "\n")
	for _, want := range []string{`Moves commune 33002 from territory ` + siren(1).String(), `Removes territory ` + siren(2).String() + ` "CC n° 2". Of its feed the first 40 entries count. Its machines are refused, and its 1 communes`} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not told in:\n%s", want, got)
		}
	}
	d, err = c.state.Draft(today, roster.SetMember{Member: m})
	if err != nil {
		t.Fatal(err)
	}
	lines, _ = c.state.Tell(d)
	got = strings.Join(lines, "\n")
	for _, want := range []string{"+33556999999", "No longer its machine: peer " + replica(m.Siren, 3).Peer, "A machine of its: peer " + replica(m.Siren, 4).Peer, "2 of its 2 machines"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not told in:\n%s", want, got)
		}
	}
	c.add(two, roster.Renew{Expires: today + 9})
	if _, err := c.state.Tell(d); !errors.Is(err, roster.ErrOrder) {
		t.Errorf("a stale draft is told: %v", err)
	}
}
