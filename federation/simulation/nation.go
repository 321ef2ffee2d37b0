// Package simulation is a nation in one process: a roster with its holder, hubs, a
// coordinator and territories that sign like real ones, over a network of which one
// decides how slow, lossy and broken it is. For tests and for the bench.
package simulation

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/bippop/bippop/federation"
	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"golang.org/x/mod/sumdb/tlog"
)

// Nation is a roster and the keys of everybody on it.
type Nation struct {
	Territories []*Writer
	Coordinator *Writer
	Hubs        []Hub

	holder  ed25519.PrivateKey
	day     public.Day
	entries [][]byte
	state   *roster.State
}

// Hub is the keys of one, and where it is reached.
type Hub struct {
	Seed      [32]byte
	Config    federation.HubConfig
	Addresses []string // in the roster; empty: those of Config.Listen
}

// Seed is one that follows from a name.
func Seed(name string) [32]byte { return sha256.Sum256([]byte("bippop simulation " + name)) }

// Siren is the n-th of an invented public body.
func Siren(n int) public.Siren {
	for d := range 10 {
		if s := public.Siren(100_000_000 + n*10 + d); s.Valid() {
			return s
		}
	}
	panic("simulation: no check digit fits")
}

// Found begins a nation: a demo's roster with one holder, these hubs, of which
// threshold must cosign, and a coordinator with one replica.
func Found(day public.Day, threshold int, hubs ...Hub) (*Nation, error) {
	n := &Nation{day: day, Hubs: hubs}
	seed := Seed("holder")
	n.holder = ed25519.NewKeyFromSeed(seed[:])
	var list []roster.Hub
	for _, h := range hubs {
		peer, err := federation.PeerOf(h.Seed)
		if err != nil {
			return nil, err
		}
		addresses := h.Addresses
		if len(addresses) == 0 {
			addresses = h.Config.Listen
		}
		list = append(list, roster.Hub{Name: h.Config.Name, Operator: "Operator of " + h.Config.Name, Peer: peer, Key: h.Config.WitnessKey(), Addresses: addresses, Witness: true})
	}
	found := roster.Found{Name: "Simulation", Demo: true, Holders: []roster.Holder{{Name: "holder", Key: n.holder.Public().(ed25519.PublicKey)}}, Need: 1, Expires: day + 365}
	if err := n.Change(found, roster.SetHubs{Hubs: list, Threshold: uint8(threshold)}, roster.SetKinds{Kinds: kinds()}); err != nil {
		return nil, err
	}
	n.Coordinator = NewWriter(Siren(0), 1, 1)
	return n, n.Change(roster.SetMember{Member: n.Coordinator.Member(roster.Coordinator)})
}

func kinds() (all []public.Schema) {
	for _, k := range public.Kinds() {
		all = append(all, public.SchemaOf(k))
	}
	return all
}

// Add territories with so many replicas, a majority of which must sign. Each has its
// six nearest as neighbours.
func (n *Nation) Add(count, replicas int) error {
	const each = 20 // members in one entry
	var bodies []roster.Body
	for range count {
		w := NewWriter(Siren(1+len(n.Territories)), replicas, 1)
		m := w.Member(roster.Territory)
		for back := 1; back <= 3 && len(n.Territories) >= back; back++ {
			m.Neighbours = append([]public.Siren{n.Territories[len(n.Territories)-back].Siren}, m.Neighbours...)
		}
		n.Territories = append(n.Territories, w)
		if bodies = append(bodies, roster.SetMember{Member: m}); len(bodies) == each {
			if err := n.Change(bodies...); err != nil {
				return err
			}
			bodies = nil
		}
	}
	if len(bodies) == 0 {
		return nil
	}
	return n.Change(bodies...)
}

// Change the roster, signed by its holder.
func (n *Nation) Change(bodies ...roster.Body) error {
	d, err := n.state.Draft(n.day, bodies...)
	if err != nil {
		return err
	}
	if err := d.Sign(n.holder); err != nil {
		return err
	}
	e, err := d.Entry()
	if err != nil {
		return err
	}
	next, err := n.state.Apply(e)
	if err != nil {
		return err
	}
	n.entries, n.state = append(n.entries, e), next
	return nil
}

