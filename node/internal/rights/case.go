package rights

import (
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/when"
)

// Demand is which right somebody uses. The numbers are in the store.
type Demand uint8

const (
	ToAccess      Demand = 1
	ToPortability Demand = 2
	ToRectify     Demand = 3
	ToRestrict    Demand = 4
	ToErase       Demand = 5
	ToObject      Demand = 6
)

// Known reports whether d is one of them.
func (d Demand) Known() bool { return d >= ToAccess && d <= ToObject }

// State is how far a case is. The numbers are in the store.
type State uint8

const (
	Received State = 1 // who asks is not known for sure
	Checked  State = 2
	Answered State = 3
	Declined State = 4 // with a reason
	Dropped  State = 5 // taken back by who asked
)

// Closed reports whether nothing is to be done any more.
func (s State) Closed() bool { return s >= Answered }

// Asker is who has asked. The numbers are in the store.
type Asker uint8

const (
	Herself  Asker = 1
	Relative Asker = 2 // with her written mandate
	Guardian Asker = 3 // by a judge's word
)

// Known reports whether a is one of them.
func (a Asker) Known() bool { return a >= Herself && a <= Guardian }

// Check is how the desk made sure who asks. No copy of a card is kept. The numbers
// are in the store.
type Check uint8

const (
	NotYet      Check = 0
	CalledBack  Check = 1 // on the number in the file
	CardSeen    Check = 2
	KnownHere   Check = 3 // by the agent, face to face
	MandateRead Check = 4 // card of who asks, and her mandate or the judgment
)

// Reason is why a case waits longer, or is declined. The numbers are in the store.
type Reason uint8

const (
	NoReason   Reason = 0
	Complex    Reason = 1 // an extension: the demand is complex
	Many       Reason = 2 // an extension: there are many demands
	Unfounded  Reason = 3 // declined: manifestly unfounded or excessive
	NotProven  Reason = 4 // declined: who asks could not be made sure of
	OthersHarm Reason = 5 // declined: it would harm others' rights
	LegalDuty  Reason = 6 // declined: the law asks to keep it
)

// extends and declines say which reason is for what.
func (r Reason) extends() bool  { return r == Complex || r == Many }
func (r Reason) declines() bool { return r >= Unfounded && r <= LegalDuty }

// Case is one demand. Nothing in clear says more than that somebody has used a
// right; the note is sealed under the key of whom it is about, and goes with her.
type Case struct {
	ID         ident.Case    `cbor:"1,keyasint"`
	Version    uint32        `cbor:"2,keyasint"`
	Demand     Demand        `cbor:"3,keyasint"`
	State      State         `cbor:"4,keyasint"`
	Collection byte          `cbor:"5,keyasint,omitempty"` // of the record that it is about; 0: nobody in the files
	Who        [16]byte      `cbor:"6,keyasint"`
	Received   when.Day      `cbor:"7,keyasint"`
	Due        when.Day      `cbor:"8,keyasint"`
	Asker      Asker         `cbor:"9,keyasint"`
	Check      Check         `cbor:"10,keyasint,omitempty"`
	Extended   Reason        `cbor:"11,keyasint,omitempty"`
	Why        Reason        `cbor:"12,keyasint,omitempty"` // of declining
	Opened     when.At       `cbor:"13,keyasint"`
	By         ident.Account `cbor:"14,keyasint"`
	Closed     when.At       `cbor:"15,keyasint,omitempty"`
	Box        []byte        `cbor:"16,keyasint,omitempty"` // CaseWords
	Boxed      uint32        `cbor:"17,keyasint,omitempty"`
}

// CaseWords are what only people may read.
type CaseWords struct {
	Note crypto.Secret `cbor:"1,keyasint,omitempty"`
}

// Step is what happens to a case.
type Step struct {
	To     State    `cbor:"1,keyasint,omitempty"` // 0: it stays where it is
	Check  Check    `cbor:"2,keyasint,omitempty"` // with Checked
	Reason Reason   `cbor:"3,keyasint,omitempty"` // with Declined, or with Due
	Due    when.Day `cbor:"4,keyasint,omitempty"` // the later day of an extension
}

// Open begins a case.
func Open(c Case, at when.At) Case {
	c.Version, c.State, c.Opened = 1, Received, at
	c.Check, c.Extended, c.Why, c.Closed = NotYet, NoReason, NoReason, 0
	if len(c.Box) > 0 {
		c.Boxed = 1
	}
	return c
}

// Take moves it on and, unless box is empty, replaces the note.
func (c Case) Take(version uint32, s Step, box []byte, today when.Day, at when.At) (Case, error) {
	switch {
	case c.Version != version:
		return c, refuse.StaleVersion
	case c.State.Closed():
		return c, refuse.CaseClosed
	case s.Due != 0 && c.Extended != NoReason:
		return c, refuse.CaseExtended
	case s.Due != 0 && (today > c.Due || s.Due <= c.Due || !s.Reason.extends()):
		return c, refuse.CaseLate
	case s.To == Answered && c.State != Checked:
		return c, refuse.IdentityFirst
	case s.To == Checked && s.Check == NotYet, s.To == Declined && !s.Reason.declines(), s.To == Received, s.To > Dropped:
		return c, refuse.WrongStep
	}
	c.Version++
	if s.To != 0 {
		c.State = s.To
	}
	if s.To == Checked {
		c.Check = s.Check
	}
	if s.Due != 0 {
		c.Due, c.Extended = s.Due, s.Reason
	}
	if s.To == Declined {
		c.Why = s.Reason
	}
	if c.State.Closed() {
		c.Closed = at
	}
	if len(box) > 0 {
		c.Box, c.Boxed = box, c.Version
	}
	return c, nil
}

// Without is c when the person is erased: that she asked, and when, is the
// territory's proof; what was noted with it goes.
func (c Case) Without() Case {
	c.Version++
	c.Box, c.Boxed = nil, 0
	return c
}
