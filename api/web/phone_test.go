package web_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bippop/bippop/api"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// weather is a network that can fail between a telephone and the town hall.
type weather struct {
	http.Handler
	dead  atomic.Bool // nothing arrives
	loses atomic.Bool // what is sent arrives, its answer does not
	posts atomic.Int64
}

func (w *weather) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	if w.dead.Load() {
		panic(http.ErrAbortHandler)
	}
	if r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/me/") {
		w.posts.Add(1)
		if w.loses.Load() {
			w.Handler.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
	}
	w.Handler.ServeHTTP(out, r)
}

// weather puts the town behind a network of its own.
func (t *town) weather() *weather {
	t.Helper()
	w := &weather{Handler: api.New(api.Config{Node: t.node, Logger: node.NewLogger(io.Discard, slog.LevelError)})}
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	t.url = server.URL
	return w
}

// asks is one request to him.
func (t *town) asks(kind string, w node.Wish, her node.BeneficiaryID, who ...node.VolunteerID) node.RequestID {
	t.Helper()
	r, err := t.node.Requests.Open(t.Context(), t.admin, node.NewRequest{Beneficiary: her, Type: t.kinds[kind], Wish: w, Ask: who})
	t.must(err)
	return r.ID
}

func (t *town) state(id node.RequestID) node.State {
	t.Helper()
	v, err := t.node.Requests.Get(t.admin, id)
	t.must(err)
	return v.State
}

// becomes waits until a request is in a state. The page's own clock drives it.
func (s *screen) becomes(t *town, id node.RequestID, want node.State) {
	s.Helper()
	ctx, stop := context.WithTimeout(s.ctx, 20*time.Second)
	defer stop()
	for ctx.Err() == nil {
		if t.state(id) == want {
			return
		}
		chromedp.Run(ctx, chromedp.Evaluate("1", nil))
	}
	s.Fatalf("the request is in state %d, not %d", t.state(id), want)
}

func (t *town) tomorrow(half node.Half) node.Wish {
	return node.Wish{Kind: node.OnDay, Day: node.DayOf(t.clock()) + 1, Half: half}
}

// TestTwoPresses: a yes is at most two presses, also where she leaves the day
// open, and what he has promised already is said before.
func TestTwoPresses(t *testing.T) {
	browser := chromium(t)
	town := newTown(t)
	her := town.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07")
	him := town.volunteer("Paul", "Exemplaire", "voisin")
	fixed := town.asks("Courses", town.tomorrow(node.Morning), her, him)
	phone := town.open(browser, 390)
	phone.signIn("voisin")
	phone.sees("Demain, le matin")
	phone.sees("vers 10 h")
	phone.press("//button[text()='Je viens']")
	phone.sees("Merci, nous comptons sur vous.")
	phone.becomes(town, fixed, node.StateCovered)

	open := town.asks("Courses", node.Wish{Kind: node.InWeek, Day: town.tomorrow(0).Day}, her, him)
	phone.visit("/me")
	phone.press("//summary[text()='Je viens…']")
	phone.sees("Ce jour-là vous avez promis : Courses, 10 h.")
	if strings.Contains(phone.html(), town.tomorrow(0).Day.String()+".600") {
		t.Error("an hour is offered at which he is expected elsewhere")
	}
	phone.press("//button[@name='slot'][contains(.,'Demain')][contains(.,'14')]")
	phone.sees("Merci, nous comptons sur vous.")
	phone.becomes(town, open, node.StateCovered)

	// An appointment that he cannot make says so instead of a button.
	clash := town.tomorrow(0)
	clash.Minute = 10 * 60
	town.asks("Lecture", clash, her, him)
	phone.visit("/me")
	phone.sees("À cette heure-là vous avez promis : Courses, 10 h.")
	if strings.Contains(phone.html(), ">Je viens<") {
		t.Error("a visit that clashes is offered")
	}
	phone.press("//button[text()='Pas cette fois']")
	phone.sees("C’est noté. À une prochaine fois.")
	phone.sees("Rien de nouveau pour vous")

	// One that is near: seen, then taken.
	near := town.asks("Courses", node.Wish{Kind: node.OnDay, Day: town.tomorrow(0).Day + 1, Half: node.Afternoon}, her)
	phone.visit("/me")
	phone.sees("l’après-midi")
	phone.sees("votre commune")
	phone.press("//summary[contains(.,'Courses')]")
	phone.press("//li//button[text()='Je viens']")
	phone.sees("Merci, nous comptons sur vous.")
	phone.becomes(town, near, node.StateCovered)

	// He cannot any more: one question, which says who is told.
	phone.press("(//summary[text()='Je ne peux plus'])[last()]")
	phone.sees("La mairie le voit aussitôt")
	phone.press("(//button[text()='Oui, je ne peux plus'])[last()]")
	phone.sees("Nous cherchons quelqu’un d’autre.")
	phone.becomes(town, near, node.StateOpen)

	// Done in one press, and it counts.
	town.wait(36 * time.Hour)
	phone.visit("/me")
	phone.sees("C’est fait ?")
	phone.press("(//button[text()='C’est fait'])[1]")
	phone.sees("Merci ! C’est noté et compté.")
	phone.sees("Cette année : une visite")
}

