package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/bippop/bippop/api"
	"pgregory.net/rapid"
)

// TestUnique: a name twice in one object is found wherever it stands and however
// it is written, and nothing else is taken for one.
func TestUnique(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &writer{t: t}
		w.value(0)
		text := w.String()
		if !json.Valid([]byte(text)) {
			t.Fatalf("the test writes %q", text)
		}
		if err := api.Unique([]byte(text)); (err != nil) != w.twice {
			t.Fatalf("%s: got %v, a name twice is %v", text, err, w.twice)
		}
	})
}

// writer draws JSON and knows whether an object of it has a name twice.
type writer struct {
	strings.Builder
	t     *rapid.T
	twice bool
}

// written are strings as JSON may write them, by what they mean.
var written = map[string][]string{
	"a": {`"a"`, `"\u0061"`}, `a"b`: {`"a\"b"`, `"\u0061\u0022b"`}, `a\`: {`"a\\"`}, "": {`""`}, "é{": {`"é{"`, `"\u00e9\u007b"`}, `,"a":`: {`",\"a\":"`},
}

func (w *writer) value(depth int) {
	switch rapid.IntRange(0, 4-depth).Draw(w.t, "kind") {
	case 0:
		w.WriteString(rapid.SampledFrom([]string{"null", "true", "-1.5e3", `"a"`, `"\\"`, `"\"{[,"`}).Draw(w.t, "scalar"))
	case 1, 2:
		w.WriteString("{ ")
		seen := map[string]bool{}
		for i := range rapid.IntRange(0, 3).Draw(w.t, "fields") {
			if i > 0 {
				w.WriteString(" ,")
			}
			name := rapid.SampledFrom([]string{"a", `a"b`, `a\`, "", "é{", `,"a":`}).Draw(w.t, "name")
			w.twice = w.twice || seen[name]
			seen[name] = true
			w.WriteString(rapid.SampledFrom(written[name]).Draw(w.t, "written") + ": ")
			w.value(depth + 1)
		}
		w.WriteString("}")
	default:
		w.WriteString("[")
		for i := range rapid.IntRange(0, 3).Draw(w.t, "items") {
			if i > 0 {
				w.WriteString(",")
			}
			w.value(depth + 1)
		}
		w.WriteString("]")
	}
}
