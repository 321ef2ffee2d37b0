package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bippop/bippop/api"
	"github.com/bippop/bippop/node"
	"github.com/getkin/kin-openapi/openapi3"
)

// TestBadOrders: an order about machines, erasures or backups that does not fit
// its form reaches nobody.
func TestBadOrders(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	admin := r.signIn("admin")
	for _, c := range []struct {
		name, method, path string
		body               any
		status             int
		code, location     string
	}{
		{"token for no time", "POST", "/replicas/invitations", say{"minutes": 0}, 422, "invalid", "body.minutes"},
		{"token for two days", "POST", "/replicas/invitations", say{"minutes": 2880}, 422, "invalid", "body.minutes"},
		{"token in words", "POST", "/replicas/invitations", say{"minutes": canary}, 400, "malformed", "body.minutes"},
		{"no such form of name", "POST", "/replicas/" + canary + "/remove", nil, 400, "malformed", "path.id"},
		{"destroyed without saying how", "POST", "/replicas/" + someID + "/destroyed", say{}, 422, "invalid", "body"},
		{"destroyed at length", "POST", "/replicas/" + someID + "/destroyed", say{"how": strings.Repeat(canary, 50)}, 422, "invalid", "body.how"},
		{"erases an unknown kind", "POST", "/erasures", say{"kind": canary, "id": someID}, 422, "invalid", "body.kind"},
		{"erases nobody", "POST", "/erasures", say{"kind": "beneficiary"}, 422, "invalid", "body"},
		{"erases no ID", "POST", "/erasures", say{"kind": "beneficiary", "id": canary}, 422, "invalid", "body.id"},
		{"erases more", "POST", "/erasures", say{"kind": "beneficiary", "id": someID, canary: true}, 400, "malformed", "body"},
		{"cursor of erasures", "GET", "/erasures?cursor=" + canary, nil, 400, "malformed", "query.cursor"},
		{"certificate of a name", "GET", "/erasures/" + canary, nil, 400, "malformed", "path.id"},
		{"backup for nobody", "GET", "/backups/data", nil, 400, "malformed", "query.recipient"},
		{"place without a name", "POST", "/backups", say{"kind": "folder", "recipients": []string{"age1x"}}, 422, "invalid", "body"},
		{"place of no kind", "POST", "/backups", say{"name": "x", "kind": canary, "recipients": []string{"age1x"}}, 422, "invalid", "body.kind"},
		{"place without recipients", "POST", "/backups", say{"name": "x", "kind": "folder"}, 422, "invalid", "body"},
		{"every month", "POST", "/backups", say{"name": "x", "kind": "folder", "recipients": []string{"age1x"}, "every_hours": 720}, 422, "invalid", "body.every_hours"},
		{"cleared perhaps", "POST", "/backups/" + someID + "/drop", say{"cleared": canary}, 400, "malformed", "body.cleared"},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := admin.call(c.method, c.path, c.body)
			p := res.problem()
			if res.status != c.status || p.Code != c.code || firstLocation(p) != c.location {
				t.Errorf("%d %s at %q, not %d %s at %q: %s", res.status, p.Code, firstLocation(p), c.status, c.code, c.location, res.raw)
			}
			if strings.Contains(string(res.raw), canary) {
				t.Errorf("what was sent comes back: %s", res.raw)
			}
		})
	}
}

// TestStream: what breaks before the first byte is a problem like any other; what
// breaks after it cannot be taken for a whole file.
func TestStream(t *testing.T) {
	t.Parallel()
	refusal := &node.Error{Kind: node.Unavailable, Code: "no-leader", Reason: "try again"}
	for _, c := range []struct {
		name   string
		write  func(io.Writer) error
		status int
		body   string
		broken bool
	}{
		{"whole", func(w io.Writer) error { _, err := io.WriteString(w, "file"); return err }, 200, "file", false},
		{"empty", func(io.Writer) error { return nil }, 200, "", false},
		{"refused", func(io.Writer) error { return refusal }, 503, `"code":"no-leader"`, false},
		{"broken off", func(w io.Writer) error {
			w.Write(bytes.Repeat([]byte("x"), 1<<16))
			return errors.New("disk")
		}, 200, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			log := &safeBuffer{}
			server := httptest.NewServer(api.Streaming(node.NewLogger(log, slog.LevelInfo), c.write))
			defer server.Close()
			res, err := http.Get(server.URL + "/stream")
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if (err != nil) != c.broken || res.StatusCode != c.status || !strings.Contains(string(body), c.body) {
				t.Errorf("%d, %v: %.200q", res.StatusCode, err, body)
			}
			if res.StatusCode == 503 && (res.Header.Get("Retry-After") == "" || res.Header.Get("Content-Type") != "application/problem+json") {
				t.Errorf("not a problem: %v", res.Header)
			}
			if c.broken != strings.Contains(log.String(), "broke off") {
				t.Errorf("log: %s", log)
			}
		})
	}
}

