package web_test

import (
	"bytes"
	"fmt"
	"github.com/chromedp/chromedp"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/bippop/bippop/api/web"
	"github.com/bippop/bippop/crypto"
)

func sheetOf(by web.Opening, shares int) web.Sheet {
	s := web.Sheet{Territory: "CC du Réolais en Sud Gironde", Siren: "200044394", Made: monday, Opening: by, Detail: "/etc/bippop/identity.txt", Signer: strings.Repeat("0f1e2d3c", 8), Phone: "+33536490000"}
	for i := 1; i <= shares; i++ {
		text := fmt.Sprintf("# bippop, territory 200044394\n# Share %d of %d\n", i, shares)
		for line := 1; line <= 6; line++ {
			text += fmt.Sprintf("%d: %dK7M 29XQ 4H3T V8R%d\n", line, i, line)
		}
		s.Shares = append(s.Shares, web.Share{Index: i, Of: shares, Needed: 3, Set: "7QW2 M4XK", Text: crypto.NewSecret(text), Code: crypto.NewSecret(strings.Repeat("29XQ4H3TV8RK", 8))})
	}
	return s
}

// TestRecoverySheet: it says everything in both languages, asks nothing of
// anywhere, and has a page for each share.
func TestRecoverySheet(t *testing.T) {
	for by, want := range map[web.Opening]string{
		web.ByPassphrase: "Une phrase de passe.", web.ByIdentity: "(/etc/bippop/identity.txt)", web.ByPlugin: "clé physique", web.ByShares: "5 papiers",
	} {
		shares := 0
		if by == web.ByShares {
			shares = 5
		}
		var out bytes.Buffer
		if err := web.RecoverySheet(&out, sheetOf(by, shares)); err != nil {
			t.Fatal(err)
		}
		html := strings.ReplaceAll(out.String(), "\u00a0", " ")
		for _, text := range []string{want, "CC du Réolais en Sud Gironde", "SIREN 200044394", "23 novembre 2026", "Le jour où tout a brûlé", "The day everything burned", "0f1e 2d3c", "05 36 49 00 00"} {
			if !strings.Contains(html, text) {
				t.Errorf("%s: does not say %q", by, text)
			}
		}
		if n := strings.Count(html, `<svg class="qr"`); n != shares {
			t.Errorf("%s: %d codes", by, n)
		}
		if n := strings.Count(html, `<section class="page">`); n != shares+1 {
			t.Errorf("%s: %d pages", by, n)
		}
		if from := regexp.MustCompile(`(src|href)=|url\(|@import|<script`).FindString(html); from != "" {
			t.Errorf("%s: asks for something elsewhere: %s", by, from)
		}
		if strings.Contains(html, "recovery.") {
			t.Errorf("%s: says a key", by)
		}
	}
	var out bytes.Buffer
	if err := web.RecoverySheet(&out, sheetOf(web.ByShares, 5)); err != nil {
		t.Fatal(err)
	}
	html := strings.ReplaceAll(out.String(), "\u00a0", " ")
	for _, text := range []string{"Part 3 sur 5", "3 parts, n’importe lesquelles, ouvrent le coffre ensemble.", "Share 3 of 5", "<li>6: 3K7M 29XQ 4H3T V8R6</li>", "7QW2 M4XK"} {
		if !strings.Contains(html, text) {
			t.Errorf("does not say %q", text)
		}
	}
	if strings.Contains(html, "# bippop") {
		t.Error("prints what is not to be typed")
	}
	empty := sheetOf(web.ByShares, 2)
	empty.Shares[1].Text = crypto.Secret{}
	if err := web.RecoverySheet(&out, empty); err == nil {
		t.Error("prints a share without its text")
	}
}

// TestSealedPage: whoever comes while the machine is locked reads where to call,
// in a page that needs nothing.
func TestSealedPage(t *testing.T) {
	var with, without bytes.Buffer
	if err := web.SealedPage(&with, "+33536490000"); err != nil {
		t.Fatal(err)
	}
	if err := web.SealedPage(&without, ""); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"Le service redémarre…", "The service is restarting…", "05 36 49 00 00", "bippop unseal"} {
		if !strings.Contains(strings.ReplaceAll(with.String(), "\u00a0", " "), text) {
			t.Errorf("does not say %q:\n%s", text, &with)
		}
	}
	if strings.Contains(without.String(), "class=\"tel\"") {
		t.Error("announces a number that it does not have")
	}
	if with.Len() > 8<<10 {
		t.Errorf("%d bytes", with.Len())
	}
}

// TestPagesAloneAreAccessible runs axe over the pages that need no node, under the
// policy that they are served with.
func TestPagesAloneAreAccessible(tt *testing.T) {
	browser := chromium(tt)
	pages := http.NewServeMux()
	pages.HandleFunc("/sealed", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", web.SealedPolicy())
		w.WriteHeader(http.StatusServiceUnavailable)
		web.SealedPage(w, "+33536490000")
	})
	pages.HandleFunc("/recovery", func(w http.ResponseWriter, _ *http.Request) { web.RecoverySheet(w, sheetOf(web.ByShares, 5)) })
	server := httptest.NewServer(pages)
	defer server.Close()
	t := &town{T: tt, url: server.URL}
	for _, width := range []int64{1360, 320} {
		s := t.open(browser, width)
		s.check("/recovery")
		s.visit("/sealed")
		var styled bool
		s.run(chromedp.Evaluate(`getComputedStyle(document.querySelector("main")).backgroundColor === "rgb(255, 255, 255)"`, &styled))
		if !styled {
			tt.Error("the policy forbids the page's own style")
		}
		for _, v := range s.axe() {
			tt.Errorf("sealed: %s", v)
		}
		if px := s.overflow(); px > 0 {
			tt.Errorf("sealed: %d px too wide", px)
		}
	}
}
