package web

import (
	"html/template"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/bippop/bippop/node"
)

// Chart draws the charts of the golden test.
func Chart(columns bool, name, title, description string, labels, values []string, n []uint64) template.HTML {
	var marks []mark
	for i := range labels {
		marks = append(marks, mark{labels[i], values[i], n[i], values[i] == "moins de 11"})
	}
	if columns {
		return chartColumns(name, title, description, marks)
	}
	return chartBars(name, title, description, marks)
}

// Scenes are what the pages behind the desk are drawn from.
type Scenes struct {
	Clusters     map[string]node.Cluster
	Token        string
	Removals     map[string]node.Consequence // of the last machine of cluster "fine"
	Waiting      []node.Wanted
	Done         []node.Erasure
	Certificates map[string]node.Certificate
	Backups      map[string]node.BackupStatus
	Signer       string
}

// MountScenes adds to e, below /scene, the pages behind the desk as they would be
// drawn in each scene, and every other page.
func (s *Site) MountScenes(e *gin.Engine, in Scenes) (paths []string) {
	s.Mount(e)
	r := e.Group("/scene", s.know)
	add := func(path string, h gin.HandlerFunc) {
		r.GET(path, porch{s}.only(h, node.RunReplicas))
		paths = append(paths, "/scene"+path)
	}
	for name, c := range in.Clusters {
		add("/replicas/"+name, func(g *gin.Context) { replicas{s}.draw(g, http.StatusOK, c, nil, "", nil) })
	}
	fine := in.Clusters["fine"]
	var troubles []node.FederationTrouble
	for i, code := range node.Troubles {
		troubles = append(troubles, node.FederationTrouble{Code: code})
		if i%2 == 0 {
			troubles[i].Since = node.Instant(s.node.Now().AddDate(0, 0, -2*i).UnixMilli())
		}
	}
	add("/replicas-federation", func(g *gin.Context) { replicas{s}.draw(g, http.StatusOK, fine, troubles, "", nil) })
	add("/replicas-token", func(g *gin.Context) { replicas{s}.draw(g, http.StatusOK, fine, nil, in.Token, nil) })
	for name, what := range in.Removals {
		last := machineOf(fine.Replicas[len(fine.Replicas)-1], false, fine.Newest, s.node.Now())
		add("/remove/"+name, func(g *gin.Context) { replicas{s}.drawRemoval(g, http.StatusOK, removal{last, what, newKey()}, nil) })
	}
	add("/erasures", func(g *gin.Context) { erasures{s}.draw(g, http.StatusOK, in.Waiting, in.Done, []byte("next"), nil) })
	add("/erasures-none", func(g *gin.Context) { erasures{s}.draw(g, http.StatusOK, nil, nil, nil, nil) })
	for name, c := range in.Certificates {
		add("/certificate/"+name, func(g *gin.Context) { erasures{s}.drawCertificate(g, c) })
	}
	for name, st := range in.Backups {
		add("/backups/"+name, func(g *gin.Context) {
			backups{s}.draw(g, http.StatusOK, st, in.Signer, fine.Replicas, placeForm{}, nil)
		})
	}
	add("/backups-typed", func(g *gin.Context) {
		f := placeForm{Name: "coffre", Kind: "manual", What: "keys", Recipients: "age1x", Hours: "6"}
		backups{s}.draw(g, http.StatusUnprocessableEntity, in.Backups["none"], in.Signer, fine.Replicas, f, &node.Error{Kind: node.Invalid, Code: "missing", Field: "recipients"})
	})
	return paths
}
