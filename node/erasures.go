package node

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/erasure"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// Erasures make people's words unreadable for ever.
type Erasures struct{ *core }

// ErasureID names an erasure, or the wish for one.
type ErasureID = ident.Erasure

// Erasable is a kind of record that can be erased. The words are the API's.
type Erasable string

const (
	ErasableBeneficiary Erasable = "beneficiary"
	ErasableVolunteer   Erasable = "volunteer"
	ErasableAccount     Erasable = "account" // of staff, closed before
	ErasableImport      Erasable = "import"  // an import that was undone, with all its people
	ErasableJournal     Erasable = "journal" // a month of the access journal, a year after its end
)

// Wanted is somebody who will be erased with the next batch, within the hour.
type Wanted struct {
	ID   ErasureID
	Kind Erasable
	Who  [16]byte
	At   Instant
	By   AccountID
}

// Erasure is one change of the root key and whom it has made unreadable.
type Erasure struct {
	ID        ErasureID
	At        Instant
	By        []AccountID
	Who       []ErasedRecord
	From, To  string // names of the root keys, hexadecimal
	Holders   []Holder
	Backups   []BackupWait
	Certified Instant // 0: pending
}

// ErasedRecord is what is left of somebody.
type ErasedRecord struct {
	Kind Erasable
	ID   [16]byte
}

// Holder is a replica that had the former root key.
type Holder struct {
	Replica   ReplicaID
	Name      string
	Gone      Instant // when it said that it holds the former root no more; 0: pending
	Destroyed Instant // when a person recorded its vault as destroyed; 0: not
	By        AccountID
	How       string
}

// BackupWait is a place where an older key backup may still lie.
type BackupWait struct {
	Destination DestinationID
	Name        string
	Replaced    Instant // 0: pending
}

// Certificate is an erasure with what can and what cannot be promised.
type Certificate struct {
	Erasure
	Territory Territory
	// Limits are codes of what the certificate cannot promise: "vault-copies" (holds
	// unless an older copy of a vault exists together with what opens it), "one-replica",
	// "backups-35-days" (IDs, communes and dates leave with the last old data backup), "manual-backups".
	Limits []string
	Day    Day // when what stood in clear has left the last data backup
}

// erasables are the collections in which people, or lists of them, are.
var erasables = map[Erasable]byte{
	ErasableBeneficiary: store.Beneficiaries.Code, ErasableVolunteer: store.Volunteers.Code,
	ErasableAccount: store.Accounts.Code, ErasableImport: store.Imports.Code, ErasableJournal: store.JournalMonths.Code,
}

func erasableOf(collection byte) Erasable {
	for kind, code := range erasables {
		if code == collection {
			return kind
		}
	}
	return ""
}

// Want notes that somebody is to be erased with the next batch. For now: at once.
// Everything that was planned with her is called off first, by the desk's own
// rules.
func (s *Erasures) Want(ctx context.Context, by Caller, kind Erasable, who [16]byte, now bool) (Receipt, error) {
	if err := by.may(ErasePeople); err != nil {
		return Receipt{}, err
	}
	if err := s.fresh(by); err != nil {
		return Receipt{}, err
	}
	code, ok := erasables[kind]
	if !ok {
		return Receipt{}, invalid("kind", "unknown-kind", "what can be erased is a beneficiary, a volunteer, an account or an import")
	}
	receipt, err := s.propose(ctx, command.WantErasure{Stamp: s.stamp(by, ""), Collection: code, ID: who, Withdraw: true})
	if e, ok := errors.AsType[*Error](err); ok && e.Code == refuse.Exists.Code() && now {
		err = nil // wanted before, perhaps by a try that was cut off: at once all the same
	}
	if err != nil || !now {
		return receipt, err
	}
	return s.Run(ctx, by)
}

