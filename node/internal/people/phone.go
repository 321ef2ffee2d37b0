package people

import (
	"errors"
	"strings"
	"unicode"
)

// ErrPhone says that a text is not a telephone number. It never quotes the text.
var ErrPhone = errors.New("phone number cannot be read: write its ten digits, or + and the country code")

// longestPhone is in bytes, separators included: twenty are usual, and each may be a wide space of three bytes.
const longestPhone = 96

// ParsePhone reads a telephone number as French town halls write it and gives its E.164 form, "+33536491207".
//
// It takes ten digits with any of the usual separators ("05 36 49 12 07", "05.36.49.12.07", no-break spaces), the
// international forms ("+33 5…", "0033 5…", "+33 (0)5…"), and what a spreadsheet leaves when it takes the number for
// a quantity: nine digits without the first 0, or "33536491207" without the +.
//
// National prefixes of the overseas départements give their own country codes, because +33 does not reach them:
//
//	0590 0690 0691                -> +590  Guadeloupe, Saint-Martin, Saint-Barthélemy
//	0594 0694                     -> +594  Guyane
//	0596 0696 0697                -> +596  Martinique
//	0262 0263 0269 0639 0692 0693 -> +262  La Réunion, Mayotte
//
// except 06 39 98, which ARCEP keeps for fiction in metropolitan France and which stays +33.
// Other numbers are kept when they begin with + (or 00) and have 8 to 15 digits. Short numbers (15, 3949) have no
// E.164 form and are refused. The only error is [ErrPhone].
func ParsePhone(s string) (string, error) {
	digits, abroad, ok := phoneDigits(s)
	switch {
	case !ok:
		return "", ErrPhone
	case abroad:
		return internationalPhone(digits)
	case len(digits) == 10 && digits[0] == '0' && digits[1] != '0':
		return nationalPhone(digits[1:]), nil
	case len(digits) == 9 && digits[0] != '0':
		return nationalPhone(digits), nil
	}
	if code, sig := splitFrench(digits); code != "" {
		return "+" + code + sig, nil
	}
	return "", ErrPhone
}

// FormatPhone writes an E.164 number for a reader in France: "05 36 49 12 07" for metropolitan numbers,
// "0590 12 34 56" for overseas ones, "+32 470 12 34 56" for the rest. ParsePhone reads each of them back.
// What is not E.164 comes back unchanged.
func FormatPhone(e164 string) string {
	digits, ok := strings.CutPrefix(e164, "+")
	if !ok || !isForeignPhone(digits) {
		return e164
	}
	switch code, sig := splitFrench(digits); code {
	case "":
	case "33":
		return "0" + sig[:1] + pairs(sig[1:])
	default:
		return "0" + sig[:3] + pairs(sig[3:])
	}
	n := codeLength(digits)
	rest := digits[n:]
	if len(rest)%2 == 1 {
		return "+" + digits[:n] + " " + rest[:3] + pairs(rest[3:])
	}
	return "+" + digits[:n] + pairs(rest)
}

// phoneDigits strips separators. abroad says that the number began with + or 00, which are gone from digits.
func phoneDigits(s string) (digits string, abroad, ok bool) {
	if len(s) > longestPhone {
		return "", false, false
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case '0' <= r && r <= '9', r == '+', r == '(', r == ')':
			b.WriteRune(r)
		case unicode.IsSpace(r), unicode.Is(unicode.Cf, r), strings.ContainsRune(".-/_‐‑–—·'", r):
		default:
			return "", false, false
		}
	}
	compact := b.String()
	digits = withoutParens(compact)
	if strings.HasPrefix(digits, "+") || strings.HasPrefix(digits, "00") {
		abroad = true
		digits = withoutParens(strings.Replace(compact, "(0)", "", 1))
		if after, plus := strings.CutPrefix(digits, "+"); plus {
			digits = after
		} else if digits = strings.TrimPrefix(digits, "00"); len(digits) == 8 {
			return "", false, false // ten digits in all: a slip in a French number is likelier than Greenland
		}
	}
	return digits, abroad, digits != "" && !strings.Contains(digits, "+")
}

func withoutParens(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "(", ""), ")", "")
}

func internationalPhone(digits string) (string, error) {
	if code, sig := splitFrench(digits); code != "" {
		return "+" + code + sig, nil
	}
	if sig, french := strings.CutPrefix(digits, "33"); french {
		// "+33 05…" keeps a 0 that should have gone; "+33 590…" is an overseas number under the wrong code.
		sig = strings.TrimPrefix(sig, "0")
		if len(sig) != 9 || sig[0] == '0' {
			return "", ErrPhone
		}
		return nationalPhone(sig), nil
	}
	for _, code := range overseasCodes {
		if sig, ok := strings.CutPrefix(digits, code+"0"); ok && len(sig) == 9 && phoneCode(sig) == code {
			return "+" + code + sig, nil
		}
	}
	if !isForeignPhone(digits) {
		return "", ErrPhone
	}
	return "+" + digits, nil
}

// isForeignPhone holds E.164's bounds: at most 15 digits, no country code begins with 0.
func isForeignPhone(digits string) bool {
	if len(digits) < 8 || len(digits) > 15 || digits[0] == '0' {
		return false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
	}
	return true
}

var overseasCodes = []string{"262", "590", "594", "596"}

// splitFrench cuts the digits of a canonical French number into country code and the nine digits after the trunk 0.
// A number that is not French, or not canonical, gives "".
func splitFrench(digits string) (code, sig string) {
	if len(digits) != 11 && len(digits) != 12 {
		return "", ""
	}
	code, sig = digits[:len(digits)-9], digits[len(digits)-9:]
	if sig[0] == '0' || phoneCode(sig) != code {
		return "", ""
	}
	return code, sig
}

func nationalPhone(sig string) string { return "+" + phoneCode(sig) + sig }

// phoneCode gives the country code of nine digits of the French numbering plan (ARCEP, decision 2018-0881 and after).
func phoneCode(sig string) string {
	if strings.HasPrefix(sig, "63998") {
		return "33"
	}
	switch sig[:3] {
	case "262", "263", "269", "639", "692", "693":
		return "262"
	case "590", "690", "691":
		return "590"
	case "594", "694":
		return "594"
	case "596", "696", "697":
		return "596"
	}
	return "33"
}

// codeLength is how many digits the country code has (ITU-T E.164, list of assigned codes).
func codeLength(digits string) int {
	switch digits[0] {
	case '1', '7':
		return 1
	}
	switch digits[:2] {
	case "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49",
		"51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66",
		"81", "82", "84", "86", "90", "91", "92", "93", "94", "95", "98":
		return 2
	}
	return 3
}

// pairs writes digits two by two, each pair after a space.
func pairs(digits string) string {
	var b strings.Builder
	for i := 0; i < len(digits); i += 2 {
		b.WriteByte(' ')
		b.WriteString(digits[i:min(i+2, len(digits))])
	}
	return b.String()
}
