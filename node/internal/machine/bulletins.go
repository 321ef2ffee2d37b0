package machine

import (
	"fmt"

	"github.com/bippop/bippop/federation/bulletin"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/event"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/notice"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/territory"
)

// bulletins are the commands about the coordinator's messages.
type bulletins struct{ *act }

// read decodes an entry of this node's own feed, and refuses one that may not be
// appended now, or on a node that is not the coordinator's.
func (a bulletins) read(b []byte) (bulletin.Entry, error) {
	t, err := find(a.act, store.Territories, theTerritory, refuse.NotFounded)
	if err != nil {
		return bulletin.Entry{}, err
	}
	if t.Role != territory.RoleCoordinator {
		return bulletin.Entry{}, refuse.NotCoordinator
	}
	own, err := public.ParseSiren(t.Siren)
	if err != nil {
		panic(fmt.Sprintf("machine: entry %d: the coordinator's own number is wrong", a.index))
	}
	e := a.decode(b, own)
	return e, egresses{a.act}.feed().Next(public.Entry{Epoch: e.Epoch, Seq: e.Seq})
}

// decode stops at what no proposer may propose.
func (a bulletins) decode(b []byte, coordinator public.Siren) bulletin.Entry {
	e, err := bulletin.Decode(b, coordinator)
	if err != nil {
		panic(fmt.Sprintf("machine: entry %d: a command of kind %d carries what is no message of its own", a.index, a.kind))
	}
	return e
}

// add appends pieces. One that is there already was appended before.
func (a bulletins) add(c command.AddPieces) (Reply, error) {
	for i, b := range c.Entries {
		e, err := a.read(b)
		if err != nil {
			if i > 0 {
				panic(fmt.Sprintf("machine: entry %d: pieces that do not follow each other", a.index))
			}
			return Reply{}, err
		}
		p, ok := e.Body.(bulletin.Piece)
		switch {
		case !ok:
			panic(fmt.Sprintf("machine: entry %d: a bulletin among pieces", a.index))
		case exists(a.act, store.NoticePieces, notice.PieceKey(p.PDF, p.Index)):
			if i > 0 {
				panic(fmt.Sprintf("machine: entry %d: a piece twice", a.index))
			}
			return Reply{}, refuse.Exists
		}
		store.NoticePieces.Put(a.tx, notice.Piece{PDF: p.PDF, Index: p.Index, Bytes: p.Bytes})
		egresses{a.act}.append(b)
	}
	return Reply{}, nil
}

// publish appends a bulletin whose PDF is there as a whole.
func (a bulletins) publish(c command.PublishBulletin) (Reply, error) {
	e, err := a.read(c.Entry)
	if err != nil {
		return Reply{}, err
	}
	b, ok := e.Body.(bulletin.Bulletin)
	if !ok {
		panic(fmt.Sprintf("machine: entry %d: a piece instead of a bulletin", a.index))
	}
	if b.Number != a.last()+1 {
		return Reply{}, refuse.StaleBulletin
	}
	for i := range bulletin.Pieces(b.Size) {
		if !exists(a.act, store.NoticePieces, notice.PieceKey(b.PDF, uint16(i))) {
			return Reply{}, refuse.PiecesMissing
		}
	}
	store.Notices.Put(a.tx, notice.Of(e, b, a.stamp.At, a.stamp.By))
	egresses{a.act}.append(c.Entry)
	a.happen(event.BulletinCame{})
	return Reply{Version: b.Number}, nil
}

// last is the number of the newest bulletin, or 0.
func (a bulletins) last() (number uint32) {
	a.must(store.Notices.Each(a.tx, nil, func(n notice.Notice) bool {
		number = n.Number // numbers sort
		return true
	}))
	return number
}

// take records what the coordinator has said. A newer epoch says again what counts.
func (a bulletins) take(c command.TakeBulletins) (Reply, error) {
	if !exists(a.act, store.Territories, theTerritory) {
		return Reply{}, refuse.NotFounded
	}
	had, _, err := store.Readings.Get(a.tx, []byte{0})
	a.must(err)
	same := had.From == c.Coordinator && had.Epoch == c.Epoch
	switch {
	case same && c.From != had.Next, !same && c.From != 0, had.From == c.Coordinator && c.Epoch < had.Epoch, c.To < c.From:
		return Reply{}, refuse.StaleReading
	}
	next := c.From
	for _, b := range c.Entries {
		e := a.decode(b, c.Coordinator)
		if e.Epoch != c.Epoch || e.Seq < next || e.Seq >= c.To {
			panic(fmt.Sprintf("machine: entry %d: bulletins that do not follow each other", a.index))
		}
		next = e.Seq + 1
		a.regain(e)
	}
	store.Readings.Put(a.tx, notice.Reading{From: c.Coordinator, Epoch: c.Epoch, Next: c.To})
	return Reply{}, nil
}

// regain records what the coordinator has said, here or elsewhere.
func (a bulletins) regain(e bulletin.Entry) {
	switch m := e.Body.(type) {
	case bulletin.Piece:
		store.NoticePieces.Put(a.tx, notice.Piece{PDF: m.PDF, Index: m.Index, Bytes: m.Bytes})
	case bulletin.Bulletin:
		store.Notices.Put(a.tx, notice.Of(e, m, a.stamp.At, ident.Account{}))
		a.happen(event.BulletinCame{})
	}
}
