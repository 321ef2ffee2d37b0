package main

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"sync"
)

// demo is all that runs: two territories, and the nation's coordinator.
type demo struct {
	port  int            // of the first replica, the others follow; 0: a free row, once listened
	doors []net.Listener // of all replicas
	parts []*demoPart
}

// demoPart is one node of the demo.
type demoPart struct {
	home    *demoHome
	doors   []net.Listener // of its replicas
	urls    []string
	cluster *demoCluster
}

// listen opens the next door for people.
func (d *demo) listen() (err error) {
	var l net.Listener
	if d.port == 0 {
		if l, err = takeRow(); err == nil {
			d.port = l.Addr().(*net.TCPAddr).Port
		}
	} else {
		l, err = listenOn(loopback(d.port+len(d.doors)), "--port")
	}
	if err == nil {
		d.doors = append(d.doors, l)
	}
	return err
}

// open finds or makes every part, the first territory at the door that is open
// already, and lets them meet.
func (d *demo) open(ctx context.Context, home *demoHome, out output) error {
	homes := []*demoHome{home}
	for _, at := range []demoPlace{rural, nation} {
		h, err := home.within(at)
		if err != nil {
			return err
		}
		homes = append(homes, h)
	}
	for _, h := range homes {
		h.row = d.port
		p := &demoPart{home: h}
		for range h.Replicas {
			if len(d.parts)+len(p.doors) > 0 {
				if err := d.listen(); err != nil {
					return err
				}
			}
			l := d.doors[len(d.doors)-1]
			p.doors, p.urls = append(p.doors, l), append(p.urls, "http://"+l.Addr().String())
		}
		d.parts = append(d.parts, p)
	}
	for _, p := range d.parts {
		c, err := p.home.openAll(ctx, p.urls, out)
		if err != nil {
			return errors.Join(err, d.shut())
		}
		p.cluster = c
	}
	if err := d.federate(ctx, out); err != nil {
		return errors.Join(err, d.shut())
	}
	return nil
}

// shut closes what is open, after a part could not be opened. Else serving closes it.
func (d *demo) shut() error {
	var errs []error
	for _, p := range d.parts {
		if p.cluster != nil {
			errs = append(errs, p.cluster.Close())
		}
	}
	return errors.Join(errs...)
}

func (d *demo) close() {
	for _, l := range d.doors {
		l.Close()
	}
}

// serve answers for all replicas of all parts until ctx ends, or one of them
// fails.
func (d *demo) serve(ctx context.Context, ready func() error, out output) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var mu sync.Mutex
	var faults []error
	var all sync.WaitGroup
	for _, p := range d.parts {
		for i, n := range p.cluster.nodes {
			announce := func() error { return nil }
			if p == d.parts[0] && i == 0 {
				announce = ready
			}
			all.Go(func() {
				err := serveThen(ctx, p.doors[i], n, handler(n, demoLog(out), false, nil, p.home.Accounts), announce)
				mu.Lock()
				faults = append(faults, err)
				mu.Unlock()
				stop()
			})
		}
	}
	all.Wait()
	return errors.Join(faults...)
}

// within is the home of another part, below the first territory's.
func (h *demoHome) within(at demoPlace) (*demoHome, error) {
	sub, err := openDemoHome(filepath.Join(h.dir, at.Folder), false)
	if err != nil {
		return nil, err
	}
	sub.place = at
	if !sub.Filled {
		sub.Profile, sub.Seed, sub.Replicas = "start", h.Seed, 1
	}
	return sub, nil
}
