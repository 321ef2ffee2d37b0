package main

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// unsealPeers, alone or before another word of --unseal, lets the other replicas
// open this one after a short absence.
const unsealPeers = "peers"

// starting is what opens the vault at a start, as it is recorded.
type starting struct {
	word  string // of --unseal, or ""
	peers bool   // asked first
}

func parseStarting(text string) (s starting, ok bool) {
	rest, peers := strings.CutPrefix(text, unsealPeers)
	if peers && rest != "" {
		if rest, ok = strings.CutPrefix(rest, ","); !ok || rest == "" {
			return s, false
		}
	}
	if !peers {
		rest = text
	}
	switch rest {
	case "", unsealShares, unsealAsk, unsealTouch:
		return starting{rest, peers}, true
	}
	return s, false
}

// recorded is what the list of machines and the data protection officer see.
// u may be the zero value when a person opens.
func (s starting) recorded(u crypto.Unsealer) node.Unsealing {
	switch {
	case s.peers:
		return node.ByPeers
	case s.word == unsealShares:
		return node.ByShares
	case s.word != "":
		return node.ByPerson
	case u.Plugin():
		return node.ByPlugin
	}
	return node.ByFile
}

// choosing is how init and join are told what will open the vault at each start.
type choosing struct{ unseal string }

func (c *choosing) flags(f *pflag.FlagSet) {
	f.StringVar(&c.unseal, "unseal", "", "what will open the vault at each start, for the record: file (unattended), touch, ask, shares, or peers; see bippop serve --help")
}

// unsealFile says in words that a file opens, so that nothing is asked.
const unsealFile = "file"

// check refuses words that mean nothing.
func (c *choosing) check() error {
	if _, ok := parseStarting(c.unseal); !ok && c.unseal != unsealFile {
		return usagef("--unseal is file, touch, ask, shares, or peers")
	}
	return nil
}

// chosen is what was said, or is asked at the terminal if there is one.
func (c *choosing) chosen(u crypto.Unsealer, out output) node.Unsealing {
	if c.unseal == "" && term.IsTerminal(int(os.Stdin.Fd())) && !u.Plugin() {
		out.note("What opens the vault when this machine starts again, after a power cut for instance?\n" +
			"  1  a file on this machine: it starts unattended; whoever takes the whole machine away can read the data. A TPM is safer.\n" +
			"  2  a person, who types a passphrase or touches a key\n" +
			"  3  several people together, with shares\n" +
			"  5  the other replicas, after ten minutes at most; else a person\n" +
			"With one replica, take 1. [1]")
		line, _ := bufio.NewReader(os.Stdin).ReadString('\n')
		c.unseal = map[string]string{"2": unsealAsk, "3": unsealShares, "5": unsealPeers}[strings.TrimSpace(line)]
	}
	s, _ := parseStarting(strings.TrimPrefix(c.unseal, unsealFile))
	return s.recorded(u)
}

// peersPatience is how long a node that has a file to open with asks the others
// first. A connection of the process before it may linger for some seconds.
const peersPatience = 30 * time.Second

// byPeers opens lock with what the other replicas give back, unless somebody else
// opens it first or ctx ends. from is what is left when they refuse; nil: a person.
func byPeers(ctx context.Context, lock *lockable, cfg node.Config, from func() (crypto.Unsealer, error)) error {
	patient := ctx
	if from != nil {
		var done context.CancelFunc
		patient, done = context.WithTimeout(ctx, peersPatience)
		defer done()
	}
	u, err := node.Unlock(patient, cfg)
	if ctx.Err() != nil {
		return nil // a person was faster, or the process ends
	}
	if err != nil {
		cfg.Logger.Warn("not opened by the other replicas", slog.String("error", err.Error()))
		if from == nil {
			return nil
		}
		if u, err = from(); err != nil {
			return err
		}
	}
	if err := lock.unseal(u); !errors.Is(err, errNotSealed) && !errors.Is(err, errClosing) {
		return err
	}
	return nil
}
