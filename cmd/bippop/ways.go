package main

import (
	"net/http"
	"net/url"
	"sync/atomic"

	"github.com/bippop/bippop/node"
)

// ways counts what goes out of this process beside the federation, for the page that
// shows what leaves. The zero value has counted nothing. Safe for concurrent use.
type ways struct{ mails, hooks, scrapes atomic.Uint64 }

// letter counts a try to bring one: also one that does not arrive has gone out.
func (w *ways) letter(channel string, _ bool) {
	switch channel {
	case channelMail:
		w.mails.Add(1)
	case channelWebhook:
		w.hooks.Add(1)
	}
}

// The names of the channels of alarms.
const (
	channelMail    = "mail"
	channelWebhook = "webhook"
)

// scraped counts what Prometheus reads.
func (w *ways) scraped(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.scrapes.Add(1)
		next.ServeHTTP(rw, r)
	})
}

// connections are the ways out that this program has, see [node.Config]: those that
// nobody has configured are named too, as off.
func (o *operating) connections() []node.Connection {
	hook := ""
	if u, err := url.Parse(o.alarms.webhook); err == nil {
		hook = u.Host // the path may be a secret
	}
	return []node.Connection{
		{Name: node.ConnectMail, Provider: o.alarms.smtp, On: o.alarms.mail != "", Count: o.ways.mails.Load()},
		{Name: node.ConnectWebhook, Provider: hook, On: o.alarms.webhook != "", Count: o.ways.hooks.Load()},
		{Name: node.ConnectPrometheus, Provider: o.admin, On: o.admin != "", Inbound: true, Count: o.ways.scrapes.Load()},
		o.enters.connection(),
	}
}
