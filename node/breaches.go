package node

import (
	"context"
	"slices"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/rights"
	"github.com/bippop/bippop/node/internal/store"
)

// Breaches is the register of what went wrong with people's data (GDPR, art. 33).
type Breaches struct{ *core }

// Breach is one page of it.
type Breach struct {
	rights.Breach
	Words BreachWords
}

// BreachWords and BreachFacts are what people write down.
type (
	BreachWords = rights.BreachWords
	BreachFacts = rights.Facts
	BreachHarm  = rights.Harm
	BreachRisk  = rights.Risk
)

// List is all pages, the newest first, without their words.
func (s *Breaches) List(by Caller) (out []Breach, err error) {
	if err := by.may(AnswerRights); err != nil {
		return nil, err
	}
	err = s.view(by, func(tx *store.Tx) error {
		return store.Breaches.Each(tx, nil, func(b rights.Breach) bool {
			out = append(out, Breach{Breach: b})
			return true
		})
	})
	slices.Reverse(out)
	return out, err
}

// Get opens one page. NotFound.
func (s *Breaches) Get(by Caller, id BreachID) (b Breach, err error) {
	if err := by.may(AnswerRights); err != nil {
		return b, err
	}
	err = s.view(by, func(tx *store.Tx) error {
		var ok bool
		if b.Breach, ok, err = store.Breaches.Get(tx, id[:]); err == nil && !ok {
			err = &Error{Kind: NotFound, Code: "no-breach", Reason: "no such page of the register of breaches"}
		}
		return err
	})
	if err == nil {
		err = s.opening(by).open(b.Leaf, store.Breaches.Name, b.ID, b.Boxed, b.Box, &b.Words)
		s.health.note(err)
	}
	return b, explain(err)
}

func (s *Breaches) check(by Caller, f BreachFacts, w *BreachWords) error {
	now := s.clock()
	switch {
	case by.may(AnswerRights) != nil:
		return by.may(AnswerRights)
	case f.Known == 0 || f.Known > now || f.From > now || f.To > now || f.Notified > now || f.Informed > now:
		return invalid("known", "time-out-of-range", "say when the territory knew of it; no time lies ahead")
	case !f.Complete():
		return invalid("harm", "missing", "say what was broken and at what risk, and a span that does not end before it begins")
	case w.What.Empty():
		return invalid("what", "missing", "say what has happened")
	}
	return tidyAll(line{"what", &w.What, longestNote}, line{"effects", &w.Effects, longestNote}, line{"measures", &w.Measures, longestNote})
}

// Write begins a page. Its words are sealed under a key of their own.
func (s *Breaches) Write(ctx context.Context, by Caller, f BreachFacts, w BreachWords) (Receipt, error) {
	if err := s.check(by, f, &w); err != nil {
		return Receipt{}, err
	}
	id := newID[BreachID]()
	return s.proposeSealed(ctx, 1, func(leaves []crypto.Leaf, keys []crypto.Key) (command.Command, error) {
		box, err := s.seal(keys[0], store.Breaches.Name, id, 1, w)
		return command.WriteBreach{Stamp: s.stamp(by, ""), ID: id, Facts: f, Leaf: leaves[0], Box: box}, err
	})
}

// Change replaces what a page says, and with closes ends it.
func (s *Breaches) Change(ctx context.Context, by Caller, id BreachID, version uint32, f BreachFacts, w BreachWords, closes bool) (Receipt, error) {
	if err := s.check(by, f, &w); err != nil {
		return Receipt{}, err
	}
	b, err := s.Get(by, id)
	if err != nil {
		return Receipt{}, err
	}
	key, err := s.ring.Open(b.Leaf)
	if err != nil {
		return Receipt{}, explain(err)
	}
	box, err := s.seal(key, store.Breaches.Name, id, version+1, w)
	if err != nil {
		return Receipt{}, err
	}
	return s.propose(ctx, command.WriteBreach{Stamp: s.stamp(by, ""), ID: id, Version: version, Facts: f, Box: box, Closes: closes})
}
