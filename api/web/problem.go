package web

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// problem is an error in the words of the page.
type problem struct {
	Text  string
	Field string         // of the form, if one is at fault
	Clash node.RequestID // where a volunteer is expected
	Where string         // the same in words
	Code  string
}

// again reports whether the same form may be sent again as it is.
func (p *problem) again() bool {
	switch p.Code {
	case "unknown-outcome", "busy", "disk-full", "no-leader", "stopping", "log-stopped":
		return true
	}
	return false
}

// status of the page that says so; without an error all is well.
func status(err error) int {
	if err == nil {
		return http.StatusOK
	}
	e, ok := errors.AsType[*node.Error](err)
	if !ok {
		return http.StatusInternalServerError
	}
	switch e.Kind {
	case node.Invalid:
		return http.StatusUnprocessableEntity
	case node.NotFound:
		return http.StatusNotFound
	case node.Conflict, node.Stale:
		return http.StatusConflict
	case node.Forbidden:
		return http.StatusForbidden
	case node.SignIn:
		return http.StatusUnauthorized
	case node.Unavailable:
		return http.StatusServiceUnavailable
	case node.TooMany:
		return http.StatusTooManyRequests
	}
	return http.StatusInternalServerError
}

// say turns an error into a sentence that tells what to do: problem.CODE, or
// problem.CODE_FIELD where the field has its own. nil says nothing.
func (w *tongue) say(err error) *problem {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[*node.Error](err)
	if !ok {
		return &problem{Text: w.t("problem.fault")}
	}
	p := &problem{Text: w.t("problem.unknown"), Field: e.Field, Clash: e.Clash, Code: e.Code}
	for _, key := range []string{"problem." + e.Code + "_" + e.Field, "problem." + e.Code} {
		if w.knows(key) {
			p.Text = w.t(key)
			break
		}
	}
	if e.Kind == node.TooMany {
		p.Text += " (" + w.lengthText(max(1, e.After/60)) + ")"
	}
	return p
}

// sayTo is say, and names the visit that a volunteer is expected at: to the desk
// whole, to himself as far as it is his own.
func (s *Site) sayTo(c *gin.Context, err error) *problem {
	w, by := s.words(c), caller(c)
	p := w.say(err)
	if p == nil || p.Clash.Zero() {
		return p
	}
	if by.Staff() {
		if v, err := s.node.Requests.Get(by, p.Clash); err == nil {
			p.Where = w.t("problem.clash", "When", upper(w.startText(v.Start)), "What", lower(w.kindName(v.Kind)), "Place", node.CommuneName(v.Commune))
		}
		return p
	}
	if m, err := s.node.Requests.Mine(by); err == nil {
		for _, v := range m.Promised {
			if v.ID == p.Clash {
				p.Where = w.t("problem.promised", "What", lower(w.kindName(v.Kind)), "When", w.startText(v.Start))
			}
		}
	}
	return p
}

// fail shows a page that says what is wrong and where to go on.
func (s *Site) fail(c *gin.Context, err error) {
	if status(err) == http.StatusInternalServerError {
		s.log.Error("page", slog.String("route", c.FullPath()), slog.String("error", err.Error()))
	}
	s.render(c, status(err), "problem", page{Title: s.words(c).t("problem.title"), Narrow: true, Problem: s.sayTo(c, err)})
}

// Refuse answers a page that may not be shown.
func (s *Site) Refuse(c *gin.Context, err error) { s.fail(c, err) }

func (s *Site) notFound(c *gin.Context) {
	s.fail(c, &node.Error{Kind: node.NotFound, Code: "no-page"})
}
