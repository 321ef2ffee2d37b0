package web

import (
	"net/http"
	"slices"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// books are the pages of the registers: of processing, of what is kept for how long, of
// the notices, of breaches.
type books struct{ *Site }

// register is the register of processing, to be printed.
func (s books) register(c *gin.Context) {
	entries, err := s.node.DPO.Books.Entries(caller(c))
	if err != nil {
		s.fail(c, err)
		return
	}
	w := s.tongues[languages[0]] // the law's language, whoever reads
	papers{s.Site}.print(c, w, sheet{Title: w.t("dpo.register"), Name: "register", Back: "/dpo", Data: entries})
}

// assessment is the impact assessment, to be printed.
func (s books) assessment(c *gin.Context) {
	a, err := s.node.DPO.Books.Assessment(caller(c))
	if err != nil {
		s.fail(c, err)
		return
	}
	w := s.tongues[languages[0]]
	papers{s.Site}.print(c, w, sheet{Title: w.t("dpo.assessment"), Name: "assessment", Back: "/dpo", Data: a})
}

// retentionData is for how long things are kept, and who would go.
type retentionData struct {
	Rules   []node.RetentionRule
	Waiting *node.Sorting
	Reports []node.Sorting
	Version uint32
	Admin   bool
	Key     string
}

func (s books) retention(c *gin.Context) { s.keeping(c, http.StatusOK, nil) }

func (s books) keeping(c *gin.Context, code int, problem error) {
	by, w := caller(c), s.words(c)
	d := retentionData{Key: newKey(), Admin: by.May(node.ChooseRetention) == nil}
	rules, err := s.node.DPO.Retention.Rules(by)
	if err != nil {
		s.fail(c, err)
		return
	}
	d.Rules = rules
	if len(rules) > 0 {
		d.Version = rules[0].Version
	}
	all, err := s.node.DPO.Retention.List(by)
	if err != nil {
		s.fail(c, err)
		return
	}
	for i := range all {
		if all[i].Approved == 0 {
			d.Waiting = &all[i]
		} else {
			d.Reports = append(d.Reports, all[i])
		}
	}
	s.render(c, code, "retention", page{Title: w.t("dpo.retention"), Here: "retention", Problem: w.say(problem), Data: d})
}

func (s books) look(c *gin.Context) {
	if _, err := s.node.DPO.Retention.Look(c.Request.Context(), writer(c)); err != nil {
		s.keeping(c, status(err), err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/dpo/retention")
}

func (s books) choose(c *gin.Context) {
	var months []int
	for _, m := range c.PostFormArray("months") {
		months = append(months, toNumber(m))
	}
	if _, err := s.node.DPO.Retention.Choose(c.Request.Context(), writer(c), uint32(numberOf(c, "version")), months); err != nil {
		s.keeping(c, status(err), err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/dpo/retention?ok=recorded")
}

func (s books) approve(c *gin.Context) {
	id, err := node.ParseID[node.SortingID](c.Param("id"))
	if err == nil && c.PostForm("sure") == "" {
		err = &node.Error{Kind: node.Invalid, Code: "missing", Field: "sure"}
	}
	if err == nil {
		_, err = s.node.DPO.Retention.Approve(c.Request.Context(), writer(c), id, c.PostForm("digest"))
	}
	if err != nil {
		s.keeping(c, status(err), err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/dpo/retention?ok=erasure-wanted")
}

// notices are the texts by which people are told.
func (s books) notices(c *gin.Context) { s.texts(c, http.StatusOK, nil) }

// noticesData is the texts, and who was not told.
type noticesData struct {
	Texts  []node.NoticeText
	Untold map[node.Treatment]int
	Write  bool
	Key    string
}

func (s books) texts(c *gin.Context, code int, problem error) {
	by, w := caller(c), s.words(c)
	all, err := s.node.DPO.Texts.Current(by)
	if err != nil {
		s.fail(c, err)
		return
	}
	d := noticesData{Texts: all, Untold: map[node.Treatment]int{}, Write: by.May(node.WriteNotices) == nil, Key: newKey()}
	for i, kind := range []node.Erasable{node.ErasableBeneficiary, node.ErasableVolunteer} {
		if by.May(node.NoteDemands) == nil && i < len(all) {
			if _, d.Untold[all[i].Treatment], err = s.node.DPO.Texts.Untold(by, kind); err != nil {
				s.fail(c, err)
				return
			}
		}
	}
	s.render(c, code, "notices", page{Title: w.t("dpo.notices"), Here: "notices", Problem: w.say(problem), Data: d})
}

func (s books) writeNotice(c *gin.Context) {
	_, err := s.node.DPO.Texts.Write(c.Request.Context(), writer(c), node.Treatment(toNumber(c.Param("treatment"))), uint16(numberOf(c, "version")), c.PostForm("words"))
	if err != nil {
		s.texts(c, status(err), err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/dpo/notices?ok=recorded")
}

func (s books) printNotice(c *gin.Context) {
	all, err := s.node.DPO.Texts.Current(caller(c))
	if err != nil {
		s.fail(c, err)
		return
	}
	i := slices.IndexFunc(all, func(t node.NoticeText) bool { return t.Treatment == node.Treatment(toNumber(c.Param("treatment"))) })
	if i < 0 {
		s.notFound(c)
		return
	}
	w := s.tongues[languages[0]]
	papers{s.Site}.print(c, w, sheet{Title: w.t("dpo.notice_title"), Name: "notice", Back: "/dpo/notices", Call: w.t("dpo.answer_call"), Data: all[i]})
}

// breachData is one page of the register of breaches.
type breachData struct {
	node.Breach
	New                     bool
	Known, From, To         string
	Notified, Informed      string
	Late                    bool
	Deadline                node.Instant
	Harms, Risks            []int
	What, Effects, Measures string
	Key                     string
}

func (s books) breaches(c *gin.Context) {
	by, w := caller(c), s.words(c)
	all, err := s.node.DPO.Breaches.List(by)
	if err != nil {
		s.fail(c, err)
		return
	}
	var d []breachData
	now := node.Instant(s.node.Now().UnixMilli())
	for _, b := range all {
		d = append(d, breachData{Breach: b, Late: b.Late(now), Deadline: b.Deadline()})
	}
	s.render(c, http.StatusOK, "breaches", page{Title: w.t("dpo.breaches"), Here: "breaches", Data: d})
}

// clock is how a form writes a moment.
const clock = "2006-01-02T15:04"

func (s books) moment(at node.Instant) string {
	if at == 0 {
		return ""
	}
	return at.Time().In(s.node.Now().Location()).Format(clock)
}

func (s books) instant(text string) node.Instant {
	t, err := time.ParseInLocation(clock, text, s.node.Now().Location())
	if err != nil {
		return 0
	}
	return node.Instant(t.UnixMilli())
}

func (s books) breach(c *gin.Context) { s.breachPage(c, http.StatusOK, nil) }

func (s books) breachPage(c *gin.Context, code int, problem error) {
	by, w := caller(c), s.words(c)
	d := breachData{New: c.Param("id") == "new", Harms: []int{1, 2, 4}, Risks: []int{1, 2, 3}, Key: newKey()}
	if d.New {
		d.Known = s.moment(node.Instant(s.node.Now().UnixMilli()))
	} else {
		id, err := node.ParseID[node.BreachID](c.Param("id"))
		if err == nil {
			d.Breach, err = s.node.DPO.Breaches.Get(by, id)
		}
		if err != nil {
			s.fail(c, err)
			return
		}
		f := d.Facts
		d.Known, d.From, d.To, d.Notified, d.Informed = s.moment(f.Known), s.moment(f.From), s.moment(f.To), s.moment(f.Notified), s.moment(f.Informed)
		d.What, d.Effects, d.Measures = d.Words.What.Reveal(), d.Words.Effects.Reveal(), d.Words.Measures.Reveal()
		d.Deadline, d.Late = d.Breach.Deadline(), d.Breach.Late(node.Instant(s.node.Now().UnixMilli()))
	}
	if problem != nil { // nothing that was typed is lost
		d.What, d.Effects, d.Measures = c.PostForm("what"), c.PostForm("effects"), c.PostForm("measures")
		d.Known, d.From, d.To = c.PostForm("known"), c.PostForm("from"), c.PostForm("to")
		d.Notified, d.Informed = c.PostForm("notified"), c.PostForm("informed")
	}
	if c.Query("print") != "" && !d.New {
		w := s.tongues[languages[0]]
		papers{s.Site}.print(c, w, sheet{Title: w.t("dpo.breach_title"), Name: "breach_print", Back: "/dpo/breaches/" + c.Param("id"), Data: d})
		return
	}
	s.render(c, code, "breach", page{Title: w.t("dpo.breach_title"), Here: "breaches", Narrow: true, Problem: w.say(problem), Data: d})
}

func (s books) writeBreach(c *gin.Context) {
	ctx, by := c.Request.Context(), writer(c)
	f := node.BreachFacts{
		Known: s.instant(c.PostForm("known")), From: s.instant(c.PostForm("from")), To: s.instant(c.PostForm("to")),
		Notified: s.instant(c.PostForm("notified")), Informed: s.instant(c.PostForm("informed")), People: uint32(numberOf(c, "people")),
	}
	f.Risk = node.BreachRisk(numberOf(c, "risk"))
	for _, h := range c.PostFormArray("harm") {
		f.Harm |= node.BreachHarm(toNumber(h))
	}
	words := node.BreachWords{What: crypto.NewSecret(c.PostForm("what")), Effects: crypto.NewSecret(c.PostForm("effects")), Measures: crypto.NewSecret(c.PostForm("measures"))}
	var err error
	var made node.Receipt
	if c.Param("id") == "new" {
		made, err = s.node.DPO.Breaches.Write(ctx, by, f, words)
	} else {
		var id node.BreachID
		if id, err = node.ParseID[node.BreachID](c.Param("id")); err == nil {
			made, err = s.node.DPO.Breaches.Change(ctx, by, id, uint32(numberOf(c, "version")), f, words, c.PostForm("act") == "close")
		}
	}
	if err != nil {
		s.breachPage(c, status(err), err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/dpo/breaches/"+node.BreachID(made.ID).String()+"?ok=recorded")
}
