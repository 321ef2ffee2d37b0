package node

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/bippop/bippop/consensus"
	"github.com/bippop/bippop/consensus/autopilot"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node/internal/command"
	"github.com/bippop/bippop/node/internal/replica"
)

// steering is what the leader does about the replicas, and each replica about
// itself. Owned by one goroutine.
type steering struct {
	*core
	sightings sightings
}

// steer runs until ctx ends. The records say who belongs, the log's configuration
// who counts: the leader brings the second to the first, one step at a time.
func (c *steering) steer(ctx context.Context) {
	tick := every(c.cfg.Pace.look)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if c.peers == nil {
			continue
		}
		c.peers.report()
		if err := c.keeper.renewed(systemClock()); err != nil {
			c.cfg.Logger.Error("renewing this replica's certificate", errAttr(err))
		}
		if c.replica.Leading() {
			c.step(ctx)
			continue
		}
		c.sightings.forget()
		if (belonging{c.core}).leftOut(ctx) {
			continue
		}
		if err := c.announce(ctx); err != nil && ctx.Err() == nil {
			c.cfg.Logger.Info("telling the leader where this replica is", errAttr(err))
		}
	}
}

// step takes at most one step.
func (c *steering) step(ctx context.Context) {
	if !c.turning.TryLock() {
		return
	}
	defer c.turning.Unlock()
	ctx, cancel := context.WithTimeout(ctx, proposalTimeout)
	defer cancel()
	if err := c.oneStep(ctx); err != nil && ctx.Err() == nil {
		c.cfg.Logger.Info("steering the replicas", errAttr(err))
	}
}

func (c *steering) oneStep(ctx context.Context) error {
	members, _ := c.replica.Members()
	in := func(id string) bool {
		return slices.ContainsFunc(members, func(m consensus.Member) bool { return m.ID == id })
	}
	for _, r := range c.members.all() {
		id := r.ID.String()
		switch {
		case r.State.Alive() && !in(id):
			return c.replica.AddReplica(ctx, id, r.At.Peer)
		case !r.State.Alive() && in(id):
			return c.replica.Remove(ctx, id)
		}
	}
	if err := c.announce(ctx); err != nil {
		return err
	}
	step := autopilot.Next(c.situation(members), c.cfg.Autopilot)
	switch step.Action {
	case autopilot.Promote:
		c.cfg.Logger.Info("a replica votes from now on", slog.String("replica", step.ID), slog.String("reason", step.Reason))
		if err := c.replica.Promote(ctx, step.ID); err != nil {
			return err
		}
	case autopilot.Remove:
		id, err := parseReplica(step.ID)
		if err != nil {
			return err
		}
		c.cfg.Logger.Warn("a replica is removed", slog.String("replica", step.ID), slog.String("reason", step.Reason))
		_, err = c.propose(ctx, command.StepReplica{Stamp: c.own(), ID: id, To: replica.Removed})
		return err
	}
	for _, m := range members {
		id, err := parseReplica(m.ID)
		if err != nil {
			return err
		}
		if r, ok := c.members.known(id); ok && m.Voter && r.State == replica.Joining {
			_, err := c.propose(ctx, command.StepReplica{Stamp: c.own(), ID: id, To: replica.Member})
			return err
		}
	}
	return nil
}

// situation is what this leader knows of the members.
func (c *steering) situation(members []consensus.Member) autopilot.State {
	now := systemClock()
	root, _ := rooting{c.core}.inForce() // not known: nobody holds it
	last := map[string]time.Time{c.self.String(): now}
	for _, k := range c.replica.Contacts() {
		last[k.ID] = k.Last
	}
	s := autopilot.State{Commit: c.replica.Applied(), Now: now}
	heard := c.peers.heard()
	for _, m := range members {
		id, err := parseReplica(m.ID)
		if err != nil {
			continue
		}
		r, _ := c.members.known(id)
		seen := c.sightings.note(id, last[m.ID], now)
		out := autopilot.Replica{ID: m.ID, Voter: m.Voter, Applied: heard[id].said.Applied, Contact: last[m.ID], Stable: seen.stable, Gone: seen.gone, Holds: r.Holds == root}
		if id == c.self {
			out.Applied = s.Commit
		}
		s.Replicas = append(s.Replicas, out)
	}
	return s
}

// sightings are since when a leader has seen, or missed, each replica without a
// break. They begin anew with each leadership. Owned by steer.
type sightings map[ReplicaID]sighting

type sighting struct{ stable, gone time.Time }

// contactLost is after how much silence a replica counts as gone.
const contactLost = 5 * time.Second

func (s *sightings) note(id ReplicaID, last, now time.Time) sighting {
	if *s == nil {
		*s = sightings{}
	}
	seen := (*s)[id]
	if now.Sub(last) < contactLost {
		seen.gone = time.Time{}
		if seen.stable.IsZero() {
			seen.stable = now
		}
	} else {
		seen.stable = time.Time{}
		if seen.gone.IsZero() {
			seen.gone = now
		}
	}
	(*s)[id] = seen
	return seen
}

func (s *sightings) forget() { *s = nil }

// announce tells the leader where this replica is now and what its program knows,
// when the record says otherwise.
func (c *steering) announce(ctx context.Context) error {
	r, ok := c.members.known(c.self)
	here := c.whereabouts()
	if !ok || r.At.Peer == here.Address && r.At.URL == here.URL && r.At.Level == here.Level && r.At.Unsealing == here.Unsealing && !c.replica.Moved() {
		return nil
	}
	_, err := askLeader(ctx, c.peers, "/moved", c.peers.noteMoved, here)
	return err
}

// whereabouts is what this replica says of itself when it starts.
func (c *steering) whereabouts() movedMessage {
	m := movedMessage{URL: c.cfg.Peering.URL, Level: uint16(c.cfg.level), Unsealing: c.cfg.Unsealing}
	if c.peers != nil {
		m.Address = c.peers.mesh.Address()
	}
	return m
}

// asFounder is the record of the replica on which the territory is founded.
func (c *steering) asFounder() replica.Replica {
	here := c.whereabouts()
	return replica.Replica{ID: c.self, Name: c.members.freeName(), At: replica.Address{
		Peer: here.Address, URL: here.URL, Level: here.Level, Fingerprint: crypto.FingerprintOf(c.keeper.copied().TLS.Public()), Unsealing: here.Unsealing,
	}}
}
