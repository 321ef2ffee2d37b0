package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bippop/bippop/api/web"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
)

// access says who may call an operation at all: whoever may do one of the actions. What
// exactly a caller may see or do is decided by the node's services.
type access struct {
	actions []node.Action
	open    bool // without an action: also without a session
}

var (
	anybody  = access{open: true}
	signedIn = access{}
)

// may is who may do one of these.
func may(actions ...node.Action) access { return access{actions: actions} }

// helpers are the desk, and volunteers within what is theirs.
var helpers = may(node.HandleRequests, node.AnswerForSelf)

// why says it for the description of the interface.
func (a access) why() string {
	switch {
	case a.open:
		return "For anybody."
	case len(a.actions) == 0:
		return "For everybody who is signed in."
	}
	var roles node.Roles
	for _, action := range a.actions {
		r, _ := action.Rule()
		roles |= r
	}
	_, why := a.actions[0].Rule()
	var words []string
	for _, w := range roleWords(roles) {
		words = append(words, string(w))
	}
	return "For the roles " + strings.Join(words, ", ") + ": " + why + "."
}

// lets is nil, or why the caller may not.
func (a access) lets(by node.Caller) error {
	var err error
	for _, action := range a.actions {
		if err = by.May(action); err == nil {
			return nil
		}
	}
	return err
}

// call is what is known of a request before its body is bound. It travels in the
// context because huma hands its handlers nothing else.
type call struct {
	by    node.Caller
	token node.Secret // of the session
	from  string      // the address that asks, for throttling only
}

type callKey struct{}

func callOf(ctx context.Context) call {
	c, ok := ctx.Value(callKey{}).(call)
	if !ok {
		panic("api: an operation runs that nobody was admitted to")
	}
	return c
}

// caller is who asks.
func caller(ctx context.Context) node.Caller { return callOf(ctx).by }

// admit stands before every operation.
func (s *server) admit(who access) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		g := humagin.Unwrap(ctx)
		c, err := s.identify(g, who)
		if err == nil {
			err = s.settle(g)
		}
		if err == nil {
			c.by.Body, err = read(g.Request)
		}
		if err != nil {
			s.refuse(ctx, s.explain(ctx.Context(), g.FullPath(), g.Request.Method, err))
			return
		}
		next(huma.WithValue(ctx, callKey{}, c))
	}
}

// identify finds out who asks: programs by their token, browsers by their cookie
// where nothing can be changed.
func (s *server) identify(g *gin.Context, who access) (c call, err error) {
	c.from = g.ClientIP()
	if who.open {
		return c, nil
	}
	if c.token = tokenOf(g.Request, s.secure); c.token.Empty() {
		return c, errSignIn
	}
	if c.by, err = s.node.Recognise(g.Request.Context(), c.token); err != nil {
		return c, err
	}
	web.SetCaller(g, c.by)
	if err := who.lets(c.by); err != nil {
		return c, err
	}
	if g.Request.Method == http.MethodPost {
		c.by.Key = g.GetHeader("Idempotency-Key") // its form is in the schema
	}
	return c, nil
}

func tokenOf(r *http.Request, secure bool) node.Secret {
	if head := r.Header.Get("Authorization"); head != "" {
		scheme, token, _ := strings.Cut(head, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return node.Secret{}
		}
		return crypto.NewSecret(strings.TrimSpace(token))
	}
	if r.Method != http.MethodGet {
		return node.Secret{}
	}
	cookie, err := r.Cookie(web.CookieName(secure))
	if err != nil {
		return node.Secret{}
	}
	return crypto.NewSecret(cookie.Value)
}

// patience is how long a read waits for a write that it shall see.
const patience = 5 * time.Second

