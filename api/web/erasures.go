package web

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// erasures are the pages about people whose words become unreadable for ever.
type erasures struct{ *Site }

// erasuresData is who waits, and what was done.
type erasuresData struct {
	Waiting []wantedLine
	Done    []erasureLine
	Next    string
	Key     string
}

// wantedLine is somebody who waits for the batch.
type wantedLine struct {
	node.Wanted
	Link string // to the file, while it exists
	Who  string // the ID
	By   node.Secret
}

// erasureLine is an erasure with whom and what it waits for.
type erasureLine struct {
	node.Erasure
	Waits []wait
}

// wait is one thing that a certificate waits for.
type wait struct {
	Key  string // erasures.wait_KEY
	Name string
}

// waitsFor lists what keeps an erasure from being certified.
func waitsFor(e node.Erasure) (out []wait) {
	if e.Certified != 0 {
		return nil
	}
	for _, h := range e.Holders {
		if h.Gone == 0 && h.Destroyed == 0 {
			out = append(out, wait{"machine", h.Name})
		}
	}
	for _, b := range e.Backups {
		if b.Replaced == 0 {
			out = append(out, wait{"backup", b.Name})
		}
	}
	return out
}

// fileOf is where somebody's file is read, or "".
func fileOf(kind node.Erasable, id string) string {
	switch kind {
	case node.ErasableBeneficiary:
		return "/people/" + id
	case node.ErasableVolunteer:
		return "/volunteers/" + id
	case node.ErasableAccount:
		return "/settings"
	case node.ErasableImport:
		return "/settings/imports"
	case node.ErasableJournal:
		return ""
	}
	return ""
}

func idText(id [16]byte) string { return node.RequestID(id).String() }

// erasuresPage is how many erasures stand on a page.
const erasuresPage = 30

func (s erasures) list(c *gin.Context) { s.show(c, http.StatusOK, nil) }

func (s erasures) show(c *gin.Context, code int, problem error) {
	place, err := readCursor(c.Query("after"))
	if err != nil {
		s.fail(c, err)
		return
	}
	waiting, done, next, err := s.node.Erasures.List(caller(c), node.Page{Limit: erasuresPage, Cursor: place})
	if err != nil {
		s.fail(c, err)
		return
	}
	s.draw(c, code, waiting, done, next, problem)
}

func (s erasures) draw(c *gin.Context, code int, waiting []node.Wanted, done []node.Erasure, next []byte, problem error) {
	d := erasuresData{Key: newKey(), Next: writeCursor(next)}
	for _, w := range waiting {
		line := wantedLine{Wanted: w, Who: idText(w.Who)}
		line.Link = fileOf(w.Kind, line.Who)
		line.By, _ = s.node.Accounts.Name(caller(c), w.By)
		d.Waiting = append(d.Waiting, line)
	}
	for _, e := range done {
		d.Done = append(d.Done, erasureLine{e, waitsFor(e)})
	}
	w := s.words(c)
	s.render(c, code, "erasures", page{Title: w.t("erasures.title"), Here: "backstage", Problem: w.say(problem), Data: d})
}

