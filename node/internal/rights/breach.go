package rights

import (
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/refuse"
	"github.com/bippop/bippop/node/internal/when"
)

// NotifyWithin is how long the territory has to tell the CNIL of a breach from when
// it knew of it (GDPR, art. 33).
const NotifyWithin = 72 * time.Hour

// Harm is a set of what was broken. The bits are in the store.
type Harm uint8

const (
	Disclosed Harm = 1 << 0 // confidentiality
	Altered   Harm = 1 << 1 // integrity
	Lost      Harm = 1 << 2 // availability
)

// Risk is what people may suffer by it. The numbers are in the store.
type Risk uint8

const (
	NoRisk   Risk = 1 // to be written here, and told to nobody
	SomeRisk Risk = 2 // the CNIL is told
	HighRisk Risk = 3 // the people concerned are told, too
)

// Facts of a breach are what people write down of it in clear: no name.
type Facts struct {
	Known    when.At       `cbor:"1,keyasint"`           // when the territory knew of it
	From     when.At       `cbor:"2,keyasint,omitempty"` // when it happened
	To       when.At       `cbor:"3,keyasint,omitempty"`
	Harm     Harm          `cbor:"4,keyasint"`
	Risk     Risk          `cbor:"5,keyasint"`
	Account  ident.Account `cbor:"6,keyasint,omitzero"` // by which it happened, if by one
	People   uint32        `cbor:"7,keyasint,omitempty"`
	Notified when.At       `cbor:"8,keyasint,omitempty"` // the CNIL
	Informed when.At       `cbor:"9,keyasint,omitempty"` // the people concerned
}

// Breach is one page of the register of breaches (GDPR, art. 33 (5)). It is kept.
type Breach struct {
	ID      ident.Breach  `cbor:"1,keyasint"`
	Version uint32        `cbor:"2,keyasint"`
	Facts   Facts         `cbor:"3,keyasint"`
	Leaf    crypto.Leaf   `cbor:"4,keyasint"` // seals Box
	Box     []byte        `cbor:"5,keyasint"` // BreachWords
	Boxed   uint32        `cbor:"6,keyasint"`
	Written when.At       `cbor:"7,keyasint"`
	By      ident.Account `cbor:"8,keyasint"`
	Closed  when.At       `cbor:"9,keyasint,omitempty"`
}

// BreachWords tell it, by the chapters of the CNIL's form.
type BreachWords struct {
	What     crypto.Secret `cbor:"1,keyasint,omitempty"` // has happened
	Effects  crypto.Secret `cbor:"2,keyasint,omitempty"` // that it may have
	Measures crypto.Secret `cbor:"3,keyasint,omitempty"` // taken or planned
}

// Complete reports whether the facts say enough to begin a page.
func (f Facts) Complete() bool {
	return f.Known != 0 && f.Harm != 0 && f.Harm&^(Disclosed|Altered|Lost) == 0 && f.Risk >= NoRisk && f.Risk <= HighRisk && f.From <= f.To
}

// Deadline is when the CNIL is to be told at the latest.
func (b Breach) Deadline() when.At { return b.Facts.Known.Add(NotifyWithin) }

// Late reports whether the CNIL should have been told by now.
func (b Breach) Late(now when.At) bool {
	return b.Facts.Risk != NoRisk && b.Facts.Notified == 0 && now > b.Deadline()
}

// Change replaces facts and words, or closes the page. What has to be told is told
// before.
func (b Breach) Change(version uint32, f Facts, box []byte, closes bool, at when.At) (Breach, error) {
	switch {
	case b.Version != version:
		return b, refuse.StaleVersion
	case b.Closed != 0:
		return b, refuse.BreachClosed
	case closes && (f.Risk != NoRisk && f.Notified == 0 || f.Risk == HighRisk && f.Informed == 0):
		return b, refuse.BreachUntold
	}
	b.Version++
	b.Facts = f
	if len(box) > 0 {
		b.Box, b.Boxed = box, b.Version
	}
	if closes {
		b.Closed = at
	}
	return b, nil
}
