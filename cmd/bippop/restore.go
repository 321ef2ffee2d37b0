package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/spf13/cobra"
)

func restoreCommand(env func(string) string, out output) *cobra.Command {
	var (
		cfg              node.Config
		key              unsealing
		r                node.Restoring
		recovery, verify string
		asJSON           bool
	)
	c := &cobra.Command{
		Use:   "restore",
		Short: "Bring a territory back from its backups, onto a bare machine",
		Long: "restore reads a data backup and the key backup whole, verifies who signed them, and makes this machine the first replica of the territory's next life.\n" +
			"Nothing is left behind when it fails. Who was erased stays erased. An old data backup with today's key backup gives back everybody but those erased since.\n" +
			"Machines of the former life can never join this one: keep them off, destroy their vaults, and record that.",
		Example: "  bippop restore --data data-20261122T030000.000Z.bippop --keys keys-0000000007-20261122T030000.000Z.bippop --recovery recovery.txt \\\n" +
			"    --verify-key 7ee3… --dir /var/lib/bippop/data --vault /etc/bippop/vault.age --identity /etc/bippop/identity.txt",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case r.Data == "" || r.Keys == "":
				return usagef("give both backups: --data FILE and --keys FILE; a data backup without the key backup opens nothing")
			case recovery == "":
				return usagef("say what opens the backups: --recovery FILE, with the identity from your safe")
			case cfg.Dir == "" || cfg.Vault == "":
				return usagef("say where to put it: --dir FOLDER for the data and --vault FILE, outside that folder, for the keys")
			}
			if err := key.check(); err != nil {
				return err
			}
			var err error
			if r.Signer, err = parseSigner(verify); err != nil {
				return err
			}
			if r.Recovery, err = crypto.IdentityFile(recovery); err != nil {
				return err
			}
			if node.Founded(cfg) {
				return fmt.Errorf("there is a vault at %s already: restore onto a machine that holds nothing, or choose another place", cfg.Vault)
			}
			limitMemory(env)
			cfg.Logger = node.NewLogger(out.progress, slog.LevelWarn)
			var made bool
			if cfg.Unseal, made, err = key.make(); err != nil {
				return err
			}
			shown := newFileShown(out.progress, "restoring")
			r.Read = shown.read
			got, err := node.Restore(c.Context(), cfg, r)
			shown.end()
			if err != nil {
				if made && !node.Founded(cfg) {
					os.Remove(key.identity) // it opens nothing
				}
				return err
			}
			if asJSON {
				return out.json(map[string]any{
					"restored": true, "siren": got.Territory.Siren, "data_at": got.DataMade.Time().UTC(), "keys_at": got.KeysMade.Time().UTC(), "signer": got.Signer,
					"kept": got.Kept, "erased": got.Erased, "lost": got.Lost, "former_places": got.Places, "identity_made": made,
				})
			}
			tellRestored(out, cfg, key, got, verify == "", made)
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&r.Data, "data", "", "data backup, of any age")
	f.StringVar(&r.Keys, "keys", "", "key backup, the latest")
	f.StringVar(&recovery, "recovery", "", "file with the identity for which the backups were made")
	f.StringVar(&verify, "verify-key", "", "who must have signed both: the key on the recovery sheet; without it, it is shown to you")
	f.BoolVar(&r.AcceptLoss, "accept-loss", false, "go on although people were added after the key backup was made: nobody can ever read them")
	f.StringVar(&cfg.Dir, "dir", "", "data folder, new or empty")
	f.StringVar(&cfg.Vault, "vault", "", "where to write the vault; outside the data folder and its backups")
	key.flags(f)
	f.BoolVar(&asJSON, "json", false, "print one line for programs")
	return c
}

func tellRestored(out output, cfg node.Config, key unsealing, got node.Restored, unchecked, made bool) {
	at := func(i node.Instant) string { return i.Time().UTC().Format(time.DateTime) + " UTC" }
	out.printf("The territory %s (%s) is restored: data of %s, keys of %s.", got.Territory.Siren, got.Territory.Name, at(got.DataMade), at(got.KeysMade))
	out.printf("%d people, accounts and imports can be read. %d were erased since the data backup and stay erased.", got.Kept, got.Erased)
	if got.Lost > 0 {
		out.printf("%d were newer than the key backup: nobody can ever read them, and they are gone.", got.Lost)
	}
	if unchecked {
		out.printf("\nBoth backups were signed by\n  %s\nCompare it with the recovery sheet before anybody works here.", got.Signer)
	}
	if made {
		out.printf("\nA new identity is in %s: it opens this machine's keys.\nKeep a copy in a safe, not beside the backups.", key.identity)
	}
	out.printf("\nNext:\n  bippop serve --dir %s --vault %s %s\n", cfg.Dir, cfg.Vault, key.words())
	out.printf("- Then let further machines join (bippop replicas invite), if there were several.")
	if got.Places > 0 {
		out.printf("- Register the places for backups anew (bippop backup add) and give up the former ones (bippop backup drop).")
	}
	out.printf("- Destroy the vaults of the former machines and record it (bippop replicas destroyed): erasures wait for them.")
	out.printf("- Everybody signs in again; passwords are the same.")
}

