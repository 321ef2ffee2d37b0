package roster_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// key is a private key that follows from its name.
func key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func publicKey(name string) ed25519.PublicKey { return key(name).Public().(ed25519.PublicKey) }

func holder(name string) roster.Holder { return roster.Holder{Name: name, Key: publicKey(name)} }

// holders in the order in which they stand in a roster.
func holders(names ...string) (all []roster.Holder) {
	for _, name := range names {
		all = append(all, holder(name))
	}
	slices.SortFunc(all, func(a, b roster.Holder) int { return slices.Compare(a.Key, b.Key) })
	return all
}

// siren is the n-th SIREN of an invented body.
func siren(n int) public.Siren {
	for d := range 10 {
		if s := public.Siren(100_000_000 + n*10 + d); s.Valid() {
			return s
		}
	}
	panic("no check digit fits")
}

func replica(s public.Siren, n int) roster.Replica {
	name := fmt.Sprintf("bippop/%s/%d", s, n)
	text, err := note.NewEd25519VerifierKey(name, publicKey(name))
	if err != nil {
		panic(err)
	}
	return roster.Replica{Peer: roster.PeerOf(publicKey(name + " peer")), Key: text}
}

func member(n int, communes ...public.Commune) roster.Member {
	s := siren(n)
	return roster.Member{
		Siren: s, Role: roster.Territory, Name: fmt.Sprintf("CC n° %d", n), Departement: "33",
		Contact:  roster.Contact{Name: "CCAS", Email: "ccas@example.org", Phone: "+33556000000"},
		Communes: communes, Replicas: []roster.Replica{replica(s, 1), replica(s, 2), replica(s, 3)}, Quorum: 2, Epoch: 1,
	}
}

func commune(n int) public.Commune { return public.Commune([]byte(fmt.Sprintf("%05d", n))) }

func hub(name string) roster.Hub {
	raw := append([]byte{4}, publicKey(name)...)
	sum := sha256.Sum256(append([]byte(name+"\n"), raw...))
	return roster.Hub{
		Name: name, Operator: "Operator of " + name, Peer: roster.PeerOf(publicKey(name + " peer")),
		Key:       fmt.Sprintf("%s+%08x+%s", name, binary.BigEndian.Uint32(sum[:]), base64.StdEncoding.EncodeToString(raw)),
		Addresses: []string{"/dns4/" + name + "/udp/443/quic-v1", "/ip4/192.0.2.1/tcp/443/tls/sni/" + name + "/ws"}, Witness: true,
	}
}

const today public.Day = 2500

// failer is a test, or one try of a property.
type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// chain is a roster that is being written.
type chain struct {
	t       failer
	entries [][]byte
	state   *roster.State
}

// add drafts, signs by name and applies.
func (c *chain) add(signers []string, bodies ...roster.Body) {
	c.t.Helper()
	d, err := c.state.Draft(today, bodies...)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, name := range signers {
		if err := d.Sign(key(name)); err != nil {
			c.t.Fatalf("%s: %v", name, err)
		}
	}
	b, err := d.Entry()
	if err != nil {
		c.t.Fatal(err)
	}
	next, err := c.state.Apply(b)
	if err != nil {
		c.t.Fatal(err)
	}
	c.entries, c.state = append(c.entries, b), next
}

func found() roster.Found {
	return roster.Found{Name: "Entraide", Holders: holders("ana", "bob", "eve"), Need: 2, Expires: today + 365}
}

var (
	founders = []string{"ana", "bob", "eve"}
	two      = []string{"bob", "eve"}
)

// founded is a roster of 2 of 3 with three hubs and all kinds.
func founded(t failer) *chain {
	c := &chain{t: t}
	c.add(founders, found(),
		roster.SetHubs{Hubs: []roster.Hub{hub("hub-a.example"), hub("hub-b.example"), hub("hub-c.example")}, Threshold: 2},
		roster.SetKinds{Kinds: kinds()})
	return c
}

func kinds() (all []public.Schema) {
	for _, k := range public.Kinds() {
		all = append(all, public.SchemaOf(k))
	}
	return all
}

