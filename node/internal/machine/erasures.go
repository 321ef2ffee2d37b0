package machine

import (
	"slices"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/backup"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/erasure"
	"github.com/bippop/bippop/node/internal/event"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/replica"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// erasures are the commands by which people are forgotten.
type erasures struct{ *act }

// person is a record that has a key of its own, as an erasure sees it.
type person struct {
	erasure.Erased
	leaf   crypto.Leaf
	of     ident.Volunteer   // of an account: whose it is
	her    ident.Beneficiary // of a card
	from   ident.Import      // of somebody in an import that is not committed
	closed bool              // nothing is open any more
}

// person reads whom a command is about, or refuses.
func (a erasures) person(collection byte, id [16]byte) (p person, err error) {
	p.Collection, p.ID = collection, id
	switch collection {
	case store.Beneficiaries.Code:
		var b people.Beneficiary
		b, err = find(a.act, store.Beneficiaries, id[:], refuse.NoBeneficiary)
		p.leaf, p.from, p.closed = b.Leaf, a.hidden(b.Enrolled.Import), err == nil && a.closedHers(b.ID)
	case store.Volunteers.Code:
		var v people.Volunteer
		v, err = find(a.act, store.Volunteers, id[:], refuse.NoVolunteer)
		p.leaf, p.from, p.closed = v.Leaf, a.hidden(v.Import), err == nil && a.closedHis(v.ID)
	case store.Accounts.Code:
		var acc account.Account
		acc, err = find(a.act, store.Accounts, id[:], refuse.NoAccount)
		p.leaf, p.of, p.her, p.closed = acc.Leaf, acc.Of, acc.Her, true
	case store.Imports.Code:
		var i people.Import
		i, err = find(a.act, store.Imports, id[:], refuse.NoImport)
		p.leaf, p.closed = i.Leaf, true
		if err == nil && (i.State == people.Committed || i.Counted > 0) {
			err = refuse.ImportKept
		}
	default:
		err = refuse.NoBeneficiary
	}
	p.Slot = p.leaf.Slot
	return p, err
}

// hidden is an import whose people nobody sees, or zero.
func (a erasures) hidden(from ident.Import) ident.Import {
	if a.visible(from) {
		return ident.Import{}
	}
	return from
}

func (a erasures) want(c command.WantErasure) (Reply, error) {
	p, err := a.person(c.Collection, c.ID)
	reply := Reply{ID: c.ID}
	switch {
	case err != nil:
		return reply, err
	case exists(a.act, store.Wanted, erasure.Key(c.Collection, c.ID)):
		return reply, refuse.Exists
	case !p.closed && !c.Withdraw:
		return reply, refuse.ErasureWaits
	case c.Collection == store.Accounts.Code && !a.anotherAdmin(ident.Account(c.ID)):
		return reply, refuse.LastAdmin
	}
	w := erasure.Wanted{Collection: c.Collection, ID: c.ID, At: a.stamp.At, By: a.stamp.By, Withdraw: c.Withdraw}
	store.Wanted.Put(a.tx, w)
	return reply, nil
}

func (a erasures) keep(c command.KeepPerson) (Reply, error) {
	key := erasure.Key(c.Collection, c.ID)
	if gone(a.act, c.Collection, c.ID[:]) {
		return Reply{ID: c.ID}, refuse.Erased
	}
	if _, err := find(a.act, store.Wanted, key, refuse.NotWanted); err != nil {
		return Reply{ID: c.ID}, err
	}
	store.Wanted.Delete(a.tx, key)
	return Reply{ID: c.ID}, nil
}

// erase replaces the root and forgets people. Whatever may refuse is asked before
// anything is written; a refusal about one of them names that one.
func (a erasures) erase(c command.Erase) (Reply, error) {
	if exists(a.act, store.Erasures, c.ID[:]) {
		return Reply{ID: c.ID}, refuse.Exists
	}
	who, reply, err := a.who(c)
	if err != nil {
		return reply, err
	}
	if err := a.along(c, who); err != nil {
		return reply, err
	}
	if err := a.handed(c.Holders); err != nil {
		return reply, err
	}
	if err := rotationOf(a.act, c.Rewrap).check(); err != nil {
		return reply, err
	}
	// All are closed before one is forgotten: who was to come to one of them may be
	// another one.
	for _, p := range who {
		forgetting{a.act}.close(p, c.Closings)
	}
	for _, p := range who {
		forgetting{a.act}.forget(p.Collection, p.ID, a.stamp.At)
		store.Wanted.Delete(a.tx, erasure.Key(p.Collection, p.ID))
	}
	rotationOf(a.act, c.Rewrap).write()
	a.happen(event.Rotated{From: c.Rewrap.From, To: c.Rewrap.To})
	e := a.record(c)
	return Reply{ID: e.ID, Version: e.Version}, nil
}

// who reads the people of the command and refuses those who cannot go.
func (a erasures) who(c command.Erase) (who []person, reply Reply, err error) {
	reply.ID = c.ID
	for i, w := range c.Who {
		p, err := a.person(w.Collection, w.ID)
		switch {
		case err != nil:
		case w.Slot != p.Slot, !slices.Contains(c.Rewrap.Gone, w.Slot):
			err = refuse.StaleTree
		case slices.Contains(c.Who[:i], w):
			err = refuse.Exists
		default:
			err = a.wanted(p, c.Who)
		}
		if err != nil {
			return nil, Reply{ID: w.ID}, err
		}
		who = append(who, p)
	}
	if len(c.Who) != len(c.Rewrap.Gone) {
		return nil, reply, refuse.StaleTree
	}
	return who, reply, nil
}

// wanted checks that somebody has asked for it, and that nothing is open unless
// that is to be closed. An account goes with its volunteer, a card with her, and the people of an
// import that is not committed go with the wish about the import.
func (a erasures) wanted(p person, who []erasure.Erased) error {
	with := func(collection byte, id [16]byte) bool {
		return slices.ContainsFunc(who, func(w erasure.Erased) bool { return w.Collection == collection && w.ID == id })
	}
	if !p.of.Zero() && with(store.Volunteers.Code, p.of) || !p.her.Zero() && with(store.Beneficiaries.Code, p.her) {
		return nil
	}
	if !p.from.Zero() && exists(a.act, store.Wanted, erasure.Key(store.Imports.Code, p.from)) {
		return nil
	}
	w, err := find(a.act, store.Wanted, erasure.Key(p.Collection, p.ID), refuse.NotWanted)
	if err == nil && !p.closed && !w.Withdraw {
		err = refuse.ErasureWaits
	}
	return err
}

// along refuses a command that leaves out whom it must not: the accounts of a
// volunteer, the people of an import, or the last administrator.
func (a erasures) along(c command.Erase, who []person) error {
	has := func(collection byte, id [16]byte) bool {
		return slices.ContainsFunc(who, func(p person) bool { return p.Collection == collection && p.ID == id })
	}
	var accounts []ident.Account
	for _, p := range who {
		switch p.Collection {
		case store.Accounts.Code:
			accounts = append(accounts, p.ID)
		case store.Volunteers.Code, store.Beneficiaries.Code:
			for _, id := range list[accountName](a.act, view.AccountsOf(ident.Volunteer(p.ID))) {
				if !has(store.Accounts.Code, id) {
					return refuse.ErasureIncomplete
				}
			}
		case store.Imports.Code:
			for _, kind := range []byte{view.ImportedBeneficiary, view.ImportedVolunteer} {
				code := map[byte]byte{view.ImportedBeneficiary: store.Beneficiaries.Code, view.ImportedVolunteer: store.Volunteers.Code}[kind]
				for _, id := range list[accountName](a.act, view.OfImport(p.ID, kind)) {
					if !has(code, id) {
						return refuse.ErasureIncomplete
					}
				}
			}
		}
	}
	if len(accounts) > 0 && !a.anotherAdmin(accounts...) {
		return refuse.LastAdmin
	}
	return nil
}

// accountName stands for whatever a view row ends with.
type accountName struct{}

// handed checks that most of those who vote hold the new root: whoever leads next
// can hand it on.
func (a erasures) handed(holders []ident.Replica) error {
	votes, hold := 0, 0
	for _, r := range (replicas{a.act}).all() {
		if r.State == replica.Member {
			votes++
			if slices.Contains(holders, r.ID) {
				hold++
			}
		}
	}
	if votes > 0 && 2*hold <= votes {
		return refuse.TooFewHolders
	}
	return nil
}

// record writes the positive record. Whoever ever carried the territory's keys
// counts until it says otherwise, or a person does: an old tree under an old root
// opens the same leaf.
func (a erasures) record(c command.Erase) erasure.Erasure {
	last, err := a.tx.Meta(metaRoots)
	a.must(err)
	a.tx.SetMeta(metaRoots, last+1)
	e := erasure.Erasure{
		ID: c.ID, Version: 1, At: a.stamp.At, By: a.stamp.By, Index: a.index, Order: last + 1,
		From: c.Rewrap.From, To: c.Rewrap.To, Who: c.Who,
	}
	for _, r := range (replicas{a.act}).all() {
		if r.State != replica.Destroyed {
			e.Holders = append(e.Holders, erasure.Holder{Replica: r.ID, Name: r.Name})
		}
	}
	a.must(store.Destinations.Each(a.tx, nil, func(d backup.Destination) bool {
		if d.Counts() {
			e.Copies = append(e.Copies, erasure.Copy{Destination: d.ID, Name: d.Name})
		}
		return true
	}))
	save(a.act, store.Erasures, nil, &e, e.ID[:], e.Version)
	a.happen(event.ErasureChanged{ID: e.ID})
	return e
}

// metaRoots counts the roots that have replaced another one.
const metaRoots = "roots"

func (a erasures) pending() (out []erasure.Erasure) {
	for _, id := range list[erasureName](a.act, view.PendingErasures()) {
		e, err := find(a.act, store.Erasures, id[:], refuse.NotWanted)
		a.must(err)
		out = append(out, e)
	}
	return out
}

// erasureName stands for the name of an erasure in a row.
type erasureName struct{}

// nearer applies f, which says what has come in, to every erasure that is not
// certain yet, and certifies those that are certain by it.
func (a erasures) nearer(f func(erasure.Erasure) erasure.Erasure) {
	for _, before := range a.pending() {
		after := f(before).Release(a.index)
		same := slices.Equal(before.Holders, after.Holders) && slices.Equal(before.Copies, after.Copies)
		if after.Certain() {
			after.Certified = a.stamp.At
		} else if same {
			continue
		}
		after.Version++
		save(a.act, store.Erasures, &before, &after, after.ID[:], after.Version)
		a.happen(event.ErasureChanged{ID: after.ID, Certain: after.Certified != 0})
	}
}

// forgotten reports whether id named somebody who was erased.
func (a erasures) forgotten(id [16]byte) bool {
	for _, c := range []byte{store.Beneficiaries.Code, store.Volunteers.Code, store.Accounts.Code, store.Imports.Code} {
		if gone(a.act, c, id[:]) {
			return true
		}
	}
	return false
}
