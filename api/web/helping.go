package web

import (
	"net/http"
	"strconv"

	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// helping are the volunteer's own pages, phone in hand.
type helping struct{ *Site }

// page is the volunteer’s own: what I am asked, what I have promised, what is
// near me.
func (s helping) page(c *gin.Context) {
	by := caller(c)
	m, err := s.node.Requests.Mine(by)
	if err != nil {
		s.fail(c, err)
		return
	}
	me, err := s.node.Volunteers.Get(by, by.Volunteer)
	if err != nil {
		s.fail(c, err)
		return
	}
	s.render(c, http.StatusOK, "mine", page{Title: s.words(c).t("helping.asked"), Here: "me", Phone: true, Data: struct {
		node.Mine
		Me  node.Volunteer
		Key string
	}{m, me, newKey()}})
}

// acceptPage asks for the day when the wish leaves it open.
func (s helping) acceptPage(c *gin.Context) { s.showAccept(c, http.StatusOK, nil) }

func (s helping) showAccept(c *gin.Context, code int, problem error) {
	m, err := s.node.Requests.Mine(caller(c))
	if err != nil {
		s.fail(c, err)
		return
	}
	w := s.words(c)
	for _, p := range append(m.Asked, m.Near...) {
		if p.ID.String() == c.Param("id") {
			s.render(c, code, "accept", page{Title: w.t("helping.when"), Here: "me", Phone: true, Problem: s.sayTo(c, problem), Data: struct {
				node.Proposal
				Choices []dayChoice
			}{p, s.choices(w, p.Wish)}})
			return
		}
	}
	if problem == nil {
		problem = &node.Error{Kind: node.NotFound, Code: "no-request"}
	}
	s.fail(c, problem)
}

// do does what a volunteer presses.
func (s helping) do(c *gin.Context) {
	id, err := node.ParseID[node.RequestID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	by, ctx, r := writer(c), c.Request.Context(), s.node.Requests
	ok := "recorded"
	switch c.Param("act") {
	case "accept":
		ok = "thanks"
		var slot node.Slot
		if slot, err = slotOf(c); err == nil {
			_, err = r.Accept(ctx, by, id, by.Volunteer, slot)
		}
		if err != nil {
			s.showAccept(c, status(err), err)
			return
		}
	case "refuse":
		ok = "refused"
		_, err = r.Refuse(ctx, by, id, by.Volunteer)
	case "withdraw":
		ok = "withdrawn"
		_, err = r.Withdraw(ctx, by, id, by.Volunteer)
	case "told":
		ok = "told"
		version, _ := strconv.ParseUint(c.PostForm("version"), 10, 32)
		_, err = s.node.Calls.ToldByVolunteer(ctx, by, id, uint32(version))
	case "done", "not-done":
		ok = "done"
		var e node.Ending
		if e, err = endingOf(c); err == nil {
			_, err = r.Finish(ctx, by, id, c.Param("act") == "done", e)
		}
	default:
		err = &node.Error{Kind: node.NotFound, Code: "no-page"}
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/me?ok="+ok)
}

func (s helping) availability(c *gin.Context) { s.showAvailability(c, http.StatusOK, nil) }

func (s helping) showAvailability(c *gin.Context, code int, problem error) {
	by := caller(c)
	me, err := s.node.Volunteers.Get(by, by.Volunteer)
	if err != nil {
		s.fail(c, err)
		return
	}
	today := node.DayOf(s.node.Now())
	var ahead []node.Absence
	for _, a := range me.Offer.Absences {
		if a.To >= today {
			ahead = append(ahead, a)
		}
	}
	w := s.words(c)
	s.render(c, code, "availability", page{Title: w.t("helping.when_free"), Here: "availability", Phone: true, Problem: w.say(problem), Data: struct {
		Me    node.Volunteer
		Week  []weekday
		Ahead []node.Absence
		Today node.Day
	}{me, w.weekTable(me.Offer.Week), ahead, today}})
}

func (s helping) setAvailability(c *gin.Context) {
	by := writer(c)
	err := s.saveAvailability(c, by)
	if err != nil {
		s.showAvailability(c, status(err), err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/me/availability?ok=changed")
}

func (s helping) saveAvailability(c *gin.Context, by node.Caller) error {
	me, err := s.node.Volunteers.Get(by, by.Volunteer)
	if err != nil {
		return err
	}
	version, _ := strconv.ParseUint(c.PostForm("version"), 10, 32)
	perWeek, err := small(c, "per_week")
	if err != nil {
		return err
	}
	radius, err := small(c, "radius_km")
	if err != nil {
		return err
	}
	gone := map[string]bool{}
	for _, text := range c.PostFormArray("back") {
		gone[text] = true
	}
	today := node.DayOf(s.node.Now())
	var absences []node.Absence
	for _, a := range me.Offer.Absences {
		if a.To >= today && !gone[a.From.String()] {
			absences = append(absences, a)
		}
	}
	if from := c.PostForm("from"); from != "" || c.PostForm("to") != "" {
		first, ok1 := node.ParseDay(from)
		last, ok2 := node.ParseDay(c.PostForm("to"))
		if ok1 && c.PostForm("to") == "" {
			last, ok2 = first, true
		}
		if !ok1 || !ok2 {
			return &node.Error{Kind: node.Invalid, Code: "out-of-range", Field: "absences"}
		}
		absences = append(absences, node.Absence{From: first, To: last})
	}
	_, err = s.node.Volunteers.SetReadiness(c.Request.Context(), by, by.Volunteer, uint32(version), weekOf(c), perWeek, radius, absences)
	return err
}

// small reads a small number of a form; empty is 0.
func small(c *gin.Context, field string) (uint8, error) {
	if c.PostForm(field) == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(c.PostForm(field), 10, 8)
	if err != nil {
		return 0, &node.Error{Kind: node.Invalid, Code: "out-of-range", Field: field}
	}
	return uint8(n), nil
}
