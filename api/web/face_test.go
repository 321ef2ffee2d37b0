package web_test

import (
	"bytes"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
)

// TestFaceOfTheTerritory: what the administrator chooses is seen before it is
// saved, and refused with what to do when it cannot be read.
func TestFaceOfTheTerritory(t *testing.T) {
	town := newTown(t)
	admin := town.handset("admin")
	var logo bytes.Buffer
	town.must(png.Encode(&logo, image.NewGray(image.Rect(0, 0, 40, 40))))
	save := func(act string, picture []byte, fields map[string]string) (int, string) {
		t.Helper()
		now, err := town.node.Settings.Territory()
		town.must(err)
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		all := map[string]string{"version": "1", "calls": now.Calls, "name": now.Name, "phone": now.Phone, "hours": now.Hours, "act": act}
		for name, value := range fields {
			all[name] = value
		}
		for name, value := range all {
			town.must(form.WriteField(name, value))
		}
		file, err := form.CreateFormFile("logo", "logo.png")
		town.must(err)
		file.Write(picture)
		form.Close()
		res, err := admin.Post(town.url+"/settings", form.FormDataContentType(), &body)
		town.must(err)
		defer res.Body.Close()
		var page bytes.Buffer
		page.ReadFrom(res.Body)
		return res.StatusCode, page.String()
	}
	for _, c := range []struct {
		name    string
		act     string
		picture []byte
		fields  map[string]string
		status  int
		says    string
	}{
		{"too light", "", nil, map[string]string{"colour": "#ffe680"}, 422, "plus foncée"},
		{"no colour", "", nil, map[string]string{"colour": "vert"}, 422, "s’écrit"},
		{"a script for a logo", "", []byte("<svg onload=alert(1)>"), nil, 422, "image PNG"},
		{"too heavy", "", append(logo.Bytes(), make([]byte, 40<<10)...), nil, 422, "32 Ko"},
		{"a look at it", "preview", nil, map[string]string{"colour": "#7a1f3d", "calls": "Voisinons"}, 200, "pas encore enregistré"},
	} {
		status, page := save(c.act, c.picture, c.fields)
		if status != c.status || !strings.Contains(page, c.says) {
			t.Errorf("%s: %d, without %q", c.name, status, c.says)
		}
	}
	now, err := town.node.Settings.Territory()
	town.must(err)
	if now.Version != 1 {
		t.Fatal("a preview was saved")
	}
	if status, page := save("", logo.Bytes(), map[string]string{"colour": "#7a1f3d", "opening": "Bonjour, ici Voisinons.", "notice": "Nous notons votre nom."}); status != 200 || !strings.Contains(page, "/theme/7a1f3d") {
		t.Errorf("saved with %d", status)
	}
	res, err := http.Get(town.url + "/theme/7a1f3d")
	town.must(err)
	res.Body.Close()
	if res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/css") {
		t.Errorf("the theme is %d, %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	for _, bad := range []string{"/theme/red", "/theme/0f5c55;}body{x", "/logo/x/../../settings"} {
		res, err := http.Get(town.url + bad)
		town.must(err)
		res.Body.Close()
		if res.StatusCode == 200 && strings.HasPrefix(bad, "/theme") {
			t.Errorf("%s is a style sheet", bad)
		}
	}
	res, err = http.Get(town.url + "/logo/2")
	town.must(err)
	defer res.Body.Close()
	var back bytes.Buffer
	back.ReadFrom(res.Body)
	if res.Header.Get("Content-Type") != "image/png" || !bytes.Equal(back.Bytes(), logo.Bytes()) {
		t.Errorf("the logo comes back as %s, %d bytes", res.Header.Get("Content-Type"), back.Len())
	}
	admin.says("/people/new", []string{"Nous notons votre nom."}, []string{"ici et nulle part ailleurs"})
}
