package api_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bippop/bippop/api"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// page opens a page as a browser does, and does not follow where it leads.
func (u user) page(method, path string, form url.Values) (status int, body string) {
	u.t.Helper()
	req, err := http.NewRequestWithContext(u.t.Context(), method, u.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		u.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.AddCookie(&http.Cookie{Name: "bippop", Value: u.token})
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		u.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		u.t.Fatal(err)
	}
	return res.StatusCode, string(raw)
}

// account of whoever is signed in.
func (u user) self() node.AccountID {
	u.t.Helper()
	id, err := node.ParseID[node.AccountID](u.get("/me").text("account"))
	if err != nil {
		u.t.Fatal(err)
	}
	return id
}

// readings waits until the journal holds a reading of a screen by an account, and is
// the whole of it.
func (r *rig) readings(by node.Caller, until func([]node.JournalEntry) bool) (all []node.JournalEntry) {
	r.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		var err error
		if all, _, err = r.node.Journal.List(by.Afresh(), node.JournalFilter{Limit: 1000}); err != nil {
			r.t.Fatal(err)
		}
		if until(all) {
			return all
		}
		<-time.NewTimer(50 * time.Millisecond).C
	}
	r.t.Fatal("what was shown is not in the journal")
	return nil
}

// shows are the addresses that show people to somebody; whoever adds one says so here,
// and what it shows is compared with the journal.
var shows = []string{
	"GET /api/v1/beneficiaries/:id/calls",
	"GET /across/new",
	"GET /desk/:id", "GET /calls", "GET /requests", "GET /requests/:id", "GET /requests/:id/edit", "GET /offers/:id",
	"GET /bonds", "GET /people", "GET /people/:id", "GET /people/:id/edit", "GET /people/:id/calendar", "GET /people/:id/past", "GET /people/:id/again",
	"GET /people/:id/erase", "GET /series/:id", "GET /series", "GET /series/:id/edit", "GET /volunteers", "GET /volunteers/:id", "GET /volunteers/:id/edit",
	"GET /volunteers/:id/week", "GET /volunteers/:id/erase", "GET /people/:id/readers", "GET /volunteers/:id/readers", "GET /dpo/journal",
	"GET /dpo/cases/:id", "GET /dpo/cases/:id/answer", "GET /dpo/cases/:id/answer.json",
	"GET /me", "GET /me/week", "GET /desk/monday", "GET /desk",
	"GET /api/v1/beneficiaries", "GET /api/v1/beneficiaries/:id", "GET /api/v1/beneficiaries/:id/requests",
	"GET /api/v1/volunteers", "GET /api/v1/volunteers/:id", "GET /api/v1/volunteers/:id/requests", "GET /api/v1/requests", "GET /api/v1/requests/:id",
	"GET /api/v1/series", "GET /api/v1/series/:id", "GET /api/v1/calls", "GET /api/v1/offers", "GET /api/v1/offers/:id",
	"GET /api/v1/volunteers/:id/offers", "GET /api/v1/bonds", "GET /api/v1/bonds/:id", "GET /api/v1/beneficiaries/:id/bonds", "GET /api/v1/volunteers/:id/bonds",
	"GET /api/v1/exports/beneficiaries", "GET /api/v1/exports/volunteers", "GET /api/v1/me/requests",
}

// partly are those that open people's words and show no last name: a first name, a
// volunteer's own hours.
var partly = []string{"GET /api/v1/beneficiaries/:id/usual-volunteers", "GET /api/v1/me/offers", "GET /requests/:id/across",
	"GET /me/availability",
	"GET /me/offer",
	"GET /me/:id/accept",
	"GET /offers"}

