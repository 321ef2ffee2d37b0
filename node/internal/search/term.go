package search

import (
	"slices"
	"strings"
)

// word is one word of a name: its letters ([Fold], with "st" written out) and its key of sound.
// Bouche and Bouché have the same letters and are two words.
type word struct{ text, sound string }

// term is a word that at least one person or commune bears.
type term struct {
	word
	refs        uint32 // 0: the slot is free
	first, tone byte   // of text and sound, 0 if empty: what most comparisons end at
}

func newTerm(w word) term {
	t := term{word: w}
	if w.text != "" {
		t.first = w.text[0]
	}
	if w.sound != "" {
		t.tone = w.sound[0]
	}
	return t
}

// read returns the words of a name. Digits belong to phones: a word with a digit is no word.
func read(name string) []word {
	var words []word
	for w := range strings.FieldsSeq(spell(name)) {
		if strings.ContainsAny(w, "0123456789") {
			continue
		}
		w = writtenOut(w)
		words = append(words, word{text: plain(w), sound: string(appendSound(nil, w, ended))})
	}
	return words
}

// writtenOut returns the full word of an abbreviation that people use in names.
func writtenOut(w string) string {
	switch w {
	case "st":
		return "saint"
	case "ste":
		return "sainte"
	}
	return w
}

// whole returns the words of a name as one: Le Goff is also Legoff. It is the zero word if there
// are none.
func whole(words []word) word {
	if len(words) == 1 {
		return words[0]
	}
	var text, sound strings.Builder
	for _, w := range words {
		text.WriteString(w.text)
		sound.WriteString(w.sound)
	}
	return word{text.String(), sound.String()}
}

// hold returns the terms of some names, ascending and each once: every word, every two neighbours
// as one, and each name as one.
func (s *shelf) hold(names ...[]word) []uint32 {
	var ids []uint32
	add := func(w word) {
		if id := s.termOf(w); !slices.Contains(ids, id) {
			s.terms[id].refs++
			ids = append(ids, id)
		}
	}
	for _, words := range names {
		for i, w := range words {
			add(w)
			if i > 0 {
				add(whole(words[i-1 : i+1]))
			}
		}
		if len(words) > 2 {
			add(whole(words))
		}
	}
	slices.Sort(ids)
	return slices.Clip(ids)
}

// termOf returns the term of a word, new if need be. The caller counts the reference.
func (s *shelf) termOf(w word) uint32 {
	if id, ok := s.termID[w]; ok {
		return id
	}
	id := uint32(len(s.terms))
	if n := len(s.freeTerms); n > 0 {
		id, s.freeTerms = s.freeTerms[n-1], s.freeTerms[:n-1]
	} else {
		s.terms = append(s.terms, term{})
	}
	// A clone, lest a word of six letters keep a whole name alive.
	w = word{strings.Clone(w.text), strings.Clone(w.sound)}
	s.terms[id] = newTerm(w)
	s.termID[w] = id
	return id
}

func (s *shelf) drop(ids []uint32) {
	for _, id := range ids {
		t := &s.terms[id]
		if t.refs--; t.refs > 0 {
			continue
		}
		delete(s.termID, t.word)
		*t = term{}
		s.freeTerms = append(s.freeTerms, id)
	}
}
