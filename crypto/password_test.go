package crypto_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/bippop/bippop/crypto"
)

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
