package web

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// desk is the desk: who calls, what she needs, and beside it what the day holds.
type desk struct{ *Site }

// deskData is the desk: who calls, what she needs, and beside it what the day
// holds.
type deskData struct {
	Query   string
	Asked   bool // something was looked for
	Found   []node.Found
	Person  *node.Beneficiary
	Usual   []node.Familiar
	Call    *node.Call  // what she must hear anyway, now that she is on the line
	Again   *node.Again // what she had last time
	Alike   []node.Visit
	Form    requestForm
	Kinds   []node.ActionType
	Days    []dayChoice
	Side    side
	Seats   map[node.TypeID]uint8
	Problem *problem
}

// mostToday is how many of the day's visits the desk shows.
const mostToday = 40

// side is what stands beside the desk.
type side struct {
	Calls      []node.Call
	Later      int
	Looking    []node.Visit
	Today      []node.Visit
	Soon       []node.Visit // the next days, where today has none
	Applicants []node.Volunteer
	Offers     []node.Calling
	Bonds      []node.Bond // to be asked how it goes
}

// requestForm is what was typed, so that nothing is lost to an error.
type requestForm struct {
	Type      string
	When      string // "week", "flex", "2026-11-24.1", "other"
	Day       string
	Half      string
	Hour      string
	Note      string
	Exception string
	Minutes   string
	Seats     string
	Present   node.Wish // of a request that is being changed
}

// dayChoice is a day that is one press away.
type dayChoice struct {
	Value string
	Label string
}

// pills are the choices for "when" that people use most: the next two days by
// half-day.
func pills(w *tongue) (out []dayChoice) {
	tomorrow := w.today() + 1
	for _, d := range []node.Day{tomorrow, tomorrow + 1} {
		day := upper(w.t("say.tomorrow"))
		if d != tomorrow {
			day = upper(w.entry("weekday", int(d.Date().Weekday())))
		}
		out = append(out, dayChoice{d.String() + ".1", w.t("say.morning", "Day", day)}, dayChoice{d.String() + ".2", w.t("say.afternoon", "Day", day)})
	}
	return out
}

func (s desk) page(c *gin.Context) { s.show(c, http.StatusOK, deskData{}) }

func (s desk) show(c *gin.Context, code int, d deskData) {
	var err error
	if d.Side, err = s.beside(caller(c)); err != nil {
		s.fail(c, err)
		return
	}
	title := s.words(c).t("desk.title")
	if d.Person != nil {
		title = s.words(c).t("desk.what", "E", feminine(d.Person.Words))
	}
	s.render(c, code, "desk", page{Title: title, Here: "desk", Problem: d.Problem, Data: d})
}

// beside reads what stands beside the desk.
func (s desk) beside(by node.Caller) (out side, err error) {
	queue, err := s.node.Calls.Queue(by, 3)
	if err != nil {
		return out, err
	}
	out.Later = queue.Later
	for _, call := range queue.First {
		if !call.Later {
			out.Calls = append(out.Calls, call)
		}
	}
	today := node.DayOf(s.node.Now())
	if out.Today, err = s.node.Requests.Planned(by, today, today, mostToday); err != nil {
		return out, err
	}
	if len(out.Today) == 0 {
		if out.Soon, err = s.node.Requests.Planned(by, today+1, today+7, 4); err != nil {
			return out, err
		}
	}
	for _, state := range []node.State{node.StateOpen, node.StateAsked} {
		some, _, err := s.node.Requests.InState(by, state, node.Page{Limit: 3})
		if err != nil {
			return out, err
		}
		out.Looking = append(out.Looking, some...)
	}
	out.Looking = out.Looking[:min(4, len(out.Looking))]
	if by.May(node.ReadPeople) == nil {
		out.Applicants, _, err = s.node.Volunteers.List(by, node.Applicant, node.Page{Limit: 3})
	}
	if err != nil {
		return out, err
	}
	if out.Offers, err = s.node.Offers.Ahead(by, 3); err != nil {
		return out, err
	}
	out.Bonds, err = s.node.Bonds.Due(by)
	return out, err
}

func (s desk) search(c *gin.Context) {
	d := deskData{Query: c.PostForm("q"), Asked: true}
	var err error
	if d.Found, err = s.node.Find.People(caller(c), d.Query, node.AnyPerson, 12); err != nil {
		s.fail(c, err)
		return
	}
	s.show(c, http.StatusOK, d)
}

// results is the list under the search box, while typing.
func (s desk) results(c *gin.Context) {
	d := deskData{Query: c.PostForm("q"), Asked: strings.TrimSpace(c.PostForm("q")) != ""}
	d.Found, _ = s.node.Find.People(caller(c), d.Query, node.AnyPerson, 12)
	s.part(c, "desk", "results", d)
}