func (s *screen) html() (html string) {
	s.Helper()
	s.run(chromedp.OuterHTML("html", &html))
	return html
}

// TestPhoneWithoutScript does the same by plain forms.
func TestPhoneWithoutScript(t *testing.T) {
	browser := chromium(t)
	town := newTown(t)
	her := town.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07")
	him := town.volunteer("Paul", "Exemplaire", "voisin")
	id := town.asks("Courses", node.Wish{Kind: node.InWeek, Day: town.tomorrow(0).Day}, her, him)
	phone := town.open(browser, 390)
	phone.run(emulation.SetScriptExecutionDisabled(true))
	phone.signIn("voisin")
	phone.press("//summary[text()='Je viens…']")
	phone.press("(//button[@name='slot'])[1]")
	phone.run(chromedp.WaitVisible("//summary[text()='Je ne peux plus']"))
	phone.becomes(town, id, node.StateCovered)
	phone.press("//summary[text()='Je ne peux plus']")
	phone.press("//button[text()='Oui, je ne peux plus']")
	phone.run(chromedp.WaitVisible("//p[contains(@class,'flash')][contains(.,'quelqu’un d’autre')]"))
	phone.becomes(town, id, node.StateOpen)
}

// TestOutbox presses without a network: the answer is kept, arrives when there is
// one again, and counts once even when only the server's answer was lost.
func TestOutbox(t *testing.T) {
	browser := chromium(t)
	town := newTown(t)
	weather := town.weather()
	her := town.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07")
	him := town.volunteer("Paul", "Exemplaire", "voisin")
	first := town.asks("Courses", town.tomorrow(node.Morning), her, him)
	second := town.asks("Visite", town.tomorrow(node.Afternoon), her, him)
	phone := town.open(browser, 390)
	phone.signIn("voisin")

	phone.online(false)
	phone.press("(//button[text()='Je viens'])[1]")
	phone.sees("Gardé sur ce téléphone.")
	phone.sees("Envoyer maintenant (1)")
	phone.press("(//button[text()='Pas cette fois'])[2]")
	phone.sees("Envoyer maintenant (2)")
	phone.sees("Votre réponse est gardée")
	if n := weather.posts.Load(); n != 0 || town.state(first) != node.StateAsked {
		t.Fatalf("%d answers came through a dead network", n)
	}
	phone.online(true)
	phone.becomes(town, first, node.StateCovered)
	phone.becomes(town, second, node.StateOpen)
	phone.sees("Vous avez promis")
	phone.empty()
	if n := weather.posts.Load(); n != 2 {
		t.Errorf("%d answers were sent for two", n)
	}

	// The server has recorded it, its answer gets lost, and the telephone sends it
	// again.
	third := town.asks("Courses", node.Wish{Kind: node.InWeek, Day: town.tomorrow(0).Day}, her, him)
	phone.visit("/me")
	weather.loses.Store(true)
	phone.press("//summary[text()='Je viens…']")
	phone.press("(//button[@name='slot'][contains(.,'Jeudi')])[1]")
	phone.sees("Envoyer maintenant (1)")
	phone.becomes(town, third, node.StateCovered)
	sent := weather.posts.Load()
	weather.loses.Store(false)
	phone.press("//button[contains(.,'Envoyer maintenant')]")
	phone.sees("Merci, nous comptons sur vous.")
	phone.empty()
	if weather.posts.Load() == sent {
		t.Error("it was not sent again")
	}
	v, err := town.node.Requests.Get(town.admin, third)
	town.must(err)
	if len(v.Askings) != 1 || len(v.Coming()) != 1 {
		t.Errorf("it counts %d times", len(v.Askings))
	}

	// What has become impossible meanwhile leaves the outbox with a sentence.
	fourth := town.asks("Courses", node.Wish{Kind: node.OnDay, Day: town.tomorrow(0).Day + 3, Half: node.Morning}, her, him)
	phone.visit("/me")
	weather.dead.Store(true)
	phone.press("//button[text()='Je viens']")
	phone.sees("Envoyer maintenant (1)")
	other := town.volunteer("Jeanne", "Exemplaire", "")
	_, err = town.node.Requests.Accept(t.Context(), town.admin, fourth, other, node.Slot{})
	town.must(err)
	weather.dead.Store(false)
	phone.press("//button[contains(.,'Envoyer maintenant')]")
	phone.sees("Quelqu’un vient d’accepter à l’instant.")
	phone.empty()
}

