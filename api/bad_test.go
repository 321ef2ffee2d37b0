package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// canary is in everything that is sent wrongly, and must never come back.
const canary = "Zyxwvut"

// TestBadInput: what is wrong is named, by status, code and place, and what was
// sent is not repeated.
func TestBadInput(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	admin := r.signIn("admin")
	her, him := admin.enrol("Laforêt"), admin.approve("Dumas")
	admin.account("dumas", him)
	volunteer := r.signIn("dumas")
	kind := admin.kind("Courses")
	request := admin.write(201, "POST", "/requests", say{"beneficiary": her, "type": kind, "when": say{"kind": "flexible"}})
	person := func(field string, value any) say {
		s := say{"commune": "33352", "basis": "consent", "last_name": canary, "phones": []say{{"number": "05 36 49 12 07"}}}
		s[field] = value
		return s
	}
	wish := func(when say) say { return say{"beneficiary": her, "type": kind, "note": canary, "when": when} }
	long := strings.Repeat(canary, 300)

	for _, c := range []struct {
		name, method, path string
		body               any
		extra              []string
		status             int
		code, location     string
	}{
		{"unknown field", "POST", "/beneficiaries", person(canary, "x"), nil, 400, "malformed", "body"},
		{"unknown field within", "POST", "/beneficiaries", person("trusted", say{canary: "x"}), nil, 400, "malformed", "body.trusted"},
		{"field in capitals", "POST", "/beneficiaries", person("LAST_NAME", canary), nil, 400, "malformed", "body"},
		{"wrong type", "POST", "/beneficiaries", person("note", []string{canary}), nil, 400, "malformed", "body.note"},
		{"number too large", "POST", "/requests", say{"beneficiary": her, "type": kind, "when": say{"kind": "flexible"}, "seats": 1e30}, nil, 422, "invalid", "body.seats"},
		{"fraction", "POST", "/requests", say{"beneficiary": her, "type": kind, "when": say{"kind": "flexible"}, "seats": 1.5}, nil, 400, "malformed", "body.seats"},
		{"field twice", "POST", "/beneficiaries", `{"trusted":{"name":"` + canary + `"},"note":[{"x":1},{"x":2}],"trusted":{}}`, nil, 400, "malformed", "body"},
		{"field twice, once escaped", "POST", "/beneficiaries", `{"note":"` + canary + `","n\u006fte":"x"}`, nil, 400, "malformed", "body"},
		{"no JSON", "POST", "/beneficiaries", canary, nil, 400, "malformed", "body"},
		{"two JSONs", "POST", "/beneficiaries", `{} {"` + canary + `":1}`, nil, 400, "malformed", "body"},
		{"not an object", "POST", "/beneficiaries", `["` + canary + `"]`, nil, 400, "malformed", "body"},
		{"no body", "POST", "/beneficiaries", nil, nil, 400, "malformed", "body"},
		{"bad UTF-8", "POST", "/beneficiaries", `{"last_name":"` + canary + "\xff\"}", nil, 400, "malformed", "body"},
		{"deep", "POST", "/beneficiaries", strings.Repeat("[", 100_000), nil, 400, "malformed", "body"},
		{"huge", "POST", "/beneficiaries", person("note", strings.Repeat(canary, 1<<18)), nil, 413, "too-large", ""},
		{"not JSON by its type", "POST", "/beneficiaries", canary, []string{"Content-Type", "text/plain"}, 415, "unsupported-media-type", ""},
		{"over-long", "POST", "/beneficiaries", person("last_name", long), nil, 422, "too-long", "body.last_name"},
		{"control characters", "POST", "/beneficiaries", person("note", canary+"\x00"), nil, 422, "not-text", "body.note"},
		{"no name", "POST", "/beneficiaries", person("last_name", ""), nil, 422, "missing", "body.last_name"},
		{"no basis", "POST", "/beneficiaries", say{"commune": "33352", "last_name": canary, "address": canary}, nil, 422, "missing", "body.basis"},
		{"unknown word", "POST", "/beneficiaries", person("basis", canary), nil, 422, "invalid", "body.basis"},
		{"commune elsewhere", "POST", "/beneficiaries", person("commune", canary), nil, 422, "commune-outside", "body.commune"},
		{"not a number", "POST", "/beneficiaries", person("phones", []say{{"number": canary}}), nil, 422, "phone-unreadable", "body.phones"},
		{"not a date", "POST", "/beneficiaries", person("birth", canary), nil, 422, "date-unreadable", "body.birth"},
		{"not an e-mail", "POST", "/beneficiaries", person("email", canary), nil, 422, "email-malformed", "body.email"},
		{"not an ID in a list", "POST", "/beneficiaries", person("preferred", []string{canary}), nil, 422, "invalid", "body.preferred[0]"},
		{"an ID in braces", "POST", "/beneficiaries", person("preferred", []string{"{" + someID + "}"}), nil, 400, "malformed", "body.preferred"},
		{"not an ID in the path", "GET", "/beneficiaries/" + canary, nil, nil, 400, "malformed", "path.id"},
		{"nobody", "GET", "/beneficiaries/" + someID, nil, nil, 404, "no-beneficiary", ""},
		{"no list of nobody", "GET", "/beneficiaries/" + someID + "/requests", nil, nil, 404, "no-beneficiary", ""},
		{"unknown parameter", "GET", "/beneficiaries?" + canary + "=1", nil, nil, 400, "malformed", "query"},
		{"limit", "GET", "/beneficiaries?limit=101", nil, nil, 400, "malformed", "query.limit"},
		{"limit in words", "GET", "/beneficiaries?limit=" + canary, nil, nil, 400, "malformed", "query.limit"},
		{"cursor", "GET", "/beneficiaries?cursor=" + canary, nil, nil, 400, "malformed", "query.cursor"},
		{"cursor not base64", "GET", "/beneficiaries?cursor=" + canary + "%21", nil, nil, 400, "malformed", "query.cursor"},
		{"search too long", "POST", "/find", say{"q": long[:700]}, nil, 422, "too-long", "body.q"},
		{"search with control characters", "POST", "/find", say{"q": canary + "\x01"}, nil, 422, "not-text", "body.q"},
		{"no state", "GET", "/requests", nil, nil, 422, "missing", "query.state"},
		{"unknown state", "GET", "/requests?state=" + canary, nil, nil, 400, "malformed", "query.state"},
		{"no months", "GET", "/figures", nil, nil, 400, "malformed", "query.from"},
		{"months backwards", "GET", "/figures?from=2026-12&to=2026-01", nil, nil, 422, "out-of-range", "query.from"},
		{"index in words", "GET", "/me", nil, []string{"X-Index", canary}, 400, "malformed", "header.X-Index"},
		{"index too large", "GET", "/me", nil, []string{"X-Index", "99999999999999999999"}, 400, "malformed", "header.X-Index"},
		{"epoch too large", "GET", "/ledger/65537/1", nil, nil, 400, "malformed", "path.epoch"},
		{"key too long", "POST", "/beneficiaries", person("note", ""), []string{"Idempotency-Key", strings.Repeat("k", 65)}, 400, "malformed", "header.Idempotency-Key"},
		{"no version", "PUT", "/beneficiaries/" + her, person("state", "active"), nil, 428, "version-required", "header.If-Match"},
		{"version not in quotes", "PUT", "/beneficiaries/" + her, person("state", "active"), []string{"If-Match", "1"}, 400, "malformed", "header.If-Match"},
		{"stale version", "PUT", "/beneficiaries/" + her, person("state", "active"), []string{"If-Match", `"7"`}, 412, "stale-version", ""},
		{"version of others", "PUT", "/beneficiaries/" + her, person("state", "active"), []string{"If-Match", `"` + canary + `"`}, 412, "stale-version", ""},
		{"version zero adds nothing", "PUT", "/action-types/" + someID, say{"name": canary, "category": "other", "pairing": "never", "minutes": 30}, []string{"If-Match", `"0"`}, 412, "stale-version", ""},
		{"no action type", "POST", "/requests", say{"beneficiary": her, "type": someID, "when": say{"kind": "flexible"}}, nil, 404, "no-action-type", "body.type"},
		{"no wish", "POST", "/requests", say{"beneficiary": her, "type": kind, "note": canary}, nil, 422, "invalid", "body"},
		{"day over", "POST", "/requests", wish(say{"kind": "day", "day": "2026-11-01"}), nil, 422, "day-out-of-range", "body.when"},
		{"no day", "POST", "/requests", wish(say{"kind": "day", "day": "2026-02-30"}), nil, 422, "invalid", "body.when.day"},
		{"midnight", "POST", "/requests", wish(say{"kind": "day", "day": tomorrow, "hour": "00:00"}), nil, 422, "hour-out-of-range", "body.when"},
		{"no hour", "POST", "/requests", wish(say{"kind": "day", "day": tomorrow, "hour": canary}), nil, 422, "invalid", "body.when.hour"},
		{"pair needed", "POST", "/requests", say{"beneficiary": her, "type": admin.kind("Visite"), "when": say{"kind": "flexible"}, "seats": 1}, nil, 409, "pair-needed", "body.exception"},
		{"wrong state", "POST", "/requests/" + request + "/publish", nil, nil, 409, "wrong-step", ""},
		{"nobody accepted", "POST", "/requests/" + request + "/finish", say{"done": true, "word": canary}, nil, 409, "not-covered", ""},
		{"who answers", "POST", "/requests/" + request + "/accept", say{"day": tomorrow}, nil, 422, "missing", "body.volunteer"},
		{"nobody is asked", "POST", "/requests/" + request + "/ask", say{"volunteers": []string{}}, nil, 422, "out-of-range", "body.volunteers"},
		{"wrong step", "POST", "/volunteers/" + him + "/step", say{"to": "applicant"}, nil, 409, "wrong-step", ""},
		{"short password", "POST", "/accounts", say{"login": "desk.1", "password": canary, "roles": []string{"agent"}}, nil, 422, "too-short", "body.password"},
		{"login", "POST", "/accounts", say{"login": canary + " é", "password": canary + canary, "roles": []string{"agent"}}, nil, 422, "login-malformed", "body.login"},
		{"login taken", "POST", "/accounts", say{"login": "admin", "password": canary + canary, "roles": []string{"agent"}}, nil, 409, "login-taken", ""},
		{"last administrator", "PUT", "/accounts/" + admin.get("/me").text("account"), say{"roles": []string{"agent"}, "password": canary + canary}, []string{"If-Match", `"1"`}, 409, "last-admin", ""},
		{"call in a year", "POST", "/calls", say{"beneficiary": her, "result": "later", "after": "2027-11-24T09:00:00Z"}, nil, 422, "out-of-range", "body.after"},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := admin.call(c.method, c.path, c.body, c.extra...)
			p := res.problem()
			if res.status != c.status || p.Code != c.code {
				t.Errorf("%d %s, not %d %s: %s", res.status, p.Code, c.status, c.code, res.raw)
			}
			if location := firstLocation(p); location != c.location {
				t.Errorf("at %q, not %q", location, c.location)
			}
			if strings.Contains(strings.ToLower(string(res.raw)), "yxwvut") {
				t.Errorf("what was sent comes back: %s", res.raw)
			}
		})
	}

	wrong := r.anon().call("POST", "/sessions", say{"login": "admin", "password": canary}).want(401)
	if p := wrong.problem(); p.Code != "wrong-sign-in" || strings.Contains(string(wrong.raw), canary) {
		t.Errorf("a wrong password answers %s", wrong.raw)
	}
	if p := volunteer.call("GET", "/volunteers/"+him+"/history", nil).want(403).problem(); p.Code != "forbidden" {
		t.Errorf("wrong role: %s", p.Code)
	}
}

