package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// places are what a node says of the places for backups.
type places struct {
	Items []struct {
		ID, Name, Kind, Path, Fault string
		Keys, Current               bool
		Last                        time.Time `json:"last_at"`
		Bytes                       uint64
	}
	Data   time.Time `json:"newest_data_at"`
	Keys   time.Time `json:"newest_keys_at"`
	Signer string
}

func backupCommand(out output) *cobra.Command {
	var o ordering
	c := &cobra.Command{
		Use: "backup", Short: "Copies of the territory: of the data, and of the keys",
		Long: "A data backup holds no key and may be old. Of the keys there is one backup only, the latest: an older one would bring back whom you have erased.\nKeep the two apart.",
	}
	o.flags(c.PersistentFlags())
	c.AddCommand(verifyCommand(&o, out), identityCommand(out)) // they ask no node
	c.AddCommand(dataCommand(&o, out), backupKeysCommand(&o, out), placeCommand(&o, out))
	c.AddCommand(
		&cobra.Command{
			Use: "status", Short: "Show each place, and how old what lies there is", Args: cobra.NoArgs,
			RunE: func(c *cobra.Command, _ []string) error {
				return show(c.Context(), &o, out, "/backups", func(p places) { tellPlaces(out, p) })
			},
		},
		&cobra.Command{
			Use: "now PLACE", Short: "Make the backup of a folder at once, and wait for it", Args: cobra.ExactArgs(1),
			RunE: func(c *cobra.Command, args []string) error {
				return o.onPlace(c.Context(), args[0], func(c *client, ctx context.Context, id, name string) error {
					return o.do(ctx, c, out, "/backups/"+id+"/now", nil, "The backup in "+name+" is made.")
				})
			},
		},
		o.askYes(&cobra.Command{
			Use: "kept PLACE", Short: "Record that you put the new key backup away and destroyed the older one", Args: cobra.ExactArgs(1),
			RunE: func(c *cobra.Command, args []string) error {
				return o.onPlace(c.Context(), args[0], func(c *client, ctx context.Context, id, name string) error {
					if err := o.sure(out, "Certificates of erasure will rest on your word that the new key backup lies in "+name+", and that the older one is destroyed."); err != nil {
						return err
					}
					return o.do(ctx, c, out, "/backups/"+id+"/kept", nil, "Recorded.")
				})
			},
		}),
		dropCommand(&o, out),
	)
	return c
}

func dropCommand(o *ordering, out output) *cobra.Command {
	var cleared bool
	c := &cobra.Command{
		Use: "drop PLACE", Short: "Give a place up", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return o.onPlace(c.Context(), args[0], func(c *client, ctx context.Context, id, name string) error {
				if err := o.sure(out, "No backup goes to "+name+" any more. A key backup in a folder is removed from it first; what lies in a manual place you destroy yourself, and say so with --cleared."); err != nil {
					return err
				}
				return o.do(ctx, c, out, "/backups/"+id+"/drop", map[string]bool{"cleared": cleared}, name+" is given up.")
			})
		},
	}
	c.Flags().BoolVar(&cleared, "cleared", false, "what lay in this manual place is destroyed")
	return o.askYes(c)
}

// onPlace finds the place by its name or its ID and hands it to f.
func (o *ordering) onPlace(ctx context.Context, text string, f func(c *client, ctx context.Context, id, name string) error) error {
	return o.with(ctx, func(c *client) error {
		var all places
		if err := c.call(ctx, "GET", "/backups", nil, &all); err != nil {
			return err
		}
		var names []string
		for _, p := range all.Items {
			names = append(names, fmt.Sprintf("%q", p.Name))
			if p.ID == text || p.Name == text {
				return f(c, ctx, p.ID, p.Name)
			}
		}
		return usagef("there is no place of this name; there are: %s", strings.Join(names, ", "))
	})
}

func tellPlaces(out output, p places) {
	for _, d := range p.Items {
		what, state := "data", "in order"
		if d.Keys {
			what = "keys"
			if !d.Current {
				state = "NOT of the current root key"
			}
		}
		if d.Fault != "" {
			state = "FAILED: " + d.Fault
		}
		out.printf("%s  %q (%s %s)  last %s, %.1f MB: %s", what, d.Name, d.Kind, d.Path, day(d.Last), float64(d.Bytes)/1e6, state)
	}
	out.printf("Newest data backup: %s. Newest key backup: %s.\nSigned by: %s", day(p.Data), day(p.Keys), p.Signer)
}

