package consensus

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestRounds: nobody gets an answer to a question that was asked before his, and
// all who wait share one.
func TestRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		r := &rounds[int]{}
		r.ask = func() (int, error) {
			asked++
			n := asked
			time.Sleep(time.Second) // of the bubble's clock
			return n, nil
		}
		var all sync.WaitGroup
		join := func(want int) {
			all.Go(func() {
				if got, err := r.join(t.Context()); got != want || err != nil {
					t.Errorf("got the answer of round %d, %v; want round %d", got, err, want)
				}
			})
			synctest.Wait()
		}
		join(1)
		for range 5 {
			join(2) // the first has begun
		}
		ctx, cancel := context.WithCancel(t.Context())
		all.Go(func() {
			if _, err := r.join(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("who gave up got %v", err)
			}
		})
		synctest.Wait()
		cancel()
		all.Wait()
		join(3)
		all.Wait()
		if asked != 3 {
			t.Errorf("asked %d times, want 3", asked)
		}
	})
}
