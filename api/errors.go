package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/bippop/bippop/node"
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/danielgtaylor/huma/v2/validation"
	"github.com/gin-gonic/gin"
)

// problem is an RFC 9457 answer. It never holds what the caller sent.
type problem struct {
	Type      string  `json:"type" format:"uri" example:"urn:bippop:problem:double-booked" doc:"Stable: urn:bippop:problem: and the code"`
	Code      string  `json:"code" example:"double-booked" doc:"Stable, for programs"`
	Title     string  `json:"title" doc:"What is wrong and what to do, in English"`
	Status    int     `json:"status" example:"409"`
	Clash     string  `json:"clash,omitempty" format:"uuid" doc:"The request that stands in the way"`
	Reference string  `json:"reference,omitempty" doc:"Of a fault of ours; the node's log says more under it"`
	Errors    []fault `json:"errors,omitempty"`

	after int // Retry-After in seconds; 0: none
}

// fault is one place that does not fit.
type fault struct {
	Location string `json:"location" example:"body.last_name"`
	Message  string `json:"message"`
}

func newProblem(status int, code, title string) *problem {
	return &problem{Type: "urn:bippop:problem:" + code, Code: code, Title: title, Status: status}
}

func (p *problem) at(location, message string) *problem {
	p.Errors = append(p.Errors, fault{location, message})
	return p
}

func (p *problem) Error() string  { return p.Title }
func (p *problem) GetStatus() int { return p.Status }

// ContentType is what huma asks for the media type.
func (p *problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders is what huma asks for further headers.
func (p *problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.after > 0 {
		h.Set("Retry-After", strconv.Itoa(p.after))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	return h
}

// refuse answers an operation with p.
func (s *server) refuse(ctx huma.Context, p *problem) {
	for name, values := range p.GetHeaders() {
		ctx.SetHeader(name, values[0])
	}
	huma.WriteErr(s.huma, ctx, p.Status, "", p)
}

// write answers outside huma.
func (p *problem) write(w http.ResponseWriter) {
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p) // an error here is the caller's connection
}

// malformed says that something outside the domain does not fit its form.
func malformed(location, message string) *problem {
	return newProblem(http.StatusBadRequest, "malformed", "this does not fit the form that the interface describes").at(location, message)
}

var (
	errSignIn    = &node.Error{Kind: node.SignIn, Code: "sign-in", Reason: "sign in first: POST " + base + "/sessions"}
	errForbidden = &node.Error{Kind: node.Forbidden, Code: "forbidden", Reason: "your role does not allow this"}
	errStale     = &node.Error{Kind: node.Stale, Code: "stale-version", Reason: "somebody changed it since you read it; read it again"}
	errBehind    = &node.Error{Kind: node.Unavailable, Code: "behind", Reason: "this replica has not seen that write yet; try again, or ask another one"}
)

// retryAfter is how long a caller waits by default, in seconds.
const retryAfter = 5

// explain is the one way from an error to what a caller sees. method decides
// where a named field stood.
func (s *server) explain(ctx context.Context, route, method string, err error) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	e, ok := errors.AsType[*node.Error](err)
	if !ok {
		p := internal()
		s.log.ErrorContext(ctx, "a request went wrong",
			slog.String("reference", p.Reference), slog.String("route", route), slog.String("error", err.Error()))
		return p
	}
	p := newProblem(status(e), e.Code, e.Reason)
	p.Clash = e.Clash.String()
	switch {
	case e.After > 0:
		p.after = e.After
	case e.Kind == node.Unavailable || e.Kind == node.TooMany:
		p.after = retryAfter
	}
	if e.Field != "" {
		place := "body."
		if method == http.MethodGet {
			place = "query."
		}
		p.at(place+e.Field, e.Reason)
	}
	return p
}

