package public

import "errors"

// Release is one quarter's figures of a territory: frozen, released once, never
// computed anew. Its cells stand in the order of the catalogue.
type Release struct {
	_         struct{} `cbor:",toarray"`
	Catalogue uint16
	Quarter   Quarter
	Spent     [units]Micro // in the civil year, this release included, by unit
	Cells     []Noised
}

// Noised is a number that may leave the territory: exact where nobody stands
// behind it, with noise where somebody does. Only a [Receipt] makes one; decoding
// reads what another territory has made.
type Noised struct{ n int32 }

// N is the number; noise may have made it negative.
func (n Noised) N() int32 { return n.n }

// MarshalCBOR implements cbor.Marshaler.
func (n Noised) MarshalCBOR() ([]byte, error) { return encoding.Marshal(n.n) }

// UnmarshalCBOR implements cbor.Unmarshaler.
func (n *Noised) UnmarshalCBOR(b []byte) error { return decoding.Unmarshal(b, &n.n) }

var (
	// ErrBudget says that no budget is left for another release in this year.
	ErrBudget = errors.New("the year's privacy budget is spent: nothing more is released before the next one")
	// ErrOrder says that a release does not come after the last one.
	ErrOrder = errors.New("this quarter was released already, or a later one was")
)

// Odometer is what a territory has released and spent so far. The zero Odometer is
// that of a new territory. It is part of the record, so no release is forgotten.
type Odometer struct {
	Last  Quarter      `cbor:"1,keyasint"` // released last
	Any   bool         `cbor:"2,keyasint"` // there was one
	Spent [units]Micro `cbor:"3,keyasint"` // in Last's year
}

// Receipt permits one release. Made by [Odometer.Charge] alone.
type Receipt struct {
	catalogue uint16
	quarter   Quarter
	after     Odometer
}

// Charge pays for the release of a quarter. [ErrOrder], [ErrBudget].
func (o Odometer) Charge(version uint16, q Quarter) (Receipt, error) {
	if Catalogue(version) == nil {
		return Receipt{}, ErrRange
	}
	if o.Any && q <= o.Last {
		return Receipt{}, ErrOrder
	}
	after := Odometer{Last: q, Any: true}
	year, _ := q.Year()
	last, _ := o.Last.Year()
	for u := Institution; u < units; u++ {
		if o.Any && last == year {
			after.Spent[u] = o.Spent[u]
		}
		if after.Spent[u] += Cost(version, u); after.Spent[u] > MaxSpending {
			return Receipt{}, ErrBudget
		}
	}
	return Receipt{version, q, after}, nil
}

// Release makes the message of one quarter from its cells, in the catalogue's
// order, noise already drawn. [ErrRange] for another number of cells.
func (r Receipt) Release(cells []int32) (Release, error) {
	if len(cells) != Cells(r.catalogue) || len(cells) == 0 {
		return Release{}, ErrRange
	}
	out := Release{Catalogue: r.catalogue, Quarter: r.quarter, Spent: r.after.Spent, Cells: make([]Noised, len(cells))}
	for i, n := range cells {
		out.Cells[i] = Noised{n}
	}
	return out, out.check()
}

// Follow checks that a release is the next one after o and pays what it says:
// whoever reads a feed runs it over all releases. [ErrOrder], [ErrBudget],
// [ErrRange].
func (o Odometer) Follow(r Release) (Odometer, error) {
	receipt, err := o.Charge(r.Catalogue, r.Quarter)
	if err != nil {
		return o, err
	}
	if receipt.after.Spent != r.Spent {
		return o, ErrBudget
	}
	return receipt.after, nil
}

func (Release) Kind() Kind { return KindRelease }

// maxCell bounds a cell either way: no quarter of a département comes near it.
const maxCell = 100_000_000

func (r Release) check() error {
	if n := Cells(r.Catalogue); n == 0 || len(r.Cells) != n {
		return ErrRange
	}
	at := 0
	for _, g := range Catalogue(r.Catalogue) {
		for _, c := range r.Cells[at : at+int(g.Cells)] {
			if c.n > maxCell || c.n < -maxCell || g.Unit == Institution && c.n < 0 {
				return ErrRange
			}
		}
		at += int(g.Cells)
	}
	for u := Institution; u < units; u++ {
		if r.Spent[u] > MaxSpending {
			return ErrRange
		}
	}
	return nil
}

// Group is a release's numbers of one group, or nil.
func (r Release) Group(n GroupNumber) []Noised {
	at, g, ok := Place(r.Catalogue, n)
	if !ok || at+int(g.Cells) > len(r.Cells) {
		return nil
	}
	return r.Cells[at : at+int(g.Cells)]
}
