package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/bippop/bippop/federation"
	"github.com/bippop/bippop/federation/bulletin"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"github.com/bippop/bippop/node/internal/command"
)

// Federating is how a replica takes part in a federation. The zero value calls the
// hubs of the roster and is called by nobody.
type Federating struct {
	// Hub, when it has a name, is a hub inside this process, on this replica alone,
	// whether it leads or not. Its keys are its own, see [Federation.HubKeys].
	Hub FederationHub
	// Tune alters how hosts are opened, for the demo and tests: ports, periods.
	Tune func(*federation.Config)
}

// FederationHub is a hub inside a node.
type FederationHub struct {
	Name   string   // as the roster names it, without blanks: "hub1.example.org"
	Listen []string // multiaddrs: "/ip4/0.0.0.0/udp/7500/quic-v1", "/ip4/127.0.0.1/tcp/7501/ws"
}

// speaking opens a host while this replica leads, and closes it when it does not any
// more: only the leader speaks. That is order, not safety: what counts is what a
// majority has signed, and an isolated leader gets no majority. Owned by one
// goroutine.
type speaking struct {
	*core
	hub *federation.Host
}

func (s *speaking) keep(ctx context.Context) {
	tick := every(s.cfg.Pace.look)
	defer tick.Stop()
	defer s.silence()
	for {
		s.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.federating.changed:
		}
	}
}

// look brings what runs to what should run.
func (s *speaking) look(ctx context.Context) {
	m, err := s.membership()
	if err != nil {
		return // the node serves nothing either
	}
	if !m.Belongs() {
		s.silence()
		return
	}
	if s.hub == nil && s.cfg.Federation.Hub.Name != "" && s.federating.rosters.State() != nil {
		s.openHub()
	}
	switch host := s.federating.speaker(); {
	case !s.replica.Leading():
		s.quiet()
	case host == nil:
		s.open(ctx, m.Invitation)
	default:
		if s.federating.rosterNew.Swap(false) {
			host.RosterChanged()
			if s.hub != nil {
				s.hub.RosterChanged()
			}
		}
		if s.federating.feedNew.Swap(false) {
			host.Wake()
		}
		if err := (epochs{s.core}).follow(ctx); ctx.Err() == nil && s.federating.stands(err) && err != nil {
			s.cfg.Logger.Error("opening the epoch that the roster names", errAttr(err))
		}
	}
	if s.hub != nil && s.federating.rosterNew.Swap(false) {
		s.hub.RosterChanged()
	}
}

// open begins to speak. What was committed before this replica led is applied first.
func (s *speaking) open(ctx context.Context, invitation string) {
	if _, err := s.replica.Barrier(ctx); err != nil {
		return // it does not lead any more
	}
	siren, err := public.ParseSiren(s.siren)
	if err != nil {
		s.cfg.Logger.Error("the territory's own number is wrong; it cannot speak", errAttr(err))
		return
	}
	f := s.federating
	f.each(listener.begin)
	cfg := s.config("leaf", s.peerSeed())
	cfg.Siren, cfg.Own = siren, f.own
	cfg.Settled = func(siren public.Siren, epoch uint16, from int64, entries [][]byte) {
		f.each(func(l listener) { l.heard(siren, epoch, from, entries) })
	}
	if i, err := roster.ParseInvitation(invitation); err == nil {
		for _, d := range i.Hubs {
			cfg.Invited = append(cfg.Invited, roster.Hub{Name: d.Name, Peer: d.Peer, Addresses: d.Addresses})
		}
	}
	if s.cfg.Federation.Tune != nil {
		s.cfg.Federation.Tune(&cfg)
	}
	host, err := federation.Open(cfg)
	if err != nil {
		f.each(listener.end)
		s.cfg.Logger.Error("speaking with the federation", errAttr(err))
		return
	}
	f.speaks(host)
	s.cfg.Logger.Info("this replica speaks for the territory", slog.String("peer", host.Peer()))
}

func (s *speaking) openHub() {
	name := s.cfg.Federation.Hub.Name
	cfg := s.config("hub", s.seedOf("federation hub"))
	cfg.Hub = &federation.HubConfig{Name: name, Witness: s.seedOf("federation witness"), Listen: s.cfg.Federation.Hub.Listen}
	if s.cfg.Federation.Tune != nil {
		s.cfg.Federation.Tune(&cfg)
	}
	host, err := federation.Open(cfg)
	if err != nil {
		s.cfg.Logger.Error("opening the hub", slog.String("hub", name), errAttr(err))
		return
	}
	s.hub = host
	s.federating.hosts(host)
	s.cfg.Logger.Info("the hub listens", slog.String("hub", name), slog.Any("addresses", host.Addresses()))
}

func (s *speaking) config(dir string, seed [32]byte) federation.Config {
	return federation.Config{
		Seed: seed, Dir: filepath.Join(federationDir(s.cfg), dir), Rosters: s.federating.rosters,
		Decode: s.decode, Clock: s.now, Logger: s.cfg.Logger,
	}
}

// decode lets the coordinator say what no territory may.
func (s *speaking) decode(role roster.Role, entry []byte) error {
	coordinator, ok := roster.CoordinatorOf(s.federating.rosters.State())
	if role != roster.Coordinator || !ok {
		return public.ErrKind
	}
	_, err := bulletin.Decode(entry, coordinator)
	return err
}

// quiet stops speaking.
func (s *speaking) quiet() {
	host := s.federating.speaks(nil)
	if host == nil {
		return
	}
	if err := host.Close(); err != nil {
		s.cfg.Logger.Warn("closing the federation's host", errAttr(err))
	}
	s.federating.each(listener.end)
}

// silence stops the hub as well.
func (s *speaking) silence() {
	s.quiet()
	if s.hub == nil {
		return
	}
	s.federating.hosts(nil)
	if err := s.hub.Close(); err != nil {
		s.cfg.Logger.Warn("closing the hub", errAttr(err))
	}
	s.hub = nil
}

// presence says once in each month that the territory is there: who hears nothing
// knows that something is wrong, and who counts entries learns nothing of how much
// there was to say.
func (c *core) presence(ctx context.Context) error {
	state := c.federating.rosters.State()
	siren, err := public.ParseSiren(c.siren)
	if err != nil || state == nil || !state.Speaks(public.KindPresence) {
		return err
	}
	f, err := said{c}.newest()
	if m, ok := state.Member(siren); err != nil || !ok || m.Epoch != f.Epoch || f.Frozen != 0 || f.Restored != 0 {
		return err
	}
	now := public.DayOf(c.now())
	month := now.Time().Format("2006-01")
	for seq := f.Size; seq > 0; seq-- {
		l, err := said{c}.leaves(f.Epoch, seq-1, 1)
		if err != nil || len(l) != 1 {
			return errors.Join(err, fmt.Errorf("node: entry %d of the feed", seq-1))
		}
		e, err := public.Decode(l[0].Bytes)
		switch {
		case err != nil: // the coordinator's own words
		case e.Day.Time().Format("2006-01") != month:
			seq = 1
		case e.Body.Kind() == public.KindPresence:
			return nil
		}
	}
	_, err = c.proposeEntry(ctx, public.Presence{}, func(entry []byte) command.Command {
		return command.Say{Stamp: c.own(), Entry: entry}
	})
	if e, ok := errors.AsType[*Error](err); ok && (e.Code == errNotCompared.Code || e.Code == errClock.Code) {
		return nil // next time
	}
	return err
}
