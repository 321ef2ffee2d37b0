package search

// InOrder lists people of a kind by name, as a paper register would: those that
// keep wants, at most n after skipping some. initial is the first letter of the
// last name without its accent, in lower case, or 0 when the name has none. keep
// is called with the index held: it must not call back.
func (x *Index) InOrder(kind Kind, keep func(id [16]byte, commune string, initial byte) bool, skip, n int) (ids [][16]byte, more bool) {
	s := x.open()
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, p := range s.order {
		if p.kind != kind {
			continue
		}
		initial := byte(0)
		if p.name != "" {
			initial = p.name[0]
		}
		if !keep(p.id, s.towns[p.town].key.code, initial) {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		if len(ids) == n {
			return ids, true
		}
		ids = append(ids, p.id)
	}
	return ids, false
}
