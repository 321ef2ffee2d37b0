package node

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"

	"github.com/bippop/bippop/consensus"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation"
	"github.com/bippop/bippop/federation/bulletin"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/egress"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/machine"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/release"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/territory"
	"github.com/bippop/bippop/node/internal/when"
	"github.com/fxamacker/cbor/v2"
	"github.com/google/differential-privacy/go/v3/noise"
	"github.com/google/uuid"
)

// Receipt is what a write answers.
type Receipt struct {
	ID      [16]byte // of the record it was about
	Version uint32   // of that record now
	Index   uint64   // a read at this index or later sees the write
}

// proposer is the write path: it stamps, draws, seals, encodes, proposes and
// reads the reply. The only clock and the only chance of the node are here and
// in package crypto.
type proposer struct {
	replica *consensus.Replica
	ring    *crypto.Keyring
	store   *store.Store
	siren   string
	staff   crypto.Key
	digests crypto.Key // of what callers sent, derived once
	now     func() time.Time
	health  *health
	tell    func(Write) // of each write; may be nil
	members *members
	// speakable reports why nothing may be added to the territory's feed now. It may
	// wait some seconds for the hubs.
	speakable func(context.Context) error

	mu   sync.Mutex // guards next, for one allocation; growing the tree is done under it
	next uint32     // the leaf slot to hand out next
}

// proposalTimeout bounds how long one write may take, retries included.
const proposalTimeout = 10 * time.Second

// staleRetries is how often a command is sealed anew after StaleTree.
const staleRetries = 6

// clock is the present instant.
func (p *proposer) clock() when.At { return when.Of(p.now()) }

// newID draws an ID: UUIDv7, so that records sort by the time they were made.
func newID[T ~[16]byte]() T { return T(uuid.Must(uuid.NewV7())) }

// drawToken draws what a browser holds of a session: 256 random bits as text.
// drawBytes draws a secret of n bytes.
func drawBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails: Go ends the program instead
	return b
}

func drawToken() Secret {
	raw := make([]byte, 32)
	rand.Read(raw) // never fails: Go ends the program instead
	return crypto.NewSecret(base64.RawURLEncoding.EncodeToString(raw))
}

// drawCode draws six digits, and the four letters by which people tell one message
// from another.
func drawCode() (code Secret, ref string) {
	const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"   // 32: each as likely
	n, _ := rand.Int(rand.Reader, big.NewInt(1_000_000)) // never fails: Go ends the program instead
	raw := drawBytes(4)
	for i := range raw {
		raw[i] = letters[raw[i]%32]
	}
	return crypto.NewSecret(fmt.Sprintf("%06d", n)), string(raw)
}

// stamp says who, when and why.
func (p *proposer) stamp(by Caller, commune string) command.Stamp {
	s := command.Stamp{At: p.clock(), By: by.Account, Role: by.Roles, Commune: commune, Purpose: by.purpose(), Key: by.Key}
	if by.Key != "" {
		mac := hmac.New(sha256.New, p.digests.Reveal())
		mac.Write(crypto.Place([]byte(by.Key), by.Account[:], by.Body))
		copy(s.Digest[:], mac.Sum(nil))
	}
	return s
}

