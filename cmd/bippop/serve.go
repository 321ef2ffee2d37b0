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
	)
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the territory that bippop init has founded",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if cfg.Dir == "" || cfg.Vault == "" {
				return usagef("say where the territory is: --dir FOLDER and --vault FILE, as given to bippop init")
			}
			if err := key.check(); err != nil {
				return err
			}
			if err := peers.check(); err != nil {
				return err
			}
			limitMemory(env)
			cfg.Logger = node.NewLogger(out.progress, slog.LevelInfo)
			l, err := listenOn(listen, "--listen")
			if err != nil {
				return err
			}
			defer l.Close()
			if cfg.Unseal, err = key.open(); err != nil {
				return err
			}
			if cfg.Peering, err = peers.open(); err != nil {
				return err
			}
			ctx, cancel := context.WithCancelCause(c.Context())
			defer cancel(nil)
			cfg.OnFault = cancel // another replica leads once this process has ended
			tuned(&cfg)
			n, err := node.Open(ctx, cfg)
			if err != nil {
				return err
			}
			t, err := n.Settings.Territory()
			if err != nil {
				return errors.Join(err, n.Close())
			}
			cfg.Logger.Info("serving", slog.String("address", l.Addr().String()), slog.String("siren", t.Siren))
			return faulted(ctx, c.Context(), serve(ctx, l, n, handler(n, cfg.Logger, secure, nil)))
		},
	}
	f := c.Flags()
	f.StringVar(&cfg.Dir, "dir", "", "data folder")
	f.StringVar(&cfg.Vault, "vault", "", "vault with this replica's keys; outside the data folder and its backups")
	key.flags(f)
	peers.flags(f)
	f.StringVar(&listen, "listen", "127.0.0.1:8080", "address to listen on; put a reverse proxy with TLS in front")
	f.BoolVar(&secure, "secure", false, "people reach this node over https only: mark cookies so")
	return c
}

// faulted is what a node ended with: an error when it was its log that failed, so
// that the system starts it again.
func faulted(ctx, asked context.Context, err error) error {
	if asked.Err() == nil && ctx.Err() != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	return err
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

// serve answers on l until ctx ends, then lets answers under way finish and
// closes n.
func serve(ctx context.Context, l net.Listener, n *node.Node, h http.Handler) error {
	return serveThen(ctx, l, n, h, func() error { return nil })
}

// serveThen is serve, and says so once it answers.
func serveThen(ctx context.Context, l net.Listener, n *node.Node, h http.Handler, ready func() error) error {
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
