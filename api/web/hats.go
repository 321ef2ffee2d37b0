package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// hats are the pages on which people change from one of their roles to another, name
// a deputy, and say what an account may do and for which communes.
type hats struct{ *Site }

// Days that a deputy is offered for, from today; others are written.
const deputyDays = 14

// myselfData is somebody's own page about entering.
type myselfData struct {
	By         node.Caller
	Others     []node.Roles // hats that are not worn
	Places     []string     // reached by name; none: everything
	Mayors     bool         // the caller may name a deputy
	Colleagues []node.Colleague
	Today      node.Day
	Usual      node.Day // last day of a usual holiday
	Last       node.Day // up to which somebody may be named
	Key        string
	Ways       keysData
}

func (s hats) page(c *gin.Context) { s.show(c, http.StatusOK, nil) }

func (s hats) show(c *gin.Context, code int, problem error) {
	by := caller(c)
	today := s.words(c).today()
	d := myselfData{By: by, Others: (by.Hats &^ by.Roles).Each(), Places: placeNames(by.Communes), Today: today, Usual: today + deputyDays, Last: today + 92, Key: newKey()}
	if by.May(node.NameDeputy) == nil && by.Hats.Has(node.RoleAgent|node.RoleReception) {
		var err error
		if d.Colleagues, err = s.node.Accounts.Colleagues(by); err != nil {
			s.fail(c, err)
			return
		}
		d.Mayors = true
	}
	var err error
	if d.Ways, err = (keys{s.Site}).data(by); err != nil {
		s.fail(c, err)
		return
	}
	s.render(c, code, "account", page{Title: s.words(c).t("account.title"), Here: "account", Phone: by.Roles == node.RoleVolunteer, Problem: s.words(c).say(problem), Data: d})
}

// placeNames are communes as people call them.
func placeNames(codes []string) (out []string) {
	for _, code := range codes {
		out = append(out, node.CommuneName(code))
	}
	slices.Sort(out)
	return out
}

// change puts on another hat and goes to where it begins its day.
func (s hats) change(c *gin.Context) {
	as, _ := strconv.ParseUint(c.PostForm("as"), 10, 16)
	by := caller(c)
	if err := s.node.Accounts.Switch(c.Request.Context(), writer(c), node.Roles(as)); err != nil {
		s.show(c, status(err), err)
		return
	}
	by.Roles = node.Roles(as)
	if err := s.node.Journal.Switched(by); err != nil {
		s.fail(c, err)
		return
	}
	c.Redirect(http.StatusSeeOther, homeOf(by))
}

