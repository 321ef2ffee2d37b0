package web

import (
	"net/http"
	"strings"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// codeData is how far somebody is who comes in by a code of six digits.
type codeData struct {
	Ticket node.Secret     // of the code that was sent; empty: none yet
	Ref    string          // that stands in the message
	Code   node.Secret     // once it was right
	Names  []node.Namesake // who shares the address
}

// codePage asks where to send a code.
func (s entry) codePage(c *gin.Context) { s.code(c, http.StatusOK, codeData{}, nil) }

func (s entry) code(c *gin.Context, status int, d codeData, err error) {
	w := s.words(c)
	if err == nil && !s.node.Entrance.SendsCodes() {
		s.notFound(c)
		return
	}
	s.render(c, status, "code", page{Title: w.t("welcome.by_code"), Narrow: true, Problem: w.say(err), Data: d})
}

// askCode sends one, or says that it did.
func (s entry) askCode(c *gin.Context) {
	ticket, ref, err := s.node.Entrance.AskCode(crypto.NewSecret(c.PostForm("address")), c.ClientIP())
	s.code(c, status(err), codeData{Ticket: ticket, Ref: ref}, err)
}

// giveCode takes it back, and asks who it is where two share the address.
func (s entry) giveCode(c *gin.Context) {
	d := codeData{Ticket: crypto.NewSecret(c.PostForm("ticket")), Ref: c.PostForm("ref"), Code: crypto.NewSecret(strings.TrimSpace(c.PostForm("code")))}
	var who node.AccountID
	if text := c.PostForm("who"); text != "" {
		var err error
		if who, err = node.ParseID[node.AccountID](text); err != nil {
			s.code(c, status(err), codeData{}, err)
			return
		}
	}
	e, names, err := s.node.Entrance.GiveCode(c.Request.Context(), d.Ticket, d.Code, who, s.shown(c))
	switch {
	case err == nil && len(names) > 0:
		d.Names = names
		s.code(c, http.StatusOK, d, nil)
	case err == nil:
		s.admit(c, e)
	case s.words(c).say(err).Code == "code-over":
		s.code(c, status(err), codeData{}, err)
	default:
		d.Code = node.Secret{}
		s.code(c, status(err), d, err)
	}
}
