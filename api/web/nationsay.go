package web

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/bippop/bippop/node"
)

// estimating says estimates, quarters and sizes in one language.
type estimating struct{ *tongue }

// rounded puts an estimate into numbers as coarse as its interval is: more digits
// would promise what noise does not keep. Low goes down and High up.
func (w estimating) rounded(e node.Estimate) (out node.Estimate, step int64) {
	step = 1
	for e.High-e.Low >= 20*step {
		step *= 10
	}
	if e.High-e.Low >= 8*step && step > 1 { // fives between the tens
		step = max(1, step/2)
	}
	return node.Estimate{Open: e.Open, N: (e.N + step/2) / step * step, Low: e.Low / step * step, High: (e.High + step - 1) / step * step}, step
}

// between says an estimate: "entre 8 100 et 8 400", or the number where it is exact.
func (w estimating) between(e node.Estimate) string {
	if e.Exact() {
		return grouped(uint64(e.N))
	}
	at, _ := w.rounded(e)
	switch {
	case at.Low <= 0 && e.Open: // there is no most
		return w.t("nation.not_sure", "High", grouped(uint64(at.High)))
	case at.Low <= 0:
		return w.t("nation.at_most", "High", grouped(uint64(at.High)))
	}
	text := w.t("nation.between", "Low", grouped(uint64(at.Low)), "High", grouped(uint64(at.High)))
	if e.Open {
		text = w.t("nation.or_more", "Text", text)
	}
	return text
}

// about says an estimate within a sentence, where its interval stands elsewhere.
func (w estimating) about(e node.Estimate) string {
	at, step := w.rounded(e)
	if step == 1 {
		return grouped(uint64(at.N))
	}
	return w.t("nation.about", "N", at.N, "Text", grouped(uint64(at.N)))
}

// percent says a share: "62 %", or "entre 61 et 63 %".
func (w estimating) percent(p node.Share) string {
	low, high := p.Low/10, (p.High+9)/10
	if high-low <= 1 {
		return strconv.Itoa((p.N+5)/10) + "\u00a0%"
	}
	return w.t("nation.between_percent", "Low", low, "High", high)
}

// told says a cell of one territory.
func (w estimating) told(n node.Told) string {
	switch n.Span {
	case node.TooFew:
		return w.t("nation.fewer", "Least", node.Least)
	case node.OverYear:
		return w.t("nation.over_year", "Text", w.between(n.Estimate))
	}
	return w.between(n.Estimate)
}

func (w estimating) quarter(q node.Quarter) string {
	year, n := q.Year()
	return w.t("nation.quarter_of", "Nth", w.t("nation.nth"+strconv.Itoa(n)), "Year", year)
}

func (w estimating) shortQuarter(q node.Quarter) string {
	year, n := q.Year()
	return fmt.Sprintf("%s%d %02d", w.t("nation.q"), n, year%100)
}

// quarters says a span: the year, where it is one.
func (w estimating) quarters(from, to node.Quarter) string {
	y1, n1 := from.Year()
	y2, n2 := to.Year()
	if y1 == y2 && n1 == 1 && n2 == 4 {
		return strconv.Itoa(y1)
	}
	if from == to {
		return w.quarter(from)
	}
	return w.t("nation.from_to", "From", w.quarter(from), "To", w.quarter(to))
}

// inhabitants writes a number of inhabitants as coarse as anybody says it.
func (w estimating) inhabitants(n int) string {
	switch {
	case n >= 10_000:
		n = (n + 500) / 1000 * 1000
	case n >= 1000:
		n = (n + 50) / 100 * 100
	}
	return grouped(uint64(max(0, n)))
}

// perThousand writes actions of a quarter by a thousand inhabitants, to a tenth, where
// they are surely more than none.
func (w estimating) perThousand(n node.Told, inhabitants int) string {
	if at, _ := w.rounded(n.Estimate); n.Span == node.TooFew || at.Low <= 0 || inhabitants == 0 {
		return ""
	}
	tenths := n.N * 10_000 / int64(inhabitants)
	if n.Span == node.OverYear {
		tenths /= 4
	}
	return strings.Replace(fmt.Sprintf("%d.%d", tenths/10, tenths%10), ".", w.t("say.decimal"), 1)
}
