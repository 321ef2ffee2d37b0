package roster_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
)

// each has one change of each kind, in the order of their numbers.
func each() []roster.Body {
	m := member(2, commune(33003))
	m.Neighbours = []public.Siren{siren(1)}
	return []roster.Body{
		found(),
		roster.SetHolders{Holders: holders("ana", "dan"), Need: 2},
		roster.SetMember{Member: m},
		roster.RemoveMember{Siren: siren(2), Last: 300},
		roster.MoveCommunes{From: siren(1), To: siren(2), Communes: []public.Commune{public.Commune([]byte("2A004")), commune(33001)}},
		roster.SetHubs{Hubs: []roster.Hub{hub("hub-a.example")}, Threshold: 1},
		roster.SetKinds{Kinds: []public.Schema{{Kind: public.KindPresence, Version: 1, Digest: [32]byte{4, 5}}}},
		roster.Renew{Expires: today + 365},
		roster.OpenEpoch{Siren: siren(2), Epoch: 2, StartSize: 7, StartRoot: [32]byte{1, 2, 3}},
	}
}

func application(t testing.TB) roster.Application {
	m := member(3, commune(33004), commune(33005))
	m.Epoch = 0
	a, err := roster.NewApplication([32]byte{7}, today, m)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		if err := a.Sign(key(fmt.Sprintf("bippop/%s/%d", m.Siren, n+1))); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// TestGolden: these bytes are in rosters, and signed. They never change.
func TestGolden(t *testing.T) {
	var got strings.Builder
	for i, b := range each() {
		e := roster.Entry{Genesis: [32]byte{1}, Seq: 1, Before: [32]byte{2}, Day: today, Bodies: []roster.Body{b}}
		if i == 0 {
			e.Genesis, e.Seq = [32]byte{}, 0
		}
		text, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&got, "%T\n%x\n", b, text)
		if _, err := roster.DecodeEntry(text); err != nil {
			t.Errorf("%T: %v", b, err)
		}
	}
	c := &chain{t: t}
	c.add(founders, found(), each()[6], roster.SetHubs{Hubs: []roster.Hub{hub("hub-a.example"), hub("hub-b.example")}, Threshold: 2})
	fmt.Fprintf(&got, "genesis, signed\n%x\n%x\nsigned text\n", c.entries[0], c.state.Genesis)
	e, _ := roster.DecodeEntry(c.entries[0])
	fmt.Fprintf(&got, "%x\ninvitation\n%s\n", roster.SignedText(e), c.state.Invite(siren(3)))
	a, err := application(t).Encode()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&got, "application\n%x\n", a)
	const file = "testdata/golden.txt"
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Error("bytes that are signed have changed; with -update the difference can be looked at")
	}
}

