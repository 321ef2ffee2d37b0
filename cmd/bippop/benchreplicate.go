package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// rival is a cluster that takes a load: ours, and the one beside it.
type rival interface {
	load(context.Context, load) (pace, error)
	stop() error
}

// The cells of the replicate bench.
var (
	writerCounts = []int{1, 16, 64, 256}
	readKinds    = []string{"linearizable", "stale"}
)

const (
	readers       = 64
	fewestRounds  = 5
	warmingUp     = time.Second
	defaultCell   = 3 * time.Second
	ours, theirs  = "ours", "etcd"
	thousandths   = 1000
	wholeOfTenths = 10

	microsecondsPerJiffy = 10_000 // what Linux promises to programs
)

// duel is what was measured of both in one cell, round by round.
type duel struct {
	load   load
	paces  map[string][]pace
	others []float64 // share of the processors that other programs took, per round
}

// name of a cell: the number of writers, or the kind of read.
func (d *duel) name() string {
	if d.load.what == "write" {
		return strconv.Itoa(d.load.clients)
	}
	return d.load.what
}

// ratios are ours to theirs of something, per round.
func (d *duel) ratios(of func(pace) float64) (out []float64) {
	for i, p := range d.paces[ours] {
		if base := of(d.paces[theirs][i]); base > 0 {
			out = append(out, of(p)/base)
		}
	}
	return out
}

func perSecond(p pace) float64 { return p.perSecond }
func processor(p pace) float64 { return p.processor }
func p50(p pace) float64       { return p.p50 }
func p99(p pace) float64       { return p.p99 }

// middle is the median; NaN of nothing would not be JSON, so it is 0.
func middle(of []float64) float64 {
	if len(of) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(of))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// round3 keeps three decimals.
func round3(x float64) float64 { return math.Round(x*thousandths) / thousandths }

// figures of a cell: medians of each side, and the spread of the ratio.
func (d *duel) figures() figures {
	f := figures{}
	for who, all := range d.paces {
		column := func(of func(pace) float64) float64 {
			var out []float64
			for _, p := range all {
				out = append(out, of(p))
			}
			return middle(out)
		}
		f[who] = figures{
			"per_second":              math.Round(column(perSecond)*wholeOfTenths) / wholeOfTenths,
			"processor_us_per_answer": math.Round(column(processor)),
			"p50_ms":                  round3(column(p50)), "p99_ms": round3(column(p99)),
		}
	}
	r := d.ratios(perSecond)
	f["ratio"], f["ratio_min"], f["ratio_max"] = round3(middle(r)), round3(slices.Min(r)), round3(slices.Max(r))
	f["processor_share_of_others"] = round3(middle(d.others))
	f["p50_ratio"], f["p99_ratio"] = round3(middle(d.ratios(p50))), round3(middle(d.ratios(p99)))
	return f
}

func benchReplicate(ctx context.Context, o benchOptions, out output) (f figures, err error) {
	duels := slices.DeleteFunc(cells(o.cell), func(d duel) bool { return o.only != "" && o.only != d.name() })
	if len(duels) == 0 {
		return nil, usagef("--only is 1, 16, 64, 256, linearizable or stale")
	}
	dir, err := os.MkdirTemp(o.dir, "bippop-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	program, err := buildEtcd(ctx, o.etcd, dir)
	if err != nil {
		return nil, err
	}
	f = figures{}
	if err := f.floors(dir); err != nil {
		return nil, err
	}
	etcdDir := filepath.Join(dir, "etcd")
	if err := os.Mkdir(etcdDir, 0o700); err != nil {
		return nil, err
	}
	them, err := startEtcd(ctx, program, etcdDir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, them.stop()) }()
	us, err := openDesk(ctx, filepath.Join(dir, "demo"), out)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, us.stop()) }()
	f["replicas"] = len(us.trio.replicas)
	f["etcd_members"], f["cell_seconds"] = etcdMembers, o.cell.Seconds()
	steps := newProgress(out.progress, "measuring", o.rounds*len(duels))
	defer steps.end()
	rivals := map[string]rival{ours: us, theirs: them}
	for round := range o.rounds {
		for i := range duels {
			if err := duels[i].fight(ctx, rivals, (round+i)%2 == 1, f); err != nil {
				return nil, err
			}
			steps.step(1)
		}
	}
	f["rounds"] = o.rounds
	f.count("rounds_discarded_for_steal", 0)
	f.report(duels)
	return f, nil
}

// cells are what is measured in each round.
func cells(lasting time.Duration) (duels []duel) {
	for _, n := range writerCounts {
		duels = append(duels, duel{load: load{"write", n, lasting}, paces: map[string][]pace{}})
	}
	for _, kind := range readKinds {
		duels = append(duels, duel{load: load{kind, readers, lasting}, paces: map[string][]pace{}})
	}
	return duels
}

// fight lets both take the load, one after the other, until nobody else has taken
// a tenth of the processor meanwhile.
func (d *duel) fight(ctx context.Context, rivals map[string]rival, turned bool, f figures) error {
	order := []string{ours, theirs}
	if turned {
		slices.Reverse(order)
	}
	for range mostDiscarded {
		before, own := processorTime(), ownTime()
		found := map[string]pace{}
		for _, who := range order {
			warm := d.load
			warm.lasting = min(warmingUp, warm.lasting/3)
			if _, err := rivals[who].load(ctx, warm); err != nil {
				return err
			}
			used := ownTime()
			p, err := rivals[who].load(ctx, d.load)
			if err != nil {
				return err
			}
			p.processor = float64(ownTime()-used) * microsecondsPerJiffy / (p.perSecond * d.load.lasting.Seconds())
			found[who] = p
		}
		now := processorTime()
		if now.stealSince(before) <= maxSteal {
			d.others = append(d.others, now.othersSince(before, ownTime()-own))
			for who, p := range found {
				d.paces[who] = append(d.paces[who], p)
			}
			return nil
		}
		f.count("rounds_discarded_for_steal", 1)
	}
	return fmt.Errorf("this machine is too busy to measure on: in %d tries other guests took more than a tenth of the processor", mostDiscarded)
}

// report puts what the cells found where other programs look for it.
func (f figures) report(duels []duel) {
	writers, reads := figures{}, figures{}
	ratios, fewest, most := figures{}, figures{}, figures{}
	for i := range duels {
		d := &duels[i]
		cell := d.figures()
		if d.load.what != "write" {
			reads[d.name()] = cell
			continue
		}
		writers[d.name()] = cell
		ratios[d.name()], fewest[d.name()], most[d.name()] = cell["ratio"], cell["ratio_min"], cell["ratio_max"]
	}
	f["writers"], f["reads"] = writers, reads
	f["ratio_etcd"], f["ratio_etcd_min"], f["ratio_etcd_max"] = ratios, fewest, most
}
