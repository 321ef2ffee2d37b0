package api_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestStory is a week at the desk, told over the API.
func TestStory(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	admin := r.signIn("admin")
	admin.write(201, "POST", "/accounts", say{"login": "desk.1", "password": password, "name": "Victoria F., CCAS", "roles": []string{"agent"}})
	agent := r.signIn("desk.1")
	agent.get("/me").is(t, "name", "Victoria F., CCAS")

	her := agent.enrol("Laforêt")
	him := agent.approve("Dumas")
	agent.account("dumas", him)
	agent.call("POST", "/find", say{"q": "lafore"}).want(200).is(t, "items.0.person.id", her)
	agent.call("POST", "/find", say{"q": "dumas", "kind": "volunteer"}).want(200).is(t, "items.0.person.id", him)
	agent.call("POST", "/find", say{"q": "05 36 49 12 07", "kind": "beneficiary"}).want(200).is(t, "items.0.person.id", her)

	file := agent.get("/beneficiaries/" + her)
	file.is(t, "last_name", "Laforêt")
	file.is(t, "birth", "1941-03-12")
	file.is(t, "age", 85)
	file.is(t, "state", "active")
	file.is(t, "phones.0.number", "+33536491207")

	request := agent.write(201, "POST", "/requests", say{
		"beneficiary": her, "type": agent.kind("Courses"), "note": "pain et journal",
		"when": say{"kind": "day", "day": tomorrow, "half": "morning"},
	})
	agent.get("/requests/"+request).is(t, "state", "open")
	agent.get("/requests?state=open").is(t, "items.0.id", request)
	candidates := agent.get("/requests/" + request + "/candidates")
	candidates.is(t, "items.0.volunteer.id", him)
	candidates.is(t, "items.0.fits", true)
	agent.write(200, "POST", "/requests/"+request+"/ask", say{"volunteers": []string{him}})

	volunteer := r.signIn("dumas")
	volunteer.get("/me").is(t, "volunteer", him)
	mine := volunteer.get("/me/requests")
	mine.is(t, "asked.0.id", request)
	if strings.Contains(string(mine.raw), "Laforêt") {
		t.Error("a volunteer sees her name before he has accepted")
	}
	accepted := volunteer.call("POST", "/requests/"+request+"/accept", say{"hour": "10:30"}).want(200)
	volunteer.get("/me/requests", "X-Index", accepted.header.Get("X-Index")).is(t, "promised.0.last_name", "Laforêt")

	covered := agent.get("/requests/" + request + "?fresh=1")
	covered.is(t, "state", "covered")
	covered.is(t, "start", "2026-11-25T09:30:00Z")
	covered.is(t, "volunteers.0.answer", "yes")
	agent.get("/requests?from="+tomorrow).is(t, "items.0.id", request)

	calls := agent.get("/calls")
	calls.is(t, "items.0.beneficiary.id", her)
	calls.is(t, "items.0.news.0.first", true)
	agent.write(201, "POST", "/calls", say{"beneficiary": her, "result": "no-answer"})
	agent.get("/calls").is(t, "items.0.missed_calls", 1)
	agent.get("/beneficiaries/"+her+"/calls").is(t, "items.0.result", "no-answer")
	agent.write(201, "POST", "/calls", say{"beneficiary": her, "result": "told", "heard": []say{{"request": request, "version": calls.number("items.0.news.0.request.version")}}})
	if left := agent.get("/calls").items(t); len(left) != 0 {
		t.Errorf("she is still to be called: %v", left)
	}
	agent.get("/requests/"+request).is(t, "state", "told")

	r.wait(25 * time.Hour) // the day has come; the agent's working day is over
	agent = r.signIn("desk.1")
	volunteer.write(200, "POST", "/requests/"+request+"/finish", say{"done": true, "minutes": 50, "metres": 4000, "word": "tout va bien"})
	done := agent.get("/requests/" + request)
	done.is(t, "state", "done")
	done.is(t, "outcome.word", "tout va bien")
	agent.get("/beneficiaries/"+her+"/usual-volunteers").is(t, "items.0.visits", 1)
	agent.get("/beneficiaries/"+her+"/requests").is(t, "items.0.id", request)
	agent.get("/volunteers/"+him+"/requests").is(t, "items.0.id", request)
	history := agent.get("/requests/" + request + "/history")
	history.is(t, "items.0.what", "opened")
	history.is(t, "items.0.by_name", "Victoria F., CCAS")
	agent.get("/beneficiaries/"+her+"/history").is(t, "items.0.what", "enrolled")
	agent.get("/volunteers/"+him+"/history").is(t, "items.0.what", "registered")

	figures := agent.get("/figures?from=2026-01&to=2026-12")
	for indicator, want := range map[string]int{"requested": 1, "found": 1, "told": 1, "done": 1, "minutes": 50, "metres": 4000, "enrolled": 1, "joined": 1, "unfilled": 0} {
		figures.is(t, "total."+indicator, want)
	}
	figures.is(t, "by_category.shopping.done", 1)
	figures.is(t, "by_sex.woman.done", 1)
	figures.is(t, "by_age.85-89.done", 1)
	figures.is(t, "by_month.2026-11.done", 1)
	figures.is(t, "by_commune.33352.done", 1)

	agent.call("DELETE", "/sessions/current", nil).want(204)
	agent.call("GET", "/me", nil).want(401)
}

