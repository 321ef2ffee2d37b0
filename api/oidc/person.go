package oidc

import (
	"encoding/json"
	"unicode"
	"unicode/utf8"

	"github.com/bippop/bippop/crypto"
)

// Person is whom a provider vouches for.
type Person struct {
	Issuer  string        // the provider
	Subject crypto.Secret // who, for ever, at this provider and for this client
	SIRET   string        // 14 digits, checked: the establishment for which she acts
	Given   crypto.Secret
	Usual   crypto.Secret
	Email   crypto.Secret
	Factors int           // shown to the provider: 0 when it does not say, 1, or 2
	IDToken crypto.Secret // for [Door.Leave]; kept with the session, sealed
}

// SIREN is the organisation's number.
func (p Person) SIREN() string { return p.SIRET[:9] }

const (
	mostName  = 100 // runes
	mostEmail = 254 // bytes, RFC 5321
)

// subjectOf is whom claims are about.
func subjectOf(claims []byte) (string, error) {
	var c struct {
		Subject string `json:"sub"`
	}
	err := json.Unmarshal(claims, &c)
	return c.Subject, err
}

// parsePerson reads claims whose origin was checked. It returns [ErrUserinfo] or
// [ErrSIRET].
func parsePerson(claims []byte) (Person, error) {
	var c struct {
		Given string `json:"given_name"`
		Usual string `json:"usual_name"`
		Email string `json:"email"`
		SIRET string `json:"siret"`
	}
	if json.Unmarshal(claims, &c) != nil || !printable(c.Given, mostName) || !printable(c.Usual, mostName) || !printable(c.Email, mostEmail) {
		return Person{}, ErrUserinfo.because("unreadable")
	}
	if !validSIRET(c.SIRET) {
		return Person{}, ErrSIRET
	}
	return Person{Given: crypto.NewSecret(c.Given), Usual: crypto.NewSecret(c.Usual), Email: crypto.NewSecret(c.Email), SIRET: c.SIRET}, nil
}

// printable refuses what no name holds, also what turns the direction of a page.
func printable(s string, most int) bool {
	for _, r := range s {
		if unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control) || r == utf8.RuneError {
			return false
		}
	}
	return utf8.RuneCountInString(s) <= most
}

// laPoste counts the establishments of the post by another rule.
const laPoste = "356000000"

// validSIRET checks length and control digit (Luhn, as INSEE defines it).
func validSIRET(s string) bool {
	if len(s) != 14 {
		return false
	}
	luhn, sum := 0, 0
	for i := range len(s) {
		d := int(s[i] - '0')
		if s[i] < '0' || d > 9 {
			return false
		}
		sum += d
		if i%2 == 0 {
			d *= 2
		}
		luhn += d/10 + d%10
	}
	return luhn%10 == 0 && sum > 0 || s[:9] == laPoste && sum%5 == 0
}

// factors counts what kinds of proof stand behind the names of RFC 8176 and those of
// ProConnect: something known, something held, something that one is.
func factors(amr []string) int {
	var kinds [3]bool
	for _, name := range amr {
		switch name {
		case "mfa":
			return 2
		case "pwd", "pin", "kba", "mail": // who reads a mail box has shown its password
			kinds[0] = true
		case "otp", "totp", "sms", "tel", "hwk", "swk", "sc", "pop":
			kinds[1] = true
		case "fpt", "face", "iris", "retina", "vbm":
			kinds[2] = true
		}
	}
	n := 0
	for _, k := range kinds {
		if k {
			n++
		}
	}
	return min(n, 2)
}
