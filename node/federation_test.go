package node_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bippop/bippop/federation"
	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"github.com/bippop/bippop/node"
)

// nation is a federation of hubs on this machine and a roster that one holder signs.
type nation struct {
	testing.TB
	holder  ed25519.PrivateKey
	genesis [32]byte
	state   *roster.State
	entries [][]byte
	hubs    []*station
	clock   func() time.Time
}

// station is one hub; host is nil while it is down.
type station struct {
	*nation
	name   string
	seed   [32]byte
	key    [32]byte
	dir    string
	at     string // its address
	roster *federation.RosterFile
	host   *federation.Host
}

// newNation founds a federation with so many hubs, more than half of which must
// witness.
func newNation(tb testing.TB, hubs int, clock func() time.Time) *nation {
	tb.Helper()
	n := &nation{TB: tb, holder: ed25519.NewKeyFromSeed(slices.Repeat([]byte{7}, 32)), clock: clock}
	set := roster.SetHubs{Threshold: uint8(hubs/2 + 1)}
	for i := range hubs {
		h := &station{nation: n, name: "hub" + string(rune('a'+i)), seed: [32]byte{1, byte(i)}, key: [32]byte{2, byte(i)}, dir: tb.TempDir(), at: "/ip4/127.0.0.1/tcp/0"}
		h.start(true)
		n.hubs = append(n.hubs, h)
		set.Hubs = append(set.Hubs, roster.Hub{Name: h.name, Operator: "Operator " + h.name, Peer: h.host.Peer(), Key: feed.NewWitnessSigner(h.name, h.key).Key(), Addresses: []string{h.at}, Witness: true})
	}
	found := roster.Found{Name: "Essai", Demo: true, Holders: []roster.Holder{{Name: "office", Key: n.holder.Public().(ed25519.PublicKey)}}, Need: 1, Expires: public.DayOf(clock()) + 400}
	var kinds roster.SetKinds
	for _, k := range public.Kinds() {
		kinds.Kinds = append(kinds.Kinds, public.SchemaOf(k))
	}
	n.write(found, set, kinds)
	tb.Cleanup(func() {
		for _, h := range n.hubs {
			h.stop()
		}
	})
	return n
}

// write adds an entry to the roster and gives it to the hubs.
func (n *nation) write(bodies ...roster.Body) {
	n.Helper()
	d, err := n.state.Draft(public.DayOf(n.clock()), bodies...)
	n.must(err)
	n.must(d.Sign(n.holder))
	e, err := d.Entry()
	n.must(err)
	if n.state == nil {
		n.genesis = sha256.Sum256(e)
	}
	n.state, err = n.state.Apply(e)
	n.must(err)
	n.entries = append(n.entries, e)
	for _, h := range n.hubs {
		if h.host == nil {
			continue
		}
		if h.roster == nil {
			h.restart()
		}
		n.must(h.roster.Take(n.Context(), n.entries))
		h.host.RosterChanged()
	}
}

func (n *nation) must(err error) {
	n.Helper()
	if err != nil {
		n.Fatal(err)
	}
}

// start opens the hub, the first time before there is a roster.
func (h *station) start(first bool) {
	h.Helper()
	var err error
	genesis := h.genesis
	if first {
		genesis = [32]byte{1}
	}
	file, err := federation.OpenRosterFile(filepath.Join(h.dir, "roster"), genesis)
	h.must(err)
	h.host, err = federation.Open(federation.Config{
		Seed: h.seed, Dir: h.dir, Rosters: file, Hub: &federation.HubConfig{Name: h.name, Witness: h.key, Listen: []string{h.at}},
		Clock: h.clock, Logger: slog.New(slog.DiscardHandler),
	})
	h.must(err)
	h.at = h.host.Addresses()[0]
	if !first {
		h.roster = file
		h.must(file.Take(h.Context(), h.entries))
	}
}

func (h *station) stop() {
	if h.host != nil {
		h.must(h.host.Close())
		h.host = nil
	}
}

func (h *station) restart() {
	h.Helper()
	h.stop()
	h.start(false)
}

// joined takes a territory in, or its machines of today.
func (n *nation) joined(c *cluster) {
	n.Helper()
	leader := c.leader()
	siren, err := public.ParseSiren(c.siren)
	n.must(err)
	if s, err := leader.node.Federation.Status(c.Context(), c.admin); err != nil || s.Joined == 0 {
		_, err := leader.node.Federation.Join(c.Context(), c.admin, n.state.Invite(siren).String())
		n.must(err)
	}
	text, err := leader.node.Federation.Application(c.Context(), c.admin, "")
	n.must(err)
	a, err := roster.ParseApplication([]byte(text))
	n.must(err)
	b, err := n.state.Admit(a, nil)
	n.must(err)
	n.write(b)
}

