package api

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/bippop/bippop/node"
	"github.com/danielgtaylor/huma/v2"
)

// backupRoutes are the operations of this file.
type backupRoutes struct{ *server }

// destination is a place for backups.
type destination struct {
	ID         string          `json:"id" format:"uuid"`
	Version    uint32          `json:"version"`
	Name       string          `json:"name" example:"safe of the CCAS"`
	Kind       destinationWord `json:"kind" doc:"A folder is written and cleared by its replica, a manual place by a person who says so"`
	Keys       bool            `json:"keys" doc:"Key backups go there, of which only the latest exists; else data backups"`
	Replica    string          `json:"replica,omitempty" format:"uuid" doc:"On whose machine the folder is"`
	Path       string          `json:"path,omitempty" doc:"Of the folder"`
	Recipients []string        `json:"recipients" doc:"age1pq…: who can open it"`
	Hours      int             `json:"every_hours" doc:"The schedule; key backups follow every change of root at once, too"`

	Last    time.Time `json:"last_at,omitzero" doc:"When the last backup there was made; none: never"`
	Bytes   uint64    `json:"bytes" doc:"Of it"`
	Current bool      `json:"current" doc:"Of keys: what lies there opens with the current root, and nothing older lies there"`
	Fault   string    `json:"fault,omitempty" doc:"Code of what the last try ran into"`
}

// usualHours is the schedule of a place that names none.
const usualHours = 24

func destinationOut(d node.Destination) destination {
	hours := int(d.Every / time.Hour)
	if d.Every == 0 {
		hours = usualHours
	}
	return destination{
		ID: d.ID.String(), Version: d.Version, Name: d.Name, Kind: destinationWord(d.Kind), Keys: d.Keys, Replica: d.Replica.String(), Path: d.Path,
		Recipients: append([]string{}, d.Recipients...), Hours: hours,
		Last: at(d.Last), Bytes: d.Bytes, Current: d.Current, Fault: d.Fault,
	}
}

// backups are all places, and how old the newest copies are.
type backups struct {
	Items  []destination `json:"items"`
	Data   time.Time     `json:"newest_data_at,omitzero"`
	Keys   time.Time     `json:"newest_keys_at,omitzero"`
	Signer string        `json:"signer" doc:"Public key by which bippop restore knows this territory's backups"`
}

func (s backupRoutes) status(ctx context.Context, _ *struct{ Reading }) (*answer[backups], error) {
	found, err := s.node.Backups.Status(caller(ctx))
	if err != nil {
		return nil, err
	}
	signer, err := s.node.Backups.Signer(caller(ctx))
	if err != nil {
		return nil, err
	}
	return &answer[backups]{backups{page(found.Destinations, "", destinationOut).Body.Items, at(found.NewestData), at(found.NewestKeys), signer}}, nil
}

type destinationInput struct {
	Writing
	Body struct {
		Name       string          `json:"name" maxLength:"80"`
		Kind       destinationWord `json:"kind"`
		Keys       bool            `json:"keys,omitempty" doc:"For key backups; else for data backups"`
		Replica    string          `json:"replica,omitempty" format:"uuid" doc:"Of a folder: on whose machine; none: on the one that answers"`
		Path       string          `json:"path,omitempty" maxLength:"1000" doc:"Of a folder"`
		Recipients []string        `json:"recipients" maxItems:"16" doc:"age1pq…: who can open it"`
		Hours      int             `json:"every_hours,omitempty" minimum:"1" maximum:"168" doc:"None: every 24 hours"`
	}
}

func (s backupRoutes) register(ctx context.Context, in *destinationInput) (*written, error) {
	b := in.Body
	replica, err := idIn[node.ReplicaID]("replica", b.Replica)
	if err != nil {
		return nil, err
	}
	return write(s.node.Backups.Register(ctx, caller(ctx), node.Destination{
		Name: b.Name, Kind: node.DestinationKind(b.Kind), Keys: b.Keys, Replica: replica, Path: b.Path, Recipients: b.Recipients,
		Every: time.Duration(b.Hours) * time.Hour,
	}))
}

type giveUpInput struct {
	Writing
	Named
	Body *struct {
		Cleared bool `json:"cleared,omitempty" doc:"Somebody has destroyed what lay in this manual place"`
	}
}

func (s backupRoutes) drop(ctx context.Context, in *giveUpInput) (*written, error) {
	id, err := idOf[node.DestinationID](in.Named)
	if err != nil {
		return nil, err
	}
	return write(s.node.Backups.Drop(ctx, caller(ctx), id, in.Body != nil && in.Body.Cleared))
}

func (s backupRoutes) now(ctx context.Context, in *actInput) (*written, error) {
	id, err := idOf[node.DestinationID](in.Named)
	if err != nil {
		return nil, err
	}
	return write(s.node.Backups.Now(ctx, caller(ctx), id))
}

func (s backupRoutes) kept(ctx context.Context, in *actInput) (*written, error) {
	id, err := idOf[node.DestinationID](in.Named)
	if err != nil {
		return nil, err
	}
	return write(s.node.Backups.Kept(ctx, caller(ctx), id))
}

type dataInput struct {
	Reading
	Recipients []string `query:"recipient,explode" maxItems:"8" required:"true" doc:"age1pq…: who can open it; may be repeated"`
}

func (s backupRoutes) data(ctx context.Context, in *dataInput) (*huma.StreamResponse, error) {
	by := caller(ctx)
	return s.stream("territory.bippop", func(w io.Writer) error {
		return s.node.Backups.Data(ctx, by, in.Recipients, w, func(uint64) {})
	}), nil
}

type keysInput struct {
	Reading
	Named
}

func (s backupRoutes) keys(ctx context.Context, in *keysInput) (*huma.StreamResponse, error) {
	id, err := idOf[node.DestinationID](in.Named)
	if err != nil {
		return nil, err
	}
	by := caller(ctx)
	return s.stream("territory-keys.age", func(w io.Writer) error { return s.node.Backups.Keys(ctx, by, id, w) }), nil
}

const streamType = "application/octet-stream"

// streamed describes an answer that is a file of any length.
func streamed(op *huma.Operation) {
	op.Responses["200"].Content = map[string]*huma.MediaType{streamType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}
}

// stream answers with what write writes. An error before the first byte is a
// problem like any other; one after it breaks the connection, because half a file
// that ends well would look like a whole one.
func (s *server) stream(name string, write func(io.Writer) error) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		w := &lateHead{ctx: ctx, name: name}
		err := write(w)
		switch {
		case err == nil:
			w.head()
		case w.begun:
			if ctx.Context().Err() == nil { // the reader is still there
				s.log.ErrorContext(ctx.Context(), "a stream broke off", slog.String("route", base+ctx.Operation().Path), slog.String("error", err.Error()))
			}
			panic(http.ErrAbortHandler)
		default:
			s.refuse(ctx, s.explain(ctx.Context(), base+ctx.Operation().Path, ctx.Method(), err))
		}
	}}
}

// lateHead writes the head of an answer before its first byte.
type lateHead struct {
	ctx   huma.Context
	name  string
	begun bool
}

func (w *lateHead) head() {
	if !w.begun {
		w.ctx.SetStatus(http.StatusOK)
		w.ctx.SetHeader("Content-Type", streamType)
		w.ctx.SetHeader("Content-Disposition", `attachment; filename="`+w.name+`"`)
		w.begun = true
	}
}

func (w *lateHead) Write(b []byte) (int, error) {
	w.head()
	return w.ctx.BodyWriter().Write(b)
}
