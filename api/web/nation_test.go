package web_test

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/node"
)

// made up are simulated territories of every size, of which one is silent and one
// overseas.
func madeUp(t *testing.T) (out []node.SimulatedTerritory) {
	t.Helper()
	taken := map[string]bool{}
	for i, g := range node.Groupings() {
		if taken[g.Departement] || g.Population < 4_000 || g.Population > 260_000 || i%3 == 1 && g.Departement < "97" {
			continue
		}
		taken[g.Departement] = true
		siren, err := public.ParseSiren(g.Siren)
		if err != nil {
			t.Fatal(err)
		}
		s := node.SimulatedTerritory{Siren: siren}
		last := public.Quarter(26) // the third of 2026
		if len(out) == 7 {
			last -= 2
		}
		var spent public.Odometer
		for q := last - 5; q <= last; q++ {
			receipt, err := spent.Charge(public.CatalogueVersion, q)
			if err != nil {
				t.Fatal(err)
			}
			cells := make([]int32, public.Cells(public.CatalogueVersion))
			at := 0
			for _, group := range public.Catalogue(public.CatalogueVersion) {
				for c := range int(group.Cells) {
					cells[at+c] = int32(g.Population/(700+90*((c*7+int(group.Number))%11)) - int(26-q))
					if group.Unit == public.Institution {
						cells[at+c] = int32(len(g.Communes))
					}
				}
				at += int(group.Cells)
			}
			place, _, _ := public.Place(public.CatalogueVersion, public.GroupRequests)
			cells[place] = 4 * cells[place+1]
			for c := public.FateTwoDays; c <= public.FateNotDone; c++ {
				cells[place+c] = cells[place+1] / int32(c+1)
			}
			release, err := receipt.Release(cells)
			if err != nil {
				t.Fatal(err)
			}
			if spent, err = spent.Follow(release); err != nil {
				t.Fatal(err)
			}
			s.Releases = append(s.Releases, release)
		}
		if out = append(out, s); len(out) == 40 {
			break
		}
	}
	return out
}

// newNation is the coordinator's node, with these territories.
func newNation(tt *testing.T, simulated []node.SimulatedTerritory, hub ...node.FederationHub) *town {
	tt.Helper()
	t := foundTown(tt, coordination, func(c *node.Config) {
		c.Simulated = simulated
		if len(hub) > 0 {
			c.Federation.Hub = hub[0]
		}
	})
	t.coordinator()
	return t
}

// coordination is the coordinator's, which has no people.
var coordination = node.Territory{Siren: "130025265", Name: "Coordination nationale", Calls: "Entraide, la nation", Phone: "01 99 00 12 34", Role: node.CoordinatorNode}

// coordinator opens the account of who presents the nation.
func (t *town) coordinator() {
	t.Helper()
	_, err := t.node.Accounts.Open(t.Context(), t.admin, node.NewAccount{Login: "nation", Password: crypto.NewSecret(password), Roles: node.RoleCoordinator, Name: crypto.NewSecret("Nadia")})
	t.must(err)
}

// browse is a browser without script, signed in.
func (t *town) plain(login string) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	t.must(err)
	c := &http.Client{Jar: jar}
	r, err := c.PostForm(t.url+"/sign-in", url.Values{"login": {login}, "password": {password}})
	t.must(err)
	r.Body.Close()
	if r.StatusCode != http.StatusOK {
		t.Fatalf("%s signs in: %s", login, r.Status)
	}
	return c
}

