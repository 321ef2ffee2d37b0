package sheet

import (
	"slices"
	"strings"
	"unicode"
)

// fullName is what one cell says of a name.
type fullName struct {
	civility, last, first, birth string
	guessed                      bool // capitals did not say which word is what
}

// splitName splits "Mme DURAND née PETIT Marie-Claire": the words in capitals are the last name, what follows "née" is
// the name of birth. Where capitals do not tell ("Durand Marie", "DURAND MARIE") the first word is the last name, or
// the last word if firstFirst; "Durand, Marie" is split at its comma.
func splitName(s string, firstFirst bool) fullName {
	var n fullName
	var civil []string
	words := strings.Fields(strings.NewReplacer("(", " ", ")", " ").Replace(s))
	for len(words) > 1 && (isCivility(words[0]) || len(civil) > 0 && isAnd(words[0]) && isCivility(words[1])) {
		civil = append(civil, words[0])
		words = words[1:]
	}
	n.civility = strings.Join(civil, " ")
	if before, after, ok := strings.Cut(strings.Join(words, " "), ","); ok && !strings.Contains(after, ",") {
		n.last, n.first = strings.TrimSpace(before), strings.TrimSpace(after)
		return n
	}
	n.byCapitals(words)
	switch {
	case len(words) == 1:
		n.last, n.first = words[0], ""
		return n
	case n.last != "" && n.first != "":
		return n
	}
	n.guessed = true
	at := 1
	if firstFirst {
		at = len(words) - 1
		n.first, n.last = strings.Join(words[:at], " "), strings.Join(words[at:], " ")
		return n
	}
	for at < len(words)-1 && isParticle(words[at-1]) {
		at++
	}
	n.last, n.first = strings.Join(words[:at], " "), strings.Join(words[at:], " ")
	return n
}

func (n *fullName) byCapitals(words []string) {
	var last, first, birth []string
	into := &last
	for i, word := range words {
		switch {
		case isBorn(word):
			into = &birth
		case isMarried(word) && len(last) > 0:
			// "PETIT épouse DURAND": the name of today follows.
			birth, last = last, nil
			into = &last
		case isCapitals(word), isParticle(word) && i+1 < len(words) && isCapitals(words[i+1]):
			*into = append(*into, word)
		default:
			first = append(first, word)
			into = &last
		}
	}
	n.last, n.first, n.birth = strings.Join(last, " "), strings.Join(first, " "), strings.Join(birth, " ")
	if n.last == "" {
		n.last = n.birth // "Marie née PETIT"
	}
}

// isCapitals wants two letters at least: "J." is the beginning of a first name.
func isCapitals(word string) bool {
	letters := 0
	for _, r := range word {
		if unicode.IsLower(r) {
			return false
		}
		if unicode.IsLetter(r) {
			letters++
		}
	}
	return letters >= 2
}

func isCivility(word string) bool {
	switch fold(word) {
	case "m", "mr", "mme", "mlle", "melle", "mmes", "mm", "monsieur", "madame", "mademoiselle":
		return true
	}
	return false
}

func isAnd(word string) bool { return fold(word) == "et" || word == "&" || word == "/" }

func isBorn(word string) bool {
	return slices.Contains([]string{"née", "né", "nee", "NÉE", "NEE", "Née"}, word)
}

func isMarried(word string) bool {
	switch fold(word) {
	case "epouse", "ep", "epse", "veuve", "vve":
		return true
	}
	return false
}

func isParticle(word string) bool {
	switch fold(word) {
	case "de", "du", "des", "la", "le", "les", "d", "von", "van", "der", "den", "di", "da", "dos", "el", "al", "ben", "bel", "ould":
		return true
	}
	return false
}

// isTwoPeople finds the cell of a couple: "Paul et Marie", "M. et Mme".
func isTwoPeople(cell string) bool {
	words := strings.Fields(cell)
	for i, word := range words {
		if i > 0 && i+1 < len(words) && isAnd(word) {
			return true
		}
	}
	return false
}
