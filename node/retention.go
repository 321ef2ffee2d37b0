package node

import (
	"context"
	"crypto/sha256"
	"slices"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/account"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/contact"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/rights"
	"github.com/bippop/bippop/node/internal/store"
	"github.com/bippop/bippop/node/internal/view"
)

// Retention ends what is kept too long: a look through the files says who would go
// by which rule, the DPO approves it by its digest, and only then people are put in
// line to be erased.
type Retention struct{ *core }

// RetentionRule is one rule as it is in force.
type RetentionRule struct {
	Rule    rights.Rule
	Name    rights.Plain
	Months  int
	Usual   int // without a choice of the territory
	Least   int
	Most    int
	Version uint32 // of all rules together
}

// Sorting is one look through the files. Due is nil once it was approved.
type Sorting struct {
	rights.Sorting
	Digest string // by which it is approved, hexadecimal
	Due    []DueRecord
}

// DueRecord is one file that is kept too long, without a name.
type DueRecord struct {
	rights.Expired
	Kind Erasable
}

// Rules are those in force.
func (s *Retention) Rules(by Caller) (out []RetentionRule, err error) {
	if err := by.may(KeepBooks); err != nil {
		return nil, err
	}
	choice, err := (&Books{s.core}).choice()
	for _, r := range rights.Rules {
		t := rights.Terms[r]
		out = append(out, RetentionRule{r, rights.RuleNames[r], int(choice.Of(r)), int(t.Default), int(t.Least), int(t.Most), choice.Version})
	}
	return out, err
}

// Choose sets the months of each rule, in the order of [Retention.Rules]; 0 is the
// usual.
func (s *Retention) Choose(ctx context.Context, by Caller, version uint32, months []int) (Receipt, error) {
	if err := by.may(ChooseRetention); err != nil {
		return Receipt{}, err
	}
	if len(months) != len(rights.Rules) {
		return Receipt{}, invalid("months", "missing", "say for each rule how many months are kept")
	}
	c := command.ChooseRetention{Stamp: s.stamp(by, ""), Version: version}
	for i, m := range months {
		if t := rights.Terms[rights.Rules[i]]; m != 0 && (m < int(t.Least) || m > int(t.Most)) {
			return Receipt{}, invalid("months", "out-of-bounds", "this number of months is out of its bounds")
		}
		c.Months = append(c.Months, uint8(m))
	}
	return s.propose(ctx, c)
}

// Look goes through the files and records who would go. Nobody goes by it. One that
// was not approved is forgotten.
func (s *Retention) Look(ctx context.Context, by Caller) (Receipt, error) {
	if err := by.may(AnswerRights); err != nil {
		return Receipt{}, err
	}
	choice, err := (&Books{s.core}).choice()
	if err != nil {
		return Receipt{}, err
	}
	c := command.Sort{Stamp: s.stamp(by, ""), ID: newID[SortingID]()}
	for _, r := range rights.Rules {
		c.Months = append(c.Months, choice.Of(r))
	}
	if c.Expired, err = s.due(choice); err != nil {
		return Receipt{}, explain(err)
	}
	if len(c.Expired) > rights.MostExpired {
		c.Expired, c.More = c.Expired[:rights.MostExpired], true
	}
	c.Digest = digestOf(c.Months, c.Expired)
	return s.propose(ctx, c)
}

