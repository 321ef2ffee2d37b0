package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"testing/synctest"

	"github.com/bippop/bippop/federation/simulation"
	"golang.org/x/sys/unix"
)

// benchFederation runs a nation in one process, over a network whose time is virtual:
// hosts, hubs, signatures and files are the real ones. Virtual time is only to be had
// in a test's bubble, so the run is made to be one.
func benchFederation(ctx context.Context, o benchOptions, out output) (found figures, err error) {
	if o.territories < 1 || o.territories > 4000 {
		return nil, usagef("--territories is 1 to 4000")
	}
	// Copies of feeds are synced to disk: in memory, so that the disk is not measured.
	dir, err := os.MkdirTemp("/dev/shm", "bippop-bench")
	if err != nil {
		dir, err = os.MkdirTemp("", "bippop-bench")
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	plan := simulation.Plan{Dir: dir, Territories: o.territories, Progress: func(text string) { fmt.Fprintln(out.progress, text) }}
	var result simulation.Result
	var failed error
	// A test that belongs to no run: it reports nothing, and holds the bubble alone.
	synctest.Test(new(testing.T), func(*testing.T) { result, failed = simulation.Run(ctx, plan) })
	if failed != nil {
		return nil, failed
	}
	var use unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &use); err != nil {
		return nil, err
	}
	return figures{
		"territories":     result.Territories,
		"virtual_seconds": result.Virtual.Seconds(),
		"wire_bytes":      result.WireBytes,
		"messages":        result.Messages,
		"peak_rss_bytes":  use.Maxrss * 1024,
	}, nil
}
