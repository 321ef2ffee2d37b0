package crypto_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/plugin"
	"github.com/bippop/bippop/crypto"
)

// TestMain is also the program age-plugin-bippoptest, when called by that name.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "age-plugin-bippoptest" {
		os.Exit(testPlugin())
	}
	os.Exit(m.Run())
}

// testPlugin keeps a key as a security key would: what it is asked to wrap is
// sealed under the data of its identity.
func testPlugin() int {
	p, err := plugin.New("bippoptest")
	if err != nil {
		return 1
	}
	p.HandleIdentityAsRecipient(func(data []byte) (age.Recipient, error) { return newToken(data) })
	p.HandleIdentity(func(data []byte) (age.Identity, error) { return newToken(data) })
	return p.Main()
}

type token struct{ key crypto.Key }

func newToken(data []byte) (token, error) {
	if bytes.Equal(data, make([]byte, crypto.KeySize)) {
		return token{}, errors.New("the security key is locked")
	}
	k, err := crypto.KeyFromBytes(data)
	return token{k}, err
}

func (t token) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	return []*age.Stanza{{Type: "bippoptest", Body: t.key.Seal(fileKey, nil)}}, nil
}

func (t token) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	for _, s := range stanzas {
		if s.Type == "bippoptest" {
			if fileKey, err := t.key.Open(s.Body, nil); err == nil {
				return fileKey, nil
			}
		}
	}
	return nil, age.ErrIncorrectIdentity
}

// plug installs the plugin in a PATH of its own.
func plug(t *testing.T) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, "age-plugin-bippoptest")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
}

// pluginFile is an identity file of the plugin.
func pluginFile(t *testing.T, data []byte) crypto.Unsealer {
	t.Helper()
	path := filepath.Join(t.TempDir(), "identity")
	text := "# a security key\n\n" + plugin.EncodeIdentity("bippoptest", data) + "\r\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	u, err := crypto.IdentityFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestPlugin(t *testing.T) {
	plug(t)
	path := filepath.Join(t.TempDir(), "vault.age")
	u := pluginFile(t, bytes.Repeat([]byte{7}, crypto.KeySize))
	want := newVault(t)
	if err := crypto.SaveVault(path, want, u); err != nil {
		t.Fatal(err)
	}
	got, err := crypto.LoadVault(path, u)
	if err != nil {
		t.Fatal(err)
	}
	sameVault(t, got, *want)
	if _, err := crypto.LoadVault(path, pluginFile(t, bytes.Repeat([]byte{8}, crypto.KeySize))); !errors.Is(err, crypto.ErrWrongUnseal) {
		t.Errorf("another security key: %v", err)
	}
	// What the plugin says is told, and is no damage.
	locked := pluginFile(t, make([]byte, crypto.KeySize))
	if _, err := crypto.LoadVault(path, locked); !errors.Is(err, crypto.ErrPlugin) || !strings.Contains(err.Error(), "locked") {
		t.Errorf("a plugin that refuses: %v", err)
	}
	before, _ := os.ReadFile(path)
	if err := crypto.SaveVault(path, want, locked); !errors.Is(err, crypto.ErrPlugin) {
		t.Errorf("a plugin that refuses: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := crypto.LoadVault(path, u); !errors.Is(err, crypto.ErrPlugin) || !strings.Contains(err.Error(), "age-plugin-bippoptest") {
		t.Errorf("no plugin: %v", err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("a save that did not succeed changed the vault")
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
		"plugin":    {"AGE-PLUGIN-YUBIKEY-1NOTAKEY", "AGE-PLUGIN-…"},
		"garbage":   {"AGE-SECRET-KEY-PQ-1NOTAKEY", "one identity"},
	} {
		bad := filepath.Join(dir, name)
		os.WriteFile(bad, []byte(c.text), 0o600)
		_, err := crypto.IdentityFile(bad)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "SECRET-KEY") || strings.Contains(err.Error(), "NOTAKEY") {
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
	if err := crypto.SaveVault(dir+"/v", newVault(t), passphrase(t, " une phrase bien longue ")); err != nil {
		t.Fatal(err)
	}
	if _, err := crypto.LoadVault(dir+"/v", u); err != nil {
		t.Errorf("the first line is another passphrase: %v", err)
	}
}
