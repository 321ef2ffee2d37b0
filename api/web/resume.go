package web

import (
	"errors"
	"net/http"
	"net/url"
	"sort"
	"strings"

	"github.com/gin-gonic/gin"
)

// resume is a form that somebody sent after the session had ended. It travels in
// the sign-in page and back, so that nothing typed is lost and nothing is kept
// here.
type resume struct {
	Path   string
	Fields []field
	Get    bool // no form: an address, with its query
	Sure   bool // somebody showed again that it is him; no session had ended
}

// field is one value of it.
type field struct{ Name, Value string }

const (
	resumePath  = "resume.path"
	resumeGet   = "resume.get"
	resumeField = "resume.field."
)

// mostCarried is more than anybody may send to these pages: no file goes to the disk.
const mostCarried = 2 << 20

// interrupted is the form that this request has sent, or nil when it was not one.
func interrupted(c *gin.Context) *resume {
	if c.Request.Method != http.MethodPost || c.FullPath() == "/settings/imports" || c.Request.ParseForm() != nil { // a spreadsheet is too much to carry
		return nil
	}
	if err := c.Request.ParseMultipartForm(mostCarried); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return nil
	}
	r := &resume{Path: c.Request.URL.Path}
	for name, values := range c.Request.PostForm {
		for _, v := range values {
			r.Fields = append(r.Fields, field{resumeField + name, v})
		}
	}
	r.sort()
	return r
}

// resumed is the form that came along with a sign-in, or nil.
func resumed(c *gin.Context) *resume {
	if to := c.PostForm(resumeGet); to != "" {
		if _, ok := local(to); ok {
			return &resume{Path: to, Get: true}
		}
	}
	path, ok := local(c.PostForm(resumePath))
	if !ok {
		return nil
	}
	r := &resume{Path: path}
	for name, values := range c.Request.PostForm {
		if plain, ours := strings.CutPrefix(name, resumeField); ours {
			for _, v := range values {
				r.Fields = append(r.Fields, field{plain, v})
			}
		}
	}
	r.sort()
	return r
}

// carried is resumed for one step more.
func carried(c *gin.Context) *resume {
	r := resumed(c)
	if r != nil {
		for i := range r.Fields {
			r.Fields[i].Name = resumeField + r.Fields[i].Name
		}
	}
	return r
}

func (r *resume) sort() {
	sort.SliceStable(r.Fields, func(i, j int) bool { return r.Fields[i].Name < r.Fields[j].Name })
}

// local is the path of an address of ours.
func local(address string) (path string, ok bool) {
	u, err := url.Parse(address)
	if err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(address, "/") || strings.HasPrefix(address, "//") || strings.Contains(address, `\`) {
		return "", false
	}
	path, _, _ = strings.Cut(address, "?")
	return path, true
}
