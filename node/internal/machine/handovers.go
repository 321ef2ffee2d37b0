package machine

import (
	"fmt"
	"slices"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/erasure"
	"github.com/bippop/bippop/node/internal/handover"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/territory"
)

// handovers are the commands about dossiers that change hands.
type handovers struct{ *act }

// decided refuses what only an administrator of a territory decides.
func (a handovers) decided() error {
	t, err := find(a.act, store.Territories, theTerritory, refuse.NotFounded)
	switch {
	case err != nil:
		return err
	case a.stamp.By.Zero() || !a.stamp.Role.Has(account.Admin) || t.Role != territory.RoleTerritory:
		return refuse.PersonNeeded
	}
	return nil
}

func (a handovers) all() (out []handover.Handover) {
	a.must(store.Handovers.Each(a.tx, nil, func(h handover.Handover) bool {
		out = append(out, h)
		return true
	}))
	return out
}

// standing refuses when the same move is there already: given and confirmed, or taken
// in and not undone.
func (a handovers) standing(next handover.Handover) error {
	for _, h := range a.all() {
		if h.SameMove(next) && (h.Receipt != 0 || !h.Given() && a.state(h) != people.Undone) {
			return refuse.HandoverTaken
		}
	}
	return nil
}

func (a handovers) state(h handover.Handover) people.ImportState {
	i, ok, err := store.Imports.Get(a.tx, h.Import[:])
	a.must(err)
	if !ok { // erased, so it was undone before
		return people.Undone
	}
	return i.State
}

func (a handovers) give(c command.GiveDossiers) (Reply, error) {
	if err := a.decided(); err != nil {
		return Reply{}, err
	}
	h, ok, err := store.Handovers.Get(a.tx, c.Digest[:])
	a.must(err)
	if !ok {
		h = handover.Handover{
			Digest: c.Digest, Giver: c.Giver, Receiver: c.Receiver, Roster: c.Roster, Communes: c.Communes, People: c.People, At: a.stamp.At, By: a.stamp.By,
		}
		if err := a.standing(h); err != nil {
			return Reply{}, err
		}
	}
	if !h.Given() || h.Parts != c.Part || h.Receipt != 0 {
		return Reply{}, refuse.HandoverTaken
	}
	who := slices.DeleteFunc(c.Who, func(p handover.Passed) bool { return !exists(a.act, store.Beneficiaries, p.ID[:]) }) // erased meanwhile
	store.HandoverParts.Put(a.tx, handover.Part{Digest: c.Digest, Part: c.Part, Who: who})
	h.Parts++
	store.Handovers.Put(a.tx, h)
	return Reply{}, nil
}

func (a handovers) take(c command.TakeDossiers) (Reply, error) {
	if err := a.decided(); err != nil {
		return Reply{ID: c.ID}, err
	}
	h := handover.Handover{
		Digest: c.Digest, Giver: c.Giver, Receiver: c.Receiver, Roster: c.Roster, Communes: c.Communes, People: c.People, At: a.stamp.At, By: a.stamp.By, Import: c.ID,
	}
	if err := a.standing(h); err != nil {
		return Reply{ID: c.ID}, err
	}
	reply, err := a.beginImport(command.BeginImport{Stamp: c.Stamp, ID: c.ID, Leaf: c.Leaf, Box: c.Box})
	if err == nil {
		store.Handovers.Put(a.tx, h)
	}
	return reply, err
}

// say gives the receipt. From then on the import cannot be undone: the giver may
// have erased.
func (a handovers) say(c command.SayHandover) (Reply, error) {
	if err := a.decided(); err != nil {
		return Reply{}, err
	}
	e, err := egresses{a.act}.read(c.Entry, public.KindHandover)
	if err != nil {
		return Reply{}, err
	}
	said := e.Body.(public.Handover)
	h, err := find(a.act, store.Handovers, said.Digest[:], refuse.NoHandover)
	switch {
	case err != nil:
		return Reply{}, err
	case h.Given() || h.Giver != said.Giver || h.Receiver != e.From || h.Roster != said.Roster || !sameCommunes(h.Communes, said.Communes):
		return Reply{}, refuse.HandoverOther
	case h.Receipt != 0:
		return Reply{}, refuse.HandoverSaid
	case a.state(h) != people.Committed:
		return Reply{}, refuse.HandoverOpen
	}
	a.confirm(h)
	egresses{a.act}.append(c.Entry)
	return Reply{ID: h.Import}, nil
}

