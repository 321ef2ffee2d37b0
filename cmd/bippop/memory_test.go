package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestScavenger: memory is given back once per quiet spell, idleAfter the last
// answer, and never while somebody asks.
func TestScavenger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var freed atomic.Int64
		s := newScavenger()
		s.free = func() { freed.Add(1) }
		ctx, stop := context.WithCancel(t.Context())
		go s.run(ctx)
		h := s.watch(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		ask := func() { h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)) }
		check := func(when string, want int64) {
			t.Helper()
			if synctest.Wait(); freed.Load() != want {
				t.Errorf("%s: given back %d times, want %d", when, freed.Load(), want)
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
