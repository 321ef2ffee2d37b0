package crypto_test

import (
	"encoding/base32"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bippop/bippop/crypto"
)

// The key of RFC 6238, Appendix B, for SHA-1.
var rfcKey = []byte("12345678901234567890")

// TestTOTPVectors: RFC 6238, Appendix B.
func TestTOTPVectors(t *testing.T) {
	shared := crypto.NewSecret(base32.StdEncoding.EncodeToString(rfcKey))
	for at, want := range map[int64]string{
		59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130",
	} {
		if got := string(crypto.TestOnlyTOTP(rfcKey, at/30, 8)); got != want {
			t.Errorf("at %d: %s, not %s", at, got, want)
		}
		step, err := crypto.CheckTOTP(shared, crypto.NewSecret(want[2:]), time.Unix(at, 0))
		if err != nil || step != at/30 {
			t.Errorf("at %d: step %d, %v", at, step, err)
		}
	}
}

func TestTOTPWindow(t *testing.T) {
	shared := crypto.NewSecret(base32.StdEncoding.EncodeToString(rfcKey))
	const at = 1111111111 / 30
	for off := int64(-3); off <= 3; off++ {
		code := string(crypto.TestOnlyTOTP(rfcKey, at+off, 6))
		step, err := crypto.CheckTOTP(shared, crypto.NewSecret(code[:3]+" "+code[3:]), time.Unix(at*30+29, 0))
		switch {
		case off >= -1 && off <= 1:
			if err != nil || step != at+off {
				t.Errorf("%+d steps: step %d, %v", off, step-at, err)
			}
		case !errors.Is(err, crypto.ErrTOTP):
			t.Errorf("%+d steps: step %d, %v", off, step-at, err)
		}
	}
}

func TestTOTPRefuses(t *testing.T) {
	now := time.Unix(59, 0)
	shared := crypto.NewSecret(base32.StdEncoding.EncodeToString(rfcKey))
	for _, code := range []string{"", "0", "94287082", "287083", "28708", "-87082", "+287082", "28708２"} {
		if _, err := crypto.CheckTOTP(shared, crypto.NewSecret(code), now); !errors.Is(err, crypto.ErrTOTP) {
			t.Errorf("%q: %v", code, err)
		}
	}
	for _, bad := range []string{"", "AAAA", "not base32!", base32.StdEncoding.EncodeToString(append(rfcKey, 'x'))} {
		if _, err := crypto.CheckTOTP(crypto.NewSecret(bad), crypto.NewSecret("287082"), now); err == nil || errors.Is(err, crypto.ErrTOTP) {
			t.Errorf("secret %q: %v", bad, err)
		}
	}
}

func TestTOTPURI(t *testing.T) {
	shared := crypto.NewTOTP()
	if shared.Equal(crypto.NewTOTP()) || len(shared.Reveal()) != 32 {
		t.Error("not 160 random bits in 32 letters")
	}
	uri := crypto.TOTPURI(shared, "Entraide du Pays d’Auge & Cie", "agent+1/a")
	if s := fmt.Sprintf("%v %+v %#v", uri, uri, uri); strings.Contains(s, shared.Reveal()) {
		t.Error("the URI can be printed")
	}
	u, err := url.Parse(uri.Reveal())
	if err != nil || u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/Entraide du Pays d’Auge & Cie:agent+1/a" {
		t.Fatalf("got %q, %q, %v", u.Host, u.Path, err)
	}
	q := u.Query()
	if len(q) != 5 || q.Get("secret") != shared.Reveal() || q.Get("issuer") != "Entraide du Pays d’Auge & Cie" ||
		q.Get("algorithm") != "SHA1" || q.Get("digits") != "6" || q.Get("period") != "30" {
		t.Errorf("got %d parameters for issuer %q", len(q), q.Get("issuer"))
	}
}

func TestRecoveryCodes(t *testing.T) {
	key, ana, bob := crypto.NewKey(), []byte("ana"), []byte("bob")
	codes := crypto.NewRecoveryCodes()
	var kept []crypto.RecoveryHash
	for i, c := range codes {
		s := c.Reveal()
		if len(s) != 11 || s[5] != '-' || strings.ContainsAny(s, "ILOU") {
			t.Errorf("code %d has another form", i)
		}
		kept = append(kept, crypto.HashRecoveryCode(key, ana, c))
	}
	for i, c := range codes {
		s := c.Reveal()
		typed := strings.NewReplacer("0", "o", "1", "l").Replace(strings.ToLower(" " + s[:2] + " " + s[2:5] + s[6:] + " "))
		for _, written := range []string{s, typed} {
			if got := crypto.FindRecoveryCode(key, ana, kept, crypto.NewSecret(written)); got != i {
				t.Errorf("code %d is found as %d", i, got)
			}
		}
		if crypto.FindRecoveryCode(key, bob, kept, c) != -1 || crypto.FindRecoveryCode(crypto.NewKey(), ana, kept, c) != -1 {
			t.Error("a code of another account or another key is found")
		}
	}
	crossed := append(kept[:3:3], kept[4:]...)
	for _, wrong := range []string{"", "-", codes[3].Reveal(), codes[0].Reveal()[:10], codes[0].Reveal() + "0"} {
		if got := crypto.FindRecoveryCode(key, ana, crossed, crypto.NewSecret(wrong)); got != -1 {
			t.Errorf("a code that is none is found as %d", got)
		}
	}
	if got := crypto.FindRecoveryCode(key, ana, make([]crypto.RecoveryHash, 10), crypto.NewSecret("")); got != -1 {
		t.Errorf("no code is found as %d", got)
	}
}
