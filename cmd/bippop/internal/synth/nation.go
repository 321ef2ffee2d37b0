package synth

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"

	"github.com/bippop/bippop/federation/public"
)

// Grouping is a real EPCI, as the caller knows it.
type Grouping struct {
	Siren       public.Siren
	Name        string
	Departement string // of its most populous commune
	Population  int
	Communes    int // how many
}

// Simulated is a grouping that takes part in nothing: its figures are drawn, so that
// a demo's map is not empty. What it would have counted is known beside what it
// releases, so that the error of a total can be told.
type Simulated struct {
	Grouping
	Quarters []SimulatedQuarter // oldest first, without gaps
}

// SimulatedQuarter is one release and the numbers before their noise, cell by cell.
type SimulatedQuarter struct {
	Release public.Release
	Truth   []int32
}

// streamNation draws the simulated territories; it is beside those of a world.
const streamNation = 1 << 20

// Nation draws n simulated territories among the groupings, one of a département at
// most and spread over France, with their releases up to the quarter last. Two of
// them have fallen silent, one has just begun. The same seed, groupings, n and last
// give the same nation. It panics with fewer départements than n.
func Nation(seed uint64, among []Grouping, n int, last public.Quarter) []Simulated {
	r := rand.New(rand.NewPCG(seed, streamNation))
	of := map[string][]Grouping{}
	for _, g := range among {
		if g.Population >= 8_000 && g.Population <= 320_000 {
			of[g.Departement] = append(of[g.Departement], g)
		}
	}
	var departements []string
	for d := range of {
		departements = append(departements, d)
	}
	slices.Sort(departements)
	if len(departements) < n {
		panic("synth: Nation wants more départements than territories")
	}
	var out []Simulated
	for i := range n { // each from its own part of the list, which is in order of place
		d := departements[i*len(departements)/n+r.IntN(max(1, (i+1)*len(departements)/n-i*len(departements)/n))]
		list := of[d]
		sort.Slice(list, func(i, j int) bool { return list[i].Siren < list[j].Siren })
		out = append(out, Simulated{Grouping: pick(r, list)})
	}
	for i := range out {
		quarters := 3 + r.IntN(6)
		until := last
		switch i {
		case n / 3, 2 * n / 3: // silent since
			until -= public.Quarter(1 + i%2)
		case n / 2:
			quarters = 1
		}
		out[i].Quarters = drawQuarters(r, out[i].Grouping, until-public.Quarter(quarters)+1, until)
	}
	return out
}

// Of an action in a hundred, by category: walks, shopping, rides, deliveries and
// outings are 62, as the national network says of its own.
var categoryShares = [...]int{
	public.Visit: 17, public.Reading: 3, public.Walk: 16, public.Shopping: 21, public.Computer: 4, public.Paperwork: 6,
	public.Ride: 17, public.Call: 7, public.Delivery: 5, public.Outing: 3, public.Other: 1,
}

// Of a person helped in a hundred, by age band.
var bandShares = [...]int{public.AgeUnknown: 2, public.Under60: 5, public.From60: 10, public.From70: 12, public.From75: 17, public.From80: 21, public.From85: 20, public.From90: 13}

// drawQuarters draws what a territory counts from first to last, growing from its
// first quarter on, and releases it.
func drawQuarters(r *rand.Rand, g Grouping, first, last public.Quarter) (out []SimulatedQuarter) {
	const catalogue = public.CatalogueVersion
	reach := 120 + r.IntN(120) // of 100,000 inhabitants, helped in a quarter once it is known
	zeal := 85 + r.IntN(31)
	var spent public.Odometer
	for q := first; q <= last; q++ {
		age := int(q - first)
		helped := max(4, g.Population*reach/100_000*zeal/100*min(10, 4+2*age)/10)
		if _, number := q.Year(); number == 3 { // summer
			helped = helped * 88 / 100
		}
		truth := countQuarter(r, g, helped)
		receipt, err := spent.Charge(catalogue, q)
		if err != nil {
			panic("synth: " + err.Error())
		}
		release, err := receipt.Release(noised(r, catalogue, truth))
		if err != nil {
			panic("synth: " + err.Error())
		}
		if spent, err = spent.Follow(release); err != nil {
			panic("synth: " + err.Error())
		}
		out = append(out, SimulatedQuarter{release, truth})
	}
	return out
}

// countQuarter fills a vector for a number of persons helped.
func countQuarter(r *rand.Rand, g Grouping, helped int) []int32 {
	cells := make([]int32, public.Cells(public.CatalogueVersion))
	group := func(n public.GroupNumber) []int32 {
		at, of, ok := public.Place(public.CatalogueVersion, n)
		if !ok {
			panic("synth: a group is not in the catalogue")
		}
		return cells[at : at+int(of.Cells)]
	}
	spread := func(into []int32, n int, weights []int) {
		sums := running(weights)
		for range n {
			into[weighted(r, sums)]++
		}
	}
	institution := group(public.GroupInstitution)
	institution[public.HasCommunes], institution[public.HasKinds], institution[public.HasReplicas] = int32(g.Communes), int32(7+r.IntN(5)), int32(1+2*r.IntN(2))
	for range helped {
		sex := public.Woman
		switch p := r.IntN(100); {
		case p < 24:
			sex = public.Man
		case p == 99:
			sex = public.SexUnknown
		}
		band := weighted(r, running(bandShares[:]))
		group(public.GroupHelped)[public.HelpedCell(sex, public.AgeBand(band))]++
	}
	spread(group(public.GroupOften), helped, []int{975, 12, 7, 4, 2})
	actions := helped*24/10 + r.IntN(helped+1)/4
	spread(group(public.GroupActions), actions*3/4, categoryShares[public.Visit:]) // her fourth and further ones are not counted there
	spread(group(public.GroupDone), actions, []int{62, 38})
	asked := actions * 115 / 100
	fates := group(public.GroupRequests)
	fates[public.FateRequested] = int32(asked)
	spread(fates[public.FateDay:], asked, []int{44, 20, 15, 6, 7, 6, 2})
	group(public.GroupPaired)[0] = int32(helped / 6)
	group(public.GroupEnrolled)[0] = int32(helped/9 + r.IntN(4))
	group(public.GroupBonds)[0] = int32(helped / 40)
	helpers := max(3, helped*6/10)
	group(public.GroupHelpers)[0] = int32(helpers)
	group(public.GroupHours)[0] = int32(actions * 13 / 10)
	group(public.GroupJoined)[0] = int32(helpers/12 + r.IntN(3))
	group(public.GroupOffered)[0] = int32(helpers / 4)
	return cells
}

// noised adds to each cell what the catalogue's budget for its group asks for.
// Chance is the seed's, and the difference of two geometric numbers: it hides
// nobody, for there is nobody to hide.
func noised(r *rand.Rand, catalogue uint16, truth []int32) []int32 {
	out := slices.Clone(truth)
	at := 0
	for _, g := range public.Catalogue(catalogue) {
		for i := range int(g.Cells) {
			if g.Unit != public.Institution {
				out[at+i] += laplace(r, float64(g.Bound)*1e6/float64(g.Budget))
			}
		}
		at += int(g.Cells)
	}
	return out
}

// laplace draws a whole number around none with that scale.
func laplace(r *rand.Rand, scale float64) int32 {
	geometric := func() float64 { return math.Floor(-math.Log(1-r.Float64()) * scale) }
	return int32(geometric() - geometric())
}
