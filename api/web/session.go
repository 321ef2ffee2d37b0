package web

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"
)

// entry is how people come in and go out.
type entry struct{ *Site }

// CookieName of a browser's session. Over TLS browsers take it from this host alone,
// and from no neighbour below the same domain.
func CookieName(secure bool) string {
	if secure {
		return "__Host-bippop"
	}
	return "bippop"
}

const (
	callerKey = "caller"
	indexKey  = "index"
)

// newKey is a fresh Idempotency-Key for the forms of a page.
func newKey() string { return uuid.NewString() }

// caller is who asks, or the zero Caller.
func caller(c *gin.Context) node.Caller {
	v, _ := c.Get(callerKey)
	who, _ := v.(node.Caller)
	return who
}

// CallerOf is who asks, for what stands around the pages: the zero Caller for nobody.
func CallerOf(c *gin.Context) node.Caller { return caller(c) }

// SetCaller says who asks where no page has found it out.
func SetCaller(c *gin.Context, who node.Caller) { c.Set(callerKey, who) }

// writer is the caller of a form: with the form's key, and what was sent.
func writer(c *gin.Context) node.Caller {
	who := caller(c)
	if key := c.PostForm("key"); key != "" {
		sum := sha256.Sum256([]byte(key))
		who.Key = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	who.Body = []byte(c.Request.URL.Path + "?" + c.Request.PostForm.Encode())
	return who
}

// know finds out who holds the cookie. Nobody is no error here: pages say which
// callers they are for.
func (s *Site) know(c *gin.Context) {
	c.Set(indexKey, s.node.Index()) // before anything is read: what comes after is news
	token := entry{s}.token(c)
	if token.Empty() {
		return
	}
	who, err := s.node.Recognise(c.Request.Context(), token)
	if err == nil {
		who, err = s.node.Accounts.Named(who)
	}
	if err == nil {
		c.Set(callerKey, who)
		return
	}
	if e, ok := errors.AsType[*node.Error](err); !ok || e.Kind != node.SignIn {
		s.fail(c, err) // damaged or stopped: not the same as being signed out
		c.Abort()
	}
}

// porch says for whom a page is.
type porch struct{ *Site }

// may lets those through who may do the action, and shows others the door. The
// coordinator's node has no page about people, whoever asks.
func (s porch) may(a node.Action, h gin.HandlerFunc) behind {
	return s.within(a, h, a.AboutPeople())
}

// territory is may for what a coordinator's node has not, though it names nobody.
func (s porch) territory(a node.Action, h gin.HandlerFunc) behind { return s.within(a, h, true) }

func (s porch) within(a node.Action, h gin.HandlerFunc, territory bool) behind {
	inner := s.only(h, a)
	return behind{Door{Actions: []node.Action{a}}, func(c *gin.Context) {
		if territory && s.node.Coordinating() {
			s.fail(c, &node.Error{Kind: node.NotFound, Code: "no-desk"})
			return
		}
		inner(c)
	}}
}

// nation is may for the coordinator's node alone.
func (s porch) nation(a node.Action, h gin.HandlerFunc) behind {
	inner := s.only(h, a)
	return behind{Door{Actions: []node.Action{a}, Nation: true}, func(c *gin.Context) {
		if !s.node.Coordinating() {
			s.notFound(c)
			return
		}
		inner(c)
	}}
}

// mine is may for a volunteer's own pages.
func (s porch) mine(a node.Action, h gin.HandlerFunc) behind { return s.may(a, own(h)) }

// anybody is for people who have not come in, too.
func anybody(h gin.HandlerFunc) behind { return behind{Door{Anybody: true}, h} }

// signedIn is for everybody who has come in.
func (s porch) signedIn(h gin.HandlerFunc) behind {
	return behind{Door{}, s.gate(h, func(node.Caller) bool { return true })}
}

func (s porch) only(h gin.HandlerFunc, a node.Action) gin.HandlerFunc {
	return s.gate(h, func(by node.Caller) bool { return by.May(a) == nil })
}

func (s porch) gate(h gin.HandlerFunc, may func(node.Caller) bool) gin.HandlerFunc {
	return func(c *gin.Context) {
		switch who := caller(c); {
		case who.Account.Zero() && c.GetHeader("HX-Request") != "":
			s.part(c, "resume", "ended", nil) // into a page that somebody is still writing on
		case who.Account.Zero():
			s.signInPage(c, http.StatusUnauthorized, nil)
		case who.Bare() && !strings.HasPrefix(c.FullPath(), "/account"):
			c.Redirect(http.StatusSeeOther, "/account")
		case !may(who):
			s.fail(c, &node.Error{Kind: node.Forbidden, Code: "forbidden"})
		default:
			h(c)
		}
	}
}

// homeOf is where a role begins, or "" for somebody who has not signed in.
func homeOf(by node.Caller) string {
	switch {
	case by.Coordinator():
		return "/nation"
	case by.Coordinating && isAdmin(by):
		return "/replicas"
	case by.Staff():
		return "/desk"
	case by.Official():
		return "/figures"
	case by.Roles.Has(node.RoleDPO) && !by.Coordinating:
		return "/dpo"
	case by.Roles.Has(node.RoleDPO):
		return "/ledger"
	case by.Roles.Has(node.RoleVolunteer):
		return "/me"
	case by.Roles.Has(node.RoleAssociation):
		return "/members"
	case by.Roles.Has(node.RoleOperator):
		return "/replicas"
	case !by.Account.Zero():
		return "/account"
	}
	return ""
}

func (s entry) home(c *gin.Context) {
	if to := homeOf(caller(c)); to != "" {
		c.Redirect(http.StatusSeeOther, to)
		return
	}
	s.signInPage(c, http.StatusOK, nil)
}

// doors are the sign-ins of the demo's front page: one a role, the desk first.
func (s entry) doors() (out []DemoAccount) {
	if s.demo == nil {
		return nil
	}
	for _, role := range []string{"agent", "volunteer", "coordinator", "official", "dpo", "admin"} {
		if i := slices.IndexFunc(s.demo.Accounts, func(a DemoAccount) bool { return a.Role == role }); i >= 0 {
			out = append(out, s.demo.Accounts[i])
		}
	}
	return out
}

func (s *Site) signInPage(c *gin.Context, status int, err error) {
	login, again := "", interrupted(c)
	if c.FullPath() == "/sign-in" {
		login, again = c.PostForm("login"), carried(c)
	}
	s.render(c, status, "welcome", page{Title: s.words(c).t("welcome.title"), Problem: s.words(c).say(err), Data: struct {
		Doors  []DemoAccount
		Login  string
		Resume *resume
		Codes  bool
	}{entry{s}.doors(), login, again, s.node.Entrance.SendsCodes()}})
}

// shown is what a form shows of somebody.
func (s entry) shown(c *gin.Context) node.Proof {
	return node.Proof{
		Login: c.PostForm("login"), Password: crypto.NewSecret(c.PostForm("password")), Code: crypto.NewSecret(strings.TrimSpace(c.PostForm("code"))),
		Half: crypto.NewSecret(c.PostForm("half")), From: c.ClientIP(), Device: deviceOf(c.Request.UserAgent()), Old: s.token(c),
	}
}

// token is what the browser holds, whosever it is.
func (s entry) token(c *gin.Context) node.Secret {
	cookie, err := c.Request.Cookie(CookieName(s.secure))
	if err != nil {
		return node.Secret{}
	}
	return crypto.NewSecret(cookie.Value)
}

// signIn takes login and password, and in a second step the code of who has one. Each
// entry makes a new token, and ends what the browser held.
func (s entry) signIn(c *gin.Context) {
	in := s.shown(c)
	e, err := s.node.Entrance.Enter(c.Request.Context(), in)
	switch {
	case err == nil && e.Half.Empty():
		s.admit(c, e)
	case err == nil:
		s.second(c, http.StatusOK, e.Half, nil)
	case !in.Half.Empty() && s.words(c).say(err).Code != "half-expired":
		s.second(c, status(err), in.Half, err)
	default:
		s.signInPage(c, status(err), err)
	}
}

// second asks for the code.
func (s entry) second(c *gin.Context, status int, half node.Secret, err error) {
	w := s.words(c)
	s.render(c, status, "second", page{Title: w.t("welcome.second"), Narrow: true, Problem: w.say(err), Data: struct {
		Half   node.Secret
		Resume *resume
	}{half, carried(c)}})
}

// admit gives the browser its token and goes on where somebody was.
func (s entry) admit(c *gin.Context, e node.Entry) {
	http.SetCookie(c.Writer, &http.Cookie{
		Name: CookieName(s.secure), Value: e.Token.Text.Reveal(), Path: "/", Expires: e.Token.Last,
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode,
	})
	c.Set(callerKey, e.By)
	if again := resumed(c); again != nil {
		if again.Get {
			c.Redirect(http.StatusSeeOther, again.Path)
			return
		}
		again.Sure = c.FullPath() == "/account/again"
		s.render(c, http.StatusOK, "resume", page{Title: s.words(c).t("resume.title"), Narrow: true, Data: again})
		return
	}
	to := homeOf(e.By)
	if to == "" || e.By.Bare() {
		to = "/account"
	}
	c.Redirect(http.StatusSeeOther, to)
}

// askAgain asks somebody who is in to show that it is still him, and carries along
// what he has begun.
func (s entry) askAgain(c *gin.Context, status int, err error) {
	again := interrupted(c)
	if c.FullPath() == "/account/again" {
		again = carried(c)
	} else if again == nil && c.Request.Method == http.MethodGet {
		again = &resume{Path: c.Request.URL.RequestURI(), Get: true}
	}
	w, by := s.words(c), caller(c)
	ways, err2 := s.node.Credentials.Mine(by)
	if err2 != nil {
		s.fail(c, err2)
		return
	}
	s.render(c, status, "again", page{Title: w.t("resume.again"), Narrow: true, Problem: w.say(err), Data: struct {
		App    bool
		Resume *resume
	}{ways.App.There, again}})
}

// again takes what he shows. The session goes on under a new token.
func (s entry) again(c *gin.Context) {
	e, err := s.node.Entrance.Again(c.Request.Context(), caller(c), s.shown(c))
	if err != nil {
		s.askAgain(c, status(err), err)
		return
	}
	s.admit(c, e)
}

func (s entry) signOut(c *gin.Context) {
	if token := s.token(c); !token.Empty() {
		if err := s.node.Accounts.SignOut(c.Request.Context(), token); err != nil {
			s.fail(c, err)
			return
		}
	}
	http.SetCookie(c.Writer, &http.Cookie{Name: CookieName(s.secure), Path: "/", MaxAge: -1, HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode})
	c.Header("Clear-Site-Data", `"cache", "storage"`)
	c.Redirect(http.StatusSeeOther, "/?ok=signed-out")
}
