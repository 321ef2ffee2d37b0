package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation"
	"github.com/bippop/bippop/federation/bulletin"
	"github.com/bippop/bippop/federation/feed"
	"github.com/bippop/bippop/federation/ledger"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"github.com/bippop/bippop/node"
	"github.com/spf13/cobra"
)

func hubCommand(out output) *cobra.Command {
	c := &cobra.Command{
		Use:   "hub",
		Short: "Run a hub: it stores what members say, passes it on, and witnesses it",
		Long: "A hub alone has no records and no keys of people: what it holds, anybody may read. Each hub of a federation should be run by another\n" +
			"body, at another host. Its operator draws its key, hands the line that is printed to the coordinator, and starts it once he has the invitation:\n\n" +
			"  bippop federation hub new hub.key --identity hub.id --name hub1.example.org --operator 'Région Exemple' --address /dns4/hub1.example.org/udp/7500/quic-v1 > hub1.json\n" +
			"  bippop federation hub serve --key hub.key --identity hub.id --name hub1.example.org --dir /var/lib/bippop-hub --invitation invitation.txt --roster roster.txt \\\n" +
			"      --hub-listen /ip4/0.0.0.0/udp/7500/quic-v1",
	}
	c.AddCommand(newHubCommand(out), serveHubCommand(out), hubHereCommand(out))
	return c
}

// Purposes of the two keys that follow from a hub's.
const (
	hubPeerSeed    = "federation hub"
	hubWitnessSeed = "federation witness"
)

func newHubCommand(out output) *cobra.Command {
	var (
		key holderKey
		hub = hubFile{Witness: true}
	)
	c := &cobra.Command{
		Use: "new FILE", Short: "Draw a hub's key into FILE, sealed, and print what the coordinator needs of it", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if !feed.ValidName(hub.Name) || hub.Operator == "" || len(hub.Addresses) == 0 {
				return usagef("say which hub it is: --name NAME (no blanks, no plus) --operator 'WHO RUNS IT' --address MULTIADDR, as members are to dial it")
			}
			u, err := key.unsealer(out, true)
			if err != nil {
				return err
			}
			if _, err := crypto.NewSigningKeyFile(args[0], u); err != nil {
				return err
			}
			private, err := crypto.OpenSigningKeyFile(args[0], u)
			if err != nil {
				return err
			}
			if hub.Peer, err = federation.PeerOf(crypto.SeedOf(private, hubPeerSeed)); err != nil {
				return err
			}
			hub.Key = feed.NewWitnessSigner(hub.Name, crypto.SeedOf(private, hubWitnessSeed)).Key()
			out.note("The hub's key is in %s, sealed. This line is for the coordinator:", filepath.Base(args[0]))
			return out.json([]hubFile{hub})
		},
	}
	key.flags(c)
	hubDescription(c, &hub)
	return c
}

// hubDescription are the flags by which a hub is made known.
func hubDescription(c *cobra.Command, hub *hubFile) {
	f := c.Flags()
	f.StringVar(&hub.Name, "name", "", "name of the hub, under which it signs")
	f.StringVar(&hub.Operator, "operator", "", "body that runs it")
	f.StringArrayVar(&hub.Addresses, "address", nil, "multiaddr at which members reach it; may be repeated")
}

func hubHereCommand(out output) *cobra.Command {
	var o ordering
	hub := hubFile{Witness: true}
	c := &cobra.Command{
		Use: "here", Short: "Print what the coordinator needs of a hub inside a running node (bippop serve --hub-name)", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return o.with(c.Context(), func(n *client) error {
				var said hubFile
				if err := n.call(c.Context(), "POST", "/federation/hub", map[string]string{"name": hub.Name}, &said); err != nil {
					return err
				}
				hub.Peer, hub.Key = said.Peer, said.Key
				return out.json([]hubFile{hub})
			})
		},
	}
	o.reaching.flags(c.Flags())
	hubDescription(c, &hub)
	return c
}

// loneHub is a hub without a node.
type loneHub struct {
	host   *federation.Host
	roster *federation.RosterFile
	lock   *os.File // of the folder, until it closes

	mu      sync.Mutex // guards settled, for a look
	settled map[string]feed.Checkpoint
}

