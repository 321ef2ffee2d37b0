package web_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/bippop/bippop/node"
)

// dictionary is what one language says: by key, then by plural form, "" where
// there is one form only.
type dictionary map[string]map[string]string

// dictionaries reads every locale file, by language.
func dictionaries(t *testing.T) map[string]dictionary {
	t.Helper()
	out := map[string]dictionary{}
	for path, text := range sources(t, "locales/*.toml") {
		area, lang, _ := strings.Cut(strings.TrimSuffix(filepath.Base(path), ".toml"), ".")
		var table map[string]any
		if err := toml.Unmarshal([]byte(text), &table); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if len(table) != 1 || table[area] == nil {
			t.Errorf("%s holds other tables than %s", path, area)
		}
		if out[lang] == nil {
			out[lang] = dictionary{}
		}
		out[lang].add(area, table[area])
	}
	return out
}

func (d dictionary) add(key string, v any) {
	switch v := v.(type) {
	case string:
		d[key] = map[string]string{"": v}
	case map[string]any:
		if v["other"] == nil {
			for name, entry := range v {
				d.add(key+"."+name, entry)
			}
			return
		}
		d[key] = map[string]string{}
		for form, text := range v {
			d[key][form], _ = text.(string)
		}
	}
}

// sources reads files by pattern.
func sources(t *testing.T, patterns ...string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range patterns {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatal("no ", pattern, err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			out[path] = string(b)
		}
	}
	return out
}

var (
	action      = regexp.MustCompile(`\{\{.*?\}\}`)
	placeholder = regexp.MustCompile(`\.([A-Z]\w*)`)
	literal     = regexp.MustCompile(`"[^"\n]*"`)
	said        = regexp.MustCompile(`(?:\bt |\.t\()"([^"]+)"`)
)

// grammar are the data that one language needs and another does not: the ending of
// words about her, "de" or "d’", the hour of a clock with and without am and pm.
var grammar = []string{"E", "Of", "H", "H12"}

// data are the names of what a message is given.
func data(forms map[string]string) []string {
	names := map[string]bool{}
	for _, text := range forms {
		for _, a := range action.FindAllString(text, -1) {
			for _, m := range placeholder.FindAllStringSubmatch(a, -1) {
				if !slices.Contains(grammar, m[1]) {
					names[m[1]] = true
				}
			}
		}
	}
	if len(forms) > 1 {
		names["N"] = true // chooses the form, even where it is not said
	}
	return slices.Sorted(maps.Keys(names))
}

// TestLanguagesSayTheSame: each key in each language, from the same data.
func TestLanguagesSayTheSame(t *testing.T) {
	all := dictionaries(t)
	french := all["fr"]
	for lang, d := range all {
		for key, forms := range d {
			if french[key] == nil {
				t.Errorf("%s: %s is not said in French", lang, key)
				continue
			}
			for form, text := range forms {
				if strings.TrimSpace(text) == "" || form != "" && form != "one" && form != "other" {
					t.Errorf("%s: %s, form %q: %q", lang, key, form, text)
				}
			}
			if a, b := data(forms), data(french[key]); !slices.Equal(a, b) && !slices.Equal(slices.DeleteFunc(a, isN), slices.DeleteFunc(b, isN)) {
				t.Errorf("%s: %s takes %v, in French %v", lang, key, a, b)
			}
		}
		for key := range french {
			if d[key] == nil {
				t.Errorf("%s is not said in %s", key, lang)
			}
		}
	}
}

// A language may say "once" where another says "1 fois".
func isN(name string) bool { return name == "N" }

// computed are the beginnings of keys that end in a code, a number or a name.
var computed = []string{
	"problem.", "flash.", "kinds.", "say.weekday.", "say.month.", "say.state.", "say.status.", "say.step.", "say.why.", "say.obstacle.", "say.change.",
	"say.category.", "say.age_band.", "say.sex.", "say.script.", "people.mode_", "volunteers.tab_", "requests.tab_", "welcome.as_", "welcome.does_", "sources.what_",
	"offers.state_", "across.radius_", "across.offer_", "across.consent_", "across.met_", "across.interest_", "say.language.", "bonds.why_", "series.nth_", "series.month_", "series.holiday_",
	"roster.", "roster.role_", "roster.says_", "account.role", "account.does", "federation.state_", "federation.do_", "federation.trouble_", "federation.mend_", "handover.state_", "ledger.way_", "ledger.what_", "ledger.to_", "ledger.group_",
	"dpo.part_", "dpo.rule_", "dpo.setting_", "dpo.demand_", "dpo.next_",
	"journal.for_", "journal.say_", "journal.kind_", "journal.odd_", "journal.fault_", "journal.screen_", "imports.fault.", "imports.file.", "imports.field.", "imports.why.", "imports.alike.", "imports.comma.",
	"replicas.state_", "replicas.role_", "replicas.does_", "replicas.next_", "replicas.why_", "replicas.start_", "replicas.bytes_", "erasures.kind_", "erasures.wait_", "erasures.limit_", "backups.state_", "backups.care_",
	"nation.", "nation.by_", "nation.fate", "nation.nth", "figures.", "figures.month", "figures.kind", "figures.sex", "figures.age", "figures.csv", "figures.times", "figures.half_in_", "figures.by_",
}