func TestStory(t *testing.T) {
	c := founded(t)
	a, b := member(1, commune(33001), commune(33002)), member(2, commune(33003))
	c.add(two, roster.SetMember{Member: a})
	b.Neighbours = []public.Siren{a.Siren}
	c.add(two, roster.SetMember{Member: b})
	if got, _ := c.state.Member(a.Siren); !slices.Equal(got.Neighbours, []public.Siren{b.Siren}) {
		t.Errorf("a's neighbours: got %v", got.Neighbours)
	}
	if !c.state.MayRead(a.Siren, b.Siren) || !c.state.MayRead(b.Siren, a.Siren) || c.state.MayRead(siren(9), a.Siren) {
		t.Error("neighbours read each other, strangers do not")
	}
	p, ok := c.state.Policy(a.Siren, 1)
	if !ok || p.Origin != "bippop/egress/"+a.Siren.String()+"/1" || len(p.Replicas) != 3 || p.Quorum != 2 || len(p.Witnesses) != 3 || p.Threshold != 2 {
		t.Errorf("policy: got %+v, %v", p, ok)
	}
	c.add(two, roster.MoveCommunes{From: a.Siren, To: b.Siren, Communes: []public.Commune{commune(33002)}})
	if owner, _ := c.state.ByCommune(commune(33002)); owner != b.Siren {
		t.Errorf("33002 belongs to %s", owner)
	}
	far := member(3, commune(2001))
	c.add(two, roster.SetMember{Member: far})
	if c.state.MayRead(a.Siren, far.Siren) {
		t.Error("strangers read each other")
	}
	c.add(two, roster.MoveCommunes{From: a.Siren, To: far.Siren, Communes: []public.Commune{commune(33001)}})
	if !c.state.MayRead(a.Siren, far.Siren) || !c.state.MayRead(far.Siren, a.Siren) {
		t.Error("who gave communes does not hear that their people have arrived")
	}
	c.add(two, roster.MoveCommunes{From: far.Siren, To: a.Siren, Communes: []public.Commune{commune(33001)}})
	c.add(two, roster.OpenEpoch{Siren: b.Siren, Epoch: 2, StartSize: 7, StartRoot: [32]byte{1}})
	if _, ok := c.state.Policy(b.Siren, 1); ok {
		t.Error("a feed that has ended goes on")
	}
	if p, last, ok := c.state.Ended(b.Siren, 1); !ok || last != 7 || p.Origin != "bippop/egress/"+b.Siren.String()+"/1" || len(p.Replicas) != 3 {
		t.Errorf("ended: got %+v, %d, %v", p, last, ok)
	}
	c.add(two, roster.RemoveMember{Siren: a.Siren, Last: 12})
	if _, ok := c.state.ByPeer(a.Replicas[0].Peer); ok {
		t.Error("a removed member's peer is listed")
	}
	if _, ok := c.state.Policy(a.Siren, 1); ok {
		t.Error("a removed member's feed goes on")
	}
	if p, last, ok := c.state.Ended(a.Siren, 1); !ok || last != 12 || p.Quorum != 2 {
		t.Errorf("ended: got %+v, %d, %v", p, last, ok)
	}
	if got, _ := c.state.Member(b.Siren); len(got.Neighbours) != 0 {
		t.Errorf("b has neighbours %v", got.Neighbours)
	}
	if st, ok := c.state.ByPeer(b.Replicas[2].Peer); !ok || st != (roster.Standing{Siren: b.Siren, Role: roster.Territory, Replica: 2}) {
		t.Errorf("standing: got %+v, %v", st, ok)
	}
	if st, ok := c.state.ByPeer(hub("hub-a.example").Peer); !ok || st != (roster.Standing{Hub: "hub-a.example"}) {
		t.Errorf("standing: got %+v, %v", st, ok)
	}
	// It comes back in the next epoch.
	if _, err := c.state.Draft(today, roster.SetMember{Member: a}); !errors.Is(err, roster.ErrInvariant) {
		t.Errorf("back in its first epoch: %v", err)
	}
	a.Epoch, a.StartSize, a.StartRoot, a.Communes = 2, 12, [32]byte{2}, a.Communes[:1]
	c.add(two, roster.SetMember{Member: a})

	again, err := roster.Fold(c.state.Genesis, c.entries)
	if err != nil || again.Head != c.state.Head || fmt.Sprint(again.Members) != fmt.Sprint(c.state.Members) {
		t.Fatalf("folding leads elsewhere: %v", err)
	}
	if want := root(t, c.entries); tlog.Hash(want) != c.state.Head.Root {
		t.Error("the root is not that of RFC 6962")
	}
	if !c.state.Speaks(public.KindOffer) || c.state.Speaks(50) || !c.state.Expired(today+366) || c.state.Expired(today+365) {
		t.Error("kinds or expiry")
	}
}

// root by the library.
func root(t *testing.T, entries [][]byte) tlog.Hash {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(at []int64) (out []tlog.Hash, err error) {
		for _, i := range at {
			out = append(out, stored[i])
		}
		return out, nil
	})
	for i, b := range entries {
		h, err := tlog.StoredHashes(int64(i), b, reader)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, h...)
	}
	h, err := tlog.TreeHash(int64(len(entries)), reader)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestPeer(t *testing.T) {
	var seed [ed25519.SeedSize]byte
	for i := range seed {
		seed[i] = byte(i)
	}
	// As go-libp2p v0.51.0 names this key.
	const want = "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB"
	if got := roster.PeerOf(ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
