package synth

import (
	"math/rand/v2"
	"slices"
	"sort"
)

// tie draws what links people: who reaches which commune, what each person asks
// for and how often, and the one to three volunteers who come back.
func (w *World) tie(r *rand.Rand) {
	w.offers = make([]uint16, len(w.Volunteers))
	for i, v := range w.Volunteers {
		for _, k := range v.Kinds {
			w.offers[i] |= 1 << kindIndex(k)
		}
	}
	w.market = make([]int, len(w.communes))
	w.reach = make([][]int32, len(w.communes))
	for c := range w.communes {
		w.market[c] = marketDay(w.communes[c].Code)
		for i, v := range w.Volunteers {
			if v.Status == Approved && within(w.communes, v.CommuneIndex, c, v.RadiusKm) {
				w.reach[c] = append(w.reach[c], int32(i))
			}
		}
	}
	rates := []int{1, 2, 2, 3, 3, 4, 6, 9}
	if w.profile == Start {
		rates = []int{1, 1, 1, 1, 1, 1, 12, 18} // a young scheme lives by a few people
	}
	often := make([]int, len(w.Beneficiaries))
	w.habits = make([][2]uint8, len(w.Beneficiaries))
	w.usual = make([][]int32, len(w.Beneficiaries))
	for i := range w.Beneficiaries {
		w.habits[i] = [2]uint8{anyKind(r, true), anyKind(r, false)}
		often[i] = pick(r, rates)
		w.usual[i] = w.regulars(r, i)
		w.prefer(r, i)
	}
	w.asks = running(often)
}

func anyKind(r *rand.Rand, mobile bool) uint8 {
	weights := make([]int, len(catalogue))
	for i, k := range catalogue {
		if k.mobile == mobile {
			weights[i] = k.weight
		}
	}
	return uint8(weighted(r, running(weights)))
}

// regulars are volunteers who live near, like what the person likes
// and have been there for long.
func (w *World) regulars(r *rand.Rand, b int) []int32 {
	near := w.reach[w.Beneficiaries[b].CommuneIndex]
	if len(near) == 0 {
		return nil
	}
	fit := func(v int32) int {
		score := 0
		if w.Volunteers[v].CommuneIndex == w.Beneficiaries[b].CommuneIndex {
			score += 2
		}
		for _, k := range w.habits[b] {
			score += int(w.offers[v] >> k & 1)
		}
		if w.Volunteers[v].DaysInStatus > 7*w.profile.weeks() {
			score++
		}
		return score
	}
	met := make([]int32, 0, 9)
	for range cap(met) {
		if v := pick(r, near); !slices.Contains(met, v) {
			met = append(met, v)
		}
	}
	sort.SliceStable(met, func(i, j int) bool { return fit(met[j]) < fit(met[i]) })
	return met[:min(len(met), between(r, 1, 3))]
}

// prefer rarely writes down a volunteer the person asks for, or will not have.
func (w *World) prefer(r *rand.Rand, b int) {
	usual := w.usual[b]
	if len(usual) > 0 && percent(r, 6) {
		w.Beneficiaries[b].Preferred = []int{int(usual[0])}
	}
	near := w.reach[w.Beneficiaries[b].CommuneIndex]
	if len(near) > 6 && percent(r, 2) {
		if v := pick(r, near); !slices.Contains(usual, v) {
			w.Beneficiaries[b].Refused = []int{int(v)}
		}
	}
}
