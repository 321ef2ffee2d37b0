package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/bippop/bippop/api/oidc"
	"github.com/bippop/bippop/cmd/bippop/internal/meter"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/spf13/pflag"
	"golang.org/x/time/rate"
)

// operating is how serve was told to be watched and unsealed.
type operating struct {
	admin  string
	codes  string
	unseal string
	opens  starting // what unseal says
	alarms alarming
	enters entering
	asJSON bool
	ways   ways
}

// serveAnswer is the line of serve --json; other programs rely on it.
type serveAnswer struct {
	Ready bool   `json:"ready"`
	Siren string `json:"siren"`
	URL   string `json:"url"` // where this node listens
}

// announce says that the node serves on l.
func (o *operating) announce(l net.Listener, siren string, out output) error {
	if !o.asJSON {
		return nil
	}
	return out.json(serveAnswer{Ready: true, Siren: siren, URL: "http://" + l.Addr().String()})
}

// unsealTouch starts sealed although a file says what opens the vault: the device
// that keeps the key wants somebody before it.
const unsealTouch = "touch"

func (o *operating) flags(f *pflag.FlagSet) {
	f.StringVar(&o.admin, "admin", "", "loopback address for metrics, health, profiles, seal and unseal, like "+adminDefault+"; empty: none")
	f.StringVar(&o.unseal, "unseal", "", "start sealed until bippop unseal gives: shares, ask (a passphrase) or touch (of the device behind --identity); "+
		"peers: the other replicas open it after ten minutes at most, else the file does, or with peers,shares and the like a person")
	f.StringVar(&o.codes, "codes", "off", "codes of six digits for volunteers: off, or console, where whoever watches this terminal reads them and passes them on")
	o.alarms.flags(f)
	o.enters.flags(f)
}

// check refuses what does not go together. key is how a file would unseal.
func (o *operating) check(key *unsealing) error {
	var ok bool
	o.opens, ok = parseStarting(o.unseal)
	byPerson := o.opens.word == unsealShares || o.opens.word == unsealAsk
	switch {
	case !ok:
		return usagef("--unseal is shares, ask or touch, with peers before it or alone: peers,shares; leave it out when a file opens the vault")
	case o.opens.word != "" && o.admin == "":
		return usagef("--unseal needs --admin %s, where bippop unseal reaches this node", adminDefault)
	case byPerson && (key.identity != "" || key.passphrase != ""):
		return usagef("with --unseal %s a person opens the vault: leave out --identity and --passphrase-file", o.opens.word)
	}
	if err := o.alarms.check(); err != nil {
		return err
	}
	if err := o.enters.open(); err != nil {
		return err
	}
	if byPerson {
		return nil
	}
	return key.check()
}

