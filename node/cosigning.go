package node

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/bippop/bippop/consensus/mesh"
	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"github.com/bippop/bippop/node/internal/egress"
	"github.com/bippop/bippop/node/internal/replica"
	"github.com/bippop/bippop/node/internal/store"
	"golang.org/x/mod/sumdb/tlog"
)

// cosigning is this replica's word over the territory's feed. A checkpoint counts
// with the signatures of a majority, and each replica signs only a head that its own
// machine has applied, never one that is smaller than or contradicts what it has
// signed before. So two heads that contradict each other never both have a majority,
// whoever leads and whatever he says. Safe for concurrent use.
type cosigning struct {
	*core
	signer     feed.Signer
	comparison comparison

	mu   sync.Mutex // held while a head is signed: one promise at a time
	file signedFile
}

func newCosigning(c *core) *cosigning {
	return &cosigning{core: c, comparison: comparison{since: c.cfg.Now().Truncate(time.Second)}, signer: feed.NewReplicaSigner(replicaKeyName(c.siren, c.self), c.seedOf("federation cosign")), file: newSignedFile(c.cfg, c.self)}
}

// replicaKeyName is the name of a replica's key in checkpoints.
func replicaKeyName(siren string, self ReplicaID) string {
	return "bippop/" + siren + "/" + self.String()
}

// Messages between replicas about the feed.
type (
	// signMessage asks a replica for its signature over the feed's head. Said are
	// checkpoints that witnesses have lately cosigned: what the hubs hold.
	signMessage struct {
		Origin string   `cbor:"1,keyasint"`
		Size   int64    `cbor:"2,keyasint"`
		Root   [32]byte `cbor:"3,keyasint"`
		Index  uint64   `cbor:"4,keyasint"` // at which the asking replica had it
		Said   [][]byte `cbor:"5,keyasint"`
	}
	signedMessage struct {
		Signed []byte `cbor:"1,keyasint"`
	}
	// keysMessage is how a replica appears in the roster.
	keysMessage struct {
		Peer string `cbor:"1,keyasint"`
		Key  string `cbor:"2,keyasint"`
	}
)

// Reasons not to sign. They name what the operator can look at.
var (
	errNotMember     = &Error{Kind: Unavailable, Code: "not-member", Reason: "the roster does not name this territory, or names it in another epoch; send the application to the coordinator: bippop federation apply"}
	errHubsAhead     = &Error{Kind: Unavailable, Code: "hubs-ahead", Reason: "the hubs hold more of this territory's feed than it does itself; it takes that back before it speaks"}
	errContradiction = &Error{Kind: Conflict, Code: "feed-contradiction", Reason: "this would contradict what was signed of this territory's feed before; it is not signed"}
	errTooFewSigned  = &Error{Kind: Unavailable, Code: "too-few-signed", Reason: "too few of the territory's machines have signed what should leave; start the missing ones, and compare their keys with the roster's: bippop federation status"}
)

// place is the newest epoch of the feed as this replica holds it, and what makes a
// checkpoint of it count today. [errNotMember].
func (c *cosigning) place() (f egress.Feed, p feed.Policy, err error) {
	if f, err = (said{c.core}).newest(); err != nil {
		return f, p, err
	}
	if f.Epoch == 0 {
		return f, p, errNotMember
	}
	siren, err := public.ParseSiren(c.siren)
	if err != nil {
		return f, p, err
	}
	state := c.federating.rosters.State()
	if state == nil {
		return f, p, errNotMember
	}
	p, ok := state.Policy(siren, f.Epoch)
	if !ok {
		return f, p, errNotMember
	}
	return f, p, nil
}

// said is what the territory has said, as this replica holds it.
type said struct{ *core }

// newest is the zero Feed without a federation.
func (c said) newest() (f egress.Feed, err error) {
	err = c.view(itself, func(tx *store.Tx) error {
		return store.Feeds.Each(tx, nil, func(e egress.Feed) bool {
			f = e // epochs sort
			return true
		})
	})
	return f, err
}

// hashes reads the stored hashes of an epoch.
func (c said) hashes(epoch uint16) tlog.HashReader {
	return tlog.HashReaderFunc(func(at []int64) (out []tlog.Hash, err error) {
		err = c.view(itself, func(tx *store.Tx) error {
			for _, n := range at {
				h, ok, err := store.Hashes.Get(tx, egress.Key(epoch, uint64(n)))
				if err != nil {
					return err
				}
				if !ok {
					return errors.New("a hash of the feed is missing")
				}
				out = append(out, h.Hash)
			}
			return nil
		})
		return out, err
	})
}

// head is the feed's head when it had size entries, as this replica holds it.
func (c said) head(epoch uint16, size int64) (feed.Head, error) {
	root, err := tlog.TreeHash(size, c.hashes(epoch))
	return feed.Head{Size: size, Root: root}, err
}

