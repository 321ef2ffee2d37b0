package federation

import (
	"slices"
	"sync"
)

// delivery hands settled entries to the node: every feed from its beginning, once
// per start, in order, by one goroutine. What a hub holds settles later than it
// comes, so a feed's checkpoint is looked at each time.
type delivery struct {
	h     *Host
	woken chan struct{}

	mu   sync.Mutex
	done map[feedKey]int64 // entries handed over
}

// batch is how many entries are handed over at one time.
const batch = 256

func newDelivery(h *Host) *delivery {
	d := &delivery{h: h, woken: make(chan struct{}, 1), done: map[feedKey]int64{}}
	d.wake()
	return d
}

// wake tells that a feed has grown, or the roster.
func (d *delivery) wake() {
	select {
	case d.woken <- struct{}{}:
	default:
	}
}

func (d *delivery) run() {
	for {
		select {
		case <-d.h.ctx.Done():
			return
		case <-d.woken:
		}
		if d.h.cfg.Settled == nil {
			continue
		}
		for _, f := range d.h.copies.list() {
			if d.h.ctx.Err() != nil {
				return
			}
			if err := d.feed(f); err != nil && d.h.ctx.Err() == nil {
				d.h.log.Error("settled entries could not be read", "feed", f.key.String(), "error", err)
			}
		}
	}
}

// feed hands over what is new in one.
func (d *delivery) feed(f *held) error {
	c := f.copy.Checkpoint()
	from := d.delivered(f.key)
	s := d.h.roster()
	if c.Head.Size <= from || s == nil {
		return nil
	}
	r, err := ruleOf(s, f.key)
	if err != nil || r.policy.Settled(c) != nil {
		return nil
	}
	to := c.Head.Size
	if r.last >= 0 {
		to = min(to, r.last)
	}
	for at := from; at < to; {
		next := min(at+batch, to)
		var entries [][]byte
		err := f.copy.Entries(at, next, func(_ int64, b []byte) error {
			entries = append(entries, slices.Clone(b))
			return nil
		})
		if err != nil {
			return err
		}
		d.h.cfg.Settled(f.key.siren, f.key.epoch, at, entries)
		at = next
		d.mu.Lock()
		d.done[f.key] = at
		d.mu.Unlock()
	}
	return nil
}

func (d *delivery) delivered(k feedKey) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.done[k]
}
