package web

import (
	"cmp"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// figures is the page that goes to the council: the finding first, then the
// picture, then the same numbers as a table.
type figures struct{ *Site }

// figuresData is that page. Everything on it comes from one [node.Sheet], which
// holds nothing that the caller may not see.
type figuresData struct {
	Year     string // as chosen: a year, or "all"
	Years    []choice
	Commune  string
	Communes []choice
	Query    template.URL
	Of       string // "La Réole, 2026"
	Moved    string // why the page is of another year or place than asked for; or empty
	Finding  string
	Also     []string
	Heads    []head
	Parts    []part
	Exact    bool
}

type choice struct{ Value, Label string }

// head is one large number.
type head struct{ Value, Label string }

// part is one breakdown: its picture and its table.
type part struct {
	Name, Title string
	Chart       template.HTML
	Rows        [][3]string // what, requests, actions
	Long        bool        // the table is folded
	Asked       bool        // some of the requests are shown, too
	None        string      // why there is neither
}

func (s figures) page(c *gin.Context) {
	w := s.words(c)
	d := figuresData{Year: c.Query("year"), Commune: c.Query("commune")}
	sheet, err := s.read(c, &d)
	if err != nil {
		s.fail(c, err)
		return
	}
	d.Exact = sheet.Exact
	d.Query = template.URL("year=" + d.Year + "&commune=" + d.Commune)
	d.Years, d.Communes = s.choices(w, caller(c))
	v := reading{w, sheet}
	d.Of, d.Moved = v.place()+", "+v.span(), v.moved()
	found := v.findings()
	d.Finding, d.Also = found[0], found[1:]
	d.Heads, d.Parts = v.heads(), v.parts()
	s.render(c, http.StatusOK, "figures", page{Title: w.t("figures.title"), Here: "figures", Data: d})
}

// file is the page's numbers as a spreadsheet.
func (s figures) file(c *gin.Context) {
	w := s.words(c)
	d := figuresData{Year: c.Query("year"), Commune: c.Query("commune")}
	sheet, err := s.read(c, &d)
	if err != nil {
		s.fail(c, err)
		return
	}
	c.Header("Content-Disposition", `attachment; filename="`+w.t("figures.file")+"-"+strconv.Itoa(sheet.From.Year())+`.csv"`)
	c.Header("Content-Type", "text/csv; charset=utf-8")
	header, rows := reading{w, sheet}.table()
	if err := node.WriteTable(c.Writer, header, rows); err != nil {
		c.Abort() // who asked has gone away
	}
}

// allYears is the choice of everything that was ever counted, for staff.
const allYears = "all"

// read looks at what the address asks for. An address that makes no sense asks for
// the present year.
func (s figures) read(c *gin.Context, d *figuresData) (node.Sheet, error) {
	now := s.node.Now().Year()
	look := node.Look{Commune: d.Commune}
	switch y, err := strconv.Atoi(d.Year); {
	case d.Year == allYears && caller(c).Staff():
		look.From, look.To = node.MonthOf(max(2020, now-8), 1), node.MonthOf(now, 12)
	case err != nil || y < max(2020, now-8) || y > now:
		d.Year = strconv.Itoa(now)
		fallthrough
	default:
		y, _ = strconv.Atoi(d.Year)
		look.From, look.To = node.MonthOf(y, 1), node.MonthOf(y, 12)
	}
	return s.node.Figures.Look(caller(c), look)
}

func (s figures) choices(w *tongue, by node.Caller) (years, communes []choice) {
	now := s.node.Now().Year()
	for y := now; y > now-5; y-- {
		years = append(years, choice{strconv.Itoa(y), strconv.Itoa(y)})
	}
	if by.Staff() {
		years = append(years, choice{allYears, w.t("figures.all_years")})
	}
	t, err := s.node.Settings.Territory()
	if err != nil {
		return years, nil
	}
	for _, code := range t.Communes {
		communes = append(communes, choice{code, node.CommuneName(code)})
	}
	sort.Slice(communes, func(i, j int) bool { return folded(communes[i].Label) < folded(communes[j].Label) })
	return years, communes
}

// folded sorts É with E.
func folded(s string) string { return capitals.Replace(s) }

var capitals = strings.NewReplacer("É", "E", "È", "E", "Î", "I", "Ô", "O", "Â", "A")

// reading says a sheet of figures in one language.
type reading struct {
	*tongue
	node.Sheet
}

// number is a count in words: itself, or that it is small or not shown.
func (v reading) number(n node.Number) string {
	switch n.Mark {
	case node.Shown:
		return grouped(n.N)
	case node.Small:
		return v.t("figures.small", "Least", node.Least)
	}
	return v.t("figures.withheld")
}

// grouped puts a narrow space between thousands.
func grouped(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for at := len(s) - 3; at > 0; at -= 3 {
		s = s[:at] + "\u202f" + s[at:]
	}
	return s
}

// of is a row's number; what an exact row does not name is none.
func (v reading) of(r node.Row, i node.Indicator) node.Number {
	n, ok := r[i]
	if !ok && (v.Exact || r == nil) {
		n.Mark = node.Shown
	}
	return n
}

func (v reading) total(i node.Indicator) node.Number { return v.of(v.Total, i) }

func (v reading) span() string {
	if v.From.Year() != v.To.Year() {
		return v.t("figures.all_years")
	}
	return strconv.Itoa(v.From.Year())
}

// place names whose figures these are.
func (v reading) place() string {
	switch len(v.Communes) {
	case 0:
		return v.t("figures.territory")
	case 1:
		return node.CommuneName(v.Communes[0])
	}
	first := v.Look.Commune
	if !slices.Contains(v.Communes, first) {
		first = v.Communes[0]
	}
	return v.t("figures.around", "Name", node.CommuneName(first), "Others", v.names(without(v.Communes, first)), "N", len(v.Communes)-1)
}

func without(list []string, s string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(have string) bool { return have == s })
}

