package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// bulletins are the coordinator's messages: written, looked at and published on its
// own node, read on every other one. No page answers one.
type bulletins struct{ *Site }

// bulletinsData is the list, and what is being written.
type bulletinsData struct {
	All     []bulletinShown
	Draft   node.BulletinDraft
	Longest int
}

// bulletinShown is one bulletin as pages show it.
type bulletinShown struct {
	node.Bulletin
	On string // the day
}

func (s bulletins) shown(w *tongue, b node.Bulletin) bulletinShown {
	return bulletinShown{b, w.fullDate(node.DayOf(b.Day.Time()))}
}

// desk of the coordinator: what was said, and a new one to write.
func (s bulletins) desk(c *gin.Context) { s.write(c, http.StatusOK, node.BulletinDraft{}, nil) }

func (s bulletins) write(c *gin.Context, code int, d node.BulletinDraft, err error) {
	w := s.words(c)
	all, lerr := s.node.Bulletins.List(caller(c))
	if lerr != nil {
		s.fail(c, lerr)
		return
	}
	data := bulletinsData{Draft: d, Longest: node.LongestTitle}
	for _, b := range all {
		data.All = append(data.All, s.shown(w, b))
	}
	s.render(c, code, "nation_bulletins", page{Title: w.t("bulletins.title"), Here: "nation-bulletins", Problem: w.say(err), Data: data})
}

// preview shows it as territories will read it. Nothing is said yet.
func (s bulletins) preview(c *gin.Context) {
	d := node.BulletinDraft{Title: c.PostForm("title"), Text: c.PostForm("text")}
	err := s.node.Bulletins.Check(caller(c), &d)
	switch {
	case c.PostForm("again") != "":
		s.write(c, http.StatusOK, d, nil)
		return
	case err != nil:
		s.write(c, status(err), d, err)
		return
	}
	s.look(c, http.StatusOK, d, nil)
}

func (s bulletins) look(c *gin.Context, code int, d node.BulletinDraft, err error) {
	w := s.words(c)
	s.render(c, code, "nation_preview", page{Title: w.t("bulletins.preview_title"), Here: "nation-bulletins", Narrow: true, Problem: w.say(err), Data: d})
}

// publish says it to everybody, once it is confirmed.
func (s bulletins) publish(c *gin.Context) {
	const around = 64 << 10 // the form around the file
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, node.LargestPDF+around)
	err := c.Request.ParseMultipartForm(node.LargestPDF + 2*around) // all of it in memory
	d := node.BulletinDraft{Title: c.PostForm("title"), Text: c.PostForm("text")}
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		io.Copy(io.Discard, c.Request.Body)
		err = &node.Error{Kind: node.Invalid, Code: "bulletin-pdf", Field: "pdf"}
	case err == nil:
		d.PDF, err = attached(c)
	}
	if err == nil && c.PostForm("sure") == "" {
		err = &node.Error{Kind: node.Invalid, Code: "bulletin-sure", Field: "sure"}
	}
	if err != nil {
		s.look(c, http.StatusUnprocessableEntity, d, err)
		return
	}
	if _, err := s.node.Bulletins.Publish(c.Request.Context(), writer(c), d); err != nil {
		s.look(c, status(err), d, err)
		return
	}
	c.Redirect(http.StatusSeeOther, "/nation/bulletins?ok=published")
}

// attached is the PDF of the form, or nil.
func attached(c *gin.Context) ([]byte, error) {
	file, header, err := c.Request.FormFile("pdf")
	if err != nil || header.Filename == "" && header.Size == 0 {
		return nil, nil
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, node.LargestPDF+1))
	if err != nil || len(b) == 0 {
		return nil, &node.Error{Kind: node.Invalid, Code: "bulletin-pdf", Field: "pdf"}
	}
	return b, nil
}

// list is what a territory reads.
func (s bulletins) list(c *gin.Context) {
	w := s.words(c)
	all, err := s.node.Bulletins.List(caller(c))
	if err != nil {
		s.fail(c, err)
		return
	}
	data := bulletinsData{}
	for _, b := range all {
		data.All = append(data.All, s.shown(w, b))
	}
	s.render(c, http.StatusOK, "bulletins", page{Title: w.t("bulletins.title"), Here: "bulletins", Narrow: true, Data: data})
}

// numbered is the bulletin that the address names.
func (s bulletins) numbered(c *gin.Context) (uint32, bool) {
	n, err := strconv.ParseUint(c.Param("number"), 10, 32)
	if err != nil {
		s.fail(c, &node.Error{Kind: node.NotFound, Code: "no-bulletin"})
	}
	return uint32(n), err == nil
}

func (s bulletins) page(c *gin.Context) {
	n, ok := s.numbered(c)
	if !ok {
		return
	}
	b, err := s.node.Bulletins.Get(caller(c), n)
	if err != nil {
		s.fail(c, err)
		return
	}
	here := "bulletins"
	if s.node.Coordinating() {
		here = "nation-bulletins"
	}
	s.render(c, http.StatusOK, "bulletin", page{Title: b.Title, Here: here, Narrow: true, Data: s.shown(s.words(c), b)})
}

// pdf is a file to keep: no page shows it, so that nothing in it runs here.
func (s bulletins) pdf(c *gin.Context) {
	n, ok := s.numbered(c)
	if !ok {
		return
	}
	b, err := s.node.Bulletins.PDF(caller(c), n)
	if err != nil {
		s.fail(c, err)
		return
	}
	c.Header("Content-Disposition", fmt.Sprintf(`attachment; filename="bulletin-%d.pdf"`, n))
	c.Header("X-Content-Type-Options", "nosniff")
	c.Header("Content-Security-Policy", "sandbox; default-src 'none'")
	c.Header("Cache-Control", "no-store")
	c.Data(http.StatusOK, "application/pdf", b)
}
