package machine

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/bippop/bippop/federation/bulletin"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/egress"
	"github.com/bippop/bippop/node/internal/event"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/store"
	"golang.org/x/mod/sumdb/tlog"
)

// egresses are the commands about what leaves the territory.
type egresses struct{ *act }

// theMembership is the ID of the one record of its collection.
var theMembership = []byte{0}

// feed is the newest epoch; the zero Feed without a federation.
func (a egresses) feed() (f egress.Feed) {
	a.must(store.Feeds.Each(a.tx, nil, func(e egress.Feed) bool {
		f = e // epochs sort
		return true
	}))
	return f
}

// membership is the zero Membership without a federation.
func (a egresses) membership() egress.Membership {
	m, _, err := store.Memberships.Get(a.tx, theMembership)
	a.must(err)
	return m
}

// read decodes an entry that a command carries, and refuses one that may not be
// appended now. One that is not of one of the kinds stops the machine: the
// proposer is at fault. Nothing is written.
func (a egresses) read(b []byte, kinds ...public.Kind) (public.Entry, error) {
	e, err := a.decode(b)
	if err != nil {
		return e, err
	}
	if !slices.Contains(kinds, e.Body.Kind()) {
		panic(fmt.Sprintf("machine: entry %d: a command of kind %d carries what is no message of its own", a.index, a.kind))
	}
	if !a.membership().Belongs() {
		return e, refuse.NotFederated
	}
	return e, a.feed().Next(e)
}

// decode reads an entry of the territory's own.
func (a egresses) decode(b []byte) (public.Entry, error) {
	e, err := public.Decode(b)
	if err != nil {
		panic(fmt.Sprintf("machine: entry %d: a command of kind %d carries no message", a.index, a.kind))
	}
	t, ok, err := store.Territories.Get(a.tx, theTerritory)
	a.must(err)
	if !ok {
		return e, refuse.NotFounded
	}
	if e.From.String() != t.Siren {
		panic(fmt.Sprintf("machine: entry %d: a message in another territory's name", a.index))
	}
	return e, nil
}

