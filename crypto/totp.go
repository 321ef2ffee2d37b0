package crypto

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// The one form of TOTP (RFC 6238) that every authenticator app reads: SHA-1, six
// digits, 30 seconds. HMAC asks of SHA-1 only that it be a pseudorandom function,
// which its collisions do not touch.
const (
	totpKey    = 20 // bytes; the size of a SHA-1, as RFC 4226 §4 recommends
	totpStep   = 30 // seconds
	totpDigits = 6
	totpDrift  = 1 // steps that the phone's clock may be ahead or behind
)

// ErrTOTP says that a code is not the one of now.
var ErrTOTP = errors.New("the code does not fit: read the one that the application shows now, and check that the telephone sets its clock by itself")

var totpBase32 = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewTOTP draws what an account and an authenticator app share: 160 bits, as the 32
// letters that a person can also type into the app.
func NewTOTP() Secret {
	b := make([]byte, totpKey)
	rand.Read(b)
	return NewSecret(totpBase32.EncodeToString(b))
}

// TOTPURI is what the app reads from a QR code. The issuer is shown above the codes;
// account is a login, never a person's name.
func TOTPURI(shared Secret, issuer, account string) Secret {
	issuer = url.PathEscape(issuer) // a query's "+" for a space is shown as it is by some apps
	return NewSecret(fmt.Sprintf("otpauth://totp/%s:%s?secret=%s&issuer=%s&algorithm=SHA1&digits=%d&period=%d",
		issuer, url.PathEscape(account), shared.Reveal(), strings.ReplaceAll(issuer, "&", "%26"), totpDigits, totpStep))
}

// CheckTOTP says which step of 30 seconds since 1970 a code belongs to: the present
// one, the one before or the one after. The caller keeps it with the account and
// refuses a step that is not later than the last one kept, so that a code seen over a
// shoulder opens nothing. Spaces in the code are none. It returns [ErrTOTP], or an
// error when the shared secret is not one that [NewTOTP] made.
func CheckTOTP(shared, code Secret, now time.Time) (step int64, err error) {
	key, err := totpBase32.DecodeString(shared.Reveal())
	if err != nil || len(key) != totpKey {
		return 0, errors.New("crypto: the shared secret of an authenticator is unreadable")
	}
	said := []byte(strings.Join(strings.Fields(code.Reveal()), ""))
	present := now.Unix() / totpStep
	found := 0
	for at := present - totpDrift; at <= present+totpDrift; at++ { // all of them, in constant time; of two equal codes the later
		same := subtle.ConstantTimeCompare(said, totp(key, at, totpDigits))
		step, found = int64(subtle.ConstantTimeSelect(same, int(at), int(step))), found|same
	}
	if found == 0 {
		return 0, ErrTOTP
	}
	return step, nil
}

// totp is HOTP (RFC 4226 §5.3) of a step.
func totp(key []byte, step int64, digits int) []byte {
	mac := hmac.New(sha1.New, key)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	n := binary.BigEndian.Uint32(sum[at:]) & 0x7fffffff
	s := fmt.Sprintf("%0*d", digits, n)
	return []byte(s[len(s)-digits:])
}
