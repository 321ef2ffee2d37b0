package node

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"

	"github.com/bippop/bippop/consensus/mesh"
	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/journal"
	"github.com/bippop/bippop/node/internal/replica"
	"github.com/bippop/bippop/node/internal/store"
	"golang.org/x/mod/sumdb/tlog"
)

// journalHeads is this replica's word over the access journal: it signs a head of the
// tree that its own machine has applied, never one that is smaller than or contradicts
// what it has signed before. Whoever would rewrite the journal afterwards needs most
// of the territory's machines. Safe for concurrent use.
type journalHeads struct {
	*core
	signer feed.Signer

	mu   sync.Mutex // held while a head is signed: one promise at a time
	file signedFile
}

func newJournalHeads(c *core) *journalHeads {
	return &journalHeads{
		core: c, signer: feed.NewReplicaSigner(replicaKeyName(c.siren, c.self), c.seedOf("federation cosign")),
		file: signedFile{filepath.Join(c.cfg.Dir, "journal-signed"), c.self.String(), c.cfg.Logger},
	}
}

// journalOrigin names the territory's journal in its heads.
func journalOrigin(siren string) string { return "bippop/" + siren + "/journal" }

// Messages between replicas about the journal's head.
type (
	headMessage struct {
		Size  int64    `cbor:"1,keyasint"`
		Root  [32]byte `cbor:"2,keyasint"`
		Index uint64   `cbor:"3,keyasint"` // at which the asking replica had it
	}
	headSigned struct {
		Signed []byte `cbor:"1,keyasint"`
		Key    string `cbor:"2,keyasint"`
	}
)

// book is the state of the journal, and root that of its tree when it had size
// entries.
func (h *journalHeads) book() (book journal.Book, err error) {
	err = h.store.View(func(tx *store.Tx) error {
		book, _, err = store.JournalBooks.Get(tx, theBook)
		return err
	})
	return book, err
}

func (h *journalHeads) root(size int64) (root tlog.Hash, err error) {
	err = h.store.View(func(tx *store.Tx) error {
		root, err = tlog.TreeHash(size, journal.Hashes(func(index uint64) (journal.Entry, bool, error) {
			return store.JournalEntries.Get(tx, journal.IndexKey(index))
		}))
		return err
	})
	return root, err
}

// holds checks that this replica has a head: [errContradiction].
func (h *journalHeads) holds(size int64, root tlog.Hash) error {
	book, err := h.book()
	if err != nil {
		return err
	}
	if size < 0 || uint64(size) > book.Size {
		return errContradiction
	}
	ours, err := h.root(size)
	if err == nil && ours != root {
		err = errContradiction
	}
	return err
}

// sign gives this replica's signature over a head. [errContradiction].
func (h *journalHeads) sign(ctx context.Context, in headMessage) (out headSigned, err error) {
	if err := h.replica.Wait(ctx, in.Index); err != nil {
		return out, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.holds(in.Size, in.Root); err != nil {
		return out, err
	}
	if last, ok := h.file.read(); ok {
		if in.Size < last.Size {
			return out, errContradiction
		}
		if err := h.holds(last.Size, last.Root); err != nil {
			return out, err
		}
	}
	signed, err := h.signer.Sign(feed.Checkpoint{Origin: journalOrigin(h.siren), Head: feed.Head{Size: in.Size, Root: in.Root}}, h.now())
	if err != nil {
		return out, err
	}
	if err := h.file.write(signedHead{Size: in.Size, Root: in.Root}); err != nil {
		return out, wrap("keeping what this replica has signed of the journal", err)
	}
	return headSigned{signed.Signed, h.signer.Key()}, nil
}

// due has the journal's head signed by most replicas when it has grown. The leader's
// ticker asks every ten minutes, so that a month ends with a head as well.
func (h *journalHeads) due(ctx context.Context) error {
	book, err := h.book()
	if err != nil || book.Size == book.Head.Size {
		return err
	}
	root, err := h.root(int64(book.Size))
	if err != nil {
		return err
	}
	in := headMessage{Size: int64(book.Size), Root: root, Index: h.core.replica.Applied()}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	others := h.members.present()
	type answer struct {
		headSigned
		from replica.Replica
		err  error
	}
	answers := make(chan answer, len(others))
	for _, r := range others {
		go func() {
			a := answer{from: r, err: mesh.ErrUnreachable}
			switch {
			case r.ID == h.self:
				a.headSigned, a.err = h.sign(ctx, in)
			case h.peers != nil:
				a.headSigned, a.err = askAt[headSigned](ctx, h.peers, r.At.Peer, "/journal/sign", in)
			}
			answers <- a
		}()
	}
	point := feed.Checkpoint{Origin: journalOrigin(h.siren), Head: feed.Head{Size: in.Size, Root: root}}
	keep := command.KeepJournalHead{Stamp: h.own(), Size: book.Size, Root: root, Of: uint32(len(others))}
	for range others {
		a := <-answers
		signed, err := feed.ParseCheckpoint(a.Signed)
		if a.err == nil && err == nil {
			policy := feed.Policy{Origin: point.Origin, Replicas: []string{a.Key}, Quorum: 1}
			if err = policy.Quorate(signed); err == nil {
				signed, err = feed.Merge(point, signed)
			}
		}
		if a.err != nil || err != nil {
			h.cfg.Logger.Info("a replica does not sign the journal's head", slog.String("replica", a.from.ID.String()), slog.Int64("size", in.Size), errAttr(either(a.err, err)))
			continue
		}
		point = signed
		keep.Keys = append(keep.Keys, a.Key)
	}
	if 2*len(keep.Keys) <= len(others) {
		return errTooFewSigned
	}
	keep.Signed = point.Signed
	_, err = h.propose(ctx, keep)
	return err
}
