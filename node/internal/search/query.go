package search

import (
	"math/bits"
	"slices"
	"strings"
)

const (
	// maxText is in bytes; what follows is not read. The longest name of the civil registers is shorter.
	maxText = 256
	// maxWords is what a nibble of a cost can count.
	maxWords = 15
	// maxUnits is how many nibbles a grade word has.
	maxUnits = 16
	// maxSpan is how many words of a query may be read as one: de la Tour.
	maxSpan = 3
	// minSound is the shortest text, in letters, and the shortest beginning of a key that is compared by sound.
	minSound = 3
	// minTypo is in letters: in a shorter word one letter makes another name.
	minTypo = 5
	// defaultLimit is what a page shows.
	defaultLimit = 20
)

// Query is what an agent asks. Its text is personal: like [Doc] it prints as "[query]" and no struct
// may keep one.
type Query struct {
	Text string // names, beginnings of names, commune, digits of a phone, in any order
	Kind Kind   // 0 is any
	// Communes reports whether the asker's reach takes in a commune, by INSEE code; nil is all. It is
	// called once per commune, while the index is locked: it must not call the index.
	Communes func(code string) bool
	Limit    int // 0 or less is 20
}

// question is a Query's text, read.
type question struct {
	words int            // of the query, at most maxWords
	skip  [maxWords]bool // a particle or civility that another word follows
	units []unit         // at most maxUnits
	// spans is, for each word and by the number of words less one, the unit that reads them as one;
	// -1 if there is none.
	spans [maxWords][maxSpan]int
	phone heard
	// byFirst and byTone are the units, as bits, that a term may fit by its first letter and by its
	// first sound; long are those that are long enough for a typing error.
	byFirst, byTone [256]uint16
	long            uint16
}

// unit is a word of the query, or some neighbours read as one.
type unit struct {
	texts []string // one, or "saint" and "st": the first letter is the same
	sound string   // if the word ends here
	going string   // if it goes on
}

// passable reports whether a word may be heard before a name without being written in it.
func passable(text string) bool {
	switch text {
	case "de", "du", "des", "d", "le", "la", "les", "l":
		return true
	case "m", "mr", "mme", "mlle", "monsieur", "madame", "mademoiselle":
		return true
	}
	return false
}

func ask(text string) question {
	if len(text) > maxText {
		text = text[:maxText]
	}
	q := question{phone: hear(text)}
	spelt := slices.DeleteFunc(strings.Fields(spell(text)), func(w string) bool {
		return strings.ContainsAny(w, "0123456789")
	})
	spelt = spelt[:min(len(spelt), maxWords)]
	q.words = len(spelt)
	for i := range spelt {
		q.skip[i] = i+1 < len(spelt) && passable(plain(spelt[i]))
		q.spans[i] = [maxSpan]int{-1, -1, -1}
	}
	for span := 1; span <= maxSpan; span++ {
		for i := 0; i+span <= len(spelt) && len(q.units) < maxUnits; i++ {
			q.spans[i][span-1] = len(q.units)
			q.add(readUnit(spelt[i : i+span]))
		}
	}
	return q
}

func (q *question) add(u unit) {
	bit := uint16(1) << len(q.units)
	q.byFirst[u.texts[0][0]] |= bit
	if u.sound != "" {
		q.byTone[u.sound[0]] |= bit
	}
	if u.going != "" {
		q.byTone[u.going[0]] |= bit
	}
	if len(u.texts[0]) >= minTypo {
		q.long |= bit
	}
	q.units = append(q.units, u)
}

func readUnit(spelt []string) unit {
	var text strings.Builder
	var sound []byte
	for _, w := range spelt[:len(spelt)-1] {
		w = writtenOut(w)
		text.WriteString(plain(w))
		sound = appendSound(sound, w, ended)
	}
	last := spelt[len(spelt)-1]
	full := writtenOut(last)
	u := unit{texts: []string{text.String() + plain(full)}}
	if full != last {
		u.texts = append(u.texts, text.String()+plain(last))
	}
	if len(u.texts[0]) >= minSound {
		u.sound = string(appendSound(slices.Clip(sound), full, ended))
		u.going = string(appendSound(slices.Clip(sound), full, going))
	}
	return u
}

func (q *question) empty() bool { return q.words == 0 && q.phone.empty() }

// A grade says how well a unit fits a term; 0 is not at all, and less is better. Sixteen of them,
// one per unit, make a grade word.
const (
	sameText   = 1
	beginsText = 2
	sameSound  = 3
	beginSound = 4
	oneTypo    = 5
)

// tolerance says whether typing errors count.
type tolerance bool

