package web

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// catalogue is what the territory offers.
type catalogue struct{ *Site }

func (s catalogue) page(c *gin.Context) { s.show(c, http.StatusOK, nil) }

func (s catalogue) show(c *gin.Context, code int, problem error) {
	all, err := s.node.Catalogue.All()
	if err != nil {
		s.fail(c, err)
		return
	}
	edit := c.Query("edit")
	if problem != nil {
		edit = c.PostForm("id")
	}
	w := s.words(c)
	var categories []string
	for n := 1; w.knows(fmt.Sprintf("say.category.%d", n)); n++ {
		categories = append(categories, w.entry("category", n))
	}
	s.render(c, code, "catalogue", page{Title: w.t("catalogue.title"), Here: "catalogue", Problem: w.say(problem), Data: struct {
		Types      []node.ActionType
		Edit       string
		Categories []string
		Icons      []string
		Admin      bool
	}{all, edit, categories, []string{"cup", "cart", "car", "walk", "paper", "book", "screen", "phone", "basket", "ticket", "bistro", "heart", "dots"}, caller(c).Roles.Has(node.RoleAdmin)}})
}

func (s catalogue) define(c *gin.Context) {
	number := func(name string) uint64 {
		n, _ := strconv.ParseUint(c.PostForm(name), 10, 32)
		return n
	}
	t := node.ActionType{
		Name: strings.TrimSpace(c.PostForm("name")), Icon: c.PostForm("icon"), Category: node.Category(number("category")),
		Car: c.PostForm("car") == "yes", Mobility: c.PostForm("mobility") == "yes", AtHome: c.PostForm("at_home") == "yes",
		Minutes: uint16(min(number("minutes"), 10_000)), Order: uint8(min(number("order"), 200)), Retired: c.PostForm("retired") == "yes",
	}
	switch number("pairing") {
	case 1:
		t.Pairing = node.Alone
	case 2:
		t.Pairing = node.FirstVisit
	case 3:
		t.Pairing = node.AlwaysTwo
	}
	var err error
	version := uint32(number("version"))
	if version > 0 {
		if t.ID, err = node.ParseID[node.TypeID](c.PostForm("id")); err != nil {
			s.fail(c, err)
			return
		}
	}
	if _, known := icons[t.Icon]; !known {
		t.Icon = "dots"
	}
	if _, err := s.node.Catalogue.Define(c.Request.Context(), writer(c), version, t); err != nil {
		s.show(c, status(err), err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/catalogue?ok=changed")
}
