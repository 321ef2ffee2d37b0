package crypto

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// PasswordCost is what one argon2id computation takes.
type PasswordCost struct {
	KiB   uint32
	Times uint32
}

// DefaultPasswordCost is OWASP's first choice (Password Storage Cheat Sheet):
// 19 MiB, two passes, one lane.
var DefaultPasswordCost = PasswordCost{KiB: 19 * 1024, Times: 2}

// maxPasswordKiB bounds what a hash that somebody else wrote can make us spend.
const maxPasswordKiB = 1 << 20

// ErrPassword says that a password does not fit its hash.
var ErrPassword = errors.New("wrong password")

// passwords bounds the memory that sign-ins may take together.
var passwords = make(chan struct{}, 2)

// HashPassword returns a PHC string.
func HashPassword(password Secret, cost PasswordCost) string {
	salt := make([]byte, 16)
	rand.Read(salt)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1$%s$%s", argon2.Version, cost.KiB, cost.Times,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(argon(password, salt, cost)))
}

// CheckPassword compares in constant time. It returns nil, [ErrPassword], or an
// error when the hash cannot be read.
func CheckPassword(hash string, password Secret) error {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return errors.New("password hash is not in argon2id form")
	}
	var version int
	var cost PasswordCost
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return errors.New("password hash has an unknown argon2 version")
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=1", &cost.KiB, &cost.Times); err != nil || cost.Times == 0 || cost.Times > 64 || cost.KiB > maxPasswordKiB {
		return errors.New("password hash has unreadable costs")
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	want, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil {
		return errors.New("password hash is not base64")
	}
	if subtle.ConstantTimeCompare(argon(password, salt, cost), want) != 1 {
		return ErrPassword
	}
	return nil
}

func argon(password Secret, salt []byte, cost PasswordCost) []byte {
	passwords <- struct{}{}
	defer func() { <-passwords }()
	return argon2.IDKey([]byte(password.Reveal()), salt, cost.Times, cost.KiB, 1, 32)
}
