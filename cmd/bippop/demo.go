package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"

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
		Short: "Run a territory with invented people on this machine",
		Long: "demo runs a territory of invented people in real communes, on this machine only, and prints where to look and how to sign in.\n" +
			"Started again it finds everything as it was left.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			o.chosen = c.Flags().Changed("profile") || c.Flags().Changed("seed")
			limitMemory(env)
			return runDemo(c.Context(), o, out)
		},
	}
	f := c.Flags()
	f.StringVar(&o.dir, "dir", "", "folder of the demo (default: bippop-demo in your cache folder)")
	f.IntVar(&o.port, "port", 8080, "port on 127.0.0.1, and the next ones for further replicas; 0 takes free ones")
	f.StringVar(&o.profile, "profile", string(synth.Start), "how many people: start, commune, epci or departement")
	f.Uint64Var(&o.seed, "seed", 1, "other people for another number")
	f.IntVar(&o.replicas, "replicas", 3, "how many replicas carry the territory: 1 or 3")
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
	if o.port < 0 || o.port > 65535 {
		return usagef("--port is a number from 0 to 65535")
	}
	if o.replicas != 1 && o.replicas != 3 {
		return usagef("--replicas is 1 or 3")
	}
	door, err := listenOn(net.JoinHostPort("127.0.0.1", strconv.Itoa(o.port)), "--port")
	if err != nil {
		return err
	}
	doors, urls := []net.Listener{door}, []string{"http://" + door.Addr().String()}
	defer func() {
		for _, l := range doors {
			l.Close()
		}
	}()
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
	for i := 1; i < home.Replicas; i++ {
		at := 0
		if o.port != 0 {
			at = o.port + i
		}
		l, err := listenOn(net.JoinHostPort("127.0.0.1", strconv.Itoa(at)), "--port")
		if err != nil {
			return err
		}
		doors, urls = append(doors, l), append(urls, "http://"+l.Addr().String())
	}
	c, err := home.openAll(ctx, urls, out)
	if err != nil {
		return err
	}
	return home.serve(ctx, c, doors, func() error { return announceDemo(out, o.asJSON, home, urls) }, out)
}

// serve answers for all replicas until ctx ends, or one of them fails.
func (h *demoHome) serve(ctx context.Context, c *demoCluster, doors []net.Listener, ready func() error, out output) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	errs := make([]error, len(c.nodes))
	var all sync.WaitGroup
	for i, n := range c.nodes {
		announce := func() error { return nil }
		if i == 0 {
			announce = ready
		}
		all.Go(func() {
			errs[i] = serveThen(ctx, doors[i], n, handler(n, demoLog(out), false, h.Accounts), announce)
			stop()
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// demoAnswer is the line of demo --json; other programs rely on it.
type demoAnswer struct {
	Ready       bool            `json:"ready"`
	Territories []demoTerritory `json:"territories"`
}

type demoTerritory struct {
	Siren    string        `json:"siren"`
	Name     string        `json:"name"`
	URLs     []string      `json:"urls"`
	Accounts []demoAccount `json:"accounts"`
}

// demoAccount is somebody as whom a visitor may sign in. The password is as
// public as the demo.
type demoAccount struct {
	Role     string `json:"role"`
	Login    string `json:"login"`
	Password string `json:"password"`
	Label    string `json:"label,omitempty"`
}

func announceDemo(out output, asJSON bool, home *demoHome, urls []string) error {
	if asJSON {
		accounts := slices.Clone(home.Accounts)
		for i := range accounts {
			accounts[i].Label = "" // for people
		}
		return out.json(demoAnswer{true, []demoTerritory{{demoSiren, home.Name, urls, accounts}}})
	}
	out.printf("%s — %s\n\n  %s\n", demoCalls, home.Name, strings.Join(urls, "\n  "))
	t := tabwriter.NewWriter(out.result, 0, 0, 3, ' ', 0)
	fmt.Fprintln(t, "  sign in as\tlogin\tpassword\t")
	for _, a := range home.Accounts {
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", a.Role, a.Login, a.Password, a.Label)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	out.printf("\nEverybody in it is invented. It is kept in %s;\nCtrl-C stops it, bippop demo starts it again, --reset begins anew.", home.dir)
	return nil
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
