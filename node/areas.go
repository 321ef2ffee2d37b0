package node

import (
	"slices"

	"github.com/bippop/bippop/node/internal/geo"
)

// areaPeople is how many inhabitants an area has at least. A scheme that has grown
// up makes some 60 requests a year for 1,000 inhabitants (field study), so an area
// has a figure to show in most years, and a village mayor still knows each commune
// in it.
const areaPeople = 1500

// areasOf divides a territory's communes into areas, for figures that are too
// small to be shown commune by commune. A commune with enough inhabitants is an
// area; the others, in the order of their codes, join the nearest ones that are
// still free until there are enough; who is left over joins the nearest area. It
// looks at inhabitants and distances only: areas that followed the figures would
// tell of them, and two that overlapped could be subtracted.
func areasOf(communes []string) (areas [][]string) {
	people := func(code string) int {
		c, _ := LookupCommune(code)
		return int(c.Population)
	}
	var free []string
	for _, code := range communes {
		if people(code) >= areaPeople {
			areas = append(areas, []string{code})
		} else {
			free = append(free, code)
		}
	}
	for len(free) > 0 {
		first := free[0]
		area, n := []string{first}, people(first)
		free = free[1:]
		for n < areaPeople && len(free) > 0 {
			i := nearest(first, free)
			area, n = append(area, free[i]), n+people(free[i])
			free = slices.Delete(free, i, i+1)
		}
		if n < areaPeople && len(areas) > 0 {
			var all []string
			for _, a := range areas {
				all = append(all, a...)
			}
			next := all[nearest(first, all)]
			i := slices.IndexFunc(areas, func(a []string) bool { return slices.Contains(a, next) })
			areas[i] = append(areas[i], area...)
			continue
		}
		areas = append(areas, area)
	}
	return areas
}

// nearest is the index of the commune that is nearest to code, the first of equals.
func nearest(code string, among []string) (best int) {
	const far = 1 << 40
	here, ok := about(code)
	least := far + 1
	for i, other := range among {
		metres := far
		if there, known := about(other); ok && known {
			metres = geo.Distance(here, there)
		}
		if metres < least {
			best, least = i, metres
		}
	}
	return best
}

// about is where a commune lies or, when the registry does not say, where the most
// populous commune of its post office does: good enough to say who are neighbours.
func about(code string) (geo.Point, bool) {
	c, ok := LookupCommune(code)
	if !ok || c.Located || len(c.Postcodes) == 0 {
		return c.Point, c.Located
	}
	for _, other := range geo.Postcode(c.Postcodes[0]) { // the most populous first
		if other.Located {
			return other.Point, true
		}
	}
	return c.Point, false
}

// areas of the territory, worked out once for each list of communes.
func (s *Figures) areas() ([][]string, error) {
	t, err := s.territory()
	if err != nil {
		return nil, err
	}
	p := s.places
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Equal(p.divided, t.Communes) {
		p.areas, p.divided = areasOf(t.Communes), slices.Clone(t.Communes)
	}
	return p.areas, nil
}
