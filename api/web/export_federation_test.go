package web

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/bippop/bippop/node"
)

// MountFederation adds to e the administrator's page about the federation, in a state
// that people see once in years: a fork, and communes that change hands.
func (s *Site) MountFederation(e *gin.Engine, status node.FederationStatus, moves []node.HandoverMove) (path string) {
	s.Mount(e)
	e.Group("/", s.know).GET("/scene/federation", porch{s}.only(func(c *gin.Context) {
		federating{s}.draw(c, http.StatusOK, federationData{FederationStatus: status, Moves: moves, Erased: 12, Kept: 1, Application: "bippop-application\nAAAA"}, nil)
	}, node.JoinFederation))
	return "/scene/federation"
}
