package node_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/bippop/bippop/"

// floor is one package's place in the house.
type floor struct {
	why  string   // it is there
	uses []string // packages of ours that it may import; a star ends a prefix
}

// nouns are what a store or a command is about.
var nouns = []string{"node/internal/account", "node/internal/across", "node/internal/backup", "node/internal/bond", "node/internal/catalogue", "node/internal/contact", "node/internal/credential", "node/internal/egress", "node/internal/erasure", "node/internal/handover", "node/internal/ident", "node/internal/journal", "node/internal/notice", "node/internal/offer", "node/internal/people", "node/internal/release", "node/internal/replica", "node/internal/request", "node/internal/rights", "node/internal/series", "node/internal/territory", "node/internal/when"}

// house says, for each package, why it is there and which packages of ours it
// may import. A package that is not listed fails the test: give it a floor first.
var house = map[string]floor{
	"crypto":                    {"leaf: keys, boxes, Secret; nothing of ours touches a cipher elsewhere", nil},
	"consensus":                 {"replicates opaque bytes; knows no record, so that it can leak none", []string{"crypto"}},
	"consensus/autopilot":       {"who should vote next; decides from numbers, so that it is tried without a cluster", nil},
	"consensus/consensustest":   {"a cluster in one process, for everybody's tests", []string{"consensus", "crypto"}},
	"consensus/gossip":          {"what replicas hear of each other; a hint, decides nothing", []string{"consensus", "consensus/mesh", "crypto"}},
	"consensus/mesh":            {"every byte between replicas: mutual TLS, one port, many protocols", []string{"consensus"}},
	"consensus/mesh/meshtest":   {"territories, and wires to cut and to listen to, for everybody's tests", []string{"consensus/mesh"}},
	"federation/bulletin":       {"the coordinator's own words, one way; apart from public, which has no free text", []string{"federation/public"}},
	"federation":                {"how a node speaks with the others: libp2p, hubs, leaves; owns libp2p", []string{"federation/feed", "federation/public", "federation/roster"}},
	"federation/simulation":     {"a nation in one process, for tests and the bench", []string{"federation", "federation/feed", "federation/public", "federation/roster"}},
	"federation/feed":           {"a log that one writer signs and others check; knows entries as bytes", []string{"federation/public"}},
	"federation/ledger":         {"the check of feeds and roster by their bytes alone, for those who trust nobody", []string{"federation/bulletin", "federation/feed", "federation/public", "federation/roster"}},
	"federation/roster":         {"who belongs to the federation, signed by k of n", []string{"federation/feed", "federation/public"}},
	"federation/market":         {"what territories offer each other, folded from their feeds; decides nothing", []string{"federation/public"}},
	"federation/national":       {"adds up what territories have released; knows no node", []string{"federation/public"}},
	"federation/public":         {"leaf: the closed set of things a territory may say; no type here can reach a person", nil},
	"node/internal/ident":       {"IDs that say by their type what they name", nil},
	"node/internal/when":        {"time as data: the machine has no clock and no zone", nil},
	"node/internal/refuse":      {"every reason for which the machine says no, numbered", nil},
	"node/internal/people":      {"beneficiaries, volunteers, imports", []string{"crypto", "node/internal/ident", "node/internal/refuse", "node/internal/rights", "node/internal/when"}},
	"node/internal/rights":      {"what people may demand of what is known of them, and how long it is kept", []string{"crypto", "node/internal/ident", "node/internal/refuse", "node/internal/when"}},
	"node/internal/catalogue":   {"kinds of action; counts in national words", []string{"federation/public", "node/internal/ident", "node/internal/refuse"}},
	"node/internal/request":     {"one need and the ways in which it changes", []string{"crypto", "node/internal/ident", "node/internal/refuse", "node/internal/when"}},
	"node/internal/series":      {"help that comes again", []string{"node/internal/ident", "node/internal/refuse", "node/internal/request", "node/internal/when"}},
	"node/internal/handover":    {"dossiers that changed hands between two territories", []string{"federation/public", "node/internal/ident", "node/internal/when"}},
	"node/internal/notice":      {"the coordinator's bulletins, as a node keeps them", []string{"federation/bulletin", "federation/public", "node/internal/ident", "node/internal/when"}},
	"node/internal/offer":       {"what a volunteer proposes before anybody asks", []string{"crypto", "node/internal/ident", "node/internal/refuse", "node/internal/when"}},
	"node/internal/bond":        {"ties that live on without the platform", []string{"node/internal/ident", "node/internal/refuse", "node/internal/when"}},
	"node/internal/contact":     {"calls to people", []string{"node/internal/ident", "node/internal/when"}},
	"node/internal/account":     {"who may sign in", []string{"crypto", "node/internal/ident", "node/internal/refuse", "node/internal/when"}},
	"node/internal/journal":     {"who read whose words, and the chain that shows it", []string{"crypto", "node/internal/account", "node/internal/ident", "node/internal/refuse", "node/internal/when"}},
	"node/internal/credential":  {"what people show besides a password", []string{"node/internal/ident", "node/internal/refuse", "node/internal/when"}},
	"node/internal/replica":     {"the machines that carry the records, and who may be one", []string{"crypto", "node/internal/ident", "node/internal/refuse", "node/internal/when"}},
	"node/internal/egress":      {"what the territory has said to others, and the federation it belongs to", []string{"federation/public", "node/internal/ident", "node/internal/refuse", "node/internal/when"}},
	"node/internal/release":     {"what a quarter comes to for the nation, with a bound on what anybody adds", []string{"federation/public", "node/internal/when"}},
	"node/internal/across":      {"help that crosses the territory's border, with what of it stays here", []string{"federation/public", "node/internal/ident", "node/internal/refuse", "node/internal/when"}},
	"node/internal/erasure":     {"whom the territory has forgotten, and who may still hold the former key", []string{"crypto", "node/internal/ident", "node/internal/when"}},
	"node/internal/backup":      {"where copies lie", []string{"crypto", "node/internal/ident", "node/internal/refuse", "node/internal/when"}},
	"node/internal/territory":   {"whose node this is", []string{"node/internal/refuse", "node/internal/when"}},
	"node/internal/dispatch":    {"who fits a request; decides nothing, so the machine does not need it", []string{"node/internal/catalogue", "node/internal/ident", "node/internal/offer", "node/internal/people", "node/internal/request", "node/internal/when"}},
	"node/internal/stats":       {"what of the figures may be shown to whom; counts only", []string{"federation/public"}},
	"node/internal/geo":         {"communes and distances; public data, knows no person", nil},
	"node/internal/geo/gen":     {"makes geo's data from public files; run by hand", []string{"node/internal/geo"}},
	"node/internal/search":      {"finds names in memory; given words, knows no record", nil},
	"node/internal/sheet":       {"reads spreadsheets into people's words", []string{"node/internal/people"}},
	"node/internal/command":     {"what may enter the log", append([]string{"crypto", "federation/public"}, nouns...)},
	"node/internal/event":       {"what has happened: IDs and numbers", []string{"crypto", "federation/public", "node/internal/ident", "node/internal/people", "node/internal/request"}},
	"node/internal/store":       {"encrypted records; owns Badger", append([]string{"crypto", "federation/public"}, nouns...)},
	"node/internal/view":        {"lists that follow from records; crypto only for the names of keys", append([]string{"crypto", "node/internal/store"}, nouns...)},
	"node/internal/rotation":    {"when a root key may replace another, and who may be told; decides only, so that a simulator can run it", []string{"crypto"}},
	"node/internal/machine":     {"applies commands; crypto only for the wrapped keys' types", append([]string{"crypto", "federation/bulletin", "federation/public", "node/internal/command", "node/internal/event", "node/internal/refuse", "node/internal/rotation", "node/internal/store", "node/internal/view"}, nouns...)},
	"node":                      {"the only place where parts are joined", []string{"consensus", "consensus/*", "crypto", "federation", "federation/*", "node/internal/*"}},
	"api":                       {"HTTP for programs: binds, asks the node, answers; mounts the pages", []string{"api/oidc", "api/passkey", "api/web", "crypto", "federation/public", "node"}},
	"api/oidc":                  {"signs somebody in at another's door; given a provider, knows no account", []string{"crypto"}},
	"api/passkey":               {"ceremonies of passkeys; given a key, knows no account", nil},
	"api/web":                   {"pages for people, over the node's services", []string{"api/oidc", "api/passkey", "crypto", "federation/public", "node"}},
	"cmd/bippop":                {"one binary: flags, signals, exit codes", []string{"api", "api/oidc", "api/web", "cmd/bippop/internal/alarm", "cmd/bippop/internal/meter", "cmd/bippop/internal/synth", "crypto", "federation", "federation/bulletin", "federation/feed", "federation/ledger", "federation/public", "federation/roster", "federation/simulation", "node"}},
	"cmd/bippop/internal/alarm": {"writes to the operator; reads vitals, which hold no person's words", []string{"crypto", "node"}},
	"cmd/bippop/internal/meter": {"what Prometheus reads; reads vitals, which hold no person's words", []string{"node"}},
	"cmd/bippop/internal/synth": {"invents a territory, and a nation, for the demo; knows no record", []string{"federation/public"}},
}

