package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation/roster"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func federationCommand(out output) *cobra.Command {
	c := &cobra.Command{
		Use:   "federation",
		Short: "Take part with other territories: who belongs, who signs, what is passed on",
	}
	c.AddCommand(memberCommands(out)...)
	c.AddCommand(holderKeyCommand(out), rosterCommand(out), hubCommand(out), handoverCommand(out))
	return c
}

// holderKey is the file with the key of one who signs the roster, and what opens it.
type holderKey struct {
	file string
	unsealing
}

func (h *holderKey) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&h.identity, "identity", "", "age identity that opens the key; a plugin's too (a TPM, a security key)")
	f.StringVar(&h.passphrase, "passphrase-file", "", "file whose first line is the passphrase that opens the key; without one it is asked for")
}

// unsealer is what opens the key. Of a fresh key the passphrase is asked for twice, and
// an identity that is not there is made.
func (h *holderKey) unsealer(out output, fresh bool) (crypto.Unsealer, error) {
	if h.identity != "" || h.passphrase != "" {
		if err := h.check(); err != nil {
			return crypto.Unsealer{}, err
		}
		if !fresh {
			return h.open()
		}
		u, made, err := h.make()
		if made {
			out.note("A new identity is in %s: it opens the key, so keep it elsewhere.", filepath.Base(h.identity))
		}
		return u, err
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return crypto.Unsealer{}, usagef("say what opens the key: --identity FILE or --passphrase-file FILE")
	}
	words, err := hidden(out, "Passphrase of the key: ")
	if err != nil {
		return crypto.Unsealer{}, err
	}
	if fresh {
		repeated, err := hidden(out, "The same again: ")
		if err != nil {
			return crypto.Unsealer{}, err
		}
		if repeated != words {
			return crypto.Unsealer{}, usagef("these were two different passphrases; nothing was written")
		}
	}
	return crypto.Passphrase(words, passphraseCost)
}

func holderKeyCommand(out output) *cobra.Command {
	c := &cobra.Command{Use: "key", Short: "Keys of those who sign the federation's roster"}
	c.AddCommand(newHolderKeyCommand(out))
	return c
}

func newHolderKeyCommand(out output) *cobra.Command {
	var (
		key  holderKey
		name string
	)
	c := &cobra.Command{
		Use:   "new FILE",
		Short: "Draw a key for one who signs the roster, and print its public half",
		Long: "new draws a key and writes it to FILE, sealed by a passphrase or an age identity. What it prints is public: hand it to whoever drafts\n" +
			"the roster, and read it to each other over the phone. Keep FILE, and a copy of it in a safe; whoever has FILE and what opens it signs as you.",
		Example: "  bippop federation key new coordination.key --name coordination",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			h := roster.Holder{Name: name}
			if !h.ValidName() {
				return usagef("say whose key it is: --name OFFICE, without spaces and plus signs")
			}
			u, err := key.unsealer(out, true)
			if err != nil {
				return err
			}
			if h.Key, err = crypto.NewSigningKeyFile(args[0], u); err != nil {
				return err
			}
			out.note("The key is in %s, sealed. Its public half:", filepath.Base(args[0]))
			out.printf("%s", h)
			return nil
		},
	}
	key.flags(c)
	c.Flags().StringVar(&name, "name", "", "the office that signs, as it stands in the roster")
	return c
}

// readRoster folds the roster in a file.
func readRoster(path string) (*roster.State, [][]byte, error) {
	if path == "" {
		return nil, nil, usagef("say which roster: --roster FILE, the newest that you have")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the roster: %w", err)
	}
	entries, err := roster.ParseFile(text)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	s, err := roster.Fold([32]byte{}, entries)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return s, entries, nil
}

// readDraft reads a draft and the signatures in copies of it.
func readDraft(path string, copies ...string) (roster.Draft, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return roster.Draft{}, fmt.Errorf("reading a draft: %w", err)
	}
	d, err := roster.ParseDraft(text)
	if err != nil {
		return roster.Draft{}, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	for _, name := range copies {
		other, err := readDraft(name)
		if err != nil {
			return roster.Draft{}, err
		}
		if err := d.Merge(other); err != nil {
			return roster.Draft{}, fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
	}
	return d, nil
}
