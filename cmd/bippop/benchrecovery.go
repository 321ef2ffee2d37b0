package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/bippop/bippop/node"
)

const (
	// killings of the replica that leads, while writes go on.
	killings = 10
	// askAgain is how soon a client asks again that got no answer.
	askAgain = 5 * time.Millisecond
	// mostMissing is how long a territory may take to write again before the bench
	// gives up.
	mostMissing = time.Minute
)

func benchRecovery(ctx context.Context, o benchOptions, out output) (figures, error) {
	if o.records < smallestRecords {
		return nil, usagef("--records is at least %d", smallestRecords)
	}
	dir, err := os.MkdirTemp(o.dir, "bippop-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	f := figures{}
	if err := f.floors(dir); err != nil {
		return nil, err
	}
	if err := f.kill(ctx, filepath.Join(dir, "demo"), out); err != nil {
		return nil, err
	}
	if err := f.wiped(ctx, filepath.Join(dir, "wiped"), o.profile, out); err != nil {
		return nil, err
	}
	return f, f.restart(ctx, filepath.Join(dir, "grown"), o, out)
}

// kill takes the time from kill -9 of the replica that leads to the next write
// that is committed, through whichever replica is left, and counts acknowledged
// writes that are missing afterwards.
func (f figures) kill(ctx context.Context, dir string, out output) (err error) {
	d, err := openDesk(ctx, dir, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	var took sample
	var acknowledged []string
	for i := range killings {
		if err := d.trio.whole(ctx); err != nil {
			return err
		}
		leader, err := d.trio.leader(ctx)
		if err != nil {
			return err
		}
		d.client.base = d.trio.replicas[leader].url()
		id, err := d.write(ctx, d.client, i)
		if err != nil {
			return err
		}
		acknowledged = append(acknowledged, id)
		from := time.Now()
		if err := d.trio.kill(leader); err != nil {
			return err
		}
		if id, err = d.writeAgain(ctx, i); err != nil {
			return err
		}
		took = append(took, time.Since(from))
		acknowledged = append(acknowledged, id)
		if err := d.trio.start(ctx, leader); err != nil {
			return err
		}
	}
	lost, err := d.missing(ctx, acknowledged)
	f["kills"], f["acknowledged_writes_lost"] = killings, lost
	f["killed_to_first_write_p50_ms"], f["killed_to_first_write_max_ms"] = ms(took.at(0.5)), ms(took.at(1))
	return err
}

// missing counts the writes that the leader does not know.
func (d *desk) missing(ctx context.Context, acknowledged []string) (lost int, err error) {
	if err := d.findLeader(ctx); err != nil {
		return 0, err
	}
	d.client.base = d.leader
	for _, id := range acknowledged {
		err := d.client.call(ctx, "GET", "/requests/"+id+"?fresh=1", nil, nil)
		if p, ok := errors.AsType[*problem](err); ok && p.Status == http.StatusNotFound {
			lost++
		} else if err != nil {
			return lost, err
		}
	}
	return lost, nil
}

// write records one request by way of c and gives its ID.
func (d *desk) write(ctx context.Context, c *client, n int) (id string, err error) {
	var made struct {
		ID string `json:"id"`
	}
	err = c.call(ctx, "POST", "/requests", json.RawMessage(d.body(n)), &made)
	return made.ID, err
}

// writeAgain asks every replica that runs until one of them has committed a write.
func (d *desk) writeAgain(ctx context.Context, n int) (id string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, mostMissing, fmt.Errorf("nothing was written for %v", mostMissing))
	defer cancel()
	written := make(chan string, len(d.trio.replicas))
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	for i, p := range d.trio.replicas {
		if p == nil {
			continue
		}
		c := &client{base: p.url(), token: d.client.token, http: d.client.http}
		all.Go(func() {
			for {
				if id, err := d.write(ctx, c, n+i); err == nil {
					written <- id
					return
				}
				if pause(ctx, askAgain) != nil {
					return
				}
			}
		})
	}
	select {
	case id := <-written:
		return id, nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// restart takes the time to open a node that holds many records, up to the first
// page that it serves; then what a further replica needs to have them too.
func (f figures) restart(ctx context.Context, dir string, o benchOptions, out output) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	b, err := newWriteBench(ctx, dir, out)
	if err != nil {
		return err
	}
	defer func() { // the one that was opened last, unless it was closed to be served
		if b.node != nil {
			b.node.Close()
		}
	}()
	steps := newProgress(out.progress, "growing", o.records)
	defer steps.end()
	if err := b.grow(ctx, o.records, steps); err != nil {
		return err
	}
	samples, err := measure(ctx, o.rounds, f, func() (map[string]sample, error) {
		if err := b.node.Close(); err != nil {
			return nil, err
		}
		from := time.Now()
		n, err := node.Open(ctx, b.cfg)
		if err != nil {
			return nil, err
		}
		b.node = n
		_, _, err = n.Requests.InState(b.by, node.StateDone, node.Page{Limit: 50})
		return map[string]sample{"": {time.Since(from)}}, err
	})
	f["records"] = b.grown
	f["restart_to_serving_p50_ms"], f["restart_to_serving_max_ms"] = ms(samples[""].at(0.5)), ms(samples[""].at(1))
	if err != nil {
		return err
	}
	return f.rebuild(ctx, b, dir, out)
}