// TestOtherWays goes the ways that the story does not.
func TestOtherWays(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	admin := r.signIn("admin")
	her, him, other := admin.enrol("Laforêt"), admin.approve("Dumas"), admin.approve("Duras")
	admin.account("dumas", him)
	volunteer := r.signIn("dumas")
	errand := func(day string) string {
		t.Helper()
		return admin.write(201, "POST", "/requests", say{
			"beneficiary": her, "type": admin.kind("Courses"), "draft": true, "when": say{"kind": "day", "day": day},
		})
	}

	one := errand("2026-11-26")
	admin.write(200, "POST", "/requests/"+one+"/publish", nil)
	admin.write(200, "POST", "/requests/"+one+"/ask", say{"volunteers": []string{him, other}})
	volunteer.write(200, "POST", "/requests/"+one+"/refuse", nil)
	admin.write(200, "POST", "/requests/"+one+"/accept", say{"volunteer": other})
	admin.write(200, "POST", "/requests/"+one+"/withdraw", say{"volunteer": other})
	admin.write(200, "POST", "/requests/"+one+"/drop", say{"unfilled": true})
	admin.get("/requests/"+one).is(t, "state", "unfilled")
	admin.get("/requests?state=unfilled").is(t, "items.0.id", one)

	two := errand("2026-11-27")
	was := admin.get("/requests/" + two)
	admin.write(200, "PUT", "/requests/"+two, say{"when": say{"kind": "week", "day": "2026-11-27"}, "note": "kiné", "minutes": 45}, "If-Match", was.header.Get("ETag"))
	admin.get("/requests/"+two).is(t, "when.day", "2026-11-23")
	admin.write(200, "POST", "/requests/"+two+"/publish", nil)
	volunteer.get("/me/requests").is(t, "near.0.id", two)
	volunteer.write(200, "POST", "/requests/"+two+"/accept", say{"day": "2026-11-27", "hour": "15:00"})
	volunteer.write(200, "POST", "/requests/"+two+"/told", nil)
	admin.get("/requests/"+two).is(t, "state", "told")
	admin.get("/beneficiaries/"+her+"/calls").is(t, "items.0.means", "volunteer")
	volunteer.call("POST", "/requests/"+two+"/finish", say{"done": false, "why": "not-at-home"}).want(409) // it lies ahead
	r.wait(4 * 24 * time.Hour)
	admin = r.signIn("admin")
	volunteer.write(200, "POST", "/requests/"+two+"/finish", say{"done": false, "why": "not-at-home"})
	admin.get("/requests/"+two).is(t, "outcome.why", "not-at-home")

	past := admin.write(201, "POST", "/past-actions", say{
		"beneficiary": her, "type": admin.kind("Promenade"), "day": "2026-11-20", "hour": "14:00", "volunteers": []string{him}, "word": "au parc",
	})
	admin.get("/requests/"+past).is(t, "state", "done")

	offer := volunteer.get("/volunteers/" + him)
	volunteer.write(200, "PUT", "/volunteers/"+him+"/readiness", say{
		"week": []string{"monday-morning", "friday-afternoon"}, "per_week": 2, "radius_km": 12, "absences": []say{{"from": "2026-12-24", "to": "2027-01-02"}},
	}, "If-Match", offer.header.Get("ETag"))
	now := volunteer.get("/volunteers/" + him)
	now.is(t, "week.1", "friday-afternoon")
	now.is(t, "absences.0.to", "2027-01-02")

	// What was read can be put.
	for _, path := range []string{"/beneficiaries/" + her, "/volunteers/" + him, "/territory"} {
		was := admin.get(path)
		admin.write(200, "PUT", path, was.raw, "If-Match", was.header.Get("ETag"))
		is := admin.get(path)
		if is.number("version") != was.number("version")+1 || is.text("last_name") != was.text("last_name") {
			t.Errorf("%s: put back\n%s\nit is\n%s", path, was.raw, is.raw)
		}
	}

	tea := admin.write(201, "POST", "/action-types", say{"name": "Thé dansant", "category": "outing", "pairing": "never", "minutes": 120, "icon": "cup", "order": 30})
	admin.write(200, "PUT", "/action-types/"+tea, say{"name": "Thé dansant", "category": "outing", "pairing": "first", "minutes": 90, "retired": true}, "If-Match", `"1"`)
	admin.get("/communes?q="+escape("La Réole")).is(t, "items.0.code", "33352")
	admin.get("/accounts").is(t, "items.1.login", "dumas")
	account := admin.get("/accounts").text("items.1.id")
	admin.write(200, "PUT", "/accounts/"+account, say{"roles": []string{"volunteer"}, "closed": true}, "If-Match", `"1"`)
	volunteer.call("GET", "/me", nil).want(401)
}

