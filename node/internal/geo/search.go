package geo

import (
	"cmp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
)

// Search returns the communes whose name, code or postcode starts with q, at most limit of them: exact names first,
// then the largest population, then the code. It is for the box where somebody types what a caller says.
//
// Case, accents, hyphens, apostrophes and spaces do not count; "st" is "saint" and "ste" is "sainte"; a leading article
// may be left out: "reole" finds La Réole. A commune is also found by the names of its parts (see [Part]): what is
// returned is the commune of today, once. If q starts with a digit it is a postcode or an INSEE code, or their start.
// An empty q finds nothing.
func Search(q string, limit int) []Commune {
	f := france()
	var found []uint16
	if q = strings.TrimSpace(q); q != "" && q[0] >= '0' && q[0] <= '9' {
		found = f.searchCode(q, limit)
	} else {
		found = f.searchName(q, limit)
	}
	communes := make([]Commune, 0, len(found))
	for _, row := range found {
		communes = append(communes, f.commune(row))
	}
	return communes
}

// Postcode returns the communes that have this postcode, largest population first. One postcode serves up to 46
// communes, and a commune has up to 21.
func Postcode(code string) []Commune {
	if len(code) != 5 {
		return nil
	}
	f := france()
	var communes []Commune
	for _, p := range lookupTables().postcodesFrom(code) {
		communes = append(communes, f.commune(p.row))
	}
	slices.SortStableFunc(communes, func(a, b Commune) int { return cmp.Compare(b.Population, a.Population) })
	return communes
}

func (f *tables) searchCode(q string, limit int) []uint16 {
	q = strings.ToUpper(strings.ReplaceAll(q, " ", ""))
	b := best{f: f, limit: limit}
	for _, p := range lookupTables().postcodesFrom(q) {
		b.add(p.row, exactName)
	}
	first, end := f.rows(q)
	for row := first; row < end; row++ {
		b.add(uint16(row), exactName)
	}
	return b.rows()
}

func (f *tables) searchName(q string, limit int) []uint16 {
	b := best{f: f, limit: limit}
	x := lookupTables()
	for _, prefix := range folds(q) {
		first := sort.Search(len(x.names), func(i int) bool { return x.name(i) >= prefix })
		for i := first; i < len(x.names) && strings.HasPrefix(x.name(i), prefix); i++ {
			rank := startOfName
			if x.name(i) == prefix {
				rank = exactPart
				if !x.names[i].part {
					rank = exactName
				}
			}
			b.add(x.names[i].row, rank)
		}
	}
	return b.rows()
}

// rank orders what a search finds before population does.
type rank uint8

const (
	exactName rank = iota
	exactPart
	startOfName
)

// best keeps the limit first rows of those added, each once.
type best struct {
	f     *tables
	limit int
	kept  []candidate
}

type candidate struct {
	row  uint16
	rank rank
}

func (b *best) compare(x, y candidate) int {
	return cmp.Or(
		cmp.Compare(x.rank, y.rank),
		cmp.Compare(b.f.population[y.row], b.f.population[x.row]),
		cmp.Compare(x.row, y.row),
	)
}

func (b *best) add(row uint16, r rank) {
	c := candidate{row, r}
	if b.limit <= 0 || len(b.kept) >= b.limit && b.compare(c, b.kept[len(b.kept)-1]) >= 0 {
		return
	}
	if i := slices.IndexFunc(b.kept, func(k candidate) bool { return k.row == row }); i >= 0 {
		if b.kept[i].rank <= r {
			return
		}
		b.kept = slices.Delete(b.kept, i, i+1)
	}
	i, _ := slices.BinarySearchFunc(b.kept, c, b.compare)
	b.kept = slices.Insert(b.kept, i, c)
	b.kept = b.kept[:min(len(b.kept), b.limit)]
}

func (b *best) rows() []uint16 {
	rows := make([]uint16, len(b.kept))
	for i, c := range b.kept {
		rows[i] = c.row
	}
	return rows
}

// lookup finds rows by name and by postcode.
type lookup struct {
	text      string // the folded names, one after the other
	names     []nameKey
	postcodes []postcodeKey
}

// nameKey is a folded name in lookup.text. A row has one or two for its name, and more for its parts.
type nameKey struct {
	at   uint32
	size uint8
	part bool // the name of a part, not of the commune
	row  uint16
}

type postcodeKey struct {
	code uint32
	row  uint16
}

// lookupTables returns the search tables, made by the first call.
var lookupTables = sync.OnceValue(func() *lookup { return newLookup(france()) })

