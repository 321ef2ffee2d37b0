package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// ledgerRoutes are the operations of this file.
type ledgerRoutes struct{ *server }

// ledgerEntry is one thing that left the territory.
type ledgerEntry struct {
	Epoch   uint16    `json:"epoch"`
	Seq     uint64    `json:"seq"`
	Day     string    `json:"day"`
	At      time.Time `json:"recorded_at" doc:"Here; this never leaves"`
	Kind    uint16    `json:"kind"`
	Body    any       `json:"body,omitempty" doc:"What it says"`
	Bytes   []byte    `json:"bytes" doc:"What left, exactly; base64"`
	Hash    string    `json:"hash" doc:"Of the leaf, RFC 6962, hexadecimal"`
	Settled bool      `json:"settled" doc:"Received by as many witnesses as the roster asks for"`
	Counts  bool      `json:"counts" doc:"Not left behind by a new epoch"`
}

func entryOut(e node.LedgerEntry) ledgerEntry {
	out := ledgerEntry{e.Epoch, e.Seq, string(e.Day), at(e.At), uint16(e.Kind), e.Body, e.Bytes, e.Hash, e.Settled, e.Counts}
	if e.Bulletin != nil {
		out.Body = e.Bulletin
	}
	return out
}

type ledgerList struct {
	Items []ledgerEntry `json:"items" doc:"Newest first"`
	Next  string        `json:"next" doc:"cursor of older ones, or empty"`
}

type ledgerInput struct {
	Reading
	Epoch  uint16 `query:"epoch" doc:"None: the newest"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
	Cursor string `query:"cursor" maxLength:"20" pattern:"^[0-9]*$"`
}

func (s ledgerRoutes) entries(ctx context.Context, in *ledgerInput) (*answer[ledgerList], error) {
	before, _ := strconv.ParseUint(in.Cursor, 10, 64)
	all, more, err := s.node.Ledger.Entries(caller(ctx), node.LedgerPage{Epoch: in.Epoch, Before: before, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := ledgerList{Items: []ledgerEntry{}}
	for _, e := range all {
		out.Items = append(out.Items, entryOut(e))
	}
	if more {
		out.Next = decimal(all[len(all)-1].Seq)
	}
	return &answer[ledgerList]{out}, nil
}

type placeInput struct {
	Reading
	Epoch uint16 `path:"epoch"`
	Seq   uint64 `path:"seq"`
}

type ledgerProof struct {
	Entry      ledgerEntry `json:"entry"`
	Checkpoint string      `json:"checkpoint,omitempty" doc:"C2SP signed note: by the territory's machines, cosigned by witnesses; none: not settled yet"`
	Size       int64       `json:"size,omitempty" doc:"Of the tree"`
	Path       []string    `json:"path" doc:"RFC 6962 inclusion proof, base64"`
}

func (s ledgerRoutes) proof(ctx context.Context, in *placeInput) (*answer[ledgerProof], error) {
	e, err := s.node.Ledger.Entry(caller(ctx), in.Epoch, in.Seq)
	if err != nil {
		return nil, err
	}
	out := ledgerProof{Entry: entryOut(e), Path: []string{}}
	p, err := s.node.Ledger.Proof(caller(ctx), in.Epoch, in.Seq)
	if err == nil {
		out.Checkpoint, out.Size, out.Path = p.Checkpoint, p.Size, append(out.Path, p.Path...)
	} else if e, ok := errors.AsType[*node.Error](err); !ok || e.Code != "no-proof" {
		return nil, err
	}
	return &answer[ledgerProof]{out}, nil
}

type connection struct {
	Name     string `json:"name"`
	Provider string `json:"provider,omitempty"`
	On       bool   `json:"on"`
	Inbound  bool   `json:"inbound" doc:"The other side calls"`
	Count    uint64 `json:"count" doc:"Since this replica was started"`
}

type connections struct {
	Items []connection `json:"items"`
}

func (s ledgerRoutes) connections(ctx context.Context, _ *struct{ Reading }) (*answer[connections], error) {
	all, err := s.node.Ledger.Connections(caller(ctx))
	if err != nil {
		return nil, err
	}
	out := connections{Items: []connection{}}
	for _, c := range all {
		out.Items = append(out.Items, connection(c))
	}
	return &answer[connections]{out}, nil
}

// transparency is where anybody reads the ledger, in C2SP's tile layout: see package
// federation/ledger.
const transparency = "/transparency/"

// transparent serves the ledger's files to anybody. A full tile never changes; what
// still grows is asked for again after a minute.
func (s *server) transparent(c *gin.Context) {
	path := strings.TrimPrefix(c.Param("path"), "/")
	b, err := s.node.Ledger.File(c.Request.Context(), path)
	if err != nil {
		code := http.StatusServiceUnavailable
		if e, ok := errors.AsType[*node.Error](err); ok && e.Kind == node.NotFound {
			code = http.StatusNotFound
		}
		c.String(code, "%d\n", code)
		return
	}
	kept := "public, max-age=60"
	if strings.Contains(path, "/tile/") {
		kept = "public, max-age=31536000, immutable"
	}
	c.Header("Cache-Control", kept)
	c.Header("Access-Control-Allow-Origin", "*")
	kind := "application/octet-stream"
	switch {
	case strings.HasSuffix(path, ".json"):
		kind = "application/json"
	case strings.HasSuffix(path, "checkpoint"):
		kind = "text/plain; charset=utf-8"
	}
	c.Data(http.StatusOK, kind, b)
}