func serveHubCommand(out output) *cobra.Command {
	var (
		key                                     holderKey
		how                                     hubbing
		name, dir, invitation, rosterAt, listen string
	)
	c := &cobra.Command{
		Use: "serve", Short: "Run the hub", Args: cobra.NoArgs,
		Long: "serve runs a hub without a territory. --invitation says which federation is meant and where other hubs are; the first hub of all, which\n" +
			"nobody can tell of the roster, is given it once: --roster FILE, from bippop federation roster fetch. /healthz and /transparency/ answer on --listen.",
		RunE: func(c *cobra.Command, _ []string) error {
			how.name = name
			if err := how.check(); err != nil {
				return err
			}
			if key.file == "" || how.name == "" || dir == "" || invitation == "" {
				return usagef("say which hub: --key FILE --name NAME --dir FOLDER --invitation FILE --hub-listen MULTIADDR")
			}
			u, err := key.unsealer(out, false)
			if err != nil {
				return err
			}
			private, err := crypto.OpenSigningKeyFile(key.file, u)
			if err != nil {
				return err
			}
			log := node.NewLogger(out.progress, slog.LevelInfo)
			cfg := federation.Config{
				Seed: crypto.SeedOf(private, hubPeerSeed), Dir: dir, Logger: log,
				Hub: &federation.HubConfig{Name: how.name, Witness: crypto.SeedOf(private, hubWitnessSeed), Listen: how.listen},
			}
			l, err := listenOn(listen, "--listen")
			if err != nil {
				return err
			}
			defer l.Close()
			h, err := openLoneHub(c.Context(), cfg, invitation, rosterAt)
			if err != nil {
				return err
			}
			log.Info("the hub listens", slog.String("hub", how.name), slog.Any("addresses", h.host.Addresses()), slog.String("http", l.Addr().String()))
			return serve(c.Context(), l, h, h.handler())
		},
	}
	key.flags(c)
	f := c.Flags()
	f.StringVar(&key.file, "key", "", "file with the hub's key")
	f.StringVar(&name, "name", "", "name of the hub, as in the roster")
	f.StringArrayVar(&how.listen, "hub-listen", nil, "multiaddr on which it listens, like /ip4/0.0.0.0/udp/7500/quic-v1; may be repeated")
	f.StringVar(&dir, "dir", "", "folder for what it stores")
	f.StringVar(&invitation, "invitation", "", "file with an invitation to the federation")
	f.StringVar(&rosterAt, "roster", "", "file with the roster, for a start without any other hub")
	f.StringVar(&listen, "listen", "127.0.0.1:8090", "address of /healthz and /transparency/; put a reverse proxy with TLS in front")
	return c
}

// openLoneHub opens a hub with the roster that the invitation means.
func openLoneHub(ctx context.Context, cfg federation.Config, invitation, rosterAt string) (_ *loneHub, err error) {
	text, err := textOf(invitation)
	if err != nil {
		return nil, err
	}
	i, err := roster.ParseInvitation(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(invitation), err)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the hub's folder: %w", err)
	}
	h := &loneHub{settled: map[string]feed.Checkpoint{}}
	if h.lock, err = lockHub(cfg.Dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			h.lock.Close()
		}
	}()
	if h.roster, err = federation.OpenRosterFile(filepath.Join(cfg.Dir, "roster"), i.Genesis); err != nil {
		return nil, err
	}
	if rosterAt != "" {
		s, entries, err := readRoster(rosterAt)
		if err != nil {
			return nil, err
		}
		if s.Genesis != i.Genesis {
			return nil, fmt.Errorf("%s is the roster of another federation (%x) than the one that the invitation names (%x): ask the coordinator which is meant", filepath.Base(rosterAt), s.Genesis, i.Genesis)
		}
		if err := h.roster.Take(ctx, entries); err != nil {
			return nil, err
		}
	}
	for _, d := range i.Hubs {
		cfg.Invited = append(cfg.Invited, roster.Hub{Name: d.Name, Peer: d.Peer, Addresses: d.Addresses})
	}
	cfg.Rosters, cfg.Decode = h.roster, h.decode
	h.host, err = federation.Open(cfg)
	return h, err
}

