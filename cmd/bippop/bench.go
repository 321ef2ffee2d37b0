package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/bippop/bippop/cmd/bippop/internal/synth"
	"github.com/spf13/cobra"
)

// figures is what a bench found: flat, with units in the names.
type figures map[string]any

// benchOptions is what a bench was told.
type benchOptions struct {
	profile string
	dir     string
	rounds  int
	records int
	asJSON  bool
	etcd    string        // the reference program; empty: build it
	cell    time.Duration // of one load
	only    string        // this load; empty: all

	territories int // of the nation
}

func benchCommand(env func(string) string, out output) *cobra.Command {
	var o benchOptions
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure a node on this machine",
		Long: "bench measures one node with invented people, and this machine's own floors beside it.\n" +
			"Rounds in which other guests of the host took more than a tenth of the processor are thrown away and counted.",
	}
	f := c.PersistentFlags()
	f.StringVar(&o.profile, "profile", string(synth.Departement), "how many people: start, commune, epci or departement")
	f.StringVar(&o.dir, "dir", "", "folder of a demo to measure; made when missing (default: a temporary one)")
	f.IntVar(&o.rounds, "rounds", 3, "rounds to keep")
	f.BoolVar(&o.asJSON, "json", false, "print one line for programs")
	for _, b := range []struct {
		name, short string
		run         func(context.Context, benchOptions, output) (figures, error)
	}{
		{"http", "Answer times of the main pages and reads, in the server", benchHTTP},
		{"search", "Time to find somebody by name or number", benchSearch},
		{"write", "Cost of a write and of a list page as records grow", benchWrite},
		{"memory", "Resident memory when fresh, and 15 s after load", benchMemory},
		{"replicate", "Writes and reads of three replicas, beside etcd", benchReplicate},
		{"recovery", "Time to write again after a kill, and to serve after a restart", benchRecovery},
		{"federation", "A nation in one process: every territory releases at one instant", benchFederation},
		{"start", "Time from the start of the process to the first answer", benchStart},
	} {
		sub := &cobra.Command{Use: b.name, Short: b.short, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
			if _, err := synth.ParseProfile(o.profile); err != nil {
				return usageError{err}
			}
			if o.rounds < 1 {
				return usagef("--rounds is at least 1")
			}
			if b.name == "replicate" && !c.Flags().Changed("rounds") {
				o.rounds = fewestRounds
			}
			limitMemory(env)
			found, err := b.run(c.Context(), o, out)
			if err != nil {
				return err
			}
			return found.print(out, o.asJSON)
		}}
		switch b.name {
		case "federation":
			sub.Flags().IntVar(&o.territories, "territories", 1356, "how many territories")
		case "write", "recovery":
			sub.Flags().IntVar(&o.records, "records", 1_000_000, "how many requests to grow to")
		case "replicate":
			sub.Flags().StringVar(&o.etcd, "etcd", "", "program etcdref of this version (default: built from the source tree)")
			sub.Flags().DurationVar(&o.cell, "cell", defaultCell, "how long each load lasts")
			sub.Flags().StringVar(&o.only, "only", "", "one load instead of all: a number of writers, linearizable or stale")
		}
		c.AddCommand(sub)
	}
	return c
}

func (f figures) print(out output, asJSON bool) error {
	if asJSON {
		return out.json(f)
	}
	f.lines("", out)
	return nil
}

// lines prints a figure per line, those within figures under both names.
func (f figures) lines(prefix string, out output) {
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if within, ok := f[name].(figures); ok {
			within.lines(prefix+name+"_", out)
			continue
		}
		out.printf("%-44s %v", prefix+name, f[name])
	}
}

// maxSteal is the share of processor time that others may take from a round.
const maxSteal = 0.10

// mostDiscarded is how many disturbed rounds a bench puts up with.
const mostDiscarded = 20

