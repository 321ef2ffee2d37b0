package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

// handoverCommand carries dossiers between two territories when communes have moved.
func handoverCommand(out output) *cobra.Command {
	c := &cobra.Command{
		Use:   "handover",
		Short: "Hand over the dossiers of communes that the roster has moved, or take them in",
		Long: "The receiver prints its recipient; the giver writes a file encrypted to it; people carry the file; the receiver takes it in, looks, and gives\n" +
			"the receipt in its feed. Only then can the giver erase. Volunteers are not in the file: each registers with the new territory himself.",
	}
	var o ordering
	verb := func(use, short string, n int, run func(context.Context, *client, []string) error) *cobra.Command {
		v := &cobra.Command{Use: use, Short: short, Args: cobra.ExactArgs(n), RunE: func(cmd *cobra.Command, args []string) error {
			return o.with(cmd.Context(), func(c *client) error { return run(cmd.Context(), c, args) })
		}}
		o.flags(v.Flags())
		return v
	}
	list := verb("list", "Show which communes moved, and where their dossiers are", 0, func(ctx context.Context, c *client, _ []string) error {
		var l struct {
			Items []struct {
				Roster          uint64 `json:"roster_version"`
				Giver, Receiver string
				Communes        []string
				Files           []struct {
					Digest, State string
					People        int
				}
			}
		}
		if err := c.call(ctx, "GET", "/federation/handovers", nil, &l); err != nil {
			return err
		}
		if o.asJSON {
			return out.json(l.Items)
		}
		for _, m := range l.Items {
			out.printf("roster version %d: %d communes from %s to %s", m.Roster, len(m.Communes), m.Giver, m.Receiver)
			for _, f := range m.Files {
				out.printf("  %s  %d people, %s", f.Digest, f.People, f.State)
			}
		}
		return nil
	})
	recipient := verb("recipient", "Print whom the giver has to encrypt to (on the receiver's node)", 0, func(ctx context.Context, c *client, _ []string) error {
		var t struct{ Text string }
		if err := c.call(ctx, "GET", "/federation/handovers/recipient", nil, &t); err != nil {
			return err
		}
		fmt.Fprint(out.result, t.Text)
		return nil
	})
	var (
		version uint64
		to      string
	)
	export := verb("export FILE", "Write the dossiers into FILE, encrypted to the receiver (on the giver's node)", 1, func(ctx context.Context, c *client, args []string) error {
		if version == 0 || to == "" {
			return usagef("say which move, and for whom: --roster VERSION --to RECIPIENT-FILE")
		}
		text, err := textOf(to)
		if err != nil {
			return err
		}
		var f struct {
			Digest string
			People int
			File   []byte
		}
		if err := c.call(ctx, "POST", "/federation/handovers/export", map[string]any{"roster_version": version, "recipient": text}, &f); err != nil {
			return err
		}
		if err := writeSealed(args[0], f.File); err != nil {
			return err
		}
		if o.asJSON {
			return out.json(map[string]any{"digest": f.Digest, "people": f.People})
		}
		out.printf("%d dossiers are in %s; only the receiver can open it. Its digest, to be read to each other:\n%s", f.People, filepath.Base(args[0]), f.Digest)
		return nil
	})
	export.Flags().Uint64Var(&version, "roster", 0, "version of the roster that moved the communes")
	export.Flags().StringVar(&to, "to", "", "file with what the receiver's node has printed; - reads standard input")
	take := verb("import FILE", "Take a file in; the same file goes on where it was interrupted (on the receiver's node)", 1, func(ctx context.Context, c *client, args []string) error {
		b, err := os.ReadFile(args[0])
		if err != nil {
			return fmt.Errorf("reading the file: %w", err)
		}
		var f struct {
			Digest, Import string
			People         int
		}
		if err := c.call(ctx, "POST", "/federation/handovers", map[string]any{"file": b}, &f); err != nil {
			return err
		}
		if o.asJSON {
			return out.json(map[string]any{"digest": f.Digest, "people": f.People, "import": f.Import})
		}
		out.printf("%d people are here. Look at them; bippop import undo %s takes them back. Then give the receipt:\nbippop federation handover receipt %s --yes", f.People, f.Import, f.Digest)
		return nil
	})
	receipt := o.askYes(verb("receipt DIGEST", "Say for ever that all dossiers are here: the giver may erase (on the receiver's node)", 1, func(ctx context.Context, c *client, args []string) error {
		if err := o.sure(out, "The giver may erase its dossiers then: the import cannot be undone any more. Destroy the file afterwards."); err != nil {
			return err
		}
		return o.do(ctx, c, out, "/federation/handovers/receipt", map[string]string{"digest": args[0]}, "Said. The giver hears of it within minutes. Destroy the file now.")
	}))
	erase := o.askYes(verb("erase DIGEST", "Erase those who were handed over, once the receipt has come (on the giver's node)", 1, func(ctx context.Context, c *client, args []string) error {
		if err := o.sure(out, "These people are erased here within the hour, with their open requests. It does not come back."); err != nil {
			return err
		}
		var n struct{ Erased, Kept int }
		if err := c.call(ctx, "POST", "/federation/handovers/erase", map[string]string{"digest": args[0]}, &n); err != nil {
			return err
		}
		if o.asJSON {
			return out.json(map[string]any{"erased": n.Erased, "kept": n.Kept})
		}
		out.printf("%d people are erased within the hour; %d stay, changed since the file was written: tell the receiver, then erase each.", n.Erased, n.Kept)
		return nil
	}))
	c.AddCommand(list, recipient, export, take, receipt, erase)
	return c
}

// writeSealed writes a file that must not exist, whole or not at all.
func writeSealed(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already: choose another name", filepath.Base(path))
	}
	if err != nil {
		return fmt.Errorf("writing the file: %w", err)
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(path)
		return errors.New("the file was cut short, and nothing is left of it: try again")
	}
	return nil
}