func (a handovers) confirm(h handover.Handover) {
	h.Receipt = a.stamp.At
	store.Handovers.Put(a.tx, h)
	a.use(h.Import)
}

// regain gives a receipt again that this record has lost and the hubs have kept.
func (a handovers) regain(said public.Handover) {
	h, ok, err := store.Handovers.Get(a.tx, said.Digest[:])
	a.must(err)
	if ok && !h.Given() && h.Receipt == 0 {
		a.confirm(h)
	}
}

func sameCommunes(a []string, b []public.Commune) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i].String() {
			return false
		}
	}
	return true
}

func (a handovers) hear(c command.HearReceipt) (Reply, error) {
	h, err := find(a.act, store.Handovers, c.Digest[:], refuse.NoHandover)
	switch {
	case err != nil:
		return Reply{}, err
	case !h.Given() || h.Receiver != c.Receiver || h.Roster != c.Roster:
		return Reply{}, refuse.HandoverOther
	case h.Receipt != 0:
		return Reply{}, refuse.HandoverSaid
	}
	h.Receipt = a.stamp.At
	store.Handovers.Put(a.tx, h)
	return Reply{}, nil
}

// erase wishes the erasure of a part. Version of the reply is how many it wished.
func (a handovers) erase(c command.EraseHandedOver) (Reply, error) {
	if err := a.decided(); err != nil {
		return Reply{}, err
	}
	h, err := find(a.act, store.Handovers, c.Digest[:], refuse.NoHandover)
	switch {
	case err != nil:
		return Reply{}, err
	case !h.Given():
		return Reply{}, refuse.HandoverOther
	case h.Receipt == 0:
		return Reply{}, refuse.NotReceived
	case c.Part >= h.Parts:
		return Reply{}, refuse.NoHandover
	}
	part, ok, err := store.HandoverParts.Get(a.tx, handover.PartKey(c.Digest, c.Part))
	a.must(err)
	if !ok {
		panic(fmt.Sprintf("machine: entry %d: a part of the list of a handover is missing", a.index))
	}
	n := uint32(0)
	for _, p := range part.Who {
		b, there, err := store.Beneficiaries.Get(a.tx, p.ID[:])
		a.must(err)
		key := erasure.Key(store.Beneficiaries.Code, p.ID)
		if !there || b.Version != p.Version || exists(a.act, store.Wanted, key) {
			continue
		}
		store.Wanted.Put(a.tx, erasure.Wanted{Collection: store.Beneficiaries.Code, ID: p.ID, At: a.stamp.At, By: a.stamp.By, Withdraw: true})
		n++
	}
	if h.Erasing == 0 {
		h.Erasing = a.stamp.At
		store.Handovers.Put(a.tx, h)
	}
	return Reply{Version: n}, nil
}

// forgetHer takes a person out of the lists of those whose dossiers were given.
func (a handovers) forgetHer(id ident.Beneficiary) {
	var lists []handover.Part
	named := func(p handover.Passed) bool { return p.ID == id }
	a.must(store.HandoverParts.Each(a.tx, nil, func(p handover.Part) bool {
		if slices.ContainsFunc(p.Who, named) {
			lists = append(lists, p)
		}
		return true
	}))
	for _, p := range lists {
		p.Who = slices.DeleteFunc(slices.Clone(p.Who), named)
		store.HandoverParts.Put(a.tx, p)
	}
}

// forgetImport drops what was taken in with an import that was undone, and is gone:
// the same file may be taken in anew.
func (a handovers) forgetImport(id ident.Import) {
	for _, h := range a.all() {
		if h.Import == id {
			store.Handovers.Delete(a.tx, h.Digest[:])
		}
	}
}
