package main

import (
	"log/slog"
	"net/http"

	"github.com/bippop/bippop/api"
	"github.com/bippop/bippop/api/oidc"
	"github.com/bippop/bippop/api/web"
	"github.com/bippop/bippop/node"
)

// handler is everything that the node answers over HTTP. door is where people may
// sign in elsewhere, or nil. shown are the demo's sign-ins, for its front page to
// offer; none outside a demo.
func handler(n *node.Node, log *slog.Logger, secure bool, door *oidc.Door, shown []demoAccount) http.Handler {
	cfg := api.Config{Node: n, Logger: log, Secure: secure, Door: door}
	if len(shown) > 0 {
		cfg.Demo = &web.Demo{}
		for _, a := range shown {
			cfg.Demo.Accounts = append(cfg.Demo.Accounts, web.DemoAccount(a))
		}
	}
	return api.New(cfg)
}