// certificate is the page to print.
func (s erasures) certificate(c *gin.Context) {
	id, err := node.ParseID[node.ErasureID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	cert, err := s.node.Erasures.Certificate(caller(c), id)
	if err != nil {
		s.fail(c, err)
		return
	}
	s.drawCertificate(c, cert)
}

// certificateData is what is printed.
type certificateData struct {
	node.Certificate
	Waits []wait
}

func (s erasures) drawCertificate(c *gin.Context, cert node.Certificate) {
	w := s.words(c)
	title := w.t("erasures.certificate")
	if cert.Certified == 0 {
		title = w.t("erasures.not_yet")
	}
	papers{s.Site}.print(c, w, sheet{Title: title, Name: "certificate", Back: "/erasures", Call: w.t("erasures.questions"), Data: certificateData{cert, waitsFor(cert.Erasure)}})
}

// asking is the page before somebody is erased.
type asking struct {
	Kind     node.Erasable
	ID       string
	Name     string
	File     string
	Planned  []node.Visit // that are called off
	CallHers []node.Beneficiary
	CallHis  []node.Volunteer
	Visits   int // that took place, and stay counted
	More     bool
	Key      string
}

// mostPlanned is how many visits the page looks through.
const mostPlanned = 100

func (s erasures) askBeneficiary(c *gin.Context) {
	s.ask(c, http.StatusOK, node.ErasableBeneficiary, nil)
}
func (s erasures) askVolunteer(c *gin.Context) {
	s.ask(c, http.StatusOK, node.ErasableVolunteer, nil)
}

func (s erasures) ask(c *gin.Context, code int, kind node.Erasable, problem error) {
	d, err := s.asking(caller(c), kind, c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	w := s.words(c)
	here := "people"
	if kind == node.ErasableVolunteer {
		here = "volunteers"
	}
	s.render(c, code, "erase", page{Title: w.t("erasures.ask_title", "Name", d.Name), Here: here, Narrow: true, Problem: w.say(problem), Data: d})
}

// asking reads what goes and what stays.
func (s erasures) asking(by node.Caller, kind node.Erasable, text string) (d asking, err error) {
	d = asking{Kind: kind, ID: text, File: fileOf(kind, text), Key: newKey()}
	var visits []node.Visit
	var next []byte
	if kind == node.ErasableVolunteer {
		id, err := node.ParseID[node.VolunteerID](text)
		if err != nil {
			return d, err
		}
		him, err := s.node.Volunteers.Get(by, id)
		if err != nil {
			return d, err
		}
		d.Name = hisName(him.Words)
		if visits, next, err = s.node.Requests.OfVolunteer(by, id, node.Page{Limit: mostPlanned}); err != nil {
			return d, err
		}
		for _, v := range visits {
			for _, seat := range v.Coming() {
				if seat.Volunteer.ID == id {
					d.note(v)
				}
			}
		}
	} else {
		id, err := node.ParseID[node.BeneficiaryID](text)
		if err != nil {
			return d, err
		}
		her, err := s.node.Beneficiaries.Get(by, id)
		if err != nil {
			return d, err
		}
		d.Name = herName(her.Words)
		if visits, next, err = s.node.Requests.OfPerson(by, id, node.Page{Limit: mostPlanned}); err != nil {
			return d, err
		}
		for _, v := range visits {
			d.note(v)
		}
	}
	d.More = next != nil
	return d, nil
}

// note takes a visit in: it is over and counted, or planned, and somebody has to
// be told that it is called off.
func (d *asking) note(v node.Visit) {
	if v.State.Closed() {
		if v.State == node.StateDone {
			d.Visits++
		}
		return
	}
	d.Planned = append(d.Planned, v)
	if d.Kind == node.ErasableVolunteer {
		for _, her := range d.CallHers {
			if her.ID == v.Her.ID {
				return
			}
		}
		d.CallHers = append(d.CallHers, v.Her)
		return
	}
next:
	for _, seat := range v.Coming() {
		for _, him := range d.CallHis {
			if him.ID == seat.Volunteer.ID {
				continue next
			}
		}
		d.CallHis = append(d.CallHis, seat.Volunteer)
	}
}

func (s erasures) wantBeneficiary(c *gin.Context) { s.want(c, node.ErasableBeneficiary) }
func (s erasures) wantVolunteer(c *gin.Context)   { s.want(c, node.ErasableVolunteer) }

// want notes the wish, or erases at once. Without the tick nothing happens: a
// press too many must not end a file.
func (s erasures) want(c *gin.Context, kind node.Erasable) {
	id, err := node.ParseID[node.RequestID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	if c.PostForm("sure") == "" {
		err := &node.Error{Kind: node.Invalid, Code: "missing", Field: "sure"}
		s.ask(c, status(err), kind, err)
		return
	}
	now := c.PostForm("act") == "now"
	if _, err := s.node.Erasures.Want(c.Request.Context(), writer(c), kind, id, now); err != nil {
		s.ask(c, status(err), kind, err)
		return
	}
	done := "erasure-wanted"
	if now {
		done = "erasure-done"
	}
	c.Redirect(http.StatusSeeOther, "/erasures?ok="+done)
}

// keep takes a wish back.
func (s erasures) keep(c *gin.Context) {
	id, err := node.ParseID[node.ErasureID](c.Param("id"))
	if err == nil {
		_, err = s.node.Erasures.Keep(c.Request.Context(), writer(c), id)
	}
	if err != nil {
		s.show(c, status(err), err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/erasures?ok=erasure-kept")
}

// run erases everybody who waits.
func (s erasures) run(c *gin.Context) {
	if c.PostForm("sure") == "" {
		err := &node.Error{Kind: node.Invalid, Code: "missing", Field: "sure"}
		s.show(c, status(err), err)
		return
	}
	if _, err := s.node.Erasures.Run(c.Request.Context(), writer(c)); err != nil {
		s.show(c, status(err), err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/erasures?ok=erasure-done")
}

// keyName writes the name of a root key in groups, to be read aloud.
func keyName(hex string) string {
	var groups []string
	for len(hex) > 4 {
		groups, hex = append(groups, hex[:4]), hex[4:]
	}
	return strings.Join(append(groups, hex), " ")
}

// fullDate says a day with its year, for papers that are kept.
func (w *tongue) fullDate(d node.Day) string {
	t := d.Date()
	return w.t("erasures.full_date", "Day", t.Day(), "Month", w.month(t.Month()), "Year", fmt.Sprint(t.Year()))
}

// wanted is the wish about somebody that the next batch will fulfil, for who may
// see it; nil for none.
func (s erasures) wanted(by node.Caller, id [16]byte) *node.Wanted {
	if !isAdmin(by) {
		return nil
	}
	waiting, _, _, err := s.node.Erasures.List(by, node.Page{Limit: 1})
	if err != nil {
		return nil // the file itself is worth showing
	}
	for _, w := range waiting {
		if w.Who == id {
			return &w
		}
	}
	return nil
}
