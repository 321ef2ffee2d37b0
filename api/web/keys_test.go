package web_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bippop/bippop/api/web"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/chromedp/chromedp"
)

// shows is what an application shows that shares the secret: RFC 6238 by another hand.
func shows(shared string, at time.Time) string {
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(shared)
	if err != nil {
		panic(err)
	}
	mac := hmac.New(sha1.New, key)
	binary.Write(mac, binary.BigEndian, uint64(at.Unix()/30))
	sum := mac.Sum(nil)
	from := sum[19] & 15
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[from:])&0x7fffffff)%1_000_000)
}

// TestSecondLock plays it in a real browser, in both languages: an agent sets up an
// application by hand, prints the paper, and comes in by password and code, then by
// password and paper. A code that was used opens nothing.
func TestSecondLock(t *testing.T) {
	browser := chromium(t)
	town := newTown(t)
	town.agent("accueil")
	desk := town.open(browser, 1360)
	desk.signIn("accueil")
	desk.check("/account")
	desk.sees("Un second verrou")
	desk.press("//button[text()='Le poser maintenant']")
	desk.sees("Ouvrez l’application de codes")
	for _, v := range desk.axe() {
		t.Errorf("setting up: %s", v)
	}
	var shared, groups string
	desk.run(chromedp.Value("//input[@name='shared']", &shared), chromedp.Text(".groups", &groups))
	if strings.ReplaceAll(groups, " ", "") != shared || len(strings.Fields(groups)) != 8 {
		t.Errorf("the secret reads %q", groups)
	}
	desk.run(chromedp.SendKeys("#code", "000000"))
	desk.press("//button[text()='Vérifier et poser']")
	desk.sees("Ce code n’ouvre pas")
	desk.run(chromedp.SendKeys("#code", shows(shared, town.clock())))
	desk.press("//button[text()='Vérifier et poser']")
	desk.sees("Vos codes de secours")
	for _, v := range desk.axe() {
		t.Errorf("paper: %s", v)
	}
	var list string
	desk.run(chromedp.Text("ol", &list))
	paper := strings.Fields(list)
	if len(paper) != 10 {
		t.Fatalf("%d codes are printed", len(paper))
	}
	desk.check("/account")
	desk.sees("Il reste 10 codes de secours.")

	town.wait(time.Minute)
	code := shows(shared, town.clock())
	for _, c := range []struct{ lang, width, code, says string }{{"fr", "1360", code, ""}, {"en", "320", code, "This code does not open"}, {"en", "320", paper[2], ""}} {
		other := town.open(browser, map[string]int64{"1360": 1360, "320": 320}[c.width])
		other.visit("/")
		other.speak(c.lang)
		enter, title := "Entrer", "Encore un code"
		if c.lang == "en" {
			enter, title = "Sign in", "One code more"
		}
		other.run(chromedp.SendKeys("#login", "accueil"), chromedp.SendKeys("#password", password))
		other.press("//button[text()='" + enter + "']")
		other.sees(title)
		for _, v := range other.axe() {
			t.Errorf("%s: %s", title, v)
		}
		if px := other.overflow(); px > 0 {
			t.Errorf("%s: %d px wider than the screen", title, px)
		}
		other.run(chromedp.SendKeys("#code", c.code))
		other.press("//button[text()='" + enter + "']")
		if c.says != "" {
			other.sees(c.says)
			continue
		}
		other.run(chromedp.WaitVisible("nav.main"))
	}
}

// TestStepUp plays it in a real browser: an administrator begins to change somebody's
// roles an hour after she came in, shows that it is her, and nothing that she ticked is lost.
func TestStepUp(t *testing.T) {
	browser := chromium(t)
	town := newTown(t)
	town.agent("accueil")
	desk := town.open(browser, 1360)
	desk.signIn("admin")
	town.wait(time.Hour)
	var id string
	all, err := town.node.Accounts.List(town.admin)
	town.must(err)
	for _, a := range all {
		if a.Login == "accueil" {
			id = a.ID.String()
		}
	}
	desk.visit("/settings/accounts/" + id + "/roles")
	desk.press("//label[contains(.,'Professionnel')]//input")
	desk.press("//button[text()='Enregistrer']")
	desk.sees("C’est toujours vous ?")
	for _, v := range desk.axe() {
		t.Errorf("again: %s", v)
	}
	desk.run(chromedp.SendKeys("#password", "pas le bon mot de passe"))
	desk.press("//button[text()='C’est moi']")
	desk.sees("Vérifiez les majuscules")
	desk.run(chromedp.SendKeys("#password", password))
	desk.press("//button[text()='C’est moi']")
	desk.sees("C’est bien vous.")
	desk.press("//button[text()='Reprendre où j’en étais']")
	desk.sees("C’est changé")
	all, err = town.node.Accounts.List(town.admin)
	town.must(err)
	for _, a := range all {
		if a.Login == "accueil" && !a.Roles.Has(node.RoleProfessional) {
			t.Error("what she ticked is lost")
		}
	}
}

