package node

import (
	"math"

	"github.com/bippop/bippop/federation/national"
	"github.com/bippop/bippop/federation/public"
)

// Estimate is a number in which there is noise: the true one lies between Low and
// High in 95 cases of 100. Of an exact number all three are equal. With Open it may
// be more than High, for what a bound has cut off is not known.
type Estimate struct {
	N, Low, High int64
	Open         bool
}

// Exact reports whether there is no noise in it.
func (e Estimate) Exact() bool { return e.Low == e.High }

// Share is a part of a whole in thousandths, with its interval.
type Share struct {
	N, Low, High int
	Known        bool // the whole is large enough for a share to mean something
}

// Institution is what nobody stands behind: exact, added up over releases.
type Institution struct{ Communes, Kinds, Replicas int64 }

// Shares are parts of the sums.
type Shares struct {
	MobilityShare      Share
	CoveredShare       Share // of the requests, those for which somebody was found
	FoundInDayShare    Share // of those that were found
	FoundInTwoDayShare Share
	FoundInWeekShare   Share
	TypeShares         [public.Other + 1]Share // by category; of the first actions of each person
}

// Sums are the catalogue's cells over territories and quarters. Noise may have made a
// number negative; a total is shown as none at least.
type Sums struct {
	Institution Institution

	Actions           Estimate
	Counted, Mobility Estimate                   // of the actions, those within the bound on each person
	ByType            [public.Other + 1]Estimate // by category; the first is always none
	Helped            Estimate                   // persons; one who was helped in several quarters counts in each
	BySex             [public.Man + 1]Estimate
	ByAge             [public.From90 + 1]Estimate
	Requests          Estimate
	Fates             [8]Estimate // by public.Fate…; the first is Requests
	Found             Estimate
	Paired, Enrolled  Estimate
	Bonds             Estimate
	Volunteering
	Shares
}

// Volunteering is what volunteers gave: who helped, hours, who was approved, help
// that was proposed before anybody asked.
type Volunteering struct{ Helpers, Hours, Joined, Offered Estimate }

// estimateOf is a figure as it is told: what is counted is never below none.
func estimateOf(f national.Figure) Estimate {
	return Estimate{max(0, f.N), f.Low, f.High, f.Open}
}

// shareOf rounds outwards.
func shareOf(s national.Share) Share {
	return Share{int(math.Round(s.Part * 1000)), int(math.Floor(s.Low * 1000)), int(math.Ceil(s.High * 1000)), s.Known}
}

// sumsOf reads the catalogue's groups out of totals.
func sumsOf(t national.Totals) Sums {
	sum := func(g public.GroupNumber, cells ...int) Estimate { return estimateOf(t.Sum(g, cells...)) }
	out := Sums{
		Institution: Institution{t.Institution(public.HasCommunes), t.Institution(public.HasKinds), t.Institution(public.HasReplicas)},
		Actions:     estimateOf(t.Actions()), Counted: sum(public.GroupDone), Mobility: sum(public.GroupDone, public.DoneCell(public.Ride)), Helped: estimateOf(t.Helped()),
		Requests: sum(public.GroupRequests, public.FateRequested), Found: sum(public.GroupRequests, public.FateDay, public.FateTwoDays, public.FateWeek, public.FateLater),
		Volunteering: Volunteering{sum(public.GroupHelpers), sum(public.GroupHours), sum(public.GroupJoined), sum(public.GroupOffered)},
		Paired:       sum(public.GroupPaired), Enrolled: sum(public.GroupEnrolled), Bonds: sum(public.GroupBonds),
		Shares: Shares{
			MobilityShare: shareOf(t.Mobility()), CoveredShare: shareOf(t.Covered()),
			FoundInDayShare: shareOf(t.Within(public.FateDay)), FoundInTwoDayShare: shareOf(t.Within(public.FateTwoDays)), FoundInWeekShare: shareOf(t.Within(public.FateWeek)),
		},
	}
	for c := public.Visit; c <= public.Other; c++ {
		out.ByType[c] = sum(public.GroupActions, public.ActionCell(c))
		out.TypeShares[c] = shareOf(t.Category(c))
	}
	for i := range out.Fates {
		out.Fates[i] = sum(public.GroupRequests, i)
	}
	var ages [len(out.ByAge)][]int
	for x := public.SexUnknown; x <= public.Man; x++ {
		var cells []int
		for a := public.AgeUnknown; a <= public.From90; a++ {
			cells = append(cells, public.HelpedCell(x, a))
			ages[a] = append(ages[a], public.HelpedCell(x, a))
		}
		out.BySex[x] = sum(public.GroupHelped, cells...)
	}
	for a, cells := range ages {
		out.ByAge[a] = sum(public.GroupHelped, cells...)
	}
	return out
}
