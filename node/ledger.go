package node

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"sync"
	"time"

	"github.com/bippop/bippop/federation/bulletin"
	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/ledger"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/egress"
	"github.com/bippop/bippop/node/internal/store"
	"golang.org/x/mod/sumdb/tlog"
)

// Ledger is everything that has ever left the territory for another one or for the
// nation: the very bytes, in order, with their proof.
type Ledger struct {
	*core
	tree *rosterTree
}

func newLedger(c *core) *Ledger { return &Ledger{c, &rosterTree{}} }

// LedgerFeed is one epoch of the territory's feed.
type LedgerFeed struct {
	Epoch   uint16
	Size    uint64
	Counts  uint64 // of a former epoch: how many entries the next one follows; else Size
	Settled int64  // received by as many witnesses as the roster asks for, as far as this machine knows
	Frozen  Instant
}

// LedgerEntry is one thing that was said.
type LedgerEntry struct {
	Epoch    uint16
	Seq      uint64
	Day      Date8601 // as others read it
	At       Instant  // when it was recorded here; this never leaves
	Kind     public.Kind
	Body     public.Message  // nil: the coordinator's own words
	Bulletin *BulletinNotice // the coordinator's own words
	Bytes    []byte          // what left
	Hash     string          // of the leaf in the tree, hexadecimal
	Settled  bool            // enough witnesses have received it
	Counts   bool            // it was not left behind by a new epoch
}

// BulletinNotice is what of a bulletin a list shows.
type BulletinNotice struct {
	Number uint32
	Title  string
	Piece  bool // a part of a PDF
}

// Feeds are the epochs of the territory's feed, oldest first; empty before the first
// federation.
func (s *Ledger) Feeds(by Caller) (out []LedgerFeed, err error) {
	if err := by.may(ReadLedger); err != nil {
		return nil, err
	}
	return s.feeds()
}

func (s *Ledger) feeds() (out []LedgerFeed, err error) {
	err = s.view(itself, func(tx *store.Tx) error {
		return store.Feeds.Each(tx, nil, func(f egress.Feed) bool {
			if n := len(out); n > 0 {
				out[n-1].Counts = f.After
			}
			out = append(out, LedgerFeed{Epoch: f.Epoch, Size: f.Size, Counts: f.Size, Frozen: f.Frozen})
			return true
		})
	})
	for i := range out {
		if point, err := s.federating.own.points.read(out[i].Epoch); err == nil {
			out[i].Settled = point.Head.Size
		}
	}
	return out, err
}

// Genesis is the digest of the first entry of the roster that the territory has joined,
// hexadecimal, which the check of the ledger is given; empty before it joins one. Who
// checks takes it from the invitation on paper: a machine that lies, lies here as well.
func (s *Ledger) Genesis(by Caller) (string, error) {
	if err := by.may(ReadLedger); err != nil {
		return "", err
	}
	m, err := s.membership()
	if err != nil || m.Joined == 0 {
		return "", err
	}
	return hex.EncodeToString(m.Genesis[:]), nil
}

// LedgerPage is which entries are wanted: those of an epoch before a place, newest
// first.
type LedgerPage struct {
	Epoch  uint16 // 0: the newest
	Before uint64 // 0: from the newest on
	Limit  int    // 1 to 100; 0: 50
}

// Entries lists what has left, newest first; more says that there are older ones.
func (s *Ledger) Entries(by Caller, page LedgerPage) (out []LedgerEntry, more bool, err error) {
	if err := by.may(ReadLedger); err != nil {
		return nil, false, err
	}
	f, err := s.epoch(page.Epoch)
	if err != nil || f.Size == 0 {
		return nil, false, err
	}
	if page.Before == 0 || page.Before > f.Size {
		page.Before = f.Size
	}
	if page.Limit <= 0 || page.Limit > 100 {
		page.Limit = 50
	}
	from := page.Before - min(page.Before, uint64(page.Limit))
	leaves, err := said{s.core}.leaves(f.Epoch, from, int(page.Before-from))
	if err != nil {
		return nil, false, err
	}
	for i := len(leaves) - 1; i >= 0; i-- {
		out = append(out, s.entry(f, leaves[i]))
	}
	return out, from > 0, nil
}

// Entry is one of them. NotFound.
func (s *Ledger) Entry(by Caller, epoch uint16, seq uint64) (LedgerEntry, error) {
	if err := by.may(ReadLedger); err != nil {
		return LedgerEntry{}, err
	}
	f, err := s.epoch(epoch)
	if err != nil {
		return LedgerEntry{}, err
	}
	leaves, err := said{s.core}.leaves(f.Epoch, seq, 1)
	if err != nil {
		return LedgerEntry{}, err
	}
	if seq >= f.Size || len(leaves) == 0 {
		return LedgerEntry{}, errNoEntry
	}
	return s.entry(f, leaves[0]), nil
}

var errNoEntry = &Error{Kind: NotFound, Code: "no-entry", Reason: "nothing with this number has left the territory"}

// epoch is one by number, the newest for 0, or the zero LedgerFeed before the first.
func (s *Ledger) epoch(number uint16) (LedgerFeed, error) {
	all, err := s.feeds()
	if err != nil || len(all) == 0 {
		return LedgerFeed{}, err
	}
	for _, f := range all {
		if f.Epoch == number {
			return f, nil
		}
	}
	if number != 0 {
		return LedgerFeed{}, errNoEntry
	}
	return all[len(all)-1], nil
}