// parseSigner reads --verify-key; none: whoever signed is shown.
func parseSigner(text string) (crypto.VerifyKey, error) {
	if text == "" {
		return crypto.AnySigner, nil
	}
	k, err := crypto.ParseVerifyKey(text)
	if err != nil {
		return k, usageError{fmt.Errorf("--verify-key: %w", err)}
	}
	return k, nil
}

func verifyCommand(o *ordering, out output) *cobra.Command {
	var verify, recovery string
	c := &cobra.Command{
		Use: "verify FILE", Short: "Read a backup to its end: whole, unaltered, and signed by whom", Args: cobra.ExactArgs(1),
		Long: "verify needs neither a node nor, without --recovery, anything that opens the backup. With --recovery it looks inside, too.",
		RunE: func(c *cobra.Command, args []string) error {
			from, err := parseSigner(verify)
			if err != nil {
				return err
			}
			var opens crypto.Unsealer
			if recovery != "" {
				if opens, err = crypto.IdentityFile(recovery); err != nil {
					return err
				}
			}
			shown := newFileShown(out.progress, "verifying")
			f, err := node.VerifyBackup(args[0], from, opens, recovery != "", shown.read)
			shown.end()
			if err != nil {
				return err
			}
			if o.asJSON {
				facts := map[string]any{"file": args[0], "whole": true, "bytes": f.Bytes, "signer": f.Signer, "opened": f.Opened}
				if f.Opened {
					facts["keys"], facts["siren"], facts["made_at"] = f.Keys, f.Territory, f.Made.Time().UTC()
				}
				return out.json(facts)
			}
			out.printf("%s is whole: %d bytes.", args[0], f.Bytes)
			if f.Opened {
				what := "a data backup"
				if f.Keys {
					what = "the key backup"
				}
				out.printf("It is %s of the territory %s, made %s UTC.", what, f.Territory, f.Made.Time().UTC().Format(time.DateTime))
			}
			if verify == "" {
				out.printf("Signed by %s\nCompare it with the recovery sheet, or give it as --verify-key.", f.Signer)
			} else {
				out.printf("Signed by the key that you gave.")
			}
			return nil
		},
	}
	c.Flags().StringVar(&verify, "verify-key", "", "who must have signed it: the key on the recovery sheet")
	c.Flags().StringVar(&recovery, "recovery", "", "file with the identity for which it was made, to look inside")
	return c
}

func identityCommand(out output) *cobra.Command {
	return &cobra.Command{
		Use: "identity FILE", Short: "Make an identity that opens backups, for a safe", Args: cobra.ExactArgs(1),
		Long: "identity writes a new recovery identity to FILE and prints the recipient that backups are made for. Whoever holds the file, a data backup and the key backup reads everything: put it into a safe, off these machines.",
		RunE: func(c *cobra.Command, args []string) error {
			text, recipient, err := crypto.NewRecoveryIdentity()
			if err != nil {
				return err
			}
			f, err := os.OpenFile(args[0], os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if errors.Is(err, os.ErrExist) {
				return fmt.Errorf("%s is there already, and may be what opens your backups: choose another name", args[0])
			}
			if err != nil {
				return fmt.Errorf("writing the identity: %w", err)
			}
			_, err = io.WriteString(f, "# Opens the backups of a bippop territory. Keep it in a safe.\n"+text.Reveal()+"\n")
			if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
				return fmt.Errorf("writing the identity: %w", err)
			}
			out.note("%s goes into a safe. Its recipient, for bippop backup add --recipient:", args[0])
			out.printf("%s", recipient)
			return nil
		},
	}
}

// fileShown shows on a terminal how much of a file has been read. Owned by one
// goroutine.
type fileShown struct {
	w     io.Writer // nil: nowhere
	doing string
	shown time.Time
}

func newFileShown(w io.Writer, doing string) *fileShown {
	f := &fileShown{doing: doing}
	if onTerminal(w) {
		f.w = w
	}
	return f
}

func (f *fileShown) read(done, all int64) {
	if now := time.Now(); f.w != nil && now.Sub(f.shown) > refreshEvery {
		f.shown = now
		fmt.Fprintf(f.w, "\r%s: %.1f of %.1f MB", f.doing, float64(done)/1e6, float64(all)/1e6)
	}
}

// end clears the line.
func (f *fileShown) end() {
	if f.w != nil {
		fmt.Fprintf(f.w, "\r\x1b[K")
	}
}
