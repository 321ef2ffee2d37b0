package web_test

import (
	"regexp"
	"testing"
)

// TestBlocksHaveOneMeaning: all templates are one set, in which a name that is
// defined twice would change a page that nobody has touched.
func TestBlocksHaveOneMeaning(t *testing.T) {
	where := map[string]string{}
	for path, text := range sources(t, "templates/*.html", "templates/alone/*.html") {
		mains := 0
		for _, m := range regexp.MustCompile(`{{-?\s*define "([^"]+)"`).FindAllStringSubmatch(text, -1) {
			if m[1] == "main" {
				mains++
				continue
			}
			if other, taken := where[m[1]]; taken {
				t.Errorf("%s and %s both define %q", path, other, m[1])
			}
			where[m[1]] = path
		}
		if mains > 1 {
			t.Errorf("%s has %d main parts", path, mains)
		}
	}
}
