package web

import (
	"fmt"
	"net/http"

	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// face serves what a territory changes of how pages look: its colour and its
// logo. Both are public and named by what they are, so that a browser may keep
// them.
type face struct{ *Site }

// theme is the style sheet of one colour: its darker and lighter shades follow
// from it. It is made from the address alone.
func (s face) theme(c *gin.Context) {
	colour, ok := node.ParseColour(c.Param("colour"))
	if !ok {
		c.Status(http.StatusNotFound)
		return
	}
	black, white := node.Colour{}, node.Colour{R: 255, G: 255, B: 255}
	c.Header("Cache-Control", "public, max-age=31536000, immutable")
	c.Data(http.StatusOK, "text/css; charset=utf-8", fmt.Appendf(nil, ":root { --brand: %s; --brand-deep: %s; --brand-tint: %s }\n",
		colour, colour.Mix(black, 70), colour.Mix(white, 12)))
}

// logo is the territory's picture; version is the one of the territory that a
// page was made with.
func (s face) logo(c *gin.Context) {
	t, err := s.node.Settings.Territory()
	if err != nil || len(t.Face.Logo) == 0 {
		c.Status(http.StatusNotFound)
		return
	}
	c.Header("Cache-Control", "public, max-age=86400")
	c.Data(http.StatusOK, t.Face.LogoType, t.Face.Logo)
}
