package crypto_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/bippop/bippop/crypto"
)

func TestSigningKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ana.key")
	mine, err := crypto.Passphrase("le moulin du lavoir", 10)
	if err != nil {
		t.Fatal(err)
	}
	other, err := crypto.Passphrase("le lavoir du moulin", 10)
	if err != nil {
		t.Fatal(err)
	}
	public, err := crypto.NewSigningKeyFile(path, mine)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := crypto.NewSigningKeyFile(path, mine); err == nil {
		t.Error("a key is written over another")
	}
	key, err := crypto.OpenSigningKeyFile(path, mine)
	if err != nil || !public.Equal(key.Public()) || !ed25519.Verify(public, []byte("text"), ed25519.Sign(key, []byte("text"))) {
		t.Errorf("another key comes back, %v", err)
	}
	if _, err := crypto.OpenSigningKeyFile(path, other); !errors.Is(err, crypto.ErrWrongUnseal) {
		t.Errorf("with another passphrase: %v", err)
	}
	box, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(box, key.Seed()) || bytes.Contains(box, []byte("PRIVATE KEY")) {
		t.Error("the key lies open")
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	box[len(box)-1] ^= 1
	if err := os.WriteFile(path, box, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := crypto.OpenSigningKeyFile(path, mine); !errors.Is(err, crypto.ErrDamaged) {
		t.Errorf("damaged: %v", err)
	}
}