func (t *town) get(c *http.Client, path string) (int, string) {
	t.Helper()
	r, err := c.Get(t.url + path)
	t.must(err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	t.must(err)
	return r.StatusCode, string(b)
}

var nationPages = []string{"/nation", "/nation?real=1", "/nation?year=2025", "/nation/coverage", "/nation/compare", "/nation/report", "/nation/bulletins", "/nation/roster", "/bulletins"}

// TestNoDeskOnTheCoordinatorsNode: whoever asks for people there is told that there
// are none, on every page and every way of programs.
func TestNoDeskOnTheCoordinatorsNode(t *testing.T) {
	nation := newNation(t, nil)
	const id = "/0190a6f2-7c00-7000-8000-000000000001"
	for _, login := range []string{"nation", "admin"} {
		c := nation.plain(login)
		for _, path := range []string{
			"/desk", "/desk" + id, "/desk/monday", "/live", "/calls", "/requests", "/requests" + id, "/offers", "/bonds", "/people", "/people/new", "/people" + id, "/people" + id + "/calendar", "/people" + id + "/erase",
			"/series", "/volunteers", "/volunteers" + id, "/volunteers" + id + "/week", "/figures", "/figures.csv", "/catalogue", "/settings", "/settings/imports", "/erasures", "/me", "/me/week", "/me/offer", "/me/availability",
		} {
			if code, text := nation.get(c, path); code != http.StatusNotFound || !strings.Contains(text, "coordination nationale") {
				t.Errorf("%s asks for %s: %d", login, path, code)
			}
		}
		for _, path := range []string{
			"/desk", "/desk" + id, "/desk" + id + "/again", "/desk/results", "/calls" + id, "/requests" + id + "/accept", "/offers", "/offers" + id + "/withdraw", "/across", "/across/ask", "/across/offers" + id + "/publish", "/across/interests" + id + "/ack",
			"/bonds", "/people", "/people/new", "/people" + id, "/people" + id + "/likes", "/people" + id + "/past", "/people" + id + "/erase", "/people" + id + "/again", "/series" + id + "/end", "/volunteers", "/volunteers" + id, "/volunteers" + id + "/step",
			"/volunteers" + id + "/account", "/volunteers" + id + "/erase", "/catalogue", "/settings", "/settings/accounts", "/settings/accounts" + id, "/settings/imports", "/settings/imports" + id + "/undo", "/erasures/run", "/erasures" + id + "/keep", "/me" + id + "/accept", "/me/offer", "/me/across" + id + "/yes", "/me/availability",
		} {
			r, err := c.PostForm(nation.url+path, url.Values{"last_name": {"Laforêt"}, "key": {"k"}})
			nation.must(err)
			text, err := io.ReadAll(r.Body)
			nation.must(err)
			r.Body.Close()
			if r.StatusCode != http.StatusNotFound || !strings.Contains(string(text), "coordination nationale") {
				t.Errorf("%s posts to %s: %s", login, path, r.Status)
			}
		}
		by := c.Jar.Cookies(must(url.Parse(nation.url)))[0].Value
		for _, path := range []string{"/beneficiaries", "/beneficiaries" + id, "/volunteers", "/volunteers" + id, "/requests", "/requests" + id, "/series", "/calls", "/offers", "/bonds", "/imports", "/exports/beneficiaries", "/figures", "/requests-to-thank", "/me/requests", "/erasures"} {
			r, err := http.NewRequest("GET", nation.url+"/api/v1"+path, nil)
			nation.must(err)
			r.Header.Set("Authorization", "Bearer "+by)
			got, err := http.DefaultClient.Do(r)
			nation.must(err)
			got.Body.Close()
			if got.StatusCode != http.StatusForbidden && got.StatusCode != http.StatusNotFound {
				t.Errorf("%s asks the interface for %s: %s", login, path, got.Status)
			}
		}
	}
	admin := nation.plain("admin")
	if code, _ := nation.get(admin, "/replicas"); code != http.StatusOK {
		t.Errorf("who runs the machines: %d", code)
	}
	if code, text := nation.get(admin, "/nation/accounts"); code != http.StatusOK || !strings.Contains(text, "coordination") {
		t.Errorf("who keeps the accounts: %d", code)
	}
	coordinator := nation.plain("nation")
	if code, _ := nation.get(coordinator, "/nation/accounts"); code != http.StatusForbidden {
		t.Errorf("a coordinator at the accounts: %d", code)
	}
	if code, _ := nation.get(coordinator, "/replicas"); code != http.StatusForbidden {
		t.Errorf("a coordinator at the machines: %d", code)
	}
	for _, path := range nationPages {
		if code, _ := nation.get(coordinator, path); code != http.StatusOK {
			t.Errorf("%s with nobody in the nation: %d", path, code)
		}
	}
	town := newTown(t)
	desk := town.plain("admin")
	for _, path := range []string{"/nation", "/nation.csv", "/nation.json", "/nation/coverage", "/nation/bulletins", "/nation/roster", "/nation/accounts"} {
		if code, _ := town.get(desk, path); code != http.StatusNotFound {
			t.Errorf("%s in a territory: %d", path, code)
		}
	}
	if code, _ := town.get(desk, "/bulletins"); code != http.StatusOK {
		t.Errorf("bulletins in a territory: %d", code)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestSimulatedIsSaid: wherever simulated territories count, it is said, and they
// can be left out of everything.
func TestSimulatedIsSaid(t *testing.T) {
	nation := newNation(t, madeUp(t))
	c := nation.plain("nation")
	if _, text := nation.get(c, "/nation"); !strings.Contains(text, "40 territoires, dont 40 simulés") || strings.Count(text, `class="dot made-up`) < 40 {
		t.Error("the front page does not say that all are simulated")
	}
	if _, text := nation.get(c, "/nation/report"); !strings.Contains(text, "dont 40 simulés") || !strings.Contains(text, "Les territoires simulés n’existent pas") {
		t.Error("the report does not say so")
	}
	for _, path := range []string{"/nation/coverage", "/nation/compare"} {
		if _, text := nation.get(c, path); strings.Count(text, ">simulé<") != 40 {
			t.Errorf("%s marks %d", path, strings.Count(text, ">simulé<"))
		}
		if _, text := nation.get(c, path+"?real=1"); strings.Contains(text, ">simulé<") {
			t.Errorf("%s keeps them", path)
		}
	}
	if _, text := nation.get(c, "/nation?real=1"); strings.Contains(text, "made-up\" cx=\"") && strings.Count(text, "made-up") > 1 || !strings.Contains(text, "Pas encore assez") {
		t.Error("without them something is left")
	}
	_, text := nation.get(c, "/nation.csv")
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff"))).ReadAll()
	if err != nil {
		r := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
		r.Comma = ';'
		rows, err = r.ReadAll()
	}
	nation.must(err)
	if len(rows) < 1000 || rows[0][0] != "schema" {
		t.Fatalf("%d rows, %q", len(rows), rows[0])
	}
	for _, r := range rows[1:] {
		if r[1] == "territory" && r[5] != "true" || r[8] != r[9] {
			t.Fatalf("not marked: %q", r)
		}
		if r[1] == "territory" && r[11] != "institution" && r[15] == "false" && len(r[12]) == 1 {
			t.Fatalf("below eleven: %q", r)
		}
		for _, cell := range r {
			if strings.IndexAny(cell, "=+-@\t") == 0 {
				t.Fatalf("a formula: %q", cell)
			}
		}
	}
	_, text = nation.get(c, "/nation.json")
	var all struct {
		Schema string
		Items  []map[string]any
	}
	nation.must(json.Unmarshal([]byte(text), &all))
	if all.Schema != node.NationSchema || len(all.Items) != len(rows)-1 {
		t.Errorf("%s, %d numbers of %d", all.Schema, len(all.Items), len(rows)-1)
	}
}

// TestBulletinIsReadBeforeItIsPublished: the text is shown as territories will read
// it, nothing typed is lost, and without the tick nothing is said.
func TestBulletinIsReadBeforeItIsPublished(t *testing.T) {
	browser := chromium(t)
	nation := newNation(t, nil)
	s := nation.open(browser, 390)
	s.run(emulation.SetScriptExecutionDisabled(true))
	s.signIn("nation")
	s.visit("/nation/bulletins")
	s.run(chromedp.SendKeys("#title", "Canicule : appelez"), chromedp.SendKeys("#text", "Dès demain, appelez chaque personne isolée."))
	s.press("//button[text()='Relire avant de publier']")
	s.sees("Rien n’est encore parti.")
	s.sees("Dès demain, appelez chaque personne isolée.")
	s.press("//button[text()='Changer le texte']")
	s.sees("Un nouveau bulletin")
	var title, text string
	s.run(chromedp.Value("#title", &title), chromedp.Value("#text", &text))
	if title != "Canicule : appelez" || text != "Dès demain, appelez chaque personne isolée." {
		t.Errorf("kept %q and %q", title, text)
	}
	s.run(emulation.SetScriptExecutionDisabled(false)) // axe is a script
	s.press("//button[text()='Relire avant de publier']")
	s.sees("Rien n’est encore parti.")
	for _, v := range s.axe() {
		t.Errorf("the preview: %s", v)
	}
}

// TestNationIsAccessible runs axe over the coordinator's pages, wide and on a narrow
// phone, where nothing may be wider than the screen, and there in English too.
func TestNationIsAccessible(t *testing.T) {
	browser := chromium(t)
	simulated := madeUp(t)
	nation := newNation(t, simulated)
	pages := append(nationPages, "/nation/territories/"+simulated[0].Siren.String(), "/nation/territories/"+simulated[7].Siren.String(), "/desk")
	for _, c := range []struct {
		width int64
		lang  string
	}{{1360, "fr"}, {320, "fr"}, {320, "en"}} {
		s := nation.open(browser, c.width)
		s.signIn("nation")
		s.speak(c.lang)
		for _, page := range pages {
			s.check(page)
		}
	}
	admin := nation.open(browser, 320)
	admin.signIn("admin")
	admin.check("/nation/accounts")
	admin.check("/nation/roster")
	town := newTown(t)
	desk := town.open(browser, 320)
	desk.signIn("admin")
	desk.check("/bulletins")
}
