package web

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// requests are the pages of requests: the board, one request, its form.
type requests struct{ *Site }

// boardTabs are the states in the order in which a request passes them.
var boardTabs = []struct {
	Slug  string
	State node.State
}{
	{"open", node.StateOpen}, {"asked", node.StateAsked}, {"covered", node.StateCovered}, {"told", node.StateTold},
	{"draft", node.StateDraft}, {"done", node.StateDone}, {"other", node.StateCancelled},
}

func (s requests) board(c *gin.Context) {
	w, by := s.words(c), caller(c)
	type tab struct {
		Slug, Label string
		Count       int
		More        bool
		Here        bool
	}
	var d struct {
		Tabs   []tab
		Visits []node.Visit
		Next   string
		Tab    string
	}
	d.Tab = c.DefaultQuery("state", "open")
	cursor, err := readCursor(c.Query("cursor"))
	if err != nil {
		s.fail(c, err)
		return
	}
	for _, t := range boardTabs {
		here := t.Slug == d.Tab
		entry := tab{Slug: t.Slug, Label: w.t("requests.tab_" + t.Slug), Here: here}
		if !t.State.Closed() {
			n, err := s.node.Requests.CountIn(by, t.State, 100)
			if err != nil {
				s.fail(c, err)
				return
			}
			entry.Count, entry.More = n, n == 100
		}
		d.Tabs = append(d.Tabs, entry)
		if !here {
			continue
		}
		states := []node.State{t.State}
		if t.Slug == "other" {
			states = []node.State{node.StateUnfilled, node.StateNotDone, node.StateCancelled}
		}
		for _, state := range states {
			visits, next, err := s.node.Requests.InState(by, state, node.Page{Limit: 30, Cursor: cursor})
			if err != nil {
				s.fail(c, err)
				return
			}
			d.Visits = append(d.Visits, visits...)
			d.Next = writeCursor(next)
		}
		if len(states) > 1 {
			d.Next = ""
		}
	}
	s.render(c, http.StatusOK, "board", page{Title: w.t("requests.title"), Here: "requests", Data: d})
}

// requestData is one request with everything that can be done about it.
type requestData struct {
	node.Visit
	Candidates []node.Candidate
	Others     []node.Candidate
	History    []line
	Choices    []dayChoice // half-days that answer an open wish
	Call       *node.Call
	SameDay    []node.Visit     // that somebody else comes for
	Rule       bool             // two are needed here
	Begun      bool             // its day has come: how did it go?
	Fitting    node.Fitting     // what the neighbours could do
	Untold     []node.Volunteer // who have not heard of her thanks
	Key        string
}

// line is one change in a history.
type line struct {
	At   node.Instant
	What string
	Who  node.Secret
}

// historyOf names who did what.
func (s *Site) historyOf(w *tongue, by node.Caller, changes []node.Change) (out []line) {
	names := map[node.AccountID]node.Secret{}
	for i := len(changes) - 1; i >= 0; i-- {
		ch := changes[i]
		if _, ok := names[ch.By]; !ok {
			names[ch.By], _ = s.node.Accounts.Name(by, ch.By)
		}
		out = append(out, line{ch.At, w.changeText(ch.Command), names[ch.By]})
	}
	return out
}

func (s requests) page(c *gin.Context) { s.show(c, http.StatusOK, nil) }

