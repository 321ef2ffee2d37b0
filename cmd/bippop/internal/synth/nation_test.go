package synth

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/bippop/bippop/federation/public"
)

// groupings of a made-up country of 101 départements.
func groupings() (out []Grouping) {
	for d := range 101 {
		for i := range 6 {
			out = append(out, Grouping{Siren: public.Siren(200_000_000 + 1000*d + i), Name: fmt.Sprintf("CC %d-%d", d, i), Departement: fmt.Sprintf("%03d", d), Population: 9_000 + 14_000*i + 97*d, Communes: 12 + i})
		}
	}
	return out
}

const lastQuarter public.Quarter = 26 // 2026-T3

// TestNation: forty real groupings, each of another département, of which some are
// silent and one is new; the same seed draws them again.
func TestNation(t *testing.T) {
	n := Nation(1, groupings(), 40, lastQuarter)
	if again := Nation(1, groupings(), 40, lastQuarter); !reflect.DeepEqual(n, again) {
		t.Error("the same seed draws another nation")
	}
	if other := Nation(2, groupings(), 40, lastQuarter); reflect.DeepEqual(n, other) {
		t.Error("another seed draws the same nation")
	}
	departements, silent, fresh := map[string]bool{}, 0, 0
	for _, s := range n {
		departements[s.Departement] = true
		newest := s.Quarters[len(s.Quarters)-1].Release.Quarter
		if newest < lastQuarter {
			silent++
		}
		if len(s.Quarters) == 1 {
			fresh++
		}
		var spent public.Odometer
		for i, q := range s.Quarters {
			if i > 0 && q.Release.Quarter != s.Quarters[i-1].Release.Quarter+1 {
				t.Errorf("%s leaves a quarter out", s.Name)
			}
			var err error
			if spent, err = spent.Follow(q.Release); err != nil {
				t.Fatalf("%s, %s: %v", s.Name, q.Release.Quarter, err)
			}
		}
	}
	if len(n) != 40 || len(departements) != 40 || silent != 2 || fresh != 1 {
		t.Errorf("%d territories in %d départements, %d silent, %d new", len(n), len(departements), silent, fresh)
	}
}

// TestTruth: what is released differs from what was counted by the noise that the
// catalogue names, on average by none, and by nothing where nobody stands behind it.
func TestTruth(t *testing.T) {
	var off, square, want float64
	cells := 0
	for seed := range uint64(5) {
		for _, s := range Nation(seed, groupings(), 40, lastQuarter) {
			for _, q := range s.Quarters {
				at := 0
				for _, g := range public.Catalogue(q.Release.Catalogue) {
					scale := 0.0
					if g.Unit != public.Institution {
						scale = float64(g.Bound) * 1e6 / float64(g.Budget)
					}
					for i := range int(g.Cells) {
						d := float64(q.Release.Cells[at+i].N() - q.Truth[at+i])
						if scale == 0 && d != 0 {
							t.Fatalf("%s: an exact cell is off by %v", s.Name, d)
						}
						if scale > 0 {
							off, square, want, cells = off+d/scale, square+d*d/scale/scale, want+2, cells+1
						}
					}
					at += int(g.Cells)
				}
			}
		}
	}
	if mean := off / float64(cells); mean > 0.02 || mean < -0.02 {
		t.Errorf("on average off by %.3f of a scale", mean)
	}
	if r := square / want; r < 0.9 || r > 1.1 {
		t.Errorf("the spread is %.2f of what the catalogue says", r)
	}
}

// TestPlausible: the nation looks as the national network says it does.
func TestPlausible(t *testing.T) {
	var actions, moving, helped, women float64
	for _, s := range Nation(1, groupings(), 40, lastQuarter) {
		for _, q := range s.Quarters {
			at, g, _ := public.Place(q.Release.Catalogue, public.GroupActions)
			for i := range int(g.Cells) {
				n := float64(q.Truth[at+i])
				actions += n
				if public.Category(i + 1).Mobility() {
					moving += n
				}
			}
			at, g, _ = public.Place(q.Release.Catalogue, public.GroupHelped)
			for i := range int(g.Cells) {
				n := float64(q.Truth[at+i])
				helped += n
				if i/8 == int(public.Woman) {
					women += n
				}
			}
		}
	}
	if s := moving / actions; s < 0.58 || s > 0.66 {
		t.Errorf("mobility is %.2f of all", s)
	}
	if s := women / helped; s < 0.7 || s > 0.8 {
		t.Errorf("women are %.2f of those helped", s)
	}
}
