package command

// BeginVectors has the machine count the quarters' vectors from now on. Before it,
// programs that do not know vectors may be among the replicas.
type BeginVectors struct {
	Stamp `cbor:"0,keyasint"`
}

// Freeze ends a quarter: its release, with its noise, is appended to the feed, and
// the vector that it was made of is forgotten.
type Freeze struct {
	Stamp `cbor:"0,keyasint"`
	Entry []byte `cbor:"1,keyasint"` // public.Encode, final
}

func (BeginVectors) Kind() Kind { return KindBeginVectors }
func (Freeze) Kind() Kind       { return KindFreeze }
