package search_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/bippop/bippop/node/internal/search"
)

// canaries are words and numbers of one person; none may be printed, nor folded, nor by sound.
var canaries = []string{"Zyxwvut", "zyxwvut", "Quokka", "quokka", "Xanadu", "xanadu", "Wombat", "wombat", "79990001122", "7a797877", "7A797877", "122 121 120 119", "0x7a, 0x79"}

func canary() search.Doc {
	return search.Doc{
		Kind: search.Beneficiary, ID: id(1), Last: "Zyxwvut", First: "Quokka", BirthName: "Xanadu",
		Phones: []string{"+79990001122"}, Commune: laReole, CommuneName: "Wombat",
	}
}

func TestPrintsNoWord(t *testing.T) {
	x := search.New()
	x.Put(canary())
	x.Find(search.Query{Text: "zyxwvut 0122"})
	x.Duplicates(canary(), 1)
	d, q := canary(), search.Query{Text: "Zyxwvut"}
	type inner struct{ x *search.Index }
	type outer struct {
		index  *search.Index
		value  search.Index
		nested inner
		list   []*search.Index
		byName map[string]*search.Index
		any    any
	}
	safe := map[string]bool{"index": true, "index value": true, "open field": true, "hidden": true, "hidden by &": true, "hidden value": true}
	values := map[string]any{
		"index":        x,
		"index value":  *x,
		"doc":          d,
		"doc pointer":  &d,
		"docs":         []search.Doc{d},
		"query":        q,
		"hits":         x.Find(q),
		"open field":   struct{ Index *search.Index }{x},
		"open doc":     struct{ Doc search.Doc }{d},
		"hidden":       outer{x, *x, inner{x}, []*search.Index{x}, map[string]*search.Index{"a": x}, x},
		"hidden by &":  &outer{x, *x, inner{x}, []*search.Index{x}, map[string]*search.Index{"a": x}, x},
		"hidden value": struct{ any any }{*x},
	}
	for name, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%T", "%t", "%c", "%U", "%e", "%b", "%o", "%z", "%p", "%w"} {
			// fmt asks no method for %p, nor for %w of what is no error: there only a func hides,
			// and vet refuses both.
			if !safe[name] && (verb == "%p" || verb == "%w") {
				continue
			}
			look(t, name+" "+verb, fmt.Sprintf(verb, v))
		}
		look(t, name+" print", fmt.Sprint(v), fmt.Sprintln(v), fmt.Errorf("of %v", v).Error())
		var text strings.Builder
		for _, h := range []slog.Handler{slog.NewTextHandler(&text, nil), slog.NewJSONHandler(&text, nil)} {
			slog.New(h).With("with", v).Info("found", "value", v, slog.Group("group", "value", v))
		}
		b, _ := json.Marshal(v)
		i, _ := json.MarshalIndent(map[string]any{"value": v}, "", " ")
		m, _ := xml.Marshal(v)
		look(t, name+" slog, json, xml", text.String(), string(b), string(i), string(m))
	}
}

func look(t *testing.T, where string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		for _, c := range canaries {
			if strings.Contains(text, c) {
				t.Errorf("%s: a canary is printed: %.200s", where, text)
			}
		}
	}
}

func TestPrintsName(t *testing.T) {
	x := search.New()
	for _, c := range []struct {
		value any
		want  string
	}{
		{x, "[search index]"}, {*x, "[search index]"}, {canary(), "[doc]"}, {search.Query{Text: "a"}, "[query]"},
	} {
		if got := fmt.Sprintf("%#v", c.value); got != c.want {
			t.Errorf("%%#v prints %q, want %q", got, c.want)
		}
		if got, err := json.Marshal(c.value); err != nil || string(got) != `"`+c.want+`"` {
			t.Errorf("json is %s, %v, want %q", got, err, c.want)
		}
		if got := c.value.(slog.LogValuer).LogValue().String(); got != c.want {
			t.Errorf("slog prints %q, want %q", got, c.want)
		}
	}
}
