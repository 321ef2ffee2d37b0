package consensus

import (
	"context"
	"sync"
)

// rounds lets many who ask the same question at the same time share one answer. A
// round that has begun takes nobody in: what it finds out may be older than the
// question. Safe for concurrent use.
type rounds[T any] struct {
	ask func() (T, error) // the question; one at a time

	mu      sync.Mutex // guards what follows, for a look
	asking  bool
	waiting *round[T] // has not begun
}

type round[T any] struct {
	done   chan struct{} // closed when what follows is written
	answer T
	err    error
}

// join returns what a round found that began after the call, or the context's
// error.
func (r *rounds[T]) join(ctx context.Context) (answer T, err error) {
	mine := r.enter()
	select {
	case <-mine.done:
		return mine.answer, mine.err
	case <-ctx.Done():
		return answer, ctx.Err()
	}
}

func (r *rounds[T]) enter() *round[T] {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting == nil {
		r.waiting = &round[T]{done: make(chan struct{})}
	}
	if !r.asking {
		r.asking = true
		go r.run()
	}
	return r.waiting
}

// run asks until nobody waits.
func (r *rounds[T]) run() {
	for {
		r.mu.Lock()
		now := r.waiting
		r.waiting, r.asking = nil, now != nil
		r.mu.Unlock()
		if now == nil {
			return
		}
		now.answer, now.err = r.ask()
		close(now.done)
	}
}