// Keep takes the wish back, as long as the batch has not run. id is the one of
// the person's record.
func (s *Erasures) Keep(ctx context.Context, by Caller, id ErasureID) (Receipt, error) {
	if err := by.may(ErasePeople); err != nil {
		return Receipt{}, err
	}
	wishes, err := s.wishes()
	if err != nil {
		return Receipt{}, err
	}
	i := slices.IndexFunc(wishes, func(w erasure.Wanted) bool { return w.ID == id })
	if i < 0 {
		return Receipt{}, refused(refuse.NotWanted, RequestID{})
	}
	return s.propose(ctx, command.KeepPerson{Stamp: s.stamp(by, ""), Collection: wishes[i].Collection, ID: wishes[i].ID})
}

// Run erases everybody who is wanted, now. The receipt is of the last erasure.
func (s *Erasures) Run(ctx context.Context, by Caller) (Receipt, error) {
	if err := by.may(ErasePeople); err != nil {
		return Receipt{}, err
	}
	if err := s.fresh(by); err != nil {
		return Receipt{}, err
	}
	by.Key = "" // an erasure that ran does not run again: there is no wish left
	return s.run(ctx, s.stamp(by, ""))
}

// Due erases when somebody has waited for an hour.
func (s *Erasures) due(ctx context.Context) error {
	wishes, err := s.wishes()
	if err != nil {
		return err
	}
	last := s.clock() - Instant(erasureEvery.Milliseconds())
	if !slices.ContainsFunc(wishes, func(w erasure.Wanted) bool { return w.At <= last }) {
		return nil
	}
	_, err = s.run(ctx, s.own())
	return err
}

// erasureEvery is the longest that somebody waits for others, to be erased with
// them under one new root.
const erasureEvery = time.Hour

func (s *Erasures) wishes() (out []erasure.Wanted, err error) {
	err = s.view(itself, func(tx *store.Tx) error {
		return store.Wanted.Each(tx, nil, func(w erasure.Wanted) bool {
			out = append(out, w)
			return true
		})
	})
	return out, err
}

// mostTogether is how many people one command is tried with; halved until it fits.
const mostTogether = 128

// run erases all who are wanted, as many with one turn of the root as one command
// holds.
func (s *Erasures) run(ctx context.Context, stamp command.Stamp) (last Receipt, err error) {
	for most := mostTogether; ; {
		who, closings, err := s.next(most)
		if err != nil || len(who) == 0 {
			return last, err
		}
		receipt, err := rooting{s.core}.turn(ctx, stamp, who, closings)
		if e, ok := errors.AsType[*Error](err); ok && e.Code == "too-large" && most > 1 {
			most = min(most, len(who)) / 2
			continue
		}
		if err != nil {
			return last, err
		}
		last = receipt
	}
}

// next are those who go with the next command. An account goes in the command of
// its volunteer, an import after the last of its people.
func (s *Erasures) next(most int) (who []erasure.Erased, closings []command.Closing, err error) {
	wishes, err := s.wishes()
	if err != nil {
		return nil, nil, err
	}
	err = s.view(itself, func(tx *store.Tx) error {
		for _, w := range wishes {
			more, counts, err := s.goesWith(tx, w, most-len(who))
			if err != nil {
				return err
			}
			if len(who) > 0 && len(who)+len(more) > most {
				return nil
			}
			who, closings = append(who, more...), append(closings, counts...)
		}
		return nil
	})
	return who, closings, err
}