// synced waits until a territory's whole feed has settled.
func (c *cluster) synced() (status node.FederationStatus) {
	c.Helper()
	var err error
	c.until("everything has settled", func() bool {
		leader := c.leader()
		leader.node.Federation.Sync(c.Context(), c.admin)
		status, err = leader.node.Federation.Status(c.Context(), c.admin)
		return err == nil && status.Listed && status.Settled == int64(status.Size)
	})
	return status
}

// say lets the leader add an entry once it may.
func (c *cluster) say() {
	c.Helper()
	var err error
	c.until("something is said", func() bool {
		err = c.leader().node.Say(c.Context())
		if err != nil {
			c.leader().node.Federation.Sync(c.Context(), c.admin)
		}
		return err == nil
	})
}

func newSpeaking(tb testing.TB, replicas, hubs int) (*cluster, *nation) {
	tb.Helper()
	c := newCluster(tb, replicas)
	n := newNation(tb, hubs, c.seats[0].clock)
	n.joined(c)
	return c, n
}

// TestSpeaks: what a territory says is signed by a majority of its machines, kept by
// enough witnesses, and shown with its proof.
func TestSpeaks(t *testing.T) {
	c, n := newSpeaking(t, 3, 3)
	c.say()
	status := c.synced()
	if status.Size != 1 || status.Next != node.StepNone || len(status.Machines) != 3 || status.Strange != 0 || status.Version != n.state.Version {
		t.Errorf("%+v", status)
	}
	leader := c.leader()
	p, ok := n.state.Policy(200044394, 1)
	proof, err := leader.node.Ledger.Proof(c.admin, 1, 0)
	c.must(err)
	point, err := feed.ParseCheckpoint([]byte(proof.Checkpoint))
	c.must(err)
	if !ok || p.Settled(point) != nil || len(p.Cosignatures(point)) < 2 {
		t.Errorf("the proof does not hold: %+v", proof)
	}
	for _, path := range []string{"feeds.json", "egress/200044394/1/checkpoint", "egress/200044394/1/tile/entries/000.p/1", "roster/checkpoint"} {
		if b, err := leader.node.Ledger.File(c.Context(), path); err != nil || len(b) == 0 {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := leader.node.Ledger.File(c.Context(), "../vault.age"); err == nil {
		t.Error("a file that is none of the ledger's was served")
	}
}

// TestSilentMachine: a machine that the roster names and that is switched off for an
// hour is none that the territory does not have.
func TestSilentMachine(t *testing.T) {
	c, _ := newSpeaking(t, 3, 1)
	c.say()
	c.synced()
	for _, s := range c.up() {
		if s != c.leader() {
			s.kill()
			break
		}
	}
	status, err := c.leader().node.Federation.Status(t.Context(), c.admin)
	c.must(err)
	silent := slices.ContainsFunc(status.Machines, func(m node.MachineLine) bool { return !m.Known })
	if !silent || status.Strange != 0 || status.Next != node.StepNone {
		t.Errorf("%+v", status)
	}
}

// TestTwoLeaders: a leader that was cut off gets no majority for what it would say,
// and what its successor says has one.
func TestTwoLeaders(t *testing.T) {
	c, _ := newSpeaking(t, 3, 1)
	c.say()
	c.synced()
	old := c.leader()
	for _, s := range c.up() {
		s.line.Cut()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := old.node.Say(ctx); err == nil {
		t.Fatal("a leader without followers said something")
	}
	if p, err := old.node.Quorate(ctx); err == nil && p.Head.Size > 1 {
		t.Errorf("the isolated leader has a majority for %d entries", p.Head.Size)
	}
	old.kill()
	for _, s := range c.up() {
		s.line.Heal()
	}
	c.say()
	c.synced()
	old.line.Heal()
	old.start()
	c.allVote()
	c.say()
	if status := c.synced(); status.Frozen != 0 || status.Strange != 0 {
		t.Errorf("%+v", status)
	}
	p, err := c.leader().node.Quorate(t.Context())
	c.must(err)
	other := p.Head
	other.Root[0]++
	for _, s := range c.up() {
		var err error
		c.until(s.name+" has caught up with what the hubs hold", func() bool {
			err = s.node.SignHead(t.Context(), p.Origin, other)
			return refusalOf(err) != "hubs-ahead"
		})
		if refusalOf(err) != "feed-contradiction" {
			t.Errorf("%s: %v", s.name, err)
		}
	}
}

// TestPutBack: a disk that was put back cannot make its territory say another thing
// in the same place. Without the hubs nothing is said; with them what was said comes
// back.
func TestPutBack(t *testing.T) {
	c, n := newSpeaking(t, 1, 3)
	c.say()
	c.synced()
	s := c.seats[0]
	s.stop()
	older := t.TempDir()
	c.must(os.CopyFS(older, os.DirFS(s.cfg.Dir)))
	s.start()
	c.say()
	before := c.synced()
	if before.Size != 2 {
		t.Fatalf("%+v", before)
	}
	s.stop()
	c.must(os.RemoveAll(s.cfg.Dir))
	c.must(os.CopyFS(s.cfg.Dir, os.DirFS(older)))
	for _, h := range n.hubs {
		h.stop()
	}
	s.start()
	c.leader()
	if err := s.node.Say(t.Context()); refusalOf(err) != "not-compared" {
		t.Errorf("without hubs: %v", err)
	}
	if p, err := s.node.Quorate(t.Context()); err == nil {
		t.Errorf("without hubs the head of %d entries was signed", p.Head.Size)
	}
	n.hubs[0].start(false)
	s.node.Federation.Sync(t.Context(), c.admin)
	if err := s.node.Say(t.Context()); refusalOf(err) != "not-compared" {
		t.Errorf("with one hub of three: %v", err)
	}
	for _, h := range n.hubs[1:] {
		h.start(false)
	}
	if after := c.synced(); after.Size < 2 || after.Frozen != 0 {
		t.Errorf("%+v", after)
	}
	c.say()
	if after := c.synced(); after.Size != 3 || after.Frozen != 0 {
		t.Errorf("%+v", after)
	}
}

// TestPromise: a replica signs nothing smaller than, nor against, what it has signed,
// whoever asks; and without its promise it asks the witnesses first.
func TestPromise(t *testing.T) {
	c, n := newSpeaking(t, 1, 1)
	c.say()
	c.say()
	c.synced()
	s := c.seats[0]
	p, err := s.node.Quorate(t.Context())
	c.must(err)
	other := p.Head
	other.Root[0]++
	for name, h := range map[string]feed.Head{"smaller": feed.EmptyHead(), "another": other, "ahead": {Size: 9, Root: other.Root}} {
		if err := s.node.SignHead(t.Context(), p.Origin, h); err == nil {
			t.Errorf("%s was signed", name)
		}
	}
	if err := s.node.SignHead(t.Context(), "bippop/egress/200044394/2", p.Head); err == nil {
		t.Error("another epoch was signed")
	}
	n.hubs[0].stop()
	s.stop()
	c.must(os.Remove(filepath.Join(node.FederationDir(s.cfg), "signed")))
	s.start()
	c.leader()
	if err := s.node.SignHead(t.Context(), p.Origin, p.Head); refusalOf(err) != "not-compared" {
		t.Errorf("without its promise and without a witness: %v", err)
	}
	n.hubs[0].start(false)
	c.synced()
	if err := s.node.SignHead(t.Context(), p.Origin, p.Head); err != nil {
		t.Error(err)
	}
}

func refusalOf(err error) string {
	if e, ok := errors.AsType[*node.Error](err); ok {
		return e.Code
	}
	if err == nil {
		return ""
	}
	return "? " + strings.ReplaceAll(err.Error(), "\n", "; ")
}

// TestSilence: when no hub answers any more the operator is told what to do.
func TestSilence(t *testing.T) {
	c, n := newSpeaking(t, 1, 1)
	c.say()
	if status := c.synced(); status.Next != node.StepNone {
		t.Errorf("%+v", status)
	}
	n.hubs[0].stop()
	c.leader().node.Federation.Sync(t.Context(), c.admin)
	if status, err := c.leader().node.Federation.Status(t.Context(), c.admin); err != nil || status.Trouble == "" || status.Next != node.StepHubs {
		t.Errorf("while no hub answers: %+v, %v", status, err)
	}
	n.hubs[0].start(false)
	if status := c.synced(); status.Next != node.StepNone {
		t.Errorf("when it is back: %+v", status)
	}
}
