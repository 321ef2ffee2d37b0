package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// calls is the call-back list.
type calls struct{ *Site }

// callsAtOnce is how many calls a page holds: more than a morning's. Who comes
// after them moves up as they are made.
const callsAtOnce = 30

// list shows everybody who must hear something, the most pressing first.
func (s calls) list(c *gin.Context) {
	queue, err := s.node.Calls.Queue(caller(c), callsAtOnce)
	if err != nil {
		s.fail(c, err)
		return
	}
	var d struct {
		Now, Later []node.Call
		All, More  int // people to be called now, and how many of them come after these
		Key        string
	}
	d.Key, d.All = newKey(), queue.Now
	d.More = max(0, queue.Now-callsAtOnce)
	for _, call := range queue.First {
		if call.Later {
			d.Later = append(d.Later, call)
		} else {
			d.Now = append(d.Now, call)
		}
	}
	s.render(c, http.StatusOK, "calls", page{Title: s.words(c).t("calls.title"), Here: "calls", Narrow: true, Data: d})
}

// reach notes what came of a call.
func (s calls) reach(c *gin.Context) {
	id, err := node.ParseID[node.BeneficiaryID](c.Param("id"))
	if err != nil {
		s.fail(c, err)
		return
	}
	by, ctx := writer(c), c.Request.Context()
	ok := "told"
	switch c.PostForm("result") {
	case "no-answer":
		ok = "not-reached"
		_, err = s.node.Calls.NotReached(ctx, by, id, node.CallNoAnswer, 0)
	case "later":
		ok = "not-reached"
		_, err = s.node.Calls.NotReached(ctx, by, id, node.CallLater, node.Instant(s.node.Now().UnixMilli()+laterBy))
	default:
		var heard []node.Heard
		if heard, err = heardOf(c); err == nil {
			_, err = s.node.Calls.Told(ctx, by, id, heard)
		}
		for _, h := range heard {
			if h.NoMore || !h.NotHim.Zero() {
				ok = "told-volunteers"
			}
		}
	}
	if err != nil {
		s.fail(c, err)
		return
	}
	c.Redirect(http.StatusSeeOther, back(c, "/calls")+"?ok="+ok)
}

// laterBy is how long "call later" waits: two hours, in milliseconds.
const laterBy = 2 * 3600_000

// heardOf reads which news were read out, and what she said to each. A news is
// "<request>.<version>", an answer stands under "word.<request>": nothing, "stop",
// or "not.<volunteer>".
func heardOf(c *gin.Context) (out []node.Heard, err error) {
	for _, news := range c.PostFormArray("news") {
		id, version, _ := strings.Cut(news, ".")
		n, err := strconv.ParseUint(version, 10, 32)
		if err != nil {
			return nil, &node.Error{Kind: node.Invalid, Code: "malformed-id"}
		}
		h := node.Heard{Version: uint32(n)}
		if h.Request, err = node.ParseID[node.RequestID](id); err != nil {
			return nil, err
		}
		word := c.PostForm("word." + id)
		if who, not := strings.CutPrefix(word, "not."); not {
			if h.NotHim, err = node.ParseID[node.VolunteerID](who); err != nil {
				return nil, err
			}
		}
		h.NoMore = word == "stop"
		out = append(out, h)
	}
	return out, nil
}
