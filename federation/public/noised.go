package public

// Noised is a number that may leave the territory: exact where nobody stands
// behind it, with noise where somebody does. Only a [Receipt] makes one; decoding
// an entry reads what its territory has made.
type Noised struct{ n int32 }

// N is the number; noise may have made it negative.
func (n Noised) N() int32 { return n.n }