// Genesis is the digest of the roster's first entry.
func (n *Nation) Genesis() [32]byte { return n.state.Genesis }

// Entries of the roster so far.
func (n *Nation) Entries() [][]byte { return append([][]byte(nil), n.entries...) }

// State of the roster.
func (n *Nation) State() *roster.State { return n.state }

// Roster is a holder of the roster in memory, as it was distributed before: with all
// entries so far. It is safe for concurrent use; hosts that are to learn of changes
// on their own have one each.
func (n *Nation) Roster() *Roster {
	return &Roster{genesis: n.state.Genesis, entries: n.Entries(), state: n.state}
}

// Empty is a holder that knows the genesis's digest alone.
func (n *Nation) Empty() *Roster { return &Roster{genesis: n.state.Genesis} }

// Roster keeps a roster in memory. It implements [federation.Rosters].
type Roster struct {
	genesis [32]byte
	mu      sync.RWMutex
	entries [][]byte
	state   *roster.State
}

// State implements [federation.Rosters].
func (r *Roster) State() *roster.State {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.state
}

// Entries implements [federation.Rosters].
func (r *Roster) Entries(from uint64) ([][]byte, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return append([][]byte(nil), r.entries[min(from, uint64(len(r.entries))):]...), nil
}

// Take implements [federation.Rosters].
func (r *Roster) Take(_ context.Context, entries [][]byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range entries {
		var next *roster.State
		var err error
		if r.state == nil {
			next, err = roster.Fold(r.genesis, [][]byte{b})
		} else if e, bad := roster.DecodeEntry(b); bad == nil && e.Seq < r.state.Version {
			continue
		} else {
			next, err = r.state.Apply(b)
		}
		if err != nil {
			return err
		}
		r.state, r.entries = next, append(r.entries, b)
	}
	return nil
}

// Writer is one member's feed and the keys of its replicas. It implements
// [federation.Own]; safe for concurrent use.
type Writer struct {
	Siren    public.Siren
	Epoch    uint16
	replicas []replica
	quorum   int

	mu      sync.Mutex
	entries [][]byte
	hashes  []tlog.Hash
	point   feed.Checkpoint
	Frozen  error // what Compare found
}

type replica struct {
	seed   [32]byte
	signer feed.Signer
}

// NewWriter is a member with so many replicas and nothing said.
func NewWriter(siren public.Siren, replicas int, epoch uint16) *Writer {
	w := &Writer{Siren: siren, Epoch: epoch, quorum: replicas/2 + 1}
	for i := range replicas {
		name := fmt.Sprintf("bippop/%s/%d", siren, i+1)
		w.replicas = append(w.replicas, replica{Seed(name + " peer"), feed.NewReplicaSigner(name, Seed(name+" cosign"))})
	}
	w.point = feed.Checkpoint{Origin: feed.EgressOrigin(siren, epoch), Head: feed.EmptyHead()}
	return w
}

// Member as the roster names it.
func (w *Writer) Member(role roster.Role) roster.Member {
	m := roster.Member{
		Siren: w.Siren, Role: role, Name: "Territory " + w.Siren.String(), Departement: "33", Quorum: uint8(w.quorum), Epoch: w.Epoch,
		Contact: roster.Contact{Name: "CCAS", Email: "ccas@example.org"},
	}
	for _, r := range w.replicas {
		peer, err := federation.PeerOf(r.seed)
		if err != nil {
			panic(err)
		}
		m.Replicas = append(m.Replicas, roster.Replica{Peer: peer, Key: r.signer.Key()})
	}
	return m
}

// Seed of a replica's libp2p key.
func (w *Writer) Seed(replica int) [32]byte { return w.replicas[replica].seed }

// Say appends an entry, signed by every replica.
func (w *Writer) Say(day public.Day, m public.Message) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	b, err := public.Encode(public.Entry{From: w.Siren, Epoch: w.Epoch, Seq: uint64(len(w.entries)), Day: day, Body: m})
	if err != nil {
		return err
	}
	return w.append(b)
}

// Append bytes as they are, signed by every replica: whatever they say.
func (w *Writer) Append(b []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.append(b)
}

