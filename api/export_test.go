package api

import (
	"context"
	"io"
	"log/slog"
	"net/http"

	"github.com/bippop/bippop/api/web"
	"github.com/bippop/bippop/node"
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
)

// Catching serves h behind the recovery alone, at path.
func Catching(log *slog.Logger, path string, h gin.HandlerFunc) http.Handler {
	prepare()
	e := gin.New()
	e.Use((&server{log: log}).catch)
	e.GET(path, h)
	return e
}

// Unique is what every body is checked with.
var Unique = unique

// Streaming serves at /stream what write writes.
func Streaming(log *slog.Logger, write func(io.Writer) error) http.Handler {
	prepare()
	e := gin.New()
	s := &server{log: log}
	e.Use(s.catch)
	s.huma = humagin.New(e, huma.DefaultConfig("test", "1"))
	huma.Register(s.huma, huma.Operation{OperationID: "stream", Method: http.MethodGet, Path: "/stream"}, func(context.Context, *struct{}) (*huma.StreamResponse, error) {
		return s.stream("file", write), nil
	})
	return e
}

// What the forms of answers are made from.
var (
	ClusterOut     = func(c node.Cluster) any { return clusterOut(c) }
	ErasureOut     = func(e node.Erasure) any { return erasureOut(e) }
	CertificateOut = func(c node.Certificate) any { return certificateOut(c) }
	DestinationOut = func(d node.Destination) any { return destinationOut(d) }
)

// Doors lists every address of a node's surface, pages and operations, and whom each is
// for; routed is what the router answers at all.
func Doors(cfg Config) (doors []web.Door, routed []string) {
	prepare()
	e := gin.New()
	s := &server{node: cfg.Node, log: cfg.Logger}
	s.mount(e)
	site := web.New(web.Config{Node: cfg.Node, Logger: cfg.Logger})
	site.Mount(e)
	for _, r := range e.Routes() {
		routed = append(routed, r.Method+" "+r.Path)
	}
	return append(s.doors, site.Doors()...), routed
}
