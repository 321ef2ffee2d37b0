package public

// MaxSeq bounds the places of a feed: no feed comes near it, and every place fits
// wherever somebody counts with it.
const MaxSeq = 1<<40 - 1

func checkSeq(n uint64) error {
	if n > MaxSeq {
		return ErrRange
	}
	return nil
}

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
	return checkSeq(r.Seq)
}