// placeCommand registers a place.
func placeCommand(o *ordering, out output) *cobra.Command {
	var name, kind, replica, path string
	var keys bool
	var recipients []string
	var file string
	var every time.Duration
	c := &cobra.Command{
		Use: "add", Short: "Register a place for backups", Args: cobra.NoArgs,
		Example: "  bippop backup add --name 'disk of room 2' --kind folder --replica replica-2 --path /mnt/backup --recipient age1pq…\n" +
			"  bippop backup add --name 'safe of the CCAS' --kind manual --keys --recipient age1pq…",
		RunE: func(c *cobra.Command, _ []string) error {
			all, err := readRecipients(recipients, file)
			switch {
			case err != nil:
				return err
			case name == "":
				return usagef("give the place a name: --name 'safe of the CCAS'")
			case kind != "folder" && kind != "manual":
				return usagef("say who looks after it: --kind folder (a machine) or --kind manual (a person)")
			case kind == "folder" && !filepath.IsAbs(path):
				return usagef("say which folder, from the root: --path /mnt/backup")
			case kind == "manual" && (path != "" || replica != ""):
				return usagef("a manual place has neither --path nor --replica")
			case every != 0 && (every < time.Hour || every > 7*24*time.Hour || every%time.Hour != 0):
				return usagef("--every is whole hours, from 1h to 168h")
			}
			in := map[string]any{"name": name, "kind": kind, "keys": keys, "recipients": all}
			if path != "" {
				in["path"] = path
			}
			if every != 0 {
				in["every_hours"] = int(every / time.Hour)
			}
			const done = "The place is registered, and it answers."
			if replica == "" {
				return o.with(c.Context(), func(cl *client) error { return o.do(c.Context(), cl, out, "/backups", in, done) })
			}
			return o.onReplica(c.Context(), replica, func(cl *client, r replicaName) error {
				in["replica"] = r.id
				return o.do(r.ctx, cl, out, "/backups", in, done)
			})
		},
	}
	f := c.Flags()
	f.StringVar(&name, "name", "", "what you call it")
	f.StringVar(&kind, "kind", "folder", "folder (a machine writes and clears it) or manual (a person does)")
	f.BoolVar(&keys, "keys", false, "for key backups; else for data backups")
	f.StringVar(&replica, "replica", "", "on which machine the folder is; by default the one that answers")
	f.StringVar(&path, "path", "", "the folder")
	f.DurationVar(&every, "every", 0, "how often, in whole hours; by default 24h")
	recipientFlags(c, &recipients, &file)
	return c
}

func recipientFlags(c *cobra.Command, recipients *[]string, file *string) {
	c.Flags().StringSliceVar(recipients, "recipient", nil, "age public key of who can open it (age1pq…); may be repeated")
	c.Flags().StringVar(file, "recipients-file", "", "file with one such key a line; lines that begin with # are left out")
}

// readRecipients are those of both flags, at least one.
func readRecipients(given []string, path string) (all []string, err error) {
	all = append(all, given...)
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading the recipients: %w", err)
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				all = append(all, line)
			}
		}
	}
	if len(all) == 0 {
		return nil, usagef("say who can open it: --recipient age1pq… or --recipients-file FILE")
	}
	for _, r := range all {
		if strings.HasPrefix(r, "AGE-SECRET-KEY") {
			return nil, usagef("one of these is a SECRET key: give the public one, which begins with age1, and keep the secret one far from here")
		}
		if !strings.HasPrefix(r, "age1") {
			return nil, usagef("a recipient begins with age1: age-keygen -pq prints it as the public key")
		}
	}
	return all, nil
}

func dataCommand(o *ordering, out output) *cobra.Command {
	var to, file string
	var recipients []string
	c := &cobra.Command{
		Use: "data", Short: "Write a data backup, encrypted and signed, to a folder or to standard output", Args: cobra.NoArgs,
		Long:    "data streams a consistent copy of everything while the territory works. No key is inside: it opens with today's key backup only.\nA file has its name only once it is whole.",
		Example: "  bippop backup data --to /mnt/backup --recipients-file recipients.txt --login admin --password-file password.txt",
		RunE: func(c *cobra.Command, _ []string) error {
			all, err := readRecipients(recipients, file)
			if err != nil {
				return err
			}
			if to == "" {
				return usagef("say where to: --to FOLDER, or --to - for standard output")
			}
			if to == "-" && o.asJSON {
				return usagef("--json and --to - both write to standard output: choose one")
			}
			path := "/backups/data?" + url.Values{"recipient": all}.Encode()
			if to == "-" {
				return o.with(c.Context(), func(cl *client) error {
					n, err := cl.stream(c.Context(), path, out.result, out.progress)
					if err == nil {
						out.note("%d bytes written.", n)
					}
					return err
				})
			}
			if info, err := os.Stat(to); err != nil || !info.IsDir() {
				return usagef("%s is not a folder: --to names one that exists", to)
			}
			name := filepath.Join(to, "data-"+time.Now().UTC().Format("20060102T150405Z")+".bippop")
			return o.save(c.Context(), out, path, name)
		},
	}
	c.Flags().StringVar(&to, "to", "", "folder to write to, or - for standard output")
	recipientFlags(c, &recipients, &file)
	return c
}

