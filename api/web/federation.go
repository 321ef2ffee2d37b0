package web

import (
	"net/http"

	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// federating is the administrator's page about the territory's place among others.
type federating struct{ *Site }

type federationData struct {
	node.FederationStatus
	Key         string
	Moves       []node.HandoverMove
	Kept        int // of those to be erased: changed since, and still here
	Erased      int
	Application string // just made
	Email       string
}

func (s federating) page(c *gin.Context) { s.show(c, http.StatusOK, federationData{}, nil) }

func (s federating) show(c *gin.Context, code int, d federationData, problem error) {
	status, err := s.node.Federation.Status(c.Request.Context(), caller(c))
	if err != nil {
		s.fail(c, err)
		return
	}
	d.FederationStatus = status
	if d.Moves, err = s.node.Handovers.Moves(caller(c)); err != nil {
		s.fail(c, err)
		return
	}
	s.draw(c, code, d, problem)
}

func (s federating) draw(c *gin.Context, code int, d federationData, problem error) {
	w := s.words(c)
	d.Key = newKey()
	s.render(c, code, "federation", page{Title: w.t("federation.title"), Here: "backstage", Problem: w.say(problem), Data: d})
}

func (s federating) join(c *gin.Context) {
	s.after(c, func() error {
		_, err := s.node.Federation.Join(c.Request.Context(), caller(c), c.PostForm("invitation"))
		return err
	})
}

func (s federating) leave(c *gin.Context) {
	s.after(c, func() error {
		_, err := s.node.Federation.Leave(c.Request.Context(), caller(c))
		return err
	})
}

func (s federating) sync(c *gin.Context) {
	s.after(c, func() error { return s.node.Federation.Sync(c.Request.Context(), caller(c)) })
}

func (s federating) after(c *gin.Context, do func() error) {
	if err := do(); err != nil {
		s.show(c, status(err), federationData{}, err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/federation")
}

// apply shows the text that goes to the coordinator by mail.
func (s federating) apply(c *gin.Context) {
	d := federationData{Email: c.PostForm("email")}
	text, err := s.node.Federation.Application(c.Request.Context(), caller(c), d.Email)
	d.Application = text
	s.show(c, status(err), d, err)
}
