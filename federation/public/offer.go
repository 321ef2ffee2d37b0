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

func (Offer) Kind() Kind    { return KindOffer }
func (Withdraw) Kind() Kind { return KindWithdraw }

func (o Offer) check() error {
	switch {
	case o.Category == NoCategory || o.Category > Other, o.Slots == 0 || o.Slots > MaxSlots, o.Weeks == 0 || o.Weeks > MaxWeeks,
		o.Radius < AtBorder || o.Radius > ByPhone, o.Languages&^everyLanguage != 0, !o.From.Monday():
		return ErrRange
	}
	return nil
}

func (w Withdraw) check() error { return checkSeq(w.Offer) }
func (w Withdraw) own() uint64  { return w.Offer }
