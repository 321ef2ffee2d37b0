package api

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/bippop/bippop/api/web"
	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// mostHeld is how much of an answer is kept back at once, in bytes. What is longer is
// a file, and leaves in parts: whom each part shows is noted before it leaves.
const mostHeld = 256 << 10

// hold keeps an answer back until whom it shows is noted in the access journal, on this
// replica's own disk. What cannot be noted is not shown.
func (s *server) hold(c *gin.Context) {
	w := &holding{ResponseWriter: c.Writer}
	on := screenOf(c)
	w.note = func() error { return s.node.Journal.Note(web.CallerOf(c), on) }
	c.Writer = w
	defer func() { c.Writer = w.ResponseWriter }() // also of a handler that panics: it has shown nothing
	c.Next()
	if by := web.CallerOf(c); w.err == nil && w.Status() == http.StatusNotFound && !by.Account.Zero() {
		w.err = s.node.Journal.Beyond(by, on)
	}
	if w.release() == nil {
		return
	}
	if w.ResponseWriter.Written() {
		panic(http.ErrAbortHandler) // in the middle of a file: it ends without its end
	}
	c.Writer = w.ResponseWriter
	for name := range c.Writer.Header() {
		if strings.HasPrefix(name, "Content-") && name != "Content-Security-Policy" || name == "Etag" || name == "Set-Cookie" || name == "Location" {
			c.Writer.Header().Del(name)
		}
	}
	if isAPI(c.Request) {
		s.explain(c.Request.Context(), c.FullPath(), c.Request.Method, w.err).write(c.Writer)
		return
	}
	s.site.Refuse(c, w.err)
}

// screenOf is what the journal says of where an answer is shown.
func screenOf(c *gin.Context) node.Screen {
	on := node.Screen{Route: c.Request.Method + " " + c.FullPath(), Said: node.JournalPurpose(c.Query("for")), Program: isAPI(c.Request)}
	path := strings.TrimPrefix(c.FullPath(), base)
	for _, d := range []struct{ pattern, kind string }{
		{"/people/:id", node.SubjectBeneficiary}, {"/desk/:id", node.SubjectBeneficiary}, {"/beneficiaries/:id", node.SubjectBeneficiary}, {"/volunteers/:id", node.SubjectVolunteer},
	} {
		if path == d.pattern || strings.HasPrefix(path, d.pattern+"/") {
			if id, err := node.ParseID[node.BeneficiaryID](c.Param("id")); err == nil {
				on.Dossier = node.SubjectOf(d.kind, id)
			}
		}
	}
	if path == "/requests/:id" || strings.HasPrefix(path, "/requests/:id/") {
		on.Request, _ = node.ParseID[node.RequestID](c.Param("id"))
	}
	return on
}

// holding is an answer that is kept back. Owned by one request.
type holding struct {
	gin.ResponseWriter
	note func() error
	kept bytes.Buffer
	err  error // it could not be noted: nothing more leaves
}

// release lets go of what is kept, once whom it shows is noted.
func (w *holding) release() error {
	if w.err == nil {
		w.err = w.note()
	}
	if w.err != nil {
		w.kept.Reset()
		return w.err
	}
	w.ResponseWriter.WriteHeaderNow()
	_, err := w.kept.WriteTo(w.ResponseWriter)
	return err
}

func (w *holding) Write(b []byte) (int, error) {
	w.kept.Write(b) // never fails
	if w.kept.Len() < mostHeld {
		return len(b), nil
	}
	if err := w.release(); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (w *holding) WriteString(text string) (int, error) { return w.Write([]byte(text)) }

// WriteHeaderNow waits with the rest.
func (w *holding) WriteHeaderNow() {}

func (w *holding) Written() bool { return w.kept.Len() > 0 || w.ResponseWriter.Written() }

// FlushError lets a stream go on: see http.ResponseController.
func (w *holding) FlushError() error {
	if err := w.release(); err != nil {
		return err
	}
	w.ResponseWriter.Flush()
	return nil
}

func (w *holding) Flush() { _ = w.FlushError() }

// Unwrap lets http.ResponseController reach deadlines.
func (w *holding) Unwrap() http.ResponseWriter { return w.ResponseWriter }
