package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// memberCommands are what a running node does about the federation.
func memberCommands(out output) []*cobra.Command {
	var (
		o     ordering
		email string
		take  bool
	)
	verb := func(use, short string, n int, run clientVerb) *cobra.Command {
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
	status := statusCommand(out)
	join := verb("join FILE", "Join the federation of an invitation; - reads it from standard input", 1, func(ctx context.Context, c *client, args []string) error {
		text, err := textOf(args[0])
		if err != nil {
			return err
		}
		if err := c.call(ctx, "POST", "/federation/join", map[string]string{"invitation": text}, nil); err != nil {
			return err
		}
		out.note("Joined. Now send the application to the coordinator:\n  bippop federation apply --email OFFICE@… > application.txt")
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
	begin := beginCommand(out)
	draft := verb("admit FILE", "Draft the roster's entry for an application (on the coordinator's node)", 1, func(ctx context.Context, c *client, args []string) error {
		application, err := textOf(args[0])
		if err != nil {
			return err
		}
		return text("/federation/drafts", map[string]any{"application": application, "take": take})(ctx, c)
	})
	draft.Flags().BoolVar(&take, "take", false, "communes of it that another territory answers for now move to it: the roster says so, and dossiers follow by bippop federation handover")
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
	return append([]*cobra.Command{status, begin, join, apply, invite, draft, publish, o.askYes(leave), sync}, draftCommands(verb, text)...)
}

// clientVerb is what a command does with a node that it has signed in to.
type clientVerb func(context.Context, *client, []string) error

// draftCommands are the other changes of the roster that a coordinator's node drafts.
func draftCommands(verb func(use, short string, n int, run clientVerb) *cobra.Command, text func(path string, in any) func(context.Context, *client) error) []*cobra.Command {
	var (
		last, size uint64
		root       string
		threshold  int
		days       int
	)
	remove := verb("remove SIREN", "Draft the end of a membership (on the coordinator's node)", 1, func(ctx context.Context, c *client, args []string) error {
		return text("/federation/drafts", map[string]any{"remove": args[0], "last": last})(ctx, c)
	})
	remove.Flags().Uint64Var(&last, "last", 0, "how many entries of its feed count, the first ones")
	epoch := verb("epoch SIREN", "Draft a new beginning of a member's feed, after a fork that people have settled (on the coordinator's node)", 1, func(ctx context.Context, c *client, args []string) error {
		return text("/federation/drafts", map[string]any{"epoch": args[0], "size": size, "root": root})(ctx, c)
	})
	epoch.Flags().Uint64Var(&size, "size", 0, "how many entries of the former epoch count")
	epoch.Flags().StringVar(&root, "root", "", "the root they lead to, 64 hexadecimal digits")
	renew := verb("renew", "Draft a renewal of the roster (on the coordinator's node)", 0, func(ctx context.Context, c *client, _ []string) error {
		return text("/federation/drafts", map[string]any{"renew": days})(ctx, c)
	})
	renew.Flags().IntVar(&days, "days", 400, "how many days from today it counts")
	hubs := verb("hubs FILE", "Draft which hubs there are, all of them, from a JSON file (on the coordinator's node)", 1, func(ctx context.Context, c *client, args []string) error {
		all, err := hubLines(args...)
		if err != nil {
			return err
		}
		return text("/federation/drafts", map[string]any{"hubs": all, "threshold": threshold})(ctx, c)
	})
	hubs.Flags().IntVar(&threshold, "threshold", 2, "how many witnesses must sign: more than half, two at least")
	return []*cobra.Command{remove, epoch, renew, hubs}
}

// hubLines reads the hubs of all files.
func hubLines(paths ...string) (all []hubFile, err error) {
	for _, path := range paths {
		some, err := readHubs(path)
		if err != nil {
			return nil, err
		}
		for _, h := range some {
			all = append(all, hubFile{Name: h.Name, Operator: h.Operator, Peer: h.Peer, Key: h.Key, Addresses: h.Addresses, Witness: h.Witness})
		}
	}
	return all, nil
}

func beginCommand(out output) *cobra.Command {
	var (
		o         ordering
		name      string
		demo      bool
		who       holding
		hubs      []string
		threshold int
		days      int
	)
	c := &cobra.Command{
		Use: "init", Short: "Draft the founding of a federation (on the coordinator's node)", Args: cobra.NoArgs,
		Long: "init prints the draft of a federation's first entry: its name, those who hold the roster, its hubs, and this node as its coordinator.\n" +
			"Every holder reads and signs it; then it counts, once:\n\n" +
			"  bippop federation key new mine.key --name OFFICE                 each holder, on his own machine\n" +
			"  bippop federation hub here --name … > hub1.json                  or hub new, for a hub alone\n" +
			"  bippop federation init --name … --holder … --need 2 --hubs hub1.json --hubs hub2.json > founding.txt\n" +
			"  bippop federation roster sign founding.txt --key mine.key --yes  each holder\n" +
			"  bippop federation publish founding.txt\n" +
			"  bippop federation invite SIREN > invitation.txt                  for each territory",
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case name == "":
				return usagef("say what the federation is called: --name NAME")
			case len(who.keys) == 0 || who.need == 0:
				return usagef("say who holds the roster: --holder KEY, once for each, and --need how many of them sign; each draws a key with bippop federation key new")
			case len(hubs) == 0:
				return usagef("say which hubs there are: --hubs FILE, as bippop federation hub new or hub here has printed it")
			}
			all, err := hubLines(hubs...)
			if err != nil {
				return err
			}
			return o.with(c.Context(), func(n *client) error {
				var t struct{ Text string }
				if err := n.call(c.Context(), "POST", "/federation/founding", map[string]any{
					"name": name, "demo": demo, "holders": who.keys, "need": who.need, "hubs": all, "threshold": threshold, "days": days,
				}, &t); err != nil {
					return err
				}
				out.printf("%s", strings.TrimRight(t.Text, "\n"))
				out.note("Nothing counts yet. Every holder reads and signs it (bippop federation roster sign), then: bippop federation publish")
				return nil
			})
		},
	}
	o.reaching.flags(c.Flags())
	who.flags(c)
	f := c.Flags()
	f.StringVar(&name, "name", "", "of the federation")
	f.StringArrayVar(&hubs, "hubs", nil, "file with hubs; may be repeated")
	f.IntVar(&threshold, "threshold", 2, "how many witnesses must sign: more than half, two at least but in a demo")
	f.IntVar(&days, "days", 400, "how long the roster counts unless it is renewed")
	f.BoolVar(&demo, "demo", false, "a demo: one witness is enough, members may be simulated")
	return c
}

// placeAmong is the territory's place in the federation as the node tells it.
type placeAmong struct {
	Name             string
	Genesis          string
	Next             string
	Version          uint64 `json:"roster_version"`
	Expires          string
	Epoch            int
	Entries, Settled uint64
	Speaks           bool
	Restored         bool
	Trouble          string
	Hubs             []struct {
		Name, Refusal string
		Reached       time.Time `json:"reached_at"`
	}
	Machines []struct {
		Name            string
		Answers, Listed bool
	}
	Strange int `json:"strange_machines"`
}

// nextSteps say what an operator does next, by the node's word for it.
var nextSteps = map[string]string{
	"join": "This territory belongs to no federation.\nNext: ask the coordinator for an invitation, by mail or on paper, never over the network; then\n  bippop federation join invitation.txt",
	"found": "No federation has been founded yet; this is a coordinator's node.\nNext: the holders draw their keys (bippop federation key new), hubs are made known (bippop federation hub new, or here); then\n" +
		"  bippop federation init --help",
	"roster": "No hub has given the roster yet: hubs answer those whom the roster names.\nNext: send the application to the coordinator, unless you have, and wait until it is published:\n" +
		"  bippop federation apply --email OFFICE@… > application.txt",
	"apply":   "The roster does not name this territory.\nNext: send the application to the coordinator, unless you have, and wait until it is published:\n  bippop federation apply --email OFFICE@… > application.txt",
	"keys":    "The roster names other machines than there are.\nNext: with all machines running, send the application to the coordinator again:\n  bippop federation apply > application.txt",
	"expired": "The roster has expired: nothing leaves and nothing comes in. Nothing is lost.\nNext: the coordinator renews it (bippop federation renew), and the holders sign.",
	"hubs": "Too few hubs answer, so nothing is said; what waits leaves afterwards.\nNext: see which, below, and whether this machine reaches their addresses; then\n" +
		"  bippop federation sync",
	"own":    "Too few of this territory's own machines sign, so nothing is said; what waits leaves by itself afterwards.\nNext: start the missing ones; \"last round\", below, has what each of them said.",
	"clock":  "This machine's clock and the hubs' are apart, or were when something was said.\nNext: set it right (timedatectl). What is dated ahead leaves by itself the day before its date, and what stands behind it too; the hubs take nothing of later than tomorrow.",
	"epoch":  "The roster opens another epoch of this territory's feed, and this record cannot follow yet. Nothing leaves, nothing is lost.\nNext: wait for a round with the hubs; if it stays so, send the line \"last round\", below, to the coordinator.",
	"frozen": "FROZEN: two signed versions of this territory's feed contradict each other. Nothing leaves.\nNext: change nothing, keep every machine's disk as it is, and call the coordinator with both texts from the page /federation.",
	"none":   "All is well with the federation.",
}

func statusCommand(out output) *cobra.Command {
	var o ordering
	c := &cobra.Command{
		Use: "status", Short: "Show where the territory stands in the federation, and what to do next", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return show(c.Context(), &o, out, "/federation", func(s placeAmong) { s.tell(out) })
		},
	}
	o.flags(c.Flags())
	return c
}

