package public

// Release is one quarter's figures of a territory: frozen, released once, never
// computed anew. Its cells stand in the order of the catalogue.
type Release struct {
	_         struct{} `cbor:",toarray"`
	Catalogue uint16
	Quarter   Quarter
	Spent     [units]Micro // in the civil year, this release included, by unit
	Cells     []Noised
}

func (Release) Kind() Kind { return KindRelease }

// releaseWire is a release's form in an entry.
type releaseWire struct {
	_         struct{} `cbor:",toarray"`
	Catalogue uint16
	Quarter   Quarter
	Spent     [units]Micro
	Cells     []int32
}

// MarshalCBOR implements cbor.Marshaler. There is no way back but [Decode]: who
// could read a lone release could make numbers without a receipt.
func (r Release) MarshalCBOR() ([]byte, error) {
	w := releaseWire{Catalogue: r.Catalogue, Quarter: r.Quarter, Spent: r.Spent, Cells: make([]int32, len(r.Cells))}
	for i, c := range r.Cells {
		w.Cells[i] = c.n
	}
	return encoding.Marshal(w)
}

func decodeRelease(b []byte) (Message, error) {
	var w releaseWire
	if err := decoding.Unmarshal(b, &w); err != nil {
		return nil, ErrForm
	}
	r := Release{Catalogue: w.Catalogue, Quarter: w.Quarter, Spent: w.Spent, Cells: make([]Noised, len(w.Cells))}
	for i, n := range w.Cells {
		r.Cells[i] = Noised{n}
	}
	return r, nil
}

// MaxCell bounds a cell either way: no quarter of a département comes near it.
const MaxCell = 100_000_000

// Clamp is n, or the bound that it lies beyond. Only noise of an unbelievable size
// makes it differ.
func Clamp(n int64) int32 { return int32(max(-MaxCell, min(n, MaxCell))) }

func (r Release) check() error {
	if n := Cells(r.Catalogue); n == 0 || len(r.Cells) != n || r.Quarter > LastQuarter {
		return ErrRange
	}
	at := 0
	for _, g := range Catalogue(r.Catalogue) {
		for _, c := range r.Cells[at : at+int(g.Cells)] {
			if c.n > MaxCell || c.n < -MaxCell || g.Unit == Institution && c.n < 0 {
				return ErrRange
			}
		}
		at += int(g.Cells)
	}
	for u := Institution; u < units; u++ {
		cost := Cost(r.Catalogue, u)
		if r.Spent[u] < cost || r.Spent[u] > MaxSpending || cost == 0 && r.Spent[u] != 0 {
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
