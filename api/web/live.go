package web

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// live tells an open page that something has happened elsewhere. It only says
// how much: nothing on the page moves before somebody asks for it.
type live struct{ *Site }

// Every heartbeat the stream shows that it lives, and looks whether the session
// still does.
const heartbeat = 20 * time.Second

// mostNews is where counting stops: "99 nouveautés" says enough.
const mostNews = 99

// stream sends the number of records that others have changed after the index
// that the page was made at, as a sentence.
func (s live) stream(c *gin.Context) {
	after, err := strconv.ParseUint(c.Query("after"), 10, 64)
	if err != nil {
		after = s.node.Index()
	}
	by, w := caller(c), s.words(c)
	moved, err := s.node.Watch(c.Request.Context(), by, after)
	if err != nil {
		c.Status(status(err))
		return
	}
	out := http.NewResponseController(c.Writer)
	out.SetReadDeadline(time.Time{}) // the server's is for requests that end; the heartbeat finds dead lines
	c.Header("Content-Type", "text/event-stream")
	c.Header("Cache-Control", "no-store")
	c.Header("X-Accel-Buffering", "no") // nginx
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	fresh := map[[16]byte]bool{}
	for line := "retry: 5000\n\n"; ; {
		if _, err := fmt.Fprint(c.Writer, line); err != nil || out.Flush() != nil {
			return
		}
		select {
		case m, more := <-moved:
			if !more {
				return
			}
			if m.By == by.Account || len(fresh) == mostNews || !s.node.Concerns(by, m) {
				line = ":\n\n"
				continue
			}
			id := [16]byte(m.Request)
			if m.Request.Zero() {
				id = m.Volunteer
			}
			fresh[id] = true
			line = "data: " + w.t("live.news", "N", len(fresh)) + "\n\n"
		case <-beat.C:
			if !s.signedIn(c, by) {
				return
			}
			line = ":\n\n"
		}
	}
}

// signedIn reports whether the cookie still belongs to by.
func (s live) signedIn(c *gin.Context, by node.Caller) bool {
	who, err := s.node.Accounts.Session(entry{s.Site}.token(c))
	return err == nil && who.Account == by.Account
}
