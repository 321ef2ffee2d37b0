package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// series are the pages about help that comes again.
type series struct{ *Site }

// seriesForm is what was typed, so that nothing is lost to an error.
type seriesForm struct {
	Type      string
	Rhythm    string // "1", "2", or of a month "3.1" to "3.5"
	Weekday   string // "1": Monday
	Half      string // "1", "2", or "hour"
	Hour      string
	From      string
	Until     string
	Who       []string
	Off       bool // not on public holidays
	Agreed    bool
	Minutes   string
	Seats     string
	Note      string
	Exception string
	Version   string
}

// seriesFormData is the form with what stands around it.
type seriesFormData struct {
	Her      node.Beneficiary
	Of       *node.Recurrence // that is being changed; nil for a new one
	Form     seriesForm
	Kinds    []node.ActionType
	Seats    map[node.TypeID]uint8
	Known    []node.Volunteer // who may be ticked at once
	Others   []node.Volunteer
	Rhythms  []dayChoice
	Weekdays []dayChoice
	Problem  *problem
}

// seriesData is the page of one series.
type seriesData struct {
	node.Recurrence
	Key string
}

func (s series) list(c *gin.Context) {
	w := s.words(c)
	cursor, err := readCursor(c.Query("cursor"))
	if err != nil {
		s.fail(c, err)
		return
	}
	var d struct {
		All   []node.Recurrence
		Ended bool
		Next  string
	}
	d.Ended = c.Query("ended") != ""
	all, next, err := s.node.Series.List(caller(c), d.Ended, node.Page{Limit: 30, Cursor: cursor})
	if err != nil {
		s.fail(c, err)
		return
	}
	d.All, d.Next = all, writeCursor(next)
	s.render(c, http.StatusOK, "series_list", page{Title: w.t("series.title"), Here: "requests", Data: d})
}

func (s series) page(c *gin.Context) { s.show(c, http.StatusOK, nil) }

