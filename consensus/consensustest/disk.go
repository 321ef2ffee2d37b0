package consensustest

import (
	"errors"
	"sync"
	"time"
)

// ErrDisk is what a disk answers after [Disk.Fail].
var ErrDisk = errors.New("consensustest: input/output error")

// Disk stands before one replica's log and can be made to misbehave. What was
// written before stays.
type Disk struct {
	mu      sync.Mutex // guards all, for an assignment
	failing bool
	slow    time.Duration
	stalled chan struct{} // nil, or closed when the disk answers again
	before  func()
	harmed  bool // since the replica was started
}

// Fail makes every write fail.
func (d *Disk) Fail() { d.set(func() { d.failing, d.harmed = true, true }) }

// Slow makes every write take at least delay.
func (d *Disk) Slow(delay time.Duration) { d.set(func() { d.slow, d.harmed = delay, true }) }

// Stall lets no write return until Heal, or until the replica crashes.
func (d *Disk) Stall() {
	d.set(func() {
		if d.stalled == nil {
			d.stalled, d.harmed = make(chan struct{}), true
		}
	})
}

// Before runs f before every write, outside all locks, for tests that crash a
// replica at a chosen step; nil ends it.
func (d *Disk) Before(f func()) { d.set(func() { d.before = f }) }

// Heal ends all of it; writes that hung fail.
func (d *Disk) Heal() {
	d.set(func() {
		if d.stalled != nil {
			close(d.stalled)
		}
		d.failing, d.slow, d.stalled, d.before = false, 0, nil, nil
	})
}

func (d *Disk) set(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

// start forgets what was done to earlier lives.
func (d *Disk) start() { d.set(func() { d.harmed = d.failing || d.slow > 0 || d.stalled != nil }) }

func (d *Disk) wasHarmed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.harmed
}

// store is consensus.Tuning.BeforeStore.
func (d *Disk) store() error {
	d.mu.Lock()
	failing, slow, stalled, before := d.failing, d.slow, d.stalled, d.before
	d.mu.Unlock()
	if before != nil {
		before()
	}
	if slow > 0 {
		<-time.After(slow)
	}
	if stalled != nil {
		<-stalled
		return ErrDisk
	}
	if failing {
		return ErrDisk
	}
	return nil
}
