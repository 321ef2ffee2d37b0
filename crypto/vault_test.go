package crypto_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/bippop/bippop/crypto"
)

// cheap is scrypt's cost in tests, as a power of two.
const cheap = 4

func passphrase(t *testing.T, words string) crypto.Unsealer {
	t.Helper()
	u, err := crypto.Passphrase(words, cheap)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func identity(t *testing.T) crypto.Unsealer {
	t.Helper()
	path := filepath.Join(t.TempDir(), "identity")
	if err := crypto.NewIdentityFile(path); err != nil {
		t.Fatal(err)
	}
	u, err := crypto.IdentityFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestVault(t *testing.T) {
	for name, u := range map[string]crypto.Unsealer{"passphrase": passphrase(t, "une phrase bien longue"), "identity": identity(t)} {
		path := filepath.Join(t.TempDir(), "vault.age")
		want := crypto.NewVault(siren)
		if err := crypto.SaveVault(path, want, u); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
		got, err := crypto.LoadVault(path, u)
		if err != nil {
			t.Fatal(err)
		}
		same := func(a, b crypto.Key) bool { return bytes.Equal(a.Reveal(), b.Reveal()) }
		if got.Territory != siren || !same(got.Root, want.Root) || !same(got.Log, want.Log) || !same(got.Values, want.Values) || !same(got.Skin, want.Skin) || !same(got.Staff, want.Staff) {
			t.Errorf("%s: another vault was read", name)
		}
		seen := map[crypto.KeyID]bool{}
		for _, k := range []crypto.Key{got.Root, got.Log, got.Values, got.Skin, got.Staff} {
			seen[k.ID()] = true
		}
		if len(seen) != 5 {
			t.Errorf("%s: %d different keys", name, len(seen))
		}
		for other, wrong := range map[string]crypto.Unsealer{"another passphrase": passphrase(t, "une autre phrase longue"), "another identity": identity(t)} {
			if v, err := crypto.LoadVault(path, wrong); !errors.Is(err, crypto.ErrWrongUnseal) || !v.Root.Zero() {
				t.Errorf("%s opened with %s: %v", name, other, err)
			}
		}
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(whole, []byte(siren)) {
			t.Errorf("%s: the vault shows its territory", name)
		}
		step := 7
		if *long {
			step = 1
		}
		for at := 0; at < len(whole); at += step {
			bad := bytes.Clone(whole)
			bad[at] ^= 0x10
			fails(t, name, bad, u, at)
		}
		for _, n := range []int{0, 1, len(whole) / 2, len(whole) - 1} {
			fails(t, name+", cut", whole[:n], u, n)
		}
		// A second save replaces the first one.
		if err := crypto.SaveVault(path, got, u); err != nil {
			t.Fatal(err)
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".new-*")); len(left) > 0 {
			t.Errorf("%s: left behind %v", name, left)
		}
	}
}

func fails(t *testing.T, name string, bad []byte, u crypto.Unsealer, at int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bad.age")
	if err := os.WriteFile(path, bad, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := crypto.LoadVault(path, u)
	if !errors.Is(err, crypto.ErrVaultDamaged) && !errors.Is(err, crypto.ErrWrongUnseal) {
		t.Errorf("%s, byte %d: %v", name, at, err)
	}
}

func TestMissingVault(t *testing.T) {
	_, err := crypto.LoadVault(filepath.Join(t.TempDir(), "none"), passphrase(t, "une phrase bien longue"))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// TestForeignVault: an age file of ours that is no vault.
func TestForeignVault(t *testing.T) {
	dir := t.TempDir()
	if err := crypto.NewIdentityFile(dir + "/id"); err != nil {
		t.Fatal(err)
	}
	u, err := crypto.IdentityFile(dir + "/id")
	if err != nil {
		t.Fatal(err)
	}
	b, _ := os.ReadFile(dir + "/id")
	ids, err := age.ParseIdentities(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"not JSON":         {"hello", "damaged"},
		"an older program": {`{"format":9}`, "format 9"},
		"short keys":       {`{"format":1,"root":"AAAA"}`, "damaged"},
	} {
		var out bytes.Buffer
		w, err := age.Encrypt(&out, ids[0].(*age.HybridIdentity).Recipient())
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(c.text))
		w.Close()
		os.WriteFile(dir+"/v", out.Bytes(), 0o600)
		if _, err := crypto.LoadVault(dir+"/v", u); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestIdentityFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "identity")
	if err := crypto.NewIdentityFile(path); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	before, _ := os.ReadFile(path)
	if err := crypto.NewIdentityFile(path); err == nil {
		t.Error("an identity was overwritten")
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("an identity was changed")
	}
	classical, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"classical": {classical.String() + "\n", "age-keygen -pq"},
		"two":       {string(before) + string(before), "one identity"},
		"empty":     {"", "one identity"},
		"garbage":   {"AGE-SECRET-KEY-PQ-1NOTAKEY", "one identity"},
	} {
		bad := filepath.Join(dir, name)
		os.WriteFile(bad, []byte(c.text), 0o600)
		_, err := crypto.IdentityFile(bad)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "SECRET-KEY") {
			t.Errorf("%s: the error quotes the file: %v", name, err)
		}
	}
	if _, err := crypto.IdentityFile(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestPassphrases(t *testing.T) {
	for _, words := range []string{"", "short", "           x", "onze lettre"} {
		if _, err := crypto.Passphrase(words, cheap); err == nil || words != "" && strings.Contains(err.Error(), words) {
			t.Errorf("%d letters: %v", len(words), err)
		}
	}
	dir := t.TempDir()
	os.WriteFile(dir+"/p", []byte("une phrase bien longue\r\nanother line\n"), 0o600)
	u, err := crypto.PassphraseFile(dir+"/p", cheap)
	if err != nil {
		t.Fatal(err)
	}
	if err := crypto.SaveVault(dir+"/v", crypto.NewVault(siren), passphrase(t, " une phrase bien longue ")); err != nil {
		t.Fatal(err)
	}
	if _, err := crypto.LoadVault(dir+"/v", u); err != nil {
		t.Errorf("the first line is another passphrase: %v", err)
	}
}

func TestPassword(t *testing.T) {
	cost := crypto.PasswordCost{KiB: 64, Times: 1}
	word := crypto.NewSecret("motdepasse-demo")
	hash := crypto.HashPassword(word, cost)
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=64,t=1,p=1$") || strings.Contains(hash, word.Reveal()) {
		t.Errorf("got %s", hash)
	}
	if hash == crypto.HashPassword(word, cost) {
		t.Error("no salt")
	}
	if err := crypto.CheckPassword(hash, word); err != nil {
		t.Errorf("got %v", err)
	}
	for _, wrong := range []string{"", "motdepasse-demO", "motdepasse-demo "} {
		if err := crypto.CheckPassword(hash, crypto.NewSecret(wrong)); !errors.Is(err, crypto.ErrPassword) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	// A vector of another implementation (argon2 reference, echo -n password).
	for name, bad := range map[string]string{
		"empty": "", "other kind": strings.Replace(hash, "argon2id", "argon2i", 1), "other version": strings.Replace(hash, "v=19", "v=16", 1),
		"no costs": strings.Replace(hash, "m=64,t=1,p=1", "m=64", 1), "cut": hash[:len(hash)-1], "empty hash": hash[:strings.LastIndex(hash, "$")+1],
		"not base64": hash + "!", "zero passes": strings.Replace(hash, "t=1", "t=0", 1), "more lanes": strings.Replace(hash, "p=1", "p=4", 1),
		"endless": strings.Replace(hash, "m=64", "m=4294967295", 1), "too many passes": strings.Replace(hash, "t=1", "t=99999", 1),
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if r := recover(); r != nil {
					t.Errorf("panics: %v", r)
				}
			}()
			if err := crypto.CheckPassword(bad, word); err == nil {
				t.Errorf("%s fits", bad)
			}
		})
	}
}