// settle lets a read wait until this replica has seen what the caller names. A
// header that cannot be read is refused when the request is bound.
func (s *server) settle(g *gin.Context) error {
	if g.Request.Method != http.MethodGet {
		return nil
	}
	seen, err := strconv.ParseUint(g.GetHeader("X-Index"), 10, 64)
	if err != nil {
		seen = 0
	}
	fresh := g.Query("fresh") == "1"
	if !fresh && seen <= s.node.Index() {
		return nil
	}
	ctx, cancel := context.WithTimeout(g.Request.Context(), patience)
	defer cancel()
	if fresh {
		if err := s.node.Fresh(ctx); err != nil {
			return behind(ctx, err)
		}
	}
	return behind(ctx, s.node.Await(ctx, seen))
}

func behind(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return errBehind
	}
	return err
}

// read takes the whole body before it is bound: for its limit, and because the
// digest behind an Idempotency-Key is of all that the caller sent.
func read(r *http.Request) ([]byte, error) {
	if r.Method == http.MethodGet || r.Body == nil {
		return nil, nil
	}
	var sent bytes.Buffer
	sent.WriteString(r.Method + " " + r.URL.Path + "\n")
	head := sent.Len()
	_, err := sent.ReadFrom(r.Body)
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, newProblem(http.StatusRequestEntityTooLarge, "too-large", "the body is larger than "+decimal(uint64(e.Limit))+" bytes")
	}
	if err != nil {
		return nil, malformed("body", "expected the whole body")
	}
	r.Body = io.NopCloser(bytes.NewReader(sent.Bytes()[head:]))
	return sent.Bytes(), nil
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }

// Reading is in every GET. The headers are read in settle; here they stand for
// the schema.
type Reading struct {
	Seen  uint64 `header:"X-Index" doc:"Wait until this replica has seen this write, at most 5 seconds"`
	Fresh string `query:"fresh" enum:"1" doc:"Wait until this replica has seen every write that was ever acknowledged"`
	For   string `query:"for" enum:"phone,update,relative,check,other" doc:"Why a dossier is opened that no open request explains; it is noted in the access journal"`
}

// Writing is in every POST that records something.
type Writing struct {
	Key string `header:"Idempotency-Key" pattern:"^[!-~]{1,64}$" doc:"The same key with the same request is recorded once; with another request it is refused"`
}

// Changing is in every PUT.
type Changing struct {
	IfMatch string `header:"If-Match" required:"true" example:"\"3\"" doc:"The version that was read: the ETag of the record"`
}

// Acting is in a POST about one record whose version may have been read.
type Acting struct {
	Writing
	IfMatch string `header:"If-Match" example:"\"3\"" doc:"The version that was read; without it the present one is meant"`
}

// version reads an entity tag of ours.
func version(tag string) (uint32, error) {
	if len(tag) < 2 || tag[0] != '"' || tag[len(tag)-1] != '"' {
		return 0, malformed("header.If-Match", "expected one entity tag: a version in quotes")
	}
	n, err := strconv.ParseUint(tag[1:len(tag)-1], 10, 32)
	if err != nil || n == 0 {
		return 0, errStale // well formed, and none of ours
	}
	return uint32(n), nil
}

// versionOr reads the tag or, when there is none, looks up the present version.
func versionOr(tag string, present func() (uint32, error)) (uint32, error) {
	if tag == "" {
		return present()
	}
	return version(tag)
}

// etag is the entity tag of a version.
func etag(version uint32) string { return `"` + strconv.FormatUint(uint64(version), 10) + `"` }

// receipt answers a write.
type receipt struct {
	ID      string `json:"id,omitempty" format:"uuid" doc:"Of the record that was written; the territory has none"`
	Version uint32 `json:"version"`
}

type written struct {
	ETag  string `header:"ETag"`
	Index uint64 `header:"X-Index"`
	Body  receipt
}

// write turns a service's answer into ours.
func write(r node.Receipt, err error) (*written, error) {
	if err != nil {
		return nil, err
	}
	return &written{etag(r.Version), r.Index, receipt{node.RequestID(r.ID).String(), r.Version}}, nil
}

// one is a single record.
type one[T any] struct {
	ETag string `header:"ETag"`
	Body T
}

func single[T any](version uint32, body T) *one[T] { return &one[T]{etag(version), body} }

// answer is anything without a version.
type answer[T any] struct{ Body T }
