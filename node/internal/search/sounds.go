package search

import (
	"bytes"
	"strings"
)

// Sounds returns the key under which a French ear files a name: Laforêt, Laforet and Laforai have
// one key, so have Dupont and Dupond, Renault and Reno, Lefèvre and Lefebvre, St-Martin and Saint
// Martin, Le Goff and Legoff. An accent that is heard counts: Bouché is Boucher, Bouche is not; so
// letters ([Fold]) and sound complement each other and a caller compares both.
//
// A key is only to be compared with another key of the same build: it is neither stored nor shown
// nor ordered, and it is as personal as the name. It is a coarse tool with two known errors: it
// reads every name as French (Wagner, Nguyen), and final consonants that some families do
// pronounce are silent (David, Martinez is Martinet). Names without letters have the empty key.
//
// Symbols: A I O are the nasals of an, in, on; w is ou, 2 is eu, S is ch, N is gn; e is é, è, ai
// and the e of le alike.
func Sounds(s string) string {
	var key []byte
	for w := range strings.FieldsSeq(spell(s)) {
		key = appendSound(key, writtenOut(w), ended)
	}
	return string(key)
}

// ending says whether the speller has come to the end of the word.
type ending bool

const (
	ended ending = true  // final letters may be silent: Dupont
	going ending = false // more letters may follow: dupont for Dupontel
)

// appendSound appends the key of one spelt word.
func appendSound(key []byte, spelt string, e ending) []byte {
	v := voice{word: []byte(spelt), key: key, start: len(key)}
	v.until = len(v.word)
	v.quiet(e)
	for v.at < v.until {
		if vowel(v.word[v.at]) {
			v.vowels()
		} else {
			v.consonants()
		}
	}
	return v.key
}

// voice reads a word from left to right.
type voice struct {
	word  []byte // spelt
	until int    // what follows is silent, yet heard in what precedes: the e of Brice
	at    int
	key   []byte
	start int // of this word in key
}

// letter returns the letter i places away from the current one, 0 beyond the word.
func (v *voice) letter(i int) byte {
	if i += v.at; i >= 0 && i < len(v.word) {
		return v.word[i]
	}
	return 0
}

// say appends sounds, of which none follows itself, and moves n letters on.
func (v *voice) say(n int, sounds string) {
	for i := range len(sounds) {
		c := sounds[i]
		if n := len(v.key); n > v.start && v.key[n-1] == c && c < 0x80 {
			continue
		}
		v.key = append(v.key, c)
	}
	v.at += n
}

// follows reports whether the letters from the current one on begin with s.
func (v *voice) follows(s string) bool {
	return bytes.HasPrefix(v.word[v.at:], []byte(s))
}

// quiet finds where the word falls silent.
func (v *voice) quiet(e ending) {
	w := string(v.word)
	for _, end := range [...]string{"ees", "ee", "ers", "er", "ets", "et", "ez"} {
		stem, ok := strings.CutSuffix(w, end)
		if !ok || !sounding(stem) || e == going {
			continue
		}
		v.word[len(stem)] = 'E'
		v.until = len(stem) + 1
		return
	}
	for _, end := range [...]string{"es", "e"} {
		if stem, ok := strings.CutSuffix(w, end); ok && sounding(stem) && (e == ended || end == "e") {
			v.until = len(stem)
			return
		}
	}
	if e == ended {
		for v.until > 2 && silent(w, v.until-1) {
			v.until--
		}
	}
}

// silent reports whether the consonant w[i] is not heard, given that all after it is not.
func silent(w string, i int) bool {
	before := w[i-1]
	switch w[i] {
	case 't', 'd', 's':
		return true
	case 'h':
		return before == 't' || vowel(before)
	case 'x':
		return before == 'u' || before == 'i' && vowel(w[i-2])
	case 'p':
		return before == 'm' || strings.HasSuffix(w[:i], "ou")
	case 'b':
		return before == 'm'
	case 'c':
		return before == 'n' || strings.HasSuffix(w[:i], "cler")
	case 'q':
		return strings.HasSuffix(w[:i], "clerc")
	case 'g':
		return before == 'n' || before == 'r'
	case 'l': // Renault, Arnould
		return before == 'u' && i+1 < len(w)
	}
	return false
}

func vowel(c byte) bool { return c != 0 && strings.IndexByte("aeiouyEIU", c) >= 0 }

// bright reports whether c and g are soft before the letter.
func bright(c byte) bool { return c != 0 && strings.IndexByte("eiyEI", c) >= 0 }

func sounding(w string) bool { return strings.ContainsAny(w, "aeiouyEIU") }

// nasal reports whether the letter i places on is an n or m that only colours the vowel before it.
func (v *voice) nasal(i int) bool {
	next := v.letter(i + 1)
	switch v.letter(i) {
	case 'n':
		return next == 0 || !vowel(next) && strings.IndexByte("nmh", next) < 0
	case 'm':
		return next == 'b' || next == 'p'
	}
	return false
}

// glide returns how many letters the "ill" or final "il" takes whose i is i places on, 0 if there
// is none: Mireille, Breuil.
func (v *voice) glide(i int) int {
	switch {
	case v.letter(i) != 'i' || v.letter(i+1) != 'l':
		return 0
	case v.letter(i+2) == 'l':
		return 3
	case v.letter(i+2) == 0:
		return 2
	}
	return 0
}

