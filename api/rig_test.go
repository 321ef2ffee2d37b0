package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bippop/bippop/api"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// now is a Tuesday morning.
var now = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

// tomorrow of now.
const tomorrow = "2026-11-25"

// password of everybody.
const password = "quatre mots bien choisis"

// rig is a node with its surface and a client that checks every answer against
// the description.
type rig struct {
	t      testing.TB
	node   *node.Node
	server *httptest.Server
	spec   *openapi3.T
	client *http.Client
	log    *safeBuffer
	passed atomic.Int64 // how long it is after now
}

// clock is what the node reads; wait lets time pass.
func (r *rig) clock() time.Time     { return now.Add(time.Duration(r.passed.Load())) }
func (r *rig) wait(d time.Duration) { r.passed.Add(int64(d)) }

// safeBuffer takes the log of several goroutines.
type safeBuffer struct {
	mu sync.Mutex // guards b, for one line
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{t: t, log: &safeBuffer{}}
	r.node = found(t, r.log, r.clock)
	r.open()
	return r
}

// open gives the node its surface and its client.
func (r *rig) open() {
	r.t.Helper()
	t := r.t
	logger := node.NewLogger(r.log, slog.LevelDebug)
	r.server = httptest.NewServer(api.New(api.Config{Node: r.node, Logger: logger}))
	t.Cleanup(r.server.Close)
	r.client = r.server.Client()
	r.spec = loadSpec(t, r.server.URL)
	router, err := gorillamux.NewRouter(r.spec)
	if err != nil {
		t.Fatal(err)
	}
	r.client.Transport = checked{r.client.Transport, router, t}
}

func found(t testing.TB, log io.Writer, clock func() time.Time) *node.Node {
	t.Helper()
	return foundAs(t, log, clock, node.Federating{}, node.Territory{
		Siren: "200044394", Name: "CC du Réolais en Sud Gironde", Calls: "Entraide chez nous", Phone: "05 36 49 00 00",
		Communes: []string{"33352", "33183"},
	})
}