// names writes communes as a list that is read aloud.
func (v reading) names(codes []string) string {
	var out []string
	for _, code := range codes {
		out = append(out, node.CommuneName(code))
	}
	if len(out) < 2 {
		return strings.Join(out, "")
	}
	last := len(out) - 1
	return strings.Join(out[:last], ", ") + " " + v.t("figures.and") + " " + out[last]
}

// moved says why the page is of another year or place than asked for.
func (v reading) moved() string {
	if !v.Moved() {
		return ""
	}
	why := "figures.moved_withheld"
	switch {
	case v.Asked.Mark == node.Small:
		why = "figures.moved_small"
	case v.Asked.Mark == node.Shown && v.Asked.N == 0:
		why = "figures.moved_none"
	}
	where := v.t("figures.whole")
	if v.Look.Commune != "" {
		where = v.t("figures.at", "Name", node.CommuneName(v.Look.Commune))
	}
	shown := v.place()
	if v.From != v.Look.From {
		shown += ", " + v.span()
	}
	return v.t(why, "Where", where, "Year", v.Look.From.Year(), "Least", node.Least, "Shown", lowerFirst(shown, v.Communes == nil))
}

// lowerFirst begins a word of ours small within a sentence; a commune keeps its
// capital.
func lowerFirst(s string, ours bool) string {
	if ours {
		return lower(s)
	}
	return s
}

// findings are what the numbers say in a sentence, the most telling first. There
// is always one.
func (v reading) findings() (out []string) {
	done, requested := v.total(node.CountDone), v.total(node.CountRequested)
	if !done.Is(node.Least) {
		return []string{v.t("figures.too_few")}
	}
	women, men := v.of(v.BySex[public.Woman], node.CountRequested), v.of(v.BySex[public.Man], node.CountRequested)
	if women.Is(node.Least) && men.Is(node.Least) {
		if n := times(women.N, men.N); n >= 2 {
			out = append(out, v.t("figures.men_ask_less", "Times", v.times(n)))
		} else if n := times(men.N, women.N); n >= 2 {
			out = append(out, v.t("figures.women_ask_less", "Times", v.times(n)))
		}
	}
	if found := v.total(node.CountFound); found.Is(node.Least) {
		for _, limit := range []struct {
			node.Indicator
			key string
		}{{node.CountFoundInDay, "day"}, {node.CountFoundInTwoDays, "two_days"}, {node.CountFoundInWeek, "week"}} {
			// Found counts also what has no known time: the sentence is then true all the more.
			if n := v.total(limit.Indicator); n.Mark == node.Shown && n.N*2 >= found.N {
				out = append(out, v.t("figures.half_in_"+limit.key))
				break
			}
		}
	}
	if m := v.Mobility(); m.Mark == node.Shown && m.N*2 > done.N {
		out = append(out, v.t("figures.mostly_mobility", "Tenths", m.N*10/done.N))
	}
	if requested.Is(node.Least) {
		return append(out, v.t("figures.done_of", "Done", grouped(done.N), "Requested", grouped(requested.N)))
	}
	return append(out, v.t("figures.done_alone", "Done", grouped(done.N)))
}