// serve answers on l until ctx ends: with the node that cfg describes once it is
// unsealed, and before with a page that says so.
func (o *operating) serve(ctx context.Context, l net.Listener, cfg node.Config, key unsealing, peers peering, secure bool, out output) error {
	if !node.Founded(cfg) {
		return node.ErrNotFounded
	}
	free, err := holdVault(cfg.Vault)
	if err != nil {
		return err
	}
	defer free()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	lock := newLockable(&lockable{shut: sealedAnswers(cfg.Vault), starting: startingAnswers(cfg.Vault), logger: cfg.Logger})
	gauge := meter.New(thisVersion().Version, lock.vitals)
	cfg.Wrote, cfg.Program = gauge.Wrote, thisVersion().Version
	cfg.Connections = o.connections
	if cfg.Codes, err = sender(o.codes, out.progress); err != nil {
		return err
	}
	cfg.OnFault = cancel // another replica leads once this process has ended
	tuned(&cfg)
	lock.began = func() {
		if err := o.announce(l, readNotice(cfg.Vault).Siren, out); err != nil {
			cfg.Logger.Error("telling that this node serves", slog.String("error", err.Error()))
		}
	}
	lock.try = func(u crypto.Unsealer) error {
		_, err := crypto.LoadVault(cfg.Vault, u)
		return err
	}
	asking, answered := context.WithCancel(ctx)
	defer answered()
	lock.open = func(ctx context.Context, u crypto.Unsealer) (*running, error) {
		answered() // whoever opened it: the others need not
		cfg := cfg
		var err error
		cfg.Unseal, cfg.Unsealing = u, o.opens.recorded(u)
		if cfg.Peering, err = peers.open(); err != nil {
			return nil, err
		}
		n, err := openNode(ctx, cfg, secure, o.enters.door)
		if err != nil {
			return nil, err
		}
		cfg.Logger.Info("serving", slog.String("address", l.Addr().String()), slog.String("siren", readNotice(cfg.Vault).Siren))
		return n, nil
	}
	stop, err := o.start(ctx, lock, gauge, cfg, key)
	if err != nil {
		return err
	}
	defer stop()
	switch {
	case o.opens == starting{}:
		u, err := key.open()
		if err != nil {
			return err
		}
		lock.failed = cancel
		lock.begin(u)
	case o.opens.peers:
		from := key.open
		if o.opens.word != "" {
			from = nil
			cfg.Logger.Warn("sealed: asking the other replicas; bippop unseal on this machine opens it too", slog.String("admin", o.admin))
		} else {
			lock.failed = cancel
		}
		go func() {
			if err := byPeers(asking, lock, cfg, from); err != nil && lock.failed != nil {
				lock.failed(err)
			}
		}()
	default:
		cfg.Logger.Warn("sealed: this node serves nothing until bippop unseal is run on this machine", slog.String("admin", o.admin))
	}
	err = serve(ctx, l, lock, gauge.Watch(lock))
	if cause := context.Cause(ctx); lock.failed != nil && cause != nil && !errors.Is(cause, context.Canceled) {
		return errors.Join(cause, err)
	}
	return err
}

// start brings up what stands beside the node. stop ends it.
func (o *operating) start(ctx context.Context, lock *lockable, gauge *meter.Meter, cfg node.Config, key unsealing) (stop func(), err error) {
	var ends []func()
	stop = func() {
		for _, end := range ends {
			end()
		}
	}
	if o.admin != "" {
		l, err := adminListener(o.admin)
		if err != nil {
			return nil, err
		}
		how := o.opens.word
		if how == unsealTouch {
			how = ""
		}
		a := &administration{lock: lock, vault: cfg.Vault, log: cfg.Logger, meter: gauge, how: how, from: key.open, ways: &o.ways, tries: rate.NewLimiter(rate.Every(triesEvery), triesAtOnce)}
		s := &http.Server{Handler: a.handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, MaxHeaderBytes: 32 << 10,
			ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
		go s.Serve(l)
		ends = append(ends, func() { s.Close() })
		cfg.Logger.Info("administration", slog.String("address", l.Addr().String()))
	}
	watch, err := o.alarms.watch(cfg.Vault, lock, func(channel string, arrived bool) {
		o.ways.letter(channel, arrived)
		gauge.Letter(channel, arrived)
	}, cfg.Logger)
	if err != nil {
		stop()
		return nil, err
	}
	ends = append(ends, watch)
	return stop, nil
}

// openNode opens the node, behind that door or none, and notes what it may say while it is sealed.
func openNode(ctx context.Context, cfg node.Config, secure bool, door *oidc.Door) (*running, error) {
	n, err := node.Open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := updateNotice(cfg.Vault, n); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return &running{
		handler: handler(n, cfg.Logger, secure, door, nil), vitals: n.Vitals, dismiss: n.Dismiss,
		ready: func() error { return errors.Join(n.Serving(), n.Writable()) },
		close: func() error { return errors.Join(updateNotice(cfg.Vault, n), n.Close()) },
	}, nil
}

// updateNotice writes what has changed since.
func updateNotice(vault string, n *node.Node) error {
	t, err := n.Settings.Territory()
	if err != nil {
		return nil // a damaged replica keeps its former notice
	}
	was := readNotice(vault)
	now := was
	now.Siren, now.Calls, now.Phone = t.Siren, t.Calls, t.Phone
	if now == was {
		return nil
	}
	return now.save(vault)
}

// machineName is how letters name this machine.
func machineName() string {
	name, err := os.Hostname()
	if err != nil {
		return "bippop"
	}
	return name
}