// owners says which packages alone may name a large dependency, so that it can
// be replaced, and its logs and secrets watched, in one place.
var owners = map[string][]string{
	"github.com/hashicorp/raft":              {"consensus"}, // raft, raft-wal, raft-boltdb
	"github.com/hashicorp/go-hclog":          {"consensus"},
	"github.com/hashicorp/memberlist":        {"consensus/gossip"},
	"go.etcd.io/bbolt":                       {"consensus"},
	"github.com/libp2p/go-libp2p":            {"federation"},
	"github.com/quic-go/quic-go":             {"federation"},
	"github.com/multiformats":                {"federation"},
	"github.com/marcopolo/simnet":            {"federation/simulation"},
	"github.com/dgraph-io/badger":            {"node/internal/store"},
	"github.com/gin-gonic/gin":               {"api", "api/web"},
	"github.com/danielgtaylor/huma":          {"api", "api/web"},
	"filippo.io/age":                         {"crypto"},
	"golang.org/x/crypto":                    {"crypto"},
	"github.com/yeqown/go-qrcode":            {"api/web"},
	"github.com/spf13/cobra":                 {"cmd/bippop"},
	"github.com/xuri/excelize":               nil, // tests only: a second reader of what we write
	"github.com/rogpeppe/go-internal":        nil, // tests only
	"pgregory.net/rapid":                     nil, // tests only
	"github.com/stretchr/testify":            nil,
	"github.com/dgraph-io/ristretto":         nil,
	"github.com/hashicorp/golang-lru":        nil,
	"github.com/libp2p/go-libp2p-core":       nil,
	"github.com/anishathalye/porcupine":      nil, // tests only
	"github.com/cloudflare/circl":            {"crypto"},
	"github.com/prometheus/client_golang":    {"cmd/bippop/internal/meter"},
	"github.com/wneessen/go-mail":            {"cmd/bippop/internal/alarm"},
	"github.com/emersion":                    nil, // tests only: an SMTP server
	"github.com/coreos/go-oidc":              {"api/oidc"},
	"golang.org/x/oauth2":                    {"api/oidc"},
	"github.com/go-webauthn":                 {"api/passkey"},
	"github.com/go-jose":                     nil,      // tests only: tokens that are forged
	"github.com/zitadel/oidc":                nil,      // tests only: a provider
	"filippo.io/torchwood":                   nil,      // tests only: another reader of checkpoints and tiles
	"github.com/google/differential-privacy": {"node"}, // propose.go: the place of chance
}