func (s placeAmong) tell(out output) {
	out.printf("%s", nextSteps[s.Next])
	if s.Restored {
		out.printf("This record came back from a backup. It says nothing before enough hubs have shown what it had said; what it has lost comes back from them.")
	}
	if s.Name != "" {
		out.printf("%s, roster version %d%s; genesis %s", s.Name, s.Version, map[bool]string{true: ", counts until " + s.Expires}[s.Expires != ""], s.Genesis)
		out.printf("epoch %d: %d entries, %d of them confirmed", s.Epoch, s.Entries, s.Settled)
	}
	if s.Trouble != "" {
		out.printf("last round: %s", s.Trouble)
	}
	for _, h := range s.Hubs {
		said := "reached " + day(h.Reached)
		switch {
		case h.Refusal != "":
			said = h.Refusal
		case h.Reached.IsZero() && s.Speaks:
			said = "not reached yet"
		case h.Reached.IsZero():
			said = "another machine speaks to it"
		}
		out.printf("hub %s: %s", h.Name, said)
	}
	for _, m := range s.Machines {
		said := "in the roster"
		switch {
		case !m.Answers:
			said = "does not answer now"
		case !m.Listed:
			said = "NOT IN THE ROSTER"
		}
		out.printf("machine %s: %s", m.Name, said)
	}
	if s.Strange > 0 {
		out.printf("The roster names %d more machines that this territory does not have.", s.Strange)
	}
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
