package api_test

import (
	"slices"
	"strings"
	"testing"
)

// FuzzBody sends any bytes to any operation that takes a body: the answer is as
// described, and never a fault of ours.
func FuzzBody(f *testing.F) {
	r := newRig(f)
	admin := r.signIn("admin")
	her, him := admin.enrol("Laforêt"), admin.approve("Dumas")
	kind := admin.kind("Courses")
	request := admin.write(201, "POST", "/requests", say{"beneficiary": her, "type": kind, "when": say{"kind": "flexible"}})
	again := admin.write(201, "POST", "/series", say{"beneficiary": her, "type": kind, "rule": say{"rhythm": "weekly", "weekday": "friday", "hour": "10:00"}})
	ids := map[string]string{"across": someID, "series": again, "beneficiaries": her, "volunteers": him, "requests": request, "action-types": kind, "accounts": someID, "imports": someID, "offers": someID, "bonds": someID,
		"replicas": someID, "erasures": someID, "backups": someID}
	var targets []string
	for name, op := range operations(r.spec) {
		if op.RequestBody != nil {
			targets = append(targets, name)
		}
	}
	slices.Sort(targets)
	f.Add(uint8(0), `{"name":"Thé","category":"outing","pairing":"never","minutes":120}`)
	f.Add(uint8(slices.Index(targets, "POST /requests")), `{"beneficiary":"`+her+`","type":"`+kind+`","when":{"kind":"day","day":"2026-11-25","hour":"10:00"},"ask":["`+him+`"]}`)
	f.Add(uint8(slices.Index(targets, "POST /calls")), `{"beneficiary":"`+her+`","result":"told","heard":[{"request":"`+request+`","version":1,"no_more":true}]}`)
	f.Add(uint8(slices.Index(targets, "PUT /volunteers/{id}/readiness")), `{"week":["monday-morning"],"per_week":1,"radius_km":5,"absences":[{"from":"2026-12-24","to":"2027-01-02"}]}`)
	f.Add(uint8(slices.Index(targets, "PUT /territory")), `{"name":"x","calls":"y","communes":["33352","33183"],"phone":"0536490000"}`)
	f.Add(uint8(slices.Index(targets, "PUT /series/{id}")), `{"rule":{"rhythm":"monthly","weekday":"sunday","nth":5,"half":"morning"},"until":"2027-01-01","volunteers":["`+him+`"],"agreed":true}`)
	for i := range targets {
		for _, body := range []string{`{}`, `null`, `[]`, `"x"`, `{"a":{"a":1e400}}`, "{\"note\":\"\xff\"}", `{"phones":[{"number":null}]}`} {
			f.Add(uint8(i), body)
		}
	}
	f.Fuzz(func(t *testing.T, target uint8, body string) {
		name := targets[int(target)%len(targets)]
		method, path, _ := strings.Cut(name, " ")
		path = strings.ReplaceAll(path, "{id}", ids[strings.Split(path, "/")[1]])
		res := user{&rig{t: t, server: r.server, client: r.client}, admin.token}.call(method, path, body, "If-Match", `"1"`)
		if res.status >= 500 {
			t.Errorf("%s with %q: %d %s", name, body, res.status, res.raw)
		}
	})
}
