package web

import (
	"bytes"
	"html/template"
	"log/slog"
	"net/http"

	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// papers are the pages that are printed. Each is said in the language of the one
// who will hold it, whatever language the desk reads.
type papers struct{ *Site }

// sheet is what every printed page gets.
type sheet struct {
	Title     string
	Name      string // of its template
	Back      string // where the one who prints came from
	Notes     []string
	Call      string // what the number at the foot is for; empty: said by itself
	Territory node.Territory
	Code      template.HTML // the number, to be read with a telephone
	Data      any
	Main      template.HTML // what is printed
}

// print writes a page for paper. notes are for the one who prints, on the screen
// alone.
func (s papers) print(c *gin.Context, w *tongue, p sheet) {
	var err error
	if p.Territory, err = s.node.Settings.Territory(); err != nil {
		s.fail(c, err)
		return
	}
	if p.Territory.Phone == "" {
		p.Notes = append(p.Notes, w.t("paper.no_number"))
	} else if p.Call != "" {
		label := w.t("paper.code", "Number", node.FormatPhone(p.Territory.Phone))
		if p.Code, err = codeOf("tel:"+p.Territory.Phone, label); err != nil {
			s.fail(c, err)
			return
		}
	}
	var out bytes.Buffer
	if p.Main, err = s.pages[w.lang].main(p.Name, p); err == nil {
		err = s.pages[w.lang].block(&out, "sheet", p)
	}
	if err != nil {
		s.log.Error("rendering", slog.String("page", p.Name), slog.String("error", templateFault(err)))
		c.Status(http.StatusInternalServerError)
		return
	}
	c.Header("Cache-Control", "no-store")
	c.Data(http.StatusOK, "text/html; charset=utf-8", out.Bytes())
}

// in is the tongue of somebody's papers.
func (s papers) in(p node.Paper) *tongue {
	if w, ok := s.tongues[string(p)]; ok {
		return w
	}
	return s.tongues[languages[0]]
}

// calendarDays is how far her calendar looks ahead, from the Monday of the week.
const calendarDays = 4 * 7

// calendarDay is a row of her calendar.
type calendarDay struct {
	Day     node.Day
	NewWeek bool
	Visits  []node.Visit
}

// calendar is hers, for the fridge: what is promised from today to the end of the
// fourth week, and whom to call.
func (s papers) calendar(c *gin.Context) {
	by := caller(c)
	id, err := node.ParseID[node.BeneficiaryID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	her, err := s.node.Beneficiaries.Get(by, id)
	if err != nil {
		s.fail(c, err)
		return
	}
	today := node.DayOf(s.node.Now())
	last := node.WeekOf(today) + calendarDays - 1
	visits, err := s.node.Papers.Agenda(by, id, today, last)
	if err != nil {
		s.fail(c, err)
		return
	}
	news, err := s.node.Calls.Of(by, id)
	if err != nil {
		s.fail(c, err)
		return
	}
	w := s.in(her.Words.Paper)
	p := sheet{Title: w.t("paper.calendar"), Name: "calendar", Back: "/people/" + id.String(), Call: w.t("paper.call_change")}
	if news != nil {
		p.Notes = append(p.Notes, w.t("paper.tell_first"))
	}
	days := calendarOf(visits)
	p.Data = struct {
		Her   node.Beneficiary
		Last  node.Day
		Days  []calendarDay
		Lines []int // for a pen
	}{her, last, days, make([]int, max(1, 8-len(visits)))}
	s.print(c, w, p)
}

// calendarOf puts visits, sorted by time, on their days.
func calendarOf(visits []node.Visit) (out []calendarDay) {
	for _, v := range visits {
		day := node.DayOf(v.Start)
		n := len(out)
		if n == 0 || out[n-1].Day != day {
			out = append(out, calendarDay{Day: day, NewWeek: n > 0 && node.WeekOf(out[n-1].Day) != node.WeekOf(day)})
			n++
		}
		out[n-1].Visits = append(out[n-1].Visits, v)
	}
	return out
}

// weekDays is how far a volunteer's paper reaches from the Monday of the week.
const weekDays = 2 * 7

// promisedDay is what a volunteer has promised for one day.
type promisedDay struct {
	Day      node.Day
	Promises []node.Promise
}

// week is a volunteer's, for his pocket; the desk prints it for who has no
// printer.
func (s papers) week(c *gin.Context) {
	id, err := node.ParseID[node.VolunteerID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	s.weekOf(c, id, "/volunteers/"+id.String())
}

func (s papers) ownWeek(c *gin.Context) { s.weekOf(c, caller(c).Volunteer, "/me") }

func (s papers) weekOf(c *gin.Context, id node.VolunteerID, from string) {
	by := caller(c)
	him, err := s.node.Volunteers.Get(by, id)
	if err != nil {
		s.fail(c, err)
		return
	}
	today := node.DayOf(s.node.Now())
	last := node.WeekOf(today) + weekDays - 1
	promises, err := s.node.Papers.Week(by, id, today, last)
	if err != nil {
		s.fail(c, err)
		return
	}
	var days []promisedDay
	for _, p := range promises {
		day := node.DayOf(p.Start)
		if n := len(days); n == 0 || days[n-1].Day != day {
			days = append(days, promisedDay{Day: day})
		}
		days[len(days)-1].Promises = append(days[len(days)-1].Promises, p)
	}
	w := s.in(him.Words.Paper)
	s.print(c, w, sheet{Title: w.t("paper.week"), Name: "week", Back: from, Call: w.t("paper.call_cannot"), Data: struct {
		Him         node.Volunteer
		First, Last node.Day
		Days        []promisedDay
	}{him, today, last, days}})
}

// Lines of each part of the Monday sheet: a week's work on paper. The rest is on
// the screen.
const (
	mostOnMonday = 60 // visits
	mostBeside   = 25 // of any other part
)

// excerpt is a part of the Monday sheet.
type excerpt[T any] struct {
	Lines []T
	More  bool // on the screen
}

func excerptOf[T any](all []T, most int) excerpt[T] {
	return excerpt[T]{all[:min(len(all), most)], len(all) > most}
}

// mondayData is the desk's week.
type mondayData struct {
	Monday node.Day
	Visits excerpt[node.Visit]
	Find   excerpt[node.Visit]
	Call   excerpt[node.Call]
	Thank  excerpt[thanks]
	Meet   excerpt[node.Volunteer]
}

// Days are the days on which there are visits.
func (d mondayData) Days() []calendarDay { return calendarOf(d.Visits.Lines) }

// Nothing reports whether there is nothing to do.
func (d mondayData) Nothing() bool {
	return len(d.Visits.Lines)+len(d.Find.Lines)+len(d.Call.Lines)+len(d.Thank.Lines)+len(d.Meet.Lines) == 0
}

// monday is the desk's sheet for the week, to be worked through with a pen. The
// agent holds it: it is in the agent's language.
func (s papers) monday(c *gin.Context) {
	d, err := s.readMonday(caller(c))
	if err != nil {
		s.fail(c, err)
		return
	}
	w := s.words(c)
	s.print(c, w, sheet{Title: w.t("paper.monday_title", "Day", inPrint{w}.date(d.Monday)), Name: "monday", Back: "/desk", Data: d})
}

func (s papers) readMonday(by node.Caller) (d mondayData, err error) {
	d.Monday = node.WeekOf(node.DayOf(s.node.Now()) + 2) // at the weekend, the coming week
	visits, err := s.node.Requests.Planned(by, d.Monday, d.Monday+6, mostOnMonday+1)
	if err != nil {
		return d, err
	}
	d.Visits = excerptOf(visits, mostOnMonday)
	var looking []node.Visit
	for _, state := range []node.State{node.StateOpen, node.StateAsked} {
		some, _, err := s.node.Requests.InState(by, state, node.Page{Limit: mostBeside + 1})
		if err != nil {
			return d, err
		}
		looking = append(looking, some...)
	}
	d.Find = excerptOf(looking, mostBeside)
	queue, err := s.node.Calls.Queue(by, mostBeside+1)
	if err != nil {
		return d, err
	}
	d.Call = excerptOf(queue.First, mostBeside)
	thank, err := s.toThank(by)
	if err != nil {
		return d, err
	}
	d.Thank = excerptOf(thank, mostBeside)
	if by.May(node.ReadPeople) != nil {
		return d, nil // the reception meets nobody
	}
	meet, _, err := s.node.Volunteers.List(by, node.Applicant, node.Page{Limit: mostBeside + 1})
	d.Meet = excerptOf(meet, mostBeside)
	return d, err
}

// thanks are due to a volunteer who was out lately.
type thanks struct {
	Him    node.Volunteer
	Visits int
}

// toThank lists who was out within the last two weeks without having been
// thanked.
func (s papers) toThank(by node.Caller) (out []thanks, err error) {
	done, err := s.node.Requests.ToThank(by, 2*mostBeside)
	place := map[node.VolunteerID]int{}
	for _, v := range done {
		for _, seat := range v.Coming() {
			i, ok := place[seat.Volunteer.ID]
			if !ok {
				i = len(out)
				place[seat.Volunteer.ID] = i
				out = append(out, thanks{Him: seat.Volunteer})
			}
			out[i].Visits++
		}
	}
	return out, err
}
