package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"github.com/spf13/cobra"
)

func rosterCommand(out output) *cobra.Command {
	c := &cobra.Command{
		Use:   "roster",
		Short: "The list of members, which several offices sign together",
		Long: "The roster says who may speak in the federation, with which keys and for which communes. A change is drafted, read and signed by\n" +
			"those who hold the roster, and then counts:\n\n" +
			"  bippop federation roster draft add application.txt --roster roster.txt --out change.txt\n" +
			"  bippop federation roster show change.txt --roster roster.txt\n" +
			"  bippop federation roster sign change.txt --roster roster.txt --key coordination.key --yes\n" +
			"  bippop federation roster append change.txt --roster roster.txt\n\n" +
			"These work on files and ask no network; only fetch asks a node. Drafts may be mailed.",
	}
	c.AddCommand(rosterDraftCommand(out), rosterSignCommand(out), rosterShowCommand(out), rosterAppendCommand(out), rosterFetchCommand(out))
	return c
}

// tellDraft prints what a draft would change and who has signed it. s is nil for
// one that founds a roster.
func tellDraft(out output, s *roster.State, d roster.Draft) error {
	lines, err := s.Tell(d)
	if err != nil {
		return err
	}
	for _, line := range lines {
		out.printf("%s", line)
	}
	if names := d.Signers(); len(names) > 0 {
		out.printf("Signed by: %s", strings.Join(names, ", "))
	}
	if missing := d.Missing(); missing != "" {
		out.printf("Still to sign: %s", missing)
	} else {
		out.printf("Nobody else has to sign.")
	}
	return nil
}

// before is the roster that a draft is for: none for one that founds it.
func before(d roster.Draft, file string) (*roster.State, error) {
	if d.Seq() == 0 {
		return nil, nil
	}
	s, _, err := readRoster(file)
	if err != nil {
		return nil, err
	}
	if s.Genesis != d.Genesis() {
		return nil, fmt.Errorf("the draft is for roster %x, not for the one in %s", d.Genesis(), filepath.Base(file))
	}
	return s, nil
}

func rosterSignCommand(out output) *cobra.Command {
	var (
		key  holderKey
		file string
		yes  bool
	)
	c := &cobra.Command{
		Use:   "sign DRAFT",
		Short: "Say what a draft would change, and sign it",
		Long:  "sign says what the draft would change in the roster that you have, and with --yes adds your signature to the file.",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			d, err := readDraft(args[0])
			if err != nil {
				return err
			}
			s, err := before(d, file)
			if err != nil {
				return err
			}
			if !yes {
				if err := tellDraft(out, s, d); err != nil {
					return err
				}
				return usagef("nothing was signed: when this is what you want, say it again with --yes")
			}
			if key.file == "" {
				return usagef("say which key signs: --key FILE")
			}
			u, err := key.unsealer(out, false)
			if err != nil {
				return err
			}
			private, err := crypto.OpenSigningKeyFile(key.file, u)
			if err != nil {
				return err
			}
			if _, err := s.Tell(d); err != nil { // what can not take effect is not signed
				return err
			}
			if err := d.Sign(private); err != nil {
				return err
			}
			if err := crypto.WriteFile(args[0], d.Encode()); err != nil {
				return err
			}
			return tellDraft(out, s, d)
		},
	}
	key.flags(c)
	f := c.Flags()
	f.StringVar(&key.file, "key", "", "file with your key")
	f.StringVar(&file, "roster", "", "file with the roster before the change")
	f.BoolVar(&yes, "yes", false, "sign it, having read what it changes")
	return c
}

func rosterShowCommand(out output) *cobra.Command {
	var (
		file   string
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "show FILE",
		Short: "Show a roster, or say in plain words what a draft would change in one, or what an application asks for",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			text, err := os.ReadFile(args[0])
			if err != nil {
				return fmt.Errorf("reading what is to be shown: %w", err)
			}
			switch {
			case bytes.Contains(text, []byte("BEGIN BIPPOP ROSTER DRAFT")):
				d, err := readDraft(args[0])
				if err != nil {
					return err
				}
				s, err := before(d, file)
				if err != nil {
					return err
				}
				return tellDraft(out, s, d)
			case bytes.Contains(text, []byte("BEGIN BIPPOP FEDERATION APPLICATION")):
				a, err := roster.ParseApplication(text)
				if err != nil {
					return err
				}
				return showMember(out, "Application of", a.Member)
			}
			s, _, err := readRoster(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return out.json(rosterSummary(s))
			}
			return showRoster(out, s)
		},
	}
	c.Flags().StringVar(&file, "roster", "", "file with the roster before a draft's change")
	c.Flags().BoolVar(&asJSON, "json", false, "print a roster as one line for programs")
	return c
}

