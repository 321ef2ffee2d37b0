package crypto

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"
)

// vaultFormat is the number in the file. A vault with another one is refused.
const vaultFormat = 1

var (
	// ErrWrongUnseal says that the identity or passphrase does not open the vault.
	ErrWrongUnseal = errors.New("this identity or passphrase does not open the vault; give the one that was used when the territory was founded")
	// ErrVaultDamaged says that the vault file was altered or cut short.
	ErrVaultDamaged = errors.New("the vault file is damaged; restore it from the key backup")
)

// Vault is what a replica needs to read its own disk and its people's words. It
// lives in a small age file outside the data folder and outside data backups.
type Vault struct {
	Territory string // SIREN
	Root      Key    // tops the key tree
	Log       Key    // seals log frames
	Values    Key    // seals stored values
	Skin      Key    // Badger's own encryption
	Staff     Key    // domain key: sessions, password hashes; never a person's word
}

// NewVault draws every key.
func NewVault(territory string) Vault {
	return Vault{Territory: territory, Root: NewKey(), Log: NewKey(), Values: NewKey(), Skin: NewKey(), Staff: NewKey()}
}

type vaultFile struct {
	Format    int    `json:"format"`
	Territory string `json:"territory"`
	Root      []byte `json:"root"`
	Log       []byte `json:"log"`
	Values    []byte `json:"values"`
	Skin      []byte `json:"skin"`
	Staff     []byte `json:"staff"`
}

// Unsealer opens and seals a vault.
type Unsealer struct {
	identity  age.Identity
	recipient age.Recipient
}

// IdentityFile reads an age identity (hybrid, post-quantum) as [NewIdentityFile]
// writes it, or any age-keygen file that holds one hybrid identity.
func IdentityFile(path string) (Unsealer, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Unsealer{}, fmt.Errorf("reading the identity file: %w", err)
	}
	ids, err := age.ParseIdentities(bytes.NewReader(b))
	if err != nil || len(ids) != 1 {
		return Unsealer{}, fmt.Errorf("%s is not an age identity file with one identity", filepath.Base(path))
	}
	id, ok := ids[0].(*age.HybridIdentity)
	if !ok {
		return Unsealer{}, fmt.Errorf("%s holds a classical age identity; make a hybrid one with age-keygen -pq", filepath.Base(path))
	}
	return Unsealer{id, id.Recipient()}, nil
}

// NewIdentityFile writes a new hybrid identity to path, which must not exist,
// readable by its owner only.
func NewIdentityFile(path string) error {
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		return fmt.Errorf("making an identity: %w", err)
	}
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%s exists already; keep it, it may open a vault", filepath.Base(path))
	}
	text := "# Unseals the vault of a bippop territory. Keep a copy in a safe.\n" + id.String() + "\n"
	return writeFile(path, []byte(text))
}

// Passphrase unseals with words. logN is scrypt's cost as a power of two: 18 for
// people, less in tests.
func Passphrase(words string, logN int) (Unsealer, error) {
	words = strings.TrimSpace(words)
	if len(words) < 12 {
		return Unsealer{}, errors.New("a passphrase has at least 12 characters")
	}
	id, err := age.NewScryptIdentity(words)
	if err != nil {
		return Unsealer{}, err
	}
	id.SetMaxWorkFactor(max(logN, 18))
	rec, err := age.NewScryptRecipient(words)
	if err != nil {
		return Unsealer{}, err
	}
	rec.SetWorkFactor(logN)
	return Unsealer{id, rec}, nil
}

// PassphraseFile reads the first line of a file as a passphrase.
func PassphraseFile(path string, logN int) (Unsealer, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Unsealer{}, fmt.Errorf("reading the passphrase file: %w", err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return Passphrase(line, logN)
}

// SaveVault writes v to path, whole or not at all, and returns once it is on
// disk.
func SaveVault(path string, v Vault, u Unsealer) error {
	plain, err := json.Marshal(vaultFile{vaultFormat, v.Territory, v.Root.Reveal(), v.Log.Reveal(), v.Values.Reveal(), v.Skin.Reveal(), v.Staff.Reveal()})
	if err != nil {
		return err
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, u.recipient)
	if err != nil {
		return fmt.Errorf("sealing the vault: %w", err)
	}
	if _, err := w.Write(plain); err != nil {
		return fmt.Errorf("sealing the vault: %w", err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("sealing the vault: %w", err)
	}
	return writeFile(path, out.Bytes())
}

// LoadVault opens the vault at path. [ErrWrongUnseal], [ErrVaultDamaged], or an
// error of the file system.
func LoadVault(path string, u Unsealer) (Vault, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Vault{}, fmt.Errorf("reading the vault: %w", err)
	}
	r, err := age.Decrypt(bytes.NewReader(b), u.identity)
	if _, ok := errors.AsType[*age.NoIdentityMatchError](err); ok {
		return Vault{}, ErrWrongUnseal
	}
	if err != nil {
		return Vault{}, ErrVaultDamaged
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return Vault{}, ErrVaultDamaged
	}
	var f vaultFile
	if err := json.Unmarshal(plain, &f); err != nil {
		return Vault{}, ErrVaultDamaged
	}
	if f.Format != vaultFormat {
		return Vault{}, fmt.Errorf("the vault has format %d, this program knows %d: use the version that wrote it", f.Format, vaultFormat)
	}
	v := Vault{Territory: f.Territory}
	for _, k := range []struct {
		into *Key
		from []byte
	}{{&v.Root, f.Root}, {&v.Log, f.Log}, {&v.Values, f.Values}, {&v.Skin, f.Skin}, {&v.Staff, f.Staff}} {
		if *k.into, err = KeyFromBytes(k.from); err != nil {
			return Vault{}, ErrVaultDamaged
		}
	}
	return v, nil
}

// writeFile puts b at path by a synced rename, so that path holds the old bytes
// or the new ones, never a part.
func writeFile(path string, b []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err := f.Write(b); err != nil {
		f.Close()
		return err
	}
	if err := f.Sync(); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