// TestAnswersOfMachines: what the node says of machines, erasures and backups
// fits the description, and what it does not know is left out rather than zero.
func TestAnswersOfMachines(t *testing.T) {
	t.Parallel()
	spec := newRig(t).spec
	id := func(n byte) (id [16]byte) { id = [16]byte{1, 144, 166, 242, 124, 0, 112, 0, 128, 15: n}; return id }
	when := node.Instant(now.UnixMilli())
	erasure := node.Erasure{
		ID: id(1), At: when, By: []node.AccountID{id(2)}, Who: []node.ErasedRecord{{Kind: node.ErasableVolunteer, ID: id(3)}}, From: "ab", To: "cd",
		Holders: []node.Holder{{Replica: id(4), Name: "replica-1", Gone: when}, {Replica: id(5), Name: "replica-2"}},
		Backups: []node.BackupWait{{Destination: id(6), Name: "safe"}},
	}
	for _, c := range []struct {
		schema  string
		value   any
		has, no []string
	}{
		{"Cluster", api.ClusterOut(node.Cluster{
			Replicas: []node.Replica{
				{ID: id(1), Name: "replica-1", State: node.ReplicaMember, Heard: now, Alive: true, Said: node.Said{Free: 5, Expires: now.Add(time.Hour)}},
				{ID: id(2), Name: "replica-2", State: node.ReplicaRemoved},
			},
			Quorum: 1, Up: 1, Releases: []node.Release{{Replica: id(1), At: when, Waiting: true, Why: "absent-too-long"}},
		}), []string{`"state":"removed"`, `"waiting":true`, `"heard_at":"2026-11-24T09:00:00Z"`}, []string{"0001-01-01", `"leader":""`, `"by"`}},
		{"Cluster", api.ClusterOut(node.Cluster{}), []string{`"items":[]`, `"releases":[]`}, nil},
		{"Erasure", api.ErasureOut(erasure), []string{`"kind":"volunteer"`, `"name":"replica-2"}`, `"name":"safe"}`}, []string{"certified_at", "0001-01-01"}},
		{"Certificate", api.CertificateOut(node.Certificate{Erasure: erasure, Territory: node.Territory{Siren: "200044394"}, Limits: []string{"one-replica"}, Day: node.DayOf(now)}),
			[]string{`"territory":"200044394"`, `"limits":["one-replica"]`, `"clear_day":"2026-11-24"`}, []string{"certified_at"}},
		{"Destination", api.DestinationOut(node.Destination{ID: id(6), Name: "safe", Kind: node.ManualDestination, Keys: true}),
			[]string{`"every_hours":24`, `"recipients":[]`}, []string{"last_at", `"replica"`}},
	} {
		text, err := json.Marshal(c.value)
		if err != nil {
			t.Fatal(err)
		}
		fits(t, spec, c.schema, text)
		for _, want := range c.has {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s lacks %s: %s", c.schema, want, text)
			}
		}
		for _, no := range c.no {
			if strings.Contains(string(text), no) {
				t.Errorf("%s has %s: %s", c.schema, no, text)
			}
		}
	}
}

func fits(t *testing.T, spec *openapi3.T, schema string, text []byte) {
	t.Helper()
	ref := spec.Components.Schemas[schema]
	if ref == nil {
		t.Fatalf("no schema %s", schema)
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	if err := ref.Value.VisitJSON(value, openapi3.MultiErrors()); err != nil {
		t.Errorf("%s does not fit its schema: %v\n%s", schema, err, text)
	}
}