func backupKeysCommand(o *ordering, out output) *cobra.Command {
	var to string
	c := &cobra.Command{
		Use: "keys PLACE", Short: "Write the key backup that a person puts into a manual place", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if to == "" || to == "-" {
				return usagef("say which file: --to FILE; a key backup never goes to standard output")
			}
			return o.onPlace(c.Context(), args[0], func(_ *client, ctx context.Context, id, name string) error {
				if err := o.save(ctx, out, "/backups/"+id+"/keys", to); err != nil {
					return err
				}
				out.note("Put it into %s, destroy the older one, then: bippop backup kept %q", name, name)
				return nil
			})
		},
	}
	c.Flags().StringVar(&to, "to", "", "file to write; it must not exist")
	return c
}

// save streams path into the file name and says so.
func (o *ordering) save(ctx context.Context, out output, path, name string) error {
	return o.with(ctx, func(c *client) error {
		n, err := c.saveAs(ctx, path, name, out.progress)
		if err != nil {
			return err
		}
		if o.asJSON {
			return out.json(map[string]any{"file": name, "bytes": n})
		}
		out.printf("%s is whole: %d bytes.", name, n)
		return nil
	})
}

// saveAs writes to name with .part behind it first, so that half a file is never
// taken for a whole one. Both must not exist.
func (c *client) saveAs(ctx context.Context, path, name string, show io.Writer) (n int64, err error) {
	if _, err := os.Lstat(name); err == nil {
		return 0, fmt.Errorf("%s is there already: choose another name", name)
	}
	part := name + ".part"
	file, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return 0, fmt.Errorf("%s is left from a backup that was cut short, or another one is writing it: remove it if not", part)
	}
	if err != nil {
		return 0, fmt.Errorf("writing the backup: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(part)
		}
	}()
	if n, err = c.stream(ctx, path, file, show); err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return 0, err
	}
	if err := os.Rename(part, name); err != nil {
		return 0, fmt.Errorf("writing the backup: %w", err)
	}
	return n, syncFolder(filepath.Dir(name))
}

// syncFolder makes sure that a new name in it survives a power cut.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("writing the backup: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}

// stream copies an answer of any length to w, and shows on a terminal how far it
// is.
func (c *client) stream(ctx context.Context, path string, w, show io.Writer) (int64, error) {
	patient := *c
	patient.http = &http.Client{Transport: c.http.Transport} // ctx ends it, no clock
	answer, err := patient.send(ctx, "GET", path, "", nil)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	p := &bytesShown{w: w}
	if onTerminal(show) {
		p.show = show
	}
	n, err := io.Copy(p, answer.Body)
	p.end()
	switch {
	case err == nil:
		return n, nil
	case ctx.Err() != nil:
		return n, context.Cause(ctx)
	case p.failed != nil:
		return n, fmt.Errorf("writing the backup: %w", p.failed)
	}
	return n, errors.New("the backup was cut short, and what came is of no use: look at the node's log, then try again")
}

// bytesShown counts what passes, on a terminal.
type bytesShown struct {
	w      io.Writer
	show   io.Writer // nil: nowhere
	n      int64
	shown  time.Time
	failed error // of w
}

func (b *bytesShown) Write(p []byte) (int, error) {
	n, err := b.w.Write(p)
	b.failed = err
	b.n += int64(n)
	if now := time.Now(); b.show != nil && now.Sub(b.shown) > refreshEvery {
		b.shown = now
		fmt.Fprintf(b.show, "\rbackup: %.1f MB", float64(b.n)/1e6)
	}
	return n, err
}

// end clears the line.
func (b *bytesShown) end() {
	if b.show != nil {
		fmt.Fprintf(b.show, "\r\x1b[K")
	}
}
