package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/bippop/bippop/api/web"
	"github.com/bippop/bippop/crypto"
	"github.com/spf13/cobra"
)

// opening is how a command on this machine opens the vault: with a file, or with
// shares.
type opening struct {
	vault  string
	key    unsealing
	shares []string
}

func (o *opening) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.vault, "vault", "", "vault of this replica")
	o.key.flags(f)
	f.StringSliceVar(&o.shares, "share-file", nil, "file with one share; may be repeated")
}

// how is what opens the vault, in a few words.
func (o *opening) how() string {
	switch {
	case len(o.shares) > 0:
		return "shares"
	case o.key.identity != "":
		return "identity file"
	}
	return "passphrase"
}

func (o *opening) unsealer() (crypto.Unsealer, error) {
	if o.vault == "" {
		return crypto.Unsealer{}, usagef("say which vault: --vault FILE, as given to bippop serve")
	}
	if len(o.shares) == 0 {
		if err := o.key.check(); err != nil {
			return crypto.Unsealer{}, err
		}
		return o.key.open()
	}
	var shares []crypto.Share
	for _, name := range o.shares {
		text, err := os.ReadFile(name)
		if err != nil {
			return crypto.Unsealer{}, fmt.Errorf("reading a share: %w", err)
		}
		s, err := crypto.ParseShare(string(text))
		if err != nil {
			return crypto.Unsealer{}, fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
		shares = append(shares, s)
	}
	return crypto.CombineShares(shares)
}

func keysVaultCommand(out output) *cobra.Command {
	var (
		o      opening
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "vault",
		Short: "Say what opens this replica's vault, which root key it holds and how long its certificate lasts",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			u, err := o.unsealer()
			if err != nil {
				return err
			}
			v, err := crypto.LoadVault(o.vault, u)
			if err != nil {
				return err
			}
			n := readNotice(o.vault)
			root := ""
			if !v.Roots.Current.Zero() {
				root = v.Roots.Current.ID().String()
			}
			if asJSON {
				return out.json(map[string]any{
					"territory": v.Territory, "replica": v.Replica, "opens": o.how(), "set": n.Set, "root": root, "candidates": len(v.Roots.Candidates),
					"sealed": v.Sealed, "certificate_expires": v.TLS.Expires().UTC(),
				})
			}
			out.printf("territory     %s\nreplica       %s\nopens with    %s", v.Territory, v.Replica, o.how())
			if n.Set != "" {
				out.printf("set of shares %s, any %d", n.Set, n.Needed)
			}
			if root == "" {
				root = "none yet: this replica has just joined"
			}
			out.printf("root key      %s, and %d candidates\nsealed        %d times\ncertificate   until %s", root, len(v.Roots.Candidates), v.Sealed, v.TLS.Expires().Format(time.DateOnly))
			return nil
		},
	}
	o.flags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print one line for programs")
	return c
}

func keysSharesCommand(out output) *cobra.Command {
	var o opening
	var of, dir string
	c := &cobra.Command{
		Use:     "shares",
		Short:   "Let shares open this replica's vault, and print one sheet for each person who keeps one",
		Long:    "shares draws a new set, writes one sheet a share into a new folder, and seals the vault anew: what opened it before, older shares\nincluded, opens it no more. The node must be stopped. Print the sheets, give each to another person, then destroy the folder.",
		Example: "  bippop keys shares --vault /etc/bippop/vault.age --identity /etc/bippop/identity.txt --of 3,5 --out /run/shares",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			needed, total, err := parseOf(of)
			if err != nil {
				return err
			}
			if dir == "" {
				return usagef("say where the sheets go: --out FOLDER, new, best in memory (/run) and never on a share")
			}
			u, err := o.unsealer()
			if err != nil {
				return err
			}
			free, err := holdVault(o.vault)
			if err != nil {
				return err
			}
			defer free()
			set, err := changeToShares(o.vault, u, needed, total, dir)
			if err != nil {
				return err
			}
			out.printf("Any %d of the %d sheets in %s now open the vault (set %s); nothing else does.", needed, total, dir, set)
			out.printf("Open %s in a browser, print it, give each page to another person, and destroy the folder:\n  shred -u %s", sheetName, filepath.Join(dir, "*"))
			out.printf("Start this replica with --unseal shares, and give the shares with: bippop unseal")
			return nil
		},
	}
	o.flags(c)
	c.Flags().StringVar(&of, "of", "", "how many are needed, of how many: 3,5")
	c.Flags().StringVar(&dir, "out", "", "new folder for the sheets")
	return c
}

