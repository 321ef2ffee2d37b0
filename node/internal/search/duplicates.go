package search

// Marks say which name of a document a term may be.
const (
	lastText   = 1 << 0
	lastSound  = 1 << 1
	firstText  = 1 << 2
	firstSound = 1 << 3
)

// Duplicates returns who may be the person d under another ID, of either kind: who has the same
// phone, or the same letters or sound for last (or birth) and first name, also exchanged. Most
// likely first: names and phone, names, phone alone (couples share one). By is ByName, BySound or
// ByPhone accordingly.
//
// It knows no reach: the caller shows a Hit only to whom may see the person, and to others at most
// that there is one. A limit of 0 or less is 20.
func (x *Index) Duplicates(d Doc, limit int) []Hit {
	if limit <= 0 {
		limit = defaultLimit
	}
	last, birth, first := whole(read(d.Last)), whole(read(d.BirthName)), whole(read(d.First))
	phones := pack(d.Phones)
	s := x.open()
	s.mu.RLock()
	defer s.mu.RUnlock()
	desk := s.desk()
	defer s.scratch.Put(desk)
	marks := room(desk.terms, len(s.terms))
	desk.terms = marks
	for i := range s.terms {
		t := &s.terms[i]
		marks[i] = likeness(t, last, lastText) | likeness(t, birth, lastText) | likeness(t, first, firstText)
	}
	desk.ranks.reset(limit)
	for pos, p := range s.order {
		if p.id == d.ID {
			continue
		}
		names := alike(marks[p.last]|marks[p.birth], marks[p.first])
		cost, ok := likelihood(names, shared(p.phones, phones))
		if ok {
			desk.ranks.add(cost<<posBits | uint64(pos))
		}
	}
	desk.ranks.sort()
	hits := make([]Hit, len(desk.ranks.list))
	for i, r := range desk.ranks.list {
		p := s.order[r&(1<<posBits-1)]
		hits[i] = Hit{Kind: p.kind, ID: p.id, By: likelihoods[r>>posBits]}
	}
	return hits
}

// likelihoods says how each cost of likelihood was found.
var likelihoods = [...]Match{ByName, BySound, ByName, BySound, ByPhone}

func likelihood(names Match, samePhone bool) (cost uint64, ok bool) {
	switch {
	case names == ByName && samePhone:
		return 0, true
	case names == BySound && samePhone:
		return 1, true
	case names == ByName:
		return 2, true
	case names == BySound:
		return 3, true
	}
	return 4, samePhone
}

// likeness returns the mark of a term that has the letters or the sound of w; the mark of a sound
// is twice that of letters.
func likeness(t *term, w word, letters uint64) uint64 {
	switch {
	case t.refs == 0 || w.text == "":
		return 0
	case t.text == w.text:
		return letters
	case w.sound != "" && t.sound == w.sound:
		return 2 * letters
	}
	return 0
}

// alike compares the marks of somebody's last and first name; 0 is not alike.
func alike(last, first uint64) Match {
	switch {
	case last&lastText != 0 && first&firstText != 0, last&firstText != 0 && first&lastText != 0:
		return ByName
	case last&(lastText|lastSound) != 0 && first&(firstText|firstSound) != 0,
		last&(firstText|firstSound) != 0 && first&(lastText|lastSound) != 0:
		return BySound
	}
	return 0
}
