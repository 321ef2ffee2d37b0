package crypto

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"golang.org/x/crypto/chacha20poly1305"
)

// ErrDamaged says that a box was altered, moved, or sealed under another key.
var ErrDamaged = errors.New("sealed bytes do not open: altered, or sealed under another key")

// KeySize is in bytes.
const KeySize = chacha20poly1305.KeySize

// KeyID names a key without giving it away: the first 8 bytes of a keyed hash.
type KeyID [8]byte

func (id KeyID) String() string { return hex.EncodeToString(id[:]) }

// Key is a 256-bit key for XChaCha20-Poly1305. It prints as "[secret]" and
// cannot be compared. The zero Key opens and seals nothing.
type Key struct{ reveal func() []byte }

// NewKey draws a key from the system's random source.
func NewKey() Key {
	b := make([]byte, KeySize)
	rand.Read(b) // never fails: Go ends the program instead
	return Key{func() []byte { return b }}
}

// KeyFromBytes takes ownership of b, which is [KeySize] long.
func KeyFromBytes(b []byte) (Key, error) {
	if len(b) != KeySize {
		return Key{}, fmt.Errorf("a key has %d bytes, not %d", KeySize, len(b))
	}
	return Key{func() []byte { return b }}, nil
}

// Reveal returns the key's bytes, for libraries that want them raw. The caller
// does not change them.
func (k Key) Reveal() []byte { return k.reveal() }

// Zero reports whether k holds no key.
func (k Key) Zero() bool { return k.reveal == nil }

// ID names the key.
func (k Key) ID() KeyID { return KeyID(k.derive("bippop key id v1", len(KeyID{}))) }

// Derive gives the key of another domain. Equal labels give equal keys.
func (k Key) Derive(label string) Key {
	b := k.derive("bippop derived v1 "+label, KeySize)
	return Key{func() []byte { return b }}
}

func (k Key) derive(info string, size int) []byte {
	b, err := hkdf.Key(sha256.New, k.reveal(), nil, info, size)
	if err != nil {
		panic("crypto: hkdf: " + err.Error()) // only for sizes we do not use
	}
	return b
}

// Seal returns nonce (24 bytes, random) and ciphertext, 40 bytes longer than
// plain, bound to place. Safe for concurrent use.
func (k Key) Seal(plain, place []byte) []byte {
	aead, err := chacha20poly1305.NewX(k.reveal())
	if err != nil {
		panic("crypto: " + err.Error()) // only for a wrong key size
	}
	box := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	rand.Read(box)
	return aead.Seal(box, box, plain, place)
}

// Open returns what Seal was given, or [ErrDamaged].
func (k Key) Open(box, place []byte) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(k.reveal())
	if err != nil {
		panic("crypto: " + err.Error())
	}
	if len(box) < aead.NonceSize()+aead.Overhead() {
		return nil, ErrDamaged
	}
	plain, err := aead.Open(nil, box[:aead.NonceSize()], box[aead.NonceSize():], place)
	if err != nil {
		return nil, ErrDamaged
	}
	return plain, nil
}

// Place joins what a box is bound to, each part with its length, so that no two
// lists of parts give the same bytes.
func Place(parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += 4 + len(p)
	}
	b := make([]byte, 0, n)
	for _, p := range parts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(p)))
		b = append(b, p...)
	}
	return b
}

func (Key) Format(f fmt.State, _ rune)   { io.WriteString(f, redacted) }
func (Key) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }
