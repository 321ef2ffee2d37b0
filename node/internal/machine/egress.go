package machine

import (
	"fmt"
	"slices"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/egress"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/store"
	"golang.org/x/mod/sumdb/tlog"
)

// egresses are the commands about what leaves the territory.
type egresses struct{ *act }

// feed is the newest epoch; the zero Feed without a federation.
func (a egresses) feed() (f egress.Feed) {
	a.must(store.Feeds.Each(a.tx, nil, func(e egress.Feed) bool {
		f = e // epochs sort
		return true
	}))
	return f
}

// read decodes an entry that a command carries, and refuses one that may not be
// appended now, or is not of one of the kinds. Nothing is written.
func (a egresses) read(b []byte, kinds ...public.Kind) (public.Entry, error) {
	e, err := public.Decode(b)
	if err != nil || !slices.Contains(kinds, e.Body.Kind()) {
		panic(fmt.Sprintf("machine: entry %d: a command of kind %d carries what is no message of its own", a.index, a.kind))
	}
	t, ok, err := store.Territories.Get(a.tx, []byte{0})
	a.must(err)
	if !ok {
		return e, refuse.NotFounded
	}
	if e.From.String() != t.Siren {
		panic(fmt.Sprintf("machine: entry %d: a message in another territory's name", a.index))
	}
	return e, a.feed().Next(e)
}

// append adds an entry that read has let pass: the exact bytes, in the same
// transaction as what they tell of.
func (a egresses) append(b []byte) {
	f := a.feed()
	hashes, err := tlog.StoredHashes(int64(f.Size), b, a.hashes(f.Epoch))
	a.must(err)
	at := tlog.StoredHashCount(int64(f.Size))
	for i, h := range hashes {
		store.Hashes.Put(a.tx, egress.Hash{Epoch: f.Epoch, Index: uint64(at) + uint64(i), Hash: h})
	}
	store.Leaves.Put(a.tx, egress.Leaf{Epoch: f.Epoch, Seq: f.Size, Bytes: b, At: a.stamp.At})
	f.Size++
	store.Feeds.Put(a.tx, f)
}

// hashes reads the tree's hashes of an epoch.
func (a egresses) hashes(epoch uint16) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, n := range indexes {
			h, ok, err := store.Hashes.Get(a.tx, egress.Key(epoch, uint64(n)))
			if err != nil {
				return nil, err
			}
			if !ok {
				return nil, fmt.Errorf("hash %d of the feed is missing", n)
			}
			out[i] = h.Hash
		}
		return out, nil
	})
}

// say appends what changes nothing else.
func (a egresses) say(c command.Say) (Reply, error) {
	if _, err := a.read(c.Entry, public.KindPresence, public.KindRetract); err != nil {
		return Reply{}, err
	}
	a.append(c.Entry)
	return Reply{}, nil
}