func (s desk) person(c *gin.Context) {
	d, err := s.read(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	s.show(c, http.StatusOK, d)
}

// read reads the person who calls.
func (s desk) read(c *gin.Context) (d deskData, err error) {
	by := caller(c)
	id, err := node.ParseID[node.BeneficiaryID](c.Param("id"))
	if err != nil {
		return d, err
	}
	b, err := s.node.Beneficiaries.Get(by, id)
	if err != nil {
		return d, err
	}
	d.Person = &b
	if d.Usual, err = s.node.Requests.Usual(by, id); err != nil {
		return d, err
	}
	if d.Call, err = s.node.Calls.Of(by, id); err != nil {
		return d, err
	}
	again, ok, err := s.node.Requests.Again(by, id)
	if err != nil {
		return d, err
	}
	if ok {
		d.Again = &again
	}
	if d.Kinds, err = s.offered(); err != nil {
		return d, err
	}
	d.Seats = map[node.TypeID]uint8{}
	for _, t := range d.Kinds {
		d.Seats[t.ID] = t.Seats(b.Visits)
	}
	d.Days = pills(s.words(c))
	return d, nil
}

// offered are the kinds of action on the desk.
func (s *Site) offered() (out []node.ActionType, err error) {
	all, err := s.node.Catalogue.All()
	for _, t := range all {
		if !t.Retired {
			out = append(out, t)
		}
	}
	return out, err
}

// openRequest records what she needs. What she may have asked for already is
// named first.
func (s desk) openRequest(c *gin.Context) {
	id, err := node.ParseID[node.BeneficiaryID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	form := readRequestForm(c)
	var alike []node.Visit
	in, err := s.newRequest(form)
	if err == nil && c.PostForm("sure") == "" {
		if alike, err = s.node.Requests.Alike(writer(c), id, in.Type, in.Wish); err == nil && len(alike) > 0 {
			err = &node.Error{Kind: node.Conflict, Code: "asked-already"}
		}
	}
	if err == nil {
		in.Beneficiary, in.Draft = id, c.PostForm("draft") != ""
		var r node.Receipt
		if r, err = s.node.Requests.Open(c.Request.Context(), writer(c), in); err == nil {
			c.Redirect(http.StatusSeeOther, "/requests/"+node.RequestID(r.ID).String()+"?ok=request")
			return
		}
	}
	d, err2 := s.read(c)
	if err2 != nil {
		s.fail(c, err2)
		return
	}
	d.Form, d.Alike, d.Problem = form, alike, s.words(c).say(err)
	s.show(c, status(err), d)
}

// again asks for what she had last time: the second of two presses.
func (s desk) again(c *gin.Context) {
	id, err := node.ParseID[node.BeneficiaryID](c.Param("id"))
	var from node.RequestID
	if err == nil {
		from, err = node.ParseID[node.RequestID](c.PostForm("from"))
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	wish, err := s.wishOf(readRequestForm(c))
	if err == nil {
		var r node.Receipt
		if r, err = s.node.Requests.Repeat(c.Request.Context(), writer(c), id, from, wish); err == nil {
			c.Redirect(http.StatusSeeOther, "/requests/"+node.RequestID(r.ID).String()+"?ok=again")
			return
		}
	}
	d, err2 := s.read(c)
	if err2 != nil {
		s.fail(c, err2)
		return
	}
	d.Problem = s.words(c).say(err)
	if d.Again != nil { // what stood in the way is settled in the form, which has it all
		d.Form = requestForm{Type: d.Again.Kind.ID.String(), When: d.Again.Wish.Day.String() + "." + strconv.Itoa(int(d.Again.Wish.Half))}
	}
	s.show(c, status(err), d)
}

// fitting says how many may be asked for what is being written.
func (s desk) fitting(c *gin.Context) {
	id, err := node.ParseID[node.BeneficiaryID](c.Param("id"))
	if err != nil {
		c.Status(http.StatusNotFound)
		return
	}
	in, err := s.newRequest(readRequestForm(c))
	if err != nil {
		s.part(c, "desk", "fitting", nil) // not said yet
		return
	}
	all, err := s.node.Requests.CandidatesFor(caller(c), id, in.Type, in.Wish, 60)
	if err != nil {
		s.part(c, "desk", "fitting", nil)
		return
	}
	var d struct {
		N     int
		First *node.Candidate
	}
	for i, one := range all {
		if one.Fits() {
			if d.N++; d.First == nil && one.Visits > 0 {
				d.First = &all[i]
			}
		}
	}
	s.part(c, "desk", "fitting", &d)
}

// notice records that the information was read to her on the phone.
func (s desk) notice(c *gin.Context) {
	id, err := node.ParseID[node.BeneficiaryID](c.Param("id"))
	if err == nil {
		_, err = s.node.Beneficiaries.Informed(c.Request.Context(), writer(c), id)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	c.Redirect(http.StatusSeeOther, back(c, "/desk/"+id.String())+"?ok=informed")
}

func readRequestForm(c *gin.Context) requestForm {
	return requestForm{
		Type: c.PostForm("type"), When: c.PostForm("when"), Day: c.PostForm("day"), Half: c.PostForm("half"), Hour: c.PostForm("hour"),
		Note: c.PostForm("note"), Exception: c.PostForm("exception"), Minutes: c.PostForm("minutes"), Seats: c.PostForm("seats"),
	}
}

// newRequest reads the form. Its errors name the field.
func (s *Site) newRequest(f requestForm) (in node.NewRequest, err error) {
	if in.Type, err = node.ParseID[node.TypeID](f.Type); err != nil {
		return in, &node.Error{Kind: node.Invalid, Code: "no-action-type", Field: "type"}
	}
	if in.Wish, err = s.wishOf(f); err != nil {
		return in, err
	}
	if f.Minutes != "" {
		n, err := strconv.ParseUint(strings.TrimSpace(f.Minutes), 10, 16)
		if err != nil {
			return in, &node.Error{Kind: node.Invalid, Code: "length-unreadable", Field: "minutes"}
		}
		in.Minutes = uint16(n)
	}
	if n, err := strconv.ParseUint(f.Seats, 10, 8); err == nil {
		in.Seats = uint8(n)
	}
	in.Note, in.Exception = crypto.NewSecret(f.Note), crypto.NewSecret(f.Exception)
	if !in.Exception.Empty() && in.Seats == 0 {
		in.Seats = 1
	}
	return in, nil
}

func (s *Site) wishOf(f requestForm) (w node.Wish, err error) {
	switch {
	case f.When == "same":
		return f.Present, nil
	case f.When == "week":
		return node.Wish{Kind: node.InWeek, Day: node.DayOf(s.node.Now())}, nil
	case f.When == "next":
		return node.Wish{Kind: node.InWeek, Day: node.DayOf(s.node.Now()) + 7}, nil
	case f.When == "flex":
		return node.Wish{Kind: node.Flexible}, nil
	case f.When == "":
		return w, &node.Error{Kind: node.Invalid, Code: "missing", Field: "when"}
	}
	day, half := f.Day, f.Half
	if f.When != "other" {
		day, half, _ = strings.Cut(f.When, ".")
	}
	d, ok := node.ParseDay(day)
	if !ok {
		return w, &node.Error{Kind: node.Invalid, Code: "missing", Field: "when"}
	}
	w = node.Wish{Kind: node.OnDay, Day: d}
	switch half {
	case "1":
		w.Half = node.Morning
	case "2":
		w.Half = node.Afternoon
	}
	if f.Hour != "" && f.When == "other" {
		m, ok := parseHour(f.Hour)
		if !ok {
			return w, &node.Error{Kind: node.Invalid, Code: "hour-unreadable", Field: "hour"}
		}
		w.Minute = uint16(m)
	}
	return w, nil
}

// parseHour reads "14:30", "14h30", "14 h", "2:30 pm".
func parseHour(text string) (minute int, ok bool) {
	text = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(text)), " ", "")
	text = strings.ReplaceAll(strings.Replace(text, "h", ":", 1), "\u00a0", "")
	text, morning := strings.CutSuffix(text, "am")
	text, afternoon := strings.CutSuffix(text, "pm")
	h, m, _ := strings.Cut(text, ":")
	hour, err := strconv.Atoi(h)
	if err != nil || hour < 0 || hour > 23 {
		return 0, false
	}
	if morning || afternoon {
		if hour < 1 || hour > 12 {
			return 0, false
		}
		hour %= 12
	}
	if afternoon {
		hour += 12
	}
	if m != "" {
		if minute, err = strconv.Atoi(m); err != nil || minute < 0 || minute > 59 {
			return 0, false
		}
	}
	return hour*60 + minute, true
}

// back is the page of ours that the form was on, or the one given.
func back(c *gin.Context, otherwise string) string {
	path, ok := local(c.PostForm("back"))
	if !ok {
		return otherwise
	}
	return cmp.Or(path, otherwise)
}
