package main

import (
	"context"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// A node is mostly idle on a small machine, so its heap is bounded, and given back
// when nobody asks for anything (measured: notes on storage, 3.6).
const (
	memoryLimit = 200 << 20 // soft, bytes: heap of the département profile and room for its garbage
	gcPercent   = 100       // 50 saves 20 MB under load there and doubles p95 of a page
	idleAfter   = 10 * time.Second
)

// limitMemory bounds the heap, unless the operator has said otherwise.
func limitMemory(env func(string) string) {
	if env("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
	if env("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// scavenger gives memory back to the system once nobody has asked for anything
// for idleAfter. Safe for concurrent use.
type scavenger struct {
	last atomic.Int64  // when the last answer was given, Unix nanoseconds
	wake chan struct{} // something was asked since memory was given back
	free func()
}

func newScavenger() *scavenger {
	s := &scavenger{wake: make(chan struct{}, 1), free: debug.FreeOSMemory}
	s.note()
	return s
}

// watch notes the traffic of next.
func (s *scavenger) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer s.note()
		next.ServeHTTP(w, r)
	})
}

func (s *scavenger) note() {
	s.last.Store(time.Now().UnixNano())
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// run works until ctx ends.
func (s *scavenger) run(ctx context.Context) {
	timer := time.NewTimer(idleAfter)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		}
		for {
			quiet := time.Since(time.Unix(0, s.last.Load()))
			if quiet >= idleAfter {
				break
			}
			timer.Reset(idleAfter - quiet)
			select {
			case <-ctx.Done():
				return
			case <-timer.C:
			}
		}
		select { // what was noted up to now is given back with the rest
		case <-s.wake:
		default:
		}
		s.free()
	}
}
