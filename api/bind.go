package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// binding reads what one operation takes and writes what it gives, by their types. It is
// made once and then only read. Forms and checks are huma's; the way through them is here,
// because huma.Register is in the program once for each pair of types: 25 KB an operation.
//
// What is taken is a struct: fields with a path, query or header tag, texts, whole
// numbers, booleans or lists of texts, and a Body of JSON, a pointer when it may be
// missing. The fields of a Body have no default. What is given is a struct, too: fields
// with a header tag, a text or a number, and a Body, that is JSON, []byte as they are, or a
// func(huma.Context) that answers itself.
type binding struct {
	s      *server
	op     *huma.Operation
	in     reflect.Type
	params []param
	body   []int // place of the Body that is taken; nil: none is
	form   *huma.Schema
	heads  []head
	answer []int // place of the Body that is given; nil: none is
	call   func(ctx context.Context, in any) (out any, err error)
}

// param is a field that stands in the path, the query or a header.
type param struct {
	at       []int
	in, name string
	usual    string // when there is none
	needed   bool
	form     *huma.Schema
}

// head is a field that is given in a header.
type head struct {
	at   []int
	name string
}

const jsonType = "application/json"

// bind puts an operation on the surface that takes in and gives out.
func (s *server) bind(op *huma.Operation, in, out reflect.Type, call func(context.Context, any) (any, error)) {
	b := &binding{s: s, op: op, in: in, call: call}
	b.takes()
	b.gives(out)
	ours := b.schemas().Schema(reflect.TypeFor[problem](), true, reflect.TypeFor[problem]().Name())
	for _, code := range append(op.Errors, http.StatusInternalServerError) {
		op.Responses[strconv.Itoa(code)] = &huma.Response{
			Description: http.StatusText(code),
			Content:     map[string]*huma.MediaType{new(problem).ContentType(""): {Schema: ours}},
		}
	}
	describeHeaders(op.Responses)
	s.huma.OpenAPI().AddOperation(op)
	s.huma.Adapter().Handle(op, op.Middlewares.Handler(b.serve))
}

func (b *binding) schemas() huma.Registry { return b.s.huma.OpenAPI().Components.Schemas }

// takes finds and describes what is read.
func (b *binding) takes() {
	for _, f := range reflect.VisibleFields(b.in) {
		switch {
		case f.Anonymous:
		case f.Name == "Body":
			b.body, b.form = f.Index, huma.SchemaFromField(b.schemas(), f, nameOf(b.in, "Body", b.op.OperationID+"Request"))
			b.form.PrecomputeMessages()
			b.op.RequestBody = &huma.RequestBody{Required: f.Type.Kind() != reflect.Pointer, Content: map[string]*huma.MediaType{jsonType: {Schema: b.form}}}
		default:
			b.takesParam(f)
		}
	}
}

func (b *binding) takesParam(f reflect.StructField) {
	p := param{at: f.Index, usual: f.Tag.Get("default"), needed: f.Tag.Get("required") == "true"}
	described := &huma.Param{}
	for _, place := range []string{"path", "query", "header"} {
		tag := f.Tag.Get(place)
		if tag == "" {
			continue
		}
		name, style, _ := strings.Cut(tag, ",")
		p.in, p.name, p.needed = place, name, p.needed || place == "path"
		if exploded := style == "explode"; place == "query" {
			described.Explode = &exploded
		}
	}
	if p.in == "" || f.Type.Kind() == reflect.Slice && (described.Explode == nil || !*described.Explode) {
		panic("api: no way to read " + b.in.String() + "." + f.Name)
	}
	p.form = huma.SchemaFromField(b.schemas(), f, "")
	described.Name, described.In, described.Required = p.name, p.in, p.needed
	described.Schema, described.Description = p.form, p.form.Description
	b.params, b.op.Parameters = append(b.params, p), append(b.op.Parameters, described)
}

// gives finds and describes what is written.
func (b *binding) gives(out reflect.Type) {
	status := strconv.Itoa(b.op.DefaultStatus)
	r := b.op.Responses[status]
	r.Headers = map[string]*huma.Param{}
	for _, f := range reflect.VisibleFields(out) {
		if name := f.Tag.Get("header"); name != "" {
			b.heads = append(b.heads, head{f.Index, name})
			if f.Tag.Get("hidden") != "true" {
				r.Headers[name] = &huma.Param{Schema: huma.SchemaFromField(b.schemas(), f, "")}
			}
		}
		if f.Name == "Body" {
			b.answer = f.Index
			if f.Type.Kind() != reflect.Func && r.Content == nil {
				r.Content = map[string]*huma.MediaType{jsonType: {Schema: huma.SchemaFromField(b.schemas(), f, nameOf(out, "Body", b.op.OperationID+"Response"))}}
			}
		}
	}
}

// nameOf a form that has none of its own.
func nameOf(t reflect.Type, field, other string) string {
	if t.Name() == "" {
		return other
	}
	return t.Name() + field
}

// serve answers one request.
func (b *binding) serve(ctx huma.Context) {
	in := reflect.New(b.in)
	if status, faults := b.read(ctx, in.Elem()); status != 0 {
		huma.WriteErr(b.s.huma, ctx, status, "", faults...)
		return
	}
	out, err := b.call(ctx.Context(), in.Interface())
	if err != nil {
		b.s.refuse(ctx, b.s.explain(ctx.Context(), base+b.op.Path, b.op.Method, err))
		return
	}
	b.write(ctx, reflect.ValueOf(out).Elem())
}

