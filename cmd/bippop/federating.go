package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// memberCommands are what a running node does about the federation.
func memberCommands(out output) []*cobra.Command {
	var (
		o     ordering
		email string
	)
	verb := func(use, short string, n int, run func(context.Context, *client, []string) error) *cobra.Command {
		c := &cobra.Command{Use: use, Short: short, Args: cobra.ExactArgs(n), RunE: func(cmd *cobra.Command, args []string) error {
			c, err := o.signIn(cmd.Context())
			if err != nil {
				return err
			}
			defer c.signOut(cmd.Context())
			return run(cmd.Context(), c, args)
		}}
		o.flags(c.Flags())
		return c
	}
	status := verb("status", "Show where the territory stands in the federation, and what to do next", 0, func(ctx context.Context, c *client, _ []string) error {
		var s struct {
			Name          string
			Next          string
			Version       uint64 `json:"roster_version"`
			Epoch         int
			Size, Settled uint64
			Entries       uint64
			Trouble       string
			Hubs          []struct {
				Name, Refusal string
				Reached       string `json:"reached_at"`
			}
		}
		if err := c.call(ctx, "GET", "/federation", nil, &s); err != nil {
			return err
		}
		out.printf("%s", map[string]string{
			"join": "This territory belongs to no federation: bippop federation join FILE", "roster": "No hub has given the roster yet: send the application, bippop federation apply",
			"apply": "The roster does not name this territory: send the application, bippop federation apply", "keys": "The roster names other machines than there are: send the application again, bippop federation apply",
			"expired": "The roster has expired: the coordinator has to renew it", "hubs": "Too few hubs answer: check that this machine reaches them",
			"frozen": "Nothing leaves: two signed versions contradict each other; call the coordinator", "none": "All is well with the federation.",
		}[s.Next])
		if s.Name != "" {
			out.printf("%s, roster version %d; epoch %d: %d entries, %d confirmed", s.Name, s.Version, s.Epoch, s.Entries, s.Settled)
		}
		for _, h := range s.Hubs {
			said := "reached " + h.Reached
			if h.Refusal != "" {
				said = h.Refusal
			} else if h.Reached == "" {
				said = "not called yet"
			}
			out.printf("hub %s: %s", h.Name, said)
		}
		return nil
	})
	join := verb("join FILE", "Join the federation of an invitation; - reads it from standard input", 1, func(ctx context.Context, c *client, args []string) error {
		text, err := textOf(args[0])
		if err != nil {
			return err
		}
		if err := c.call(ctx, "POST", "/federation/join", map[string]string{"invitation": text}, nil); err != nil {
			return err
		}
		out.note("Joined. Now send the application to the coordinator: bippop federation apply")
		return nil
	})
	text := func(path string, in any) func(context.Context, *client) error {
		return func(ctx context.Context, c *client) error {
			var t struct {
				Text  string
				Tells []string
			}
			if err := c.call(ctx, "POST", path, in, &t); err != nil {
				return err
			}
			for _, line := range t.Tells {
				out.note("%s", line)
			}
			out.printf("%s", strings.TrimRight(t.Text, "\n"))
			return nil
		}
	}
	apply := verb("apply", "Print the application that the coordinator needs, signed by every machine", 0, func(ctx context.Context, c *client, _ []string) error {
		return text("/federation/application", map[string]string{"email": email})(ctx, c)
	})
	apply.Flags().StringVar(&email, "email", "", "functional mailbox of the office, for neighbours")
	invite := verb("invite SIREN", "Print the invitation of a territory (on the coordinator's node)", 1, func(ctx context.Context, c *client, args []string) error {
		return text("/federation/invitations", map[string]string{"siren": args[0]})(ctx, c)
	})
	draft := verb("admit FILE", "Draft the roster's entry for an application (on the coordinator's node)", 1, func(ctx context.Context, c *client, args []string) error {
		application, err := textOf(args[0])
		if err != nil {
			return err
		}
		return text("/federation/drafts", map[string]string{"application": application})(ctx, c)
	})
	publish := verb("publish FILE", "Make a draft that enough holders have signed an entry of the roster", 1, func(ctx context.Context, c *client, args []string) error {
		signed, err := textOf(args[0])
		if err != nil {
			return err
		}
		if err := c.call(ctx, "POST", "/federation/roster", map[string]string{"draft": signed}, nil); err != nil {
			return err
		}
		out.note("Published: hubs and members take it with their next call.")
		return nil
	})
	leave := verb("leave", "Leave the federation; what has left stays in the ledger", 0, func(ctx context.Context, c *client, _ []string) error {
		if err := o.sure(out, "Nothing more will be said to others, and they will hear nothing from this territory."); err != nil {
			return err
		}
		return c.call(ctx, "POST", "/federation/leave", nil, nil)
	})
	sync := verb("sync", "Call the hubs now", 0, func(ctx context.Context, c *client, _ []string) error {
		return c.call(ctx, "POST", "/federation/sync", nil, nil)
	})
	return []*cobra.Command{status, join, apply, invite, draft, publish, leave, sync}
}

// textOf reads a file, or standard input for "-".
func textOf(path string) (string, error) {
	if path == "-" {
		b, err := io.ReadAll(io.LimitReader(os.Stdin, 64<<10))
		return string(b), err
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading the text: %w", err)
	}
	return string(b), nil
}