// status is the one table from node's kinds to HTTP.
func status(e *node.Error) int {
	switch e.Kind {
	case node.Invalid:
		if e.Code == "malformed-id" {
			return http.StatusBadRequest
		}
		return http.StatusUnprocessableEntity
	case node.NotFound:
		return http.StatusNotFound
	case node.Conflict:
		return http.StatusConflict
	case node.Stale:
		return http.StatusPreconditionFailed
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

// internal is a fault of ours: the caller gets a reference to the log.
func internal() *problem {
	b := make([]byte, 6)
	rand.Read(b)
	p := newProblem(http.StatusInternalServerError, "internal", "something is wrong with this node; tell its operator the reference")
	p.Reference = hex.EncodeToString(b)
	return p
}

// prepare turns gin and huma to our ways, once. Both keep these in variables of
// their packages.
var prepare = sync.OnceFunc(func() {
	gin.SetMode(gin.ReleaseMode)
	huma.ValidateStrictCasing = true
	huma.DefaultArrayNullable = false
	// An upload stays in memory: what spills goes to a file in clear.
	humagin.MultipartMaxMemory = 2 * sheetBody
	huma.NewError = fromHuma
	huma.NewErrorWithContext = func(_ huma.Context, status int, msg string, errs ...error) huma.StatusError {
		return fromHuma(status, msg, errs...)
	}
})

// mostFaults bounds a problem.
const mostFaults = 20

// fromHuma makes a problem of what huma found while binding. Its own texts may
// quote the request, so each is looked up and none is passed on unseen.
func fromHuma(status int, _ string, errs ...error) huma.StatusError {
	for _, err := range errs {
		if p, ok := errors.AsType[*problem](err); ok {
			return p
		}
	}
	switch status {
	case http.StatusUnprocessableEntity, http.StatusBadRequest:
	case http.StatusUnsupportedMediaType:
		return newProblem(status, "unsupported-media-type", "send JSON; a spreadsheet goes as multipart/form-data")
	default:
		return newProblem(status, "refused", http.StatusText(status))
	}
	bad := newProblem(http.StatusUnprocessableEntity, "invalid", "a value is not one of those that the interface describes")
	for _, err := range errs[:min(len(errs), mostFaults)] {
		e, ok := errors.AsType[*huma.ErrorDetail](err)
		if !ok {
			continue
		}
		f, shape := faultOf(e)
		if f.Location == "header.If-Match" && strings.HasPrefix(e.Message, "required ") {
			return newProblem(http.StatusPreconditionRequired, "version-required", "say in If-Match which version you have read: its ETag").at(f.Location, f.Message)
		}
		if shape || status == http.StatusBadRequest {
			whole := malformed(f.Location, f.Message)
			bad.Type, bad.Code, bad.Title, bad.Status = whole.Type, whole.Code, whole.Title, whole.Status
		}
		bad.Errors = append(bad.Errors, f)
	}
	if len(bad.Errors) == 0 {
		return malformed("body", "expected a body")
	}
	return bad
}

// shapes are messages of huma about the form of a value, not about the value.
var shapes = []string{
	validation.MsgUnexpectedProperty, validation.MsgExpectedBoolean, validation.MsgExpectedNumber, validation.MsgExpectedInteger,
	validation.MsgExpectedString, validation.MsgExpectedArray, validation.MsgExpectedObject,
}

// faultOf keeps of huma's finding what cannot be the caller's words. shape says
// that the form is wrong, not the value.
func faultOf(e *huma.ErrorDetail) (f fault, shape bool) {
	f = fault{Location: place(e.Location), Message: "this value does not fit"}
	inBody := strings.HasPrefix(e.Location, "body.") || strings.HasPrefix(e.Location, "form.") || e.Location == "file"
	switch {
	case slices.Contains(shapes, e.Message):
		return fault{f.Location, e.Message}, true
	case strings.HasPrefix(e.Message, "expected string to be RFC"):
		f.Message, _, _ = strings.Cut(e.Message, ":")
		return f, !inBody
	case strings.HasPrefix(e.Message, "expected required property"):
		f.Message = e.Message
		return f, false
	case strings.HasPrefix(e.Message, "expected "):
		f.Message = e.Message
		return f, !inBody
	case strings.HasPrefix(e.Message, "required ") && strings.HasSuffix(e.Message, " parameter is missing"), e.Message == "File required":
		f.Message = "this is required"
		return f, !inBody
	case e.Location == "body":
		f.Message = "expected JSON in UTF-8, once and whole"
	}
	return f, true
}

// placeWord is a name as we give them to fields and parameters.
var placeWord = regexp.MustCompile(`^[a-zA-Z][a-zA-Z_-]{0,30}(\[[0-9]{1,5}\])?$`)

// place cuts a location before the first name that is not one of ours.
func place(location string) string {
	parts := strings.Split(location, ".")
	for i, part := range parts {
		name, _, _ := strings.Cut(part, "[")
		if !placeWord.MatchString(part) || !ourWords[name] {
			return strings.Join(parts[:i], ".")
		}
	}
	return location
}
