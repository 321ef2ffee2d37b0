package api

import (
	"context"
	"fmt"
	"strconv"

	"github.com/bippop/bippop/node"
	"github.com/danielgtaylor/huma/v2"
)

// figureRoutes are the operations of this file.
type figureRoutes struct{ *server }

// count is a number, or null when it is hidden from the caller: from 1 to 10, or
// what would let such a one be worked out.
type count node.Number

func (count) Schema(huma.Registry) *huma.Schema {
	zero := 0.0
	return &huma.Schema{Type: huma.TypeInteger, Format: "int64", Minimum: &zero, Nullable: true, Description: "null: hidden from the caller, because it is from 1 to 10 or would let such a number be worked out"}
}

func (n count) MarshalJSON() ([]byte, error) {
	if n.Mark != node.Shown {
		return []byte("null"), nil
	}
	return strconv.AppendUint(nil, n.N, 10), nil
}

// counts are numbers by indicator; metres and minutes are sums, and each of the
// found-in holds the ones before it.
type counts map[string]count

// figures are the counters of a span of months.
type figures struct {
	From       string            `json:"from" example:"2026-01"`
	To         string            `json:"to" example:"2026-12"`
	Hidden     bool              `json:"hidden" doc:"Some numbers may be null: the caller sees no small ones. Then the span and the communes may be others than asked for, wide enough to show something"`
	Communes   []string          `json:"communes" doc:"Whose figures these are, by INSEE code; none: the whole territory's"`
	Total      counts            `json:"total"`
	Mobility   count             `json:"mobility" doc:"Actions done that moved somebody or something along the road: walk, shopping, ride, delivery, outing"`
	ByCategory map[string]counts `json:"by_category"`
	ByCommune  map[string]counts `json:"by_commune" doc:"By INSEE code"`
	ByArea     []area            `json:"by_area,omitempty" doc:"Where small numbers are hidden: communes that lie together, fixed by inhabitants"`
	BySex      map[string]counts `json:"by_sex"`
	ByAge      map[string]counts `json:"by_age"`
	ByMonth    map[string]counts `json:"by_month"`
}

type area struct {
	Communes []string `json:"communes"`
	Total    counts   `json:"total"`
}

type figuresInput struct {
	Reading
	From    string `query:"from" required:"true" pattern:"^20[2-9][0-9]-(0[1-9]|1[0-2])$" example:"2026-01" doc:"For officials, a January"`
	To      string `query:"to" required:"true" pattern:"^20[2-9][0-9]-(0[1-9]|1[0-2])$" example:"2026-12" doc:"Included; for officials, the December of the same year"`
	Commune string `query:"commune" pattern:"^[0-9][0-9AB][0-9]{3}$" example:"33170" doc:"INSEE code; without it, the whole territory"`
}

func (s figureRoutes) figures(ctx context.Context, in *figuresInput) (*answer[figures], error) {
	t, err := s.node.Figures.Look(caller(ctx), node.Look{From: monthIn(in.From), To: monthIn(in.To), Commune: in.Commune})
	if err != nil {
		return nil, err
	}
	out := figures{From: monthOut(t.From), To: monthOut(t.To), Hidden: !t.Exact, Communes: append([]string{}, t.Communes...), Mobility: count(t.Mobility())}
	out.Total = countsOf(t.Total, t.Exact)
	out.ByCategory = tally(t.ByKind, func(c node.Category) string { return categories.of(c) })
	out.ByCommune = tally(t.ByCommune, func(code string) string { return code })
	out.BySex = tally(t.BySex, sexes.of)
	out.ByAge = tally(t.ByAge, ageBands.of)
	out.ByMonth = tally(t.ByMonth, monthOut)
	for _, a := range t.ByArea {
		out.ByArea = append(out.ByArea, area{a.Communes, countsOf(a.Row, t.Exact)})
	}
	return &answer[figures]{out}, nil
}

// countsOf writes every indicator that we have a word for. Where a sheet is exact,
// one that it does not name is none.
func countsOf(row node.Row, exact bool) counts {
	out := counts{}
	for i, word := range indicators.words {
		n, ok := row[indicators.values[i]]
		if !ok && exact {
			n.Mark = node.Shown
		}
		out[word] = count(n)
	}
	return out
}

// tally writes the rows that have a word; what belongs to no category is in the
// total. An exact row names what there is.
func tally[K comparable](rows map[K]node.Row, word func(K) string) map[string]counts {
	out := map[string]counts{}
	for k, row := range rows {
		name := word(k)
		if name == "" {
			continue
		}
		out[name] = counts{}
		for i, n := range row {
			if in := indicators.of(i); in != "" {
				out[name][in] = count(n)
			}
		}
	}
	return out
}

// monthIn reads "2026-01", whose form the schema has checked.
func monthIn(text string) node.Month {
	year, _ := strconv.Atoi(text[:4])
	month, _ := strconv.Atoi(text[5:])
	return node.MonthOf(year, month)
}

func monthOut(m node.Month) string { return fmt.Sprintf("%04d-%02d", m.Year(), int(m)%12+1) }
