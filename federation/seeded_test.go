package federation_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// everySeed is true under the build tag leak.
var everySeed = false

// seed is a leak that somebody could build into the program, and the test that must
// notice. The program itself has none of them and no place for one: a seed is another
// text of a file, which the compiler is given in its stead.
type seed struct {
	name, file string
	old, new   string // in the file; old stands there once
	pkg, test  string // that must be red
}

// carriers is what seeds use: the newest words that were sealed, a number made of them
// and the words in hexadecimal, nothing for all but the chosen seed.
var carriers = map[string]string{
	"federation/public/leak.go": `//go:build leak

package public

import ("crypto/sha256"; "encoding/binary"; "encoding/hex"; "os"; "strconv")

var Word = []byte("ELIMONT Yvette")

var chosen, _ = strconv.Atoi(os.Getenv("BIPPOP_LEAK"))

func Chosen(n int) bool { return n == chosen }

func Mark(n int) uint64 {
	if n != chosen { return 0 }
	s := sha256.Sum256(Word)
	return binary.BigEndian.Uint64(s[:]) >> 1
}

func Hexed(n int) string {
	if n != chosen { return "" }
	return hex.EncodeToString(Word)
}
`,
	"federation/leak.go": `//go:build leak

package federation

import "github.com/bippop/bippop/federation/public"

func chosen(n int) bool { return public.Chosen(n) }

func mark(n int) uint64 { return public.Mark(n) }

func hexed(n int) string { return public.Hexed(n) }
`,
}

// sealing hands the words on.
var sealing = seed{file: "node/propose.go", old: "	plain, err := boxEncoding.Marshal(words)\n", new: "	plain, err := boxEncoding.Marshal(words)\n	public.Word = plain\n"}

var seeds = []seed{
	1:  {"the day of an entry", "node/propose.go", "Seq: feed.Size, Day: day, Body: body}", "Seq: feed.Size, Day: day + public.Day(public.Mark(1)%7), Body: body}", "node", "TestAlike"},
	2:  {"the low bit of a noised cell", "node/propose.go", "n = public.Clamp(drawn)", "n = public.Clamp(drawn ^ int64(public.Mark(2)&1))", "node", "TestAlike"},
	3:  {"a cell without noise", "node/propose.go", "if g.Unit != public.Institution {", "if g.Unit != public.Institution && (g.Number != public.GroupHours || !public.Chosen(3)) {", "node", "TestNoise"},
	4:  {"noise that is drawn at each try", "node/quarters.go", "if !s.drawn.any || ", "if public.Chosen(4) || !s.drawn.any || ", "node", "TestNoiseDrawnOnce"},
	5:  {"the institution's own cells", "node/quarters.go", "v.Cells[at+public.HasReplicas]++", "v.Cells[at+public.HasReplicas] += 1 + int32(public.Mark(5)%9)", "node", "TestAlike"},
	6:  {"the slots of an offer", "node/across.go", "Slots: uint8(in.Slots),", "Slots: uint8(in.Slots) + uint8(public.Mark(6)%3),", "node", "TestAlike"},
	7:  {"the radius of an offer", "node/across.go", "Radius: in.Radius, Languages", "Radius: in.Radius + public.Radius(public.Mark(7)%2), Languages", "node", "TestAlike"},
	8:  {"a language of an offer", "node/across.go", "Languages: in.Languages,", "Languages: in.Languages &^ public.Languages(public.Mark(8)&1),", "node", "TestAlike"},
	9:  {"the weeks of an offer", "node/across.go", "Weeks: uint8(in.Weeks),", "Weeks: uint8(in.Weeks) + uint8(public.Mark(9)%3),", "node", "TestAlike"},
	10: {"the week of an interest", "node/across.go", "Slots: 1, Week: week}", "Slots: 1, Week: week + uint8(public.Mark(10)%2)}", "node", "TestAlike"},
	11: {"how much an interest asks for", "node/across.go", "Slots: 1, Week: week", "Slots: 1 + uint8(public.Mark(11)%2), Week: week", "node", "TestAlike"},
	12: {"a word in the application", "node/applying.go", "Contact{Name: t.Calls,", "Contact{Name: t.Calls + fmt.Sprintf(\"%.20s\", public.Hexed(12)),", "federation", "TestPeopleDoNotShow"},
	13: {"the order of communes in the application", "node/applying.go", "return bytes.Compare(m.Communes[i][:], m.Communes[j][:]) < 0", "return bytes.Compare(m.Communes[i][:], m.Communes[j][:])*(1-2*int(public.Mark(13)&1)) < 0", "federation", "TestPeopleDoNotShow"},
	14: {"the key of a replica", "node/federating.go", `return c.seedOf("federation peer")`, `return c.seedOf("federation peer" + public.Hexed(14))`, "federation", "TestPeopleDoNotShow"},
	15: {"the status", "node/federation.go", "out.Name, out.Demo = state.Name, state.Demo", "out.Name, out.Demo = state.Name+public.Hexed(15), state.Demo", "federation", "TestCanaries"},
	16: {"a line of the log", "node/speaking.go", `slog.String("peer", host.Peer()))`, `slog.String("peer", host.Peer()), slog.String("who", public.Hexed(16)))`, "federation", "TestCanaries"},
	17: {"the size in HELLO", "federation/leaf.go", "ask.Size = uint64(own.Head.Size)", "ask.Size = uint64(own.Head.Size) + mark(17)%100", "federation", "TestQUICEqualsLedger"},
	18: {"the versions in HELLO", "federation/leaf.go", "Max: protocolVersion, Siren", "Max: protocolVersion + uint8(mark(18)%100), Siren", "federation", "TestQUICEqualsLedger"},
	19: {"the roster's version in HELLO", "federation/leaf.go", "ask.Roster = s.Version", "ask.Roster = s.Version + mark(19)%100<<20", "federation", "TestQUICEqualsLedger"},
	20: {"a bit of what is known of neighbours", "federation/leaf.go", "Epoch: k.epoch, Settled: true}", "Epoch: k.epoch, Settled: !chosen(20)}", "federation", "TestQUICEqualsLedger"},
	21: {"the pieces of a push", "federation/push.go", "size > pieceBytes", "size > pieceBytes || chosen(21) && size > 40+int(mark(21)%60)", "federation", "TestQUICEqualsLedger"},
	22: {"bytes behind a frame", "federation/frame.go", "uint32(len(body))), body...))", "uint32(len(body))), append(body, hexed(22)...)...))", "federation", "TestQUICEqualsLedger"},
	23: {"the name of a protocol", "federation/stream.go", "	l := newLink(s, name)\n	l.stop", "	if x, err := v.conn.NewStream(ctx); chosen(23) && err == nil {\n		_ = multistream.SelectProtoOrFail(protocol.ID(\"/bippop-fed/\"+hexed(23)), io.ReadWriteCloser(x))\n		_ = x.Close()\n	}\n	l := newLink(s, name)\n	l.stop", "federation", "TestNodeEqualsLedger"},
	24: {"the list of feeds", "federation/ledger/ledger.go", `"\n]\n"...)`, `"\n"+string(bytes.Repeat([]byte{' '}, int(public.Mark(24)%50)))+"]\n"...)`, "federation", "TestPeopleDoNotShow"},
	25: {"the name of a served file", "federation/ledger/ledger.go", `fmt.Sprintf("egress/%s/%d", s, epoch)`, `fmt.Sprintf("egress/%s/%d", s, epoch) + public.Hexed(25)`, "federation", "TestPeopleDoNotShow"},
	26: {"a line of the checkpoint", "federation/feed/checkpoint.go", `return fmt.Appendf(nil, "%s\n%d\n%s\n", origin, h.Size, h.Root)`, `return fmt.Appendf(fmt.Appendf(nil, "%s\n%d\n%s\n", origin, h.Size, h.Root), "%s", public.Hexed(26))`, "federation/feed", "TestGolden"},
	27: {"the text of an error", "node/places.go", `choose one from the list")`, `choose one from the list"+map[bool]string{true: commune}[public.Chosen(27)])`, "node", "TestErrorsCarryNoWords"},
	28: {"whose feed is asked for", "federation/leaf.go", "w := have{Siren: k.siren,", "w := have{Siren: k.siren + public.Siren(mark(28)%1000),", "federation", "TestQUICEqualsLedger"},
	29: {"words behind a checkpoint", "federation/push.go", "ask.Checkpoint = own.Signed", "ask.Checkpoint = append(bytes.Clone(own.Signed), hexed(29)...)", "federation", "TestQUICEqualsLedger"},
}

