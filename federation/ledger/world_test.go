package ledger_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/bippop/bippop/federation/bulletin"
	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/ledger"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
)

const today public.Day = 2500

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

const (
	reole  = public.Siren(200044394)
	rurale = public.Siren(200069599)
	nation = public.Siren(130025265)
)

func seed(name string) [32]byte { return sha256.Sum256([]byte(name)) }

func key(name string) ed25519.PrivateKey { s := seed(name); return ed25519.NewKeyFromSeed(s[:]) }

// world is a federation with keys of everybody, so that its feeds can be signed,
// rightly or wrongly.
type world struct {
	t       testing.TB
	roster  [][]byte
	state   *roster.State
	witness []feed.Signer
	feeds   []ledger.Feed
}

func newWorld(t testing.TB, kinds ...public.Schema) *world {
	w := &world{t: t}
	var hubs []roster.Hub
	for i := range 3 {
		name := fmt.Sprintf("hub%d.example", i+1)
		s := feed.NewWitnessSigner(name, seed(name))
		w.witness = append(w.witness, s)
		hubs = append(hubs, roster.Hub{
			Name: name, Operator: "Operator of " + name, Peer: roster.PeerOf(key(name + " peer").Public().(ed25519.PublicKey)),
			Key: s.Key(), Addresses: []string{"/dns4/" + name + "/tcp/443"}, Witness: true,
		})
	}
	if kinds == nil {
		for _, k := range public.Kinds() {
			kinds = append(kinds, public.SchemaOf(k))
		}
		for _, k := range bulletin.Kinds() {
			s, _ := bulletin.SchemaOf(k)
			kinds = append(kinds, s)
		}
	}
	var holders []roster.Holder
	for _, n := range []string{"ana", "bob"} {
		holders = append(holders, roster.Holder{Name: n, Key: key(n).Public().(ed25519.PublicKey)})
	}
	slices.SortFunc(holders, func(a, b roster.Holder) int { return slices.Compare(a.Key, b.Key) })
	w.change(roster.Found{Name: "Entraide", Holders: holders, Need: 2, Expires: today + 300},
		roster.SetHubs{Hubs: hubs, Threshold: 2}, roster.SetKinds{Kinds: kinds})
	w.change(roster.SetMember{Member: member(reole, roster.Territory, 3)})
	w.change(roster.SetMember{Member: member(rurale, roster.Territory, 1)}, roster.SetMember{Member: member(nation, roster.Coordinator, 1)})
	return w
}

func member(s public.Siren, role roster.Role, replicas int) roster.Member {
	m := roster.Member{Siren: s, Role: role, Name: "CC " + s.String(), Departement: "33", Quorum: uint8(replicas/2 + 1), Epoch: 1,
		Contact: roster.Contact{Name: "CCAS", Email: "ccas@example.org"}}
	for _, r := range replicaSigners(s, replicas) {
		m.Replicas = append(m.Replicas, roster.Replica{Peer: roster.PeerOf(key(r.Key() + " peer").Public().(ed25519.PublicKey)), Key: r.Key()})
	}
	return m
}

func replicaSigners(s public.Siren, n int) (out []feed.Signer) {
	for i := range n {
		name := fmt.Sprintf("bippop/%s/%d", s, i+1)
		out = append(out, feed.NewReplicaSigner(name, seed(name)))
	}
	return out
}

// change adds an entry to the roster, signed by both holders.
func (w *world) change(bodies ...roster.Body) {
	w.t.Helper()
	d, err := w.state.Draft(today, bodies...)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, n := range []string{"ana", "bob"} {
		if err := d.Sign(key(n)); err != nil {
			w.t.Fatal(err)
		}
	}
	b, err := d.Entry()
	if err != nil {
		w.t.Fatal(err)
	}
	if w.state, err = w.state.Apply(b); err != nil {
		w.t.Fatal(err)
	}
	w.roster = append(w.roster, b)
}

// signers of a member's feed: a quorum and two witnesses.
func (w *world) signers(s public.Siren) []feed.Signer {
	m, ok := w.state.Member(s)
	if !ok {
		w.t.Fatalf("%s is no member", s)
	}
	return append(replicaSigners(s, int(m.Quorum)), w.witness[0], w.witness[1])
}

