// Package web is the interface that people use: server-rendered pages in
// French and English, plain forms that work without script, and a little htmx where waiting for a
// page would be in the way of a telephone call.
//
// # Rules of these pages
//
//   - Order: who is it, what is asked of me, the one next gesture, then the rest.
//   - One primary button in a card. Words as spoken at the desk.
//   - Nothing personal in an address: a name that is looked for travels in the
//     body of a POST, people are named by their IDs.
//   - A form carries its own key, so that sending it twice records it once, and
//     what somebody typed is never lost to an error.
//   - Pages decide nothing: what may not be done, the services refuse.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/bippop/bippop/api/oidc"
	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

//go:embed templates assets locales
var files embed.FS

// Config of the pages. Node and Logger are required.
type Config struct {
	Node   *node.Node
	Logger *slog.Logger
	Secure bool       // cookies are sent over TLS only
	Door   *oidc.Door // where people may sign in elsewhere; nil: nowhere
	Demo   *Demo      // non-nil in the demo: its sign-ins are shown
}

// Demo lists the sign-ins that the demo's front page offers.
type Demo struct{ Accounts []DemoAccount }

// DemoAccount is one of them.
type DemoAccount struct {
	Role     string
	Login    string
	Password string
	Label    string // "Agent du CCAS", "Bénévole"
}

// Site is the pages of one node. Safe for concurrent use.
type Site struct {
	node    *node.Node
	log     *slog.Logger
	secure  bool
	demo    *Demo
	pages   map[string]*pages // by language
	assets  map[string]asset
	tongues map[string]*tongue // by language
	drafts  *drafts
	doors   []Door
}

type asset struct {
	kind  string // media type
	plain []byte
	small []byte // gzip, or nil
}

// New reads templates and assets. A template that cannot be read is a fault of
// the program: it panics.
func New(cfg Config) *Site {
	s := &Site{node: cfg.Node, log: cfg.Logger, secure: cfg.Secure, demo: cfg.Demo, pages: map[string]*pages{}, assets: map[string]asset{}, tongues: learn(cfg.Node.Now), drafts: newDrafts(cfg.Node.Now)}
	s.readAssets()
	for _, w := range s.tongues {
		s.pages[w.lang] = &pages{funcs: []template.FuncMap{s.funcs(w), inPrint{w}.funcs()}}
	}
	return s
}

// readAssets names each file by its hash, so that browsers may keep it for ever.
func (s *Site) readAssets() {
	entries, err := files.ReadDir("assets")
	if err != nil {
		panic("web: " + err.Error())
	}
	for _, e := range entries {
		b, err := files.ReadFile("assets/" + e.Name())
		if err != nil {
			panic("web: " + err.Error())
		}
		a := asset{kind: mime.TypeByExtension(path.Ext(e.Name())), plain: b}
		var small bytes.Buffer
		z, _ := gzip.NewWriterLevel(&small, gzip.BestCompression)
		z.Write(b)
		z.Close()
		if small.Len() < len(b) {
			a.small = small.Bytes()
		}
		s.assets[e.Name()] = a
	}
}

// assetPath is the address of an asset in this build.
func (s *Site) assetPath(name string) string {
	a, ok := s.assets[name]
	if !ok {
		panic("web: no asset " + name)
	}
	sum := sha256.Sum256(a.plain)
	return "/assets/" + hex.EncodeToString(sum[:6]) + "/" + name
}

func (s *Site) serveAsset(c *gin.Context) {
	a, ok := s.assets[c.Param("name")]
	if !ok {
		c.Status(http.StatusNotFound)
		return
	}
	c.Header("Cache-Control", "public, max-age=31536000, immutable")
	c.Header("Vary", "Accept-Encoding")
	if a.small != nil && strings.Contains(c.GetHeader("Accept-Encoding"), "gzip") {
		c.Header("Content-Encoding", "gzip")
		c.Data(http.StatusOK, a.kind, a.small)
		return
	}
	c.Data(http.StatusOK, a.kind, a.plain)
}

// page is what every template gets.
type page struct {
	Title     string
	Here      string // which entry of the menu is the present one
	Caller    node.Caller
	SignedIn  bool
	Territory node.Territory
	Phone     bool   // laid out for a telephone in the hand
	Narrow    bool   // one column of text
	Path      string // of this page, to come back to
	Flash     string // what has just been done
	Problem   *problem
	Missed    int       // tries to come in that failed, said right after an entry
	Key       string    // of the forms on this page
	Index     uint64    // of the last write that this page shows
	Tour      *tourData // in the demo, while a visitor acts out a call
	Demo      bool
	Counts    menuCounts
	Data      any
	Main      template.HTML // the page itself, between head and foot
}

