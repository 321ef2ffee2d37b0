package search

import (
	"strings"
	"unicode"
)

// Fold returns s as the index compares letters: lower case; Latin letters without their marks (é is
// e, ç is c, ł is l, œ is oe, ß is ss), whether composed or not; words separated by one space, where a word ends at
// anything that is neither letter nor ASCII digit (hyphen, apostrophe, full stop, blank). Letters
// of other scripts are kept, in lower case. Two names with the same Fold are written the same.
// Fold(Fold(s)) = Fold(s). It does not write out "st": the beginning of Stéphane is no saint.
func Fold(s string) string { return plain(spell(s)) }

// spell is Fold, except that a letter whose mark changes its sound in French is upper case: E for é
// è ê ë, I for ï, U for ü, C for ç, N for ñ.
func spell(s string) string {
	out := make([]byte, 0, len(s))
	gap := false
	for _, r := range s {
		r = unicode.ToLower(r)
		var letter string
		switch {
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
			letter = string(r)
		case unicode.In(r, unicode.Mn, unicode.Cf):
			if n := len(out); n > 0 && !gap {
				out[n-1] = marked(out[n-1], r)
			}
			continue
		case spellings[r] != "":
			letter = spellings[r]
		case unicode.IsLetter(r) && !(0x2b9 <= r && r <= 0x2c1): // those are apostrophes
			letter = string(r)
		default:
			gap = true
			continue
		}
		if gap && len(out) > 0 {
			out = append(out, ' ')
		}
		gap = false
		out = append(out, letter...)
	}
	return string(out)
}

// marked returns a letter under a combining mark.
func marked(letter byte, mark rune) byte {
	const grave, acute, circumflex, tilde, diaeresis, cedilla = 0x300, 0x301, 0x302, 0x303, 0x308, 0x327
	switch {
	case letter == 'e' && (mark == grave || mark == acute || mark == circumflex || mark == diaeresis):
		return 'E'
	case letter == 'i' && mark == diaeresis:
		return 'I'
	case letter == 'u' && mark == diaeresis:
		return 'U'
	case letter == 'c' && mark == cedilla:
		return 'C'
	case letter == 'n' && mark == tilde:
		return 'N'
	}
	return letter
}

// plain takes the upper case of spell away.
func plain(spelt string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, spelt)
}

// spellings says how spell writes a marked lower-case letter: the languages of Europe and Vietnamese.
var spellings = func() map[rune]string {
	m := map[rune]string{}
	for _, row := range [...]struct{ letter, forms string }{
		{"a", "àáâãäåāăąǎạảấầẩẫậắằẳẵặ"}, {"ae", "æǽ"},
		{"c", "ćĉċč"}, {"C", "ç"}, {"d", "ďđð"},
		{"e", "ēĕėęěẹẻẽ"}, {"E", "éèêëếềểễệ"},
		{"g", "ĝğġģǧ"}, {"h", "ĥħ"},
		{"i", "ìíîĩīĭįıǐịỉ"}, {"I", "ï"}, {"ij", "ĳ"},
		{"j", "ĵ"}, {"k", "ķ"}, {"l", "ĺļľŀł"},
		{"n", "ńņňŉŋ"}, {"N", "ñ"},
		{"o", "òóôõöøōŏőơǒọỏốồổỗộớờởỡợ"}, {"oe", "œ"},
		{"r", "ŕŗř"}, {"s", "śŝşšșſ"}, {"ss", "ß"},
		{"t", "ţťŧț"}, {"th", "þ"},
		{"u", "ùúûũūŭůűųưǔụủứừửữự"}, {"U", "ü"},
		{"w", "ŵ"}, {"y", "ýÿŷỳỵỷỹ"}, {"z", "źżž"},
	} {
		for _, r := range row.forms {
			m[r] = row.letter
		}
	}
	return m
}()