// append adds an entry that read has let pass: the exact bytes, in the same
// transaction as what they tell of. A release pays here, whoever brings it: its
// command must have seen that it can.
func (a egresses) append(b []byte) {
	f := a.feed()
	hashes, err := tlog.StoredHashes(int64(f.Size), b, a.hashes(f.Epoch))
	a.must(err)
	at := tlog.StoredHashCount(int64(f.Size))
	for i, h := range hashes {
		store.Hashes.Put(a.tx, egress.Hash{Epoch: f.Epoch, Index: uint64(at) + uint64(i), Hash: h})
	}
	store.Leaves.Put(a.tx, egress.Leaf{Epoch: f.Epoch, Seq: f.Size, Bytes: b, At: a.stamp.At})
	if e, err := public.Decode(b); err == nil { // else the coordinator's own words
		if r, ok := e.Body.(public.Release); ok {
			f.Spent, err = f.Spent.Follow(r)
			a.must(err)
		}
	}
	f.Size++
	store.Feeds.Put(a.tx, f)
	a.happen(event.FeedChanged{Epoch: f.Epoch})
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

// root is that of an epoch when it had size entries.
func (a egresses) root(epoch uint16, size uint64) tlog.Hash {
	h, err := tlog.TreeHash(int64(size), a.hashes(epoch))
	a.must(err)
	return h
}

// say appends what changes nothing else.
func (a egresses) say(c command.Say) (Reply, error) {
	if _, err := a.read(c.Entry, public.KindPresence, public.KindRetract); err != nil {
		return Reply{}, err
	}
	a.append(c.Entry)
	return Reply{}, nil
}

// join pins a roster, and begins the feed if there is none. A feed is begun once
// in a territory's life: it goes on in whatever federation comes next.
func (a egresses) join(c command.JoinFederation) (Reply, error) {
	m := a.membership()
	switch {
	case a.stamp.By.Zero():
		return Reply{}, refuse.PersonNeeded
	case m.Belongs():
		return Reply{}, refuse.AlreadyFederated
	case m.Genesis != c.Genesis:
		for n := range m.Version {
			store.Roster.Delete(a.tx, egress.Key(0, n))
		}
		m = egress.Membership{Genesis: c.Genesis}
	}
	m.Joined, m.By, m.Invitation, m.Left = a.stamp.At, a.stamp.By, c.Invitation, 0
	store.Memberships.Put(a.tx, m)
	if a.feed().Epoch == 0 {
		f := egress.Feed{Epoch: 1}
		revived, err := a.tx.Meta("revived")
		a.must(err)
		if revived != 0 { // the backup may be older than the first thing that was said
			f.Restored = a.stamp.At
		}
		store.Feeds.Put(a.tx, f)
		a.happen(event.FeedChanged{Epoch: 1})
	}
	a.happen(event.RosterChanged{})
	return Reply{}, nil
}

func (a egresses) leave(command.LeaveFederation) (Reply, error) {
	m := a.membership()
	switch {
	case a.stamp.By.Zero():
		return Reply{}, refuse.PersonNeeded
	case !m.Belongs():
		return Reply{}, refuse.NotFederated
	}
	m.Left, m.LeftBy = a.stamp.At, a.stamp.By
	store.Memberships.Put(a.tx, m)
	a.happen(event.RosterChanged{})
	return Reply{}, nil
}

// takeRoster checks what it can without knowing what entries say: that they begin
// where the known ones end, and the first one is the one that was invited to.
func (a egresses) takeRoster(c command.TakeRoster) (Reply, error) {
	m := a.membership()
	switch {
	case !m.Belongs():
		return Reply{}, refuse.NotFederated
	case m.Genesis != c.Genesis:
		return Reply{}, refuse.OtherGenesis
	case m.Version != c.From || len(c.Entries) == 0:
		return Reply{}, refuse.StaleRoster
	case c.From == 0 && sha256.Sum256(c.Entries[0]) != m.Genesis:
		return Reply{}, refuse.OtherGenesis
	}
	for _, b := range c.Entries {
		store.Roster.Put(a.tx, egress.RosterEntry{Seq: m.Version, Bytes: b})
		m.Version++
	}
	store.Memberships.Put(a.tx, m)
	a.happen(event.RosterChanged{})
	return Reply{}, nil
}

func (a egresses) freeze(c command.FreezeFeed) (Reply, error) {
	f := a.feed()
	switch {
	case f.Epoch == 0:
		return Reply{}, refuse.NotFederated
	case f.Epoch != c.Epoch:
		return Reply{}, refuse.StaleFeed
	case f.Frozen != 0:
		return Reply{}, refuse.FeedFrozen
	}
	f.Frozen, f.Evidence = a.stamp.At, c.Evidence
	store.Feeds.Put(a.tx, f)
	a.happen(event.FeedChanged{Epoch: f.Epoch})
	return Reply{}, nil
}

// openEpoch begins the feed anew. What was spent stays spent: releases that do not
// count any more are said again, with the same figures and of the same day, so that
// they are the same bytes whenever and wherever the epoch is opened.
func (a egresses) openEpoch(c command.OpenEpoch) (Reply, error) {
	f := a.feed()
	switch {
	case !a.membership().Belongs():
		return Reply{}, refuse.NotFederated
	case c.Epoch <= f.Epoch:
		return Reply{}, refuse.StaleFeed
	case c.Size > f.Size || a.root(f.Epoch, c.Size) != c.Root:
		return Reply{}, refuse.OtherRoot
	}
	former := a.all()
	former[len(former)-1].Size = c.Size
	spent, lost := a.releases(former)
	if len(c.Again) != len(lost) {
		return Reply{}, refuse.StaleFeed
	}
	for i, b := range c.Again {
		e, err := a.decode(b)
		if err != nil {
			return Reply{}, err
		}
		again, err := public.Encode(public.Entry{From: e.From, Epoch: c.Epoch, Seq: uint64(i), Day: lost[i].Day, Body: lost[i].Body})
		if err != nil || !bytes.Equal(again, b) {
			return Reply{}, refuse.StaleFeed
		}
	}
	store.Feeds.Put(a.tx, egress.Feed{Epoch: c.Epoch, After: c.Size, Spent: spent, Restored: f.Restored})
	for _, b := range c.Again {
		a.append(b)
	}
	a.happen(event.FeedChanged{Epoch: c.Epoch})
	return Reply{}, nil
}

// all are the epochs with as much of each as counts: the size of all but the
// newest is what the next one follows.
func (a egresses) all() (feeds []egress.Feed) {
	a.must(store.Feeds.Each(a.tx, nil, func(f egress.Feed) bool {
		if n := len(feeds); n > 0 {
			feeds[n-1].Size = f.After
		}
		feeds = append(feeds, f)
		return true
	}))
	return feeds
}

// releases are what those that count have spent, and what of the last epoch does not
// count and is to be said again: releases, and receipts of dossiers.
func (a egresses) releases(feeds []egress.Feed) (spent public.Odometer, lost []public.Entry) {
	counts := map[uint16]uint64{}
	for _, f := range feeds {
		counts[f.Epoch] = f.Size
	}
	last := feeds[len(feeds)-1].Epoch
	a.must(store.Leaves.Each(a.tx, nil, func(l egress.Leaf) bool {
		e, err := public.Decode(l.Bytes)
		if err != nil { // the coordinator's own words
			return true
		}
		counted := l.Seq < counts[l.Epoch]
		if r, ok := e.Body.(public.Release); ok && counted {
			spent, err = spent.Follow(r)
			a.must(err)
		}
		if !counted && l.Epoch == last && egress.SaidAgain(e.Body) {
			lost = append(lost, e)
		}
		return true
	}))
	return spent, lost
}

// takeBack appends what this record has lost and the hubs have kept: the same
// bytes, with the same effect as when they were first appended.
func (a egresses) takeBack(c command.TakeBack) (Reply, error) {
	f := a.feed()
	f.Restored = 0
	places, said := make([]public.Entry, len(c.Entries)), make([]any, len(c.Entries))
	for i, b := range c.Entries {
		place, body, err := a.recall(b)
		if err == nil {
			err = f.Next(place)
		}
		if err != nil {
			return Reply{}, err
		}
		if r, ok := body.(public.Release); ok {
			if f.Spent, err = f.Spent.Follow(r); err != nil {
				return Reply{}, refuse.WrongHistory
			}
		}
		f.Size++
		places[i], said[i] = place, body
	}
	for i, b := range c.Entries {
		a.append(b)
		a.regain(places[i], said[i])
	}
	if f = a.feed(); c.Whole && f.Restored != 0 {
		f.Restored = 0
		store.Feeds.Put(a.tx, f)
		a.happen(event.FeedChanged{Epoch: f.Epoch})
	}
	return Reply{}, nil
}

// revive marks the feed of a territory that comes back from a backup.
func (a egresses) revive() {
	a.tx.SetMeta("revived", 1)
	if f := a.feed(); f.Epoch != 0 {
		f.Restored = max(a.stamp.At, 1)
		store.Feeds.Put(a.tx, f)
	}
}

// recall reads an entry of the territory's own: where it stands, and what it says,
// a [public.Message] or, on the coordinator's node, a [bulletin.Entry].
func (a egresses) recall(b []byte) (place public.Entry, body any, err error) {
	if _, err := public.Decode(b); !errors.Is(err, public.ErrKind) {
		e, err := a.decode(b)
		return e, e.Body, err
	}
	t, err := find(a.act, store.Territories, theTerritory, refuse.NotFounded)
	if err != nil {
		return public.Entry{}, nil, err
	}
	own, err := public.ParseSiren(t.Siren)
	a.must(err)
	e := bulletins(a).decode(b, own)
	return public.Entry{From: e.From, Epoch: e.Epoch, Seq: e.Seq, Day: e.Day}, e, nil
}

// regain does to other records what the command did that first appended an entry.
// The figures of a quarter stand in the entry alone.
func (a egresses) regain(e public.Entry, body any) {
	switch body := body.(type) {
	case bulletin.Entry:
		bulletins(a).regain(body)
	case public.Handover:
		handovers{a.act}.regain(body)
	case public.Release, public.Presence:
	default:
		regained{crossings{a.act}}.takeBack(e)
	}
}