// times is how often b goes into a, rounded.
func times(a, b uint64) uint64 { return (a + b/2) / b }

// times says so: "quatre fois".
func (v reading) times(n uint64) string {
	if n > 10 {
		return v.t("figures.times", "Count", n)
	}
	return v.t("figures.times" + strconv.FormatUint(n, 10))
}

// heads are the large numbers. What is none is told of the main ones only.
func (v reading) heads() (out []head) {
	for _, i := range []struct {
		node.Indicator
		key  string
		main bool
	}{
		{node.CountRequested, "requested", true}, {node.CountFound, "found", true}, {node.CountTold, "told", true}, {node.CountDone, "done", true},
		{node.CountEnrolled, "enrolled", false}, {node.CountJoined, "joined", false}, {node.CountUnfilled, "unfilled", false},
	} {
		if n := v.total(i.Indicator); i.main || n.Mark == node.Small || n.Is(1) {
			out = append(out, head{v.number(n), v.t("figures." + i.key)})
		}
	}
	if m, done := v.Mobility(), v.total(node.CountDone); m.Mark == node.Shown && done.Is(node.Least) {
		out = append(out, head{fmt.Sprintf("%d\u00a0%%", (m.N*100+done.N/2)/done.N), v.t("figures.mobility")})
	}
	if n := v.total(node.CountMinutes); n.Is(60) {
		out = append(out, head{grouped(n.N/60) + "\u00a0h", v.t("figures.hours")})
	}
	if n := v.total(node.CountMetres); n.Is(1000) {
		out = append(out, head{grouped(n.N/1000) + "\u00a0km", v.t("figures.km")})
	}
	return out
}

// counted is a row of figures with its label.
type counted struct {
	Label, Short string
	node.Row
}

// manyRows is from where on a table is folded.
const manyRows = 12

func (v reading) parts() (out []part) {
	out = append(out, v.part("months", v.months(), chartColumns), v.part("kinds", v.longest(v.kinds()), chartBars))
	if len(v.Communes) == 0 {
		out = append(out, v.part("places", v.longest(v.places()), chartBars))
	}
	return append(out, v.part("sexes", v.sexes(), chartBars), v.part("ages", v.ages(), chartBars))
}

// part draws and lists one breakdown of the actions done.
func (v reading) part(name string, lines []counted, draw func(name, title, description string, marks []mark) template.HTML) part {
	p := part{Name: name, Title: v.t("figures.by_" + name), Long: len(lines) > manyRows}
	var marks []mark
	told := false
	for _, l := range lines {
		n := v.of(l.Row, node.CountDone)
		m := mark{l.Short, v.number(n), n.N, n.Mark != node.Shown}
		if name == "months" && m.Blank {
			m.Value = "" // beside the others there is no room for words: the table has them
		}
		marks, told = append(marks, m), told || n.Is(1) || n.Mark == node.Small
		asked := v.of(l.Row, node.CountRequested)
		p.Asked = p.Asked || asked.Mark != node.Withheld
		p.Rows = append(p.Rows, [3]string{l.Label, v.number(asked), v.number(n)})
	}
	if !told {
		p.None, p.Rows = v.t("figures.none"), nil
		if !v.Exact && v.total(node.CountDone).Is(1) {
			p.None = v.t("figures.too_few_parts")
		}
		return p
	}
	p.Chart = draw(name, p.Title, v.describe(lines), marks)
	return p
}

// describe says a chart in words.
func (v reading) describe(lines []counted) string {
	var out []string
	for _, l := range lines {
		out = append(out, l.Label+" : "+v.number(v.of(l.Row, node.CountDone)))
	}
	return v.Of() + ". " + strings.Join(out, " ; ")
}

// Of is place and span.
func (v reading) Of() string { return v.place() + ", " + v.span() }

func (v reading) months() (out []counted) {
	if v.From.Year() != v.To.Year() { // years side by side
		for y := v.From.Year(); y <= v.To.Year(); y++ {
			sum := node.Row{}
			for m := node.MonthOf(y, 1); m <= node.MonthOf(y, 12); m++ {
				for i, n := range v.ByMonth[m] {
					sum[i] = node.Number{N: sum[i].N + n.N, Mark: node.Shown}
				}
			}
			if len(sum) > 0 || len(out) > 0 {
				out = append(out, counted{strconv.Itoa(y), strconv.Itoa(y), sum})
			}
		}
		return out
	}
	now := v.now()
	for m := v.From; m <= min(v.To, node.MonthOf(now.Year(), int(now.Month()))); m++ {
		name := v.t("figures.month" + strconv.Itoa(int(m-v.From)+1))
		out = append(out, counted{upper(name), upper(string([]rune(name)[:1])), v.ByMonth[m]})
	}
	return out
}

