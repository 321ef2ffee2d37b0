package web

import (
	"net/http"
	"strconv"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// coverage is who reports, and who is silent and since when.
type coverage struct {
	Due     string // the quarter that is expected by now
	Until   string // the day by which it was
	InTime  int
	Expects int
	Groups  []coverageGroup
	Real    bool // simulated ones are left out
}

// coverageGroup is the territories that keep to the calendar alike.
type coverageGroup struct {
	Reporting node.Reporting
	Mood      string // of its chip
	Rows      []coverageRow
}

type coverageRow struct {
	node.NationTerritory
	Place    string
	Last     string // the newest quarter
	Said     string // day of its newest entry
	Arrived  string // when that was known here
	Delay    string // between the two, in days
	Releases int
}

func (s nation) coveragePage(c *gin.Context) {
	d, err := s.covered(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	s.render(c, http.StatusOK, "nation_coverage", page{Title: s.words(c).t("nation.coverage_title"), Here: "nation-coverage", Data: d})
}

func (s nation) covered(c *gin.Context) (d coverage, err error) {
	w := estimating{s.words(c)}
	d.Real = c.Query("real") == "1"
	all, err := s.node.Nation.Territories(caller(c), d.Real)
	if err != nil {
		return d, err
	}
	due, until := s.node.Nation.Due()
	d.Due, d.Until, d.Expects = w.quarter(due), w.fullDate(node.DayOf(until)), len(all)
	for _, g := range []coverageGroup{{node.ReportsSilent, "urgent", nil}, {node.ReportsNever, "wait", nil}, {node.ReportsLate, "wait", nil}, {node.ReportsInTime, "ok", nil}} {
		for _, t := range all {
			if t.Reporting != g.Reporting {
				continue
			}
			row := coverageRow{NationTerritory: t, Place: node.DepartementName(t.Departement), Releases: t.Releases}
			if t.Reporting != node.ReportsNever {
				row.Last = w.quarter(t.Last)
			}
			if t.Said > 0 {
				row.Said = w.fullDate(node.DayOf(t.Said.Time()))
			}
			if !t.Arrived.IsZero() {
				row.Arrived = s.sinceText(w.tongue, t.Arrived)
				if days := int(public.DayOf(t.Arrived)) - int(t.Said); days > 0 {
					row.Delay = w.t("nation.delay", "N", days)
				}
			}
			g.Rows = append(g.Rows, row)
		}
		if g.Reporting == node.ReportsInTime {
			d.InTime = len(g.Rows)
		}
		if len(g.Rows) > 0 {
			d.Groups = append(d.Groups, g)
		}
	}
	return d, nil
}

// comparison is territories beside those of like size.
type comparison struct {
	Span    string
	Classes []comparisonClass
	Real    bool
}

type comparisonClass struct {
	Title string
	Rows  []comparisonRow
}

type comparisonRow struct {
	node.NationRow
	Place                        string
	Actions, By, Helped, Helpers string
	Covered, Mobility            string
	Long                         bool
}

func (s nation) comparePage(c *gin.Context) {
	d, err := s.compared(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	s.render(c, http.StatusOK, "nation_compare", page{Title: s.words(c).t("nation.compare_title"), Here: "nation-compare", Data: d})
}

func (s nation) compared(c *gin.Context) (d comparison, err error) {
	w := estimating{s.words(c)}
	d.Real = c.Query("real") == "1"
	from, to, classes, err := s.node.Nation.Compare(caller(c), d.Real)
	if err != nil {
		return d, err
	}
	d.Span = w.quarters(from, to)
	for _, class := range classes {
		out := comparisonClass{Title: w.t("nation.class_from_to", "From", grouped(uint64(class.From)), "To", grouped(uint64(class.To)))}
		switch {
		case class.From == 0:
			out.Title = w.t("nation.class_to", "To", grouped(uint64(class.To)))
		case class.To == 0:
			out.Title = w.t("nation.class_from", "From", grouped(uint64(class.From)))
		}
		for _, r := range class.Rows {
			row := comparisonRow{NationRow: r, Place: node.DepartementName(r.Departement), Actions: w.told(r.Actions), Helped: w.told(r.Helped), Helpers: w.told(r.Helpers), By: w.perThousand(r.Actions, r.Population)}
			if r.Covered.Known {
				row.Covered = w.percent(r.Covered)
			}
			if r.Mobility.Known {
				row.Mobility = w.percent(r.Mobility)
			}
			out.Rows = append(out.Rows, row)
		}
		d.Classes = append(d.Classes, out)
	}
	return d, nil
}

// territoryData is one territory's page.
type territoryData struct {
	node.NationDetail
	Place, Span, Newest string
	Heads               []head
	Parts               []nationPart
	Email, Phone        string
}

func (s nation) territory(c *gin.Context) {
	w := estimating{s.words(c)}
	siren, err := public.ParseSiren(c.Param("siren"))
	if err != nil {
		s.fail(c, &node.Error{Kind: node.NotFound, Code: "no-territory"})
		return
	}
	detail, err := s.node.Nation.Detail(caller(c), siren)
	if err != nil {
		s.fail(c, err)
		return
	}
	d := territoryData{NationDetail: detail, Place: node.DepartementName(detail.Departement), Email: detail.Contact.Email, Phone: detail.Contact.Phone}
	if detail.Reporting != node.ReportsNever {
		d.Span, d.Newest = w.quarters(detail.From, detail.To), w.quarter(detail.Newest)
		for _, h := range []struct {
			key string
			n   node.Told
		}{{"actions", detail.Actions}, {"helped", detail.Helped}, {"helpers", detail.Helpers}, {"hours", detail.Hours}, {"requests", detail.Requests}} {
			d.Heads = append(d.Heads, head{upper(w.told(h.n)), w.t("nation." + h.key)})
		}
		for _, h := range []struct {
			key string
			p   node.Share
		}{{"mobility", detail.Mobility}, {"covered", detail.Covered}} {
			if h.p.Known {
				d.Heads = append(d.Heads, head{w.percent(h.p), w.t("nation." + h.key)})
			}
		}
		d.Parts = parts(w, detail)
	}
	s.render(c, http.StatusOK, "nation_territory", page{Title: detail.Name, Here: "nation-compare", Data: d})
}

// parts of one territory: a cell that is too small for a quarter is told over a year. A
// quarter that may as well be none has no bar, and where none has one there is no
// picture.
func parts(w estimating, d node.NationDetail) (out []nationPart) {
	v := countrywide{estimating: w}
	trend := nationPart{Name: "trend", Title: w.t("nation.by_quarter"), Which: w.t("nation.quarter"), Amount: w.t("nation.col_interval")}
	var columns []mark
	bars := false
	for _, q := range d.Trend[max(0, len(d.Trend)-6):] {
		at, _ := w.rounded(q.Actions.Estimate)
		m := mark{w.shortQuarter(q.Quarter), grouped(uint64(at.N)), uint64(at.N), q.Actions.Span == node.TooFew || at.Low <= 0}
		switch {
		case q.Actions.Span == node.TooFew:
			m.Value = "< " + strconv.Itoa(node.Least)
		case m.Blank:
			m.Value = "?"
		}
		bars = bars || !m.Blank
		columns = append(columns, m)
		trend.Rows = append(trend.Rows, [3]string{w.quarter(q.Quarter), m.Value, w.told(q.Actions)})
	}
	if bars {
		trend.Chart = chartColumns("trend", trend.Title, v.described(trend.Rows), columns)
	}
	out = append(out, trend)
	table := func(name string, first, n int, label func(i int) string, cell func(i int) node.Told) {
		p := nationPart{Name: name, Title: w.t("nation.by_" + name), Which: w.t("figures.which"), Amount: w.t("nation.col_interval")}
		for i := first; i < n; i++ {
			told := cell(i)
			value := ""
			if told.Span != node.TooFew {
				at, _ := w.rounded(told.Estimate)
				value = grouped(uint64(at.N))
			}
			p.Rows = append(p.Rows, [3]string{upper(label(i)), value, w.told(told)})
		}
		out = append(out, p)
	}
	table("types", int(public.Visit), len(d.ByType), func(i int) string { return w.t("figures.kind" + strconv.Itoa(i)) }, func(i int) node.Told { return d.ByType[i] })
	table("sexes", 0, len(d.BySex), func(i int) string { return w.t("figures.sex" + strconv.Itoa(i)) }, func(i int) node.Told { return d.BySex[i] })
	table("ages", 0, len(d.ByAge), func(i int) string { return w.t("figures.age" + strconv.Itoa(i)) }, func(i int) node.Told { return d.ByAge[i] })
	return out
}