// nobody are the addresses that show nobody, with all that is recorded here.
var nobody = []string{
	"GET /members", "GET /api/v1/members", // to who is no association: whoever is, passes the same opener

	"GET /api/v1/requests/:id/candidates",

	"GET /healthz", "GET /readyz", "GET /assets/:hash/:name", "GET /theme/:colour", "GET /logo/:version", "GET /", "GET /sources", "GET /sw.js", "GET /offline",
	"GET /live", "GET /offers/new", "GET /across", "GET /people/new", "GET /volunteers/new", "GET /figures", "GET /figures.csv",
	"GET /catalogue", "GET /settings", "GET /settings/accounts/:id/roles", "GET /account", "GET /settings/imports", "GET /settings/imports/model/:kind",
	"GET /settings/imports/:id", "GET /settings/imports/:id/faults", "GET /replicas", "GET /replicas/:id/remove", "GET /backups", "GET /backups/:id/keys",
	"GET /erasures", "GET /erasures/:id", "GET /ledger", "GET /ledger/:epoch/:seq", "GET /federation", "GET /federation/handovers/recipient",
	"GET /code", "GET /dpo", "GET /dpo/cases", "GET /dpo/cases/new", "GET /dpo/register", "GET /dpo/assessment", "GET /dpo/retention", "GET /dpo/notices", "GET /dpo/notices/:treatment", "GET /dpo/breaches",
	"GET /dpo/breaches/:id",
	"GET /dpo/journal/digest", "GET /nation", "GET /nation.csv", "GET /nation.json", "GET /nation/coverage", "GET /nation/compare",
	"GET /nation/territories/:siren", "GET /nation/report", "GET /nation/bulletins", "GET /nation/roster", "GET /nation/accounts", "GET /bulletins",
	"GET /bulletins/:number", "GET /bulletins/:number/pdf",
	"GET /api/v1/openapi.json", "GET /api/v1/me", "GET /api/v1/beneficiaries/:id/history", "GET /api/v1/volunteers/:id/history",
	"GET /api/v1/requests/:id/history", "GET /api/v1/requests-to-thank", "GET /api/v1/action-types", "GET /api/v1/accounts", "GET /api/v1/imports", "GET /api/v1/figures",
	"GET /api/v1/territory", "GET /api/v1/communes", "GET /api/v1/replicas", "GET /api/v1/replicas/:id/removal", "GET /api/v1/erasures", "GET /api/v1/erasures/:id",
	"GET /api/v1/backups", "GET /api/v1/backups/data", "GET /api/v1/backups/:id/keys", "GET /api/v1/federation", "GET /api/v1/federation/roster",
	"GET /api/v1/federation/roster/file", "GET /api/v1/nation", "GET /api/v1/nation/coverage", "GET /api/v1/nation/territories/:siren", "GET /api/v1/nation/export",
	"GET /api/v1/bulletins", "GET /api/v1/bulletins/:number", "GET /api/v1/bulletins/:number/pdf", "GET /api/v1/across", "GET /api/v1/requests/:id/across",
	"GET /api/v1/me/across", "GET /api/v1/federation/handovers", "GET /api/v1/federation/handovers/recipient", "GET /api/v1/journal", "GET /api/v1/journal/check",
	"GET /api/v1/ledger", "GET /api/v1/ledger/:epoch/:seq", "GET /api/v1/ledger/connections",
}

