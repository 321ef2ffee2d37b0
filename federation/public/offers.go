package public

// Capacity that crosses a border says what could be done, never by whom: the
// types here have no room for a person.

// Languages is a set of spoken languages from a closed list. The bits are in feeds.
type Languages uint16

const (
	French     Languages = 1 << 0
	English    Languages = 1 << 1
	Arabic     Languages = 1 << 2
	Portuguese Languages = 1 << 3
	Spanish    Languages = 1 << 4
	Italian    Languages = 1 << 5
	Turkish    Languages = 1 << 6
	Occitan    Languages = 1 << 7
	Breton     Languages = 1 << 8
	Basque     Languages = 1 << 9
	Corsican   Languages = 1 << 10
	Alsatian   Languages = 1 << 11
	Creole     Languages = 1 << 12
	FrenchSign Languages = 1 << 13

	everyLanguage = FrenchSign<<1 - 1
)

// Radius is how far from its border a territory's help goes.
type Radius uint8

const (
	AtBorder Radius = 1 // communes next to ours
	Near     Radius = 2 // up to 20 km
	Far      Radius = 3 // up to 50 km
	ByPhone  Radius = 4 // calls, from anywhere
)

// Bounds of an offer.
const (
	MaxSlots = 50
	MaxWeeks = 13 // an offer lives at most a quarter
)

// Ref names an entry of a feed.
type Ref struct {
	_     struct{} `cbor:",toarray"`
	From  Siren
	Epoch uint16
	Seq   uint64
}

func (r Ref) check() error {
	if !r.From.Valid() || r.Epoch == 0 {
		return ErrRange
	}
	return nil
}

// Offer is capacity for neighbours. Its name is the place of its entry.
type Offer struct {
	_         struct{} `cbor:",toarray"`
	Category  Category
	From      Day // first day; a Monday
	Weeks     uint8
	Slots     uint8 // visits in all, 1 to MaxSlots
	Radius    Radius
	Languages Languages
}

// Withdraw ends an offer of one's own before its last day.
type Withdraw struct {
	_     struct{} `cbor:",toarray"`
	Offer uint64   // Seq, in the same epoch
}

// Interest asks for a part of a neighbour's offer.
type Interest struct {
	_     struct{} `cbor:",toarray"`
	Offer Ref
	Slots uint8
	Week  uint8 // of the offer, from 0
}

// Renounce ends an interest of one's own, met or not.
type Renounce struct {
	_        struct{} `cbor:",toarray"`
	Interest uint64   // Seq
}

// Accept meets an interest; the offering territory alone decides.
type Accept struct {
	_        struct{} `cbor:",toarray"`
	Interest Ref
}

// Why an interest is not met.
type Why uint8

const (
	Taken     Why = 1 // no slot is left
	NotThen   Why = 2 // not in that week
	NotFor    Why = 3 // somebody who could is not available
	WhyGone   Why = 4 // the offer is over
	WhyCalled Why = 5 // settled by phone
)

// Decline does not meet an interest.
type Decline struct {
	_        struct{} `cbor:",toarray"`
	Interest Ref
	Why      Why
}

// Ack takes up what was accepted: the volunteer may call the requesting office,
// whose public number stands in the roster.
type Ack struct {
	_        struct{} `cbor:",toarray"`
	Interest uint64
}

// Lapse frees the slots of an accepted interest that nobody acknowledged in time.
type Lapse struct {
	_        struct{} `cbor:",toarray"`
	Interest Ref
}

// Outcome of a match.
type Outcome uint8

const (
	Happened  Outcome = 1
	NoMatch   Outcome = 2 // it did not come about
	PartlyHad Outcome = 3
)

// Close ends a match; either side may, the requesting one usually does.
type Close struct {
	_        struct{} `cbor:",toarray"`
	Interest Ref
	Outcome  Outcome
}

// Handover says that the dossiers of communes were taken in whole from a giver,
// who may erase them now.
type Handover struct {
	_        struct{} `cbor:",toarray"`
	Giver    Siren
	Communes []Commune // sorted, 1 to 500
	Roster   uint64    // version of the roster that moved them
	Digest   [32]byte  // of the encrypted file that was taken in
}

// Presence says that the territory is there and has nothing else to say.
type Presence struct {
	_ struct{} `cbor:",toarray"`
}

// Retract says that an earlier entry of the same feed was wrong.
type Retract struct {
	_   struct{} `cbor:",toarray"`
	Seq uint64
}

func (Retract) Kind() Kind  { return KindRetract }
func (Offer) Kind() Kind    { return KindOffer }
func (Withdraw) Kind() Kind { return KindWithdraw }
func (Accept) Kind() Kind   { return KindAccept }
func (Decline) Kind() Kind  { return KindDecline }
func (Lapse) Kind() Kind    { return KindLapse }
func (Interest) Kind() Kind { return KindInterest }
func (Renounce) Kind() Kind { return KindRenounce }
func (Ack) Kind() Kind      { return KindAck }
func (Close) Kind() Kind    { return KindClose }
func (Handover) Kind() Kind { return KindHandover }
func (Presence) Kind() Kind { return KindPresence }

// Monday reports whether the day is one: 1 January 2020 was a Wednesday.
func (d Day) Monday() bool { return (d+2)%7 == 0 }

func (o Offer) check() error {
	switch {
	case o.Category == NoCategory || o.Category > Other, o.Slots == 0 || o.Slots > MaxSlots, o.Weeks == 0 || o.Weeks > MaxWeeks,
		o.Radius < AtBorder || o.Radius > ByPhone, o.Languages&^everyLanguage != 0, !o.From.Monday():
		return ErrRange
	}
	return nil
}

func (i Interest) check() error {
	if i.Slots == 0 || i.Slots > MaxSlots || i.Week >= MaxWeeks {
		return ErrRange
	}
	return i.Offer.check()
}

func (d Decline) check() error {
	if d.Why < Taken || d.Why > WhyCalled {
		return ErrRange
	}
	return d.Interest.check()
}

func (c Close) check() error {
	if c.Outcome < Happened || c.Outcome > PartlyHad {
		return ErrRange
	}
	return c.Interest.check()
}

func (h Handover) check() error {
	if !h.Giver.Valid() || len(h.Communes) == 0 || len(h.Communes) > 500 {
		return ErrRange
	}
	for i, c := range h.Communes {
		if _, err := ParseCommune(c.String()); err != nil || i > 0 && h.Communes[i-1].String() >= c.String() {
			return ErrRange
		}
	}
	return nil
}

func (a Accept) check() error { return a.Interest.check() }
func (l Lapse) check() error  { return l.Interest.check() }
func (Retract) check() error  { return nil }
func (Withdraw) check() error { return nil }
func (Renounce) check() error { return nil }
func (Ack) check() error      { return nil }
func (Presence) check() error { return nil }
