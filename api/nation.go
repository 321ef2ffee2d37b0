package api

import (
	"context"
	"time"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node"
	"github.com/danielgtaylor/huma/v2"
)

// nationRoutes are the operations of this file: what all territories have released,
// on the coordinator's node.
type nationRoutes struct{ *server }

var reportings = named("in-time late silent never", node.ReportsInTime, node.ReportsLate, node.ReportsSilent, node.ReportsNever)

type reportingWord string

func (reportingWord) Schema(huma.Registry) *huma.Schema { return reportings.schema() }

// estimate is a number in which there is noise.
type estimate struct {
	Indicator string `json:"indicator"`
	Unit      string `json:"unit" doc:"Whose contribution is bounded: institution, person, volunteer"`
	Value     int64  `json:"value"`
	Low       int64  `json:"low" doc:"The true number is between low and high in 95 cases of 100"`
	High      int64  `json:"high"`
	Open      bool   `json:"may_exceed_high" doc:"What a bound has cut off is not known"`
}

func estimatesOut(s node.Sums) (out []estimate) {
	s.Each(func(indicator, unit string, e node.Estimate) {
		out = append(out, estimate{indicator, unit, e.N, e.Low, e.High, e.Open})
	})
	return out
}

// share is a part of a whole, in thousandths.
type share struct {
	Of   string `json:"of"`
	N    int    `json:"thousandths"`
	Low  int    `json:"low"`
	High int    `json:"high"`
}

func sharesOut(s node.Shares) []share {
	out := []share{}
	for _, one := range []struct {
		of string
		node.Share
	}{{"mobility", s.MobilityShare}, {"covered", s.CoveredShare}, {"found-in-a-day", s.FoundInDayShare}, {"found-in-two-days", s.FoundInTwoDayShare}, {"found-in-a-week", s.FoundInWeekShare}} {
		if one.Known {
			out = append(out, share{one.of, one.N, one.Low, one.High})
		}
	}
	return out
}

type nationQuarter struct {
	Quarter     string     `json:"quarter" example:"2026-T3"`
	Territories int        `json:"territories"`
	Simulated   int        `json:"territories_simulated"`
	Numbers     []estimate `json:"numbers"`
}

type nationTotals struct {
	From        string          `json:"from" example:"2025-T4"`
	To          string          `json:"to"`
	Territories int             `json:"territories" doc:"That have released something, simulated ones included"`
	Simulated   int             `json:"territories_simulated"`
	Expected    int             `json:"territories_expected"`
	Releases    int             `json:"releases"`
	Population  int             `json:"population"`
	Numbers     []estimate      `json:"numbers"`
	Shares      []share         `json:"shares"`
	Trend       []nationQuarter `json:"trend"`
}

type nationInput struct {
	Reading
	Year int  `query:"year" minimum:"2020" maximum:"2099" doc:"None: the newest four quarters that are due"`
	Real bool `query:"real" doc:"Without simulated territories"`
}

func (s nationRoutes) totals(ctx context.Context, in *nationInput) (*answer[nationTotals], error) {
	t, err := s.node.Nation.Look(caller(ctx), node.NationLook{Year: in.Year, RealOnly: in.Real})
	if err != nil {
		return nil, err
	}
	out := nationTotals{
		t.From.String(), t.To.String(), t.Territories, t.Simulated, t.Expected, t.Releases, t.Population, estimatesOut(t.Sums), sharesOut(t.Sums.Shares), []nationQuarter{},
	}
	for _, q := range t.Trend {
		out.Trend = append(out.Trend, nationQuarter{q.Quarter.String(), q.Territories, q.Simulated, estimatesOut(q.Sums)})
	}
	return &answer[nationTotals]{out}, nil
}

// NationTerritory is one on the coordinator's list. Its name is exported because only
// so an answer that holds all of it is described whole.
type NationTerritory struct {
	Siren       string        `json:"siren"`
	Name        string        `json:"name"`
	Departement string        `json:"departement"`
	Population  int           `json:"population"`
	Communes    int           `json:"communes"`
	Simulated   bool          `json:"simulated"`
	Reporting   reportingWord `json:"reporting"`
	Releases    int           `json:"releases"`
	First       string        `json:"first,omitempty" doc:"Quarter released"`
	Last        string        `json:"last,omitempty"`
	Said        string        `json:"said,omitempty" doc:"Day of its newest entry"`
	Arrived     time.Time     `json:"arrived_at,omitzero"`
}

func nationTerritoryOut(t node.NationTerritory) NationTerritory {
	out := NationTerritory{
		Siren: t.Siren.String(), Name: t.Name, Departement: t.Departement, Population: t.Population, Communes: t.Communes, Simulated: t.Simulated,
		Reporting: reportingWord(reportings.of(t.Reporting)), Releases: t.Releases, Arrived: moment(t.Arrived),
	}
	if t.Reporting != node.ReportsNever {
		out.First, out.Last = t.First.String(), t.Last.String()
	}
	if t.Said > 0 {
		out.Said = node.DayOf(t.Said.Time()).String()
	}
	return out
}