// TestEveryReading opens every address that there is and compares whom the answer names
// with the journal: nobody is shown who does not stand in it.
func TestEveryReading(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	admin := r.signIn("admin")
	admin.write(201, "POST", "/accounts", say{"login": "dpo.1", "password": password, "roles": []string{"dpo"}})
	rose, luce, him := admin.enrol("Aubracanne"), admin.enrol("Bretonelle"), admin.approve("Cantalou")
	admin.account("cantalou", him)
	kind := admin.kind("Courses")
	open := func(who string) string {
		return admin.write(201, "POST", "/requests", say{"beneficiary": who, "type": kind, "note": "pain", "when": say{"kind": "day", "day": tomorrow, "half": "morning"}})
	}
	request := open(rose)
	admin.write(200, "POST", "/requests/"+request+"/ask", say{"volunteers": []string{him}})
	volunteer := r.signIn("cantalou")
	volunteer.call("POST", "/requests/"+request+"/accept", say{"hour": "10:30"}).want(200)
	open(luce)
	series := admin.write(201, "POST", "/series", say{"beneficiary": luce, "type": kind, "rule": say{"rhythm": "weekly", "weekday": "friday", "hour": "10:00"}})
	offer := volunteer.write(201, "POST", "/offers", say{"types": []string{kind}, "destination": "33227", "day": tomorrow, "half": "afternoon", "places": 1})
	bond := admin.write(201, "POST", "/bonds", say{"beneficiary": rose, "volunteer": him})
	overseer := r.signIn("dpo.1")
	_, officer, err := r.node.Accounts.SignIn(t.Context(), "dpo.1", crypto.NewSecret(password), "fixture", false)
	if err != nil {
		t.Fatal(err)
	}
	about, err := node.ParseID[node.BeneficiaryID](rose)
	if err != nil {
		t.Fatal(err)
	}
	demand, err := r.node.DPO.Cases.Open(t.Context(), officer, node.NewCase{Demand: node.DemandAccess, About: node.SubjectOf(node.SubjectBeneficiary, about), Asker: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.node.DPO.Cases.Step(t.Context(), officer, demand.ID, 1, node.CaseStep{To: node.CaseChecked, Check: 1}, node.Secret{}); err != nil {
		t.Fatal(err)
	}

	people := map[string]node.Subject{}
	for last, p := range map[string][2]string{"Aubracanne": {node.SubjectBeneficiary, rose}, "Bretonelle": {node.SubjectBeneficiary, luce}, "Cantalou": {node.SubjectVolunteer, him}} {
		id, err := node.ParseID[node.BeneficiaryID](p[1])
		if err != nil {
			t.Fatal(err)
		}
		people[last] = node.SubjectOf(p[0], id)
	}
	fill := func(pattern string) string {
		at := strings.TrimPrefix(pattern, "/api/v1")
		id := rose
		for prefix, of := range map[string]string{"/volunteers": him, "/requests": request, "/series": series, "/offers": offer, "/bonds": bond, "/me": request, "/dpo/cases": node.BeneficiaryID(demand.ID).String()} {
			if strings.HasPrefix(at, prefix+"/") {
				id = of
			}
		}
		for name, value := range map[string]string{":id": id, ":kind": "beneficiaries", ":epoch": "1", ":seq": "0", ":siren": "200044394", ":number": "1", ":treatment": "1"} {
			pattern = strings.ReplaceAll(pattern, name, value)
		}
		return pattern
	}
	type shown struct {
		route, body string
		by          node.AccountID
	}
	selves := map[string]node.AccountID{admin.token: admin.self(), volunteer.token: volunteer.self(), overseer.token: overseer.self()}
	var answers []shown
	plain := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	_, routed := api.Doors(api.Config{Node: r.node, Logger: slog.New(slog.DiscardHandler)})
	for _, route := range routed {
		method, pattern, _ := strings.Cut(route, " ")
		if method != "GET" {
			continue
		}
		if listed := slices.Concat(shows, partly, nobody); !slices.Contains(listed, route) {
			t.Errorf("%s: say in this test whether it shows people", route)
			continue
		}
		if pattern == "/live" {
			continue // it does not end; see TestLive of the pages
		}
		who := admin
		switch at := strings.TrimPrefix(pattern, "/api/v1"); {
		case at == "/me" || strings.HasPrefix(at, "/me/"):
			who = volunteer
		case strings.HasPrefix(at, "/dpo"), strings.HasPrefix(at, "/journal"), strings.HasSuffix(at, "/readers"):
			who = overseer
		}
		path := fill(pattern)
		if pattern == "/dpo/journal" { // what was opened so far is in the record within a second
			r.readings(officer, func(all []node.JournalEntry) bool {
				return slices.ContainsFunc(all, func(e node.JournalEntry) bool { return len(e.Who) > 0 })
			})
		}
		if at := strings.TrimPrefix(pattern, "/api/v1"); at == "/requests" && at != pattern {
			path += "?state=open"
		}
		req, err := http.NewRequestWithContext(t.Context(), "GET", r.server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.AddCookie(&http.Cookie{Name: "bippop", Value: who.token})
		res, err := plain.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		names := 0
		for last := range people {
			if strings.Contains(string(body), last) {
				names++
			}
		}
		if (names > 0) != slices.Contains(shows, route) && !strings.Contains(path, "/exports/") {
			t.Errorf("%s answered %d and names %d of the people of this test", route, res.StatusCode, names)
		}
		answers = append(answers, shown{route, string(body), selves[who.token]})
	}
	// Searches show people as well.
	for _, route := range []string{"POST /desk", "POST /desk/results"} {
		_, body := admin.page("POST", strings.TrimPrefix(route, "POST "), url.Values{"q": {"aubracanne"}})
		answers = append(answers, shown{route, body, selves[admin.token]})
	}
	found := admin.call("POST", "/find", say{"q": "bretonelle"}).want(200)
	answers = append(answers, shown{"POST /api/v1/find", string(found.raw), selves[admin.token]})

	all := r.readings(node.Caller{Account: selves[overseer.token], Roles: node.RoleDPO}, func(all []node.JournalEntry) bool {
		return slices.ContainsFunc(all, func(e node.JournalEntry) bool { return e.Screen == "POST /api/v1/find" })
	})
	for _, a := range answers {
		for last, who := range people {
			if !strings.Contains(a.body, last) {
				continue
			}
			if !slices.ContainsFunc(all, func(e node.JournalEntry) bool { return e.Screen == a.route && e.By == a.by && e.Names(who) }) {
				t.Errorf("%s shows %s, and the journal does not say so", a.route, last)
			}
		}
	}
	for _, route := range nobody {
		for _, e := range all {
			if e.Screen == route {
				t.Errorf("%s opens people's words and shows none of them", route)
				break
			}
		}
	}
	for _, route := range []string{"GET /api/v1/exports/beneficiaries", "GET /api/v1/exports/volunteers"} {
		if !slices.ContainsFunc(all, func(e node.JournalEntry) bool {
			return e.Screen == route && len(e.Who) > 0 && e.Purpose == node.ForExport
		}) {
			t.Errorf("%s leaves no entry", route)
		}
	}
}

// TestAskedWhy: a dossier that nothing explains is opened once somebody has said why,
// with a word of a closed list; nothing of it is shown before, and nobody is asked twice.
func TestAskedWhy(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	admin := r.signIn("admin")
	for login, role := range map[string]string{"desk.1": "agent", "dpo.1": "dpo"} {
		admin.write(201, "POST", "/accounts", say{"login": login, "password": password, "roles": []string{role}})
	}
	rose := admin.enrol("Aubracanne")
	agent, overseer := r.signIn("desk.1"), r.signIn("dpo.1")
	if _, body := admin.page("GET", "/people/"+rose, nil); !strings.Contains(body, "Aubracanne") {
		t.Error("who has just enrolled her is asked why")
	}
	for _, query := range []string{"", "?for=", "?for=audit", "?for=nosiness"} {
		status, body := agent.page("GET", "/people/"+rose+query, nil)
		if status != 200 || strings.Contains(body, "Aubracanne") || !strings.Contains(body, "?for=phone") {
			t.Errorf("%q: %d, she is shown: %v", query, status, strings.Contains(body, "Aubracanne"))
		}
	}
	for _, query := range []string{"?for=relative", ""} {
		if _, body := agent.page("GET", "/people/"+rose+query, nil); !strings.Contains(body, "Aubracanne") {
			t.Errorf("%q: she is not shown to who has said why", query)
		}
	}
	agent.get("/beneficiaries/" + rose + "?for=check") // a program may say it as well
	by := agent.self()
	all := r.readings(node.Caller{Account: overseer.self(), Roles: node.RoleDPO}, func(all []node.JournalEntry) bool {
		return len(all) > 0 && all[0].Screen == "GET /api/v1/beneficiaries/:id"
	})
	var purposes []node.JournalPurpose
	for _, e := range all {
		if e.By == by {
			purposes = append(purposes, e.Purpose)
		}
	}
	if want := []node.JournalPurpose{node.ForRelative, node.ForRelative, node.ForRelative}; !slices.Equal(purposes, want) {
		t.Errorf("noted as %v, want %v", purposes, want)
	}
}
