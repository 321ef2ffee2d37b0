package main

import (
	"bufio"
	"io"
	"log/slog"
	"os"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/spf13/cobra"
)

func joinCommand(env func(string) string, out output) *cobra.Command {
	var (
		cfg       node.Config
		key       unsealing
		start     choosing
		peers     peering
		tokenFile string
		asJSON    bool
	)
	c := &cobra.Command{
		Use:   "join",
		Short: "Make this machine a further replica of a territory",
		Long: "join asks a running territory for its keys with a token that an administrator has made (bippop replicas invite, or the page of the machines).\n" +
			"The token is good once and for a short while. The data follows when the replica is started.",
		Example: "  bippop join --token-file token.txt --peer-listen 10.0.0.2:7400 --dir /var/lib/bippop/data \\\n" +
			"    --vault /etc/bippop/vault.age --identity /etc/bippop/identity.txt",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case tokenFile == "":
				return usagef("give the token: --token-file FILE, or --token-file - to read it from standard input")
			case cfg.Dir == "" || cfg.Vault == "":
				return usagef("say where to put it: --dir FOLDER for the data and --vault FILE, outside that folder, for the keys")
			case peers.listen == "":
				return usagef("say where the other replicas reach this one: --peer-listen HOST:PORT")
			}
			if err := start.check(); err != nil {
				return err
			}
			if err := key.check(); err != nil {
				return err
			}
			if err := peers.check(); err != nil {
				return err
			}
			limitMemory(env)
			token, err := readToken(tokenFile, c.InOrStdin())
			if err != nil {
				return err
			}
			cfg.Logger = node.NewLogger(out.progress, slog.LevelWarn)
			if cfg.Peering, err = peers.open(); err != nil {
				return err
			}
			defer cfg.Peering.Listener.Close()
			var made bool
			if cfg.Unseal, made, err = key.make(); err != nil {
				return err
			}
			cfg.Unsealing = start.chosen(cfg.Unseal, out)
			tuned(&cfg)
			siren, err := node.Join(c.Context(), cfg, token)
			if err != nil {
				if made {
					os.Remove(key.identity) // it opens nothing
				}
				return err
			}
			if asJSON {
				return out.json(map[string]any{"joined": true, "siren": siren, "identity_made": made})
			}
			out.printf("This machine is a replica of the territory %s.", siren)
			if made {
				out.printf("\nA new identity is in %s: it opens this replica's keys.\nKeep a copy in a safe, not beside the backups.", key.identity)
			}
			out.printf("\nStart it with:\n  bippop serve --dir %s --vault %s %s --peer-listen %s\n\nIt receives the data then, and votes once it has caught up.", cfg.Dir, cfg.Vault, key.words(), peers.listen)
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&tokenFile, "token-file", "", "file with the token; - reads the first line of standard input, where it can be pasted")
	f.StringVar(&cfg.Dir, "dir", "", "data folder, new or empty")
	f.StringVar(&cfg.Vault, "vault", "", "where to write the vault; outside the data folder and its backups")
	key.flags(f)
	start.flags(f)
	peers.flags(f)
	f.BoolVar(&asJSON, "json", false, "print one line for programs")
	return c
}

func readToken(path string, in io.Reader) (crypto.Secret, error) {
	if path != "-" {
		return secretFile(path)
	}
	lines := bufio.NewScanner(io.LimitReader(in, 64<<10))
	lines.Scan()
	return crypto.NewSecret(lines.Text()), lines.Err()
}