// do proposes c and waits until it is applied here. What not every replica's
// program knows is not proposed: the older ones would stop at it.
func (p *proposer) do(ctx context.Context, c command.Command) (_ Receipt, err error) {
	from := p.now()
	defer func() { p.wrote(c, from, err) }()
	if name, behind := p.members.behind(command.LevelOf(c.Kind())); behind {
		return Receipt{}, &Error{Kind: Unavailable, Code: "level", Reason: "not all replicas know this yet: upgrade " + name}
	}
	entry, err := command.Encode(c)
	if errors.Is(err, command.ErrTooLarge) {
		return Receipt{}, invalid("", "too-large", "this is more than can be recorded at once; shorten the longest text")
	}
	if err != nil {
		return Receipt{}, err
	}
	if err := p.health.writable(); err != nil {
		return Receipt{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, proposalTimeout)
	defer cancel()
	result, err := p.replica.Propose(ctx, entry)
	if errors.Is(err, consensus.ErrUnknown) && c.Stamped().Key != "" && ctx.Err() == nil {
		// The same bytes: at most once in effect. If that is refused, the first may
		// still have been recorded: it stays unknown.
		if again, err2 := p.replica.Propose(ctx, entry); err2 == nil {
			result, err = again, nil
		} else {
			p.health.note(err2)
		}
	}
	if err != nil {
		p.health.note(err)
		return Receipt{}, explain(err)
	}
	reply, ok := result.Reply.(machine.Reply)
	if !ok {
		return Receipt{}, fmt.Errorf("node: the machine answered %T", result.Reply)
	}
	receipt := Receipt{ID: reply.ID, Version: reply.Version, Index: result.Index}
	if reply.Refusal != 0 {
		return receipt, refusal{reply.Refusal, reply.Clash}
	}
	return receipt, nil
}

// refusal carries a machine's reason up to the service that can react to it.
type refusal struct {
	reason refuse.Reason
	clash  ident.Request
}

func (r refusal) Error() string { return r.reason.Error() }

// finish turns what do returned into what the caller may know.
func finish(r Receipt, err error) (Receipt, error) {
	var no refusal
	if errors.As(err, &no) {
		return r, refused(no.reason, no.clash)
	}
	return r, explain(err)
}

// propose is do and finish, for commands that no StaleTree can hit.
func (p *proposer) propose(ctx context.Context, c command.Command) (Receipt, error) {
	return finish(p.do(ctx, c))
}

// proposeSealed gives make n fresh leaves to seal under, and again when the tree
// has moved on meanwhile.
func (p *proposer) proposeSealed(ctx context.Context, n int, make func([]crypto.Leaf, []crypto.Key) (command.Command, error)) (Receipt, error) {
	var receipt Receipt
	var err error
	for range staleRetries {
		var leaves []crypto.Leaf
		var keys []crypto.Key
		if leaves, keys, err = p.leaves(ctx, n); err != nil {
			return Receipt{}, explain(err)
		}
		c, err2 := make(leaves, keys)
		if err2 != nil {
			return Receipt{}, err2
		}
		receipt, err = p.do(ctx, c)
		var no refusal
		if !errors.As(err, &no) || no.reason != refuse.StaleTree {
			break
		}
		p.refresh()
	}
	return finish(receipt, err)
}

// leaves hands out n slots with fresh keys, growing the tree where it lacks.
func (p *proposer) leaves(ctx context.Context, n int) ([]crypto.Leaf, []crypto.Key, error) {
	leaves, keys := make([]crypto.Leaf, n), make([]crypto.Key, n)
	for i := range leaves {
		slot, err := p.slot(ctx)
		if err != nil {
			return nil, nil, err
		}
		if leaves[i], keys[i], err = p.ring.NewLeaf(slot); err != nil {
			return nil, nil, err
		}
	}
	return leaves, keys, nil
}

func (p *proposer) slot(ctx context.Context) (uint32, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	nodes, err := p.ring.Grow(p.next)
	if err != nil {
		return 0, err
	}
	if len(nodes) > 0 {
		_, err := p.do(ctx, command.GrowTree{Stamp: p.own(), Nodes: nodes})
		var no refusal
		if err != nil && !(errors.As(err, &no) && no.reason == refuse.StaleTree) {
			return 0, err
		}
	}
	slot := p.next
	p.next++
	return slot, nil
}

// refresh looks up which slots are taken, after another proposer took some.
func (p *proposer) refresh() error {
	var mark uint64
	err := p.store.View(func(tx *store.Tx) (err error) {
		mark, err = tx.Meta("slots")
		return err
	})
	p.mu.Lock()
	p.next = max(p.next, uint32(mark))
	p.mu.Unlock()
	return err
}

// sayTries is how often an entry is made again when the feed has grown meanwhile.
const sayTries = 8

// proposeEntry gives make the final bytes of body as the next entry of the
// territory's feed, and again when another entry came first. The body stays the
// same: noise in it is drawn once.
func (p *proposer) proposeEntry(ctx context.Context, body public.Message, make func(entry []byte) command.Command) (Receipt, error) {
	var receipt Receipt
	if err := p.speakable(ctx); err != nil {
		return Receipt{}, err
	}
	var err error
	for range sayTries {
		var e public.Entry
		if e, err = p.nextEntry(body); err != nil {
			return Receipt{}, explain(err)
		}
		entry, err2 := public.Encode(e)
		if err2 != nil {
			return Receipt{}, invalid("", "out-of-range", "a number of this message is out of its bounds")
		}
		receipt, err = p.do(ctx, make(entry))
		var no refusal
		if !errors.As(err, &no) || no.reason != refuse.StaleFeed {
			break
		}
	}
	return finish(receipt, err)
}

// dayEntries is how many entries of one day a feed may hold, of as many as the hubs
// take: some are left for what one command appends together.
const dayEntries, coordinatorDayEntries = federation.DayEntries - 10, federation.CoordinatorDayEntries - 10

// errQuota says that the day's share of the feed is used up.
var errQuota = &Error{Kind: Conflict, Code: "feed-quota", Reason: "as much was said to others today as the hubs take in a day; go on tomorrow"}

// nextEntry is body at the end of the feed, made today. The hubs take nothing behind
// an entry that is dated back or above the day's quota, for good: so its day is never
// before that of the entry before it, whatever the clock says, and what would be too
// much is not said. [errQuota].
func (p *proposer) nextEntry(body public.Message) (e public.Entry, err error) {
	from, err := public.ParseSiren(p.siren)
	if err != nil {
		return e, fmt.Errorf("node: the territory's own number is wrong: %w", err)
	}
	var feed egress.Feed
	day := public.DayOf(p.now())
	err = p.store.View(func(tx *store.Tx) error {
		err := store.Feeds.Each(tx, nil, func(f egress.Feed) bool {
			feed = f // epochs sort
			return true
		})
		if err != nil {
			return err
		}
		t, _, err := store.Territories.Get(tx, []byte{0})
		if err != nil {
			return err
		}
		most := uint64(dayEntries)
		if t.Role == territory.RoleCoordinator {
			most = coordinatorDayEntries
		}
		for said := uint64(0); said < feed.Size; said++ {
			l, ok, err := store.Leaves.Get(tx, egress.Key(feed.Epoch, feed.Size-1-said))
			if err != nil || !ok {
				return err
			}
			if last := saidOn(l.Bytes, from); last < day {
				return nil
			} else if said == 0 {
				day = last
			}
			if said+1 >= most {
				return errQuota
			}
		}
		return nil
	})
	if err != nil {
		return e, err
	}
	return public.Entry{From: from, Epoch: max(feed.Epoch, 1), Seq: feed.Size, Day: day, Body: body}, nil
}

// laplace hides people in figures. It stays what it is but in a test that compares
// two nodes.
var laplace = noise.Laplace()

// saidOn is the day of an entry of our own.
func saidOn(b []byte, own public.Siren) public.Day {
	if e, err := public.Decode(b); err == nil {
		return e.Day
	}
	e, _ := bulletin.Decode(b, own)
	return e.Day
}

// noised is the release of a quarter: what nobody stands behind as it is, the rest
// with Laplace noise such that one unit of a group, by all its cells together, is
// hidden as the catalogue promises. It draws at each call: see [Quarters.freeze].
func (p *proposer) noised(v release.Vector, spent public.Odometer) (public.Release, error) {
	receipt, err := spent.Charge(v.Catalogue, v.Quarter)
	if err != nil {
		return public.Release{}, &Error{Kind: Conflict, Code: refuse.BudgetSpent.Code(), Reason: err.Error()}
	}
	cells := make([]int32, 0, len(v.Cells))
	for _, g := range public.Catalogue(v.Catalogue) {
		for _, n := range v.Cells[len(cells):][:g.Cells] {
			if g.Unit != public.Institution {
				drawn, err := laplace.AddNoiseInt64(int64(n), 1, int64(g.Bound), float64(g.Budget)/1e6, 0)
				if err != nil {
					return public.Release{}, fmt.Errorf("drawing noise: %w", err)
				}
				n = public.Clamp(drawn)
			}
			cells = append(cells, n)
		}
	}
	return receipt.Release(cells)
}

// own is the stamp of what the node does of itself.
func (p *proposer) own() command.Stamp {
	return command.Stamp{At: p.clock(), Purpose: command.Operating}
}

// Boxes are deterministic CBOR. The form has a number: schema 1.
var (
	boxEncoding = must(cbor.CoreDetEncOptions().EncMode())
	boxDecoding = must(cbor.DecOptions{ExtraReturnErrors: cbor.ExtraDecErrorUnknownField}.DecMode())
)

const boxSchema = 1

func must[T any](v T, err error) T {
	if err != nil {
		panic("node: " + err.Error())
	}
	return v
}

// seal closes words under a person's key, bound to their place.
func (p *proposer) seal(key crypto.Key, collection string, id [16]byte, version uint32, words any) ([]byte, error) {
	plain, err := boxEncoding.Marshal(words)
	if err != nil {
		return nil, fmt.Errorf("encoding words: %w", err)
	}
	return key.Seal(plain, boxPlace(p.siren, collection, id, version)), nil
}

func boxPlace(siren, collection string, id [16]byte, version uint32) []byte {
	v := []byte{boxSchema, byte(version >> 24), byte(version >> 16), byte(version >> 8), byte(version)}
	return crypto.Place([]byte("words v1"), []byte(siren), []byte(collection), id[:], v)
}

// systemClock is the clock of a node in service.
func systemClock() time.Time { return time.Now() }
