package node

import (
	"math"

	"github.com/bippop/bippop/federation/public"
)

// Estimate is a number in which there is noise: the true one lies between Low and
// High in 95 cases of 100. Of an exact number all three are equal.
type Estimate struct{ N, Low, High int64 }

// Exact reports whether there is no noise in it.
func (e Estimate) Exact() bool { return e.Low == e.High }

// Share is a part of a whole in thousandths, with its interval.
type Share struct {
	N, Low, High int
	Known        bool // the whole is large enough for a share to mean something
}

// Institution is what nobody stands behind: exact, added up over releases.
type Institution struct{ Communes, Kinds, Replicas int64 }

// Sums are the catalogue's cells over territories and quarters. Noise may have made a
// number negative; a total is shown as none at least.
type Sums struct {
	Institution Institution

	Actions, Mobility  Estimate
	ByType             [public.Other + 1]Estimate // by category; the first is always none
	Helped             Estimate                   // persons; one who was helped in several quarters counts in each
	BySex              [public.Man + 1]Estimate
	ByAge              [public.From90 + 1]Estimate
	Requests           Estimate
	Fates              [8]Estimate // by public.Fate…; the first is Requests
	Found              Estimate
	Helpers, Hours     Estimate
	Joined, Offered    Estimate
	Paired, Enrolled   Estimate
	Bonds              Estimate
	MobilityShare      Share
	CoveredShare       Share // of the requests, those for which somebody was found
	FoundInDayShare    Share // of those that were found
	FoundInTwoDayShare Share
	FoundInWeekShare   Share
	WomenShare         Share // of those whose sex is known
}

// noisy is a sum of cells and the variance of the noise in it.
type noisy struct {
	n     int64
	cells int
	vari  float64
}

func (a noisy) plus(b noisy) noisy { return noisy{a.n + b.n, a.cells + b.cells, a.vari + b.vari} }

// summing adds releases up, cell by cell. Not safe for concurrent use.
type summing struct {
	cells map[public.GroupNumber][]noisy
}

// add takes one release in. What a newer catalogue has and this program does not
// know is left out.
func (s *summing) add(r public.Release) {
	if s.cells == nil {
		s.cells = map[public.GroupNumber][]noisy{}
	}
	for _, g := range public.Catalogue(r.Catalogue) {
		have := s.cells[g.Number]
		if have == nil {
			have = make([]noisy, g.Cells)
		}
		vari := 0.0
		if g.Unit != public.Institution {
			scale := float64(g.Bound) * 1e6 / float64(g.Budget)
			vari = 2 * scale * scale
		}
		for i, c := range r.Group(g.Number) {
			have[i] = have[i].plus(noisy{int64(c.N()), 1, vari})
		}
		s.cells[g.Number] = have
	}
}

func (s *summing) cell(g public.GroupNumber, i int) (out noisy) {
	if have := s.cells[g]; i < len(have) {
		out = have[i]
	}
	return out
}

// all adds the cells of a group up, or those that keep lets through.
func (s *summing) all(g public.GroupNumber, keep func(i int) bool) (out noisy) {
	for i, c := range s.cells[g] {
		if keep == nil || keep(i) {
			out = out.plus(c)
		}
	}
	return out
}

// quantiles of a sum of Laplace numbers, in standard deviations: 95 of 100 sums of
// that many lie within. One alone has heavier ends than many together.
var quantiles = [...]float64{1: 2.118, 2: 2.068, 3: 2.037, 4: 2.019, 5: 2.008, 6: 2.0}

func quantile(cells int) float64 {
	if cells < len(quantiles) {
		return quantiles[cells]
	}
	return 1.98
}

// halfWidth of the interval around it, rounded up.
func halfWidth(a noisy) int64 {
	if a.vari == 0 {
		return 0
	}
	return int64(math.Ceil(quantile(a.cells) * math.Sqrt(a.vari)))
}

// estimate is a noisy sum as it is told. What is counted is never below none.
func (a noisy) estimate() Estimate {
	half := halfWidth(a)
	return Estimate{max(0, a.n), max(0, a.n-half), max(0, a.n+half)}
}

// share is a of b, of which a is a part.
func (a noisy) share(b noisy) Share {
	if b.n <= 0 || float64(b.n) < 3*math.Sqrt(b.vari) || b.n < Least {
		return Share{}
	}
	p := float64(max(0, min(a.n, b.n))) / float64(b.n)
	// By the first terms of the quotient's series; a is a part of b.
	vari := a.vari + p*p*b.vari - 2*p*a.vari
	half := quantile(a.cells) * math.Sqrt(max(0, vari)) / float64(b.n)
	thousandths := func(x float64) int { return int(max(0, min(1, x))*1000 + 0.5) }
	return Share{thousandths(p), thousandths(p - half), thousandths(p + half), true}
}

// done is what was added up.
func (s *summing) done() Sums {
	cell := func(g public.GroupNumber, i int) Estimate { return s.cell(g, i).estimate() }
	actions, requests := s.all(public.GroupActions, nil), s.cell(public.GroupRequests, public.FateRequested)
	mobility := s.all(public.GroupActions, func(i int) bool { return public.Category(i + 1).Mobility() })
	within := func(last int) noisy {
		return s.all(public.GroupRequests, func(i int) bool { return i >= public.FateDay && i <= last })
	}
	found := within(public.FateLater)
	out := Sums{
		Institution: Institution{s.cell(public.GroupInstitution, public.HasCommunes).n, s.cell(public.GroupInstitution, public.HasKinds).n, s.cell(public.GroupInstitution, public.HasReplicas).n},
		Actions:     actions.estimate(), Mobility: mobility.estimate(), Requests: requests.estimate(), Found: found.estimate(),
		Helped: s.all(public.GroupHelped, nil).estimate(), Helpers: s.all(public.GroupHelpers, nil).estimate(),
		Hours: cell(public.GroupHours, 0), Joined: cell(public.GroupJoined, 0), Offered: cell(public.GroupOffered, 0),
		Paired: cell(public.GroupPaired, 0), Enrolled: cell(public.GroupEnrolled, 0), Bonds: cell(public.GroupBonds, 0),
		MobilityShare: mobility.share(actions), CoveredShare: found.share(requests),
		FoundInDayShare: within(public.FateDay).share(found), FoundInTwoDayShare: within(public.FateTwoDays).share(found), FoundInWeekShare: within(public.FateWeek).share(found),
	}
	for c := public.Visit; c <= public.Other; c++ {
		out.ByType[c] = cell(public.GroupActions, public.ActionCell(c))
	}
	for i := range out.Fates {
		out.Fates[i] = cell(public.GroupRequests, i)
	}
	var sexes [len(out.BySex)]noisy
	for x := public.SexUnknown; x <= public.Man; x++ {
		for a := public.AgeUnknown; a <= public.From90; a++ {
			sexes[x] = sexes[x].plus(s.cell(public.GroupHelped, public.HelpedCell(x, a)))
		}
		out.BySex[x] = sexes[x].estimate()
	}
	out.WomenShare = sexes[public.Woman].share(sexes[public.Woman].plus(sexes[public.Man]))
	for a := public.AgeUnknown; a <= public.From90; a++ {
		var sum noisy
		for x := public.SexUnknown; x <= public.Man; x++ {
			sum = sum.plus(s.cell(public.GroupHelped, public.HelpedCell(x, a)))
		}
		out.ByAge[a] = sum.estimate()
	}
	return out
}
