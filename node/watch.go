package node

import (
	"context"
	"sync"

	"github.com/bippop/bippop/node/internal/event"
	"github.com/bippop/bippop/node/internal/store"
)

// Moved says that a record reads otherwise since Index. It holds no words: who
// wants to know more reads the record.
type Moved struct {
	Index     uint64
	By        AccountID // who did it; zero: the node itself
	Request   RequestID // one of the two; neither: help across the border
	Volunteer VolunteerID
}

// recentChanges is how many are kept for a screen that connects a little late:
// more than a busy desk makes in a minute.
const recentChanges = 256

// watch hands changes to screens. Lossy is fine: a screen that is slow, or comes
// late, reads the lists anew.
type watch struct {
	mu      sync.Mutex // guards all
	recent  []Moved    // the newest last
	screens map[chan Moved]struct{}
	closed  bool
}

func newWatch() *watch { return &watch{screens: map[chan Moved]struct{}{}} }

// note takes what an entry has changed.
func (w *watch) note(index uint64, events []event.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range events {
		c := Moved{Index: index}
		switch e := e.(type) {
		case event.RequestChanged:
			c.Request, c.By = e.ID, e.By
		case event.VolunteerChanged:
			c.Volunteer, c.By = e.ID, e.By
		case event.OfferChanged:
			c.Volunteer, c.By = e.Volunteer, e.By
		case event.CrossingChanged:
			c.By = e.By
		default:
			continue
		}
		if len(w.recent) == recentChanges {
			w.recent = append(w.recent[:0], w.recent[recentChanges/2:]...)
		}
		w.recent = append(w.recent, c)
		for s := range w.screens {
			select {
			case s <- c:
			default: // a slow screen misses one
			}
		}
	}
}

// close ends every screen's watch.
func (w *watch) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for s := range w.screens {
		close(s)
		delete(w.screens, s)
	}
}

// Watch tells the desk of changes after an index, until ctx ends or the node
// stops; then the channel is closed. Changes may be missed, never invented.
func (n *Node) Watch(ctx context.Context, by Caller, after uint64) (<-chan Moved, error) {
	if err := by.may(HandleRequests); err != nil {
		return nil, err
	}
	w := n.core.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	screen := make(chan Moved, recentChanges)
	if w.closed {
		close(screen)
		return screen, nil
	}
	for _, c := range w.recent {
		if c.Index > after {
			screen <- c
		}
	}
	w.screens[screen] = struct{}{}
	context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if _, there := w.screens[screen]; there {
			delete(w.screens, screen)
			close(screen)
		}
	})
	return screen, nil
}

// Dismiss ends every watch, so that a server can stop without waiting for
// screens. New ones end at once.
func (n *Node) Dismiss() { n.core.watch.close() }

// Concerns reports whether a change is about somebody whom the caller reaches.
func (n *Node) Concerns(by Caller, m Moved) bool {
	if !by.limited() {
		return true
	}
	there := false
	err := n.core.view(by, func(tx *store.Tx) (err error) {
		switch {
		case !m.Request.Zero():
			there, err = inSight(by, tx, store.Requests, m.Request[:])
		case !m.Volunteer.Zero():
			there, err = inSight(by, tx, store.Volunteers, m.Volunteer[:])
		}
		return err
	})
	return err == nil && there
}
