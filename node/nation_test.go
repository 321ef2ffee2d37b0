package node_test

import (
	"errors"
	"testing"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node"
)

// simulated are two territories with four quarters of the same round numbers.
func simulated(t *testing.T) (out []node.SimulatedTerritory) {
	t.Helper()
	for _, siren := range []public.Siren{200044394, 200069599} {
		s := node.SimulatedTerritory{Siren: siren}
		var spent public.Odometer
		for q := public.Quarter(23); q <= 26; q++ {
			receipt, err := spent.Charge(public.CatalogueVersion, q)
			if err != nil {
				t.Fatal(err)
			}
			cells := make([]int32, public.Cells(public.CatalogueVersion))
			for i := range cells {
				cells[i] = 40
			}
			at, _, _ := public.Place(public.CatalogueVersion, public.GroupHelped)
			cells[at+public.HelpedCell(public.Woman, public.From85)] = 4
			release, err := receipt.Release(cells)
			if err != nil {
				t.Fatal(err)
			}
			if spent, err = spent.Follow(release); err != nil {
				t.Fatal(err)
			}
			s.Releases = append(s.Releases, release)
		}
		out = append(out, s)
	}
	return out
}

// TestNationAddsUp: totals hold what was released, in intervals; simulated
// territories are counted apart and can be left out.
func TestNationAddsUp(tt *testing.T) {
	t := newTown(tt, func(c *node.Config) { c.Simulated = simulated(tt) })
	if _, err := t.Nation.Look(t.admin, node.NationLook{}); !isKind(err, node.Forbidden) {
		t.Errorf("an administrator of a territory looks at the nation: %v", err)
	}
	nadia := node.Caller{Account: t.admin.Account, Roles: node.RoleCoordinator, Coordinating: true}
	s, err := t.Nation.Look(nadia, node.NationLook{})
	t.must(err)
	if s.Territories != len(t.cfg.Simulated) || s.Simulated != s.Territories || s.Releases != 4*s.Territories || s.From != 23 || s.To != 26 {
		t.Errorf("%d territories, %d simulated, %d releases, %s to %s", s.Territories, s.Simulated, s.Releases, s.From, s.To)
	}
	want := int64(40 * s.Releases)
	if e := s.Sums.Enrolled; e.N != want || e.Low >= want || e.High <= want {
		t.Errorf("enrolled %+v, released %d", e, want)
	}
	if e := s.Sums.ByType[public.Walk]; e.N != want || e.Low >= want {
		t.Errorf("walks %+v, released %d", e, want)
	}
	if len(s.Trend) != 4 || s.Trend[0].Sums.Enrolled.N != want/4 {
		t.Errorf("the trend is %+v", s.Trend)
	}
	real, err := t.Nation.Look(nadia, node.NationLook{RealOnly: true})
	t.must(err)
	if real.Territories != 0 || real.Releases != 0 || real.Sums.Enrolled.N != 0 {
		t.Errorf("without simulated ones: %d territories, %+v", real.Territories, real.Sums.Enrolled)
	}
}

// TestNoSmallCell: of one territory a number below eleven is told over a year, or as
// too few, and never itself.
func TestNoSmallCell(tt *testing.T) {
	t := newTown(tt, func(c *node.Config) { c.Simulated = simulated(tt) })
	nadia := node.Caller{Account: t.admin.Account, Roles: node.RoleCoordinator, Coordinating: true}
	d, err := t.Nation.Detail(nadia, 200044394)
	t.must(err)
	small, yearly := 0, 0
	check := func(n node.Told) {
		switch {
		case n.Span == node.TooFew && n.Estimate != (node.Estimate{}):
			t.Errorf("too few, and told: %+v", n)
		case n.Span != node.TooFew && n.N < node.Least:
			t.Errorf("told: %+v", n)
		case n.Span == node.OverYear:
			yearly++
		case n.Span == node.TooFew:
			small++
		}
	}
	for _, n := range d.ByType {
		check(n)
	}
	for _, n := range d.ByAge {
		check(n)
	}
	all, err := t.Nation.Export(nadia, false)
	t.must(err)
	for _, r := range all {
		if r.Siren != "" && r.Unit != "institution" && !r.TooFew && r.Value.N < node.Least {
			t.Errorf("handed on: %+v", r)
		}
	}
	if small == 0 { // the category that nobody may use is always none
		t.Error("no cell was too small: the test shows nothing")
	}
	if _, err := t.Nation.Detail(nadia, 552100554); !isKind(err, node.NotFound) {
		t.Errorf("a stranger: %v", err)
	}
}

// TestOnlyTheCoordinatorPublishes: on a territory's node nobody can, whatever roles
// are claimed.
func TestOnlyTheCoordinatorPublishes(tt *testing.T) {
	t := newTown(tt)
	d := node.BulletinDraft{Title: "Canicule", Text: "Appelez."}
	if _, err := t.Bulletins.Publish(t.Context(), t.admin, d); !isKind(err, node.Forbidden) {
		t.Errorf("an administrator: %v", err)
	}
	claimed := node.Caller{Account: t.admin.Account, Roles: node.RoleCoordinator, Coordinating: true}
	_, err := t.Bulletins.Publish(t.Context(), claimed, d)
	if e, ok := errors.AsType[*node.Error](err); !ok || e.Code != "not-coordinator" {
		t.Errorf("who claims to be the coordinator: %v", err)
	}
	if all, err := t.Bulletins.List(t.admin); err != nil || len(all) != 0 {
		t.Errorf("%d bulletins, %v", len(all), err)
	}
	volunteer := node.Caller{Account: t.admin.Account, Roles: node.RoleVolunteer}
	if _, err := t.Bulletins.List(volunteer); !isKind(err, node.Forbidden) {
		t.Errorf("a volunteer reads: %v", err)
	}
}

func isKind(err error, k node.Kind) bool {
	e, ok := errors.AsType[*node.Error](err)
	return ok && e.Kind == k
}