func (s series) show(c *gin.Context, code int, problem error) {
	id, err := node.ParseID[node.SeriesID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	r, err := s.node.Series.Get(caller(c), id)
	if err != nil {
		s.fail(c, err)
		return
	}
	s.render(c, code, "series", page{
		Title: s.words(c).kindName(r.Kind), Here: "requests", Problem: s.sayTo(c, problem), Data: seriesData{r, newKey()},
	})
}

// blank is the form for something new that comes again for her.
func (s series) blank(c *gin.Context) {
	today := node.DayOf(s.node.Now())
	s.form(c, http.StatusOK, nil, seriesForm{Rhythm: "1", From: (today + 1).String(), Off: true, Agreed: true}, nil)
}

// edit is the form with what was agreed.
func (s series) edit(c *gin.Context) {
	r, err := s.read(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	t := r.Terms
	f := seriesForm{
		Type: r.Kind.ID.String(), Rhythm: strconv.Itoa(int(t.Rule.Rhythm)), Weekday: strconv.Itoa(int(t.Rule.Weekday)), Half: strconv.Itoa(int(t.Rule.Half)),
		From: t.From.String(), Until: t.Until.String(), Off: !t.Holidays, Agreed: t.Told, Minutes: strconv.Itoa(int(t.Plan.Minutes)),
		Note: r.Note.Reveal(), Exception: r.Exception.Reveal(), Version: strconv.Itoa(int(r.Version)),
	}
	if t.Rule.Rhythm == node.Monthly {
		f.Rhythm = fmt.Sprintf("3.%d", t.Rule.Nth)
	}
	if t.Rule.Minute > 0 {
		f.Half, f.Hour = "hour", fmt.Sprintf("%02d:%02d", t.Rule.Minute/60, t.Rule.Minute%60)
	}
	if t.Plan.Seats > 0 {
		f.Seats = strconv.Itoa(int(t.Plan.Seats))
	}
	for _, v := range r.Standing {
		f.Who = append(f.Who, v.ID.String())
	}
	s.form(c, http.StatusOK, &r, f, nil)
}

func (s series) read(c *gin.Context) (r node.Recurrence, err error) {
	id, err := node.ParseID[node.SeriesID](c.Param("id"))
	if err != nil {
		return r, err
	}
	return s.node.Series.Get(caller(c), id)
}

// form shows the form, for a new series of the person in the address or for the
// one given.
func (s series) form(c *gin.Context, code int, of *node.Recurrence, f seriesForm, problem error) {
	w := s.words(c)
	d := seriesFormData{Of: of, Form: f, Rhythms: rhythmChoices(w), Problem: w.say(problem)}
	her := c.Param("id")
	if of != nil {
		her = of.Her.ID.String()
	}
	if err := s.around(c, &d, her); err != nil {
		s.fail(c, err)
		return
	}
	for n := 1; n <= 7; n++ {
		d.Weekdays = append(d.Weekdays, dayChoice{strconv.Itoa(n), upper(w.entry("weekday", n%7))})
	}
	title := w.t("series.new")
	if of != nil {
		title = w.t("series.change")
	}
	s.render(c, code, "series_form", page{Title: title, Here: "people", Narrow: true, Problem: s.sayTo(c, problem), Data: d})
}

// around reads her, what may be asked for and who may come each time: those who
// know her first.
func (s series) around(c *gin.Context, d *seriesFormData, her string) error {
	by := caller(c)
	id, err := node.ParseID[node.BeneficiaryID](her)
	if err != nil {
		return err
	}
	if d.Her, err = s.node.Beneficiaries.Get(by, id); err != nil {
		return err
	}
	if d.Kinds, err = s.offered(); err != nil {
		return err
	}
	d.Seats = map[node.TypeID]uint8{}
	for _, t := range d.Kinds {
		d.Seats[t.ID] = t.Seats(d.Her.Visits)
	}
	known := map[node.VolunteerID]bool{}
	add := func(v node.Volunteer) {
		if !known[v.ID] && !d.Her.Refuses(v.ID) {
			d.Known, known[v.ID] = append(d.Known, v), true
		}
	}
	if d.Of != nil {
		for _, v := range d.Of.Standing {
			add(v)
		}
	}
	usual, err := s.node.Requests.Usual(by, id)
	if err != nil {
		return err
	}
	approved, err := s.node.Find.Near(by, d.Her.Commune, mostToChoose)
	if err != nil {
		return err
	}
	for _, u := range usual {
		if u.Volunteer.Status == node.Approved {
			add(u.Volunteer)
		}
	}
	for _, v := range approved {
		if slices.Contains(d.Her.Preferred, v.ID) || slices.Contains(d.Form.Who, v.ID.String()) {
			add(v)
		}
	}
	for _, v := range approved {
		if !known[v.ID] && !d.Her.Refuses(v.ID) {
			d.Others = append(d.Others, v)
		}
	}
	return nil
}

func rhythmChoices(w *tongue) []dayChoice {
	out := []dayChoice{{"1", w.t("series.each_week")}, {"2", w.t("series.each_other_week")}}
	for n := 1; n <= 5; n++ {
		out = append(out, dayChoice{fmt.Sprintf("3.%d", n), w.t(fmt.Sprintf("series.month_%d", n))})
	}
	return out
}

func readSeriesForm(c *gin.Context) seriesForm {
	return seriesForm{
		Type: c.PostForm("type"), Rhythm: c.PostForm("rhythm"), Weekday: c.PostForm("weekday"), Half: c.PostForm("half"), Hour: c.PostForm("hour"),
		From: c.PostForm("from"), Until: c.PostForm("until"), Who: slices.DeleteFunc(c.PostFormArray("volunteer"), func(v string) bool { return v == "" }),
		Off: c.PostForm("off") != "", Agreed: c.PostForm("agreed") != "", Minutes: c.PostForm("minutes"), Seats: c.PostForm("seats"),
		Note: c.PostForm("note"), Exception: c.PostForm("exception"), Version: c.PostForm("version"),
	}
}

// in reads the form. Its errors name the field.
func (f seriesForm) in() (s node.NewSeries, err error) {
	s = node.NewSeries{Holidays: !f.Off, Agreed: f.Agreed, Note: crypto.NewSecret(f.Note), Exception: crypto.NewSecret(f.Exception)}
	if s.Type, err = node.ParseID[node.TypeID](f.Type); err != nil {
		return s, &node.Error{Kind: node.Invalid, Code: "no-action-type", Field: "type"}
	}
	number := func(text string) uint8 {
		n, _ := strconv.ParseUint(text, 10, 8)
		return uint8(n)
	}
	rhythm, nth, _ := strings.Cut(f.Rhythm, ".")
	s.Rule = node.SeriesRule{Rhythm: node.Rhythm(number(rhythm)), Nth: number(nth), Weekday: number(f.Weekday)}
	if f.Half == "hour" {
		minute, ok := parseHour(f.Hour)
		if !ok || minute == 0 {
			return s, &node.Error{Kind: node.Invalid, Code: "hour-unreadable", Field: "hour"}
		}
		s.Rule.Minute = uint16(minute)
	} else {
		s.Rule.Half = node.Half(number(f.Half))
	}
	for _, d := range []struct {
		field, text string
		into        *node.Day
	}{{"from", f.From, &s.From}, {"until", f.Until, &s.Until}} {
		day, ok := node.ParseDay(d.text)
		if !ok && d.text != "" {
			return s, &node.Error{Kind: node.Invalid, Code: "day-out-of-range", Field: d.field}
		}
		*d.into = day
	}
	if f.Minutes != "" {
		n, err := strconv.ParseUint(strings.TrimSpace(f.Minutes), 10, 16)
		if err != nil {
			return s, &node.Error{Kind: node.Invalid, Code: "length-unreadable", Field: "minutes"}
		}
		s.Minutes = uint16(n)
	}
	if s.Seats = number(f.Seats); s.Seats == 0 && f.Exception != "" {
		s.Seats = 1
	}
	for _, text := range f.Who {
		v, err := node.ParseID[node.VolunteerID](text)
		if err != nil {
			return s, err
		}
		if !slices.Contains(s.Standing, v) {
			s.Standing = append(s.Standing, v)
		}
	}
	return s, nil
}

// begin records a new series.
func (s series) begin(c *gin.Context) {
	form := readSeriesForm(c)
	in, err := form.in()
	if err == nil {
		if in.Beneficiary, err = node.ParseID[node.BeneficiaryID](c.Param("id")); err == nil {
			var r node.Receipt
			if r, err = s.node.Series.Open(c.Request.Context(), writer(c), in); err == nil {
				c.Redirect(http.StatusSeeOther, "/series/"+node.SeriesID(r.ID).String()+"?ok=series")
				return
			}
		}
	}
	s.form(c, status(err), nil, form, err)
}

// do does what a button on the page of a series says.
func (s series) do(c *gin.Context) {
	r, err := s.read(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	act := c.Param("act")
	if act == "edit" {
		s.change(c, r)
		return
	}
	ok, err := s.act(c, r.ID, act)
	if err != nil {
		s.show(c, status(err), err)
		return
	}
	if coming(r, act, c.PostForm("day")) {
		ok += "-volunteers" // they may have no account: somebody must phone them
	}
	c.Redirect(http.StatusSeeOther, "/series/"+r.ID.String()+"?ok="+ok)
}

// coming reports whether somebody had promised what the act cancels.
func coming(r node.Recurrence, act, day string) bool {
	return act != "resume" && slices.ContainsFunc(r.Next, func(o node.Occurrence) bool {
		return o.Visit != nil && len(o.Visit.Coming()) > 0 && (act != "skip" || o.Day.String() == day)
	})
}

func (s series) change(c *gin.Context, r node.Recurrence) {
	form := readSeriesForm(c)
	form.Type = r.Kind.ID.String()
	in, err := form.in()
	if err == nil {
		version, _ := strconv.ParseUint(form.Version, 10, 32)
		_, err = s.node.Series.Change(c.Request.Context(), writer(c), r.ID, uint32(version), in)
	}
	if err != nil {
		s.form(c, status(err), &r, form, err)
		return
	}
	ok := "changed"
	if coming(r, "edit", "") {
		ok = "series-volunteers"
	}
	c.Redirect(http.StatusSeeOther, "/series/"+r.ID.String()+"?ok="+ok)
}

func (s series) act(c *gin.Context, id node.SeriesID, act string) (ok string, err error) {
	ctx, by, r := c.Request.Context(), writer(c), s.node.Series
	v, _ := strconv.ParseUint(c.PostForm("version"), 10, 32)
	n, _ := strconv.ParseUint(c.PostForm("why"), 10, 8)
	version, why := uint32(v), node.Why(n)
	switch act {
	case "skip":
		day, there := node.ParseDay(c.PostForm("day"))
		if !there {
			return "", &node.Error{Kind: node.Invalid, Code: "missing", Field: "day"}
		}
		_, err = r.Skip(ctx, by, id, day, why)
		return "skipped", err
	case "pause":
		_, err = r.Pause(ctx, by, id, version, why)
		return "paused", err
	case "resume":
		_, err = r.Resume(ctx, by, id, version)
		return "resumed", err
	case "end":
		_, err = r.End(ctx, by, id, version, why)
		return "series-ended", err
	}
	return "", &node.Error{Kind: node.NotFound, Code: "no-page"}
}

// ruleText says a rule as people do: "tous les vendredis, l’après-midi".
func ruleText(w *tongue, r node.SeriesRule) string {
	day := w.entry("weekday", int(r.Weekday)%7)
	said := w.t("series.every", "Day", day)
	switch r.Rhythm {
	case node.Fortnightly:
		said = w.t("series.every_other", "Day", day)
	case node.Monthly:
		said = w.t(fmt.Sprintf("series.nth_%d", r.Nth), "Day", day)
	}
	switch {
	case r.Minute > 0:
		return w.t("say.start", "Day", said, "Hour", w.hourText(int(r.Minute)))
	case r.Half == node.Morning:
		return w.t("say.in_morning", "Day", said)
	}
	return w.t("say.in_afternoon", "Day", said)
}

// holidayText names a public holiday.
func holidayText(w *tongue, key string) string { return w.t("series.holiday_" + key) }
