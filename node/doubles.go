package node

import (
	"slices"
	"strings"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/search"
	"github.com/bippop/bippop/node/internal/store"
)

// Double is a row of a spreadsheet that may be somebody who is there already, in
// the records or further up in the file.
type Double struct {
	Line        int
	Name        Secret // as the row has it
	Other       Secret // as the record, or the row further up, has it
	Row         int    // the row further up; 0: it is a record
	Beneficiary BeneficiaryID
	Volunteer   VolunteerID
	By          string // what is alike: "name", "sound" or "phone"
	In          bool   // it goes in: by choice, or because a number alone says little, as couples share one
}

// What is alike in two people.
const (
	sameName  = "name"
	sameSound = "sound"
	samePhone = "phone"
)

// trace is what tells people apart.
type trace struct {
	names, sounds [2]string // last, first
	birth         string
	commune       string
	phones        []string
	name          Secret
}

func traceOf(last, first, birth Secret, commune string, phones []Phone) trace {
	t := trace{birth: birth.Reveal(), commune: commune, name: crypto.NewSecret(strings.TrimSpace(first.Reveal() + " " + last.Reveal()))}
	for i, s := range []string{last.Reveal(), first.Reveal()} {
		t.names[i], t.sounds[i] = search.Fold(s), search.Sounds(s)
	}
	for _, p := range phones {
		t.phones = append(t.phones, p.Number.Reveal())
	}
	return t
}

func (r ready) trace(volunteers bool) trace {
	if volunteers {
		return traceOf(r.him.Last, r.him.First, r.him.Birth, r.offer.Commune, r.him.Phones)
	}
	return traceOf(r.her.Last, r.her.First, r.her.Birth, r.facts.Commune, r.her.Phones)
}

// alike says what is alike in two people, or "". Two of one name who were born on
// different days are two people, unless they also share a number; names that only
// sound alike need a birth, a number or a commune beside.
func (t trace) alike(o trace) string {
	phone := slices.ContainsFunc(t.phones, func(p string) bool { return slices.Contains(o.phones, p) })
	n := min(len(t.birth), len(o.birth)) // a bare year is compared as such
	differ := t.birth[:n] != o.birth[:n]
	born := n > 0 && !differ
	switch {
	case samePair(t.names, o.names) && (!differ || phone):
		return sameName
	case samePair(t.sounds, o.sounds) && !differ && (phone || born || t.commune == o.commune):
		return sameSound
	case phone:
		return samePhone
	}
	return ""
}

// samePair compares last and first names, also exchanged.
func samePair(a, b [2]string) bool {
	return a[0] != "" && a[1] != "" && (a == b || a == [2]string{b[1], b[0]})
}

// doubles finds who of a file is there already. It sees the rows in their order.
type doubles struct {
	*core
	by         Caller
	volunteers bool
	rows       []trace
	lines      []int
	places     map[string][]int // by what a name sounds like, and by number
}

// mostAlike is how many rows further up of the same sound, or number, are compared.
const mostAlike = 8

func newDoubles(c *core, by Caller, volunteers bool) *doubles {
	return &doubles{core: c, by: by, volunteers: volunteers, places: map[string][]int{}}
}

// find gives the likeliest double of a row, and remembers the row for those below.
func (d *doubles) find(r ready) (best Double, found bool, err error) {
	mine := r.trace(d.volunteers)
	rank := []string{sameName, sameSound, samePhone}
	take := func(other Double, by string) {
		if by != "" && (!found || slices.Index(rank, by) < slices.Index(rank, best.By)) {
			best, found = other, true
			best.Line, best.Name, best.By = r.line, mine.name, by
		}
	}
	err = d.view(d.by, func(tx *store.Tx) error {
		for _, h := range d.hits(r) {
			other, t, ok, err := d.record(tx, h)
			if err != nil {
				return err
			}
			if ok {
				take(other, mine.alike(t))
			}
		}
		return nil
	})
	sounds := slices.Clone(mine.sounds[:])
	slices.Sort(sounds)
	for _, key := range append([]string{strings.Join(sounds, "/")}, mine.phones...) {
		for _, i := range d.places[key] {
			take(Double{Row: d.lines[i], Other: d.rows[i].name}, mine.alike(d.rows[i]))
		}
		if len(d.places[key]) < mostAlike {
			d.places[key] = append(d.places[key], len(d.rows))
		}
	}
	d.rows, d.lines = append(d.rows, mine), append(d.lines, r.line)
	return best, found, err
}

// hits are the records that the index takes for alike.
func (d *doubles) hits(r ready) (out []search.Hit) {
	doc := search.Doc{Kind: search.Beneficiary, Last: r.her.Last.Reveal(), First: r.her.First.Reveal()}
	numbers := r.her.Phones
	if d.volunteers {
		doc = search.Doc{Kind: search.Volunteer, Last: r.him.Last.Reveal(), First: r.him.First.Reveal()}
		numbers = r.him.Phones
	}
	for _, p := range numbers {
		doc.Phones = append(doc.Phones, p.Number.Reveal())
	}
	index := d.core.find
	index.mu.RLock()
	defer index.mu.RUnlock()
	return slices.DeleteFunc(index.index.Duplicates(doc, 5), func(h search.Hit) bool { return h.Kind != doc.Kind })
}

// record opens what a hit points to.
func (d *doubles) record(tx *store.Tx, h search.Hit) (other Double, t trace, ok bool, err error) {
	if d.volunteers {
		r, ok, err := store.Volunteers.Get(tx, h.ID[:])
		if err != nil || !ok {
			return other, t, false, err
		}
		v, err := d.opening(d.by).volunteer(r)
		t = traceOf(v.Words.Last, v.Words.First, v.Words.Birth, v.Offer.Commune, v.Words.Phones)
		return Double{Volunteer: v.ID, Other: t.name}, t, true, err
	}
	r, ok, err := store.Beneficiaries.Get(tx, h.ID[:])
	if err != nil || !ok {
		return other, t, false, err
	}
	b, err := d.opening(d.by).beneficiary(r)
	t = traceOf(b.Words.Last, b.Words.First, b.Words.Birth, b.Commune, b.Words.Phones)
	return Double{Beneficiary: b.ID, Other: t.name}, t, true, err
}
