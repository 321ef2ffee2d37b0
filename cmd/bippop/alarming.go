package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/bippop/bippop/cmd/bippop/internal/alarm"
	"github.com/bippop/bippop/crypto"
	"github.com/spf13/pflag"
)

// lookEvery is how often the node looks after itself; patience of the conditions is
// minutes.
const lookEvery = 15 * time.Second

// alarming is how serve was told to write to its operator.
type alarming struct {
	webhook, mail, smtp, from, login, passwordFile string
	test                                           bool
}

func (a *alarming) flags(f *pflag.FlagSet) {
	f.StringVar(&a.webhook, "alarm-webhook", "", "address that gets alarms as JSON")
	f.StringVar(&a.mail, "alarm-mail", "", "mail address that gets alarms")
	f.StringVar(&a.smtp, "alarm-smtp", "", "mail server for alarms, HOST:PORT")
	f.StringVar(&a.from, "alarm-from", "", "mail address from which alarms come")
	f.StringVar(&a.login, "alarm-smtp-login", "", "login at the mail server, if it wants one")
	f.StringVar(&a.passwordFile, "alarm-smtp-password-file", "", "file whose first line is the password for it")
	f.BoolVar(&a.test, "alarm-test", false, "send one letter of trial, say whether it arrived, and end")
}

func (a *alarming) check() error {
	switch {
	case (a.mail == "") != (a.smtp == "") || (a.mail == "") != (a.from == ""):
		return usagef("alarms by mail need --alarm-mail ADDRESS --alarm-smtp HOST:PORT --alarm-from ADDRESS")
	case (a.login == "") != (a.passwordFile == ""):
		return usagef("--alarm-smtp-login and --alarm-smtp-password-file go together")
	case a.test && a.mail == "" && a.webhook == "":
		return usagef("--alarm-test sends to --alarm-mail or --alarm-webhook: give one of them")
	}
	return nil
}

// channels are the ways that were named.
func (a *alarming) channels(vault string) (all []alarm.Channel, err error) {
	from := alarm.From{Siren: readNotice(vault).Siren, Machine: machineName()}
	if a.webhook != "" {
		w, err := alarm.NewWebhook(a.webhook, from)
		if err != nil {
			return nil, usagef("--alarm-webhook: %w", err)
		}
		all = append(all, w)
	}
	if a.mail == "" {
		return all, nil
	}
	cfg := alarm.MailConfig{To: a.mail, Sender: a.from, Server: a.smtp, Login: a.login}
	if a.passwordFile != "" {
		if cfg.Password, err = secretFile(a.passwordFile); err != nil {
			return nil, err
		}
	}
	m, err := alarm.NewMail(cfg, from)
	if err != nil {
		return nil, usagef("--alarm-mail, --alarm-from, --alarm-smtp: %w", err)
	}
	return append(all, m), nil
}

// try sends one letter over each channel.
func (a *alarming) try(ctx context.Context, vault string, out output) error {
	channels, err := a.channels(vault)
	if err != nil {
		return err
	}
	now := time.Now()
	for _, c := range channels {
		once, done := context.WithTimeout(ctx, time.Minute)
		e := c.Send(once, alarm.Letter{Phase: alarm.Test, Since: now, At: now})
		done()
		if e != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", c.Name(), e))
			continue
		}
		out.printf("%s: the letter of trial was taken over", c.Name())
	}
	return err
}

// watch looks after lock until stop, which waits. sent is told of each try.
func (a *alarming) watch(vault string, lock *lockable, sent func(channel string, arrived bool), log *slog.Logger) (stop func(), err error) {
	channels, err := a.channels(vault)
	if err != nil || len(channels) == 0 {
		return func() {}, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	courier := &alarm.Courier{Channels: channels, Logger: log, Sent: sent}
	carried := courier.Start(ctx)
	w := &watchman{path: vault + ".alarms", lock: lock, courier: courier, log: log}
	w.load()
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.run(ctx)
	}()
	return func() {
		cancel()
		<-done
		carried()
	}, nil
}

// watchman looks at the node and writes to its operator. It belongs to one
// goroutine.
type watchman struct {
	path    string // of its memory
	lock    *lockable
	courier *alarm.Courier
	log     *slog.Logger
	memory  alarm.Memory
	kept    []byte // what lies at path
}

func (w *watchman) run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		w.look(time.Now())
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (w *watchman) look(now time.Time) {
	sight := alarm.SealedSight()
	if v, open := w.lock.vitals(); open {
		sight = alarm.Look(v)
	} else if state, _, _ := w.lock.at(); state != stateSealed {
		return // it comes up, or goes down
	}
	var letters []alarm.Letter
	letters, w.memory = alarm.Decide(sight, w.memory, now)
	w.courier.Post(letters...)
	if w.courier.Waiting() == 0 {
		w.save()
	}
}

// load reads what was said before a restart. Without it alarms are said again.
func (w *watchman) load() {
	b, err := os.ReadFile(w.path)
	if err != nil || json.Unmarshal(b, &w.memory) != nil {
		w.memory = alarm.Memory{}
	}
	w.kept = b
}

// save keeps what was said, once it has arrived: at worst it is said twice.
func (w *watchman) save() {
	b, err := json.Marshal(w.memory)
	if err != nil || string(b) == string(w.kept) {
		return
	}
	if err := crypto.WriteFile(w.path, b); err != nil {
		w.log.Warn("what the operator was told cannot be noted; after a restart he is told again", slog.String("error", err.Error()))
		return
	}
	w.kept = b
}