// pure packages give the same answer on every machine, at any time.
var pure = []string{
	"consensus/autopilot", "node/internal/account", "node/internal/bond", "node/internal/catalogue", "node/internal/command", "node/internal/contact", "node/internal/credential",
	"node/internal/dispatch", "node/internal/egress", "node/internal/erasure", "node/internal/event", "node/internal/handover", "node/internal/journal", "node/internal/machine",
	"node/internal/notice", "node/internal/offer", "node/internal/people", "node/internal/refuse", "node/internal/release", "node/internal/replica",
	"node/internal/request", "node/internal/rights", "node/internal/rotation", "node/internal/series", "node/internal/stats", "node/internal/territory", "node/internal/view",
	"node/internal/when",
}

// impure says what a pure package may not use, and why: a package, or a name in
// one.
var impure = map[string]string{
	"time.Now": "time comes in the command", "time.Since": "time comes in the command", "time.Until": "time comes in the command",
	"time.Sleep": "waiting is not a state", "time.After": "waiting is not a state", "time.AfterFunc": "waiting is not a state",
	"time.Tick": "waiting is not a state", "time.NewTimer": "waiting is not a state", "time.NewTicker": "waiting is not a state",
	"time.Local": "use UTC, or the zone in the territory's record", "time.LoadLocation": "zone data differs between machines",
	"crypto/rand": "chance comes in the command", "math/rand": "chance comes in the command", "math/rand/v2": "chance comes in the command",
	"github.com/google/uuid": "IDs come in the command",
	"os":                     "the machine has no disk but its store", "io/ioutil": "the machine has no disk but its store", "path/filepath": "the machine has no disk but its store",
	"net": "the machine has no network", "net/http": "the machine has no network", "os/exec": "the machine runs nothing", "syscall": "the machine runs nothing",
	"log": "replay would log again", "log/slog": "replay would log again",
	"sync": "Apply is single-threaded", "sync/atomic": "Apply is single-threaded", "context": "a pure function does not wait",
	"hash/maphash": "seeded per process", "math": "floats round differently", "math/big": "not needed: whole numbers fit", "unsafe": "no", "reflect": "closed sets are switched over by type",
	"fmt.Print": "replay would print again", "fmt.Printf": "replay would print again", "fmt.Println": "replay would print again",
}