func parseOf(text string) (needed, total int, err error) {
	before, after, both := strings.Cut(text, ",")
	needed, err1 := strconv.Atoi(strings.TrimSpace(before))
	total, err2 := strconv.Atoi(strings.TrimSpace(after))
	if !both || err1 != nil || err2 != nil {
		return 0, 0, usagef("say how many shares are needed, of how many: --of 3,5")
	}
	return needed, total, nil
}

// changeToShares seals the vault with new shares. The sheets are on disk, read back
// and shown to open a copy before the former way is given up.
func changeToShares(vault string, former crypto.Unsealer, needed, total int, dir string) (set string, err error) {
	v, err := crypto.LoadVault(vault, former)
	if err != nil {
		return "", err
	}
	shares, u, err := crypto.NewShares(v.Territory, needed, total)
	if err != nil {
		return "", usageError{err}
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", fmt.Errorf("making the folder for the sheets: %w", err)
	}
	trial := vault + ".trial"
	defer func() {
		os.Remove(trial)
		if err != nil {
			os.RemoveAll(dir) // nothing opens with these
		}
	}()
	n := readNotice(vault)
	if err := writeShares(dir, v, shares, n); err != nil {
		return "", err
	}
	proof := v
	if err := crypto.SaveVault(trial, &proof, u); err != nil {
		return "", err
	}
	for _, some := range [][]crypto.Share{shares[:needed], shares[total-needed:]} {
		if err := opensFromPaper(trial, dir, some); err != nil {
			return "", err
		}
	}
	v.Sealed = proof.Sealed
	if err := crypto.SaveVault(vault, &v, u); err != nil {
		return "", err
	}
	n.Siren, n.Set, n.Needed = v.Territory, shares[0].Set(), needed
	return n.Set, n.save(vault)
}

// opensFromPaper reads shares back as they were written and opens the vault at path.
func opensFromPaper(path, dir string, shares []crypto.Share) error {
	var read []crypto.Share
	for _, s := range shares {
		text, err := os.ReadFile(filepath.Join(dir, shareName(s)+".txt"))
		if err != nil {
			return fmt.Errorf("reading a sheet back: %w", err)
		}
		back, err := crypto.ParseShare(string(text))
		if err != nil {
			return fmt.Errorf("reading a sheet back: %w", err)
		}
		read = append(read, back)
	}
	u, err := crypto.CombineShares(read)
	if err == nil {
		_, err = crypto.LoadVault(path, u)
	}
	if err != nil {
		return errors.Join(errors.New("the new shares do not open the vault; nothing was changed"), err)
	}
	return nil
}

func shareName(s crypto.Share) string { return fmt.Sprintf("share-%d-of-%d", s.Index(), s.Of()) }

// sheetName is the page that is printed.
const sheetName = "sheets.html"

// writeShares writes a page to print, with each share as a square too, and each
// share as a file that bippop unseal --share-file reads.
func writeShares(dir string, v crypto.Vault, shares []crypto.Share, n notice) error {
	sheet := web.Sheet{Territory: n.Calls, Siren: v.Territory, Made: time.Now(), Opening: web.ByShares, Signer: crypto.NewSigner(v.Shared.Domain).VerifyKey().String(), Phone: n.Phone}
	for _, s := range shares {
		if err := os.WriteFile(filepath.Join(dir, shareName(s)+".txt"), []byte(s.Text()), 0o600); err != nil {
			return fmt.Errorf("writing a sheet: %w", err)
		}
		sheet.Shares = append(sheet.Shares, web.Share{Index: s.Index(), Of: s.Of(), Needed: s.Needed(), Set: s.Set(), Text: crypto.NewSecret(s.Text()), Code: crypto.NewSecret(s.Code())})
	}
	f, err := os.OpenFile(filepath.Join(dir, sheetName), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("writing the sheets: %w", err)
	}
	if err := errors.Join(web.RecoverySheet(f, sheet), f.Close()); err != nil {
		return fmt.Errorf("writing the sheets: %w", err)
	}
	return nil
}

// holdVault keeps others of this machine from writing the vault: a node that runs
// would seal it again with what opened it before.
func holdVault(path string) (free func(), err error) {
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the vault: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, errors.New("another bippop process holds this data folder's vault: stop it first")
	}
	return func() { f.Close() }, nil
}
