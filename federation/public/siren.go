package public

import "fmt"

// Siren is the number of a public body: nine digits with a check digit.
type Siren uint32

// ParseSiren reads nine digits whose check digit holds (Luhn).
func ParseSiren(s string) (Siren, error) {
	if len(s) != 9 {
		return 0, ErrForm
	}
	var n Siren
	for i := range 9 {
		if s[i] < '0' || s[i] > '9' {
			return 0, ErrForm
		}
		n = n*10 + Siren(s[i]-'0')
	}
	if !n.Valid() {
		return 0, ErrForm
	}
	return n, nil
}

// Valid reports whether the check digit holds.
func (n Siren) Valid() bool {
	if n == 0 || n > 999_999_999 {
		return false
	}
	sum := Siren(0)
	for i, rest := 0, n; rest > 0; i, rest = i+1, rest/10 {
		d := rest % 10
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

func (n Siren) String() string { return fmt.Sprintf("%09d", uint32(n)) }
