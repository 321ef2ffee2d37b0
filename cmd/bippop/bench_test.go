package main

import (
	"testing"
	"time"
)

func TestQuantiles(t *testing.T) {
	var s sample
	for i := range 100 {
		s = append(s, time.Duration(100-i)*time.Millisecond)
	}
	for _, tc := range []struct {
		q    float64
		want time.Duration
	}{{0, 1}, {0.5, 51}, {0.95, 96}, {0.99, 100}, {1, 100}} {
		if got := s.at(tc.q); got != tc.want*time.Millisecond {
			t.Errorf("at(%v) = %v, want %v ms", tc.q, got, int64(tc.want))
		}
	}
	if got := (sample{}).at(0.5); got != 0 {
		t.Errorf("at of nothing = %v, want 0", got)
	}
}

func TestSteal(t *testing.T) {
	if got := (jiffies{steal: 30, total: 300}).stealSince(jiffies{steal: 10, total: 200}); got != 0.2 {
		t.Errorf("stealSince = %v, want 0.2", got)
	}
	if got := (jiffies{}).stealSince(jiffies{}); got != 0 {
		t.Errorf("stealSince where the system does not say = %v, want 0", got)
	}
}

func TestOthers(t *testing.T) {
	before := jiffies{steal: 10, idle: 100, total: 200}
	now := jiffies{steal: 20, idle: 150, total: 400} // 200 went by: 10 stolen, 50 idle, 140 busy
	for _, tc := range []struct {
		own  uint64
		want float64
	}{{140, 0}, {100, 0.2}, {0, 0.7}, {150, 0}} {
		if got := now.othersSince(before, tc.own); got != tc.want {
			t.Errorf("othersSince with %d of our own = %v, want %v", tc.own, got, tc.want)
		}
	}
	if got := (jiffies{}).othersSince(jiffies{}, 5); got != 0 {
		t.Errorf("othersSince where the system does not say = %v, want 0", got)
	}
}

// TestDuel: a figure is the median of the rounds' ratios, not the ratio of medians.
func TestDuel(t *testing.T) {
	d := duel{load: load{what: "write", clients: 64}, others: []float64{0}, paces: map[string][]pace{
		ours:   {{perSecond: 100, p50: 2, p99: 4}, {perSecond: 900, p50: 1, p99: 1}, {perSecond: 300, p50: 1, p99: 6}},
		theirs: {{perSecond: 50, p50: 1, p99: 8}, {perSecond: 100, p50: 2, p99: 2}, {perSecond: 300, p50: 1, p99: 3}},
	}}
	f := d.figures()
	for name, want := range map[string]float64{"ratio": 2, "ratio_min": 1, "ratio_max": 9, "p50_ratio": 1, "p99_ratio": 0.5} {
		if f[name] != want {
			t.Errorf("%s = %v, want %v", name, f[name], want)
		}
	}
	if got := f[ours].(figures)["per_second"]; got != 300.0 {
		t.Errorf("ours per second = %v, want 300", got)
	}
}

func TestFigureName(t *testing.T) {
	for path, want := range map[string]string{
		"/":                                  "home",
		"/people/{person}/edit":              "people_person_edit",
		apiBase + "/requests?state=done":     "api_requests_state_done",
		apiBase + "/me/requests":             "api_me_requests",
		apiBase + "/volunteers/{volunteer}":  "api_volunteers_volunteer",
		apiBase + "/figures?from={a}&to={b}": "api_figures_from_a_to_b",
	} {
		if got := figureName(path); got != want {
			t.Errorf("figureName(%s) = %s, want %s", path, got, want)
		}
	}
}
