package web

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// handing is the part of the federation's page about dossiers that go to another
// territory or come from one.
type handing struct{ *Site }

// territoryName is a controller's name, as the registry has it.
func territoryName(siren string) string {
	if g, ok := node.GroupingOf(siren); ok {
		return g.Name
	}
	return siren
}

// file sends one to be kept, and never from a cache.
func (s handing) file(c *gin.Context, name string, content []byte) {
	c.Header("Content-Disposition", `attachment; filename="`+name+`"`)
	c.Header("Cache-Control", "no-store")
	c.Data(http.StatusOK, "application/octet-stream", content)
}

// recipient is the text that the giver needs.
func (s handing) recipient(c *gin.Context) {
	text, err := s.node.Handovers.Recipient(caller(c))
	if err != nil {
		s.fail(c, err)
		return
	}
	s.file(c, "destinataire.txt", []byte(text))
}

func (s handing) export(c *gin.Context) {
	version, _ := strconv.ParseUint(c.PostForm("roster"), 10, 64)
	file, _, err := s.node.Handovers.Export(c.Request.Context(), caller(c), version, c.PostForm("recipient"))
	if err != nil {
		federating{s.Site}.show(c, status(err), federationData{}, err)
		return
	}
	s.file(c, "dossiers-"+c.PostForm("roster")+".bippop", file)
}

// take reads the file in memory: none lies in a folder meanwhile.
func (s handing) take(c *gin.Context) {
	const around = 1 << 20 // the form around the file
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, node.MaxDossiers+around)
	err := c.Request.ParseMultipartForm(node.MaxDossiers + 2*around)
	large := &node.Error{Kind: node.Invalid, Code: "handover-large", Field: "file"}
	if errors.As(err, new(*http.MaxBytesError)) {
		federating{s.Site}.show(c, http.StatusRequestEntityTooLarge, federationData{}, large)
		return
	}
	var content bytes.Buffer
	if file, _, err := c.Request.FormFile("file"); err == nil {
		_, err = io.Copy(&content, file)
		if err = errors.Join(err, file.Close()); err != nil {
			s.fail(c, err)
			return
		}
	}
	federating{s.Site}.after(c, func() error {
		_, err := s.node.Handovers.Import(c.Request.Context(), caller(c), content.Bytes())
		return err
	})
}

func (s handing) confirm(c *gin.Context) {
	federating{s.Site}.after(c, func() error {
		digest, err := node.ParseHandoverDigest(c.PostForm("digest"))
		if err == nil {
			_, err = s.node.Handovers.Confirm(c.Request.Context(), caller(c), digest)
		}
		return err
	})
}

// erase says how many go, and who stays because of a change.
func (s handing) erase(c *gin.Context) {
	digest, err := node.ParseHandoverDigest(c.PostForm("digest"))
	var d federationData
	if err == nil {
		d.Erased, d.Kept, err = s.node.Handovers.Erase(c.Request.Context(), caller(c), digest)
	}
	federating{s.Site}.show(c, status(err), d, err)
}
