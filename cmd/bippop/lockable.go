package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// lockState is where a lockable is. The words are the admin listener's.
type lockState string

const (
	stateSealed  lockState = "sealed"  // no key in memory
	stateOpening lockState = "opening" // the vault is open, the node comes up
	stateOpen    lockState = "open"    // the node answers
	stateClosed  lockState = "closed"  // the process ends
)

var (
	errNotSealed = errors.New("this replica is not sealed")
	errClosing   = errors.New("this replica is being stopped")
)

// running is an open node, as the lock sees it.
type running struct {
	handler http.Handler
	vitals  func() node.Vitals
	ready   func() error // why it does not read and write, or nil
	dismiss func()       // ends live pages
	close   func() error

	gate  sync.RWMutex // read-held by each answer under way; closing takes it whole
	hurry context.Context
	rush  context.CancelFunc
}

// lockable answers with a node while it is open, and with a page that says so while
// it is sealed. Keys are in memory from opening to sealed, no longer. Safe for
// concurrent use.
//
//	sealed ──unseal──▶ opening ──▶ open
//	  ▲                   │          │
//	  └────── fault ──────┴── seal ──┘
type lockable struct {
	shut     http.Handler // answers while sealed
	starting http.Handler // answers while opening; nil: as sealed
	// try returns why u does not open the vault, or nil.
	try func(u crypto.Unsealer) error
	// open brings the node up. It may take as long as the other replicas are away.
	open func(ctx context.Context, u crypto.Unsealer) (*running, error)
	// failed is told when opening failed. May be nil.
	failed func(error)
	logger *slog.Logger

	answers atomic.Pointer[running] // nil: shut answers

	turn   sync.Mutex // held by unseal and seal, one at a time, as long as they take
	mu     sync.Mutex // guards what follows, for a look
	state  lockState
	since  time.Time
	fault  string        // why the last opening failed
	opened chan struct{} // closed when opening has ended
	cancel context.CancelFunc
}

// newLockable is sealed.
func newLockable(k *lockable) *lockable {
	k.state, k.since = stateSealed, time.Now()
	return k
}

// ServeHTTP answers with the node if it is open.
func (k *lockable) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := k.answers.Load()
	if n == nil || !n.gate.TryRLock() {
		k.closedDoor().ServeHTTP(w, r)
		return
	}
	defer n.gate.RUnlock()
	ctx, done := context.WithCancel(r.Context())
	defer done()
	defer context.AfterFunc(n.hurry, done)()
	n.handler.ServeHTTP(w, r.WithContext(ctx))
}

// closedDoor answers while no node does.
func (k *lockable) closedDoor() http.Handler {
	if state, _, _ := k.at(); state == stateOpening && k.starting != nil {
		return k.starting
	}
	return k.shut
}

// at says where the lock is, since when, and why the last opening failed.
func (k *lockable) at() (lockState, time.Time, string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state, k.since, k.fault
}

// enter notes where the lock is now.
func (k *lockable) enter(to lockState, fault string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.state, k.since, k.fault = to, time.Now(), fault
}

// unseal returns once the vault is known to open, and why it does not otherwise.
// The node comes up afterwards; [lockable.at] tells.
func (k *lockable) unseal(u crypto.Unsealer) error {
	k.turn.Lock()
	defer k.turn.Unlock()
	switch state, _, _ := k.at(); state {
	case stateSealed:
	case stateClosed:
		return errClosing
	default:
		return errNotSealed
	}
	if err := k.try(u); err != nil {
		return err
	}
	k.begin(u)
	return nil
}

// begin is the rest of unseal: for a start, when nobody else can have a turn.
func (k *lockable) begin(u crypto.Unsealer) {
	ctx, cancel := context.WithCancel(context.Background())
	opened := make(chan struct{})
	k.mu.Lock()
	k.cancel, k.opened = cancel, opened
	k.mu.Unlock()
	k.enter(stateOpening, "")
	go func() {
		defer close(opened)
		k.bring(ctx, u)
	}()
}

// bring opens the node and lets it answer.
func (k *lockable) bring(ctx context.Context, u crypto.Unsealer) {
	n, err := k.open(ctx, u)
	if err == nil && ctx.Err() != nil {
		err = errors.Join(ctx.Err(), n.close())
	}
	if err != nil {
		k.enter(stateSealed, err.Error())
		if ctx.Err() == nil {
			k.logger.Error("opening failed; sealed again", slog.String("error", err.Error()))
			if k.failed != nil {
				k.failed(err)
			}
		}
		return
	}
	n.hurry, n.rush = context.WithCancel(context.Background())
	k.answers.Store(n)
	k.enter(stateOpen, "")
}

// seal closes the node, lets go of its keys, and returns when that is done. Answers
// under way may finish for grace.
func (k *lockable) seal() error {
	k.turn.Lock()
	defer k.turn.Unlock()
	return k.sealTo(stateSealed)
}

func (k *lockable) sealTo(to lockState) error {
	k.mu.Lock()
	cancel, opened := k.cancel, k.opened
	k.cancel, k.opened = nil, nil
	k.mu.Unlock()
	if opened == nil {
		if to == stateClosed {
			k.enter(to, "")
		}
		return nil
	}
	select {
	case <-opened:
	default:
		cancel()
		<-opened
	}
	cancel()
	var err error
	if n := k.answers.Swap(nil); n != nil {
		n.dismiss()
		slow := time.AfterFunc(grace, n.rush)
		n.gate.Lock()
		slow.Stop()
		n.rush()
		err = n.close()
	}
	k.enter(to, "")
	debug.FreeOSMemory() // what the keys lay in is given back, too
	return err
}

// Dismiss ends live pages, so that the process can end.
func (k *lockable) Dismiss() {
	if n := k.answers.Load(); n != nil {
		n.dismiss()
	}
}

// Close seals for good.
func (k *lockable) Close() error {
	k.turn.Lock()
	defer k.turn.Unlock()
	return k.sealTo(stateClosed)
}

// vitals of the node, if it is open.
func (k *lockable) vitals() (node.Vitals, bool) {
	n := k.answers.Load()
	if n == nil || !n.gate.TryRLock() {
		return node.Vitals{}, false
	}
	defer n.gate.RUnlock()
	return n.vitals(), true
}

// ready returns why the node does not read and write now, or nil.
func (k *lockable) ready() error {
	n := k.answers.Load()
	if n == nil || !n.gate.TryRLock() {
		return errSealed
	}
	defer n.gate.RUnlock()
	return n.ready()
}

var errSealed = errors.New("this replica is sealed")
