package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
)

// demoCluster is the demo's replicas, in one process.
type demoCluster struct{ nodes []*node.Node }

// quickly lets a replica vote a second after it has caught up: nobody shall wait
// half a minute for a demo.
var quickly = node.VotingRules{Stable: time.Second}

// leader is the replica that leads, or the first.
func (c *demoCluster) leader() *node.Node {
	for _, n := range c.nodes {
		if n.Leading() {
			return n
		}
	}
	return c.nodes[0]
}

// Close stops all replicas at once.
func (c *demoCluster) Close() error {
	errs := make([]error, len(c.nodes))
	var all sync.WaitGroup
	for i, n := range c.nodes {
		all.Go(func() { errs[i] = n.Close() })
	}
	all.Wait()
	return errors.Join(errs...)
}

// home of one replica. The first is where a demo of one replica has it.
func (h *demoHome) replica(i int) string {
	if i == 0 {
		return h.dir
	}
	return filepath.Join(h.dir, "replica-"+strconv.Itoa(i+1))
}

// config is how replica i is opened, with its address for the others when there
// are any.
func (h *demoHome) config(i int, urls []string, out output) (cfg node.Config, err error) {
	cfg = node.Config{
		Dir: filepath.Join(h.replica(i), "data"), Vault: filepath.Join(h.replica(i), "vault.age"),
		Logger: demoLog(out), PasswordCost: demoPasswords, Autopilot: quickly, Federation: h.federating(), Codes: console{out.progress},
	}
	if h.place == nation {
		cfg.Simulated, _ = simulated(h.Seed)
	}
	if cfg.Unseal, err = crypto.IdentityFile(filepath.Join(h.dir, "identity.txt")); err != nil {
		return cfg, err
	}
	if i < len(urls) {
		cfg.Peering.URL = urls[i]
	}
	if h.Replicas == 1 {
		return cfg, nil
	}
	cfg.Peering.Address = h.Peers[i]
	cfg.Peering.Listener, err = listenOn(h.Peers[i], "--reset; or stop that program, and keep the demo")
	return cfg, err
}

// openAll finds the demo's replicas as they were left, or makes them. urls are where
// people will reach them.
func (h *demoHome) openAll(ctx context.Context, urls []string, out output) (_ *demoCluster, err error) {
	if !h.Filled {
		return h.make(ctx, urls, out)
	}
	c := &demoCluster{nodes: make([]*node.Node, h.Replicas)}
	errs := make([]error, h.Replicas)
	var all sync.WaitGroup
	for i := range h.Replicas {
		all.Go(func() {
			cfg, err := h.config(i, urls, out)
			if err == nil {
				c.nodes[i], err = node.Open(ctx, cfg)
			}
			errs[i] = err
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		c.nodes = slices.DeleteFunc(c.nodes, func(n *node.Node) bool { return n == nil })
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// make founds the territory on the first replica, lets its past happen there, and
// then lets the others join.
func (h *demoHome) make(ctx context.Context, urls []string, out output) (_ *demoCluster, err error) {
	if err := crypto.NewIdentityFile(filepath.Join(h.dir, "identity.txt")); err != nil {
		return nil, err
	}
	if err := h.choosePorts(); err != nil {
		return nil, err
	}
	cfg, err := h.config(0, urls, out)
	if err != nil {
		return nil, err
	}
	n, err := h.fill(ctx, cfg, out)
	if err != nil {
		return nil, err
	}
	c := &demoCluster{nodes: []*node.Node{n}}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	for i := 1; i < h.Replicas; i++ {
		if err := h.join(ctx, c, i, urls, out); err != nil {
			return nil, fmt.Errorf("adding replica %d to the demo: %w", i+1, err)
		}
	}
	if err := c.vote(ctx); err != nil {
		return nil, err
	}
	return c, h.save()
}

func (h *demoHome) join(ctx context.Context, c *demoCluster, i int, urls []string, out output) error {
	admin, err := h.account("admin")
	if err != nil {
		return err
	}
	_, by, err := c.nodes[0].Accounts.SignIn(ctx, admin.Login, crypto.NewSecret(admin.Password), "demo", true)
	if err != nil {
		return err
	}
	token, _, err := c.nodes[0].Replicas.Invite(ctx, by, time.Hour)
	if err != nil {
		return err
	}
	cfg, err := h.config(i, urls, out)
	if err != nil {
		return err
	}
	if _, err := node.Join(ctx, cfg, token); err != nil {
		return errors.Join(err, cfg.Peering.Listener.Close())
	}
	n, err := node.Open(ctx, cfg)
	if err == nil {
		c.nodes = append(c.nodes, n)
	}
	return err
}

// vote waits until every replica votes.
func (c *demoCluster) vote(ctx context.Context) error {
	for {
		if c.leader().Voters() == len(c.nodes) {
			return nil
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}
