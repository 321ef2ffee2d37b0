package api

import (
	"log/slog"
	"net/http"

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
