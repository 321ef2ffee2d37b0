package web_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"

	"github.com/bippop/bippop/node"
)

// TestEndedSessionKeepsSettings: the form of the settings may hold a picture, so it
// is sent in another way; its words are kept all the same when the session has ended.
// A spreadsheet is not read for somebody who is nobody.
func TestEndedSessionKeepsSettings(t *testing.T) {
	town := newTown(t)
	nobody := handset{town: town}
	nobody.Jar, _ = cookiejar.New(nil)
	for path, kept := range map[string]bool{"/settings": true, "/settings/imports": false} {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		town.must(form.WriteField("notice", "Vos données restent à la mairie."))
		file, err := form.CreateFormFile("logo", "logo.png")
		town.must(err)
		file.Write([]byte("a picture"))
		town.must(form.Close())
		r, err := http.NewRequestWithContext(t.Context(), "POST", town.url+path, &body)
		town.must(err)
		r.Header.Set("Content-Type", form.FormDataContentType())
		page := nobody.do(r, http.StatusUnauthorized)
		if has := strings.Contains(page, `name="resume.field.notice" value="Vos données restent à la mairie."`); has != kept || strings.Contains(page, "a picture") {
			t.Errorf("%s: kept is %v", path, has)
		}
	}
}

// TestWasNotAgreed: terms that she does not know of are not agreed by being looked at.
func TestWasNotAgreed(t *testing.T) {
	town := newTown(t)
	her := town.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07")
	desk := town.handset("admin")
	for _, agreed := range []bool{true, false} {
		r, err := town.node.Series.Open(t.Context(), town.admin, node.NewSeries{
			Beneficiary: her, Type: town.kinds["Courses"], Rule: node.SeriesRule{Rhythm: node.Weekly, Weekday: 5, Half: node.Morning}, Agreed: agreed,
		})
		town.must(err)
		page := desk.get("/series/" + node.SeriesID(r.ID).String() + "/edit")
		_, box, _ := strings.Cut(page, `name="agreed"`)
		box, _, _ = strings.Cut(box, ">")
		if box == "" || strings.Contains(box, "checked") != agreed {
			t.Errorf("agreed %v: %q", agreed, box)
		}
	}
}
