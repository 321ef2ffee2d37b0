package search

import "slices"

// posBits is how many bits of a rank the place in the order takes: sixteen million persons.
const posBits = 24

// scratch is the room one Find works in: numbers, never words.
type scratch struct {
	terms []uint64 // the grade word of each term
	towns []uint64 // the same of each commune
	reach []bool   // of each commune
	ranks ranks
}

// room returns a slice of n zero values, s if it is long enough.
func room[T any](s []T, n int) []T {
	if cap(s) < n {
		s = make([]T, n+n/4)
	}
	s = s[:n]
	clear(s)
	return s
}

func (s *shelf) desk() *scratch {
	if d, ok := s.scratch.Get().(*scratch); ok {
		return d
	}
	return new(scratch)
}

// Find returns who fits the query, best first. The package says what fits and what is best. Whom
// q.Communes refuses is not found, nor does she change what is. No letter and fewer than four
// digits find nobody.
func (x *Index) Find(q Query) []Hit {
	asked := ask(q.Text)
	if asked.empty() {
		return nil
	}
	if q.Limit <= 0 {
		q.Limit = defaultLimit
	}
	s := x.open()
	s.mu.RLock()
	defer s.mu.RUnlock()
	d := s.desk()
	defer s.scratch.Put(d)
	d.reach = room(d.reach, len(s.towns))
	for i := range s.towns {
		t := &s.towns[i]
		d.reach[i] = t.refs > 0 && (q.Communes == nil || q.Communes(t.key.code))
	}
	s.scan(&asked, q, d, strict)
	if len(d.ranks.list) == 0 && asked.words > 0 {
		s.scan(&asked, q, d, lenient)
	}
	hits := make([]Hit, len(d.ranks.list))
	for i, r := range d.ranks.list {
		p := s.order[r&(1<<posBits-1)]
		hits[i] = Hit{Kind: p.kind, ID: p.id, By: ByPhone}
		if asked.words > 0 {
			hits[i].By = match(r >> posBits)
		}
	}
	return hits
}

// scan leaves in d.ranks the best answers, within reach.
func (s *shelf) scan(asked *question, q Query, d *scratch, tol tolerance) {
	d.terms = room(d.terms, len(s.terms))
	d.towns = room(d.towns, len(s.towns))
	d.ranks.reset(q.Limit)
	if asked.words > 0 {
		for i := range s.terms {
			if s.terms[i].refs > 0 {
				d.terms[i] = asked.grades(&s.terms[i], tol)
			}
		}
		for i := range s.towns {
			d.towns[i] = d.best(s.towns[i].terms)
		}
	}
	for pos, p := range s.order {
		if !d.reach[p.town] || q.Kind != 0 && p.kind != q.Kind {
			continue
		}
		if !asked.phone.empty() && !asked.phone.in(p.phones) {
			continue
		}
		var cost uint64
		if asked.words > 0 {
			names, commune := d.best(p.terms), d.towns[p.town]
			if names|commune == 0 {
				continue
			}
			cost = asked.cost(names, commune)
		}
		if cost == nowhere || typos(cost) > 1 {
			continue
		}
		d.ranks.add(cost<<posBits | uint64(pos))
	}
	d.ranks.sort()
}

// best returns the grade word of some terms together.
func (d *scratch) best(terms []uint32) uint64 {
	var g uint64
	for _, id := range terms {
		if w := d.terms[id]; w != 0 {
			g = better(g, w)
		}
	}
	return g
}

// ranks keeps the smallest numbers of a stream.
type ranks struct {
	list  []uint64
	limit int
	bar   uint64 // what is not below it is not among the smallest
}

func (r *ranks) reset(limit int) {
	r.list, r.limit, r.bar = r.list[:0], limit, 1<<63
}

func (r *ranks) add(n uint64) {
	if n >= r.bar {
		return
	}
	r.list = append(r.list, n)
	if len(r.list) >= 2*r.limit+64 {
		r.sort()
		r.bar = r.list[len(r.list)-1]
	}
}

func (r *ranks) sort() {
	slices.Sort(r.list)
	r.list = r.list[:min(len(r.list), r.limit)]
}
