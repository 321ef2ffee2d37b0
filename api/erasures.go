package api

import (
	"context"
	"time"

	"github.com/bippop/bippop/node"
)

// erasureRoutes are the operations of this file.
type erasureRoutes struct{ *server }

// erased names a record whose words are unreadable for ever, or will be.
type erased struct {
	Kind erasableWord `json:"kind"`
	ID   string       `json:"id" format:"uuid"`
}

func erasedOut(kind node.Erasable, id [16]byte) erased {
	return erased{erasableWord(kind), node.RequestID(id).String()}
}

// wanted is somebody who waits for the next batch.
type wanted struct {
	ID  string    `json:"id" format:"uuid"`
	Who erased    `json:"who"`
	At  time.Time `json:"at" doc:"When it was asked for"`
	By  string    `json:"by,omitempty" format:"uuid" doc:"The account"`
}

func wantedOut(w node.Wanted) wanted {
	return wanted{w.ID.String(), erasedOut(w.Kind, w.Who), at(w.At), w.By.String()}
}

// Erasure is one change of the root key and whom it has made unreadable.
type Erasure struct {
	ID        string       `json:"id" format:"uuid"`
	At        time.Time    `json:"at"`
	By        []string     `json:"by" format:"uuid" doc:"Accounts that asked for it"`
	Who       []erased     `json:"who"`
	From      string       `json:"from" doc:"Name of the root key that was destroyed, hexadecimal"`
	To        string       `json:"to" doc:"Name of the one in its place"`
	Holders   []holder     `json:"holders" doc:"Replicas that had the former root"`
	Backups   []backupWait `json:"backups" doc:"Places where an older key backup may lie"`
	Certified time.Time    `json:"certified_at,omitzero" doc:"None: it is pending"`
}

// holder is a replica that had the former root.
type holder struct {
	Replica   string    `json:"replica" format:"uuid"`
	Name      string    `json:"name"`
	Gone      time.Time `json:"gone_at,omitzero" doc:"When it said that it holds the former root no more; none: it is waited for"`
	Destroyed time.Time `json:"destroyed_at,omitzero" doc:"When somebody recorded its vault as destroyed"`
	By        string    `json:"by,omitempty" format:"uuid"`
	How       string    `json:"how,omitempty"`
}

// backupWait is a place where an older key backup may still lie.
type backupWait struct {
	Destination string    `json:"destination" format:"uuid"`
	Name        string    `json:"name"`
	Replaced    time.Time `json:"replaced_at,omitzero" doc:"None: it is waited for"`
}

func erasureOut(e node.Erasure) Erasure {
	out := Erasure{
		ID: e.ID.String(), At: at(e.At), By: idsOut(e.By), Who: []erased{}, From: e.From, To: e.To,
		Holders: []holder{}, Backups: []backupWait{}, Certified: at(e.Certified),
	}
	for _, r := range e.Who {
		out.Who = append(out.Who, erasedOut(r.Kind, r.ID))
	}
	for _, h := range e.Holders {
		out.Holders = append(out.Holders, holder{h.Replica.String(), h.Name, at(h.Gone), at(h.Destroyed), h.By.String(), h.How})
	}
	for _, b := range e.Backups {
		out.Backups = append(out.Backups, backupWait{b.Destination.String(), b.Name, at(b.Replaced)})
	}
	return out
}

// erasures are whoever waits, and a page of what was done.
type erasures struct {
	Waiting []wanted  `json:"waiting" doc:"For the next batch, within the hour"`
	Items   []Erasure `json:"items" doc:"Newest first"`
	Next    string    `json:"next" doc:"Cursor of the next page; empty at the end"`
}

type erasuresInput struct {
	Reading
	Paging
}

func (s erasureRoutes) list(ctx context.Context, in *erasuresInput) (*answer[erasures], error) {
	name := listName("erasures")
	p, err := in.page(name)
	if err != nil {
		return nil, err
	}
	waiting, done, next, err := s.node.Erasures.List(caller(ctx), p)
	if err != nil {
		return nil, err
	}
	return &answer[erasures]{erasures{
		page(waiting, "", wantedOut).Body.Items, page(done, "", erasureOut).Body.Items, cursor(name, next),
	}}, nil
}

// certificate is an erasure with what can be promised of it.
type certificate struct {
	Erasure
	Territory string      `json:"territory" doc:"SIREN of the controller"`
	Limits    []limitWord `json:"limits" doc:"What it cannot promise: vault-copies, it holds unless an older copy of a vault exists with what opens it; one-replica; backups-35-days, identifiers, communes and dates leave with the last old data backup; manual-backups, a person has said that an older key backup was destroyed"`
	ClearDay  string      `json:"clear_day,omitempty" format:"date" doc:"When what stood in clear has left the last data backup"`
}

func certificateOut(c node.Certificate) certificate {
	out := certificate{Erasure: erasureOut(c.Erasure), Territory: c.Territory.Siren, Limits: []limitWord{}}
	for _, l := range c.Limits {
		out.Limits = append(out.Limits, limitWord(l))
	}
	if c.Day != 0 {
		out.ClearDay = c.Day.String()
	}
	return out
}

type certificateInput struct {
	Reading
	Named
}

func (s erasureRoutes) certificate(ctx context.Context, in *certificateInput) (*answer[certificate], error) {
	id, err := idOf[node.ErasureID](in.Named)
	if err != nil {
		return nil, err
	}
	c, err := s.node.Erasures.Certificate(caller(ctx), id)
	if err != nil {
		return nil, err
	}
	return &answer[certificate]{certificateOut(c)}, nil
}

type eraseInput struct {
	Writing
	Body struct {
		Kind erasableWord `json:"kind"`
		ID   string       `json:"id" format:"uuid"`
		Now  bool         `json:"now,omitempty" doc:"At once, not with the next batch"`
	}
}

func (s erasureRoutes) want(ctx context.Context, in *eraseInput) (*written, error) {
	id, err := idIn[node.RequestID]("id", in.Body.ID)
	if err != nil {
		return nil, err
	}
	return write(s.node.Erasures.Want(ctx, caller(ctx), node.Erasable(in.Body.Kind), id, in.Body.Now))
}

func (s erasureRoutes) keep(ctx context.Context, in *actInput) (*written, error) {
	id, err := idOf[node.ErasureID](in.Named)
	if err != nil {
		return nil, err
	}
	return write(s.node.Erasures.Keep(ctx, caller(ctx), id))
}

// run erases everybody who waits, now.
func (s erasureRoutes) run(ctx context.Context, _ *struct{ Writing }) (*written, error) {
	return write(s.node.Erasures.Run(ctx, caller(ctx)))
}