func newLookup(f *tables) *lookup {
	x := &lookup{postcodes: make([]postcodeKey, 0, len(f.start))}
	var text strings.Builder
	add := func(name string, row uint16, part bool) {
		folded := fold(name)
		key := nameKey{at: uint32(text.Len()), size: uint8(len(folded)), part: part, row: row}
		text.WriteString(folded)
		x.names = append(x.names, key)
		if n := article(name); n > 0 {
			x.names = append(x.names, nameKey{key.at + uint32(n), key.size - uint8(n), part, row})
		}
	}
	for row := range f.start {
		c := f.commune(uint16(row))
		add(c.Name, uint16(row), false)
		for _, p := range c.Postcodes {
			x.postcodes = append(x.postcodes, postcodeKey{uint32(number(p)), uint16(row)})
		}
	}
	for _, p := range f.parts {
		if row, ok := f.row(p.Of); ok {
			add(p.Name, row, true)
		}
	}
	x.text = text.String()
	x.names = slices.Clip(x.names)
	slices.SortFunc(x.names, func(a, b nameKey) int { return strings.Compare(x.read(a), x.read(b)) })
	slices.SortFunc(x.postcodes, func(a, b postcodeKey) int {
		return cmp.Or(cmp.Compare(a.code, b.code), cmp.Compare(a.row, b.row))
	})
	return x
}

func (x *lookup) read(k nameKey) string { return x.text[k.at : k.at+uint32(k.size)] }

func (x *lookup) name(i int) string { return x.read(x.names[i]) }

// postcodesFrom returns the postcodes that start with the digits of prefix.
func (x *lookup) postcodesFrom(prefix string) []postcodeKey {
	low, err := strconv.ParseUint(prefix, 10, 32)
	if err != nil || len(prefix) > 5 {
		return nil
	}
	high := low + 1
	for range 5 - len(prefix) {
		low, high = low*10, high*10
	}
	find := func(code uint64) int {
		return sort.Search(len(x.postcodes), func(i int) bool { return uint64(x.postcodes[i].code) >= code })
	}
	return x.postcodes[find(low):find(high)]
}

// article is the length of the article that leads a name, once folded; 0 if there is none.
func article(name string) int {
	for _, a := range []string{"L'", "La ", "Le ", "Les "} {
		if strings.HasPrefix(name, a) {
			return len(a) - 1
		}
	}
	return 0
}

// fold is a name without case, accents or separators, and with "saint" in full.
func fold(name string) string {
	return strings.Join(unabbreviated(words(name)), "")
}

// folds is what a query may mean: its last word, if "st" or "ste", may be cut short, as in Strasbourg.
func folds(q string) []string {
	w := words(q)
	if len(w) == 0 {
		return nil
	}
	typed := strings.Join(append(unabbreviated(w[:len(w)-1]), w[len(w)-1]), "")
	meant := strings.Join(unabbreviated(w), "")
	if meant == typed {
		return []string{typed}
	}
	return []string{meant, typed}
}

func unabbreviated(w []string) []string {
	full := make([]string, len(w), len(w)+1)
	for i, word := range w {
		switch word {
		case "st":
			word = "saint"
		case "ste":
			word = "sainte"
		}
		full[i] = word
	}
	return full
}

// words splits a name at what is neither letter nor digit, in lower case without accents. Accents that follow their
// letter as a code point of their own (Unicode NFD, as some phones write) are dropped too.
func words(s string) []string {
	var w []string
	var word []byte
	for _, r := range s {
		size := len(word)
		word = appendFolded(word, r)
		combining := r >= 0x300 && r <= 0x36f
		if len(word) == size && size > 0 && !combining {
			w, word = append(w, string(word)), word[:0]
		}
	}
	if len(word) > 0 {
		w = append(w, string(word))
	}
	return w
}

// appendFolded appends a digit, or a letter in lower case without its accent; of anything else, nothing. The letters
// are those of French and of its neighbours.
func appendFolded(b []byte, r rune) []byte {
	switch {
	case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
		return append(b, byte(r))
	case r >= 'A' && r <= 'Z':
		return append(b, byte(r-'A'+'a'))
	}
	switch r {
	case 'à', 'â', 'ä', 'á', 'ã', 'å', 'À', 'Â', 'Ä', 'Á', 'Ã', 'Å':
		return append(b, 'a')
	case 'ç', 'Ç':
		return append(b, 'c')
	case 'é', 'è', 'ê', 'ë', 'É', 'È', 'Ê', 'Ë':
		return append(b, 'e')
	case 'î', 'ï', 'í', 'ì', 'Î', 'Ï', 'Í', 'Ì':
		return append(b, 'i')
	case 'ñ', 'Ñ':
		return append(b, 'n')
	case 'ô', 'ö', 'ó', 'ò', 'õ', 'Ô', 'Ö', 'Ó', 'Ò', 'Õ':
		return append(b, 'o')
	case 'ù', 'û', 'ü', 'ú', 'Ù', 'Û', 'Ü', 'Ú':
		return append(b, 'u')
	case 'ÿ', 'ý', 'Ÿ', 'Ý':
		return append(b, 'y')
	case 'œ', 'Œ':
		return append(b, 'o', 'e')
	case 'æ', 'Æ':
		return append(b, 'a', 'e')
	}
	return b
}
