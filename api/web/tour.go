package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// tour is the demo's first visit: a call to act out on the real pages, from the
// ringing telephone to the figure that moves. It exists in the demo only and
// records nothing of its own: where a visitor stands follows from the request
// that she has made.
type tour struct{ *Site }

// tourCookie holds who calls and since when, while a tour lasts.
const tourCookie = "tour"

// Steps of the tour.
const (
	tourNote  = 1 // the telephone rings: note the request
	tourAsk   = 2 // choose whom to ask
	tourPhone = 3 // a volunteer's telephone: he accepts
	tourTell  = 4 // call her back
	tourPaper = 5 // her calendar, and the figure that moved
)

// tourCallers is among how many people the next caller is chosen.
const tourCallers = 60

// tourData is what a page shows of it.
type tourData struct {
	Step  int
	Her   node.Beneficiary
	Visit node.Visit // the request, from step 2 on
	Phone *node.Seat // whose telephone is beside the page
	Told  uint64     // times that somebody was told this month
	Key   string
}

// ring picks who calls: somebody whom a volunteer has visited, another one each
// time.
func (s tour) ring(c *gin.Context) {
	by := caller(c)
	list, _, err := s.node.Find.Beneficiaries(by, node.Register{Limit: tourCallers})
	if err != nil {
		s.fail(c, err)
		return
	}
	from := int(s.node.Index())
	for i := range list {
		her := list[(from+i)%len(list)]
		known, err := s.node.Requests.Usual(by, her.ID)
		if err != nil {
			s.fail(c, err)
			return
		}
		if len(known) == 0 || len(her.Words.Phones) == 0 || her.State != node.Active || s.waits(by, her.ID) {
			continue
		}
		value := her.ID.String() + "." + strconv.FormatInt(s.node.Now().UnixMilli(), 10)
		http.SetCookie(c.Writer, &http.Cookie{Name: tourCookie, Value: value, Path: "/", MaxAge: 3600, HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode})
		break
	}
	c.Redirect(http.StatusSeeOther, "/desk")
}

// waits: something else about her is open, which would muddle the tour.
func (s tour) waits(by node.Caller, her node.BeneficiaryID) bool {
	visits, _, err := s.node.Requests.OfPerson(by, her, node.Page{Limit: 10})
	for _, v := range visits {
		if !v.State.Closed() {
			return true
		}
	}
	return err != nil
}

// leave ends the tour.
func (s tour) leave(c *gin.Context) {
	http.SetCookie(c.Writer, &http.Cookie{Name: tourCookie, Path: "/", MaxAge: -1, HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode})
	c.Redirect(http.StatusSeeOther, back(c, "/desk"))
}

// of is where the caller's tour stands, or nil.
func (s tour) of(c *gin.Context) *tourData {
	cookie, err := c.Request.Cookie(tourCookie)
	if s.demo == nil || err != nil {
		return nil
	}
	text, since, _ := strings.Cut(cookie.Value, ".")
	id, err := node.ParseID[node.BeneficiaryID](text)
	began, err2 := strconv.ParseInt(since, 10, 64)
	if err != nil || err2 != nil {
		return nil
	}
	by := caller(c)
	t := &tourData{Step: tourNote, Key: newKey()}
	if t.Her, err = s.node.Beneficiaries.Get(by, id); err != nil {
		return nil
	}
	visits, _, err := s.node.Requests.OfPerson(by, id, node.Page{Limit: 5})
	if err != nil {
		return nil
	}
	for _, v := range visits {
		if v.Opened.Time().After(time.UnixMilli(began)) {
			t.follow(v)
			break
		}
	}
	if t.Step == tourPaper {
		now := s.node.Now()
		month := node.MonthOf(now.Year(), int(now.Month()))
		if f, err := s.node.Figures.Read(by, month, month); err == nil {
			t.Told = f.Total[node.CountTold]
		}
	}
	return t
}

// follow reads the step from the request.
func (t *tourData) follow(v node.Visit) {
	t.Visit = v
	switch {
	case v.State == node.StateOpen || v.State == node.StateDraft:
		t.Step = tourAsk
	case v.State == node.StateAsked:
		t.Step = tourPhone
		if waiting := v.Waiting(); len(waiting) > 0 {
			t.Phone = &waiting[0]
		}
	case v.State == node.StateCovered:
		t.Step = tourTell
	default:
		t.Step = tourPaper
	}
}

// startOf is as much of a name as finds somebody.
func startOf(name string) string {
	r := []rune(name)
	return strings.ToLower(string(r[:min(len(r), 4)]))
}
