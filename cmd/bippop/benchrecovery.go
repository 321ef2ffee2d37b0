package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
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
	if err := f.kill(ctx, filepath.Join(dir, "demo")); err != nil {
		return nil, err
	}
	return f, f.restart(ctx, dir, o, out)
}

// kill takes the time from kill -9 of the demo to the next write that is
// committed, and counts acknowledged writes that are missing afterwards.
func (f figures) kill(ctx context.Context, dir string) error {
	d, err := openDesk(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { d.stop() }() // the one that runs last
	var took sample
	lost := 0
	for i := range killings {
		acknowledged, err := d.write(ctx, i)
		if err != nil {
			return err
		}
		from := time.Now()
		if err := d.process.kill(); err != nil {
			return err
		}
		if d.process, err = startSelf(ctx, dir); err != nil {
			return err
		}
		d.leader = d.process.url()
		d.client.base, d.client.http = d.leader, d.process.client
		if err := d.writeAgain(ctx, i); err != nil {
			return err
		}
		took = append(took, time.Since(from))
		err = d.client.call(ctx, "GET", "/requests/"+acknowledged, nil, nil)
		if p, ok := errors.AsType[*problem](err); ok && p.Status == http.StatusNotFound {
			lost++
		} else if err != nil {
			return err
		}
	}
	f["kills"], f["acknowledged_writes_lost"] = killings, lost
	f["killed_to_first_write_p50_ms"], f["killed_to_first_write_max_ms"] = ms(took.at(0.5)), ms(took.at(1))
	return nil
}

// write records one request and gives its ID.
func (d *desk) write(ctx context.Context, n int) (id string, err error) {
	var made struct {
		ID string `json:"id"`
	}
	err = d.client.call(ctx, "POST", "/requests", json.RawMessage(d.body(n)), &made)
	return made.ID, err
}

// writeAgain asks until a write is committed.
func (d *desk) writeAgain(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeoutCause(ctx, mostMissing, fmt.Errorf("nothing was written for %v", mostMissing))
	defer cancel()
	for {
		if _, err := d.write(ctx, n); err == nil {
			return nil
		}
		if err := pause(ctx, askAgain); err != nil {
			return err
		}
	}
}

// restart takes the time to open a node that holds many records, up to the first
// page that it serves.
func (f figures) restart(ctx context.Context, dir string, o benchOptions, out output) error {
	b, err := newWriteBench(ctx, dir, out)
	if err != nil {
		return err
	}
	defer func() { b.node.Close() }() // the one that was opened last
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
	return err
}