// listed is a package as the go command sees it, without its tests.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles, Imports, Deps  []string
	Error                   *struct{ Err string }
}

// list asks the go command. With export it also compiles what it lists.
func list(t *testing.T, export bool, patterns ...string) map[string]listed {
	t.Helper()
	args := []string{"list", "-e", "-json=ImportPath,Dir,GoFiles,Imports,Deps,Export,Error"}
	if export {
		args = append(args, "-export", "-deps")
	}
	cmd := exec.Command("go", append(args, patterns...)...)
	cmd.Dir = ".."
	var faults bytes.Buffer
	cmd.Stderr = &faults
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, faults.String())
	}
	byPath := map[string]listed{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		byPath[strings.TrimPrefix(p.ImportPath, module)] = p
	}
	return byPath
}

// source is a package with its types.
type source struct {
	files []*ast.File
	set   *token.FileSet
	types *types.Package
	info  *types.Info
	list  listed
}

// check reads and type-checks packages of ours.
func check(t *testing.T, paths ...string) map[string]source {
	t.Helper()
	var patterns []string
	for _, path := range paths {
		patterns = append(patterns, "./"+path)
	}
	all := list(t, true, patterns...)
	set := token.NewFileSet()
	exports := importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) {
		p, ok := all[strings.TrimPrefix(path, module)]
		if !ok || p.Export == "" {
			return nil, fmt.Errorf("%s was not compiled", path)
		}
		return os.Open(p.Export)
	})
	out := map[string]source{}
	for _, path := range paths {
		p, ok := all[path]
		if !ok {
			t.Errorf("there is no package %s", path)
			continue
		}
		s := source{set: set, list: p, info: &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}}
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			s.files = append(s.files, f)
		}
		var err error
		if s.types, err = (&types.Config{Importer: exports}).Check(p.ImportPath, set, s.files, s.info); err != nil {
			t.Fatal(err)
		}
		out[path] = s
	}
	return out
}

func within(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(a string) bool {
		prefix, wild := strings.CutSuffix(a, "*")
		return a == path || wild && strings.HasPrefix(path, prefix)
	})
}