func firstLocation(p problem) string {
	if len(p.Errors) == 0 {
		return ""
	}
	return p.Errors[0].Location
}

// TestTooMany: guessing is slowed down, and told how long.
func TestTooMany(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range 5 {
		r.anon().call("POST", "/sessions", say{"login": "admin", "password": canary}).want(401)
	}
	res := r.anon().call("POST", "/sessions", say{"login": "admin", "password": password}).want(429)
	if wait := res.header.Get("Retry-After"); wait == "" || wait == "0" {
		t.Errorf("Retry-After %q", wait)
	}
}

// TestRepeated: a key names one request, whatever the network does.
func TestRepeated(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	admin := r.signIn("admin")
	body := say{"commune": "33352", "basis": "consent", "last_name": "Laforêt", "phones": []say{{"number": "05 36 49 12 07"}}}
	key := []string{"Idempotency-Key", "a-key-of-a-phone"}
	first := admin.write(201, "POST", "/beneficiaries", body, key...)
	if again := admin.write(201, "POST", "/beneficiaries", body, key...); again != first {
		t.Errorf("the second has another ID")
	}
	if n := len(admin.get("/beneficiaries").items(t)); n != 1 {
		t.Errorf("%d people after two equal requests", n)
	}
	body["note"] = "x"
	if p := admin.call("POST", "/beneficiaries", body, key...).want(409).problem(); p.Code != "key-reused" {
		t.Errorf("code %q", p.Code)
	}
	// A request without a body is told apart by its path.
	kind := admin.kind("Courses")
	draft := func() string {
		return admin.write(201, "POST", "/requests", say{"beneficiary": first, "type": kind, "draft": true, "when": say{"kind": "flexible"}})
	}
	one, two := draft(), draft()
	admin.write(200, "POST", "/requests/"+one+"/publish", nil, "Idempotency-Key", "p")
	admin.write(200, "POST", "/requests/"+one+"/publish", nil, "Idempotency-Key", "p")
	admin.call("POST", "/requests/"+two+"/publish", nil, "Idempotency-Key", "p").want(409)
}

// TestClash: who is expected elsewhere is not promised twice, and it is said
// where.
func TestClash(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	admin := r.signIn("admin")
	her, him := admin.enrol("Laforêt"), admin.approve("Dumas")
	var requests []string
	for i := range 2 {
		requests = append(requests, admin.write(201, "POST", "/requests", say{
			"beneficiary": her, "type": admin.kind("Courses"), "when": say{"kind": "day", "day": tomorrow, "hour": fmt.Sprintf("10:%02d", 10*i)},
		}))
	}
	admin.write(200, "POST", "/requests/"+requests[0]+"/accept", say{"volunteer": him})
	p := admin.call("POST", "/requests/"+requests[1]+"/accept", say{"volunteer": him}).want(409).problem()
	if p.Code != "double-booked" || p.Clash != requests[0] {
		t.Errorf("%+v", p)
	}
}