// read fills in. A status other than 0 refuses it, and faults say why.
func (b *binding) read(ctx huma.Context, in reflect.Value) (status int, faults []error) {
	place, found := huma.NewPathBuffer(make([]byte, 0, 64), 0), &huma.ValidateResult{}
	b.strangers(ctx, place, found)
	if len(found.Errors) > 0 {
		return http.StatusUnprocessableEntity, found.Errors
	}
	for i := range b.params {
		p := &b.params[i]
		place.Reset()
		place.Push(p.in)
		place.Push(p.name)
		value, message := p.read(ctx, in.FieldByIndex(p.at))
		switch {
		case message != "":
			found.Add(place, nil, message)
		case value != nil:
			huma.Validate(b.schemas(), p.form, place, huma.ModeWriteToServer, value, found)
		}
	}
	if b.body != nil {
		place.Reset()
		place.Push("body")
		status = b.readBody(ctx, in.FieldByIndex(b.body), place, found)
	}
	if status == 0 && len(found.Errors) > 0 {
		status = http.StatusUnprocessableEntity
	}
	return status, found.Errors
}

// strangers finds what stands in the query and is none of the operation's.
func (b *binding) strangers(ctx huma.Context, place *huma.PathBuffer, found *huma.ValidateResult) {
	u := ctx.URL()
	if u.RawQuery == "" {
		return
	}
	for name := range u.Query() {
		if slices.ContainsFunc(b.params, func(p param) bool { return p.in == "query" && p.name == name }) {
			continue
		}
		place.Reset()
		place.Push("query")
		place.Push(name)
		found.Add(place, nil, "unknown query parameter")
	}
}

// read sets f, and hands back what is to be checked; nil: there is nothing. message says
// why it cannot be set.
func (p *param) read(ctx huma.Context, f reflect.Value) (value any, message string) {
	var text string
	switch p.in {
	case "path":
		text = ctx.Param(p.name)
	case "query":
		text = ctx.Query(p.name)
	case "header":
		text = ctx.Header(p.name)
	}
	if text == "" {
		text = p.usual
	}
	if text == "" {
		if p.needed {
			return nil, "required " + p.in + " parameter is missing"
		}
		return nil, ""
	}
	switch {
	case f.Kind() == reflect.String:
		f.SetString(text)
		return text, ""
	case f.CanInt():
		n, err := strconv.ParseInt(text, 10, f.Type().Bits())
		if err != nil {
			return nil, "invalid integer"
		}
		f.SetInt(n)
		return n, ""
	case f.CanUint():
		n, err := strconv.ParseUint(text, 10, f.Type().Bits())
		if err != nil {
			return nil, "invalid integer"
		}
		f.SetUint(n)
		return n, ""
	case f.Kind() == reflect.Bool:
		yes, err := strconv.ParseBool(text)
		if err != nil {
			return nil, "invalid boolean"
		}
		f.SetBool(yes)
		return yes, ""
	}
	u := ctx.URL()
	all := u.Query()[p.name]
	f.Set(reflect.ValueOf(all))
	return all, ""
}

// readBody fills f, or hands back the status that refuses it: 0 when found says enough. It
// reads twice, first to check the form: what does not fit is not known to f's type.
func (b *binding) readBody(ctx huma.Context, f reflect.Value, place *huma.PathBuffer, found *huma.ValidateResult) (status int) {
	ctx.SetReadDeadline(time.Time{}) // it is in memory: nothing of it can be late any more
	body, err := io.ReadAll(ctx.BodyReader())
	if len(body) == 0 || err != nil {
		if b.op.RequestBody.Required || err != nil {
			return http.StatusBadRequest
		}
		return 0
	}
	kind := ctx.Header("Content-Type")
	if kind == "" {
		kind = jsonType
	}
	var loose any
	if err := b.s.huma.Unmarshal(kind, body, &loose); err != nil {
		found.Add(place, nil, err.Error())
		if errors.Is(err, huma.ErrUnknownContentType) {
			return http.StatusUnsupportedMediaType
		}
		return http.StatusBadRequest
	}
	known := len(found.Errors)
	huma.Validate(b.schemas(), b.form, place, huma.ModeWriteToServer, loose, found)
	if len(found.Errors) > known {
		return 0
	}
	if err := b.s.huma.Unmarshal(kind, body, f.Addr().Interface()); err != nil {
		found.Add(place, nil, err.Error())
	}
	return 0
}

// write answers with out.
func (b *binding) write(ctx huma.Context, out reflect.Value) {
	for _, h := range b.heads {
		f := out.FieldByIndex(h.at)
		text := ""
		if f.CanUint() {
			text = decimal(f.Uint())
		} else {
			text = f.String()
		}
		if text != "" {
			ctx.SetHeader(h.name, text)
		}
	}
	if b.answer == nil {
		ctx.SetStatus(b.op.DefaultStatus)
		return
	}
	switch body := out.FieldByIndex(b.answer).Interface().(type) {
	case func(huma.Context):
		body(ctx)
	case []byte:
		ctx.SetStatus(b.op.DefaultStatus)
		ctx.BodyWriter().Write(body) // an error here is the caller's connection
	default:
		b.s.stampIndex(ctx, "", nil)
		ctx.SetHeader("Content-Type", jsonType)
		ctx.SetStatus(b.op.DefaultStatus)
		if err := jsonFormat.Marshal(ctx.BodyWriter(), body); err != nil && ctx.Context().Err() == nil {
			panic(err)
		}
	}
}
