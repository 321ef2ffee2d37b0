package web

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// outbox serves answers that a volunteer gave without a network: assets/outbox.js
// keeps them on the telephone and sends them when it can, each under the key of
// its form, so that a lost answer counts once.
type outbox struct{ *Site }

// outboxHeader marks what the outbox sends. Its value says whose answers these
// are: another person who has signed in meanwhile does not send them.
const outboxHeader = "X-Outbox"

// outboxAnswer is what the outbox reads, instead of a page.
type outboxAnswer struct {
	To      string `json:"to,omitempty"`      // recorded: where to go on
	Problem string `json:"problem,omitempty"` // refused for good, in a sentence
}

// outboxTag names an account to the outbox and says nothing else of it.
func outboxTag(by node.Caller) string {
	if by.Account.Zero() {
		return ""
	}
	sum := sha256.Sum256(append([]byte("outbox "), by.Account[:]...))
	return hex.EncodeToString(sum[:8])
}

// recorded leads on after a form.
func recorded(c *gin.Context, to string) {
	if c.GetHeader(outboxHeader) != "" {
		c.JSON(http.StatusOK, outboxAnswer{To: to})
		return
	}
	c.Redirect(http.StatusSeeOther, to)
}

// own refuses what another person's outbox sends.
func own(h gin.HandlerFunc) gin.HandlerFunc {
	return func(c *gin.Context) {
		if tag := c.GetHeader(outboxHeader); tag != "" && tag != outboxTag(caller(c)) {
			c.JSON(http.StatusUnauthorized, outboxAnswer{})
			return
		}
		h(c)
	}
}

// offline is the page that opens where there is no network. It is kept on the
// telephone, so it is nobody's.
func (s outbox) offline(c *gin.Context) {
	c.Set(callerKey, node.Caller{})
	s.render(c, http.StatusOK, "offline", page{Title: s.words(c).t("outbox.no_network"), Phone: true, Here: "offline"})
}

// worker is the script that keeps that page and what it looks like, and nothing
// that names a person.
func (s outbox) worker(c *gin.Context) {
	t, err := s.node.Settings.Territory() // its number is on the page: a new version of it is a new page to keep
	if err != nil {
		s.fail(c, err)
		return
	}
	shell, err := json.Marshal([]string{"/offline?" + strconv.FormatUint(uint64(t.Version), 10), s.assetPath("app.css"), s.assetPath("bippop.js"), s.assetPath("outbox.js"), s.assetPath("house.svg")})
	if err != nil {
		panic("web: " + err.Error())
	}
	c.Header("Cache-Control", "no-cache")
	c.Data(http.StatusOK, s.assets["sw.js"].kind, fmt.Appendf(nil, "const shell = %s\n%s", shell, s.assets["sw.js"].plain))
}
