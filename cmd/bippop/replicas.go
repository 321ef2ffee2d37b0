package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// machines is what a node says of the replicas.
type machines struct {
	Items []struct {
		ID, Name, State     string
		URL                 string
		Level               uint16
		Here, Leader, Voter bool
		Alive               bool
		Current             bool      `json:"current_root"`
		HeardAt             time.Time `json:"heard_at"`
		Said                struct {
			Lag     uint64
			Free    uint64 `json:"free_bytes"`
			Program string
			Fault   string
			Expires time.Time `json:"certificate_until"`
		}
	}
	Quorum, Up int
	Level      uint16
	Leader     string
	Releases   []struct {
		Replica, Why string
		Waiting      bool
	}
}

// voters counts who votes.
func (m machines) voters() (n int) {
	for _, r := range m.Items {
		if r.Voter {
			n++
		}
	}
	return n
}

func replicasCommand(out output) *cobra.Command {
	var o ordering
	c := &cobra.Command{Use: "replicas", Short: "The machines on which the territory runs: list, add, remove, hand over"}
	o.flags(c.PersistentFlags())
	var hours int
	var how string
	invite := &cobra.Command{
		Use: "invite", Short: "Make a token that lets one machine join", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if hours < 1 || hours > 24 {
				return usagef("--hours is 1 to 24")
			}
			return o.invite(c.Context(), out, hours)
		},
	}
	invite.Flags().IntVar(&hours, "hours", 1, "how long the token holds, at most 24")
	destroyed := &cobra.Command{
		Use: "destroyed REPLICA", Short: "Record that the vault of a removed machine exists no more", Args: cobra.ExactArgs(1),
		Long: "destroyed is a person's word that the disk of a removed machine, and every copy of its vault, is wiped or shredded. Erasures that waited for it go on,\nand their certificates print what you say with --how.",
		RunE: func(c *cobra.Command, args []string) error {
			if strings.TrimSpace(how) == "" {
				return usagef("say how, without anybody's name: --how 'disk shredded on 3 May, minutes no. 12'")
			}
			return o.onReplica(c.Context(), args[0], func(c *client, r replicaName) error {
				if err := o.sure(out, fmt.Sprintf("Certificates will say, on your word, that the vault of %s is destroyed. This cannot be taken back.", r.name)); err != nil {
					return err
				}
				return o.do(r.ctx, c, out, "/replicas/"+r.id+"/destroyed", map[string]string{"how": how}, "Recorded: the vault of "+r.name+" is destroyed.")
			})
		},
	}
	destroyed.Flags().StringVar(&how, "how", "", "how it was destroyed; printed on certificates")
	remove := &cobra.Command{
		Use: "remove REPLICA", Short: "Take a machine out of the territory for ever", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return o.remove(c.Context(), out, args[0]) },
	}
	approve := &cobra.Command{
		Use: "approve REPLICA", Short: "Let a restarted machine have its unlock key", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return o.onReplica(c.Context(), args[0], func(c *client, r replicaName) error {
				if err := o.sure(out, fmt.Sprintf("%s gets what opens its vault. Make sure first that it is your machine, in its place, started by somebody you know.", r.name)); err != nil {
					return err
				}
				return o.do(r.ctx, c, out, "/replicas/"+r.id+"/approve", nil, "Approved: "+r.name+" is being unlocked.")
			})
		},
	}
	c.AddCommand(
		&cobra.Command{
			Use: "list", Short: "Show each machine: role, lag, disk, key, certificate", Args: cobra.NoArgs,
			RunE: func(c *cobra.Command, _ []string) error {
				return show(c.Context(), &o, out, "/replicas", func(m machines) { tellMachines(out, m) })
			},
		},
		invite, o.askYes(remove), o.askYes(destroyed), o.askYes(approve),
		&cobra.Command{
			Use: "transfer [REPLICA]", Short: "Hand leadership to a machine, or to whichever is best placed", Args: cobra.MaximumNArgs(1),
			RunE: func(c *cobra.Command, args []string) error { return o.transfer(c.Context(), out, args) },
		},
	)
	return c
}

// replicaName is a replica that a command names.
type replicaName struct {
	ctx      context.Context
	id, name string
	all      machines
}

// onReplica finds the replica by its name or its ID and hands it to f.
func (o *ordering) onReplica(ctx context.Context, text string, f func(*client, replicaName) error) error {
	return o.with(ctx, func(c *client) error {
		r := replicaName{ctx: ctx}
		if err := c.call(ctx, "GET", "/replicas", nil, &r.all); err != nil {
			return err
		}
		var names []string
		for _, m := range r.all.Items {
			names = append(names, m.Name)
			if m.ID == text || m.Name == text {
				r.id, r.name = m.ID, m.Name
			}
		}
		if r.id == "" {
			return usagef("there is no machine of this name; there are: %s", strings.Join(names, ", "))
		}
		return f(c, r)
	})
}

