package dispatch_test

import (
	"flag"
	"fmt"
	"slices"
	"testing"

	"github.com/bippop/bippop/node/internal/catalogue"
	"github.com/bippop/bippop/node/internal/dispatch"
	"github.com/bippop/bippop/node/internal/ident"
	"github.com/bippop/bippop/node/internal/people"
	"github.com/bippop/bippop/node/internal/request"
	"github.com/bippop/bippop/node/internal/when"
	"pgregory.net/rapid"
)

const tuesday when.Day = 20_781 // 2026-11-24

var (
	him     = ident.Volunteer{15: 1}
	ride    = catalogue.ActionType{ID: ident.ActionType{15: 1}, Car: true}
	walk    = catalogue.ActionType{ID: ident.ActionType{15: 2}}
	onDay   = request.Wish{Kind: request.OnDay, Day: tuesday, Half: when.Morning}
	inWeek  = request.Wish{Kind: request.InWeek, Day: tuesday - 1}
	fitting = people.Volunteer{ID: him, Status: people.Approved, Offer: people.Readiness{Car: true, RadiusKm: 5}}
)

func TestObstacles(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*people.Volunteer, *dispatch.Need)
		metres int
		want   []dispatch.Obstacle
		may    bool
	}{
		{"none", func(*people.Volunteer, *dispatch.Need) {}, 5000, nil, true},
		{"applicant", func(v *people.Volunteer, _ *dispatch.Need) { v.Status = people.Applicant }, 0, []dispatch.Obstacle{dispatch.NotApproved}, false},
		{"suspended", func(v *people.Volunteer, _ *dispatch.Need) { v.Status = people.Suspended }, 0, []dispatch.Obstacle{dispatch.NotApproved}, false},
		{"refused", func(_ *people.Volunteer, n *dispatch.Need) { n.Her.Refused = []ident.Volunteer{him} }, 0, []dispatch.Obstacle{dispatch.RefusedByHer}, false},
		{"refused and preferred", func(_ *people.Volunteer, n *dispatch.Need) {
			n.Her.Refused, n.Her.Preferred = []ident.Volunteer{him}, []ident.Volunteer{him}
		}, 0, []dispatch.Obstacle{dispatch.RefusedByHer}, false},
		{"other kinds", func(v *people.Volunteer, _ *dispatch.Need) { v.Offer.Kinds = []ident.ActionType{walk.ID} }, 0, []dispatch.Obstacle{dispatch.OtherKinds}, false},
		{"no car", func(v *people.Volunteer, _ *dispatch.Need) { v.Offer.Car = false }, 0, []dispatch.Obstacle{dispatch.NoCar}, false},
		{"no car needed", func(v *people.Volunteer, n *dispatch.Need) { v.Offer.Car, n.Kind = false, walk }, 0, nil, true},
		{"too far", func(*people.Volunteer, *dispatch.Need) {}, 5001, []dispatch.Obstacle{dispatch.TooFar}, true},
		{"unknown place", func(*people.Volunteer, *dispatch.Need) {}, -1, []dispatch.Obstacle{dispatch.FarUnknown}, true},
		{"away", func(v *people.Volunteer, _ *dispatch.Need) {
			v.Offer.Absences = []people.Absence{{From: tuesday, To: tuesday}}
		}, 0, []dispatch.Obstacle{dispatch.Away}, false},
		{"away before", func(v *people.Volunteer, _ *dispatch.Need) {
			v.Offer.Absences = []people.Absence{{From: tuesday - 9, To: tuesday - 1}}
		}, 0, nil, true},
		{"away half the week", func(v *people.Volunteer, n *dispatch.Need) {
			n.Wish = inWeek
			v.Offer.Absences = []people.Absence{{From: tuesday - 9, To: tuesday + 4}}
		}, 0, nil, true},
		{"away all week", func(v *people.Volunteer, n *dispatch.Need) {
			n.Wish = inWeek
			v.Offer.Absences = []people.Absence{{From: tuesday - 9, To: tuesday}, {From: tuesday + 1, To: tuesday + 5}}
		}, 0, []dispatch.Obstacle{dispatch.Away}, false},
		{"another half-day", func(v *people.Volunteer, _ *dispatch.Need) { v.Offer.Week = when.Bit(2, when.Afternoon) }, 0, []dispatch.Obstacle{dispatch.NotFree}, true},
		{"his half-day", func(v *people.Volunteer, _ *dispatch.Need) { v.Offer.Week = when.Bit(2, when.Morning) }, 0, nil, true},
	} {
		v, n := fitting, dispatch.Need{Kind: ride, Wish: onDay}
		c.change(&v, &n)
		got := dispatch.Look(v, n, c.metres)
		if !slices.Equal(got.Obstacles, c.want) || got.May() != c.may || got.Fits() != (len(c.want) == 0) {
			t.Errorf("%s: %v, may %v, fits %v", c.name, got.Obstacles, got.May(), got.Fits())
		}
	}
}