const (
	strict  tolerance = false
	lenient tolerance = true
)

// grades returns the grade word of a term.
func (q *question) grades(t *term, tol tolerance) uint64 {
	fit := q.byFirst[t.first] | q.byTone[t.tone]
	if tol == lenient {
		fit |= q.long
	}
	var g uint64
	for ; fit != 0; fit &= fit - 1 {
		i := bits.TrailingZeros16(fit)
		g |= q.units[i].grade(t, tol) << (4 * i)
	}
	return g
}

func (u *unit) grade(t *term, tol tolerance) uint64 {
	begins := false
	for _, text := range u.texts {
		if strings.HasPrefix(t.text, text) {
			if len(t.text) == len(text) {
				return sameText
			}
			begins = true
		}
	}
	switch {
	case begins:
		return beginsText
	case u.sound != "" && t.sound == u.sound:
		return sameSound
	case len(u.going) >= minSound && strings.HasPrefix(t.sound, u.going):
		return beginSound
	case tol == lenient && len(u.texts[0]) >= minTypo && oneError(u.texts[0], t.text):
		return oneTypo
	}
	return 0
}

// oneError reports whether one letter more, less or other, or two neighbours exchanged, make b of a.
func oneError(a, b string) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	if len(a)-len(b) > 1 {
		return false
	}
	i := 0
	for i < len(b) && a[i] == b[i] {
		i++
	}
	if len(a) > len(b) {
		return a[i+1:] == b[i:]
	}
	if i == len(a) || a[i+1:] == b[i+1:] {
		return true
	}
	return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

// better returns, unit by unit, the better of two grade words.
func better(a, b uint64) uint64 {
	if a == 0 || b == 0 {
		return a | b
	}
	var g uint64
	for shift := 0; shift < 64; shift += 4 {
		x, y := a>>shift&0xf, b>>shift&0xf
		if x == 0 || y != 0 && y < x {
			x = y
		}
		g |= x << shift
	}
	return g
}

// A cost counts the words of a query by how they found their place, one nibble each, the worse the
// higher: the smaller number is the better answer.
const (
	exactName      uint64 = 1 << (4 * 0)
	passedOver     uint64 = 1 << (4 * 1)
	beginOfName    uint64 = 1 << (4 * 2)
	soundOfName    uint64 = 1 << (4 * 3)
	soundBegins    uint64 = 1 << (4 * 4)
	exactCommune   uint64 = 1 << (4 * 5)
	soundOfCommune uint64 = 1 << (4 * 6)
	typoInName     uint64 = 1 << (4 * 7)
	typoInCommune  uint64 = 1 << (4 * 8)

	nibble   uint64 = 0xf
	costBits        = 4 * 9
	nowhere  uint64 = 1 << costBits
)

// nameCost and communeCost are indexed by grade.
var (
	nameCost    = [...]uint64{nowhere, exactName, beginOfName, soundOfName, soundBegins, typoInName}
	communeCost = [...]uint64{nowhere, exactCommune, exactCommune, soundOfCommune, soundOfCommune, typoInCommune}
)

// cost returns that of the best reading of the query, given the grade words of a person's names and
// of her commune; nowhere if a word finds no place.
func (q *question) cost(names, commune uint64) uint64 {
	var best [maxWords + 1]uint64
	lost := 0                                             // words in a row from which on there is no place; a unit spans no more than maxSpan
	for i := q.words - 1; i >= 0 && lost < maxSpan; i-- { // best[i] is the cost of the words from i on
		best[i] = nowhere
		if q.skip[i] && best[i+1] < nowhere {
			best[i] = passedOver + best[i+1]
		}
		for more, u := range q.spans[i] {
			if u < 0 || best[i+1+more] >= nowhere {
				continue
			}
			here := min(nameCost[names>>(4*u)&nibble], communeCost[commune>>(4*u)&nibble])
			best[i] = min(best[i], here+best[i+1+more])
		}
		if lost++; best[i] < nowhere {
			lost = 0
		}
	}
	if lost > 0 {
		return nowhere
	}
	return best[0]
}

// typos returns how many typing errors a cost holds.
func typos(cost uint64) uint64 {
	return (cost/typoInName)&nibble + (cost/typoInCommune)&nibble
}

// match returns how a query of words with that cost was answered.
func match(cost uint64) Match {
	switch {
	case typos(cost) > 0:
		return BySpelling
	case cost&(nibble*(soundOfName|soundBegins)) != 0:
		return BySound
	case cost&(nibble*(exactName|beginOfName)) != 0:
		return ByName
	}
	return ByCommune
}
