package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// target is one page or read. {person}, {volunteer} and {request} stand for one
// of many.
type target struct {
	role string // who is signed in; empty: nobody
	path string
}

// targets are the pages that people look at every day, and what programs read.
var targets = []target{
	{"", "/"}, {"", "/sources"},
	{"agent", "/desk"}, {"agent", "/desk/{person}"}, {"agent", "/calls"}, {"agent", "/requests"}, {"agent", "/requests/{request}"},
	{"agent", "/people"}, {"agent", "/people/{person}"}, {"agent", "/people/{person}/edit"},
	{"agent", "/people/{person}/calendar"}, {"agent", "/desk/monday"}, {"agent", "/series"}, {"agent", "/offers"}, {"agent", "/bonds"}, {"agent", "/settings/imports"},
	{"agent", "/volunteers/{volunteer}/week"}, {"agent", "/volunteers"}, {"agent", "/volunteers/{volunteer}"}, {"agent", "/figures"}, {"agent", "/catalogue"},
	{"admin", "/settings"}, {"volunteer", "/me"}, {"volunteer", "/me/availability"},
	{"agent", apiBase + "/beneficiaries"}, {"agent", apiBase + "/beneficiaries/{person}"}, {"agent", apiBase + "/beneficiaries/{person}/requests"},
	{"agent", apiBase + "/beneficiaries/{person}/history"}, {"agent", apiBase + "/beneficiaries/{person}/usual-volunteers"},
	{"agent", apiBase + "/volunteers"}, {"agent", apiBase + "/volunteers/{volunteer}"}, {"agent", apiBase + "/volunteers/{volunteer}/requests"},
	{"agent", apiBase + "/requests?state=asked"}, {"agent", apiBase + "/requests?state=done"}, {"agent", apiBase + "/requests/{request}"}, {"agent", apiBase + "/requests/{request}/candidates"},
	{"agent", apiBase + "/calls"}, {"agent", apiBase + "/action-types"}, {"agent", apiBase + "/figures?from={year-ago}&to={month}"}, {"agent", apiBase + "/territory"},
	{"admin", apiBase + "/accounts"}, {"agent", apiBase + "/imports"}, {"agent", apiBase + "/communes?q=la+r"},
	{"volunteer", apiBase + "/me/requests"},
}

// Load of the bench: as many clients as the machine of the figures has cores.
const (
	benchClients = 2
	eachTarget   = 40 // answers per target, client and round
)

func benchHTTP(ctx context.Context, o benchOptions, out output) (figures, error) {
	h, done, err := o.home(ctx, out)
	if err != nil {
		return nil, err
	}
	defer done()
	n, err := h.open(ctx, out)
	if err != nil {
		return nil, err
	}
	defer n.Close()
	f := figures{"profile": o.profile, "clients": benchClients}
	if err := f.floors(filepath.Join(h.dir, "data")); err != nil {
		return nil, err
	}
	b := &httpBench{handler: handler(n, node.NewLogger(out.progress, slog.LevelWarn), false, nil, nil)}
	if err := b.prepare(ctx, n, h); err != nil {
		return nil, err
	}
	if _, err := b.round(ctx, 3); err != nil { // what is read once and kept
		return nil, err
	}
	samples, err := measure(ctx, o.rounds, f, func() (map[string]sample, error) { return b.round(ctx, eachTarget) })
	if err != nil {
		return nil, err
	}
	var all sample
	for path, s := range samples {
		f.quantiles(figureName(path)+"_", s)
		all = append(all, s...)
	}
	worst := slowest(samples)
	f.quantiles("", all)
	f["answers"], f["max_ms"] = len(all), ms(all.at(1))
	f["slowest_path"], f["slowest_p95_ms"] = worst, ms(samples[worst].at(0.95))
	return f, nil
}

// figureName makes "/api/v1/beneficiaries/{person}" into "api_beneficiaries_person".
func figureName(path string) string {
	path = strings.Replace(path, apiBase, "/api", 1)
	if path == "/" {
		return "home"
	}
	return strings.NewReplacer("/", "_", "-", "_", "{", "", "}", "", "?", "_", "=", "_", "+", "_", "&", "_").Replace(strings.Trim(path, "/"))
}

// httpBench asks a node for its pages, without a network between.
type httpBench struct {
	handler http.Handler
	tokens  map[string]string   // by role
	ids     map[string][]string // by what stands in braces

	mu      sync.Mutex // guards samples, for one answer
	samples map[string]sample
}

func (b *httpBench) prepare(ctx context.Context, n *node.Node, h *demoHome) error {
	b.tokens, b.ids = map[string]string{}, map[string][]string{}
	var by node.Caller
	for _, role := range []string{"volunteer", "agent", "admin"} {
		a, err := h.account(role)
		if err != nil {
			return err
		}
		token, caller, err := n.Accounts.SignIn(ctx, a.Login, crypto.NewSecret(a.Password), "bench", false)
		if err != nil {
			return err
		}
		b.tokens[role], by = token.Text.Reveal(), caller
	}
	now := n.Now()
	b.ids["{month}"], b.ids["{year-ago}"] = []string{now.Format("2006-01")}, []string{now.AddDate(0, -11, 1-now.Day()).Format("2006-01")}
	people, _, err1 := n.Beneficiaries.List(by, "", node.Page{Limit: 100})
	for _, p := range people {
		b.ids["{person}"] = append(b.ids["{person}"], p.ID.String())
	}
	volunteers, _, err2 := n.Volunteers.List(by, node.Approved, node.Page{Limit: 100})
	for _, v := range volunteers {
		b.ids["{volunteer}"] = append(b.ids["{volunteer}"], v.ID.String())
	}
	requests, _, err3 := n.Requests.InState(by, node.StateAsked, node.Page{Limit: 100})
	for _, r := range requests {
		b.ids["{request}"] = append(b.ids["{request}"], r.ID.String())
	}
	return errors.Join(err1, err2, err3)
}

// round asks each target times times, from all clients at once.
func (b *httpBench) round(ctx context.Context, times int) (map[string]sample, error) {
	b.samples = map[string]sample{}
	return b.samples, together(ctx, numbers(benchClients), func(ctx context.Context, client int) error {
		for i := range times * len(targets) {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			// Each client begins elsewhere, so that they do not walk in step.
			t := targets[(i+client*len(targets)/benchClients)%len(targets)]
			if err := b.ask(ctx, t, i/len(targets)+client*times); err != nil {
				return err
			}
		}
		return nil
	})
}

// ask takes the time of one answer. which picks who is looked at.
func (b *httpBench) ask(ctx context.Context, t target, which int) error {
	path := t.path
	for name, ids := range b.ids {
		path = strings.ReplaceAll(path, name, ids[which%len(ids)])
	}
	u, err := url.Parse(path)
	if err != nil {
		return err
	}
	r := httptest.NewRequestWithContext(ctx, "GET", u.RequestURI(), nil)
	r.RemoteAddr = "127.0.0.1:1"
	if strings.HasPrefix(path, apiBase) {
		r.Header.Set("Authorization", "Bearer "+b.tokens[t.role])
	} else if t.role != "" {
		r.AddCookie(&http.Cookie{Name: "bippop", Value: b.tokens[t.role]})
	}
	answer := httptest.NewRecorder()
	from := time.Now()
	b.handler.ServeHTTP(answer, r)
	took := time.Since(from)
	if answer.Code != http.StatusOK {
		return fmt.Errorf("%s answers %d", t.path, answer.Code)
	}
	b.mu.Lock()
	b.samples[t.path] = append(b.samples[t.path], took)
	b.mu.Unlock()
	return nil
}