func TestLoad(t *testing.T) {
	v := fitting
	v.Offer.PerWeek = 2
	c := dispatch.Look(v, dispatch.Need{Kind: ride, Wish: onDay}, 0)
	for _, x := range []struct {
		week int
		busy bool
		want []dispatch.Obstacle
		may  bool
	}{{1, false, nil, true}, {2, false, []dispatch.Obstacle{dispatch.WeekIsFull}, true}, {0, true, []dispatch.Obstacle{dispatch.Busy}, false}} {
		got := c.Load(v, x.week, x.busy)
		if !slices.Equal(got.Obstacles, x.want) || got.May() != x.may || got.ThisWeek != x.week {
			t.Errorf("%+v: %+v", x, got)
		}
	}
	v.Offer.PerWeek = 0
	if got := c.Load(v, 99, false); !got.Fits() {
		t.Errorf("without a limit: %v", got.Obstacles)
	}
	if !c.Fits() {
		t.Error("Load changed the candidate it was called on")
	}
}

// hard is what no agent may ask past, said once more.
var hard = []dispatch.Obstacle{dispatch.NotApproved, dispatch.RefusedByHer, dispatch.OtherKinds, dispatch.NoCar, dispatch.Away, dispatch.Busy}

func candidates() *rapid.Generator[dispatch.Candidate] {
	every := append(slices.Clone(hard), dispatch.TooFar, dispatch.FarUnknown, dispatch.NotFree, dispatch.WeekIsFull)
	return rapid.Custom(func(t *rapid.T) dispatch.Candidate {
		n := func(name string, most int) int { return rapid.IntRange(0, most).Draw(t, name) }
		return dispatch.Candidate{
			Volunteer: ident.Volunteer{15: byte(n("id", 200))}, Obstacles: rapid.SliceOfN(rapid.SampledFrom(every), 0, 2).Draw(t, "obstacles"),
			Metres: n("metres", 3) - 1, Visits: n("visits", 5), Preferred: n("preferred", 1) == 0, ThisWeek: n("week", 2),
			Done: uint32(n("done", 2)), LastAsked: when.At(n("asked", 2)),
		}
	})
}

// TestOrder: the order is one and the same whatever the candidates came in, no
// preference buys back a rule, and a hard obstacle is hard.
func TestOrder(t *testing.T) {
	if *long {
		flag.Set("rapid.checks", "20000")
	}
	rapid.Check(t, func(t *rapid.T) {
		cs := rapid.SliceOfNDistinct(candidates(), 0, 8, func(c dispatch.Candidate) ident.Volunteer { return c.Volunteer }).Draw(t, "candidates")
		a := slices.Clone(cs)
		dispatch.Order(a)
		b := rapid.Permutation(cs).Draw(t, "otherwise")
		dispatch.Order(b)
		if fmt.Sprint(a) != fmt.Sprint(b) {
			t.Fatalf("the order depends on how they came:\n%v\n%v", a, b)
		}
		for i, c := range a {
			if is := slices.ContainsFunc(c.Obstacles, func(o dispatch.Obstacle) bool { return slices.Contains(hard, o) }); is == c.May() {
				t.Fatalf("%v, and may be asked: %v", c.Obstacles, c.May())
			}
			if c.Fits() && !c.May() {
				t.Fatal("fits and may not be asked")
			}
			if i > 0 && (c.Fits() && !a[i-1].Fits() || c.May() && !a[i-1].May()) {
				t.Fatalf("%+v comes before %+v", a[i-1], c)
			}
		}
	})
}

func TestWhoComesFirst(t *testing.T) {
	base := dispatch.Candidate{Volunteer: ident.Volunteer{15: 9}, Metres: 1000, Visits: 1, ThisWeek: 1, LastAsked: 5}
	for name, better := range map[string]func(*dispatch.Candidate){
		"preferred": func(c *dispatch.Candidate) { c.Preferred = true }, "knows her": func(c *dispatch.Candidate) { c.Visits = 2 },
		"less this week": func(c *dispatch.Candidate) { c.ThisWeek = 0 }, "never asked": func(c *dispatch.Candidate) { c.LastAsked = 0 },
		"asked longer ago": func(c *dispatch.Candidate) { c.LastAsked = 4 }, "nearer": func(c *dispatch.Candidate) { c.Metres = 0 },
	} {
		first := base
		first.Volunteer = ident.Volunteer{15: 10} // behind, by ID
		better(&first)
		cs := []dispatch.Candidate{base, first}
		dispatch.Order(cs)
		if cs[0].Volunteer != first.Volunteer {
			t.Errorf("%s does not come first", name)
		}
	}
	unknown, far := base, base
	unknown.Metres, far.Metres = -1, 90_000
	far.Volunteer[15]++
	cs := []dispatch.Candidate{unknown, far}
	dispatch.Order(cs)
	if cs[0].Metres == -1 {
		t.Error("an unknown distance counts as near")
	}
}
