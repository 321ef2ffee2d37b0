package crypto

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"strings"
)

// Recovery codes let somebody in who has lost his telephone. Each holds 50 random
// bits in Crockford's alphabet, so that a keyed hash is enough: who reads the store
// without the key learns nothing, and guesses are throttled where codes are asked.
const (
	recoveryCodes   = 10
	recoveryLetters = 10
)

// RecoveryHash is how a recovery code is kept.
type RecoveryHash [sha256.Size]byte

// NewRecoveryCodes draws ten codes to print: two groups of five, such as
// "7K2MX-90QAB".
func NewRecoveryCodes() []Secret {
	codes := make([]Secret, recoveryCodes)
	for i := range codes {
		b := make([]byte, 7) // 56 bits: twelve letters, of which ten are taken
		rand.Read(b)
		s := crockford.EncodeToString(b)
		codes[i] = NewSecret(s[:recoveryLetters/2] + "-" + s[recoveryLetters/2:recoveryLetters])
	}
	return codes
}

// HashRecoveryCode is the same for all ways of writing a code: capitals, spaces and
// hyphens are nothing, O is 0, I and L are 1. The key is of one domain, which is
// never the territory's own; account binds the hash to whom the code was given.
func HashRecoveryCode(key Key, account []byte, code Secret) RecoveryHash {
	mac := hmac.New(sha256.New, key.Reveal())
	mac.Write(Place([]byte("bippop recovery code v1"), account, plainRecovery(code)))
	return RecoveryHash(mac.Sum(nil))
}

// FindRecoveryCode is the index of the code among those that were kept, or -1. The
// caller crosses the one that was found out: a code opens once.
func FindRecoveryCode(key Key, account []byte, kept []RecoveryHash, code Secret) int {
	if len(plainRecovery(code)) != recoveryLetters {
		return -1
	}
	h, found := HashRecoveryCode(key, account, code), -1
	for i := range kept { // all of them, in constant time
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(h[:], kept[i][:]), i, found)
	}
	return found
}

func plainRecovery(code Secret) []byte {
	return []byte(strings.NewReplacer(" ", "", "-", "", "\u00a0", "", "\t", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(code.Reveal())))
}