func (v reading) kinds() (out []counted) {
	for c := public.NoCategory; c <= public.Other; c++ {
		out = v.add(out, v.t("figures.kind"+strconv.Itoa(int(c))), v.ByKind[c])
	}
	return out
}

// places are communes, or areas where communes are too small.
func (v reading) places() (out []counted) {
	for code, r := range v.ByCommune {
		if v.Exact {
			out = v.add(out, node.CommuneName(code), r)
		}
	}
	for _, a := range v.ByArea {
		if before := len(out); len(v.add(out, "", a.Row)) > before {
			label, short := v.area(a.Communes)
			out = append(out, counted{label, short, a.Row})
		}
	}
	return out
}

// area is named by all its communes, and in a chart by the most populous one.
func (v reading) area(communes []string) (label, short string) {
	sorted := slices.Clone(communes)
	people := func(code string) int32 {
		c, _ := node.LookupCommune(code)
		return c.Population
	}
	sort.SliceStable(sorted, func(i, j int) bool { return people(sorted[j]) < people(sorted[i]) })
	short = node.CommuneName(sorted[0])
	if len(sorted) > 1 {
		short = v.t("figures.area", "Name", short, "N", len(sorted)-1)
	}
	return v.names(sorted), short
}

func (v reading) sexes() (out []counted) {
	for x := public.SexUnknown; x <= public.Man; x++ {
		out = v.add(out, v.t("figures.sex"+strconv.Itoa(int(x))), v.BySex[x])
	}
	return out
}

func (v reading) ages() (out []counted) {
	for a := public.AgeUnknown; a <= public.From90; a++ {
		out = v.add(out, v.t("figures.age"+strconv.Itoa(int(a))), v.ByAge[a])
	}
	return out
}

// add leaves out rows in which nobody asked and nothing was done.
func (v reading) add(out []counted, label string, r node.Row) []counted {
	asked, done := v.of(r, node.CountRequested), v.of(r, node.CountDone)
	if done.Mark == node.Shown && done.N == 0 && asked.Mark != node.Small && asked.N == 0 {
		return out
	}
	return append(out, counted{upper(label), upper(label), r})
}

// longest puts large numbers first, then what is hidden, by name.
func (v reading) longest(lines []counted) []counted {
	sort.Slice(lines, func(i, j int) bool {
		a, b := &lines[i], &lines[j]
		x, y := v.of(a.Row, node.CountDone), v.of(b.Row, node.CountDone)
		return cmp.Or(cmp.Compare(y.N, x.N), cmp.Compare(folded(a.Label), folded(b.Label))) < 0
	})
	return lines
}

// table is the whole sheet for a spreadsheet.
func (v reading) table() (header []string, rows [][]string) {
	columns := []node.Indicator{
		node.CountRequested, node.CountFound, node.CountFoundInDay, node.CountFoundInTwoDays, node.CountFoundInWeek, node.CountTold, node.CountDone,
		node.CountNotDone, node.CountCancelled, node.CountUnfilled, node.CountEnrolled, node.CountJoined,
	}
	header = []string{v.t("figures.csv_what"), v.t("figures.csv_which")}
	for _, i := range columns {
		header = append(header, v.t("figures.csv"+strconv.Itoa(int(i))))
	}
	put := func(what string, lines []counted) {
		for _, l := range lines {
			cells := []string{what, l.Label}
			for _, i := range columns {
				n := v.of(l.Row, i)
				cell := strconv.FormatUint(n.N, 10)
				if n.Mark != node.Shown {
					cell = v.number(n)
				}
				cells = append(cells, cell)
			}
			rows = append(rows, cells)
		}
	}
	put(v.t("figures.csv_total"), []counted{{v.Of(), "", v.Total}})
	put(v.t("figures.by_months"), v.months())
	put(v.t("figures.by_kinds"), v.longest(v.kinds()))
	put(v.t("figures.by_places"), v.longest(v.places()))
	put(v.t("figures.by_sexes"), v.sexes())
	put(v.t("figures.by_ages"), v.ages())
	return header, rows
}
