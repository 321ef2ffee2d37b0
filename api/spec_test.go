package api_test

import (
	"context"
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
	if len(all) != 54 {
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
		"POST /sessions", "DELETE /sessions/current", "GET /me", "GET /me/requests", "GET /action-types", "GET /territory", "GET /communes",
	}
	own := map[string]say{ // for volunteers, but not of somebody else
		"GET /volunteers/{id}":           nil,
		"PUT /volunteers/{id}/readiness": {"week": []string{}, "per_week": 0, "radius_km": 0, "absences": []say{}},
		"POST /requests/{id}/accept":     {"volunteer": someID},
		"POST /requests/{id}/refuse":     {"volunteer": someID},
		"POST /requests/{id}/withdraw":   {"volunteer": someID},
		"POST /requests/{id}/told":       {},
		"POST /requests/{id}/finish":     {"done": true},
	}
	admins := []string{
		"POST /action-types", "PUT /action-types/{id}", "GET /exports/beneficiaries", "GET /exports/volunteers", "PUT /territory",
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
}