func TestHouse(t *testing.T) {
	pkgs := list(t, false, "./...")
	for _, path := range slices.Sorted(maps.Keys(pkgs)) {
		f, ok := house[path]
		if !ok {
			t.Errorf("package %s has no floor in the house", path)
			continue
		}
		for _, imp := range pkgs[path].Imports {
			if ours, ok := strings.CutPrefix(imp, module); ok && !within(f.uses, ours) {
				t.Errorf("%s may not import %s (%s)", path, ours, f.why)
			}
			for dep, own := range owners {
				if strings.HasPrefix(imp, dep) && !slices.Contains(own, path) {
					t.Errorf("%s may not import %s: only %v may", path, imp, own)
				}
			}
		}
	}
	for _, path := range slices.Sorted(maps.Keys(house)) {
		if _, there := pkgs[path]; !there {
			t.Errorf("house lists %s, which does not exist", path)
		}
		if house[path].why == "" {
			t.Errorf("house lists %s without a reason", path)
		}
	}
}

// TestBorder is the one rule that must hold whatever the table says.
func TestBorder(t *testing.T) {
	pkgs := list(t, false, "./federation/...")
	if len(pkgs) == 0 {
		t.Fatal("no package below federation")
	}
	for path, p := range pkgs {
		for _, dep := range p.Deps {
			if strings.HasPrefix(dep, module+"node") {
				t.Errorf("%s reaches %s: personal data stays in the territory", path, dep)
			}
		}
	}
}

func TestPure(t *testing.T) {
	for path, p := range check(t, pure...) {
		for _, imp := range p.list.Imports {
			if why, ok := impure[imp]; ok {
				t.Errorf("%s imports %s: %s", path, imp, why)
			}
		}
		for _, f := range p.files {
			ast.Inspect(f, func(n ast.Node) bool {
				at := func() token.Position { return p.set.Position(n.Pos()) }
				switch n := n.(type) {
				case *ast.GoStmt, *ast.SelectStmt, *ast.SendStmt, *ast.ChanType:
					t.Errorf("%s: no concurrency in %s", at(), path)
				case *ast.RangeStmt:
					if _, ok := p.info.TypeOf(n.X).Underlying().(*types.Map); ok || unordered(p.info, n.X) {
						t.Errorf("%s: map order differs on every run; range over sorted keys", at())
					}
				case *ast.BasicLit:
					if n.Kind == token.FLOAT {
						t.Errorf("%s: floats round differently on arm64 and amd64; use integers", at())
					}
				case *ast.Ident:
					obj := p.info.Uses[n]
					if obj == nil || obj.Pkg() == nil {
						if b, ok := obj.(*types.TypeName); ok && (strings.HasPrefix(b.Name(), "float") || strings.HasPrefix(b.Name(), "complex")) {
							t.Errorf("%s: %s rounds differently on arm64 and amd64; use integers", at(), b.Name())
						}
						return true
					}
					if why, ok := impure[obj.Pkg().Path()+"."+obj.Name()]; ok {
						t.Errorf("%s: %s.%s: %s", at(), obj.Pkg().Name(), obj.Name(), why)
					}
				}
				return true
			})
		}
	}
}

// unordered reports whether x is a call to an iterator of package maps.
func unordered(info *types.Info, x ast.Expr) bool {
	call, ok := x.(*ast.CallExpr)
	if !ok {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	return ok && info.Uses[sel.Sel] != nil && info.Uses[sel.Sel].Pkg() != nil && info.Uses[sel.Sel].Pkg().Path() == "maps"
}

// clockFile is where package node reads the clock and draws.
const clockFile = "propose.go"

// clocks are the clock and chance of package node; each may stand in the named
// file only.
var clocks = map[string]string{
	"time.Now": clockFile, "time.Since": clockFile, "time.Until": clockFile, "time.Sleep": "", "time.After": "", "time.Tick": "", "time.AfterFunc": "", "time.NewTimer": "",
	"time.NewTicker":               "sweep.go", // the ticker proposes, the machine decides
	"github.com/google/uuid.NewV7": clockFile, "github.com/google/uuid.New": "", "github.com/google/uuid.NewRandom": "", "github.com/google/uuid.NewString": "",
}

// TestClock: what is written into the log is stamped and drawn in one place.
func TestClock(t *testing.T) {
	p := check(t, "node")["node"]
	seen := false
	for _, f := range p.files {
		ast.Inspect(f, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok {
				return true
			}
			obj := p.info.Uses[id]
			if obj == nil || obj.Pkg() == nil || obj.Parent() != obj.Pkg().Scope() {
				return true
			}
			at := p.set.Position(id.Pos())
			file := filepath.Base(at.Filename)
			name := obj.Pkg().Path() + "." + obj.Name()
			where, watched := clocks[name]
			switch obj.Pkg().Path() {
			case "crypto/rand", "math/rand", "math/rand/v2":
				where, watched = clockFile, true
			}
			if watched && file != where {
				t.Errorf("%s: %s: the clock and the chance of package node are in %s", at, name, clockFile)
			}
			seen = seen || watched && file == clockFile
			return true
		})
	}
	if !seen {
		t.Errorf("nothing reads the clock in %s: this test looks in the wrong place", clockFile)
	}
}