// TestOneForm: what says the same in other bytes is refused, so that nobody makes
// another leaf of an entry.
func TestOneForm(t *testing.T) {
	right, err := roster.Entry{Genesis: [32]byte{1}, Seq: 1, Before: [32]byte{2}, Day: today, Bodies: []roster.Body{roster.Renew{Expires: today + 1}}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := roster.DecodeEntry(right); err != nil {
		t.Fatal(err)
	}
	text := hex.EncodeToString(right)
	zero := strings.Repeat("00", 31)
	for what, change := range map[string][2]string{
		"a number in more bytes":     {"1909c4", "1a000009c4"},
		"a length in more bytes":     {"870158", "98070158"},
		"nothing instead of none":    {"80", "f6"},
		"a list without length":      {"8701", "9f01"},
		"a shorter digest":           {"582001" + zero, "581f01" + zero[2:]},
		"a longer digest":            {"582001" + zero, "582101" + zero + "00"},
		"a tag":                      {"1909c4", "c11909c4"},
		"more after it":              {"80", "8000"},
		"a field more in a change":   {"82088119", "8208821900"},
		"a float for a number":       {"1909c4", "f968e2"},
		"an unknown change":          {"8208", "8218c8"},
		"another version":            {"8701", "8702"},
		"a change that is not there": {text[len(text)-16:], "80" + "80"},
	} {
		at := strings.LastIndex(text, change[0])
		if change[0] == "8701" || change[0] == "870158" || change[0] == "1909c4" {
			at = strings.Index(text, change[0])
		}
		if at < 0 {
			t.Fatalf("%s: not found in %s", what, text)
		}
		wrong, err := hex.DecodeString(text[:at] + change[1] + text[at+len(change[0]):])
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if _, err := roster.DecodeEntry(wrong); !errors.Is(err, roster.ErrForm) && !errors.Is(err, roster.ErrNewer) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestMembers: what a member may not be.
func TestMembers(t *testing.T) {
	c := founded(t)
	c.add(two, roster.SetMember{Member: member(1, commune(33001))})
	for what, change := range map[string]func(m *roster.Member){
		"no SIREN":               func(m *roster.Member) { m.Siren++ },
		"no role":                func(m *roster.Member) { m.Role = 0 },
		"no name":                func(m *roster.Member) { m.Name = "" },
		"a long name":            func(m *roster.Member) { m.Name = strings.Repeat("é", 61) },
		"two lines":              func(m *roster.Member) { m.Name = "CC\nRemoves nobody." },
		"a line separator":       func(m *roster.Member) { m.Name = "CC\u2028x" },
		"text that turns around": func(m *roster.Member) { m.Name = "CC \u202eeloR" },
		"no UTF-8":               func(m *roster.Member) { m.Name = "\xff" },
		"no département":         func(m *roster.Member) { m.Departement = "3" },
		"no contact":             func(m *roster.Member) { m.Contact = roster.Contact{} },
		"a contact by nothing":   func(m *roster.Member) { m.Contact = roster.Contact{Name: "CCAS"} },
		"no address":             func(m *roster.Member) { m.Contact.Email = "CCAS <a@b.fr>" },
		"no number":              func(m *roster.Member) { m.Contact.Phone = "0556000000" },
		"another's commune":      func(m *roster.Member) { m.Communes = []public.Commune{commune(33001)} },
		"communes out of order":  func(m *roster.Member) { m.Communes = []public.Commune{commune(33003), commune(33002)} },
		"no commune":             func(m *roster.Member) { m.Communes = []public.Commune{{'3', '3', 'x', '0', '1'}} },
		"no replica":             func(m *roster.Member) { m.Replicas = nil },
		"a minority":             func(m *roster.Member) { m.Quorum = 1 },
		"more than all":          func(m *roster.Member) { m.Quorum = 4 },
		"no peer":                func(m *roster.Member) { m.Replicas[0].Peer = "12D3KooW" },
		"a peer of another kind": func(m *roster.Member) { m.Replicas[0].Peer = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N" },
		"another's peer":         func(m *roster.Member) { m.Replicas[0].Peer = replica(siren(1), 1).Peer },
		"a hub's peer":           func(m *roster.Member) { m.Replicas[0].Peer = hub("hub-a.example").Peer },
		"another's key":          func(m *roster.Member) { m.Replicas[0].Key = replica(siren(1), 1).Key },
		"a mistyped key":         func(m *roster.Member) { m.Replicas[0].Key = strings.Replace(m.Replicas[0].Key, "A", "B", 1) },
		"one peer twice":         func(m *roster.Member) { m.Replicas[0].Peer = m.Replicas[1].Peer },
		"one key twice":          func(m *roster.Member) { m.Replicas[0].Key = m.Replicas[1].Key },
		"a later epoch":          func(m *roster.Member) { m.Epoch = 2 },
		"no epoch":               func(m *roster.Member) { m.Epoch = 0 },
		"a start":                func(m *roster.Member) { m.StartSize = 1 },
		"itself near":            func(m *roster.Member) { m.Neighbours = []public.Siren{m.Siren} },
		"a stranger near":        func(m *roster.Member) { m.Neighbours = []public.Siren{siren(9)} },
		"simulated":              func(m *roster.Member) { m.Simulated = true },
		"observer with communes": func(m *roster.Member) { m.Role = roster.Observer },
	} {
		m := member(2, commune(33002))
		change(&m)
		if _, err := c.state.Draft(today, roster.SetMember{Member: m}); !errors.Is(err, roster.ErrInvariant) && !errors.Is(err, roster.ErrForm) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := c.state.Draft(today, roster.SetMember{Member: member(2, commune(33002))}); err != nil {
		t.Errorf("a right one: %v", err)
	}
}

// TestHubs: outside a demo witnesses are several and independent.
func TestHubs(t *testing.T) {
	c := founded(t)
	coordinator := member(8)
	coordinator.Role, coordinator.Name = roster.Coordinator, "National coordination"
	c.add(two, roster.SetMember{Member: coordinator})
	three := func() []roster.Hub {
		return []roster.Hub{hub("hub-a.example"), hub("hub-b.example"), hub("hub-c.example")}
	}
	for what, change := range map[string]func(h []roster.Hub, b *roster.SetHubs){
		"one is enough":  func(h []roster.Hub, b *roster.SetHubs) { b.Hubs, b.Threshold = h[:1], 1 },
		"half is enough": func(h []roster.Hub, b *roster.SetHubs) { b.Hubs = append(h, hub("hub-d.example")) },
		"none witnesses": func(h []roster.Hub, b *roster.SetHubs) {
			h[0].Witness, h[1].Witness, h[2].Witness, b.Threshold = false, false, false, 0
		},
		"one operator":                 func(h []roster.Hub, b *roster.SetHubs) { h[1].Operator = h[0].Operator },
		"the coordinator witnesses":    func(h []roster.Hub, b *roster.SetHubs) { h[0].Peer = coordinator.Replicas[0].Peer },
		"the coordinator operates one": func(h []roster.Hub, b *roster.SetHubs) { h[0].Operator = coordinator.Name },
		"one peer twice":               func(h []roster.Hub, b *roster.SetHubs) { h[0].Peer = h[1].Peer },
		"one key twice":                func(h []roster.Hub, b *roster.SetHubs) { h[0].Name, h[0].Key = h[1].Name, h[1].Key },
		"a replica's key":              func(h []roster.Hub, b *roster.SetHubs) { h[0].Key = coordinator.Replicas[0].Key },
		"a key of another name":        func(h []roster.Hub, b *roster.SetHubs) { h[0].Key = hub("hub-d.example").Key },
		"no address":                   func(h []roster.Hub, b *roster.SetHubs) { h[0].Addresses = nil },
		"seven addresses":              func(h []roster.Hub, b *roster.SetHubs) { h[0].Addresses = slices.Repeat(h[0].Addresses[:1], 7) },
		"a web address":                func(h []roster.Hub, b *roster.SetHubs) { h[0].Addresses = []string{"https://hub.example"} },
	} {
		b := roster.SetHubs{Threshold: 2}
		h := three()
		b.Hubs = h
		change(h, &b)
		if _, err := c.state.Draft(today, b); !errors.Is(err, roster.ErrInvariant) {
			t.Errorf("%s: %v", what, err)
		}
	}
	// A demo's one witness may stand on the coordinator's machine.
	f := found()
	f.Demo = true
	d := &chain{t: t}
	h := hub("hub-a.example")
	h.Peer = coordinator.Replicas[0].Peer
	m := member(1)
	m.Simulated, m.Contact = true, roster.Contact{}
	d.add(founders, f, roster.SetMember{Member: coordinator}, roster.SetHubs{Hubs: []roster.Hub{h}, Threshold: 1}, roster.SetMember{Member: m})
	if st, _ := d.state.ByPeer(h.Peer); st != (roster.Standing{Siren: coordinator.Siren, Role: roster.Coordinator, Hub: h.Name}) {
		t.Errorf("standing: got %+v", st)
	}
	// Without witnesses nothing settles.
	n := &chain{t: t}
	n.add(founders, found(), roster.SetMember{Member: coordinator})
	if p, _ := n.state.Policy(coordinator.Siren, 1); p.Threshold < 1 {
		t.Errorf("without witnesses %d are enough", p.Threshold)
	}
}

// TestKeys: what a feed's signers call their keys, the roster takes, and the policy
// that it gives accepts what they sign.
func TestKeys(t *testing.T) {
	m, hubs := member(1), []roster.Hub{hub("hub-a.example"), hub("hub-b.example")}
	var signers []feed.Signer
	for i := range m.Replicas {
		s := feed.NewReplicaSigner(fmt.Sprintf("bippop/%s/%d", m.Siren, i), [32]byte{byte(i), 1})
		m.Replicas[i].Key, signers = s.Key(), append(signers, s)
	}
	for i := range hubs {
		s := feed.NewWitnessSigner(hubs[i].Name, [32]byte{byte(i), 2})
		hubs[i].Key, signers = s.Key(), append(signers, s)
	}
	c := &chain{t: t}
	c.add(founders, found(), roster.SetHubs{Hubs: hubs, Threshold: 2}, roster.SetMember{Member: m})
	p, _ := c.state.Policy(m.Siren, 1)
	sign := func(origin string, head feed.Head, by ...int) feed.Checkpoint {
		out := feed.Checkpoint{Origin: origin, Head: head}
		for _, i := range by {
			next, err := signers[i].Sign(out, today.Time())
			if err != nil {
				t.Fatal(err)
			}
			out = next
		}
		return out
	}
	head := feed.EmptyHead()
	if err := p.Settled(sign(p.Origin, head, 0, 2, 3, 4)); err != nil {
		t.Error(err)
	}
	if err := p.Settled(sign(p.Origin, head, 1, 3, 4)); !errors.Is(err, feed.ErrQuorum) {
		t.Errorf("one replica: %v", err)
	}
	if err := p.Settled(sign(p.Origin, head, 0, 1, 2, 3)); !errors.Is(err, feed.ErrWitness) {
		t.Errorf("one witness: %v", err)
	}
	if got := c.state.Freshness().Cosignatures(sign(c.state.Origin(), c.state.Head, 4)); len(got) != 1 || !got[0].At.Equal(today.Time()) {
		t.Errorf("fresh: %v", got)
	}
	c.add(two, roster.RemoveMember{Siren: m.Siren, Last: 0})
	if p, _, ok := c.state.Ended(m.Siren, 1); !ok || p.Settled(sign(p.Origin, head, 0, 2, 3, 4)) != nil {
		t.Error("what it signed before is verified no more")
	}
}

func TestReaders(t *testing.T) {
	c := founded(t)
	coordinator, observer := member(8), member(9)
	coordinator.Role, observer.Role, observer.Neighbours = roster.Coordinator, roster.Observer, []public.Siren{siren(1)}
	near := member(2)
	near.Neighbours = []public.Siren{siren(1)}
	c.add(two, roster.SetMember{Member: coordinator}, roster.SetMember{Member: member(1)}, roster.SetMember{Member: near}, roster.SetMember{Member: member(3)}, roster.SetMember{Member: observer})
	var got strings.Builder
	for _, of := range []int{1, 2, 3, 8, 9, 7} {
		for _, reader := range []int{1, 2, 3, 8, 9, 7} {
			if c.state.MayRead(siren(reader), siren(of)) {
				fmt.Fprintf(&got, " %d", reader)
			}
		}
		fmt.Fprint(&got, ";")
	}
	if want := " 1 2 8 9; 1 2 8; 3 8; 1 2 3 8 9; 8 9;;"; got.String() != want {
		t.Errorf("got %q, want %q", got.String(), want)
	}
	c.add(two, roster.RemoveMember{Siren: siren(1), Last: 3})
	if !c.state.MayRead(siren(8), siren(1)) || c.state.MayRead(siren(2), siren(1)) || c.state.MayRead(siren(1), siren(8)) {
		t.Error("a former member's feed is the coordinator's alone")
	}
}

func TestInvitation(t *testing.T) {
	c := founded(t)
	text := c.state.Invite(siren(3)).String()
	got, err := roster.ParseInvitation("  " + text[:40] + "\r\n" + text[40:] + "\n")
	if err != nil || got.Genesis != c.state.Genesis || got.Siren != siren(3) || len(got.Hubs) != 3 || got.String() != text {
		t.Errorf("got %+v, %v", got, err)
	}
	for at := range text {
		wrong := []byte(text)
		wrong[at] = 'A' + (wrong[at]+7)%26
		if wrong[at] == text[at] {
			continue
		}
		if _, err := roster.ParseInvitation(string(wrong)); !errors.Is(err, roster.ErrForm) {
			t.Fatalf("mistyped at %d: %v", at, err)
		}
	}
}

func TestApplication(t *testing.T) {
	a := application(t)
	text, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := roster.ParseApplication(append([]byte("Bonjour,\nvoici.\n"), bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))...))
	if err != nil || got.Member.Name != a.Member.Name {
		t.Errorf("got %+v, %v", got, err)
	}
	m := a.Member
	m.Replicas = slices.Clone(m.Replicas)
	m.Replicas[1] = replica(m.Siren, 7)
	other, _ := roster.NewApplication(a.Genesis, today, m)
	if err := other.Sign(key(fmt.Sprintf("bippop/%s/2", m.Siren))); !errors.Is(err, roster.ErrSignature) {
		t.Errorf("a foreign key signs: %v", err)
	}
	other.Sign(key(fmt.Sprintf("bippop/%s/1", m.Siren)))
	other.Sign(key(fmt.Sprintf("bippop/%s/3", m.Siren)))
	if _, err := other.Encode(); !errors.Is(err, roster.ErrSignature) || !strings.Contains(err.Error(), "replica 2") {
		t.Errorf("two of three: %v", err)
	}
	c := founded(t)
	if _, err := c.state.Admit(a, nil); !errors.Is(err, roster.ErrGenesis) {
		t.Errorf("another roster's: %v", err)
	}
	a.Genesis = c.state.Genesis
	b, err := c.state.Admit(a, nil)
	if err != nil || b.Member.Epoch != 1 {
		t.Fatal(b, err)
	}
	c.add(two, b)
	c.add(two, roster.RemoveMember{Siren: b.Member.Siren, Last: 4})
	if b, err = c.state.Admit(a, nil); err != nil {
		t.Fatal(err)
	}
	c.add(two, b)
	if m, _ := c.state.Member(b.Member.Siren); m.Epoch != 2 || m.StartSize != 4 {
		t.Errorf("back in epoch %d after %d", m.Epoch, m.StartSize)
	}
}

func TestFile(t *testing.T) {
	c := founded(t)
	c.add(two, roster.Renew{Expires: today + 9})
	text := roster.FormatFile(c.entries)
	got, err := roster.ParseFile(text)
	if err != nil || !slices.EqualFunc(got, c.entries, bytes.Equal) {
		t.Fatalf("got %d entries, %v", len(got), err)
	}
	for at := range text {
		wrong := slices.Clone(text)
		wrong[at] ^= 1
		entries, err := roster.ParseFile(wrong)
		if err != nil {
			continue
		}
		if _, err := roster.Fold(c.state.Genesis, entries); err == nil && !slices.EqualFunc(entries, c.entries, bytes.Equal) {
			t.Fatalf("flipped at %d it is another roster", at)
		}
		if len(entries) < 2 {
			t.Fatalf("flipped at %d an entry is passed over in silence", at)
		}
	}
}

// lattice is a country of squares, side metres wide at the equator.
func lattice(side, wide, high int) (places []roster.Place) {
	step := int32(side * 100_000 / 111_195)
	for y := range high {
		for x := range wide {
			p := roster.Place{Siren: siren(y*wide + x), Departement: "33"}
			for i := range int32(3) {
				for j := range int32(3) {
					p.Points = append(p.Points, roster.Point{Lat: int32(y)*step + i*step/3, Lon: int32(x)*step + j*step/3})
				}
			}
			places = append(places, p)
		}
	}
	return places
}

func TestNeighbours(t *testing.T) {
	places := lattice(30_000, 5, 5)
	whole := roster.Place{Siren: siren(900), Departement: "33", Whole: true} // all its communes are in its EPCI
	far := roster.Place{Siren: siren(901), Departement: "988", Points: []roster.Point{{Lat: -2_200_000, Lon: 16_600_000}}}
	places = append(places, whole, far)
	got := roster.Neighbours(places)
	for _, c := range []struct{ x, y, want int }{{2, 2, 5}, {0, 2, 5}} { // four sides or nearest four, and the département
		if n := got[siren(c.y*5+c.x)]; len(n) < c.want || len(n) > 10 || !slices.Contains(n, siren(900)) {
			t.Errorf("at %d,%d: %v", c.x, c.y, n)
		}
	}
	for _, side := range []int{11, 13, 7, 17} {
		if !slices.Contains(got[siren(12)], siren(side)) {
			t.Errorf("the square beside is no neighbour: %d", side)
		}
	}
	if slices.Contains(got[siren(0)], siren(4)) {
		t.Error("squares 90 km apart are neighbours")
	}
	if len(got[siren(901)]) != 4 || len(got[siren(900)]) != 25 {
		t.Errorf("an island has %d neighbours, the département %d", len(got[siren(901)]), len(got[siren(900)]))
	}
	for a, all := range got {
		for _, b := range all {
			if !slices.Contains(got[b], a) || a == b {
				t.Fatalf("%s and %s are not neighbours of each other", a, b)
			}
		}
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(places), func(i, j int) { places[i], places[j] = places[j], places[i] })
	if fmt.Sprint(roster.Neighbours(places)) != fmt.Sprint(got) {
		t.Error("another order of places, other neighbours")
	}
}

func FuzzEntry(f *testing.F) {
	for i, b := range each() {
		e := roster.Entry{Seq: uint64(min(i, 1)), Bodies: []roster.Body{b}, Signatures: []roster.Signature{{}}}
		text, _ := e.Encode()
		f.Add(text)
	}
	s := founded(f).state
	f.Fuzz(func(t *testing.T, b []byte) {
		if e, err := roster.DecodeEntry(b); err == nil {
			if again, err := e.Encode(); err != nil || !bytes.Equal(again, b) {
				t.Fatalf("%x was read as %x", b, again)
			}
		}
		if _, err := s.Apply(b); err == nil {
			t.Fatal("unsigned, and accepted")
		}
	})
}

func FuzzDraft(f *testing.F) {
	c := founded(f)
	d, _ := c.state.Draft(today, roster.SetMember{Member: member(1, commune(33001))})
	f.Add(d.Encode())
	d.Sign(key("ana"))
	f.Add(d.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := roster.ParseDraft(b)
		if err != nil {
			return
		}
		c.state.Tell(d)
		again, err := roster.ParseDraft(d.Encode())
		if err != nil || !bytes.Equal(again.Encode(), d.Encode()) {
			t.Fatalf("it does not read what it writes: %v", err)
		}
		d.Missing()
		d.Entry()
	})
}

func FuzzInvitation(f *testing.F) {
	f.Add(founded(f).state.Invite(siren(3)).String())
	f.Fuzz(func(t *testing.T, text string) {
		i, err := roster.ParseInvitation(text)
		if err == nil && i.String() != strings.Join(strings.Fields(text), "") {
			t.Fatalf("%s was read as %s", text, i)
		}
	})
}

func FuzzApplication(f *testing.F) {
	b, _ := application(f).Encode()
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := roster.ParseApplication(b)
		if err != nil {
			return
		}
		if _, err := a.Encode(); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzHolder(f *testing.F) {
	f.Add(holder("ana").String())
	f.Fuzz(func(t *testing.T, text string) {
		h, err := roster.ParseHolder(text)
		if err == nil && h.String() != strings.TrimSpace(text) {
			t.Fatalf("%q was read as %s", text, h)
		}
	})
}

// nation is a roster of 1,356 members with 35,000 communes, one entry each.
func nation(t failer) *chain {
	c := founded(t)
	next := 0
	for n := range 1356 {
		m := member(n)
		for range 35_000/1356 + min(1, (1355-n)/1100) {
			m.Communes = append(m.Communes, commune(next))
			next++
		}
		for near := max(0, n-3); near < n; near++ {
			m.Neighbours = append(m.Neighbours, siren(near))
		}
		c.add(two, roster.SetMember{Member: m})
	}
	for next < 35_000 {
		var some []public.Commune
		last, _ := c.state.Member(siren(1355))
		for ; next < 35_000 && len(some)+len(last.Communes) < roster.MaxOwn; next++ {
			some = append(some, commune(next))
		}
		last.Communes = slices.Concat(last.Communes, some)
		c.add(two, roster.SetMember{Member: last})
	}
	return c
}

func BenchmarkFold(b *testing.B) {
	c := nation(b)
	size := 0
	for _, e := range c.entries {
		size += len(e)
	}
	communes := 0
	for _, m := range c.state.Members {
		communes += len(m.Communes)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := roster.Fold(c.state.Genesis, c.entries); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(size), "bytes/roster")
	b.ReportMetric(float64(communes), "communes")
	b.ReportMetric(float64(len(c.state.Members)), "members")
}

func BenchmarkApply(b *testing.B) {
	c := nation(b)
	d, _ := c.state.Draft(today, roster.Renew{Expires: today + 10})
	for _, name := range two {
		d.Sign(key(name))
	}
	e, err := d.Entry()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := c.state.Apply(e); err != nil {
			b.Fatal(err)
		}
	}
}
