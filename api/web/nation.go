package web

import (
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// nation is the coordinator's pages: the finding first, then the numbers with what
// the noise in them leaves open, then the picture and the same numbers as a table.
type nation struct{ *Site }

// nationData is the front page, and the printed report.
type nationData struct {
	nationChoice
	Sheet     node.NationSheet
	Finding   string
	Who       string // "42 territoires, dont 40 simulés"
	Span      string
	Also      []string
	Heads     []head
	Unsaid    string // the heads that can not be told from none
	Parts     []nationPart
	Map       template.HTML
	Places    []nationPlace
	Coverage  coverage
	Compare   comparison
	Printed   string // the day
	Federated bool   // somebody has released something
}

// nationChoice is which quarters and territories somebody looks at, and what else
// there is to choose.
type nationChoice struct {
	Years    []choice
	Year     string
	RealOnly bool
	Query    template.URL // of the present choice
	Other    template.URL // with or without simulated territories
}

// nationPart is one breakdown: a picture, and the same numbers with their intervals.
type nationPart struct {
	Name, Title, Which string
	Amount             string // what the last column holds
	Note               string // below the title
	Chart              template.HTML
	Rows               [][3]string // what, number, interval in words
	Territories        []string    // beside Rows: how many, where that differs
}

// nationPlace is a territory in the table beside the map.
type nationPlace struct {
	node.NationTerritory
	Place string // its département
}

func (s nation) page(c *gin.Context) {
	d, err := s.read(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	s.render(c, http.StatusOK, "nation", page{Title: s.words(c).t("nation.title"), Here: "nation", Data: d})
}

// report is everything on paper.
func (s nation) report(c *gin.Context) {
	d, err := s.read(c)
	if err == nil {
		d.Coverage, err = s.covered(c)
	}
	if err == nil {
		d.Compare, err = s.compared(c)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	s.render(c, http.StatusOK, "nation_report", page{Title: s.words(c).t("nation.report_title"), Here: "nation-report", Data: d})
}

// read looks at what the address asks for; one that makes no sense asks for the
// newest four quarters.
func (s nation) read(c *gin.Context) (d nationData, err error) {
	w := estimating{s.words(c)}
	look := node.NationLook{RealOnly: c.Query("real") == "1"}
	if y, err := strconv.Atoi(c.Query("year")); err == nil && y >= 2020 && y <= s.node.Now().Year() {
		look.Year, d.Year = y, strconv.Itoa(y)
	}
	if d.Sheet, err = s.node.Nation.Look(caller(c), look); err != nil {
		return d, err
	}
	all, err := s.node.Nation.Territories(caller(c), look.RealOnly)
	if err != nil {
		return d, err
	}
	v := countrywide{w, d.Sheet}
	d.RealOnly, d.Federated = look.RealOnly, d.Sheet.Territories > 0
	d.Years = []choice{{"", w.t("nation.newest")}}
	for _, y := range d.Sheet.Years {
		d.Years = append(d.Years, choice{strconv.Itoa(y), strconv.Itoa(y)})
	}
	d.Query, d.Other = query(d.Year, look.RealOnly), query(d.Year, !look.RealOnly)
	d.Span, d.Who = w.quarters(d.Sheet.From, d.Sheet.To), v.who()
	found := v.findings()
	d.Finding, d.Also = found[0], found[1:]
	if d.Federated {
		d.Heads, d.Unsaid = v.heads()
		d.Parts = v.parts()
	}
	d.Map = s.drawMap(w.tongue, all)
	for _, t := range all {
		d.Places = append(d.Places, nationPlace{t, node.DepartementName(t.Departement)})
	}
	d.Printed = w.fullDate(w.today())
	return d, nil
}

func query(year string, realOnly bool) template.URL {
	q := "year=" + year
	if realOnly {
		q += "&real=1"
	}
	return template.URL(q)
}

// countrywide says the nation's sheet in one language.
type countrywide struct {
	estimating
	node.NationSheet
}

// who contributes: never without saying which of them do not exist.
func (v countrywide) who() string {
	text := v.t("nation.territories", "N", v.Territories)
	if v.Simulated > 0 {
		text += v.t("nation.of_them_simulated", "N", v.Simulated)
	}
	return text
}

// findings are what the numbers say in a sentence, the most telling first. There is
// always one.
func (v countrywide) findings() (out []string) {
	a := v.Sums.Actions
	if v.Territories == 0 || a.Low < node.Least {
		return []string{v.t("nation.too_few")}
	}
	at, _ := v.rounded(a)
	out = append(out, v.t("nation.finding", "Low", grouped(uint64(at.Low))))
	if m := v.Sums.MobilityShare; m.Known {
		out = append(out, v.t("nation.mobility_says", "Share", v.percent(m)))
	}
	if m := v.Sums.CoveredShare; m.Known {
		out = append(out, v.t("nation.covered_says", "Share", v.percent(m)))
	}
	return out
}

// heads are the main numbers. What may as well be none has no number yet: those are
// named in one sentence.
func (v countrywide) heads() (out []head, unsaid string) {
	s := v.Sums
	var few []string
	for _, h := range []struct {
		key string
		e   node.Estimate
	}{{"actions", s.Actions}, {"helped", s.Helped}, {"helpers", s.Helpers}, {"hours", s.Hours}, {"requests", s.Requests}, {"found", s.Found}, {"enrolled", s.Enrolled}, {"joined", s.Joined}, {"paired", s.Paired}, {"bonds", s.Bonds}} {
		if at, _ := v.rounded(h.e); at.Low <= 0 {
			few = append(few, v.t("nation."+h.key))
			continue
		}
		out = append(out, head{upper(v.between(h.e)), v.t("nation." + h.key)})
	}
	for _, h := range []struct {
		key string
		p   node.Share
	}{{"mobility", s.MobilityShare}, {"covered", s.CoveredShare}} {
		if h.p.Known {
			out = append(out, head{upper(v.percent(h.p)), v.t("nation." + h.key)})
		}
	}
	if len(few) > 0 {
		unsaid = v.t("nation.unsaid", "What", strings.Join(few, " · "))
	}
	return out, unsaid
}

// parts are the breakdowns, each with its picture.
func (v countrywide) parts() (out []nationPart) {
	s := v.Sums
	trend := nationPart{Name: "trend", Title: v.t("nation.by_quarter"), Which: v.t("nation.quarter"), Amount: v.t("nation.col_interval")}
	var columns []mark
	shown := v.Trend[max(0, len(v.Trend)-6):]
	for _, q := range shown {
		at, _ := v.rounded(q.Sums.Actions)
		columns = append(columns, mark{v.shortQuarter(q.Quarter), grouped(uint64(at.N)), uint64(at.N), false})
		trend.Rows = append(trend.Rows, [3]string{v.quarter(q.Quarter), grouped(uint64(at.N)), v.between(q.Sums.Actions)})
		count := v.t("nation.territories", "N", q.Territories)
		if q.Simulated > 0 {
			count += v.t("nation.of_them_simulated", "N", q.Simulated)
		}
		trend.Territories = append(trend.Territories, count)
	}
	trend.Chart = chartColumns("trend", trend.Title, v.described(trend.Rows), columns)
	out = append(out, trend)
	types := v.part("types", nil)
	types.Amount, types.Note = v.t("nation.col_share"), v.t("nation.types_note")
	for k := public.Visit; k <= public.Other; k++ {
		types = v.share(types, upper(v.t("figures.kind"+strconv.Itoa(int(k)))), s.TypeShares[k])
	}
	sexes := v.part("sexes", nil)
	for x := public.SexUnknown; x <= public.Man; x++ {
		sexes = v.row(sexes, upper(v.t("figures.sex"+strconv.Itoa(int(x)))), s.BySex[x])
	}
	ages := v.part("ages", nil)
	for a := public.AgeUnknown; a <= public.From90; a++ {
		ages = v.row(ages, upper(v.t("figures.age"+strconv.Itoa(int(a)))), s.ByAge[a])
	}
	fates := v.part("fates", nil)
	for f := public.FateDay; f < len(s.Fates); f++ {
		fates = v.row(fates, upper(v.t("nation.fate"+strconv.Itoa(f))), s.Fates[f])
	}
	for _, p := range []nationPartDraft{types, sexes, ages, fates} {
		p.Chart = chartBars(p.Name, p.Title, v.described(p.Rows), p.marks)
		out = append(out, p.nationPart)
	}
	return out
}

// nationPartDraft is a part whose picture is not drawn yet.
type nationPartDraft struct {
	nationPart
	marks []mark
}

func (v countrywide) part(name string, marks []mark) nationPartDraft {
	return nationPartDraft{nationPart{Name: name, Title: v.t("nation.by_" + name), Which: v.t("figures.which"), Amount: v.t("nation.col_interval")}, marks}
}

// row adds an estimate to a part. What may as well be none has no bar.
func (v countrywide) row(p nationPartDraft, label string, e node.Estimate) nationPartDraft {
	at, _ := v.rounded(e)
	value := grouped(uint64(at.N))
	p.marks = append(p.marks, mark{label, value, uint64(at.N), false})
	p.Rows = append(p.Rows, [3]string{label, value, v.between(e)})
	return p
}

// share adds a part of a whole to a part.
func (v countrywide) share(p nationPartDraft, label string, s node.Share) nationPartDraft {
	value, said := "", v.t("nation.unknown_share")
	if s.Known {
		value, said = strconv.Itoa((s.N+5)/10)+"\u00a0%", v.percent(s)
	}
	p.marks = append(p.marks, mark{label, value, uint64(s.N), !s.Known})
	p.Rows = append(p.Rows, [3]string{label, value, said})
	return p
}

// described says a chart in words.
func (v countrywide) described(rows [][3]string) string {
	var out []string
	for _, r := range rows {
		out = append(out, r[0]+" : "+r[2])
	}
	return strings.Join(out, " ; ")
}
