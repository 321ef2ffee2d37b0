package web_test

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// axe-core 4.14.1, MPL-2.0; see testdata/axe.LICENSE.txt.
//
//go:embed testdata/axe.min.js
var axe string

// chromium is the path of a real browser. Where none is installed the test is
// skipped with the way to get one; with CI set that is a failure.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const how = "no browser: apt-get install chromium"
	if os.Getenv("CI") != "" {
		t.Fatal(how)
	}
	t.Skip(how)
	return ""
}

// screen is one person's window, with cookies of its own.
type screen struct {
	*testing.T
	ctx  context.Context
	url  string
	lang string // of the pages
}

// open starts a browser of that width.
func (t *town) open(path string, width int64) *screen {
	t.Helper()
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-background-networking", true), chromedp.WSURLReadTimeout(time.Minute))
	ctx, stop := context.WithTimeout(context.Background(), 6*time.Minute)
	t.Cleanup(stop)
	ctx, kill := chromedp.NewExecAllocator(ctx, opts...)
	t.Cleanup(kill)
	ctx, end := chromedp.NewContext(ctx)
	t.Cleanup(func() { chromedp.Cancel(ctx); end() })
	s := &screen{t.T, ctx, t.url, "fr"}
	t.must(chromedp.Run(ctx)) // the browser lives as long as the context of the first call
	s.run(emulation.SetDeviceMetricsOverride(width, 900, 1, width < 600))
	return s
}

// run does it, or fails after a while: what never appears is told apart from a machine
// that is busy with other tests.
func (s *screen) run(actions ...chromedp.Action) {
	s.Helper()
	ctx, stop := context.WithTimeout(s.ctx, 90*time.Second)
	defer stop()
	if err := chromedp.Run(ctx, actions...); err != nil {
		s.Fatal(err)
	}
}

// visit loads a page.
func (s *screen) visit(path string) {
	s.Helper()
	var err error
	for range 3 { // a page that is still arriving can swallow the event that the next one is waited for by
		ctx, stop := context.WithTimeout(s.ctx, 30*time.Second)
		err = chromedp.Run(ctx, chromedp.Navigate(s.url+path), chromedp.WaitReady("main"))
		stop()
		if err == nil {
			return
		}
	}
	s.Fatalf("%s: %v", path, err)
}

// signIn by the form, as somebody whose pages have a menu.
func (s *screen) signIn(login string) {
	s.Helper()
	s.enter(login)
	s.run(chromedp.WaitVisible("nav.main"))
}

// enter is signIn of anybody.
func (s *screen) enter(login string) {
	s.Helper()
	s.visit("/")
	s.run(chromedp.SendKeys("#login", login), chromedp.SendKeys("#password", password))
	s.press("//button[text()='Entrer']")
	s.run(chromedp.WaitNotPresent("#login"), chromedp.WaitReady("main"))
}

// leave signs out.
func (s *screen) leave() {
	s.Helper()
	s.press("//header//form[@action='/sign-out']//button")
	s.run(chromedp.WaitVisible("#login"))
}

// speak chooses a language by the button at the foot of a page.
func (s *screen) speak(lang string) {
	s.Helper()
	if lang == s.lang {
		return
	}
	s.press("//footer//button[@value='" + lang + "']")
	s.run(chromedp.WaitVisible("html[lang=" + lang + "] footer"))
	s.lang = lang
}

// press clicks what the XPath or selector names, and waits for the next page when
// the click leads to one.
func (s *screen) press(what string) {
	s.Helper()
	s.run(chromedp.WaitVisible(what), chromedp.ScrollIntoView(what), chromedp.Click(what))
}

// sees waits until the page says text.
func (s *screen) sees(text string) {
	s.Helper()
	var found bool
	ctx, stop := context.WithTimeout(s.ctx, 10*time.Second)
	defer stop()
	js := fmt.Sprintf(`document.body !== null && document.body.innerText.replaceAll(/[\u00a0\u202f]/g, ' ').toLowerCase().includes(%s)`, quote(strings.ToLower(text)))
	for ctx.Err() == nil { // a page that is being left ends the poll: poll the next one
		if chromedp.Run(ctx, chromedp.Poll(js, &found)) == nil && found {
			return
		}
	}
	s.Fatalf("does not see %q in:\n%s", text, s.text())
}

// finds loads a page again until it says text: what others do arrives by itself.
func (s *screen) finds(path, text string) {
	s.Helper()
	s.until(path, text, func(page string) bool { return strings.Contains(strings.ToLower(page), strings.ToLower(text)) })
}

// until loads a page again until what it says is so.
func (s *screen) until(path, what string, so func(page string) bool) {
	s.Helper()
	ctx, stop := context.WithTimeout(s.ctx, time.Minute)
	defer stop()
	for ctx.Err() == nil {
		if s.visit(path); so(s.text()) {
			return
		}
	}
	s.Fatalf("%s: in vain: %s, in:\n%s", path, what, s.text())
}

// seesNot checks that the page does not say text.
func (s *screen) seesNot(text string) {
	s.Helper()
	if all := s.text(); strings.Contains(all, text) {
		s.Fatalf("sees %q in:\n%s", text, all)
	}
}

func (s *screen) text() (text string) {
	s.run(chromedp.Text("body", &text, chromedp.ByQuery))
	return strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(text)
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// axe reports what the accessibility checker finds on the present page.
func (s *screen) axe() (violations []string) {
	s.Helper()
	var raw string
	s.run(chromedp.Evaluate(axe+"; 1", nil), chromedp.Evaluate(`(async () => {
		const r = await axe.run(document, {runOnly: {type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}})
		return JSON.stringify(r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 160)).slice(0, 3).join(' | ')))
	})()`, &raw, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	if err := json.Unmarshal([]byte(raw), &violations); err != nil {
		s.Fatal(err)
	}
	return violations
}

// overflow is by how many pixels the page is wider than the screen.
func (s *screen) overflow() (px int) {
	s.run(chromedp.Evaluate(`document.documentElement.scrollWidth - document.documentElement.clientWidth`, &px))
	return px
}