// goesWith are the records that go for one wish; of an import at most so many.
func (s *Erasures) goesWith(tx *store.Tx, w erasure.Wanted, most int) (who []erasure.Erased, closings []command.Closing, err error) {
	put := func(code byte, id [16]byte, slot uint32) {
		who = append(who, erasure.Erased{Collection: code, ID: id, Slot: slot})
	}
	switch w.Collection {
	case store.Beneficiaries.Code:
		b, ok, err := store.Beneficiaries.Get(tx, w.ID[:])
		if err != nil || !ok {
			return nil, nil, err
		}
		put(w.Collection, w.ID, b.Leaf.Slot)
		if closings, err = s.closings(tx, b); err != nil {
			return nil, nil, err
		}
		return append(who, s.accountsOf(tx, view.AccountsOf(b.ID), &err)...), closings, err
	case store.Volunteers.Code:
		v, ok, err := store.Volunteers.Get(tx, w.ID[:])
		if err != nil || !ok {
			return nil, nil, err
		}
		put(w.Collection, w.ID, v.Leaf.Slot)
		return append(who, s.accountsOf(tx, view.AccountsOf(v.ID), &err)...), nil, err
	case store.Accounts.Code:
		a, ok, err := store.Accounts.Get(tx, w.ID[:])
		if err == nil && ok {
			put(w.Collection, w.ID, a.Leaf.Slot)
		}
		return who, nil, err
	case store.JournalMonths.Code:
		m, ok, err := store.JournalMonths.Get(tx, w.ID[:])
		if err == nil && ok {
			put(w.Collection, w.ID, m.Leaf.Slot)
		}
		return who, nil, err
	case store.Imports.Code:
		who, err = s.importGoes(tx, w.ID, max(most, 1))
	}
	return who, nil, err
}

// accountsOf are the accounts that go with somebody.
func (s *Erasures) accountsOf(tx *store.Tx, list view.List, failed *error) (out []erasure.Erased) {
	var inner error
	err := view.Each(tx, list, nil, false, func(id AccountID, _ []byte) bool {
		var a account.Account
		var ok bool
		if a, ok, inner = store.Accounts.Get(tx, id[:]); ok {
			out = append(out, erasure.Erased{Collection: store.Accounts.Code, ID: id, Slot: a.Leaf.Slot})
		}
		return inner == nil
	})
	*failed = either(err, inner)
	return out
}

// importGoes are people of an import that was undone, then the import itself.
func (s *Erasures) importGoes(tx *store.Tx, id ImportID, most int) (who []erasure.Erased, err error) {
	i, ok, err := store.Imports.Get(tx, id[:])
	if err != nil || !ok {
		return nil, err
	}
	var inner error
	err = view.Each(tx, view.OfImport(id, view.ImportedBeneficiary), nil, false, func(b BeneficiaryID, _ []byte) bool {
		var r people.Beneficiary
		if r, ok, inner = store.Beneficiaries.Get(tx, b[:]); ok {
			who = append(who, erasure.Erased{Collection: store.Beneficiaries.Code, ID: b, Slot: r.Leaf.Slot})
		}
		return inner == nil && len(who) < most
	})
	if err = either(err, inner); err != nil || len(who) == most {
		return who, err
	}
	err = view.Each(tx, view.OfImport(id, view.ImportedVolunteer), nil, false, func(v VolunteerID, _ []byte) bool {
		var r people.Volunteer
		if r, ok, inner = store.Volunteers.Get(tx, v[:]); ok {
			who = append(who, erasure.Erased{Collection: store.Volunteers.Code, ID: v, Slot: r.Leaf.Slot})
		}
		return inner == nil && len(who) < most
	})
	if err = either(err, inner); err == nil && len(who) < most {
		who = append(who, erasure.Erased{Collection: store.Imports.Code, ID: id, Slot: i.Leaf.Slot})
	}
	return who, err
}

// closings count the requests of hers that are closed with her.
func (s *Erasures) closings(tx *store.Tx, r people.Beneficiary) (out []command.Closing, err error) {
	b, err := s.opening(itself).beneficiary(r)
	if err != nil {
		return nil, err
	}
	var inner error
	err = view.Each(tx, view.OfPerson(r.ID), nil, false, func(id RequestID, _ []byte) bool {
		var q request.Request
		var ok bool
		if q, ok, inner = store.Requests.Get(tx, id[:]); inner != nil || !ok || q.State.Closed() {
			return inner == nil
		}
		t, ok, err := store.ActionTypes.Get(tx, q.Type[:])
		if inner = err; ok {
			out = append(out, command.Closing{Request: id, Counts: s.counts(b, t, 1, public.Cancelled)})
		}
		return inner == nil
	})
	return out, either(err, inner)
}

