package web

import (
	"net/http"
	"strconv"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// dpo are the pages of the data protection officer: what is due, whom to answer, what
// to look at again.
type dpo struct{ *Site }

// caseLine is one demand in a list.
type caseLine struct {
	node.Case
	Late bool
}

func (s dpo) lines(all []node.Case) (out []caseLine) {
	today := node.DayOf(s.node.Now())
	for _, c := range all {
		out = append(out, caseLine{c, c.Overdue(today)})
	}
	return out
}

// deskData is how things stand.
type dpoDesk struct {
	Cases    []caseLine
	Late     int
	Settings []node.Setting
	Weak     int
	Sorting  *node.Sorting // the last look through the files
	Breaches int           // pages that are open
	Told     int           // of which the CNIL should have been told by now
	Left     uint64        // entries
	Settled  int64
	Pending  int // erasures without certificate
	Erasures []erasureLine
	Releases []node.Release
	Untold   int // people who were given no notice
}

func (s dpo) desk(c *gin.Context) {
	by, w := caller(c), s.words(c)
	d, err := s.overview(c, by)
	if err != nil {
		s.fail(c, err)
		return
	}
	s.render(c, http.StatusOK, "dpo", page{Title: w.t("dpo.title"), Here: "dpo", Data: d})
}

func (s dpo) overview(c *gin.Context, by node.Caller) (d dpoDesk, err error) {
	all, err := s.node.DPO.Cases.List(by, false)
	if err != nil {
		return d, err
	}
	d.Cases = s.lines(all)
	for _, l := range d.Cases {
		if l.Late {
			d.Late++
		}
	}
	if d.Settings, err = s.node.DPO.Books.Settings(by); err != nil {
		return d, err
	}
	for _, x := range d.Settings {
		if x.Weak {
			d.Weak++
		}
	}
	looks, err := s.node.DPO.Retention.List(by)
	if err != nil {
		return d, err
	}
	if len(looks) > 0 {
		d.Sorting = &looks[0]
	}
	breaches, err := s.node.DPO.Breaches.List(by)
	if err != nil {
		return d, err
	}
	now := node.Instant(s.node.Now().UnixMilli())
	for _, b := range breaches {
		if b.Closed == 0 {
			d.Breaches++
		}
		if b.Late(now) {
			d.Told++
		}
	}
	feeds, err := s.node.Ledger.Feeds(by)
	if err != nil {
		return d, err
	}
	for _, f := range feeds {
		d.Left, d.Settled = d.Left+f.Size, d.Settled+f.Settled
	}
	_, done, _, err := s.node.Erasures.List(by, node.Page{Limit: 30})
	if err != nil {
		return d, err
	}
	for _, e := range done {
		if e.Certified == 0 {
			d.Pending++
		}
		if len(d.Erasures) < 5 {
			d.Erasures = append(d.Erasures, erasureLine{e, waitsFor(e)})
		}
	}
	if d.Releases, err = s.node.Replicas.Released(by); err != nil {
		return d, err
	}
	for _, kind := range []node.Erasable{node.ErasableBeneficiary, node.ErasableVolunteer} {
		_, n, err := s.node.DPO.Texts.Untold(by, kind)
		if err != nil {
			return d, err
		}
		d.Untold += n
	}
	return d, nil
}

// casesData is the demands, and the files that only the DPO sees.
type casesData struct {
	Open, Closed []caseLine
	Restricted   []node.Person
	Found        []node.Found
	Looked       bool
	Text         string
}

func (s dpo) cases(c *gin.Context) { s.listCases(c, "") }

// find looks for somebody who has phoned or written. The text comes in the body: it
// is a name.
func (s dpo) find(c *gin.Context) { s.listCases(c, c.PostForm("q")) }

func (s dpo) listCases(c *gin.Context, text string) {
	by, w := caller(c), s.words(c)
	d := casesData{Text: text, Looked: text != ""}
	open, err := s.node.DPO.Cases.List(by, false)
	if err == nil {
		d.Open = s.lines(open)
		open, err = s.node.DPO.Cases.List(by, true)
		d.Closed = s.lines(open)
	}
	if err == nil {
		d.Restricted, err = s.node.DPO.Cases.Restricted(by)
	}
	if err == nil && d.Looked {
		d.Found, err = s.node.Find.People(by, text, node.AnyPerson, 20)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	s.render(c, http.StatusOK, "cases", page{Title: w.t("dpo.cases"), Here: "cases", Data: d})
}

// newCase is the form on which a demand is written down.
type newCase struct {
	Kind, ID string
	Name     string
	Demand   string
	Day      string // of today
	Note     string
	Desk     bool // it is the desk that writes
}

func (s dpo) blank(c *gin.Context) {
	s.form(c, http.StatusOK, newCase{Kind: c.Query("kind"), ID: c.Query("id")}, nil)
}

func (s dpo) form(c *gin.Context, code int, d newCase, problem error) {
	by, w := caller(c), s.words(c)
	d.Day, d.Desk = node.DayOf(s.node.Now()).String(), by.Staff()
	if d.ID != "" {
		who, err := s.subject(d.Kind, d.ID)
		if err == nil {
			var p node.Person
			if p, err = s.node.DPO.Cases.Person(by, who); err == nil {
				d.Name = personName(p)
			}
		}
		if err != nil {
			s.fail(c, err)
			return
		}
	}
	s.render(c, code, "case_new", page{Title: w.t("dpo.new"), Here: "cases", Narrow: true, Problem: w.say(problem), Data: d})
}

func (s dpo) subject(kind, text string) (node.Subject, error) {
	if text == "" {
		return node.Subject{}, nil
	}
	id, err := node.ParseID[node.RequestID](text)
	if err != nil {
		return node.Subject{}, err
	}
	return node.Somebody(node.Erasable(kind), id)
}

// personName is a person as she is spoken of.
func personName(p node.Person) string {
	if p.Her != nil {
		return herName(p.Her.Words)
	}
	if p.Him != nil {
		return hisName(p.Him.Words)
	}
	return ""
}

func (s dpo) open(c *gin.Context) {
	d := newCase{Kind: c.PostForm("kind"), ID: c.PostForm("id"), Demand: c.PostForm("demand"), Note: c.PostForm("note")}
	in := node.NewCase{Demand: node.Demand(numberOf(c, "demand")), Asker: node.Asker(numberOf(c, "asker")), Note: crypto.NewSecret(d.Note)}
	in.Received, _ = node.ParseDay(c.PostForm("received"))
	who, err := s.subject(d.Kind, d.ID)
	in.About = who
	var made node.Receipt
	if err == nil {
		made, err = s.node.DPO.Cases.Open(c.Request.Context(), writer(c), in)
	}
	if err != nil {
		s.form(c, status(err), d, err)
		return
	}
	if caller(c).Staff() {
		c.Redirect(http.StatusSeeOther, fileOf(node.Erasable(d.Kind), d.ID)+"?ok=demand")
		return
	}
	c.Redirect(http.StatusSeeOther, "/dpo/cases/"+node.CaseID(made.ID).String()+"?ok=demand")
}

// caseData is one demand with the next gesture.
type caseData struct {
	caseLine
	Name    string
	File    string
	Proof   string // of the erasure
	Checks  []node.CaseCheck
	Uses    []node.Use
	Means   []node.Means
	Planned []node.Visit
	Key     string
}

func (s dpo) page(c *gin.Context) { s.show(c, http.StatusOK, nil) }

func (s dpo) show(c *gin.Context, code int, problem error) {
	by, w := caller(c), s.words(c)
	id, err := node.ParseID[node.CaseID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	one, err := s.node.DPO.Cases.Get(by, id)
	if err != nil {
		s.fail(c, err)
		return
	}
	d := caseData{caseLine: s.lines([]node.Case{one})[0], Key: newKey(), Name: personName(one.Person)}
	d.Checks = []node.CaseCheck{1, 2, 3, 4}
	d.Means = []node.Means{1, 2, 3, 4}
	d.Uses = []node.Use{node.UseWhole, node.UseAcross, node.UsePartners, node.UseCourtesy}
	proof, gone, err := s.node.DPO.Cases.Proof(by, id)
	if err == nil && gone {
		d.Proof = "/erasures/" + proof.String()
	}
	if err == nil && !one.State.Closed() && one.Person.Her != nil {
		d.Planned, err = s.node.DPO.Cases.Planned(by, id)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	s.render(c, code, "case", page{Title: w.t("dpo.case_title", "What", upper(node.InPlain(one.Demand, w.lang == "en"))), Here: "cases", Narrow: true, Problem: w.say(problem), Data: d})
}

// act does what a button says.
func (s dpo) act(c *gin.Context) {
	id, err := node.ParseID[node.CaseID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	ctx, by, cases, version := c.Request.Context(), writer(c), s.node.DPO.Cases, uint32(numberOf(c, "version"))
	sure := func(do func() (node.Receipt, error)) error {
		if c.PostForm("sure") == "" {
			return &node.Error{Kind: node.Invalid, Code: "missing", Field: "sure"}
		}
		_, err := do()
		return err
	}
	step := func(x node.CaseStep) error {
		_, err := cases.Step(ctx, by, id, version, x, crypto.NewSecret(c.PostForm("note")))
		return err
	}
	done := "case-moved"
	switch c.Param("act") {
	case "check":
		err = step(node.CaseStep{To: node.CaseChecked, Check: node.CaseCheck(numberOf(c, "check"))})
	case "note":
		err = step(node.CaseStep{})
	case "answered":
		err = step(node.CaseStep{To: node.CaseAnswered})
	case "decline":
		err = step(node.CaseStep{To: node.CaseDeclined, Reason: node.CaseReason(numberOf(c, "reason"))})
	case "drop":
		err = step(node.CaseStep{To: node.CaseDropped})
	case "extend":
		_, err = cases.Extend(ctx, by, id, version, node.CaseReason(numberOf(c, "reason")))
	case "restrict":
		_, err = cases.Restrict(ctx, by, id, false)
		done = "case-restricted"
	case "lift":
		_, err = cases.Restrict(ctx, by, id, true)
		done = "case-lifted"
	case "erase":
		err = sure(func() (node.Receipt, error) { return cases.Erase(ctx, by, id) })
		done = "case-erased"
	case "object":
		var uses node.Use
		for _, one := range c.PostFormArray("use") {
			uses |= node.Use(toNumber(one))
		}
		err = sure(func() (node.Receipt, error) {
			return cases.ObjectCase(ctx, by, id, uses, node.Means(numberOf(c, "how")))
		})
	default:
		s.notFound(c)
		return
	}
	if err != nil {
		s.show(c, status(err), err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/dpo/cases/"+id.String()+"?ok="+done)
}

// answerData is what she gets on paper.
type answerData struct {
	node.DataAnswer
	English bool
	Groups  []answerGroup
}

// answerGroup is all records of one sort.
type answerGroup struct {
	Key   string // dpo.part_KEY
	Parts []node.DataPart
}

// partKeys names the sorts of records on paper, in their order.
var partKeys = []string{"people.BeneficiaryWords", "people.VolunteerWords", "request.Request", "series.Series", "contact.Attempt", "bond.Bond", "offer.Offer", "account.Account", "rights.Case"}

// answer is everything that is held of her, in plain words and large type, to be
// handed over.
func (s dpo) answer(c *gin.Context) {
	a, err := s.readAnswer(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	w := papers{s.Site}.in(a.Person.Paper)
	d := answerData{DataAnswer: a, English: w.lang == "en"}
	for _, key := range partKeys {
		g := answerGroup{Key: partName(key)}
		for _, p := range a.Parts {
			if p.Struct == key {
				g.Parts = append(g.Parts, p)
			}
		}
		if len(g.Parts) > 0 {
			d.Groups = append(d.Groups, g)
		}
	}
	papers{s.Site}.print(c, w, sheet{Title: w.t("dpo.answer_title"), Name: "answer", Back: "/dpo/cases/" + c.Param("id"), Call: w.t("dpo.answer_call"), Data: d})
}

func partName(structure string) string {
	for i := range structure {
		if structure[i] == '.' {
			return structure[i+1:]
		}
	}
	return structure
}

func (s dpo) readAnswer(c *gin.Context) (node.DataAnswer, error) {
	id, err := node.ParseID[node.CaseID](c.Param("id"))
	if err != nil {
		return node.DataAnswer{}, err
	}
	return s.node.DPO.Cases.Answer(caller(c), id)
}

// answerFile is the same for programs, to be taken along.
func (s dpo) answerFile(c *gin.Context) {
	a, err := s.readAnswer(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	c.Header("Content-Disposition", `attachment; filename="donnees.json"`)
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, a.Portable())
}

// toNumber reads a number from 0 to 9999; anything else is 0, which says nothing.
func toNumber(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 9999 {
		return 0
	}
	return n
}

func numberOf(c *gin.Context, field string) int { return toNumber(c.PostForm(field)) }
