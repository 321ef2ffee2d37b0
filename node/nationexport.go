package node

import (
	"github.com/bippop/bippop/federation/public"
)

// NationSchema names the form of what is exported; deploy/nation.md describes it.
const NationSchema = "bippop/nation/1"

// NationRecord is one number of the open data: of all territories in one quarter, or
// of one territory over a quarter or a year.
type NationRecord struct {
	Siren, Name, Departement string // of a territory; empty: all of them
	Simulated                bool   // of a territory
	From, To                 Quarter
	Territories              int // added up
	OfThemSimulated          int
	Indicator                string // stable: "actions", "helped-women", …
	Unit                     string // whose contribution is bounded: "institution", "person", "volunteer"
	Value                    Estimate
	TooFew                   bool // fewer than [Least]: there is no value
}

// indicators of the open data, in their order.
var indicators = func() (out []indicator) {
	add := func(name, unit string, of func(Sums) Estimate) { out = append(out, indicator{name, unit, of}) }
	add("actions", "person", func(s Sums) Estimate { return s.Actions })
	add("actions-mobility", "person", func(s Sums) Estimate { return s.Mobility })
	for c, name := range []string{public.Visit: "visit", public.Reading: "reading", public.Walk: "walk", public.Shopping: "shopping", public.Computer: "computer", public.Paperwork: "paperwork", public.Ride: "ride", public.Call: "call", public.Delivery: "delivery", public.Outing: "outing", public.Other: "other"} {
		if name != "" {
			add("actions-"+name, "person", func(s Sums) Estimate { return s.ByType[c] })
		}
	}
	add("helped", "person", func(s Sums) Estimate { return s.Helped })
	for x, name := range []string{"sex-unknown", "women", "men"} {
		add("helped-"+name, "person", func(s Sums) Estimate { return s.BySex[x] })
	}
	for a, name := range []string{"age-unknown", "under-60", "60-69", "70-74", "75-79", "80-84", "85-89", "90-and-over"} {
		add("helped-"+name, "person", func(s Sums) Estimate { return s.ByAge[a] })
	}
	for f, name := range []string{"requests", "found-in-a-day", "found-in-two-days", "found-in-a-week", "found-later", "unfilled", "cancelled", "not-done"} {
		add(name, "person", func(s Sums) Estimate { return s.Fates[f] })
	}
	add("paired-visits", "person", func(s Sums) Estimate { return s.Paired })
	add("enrolled", "person", func(s Sums) Estimate { return s.Enrolled })
	add("bonds", "person", func(s Sums) Estimate { return s.Bonds })
	add("volunteers", "volunteer", func(s Sums) Estimate { return s.Helpers })
	add("hours", "volunteer", func(s Sums) Estimate { return s.Hours })
	add("joined", "volunteer", func(s Sums) Estimate { return s.Joined })
	add("offered", "volunteer", func(s Sums) Estimate { return s.Offered })
	exact := func(n int64) Estimate { return Estimate{N: n, Low: n, High: n} }
	add("communes", "institution", func(s Sums) Estimate { return exact(s.Institution.Communes) })
	add("kinds", "institution", func(s Sums) Estimate { return exact(s.Institution.Kinds) })
	return out
}()

type indicator struct {
	name, unit string
	of         func(Sums) Estimate
}

// Export is everything that may be handed on: the nation quarter by quarter, then
// each territory over its newest quarter or, where that is small, its year.
func (s *Nation) Export(by Caller, realOnly bool) (out []NationRecord, err error) {
	sheet, err := s.Look(by, NationLook{RealOnly: realOnly})
	if err != nil {
		return nil, err
	}
	for _, q := range sheet.Trend {
		for _, i := range indicators {
			out = append(out, NationRecord{From: q.Quarter, To: q.Quarter, Territories: q.Territories, OfThemSimulated: q.Simulated, Indicator: i.name, Unit: i.unit, Value: i.of(q.Sums)})
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.each(!realOnly, func(r *reported) {
		last, any := r.newest()
		if !any {
			return
		}
		year, quarter, _ := s.ofOne(r, last-min(last, 3), last)
		for _, i := range indicators {
			rec := NationRecord{
				Siren: r.Siren.String(), Name: r.Name, Departement: r.Departement, Simulated: r.Simulated,
				From: last, To: last, Territories: 1, Indicator: i.name, Unit: i.unit, Value: i.of(quarter),
			}
			if r.Simulated {
				rec.OfThemSimulated = 1
			}
			if i.unit != "institution" {
				told := widenOver(i.of(quarter), i.of(year))
				rec.Value, rec.TooFew = told.Estimate, told.Span == TooFew
				if told.Span != OverQuarter {
					rec.From = last - min(last, 3)
				}
			}
			out = append(out, rec)
		}
	})
	return out, nil
}

// Each calls f with every indicator of the open data, in its order.
func (s Sums) Each(f func(indicator, unit string, e Estimate)) {
	for _, i := range indicators {
		f(i.name, i.unit, i.of(s))
	}
}