// jar is a client that keeps cookies and follows nothing.
func (t *town) jar() *handset {
	jar, err := cookiejar.New(nil)
	t.must(err)
	return &handset{t, http.Client{Jar: jar}}
}

func (v *handset) token() string {
	u, err := url.Parse(v.url)
	v.must(err)
	for _, c := range v.Jar.Cookies(u) {
		if c.Name == web.CookieName(false) {
			return c.Value
		}
	}
	return ""
}

func (v *handset) hold(token string) {
	u, err := url.Parse(v.url)
	v.must(err)
	v.Jar.SetCookies(u, []*http.Cookie{{Name: web.CookieName(false), Value: token, Path: "/"}})
}

// TestStolenAndPlanted: a cookie that was copied opens nothing after its owner has left;
// one that somebody planted before opens nothing after; each entry and each proof makes
// a new one.
func TestStolenAndPlanted(t *testing.T) {
	town := newTown(t)
	town.agent("accueil")
	desk := town.handset("accueil")
	stolen := desk.token()
	thief := town.jar()
	thief.hold(stolen)
	thief.get("/account")
	r, err := http.NewRequestWithContext(t.Context(), "POST", town.url+"/sign-out", nil)
	town.must(err)
	left, err := (&http.Client{Jar: desk.Jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
	town.must(err)
	left.Body.Close()
	if !strings.Contains(left.Header.Get("Clear-Site-Data"), "cache") {
		t.Error("what the browser kept stays")
	}
	r, err = http.NewRequestWithContext(t.Context(), "GET", town.url+"/account", nil)
	town.must(err)
	thief.do(r, http.StatusUnauthorized)

	planted := town.handset("accueil").token()
	victim := town.jar()
	victim.hold(planted)
	victim.post("/sign-in", url.Values{"login": {"admin"}, "password": {password}}, 200)
	if victim.token() == planted || victim.token() == "" {
		t.Error("the planted cookie was taken over")
	}
	thief.hold(planted)
	thief.do(r, http.StatusUnauthorized)

	before := victim.token()
	victim.post("/account/again", url.Values{"password": {password}}, 200)
	if victim.token() == before {
		t.Error("a proof leaves the former token")
	}
	thief.hold(before)
	thief.do(r, http.StatusUnauthorized)
	thief.hold("made up")
	thief.do(r, http.StatusUnauthorized)
}

// TestTypedSurvives: somebody types while her session ends, signs in with password and
// code, and finds every word again, through both steps.
func TestTypedSurvives(t *testing.T) {
	town := newTown(t)
	town.agent("accueil")
	desk := town.handset("accueil")
	by, err := town.node.Accounts.Session(crypto.NewSecret(desk.token()))
	town.must(err)
	by = by.Afresh()
	shared, _, err := town.node.Credentials.Begin(by)
	town.must(err)
	_, err = town.node.Credentials.Confirm(t.Context(), by, 0, shared, crypto.NewSecret(shows(shared.Reveal(), town.clock())))
	town.must(err)
	town.wait(13 * time.Hour)
	typed := url.Values{"last_name": {"Exemplard & fils"}, "needs": {"entend mal\nappeler le matin"}, "key": {"k1"}}
	page := desk.post("/people", typed, http.StatusUnauthorized)
	fields := regexp.MustCompile(`name="(resume\.[^"]+)" value="([^"]*)"`)
	form := func(page string) url.Values {
		out := url.Values{}
		for _, m := range fields.FindAllStringSubmatch(page, -1) {
			out.Add(m[1], strings.NewReplacer("&amp;", "&", "&#39;", "'", "&#34;", `"`, "&#xA;", "\n").Replace(m[2]))
		}
		return out
	}
	in := form(page)
	in.Set("login", "accueil")
	in.Set("password", password)
	page = desk.post("/sign-in", in, 200)
	half := regexp.MustCompile(`name="half" value="([^"]+)"`).FindStringSubmatch(page)
	if half == nil {
		t.Fatal("no code is asked")
	}
	in = form(page)
	in.Set("half", half[1])
	in.Set("code", shows(shared.Reveal(), town.clock()))
	page = desk.post("/sign-in", in, 200)
	for _, word := range []string{`action="/people"`, `name="last_name" value="Exemplard &amp; fils"`, "appeler le matin", `name="key" value="k1"`} {
		if !strings.Contains(page, word) {
			t.Errorf("%q is lost", word)
		}
	}
}

// TestPlaces: somebody sees where she is signed in, in plain words, and closes what is
// not hers; failed tries are told.
func TestPlaces(t *testing.T) {
	browser := chromium(t)
	town := newTown(t)
	town.agent("accueil")
	other := town.handset("accueil")
	other.get("/desk")
	town.jar().post("/sign-in", url.Values{"login": {"accueil"}, "password": {"une supposition"}}, http.StatusUnauthorized)
	desk := town.open(browser, 1360)
	desk.signIn("accueil")
	desk.sees("1 essai raté depuis votre dernière entrée.")
	desk.visit("/account")
	desk.sees("Chrome sous Linux")
	desk.sees("Un navigateur")
	desk.press("//button[contains(.,'Fermer toutes les autres')]")
	desk.sees("C’est changé")
	desk.seesNot("Un navigateur")
	r, err := http.NewRequestWithContext(t.Context(), "GET", town.url+"/desk", nil)
	town.must(err)
	other.do(r, http.StatusUnauthorized)
}

// messages is a transport that keeps what it was to bring.
type messages chan [2]string

func (m messages) Send(ref string, _, code node.Secret) error {
	m <- [2]string{ref, code.Reveal()}
	return nil
}

// TestCoupleSharesPhone plays it in a real browser, in both languages: two volunteers
// have one telephone. The code opens for the one whose first name is pressed, once; a
// number that nobody has gets the same page, and no message.
func TestCoupleSharesPhone(t *testing.T) {
	browser := chromium(t)
	sent := make(messages, 8)
	town := foundTown(t, node.Territory{Siren: "200044394", Name: "CC du Réolais en Sud Gironde", Calls: "Entraide chez nous", Communes: []string{"33352"}}, func(c *node.Config) { c.Codes = sent })
	town.volunteer("Paul", "Exemplaire", "paul")
	town.volunteer("Jeanne", "Exemplaire", "jeanne")
	for lang, says := range map[string][5]string{
		"fr": {"Envoyer le code", "Un code est en route", "Entrer", "Vous êtes…", "Ce code n’ouvre pas"},
		"en": {"Send the code", "A code is on its way", "Sign in", "You are…", "This code does not open"},
	} {
		phone := town.open(browser, 320)
		phone.visit("/")
		phone.speak(lang)
		phone.press("//a[@href='/code']")
		phone.check("/code")
		phone.run(chromedp.SendKeys("#address", "06 39 98 99 99"))
		phone.press("//button[text()='" + says[0] + "']")
		phone.sees(says[1])
		phone.visit("/code")
		phone.run(chromedp.SendKeys("#address", "+33 6 39 98 11 22"))
		phone.press("//button[text()='" + says[0] + "']")
		phone.sees(says[1])
		for _, v := range phone.axe() {
			t.Errorf("%s: %s", says[1], v)
		}
		m := <-sent
		phone.sees(m[0]) // the first that was sent is this one: nothing went to nobody
		wrong := "000000"
		if m[1] == wrong {
			wrong = "000001"
		}
		phone.run(chromedp.SendKeys("#code", wrong))
		phone.press("//button[text()='" + says[2] + "']")
		phone.sees(says[4])
		phone.run(chromedp.SendKeys("#code", m[1]))
		phone.press("//button[text()='" + says[2] + "']")
		phone.sees(says[3])
		for _, v := range phone.axe() {
			t.Errorf("%s: %s", says[3], v)
		}
		var ticket string
		phone.run(chromedp.Value("//input[@name='ticket']", &ticket, chromedp.BySearch))
		phone.press("//button[text()='Jeanne']")
		phone.run(chromedp.WaitVisible("nav.main"))
		town.jar().post("/code/enter", url.Values{"ticket": {ticket}, "code": {m[1]}}, http.StatusUnauthorized) // once
	}
}