type nationCoverage struct {
	Due   string            `json:"due" doc:"The newest quarter whose release is expected by now"`
	Until string            `json:"until" format:"date" doc:"By when it was"`
	Items []NationTerritory `json:"items" doc:"By département and name"`
}

type realInput struct {
	Reading
	Real bool `query:"real" doc:"Without simulated territories"`
}

func (s nationRoutes) coverage(ctx context.Context, in *realInput) (*answer[nationCoverage], error) {
	all, err := s.node.Nation.Territories(caller(ctx), in.Real)
	if err != nil {
		return nil, err
	}
	due, until := s.node.Nation.Due()
	return &answer[nationCoverage]{nationCoverage{due.String(), until.Format(time.DateOnly), page(all, "", nationTerritoryOut).Body.Items}}, nil
}

// nationTold is a cell of one territory: never below eleven.
type nationTold struct {
	Over string `json:"over" enum:"quarter,year,too-few"`
	N    int64  `json:"value,omitempty"`
	Low  int64  `json:"low,omitempty"`
	High int64  `json:"high,omitempty"`
}

func toldOut(t node.Told) nationTold {
	switch t.Span {
	case node.OverQuarter:
		return nationTold{"quarter", t.N, t.Low, t.High}
	case node.OverYear:
		return nationTold{"year", t.N, t.Low, t.High}
	}
	return nationTold{Over: "too-few"}
}

type nationDetail struct {
	NationTerritory
	From     string     `json:"from,omitempty"`
	To       string     `json:"to,omitempty"`
	Actions  nationTold `json:"actions"`
	Helped   nationTold `json:"helped"`
	Helpers  nationTold `json:"volunteers"`
	Hours    nationTold `json:"hours"`
	Requests nationTold `json:"requests"`
	Like     int        `json:"of_its_size" doc:"Territories that have released"`
}

type nationOneInput struct {
	Reading
	Siren string `path:"siren" pattern:"^[0-9]{9}$"`
}

func (s nationRoutes) territory(ctx context.Context, in *nationOneInput) (*answer[nationDetail], error) {
	siren, err := public.ParseSiren(in.Siren)
	if err != nil {
		return nil, malformed("path.siren", "expected a SIREN: nine digits, the last of which checks the others")
	}
	d, err := s.node.Nation.Detail(caller(ctx), siren)
	if err != nil {
		return nil, err
	}
	out := nationDetail{NationTerritory: nationTerritoryOut(d.NationTerritory), Actions: toldOut(d.Actions), Helped: toldOut(d.Helped), Helpers: toldOut(d.Helpers), Hours: toldOut(d.Hours), Requests: toldOut(d.Requests), Like: d.Like}
	if d.Reporting != node.ReportsNever {
		out.From, out.To = d.From.String(), d.To.String()
	}
	return &answer[nationDetail]{out}, nil
}

// nationRecord is one number of the open data; deploy/nation.md describes it.
type nationRecord struct {
	Siren       string `json:"siren,omitempty" doc:"None: all territories"`
	Name        string `json:"name,omitempty"`
	Departement string `json:"departement,omitempty"`
	Simulated   bool   `json:"simulated"`
	From        string `json:"from"`
	To          string `json:"to"`
	Territories int    `json:"territories"`
	OfThem      int    `json:"territories_simulated"`
	Indicator   string `json:"indicator"`
	Unit        string `json:"unit"`
	Value       *int64 `json:"value" doc:"null: too few"`
	Low         *int64 `json:"low"`
	High        *int64 `json:"high"`
	TooFew      bool   `json:"too_few"`
}

type nationExport struct {
	Schema string         `json:"schema" example:"bippop/nation/1"`
	Items  []nationRecord `json:"items"`
}

func (s nationRoutes) export(ctx context.Context, in *realInput) (*answer[nationExport], error) {
	all, err := s.node.Nation.Export(caller(ctx), in.Real)
	if err != nil {
		return nil, err
	}
	return &answer[nationExport]{nationExport{node.NationSchema, page(all, "", func(r node.NationRecord) nationRecord {
		out := nationRecord{
			Siren: r.Siren, Name: r.Name, Departement: r.Departement, Simulated: r.Simulated, From: r.From.String(), To: r.To.String(),
			Territories: r.Territories, OfThem: r.OfThemSimulated, Indicator: r.Indicator, Unit: r.Unit, TooFew: r.TooFew,
		}
		if !r.TooFew {
			out.Value, out.Low, out.High = &r.Value.N, &r.Value.Low, &r.Value.High
		}
		return out
	}).Body.Items}}, nil
}