// menuCounts are the numbers in the menu.
type menuCounts struct {
	Calls      int
	Looking    int
	Applicants int
}

// render writes a page. Data goes to the template named so.
func (s *Site) render(c *gin.Context, status int, name string, p page) {
	if p.Problem != nil && c.GetHeader(outboxHeader) != "" {
		c.JSON(status, outboxAnswer{Problem: strings.TrimSpace(p.Problem.Text + " " + p.Problem.Where)})
		return
	}
	if p.Problem != nil && p.Problem.Code == "step-up" && name != "again" {
		entry{s}.askAgain(c, status, nil)
		return
	}
	w := s.words(c)
	if p.Territory.Siren == "" {
		p.Territory, _ = s.node.Settings.Territory()
	}
	p.Index = c.GetUint64(indexKey)
	p.Path = c.Request.URL.Path
	if c.Request.Method != http.MethodGet {
		p.Path = "/" // the answer to a form has no address of its own
	}
	p.Caller = caller(c)
	p.SignedIn = !p.Caller.Account.Zero()
	p.Key = newKey()
	if p.Problem != nil && p.Problem.again() && c.PostForm("key") != "" {
		p.Key = c.PostForm("key") // sent again, it is recorded once
	}
	if p.Flash == "" {
		if done := "flash." + c.Query("ok"); w.knows(done) {
			p.Flash = w.t(done)
		}
	}
	p.Demo = s.demo != nil
	if by := p.Caller.Session; by.Missed > 0 && s.node.Now().Sub(by.Opened.Time()) < 5*time.Minute {
		p.Missed = int(by.Missed)
	}
	if p.Caller.Staff() {
		p.Counts = s.counts(p.Caller)
		p.Tour = tour{s}.of(c)
	}
	var out bytes.Buffer
	var err error
	if p.Main, err = s.pages[w.lang].main(name, p); err == nil {
		err = s.pages[w.lang].block(&out, "layout", p)
	}
	if err != nil {
		s.log.Error("rendering", slog.String("page", name), slog.String("error", templateFault(err)))
		c.Data(http.StatusInternalServerError, "text/plain; charset=utf-8", []byte(w.t("layout.broken")))
		return
	}
	c.Header("Cache-Control", "no-store")
	if p.Phone && strings.Contains(c.GetHeader("Accept-Encoding"), "gzip") {
		c.Header("Content-Encoding", "gzip")
		squeeze(&out)
	}
	c.Data(status, "text/html; charset=utf-8", out.Bytes())
}

// squeeze makes a page small for a slow telephone. The pages of volunteers repeat
// nothing that an address brings, so that nobody can guess at a page's words by
// how much shorter a guess makes it; the desk's pages, which do, stay plain.
func squeeze(page *bytes.Buffer) {
	var small bytes.Buffer
	z := gzip.NewWriter(&small)
	z.Write(page.Bytes())
	z.Close()
	*page = small
}

// part writes a piece of a page.
func (s *Site) part(c *gin.Context, name, block string, data any) {
	var out bytes.Buffer
	if err := s.pages[s.words(c).lang].block(&out, block, data); err != nil {
		s.log.Error("rendering", slog.String("page", name), slog.String("error", templateFault(err)))
		c.Status(http.StatusInternalServerError)
		return
	}
	c.Header("Cache-Control", "no-store")
	c.Data(http.StatusOK, "text/html; charset=utf-8", out.Bytes())
}

// templateFault says where a template failed. Its own text may quote a value.
func templateFault(err error) string {
	if e, ok := errors.AsType[*template.Error](err); ok {
		return fmt.Sprintf("%s, line %d, code %d", e.Name, e.Line, e.ErrorCode)
	}
	name, rest, _ := strings.Cut(err.Error(), ": executing ")
	if rest == "" {
		return "the template does not fit its data"
	}
	return name
}

func (s *Site) counts(by node.Caller) (m menuCounts) {
	m.Calls, _ = s.node.Calls.Count(by)
	open, _ := s.node.Requests.CountIn(by, node.StateOpen, 100)
	asked, _ := s.node.Requests.CountIn(by, node.StateAsked, 100)
	m.Looking = open + asked
	if n, err := s.node.Find.VolunteerCounts(by); err == nil {
		m.Applicants = n[node.Applicant]
	}
	return m
}
