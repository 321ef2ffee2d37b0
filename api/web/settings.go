package web

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// settings are the territory's face and its accounts.
type settings struct{ *Site }

// settingsData is the territory's face and its accounts.
type settingsData struct {
	Edited   node.Territory
	Preview  bool // Edited is how it would look, not how it is
	Accounts []node.Account
	Admin    bool
	Login    string
	Password string // just made: shown once
	Key      string
	Home     string // where the forms about accounts go

	Roles       []hat // that a new account may get
	Territory   []pick
	Association string
}

// after is the page that follows a change of an account.
func (s settings) after() string {
	if s.node.Coordinating() {
		return "/nation/accounts?ok=changed"
	}
	return "/settings?ok=changed"
}

// home is where accounts are kept: on the coordinator's node nothing else is there.
func (s settings) home() string {
	if s.node.Coordinating() {
		return "/nation/accounts"
	}
	return "/settings/accounts"
}

func (s settings) page(c *gin.Context) { s.show(c, http.StatusOK, settingsData{}, nil) }

func (s settings) show(c *gin.Context, code int, d settingsData, problem error) {
	by := caller(c)
	var err error
	if d.Edited.Siren == "" {
		if d.Edited, err = s.node.Settings.Territory(); err != nil {
			s.fail(c, err)
			return
		}
	}
	if d.Accounts, err = s.node.Accounts.List(by); err != nil {
		s.fail(c, err)
		return
	}
	d.Admin, d.Key, d.Home = isAdmin(by), newKey(), s.home()
	if d.Admin {
		for _, one := range (hats{s.Site}).given() {
			d.Roles = append(d.Roles, hat{one, false})
		}
		for _, commune := range d.Edited.Communes {
			d.Territory = append(d.Territory, pick{commune, node.CommuneName(commune), false})
		}
		slices.SortFunc(d.Territory, func(a, b pick) int { return strings.Compare(a.Name, b.Name) })
	}
	if s.node.Coordinating() {
		s.render(c, code, "nation_accounts", page{Title: s.words(c).t("settings.who"), Here: "backstage", Problem: s.words(c).say(problem), Data: d})
		return
	}
	p := page{Title: s.words(c).t("settings.title"), Here: "settings", Problem: s.words(c).say(problem), Data: d}
	if d.Preview {
		p.Territory = d.Edited // the whole page shows how it would look
	}
	s.render(c, code, "settings", p)
}

// change saves the territory's face, or shows how it would look.
func (s settings) change(c *gin.Context) {
	t, err := s.node.Settings.Territory()
	if err != nil {
		s.fail(c, err)
		return
	}
	version, _ := strconv.ParseUint(c.PostForm("version"), 10, 32)
	t.Calls, t.Name, t.Phone, t.Hours = c.PostForm("calls"), c.PostForm("name"), c.PostForm("phone"), c.PostForm("hours")
	t.Face.Colour, t.Face.Opening, t.Face.Notice = c.PostForm("colour"), c.PostForm("opening"), c.PostForm("notice")
	if t.Face.Colour == usualColour {
		t.Face.Colour = ""
	}
	if c.PostForm("no_logo") != "" {
		t.Face.Logo = nil
	}
	if chosen, err := readLogo(c); err != nil || chosen != nil {
		if err != nil {
			s.show(c, status(err), settingsData{Edited: t}, err)
			return
		}
		t.Face.Logo = chosen
	}
	if c.PostForm("act") == "preview" {
		err := node.CheckTerritory(&t)
		s.show(c, http.StatusOK, settingsData{Edited: t, Preview: err == nil}, err)
		return
	}
	if _, err := s.node.Settings.Change(c.Request.Context(), writer(c), uint32(version), t); err != nil {
		s.show(c, status(err), settingsData{Edited: t}, err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/settings?ok=changed")
}

// usualColour is the one of pages without a colour of their own.
const usualColour = "#0f5c55"

// readLogo reads the picture that was chosen, if one was: no more of it than a
// logo may have, and one byte that says it is too large.
func readLogo(c *gin.Context) ([]byte, error) {
	header, err := c.FormFile("logo")
	if err != nil || header.Size == 0 {
		return nil, nil
	}
	file, err := header.Open()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, node.LargestLogo+1))
}

func (s settings) openAccount(c *gin.Context) {
	roles, grants := rolesFrom(c)
	for _, text := range c.PostFormArray("role") {
		switch text {
		case "admin":
			roles |= node.RoleAdmin
		case "coordinator":
			roles |= node.RoleCoordinator
		case "dpo":
			roles = node.RoleDPO
		}
	}
	if s.node.Coordinating() {
		grants = nil
	}
	password := newPassword()
	in := node.NewAccount{Login: c.PostForm("login"), Name: crypto.NewSecret(c.PostForm("name")), Roles: roles, Grants: grants, Password: crypto.NewSecret(password)}
	if _, err := s.node.Accounts.Open(c.Request.Context(), caller(c), in); err != nil {
		s.show(c, status(err), settingsData{}, err)
		return
	}
	s.show(c, http.StatusOK, settingsData{Login: in.Login, Password: password}, nil)
}

// changeAccount closes or opens an account, or makes a new password.
func (s settings) changeAccount(c *gin.Context) {
	id, err := node.ParseID[node.AccountID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	by := caller(c)
	list, err := s.node.Accounts.List(by)
	if err != nil {
		s.fail(c, err)
		return
	}
	for _, a := range list {
		if a.ID != id {
			continue
		}
		var password node.Secret
		closed := a.Closed
		switch c.PostForm("act") {
		case "close":
			closed = true
		case "open":
			closed = false
		case "password":
			password = crypto.NewSecret(newPassword())
		}
		version, _ := strconv.ParseUint(c.PostForm("version"), 10, 32)
		if _, err := s.node.Accounts.Change(c.Request.Context(), caller(c), id, uint32(version), a.Roles, closed, password); err != nil {
			s.show(c, status(err), settingsData{}, err)
			return
		}
		if !password.Empty() {
			s.show(c, http.StatusOK, settingsData{Login: a.Login, Password: password.Reveal()}, nil)
			return
		}
		c.Redirect(http.StatusSeeOther, s.after())
		return
	}
	s.fail(c, &node.Error{Kind: node.NotFound, Code: "no-account"})
}

// sources credits where the embedded geography comes from.
func (s settings) sources(c *gin.Context) {
	s.render(c, http.StatusOK, "sources", page{Title: s.words(c).t("layout.sources"), Narrow: true, Data: node.Credits()})
}
