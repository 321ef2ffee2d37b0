package node_test

import (
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node"
)

const t4 public.Quarter = 27 // October to December 2026

// helped has somebody shop for her, yesterday.
func (t *town) helped(her node.BeneficiaryID, him ...node.VolunteerID) {
	t.Helper()
	_, err := t.Requests.RecordDone(t.Context(), t.admin, node.PastAction{
		Beneficiary: her, Type: t.kinds["Courses"], Volunteers: him, Day: t.today(), Minute: 8 * 60, Ending: node.Ending{Minutes: 90},
	})
	t.must(err)
}

// TestQuarterReleased: what happened in a quarter leaves on the tenth day after it,
// once, with noise where people stand behind it, and nothing is left of what it was
// made of.
func TestQuarterReleased(t *testing.T) {
	town := newTown(t)
	her, him := town.enrol("Dupont"), town.approve("Jean")
	town.helped(her, him)
	exact, there, err := town.Figures.Quarters.Vector(t4)
	town.must(err)
	at := func(n public.GroupNumber) int { i, _, _ := public.Place(1, n); return i }
	if !there || exact[at(public.GroupEnrolled)] != 1 || exact[at(public.GroupJoined)] != 1 || exact[at(public.GroupHours)] != 1 ||
		exact[at(public.GroupHelped)+public.HelpedCell(public.Woman, public.From80)] != 1 {
		t.Fatalf("the quarter counts %v", exact)
	}
	state := func(released int) node.Statement {
		t.Helper()
		s, err := town.Figures.Quarters.Statement(town.admin)
		town.must(err)
		if len(s.Released) != released || !s.Begun {
			t.Fatalf("released: %+v", s)
		}
		return s
	}
	if s := state(0); s.Next != t4 || s.On.Time() != time.Date(2027, 1, 11, 0, 0, 0, 0, time.UTC) || s.Joined {
		t.Errorf("%+v", s)
	}
	due := func() { t.Helper(); town.must(town.Figures.Quarters.Due(t.Context())) }
	due()
	town.must(town.Figures.Quarters.Join(false))
	due()
	if _, err := town.Figures.Quarters.Freeze(t.Context(), town.admin); code(err) != "quarter-open" {
		t.Errorf("a quarter that is not over: %v", err)
	}
	town.wait(49*24*time.Hour - 9*time.Hour) // 10 January, 23 h
	due()
	state(0)
	town.wait(2 * time.Hour)
	due()
	s := state(1)
	r := s.Released[0].Figures
	if inst := r.Group(public.GroupInstitution); inst[public.HasCommunes].N() != 3 || int(inst[public.HasKinds].N()) != len(town.kinds) || inst[public.HasReplicas].N() != 1 {
		t.Errorf("the institution: %v", inst)
	}
	if r.Quarter != t4 || r.Catalogue != 1 || s.Spent.Spent != [3]public.Micro{0, 1_000_000, 1_000_000} || s.Next != t4+1 {
		t.Errorf("%+v", s)
	}
	if _, there, err := town.Figures.Quarters.Vector(t4); err != nil || there {
		t.Errorf("what the release was made of is still there: %v", err)
	}
	due()
	due()
	if again := state(1); !reflect.DeepEqual(again.Released, s.Released) {
		t.Error("another release of the same quarter")
	}
	town.reopen()
	due()
	state(1)

	// A year later all quarters since are released, in order, those too in which
	// nothing has happened; a year's budget is never overspent.
	town.wait(366 * 24 * time.Hour)
	due()
	s = state(5)
	for i, one := range s.Released {
		if one.Quarter != t4+4-public.Quarter(i) || one.Seq != uint64(4-i) {
			t.Errorf("%d: %v at %d", i, one.Quarter, one.Seq)
		}
	}
	if s.Spent.Spent[public.Person] != public.MaxSpending {
		t.Errorf("four quarters have spent %d", s.Spent.Spent[public.Person])
	}
}

// TestNoiseDrawnOnce: a release that could not be recorded is said again as it was.
func TestNoiseDrawnOnce(t *testing.T) {
	town := newTown(t)
	town.enrol("Dupont")
	town.wait(45 * 24 * time.Hour)
	town.must(town.Figures.Quarters.Join(true))
	if _, err := town.Figures.Quarters.Freeze(t.Context(), town.admin); code(err) != "feed-frozen" {
		t.Fatalf("got %v", err)
	}
	drawn := town.Figures.Quarters.Drawn()
	if len(drawn.Cells) == 0 {
		t.Fatal("nothing was drawn")
	}
	town.must(town.Figures.Quarters.Join(false))
	_, err := town.Figures.Quarters.Freeze(t.Context(), town.admin)
	town.must(err)
	s, err := town.Figures.Quarters.Statement(town.admin)
	town.must(err)
	if len(s.Released) != 1 || !reflect.DeepEqual(s.Released[0].Figures, drawn) {
		t.Errorf("released %+v, drawn before %+v", s.Released, drawn)
	}
	if len(town.Figures.Quarters.Drawn().Cells) != 0 {
		t.Error("kept after the release")
	}
	if _, err := town.Figures.Quarters.Freeze(t.Context(), town.admin); code(err) != "quarter-open" {
		t.Errorf("the next quarter: %v", err)
	}
}

// TestNoise: each cell's noise has mean 0 and the scale that its group promises, and
// no cell of an institution has any.
func TestNoise(t *testing.T) {
	town := newTown(t)
	cells := make([]int32, public.Cells(1))
	for i := range cells {
		cells[i] = int32(100 * i)
	}
	n := 3000
	sum, abs := make([]float64, len(cells)), make([]float64, len(cells))
	for range n {
		r, err := town.Figures.Quarters.Noised(t4, cells)
		town.must(err)
		for i, c := range r.Cells {
			d := float64(c.N() - cells[i])
			sum[i] += d
			abs[i] += math.Abs(d)
		}
	}
	at := 0
	for _, g := range public.Catalogue(1) {
		scale := 0.0
		if g.Budget > 0 {
			scale = float64(g.Bound) / (float64(g.Budget) / 1e6)
		}
		for i := at; i < at+int(g.Cells); i++ {
			// Standard errors of a Laplace mean and of its mean deviation; six of them.
			if math.Abs(sum[i]/float64(n)) > 6*scale*math.Sqrt2/math.Sqrt(float64(n)) || math.Abs(abs[i]/float64(n)-scale) > 0.02+6*scale/math.Sqrt(float64(n)) {
				t.Errorf("group %d, cell %d: mean %.3f, mean deviation %.3f; want 0 and %.3f", g.Number, i, sum[i]/float64(n), abs[i]/float64(n), scale)
			}
		}
		at += int(g.Cells)
	}
}

// TestWhoReleases: only an administrator releases; officials and the DPO read what
// has left.
func TestWhoReleases(t *testing.T) {
	town := newTown(t)
	for _, role := range []node.Roles{node.RoleAgent, node.RoleOfficial, node.RoleVolunteer} {
		by := town.admin
		by.Roles = role
		if _, err := town.Figures.Quarters.Freeze(t.Context(), by); code(err) != "forbidden" {
			t.Errorf("role %d releases: %v", role, err)
		}
		if _, err := town.Figures.Quarters.Statement(by); (code(err) == "forbidden") != (role == node.RoleVolunteer) {
			t.Errorf("role %d reads: %v", role, err)
		}
	}
}