// TestPaging walks every list that has pages in steps of two.
func TestPaging(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	admin := r.signIn("admin")
	her := admin.enrol("Laforêt")
	for i := range 4 {
		admin.enrol(fmt.Sprintf("Nom%c", 'a'+i))
	}
	him := admin.approve("Dumas")
	for i := range 4 {
		admin.write(201, "POST", "/volunteers", say{"commune": "33352", "last_name": fmt.Sprintf("Voisin%c", 'a'+i), "email": "v@example.org"})
	}
	kind := admin.kind("Courses")
	for i := range 5 {
		id := admin.write(201, "POST", "/requests", say{"beneficiary": her, "type": kind, "when": say{"kind": "day", "day": tomorrow, "hour": fmt.Sprintf("%02d:00", 8+2*i)}})
		admin.write(200, "POST", "/requests/"+id+"/accept", say{"volunteer": him})
	}
	for _, path := range []string{
		"/beneficiaries?", "/beneficiaries?commune=33352", "/volunteers?", "/requests?state=covered", "/requests?from=2026-11-24&to=2026-11-30",
		"/beneficiaries/" + her + "/requests?", "/volunteers/" + him + "/requests?",
	} {
		seen, cursor := map[string]bool{}, ""
		for range 5 {
			page := admin.get(path + "&limit=2&cursor=" + cursor)
			for i := range page.items(t) {
				seen[page.text(fmt.Sprintf("items.%d.id", i))] = true
			}
			if cursor = page.text("next"); cursor == "" {
				break
			}
			if path != "/beneficiaries?" { // a cursor of another list is none
				admin.call("GET", "/beneficiaries?cursor="+cursor, nil).want(400)
			}
		}
		if len(seen) != 5 || cursor != "" {
			t.Errorf("%s: pages hold %d of 5, and end with %q", path, len(seen), cursor)
		}
	}
}

