package meter_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bippop/bippop/cmd/bippop/internal/meter"
	"github.com/bippop/bippop/node"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// full is a replica about which everything is known, with words in each place that
// a person may have written.
func full() node.Vitals {
	at := node.Instant(noon.UnixMilli())
	v := node.Vitals{At: noon, Started: noon, Siren: "200044394", Fault: "disk-full", Serving: true, DiskFree: 1 << 30, DiskSize: 2 << 30, LogBytes: 1, DataBytes: 2}
	v.Log.Contact, v.Log.Waiting = noon, 7
	v.Cluster = &node.Cluster{Quorum: 2, Up: 2, Level: 1, Newest: 2}
	for _, name := range []string{"replica-1", "replica-2", "replica-3"} {
		v.Cluster.Replicas = append(v.Cluster.Replicas, node.Replica{ID: node.ReplicaID{1}, Name: name, Peer: "zyxwvut.example:1", URL: "https://zyxwvut.example", State: node.ReplicaMember, Voter: true,
			Alive: name != "replica-3", Heard: noon, Said: node.Said{Lag: 5, Free: 3, Fault: "Zyxwvut", Expires: noon.Add(time.Hour)}})
	}
	v.Cluster.Replicas = append(v.Cluster.Replicas, node.Replica{Name: "replica-4", State: node.ReplicaRemoved})
	v.Federation = &node.FederationVitals{Troubles: []node.FederationTrouble{{Code: node.TroubleClock, Since: at}}}
	v.Erasures = &node.ErasureVitals{Wanted: 1, Pending: 2, Oldest: noon}
	v.Backups = &node.BackupStatus{NewestData: at, Destinations: []node.Destination{
		{Name: "Zyxwvut", Path: "/home/zyxwvut", Keys: true, Fault: "zyxwvut"}, {Name: "Zyxwvut", Recipients: []string{"age1zyxwvut"}}}}
	return v
}

// busy has counted something of everything.
func busy(v node.Vitals, open bool) *meter.Meter {
	m := meter.New("v1", func() (node.Vitals, bool) { return v, open })
	m.Wrote(node.Write{Class: "requests", Outcome: "done", Took: 3 * time.Millisecond})
	m.Wrote(node.Write{Class: "Zyxwvut", Outcome: "+79990001122"})
	m.Letter("mail", true)
	m.Letter("mail", false)
	m.Unsealing("refused")
	h := m.Watch(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(404) }))
	for _, path := range []string{"/people/zyxwvut", "/api/v1/beneficiaries/01a20367-0495-7d06-9200-6111b4112c62?q=Zyxwvut", "/live", "/assets/x/y.css"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
	}
	return m
}

func scrape(t *testing.T, m *meter.Meter) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("a scrape answers %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestMetrics(t *testing.T) {
	text := scrape(t, busy(full(), true))
	for _, want := range []string{
		"bippop_sealed 0", "bippop_ready 0", `bippop_fault{code="disk-full"} 1`, "bippop_voters 3", "bippop_voters_up 2", "bippop_quorum_voters 2", `bippop_replicas{state="removed"} 1`,
		`bippop_replica_up{replica="replica-3"} 0`, `bippop_replica_lag_entries{replica="replica-2"} 5`, `bippop_replica_certificate_expiry_timestamp_seconds{replica="replica-1"} 1.7778996e+09`,
		`bippop_backup_last_success_timestamp_seconds{kind="data"} 1.777896e+09`, `bippop_backup_last_success_timestamp_seconds{kind="keys"} 0`, "bippop_backup_key_destinations_stale 1",
		`bippop_federation_trouble{code="clock-off"} 1`, `bippop_federation_trouble{code="feed-frozen"} 0`, "bippop_erasures_pending 2", "bippop_erasure_oldest_timestamp_seconds 1.777896e+09", "bippop_raft_queue_commands 7", "bippop_disk_free_bytes 1.073741824e+09", "bippop_log_size_bytes 1",
		`bippop_writes_total{class="requests",outcome="done"} 1`, `bippop_writes_total{class="imports",outcome="done"} 0`, `bippop_write_duration_seconds_bucket{class="requests",le="0.005"} 1`,
		`bippop_http_requests_total{class="api-read",status="4xx"} 1`, `bippop_http_requests_total{class="live",status="4xx"} 1`, "go_memstats_heap_inuse_bytes ",
	} {
		if !strings.Contains(text, "\n"+want) {
			t.Errorf("no line %s", want)
		}
	}
	if strings.Contains(text, `bippop_replica_up{replica="replica-4"}`) {
		t.Error("a removed replica is counted as down")
	}
	if strings.Contains(text, `bippop_http_request_duration_seconds_count{class="live"}`) {
		t.Error("a live page, open for hours, counts as a slow answer")
	}
}

// TestMetricsSealed: nothing is claimed of a replica that cannot look.
func TestMetricsSealed(t *testing.T) {
	text := scrape(t, busy(full(), false))
	if !strings.Contains(text, "\nbippop_sealed 1\n") || strings.Contains(text, "bippop_ready") || strings.Contains(text, "bippop_replica_up") {
		t.Errorf("sealed:\n%s", text)
	}
}

// TestMetricsSayNothing: no word, ID, path or address of anybody.
func TestMetricsSayNothing(t *testing.T) {
	text := strings.ToLower(scrape(t, busy(full(), true)))
	for _, canary := range []string{"zyxwvut", "79990001122", "01a20367", "/people", "200044394", "0100000000"} {
		if strings.Contains(text, canary) {
			t.Errorf("the metrics hold %s", canary)
		}
	}
	labels := regexp.MustCompile(`[{,]([a-z_]+)="([^"]*)"`)
	for _, l := range labels.FindAllStringSubmatch(text, -1) {
		switch l[1] {
		case "class", "outcome", "status", "state", "replica", "kind", "code", "channel", "le", "quantile", "version":
		default:
			t.Errorf("a label %s=%q that nobody has thought about", l[1], l[2])
		}
	}
}

func TestMetricsConventions(t *testing.T) {
	families, err := meter.Registry(busy(full(), true)).Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "bippop_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// TestDeploy: the board and the alert rules name metrics that there are, and each
// label value that they pick is one that there may be.
func TestDeploy(t *testing.T) {
	there := scrape(t, busy(full(), true))
	names := regexp.MustCompile(`\b(?:bippop|go|process)_[a-z_]+`)
	for _, file := range []string{"alerts.yml", "grafana.json"} {
		b, err := os.ReadFile("../../../../deploy/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, ".json") && !json.Valid(b) {
			t.Errorf("%s is not JSON", file)
		}
		found := names.FindAllString(string(b), -1)
		if len(found) < 20 {
			t.Errorf("%s names %d metrics: is it read right?", file, len(found))
		}
		for _, name := range found {
			if !strings.Contains(there, "\n"+name+" ") && !strings.Contains(there, "\n"+name+"{") {
				t.Errorf("%s: there is no metric %s", file, name)
			}
		}
	}
}