// measure runs round until keep of them were undisturbed, and gives what they took
// the time of, by name. What a disturbed round has measured is thrown away.
func measure(ctx context.Context, keep int, f figures, round func() (map[string]sample, error)) (map[string]sample, error) {
	all := map[string]sample{}
	for kept, discarded := 0, 0; kept < keep; {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		before := processorTime()
		found, err := round()
		if err != nil {
			return nil, err
		}
		if processorTime().stealSince(before) > maxSteal {
			f.count("rounds_discarded_for_steal", 1)
			if discarded++; discarded > mostDiscarded {
				return nil, fmt.Errorf("this machine is too busy to measure on: in %d rounds other guests took more than a tenth of the processor", discarded)
			}
			continue
		}
		kept++
		f.count("rounds", 1)
		for name, s := range found {
			all[name] = append(all[name], s...)
		}
	}
	f.count("rounds_discarded_for_steal", 0)
	return all, nil
}

// count adds to a figure that is a whole number.
func (f figures) count(name string, n int) {
	before, _ := f[name].(int)
	f[name] = before + n
}

// jiffies of all processors, as /proc/stat counts them.
type jiffies struct{ steal, idle, total uint64 }

// processorTime is zero where the system does not say.
func processorTime() (j jiffies) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return j
	}
	line, _, _ := strings.Cut(string(text), "\n")
	var user, nice, system, idle, wait, hard, soft uint64
	if _, err := fmt.Sscanf(line, "cpu %d %d %d %d %d %d %d %d", &user, &nice, &system, &idle, &wait, &hard, &soft, &j.steal); err != nil {
		return jiffies{}
	}
	j.idle = idle + wait
	j.total = user + nice + system + j.idle + hard + soft + j.steal
	return j
}

func (j jiffies) stealSince(before jiffies) float64 {
	if j.total <= before.total {
		return 0
	}
	return float64(j.steal-before.steal) / float64(j.total-before.total)
}

// sample is how long something took, each time.
type sample []time.Duration

// at is the quantile q, 0 to 1.
func (s sample) at(q float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Clone(s)
	slices.Sort(sorted)
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// ms is in milliseconds, to the microsecond.
func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (f figures) quantiles(prefix string, s sample) {
	f[prefix+"p50_ms"], f[prefix+"p95_ms"], f[prefix+"p99_ms"] = ms(s.at(0.50)), ms(s.at(0.95)), ms(s.at(0.99))
}

// home is the folder of a demo that a bench looks at, filled. done removes it when
// it was a temporary one.
func (o benchOptions) home(ctx context.Context, out output) (h *demoHome, done func(), err error) {
	if o.dir != "" {
		h, err = o.filled(ctx, o.dir, out)
		return h, func() {}, err
	}
	dir, err := os.MkdirTemp("", "bippop-bench-")
	if err != nil {
		return nil, nil, err
	}
	done = func() { os.RemoveAll(dir) }
	if h, err = o.filled(ctx, dir, out); err != nil {
		done()
	}
	return h, done, err
}

// filled finds or makes the demo in dir.
func (o benchOptions) filled(ctx context.Context, dir string, out output) (*demoHome, error) {
	h, err := openDemoHome(dir, false)
	if err != nil {
		return nil, err
	}
	profile := synth.Profile(o.profile)
	if h.Filled {
		if h.Profile != profile {
			return nil, fmt.Errorf("the demo in %s has the profile %s: add --profile %s, or choose another folder", h.dir, h.Profile, h.Profile)
		}
		return h, nil
	}
	h.Profile, h.Seed = profile, 1
	n, err := h.open(ctx, out)
	if err != nil {
		return nil, err
	}
	return h, n.Close()
}

// account is one of the demo's sign-ins.
func (h *demoHome) account(role string) (demoAccount, error) {
	i := slices.IndexFunc(h.Accounts, func(a demoAccount) bool { return a.Role == role })
	if i < 0 {
		return demoAccount{}, errors.New("this demo has no account for the role " + role)
	}
	return h.Accounts[i], nil
}

// floors measures what this machine can do at best, in folder dir.
func (f figures) floors(dir string) error {
	syncs, err := syncRate(dir)
	f["fsync_per_second"], f["sha256_mb_per_second"] = syncs, hashRate()
	return err
}

// slowest is the name with the largest p95.
func slowest(samples map[string]sample) string {
	return slices.MaxFunc(slices.Sorted(maps.Keys(samples)), func(a, b string) int {
		return cmp.Compare(samples[a].at(0.95), samples[b].at(0.95))
	})
}
