package geo

// ValidSiren reports whether s is nine digits that pass Luhn's check (ISO/IEC 7812-1), as every SIREN does. It does
// not say that the body exists.
func ValidSiren(s string) bool {
	if len(s) != 9 || s == "000000000" {
		return false
	}
	sum := 0
	for i := range len(s) {
		d := int(s[i]) - '0'
		if d < 0 || d > 9 {
			return false
		}
		if i%2 == 1 { // every second digit from the right, leaving the check
			d *= 2
		}
		sum += d/10 + d%10
	}
	return sum%10 == 0
}