// online cuts the telephone from its network, or brings it back.
func (s *screen) online(yes bool) {
	s.Helper()
	s.run(network.Enable(), chromedp.ActionFunc(func(ctx context.Context) error {
		return cdp.Execute(ctx, "Network.emulateNetworkConditions", map[string]any{"offline": !yes, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}, nil)
	}))
}

// awaits waits for what a script promises.
func awaits(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

// empty waits until nothing is kept on the telephone any more: an answer has
// counted a moment before the telephone knows.
func (s *screen) empty() {
	s.Helper()
	ctx, stop := context.WithTimeout(s.ctx, 10*time.Second)
	defer stop()
	for ctx.Err() == nil { // a page that is being left ends the poll: poll the next one
		if chromedp.Run(ctx, chromedp.Poll(`localStorage.length === 0`, nil)) == nil {
			return
		}
	}
	s.Error("something is kept")
}

// TestOutboxIsHis: an ended session keeps what waits until he has signed in again,
// and nobody else on the same telephone sends it.
func TestOutboxIsHis(t *testing.T) {
	browser := chromium(t)
	town := newTown(t)
	weather := town.weather()
	her := town.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07")
	him := town.volunteer("Paul", "Exemplaire", "voisin")
	town.volunteer("Jeanne", "Exemplaire", "voisine")
	id := town.asks("Courses", town.tomorrow(node.Morning), her, him)
	phone := town.open(browser, 390)
	phone.signIn("voisin")
	weather.dead.Store(true)
	phone.press("//button[text()='Je viens']")
	phone.sees("Gardé sur ce téléphone.")
	phone.run(network.ClearBrowserCookies())
	weather.dead.Store(false)
	phone.press("//button[contains(.,'Envoyer maintenant')]")
	phone.sees("Connectez-vous pour envoyer.")
	phone.signIn("voisine")
	phone.sees("Près de chez vous")
	if town.state(id) != node.StateAsked {
		t.Error("her telephone has sent his answer")
	}
	phone.run(network.ClearBrowserCookies())
	phone.signIn("voisin")
	phone.becomes(town, id, node.StateCovered)
	phone.empty()

	// Leaving with answers that wait asks once, then erases them.
	phone.visit("/me")
	weather.dead.Store(true)
	phone.press("//summary[text()='Je ne peux plus']")
	phone.press("//button[text()='Oui, je ne peux plus']")
	phone.sees("Gardé sur ce téléphone.")
	phone.press("//button[text()='Quitter']")
	phone.sees("quitter les efface")
	weather.dead.Store(false)
	phone.press("//button[text()='Quitter']")
	phone.sees("Vous êtes déconnecté.")
	phone.empty()
	if town.state(id) != node.StateCovered {
		t.Error("what was erased was sent")
	}
}

// TestOfflinePage opens the page where there is no network: it says what waits,
// and no name.
func TestOfflinePage(t *testing.T) {
	browser := chromium(t)
	town := newTown(t)
	weather := town.weather()
	her := town.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07")
	him := town.volunteer("Paul", "Exemplaire", "voisin")
	id := town.asks("Courses", town.tomorrow(node.Morning), her, him)
	town.asks("Visite", town.tomorrow(node.Afternoon), her)
	phone := town.open(browser, 390)
	phone.signIn("voisin")
	phone.run(chromedp.Evaluate(`navigator.serviceWorker.ready.then(() => 1)`, nil, awaits))
	weather.dead.Store(true)
	phone.press("//button[text()='Je viens']")
	phone.sees("Gardé sur ce téléphone.")
	phone.visit("/me")
	phone.sees("Pas de réseau")
	phone.sees("Je viens, ")
	phone.seesNot("Paul")
	for _, v := range phone.axe() {
		t.Error(v)
	}
	var kept string
	phone.run(chromedp.Evaluate(`(async () => {
		let all = JSON.stringify(localStorage)
		for (const name of await caches.keys()) for (const r of await (await caches.open(name)).keys()) all += r.url + await (await caches.match(r)).text()
		return all
	})()`, &kept, awaits))
	if !strings.Contains(kept, "Pas de réseau") {
		t.Error("the page without network is not kept")
	}
	for _, word := range []string{"Laforêt", "Exemplaire", "Paul", "Exemples", "tilleul", "+336", "+335"} {
		if strings.Contains(strings.ReplaceAll(kept, "05 36 49 00 00", ""), word) {
			t.Errorf("%q is kept on the telephone", word)
		}
	}
	weather.dead.Store(false)
	phone.press("//a[text()='Réessayer']")
	phone.sees("Vous avez promis")
	phone.becomes(town, id, node.StateCovered)
	phone.empty()
}

// TestPhoneIsAccessible: axe over the volunteer's pages with everything opened, in
// both languages, and nothing wider than the screen: 195 px are a telephone of 390
// with everything twice as large.
func TestPhoneIsAccessible(t *testing.T) {
	browser := chromium(t)
	town := newTown(t)
	weather := town.weather()
	her := town.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07")
	him := town.volunteer("Paul", "Exemplaire", "voisin")
	week := node.Wish{Kind: node.InWeek, Day: town.tomorrow(0).Day}
	ids := town.requests(her, him)
	ids = append(ids, town.asks("Courses", town.tomorrow(node.Morning), her, him), town.asks("Courses", week, her, him), town.asks("Visite", week, her))
	clash := node.Wish{Kind: node.OnDay, Day: node.DayOf(town.clock()), Minute: 12 * 60}
	town.asks("Courses", clash, her, him)
	town.wait(3*time.Hour + 30*time.Minute) // one visit is over, one lies ahead
	phone := town.open(browser, 390)
	phone.signIn("voisin")
	for _, width := range []int64{390, 320, 195} {
		phone.run(emulation.SetDeviceMetricsOverride(width, 900, 1, true))
		for _, lang := range []string{"fr", "en"} {
			phone.visit("/me")
			phone.speak(lang)
			for _, page := range []string{"/me", "/me/availability", "/me/" + ids[0].String() + "/accept", "/me/" + ids[len(ids)-3].String() + "/accept", "/offline"} {
				phone.visit(page)
				phone.run(chromedp.Evaluate(`document.querySelectorAll('details').forEach((d) => { d.open = true })`, nil))
				for _, v := range phone.axe() {
					t.Errorf("%s in %s: %s", page, lang, v)
				}
				if px := phone.overflow(); px > 0 {
					t.Errorf("%s in %s: %d px wider than %d", page, lang, px, width)
				}
			}
		}
	}
	phone.visit("/me")
	phone.speak("fr")
	weather.dead.Store(true)
	phone.press("(//button[text()='Je viens'])[1]")
	phone.sees("Gardé sur ce téléphone.")
	for _, v := range phone.axe() {
		t.Errorf("with an answer that waits: %s", v)
	}
}

// handset is a volunteer without a browser.
type handset struct {
	*town
	http.Client
}

func (t *town) handset(login string) *handset {
	t.Helper()
	jar, err := cookiejar.New(nil)
	t.must(err)
	v := &handset{t, http.Client{Jar: jar}}
	v.post("/sign-in", url.Values{"login": {login}, "password": {password}}, 200)
	return v
}

func (v *handset) do(r *http.Request, want int) string {
	v.Helper()
	answer, err := v.Do(r)
	v.must(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	v.must(err)
	if answer.StatusCode != want {
		v.Fatalf("%s answers %d, want %d", r.URL.Path, answer.StatusCode, want)
	}
	return string(body)
}

func (v *handset) get(path string) string {
	v.Helper()
	r, err := http.NewRequestWithContext(v.Context(), "GET", v.url+path, nil)
	v.must(err)
	return v.do(r, 200)
}

func (v *handset) post(path string, form url.Values, want int, header ...string) string {
	v.Helper()
	r, err := http.NewRequestWithContext(v.Context(), "POST", v.url+path, strings.NewReader(form.Encode()))
	v.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return v.do(r, want)
}

// TestNothingBeforeYes: no page of a volunteer holds a word of somebody whose
// request he has not accepted.
func TestNothingBeforeYes(t *testing.T) {
	town := newTown(t)
	her := town.beneficiary("Mme", "Canari", "Zinzolin", "05 36 49 12 07")
	him := town.volunteer("Paul", "Exemplaire", "voisin")
	ids := []node.RequestID{
		town.asks("Courses", town.tomorrow(node.Morning), her, him),
		town.asks("Visite", node.Wish{Kind: node.Flexible}, her, him),
		town.asks("Lecture", town.tomorrow(node.Afternoon), her),
		town.asks("Promenade", node.Wish{Kind: node.InWeek, Day: town.tomorrow(0).Day}, her),
	}
	phone := town.handset("voisin")
	pages := phone.get("/me") + phone.get("/offline")
	for _, id := range ids {
		pages += phone.get("/me/" + id.String() + "/accept")
	}
	for _, word := range []string{"Canari", "Zinzolin", "Exemples", "sonnette", "0536491207", "+33536491207", "05 36 49 12 07", "05\u00a036\u00a049\u00a012\u00a007", "tilleul", her.String()} {
		if strings.Contains(pages, word) {
			t.Errorf("%q is on a page before he has accepted", word)
		}
	}
	if strings.Count(pages, "La Réole") < 4 {
		t.Error("the pages do not show the requests: the test is blind")
	}
	key := regexp.MustCompile(`accept"><input type="hidden" name="key" value="([^"]+)"`).FindStringSubmatch(pages)
	phone.post("/me/"+ids[0].String()+"/accept", url.Values{"key": {key[1]}}, 200)
	if page := phone.get("/me"); !strings.Contains(page, "12 rue des Exemples") || !strings.Contains(page, "tilleul") {
		t.Error("he does not see where to go")
	}
}

// TestPageIsLight: what a telephone loads for the volunteer's page, with its looks
// and scripts, is at most 40 kB.
func TestPageIsLight(t *testing.T) {
	town := newTown(t)
	her := town.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07")
	him := town.volunteer("Paul", "Exemplaire", "voisin")
	for i := range 8 {
		id := town.asks("Courses", node.Wish{Kind: node.OnDay, Day: town.tomorrow(0).Day + node.Day(i), Half: node.Morning}, her, him)
		if i < 5 {
			_, err := town.node.Requests.Accept(t.Context(), town.admin, id, him, node.Slot{})
			town.must(err)
		}
	}
	for i := range 12 {
		town.asks("Visite", node.Wish{Kind: node.OnDay, Day: town.tomorrow(0).Day + node.Day(i%5), Half: node.Afternoon}, her)
	}
	phone := town.handset("voisin")
	squeezed := func(path string) int {
		r, err := http.NewRequestWithContext(t.Context(), "GET", town.url+path, nil)
		town.must(err)
		r.Header.Set("Accept-Encoding", "gzip")
		return len(phone.do(r, 200))
	}
	page, total := phone.get("/me"), squeezed("/me")
	for _, m := range regexp.MustCompile(`(?:href|src)="(/assets/[^"]+)"`).FindAllStringSubmatch(page, -1) {
		if strings.HasSuffix(m[1], "htmx.js") {
			t.Error("a volunteer's page loads htmx")
		}
		total += squeezed(m[1])
	}
	t.Logf("%d bytes, of them %d of HTML", total, squeezed("/me"))
	if total > 40_000 {
		t.Errorf("%d bytes", total)
	}
}

// TestOutboxAnswers: the outbox gets a place to go on or a sentence, twice the
// same for the same, and nothing under another person's name.
func TestOutboxAnswers(t *testing.T) {
	town := newTown(t)
	her := town.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07")
	him := town.volunteer("Paul", "Exemplaire", "voisin")
	id := town.asks("Courses", node.Wish{Kind: node.InWeek, Day: town.tomorrow(0).Day}, her, him)
	phone := town.handset("voisin")
	page := phone.get("/me")
	tag := regexp.MustCompile(`data-who="([0-9a-f]{16})"`).FindStringSubmatch(page)
	shown := regexp.MustCompile(`name="shown" value="([^"]+)"`).FindStringSubmatch(page)
	if tag == nil || shown == nil {
		t.Fatal("the page has no outbox, or shows no request")
	}
	path := "/me/" + id.String() + "/accept"
	form := url.Values{"key": {"one"}, "shown": {shown[1]}, "slot": {town.tomorrow(0).Day.String() + ".600"}}
	for range 2 {
		if got := phone.post(path, form, 200, "X-Outbox", tag[1]); got != `{"to":"/me?ok=thanks"}` {
			t.Errorf("got %s", got)
		}
	}
	form.Set("key", "two")
	if got := phone.post(path, form, 409, "X-Outbox", tag[1]); !strings.HasPrefix(got, `{"problem":"`) || strings.Contains(got, "Laforêt") {
		t.Errorf("got %s", got)
	}
	phone.post(path, form, 401, "X-Outbox", "0123456789abcdef")
	phone.Jar, _ = cookiejar.New(nil)
	phone.post(path, form, 401, "X-Outbox", tag[1])
}

// TestOutboxWithdrawsAnOffer: "I cannot any more" of an offer is one of the answers
// that the telephone keeps, so it too is answered as one: else it would stay in the
// outbox for a month, before all that comes after it.
func TestOutboxWithdrawsAnOffer(t *testing.T) {
	town := newTown(t)
	him := town.volunteer("Paul", "Exemplaire", "voisin")
	r, err := town.node.Offers.Make(t.Context(), town.admin, node.NewOffer{
		Volunteer: him, Types: []node.TypeID{town.kinds["Courses"]}, Day: node.DayOf(town.clock()) + 2, Half: node.Morning, Places: 2,
	})
	town.must(err)
	phone := town.handset("voisin")
	tag := regexp.MustCompile(`data-who="([0-9a-f]{16})"`).FindStringSubmatch(phone.get("/me/offer"))
	if tag == nil {
		t.Fatal("the page has no outbox")
	}
	path := "/me/offer/" + node.OfferID(r.ID).String() + "/withdraw"
	for range 2 {
		if got := phone.post(path, url.Values{"key": {"one"}}, 200, "X-Outbox", tag[1]); got != `{"to":"/me/offer?ok=offer-withdrawn"}` {
			t.Errorf("got %.80s", got)
		}
	}
}

// TestApplicantsWay: somebody who has offered himself reads what comes next, and
// when.
func TestApplicantsWay(t *testing.T) {
	town := newTown(t)
	r, err := town.node.Volunteers.Register(t.Context(), town.admin, node.Readiness{Commune: "33352"}, node.VolunteerWords{
		First: crypto.NewSecret("Nina"), Last: crypto.NewSecret("Exemplaire"), Phones: []node.Phone{{Number: crypto.NewSecret("06 39 98 11 22")}},
	})
	town.must(err)
	id := node.VolunteerID(r.ID)
	_, err = town.node.Accounts.Open(t.Context(), town.admin, node.NewAccount{Login: "nina", Password: crypto.NewSecret(password), Roles: node.RoleVolunteer, Of: id})
	town.must(err)
	phone := town.handset("nina")
	says := func(words ...string) {
		t.Helper()
		page := strings.ReplaceAll(phone.get("/me"), "\u00a0", " ")
		for _, w := range words {
			if !strings.Contains(page, w) {
				t.Errorf("does not say %q", w)
			}
		}
	}
	says("Vous avez proposé votre aide le lundi 23 novembre.", "La mairie vous appelle sous deux semaines")
	town.wait(15 * 24 * time.Hour)
	says("Pas encore d’appel de la mairie ?", "05 36 49 00 00")

	// The agent notes the day on his page.
	desk := town.handset("admin")
	page := desk.get("/volunteers/" + id.String())
	version := regexp.MustCompile(`name="version" value="(\d+)"`).FindStringSubmatch(page)
	desk.post("/volunteers/"+id.String()+"/next", url.Values{"version": version[1:], "day": {"2026-12-10"}}, 200)
	says("Nous nous rencontrons le jeudi 10 décembre.")
	desk.post("/volunteers/"+id.String()+"/next", url.Values{"version": {"2"}, "day": {"2026-12-01"}}, 422)
	if _, err := town.node.Volunteers.SetReadiness(t.Context(), town.admin, id, 2, 0, 1, 5, nil); err != nil {
		t.Fatal(err)
	}
	says("jeudi 10 décembre")
	_, err = town.node.Volunteers.Step(t.Context(), town.admin, id, 3, node.Met, 0)
	town.must(err)
	says("Nous nous sommes rencontrés le mardi 8 décembre.", "la charte, puis votre première visite")
}

// TestAwayOnADayHePromised: an absence does not take a promise back by itself;
// both sides are told that the two do not fit.
func TestAwayOnADayHePromised(t *testing.T) {
	town := newTown(t)
	town.agent("accueil")
	her := town.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07")
	him := town.volunteer("Paul", "Exemplaire", "voisin")
	day := node.DayOf(monday) + 3
	r, err := town.node.Requests.Open(t.Context(), town.admin, node.NewRequest{Beneficiary: her, Type: town.kinds["Courses"], Wish: node.Wish{Kind: node.OnDay, Day: day}})
	town.must(err)
	_, err = town.node.Requests.Accept(t.Context(), town.admin, r.ID, him, node.Slot{})
	town.must(err)
	phone, desk := town.handset("voisin"), town.handset("accueil")
	request := "/requests/" + node.RequestID(r.ID).String()
	desk.says(request, []string{"Paul Exemplaire"}, []string{"absent ce jour-là"})
	other, err := town.node.Requests.Open(t.Context(), town.admin, node.NewRequest{Beneficiary: her, Type: town.kinds["Promenade"], Wish: node.Wish{Kind: node.OnDay, Day: day}})
	town.must(err)
	desk.says("/requests/"+node.RequestID(other.ID).String(), []string{"Ce jour-là elle attend déjà", "Courses, 10 h"}, nil)
	v, err := town.node.Volunteers.Get(town.admin, him)
	town.must(err)
	phone.post("/me/availability", url.Values{"version": {fmt.Sprint(v.Version)}, "per_week": {"1"}, "radius_km": {"10"}, "from": {day.String()}, "to": {day.String()}}, 200)
	phone.says("/me", []string{"Vous avez noté une absence ce jour-là"}, nil)
	desk.says(request, []string{"s’est dit absent ce jour-là"}, nil)
}
