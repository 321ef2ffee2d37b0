package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// journal is "Journal des consultations": who has read whose words, for the data
// protection officer, and for the person herself on paper.
type journal struct{ *Site }

func watches(by node.Caller) bool { return by.May(node.ReadJournal) == nil }

// readLine is one entry as the page shows it.
type readLine struct {
	node.JournalEntry
	Account node.Named
	Whom    []readName
	More    int // people who are not named on the page
	Times   int // on paper: how often that day, if more than once
}

type readName struct {
	node.Named
	Kind, ID string
}

type journalData struct {
	Lines   []readLine
	Older   string // address of the next page, or ""
	About   *readName
	Reader  *readLine // whose readings alone are shown
	Month   string
	Months  []string
	Chains  []node.JournalChain
	Check   *node.JournalCheck
	Alerts  []oddLine
	Printed bool
}

// mostNamedHere is how many people of one entry are named on the page: who wants all
// opens the file. Each name that is shown is a reading of its own.
const mostNamedHere = 8

// names names accounts and people, each once for a page.
type names struct {
	journal
	by       node.Caller
	accounts map[node.AccountID]node.Named
	people   map[node.Subject]node.Named
}

func (s journal) names(c *gin.Context) *names {
	return &names{s, caller(c), map[node.AccountID]node.Named{}, map[node.Subject]node.Named{}}
}

func (n *names) account(id node.AccountID) (out node.Named, err error) {
	out, ok := n.accounts[id]
	if !ok {
		if out, err = n.node.Journal.Account(n.by, id); err == nil {
			n.accounts[id] = out
		}
	}
	return out, err
}

func (n *names) person(who node.Subject) (readName, error) {
	out, ok := n.people[who]
	if !ok {
		var err error
		if out, err = n.node.Journal.Person(n.by, who); err != nil {
			return readName{}, err
		}
		n.people[who] = out
	}
	return readName{out, string(who.Kind()), idText(who.ID)}, nil
}

func (n *names) lines(entries []node.JournalEntry, whom bool) (out []readLine, err error) {
	for _, e := range entries {
		l := readLine{JournalEntry: e}
		if l.Account, err = n.account(e.By); err != nil {
			return nil, err
		}
		for _, who := range e.Who {
			if !whom {
				break
			}
			if len(l.Whom) == mostNamedHere {
				l.More = len(e.Who) - mostNamedHere
				break
			}
			name, err := n.person(who)
			if err != nil {
				return nil, err
			}
			l.Whom = append(l.Whom, name)
		}
		out = append(out, l)
	}
	return out, nil
}

// filterOf reads what of the journal is wanted.
func filterOf(c *gin.Context) (f node.JournalFilter) {
	f.Before, _ = strconv.ParseUint(c.Query("before"), 10, 64)
	f.By, _ = node.ParseID[node.AccountID](c.Query("account"))
	if id, err := node.ParseID[node.BeneficiaryID](c.Query("person")); err == nil {
		f.Who = node.SubjectOf(c.DefaultQuery("of", node.SubjectBeneficiary), id)
	}
	var year, month int
	if n, _ := fmt.Sscanf(c.Query("month"), "%4d-%2d", &year, &month); n == 2 && month >= 1 && month <= 12 && year > 2000 {
		f.Month = node.JournalMonth(year, month)
	}
	return f
}

