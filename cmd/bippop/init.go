package main

import (
	"bufio"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/spf13/cobra"
)

func initCommand(env func(string) string, out output) *cobra.Command {
	var (
		cfg                      node.Config
		key                      unsealing
		f                        node.Founding
		epci, departement        string
		communes                 []string
		passwordFile, adminsName string
		asJSON                   bool
	)
	c := &cobra.Command{
		Use:   "init",
		Short: "Found a territory: its keys, its data folder and the first administrator",
		Example: "  bippop init --siren 200044394 --name 'CC du Réolais en Sud Gironde' --calls 'Entraide chez nous' \\\n" +
			"    --phone '05 36 49 00 00' --epci 200044394 --dir /var/lib/bippop/data --vault /etc/bippop/vault.age \\\n" +
			"    --identity /etc/bippop/identity.txt --admin admin --admin-password-file password.txt",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case f.Territory.Siren == "" || f.Territory.Name == "" || f.Territory.Calls == "":
				return usagef("say whose territory this is: --siren NUMBER --name 'OF THE CONTROLLER' --calls 'NAME OF THE SERVICE'")
			case cfg.Dir == "" || cfg.Vault == "":
				return usagef("say where to put it: --dir FOLDER for the data and --vault FILE, outside that folder, for the keys")
			case f.Login == "" || passwordFile == "":
				return usagef("name the first administrator: --admin LOGIN --admin-password-file FILE")
			}
			if err := key.check(); err != nil {
				return err
			}
			var err error
			if f.Territory.Communes, err = communesOf(epci, departement, communes); err != nil {
				return err
			}
			if f.Password, err = secretFile(passwordFile); err != nil {
				return err
			}
			if node.Founded(cfg) {
				return fmt.Errorf("there is a vault at %s already: a territory was founded here; start it with bippop serve", cfg.Vault)
			}
			limitMemory(env)
			cfg.Logger = node.NewLogger(out.progress, slog.LevelWarn)
			f.Name = crypto.NewSecret(adminsName)
			var made bool
			if cfg.Unseal, made, err = key.make(); err != nil {
				return err
			}
			tuned(&cfg)
			n, err := node.FoundTerritory(c.Context(), cfg, f)
			if err != nil {
				if made && !node.Founded(cfg) {
					os.Remove(key.identity) // it opens nothing
				}
				return err
			}
			if err := n.Close(); err != nil {
				return err
			}
			if asJSON {
				return out.json(map[string]any{
					"founded": true, "siren": f.Territory.Siren, "communes": len(f.Territory.Communes), "identity_made": made,
				})
			}
			tellFounded(out, cfg, key, f, made)
			return nil
		},
	}
	fs := c.Flags()
	fs.StringVar(&f.Territory.Siren, "siren", "", "SIREN of the controller: EPCI, département, commune or CCAS")
	fs.StringVar(&f.Territory.Name, "name", "", "name of the controller")
	fs.StringVar(&f.Territory.Calls, "calls", "", "what people call the service")
	fs.StringVar(&f.Territory.Phone, "phone", "", "telephone number of the desk")
	fs.StringVar(&f.Territory.Hours, "hours", "", "when the desk answers")
	fs.StringVar(&epci, "epci", "", "take the communes of this EPCI (SIREN)")
	fs.StringVar(&departement, "departement", "", "take the communes of this département")
	fs.StringSliceVar(&communes, "commune", nil, "take this commune (INSEE code); may be repeated")
	fs.StringVar(&cfg.Dir, "dir", "", "data folder, new or empty")
	fs.StringVar(&cfg.Vault, "vault", "", "where to write the vault; outside the data folder and its backups")
	key.flags(fs)
	fs.StringVar(&f.Login, "admin", "", "login of the first administrator")
	fs.StringVar(&passwordFile, "admin-password-file", "", "file whose first line is the administrator's password")
	fs.StringVar(&adminsName, "admin-name", "", "the administrator's name, as colleagues see it")
	fs.BoolVar(&asJSON, "json", false, "print one line for programs")
	return c
}

func tellFounded(out output, cfg node.Config, key unsealing, f node.Founding, made bool) {
	out.printf("The territory %s is founded, with %d communes.", f.Territory.Siren, len(f.Territory.Communes))
	if made {
		out.printf("\nA new identity is in %s. Without it nobody can ever read the data again:\nkeep a copy in a safe, not beside the backups.", key.identity)
	}
	out.printf("\nStart it with:\n  bippop serve --dir %s --vault %s %s", cfg.Dir, cfg.Vault, key.words())
}

// communesOf works out what --epci, --departement and --commune name.
func communesOf(epci, departement string, codes []string) ([]string, error) {
	given := 0
	for _, yes := range []bool{epci != "", departement != "", len(codes) > 0} {
		if yes {
			given++
		}
	}
	switch {
	case given != 1:
		return nil, usagef("say which communes belong to it: --epci SIREN, --departement NN or --commune CODE")
	case epci != "":
		_, members, ok := node.LookupEPCI(epci)
		if !ok {
			return nil, usagef("--epci: there is no EPCI with this SIREN; nine digits, without spaces")
		}
		return members, nil
	case departement != "":
		_, all, ok := node.CommunesOfDepartement(departement)
		if !ok {
			return nil, usagef("--departement: there is no such département; write 33, 2A or 974")
		}
		return all, nil
	}
	for _, code := range codes {
		if _, ok := node.LookupCommune(code); !ok {
			return nil, usagef("--commune: there is no commune %q; use its five-character INSEE code, not the postcode", code)
		}
	}
	return codes, nil
}

// secretFile is the first line of a file.
func secretFile(path string) (crypto.Secret, error) {
	file, err := os.Open(path)
	if err != nil {
		return crypto.Secret{}, fmt.Errorf("reading the password file: %w", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	if !lines.Scan() || strings.TrimSpace(lines.Text()) == "" {
		return crypto.Secret{}, fmt.Errorf("the password file %s has no first line", path)
	}
	return crypto.NewSecret(strings.TrimSpace(lines.Text())), nil
}