// TestSpreadsheet brings people in, undoes it, and takes everybody out.
func TestSpreadsheet(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	admin := r.signIn("admin")
	const file = "Nom;Prénom;Téléphone;Ville\nMaravel;Yvette;05 36 49 12 08;La Réole\nOubrac;Louise;05 36 49 12 09;La Réole\n"
	bring := func(content string, fields ...string) reply {
		t.Helper()
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		part, err := form.CreateFormFile("file", "personnes.csv")
		if err != nil {
			t.Fatal(err)
		}
		part.Write([]byte(content))
		for i := 0; i < len(fields); i += 2 {
			form.WriteField(fields[i], fields[i+1])
		}
		form.Close()
		return admin.call("POST", "/imports", body.Bytes(), "Content-Type", form.FormDataContentType())
	}
	usual := []string{"kind", "beneficiaries", "basis", "public-interest"}

	dry := bring(file, append(usual, "dry_run", "true")...).want(200)
	dry.is(t, "good", 2)
	dry.is(t, "brought", 0)
	if n := len(admin.get("/beneficiaries").items(t)); n != 0 {
		t.Errorf("a dry run has brought %d people", n)
	}
	run := bring(file, usual...).want(200)
	run.is(t, "brought", 2)
	admin.call("POST", "/find", say{"q": "maravel"}).want(200).is(t, "items.0.person.first_name", "Yvette")
	admin.get("/imports").is(t, "items.0.file", "personnes.csv")
	out := admin.get("/exports/beneficiaries")
	if !strings.Contains(string(out.raw), "Maravel") || !strings.Contains(out.header.Get("Content-Disposition"), "beneficiaries.csv") {
		t.Errorf("the export is %s", out.raw)
	}
	admin.get("/exports/volunteers")
	admin.write(200, "POST", "/imports/"+run.text("id")+"/undo", nil)
	if n := len(admin.get("/beneficiaries").items(t)); n != 0 {
		t.Errorf("%d people are left of an import that was undone", n)
	}

	const canary = "Zyxwvut"
	for name, c := range map[string]struct {
		reply  reply
		status int
	}{
		"no basis":          {bring(file, "kind", "beneficiaries"), 422},
		"another kind":      {bring(file, "kind", canary, "basis", "consent"), 422},
		"an unknown field":  {bring(file, append(usual, canary, "1")...), 400},
		"not a yes or no":   {bring(file, append(usual, "dry_run", canary)...), 400},
		"unknown mapping":   {bring(file, append(usual, "mapping", canary+"=commune")...), 422},
		"resume of nothing": {bring(file, append(usual, "resume", "0190a6f2-7c00-7000-8000-000000000000")...), 404},
		"no table":          {bring(canary, usual...), 422},
		"too large":         {bring(strings.Repeat("x", 9<<20), usual...), 413},
		"faulty rows":       {bring("Nom;Prénom;Ville\n"+canary+";Yvette;Paris\n", usual...), 409},
	} {
		if c.reply.status != c.status || strings.Contains(string(c.reply.raw), canary) {
			t.Errorf("%s: %d %s, not %d without what was sent", name, c.reply.status, c.reply.raw, c.status)
		}
	}
}

// TestWaiting: a read waits for a write that it names, and not for ever.
func TestWaiting(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	admin := r.signIn("admin")
	last, err := strconv.Atoi(admin.get("/me").header.Get("X-Index"))
	if err != nil {
		t.Fatal(err)
	}
	seen := make(chan reply)
	go func() { seen <- admin.call("GET", "/beneficiaries", nil, "X-Index", strconv.Itoa(last+1)) }()
	her := admin.enrol("Laforêt")
	(<-seen).want(200).is(t, "items.0.id", her)

	p := admin.call("GET", "/me", nil, "X-Index", strconv.Itoa(last+1000)).want(503).problem()
	if p.Code != "behind" {
		t.Errorf("code %q", p.Code)
	}
}

// TestGlue: what stands around the operations.
func TestGlue(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	plain := &http.Client{}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/api/v1/nothing": 404, "/api": 404, "/nothing": 404} {
		res, err := plain.Get(r.server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: %d, not %d", path, res.StatusCode, want)
		}
		if !strings.HasPrefix(res.Header.Get("Content-Security-Policy"), "default-src 'none'") || res.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers are missing: %v", path, res.Header)
		}
		if problem := res.Header.Get("Content-Type") == "application/problem+json"; problem != strings.HasPrefix(path, "/api") {
			t.Errorf("%s: content type %q", path, res.Header.Get("Content-Type"))
		}
	}
	admin := r.signIn("admin")
	if p := admin.call("PATCH", "/me", nil).want(405).problem(); p.Code != "no-such-method" {
		t.Errorf("code %q", p.Code)
	}
	if p := admin.call("POST", "/sessions", say{}, "Sec-Fetch-Site", "cross-site").want(403).problem(); p.Code != "cross-origin" {
		t.Errorf("code %q", p.Code)
	}
	// A browser's cookie reads and does not write.
	browser := r.anon()
	cookie := "bippop=" + admin.token
	browser.get("/me", "Cookie", cookie)
	browser.call("POST", "/volunteers", say{}, "Cookie", cookie).want(401)
}

