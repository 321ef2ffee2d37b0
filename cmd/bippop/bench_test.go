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