func foundAs(t testing.TB, log io.Writer, clock func() time.Time, part node.Federating, territory node.Territory) *node.Node {
	t.Helper()
	dir := t.TempDir()
	unseal, err := crypto.Passphrase("une phrase bien longue", 10)
	if err != nil {
		t.Fatal(err)
	}
	n, err := node.FoundTerritory(t.Context(), node.Config{
		Dir: filepath.Join(dir, "data"), Vault: filepath.Join(dir, "vault.age"), Unseal: unseal,
		Logger: node.NewLogger(log, slog.LevelWarn), PasswordCost: crypto.PasswordCost{KiB: 64, Times: 1}, MinFree: 1,
		Now: clock, Federation: part,
	}, node.Founding{Territory: territory, Login: "admin", Password: crypto.NewSecret(password)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func loadSpec(t testing.TB, url string) *openapi3.T {
	t.Helper()
	res, err := http.Get(url + "/api/v1/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("openapi.json: %d, %v", res.StatusCode, err)
	}
	spec, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// checked is a transport that holds every answer against the description.
type checked struct {
	http.RoundTripper
	router routers.Router
	t      testing.TB
}

func (c checked) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := c.RoundTripper.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	if err := c.check(req, res, body); err != nil {
		c.t.Errorf("%s %s answered %d %s\nwhich is not as described: %v", req.Method, req.URL.Path, res.StatusCode, body, err)
	}
	return res, nil
}

func (c checked) check(req *http.Request, res *http.Response, body []byte) error {
	if res.Header.Get("X-Index") == "" {
		return fmt.Errorf("no X-Index")
	}
	if res.StatusCode >= 400 {
		if err := checkProblem(res, body); err != nil {
			return err
		}
	}
	route, params, err := c.router.FindRoute(req)
	if err != nil {
		if res.StatusCode == 404 || res.StatusCode == 405 {
			return nil
		}
		return err
	}
	return openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route},
		Status:                 res.StatusCode, Header: res.Header, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
}

func checkProblem(res *http.Response, body []byte) error {
	var p problem
	if err := json.Unmarshal(body, &p); err != nil {
		return err
	}
	switch {
	case res.Header.Get("Content-Type") != "application/problem+json":
		return fmt.Errorf("content type %q", res.Header.Get("Content-Type"))
	case p.Status != res.StatusCode, p.Code == "", p.Title == "", p.Type != "urn:bippop:problem:"+p.Code:
		return fmt.Errorf("not a whole problem")
	case (res.StatusCode == 429 || res.StatusCode == 503) && res.Header.Get("Retry-After") == "":
		return fmt.Errorf("no Retry-After")
	}
	return nil
}

type problem struct {
	Type, Code, Title, Clash, Reference string
	Status                              int
	Errors                              []struct{ Location, Message string }
}

// user is somebody at the API.
type user struct {
	*rig
	token string
}

// anon has not signed in.
func (r *rig) anon() user { return user{rig: r} }

// signIn opens a session over the API.
func (r *rig) signIn(login string) user {
	r.t.Helper()
	res := r.anon().call("POST", "/sessions", say{"login": login, "password": password})
	res.want(201)
	return user{r, res.text("token")}
}

// say is a body.
type say map[string]any

// reply is an answer, read whole.
type reply struct {
	t      testing.TB
	what   string
	status int
	header http.Header
	raw    []byte
}

// call sends a request. body is JSON to be, text to send as it is, or nil. extra
// are pairs of header and value.
func (u user) call(method, path string, body any, extra ...string) reply {
	u.t.Helper()
	var raw []byte
	switch b := body.(type) {
	case nil:
	case string:
		raw = []byte(b)
	case []byte:
		raw = b
	default:
		var err error
		if raw, err = json.Marshal(b); err != nil {
			u.t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(u.t.Context(), method, u.server.URL+"/api/v1"+path, bytes.NewReader(raw))
	if err != nil {
		u.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if u.token != "" {
		req.Header.Set("Authorization", "Bearer "+u.token)
	}
	for i := 0; i < len(extra); i += 2 {
		req.Header.Set(extra[i], extra[i+1])
	}
	return u.send(req)
}

func (u user) send(req *http.Request) reply {
	u.t.Helper()
	res, err := u.client.Do(req)
	if err != nil {
		u.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		u.t.Fatal(err)
	}
	return reply{u.t, req.Method + " " + req.URL.Path, res.StatusCode, res.Header, raw}
}

func (u user) get(path string, extra ...string) reply {
	u.t.Helper()
	r := u.call("GET", path, nil, extra...)
	r.want(200)
	return r
}

// write sends what shall be recorded, and gives the ID.
func (u user) write(status int, method, path string, body any, extra ...string) string {
	u.t.Helper()
	r := u.call(method, path, body, extra...)
	r.want(status)
	return r.text("id")
}

func (r reply) want(status int) reply {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("%s answered %d, not %d: %s", r.what, r.status, status, r.raw)
	}
	return r
}

func (r reply) problem() (p problem) {
	r.t.Helper()
	r.into(&p)
	return p
}

func (r reply) into(v any) {
	r.t.Helper()
	if err := json.Unmarshal(r.raw, v); err != nil {
		r.t.Fatalf("%s answered %s: %v", r.what, r.raw, err)
	}
}

// at looks up "items.0.id".
func (r reply) at(path string) any {
	r.t.Helper()
	var v any
	r.into(&v)
	for name := range strings.SplitSeq(path, ".") {
		switch have := v.(type) {
		case map[string]any:
			v = have[name]
		case []any:
			var i int
			if fmt.Sscan(name, &i); i >= len(have) {
				return nil
			}
			v = have[i]
		default:
			return nil
		}
	}
	return v
}

func (r reply) text(path string) string {
	r.t.Helper()
	s, _ := r.at(path).(string)
	return s
}

func (r reply) number(path string) int {
	r.t.Helper()
	n, _ := r.at(path).(float64)
	return int(n)
}

func (r reply) items(t testing.TB) []any {
	t.Helper()
	items, ok := r.at("items").([]any)
	if !ok {
		t.Fatalf("%s answered no items: %s", r.what, r.raw)
	}
	return items
}

func (r reply) is(t testing.TB, path string, want any) {
	t.Helper()
	if n, ok := want.(int); ok {
		want = float64(n)
	}
	if got := r.at(path); got != want {
		t.Errorf("%s: %s is %v, not %v, in %s", r.what, path, got, want, r.raw)
	}
}

// kind is the ID of an action type by its name.
func (u user) kind(name string) string {
	u.t.Helper()
	r := u.get("/action-types")
	for i := range r.items(u.t) {
		if r.text(fmt.Sprintf("items.%d.name", i)) == name {
			return r.text(fmt.Sprintf("items.%d.id", i))
		}
	}
	u.t.Fatal("no action type " + name)
	return ""
}

// enrol adds a beneficiary.
func (u user) enrol(last string) string {
	u.t.Helper()
	return u.write(201, "POST", "/beneficiaries", say{
		"commune": "33352", "basis": "consent", "civility": "Mme", "last_name": last, "first_name": "Exemple",
		"birth": "12/03/1941", "phones": []say{{"number": "05 36 49 12 07", "label": "fixe"}}, "address": "3 rue du Marché",
	})
}

// approve adds a volunteer and leads him to where he may be asked.
func (u user) approve(last string) string {
	u.t.Helper()
	id := u.write(201, "POST", "/volunteers", say{
		"commune": "33352", "radius_km": 15, "last_name": last, "first_name": "Exemple", "phones": []say{{"number": "06 39 98 12 07"}},
	})
	for _, to := range []string{"met", "approved"} {
		u.write(200, "POST", "/volunteers/"+id+"/step", say{"to": to})
	}
	return id
}

// account opens one for a volunteer.
func (u user) account(login, volunteer string) {
	u.t.Helper()
	u.write(201, "POST", "/accounts", say{"login": login, "password": password, "roles": []string{"volunteer"}, "volunteer": volunteer})
}

func escape(s string) string { return url.QueryEscape(s) }
