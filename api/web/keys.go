package web

import (
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// keys are the parts of somebody's own page that say how he comes in, and where he is
// signed in.
type keys struct{ *Site }

// keysData is what his page shows of it.
type keysData struct {
	node.Ways
	Places   []node.Place
	Missed   uint16 // tries that failed before this session was opened
	Watches  bool   // over the accounts of others too
	Misses   uint64 // of all accounts, this month
	Glass    []node.Glass
	Demands  []hat // roles of which a second factor may be asked
	Settings uint32
}

func (s keys) data(by node.Caller) (d keysData, err error) {
	if d.Ways, err = s.node.Credentials.Mine(by); err != nil {
		return d, err
	}
	if d.Places, err = s.node.Sessions.List(by); err != nil {
		return d, err
	}
	d.Missed = by.Session.Missed
	if by.May(node.ManageAccounts) != nil && by.May(node.ReadJournal) != nil {
		return d, nil
	}
	d.Watches = true
	if d.Misses, err = s.node.Entrance.Misses(by); err != nil {
		return d, err
	}
	if d.Glass, err = s.node.Accounts.BreakGlass(by); err != nil {
		return d, err
	}
	if by.May(node.ManageAccounts) == nil {
		t, err := s.node.Settings.Territory()
		if err != nil {
			return d, err
		}
		d.Settings = t.Version
		for _, one := range (hats{s.Site}).given() {
			d.Demands = append(d.Demands, hat{one, node.Roles(t.Second).Has(one)})
		}
	}
	return d, nil
}

// totpData is an application that is being set up. The secret is in the page and
// nowhere else until its first code has come back.
type totpData struct {
	Code    template.HTML
	Groups  []string // the secret, to type
	Shared  node.Secret
	Version uint32
}

// begin shows the code that the telephone reads.
func (s keys) begin(c *gin.Context) {
	shared, uri, err := s.node.Credentials.Begin(caller(c))
	if err != nil {
		s.fail(c, err)
		return
	}
	s.setUp(c, http.StatusOK, shared, uri, nil)
}

func (s keys) setUp(c *gin.Context, code int, shared, uri node.Secret, problem error) {
	ways, err := s.node.Credentials.Mine(caller(c))
	if err != nil {
		s.fail(c, err)
		return
	}
	w := s.words(c)
	d := totpData{Shared: shared, Version: ways.Version}
	if d.Code, err = codeOf(uri.Reveal(), w.t("account.app_code")); err != nil {
		s.fail(c, err)
		return
	}
	for group := range slices.Chunk([]byte(shared.Reveal()), 4) {
		d.Groups = append(d.Groups, string(group))
	}
	s.render(c, code, "account_app", page{Title: w.t("account.app"), Here: "account", Narrow: true, Problem: w.say(problem), Data: d})
}

// confirm takes the first code and shows the paper, once.
func (s keys) confirm(c *gin.Context) {
	shared := crypto.NewSecret(strings.TrimSpace(c.PostForm("shared")))
	paper, err := s.node.Credentials.Confirm(c.Request.Context(), caller(c), versionIn(c), shared, crypto.NewSecret(c.PostForm("code")))
	if e := s.words(c).say(err); e != nil && e.Code == "wrong-code" {
		by, err2 := s.node.Accounts.Named(caller(c))
		if err2 != nil {
			s.fail(c, err2)
			return
		}
		s.setUp(c, status(err), shared, s.node.Credentials.URI(shared, by.Login), err)
		return
	}
	s.paperOf(c, paper, err)
}

// paper draws fresh codes to print.
func (s keys) paper(c *gin.Context) {
	paper, err := s.node.Credentials.Paper(c.Request.Context(), caller(c), versionIn(c))
	s.paperOf(c, paper, err)
}

func (s keys) paperOf(c *gin.Context, paper []node.Secret, err error) {
	if err != nil {
		hats{s.Site}.show(c, status(err), err)
		return
	}
	s.render(c, http.StatusOK, "account_paper", page{Title: s.words(c).t("account.paper"), Here: "account", Narrow: true, Data: paper})
}

// drop takes application and paper away.
func (s keys) drop(c *gin.Context) {
	s.done(c, s.node.Credentials.Drop(c.Request.Context(), writer(c), versionIn(c)))
}

// end ends a session, or all but this one.
func (s keys) end(c *gin.Context) {
	by := caller(c)
	if c.PostForm("act") == "others" {
		s.done(c, s.node.Sessions.EndAll(c.Request.Context(), writer(c), by.Account))
		return
	}
	s.done(c, s.node.Sessions.End(c.Request.Context(), writer(c), by.Account, c.PostForm("ref")))
}

// endOf ends the sessions of another account.
func (s keys) endOf(c *gin.Context) {
	id, err := node.ParseID[node.AccountID](c.Param("id"))
	if err == nil {
		err = s.node.Sessions.EndAll(c.Request.Context(), writer(c), id)
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/settings/accounts/"+id.String()+"/roles?ok=changed")
}

// demand says of which roles a second factor is asked.
func (s keys) demand(c *gin.Context) {
	roles, _ := rolesFrom(c)
	_, err := s.node.Settings.Demand(c.Request.Context(), writer(c), versionIn(c), roles)
	s.done(c, err)
}

func (s keys) done(c *gin.Context, err error) {
	if err != nil {
		hats{s.Site}.show(c, status(err), err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/account?ok=changed")
}

// versionIn is the version that a form names.
func versionIn(c *gin.Context) uint32 {
	version, _ := strconv.ParseUint(c.PostForm("version"), 10, 32)
	return uint32(version)
}
