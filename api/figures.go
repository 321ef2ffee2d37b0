package api

import (
	"context"
	"fmt"
	"strconv"

	"github.com/bippop/bippop/node"
)

// figureRoutes are the operations of this file.
type figureRoutes struct{ *server }

// counts are numbers by indicator; metres and minutes are sums.
type counts map[string]uint64

// figures are the counters of a span of months.
type figures struct {
	From       string            `json:"from" example:"2026-01"`
	To         string            `json:"to" example:"2026-12"`
	Total      counts            `json:"total"`
	ByCategory map[string]counts `json:"by_category"`
	ByCommune  map[string]counts `json:"by_commune" doc:"By INSEE code"`
	BySex      map[string]counts `json:"by_sex"`
	ByAge      map[string]counts `json:"by_age"`
	ByMonth    map[string]counts `json:"by_month"`
}

type figuresInput struct {
	Reading
	From string `query:"from" required:"true" pattern:"^20[2-9][0-9]-(0[1-9]|1[0-2])$" example:"2026-01"`
	To   string `query:"to" required:"true" pattern:"^20[2-9][0-9]-(0[1-9]|1[0-2])$" example:"2026-12" doc:"Included"`
}

func (s figureRoutes) figures(ctx context.Context, in *figuresInput) (*answer[figures], error) {
	t, err := s.node.Figures.Read(caller(ctx), monthIn(in.From), monthIn(in.To))
	if err != nil {
		return nil, err
	}
	out := figures{From: in.From, To: in.To, Total: counts{}}
	for i, word := range indicators.words {
		out.Total[word] = t.Total[indicators.values[i]]
	}
	out.ByCategory = tally(t.ByKind, func(c node.Category) string { return categories.of(c) })
	out.ByCommune = tally(t.ByCommune, func(code string) string { return code })
	out.BySex = tally(t.BySex, sexes.of)
	out.ByAge = tally(t.ByAge, ageBands.of)
	out.ByMonth = tally(t.ByMonth, monthOut)
	return &answer[figures]{out}, nil
}

// tally writes the rows that have a word; what belongs to no category is in the
// total.
func tally[K comparable](rows map[K]map[node.Indicator]uint64, word func(K) string) map[string]counts {
	out := map[string]counts{}
	for k, row := range rows {
		name := word(k)
		if name == "" {
			continue
		}
		out[name] = counts{}
		for i, n := range row {
			out[name][indicators.of(i)] = n
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