// List is whoever waits, and the erasures, newest first.
func (s *Erasures) List(by Caller, page Page) (waiting []Wanted, done []Erasure, next []byte, err error) {
	if err := by.may(ReadErasures); err != nil {
		return nil, nil, nil, err
	}
	wishes, err := s.wishes()
	if err != nil {
		return nil, nil, nil, err
	}
	for _, w := range wishes {
		waiting = append(waiting, Wanted{ID: w.ID, Kind: erasableOf(w.Collection), Who: w.ID, At: w.At, By: w.By})
	}
	var all []erasure.Erasure
	err = s.view(by, func(tx *store.Tx) error {
		return store.Erasures.Each(tx, nil, func(e erasure.Erasure) bool {
			all = append(all, e)
			return true
		})
	})
	if err != nil {
		return nil, nil, nil, err
	}
	slices.Reverse(all)
	if i := slices.IndexFunc(all, func(e erasure.Erasure) bool { return string(e.ID[:]) == string(page.Cursor) }); i >= 0 {
		all = all[i+1:]
	}
	if len(all) > page.limit() {
		all = all[:page.limit()]
		next = slices.Clone(all[len(all)-1].ID[:])
	}
	for _, e := range all {
		done = append(done, outOf(e))
	}
	return waiting, done, next, nil
}

// outOf is an erasure as callers see it.
func outOf(e erasure.Erasure) Erasure {
	out := Erasure{ID: e.ID, At: e.At, By: []AccountID{e.By}, From: e.From.String(), To: e.To.String(), Certified: e.Certified}
	for _, w := range e.Who {
		out.Who = append(out.Who, ErasedRecord{erasableOf(w.Collection), w.ID})
	}
	for _, h := range e.Holders {
		out.Holders = append(out.Holders, Holder{Replica: h.Replica, Name: h.Name, Gone: h.At, Destroyed: h.Destroyed, By: h.DestroyedBy, How: h.How})
	}
	for _, c := range e.Copies {
		out.Backups = append(out.Backups, BackupWait{Destination: c.Destination, Name: c.Name, Replaced: max(c.At, c.Deleted)})
	}
	return out
}

// clearFor is how long data backups are kept: what stands in clear in them (IDs,
// communes, dates) leaves with the last one (DESIGN §5).
const clearFor = 35

// Certificate of one erasure; pending ones say so.
func (s *Erasures) Certificate(by Caller, id ErasureID) (Certificate, error) {
	if err := by.may(ReadErasures); err != nil {
		return Certificate{}, err
	}
	var e erasure.Erasure
	err := s.view(by, func(tx *store.Tx) error {
		var ok bool
		var err error
		if e, ok, err = store.Erasures.Get(tx, id[:]); err == nil && !ok {
			err = &Error{Kind: NotFound, Code: "no-erasure", Reason: "no such erasure"}
		}
		return err
	})
	if err != nil {
		return Certificate{}, err
	}
	c := Certificate{Erasure: outOf(e), Limits: []string{"vault-copies"}, Day: DayOf(e.At.Time().In(s.zone())) + clearFor}
	if c.Territory, err = s.territory(); err != nil {
		return c, err
	}
	if len(e.Holders) == 1 {
		c.Limits = append(c.Limits, "one-replica")
	}
	if slices.ContainsFunc(e.Copies, func(c erasure.Copy) bool { return c.Deleted != 0 }) {
		c.Limits = append(c.Limits, "manual-backups")
	}
	c.Limits = append(c.Limits, "backups-35-days")
	return c, nil
}
