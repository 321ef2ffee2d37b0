package web_test

import (
	"testing"

	"github.com/bippop/bippop/api/oidc"
	"github.com/bippop/bippop/api/passkey"
)

// TestDoorsHaveWords: why somebody does not come in is said in each language.
func TestDoorsHaveWords(t *testing.T) {
	var codes []string
	for _, r := range oidc.Refusals {
		codes = append(codes, r.Code())
	}
	for _, r := range passkey.Refusals {
		codes = append(codes, r.Code())
	}
	for lang, words := range dictionaries(t) {
		for _, code := range codes {
			if words["problem."+code][""] == "" {
				t.Errorf("%s: [problem] has no %s", lang, code)
			}
		}
	}
}
