package public

import "errors"

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

// Receipt permits one release. Made by [Odometer.Charge] alone; the zero Receipt
// permits none.
type Receipt struct {
	catalogue uint16
	quarter   Quarter
	after     Odometer
}

// Charge pays for the release of a quarter. [ErrOrder], [ErrBudget]; [ErrRange] for
// a catalogue that this program does not know, or a quarter past [LastQuarter].
func (o Odometer) Charge(version uint16, q Quarter) (Receipt, error) {
	if Catalogue(version) == nil || q > LastQuarter {
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
		cost := Cost(version, u)
		if after.Spent[u] > MaxSpending || cost > MaxSpending-after.Spent[u] {
			return Receipt{}, ErrBudget
		}
		after.Spent[u] += cost
	}
	return Receipt{version, q, after}, nil
}

// Release makes the message of one quarter from its cells, in the catalogue's
// order, noise already drawn. [ErrRange] for another number of cells, or one that
// is out of bounds: see [Clamp].
func (r Receipt) Release(cells []int32) (Release, error) {
	if len(cells) != Cells(r.catalogue) || len(cells) == 0 {
		return Release{}, ErrRange
	}
	out := Release{Catalogue: r.catalogue, Quarter: r.quarter, Spent: r.after.Spent, Cells: make([]Noised, len(cells))}
	for i, n := range cells {
		out.Cells[i] = Noised{n}
	}
	if err := out.check(); err != nil {
		return Release{}, err
	}
	return out, nil
}

// After is the odometer once the release that r permits is made.
func (r Receipt) After() Odometer { return r.after }

// Follow checks that a release is the next one after o and pays what it says:
// whoever reads a feed runs it over all releases, retracted ones too. On an error o
// is what it answers. [ErrOrder], [ErrBudget], [ErrRange].
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
