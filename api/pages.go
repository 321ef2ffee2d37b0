package api

import "github.com/bippop/bippop/api/web"

// newPages is what people see in a browser.
func newPages(cfg Config) *web.Site {
	return web.New(web.Config{Node: cfg.Node, Logger: cfg.Logger, Secure: cfg.Secure, Door: cfg.Door, Demo: cfg.Demo})
}