const (
	mostMethods = 25
	mostFields  = 18
)

// bound is how large a type may be that is larger than others, and why. It may
// shrink; to let it grow is a decision.
type bound struct {
	methods, fields int
	why             string
}

var large = map[string]bound{
	"consensus.Replica":                     {26, 21, "raft's own surface: transport, log, snapshots and their loops end in one place"},
	"api.membership":                        {0, 22, "DTO: all that the page of the federation shows, flat"},
	"api.beneficiary":                       {0, 35, "DTO: her whole page in one flat form"},
	"api.visit":                             {0, 19, "DTO: a request with all that the desk sees of it"},
	"api.volunteer":                         {0, 29, "DTO: his whole page in one flat form"},
	"node.core":                             {47, 0, "what all services read in common; unexported, no state of its own"},
	"node.Node":                             {0, 33, "one field for each noun that callers see"},
	"node.DraftChange":                      {0, 20, "DTO: whatever a change of the roster may say, in one flat form"},
	"node.Config":                           {0, 21, "what an operator may say, each option with its reason"},
	"node.Requests":                         {33, 0, "one method a transition, and their private halves"},
	"node/internal/request.Request":         {0, 19, "one need and everything that has happened to it"},
	"node/internal/machine.act":             {72, 0, "one method for each kind of command, behind one switch"},
	"node/internal/store.Tx":                {26, 0, "the keyspace on one page: a method for each space"},
	"cmd/bippop/internal/synth.Beneficiary": {0, 20, "the columns of a town hall's spreadsheet"},
	"cmd/bippop/internal/synth.Volunteer":   {0, 19, "the columns of a town hall's spreadsheet"},
}

// TestTypes: past some size a type holds two ideas.
func TestTypes(t *testing.T) {
	methods, fields := map[string]int{}, map[string]int{}
	for path, p := range list(t, false, "./...") {
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Error(err)
				continue
			}
			for _, d := range f.Decls {
				switch d := d.(type) {
				case *ast.FuncDecl:
					if d.Recv != nil {
						methods[path+"."+receiver(d.Recv.List[0].Type)]++
					}
				case *ast.GenDecl:
					for _, spec := range d.Specs {
						if ts, ok := spec.(*ast.TypeSpec); ok {
							if st, ok := ts.Type.(*ast.StructType); ok {
								fields[path+"."+ts.Name.Name] = width(st)
							}
						}
					}
				}
			}
		}
	}
	for name, n := range methods {
		if most := max(mostMethods, large[name].methods); n > most {
			t.Errorf("%s has %d methods, at most %d: it holds two ideas", name, n, most)
		}
	}
	for name, n := range fields {
		if most := max(mostFields, large[name].fields); n > most {
			t.Errorf("%s has %d fields, at most %d: it holds two ideas", name, n, most)
		}
	}
	for name, b := range large {
		if methods[name] <= mostMethods && fields[name] <= mostFields || b.why == "" {
			t.Errorf("%s is listed as large (%s), and is not", name, b.why)
		}
	}
}

func receiver(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.StarExpr:
		return receiver(x.X)
	case *ast.IndexExpr:
		return receiver(x.X)
	case *ast.IndexListExpr:
		return receiver(x.X)
	case *ast.Ident:
		return x.Name
	}
	return "?"
}

func width(s *ast.StructType) (n int) {
	for _, f := range s.Fields.List {
		n += max(1, len(f.Names))
	}
	return n
}