// deputy names who stands in for the caller, or ends it.
func (s hats) deputy(c *gin.Context) {
	stays, err := node.ParseID[node.AccountID](c.PostForm("who"))
	if err != nil {
		s.show(c, http.StatusUnprocessableEntity, &node.Error{Kind: node.Invalid, Code: "no-account", Field: "who"})
		return
	}
	var last node.Day
	if c.PostForm("act") != "back" {
		var ok bool
		if last, ok = node.ParseDay(c.PostForm("until")); !ok {
			s.show(c, http.StatusUnprocessableEntity, &node.Error{Kind: node.Invalid, Code: "day-out-of-range", Field: "until"})
			return
		}
	}
	if _, err := s.node.Accounts.StandIn(c.Request.Context(), writer(c), caller(c).Account, stays, last); err != nil {
		s.show(c, status(err), err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/account?ok=changed")
}

// members are the volunteers of the caller's association.
func (s hats) members(c *gin.Context) {
	all, err := s.node.Volunteers.Members(caller(c))
	if err != nil {
		s.fail(c, err)
		return
	}
	s.render(c, http.StatusOK, "members", page{Title: s.words(c).t("volunteers.members"), Here: "members", Data: all})
}

// accountData is one account as an administrator sees it.
type accountData struct {
	node.Account
	Roles       []hat
	Territory   []pick
	Association string
	Deputies    []deputyLine
	Places      []node.Place
	Version     uint32
	Key         string
}

// hat is a role that may be given.
type hat struct {
	Role node.Roles
	Has  bool
}

type pick struct {
	Code, Name string
	In         bool
}

// deputyLine is for whom the account stands in.
type deputyLine struct {
	Name  node.Secret
	Until node.Instant
}

// given are the roles that an administrator gives on this kind of node. A volunteer's
// account and a card are made on the pages of those people.
func (s hats) given() []node.Roles {
	if s.node.Coordinating() {
		return []node.Roles{node.RoleCoordinator, node.RoleAdmin, node.RoleDPO}
	}
	return []node.Roles{
		node.RoleAgent, node.RoleReception, node.RoleAdmin, node.RoleOfficial, node.RoleAssociation, node.RoleProfessional, node.RoleDPO, node.RoleOperator,
	}
}

func (s hats) find(c *gin.Context) (found node.Account, all []node.Account, err error) {
	id, err := node.ParseID[node.AccountID](c.Param("id"))
	if err != nil {
		return found, nil, err
	}
	if all, err = s.node.Accounts.List(caller(c)); err != nil {
		return found, nil, err
	}
	i := slices.IndexFunc(all, func(a node.Account) bool { return a.ID == id })
	if i < 0 {
		return found, nil, &node.Error{Kind: node.NotFound, Code: "no-account"}
	}
	return all[i], all, nil
}

func (s hats) edit(c *gin.Context) { s.form(c, http.StatusOK, nil) }

func (s hats) form(c *gin.Context, code int, problem error) {
	a, all, err := s.find(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	t, err := s.node.Settings.Territory()
	if err != nil {
		s.fail(c, err)
		return
	}
	d := accountData{Account: a, Version: a.Version, Key: newKey()}
	if d.Places, err = s.node.Sessions.Of(caller(c), a.ID); err != nil {
		s.fail(c, err)
		return
	}
	for _, one := range s.given() {
		d.Roles = append(d.Roles, hat{one, a.Roles.Has(one)})
	}
	var within []string
	for _, g := range a.Grants {
		if g.Deputy() {
			name := crypto.NewSecret("")
			if i := slices.IndexFunc(all, func(o node.Account) bool { return o.ID == g.For }); i >= 0 {
				if name = all[i].Name; name.Empty() {
					name = crypto.NewSecret(all[i].Login)
				}
			}
			d.Deputies = append(d.Deputies, deputyLine{name, g.Until})
			continue
		}
		within = append(within, g.Communes...)
		d.Association += g.Association
	}
	for _, commune := range t.Communes {
		d.Territory = append(d.Territory, pick{commune, node.CommuneName(commune), slices.Contains(within, commune)})
	}
	slices.SortFunc(d.Territory, func(a, b pick) int { return strings.Compare(a.Name, b.Name) })
	s.render(c, code, "account_edit", page{Title: s.words(c).t("account.of", "Login", a.Login), Here: "settings", Problem: s.words(c).say(problem), Data: d})
}

// save sets roles and reach: communes count for the roles that may be local.
func (s hats) save(c *gin.Context) {
	a, _, err := s.find(c)
	if err != nil {
		s.fail(c, err)
		return
	}
	roles, grants := rolesFrom(c)
	roles |= a.Roles & (node.RoleVolunteer | node.RoleBeneficiary)
	version, _ := strconv.ParseUint(c.PostForm("version"), 10, 32)
	if _, err := s.node.Accounts.Hats(c.Request.Context(), writer(c), a.ID, uint32(version), roles, grants); err != nil {
		s.form(c, status(err), err)
		return
	}
	c.Redirect(http.StatusSeeOther, settings{s.Site}.after())
}

// associationIn is a SIREN or RNA number without the spaces that people write.
func associationIn(text string) string { return strings.ToUpper(strings.ReplaceAll(text, " ", "")) }

// rolesFrom reads which roles a form gives, and how far they reach.
func rolesFrom(c *gin.Context) (roles node.Roles, grants []node.Grant) {
	for _, text := range c.PostFormArray("role") {
		n, _ := strconv.ParseUint(text, 10, 16)
		roles |= node.Roles(n)
	}
	communes := c.PostFormArray("commune")
	if c.PostForm("reach") != "some" {
		communes = nil
	}
	for _, one := range roles.Each() {
		g := node.Grant{Role: one}
		switch one {
		case node.RoleAgent, node.RoleReception, node.RoleOfficial, node.RoleProfessional:
			g.Communes = communes
		case node.RoleAssociation:
			g.Association = associationIn(c.PostForm("association"))
		}
		grants = append(grants, g)
	}
	return roles, grants
}