func sign(t testing.TB, origin string, h feed.Head, signers ...feed.Signer) feed.Checkpoint {
	t.Helper()
	c := feed.Checkpoint{Origin: origin, Head: h}
	for _, s := range signers {
		var err error
		if c, err = s.Sign(c, noon); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func headOf(entries [][]byte) feed.Head {
	var t feed.Tree
	for _, e := range entries {
		t.Add(e)
	}
	return t.Head()
}

// logOf is a log in memory.
func logOf(c feed.Checkpoint, entries [][]byte) ledger.Log {
	return ledger.Log{Checkpoint: c, Entries: func(_ context.Context, from, to int64) ([][]byte, error) { return entries[from:to], nil }}
}

// say adds a whole feed, signed by those who must, or by others.
func (w *world) say(s public.Siren, epoch uint16, entries [][]byte, by ...feed.Signer) {
	w.t.Helper()
	if by == nil {
		by = w.signers(s)
	}
	c := sign(w.t, feed.EgressOrigin(s, epoch), headOf(entries), by...)
	w.feeds = append(w.feeds, ledger.Feed{Siren: s, Epoch: epoch, Log: logOf(c, entries)})
}

// ledger is what there is, with the roster's checkpoint.
func (w *world) ledger() ledger.Ledger {
	w.t.Helper()
	c := sign(w.t, w.state.Origin(), w.state.Head, w.witness[0], w.witness[2])
	return ledger.Ledger{Roster: logOf(c, w.roster), Feeds: w.feeds}
}

// messages are entries with all kinds of bodies, by place in the feed.
func messages(t testing.TB, s public.Siren, epoch uint16, from, n int) (out [][]byte) {
	t.Helper()
	for i := range n {
		var body public.Message = public.Presence{}
		if i%3 == 1 {
			body = public.Withdraw{Offer: uint64(i - 1)}
		} else if i%3 == 2 {
			body = public.Ack{Interest: uint64(i - 1)}
		}
		out = append(out, encode(t, s, epoch, from+i, body))
	}
	return out
}

func encode(t testing.TB, s public.Siren, epoch uint16, seq int, body public.Message) []byte {
	t.Helper()
	b, err := public.Encode(public.Entry{From: s, Epoch: epoch, Seq: uint64(seq), Day: today + public.Day(seq/10), Body: body})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// release of a quarter, after an odometer.
func release(t testing.TB, o public.Odometer, q public.Quarter) (public.Release, public.Odometer) {
	t.Helper()
	r, err := o.Charge(public.CatalogueVersion, q)
	if err != nil {
		t.Fatal(err)
	}
	out, err := r.Release(make([]int32, public.Cells(public.CatalogueVersion)))
	if err != nil {
		t.Fatal(err)
	}
	after, err := o.Follow(out)
	if err != nil {
		t.Fatal(err)
	}
	return out, after
}

// peace is a federation in order: a territory in its second epoch, one in its first,
// and a coordinator with a bulletin.
func peace(t testing.TB) *world {
	w := newWorld(t)
	first, spent := release(t, public.Odometer{}, 24)
	second, _ := release(t, spent, 25)
	old := append(messages(t, reole, 1, 0, 5), encode(t, reole, 1, 5, first))
	w.say(reole, 1, old)
	w.change(roster.OpenEpoch{Siren: reole, Epoch: 2, StartSize: 6, StartRoot: headOf(old).Root})
	w.say(reole, 2, append(messages(t, reole, 2, 0, 3), encode(t, reole, 2, 3, second)))
	w.say(rurale, 1, messages(t, rurale, 1, 0, 2))
	b, err := bulletin.Encode(bulletin.Entry{From: nation, Epoch: 1, Seq: 0, Day: today, Body: bulletin.Bulletin{Number: 1, Title: "Bonjour", Text: "À toutes et à tous."}})
	if err != nil {
		t.Fatal(err)
	}
	w.say(nation, 1, [][]byte{b})
	return w
}

// shelf is a ledger in memory that can be tampered with.
type shelf map[string][]byte

func (shelf) String() string { return "shelf" }

func (s shelf) Read(_ context.Context, path string, limit int64) ([]byte, error) {
	b, ok := s[path]
	if !ok {
		return nil, fs.ErrNotExist
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("too long")
	}
	return b, nil
}

func (s shelf) List(context.Context) ([]string, error) { return slices.Sorted(maps.Keys(s)), nil }

// shelve writes a ledger to a folder and reads all of it back.
func shelve(t testing.TB, l ledger.Ledger) shelf {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "ledger")
	if err := l.Write(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	s := shelf{}
	if err := fs.WalkDir(os.DirFS(dir), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		s[path], err = os.ReadFile(filepath.Join(dir, path))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return s
}

func verify(t testing.TB, s ledger.Source, o ledger.Options) ledger.Report {
	t.Helper()
	r, err := ledger.Verify(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func bulletinBy(t testing.TB, s public.Siren) []byte {
	t.Helper()
	b, err := bulletin.Encode(bulletin.Entry{From: s, Epoch: 1, Day: today, Body: bulletin.Bulletin{Number: 1, Title: "Bonjour", Text: "À toutes et à tous."}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}
