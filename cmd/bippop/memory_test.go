package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// TestScavenger: memory is given back once per quiet spell, idleAfter the last
// answer, and never while somebody asks.
func TestScavenger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		freed := 0
		s := newScavenger()
		s.free = func() { freed++ }
		ctx, stop := context.WithCancel(t.Context())
		go s.run(ctx)
		h := s.watch(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		ask := func() { h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)) }
		check := func(when string, want int) {
			t.Helper()
			if synctest.Wait(); freed != want {
				t.Errorf("%s: given back %d times, want %d", when, freed, want)
			}
		}
		time.Sleep(idleAfter + time.Second)
		check("after the start", 1)
		time.Sleep(time.Hour)
		check("while nobody asks", 1)
		for range 60 {
			ask()
			time.Sleep(time.Second)
		}
		check("while somebody asks", 1)
		time.Sleep(idleAfter)
		check("after that", 2)
		stop()
	})
}
