package web

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// figures is the plain page of counters.
type figures struct{ *Site }

// bar is one row of a table of figures with its drawing.
type bar struct {
	Label   string
	N       uint64
	Percent int // of the longest, 0 to 100
}

// figuresData is the plain page of counters: one sentence, then the picture, then
// the table with the same numbers.
type figuresData struct {
	Year      int
	Years     []int
	Requested uint64
	Found     uint64
	Told      uint64
	Done      uint64
	Hours     uint64
	Km        uint64
	Enrolled  uint64
	Joined    uint64
	Unfilled  uint64
	Sentence  string
	Kinds     []bar
	Communes  []bar
	Sexes     []bar
	Ages      []bar
	Months    []bar
}

func (s figures) page(c *gin.Context) {
	w, now := s.words(c), s.node.Now()
	d := figuresData{Year: now.Year()}
	if y, err := strconv.Atoi(c.Query("year")); err == nil && y >= now.Year()-8 && y <= now.Year() {
		d.Year = y
	}
	for y := now.Year(); y > now.Year()-4; y-- {
		d.Years = append(d.Years, y)
	}
	t, err := s.node.Figures.Read(caller(c), node.MonthOf(d.Year, 1), node.MonthOf(d.Year, 12))
	if err != nil {
		s.fail(c, err)
		return
	}
	d.Requested, d.Found, d.Told, d.Done = t.Total[node.CountRequested], t.Total[node.CountFound], t.Total[node.CountTold], t.Total[node.CountDone]
	d.Hours, d.Km = t.Total[node.CountMinutes]/60, t.Total[node.CountMetres]/1000
	d.Enrolled, d.Joined, d.Unfilled = t.Total[node.CountEnrolled], t.Total[node.CountJoined], t.Total[node.CountUnfilled]
	d.Sentence = finding(d)
	for cat, row := range t.ByKind {
		d.Kinds = append(d.Kinds, bar{Label: w.entry("category", cat), N: row[node.CountDone]})
	}
	for code, row := range t.ByCommune {
		d.Communes = append(d.Communes, bar{Label: node.CommuneName(code), N: row[node.CountDone]})
	}
	for sex, row := range t.BySex {
		d.Sexes = append(d.Sexes, bar{Label: upper(w.entry("sex", sex)), N: row[node.CountDone]})
	}
	for age, row := range t.ByAge {
		d.Ages = append(d.Ages, bar{Label: upper(w.entry("age_band", age)), N: row[node.CountDone]})
	}
	d.Kinds, d.Communes, d.Sexes, d.Ages = ranked(d.Kinds, 12), ranked(d.Communes, 15), ranked(d.Sexes, 3), ranked(d.Ages, 8)
	for m := 1; m <= 12; m++ {
		n := t.ByMonth[node.MonthOf(d.Year, m)][node.CountDone]
		begun := n > 0 || len(d.Months) > 0 // the months before the first action say nothing
		if begun && (d.Year < now.Year() || m <= int(now.Month())) {
			d.Months = append(d.Months, bar{Label: upper(w.month(time.Month(m))), N: n})
		}
	}
	scale(d.Months)
	s.render(c, http.StatusOK, "figures", page{Title: "Chiffres", Here: "figures", Data: d})
}

// finding is the sentence that comes first.
func finding(d figuresData) string {
	switch {
	case d.Requested == 0:
		return "Aucune demande n’a encore été notée cette année."
	case d.Done == 0:
		return fmt.Sprintf("%d demandes notées, aucune encore accomplie.", d.Requested)
	}
	return fmt.Sprintf("%d actions accomplies pour %d demandes : %d sur 10 aboutissent.", d.Done, d.Requested, min(10, (d.Done*10+d.Requested/2)/d.Requested))
}

// ranked drops empty rows and puts the longest first.
func ranked(bars []bar, most int) []bar {
	bars = slices.DeleteFunc(bars, func(b bar) bool { return b.N == 0 })
	slices.SortFunc(bars, func(a, b bar) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Label, b.Label)) })
	bars = bars[:min(most, len(bars))]
	scale(bars)
	return bars
}

func scale(bars []bar) {
	var longest uint64
	for _, b := range bars {
		longest = max(longest, b.N)
	}
	for i := range bars {
		if longest > 0 {
			bars[i].Percent = int(bars[i].N * 100 / longest)
		}
	}
}