// vowelHeard reports whether a vowel that is heard stands i places on.
func (v *voice) vowelHeard(i int) bool {
	return v.at+i < v.until && vowel(v.letter(i))
}

func (v *voice) vowels() {
	switch c := v.letter(0); c {
	case 'E':
		if v.nasal(1) && v.letter(2) == 0 { // Nguyên
			v.vowelE()
			return
		}
		v.say(1, "e")
	case 'I':
		v.say(1, "i")
	case 'U':
		v.say(1, "u")
	case 'a':
		v.vowelA()
	case 'e':
		v.vowelE()
	case 'o':
		v.vowelO()
	case 'u':
		if v.nasal(1) {
			v.say(2, "I")
			return
		}
		v.say(1, "u")
	default: // i, y
		if v.nasal(1) {
			v.say(2, "I")
			return
		}
		v.say(1, "i")
	}
}

func (v *voice) vowelA() {
	next := v.letter(1)
	switch {
	case next == 'u':
		v.say(2, "o")
	case v.nasal(1):
		v.say(2, "A")
	case next == 'i' || next == 'y':
		v.diphthong("a")
	default:
		v.say(1, "a")
	}
}

func (v *voice) vowelE() {
	next := v.letter(1)
	switch before := v.letter(-1); {
	case v.follows("eau"):
		v.say(3, "o")
	case next == 'a' && v.nasal(2): // Jean
		v.say(3, "A")
	case (before == 'j' || before == 'g') && (next == 'a' || next == 'o'): // Jeanne, Georges
		v.say(1, "")
	case next == 'u':
		if n := v.glide(2); n > 0 {
			v.say(2+n, "2i")
			return
		}
		v.say(2, "2")
	case v.nasal(1):
		if before == 'i' || before == 'y' || before == 'E' { // Julien
			v.say(2, "I")
			return
		}
		v.say(2, "A")
	case next == 'i' || next == 'y':
		v.diphthong("e")
	default:
		v.say(1, "e")
	}
}

// diphthong reads ai, ay, ei and ey, which are é unless something makes them glide.
func (v *voice) diphthong(open string) {
	n := v.glide(1)
	switch {
	case v.nasal(2):
		v.say(3, "I")
	case n > 0:
		v.say(1+n, open+"i")
	case v.vowelHeard(2):
		v.say(2, open+"i")
	default:
		v.say(2, "e")
	}
}

func (v *voice) vowelO() {
	next := v.letter(1)
	switch {
	case v.follows("oeu"):
		v.say(3, "2")
	case next == 'u':
		if n := v.glide(2); n > 0 {
			v.say(2+n, "wi")
			return
		}
		v.say(2, "w")
	case (next == 'i' || next == 'y') && v.nasal(2):
		v.say(3, "wI")
	case (next == 'i' || next == 'y') && v.vowelHeard(2): // Royer
		v.say(2, "wai")
	case next == 'i' || next == 'y':
		v.say(2, "wa")
	case v.nasal(1):
		v.say(2, "O")
	default:
		v.say(1, "o")
	}
}

func (v *voice) consonants() {
	next := v.letter(1)
	switch c := v.letter(0); c {
	case 'h':
		v.say(1, "")
	case 'b':
		if next == 'v' { // Lefebvre
			v.say(1, "")
			return
		}
		v.say(1, "b")
	case 'c':
		v.consonantC()
	case 'C':
		v.say(1, "s")
	case 'g':
		v.consonantG()
	case 'p':
		switch {
		case next == 'h':
			v.say(2, "f")
		case next == 't' && v.letter(-1) == 'a': // Baptiste
			v.say(1, "")
		default:
			v.say(1, "p")
		}
	case 'q':
		if next == 'u' {
			v.say(2, "k")
			return
		}
		v.say(1, "k")
	case 's':
		v.consonantS()
	case 'w':
		v.say(1, "v")
	case 'x':
		v.say(1, "ks")
	default:
		v.say(1, string([]byte{c}))
	}
}

func (v *voice) consonantC() {
	next := v.letter(1)
	switch {
	case next == 'h':
		if after := v.letter(2); after != 0 && strings.IndexByte("lrnmt", after) >= 0 { // Christian
			v.say(2, "k")
			return
		}
		v.say(2, "S")
	case bright(next):
		v.say(1, "s")
	default:
		v.say(1, "k")
	}
}

func (v *voice) consonantG() {
	next := v.letter(1)
	switch {
	case next == 'n' && vowel(v.letter(2)):
		v.say(2, "N")
	case bright(next):
		v.say(1, "j")
	case next == 'u' && bright(v.letter(2)):
		v.say(2, "g")
	default:
		v.say(1, "g")
	}
}

func (v *voice) consonantS() {
	next := v.letter(1)
	switch {
	case v.follows("sch"):
		v.say(3, "S")
	case next == 'h':
		v.say(2, "S")
	case next == 'c' && bright(v.letter(2)):
		v.say(2, "s")
	case vowel(v.letter(-1)) && vowel(next):
		v.say(1, "z")
	default:
		v.say(1, "s")
	}
}
