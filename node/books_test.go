package node_test

import (
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/bippop/bippop/node/internal/rights"
)

// TestHoldings: every field of every record, and of every struct of words, stands in
// the table that the register, the impact assessment and the answers to people are
// made of; and the table names nothing that is not there.
func TestHoldings(t *testing.T) {
	paths := append([]string{"node/internal/store"}, nouns...)
	all := check(t, paths...)
	seen := map[string]bool{}
	var walk func(types.Type)
	walk = func(x types.Type) {
		switch x := types.Unalias(x).(type) {
		case *types.Slice:
			walk(x.Elem())
		case *types.Array:
			walk(x.Elem())
		case *types.Pointer:
			walk(x.Elem())
		case *types.Named:
			s, ok := x.Underlying().(*types.Struct)
			if x.Obj().Pkg() == nil || !strings.Contains(x.Obj().Pkg().Path(), "node/internal/") {
				return
			}
			name := x.Obj().Pkg().Name() + "." + x.Obj().Name()
			if !ok || seen[name] || rights.Impersonal[name] != "" {
				seen[name] = true
				return
			}
			seen[name] = true
			compareHolding(t, name, s)
			for i := range s.NumFields() {
				walk(s.Field(i).Type())
			}
		}
	}
	record := all["node/internal/store"].types.Scope().Lookup("Record").Type().Underlying().(*types.Interface)
	for i := range record.NumEmbeddeds() {
		union := record.EmbeddedType(i).(*types.Union)
		for j := range union.Len() {
			walk(union.Term(j).Type())
		}
	}
	for _, name := range []string{"History", "Replay"} {
		walk(all["node/internal/store"].types.Scope().Lookup(name).Type())
	}
	for _, path := range nouns {
		scope := all[path].types.Scope()
		for _, name := range scope.Names() {
			if _, isType := scope.Lookup(name).(*types.TypeName); isType && strings.HasSuffix(name, "Words") {
				walk(scope.Lookup(name).Type())
			}
		}
	}
	walk(all["node/internal/journal"].types.Scope().Lookup("Body").Type()) // sealed in an entry
	if len(seen) < 60 {
		t.Fatalf("only %d structs: this test looks in the wrong place", len(seen))
	}
	for _, h := range rights.Holdings {
		if !seen[h.Struct] {
			t.Errorf("the table names %s, which is no record and no words", h.Struct)
		}
	}
	for name, why := range rights.Impersonal {
		if !seen[name] || why == "" {
			t.Errorf("%s is said to hold nobody (%q), and is no record", name, why)
		}
	}
}

// compareHolding compares a struct with its entry.
func compareHolding(t *testing.T, name string, s *types.Struct) {
	t.Helper()
	i := slices.IndexFunc(rights.Holdings, func(h rights.Holding) bool { return h.Struct == name })
	if i < 0 {
		t.Errorf("%s is kept, and is not in the table of what is held (rights.Holdings)", name)
		return
	}
	h, entries := rights.Holdings[i], map[string]rights.Field{}
	if len(h.For) == 0 {
		t.Errorf("%s is for no purpose", name)
	}
	for _, f := range h.Fields() {
		entries[f.Name] = f
		if rights.KindNames[f.Kind] == "" || f.French == "" || f.Plain == "" && f.Kind != rights.Technical {
			t.Errorf("%s.%s has no kind, or no words in both languages: %+v", name, f.Name, f)
		}
	}
	secret := false
	for i := range s.NumFields() {
		f := s.Field(i)
		if entries[f.Name()].French == "" {
			t.Errorf("%s.%s is kept, and is not in the table of what is held", name, f.Name())
		}
		delete(entries, f.Name())
		secret = secret || strings.HasSuffix(f.Type().String(), "crypto.Secret")
	}
	for left := range entries {
		if !rights.Common(left) {
			t.Errorf("the table names %s.%s, which is not kept", name, left)
		}
	}
	if secret && !h.Sealed {
		t.Errorf("%s holds words of people, and the table does not say that they are sealed", name)
	}
}

// TestValues: each constant of a closed set is said in both languages, so that a
// person reads words and not numbers.
func TestValues(t *testing.T) {
	sets := map[string]bool{}
	for path, p := range check(t, nouns...) {
		scope := p.types.Scope()
		for _, name := range scope.Names() {
			c, ok := scope.Lookup(name).(*types.Const)
			if !ok {
				continue
			}
			named, ok := types.Unalias(c.Type()).(*types.Named)
			if !ok || !c.Exported() {
				continue
			}
			set := named.Obj().Pkg().Name() + "." + named.Obj().Name()
			if !rights.ClosedSet(set) || filepath.Base(path) != named.Obj().Pkg().Name() {
				continue
			}
			sets[set] = true
			n := c.Val().ExactString()
			if s, err := strconv.Unquote(n); err == nil {
				n = s
			}
			if rights.Value(set, n, false) == "" || rights.Value(set, n, true) == "" {
				t.Errorf("%s.%s (%s) has no words in both languages", set, name, n)
			}
		}
	}
	if len(sets) < 20 {
		t.Errorf("only %d closed sets were found", len(sets))
	}
}

// TestMeasures: each measure of the impact assessment names a test that there is.
func TestMeasures(t *testing.T) {
	for _, m := range rights.Measures {
		dir, name, _ := strings.Cut(m.Test, ": ")
		files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(dir), "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(files, func(path string) bool {
			b, err := os.ReadFile(path)
			return err == nil && strings.Contains(string(b), "\nfunc "+name+"(")
		}) {
			t.Errorf("%q is said to be shown by %s, which is not there", m.Text, m.Test)
		}
		if m.Against == 0 {
			t.Errorf("%q is against nothing", m.Text)
		}
	}
}