// TestEveryKeyIsSaid: what pages say exists and is given its data, and nothing is
// kept that no page says.
func TestEveryKeyIsSaid(t *testing.T) {
	french := dictionaries(t)["fr"]
	used := map[string]bool{}
	for path, text := range sources(t, "templates/*.html", "templates/alone/*.html", "*.go") {
		for _, l := range literal.FindAllString(text, -1) {
			used[strings.Trim(l, `"`)] = true
		}
		for _, m := range said.FindAllStringSubmatch(text, -1) {
			used[m[1]] = true // in an attribute the quotes of a template do not pair
		}
		units := action.FindAllString(text, -1)
		if strings.HasSuffix(path, ".go") {
			units = strings.Split(text, "\n")
		}
		for _, unit := range units {
			for _, m := range said.FindAllStringSubmatch(unit, -1) {
				key := m[1]
				if slices.Contains(computed, key) || slices.ContainsFunc(computed, func(p string) bool { return strings.HasPrefix(key, p) && strings.Contains(key, "%") }) {
					continue
				}
				forms, ok := french[key]
				if !ok {
					t.Errorf("%s says %q, which does not exist", path, key)
				}
				for _, name := range data(forms) {
					if !strings.Contains(unit, `"`+name+`"`) {
						t.Errorf("%s says %q without its %s", path, key, name)
					}
				}
			}
		}
	}
	for key := range french {
		if !used[key] && !slices.ContainsFunc(computed, func(p string) bool { return strings.HasPrefix(key, p) }) {
			t.Errorf("nothing says %s", key)
		}
	}
}

var (
	spoken  = regexp.MustCompile(`(?:title|aria-label|placeholder|alt)="([^"]*)"`)
	tag     = regexp.MustCompile(`<[^>]*>`)
	letters = regexp.MustCompile(`\p{L}+`)
	verb    = regexp.MustCompile(`%[a-z]`)
)

// same are words that are written alike in every language.
var same = []string{"bippop", "unseal", "km", "SIREN", "Mme", "M", "English", "Français"}

// TestTemplatesHoldNoWords: what people read comes from the locale files.
func TestTemplatesHoldNoWords(t *testing.T) {
	for path, text := range sources(t, "templates/*.html", "templates/alone/*.html") {
		if path == filepath.Join("templates", "figures.html") {
			continue
		}
		for _, a := range action.FindAllString(text, -1) {
			for _, l := range literal.FindAllString(a, -1) {
				l = verb.ReplaceAllString(l, "")
				if strings.Trim(l, " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~") != "" || strings.Contains(l, " ") && letters.MatchString(l) {
					t.Errorf("%s: %s in %s", path, l, a)
				}
			}
		}
		text = action.ReplaceAllString(text, "")
		for _, m := range spoken.FindAllStringSubmatch(text, -1) {
			if letters.MatchString(m[1]) {
				t.Errorf("%s: %s", path, m[0])
			}
		}
		for _, word := range letters.FindAllString(tag.ReplaceAllString(text, " "), -1) {
			if !slices.Contains(same, word) {
				t.Errorf("%s: %q", path, word)
			}
		}
	}
}

// TestProblemsAreSaid: whatever the node or the pages refuse has a sentence,
// except what only programs meet and what the import of a file says itself.
func TestProblemsAreSaid(t *testing.T) {
	programs := strings.Fields(`no-session not-found exists stale-tree not-founded import-gap unknown-state unknown-notice unknown-mode unknown-result
		unknown-icon unknown-language unknown-reason faulty-rows nothing-to-import other-file unreadable already-there other-rows`)
	code := regexp.MustCompile(`(?:Code: "|invalid\("[^"]*", "|\{(?:Invalid|NotFound|Conflict|Stale|Retry), ")([a-z-]+)"`)
	french := dictionaries(t)["fr"]
	found := 0
	for path, text := range sources(t, "*.go", "../../node/*.go", "../../node/internal/refuse/*.go") {
		for _, m := range code.FindAllStringSubmatch(text, -1) {
			found++
			if french["problem."+m[1]] == nil && !slices.Contains(programs, m[1]) {
				t.Errorf("%s refuses with %q, for which there is no sentence", path, m[1])
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d codes found: the test does not see them any more", found)
	}
}

// TestNamesFromElsewhere: the names that the node begins with stand in the locale
// files as they are, or they would not be recognised.
func TestNamesFromElsewhere(t *testing.T) {
	french := dictionaries(t)["fr"]
	kinds, err := newTown(t).node.Catalogue.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kinds {
		if got := french["kinds."+k.Icon][""]; got != k.Name {
			t.Errorf("kinds.%s is %q, the catalogue begins with %q", k.Icon, got, k.Name)
		}
	}
	credits := node.Credits()
	for i, c := range credits {
		if got := french["sources.what_"+string(rune('0'+i))][""]; got != c.What {
			t.Errorf("source %d is %q, not %q", i, got, c.What)
		}
	}
}