func (s *Ledger) entry(f LedgerFeed, l egress.Leaf) LedgerEntry {
	hash := tlog.RecordHash(l.Bytes)
	out := LedgerEntry{Epoch: l.Epoch, Seq: l.Seq, At: l.At, Bytes: l.Bytes, Hash: hex.EncodeToString(hash[:]), Settled: int64(l.Seq) < f.Settled, Counts: l.Seq < f.Counts}
	day := func(d public.Day) Date8601 { return Date8601(d.Time().Format(time.DateOnly)) }
	if e, err := public.Decode(l.Bytes); err == nil {
		out.Day, out.Kind, out.Body = day(e.Day), e.Body.Kind(), e.Body
		return out
	}
	own, _ := public.ParseSiren(s.siren)
	e, err := bulletin.Decode(l.Bytes, own)
	if err != nil {
		return out // of a newer program; its bytes are shown
	}
	out.Day, out.Kind = day(e.Day), e.Body.Kind()
	switch b := e.Body.(type) {
	case bulletin.Bulletin:
		out.Bulletin = &BulletinNotice{Number: b.Number, Title: b.Title}
	case bulletin.Piece:
		out.Bulletin = &BulletinNotice{Piece: true}
	}
	return out
}

// LedgerProof shows that an entry stands in what was signed: whoever hashes the
// entry and the path comes to the checkpoint's root (RFC 6962).
type LedgerProof struct {
	Checkpoint string   // signed by the territory's machines, cosigned by witnesses
	Index      uint64   // of the entry
	Size       int64    // of the tree
	Path       []string // base64
	Hash       string   // of the leaf, hexadecimal
}

// Proof of an entry that is settled. NotFound.
func (s *Ledger) Proof(by Caller, epoch uint16, seq uint64) (out LedgerProof, err error) {
	e, err := s.Entry(by, epoch, seq)
	if err != nil {
		return out, err
	}
	point, err := s.federating.own.points.read(e.Epoch)
	if err != nil {
		return out, err
	}
	if int64(seq) >= point.Head.Size {
		return out, &Error{Kind: NotFound, Code: "no-proof", Reason: "no hub has confirmed this entry to this machine yet; look again in some minutes"}
	}
	path, err := tlog.ProveRecord(point.Head.Size, int64(seq), said{s.core}.hashes(e.Epoch))
	if err != nil {
		return out, err
	}
	out = LedgerProof{Checkpoint: string(point.Signed), Index: seq, Size: point.Head.Size, Hash: e.Hash}
	for _, h := range path {
		out.Path = append(out.Path, base64.StdEncoding.EncodeToString(h[:]))
	}
	return out, nil
}

// File is one file of the ledger as anybody may read it, in the layout of package
// federation/ledger: tiles, checkpoints, the list of feeds. NotFound for all else.
func (s *Ledger) File(ctx context.Context, path string) ([]byte, error) {
	all, err := s.whole()
	if err != nil {
		return nil, err
	}
	b, err := all.Read(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &Error{Kind: NotFound, Code: "not-found", Reason: "there is no such file in this ledger"}
	}
	return b, explain(err)
}

// whole is the ledger up to what has settled.
func (s *Ledger) whole() (out ledger.Ledger, err error) {
	feeds, err := s.feeds()
	if err != nil {
		return out, err
	}
	siren, err := public.ParseSiren(s.siren)
	if err != nil {
		return out, err
	}
	for _, f := range feeds {
		point, err := s.federating.own.points.read(f.Epoch)
		if err != nil || point.Signed == nil {
			continue
		}
		out.Feeds = append(out.Feeds, ledger.Feed{Siren: siren, Epoch: f.Epoch, Log: ledger.Log{
			Checkpoint: point, Hashes: said{s.core}.hashes(f.Epoch),
			Entries: func(_ context.Context, from, to int64) ([][]byte, error) {
				leaves, err := said{s.core}.leaves(f.Epoch, uint64(from), int(to-from))
				entries := make([][]byte, len(leaves))
				for i, l := range leaves {
					entries[i] = l.Bytes
				}
				return entries, err
			},
		}})
	}
	if host := s.federating.speaker(); host != nil {
		out.Roster = ledger.Log{Checkpoint: host.Fresh(), Hashes: s.tree.of(s.federating.rosters), Entries: func(_ context.Context, from, to int64) ([][]byte, error) {
			entries, err := s.federating.rosters.Entries(uint64(from))
			if err != nil || int64(len(entries)) < to-from {
				return nil, errors.Join(err, feed.ErrGap)
			}
			return entries[:to-from], nil
		}}
	}
	return out, nil
}

// rosterTree holds the stored hashes of the roster, which the record does not keep:
// it is short. Safe for concurrent use.
type rosterTree struct {
	mu     sync.Mutex // guards what follows, while new entries are hashed
	first  [32]byte   // of the roster that they are of
	size   uint64
	hashes []tlog.Hash
}

// of reads the hashes of the roster as it is now.
func (t *rosterTree) of(r *rosters) tlog.HashReader {
	return tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		t.mu.Lock()
		defer t.mu.Unlock()
		m, err := r.core.membership()
		if err != nil {
			return nil, err
		}
		if t.first != m.Genesis || t.size > m.Version {
			t.first, t.size, t.hashes = m.Genesis, 0, nil
		}
		entries, err := r.Entries(t.size)
		if err != nil {
			return nil, err
		}
		own := tlog.HashReaderFunc(func(at []int64) (out []tlog.Hash, err error) {
			for _, i := range at {
				if i >= int64(len(t.hashes)) {
					return nil, errors.New("a hash of the roster is missing")
				}
				out = append(out, t.hashes[i])
			}
			return out, nil
		})
		for _, b := range entries {
			more, err := tlog.StoredHashes(int64(t.size), b, own)
			if err != nil {
				return nil, err
			}
			t.hashes, t.size = append(t.hashes, more...), t.size+1
		}
		return own.ReadHashes(at)
	})
}