func (s requests) show(c *gin.Context, code int, problem error) {
	w, by := s.words(c), caller(c)
	id, err := node.ParseID[node.RequestID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	d := requestData{Key: newKey()}
	if d.Visit, err = s.node.Requests.Get(by, id); err != nil {
		s.fail(c, err)
		return
	}
	if d.State.Looking() || d.State == node.StateDraft {
		all, err := s.node.Requests.Candidates(by, id, 14)
		if err != nil {
			s.fail(c, err)
			return
		}
		for _, one := range all {
			if a, asked := d.Asking(one.Volunteer.ID); asked && a.Answer == node.Waiting {
				continue // stands above, with his answer to come
			}
			if one.May() {
				d.Candidates = append(d.Candidates, one)
			} else {
				d.Others = append(d.Others, one)
			}
		}
		d.Choices = s.choices(w, d.Wish)
	}
	if d.State.Looking() {
		if d.Fitting, err = s.node.Across.For(by, id); err != nil {
			s.fail(c, err)
			return
		}
	}
	if !d.State.Closed() {
		if d.SameDay, err = s.node.Requests.SameDay(by, d.Visit); err != nil {
			s.fail(c, err)
			return
		}
	}
	changes, err := s.node.Requests.History(by, id)
	if err != nil {
		s.fail(c, err)
		return
	}
	if d.NeedsCall() {
		if d.Call, err = s.node.Calls.Of(by, d.Beneficiary); err != nil {
			s.fail(c, err)
			return
		}
	}
	d.History = s.historyOf(w, by, changes)
	d.Untold = s.untold(by, d.Visit)
	d.Rule = d.Plan.Seats >= 2
	d.Begun = !d.Start.IsZero() && node.DayOf(d.Start) <= node.DayOf(s.node.Now())
	s.render(c, code, "request", page{Title: w.kindName(d.Kind), Here: "requests", Problem: s.sayTo(c, problem), Data: d})
}

// choices are the half-days on which an open wish can be answered: those of its
// week that lie ahead, or of the next ten days.
func (s *Site) choices(w *tongue, wish node.Wish) (out []dayChoice) {
	if wish.Kind == node.OnDay {
		return nil
	}
	today := node.DayOf(s.node.Now())
	first, last := today, today+10
	if wish.Kind == node.InWeek {
		first, last = max(today, wish.Day), wish.Day+6
	}
	onlySunday := first == last // a week that nobody has answered until its end
	for d := first; d <= last; d++ {
		if d.Date().Weekday() == time.Sunday && !onlySunday {
			continue
		}
		for _, minute := range []int{10 * 60, 14*60 + 30} {
			if d == today && s.node.Now().Hour()*60 >= minute {
				continue
			}
			out = append(out, dayChoice{d.String() + "." + strconv.Itoa(minute), upper(w.dayText(d)) + ", " + w.hourText(minute)})
		}
	}
	return out[:min(len(out), 16)]
}

// shown is what a volunteer sees of when, to be sent back with his answer.
func shown(w node.Wish, start time.Time) string {
	at := int64(0)
	if !start.IsZero() {
		at = start.UnixMilli()
	}
	return fmt.Sprintf("%d.%d.%d.%d.%d", w.Kind, int32(w.Day), w.Half, w.Minute, at)
}

// slotOf reads a choice: "2026-11-24.600", or a day and an hour.
func slotOf(c *gin.Context) (slot node.Slot, err error) {
	var day32 int32
	var at int64
	if n, err := fmt.Sscanf(c.PostForm("shown"), "%d.%d.%d.%d.%d", &slot.Wish.Kind, &day32, &slot.Wish.Half, &slot.Wish.Minute, &at); err == nil && n == 5 {
		slot.Wish.Day, slot.Start = node.Day(day32), node.Instant(at)
	} else {
		slot.Wish = node.Wish{}
	}
	day, minute, _ := strings.Cut(c.PostForm("slot"), ".")
	if c.PostForm("slot") == "" {
		day = c.PostForm("day")
	}
	if day != "" {
		d, ok := node.ParseDay(day)
		if !ok {
			return slot, &node.Error{Kind: node.Invalid, Code: "missing", Field: "day"}
		}
		slot.Day = d
	}
	if minute != "" {
		slot.Minute, _ = strconv.Atoi(minute)
	}
	if hour := c.PostForm("hour"); hour != "" {
		m, ok := parseHour(hour)
		if !ok {
			return slot, &node.Error{Kind: node.Invalid, Code: "hour-unreadable", Field: "hour"}
		}
		slot.Minute = m
	}
	return slot, nil
}

// do does what a button on the request's page says.
func (s requests) do(c *gin.Context) {
	id, err := node.ParseID[node.RequestID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	before, _ := s.node.Requests.Get(caller(c), id)
	ok, err := s.act(c, id, c.Param("act"))
	if err != nil {
		if c.Param("act") == "edit" {
			s.editAgain(c, id, err)
			return
		}
		s.show(c, status(err), err)
		return
	}
	if act := c.Param("act"); len(before.Coming()) > 0 && (act == "cancel" || act == "unfilled" || act == "edit") {
		ok += "-volunteers" // they may have no account: somebody must phone them
	}
	c.Redirect(http.StatusSeeOther, "/requests/"+id.String()+"?ok="+ok)
}

func (s requests) act(c *gin.Context, id node.RequestID, act string) (ok string, err error) {
	ctx, by, r := c.Request.Context(), writer(c), s.node.Requests
	switch act {
	case "ask":
		var who []node.VolunteerID
		for _, text := range c.PostFormArray("volunteer") {
			v, err := node.ParseID[node.VolunteerID](text)
			if err != nil {
				return "", err
			}
			who = append(who, v)
		}
		if len(who) == 0 {
			return "", &node.Error{Kind: node.Invalid, Code: "missing", Field: "volunteers"}
		}
		_, err = r.Ask(ctx, by, id, who)
		return "asked", err
	case "publish":
		_, err = r.Publish(ctx, by, id)
		return "changed", err
	case "accept", "refuse", "withdraw":
		return s.answerFor(c, id, act)
	case "done", "not-done":
		e, err := endingOf(c)
		if err == nil {
			_, err = r.Finish(ctx, by, id, act == "done", e)
		}
		return "done", err
	case "cancel", "unfilled":
		version, _ := strconv.ParseUint(c.PostForm("version"), 10, 32)
		why, _ := strconv.ParseUint(c.PostForm("why"), 10, 8)
		_, err = r.Drop(ctx, by, id, uint32(version), act == "unfilled", node.Why(why))
		return "closed", err
	case "edit":
		version, _ := strconv.ParseUint(c.PostForm("version"), 10, 32)
		v, err := r.Get(by, id)
		if err != nil {
			return "", err
		}
		form := readRequestForm(c)
		form.Present = v.Wish
		in, err := s.newRequest(form)
		if err == nil {
			_, err = r.Change(ctx, by, id, uint32(version), in)
		}
		return "changed", err
	}
	return "", &node.Error{Kind: node.NotFound, Code: "no-page"}
}

// answerFor notes what a volunteer said on the phone.
func (s requests) answerFor(c *gin.Context, id node.RequestID, act string) (ok string, err error) {
	v, err := node.ParseID[node.VolunteerID](c.PostForm("volunteer"))
	if err != nil {
		return "", err
	}
	ctx, by, r := c.Request.Context(), writer(c), s.node.Requests
	switch act {
	case "accept":
		slot, err := slotOf(c)
		if err == nil {
			_, err = r.Accept(ctx, by, id, v, slot)
		}
		if q, _ := r.Get(caller(c), id); err == nil && q.State.Looking() {
			return "accepted-one", nil // of two: she is called when both are there
		}
		return "accepted", err
	case "refuse":
		_, err = r.Refuse(ctx, by, id, v)
		return "recorded", err
	}
	_, err = r.Withdraw(ctx, by, id, v)
	return "withdrawn", err
}

// endingOf reads how it went: minutes, kilometres with a comma or a point, a word.
func endingOf(c *gin.Context) (e node.Ending, err error) {
	if text := strings.TrimSpace(c.PostForm("minutes")); text != "" {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return e, &node.Error{Kind: node.Invalid, Code: "length-unreadable", Field: "minutes"}
		}
		e.Minutes = uint16(n)
	}
	if text := strings.TrimSpace(c.PostForm("km")); text != "" {
		km, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
		if err != nil || !(km >= 0 && km <= 2000) {
			return e, &node.Error{Kind: node.Invalid, Code: "distance-unreadable", Field: "km"}
		}
		e.Metres = uint32(km * 1000)
	}
	why, _ := strconv.ParseUint(c.PostForm("why"), 10, 8)
	e.Why, e.Word = node.Why(why), crypto.NewSecret(c.PostForm("word"))
	return e, nil
}

type requestEdit struct {
	node.Visit
	Form  requestForm
	Kinds []node.ActionType
	Days  []dayChoice
}

func (s requests) edit(c *gin.Context) {
	id, err := node.ParseID[node.RequestID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	v, err := s.node.Requests.Get(caller(c), id)
	if err != nil {
		s.fail(c, err)
		return
	}
	f := requestForm{
		Type: v.Kind.ID.String(), Note: v.Note.Reveal(), Exception: v.Exception.Reveal(), Minutes: strconv.Itoa(int(v.Plan.Minutes)), Seats: strconv.Itoa(int(v.Plan.Seats)),
	}
	f.When = "same"
	s.showEdit(c, http.StatusOK, v, f, nil)
}

func (s requests) editAgain(c *gin.Context, id node.RequestID, problem error) {
	v, err := s.node.Requests.Get(caller(c), id)
	if err != nil {
		s.fail(c, err)
		return
	}
	s.showEdit(c, status(problem), v, readRequestForm(c), problem)
}

func (s requests) showEdit(c *gin.Context, code int, v node.Visit, f requestForm, problem error) {
	w := s.words(c)
	s.render(c, code, "request_form", page{Title: w.t("requests.change"), Here: "requests", Narrow: true, Problem: w.say(problem), Data: requestEdit{Visit: v, Form: f, Days: pills(w)}})
}
