package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/bippop/bippop/node"
	"github.com/spf13/cobra"
)

// tuned is changed by the fault tests and by nothing else: times, sizes and the
// clock of a replica.
var tuned = func(*node.Config) {}

func serveCommand(env func(string) string, out output) *cobra.Command {
	var (
		cfg    node.Config
		key    unsealing
		peers  peering
		listen string
		secure bool
		watch  operating
		hub    hubbing
	)
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the territory that bippop init has founded",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if cfg.Dir == "" || cfg.Vault == "" {
				return usagef("say where the territory is: --dir FOLDER and --vault FILE, as given to bippop init")
			}
			if err := watch.check(&key); err != nil {
				return err
			}
			if err := peers.check(); err != nil {
				return err
			}
			if err := hub.check(); err != nil {
				return err
			}
			cfg.Federation.Hub = hub.hub()
			if watch.opens.peers && peers.listen == "" {
				return usagef("--unseal peers needs the other replicas: --peer-listen HOST:PORT")
			}
			if watch.alarms.test {
				return watch.alarms.try(c.Context(), cfg.Vault, out)
			}
			limitMemory(env)
			cfg.Logger = node.NewLogger(out.progress, slog.LevelInfo)
			l, err := listenOn(listen, "--listen")
			if err != nil {
				return err
			}
			defer l.Close()
			return watch.serve(c.Context(), l, cfg, key, peers, secure, out)
		},
	}
	f := c.Flags()
	f.StringVar(&cfg.Dir, "dir", "", "data folder")
	f.StringVar(&cfg.Vault, "vault", "", "vault with this replica's keys; outside the data folder and its backups")
	key.flags(f)
	peers.flags(f)
	watch.flags(f)
	hub.flags(f)
	f.BoolVar(&watch.asJSON, "json", false, "print one line for programs whenever this node begins to serve")
	f.DurationVar(&cfg.Autopilot.Stable, "vote-after", 10*time.Second, "how long a machine that has joined must be up to date before it votes")
	f.StringVar(&listen, "listen", "127.0.0.1:8080", "address to listen on; put a reverse proxy with TLS in front")
	f.BoolVar(&secure, "secure", false, "people reach this node over https only: mark cookies so")
	return c
}

// listenOn takes the address before anything else is touched. flag is what the
// error advises to change.
func listenOn(address, flag string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is taken by another program: stop it, or choose another port with %s", address, flag)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s may not be used by this account: choose a port above 1023 with %s", address, flag)
	case err != nil:
		return nil, fmt.Errorf("%s cannot be listened on (%w): give another address with %s", address, errors.Unwrap(err), flag)
	}
	return l, nil
}

// A stop lets answers under way finish: after grace they are told to hurry, after
// patience they are cut off.
const (
	grace    = 3 * time.Second
	patience = 10 * time.Second
)

// served is what answers: a node, or a lock that may hold one.
type served interface {
	Dismiss()     // ends live pages
	Close() error // waits
}

// serve answers on l until ctx ends, then lets answers under way finish and
// closes n.
func serve(ctx context.Context, l net.Listener, n served, h http.Handler) error {
	return serveThen(ctx, l, n, h, func() error { return nil })
}

// serveThen is serve, and says so once it answers.
func serveThen(ctx context.Context, l net.Listener, n served, h http.Handler, ready func() error) error {
	answers, hurry := context.WithCancel(context.WithoutCancel(ctx))
	defer hurry()
	idle := newScavenger()
	go idle.run(answers)
	server := &http.Server{
		Handler:           idle.watch(h),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       2 * time.Minute, // a spreadsheet over a slow line
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		BaseContext:       func(net.Listener) context.Context { return answers },
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // it quotes addresses and headers
	}
	server.RegisterOnShutdown(n.Dismiss)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	debug.FreeOSMemory() // what starting took is not needed again
	if err := ready(); err != nil {
		return errors.Join(err, server.Close(), n.Close())
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		time.AfterFunc(grace, hurry)
		patient, done := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer done()
		if err = server.Shutdown(patient); err != nil {
			err = server.Close()
		}
	}
	return errors.Join(err, n.Close())
}
