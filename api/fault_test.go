package api_test

import (
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bippop/bippop/api"
	"github.com/bippop/bippop/node"
	"github.com/gin-gonic/gin"
)

// TestPanic: what a panic holds is neither answered nor logged; the reference is
// both.
func TestPanic(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/api/v1/x", "/x"} {
		log := &safeBuffer{}
		h := api.Catching(node.NewLogger(log, slog.LevelDebug), path, func(*gin.Context) { panic("no letter of " + canary) })
		res := httptest.NewRecorder()
		h.ServeHTTP(res, httptest.NewRequest("GET", path+"?q="+canary, nil))
		if res.Code != 500 || strings.Contains(res.Body.String()+log.String(), canary) || !strings.Contains(log.String(), "fault_test.go") {
			t.Errorf("%s: %d %s\n%s", path, res.Code, res.Body, log)
		}
		var line struct{ Reference string }
		if err := json.Unmarshal([]byte(log.String()), &line); err != nil || !strings.Contains(res.Body.String(), line.Reference) || line.Reference == "" {
			t.Errorf("%s: the log's reference is %q, %v, the answer %s", path, line.Reference, err, res.Body)
		}
	}
}

// TestUpload: a file of people is read in memory. Were it to spill, there would
// be no place for it here.
func TestUpload(t *testing.T) {
	r := newRig(t)
	admin := r.signIn("admin")
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "not-there"))
	const boundary = "b0undary"
	body := "--" + boundary + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.csv\"\r\n\r\nNom;Prénom\n" +
		strings.Repeat(canary+";Yvette\n", 500_000) + "\r\n--" + boundary + "--\r\n"
	res := admin.call("POST", "/imports", body, "Content-Type", "multipart/form-data; boundary="+boundary).want(422)
	if location := firstLocation(res.problem()); location != "form.kind" {
		t.Errorf("at %q: %s", location, res.raw)
	}
}
