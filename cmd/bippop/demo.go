package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/bippop/bippop/cmd/bippop/internal/synth"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/spf13/cobra"
)

// demoOptions is what the demo was told.
type demoOptions struct {
	dir     string
	port    int
	profile string
	seed    uint64
	chosen  bool // profile or seed were typed, so they must fit what the folder holds
	asJSON  bool
	reset   bool

	replicas int
}

func demoCommand(env func(string) string, out output) *cobra.Command {
	var o demoOptions
	c := &cobra.Command{
		Use:   "demo",
		Short: "Run two territories with invented people, and the nation's coordinator, on this machine",
		Long: "demo runs two territories of invented people in real communes and the coordinator who sees their totals, on this machine only,\n" +
			"and prints where to look and how to sign in. Started again it finds everything as it was left.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			o.chosen = c.Flags().Changed("profile") || c.Flags().Changed("seed")
			limitMemory(env)
			return runDemo(c.Context(), o, out)
		},
	}
	f := c.Flags()
	f.StringVar(&o.dir, "dir", "", "folder of the demo (default: bippop-demo in your cache folder)")
	f.IntVar(&o.port, "port", 8080, "first of nine ports on 127.0.0.1: for the replicas, the neighbour, the coordinator, and between them; 0 takes free ones")
	f.StringVar(&o.profile, "profile", string(synth.Start), "how many people: start, commune, epci or departement")
	f.Uint64Var(&o.seed, "seed", 1, "other people for another number")
	f.IntVar(&o.replicas, "replicas", 3, "how many replicas carry the first territory: 1 or 3")
	f.BoolVar(&o.asJSON, "json", false, "print one line for programs")
	f.BoolVar(&o.reset, "reset", false, "forget the demo in the folder and begin anew")
	return c
}

// demoPasswords are cheap to check: the people are invented and the machine is
// the visitor's own.
var demoPasswords = crypto.PasswordCost{KiB: 64, Times: 1}

func runDemo(ctx context.Context, o demoOptions, out output) error {
	profile, err := synth.ParseProfile(o.profile)
	if err != nil {
		return usageError{err}
	}
	if last := 65535 - (demoRow - 1); o.port < 0 || o.port > last {
		return usagef("--port is a number from 0 to %d: the demo takes %d ports in a row", last, demoRow)
	}
	if o.replicas != 1 && o.replicas != 3 {
		return usagef("--replicas is 1 or 3")
	}
	d := &demo{port: o.port}
	defer d.close()
	if err := d.listen(); err != nil {
		return err
	}
	home, err := openDemoHome(o.dir, o.reset)
	if err != nil {
		return err
	}
	if home.Filled && o.chosen && (home.Profile != profile || home.Seed != o.seed) {
		return fmt.Errorf("the demo in %s was made with --profile %s --seed %d: leave these out to find it again, or add --reset to begin anew", home.dir, home.Profile, home.Seed)
	}
	if !home.Filled {
		home.Profile, home.Seed, home.Replicas = profile, o.seed, o.replicas
	}
	if err := d.open(ctx, home, out); err != nil {
		return err
	}
	return d.serve(ctx, func() error { return d.announce(out, o.asJSON) }, out)
}

// demoLog says what a visitor has to know, and nothing that only an operator
// understands.
func demoLog(out output) *slog.Logger { return node.NewLogger(out.progress, slog.LevelError) }

// defaultDemoDir is where a visitor's own programs keep what can be made again.
func defaultDemoDir() string {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "bippop-demo"
	}
	return filepath.Join(cache, "bippop-demo")
}

// open is openAll for a demo of one replica.
func (h *demoHome) open(ctx context.Context, out output) (*node.Node, error) {
	if !h.Filled {
		h.Replicas = 1
	}
	c, err := h.openAll(ctx, nil, out)
	if err != nil {
		return nil, err
	}
	if len(c.nodes) > 1 {
		return nil, errors.Join(fmt.Errorf("the demo in %s has several replicas, and this measures one: choose another folder", h.dir), c.Close())
	}
	return c.nodes[0], nil
}