// holds reports whether this replica holds a head: [errHubsAhead], or
// [errContradiction].
func (c *cosigning) holds(f egress.Feed, h feed.Head) error {
	if h.Size > int64(f.Size) {
		return errHubsAhead
	}
	ours, err := said{c.core}.head(f.Epoch, h.Size)
	switch {
	case err != nil:
		return err
	case ours != h:
		return errContradiction
	}
	return nil
}

// sign gives this replica's signature over a head.
func (c *cosigning) sign(ctx context.Context, in signMessage) (signedMessage, error) {
	if err := c.replica.Wait(ctx, in.Index); err != nil {
		return signedMessage{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	f, policy, err := c.place()
	switch {
	case err != nil:
		return signedMessage{}, err
	case f.Frozen != 0 || in.Origin != policy.Origin:
		return signedMessage{}, errContradiction
	}
	head := feed.Head{Size: in.Size, Root: in.Root}
	if err := c.holds(f, head); err != nil {
		return signedMessage{}, err
	}
	for _, b := range in.Said {
		if point, err := feed.ParseCheckpoint(b); err == nil {
			c.comparison.note(policy, point, c.now())
		}
	}
	if err := c.comparison.compared(policy, c.now(), func(h feed.Head) error { return c.holds(f, h) }); err != nil {
		return signedMessage{}, err
	}
	if last, ok := c.file.read(); ok && last.Epoch >= f.Epoch {
		was := feed.Head{Size: last.Size, Root: last.Root}
		if last.Epoch > f.Epoch || head.Size < was.Size {
			return signedMessage{}, errContradiction
		}
		if err := c.holds(f, was); err != nil {
			return signedMessage{}, err
		}
	}
	signed, err := c.signer.Sign(feed.Checkpoint{Origin: policy.Origin, Head: head}, c.now())
	if err != nil {
		return signedMessage{}, err
	}
	if err := c.file.write(signedHead{Epoch: f.Epoch, Size: head.Size, Root: head.Root}); err != nil {
		c.health.note(err)
		return signedMessage{}, wrap("keeping what this replica has signed", err)
	}
	return signedMessage{signed.Signed}, nil
}

// collect asks all replicas for their signatures over the feed's present head and
// returns once enough have signed. [errNotMember]; this replica's own reason; else
// [errTooFewSigned] with what each of the others has said.
func (c *cosigning) collect(ctx context.Context) (feed.Checkpoint, error) {
	f, policy, err := c.place()
	if err != nil {
		return feed.Checkpoint{}, err
	}
	head, err := said{c.core}.head(f.Epoch, int64(f.Size))
	if err != nil {
		return feed.Checkpoint{}, err
	}
	in := signMessage{Origin: policy.Origin, Size: head.Size, Root: head.Root, Index: c.replica.Applied()}
	for _, point := range c.comparison.fresh(policy, c.now()) {
		in.Said = append(in.Said, point.Signed)
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	type answer struct {
		said signedMessage
		from replica.Replica
		err  error
	}
	others := c.members.present()
	answers := make(chan answer, len(others))
	for _, r := range others {
		go func() {
			if r.ID == c.self {
				said, err := c.sign(ctx, in)
				answers <- answer{said, r, err}
				return
			}
			if c.peers == nil {
				answers <- answer{from: r, err: mesh.ErrUnreachable}
				return
			}
			said, err := askAt[signedMessage](ctx, c.peers, r.At.Peer, "/federation/sign", in)
			answers <- answer{said, r, err}
		}()
	}
	point := feed.Checkpoint{Origin: policy.Origin, Head: head}
	why, own := *errTooFewSigned, error(nil)
	for range others {
		a := <-answers
		signed, err := feed.ParseCheckpoint(a.said.Signed)
		if a.err == nil && err == nil {
			signed, err = policy.Trim(signed) // a key that the roster does not list counts for nothing
		}
		if a.err == nil && err == nil {
			signed, err = feed.Merge(point, signed)
		}
		if err := errors.Join(a.err, err); err != nil {
			c.cfg.Logger.Info("a replica does not sign the feed's head", slog.String("replica", a.from.ID.String()), slog.Int64("size", head.Size), errAttr(err))
			if a.from.ID == c.self {
				own = a.err
			}
			why.Reason += "; " + a.from.Name + ": " + err.Error()
			continue
		}
		point = signed
		if policy.Quorate(point) == nil {
			return point, nil
		}
	}
	if own != nil {
		return feed.Checkpoint{}, own
	}
	return feed.Checkpoint{}, &why
}

// keys are this replica's as the roster names them.
func (c *cosigning) keys(context.Context, nothing) (keysMessage, error) {
	return keysMessage{Peer: roster.PeerOf(c.peerKey()), Key: c.signer.Key()}, nil
}
