// Package api is what a node answers over HTTP: the JSON interface for programs
// below /api/v1, and beside it the pages of package web.
//
//	request ─▶ fence      security headers, no foreign site, X-Index
//	        ─▶ gin        recovery, size limit, routes
//	        ─▶ admit      who asks, may this role at all, wait for the index, read the body
//	        ─▶ bind       strictly, against huma's form of what is taken
//	        ─▶ one file per noun: DTO -> node's words -> service -> DTO
//	        ─▶ explain    the one switch from node.Kind to a status and a problem
//
// # Conventions
//
// Lists answer {"items": […], "next": "cursor or empty"} and take limit (≤ 100)
// and cursor. A single record has an ETag, its version in quotes; a PUT names it
// in If-Match, a POST may. A POST takes an Idempotency-Key. Every answer carries
// X-Index; a GET that sends one back waits until this replica has seen it, and
// with ?fresh=1 until it has seen every write that was ever acknowledged.
// Instants are RFC 3339 in UTC, days are dates in the territory's calendar, INSEE
// codes and SIRENs are text, closed sets are words (words.go).
//
// What does not fit the form is answered 400, what the domain refuses 422 or 409.
// A problem (RFC 9457) names the place and never repeats what stood there.
//
// A person's words are revealed in the mapping functions of the nouns' files and
// nowhere else. There is no access log; at debug level the log gets method, route
// pattern, status, duration and index, never a path or a query.
package api

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/bippop/bippop/api/oidc"
	"github.com/bippop/bippop/api/web"
	"github.com/bippop/bippop/node"
	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
)

// Config of the surface. Node and Logger are required.
type Config struct {
	Node   *node.Node
	Logger *slog.Logger
	// Secure says that browsers reach us over TLS alone: cookies are marked so, and
	// browsers are told to stay with it.
	Secure bool
	// Door is where people may sign in elsewhere; nil: nowhere.
	Door *oidc.Door
	// Demo holds the sign-ins that the demo's front page shows; nil elsewhere.
	Demo *web.Demo
}

// Body limits in bytes. A spreadsheet has at most 8 MiB, and a form around it. The
// page that takes one sets that limit itself, and lets larger ones pass by unread, as
// a browser shows no answer to what it could not send.
const (
	usualBody  = 1 << 20
	sheetBody  = 9 << 20
	passedBody = 64 << 20
)

// server is the surface of one node. Safe for concurrent use.
type server struct {
	node   *node.Node
	log    *slog.Logger
	secure bool
	huma   huma.API
	doors  []web.Door // that programs have
}

// New is everything that the node answers over HTTP.
func New(cfg Config) http.Handler {
	prepare()
	s := &server{node: cfg.Node, log: cfg.Logger, secure: cfg.Secure}
	e := gin.New()
	e.HandleMethodNotAllowed = true
	e.RedirectTrailingSlash = false
	// A proxy on this machine says who is before it; nobody else is believed.
	if err := e.SetTrustedProxies([]string{"127.0.0.1", "::1"}); err != nil {
		panic("api: " + err.Error())
	}
	e.Use(s.note, s.catch, bound, lost)
	e.GET("/healthz", s.alive)
	e.GET("/readyz", s.ready)
	e.GET(transparency+"*path", s.transparent)
	s.mount(e)
	mountPages(e, cfg)
	all := s.fence(e)
	cfg.Node.Answer(relaying{s}.relayed(all))
	return relaying{s}.relay(all)
}

// fences are the headers of every answer. Pages load nothing from elsewhere and
// run no script of their own text.
var fences = map[string]string{
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
		"font-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
	"Referrer-Policy":              "same-origin", // no-referrer would also blank the Origin of our own forms
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
	"Cache-Control":                "no-store",
}

// fence sets the headers and refuses what another site makes a browser send.
func (s *server) fence(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(foreign))
	next = cross.Handler(next)
	fixed := make(map[string][]string, len(fences)) // by the names' usual form, so that no answer works it out again
	for name, value := range fences {
		fixed[http.CanonicalHeaderKey(name)] = []string{value}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		for name, values := range fixed {
			h[name] = values // shared, and never changed: Set puts another in its place
		}
		if s.secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if isAPI(r) {
			h.Set("X-Index", decimal(s.node.Index()))
		}
		next.ServeHTTP(w, r)
	})
}

func foreign(w http.ResponseWriter, r *http.Request) {
	p := newProblem(http.StatusForbidden, "cross-origin", "a page of another site may not send this")
	if isAPI(r) {
		p.write(w)
		return
	}
	http.Error(w, p.Title, p.Status)
}

// isAPI reports whether programs are meant, who read problems, not pages.
func isAPI(r *http.Request) bool {
	return r.URL.Path == "/api" || strings.HasPrefix(r.URL.Path, "/api/")
}

// note logs a request without a word of its content, for whoever hunts a fault.
func (s *server) note(c *gin.Context) {
	if !s.log.Enabled(c.Request.Context(), slog.LevelDebug) {
		return
	}
	from := s.node.Now()
	c.Next()
	s.log.LogAttrs(c.Request.Context(), slog.LevelDebug, "request",
		slog.String("method", c.Request.Method), slog.String("route", c.FullPath()), slog.Int("status", c.Writer.Status()),
		node.Took(from, s.node.Now()), slog.Uint64("index", s.node.Index()))
}

// catch answers for a handler that panicked. The value of a panic may hold a
// person's words, a stack holds none.
func (s *server) catch(c *gin.Context) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(v)
		}
		p := internal()
		s.log.ErrorContext(c.Request.Context(), "a request has panicked",
			slog.String("reference", p.Reference), slog.String("route", c.FullPath()), slog.String("stack", string(debug.Stack())))
		c.Abort()
		switch {
		case c.Writer.Written():
		case isAPI(c.Request):
			p.write(c.Writer)
		default:
			http.Error(c.Writer, p.Title+" ["+p.Reference+"]", p.Status)
		}
	}()
	c.Next()
}

// bound limits what may be sent.
func bound(c *gin.Context) {
	limit := int64(usualBody)
	switch c.FullPath() {
	case base + "/imports":
		limit = sheetBody
	case "/settings/imports", "/federation/handovers", base + "/federation/handovers":
		limit = passedBody
	}
	if c.Request.Body != nil {
		c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, limit)
	}
}

// lost answers programs that ask for what there is not. Pages have their own.
func lost(c *gin.Context) {
	if c.FullPath() != "" || !isAPI(c.Request) {
		return
	}
	p := newProblem(http.StatusNotFound, "no-such-path", "there is nothing at this address; see "+base+"/openapi.json")
	if c.Writer.Status() == http.StatusMethodNotAllowed {
		p = newProblem(http.StatusMethodNotAllowed, "no-such-method", "this address does not take this method")
	}
	p.write(c.Writer)
	c.Abort()
}

// alive says that the process answers, and nothing of what it can do.
func (s *server) alive(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"status": "ok"}) }

// ready says whether reads and writes are served.
func (s *server) ready(c *gin.Context) {
	err := s.node.Serving()
	if err == nil {
		err = s.node.Writable()
	}
	if err != nil {
		s.explain(c.Request.Context(), c.FullPath(), "", err).write(c.Writer)
		return
	}
	c.JSON(http.StatusOK, gin.H{"status": "ok"})
}
