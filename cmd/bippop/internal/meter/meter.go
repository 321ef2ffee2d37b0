// Package meter is what Prometheus reads of a replica: one list of gauges over
// [node.Vitals], and counters and histograms of what is done. Labels come from
// closed sets of ours and from the names of machines; no ID, no commune, no login
// and no path ever is one.
package meter

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/bippop/bippop/node"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// latencies are upper bounds in seconds: a write of one machine takes about 1 ms, a
// page may take 50, and an import seconds.
var latencies = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// Meter counts. Safe for concurrent use.
type Meter struct {
	registry *prometheus.Registry
	writes   *prometheus.CounterVec
	writing  *prometheus.HistogramVec
	answers  *prometheus.CounterVec
	asking   *prometheus.HistogramVec
	unseals  *prometheus.CounterVec
	letters  *prometheus.CounterVec
}

// Source is asked at each scrape. ok is false while the replica is sealed.
type Source func() (v node.Vitals, ok bool)

// New makes a meter of its own registry. version is of the program.
func New(version string, source Source) *Meter {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	histogram := func(name, help string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: latencies}, []string{"class"})
	}
	m := &Meter{
		registry: prometheus.NewRegistry(),
		writes:   counter("bippop_writes_total", "Writes proposed by this replica, by what they are about and how they ended.", "class", "outcome"),
		writing:  histogram("bippop_write_duration_seconds", "From proposing a write to its being applied here."),
		answers:  counter("bippop_http_requests_total", "Answers given over HTTP, by what was asked for and the hundred of the status.", "class", "status"),
		asking:   histogram("bippop_http_request_duration_seconds", "How long answers over HTTP took, but for live pages."),
		unseals:  counter("bippop_unseal_attempts_total", "Tries to unseal this replica by hand.", "outcome"),
		letters:  counter("bippop_alarm_letters_total", "Tries to bring a letter to the operator.", "channel", "outcome"),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "bippop_build_info", Help: "1; the program's version.", ConstLabels: prometheus.Labels{"version": version}})
	build.Set(1)
	m.registry.MustRegister(m.writes, m.writing, m.answers, m.asking, m.unseals, m.letters, build, gauges{source},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, class := range node.WriteClasses { // so that a rate begins at zero
		for _, outcome := range node.WriteOutcomes {
			m.writes.WithLabelValues(class, outcome)
		}
		m.writing.WithLabelValues(class)
	}
	for _, outcome := range []string{"accepted", "refused", "throttled"} {
		m.unseals.WithLabelValues(outcome)
	}
	return m
}

// Handler answers scrapes.
func (m *Meter) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Wrote counts a write, see [node.Config].
func (m *Meter) Wrote(w node.Write) {
	class := known(w.Class, node.WriteClasses)
	m.writes.WithLabelValues(class, known(w.Outcome, node.WriteOutcomes)).Inc()
	m.writing.WithLabelValues(class).Observe(w.Took.Seconds())
}

// Unsealing counts a try: accepted, refused or throttled.
func (m *Meter) Unsealing(outcome string) { m.unseals.WithLabelValues(outcome).Inc() }

// Letter counts a try to bring one.
func (m *Meter) Letter(channel string, arrived bool) {
	outcome := "failed"
	if arrived {
		outcome = "arrived"
	}
	m.letters.WithLabelValues(channel, outcome).Inc()
}

func known(word string, words []string) string {
	if slices.Contains(words, word) {
		return word
	}
	return "other"
}

// Watch counts and times the answers of next.
func (m *Meter) Watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, seen := time.Now(), &witness{ResponseWriter: w}
		class := classOf(r)
		defer func() {
			m.answers.WithLabelValues(class, seen.hundred()).Inc()
			if class != "live" {
				m.asking.WithLabelValues(class).Observe(time.Since(from).Seconds())
			}
		}()
		next.ServeHTTP(seen, r)
	})
}

// classOf sorts a request coarsely. Nothing of the path is repeated.
func classOf(r *http.Request) string {
	path := r.URL.Path
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case strings.HasPrefix(path, "/assets/"), path == "/sw.js", path == "/favicon.ico":
		return "asset"
	case path == "/healthz", path == "/readyz":
		return "health"
	case strings.HasSuffix(path, "/live"), strings.HasSuffix(path, "/events"):
		return "live"
	case strings.HasPrefix(path, "/api/") && read:
		return "api-read"
	case strings.HasPrefix(path, "/api/"):
		return "api-write"
	case read:
		return "page-read"
	}
	return "page-write"
}

// witness sees the status that passes.
type witness struct {
	http.ResponseWriter
	status int
}

func (w *witness) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for [http.ResponseController].
func (w *witness) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush is for live pages.
func (w *witness) Flush() { http.NewResponseController(w.ResponseWriter).Flush() }

func (w *witness) hundred() string {
	if w.status == 0 {
		return "2xx"
	}
	return string('0'+rune(w.status/100%10)) + "xx"
}
