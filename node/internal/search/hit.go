package search

// Match says how a person was found, so that the page can say so: "se prononce comme". Of the words
// that are of her names, it is the weakest; how the commune was spelt counts only for an error.
type Match uint8

const (
	ByName     Match = 1 // the letters of a name, or their beginning; perhaps with a commune
	BySound    Match = 2 // a name sounds like it
	ByPhone    Match = 3 // a phone number begins or ends so
	ByCommune  Match = 4 // no word is of a name, all are of the commune
	BySpelling Match = 5 // a name or commune is one typing error away
)

// String returns the match as a word for keys and attributes; it is not for people to read.
func (m Match) String() string {
	switch m {
	case ByName:
		return "name"
	case BySound:
		return "sound"
	case ByPhone:
		return "phone"
	case ByCommune:
		return "commune"
	case BySpelling:
		return "spelling"
	}
	return "unknown"
}

// Hit is one person found. It holds no word of hers.
type Hit struct {
	Kind Kind
	ID   [16]byte
	By   Match
}
