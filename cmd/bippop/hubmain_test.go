package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/bippop/bippop/federation"
	"github.com/bippop/bippop/federation/simulation"
)

// lonelyHub is the one hub of a nation that tests found.
func lonelyHub(listen string) simulation.Hub {
	const name = "hub.example"
	return simulation.Hub{Seed: simulation.Seed(name), Config: federation.HubConfig{Name: name, Witness: simulation.Seed(name + " witness"), Listen: []string{listen}}}
}

// hubMain runs it in a process of its own: in a folder, on a multiaddr, with the
// roster in a file, an entry in hexadecimal on each line, until it is interrupted.
func hubMain() {
	if err := runHub(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func runHub(dir, listen, genesis, entries string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	first, err := hex.DecodeString(genesis)
	if err != nil || len(first) != 32 {
		return errors.New("the genesis is 64 hexadecimal digits")
	}
	rosters, err := federation.OpenRosterFile(filepath.Join(dir, "roster"), [32]byte(first))
	if err != nil {
		return err
	}
	f, err := os.Open(entries)
	if err != nil {
		return err
	}
	defer f.Close()
	var all [][]byte
	for lines := bufio.NewScanner(f); lines.Scan(); {
		b, err := hex.DecodeString(lines.Text())
		if err != nil {
			return err
		}
		all = append(all, b)
	}
	if err := rosters.Take(ctx, all); err != nil {
		return err
	}
	hub := lonelyHub(listen)
	h, err := federation.Open(federation.Config{Seed: hub.Seed, Dir: dir, Rosters: rosters, Hub: &hub.Config, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	<-ctx.Done()
	return h.Close()
}
