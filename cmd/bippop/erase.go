package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// erasables are the kinds of records that can be erased, as the API says them.
var erasables = []string{"beneficiary", "volunteer", "account", "import"}

func eraseCommand(out output) *cobra.Command {
	var o ordering
	var now bool
	c := &cobra.Command{
		Use: "erase " + strings.Join(erasables, "|") + " ID", Short: "Make somebody's words unreadable for ever", Args: cobra.ExactArgs(2),
		Long: "erase notes that somebody is to be erased with the next batch, within the hour; until then bippop erasures keep ID takes it back. With --now it is done at once.\n" +
			"Planned visits are called off first. An account has to be closed before, an import undone.",
		RunE: func(c *cobra.Command, args []string) error {
			kind, id := args[0], strings.ToLower(args[1])
			switch {
			case !slices.Contains(erasables, kind):
				return usagef("say what is to be erased: %s", strings.Join(erasables, ", "))
			case !isID(id):
				return usagef("name the record by its ID, as it stands in the address of its page")
			}
			when := "with the next batch, within the hour"
			if now {
				when = "at once"
			}
			if err := o.sure(out, fmt.Sprintf("Every word of this %s becomes unreadable for ever, %s: here, on all machines and in old backups. Its planned visits are called off.", kind, when)); err != nil {
				return err
			}
			done := "Noted: it will be erased " + when + "."
			if now {
				done = "Erased. What the certificate still waits for: bippop erasures list"
			}
			return o.with(c.Context(), func(cl *client) error {
				return o.do(c.Context(), cl, out, "/erasures", map[string]any{"kind": kind, "id": id, "now": now}, done)
			})
		},
	}
	o.flags(c.Flags())
	c.Flags().BoolVar(&now, "now", false, "at once, not with the next batch")
	return o.askYes(c)
}

// erasedOnce is an erasure as the API tells it.
type erasedOnce struct {
	ID      string
	At      time.Time
	Who     []struct{ Kind, ID string }
	From    string
	To      string
	Holders []struct {
		Name, How string
		Gone      time.Time `json:"gone_at"`
		Destroyed time.Time `json:"destroyed_at"`
	}
	Backups []struct {
		Name     string
		Replaced time.Time `json:"replaced_at"`
	}
	Certified time.Time `json:"certified_at"`
	Limits    []string
	ClearDay  string `json:"clear_day"`
}

// waits says what keeps it from being certified.
func (e erasedOnce) waits() string {
	if !e.Certified.IsZero() {
		return "certified " + day(e.Certified)
	}
	var on []string
	for _, h := range e.Holders {
		if h.Gone.IsZero() && h.Destroyed.IsZero() {
			on = append(on, h.Name)
		}
	}
	for _, b := range e.Backups {
		if b.Replaced.IsZero() {
			on = append(on, fmt.Sprintf("key backup %q", b.Name))
		}
	}
	return "pending on " + strings.Join(on, ", ")
}

func erasuresCommand(out output) *cobra.Command {
	var o ordering
	c := &cobra.Command{Use: "erasures", Short: "Who waits to be erased, what was erased, and what is certified"}
	o.flags(c.PersistentFlags())
	run := &cobra.Command{
		Use: "run", Short: "Erase everybody who waits, now", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.sure(out, "Everybody who waits becomes unreadable for ever, at once: bippop erasures list shows whom."); err != nil {
				return err
			}
			return o.with(c.Context(), func(cl *client) error {
				return o.do(c.Context(), cl, out, "/erasures/run", nil, "Erased. What the certificate still waits for: bippop erasures list")
			})
		},
	}
	// byID runs f with an argument that is an ID.
	byID := func(use, short string, f func(*cobra.Command, string) error) *cobra.Command {
		return &cobra.Command{Use: use + " ID", Short: short, Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
			id := strings.ToLower(args[0])
			if !isID(id) {
				return usagef("name the erasure by its ID: bippop erasures list shows it")
			}
			return f(c, id)
		}}
	}
	c.AddCommand(
		&cobra.Command{
			Use: "list", Short: "Show who waits and what was done", Args: cobra.NoArgs,
			RunE: func(c *cobra.Command, _ []string) error {
				type listed struct {
					Waiting []struct {
						ID  string
						Who struct{ Kind, ID string }
						At  time.Time
					}
					Items []erasedOnce
				}
				return show(c.Context(), &o, out, "/erasures", func(l listed) {
					for _, w := range l.Waiting {
						out.printf("waiting  %s  %s %s, since %s", w.ID, w.Who.Kind, w.Who.ID, day(w.At))
					}
					for _, e := range l.Items {
						out.printf("done     %s  %d records on %s, %s", e.ID, len(e.Who), day(e.At), e.waits())
					}
					if len(l.Waiting)+len(l.Items) == 0 {
						out.printf("Nobody waits, and nobody was erased so far.")
					}
				})
			},
		},
		byID("show", "Print the certificate of an erasure", func(c *cobra.Command, id string) error {
			return show(c.Context(), &o, out, "/erasures/"+id, func(e erasedOnce) { tellCertificate(out, e) })
		}),
		byID("keep", "Take a wish back, as long as the batch has not run", func(c *cobra.Command, id string) error {
			return o.with(c.Context(), func(cl *client) error {
				return o.do(c.Context(), cl, out, "/erasures/"+id+"/keep", nil, "Noted: the record stays.")
			})
		}),
		o.askYes(run),
	)
	return c
}

// limitTexts say what a certificate cannot promise.
var limitTexts = map[string]string{
	"vault-copies":    "it holds unless an older copy of a vault exists together with what opens it",
	"one-replica":     "the territory ran on a single machine, and no other confirmed what it did",
	"backups-35-days": "identifiers, communes and dates, without a word, stay in data backups for at most 35 days",
	"manual-backups":  "that an older key backup put away by hand was destroyed is a person's word",
}

func tellCertificate(out output, e erasedOnce) {
	out.printf("Erasure %s of %s: %s", e.ID, day(e.At), e.waits())
	for _, r := range e.Who {
		out.printf("  %s %s", r.Kind, r.ID)
	}
	out.printf("Root key destroyed: %s\nRoot key since:     %s", e.From, e.To)
	for _, h := range e.Holders {
		switch {
		case !h.Gone.IsZero():
			out.printf("  %s destroyed it on %s", h.Name, day(h.Gone))
		case !h.Destroyed.IsZero():
			out.printf("  %s is removed; somebody recorded on %s that its vault is destroyed: %s", h.Name, day(h.Destroyed), h.How)
		default:
			out.printf("  %s has not confirmed yet", h.Name)
		}
	}
	for _, b := range e.Backups {
		if b.Replaced.IsZero() {
			out.printf("  key backup %q: an older one may still lie there", b.Name)
			continue
		}
		out.printf("  key backup %q replaced on %s", b.Name, day(b.Replaced))
	}
	for _, l := range e.Limits {
		text, ok := limitTexts[l]
		if !ok {
			text = l
		}
		out.printf("Not promised: %s.", text)
	}
	if e.ClearDay != "" {
		out.printf("On %s the last data backup with them will be gone.", e.ClearDay)
	}
}
