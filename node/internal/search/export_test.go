package search

// HeldTestOnly returns how many words and communes the index holds, and checks that free slots are empty.
func HeldTestOnly(x *Index) (words, communes int) {
	s := x.open()
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, id := range s.freeTerms {
		if s.terms[id] != (term{}) {
			panic("search: a free slot holds a word")
		}
	}
	return len(s.termID), len(s.townID)
}