func (o *ordering) invite(ctx context.Context, out output, hours int) error {
	return o.with(ctx, func(c *client) error {
		var now machines
		if err := c.call(ctx, "GET", "/replicas", nil, &now); err != nil {
			return err
		}
		var made struct{ Token string }
		if err := c.call(ctx, "POST", "/replicas/invitations", map[string]int{"minutes": 60 * hours}, &made); err != nil {
			return err
		}
		if o.asJSON {
			return out.json(map[string]any{"token": made.Token, "hours": hours})
		}
		if (now.voters()+1)%2 == 0 {
			out.note("Once it is up to date the new machine stays in reserve: an odd number votes, 1, 3 or 5, so it waits for a further one to come or for one to go.")
		} else {
			voters := now.voters() + 1
			out.note("Once it is up to date the new machine votes: %s", quorumText(voters, voters/2+1, voters-voters/2-1))
		}
		out.printf("The token is shown once, lets one machine in, and holds for %d h. On the new machine:\n\n  bippop join --token-file - --peer-listen ITS-ADDRESS:7400 --dir /var/lib/bippop/data \\\n    --vault /etc/bippop/vault.age --identity /etc/bippop/identity.txt\n\nand paste the token there:\n\n  %s", hours, made.Token)
		return nil
	})
}

// quorumText says what a number of voters can stand.
func quorumText(voters, quorum, mayLose int) string {
	switch {
	case voters == 0:
		return "no machine votes: the service stops."
	case voters == 1:
		return "1 machine votes. If it stops, the service stops; if it is lost, only the backups are left."
	case mayLose == 0:
		return fmt.Sprintf("%d machines vote and all of them must be up to write: if one stops, nothing is written.", voters)
	}
	return fmt.Sprintf("%d machines vote and %d must be up to write: %d may fail.", voters, quorum, mayLose)
}

func (o *ordering) remove(ctx context.Context, out output, text string) error {
	return o.onReplica(ctx, text, func(c *client, r replicaName) error {
		var then struct {
			Voters, Quorum int
			MayLose        int    `json:"may_lose"`
			Refused        string `json:"refused"`
			Wait           bool   `json:"erasures_wait"`
		}
		if err := c.call(ctx, "GET", "/replicas/"+r.id+"/removal", nil, &then); err != nil {
			return err
		}
		if then.Refused != "" {
			return fmt.Errorf("%s cannot be removed now (%s): afterwards %s", r.name, then.Refused, quorumText(then.Voters, then.Quorum, then.MayLose))
		}
		warnings := []string{"Without " + r.name + ", " + quorumText(then.Voters, then.Quorum, then.MayLose), "It never comes back under this name, and its disk keeps its copy: wipe it."}
		if then.Wait {
			warnings = append(warnings, "Erasures will wait until its vault is recorded as destroyed: bippop replicas destroyed "+r.name)
		}
		if err := o.sure(out, warnings...); err != nil {
			return err
		}
		return o.do(ctx, c, out, "/replicas/"+r.id+"/remove", nil, r.name+" is removed.")
	})
}

func (o *ordering) transfer(ctx context.Context, out output, args []string) error {
	const wait = "Who votes does not change. For a second or two writes wait; nothing is lost."
	if len(args) == 0 {
		return o.with(ctx, func(c *client) error {
			out.note(wait)
			return o.do(ctx, c, out, "/replicas/step-down", nil, "Another machine leads now.")
		})
	}
	return o.onReplica(ctx, args[0], func(c *client, r replicaName) error {
		out.note(wait)
		return o.do(ctx, c, out, "/replicas/"+r.id+"/transfer", nil, r.name+" leads now.")
	})
}

func tellMachines(out output, m machines) {
	t := tabwriter.NewWriter(out.result, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tROLE\tCONTACT\tBEHIND\tFREE\tROOT KEY\tCERTIFICATE\tPROGRAM\tWRONG")
	for _, r := range m.Items {
		role := r.State
		switch {
		case r.Leader:
			role = "leads"
		case r.Voter:
			role = "follows"
		case r.State == "joining":
			role = "receives"
		}
		if r.State == "removed" || r.State == "destroyed" {
			fmt.Fprintf(t, "%s\t%s\n", r.Name, role)
			continue
		}
		contact, root := "silent", "older"
		if r.Alive || r.Here {
			contact = "answers"
		}
		if r.Current {
			root = "current"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%.1f GB\t%s\t%s\t%s (level %d)\t%s\n", r.Name, role, contact, r.Said.Lag, float64(r.Said.Free)/1e9, root, day(r.Said.Expires), r.Said.Program, r.Level, r.Said.Fault)
	}
	t.Flush()
	spare := max(0, m.Up-m.Quorum)
	out.printf("\n%d of %d voting machines are up, %d must be: %d more may fail.", m.Up, m.voters(), m.Quorum, spare)
	if m.Leader == "" {
		out.printf("No machine leads just now: nothing is written.")
	}
	for _, r := range m.Releases {
		for _, i := range m.Items {
			if r.Waiting && i.ID == r.Replica {
				out.printf("%s has restarted and waits for you (%s): bippop replicas approve %s", i.Name, r.Why, i.Name)
			}
		}
	}
}