func rosterSummary(s *roster.State) map[string]any {
	members := []map[string]any{}
	for _, m := range s.Members {
		members = append(members, map[string]any{
			"siren": m.Siren.String(), "role": m.Role.String(), "name": m.Name, "departement": m.Departement,
			"communes": len(m.Communes), "replicas": len(m.Replicas), "quorum": m.Quorum, "epoch": m.Epoch, "simulated": m.Simulated,
		})
	}
	return map[string]any{
		"name": s.Name, "genesis": hex.EncodeToString(s.Genesis[:]), "version": s.Version, "root": s.Head.Root.String(),
		"expires": s.Expires.Time().Format(time.DateOnly), "holders": len(s.Holders), "need": s.Need, "hubs": len(s.Hubs),
		"threshold": s.Threshold, "kinds": len(s.Kinds), "demo": s.Demo, "members": members,
	}
}

func showRoster(out output, s *roster.State) error {
	demo := ""
	if s.Demo {
		demo = " (a demo)"
	}
	out.printf("%s%s\n  genesis   %x\n  version   %d, of %s\n  expires   %s", s.Name, demo, s.Genesis, s.Version, s.Day.Time().Format(time.DateOnly), s.Expires.Time().Format(time.DateOnly))
	if s.Expired(public.DayOf(time.Now())) {
		out.printf("  IT HAS EXPIRED: nothing is passed on until it is renewed")
	}
	out.printf("Held by %d, of whom %d sign:", len(s.Holders), s.Need)
	for _, h := range s.Holders {
		out.printf("  %s", h)
	}
	out.printf("Hubs: %d; %d witnesses must sign", len(s.Hubs), s.Threshold)
	for _, h := range s.Hubs {
		out.printf("  %s, operated by %s", h.Name, h.Operator)
	}
	out.printf("Members: %d", len(s.Members))
	for _, m := range s.Members {
		if err := showMember(out, " ", m); err != nil {
			return err
		}
	}
	for _, c := range s.Closed {
		out.printf("  %s epoch %d has ended after %d entries", c.Siren, c.Epoch, c.Last)
	}
	return nil
}

func showMember(out output, before string, m roster.Member) error {
	out.printf("%s %s %s %q, département %s, %d communes, %d of %d machines sign", before, m.Role, m.Siren, m.Name, m.Departement, len(m.Communes), m.Quorum, len(m.Replicas))
	return nil
}

func rosterAppendCommand(out output) *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "append DRAFT [COPY…]",
		Short: "Add a signed draft to the roster in a file; copies may each have other signatures",
		Long:  "append adds a draft that enough have signed to the roster in a file. A draft that founds a roster makes the file, which must not exist.",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if file == "" {
				return usagef("say which file: --roster FILE")
			}
			d, err := readDraft(args[0], args[1:]...)
			if err != nil {
				return err
			}
			var (
				s       *roster.State
				entries [][]byte
			)
			if d.Seq() > 0 {
				if s, entries, err = readRoster(file); err != nil {
					return err
				}
			} else if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("%s is there already; the draft founds a new roster, give it a new file", filepath.Base(file))
			}
			b, err := d.Entry()
			if err != nil {
				return err
			}
			next, err := s.Apply(b)
			if err != nil {
				return err
			}
			if err := crypto.WriteFile(file, roster.FormatFile(append(entries, b))); err != nil {
				return err
			}
			out.printf("%s is at version %d now. Genesis: %x", next.Name, next.Version, next.Genesis)
			return nil
		},
	}
	c.Flags().StringVar(&file, "roster", "", "file with the roster")
	return c
}

func rosterFetchCommand(out output) *cobra.Command {
	var o ordering
	c := &cobra.Command{
		Use: "fetch", Short: "Print the roster that a node knows, as a file for the other commands", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return o.with(c.Context(), func(n *client) error {
				var t struct{ Text string }
				if err := n.call(c.Context(), "GET", "/federation/roster/file", nil, &t); err != nil {
					return err
				}
				out.printf("%s", strings.TrimRight(t.Text, "\n"))
				return nil
			})
		},
	}
	o.reaching.flags(c.Flags())
	return c
}
