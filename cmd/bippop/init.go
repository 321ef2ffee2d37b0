package main

import (
	"bufio"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/bippop/bippop/api/web"
	"github.com/bippop/bippop/crypto"
	"github.com/bippop/bippop/node"
	"github.com/spf13/cobra"
)

func initCommand(env func(string) string, out output) *cobra.Command {
	var (
		cfg                      node.Config
		key                      unsealing
		start                    choosing
		f                        node.Founding
		epci, departement, role  string
		communes                 []string
		passwordFile, adminsName string
		sheet                    string
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
			if err := start.check(); err != nil {
				return err
			}
			if err := key.check(); err != nil {
				return err
			}
			var err error
			switch role {
			case roleTerritory:
				f.Territory.Communes, err = communesOf(epci, departement, communes)
			case roleCoordinator:
				f.Territory.Role = node.CoordinatorNode
				err = noCommunes(epci, departement, communes)
			case roleObserver:
				f.Territory.Role = node.ObserverNode
				err = noCommunes(epci, departement, communes)
			default:
				err = usagef("--role is territory, coordinator or observer")
			}
			if err != nil {
				return err
			}
			if f.Password, err = secretFile(passwordFile); err != nil {
				return err
			}
			if _, err := os.Lstat(sheet); sheet != "" && err == nil {
				return fmt.Errorf("%s exists already: choose another place for the recovery sheet with --sheet", sheet)
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
			cfg.Unsealing = start.chosen(cfg.Unseal, out)
			tuned(&cfg)
			n, err := node.FoundTerritory(c.Context(), cfg, f)
			if err != nil {
				if made && !node.Founded(cfg) {
					os.Remove(key.identity) // it opens nothing
				}
				return err
			}
			if err := errors.Join(writeSheet(sheet, cfg, key, f.Territory), n.Close()); err != nil {
				return err
			}
			if asJSON {
				return out.json(map[string]any{
					"founded": true, "siren": f.Territory.Siren, "communes": len(f.Territory.Communes), "identity_made": made,
				})
			}
			tellFounded(out, cfg, key, f, made)
			if sheet != "" {
				out.printf("\nPrint %s, put it into a safe, and delete the file.", sheet)
			}
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
	fs.StringSliceVar(&communes, "commune", nil, "take this commune too (INSEE code); may be repeated: one of another EPCI joins by agreement")
	fs.StringVar(&role, "role", roleTerritory, "what this node is in a federation: territory, coordinator (draws the members' figures together, keeps the roster) or observer")
	fs.StringVar(&cfg.Dir, "dir", "", "data folder, new or empty")
	fs.StringVar(&cfg.Vault, "vault", "", "where to write the vault; outside the data folder and its backups")
	key.flags(fs)
	start.flags(fs)
	fs.StringVar(&f.Login, "admin", "", "login of the first administrator")
	fs.StringVar(&passwordFile, "admin-password-file", "", "file whose first line is the administrator's password")
	fs.StringVar(&adminsName, "admin-name", "", "the administrator's name, as colleagues see it")
	fs.StringVar(&sheet, "sheet", "", "where to write the recovery sheet, a page to print and put into a safe")
	fs.BoolVar(&asJSON, "json", false, "print one line for programs")
	return c
}

func tellFounded(out output, cfg node.Config, key unsealing, f node.Founding, made bool) {
	switch f.Territory.Role {
	case node.CoordinatorNode:
		out.printf("The coordinator's node %s is founded. It holds no records of people. Once it runs: bippop federation init", f.Territory.Siren)
	case node.ObserverNode:
		out.printf("The observer's node %s is founded. It holds no records of people. Once it runs: bippop federation join", f.Territory.Siren)
	default:
		out.printf("The territory %s is founded, with %d communes.", f.Territory.Siren, len(f.Territory.Communes))
	}
	if made {
		out.printf("\nA new identity is in %s. Without it nobody can ever read the data again:\nkeep a copy in a safe, not beside the backups.", key.identity)
	}
	out.printf("\nStart it with:\n  bippop serve --dir %s --vault %s %s", cfg.Dir, cfg.Vault, key.words())
}

// What --role may say.
const (
	roleTerritory   = "territory"
	roleCoordinator = "coordinator"
	roleObserver    = "observer"
)

// noCommunes refuses communes of a node that answers for none.
func noCommunes(epci, departement string, communes []string) error {
	if epci != "" || departement != "" || len(communes) > 0 {
		return usagef("only a territory has communes: leave --epci, --departement and --commune out")
	}
	return nil
}

// communesOf works out what --epci or --departement name, with the communes that
// join by agreement.
func communesOf(epci, departement string, codes []string) (all []string, err error) {
	var ok bool
	switch {
	case epci != "" && departement != "":
		return nil, usagef("--epci and --departement exclude each other; communes beside them are added with --commune")
	case epci != "":
		if _, all, ok = node.LookupEPCI(epci); !ok {
			return nil, usagef("--epci: there is no EPCI with this SIREN; nine digits, without spaces")
		}
	case departement != "":
		if _, all, ok = node.CommunesOfDepartement(departement); !ok {
			return nil, usagef("--departement: there is no such département; write 33, 2A or 974")
		}
	case len(codes) == 0:
		return nil, usagef("say which communes belong to it: --epci SIREN, --departement NN or --commune CODE")
	}
	for _, code := range codes {
		if _, ok := node.LookupCommune(code); !ok {
			return nil, usagef("--commune: there is no commune %q; use its five-character INSEE code, not the postcode", code)
		}
		if !slices.Contains(all, code) {
			all = append(all, code)
		}
	}
	return all, nil
}

// writeSheet writes what is printed for the safe: what opens the vault, and by
// which key backups are known.
func writeSheet(path string, cfg node.Config, key unsealing, t node.Territory) error {
	if path == "" {
		return nil
	}
	v, err := crypto.LoadVault(cfg.Vault, cfg.Unseal)
	if err != nil {
		return err
	}
	sheet := web.Sheet{
		Territory: t.Name, Siren: t.Siren, Made: time.Now(), Opening: web.ByPassphrase, Phone: t.Phone,
		Signer: crypto.NewSigner(v.Shared.Domain).VerifyKey().String(),
	}
	if key.identity != "" {
		sheet.Opening, sheet.Detail = web.ByIdentity, key.identity
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("writing the recovery sheet: %w", err)
	}
	if err := errors.Join(web.RecoverySheet(file, sheet), file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("writing the recovery sheet: %w", err)
	}
	return nil
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
