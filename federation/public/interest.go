package public

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

func (Interest) Kind() Kind { return KindInterest }
func (Renounce) Kind() Kind { return KindRenounce }
func (Accept) Kind() Kind   { return KindAccept }
func (Decline) Kind() Kind  { return KindDecline }
func (Ack) Kind() Kind      { return KindAck }
func (Lapse) Kind() Kind    { return KindLapse }
func (Close) Kind() Kind    { return KindClose }

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

func (a Accept) check() error   { return a.Interest.check() }
func (l Lapse) check() error    { return l.Interest.check() }
func (r Renounce) check() error { return checkSeq(r.Interest) }
func (a Ack) check() error      { return checkSeq(a.Interest) }
func (r Renounce) own() uint64  { return r.Interest }
func (a Ack) own() uint64       { return a.Interest }