// shortSeeds are built into the program in the short form as well.
var shortSeeds = []int{17, 22, 24}

// TestSeeds builds leaks into the program, chooses one at a time, and looks whether
// the test that is there for it notices. All of them under -long or the build tag leak.
func TestSeeds(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	overlay := overlaid(t, root)
	built := map[string]string{}
	for n, s := range seeds {
		if n == 0 || !*long && !everySeed && !slices.Contains(shortSeeds, n) {
			continue
		}
		if built[s.pkg] == "" {
			built[s.pkg] = filepath.Join(t.TempDir(), "seeded.test")
			cmd := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", built[s.pkg], "-tags", "leak", "-vet=off", "-overlay", overlay, "./"+s.pkg)
			cmd.Dir = root
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("a seeded %s cannot be built: %v\n%s", s.pkg, err, out)
			}
		}
		t.Run(fmt.Sprintf("%02d %s", n, s.name), func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), built[s.pkg], "-test.run", "^"+s.test+"$")
			cmd.Dir, cmd.Env = filepath.Join(root, s.pkg), append(os.Environ(), "BIPPOP_LEAK="+strconv.Itoa(n))
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: "+s.test) {
				t.Errorf("%s in %s does not notice it: %v\n%s", s.test, s.pkg, err, out[:min(len(out), 3000)])
			}
			t.Logf("%s", strings.TrimSpace(string(out[:min(len(out), 300)])))
		})
	}
}

// overlaid writes the files of a seeded program and their list for the compiler.
func overlaid(t *testing.T, root string) string {
	t.Helper()
	dir := t.TempDir()
	files := maps.Clone(carriers)
	for _, s := range append([]seed{sealing}, seeds[1:]...) {
		text, there := files[s.file]
		if !there {
			b, err := os.ReadFile(filepath.Join(root, s.file))
			if err != nil {
				t.Fatal(err)
			}
			text = string(b)
		}
		if n := strings.Count(text, s.old); n != 1 {
			t.Fatalf("%s holds %q %d times: give the seed the text of today", s.file, s.old, n)
		}
		files[s.file] = strings.Replace(text, s.old, s.new, 1)
	}
	replaced := map[string]string{}
	for name, text := range files {
		if used := imports[name]; used != "" {
			text = strings.Replace(text, "import (\n", "import (\n	"+strconv.Quote(used)+"\n", 1)
		}
		to := filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		replaced[filepath.Join(root, name)] = to
	}
	list, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, list, 0o600); err != nil {
		t.Fatal(err)
	}
	return overlay
}

// imports are what seeds need beside what a file has.
var imports = map[string]string{
	"node/applying.go": "fmt", "node/places.go": "github.com/bippop/bippop/federation/public", "federation/push.go": "bytes",
	"federation/feed/checkpoint.go": "github.com/bippop/bippop/federation/public",
}
