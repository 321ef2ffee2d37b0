package api

import (
	"github.com/bippop/bippop/api/web"
	"github.com/gin-gonic/gin"
)

// mountPages adds what people see in a browser.
func mountPages(e *gin.Engine, cfg Config) {
	web.New(web.Config{Node: cfg.Node, Logger: cfg.Logger, Secure: cfg.Secure, Door: cfg.Door, Demo: cfg.Demo}).Mount(e)
}