// digestOf names what was found: who reads it out of a page approves that, and
// nothing else.
func digestOf(months []byte, all []rights.Expired) [32]byte {
	parts := [][]byte{months}
	for _, e := range all {
		v := e.Version
		parts = append(parts, []byte{byte(e.Rule), e.Collection}, e.ID[:], []byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
	}
	return sha256.Sum256(crypto.Place(parts...))
}

// due finds who is kept too long today.
func (s *Retention) due(choice rights.Choice) (out []rights.Expired, err error) {
	today, zone := s.today(), s.zone()
	day := func(at Instant) Day { return DayOf(at.Time().In(zone)) }
	err = s.view(itself, func(tx *store.Tx) error {
		waiting := map[[16]byte]bool{}
		put := func(rule rights.Rule, collection byte, id [16]byte, version uint32, last Day) {
			if last <= rights.MonthsBefore(today, int(choice.Of(rule))) && !waiting[id] {
				out = append(out, rights.Expired{Rule: rule, Collection: collection, ID: id, Version: version, Last: last})
			}
		}
		wishes, err := (&Erasures{s.core}).wishes()
		for _, w := range wishes {
			waiting[w.ID] = true
		}
		if err != nil {
			return err
		}
		var inner error
		seen := map[ImportID]bool{}
		err = store.Beneficiaries.Each(tx, nil, func(b people.Beneficiary) bool {
			var yes bool
			var last Instant
			if yes, inner = visible(tx, b.Enrolled.Import, seen); inner != nil || !yes || b.Standing.Restricted != 0 {
				return inner == nil
			}
			if last, inner = lastContact(tx, b); inner == nil {
				put(rights.Accompanied, store.Beneficiaries.Code, b.ID, b.Version, day(last))
			}
			return inner == nil
		})
		if err = either(err, inner); err != nil {
			return err
		}
		err = store.Volunteers.Each(tx, nil, func(v people.Volunteer) bool {
			var yes bool
			if yes, inner = visible(tx, v.Import, seen); inner != nil || !yes || v.Standing.Restricted != 0 {
				return inner == nil
			}
			switch v.Status {
			case people.Ended:
				put(rights.EndedHelp, store.Volunteers.Code, v.ID, v.Version, day(v.Since))
			case people.Applicant, people.Met:
				put(rights.NeverMet, store.Volunteers.Code, v.ID, v.Version, day(v.Since))
			}
			return true
		})
		if err = either(err, inner); err != nil {
			return err
		}
		err = store.Accounts.Each(tx, nil, func(a account.Account) bool {
			if !a.Closed || !a.Of.Zero() {
				return true // a volunteer's goes with him
			}
			last := a.Made
			inner = tx.EachHistory(store.Accounts.Code, a.ID[:], func(h store.History) { last = max(last, h.At) })
			put(rights.ClosedLogin, store.Accounts.Code, a.ID, a.Version, day(last))
			return inner == nil
		})
		if err = either(err, inner); err != nil {
			return err
		}
		return store.Imports.Each(tx, nil, func(i people.Import) bool {
			if i.State != people.Committed {
				put(rights.Leftovers, store.Imports.Code, i.ID, i.Version, day(max(i.Begun, i.Hidden)))
			}
			return true
		})
	})
	slices.SortStableFunc(out, func(a, b rights.Expired) int { return int(a.Last) - int(b.Last) })
	return out, err
}

// lastContact is when something was last done with her, or said of her.
func lastContact(tx *store.Tx, b people.Beneficiary) (last Instant, err error) {
	last = b.Enrolled.At
	if err := tx.EachHistory(store.Beneficiaries.Code, b.ID[:], func(h store.History) { last = max(last, h.At) }); err != nil {
		return last, err
	}
	var inner error
	err = view.Each(tx, view.OfPerson(b.ID), nil, true, func(id RequestID, _ []byte) bool {
		var r request.Request
		if r, _, inner = store.Requests.Get(tx, id[:]); inner == nil {
			last = max(last, r.Opened, r.Outcome.At, r.Plan.Start, r.Thanks.At)
		}
		return inner == nil
	})
	if err = either(err, inner); err != nil {
		return last, err
	}
	err = view.Each(tx, view.CallsTo(b.ID), nil, true, func(id AttemptID, _ []byte) bool {
		var a contact.Attempt
		if a, _, inner = store.Attempts.Get(tx, id[:]); inner == nil && a.Result != contact.NoAnswer {
			last = max(last, a.At)
		}
		return inner == nil
	})
	return last, either(err, inner)
}

// List is every look, the newest first: one that waits for the DPO's word, and the
// reports of those that have it.
func (s *Retention) List(by Caller) (out []Sorting, err error) {
	if err := by.may(KeepBooks); err != nil {
		return nil, err
	}
	err = s.view(itself, func(tx *store.Tx) error {
		return store.Sortings.Each(tx, nil, func(r rights.Sorting) bool {
			sorted := Sorting{Sorting: r, Digest: hexOf(r.Digest)}
			for _, e := range r.Expired {
				sorted.Due = append(sorted.Due, DueRecord{e, erasableOf(e.Collection)})
			}
			out = append(out, sorted)
			return true
		})
	})
	slices.Reverse(out)
	return out, err
}

// Approve puts in line to be erased, within the hour, whoever is in a look and has
// not changed since. digest is the one that was read on the page.
func (s *Retention) Approve(ctx context.Context, by Caller, id SortingID, digest string) (Receipt, error) {
	if err := by.may(AnswerRights); err != nil {
		return Receipt{}, err
	}
	all, err := s.List(by)
	if err != nil {
		return Receipt{}, err
	}
	i := slices.IndexFunc(all, func(x Sorting) bool { return x.ID == id })
	if i < 0 {
		return Receipt{}, &Error{Kind: NotFound, Code: "no-sorting", Reason: "no such dry run"}
	}
	if all[i].Digest != digest {
		return Receipt{}, &Error{Kind: Conflict, Code: "sorting-approved", Reason: "this dry run was approved, or another has taken its place; run it again"}
	}
	return s.propose(ctx, command.ApproveSorting{Stamp: s.stamp(by, ""), ID: id, Digest: all[i].Sorting.Digest})
}
