package search

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"sync"
)

// Kind is what a person is to the desk. A person who is both has two documents.
type Kind uint8

const (
	Beneficiary Kind = 1
	Volunteer   Kind = 2
)

// Doc is one person as the index takes her in. It is a parameter and nothing else: it prints as
// "[doc]" (see print.go), but fmt calls no method of what stands in an unexported field, nor for the
// misplaced verbs %p and %w that vet refuses, so no struct may keep a Doc.
type Doc struct {
	Kind                   Kind
	ID                     [16]byte // unique over both kinds
	Last, First, BirthName string   // as people write them
	Phones                 []string // E.164: +33536491207
	Commune                string   // INSEE code
	CommuneName            string   // as people write it
}

// Index is the memory of who can be found. It is safe for concurrent use; [New] makes one, the
// zero value cannot be used.
//
// The shelf is behind a func because fmt walks unexported fields and prints every string that it
// can reach; a func is an address under every verb.
type Index struct{ open func() *shelf }

// New returns an empty index.
func New() *Index {
	s := &shelf{
		byID:   map[[16]byte]*person{},
		terms:  []term{{}},
		termID: map[word]uint32{},
		townID: map[townKey]uint32{},
	}
	return &Index{open: func() *shelf { return s }}
}

// shelf is the content of an Index.
type shelf struct {
	scratch sync.Pool // of *scratch; holds numbers only

	// mu guards all below. It is held for the length of one Find or one change, hence for well
	// under a few milliseconds.
	mu        sync.RWMutex
	byID      map[[16]byte]*person
	order     []*person // by kind, name, ID: the order of equal answers
	terms     []term    // terms[0] is nobody's word
	termID    map[word]uint32
	freeTerms []uint32
	towns     []town
	townID    map[townKey]uint32
	freeTowns []uint32
}

// person is a Doc normalised once, at Put. What Find reads of everybody stands first, in one line of cache.
type person struct {
	terms              []uint32 // of all her names, ascending, each once
	phones             string   // packed
	town               uint32
	kind               Kind
	last, first, birth uint32 // the term of the whole field, 0 if it is empty
	id                 [16]byte
	name               string // folded last name, then first; only to sort by
}

// town is a commune as far as the index knows it: the words of its name, once for all who live there.
type town struct {
	key   townKey
	terms []uint32
	refs  uint32 // 0: the slot is free
}

type townKey struct{ code, name string }

// Put inserts d, or replaces the document of the same ID.
func (x *Index) Put(d Doc) {
	s := x.open()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(d.ID)
	s.insert(d)
}

// Delete removes a document, and every word that nobody else bears, so that the collector can have
// them. An unknown id is no error.
func (x *Index) Delete(id [16]byte) {
	s := x.open()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(id)
}

// Len returns the number of documents.
func (x *Index) Len() int {
	s := x.open()
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.order)
}

func (s *shelf) insert(d Doc) {
	last, first, birth := read(d.Last), read(d.First), read(d.BirthName)
	p := &person{
		id:     d.ID,
		kind:   d.Kind,
		name:   whole(last).text + " " + whole(first).text,
		phones: pack(d.Phones),
		town:   s.holdTown(townKey{strings.Clone(d.Commune), strings.Clone(d.CommuneName)}),
	}
	p.terms = s.hold(last, first, birth)
	p.last, p.first, p.birth = s.termID[whole(last)], s.termID[whole(first)], s.termID[whole(birth)]
	at, _ := slices.BinarySearchFunc(s.order, p, comparePersons)
	s.order = slices.Insert(s.order, at, p)
	s.byID[p.id] = p
}

func (s *shelf) remove(id [16]byte) {
	p := s.byID[id]
	if p == nil {
		return
	}
	at, ok := slices.BinarySearchFunc(s.order, p, comparePersons)
	if !ok {
		panic("search: a person has lost her place in the order")
	}
	s.order = slices.Delete(s.order, at, at+1)
	delete(s.byID, id)
	s.drop(p.terms)
	s.dropTown(p.town)
}

func comparePersons(a, b *person) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), strings.Compare(a.name, b.name), bytes.Compare(a.id[:], b.id[:]))
}

func (s *shelf) holdTown(key townKey) uint32 {
	id, ok := s.townID[key]
	if !ok {
		id = uint32(len(s.towns))
		if n := len(s.freeTowns); n > 0 {
			id, s.freeTowns = s.freeTowns[n-1], s.freeTowns[:n-1]
		} else {
			s.towns = append(s.towns, town{})
		}
		s.townID[key] = id
		s.towns[id] = town{key: key, terms: s.hold(read(key.name))}
	}
	s.towns[id].refs++
	return id
}

func (s *shelf) dropTown(id uint32) {
	t := &s.towns[id]
	if t.refs--; t.refs > 0 {
		return
	}
	s.drop(t.terms)
	delete(s.townID, t.key)
	*t = town{}
	s.freeTowns = append(s.freeTowns, id)
}
