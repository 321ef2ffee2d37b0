package public

// Handover says that the dossiers of communes were taken in whole from a giver,
// who may erase them now.
type Handover struct {
	_        struct{} `cbor:",toarray"`
	Giver    Siren
	Communes []Commune // sorted, 1 to [MaxCommunes]
	Roster   uint64    // version of the roster that moved them
	Digest   [32]byte  // of the encrypted file that was taken in
}

// MaxCommunes is how many communes one handover moves; the largest département has
// 890.
const MaxCommunes = 1000

func (Handover) Kind() Kind { return KindHandover }

func (h Handover) check() error {
	if !h.Giver.Valid() || checkSeq(h.Roster) != nil || len(h.Communes) == 0 || len(h.Communes) > MaxCommunes {
		return ErrRange
	}
	for i, c := range h.Communes {
		if _, err := ParseCommune(c.String()); err != nil || i > 0 && h.Communes[i-1].String() >= c.String() {
			return ErrRange
		}
	}
	return nil
}