func (w *Writer) append(b []byte) error {
	hashes, err := tlog.StoredHashes(int64(len(w.entries)), b, w)
	if err != nil {
		return err
	}
	w.entries, w.hashes = append(w.entries, b), append(w.hashes, hashes...)
	return w.sign(len(w.replicas))
}

// sign the head by so many replicas.
func (w *Writer) sign(replicas int) error {
	root, err := tlog.TreeHash(int64(len(w.entries)), w)
	if err != nil {
		return err
	}
	c := feed.Checkpoint{Origin: feed.EgressOrigin(w.Siren, w.Epoch), Head: feed.Head{Size: int64(len(w.entries)), Root: root}}
	for _, r := range w.replicas[:replicas] {
		if c, err = r.signer.Sign(c, time.Time{}); err != nil {
			return err
		}
	}
	w.point = c
	return nil
}

// SignBy so many replicas alone, in place of all.
func (w *Writer) SignBy(replicas int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sign(replicas)
}

// Rekey gives the replicas other cosigning keys, as machines have that took the place
// of others. What was said is signed anew; the witnesses' word over it stays.
func (w *Writer) Rekey() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.replicas {
		name := fmt.Sprintf("bippop/%s/%d-anew", w.Siren, i+1)
		w.replicas[i].signer = feed.NewReplicaSigner(name, Seed(name+" cosign"))
	}
	before := w.point
	if err := w.sign(len(w.replicas)); err != nil {
		return err
	}
	both, err := feed.Merge(before, w.point)
	if err == nil {
		w.point = both
	}
	return err
}

// Restored is the writer as an old backup knows it: with its first entries.
func (w *Writer) Restored(size int) (*Writer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	old := &Writer{Siren: w.Siren, Epoch: w.Epoch, replicas: w.replicas, quorum: w.quorum, point: feed.Checkpoint{Origin: w.point.Origin, Head: feed.EmptyHead()}}
	for _, b := range w.entries[:size] {
		if err := old.append(b); err != nil {
			return nil, err
		}
	}
	return old, nil
}

// ReadHashes implements [tlog.HashReader]; for this package alone.
func (w *Writer) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, n := range indexes {
		if n >= int64(len(w.hashes)) {
			return nil, errors.New("no such hash")
		}
		out[i] = w.hashes[n]
	}
	return out, nil
}

// Checkpoint implements [federation.Own].
func (w *Writer) Checkpoint(context.Context) (feed.Checkpoint, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.point, w.Frozen
}

// Entries implements [federation.Own].
func (w *Writer) Entries(_ context.Context, from, to int64) ([][]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if from < 0 || to < from || to > int64(len(w.entries)) {
		return nil, feed.ErrGap
	}
	return append([][]byte(nil), w.entries[from:to]...), nil
}

// Witnessed implements [federation.Own].
func (w *Writer) Witnessed(_ context.Context, c feed.Checkpoint) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.Head != w.point.Head {
		return nil // of a state that is past
	}
	merged, err := feed.Merge(w.point, c)
	if err == nil {
		w.point = merged
	}
	return err
}

// Compare implements [federation.Own]: what was forgotten is taken back when it leads
// to the hub's root, and signed anew; a contradiction freezes.
func (w *Writer) Compare(ctx context.Context, hub feed.Checkpoint, fetch federation.Fetch) error {
	w.mu.Lock()
	size := int64(len(w.entries))
	w.mu.Unlock()
	var more [][]byte
	if hub.Head.Size > size {
		var err error
		if more, err = fetch(ctx, w.Epoch, size, hub.Head.Size); err != nil {
			return err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if int64(len(w.entries)) != size {
		return errors.New("the feed has grown meanwhile")
	}
	entries, hashes, point := w.entries, w.hashes, w.point
	for _, b := range more {
		if err := w.append(b); err != nil {
			return err
		}
	}
	root, err := tlog.TreeHash(hub.Head.Size, w)
	if err != nil {
		return err
	}
	if hub.Head.Size > 0 && root != hub.Head.Root {
		w.entries, w.hashes, w.point = entries, hashes, point
		w.Frozen = feed.ErrFork
		return feed.ErrFork
	}
	return nil
}
