package crypto

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"path/filepath"
)

// signingBlock is PEM's name of a private key in PKCS #8.
const signingBlock = "PRIVATE KEY"

// NewSigningKeyFile draws an Ed25519 key for somebody who signs, and writes it to
// path, which must not exist: an age file that u opens, in it PKCS #8 in PEM, so that
// age and openssl read it too.
func NewSigningKeyFile(path string, u Unsealer) (ed25519.PublicKey, error) {
	key := newSigningKey()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	box, err := u.seal(pem.EncodeToMemory(&pem.Block{Type: signingBlock, Bytes: der}))
	if err != nil {
		return nil, fmt.Errorf("sealing a key: %w", err)
	}
	if err := writeNew(path, box); err != nil {
		return nil, fmt.Errorf("writing a new key: %w; a key that is there already may be somebody's", err)
	}
	return key.Public().(ed25519.PublicKey), nil
}

// OpenSigningKeyFile reads what [NewSigningKeyFile] wrote. [ErrWrongUnseal],
// [ErrPlugin], [ErrDamaged].
func OpenSigningKeyFile(path string, u Unsealer) (ed25519.PrivateKey, error) {
	box, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading a key: %w", err)
	}
	plain, err := u.open(box)
	switch {
	case errors.Is(err, ErrWrongUnseal), errors.Is(err, ErrPlugin):
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), ErrDamaged)
	}
	b, rest := pem.Decode(plain)
	if b == nil || b.Type != signingBlock || len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), ErrDamaged)
	}
	any, err := x509.ParsePKCS8PrivateKey(b.Bytes)
	key, ok := any.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), ErrDamaged)
	}
	return key, nil
}

// SeedOf a signing key is another key's seed for one purpose, which tells nothing of
// the first.
func SeedOf(key ed25519.PrivateKey, label string) [32]byte {
	b, err := hkdf.Key(sha256.New, key.Seed(), nil, "bippop seed v1 "+label, 32)
	if err != nil {
		panic("crypto: hkdf: " + err.Error()) // only for sizes we do not use
	}
	return [32]byte(b)
}
