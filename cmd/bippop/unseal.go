package main

import (
	"errors"
	"os"

	"github.com/bippop/bippop/crypto"
	"github.com/spf13/pflag"
)

// passphraseCost is scrypt's, as a power of two: about a second on a small
// server, what age takes for people's passphrases.
const passphraseCost = 18

// unsealing is how a command was told to open the vault.
type unsealing struct{ identity, passphrase string }

func (u *unsealing) flags(f *pflag.FlagSet) {
	f.StringVar(&u.identity, "identity", "", "file with the identity that opens the vault")
	f.StringVar(&u.passphrase, "passphrase-file", "", "file whose first line is the passphrase that opens the vault")
}

// check refuses none or both.
func (u *unsealing) check() error {
	if (u.identity == "") == (u.passphrase == "") {
		return usagef("say what opens the vault: --identity FILE or --passphrase-file FILE")
	}
	return nil
}

// open reads the file that was named.
func (u *unsealing) open() (crypto.Unsealer, error) {
	if u.identity != "" {
		return crypto.IdentityFile(u.identity)
	}
	return crypto.PassphraseFile(u.passphrase, passphraseCost)
}

// make is open, after writing a new identity where there is none. made reports
// whether it did.
func (u *unsealing) make() (_ crypto.Unsealer, made bool, err error) {
	if u.identity != "" {
		if _, err := os.Stat(u.identity); errors.Is(err, os.ErrNotExist) {
			if err := crypto.NewIdentityFile(u.identity); err != nil {
				return crypto.Unsealer{}, false, err
			}
			made = true
		}
	}
	unsealer, err := u.open()
	return unsealer, made, err
}

// words are the flags that open the vault again, for an example.
func (u *unsealing) words() string {
	if u.identity != "" {
		return "--identity " + u.identity
	}
	return "--passphrase-file " + u.passphrase
}
