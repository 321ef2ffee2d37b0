package oidc

import "time"

var (
	TestOnlyParsePerson = parsePerson
	TestOnlyValidSIRET  = validSIRET
	TestOnlyFactors     = factors
)

// Hurry has calls fail after d, and the next one be tried at once.
func Hurry(d time.Duration) (calm func()) {
	life, again := callLife, retryAfter
	callLife, retryAfter = d, 0
	return func() { callLife, retryAfter = life, again }
}