// lockHub keeps a second hub out of a folder: two with one key would each witness what
// the other has not seen.
func lockHub(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the hub's folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("a hub runs with the folder %s already: stop it first", dir), f.Close())
	}
	return f, nil
}

// decode lets the coordinator say what no territory may.
func (h *loneHub) decode(role roster.Role, entry []byte) error {
	coordinator, ok := roster.CoordinatorOf(h.roster.State())
	if role != roster.Coordinator || !ok {
		return public.ErrKind
	}
	_, err := bulletin.Decode(entry, coordinator)
	return err
}

// Dismiss implements served: there are no live pages.
func (*loneHub) Dismiss() {}

// Close implements served.
func (h *loneHub) Close() error { return errors.Join(h.host.Close(), h.lock.Close()) }

func (h *loneHub) handler() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /healthz", h.health)
	m.HandleFunc("GET /transparency/{path...}", h.file)
	return m
}

// hubHealth is what /healthz says.
type hubHealth struct {
	Status  string `json:"status"` // ok, or what is wrong
	Roster  uint64 `json:"roster_version"`
	Expires string `json:"expires,omitempty"`
	Feeds   int    `json:"feeds"`
	Callers int    `json:"callers"`
	Answers int64  `json:"answers"`
	Forked  int    `json:"forked"`
}

func (h *loneHub) health(w http.ResponseWriter, _ *http.Request) {
	s := h.host.Status()
	said := hubHealth{Status: "ok", Roster: s.Roster, Feeds: len(s.Feeds), Callers: s.Callers, Answers: s.Answers, Forked: len(s.Forked)}
	code := http.StatusServiceUnavailable
	state := h.roster.State()
	switch {
	case state == nil:
		said.Status = "no roster yet: no hub of the invitation answers, or none lists this hub; give it once with --roster"
	case s.Expired:
		said.Status = "the roster has expired: nothing is accepted until the coordinator renews it"
	case !named(state, s.Peer):
		said.Status = "the roster does not name this hub: hand what hub new has printed to the coordinator"
	case len(s.Forked) > 0:
		said.Status = "a member has signed two histories: its feed is frozen, call the coordinator"
	default:
		code = http.StatusOK
	}
	if state != nil {
		said.Expires = state.Expires.Time().Format(time.DateOnly)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(said)
}

func named(s *roster.State, peer string) bool {
	at, ok := s.ByPeer(peer)
	return ok && at.Hub != ""
}

// file is one of the ledger of all that the hub stores.
func (h *loneHub) file(w http.ResponseWriter, r *http.Request) {
	b, err := h.ledger().Read(r.Context(), r.PathValue("path"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		http.Error(w, "there is no such file in this ledger", http.StatusNotFound)
		return
	case err != nil:
		http.Error(w, "this file cannot be read now", http.StatusServiceUnavailable)
		return
	}
	kept := "public, max-age=60"
	if strings.Contains(r.PathValue("path"), "/tile/") {
		kept = "public, max-age=31536000, immutable"
	}
	w.Header().Set("Cache-Control", kept)
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Write(b)
}

// ledger is what the hub stores, each feed up to the newest head that enough
// witnesses have signed.
func (h *loneHub) ledger() (out ledger.Ledger) {
	out.Roster = ledger.Log{Checkpoint: h.host.Fresh(), Entries: func(_ context.Context, from, to int64) ([][]byte, error) {
		entries, err := h.roster.Entries(uint64(from))
		if err != nil || int64(len(entries)) < to-from {
			return nil, errors.Join(err, feed.ErrGap)
		}
		return entries[:to-from], nil
	}}
	state := h.roster.State()
	if state == nil {
		return out
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range h.host.Status().Feeds {
		c, there := h.host.Epoch(f.Siren, f.Epoch)
		policy, listed := state.Policy(f.Siren, f.Epoch)
		if !there || !listed {
			continue
		}
		log := ledger.Of(c)
		if policy.Settled(log.Checkpoint) == nil {
			h.settled[policy.Origin] = log.Checkpoint
		}
		log.Checkpoint = h.settled[policy.Origin]
		out.Feeds = append(out.Feeds, ledger.Feed{Siren: f.Siren, Epoch: f.Epoch, Log: log})
	}
	return out
}
