package web_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/bippop/bippop/api/web"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// elected opens an account for somebody who sees no people.
func (t *town) elected(login string) {
	_, err := t.node.Accounts.Open(t.Context(), t.admin, node.NewAccount{Login: login, Password: crypto.NewSecret(password), Roles: node.RoleOfficial, Name: crypto.NewSecret("Hélène, adjointe")})
	t.must(err)
}

// overseer opens an account of the data protection officer.
func (t *town) overseer(login string) {
	_, err := t.node.Accounts.Open(t.Context(), t.admin, node.NewAccount{Login: login, Password: crypto.NewSecret(password), Roles: node.RoleDPO, Name: crypto.NewSecret("Karim, DPO")})
	t.must(err)
}

// browser is a client with a session, which follows no redirect.
type browser struct {
	*town
	cookie *http.Cookie
}

func (t *town) browse(login string) browser {
	t.Helper()
	b := browser{town: t}
	res, _ := b.send("POST", "/sign-in", url.Values{"login": {login}, "password": {password}})
	for _, c := range res.Cookies() {
		if c.Name == web.CookieName(false) {
			b.cookie = c
		}
	}
	if b.cookie == nil {
		t.Fatalf("%s could not sign in: %d", login, res.StatusCode)
	}
	return b
}

func (b browser) send(method, path string, form url.Values) (*http.Response, string) {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), method, b.url+path, strings.NewReader(form.Encode()))
	b.must(err)
	if method == "POST" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if b.cookie != nil {
		req.AddCookie(b.cookie)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	b.must(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	b.must(err)
	return res, string(body)
}

// past records n actions that were done for her, day before day at that hour.
func (t *town) past(her node.BeneficiaryID, him node.VolunteerID, kind string, hour, n int) {
	t.Helper()
	for i := range n {
		_, err := t.node.Requests.RecordDone(t.Context(), t.admin, node.PastAction{
			Beneficiary: her, Type: t.kinds[kind], Day: node.DayOf(t.clock()) - node.Day(i), Minute: hour * 60, Volunteers: []node.VolunteerID{him},
		})
		t.must(err)
	}
}

// TestElectedSeesNoPeople walks every page that there is. One that is added is
// forbidden here until somebody says otherwise.
func TestElectedSeesNoPeople(tt *testing.T) {
	t := newTown(tt)
	t.elected("elu1")
	her := t.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07")
	him := t.volunteer("Paul", "Exemplaire", "")
	request := t.requests(her, him)[0]
	b := t.browse("elu1")
	res, _ := b.send("GET", "/", nil)
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/figures" {
		t.Errorf("comes in at %d %s", res.StatusCode, res.Header.Get("Location"))
	}
	open := map[string]bool{
		"GET /": true, "POST /sign-in": true, "POST /sign-out": true, "POST /language": true, "GET /sources": true,
		"GET /assets/:hash/:name": true, "GET /figures": true, "GET /figures.csv": true,
		"GET /theme/:colour": true, "GET /logo/:version": true, "GET /sw.js": true, "GET /offline": true, "GET /account": true, "POST /account/role": true, "GET /ledger": true, "GET /ledger/:epoch/:seq": true,
		"GET /bulletins": true, "GET /bulletins/:number": true, "GET /bulletins/:number/pdf": true, // the coordinator's words, for all who work here
	}
	e := gin.New()
	web.New(web.Config{Node: t.node, Logger: node.NewLogger(io.Discard, slog.LevelError)}).Mount(e)
	for _, r := range e.Routes() {
		if open[r.Method+" "+r.Path] || strings.HasPrefix(r.Path, "/account/") || strings.HasPrefix(r.Path, "/code") {
			continue // everybody's own account, and the way in
		}
		for _, id := range [][16]byte{her, him, request} {
			path := strings.NewReplacer(":id", node.RequestID(id).String(), ":act", "accept").Replace(r.Path)
			if i := strings.IndexAny(path, ":*"); i >= 0 {
				path = path[:i] + "something"
			}
			res, body := b.send(r.Method, path, url.Values{})
			want := http.StatusForbidden
			if strings.HasPrefix(r.Path, "/nation") {
				want = http.StatusNotFound // the coordinator's pages are not in a territory, for nobody
			}
			if res.StatusCode != want {
				t.Errorf("%s %s answers %d", r.Method, r.Path, res.StatusCode)
			}
			for _, word := range []string{"Laforêt", "Exemplaire", "tilleul"} {
				if strings.Contains(body, word) {
					t.Errorf("%s %s tells %q", r.Method, r.Path, word)
				}
			}
		}
	}
	_, body := b.send("GET", "/figures", nil)
	for _, word := range []string{`href="/desk"`, `href="/people"`, `href="/settings"`, "Laforêt"} {
		if strings.Contains(body, word) {
			t.Errorf("the page of figures has %q", word)
		}
	}
}

