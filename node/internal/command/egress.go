package command

// Say appends entries to the territory's feed that change nothing else: a presence
// or a retraction.
type Say struct {
	Stamp `cbor:"0,keyasint"`
	Entry []byte `cbor:"1,keyasint"` // public.Encode, final
}

func (Say) Kind() Kind { return KindSay }
