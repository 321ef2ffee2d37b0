package api_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// someID names nothing.
const someID = "0190a6f2-7c00-7000-8000-000000000000"

// operations are all that the description has: "POST /sessions".
func operations(spec *openapi3.T) map[string]*openapi3.Operation {
	all := map[string]*openapi3.Operation{}
	for path, item := range spec.Paths.Map() {
		for method, op := range item.Operations() {
			all[method+" "+path] = op
		}
	}
	return all
}

func split(name string) (method, path string) {
	method, path, _ = strings.Cut(name, " ")
	return method, strings.ReplaceAll(path, "{id}", someID)
}

func TestDescription(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if r.spec.OpenAPI != "3.1.0" {
		t.Errorf("OpenAPI %s", r.spec.OpenAPI)
	}
	if err := r.spec.Validate(context.Background()); err != nil {
		t.Error(err)
	}
	all := operations(r.spec)
	if len(all) != 148 {
		t.Errorf("%d operations", len(all))
	}
	ids := map[string]string{}
	for name, op := range all {
		if twin := ids[op.OperationID]; twin != "" || op.OperationID == "" {
			t.Errorf("%s and %q share the name %q", name, twin, op.OperationID)
		}
		ids[op.OperationID] = name
	}
}

// TestAnonymous: every operation is there, and for nobody who has not signed in.
func TestAnonymous(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, name := range slices.Sorted(maps.Keys(operations(r.spec))) {
		if name == "POST /sessions" {
			continue
		}
		method, path := split(name)
		for _, extra := range [][]string{nil, {"Authorization", "Bearer Zyxwvut"}, {"Authorization", "Basic Zyxwvut"}, {"Cookie", "bippop=Zyxwvut"}} {
			res := r.anon().call(method, path, `{"Zyxwvut": 1}`, extra...)
			if res.status != 401 || res.header.Get("WWW-Authenticate") != "Bearer" || strings.Contains(string(res.raw), "Zyxwvut") {
				t.Errorf("%s with %v: %d %s", name, extra, res.status, res.raw)
			}
		}
	}
}

// TestRoles: what is not for volunteers refuses them, whatever they send, and
// what is not for agents refuses those.
func TestRoles(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	admin := r.signIn("admin")
	admin.account("dumas", admin.approve("Dumas"))
	admin.write(201, "POST", "/accounts", say{"login": "desk.1", "password": password, "roles": []string{"agent"}})
	volunteer, agent := r.signIn("dumas"), r.signIn("desk.1")
	theirs := []string{
		"POST /sessions", "DELETE /sessions/current", "POST /sessions/current/role", "GET /me", "GET /me/requests", "GET /me/offers", "GET /me/across", "GET /action-types", "GET /territory", "GET /communes",
	}
	own := map[string]say{ // for volunteers, but not of somebody else
		"GET /volunteers/{id}":            nil,
		"PUT /volunteers/{id}/readiness":  {"week": []string{}, "per_week": 0, "radius_km": 0, "absences": []say{}},
		"POST /requests/{id}/accept":      {"volunteer": someID},
		"POST /requests/{id}/refuse":      {"volunteer": someID},
		"POST /requests/{id}/withdraw":    {"volunteer": someID},
		"POST /requests/{id}/told":        {},
		"POST /requests/{id}/finish":      {"done": true},
		"POST /offers":                    {"volunteer": someID, "types": []string{someID}, "day": tomorrow, "places": 1},
		"POST /requests/{id}/thanks-seen": {"volunteer": someID},

		"POST /across/offers/{id}/consent": {"volunteer": someID, "agrees": true},
		"POST /across/offers/{id}/told":    {"interest": "200069599.1.12", "volunteer": someID},
	}
	admins := []string{
		"POST /action-types", "PUT /action-types/{id}", "GET /exports/beneficiaries", "GET /exports/volunteers", "PUT /territory",
	}
	for name := range operations(r.spec) {
		for _, begin := range []string{"/replicas", "/keys/", "/erasures", "/backups"} {
			if _, path, _ := strings.Cut(name, " "); strings.HasPrefix(path, begin) {
				admins = append(admins, name)
			}
		}
	}
	for name := range operations(r.spec) {
		method, path := split(name)
		body := own[name]
		if slices.Contains(theirs, name) {
			continue
		}
		if res := volunteer.call(method, path, body, "If-Match", `"1"`); res.status != 403 && res.status != 404 {
			t.Errorf("%s lets a volunteer: %d %s", name, res.status, res.raw)
		}
		if slices.Contains(admins, name) {
			agent.call(method, path, body, "If-Match", `"1"`).want(403)
		}
	}
	agent.call("POST", "/accounts", say{"login": "desk.2", "password": password, "roles": []string{"agent"}}).want(403)
	agent.call("GET", "/me/requests", nil).want(403)
	for _, path := range []string{"/nation", "/nation/coverage", "/nation/export", "/nation/territories/200044394"} {
		admin.call("GET", path, nil).want(403)
	}
	admin.call("POST", "/bulletins", say{"title": "x", "text": "y"}).want(403)
}