// TestAuditorSeesNoPeople: the data protection officer comes in at the own desk, and
// every page of the others' about people is shut.
func TestAuditorSeesNoPeople(tt *testing.T) {
	t := newTown(tt)
	_, err := t.node.Accounts.Open(t.Context(), t.admin, node.NewAccount{Login: "dpo1", Password: crypto.NewSecret(password), Roles: node.RoleDPO, Name: crypto.NewSecret("Odile, DPD")})
	t.must(err)
	her := t.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07")
	him := t.volunteer("Paul", "Exemplaire", "")
	b := t.browse("dpo1")
	res, _ := b.send("GET", "/", nil)
	if res.Header.Get("Location") != "/dpo" {
		t.Errorf("comes in at %d %s", res.StatusCode, res.Header.Get("Location"))
	}
	if res, body := b.send("GET", "/ledger", nil); res.StatusCode != http.StatusOK || !strings.Contains(body, "/transparency/") {
		t.Errorf("/ledger answers %d", res.StatusCode)
	}
	e := gin.New()
	web.New(web.Config{Node: t.node, Logger: node.NewLogger(io.Discard, slog.LevelError)}).Mount(e)
	for _, r := range e.Routes() {
		shut := false
		for _, about := range []string{"/desk", "/calls", "/requests", "/offers", "/bonds", "/people", "/series", "/volunteers", "/figures", "/catalogue", "/settings", "/replicas", "/backups", "/federation", "/me", "/live"} {
			shut = shut || strings.HasPrefix(r.Path, about)
		}
		for _, id := range [][16]byte{her, him} {
			path := strings.NewReplacer(":id", node.RequestID(id).String(), ":act", "accept").Replace(r.Path)
			if i := strings.IndexAny(path, ":*"); i >= 0 {
				path = path[:i] + "something"
			}
			if path == "/sign-out" || strings.HasPrefix(path, "/dpo/journal") || strings.HasSuffix(path, "/readers") {
				continue // who was read by whom: see TestEveryReading of package api
			}
			res, body := b.send(r.Method, path, url.Values{})
			if shut && res.StatusCode != http.StatusForbidden {
				t.Errorf("%s %s answers %d", r.Method, r.Path, res.StatusCode)
			}
			if strings.Contains(body, "Laforêt") || strings.Contains(body, "Exemplaire") {
				t.Errorf("%s %s tells of people", r.Method, r.Path)
			}
		}
	}
}

// TestSmallNumbersAreNowhere: with seven women and no man beside La Réole's many,
// neither the page nor the file tells seven, nor what is left when all is added up.
func TestSmallNumbersAreNowhere(tt *testing.T) {
	t := newTown(tt)
	t.elected("elu1")
	t.agent("accueil")
	him := t.volunteer("Paul", "Exemplaire", "")
	her, man := t.beneficiary("Mme", "Exemple", "Laforêt", "05 36 49 12 07"), t.beneficiary("M.", "Exemple", "Dubois", "05 36 49 12 08")
	t.past(her, him, "Courses", 9, 43)
	t.past(man, him, "Promenade", 15, 7)
	staff, elected := t.browse("accueil"), t.browse("elu1")
	for _, path := range []string{"/figures?year=2026", "/figures.csv?year=2026"} {
		_, all := staff.send("GET", path, nil)
		_, some := elected.send("GET", path, nil)
		for _, text := range []string{">7<", ">43<", ";7;", ";43;"} {
			if strings.Contains(some, text) {
				t.Errorf("%s tells %s", path, text)
			}
		}
		if !strings.Contains(some, "moins de 11") || !strings.Contains(some, "50") || strings.Contains(all, "moins de 11") {
			t.Errorf("%s does not say what is hidden, or hides it from the desk:\n%s", path, some)
		}
		if !strings.Contains(all, "43") || !strings.Contains(all, "7") {
			t.Errorf("%s does not tell the desk", path)
		}
	}
	res, file := elected.send("GET", "/figures.csv", nil)
	if !strings.HasPrefix(file, "\ufeffRépartition;") || !strings.Contains(res.Header.Get("Content-Disposition"), "chiffres-2026.csv") {
		t.Errorf("%v %.80q", res.Header, file)
	}
	// Gironde-sur-Dropt has nobody: the page widens, and says so.
	_, page := elected.send("GET", "/figures?commune=33187", nil)
	if !strings.Contains(page, "Pour Gironde-sur-Dropt, aucune action en 2026 : voici Gironde-sur-Dropt et sa voisine La Réole.") {
		t.Errorf("the page does not widen:\n%s", page)
	}
	if res, _ := elected.send("GET", "/figures?commune=75056", nil); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a commune of elsewhere answers %d", res.StatusCode)
	}
}

// TestAdminOpensElected: in the settings, by one tick, and nothing else with it.
func TestAdminOpensElected(tt *testing.T) {
	t := newTown(tt)
	admin := t.browse("admin")
	if res, _ := admin.send("POST", "/settings/accounts", url.Values{"login": {"elu2"}, "role": {"2", "8"}}); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("an agent who sees no people: %d", res.StatusCode)
	}
	res, body := admin.send("POST", "/settings/accounts", url.Values{"login": {"elu2"}, "role": {"8"}})
	if res.StatusCode != http.StatusOK || !strings.Contains(body, "Élu") {
		t.Fatalf("%d", res.StatusCode)
	}
	list, err := t.node.Accounts.List(t.admin)
	t.must(err)
	for _, a := range list {
		if a.Login == "elu2" && a.Roles == node.RoleOfficial {
			return
		}
	}
	t.Error("there is no such account")
}