// TestLog: nothing that anybody sent or read is in the log, at any level.
func TestLog(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	admin := r.signIn("admin")
	her := admin.enrol("Zyxwvut")
	admin.call("POST", "/find", say{"q": "zyxwvut"}).want(200)
	admin.call("GET", "/beneficiaries?zyxwvut=1", nil).want(400)
	admin.call("GET", "/beneficiaries/zyxwvut", nil).want(400)
	log := r.log.String()
	if !strings.Contains(log, `"route":"/api/v1/find"`) {
		t.Fatalf("the log does not follow: %s", log)
	}
	for _, word := range []string{"yxwvut", password, admin.token, her, "536491207", "q="} {
		if strings.Contains(log, word) {
			t.Errorf("the log holds %q", word)
		}
	}
}

// TestComesAgain: every Friday, but not this one, and then no more.
func TestComesAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	admin := r.signIn("admin")
	her, him := admin.enrol("Laforêt"), admin.approve("Dumas")
	form := func(more ...any) say {
		s := say{"rule": say{"rhythm": "weekly", "weekday": "friday", "half": "afternoon"}, "from": "2026-11-27", "agreed": true, "volunteers": []string{him}, "note": "pain et journal"}
		for i := 0; i+1 < len(more); i += 2 {
			s[more[i].(string)] = more[i+1]
		}
		return s
	}
	id := admin.write(201, "POST", "/series", form("beneficiary", her, "type", admin.kind("Courses")))
	s := admin.get("/series/" + id)
	s.is(t, "state", "running")
	s.is(t, "version", 1)
	s.is(t, "rule.weekday", "friday")
	s.is(t, "note", "pain et journal")
	s.is(t, "volunteers.0.id", him)
	s.is(t, "next.0.day", "2026-11-27")
	s.is(t, "next.0.state", "told")
	s.is(t, "next.3.day", "2026-12-18")
	s.is(t, "next.4.holiday", "christmas")
	request := admin.get("/requests/" + s.text("next.0.request"))
	request.is(t, "series", id)
	request.is(t, "note", "pain et journal")
	admin.get("/requests/"+s.text("next.0.request")+"/history").is(t, "items.0.what", "recurred")
	if left := admin.get("/calls").items(t); len(left) != 0 {
		t.Errorf("she is to be called: %v", left)
	}
	admin.get("/series").is(t, "items.0.id", id)
	admin.get("/series?beneficiary="+her).is(t, "items.0.id", id)
	admin.write(200, "POST", "/series/"+id+"/skip", say{"day": "2026-12-04", "why": "by-her"})
	admin.call("POST", "/series/"+id+"/skip", say{"day": "2026-12-03", "why": "by-her"}).want(409)
	admin.call("PUT", "/series/"+id, form(), "If-Match", s.header.Get("ETag")).want(412)
	s = admin.get("/series/" + id)
	s.is(t, "next.1.skipped", true)
	s.is(t, "skipped.0", "2026-12-04")
	admin.write(200, "PUT", "/series/"+id, form("rule", say{"rhythm": "monthly", "weekday": "tuesday", "nth": 2, "hour": "10:30"}), "If-Match", s.header.Get("ETag"))
	s = admin.get("/series/" + id)
	s.is(t, "rule.hour", "10:30")
	s.is(t, "next.0.day", "2026-12-08")
	admin.get("/requests/"+s.text("next.0.request")).is(t, "start", "2026-12-08T09:30:00Z")
	admin.write(200, "POST", "/series/"+id+"/pause", say{"why": "by-her"})
	admin.get("/series/"+id).is(t, "state", "paused")
	admin.write(200, "POST", "/series/"+id+"/resume", nil)
	admin.write(200, "POST", "/series/"+id+"/end", say{"why": "by-us"})
	admin.get("/calls").is(t, "items.0.news.0.request.when.day", "2026-12-08")
	if left := admin.get("/series").items(t); len(left) != 0 {
		t.Errorf("it has ended: %v", left)
	}
	admin.get("/series?ended=true").is(t, "items.0.id", id)
	admin.call("POST", "/series", form("beneficiary", her, "type", admin.kind("Courses"), "until", "2026-11-01")).want(422)
}