// TestElected: an official reads figures, and nothing about anybody: every
// operation that there is refuses, but for those of this list.
func TestElected(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	admin := r.signIn("admin")
	admin.write(201, "POST", "/accounts", say{"login": "elu1", "password": password, "roles": []string{"official"}})
	admin.call("POST", "/accounts", say{"login": "elu2", "password": password, "roles": []string{"official", "agent"}}).want(422)
	her, him := admin.enrol("Laforêt"), admin.approve("Dumas")
	for day := range 7 {
		admin.write(201, "POST", "/past-actions", say{
			"beneficiary": her, "type": admin.kind("Courses"), "day": fmt.Sprintf("2026-11-%02d", 10+day), "volunteers": []string{him},
		})
	}
	elected := r.signIn("elu1")
	elected.get("/me").is(t, "roles.0", "official")
	open := []string{
		"POST /sessions", "DELETE /sessions/current", "POST /sessions/current/role", "GET /me", "GET /action-types", "GET /territory", "GET /communes", "GET /figures",
		"GET /ledger", "GET /ledger/{epoch}/{seq}", "GET /ledger/connections", "GET /federation", "GET /federation/roster", "GET /federation/roster/file",
		"GET /bulletins", "GET /bulletins/{number}", "GET /bulletins/{number}/pdf",
	}
	bodies := map[string]say{ // what is bound before the service looks who asks
		"PUT /volunteers/{id}/readiness": {"week": []string{}, "per_week": 0, "radius_km": 0, "absences": []say{}},
		"POST /requests/{id}/accept":     {"volunteer": someID},
		"POST /requests/{id}/refuse":     {"volunteer": someID},
		"POST /requests/{id}/withdraw":   {"volunteer": someID},
		"POST /requests/{id}/told":       {},
		"POST /requests/{id}/finish":     {"done": true},
	}
	for name := range operations(r.spec) {
		if slices.Contains(open, name) {
			continue
		}
		method, path := split(name)
		for _, id := range []string{someID, him, her} {
			res := elected.call(method, strings.ReplaceAll(path, someID, id), bodies[name], "If-Match", `"1"`)
			nobody := res.status == 404 && strings.HasPrefix(path, "/requests/") // there is no such request
			if res.status != 403 && !nobody || strings.Contains(string(res.raw), "Laforêt") {
				t.Errorf("%s lets an official: %d %s", name, res.status, res.raw)
			}
		}
	}
	some := elected.get("/figures?from=2026-01&to=2026-12")
	some.is(t, "hidden", true)
	for _, path := range []string{"total.done", "by_category.shopping.done", "by_commune.33352.done", "by_sex.woman.done", "mobility", "total.minutes"} {
		some.is(t, path, nil)
	}
	if strings.Contains(string(some.raw), ":7,") || strings.Contains(string(some.raw), ":7}") {
		t.Errorf("tells seven: %s", some.raw)
	}
	all := admin.get("/figures?from=2026-01&to=2026-12&commune=33352")
	all.is(t, "hidden", false)
	all.is(t, "total.done", 7)
	all.is(t, "mobility", 7)
	all.is(t, "communes.0", "33352")
	elected.call("GET", "/figures?from=2026-01&to=2026-11", nil).want(422)
	elected.call("GET", "/figures?from=2026-01&to=2026-12&commune=75056", nil).want(422)
}

// TestAuditor: the data protection officer reads what has left and by which ways, and
// nothing about anybody: every operation that there is refuses, but for those of this
// list.
func TestAuditor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	admin := r.signIn("admin")
	admin.write(201, "POST", "/accounts", say{"login": "dpo1", "password": password, "roles": []string{"dpo"}})
	admin.call("POST", "/accounts", say{"login": "dpo2", "password": password, "roles": []string{"dpo", "agent"}}).want(422)
	her, him := admin.enrol("Laforêt"), admin.approve("Dumas")
	auditor := r.signIn("dpo1")
	auditor.get("/me").is(t, "roles.0", "dpo")
	auditor.get("/ledger").is(t, "next", "")
	auditor.get("/federation").is(t, "next", "join")
	auditor.get("/ledger/connections").is(t, "items.0.name", "replicas")
	open := []string{
		"POST /sessions", "DELETE /sessions/current", "POST /sessions/current/role", "GET /me", "GET /action-types", "GET /territory", "GET /communes",
		"GET /ledger", "GET /ledger/{epoch}/{seq}", "GET /ledger/connections", "GET /federation", "GET /federation/roster", "GET /federation/roster/file",
		"GET /bulletins", "GET /bulletins/{number}", "GET /bulletins/{number}/pdf",
	}
	bodies := map[string]say{ // what is bound before the service looks who asks
		"PUT /volunteers/{id}/readiness": {"week": []string{}, "per_week": 0, "radius_km": 0, "absences": []say{}},
		"POST /requests/{id}/accept":     {"volunteer": someID},
		"POST /requests/{id}/refuse":     {"volunteer": someID},
		"POST /requests/{id}/withdraw":   {"volunteer": someID},
		"POST /requests/{id}/told":       {},
		"POST /requests/{id}/finish":     {"done": true},
	}
	for name := range operations(r.spec) {
		if slices.Contains(open, name) {
			continue
		}
		method, path := split(name)
		for _, id := range []string{someID, him, her} {
			res := auditor.call(method, strings.ReplaceAll(path, someID, id), bodies[name], "If-Match", `"1"`)
			nobody := res.status == 404 && strings.HasPrefix(path, "/requests/") // there is no such request
			if res.status != 403 && !nobody || strings.Contains(string(res.raw), "Laforêt") {
				t.Errorf("%s lets a data protection officer: %d %s", name, res.status, res.raw)
			}
		}
	}
}