func (s journal) page(c *gin.Context) {
	w, f, n := s.words(c), filterOf(c), s.names(c)
	all, more, err := s.node.Journal.List(caller(c), f)
	d := journalData{Month: c.Query("month"), Months: s.months()}
	if err == nil {
		d.Lines, err = n.lines(all, true)
	}
	if err == nil && f.Who != (node.Subject{}) {
		var name readName
		name, err = n.person(f.Who)
		d.About = &name
	}
	if err == nil && !f.By.Zero() {
		d.Reader = &readLine{JournalEntry: node.JournalEntry{By: f.By}}
		d.Reader.Account, err = n.account(f.By)
	}
	if err == nil {
		d.Alerts, err = s.odd(n, s.node.Journal.Alerts)
	}
	if err == nil && c.Query("check") != "" {
		var check node.JournalCheck
		check, err = s.node.Journal.Verify(c.Request.Context(), caller(c))
		d.Check = &check
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	if more {
		q := c.Request.URL.Query()
		q.Set("before", strconv.FormatUint(all[len(all)-1].Index, 10))
		d.Older = "/dpo/journal?" + q.Encode() // IDs and numbers only
	}
	s.render(c, http.StatusOK, "journal", page{Title: w.t("journal.title"), Here: "journal", Data: d})
}

// months are those that the journal may hold, the newest first.
func (s journal) months() (out []string) {
	now := s.node.Now().UTC()
	for back := range 13 {
		out = append(out, now.AddDate(0, -back, 1-now.Day()).Format("2006-01"))
	}
	return out
}

type oddLine struct {
	node.JournalOdd
	Name node.Named
}

func (s journal) odd(n *names, of func(node.Caller) ([]node.JournalOdd, error)) (out []oddLine, err error) {
	all, err := of(n.by)
	for _, o := range all {
		l := oddLine{JournalOdd: o}
		if err == nil {
			l.Name, err = n.account(o.Account)
		}
		out = append(out, l)
	}
	return out, err
}

type digestData struct {
	node.JournalDigest
	Month    string
	Months   []string
	Accounts []digestLine
	Odd      []oddLine
}

type digestLine struct {
	node.JournalAccount
	Name node.Named
}

func (s journal) digest(c *gin.Context) {
	w, n, f := s.words(c), s.names(c), filterOf(c)
	d := digestData{Month: c.Query("month"), Months: s.months()}
	if f.Month == 0 {
		d.Month = d.Months[0]
		now := s.node.Now().UTC()
		f.Month = node.JournalMonth(now.Year(), int(now.Month()))
	}
	var err error
	d.JournalDigest, err = s.node.Journal.Digest(n.by, f.Month)
	if err == nil {
		d.Odd, err = s.odd(n, func(node.Caller) ([]node.JournalOdd, error) { return d.JournalDigest.Odd, nil })
	}
	for _, a := range d.JournalDigest.Accounts {
		l := digestLine{JournalAccount: a}
		if err == nil {
			l.Name, err = n.account(a.Account)
		}
		d.Accounts = append(d.Accounts, l)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	s.render(c, http.StatusOK, "journal_digest", page{Title: w.t("journal.digest"), Here: "digest", Data: d})
}

// readers is "Qui a consulté mon dossier", in large print, for her or him.
func (s journal) readers(kind string) gin.HandlerFunc {
	return func(c *gin.Context) {
		id, err := node.ParseID[node.BeneficiaryID](c.Param("id"))
		if err != nil {
			s.fail(c, err)
			return
		}
		n, who := s.names(c), node.SubjectOf(kind, id)
		var d journalData
		all, err := s.node.Journal.Of(caller(c), who)
		if err == nil {
			d.Lines, err = n.lines(all, false)
			d.Lines = s.together(d.Lines)
		}
		if err == nil {
			var name readName
			name, err = n.person(who)
			d.About = &name
		}
		if err != nil {
			s.fail(c, err)
			return
		}
		s.render(c, http.StatusOK, "readers", page{Title: s.words(c).t("journal.readers"), Here: "journal", Data: d})
	}
}

// together says once what happened often on one day: the same account, the same kind of
// page, for the same reason.
func (s journal) together(lines []readLine) (out []readLine) {
	day := func(l readLine) node.Day { return node.DayOf(l.At.Time().In(s.node.Now().Location())) }
	for _, l := range lines {
		i := slices.IndexFunc(out, func(o readLine) bool {
			return day(o) == day(l) && o.By == l.By && o.Role == l.Role && o.Kind == l.Kind && o.Purpose == l.Purpose && screen(o.Screen) == screen(l.Screen)
		})
		if i < 0 {
			out = append(out, l)
			continue
		}
		out[i].Times = max(out[i].Times, 1) + 1
	}
	return out
}

// screenNames say where people were shown, by how the route begins.
var screenNames = []struct{ path, name string }{
	{"/people/:id/calendar", "print"}, {"/volunteers/:id/week", "print"}, {"/me/week", "print"}, {"/desk/monday", "print"}, {"/exports", "export"}, {"/federation", "export"},
	{"/people/:id", "dossier"}, {"/beneficiaries/:id", "dossier"}, {"/desk/:id", "dossier"}, {"/volunteers/:id", "volunteer"}, {"/desk", "search"}, {"/find", "search"},
	{"/people", "people"}, {"/beneficiaries", "people"}, {"/volunteers", "volunteers"}, {"/requests", "requests"}, {"/series", "requests"}, {"/calls", "calls"},
	{"/offers", "offers"}, {"/bonds", "bonds"}, {"/me", "own"}, {"/dpo", "audit"},
}

// screen is where people were shown, as a key.
func screen(route string) string {
	_, path, _ := strings.Cut(route, " ")
	program := strings.HasPrefix(path, "/api/v1")
	path = strings.TrimPrefix(path, "/api/v1")
	if strings.HasSuffix(path, "/readers") {
		return "audit"
	}
	for _, n := range screenNames {
		if path == n.path || strings.HasPrefix(path, n.path+"/") {
			return n.name
		}
	}
	if program {
		return "program"
	}
	return "other"
}

// asked lets somebody open a dossier that something explains, and asks who else does
// why she opens it. What was said goes on in the address, as a word of a closed list,
// and is not asked again within the hour.
func (s journal) asked(kind string, h gin.HandlerFunc) gin.HandlerFunc {
	return func(c *gin.Context) {
		id, err := node.ParseID[node.BeneficiaryID](c.Param("id"))
		if err != nil {
			h(c) // which says so
			return
		}
		by, who, said := caller(c), node.SubjectOf(kind, id), node.JournalPurpose(c.Query("for"))
		if err := s.node.Journal.Knows(by, who); err != nil {
			s.fail(c, err)
			return
		}
		s.node.Journal.Tell(by, who, said)
		why, _, err := s.node.Journal.Explains(by, who)
		switch {
		case err != nil:
			s.fail(c, err)
		case why != "":
			h(c)
		default:
			s.render(c, http.StatusOK, "why", page{Title: s.words(c).t("journal.why"), Narrow: true, Here: "people", Data: struct {
				Path    string
				Choices []node.JournalPurpose
			}{c.Request.URL.Path, node.Sayable}})
		}
	}
}
