package roster

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"github.com/bippop/bippop/federation/public"
)

// Point is a position in units of 1e-5 degrees, WGS 84.
type Point struct{ Lat, Lon int32 }

// Place is where a territory lies.
type Place struct {
	Siren       public.Siren
	Departement string  // INSEE
	Whole       bool    // it is the département itself, the others in it are in its care
	Points      []Point // of its communes; may be empty
}

const (
	// reach is the distance in metres at which the nearest communes of two territories
	// are taken to touch. A commune is some 4 km wide, and only every fourth one has a
	// point of its own.
	reach = 12_000
	// nearest is how many neighbours a territory has at least, however far they are.
	nearest = 4
	// earth is its mean radius in metres (IUGG).
	earth = 6_371_008.8
)

// Neighbours says who is whose neighbour: territories that touch, as far as points
// tell, each territory's nearest ones, and the département with those in it. The
// answer is mutual and ascending; it depends on places and not on their order.
func Neighbours(places []Place) map[public.Siren][]public.Siren {
	all := make([]area, 0, len(places))
	for _, p := range places {
		all = append(all, newArea(p))
	}
	sort.Slice(all, func(i, j int) bool { return all[i].siren < all[j].siren })
	mutual := map[public.Siren]map[public.Siren]bool{}
	tie := func(a, b public.Siren) {
		for _, pair := range [][2]public.Siren{{a, b}, {b, a}} {
			if mutual[pair[0]] == nil {
				mutual[pair[0]] = map[public.Siren]bool{}
			}
			mutual[pair[0]][pair[1]] = true
		}
	}
	for i, a := range all {
		for _, n := range a.near(all, i) {
			tie(a.siren, n)
		}
		for _, b := range all {
			if a.whole && !b.whole && a.departement == b.departement {
				tie(a.siren, b.siren)
			}
		}
	}
	out := make(map[public.Siren][]public.Siren, len(all))
	for _, a := range all {
		for n := range mutual[a.siren] {
			out[a.siren] = append(out[a.siren], n)
		}
		slices.Sort(out[a.siren])
	}
	return out
}

// area is a place on the sphere of radius 1.
type area struct {
	siren       public.Siren
	departement string
	whole       bool
	points      []vector
	middle      vector
	width       float64 // the largest chord from the middle to a point
}

type vector [3]float64

func (a vector) chord(b vector) float64 {
	x, y, z := a[0]-b[0], a[1]-b[1], a[2]-b[2]
	return math.Sqrt(x*x + y*y + z*z)
}

func newArea(p Place) area {
	a := area{siren: p.Siren, departement: p.Departement, whole: p.Whole}
	for _, q := range p.Points {
		lat, lon := float64(q.Lat)*math.Pi/18_000_000, float64(q.Lon)*math.Pi/18_000_000
		v := vector{math.Cos(lat) * math.Cos(lon), math.Cos(lat) * math.Sin(lon), math.Sin(lat)}
		a.points = append(a.points, v)
		for i := range v {
			a.middle[i] += v[i] / float64(len(p.Points))
		}
	}
	for _, v := range a.points {
		a.width = max(a.width, a.middle.chord(v))
	}
	return a
}

// near are the areas that all[i] touches, and its nearest ones.
func (a area) near(all []area, i int) (out []public.Siren) {
	type candidate struct {
		at    int
		chord float64 // at least
	}
	var some []candidate
	for j, b := range all {
		if j != i && len(a.points) > 0 && len(b.points) > 0 {
			some = append(some, candidate{j, a.middle.chord(b.middle) - a.width - b.width})
		}
	}
	slices.SortFunc(some, func(x, y candidate) int { return cmp.Or(cmp.Compare(x.chord, y.chord), x.at-y.at) })
	var found []candidate
	byChord := func(x, y candidate) int { return cmp.Or(cmp.Compare(x.chord, y.chord), x.at-y.at) }
	for _, c := range some {
		limit := reach / earth
		if len(found) < nearest {
			limit = math.Inf(1)
		} else {
			limit = max(limit, found[nearest-1].chord)
		}
		if c.chord > limit {
			break // sorted: all others are farther
		}
		c.chord = a.gap(all[c.at])
		at, _ := slices.BinarySearchFunc(found, c, byChord)
		found = slices.Insert(found, at, c)
	}
	for n, c := range found {
		if n < nearest || c.chord <= reach/earth {
			out = append(out, all[c.at].siren)
		}
	}
	return out
}

// gap is the smallest chord between points of two areas.
func (a area) gap(b area) float64 {
	least := math.Inf(1)
	for _, p := range a.points {
		for _, q := range b.points {
			least = min(least, p.chord(q))
		}
	}
	return least
}
