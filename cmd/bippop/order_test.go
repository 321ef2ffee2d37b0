package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	idOne   = "0190a6f2-7c00-7000-8000-000000000001"
	idTwo   = "0190a6f2-7c00-7000-8000-000000000002"
	idSafe  = "0190a6f2-7c00-7000-8000-000000000003"
	idErase = "0190a6f2-7c00-7000-8000-000000000004"
)

// acted plays a node: it answers what is asked about machines, erasures and
// backups, and remembers what it was told to do.
type acted struct {
	*testing.T
	url, password string
	told          []string // "POST /replicas/…/remove {body}"
	refuseRemoval bool
	breakOff      bool
}

func newActed(t *testing.T) *acted {
	d := &acted{T: t, password: filepath.Join(t.TempDir(), "password")}
	if err := os.WriteFile(d.password, []byte("quatre mots bien tranquilles\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	d.url = server.URL
	return d
}

func (d *acted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/api/v1")
	body, _ := io.ReadAll(r.Body)
	answer := func(text string) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, text)
	}
	switch {
	case path == "/sessions":
		answer(`{"token":"t"}`)
	case path == "/sessions/current":
		w.WriteHeader(204)
	case r.Method == "GET" && path == "/replicas":
		answer(`{"items":[{"id":"` + idOne + `","name":"replica-1","state":"member","voter":true,"leader":true,"here":true,"current_root":true,"said":{"free_bytes":41300000000,"program":"1.4.0"}},` +
			`{"id":"` + idTwo + `","name":"replica-2","state":"member","voter":true,"said":{"lag":12,"fault":"disk-full"}},{"id":"` + idSafe + `","name":"replica-3","state":"removed","said":{}}],` +
			`"quorum":2,"up":2,"leader":"` + idOne + `","releases":[{"replica":"` + idTwo + `","waiting":true,"why":"absent-too-long"}]}`)
	case strings.HasSuffix(path, "/removal"):
		refused := ""
		if d.refuseRemoval {
			refused = `,"refused":"last-voter"`
		}
		answer(`{"voters":1,"quorum":1,"may_lose":0,"erasures_wait":true` + refused + `}`)
	case r.Method == "GET" && path == "/backups":
		answer(`{"items":[{"id":"` + idSafe + `","name":"safe","kind":"manual","keys":true,"current":false}],"signer":"abcd"}`)
	case r.Method == "GET" && path == "/erasures":
		answer(`{"waiting":[{"id":"` + idErase + `","who":{"kind":"volunteer","id":"` + idTwo + `"},"at":"2026-11-23T08:00:00Z"}],"items":[{"id":"` + idErase + `","at":"2026-11-22T08:00:00Z","who":[{"kind":"beneficiary","id":"` + idOne + `"}],` +
			`"holders":[{"name":"replica-3"}],"backups":[{"name":"safe"}]}],"next":""}`)
	case strings.HasPrefix(path, "/erasures/") && r.Method == "GET":
		answer(`{"id":"` + idErase + `","at":"2026-11-22T08:00:00Z","who":[{"kind":"beneficiary","id":"` + idOne + `"}],"holders":[{"name":"replica-1","gone_at":"2026-11-22T08:00:01Z"}],"backups":[],"certified_at":"2026-11-22T08:00:02Z","limits":["one-replica"],"clear_day":"2026-12-27"}`)
	case r.Method == "GET" && (path == "/backups/data" || strings.HasSuffix(path, "/keys")):
		w.Write([]byte("a backup"))
		if d.breakOff {
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
	case r.Method == "POST":
		d.told = append(d.told, path+" "+string(body))
		switch path {
		case "/replicas/invitations":
			answer(`{"token":"tok-123"}`)
		case "/replicas/step-down":
			w.WriteHeader(204)
		default:
			answer(`{"version":2}`)
		}
	default:
		w.WriteHeader(404)
		json.NewEncoder(w).Encode(map[string]string{"title": "nothing here", "code": "no-such-path"})
	}
}

// run types a command, with how to reach the node when reach says so.
func (d *acted) run(reach bool, args ...string) (result, progress string, err error) {
	d.Helper()
	if reach {
		args = append(args, "--url", d.url, "--login", "admin", "--password-file", d.password)
	}
	var out, note bytes.Buffer
	err = run(d.Context(), args, func(string) string { return "" }, output{&out, &note})
	return out.String(), note.String(), err
}

// TestMistypedOrders: what is typed wrongly is told so, with what to type, before
// any node is asked; exit code 2.
func TestMistypedOrders(t *testing.T) {
	t.Parallel()
	d := newActed(t)
	for _, c := range []struct{ line, want string }{
		{"replicas list", "--login"},
		{"replicas remove", "accepts 1 arg"},
		{"replicas invite --hours 48", "1 to 24"},
		{"replicas destroyed replica-3 --yes", "--how"},
		{"replicas transfer a b", "accepts at most 1 arg"},
		{"keys rotate", "--yes"},
		{"erase beneficiary", "accepts 2 arg"},
		{"erase somebody " + idOne, "beneficiary, volunteer"},
		{"erase beneficiary Laforet --yes", "by its ID"},
		{"erase beneficiary " + idOne, "--yes"},
		{"erasures show 12", "by its ID"},
		{"erasures run", "--yes"},
		{"backup data --to /", "--recipient"},
		{"backup data --recipient age1x", "--to FOLDER"},
		{"backup data --recipient x --to /", "begins with age1"},
		{"backup data --recipient AGE-SECRET-KEY-1XYZ --to /", "SECRET"},
		{"backup data --recipient age1x --to /nowhere", "is not a folder"},
		{"backup data --recipient age1x --to - --json", "choose one"},
		{"backup keys safe --to -", "never goes to standard output"},
		{"backup add --recipient age1x", "--name"},
		{"backup add --name x --recipient age1x --path here", "from the root"},
		{"backup add --name x --kind shelf --recipient age1x", "folder (a machine)"},
		{"backup add --name x --kind manual --path /x --recipient age1x", "neither"},
		{"backup add --name x --path /x --recipient age1x --every 90m", "whole hours"},
	} {
		_, _, err := d.run(false, strings.Fields(c.line)...)
		if err == nil || !strings.Contains(err.Error(), c.want) || exitCode(err) != 2 {
			t.Errorf("%s: %v, exit %d", c.line, err, exitCode(err))
		}
		if err != nil && strings.Contains(err.Error(), "1XYZ") {
			t.Errorf("%s repeats the secret: %v", c.line, err)
		}
	}
	if len(d.told) > 0 {
		t.Errorf("reached the node: %v", d.told)
	}
}

// TestWarnings: what changes the quorum, or cannot be taken back, says so and does
// nothing without --yes.
func TestWarnings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line, warns, path, done string
	}{
		{"replicas remove replica-2", "only the backups are left", "/replicas/" + idTwo + "/remove", "replica-2 is removed."},
		{"replicas destroyed replica-3 --how shredded", "cannot be taken back", "/replicas/" + idSafe + `/destroyed {"how":"shredded"}`, "is destroyed"},
		{"replicas approve replica-2", "it is your machine", "/replicas/" + idTwo + "/approve", "Approved"},
		{"keys rotate", "Key backups have to be made again", "/keys/rotate", "replaced"},
		{"erase volunteer " + idTwo, "within the hour", "/erasures {\"id\":\"" + idTwo + `","kind":"volunteer","now":false}`, "with the next batch"},
		{"erase volunteer " + idTwo + " --now", "at once", `"now":true`, "Erased."},
		{"erasures run", "unreadable for ever", "/erasures/run", "Erased."},
		{"backup kept safe", "on your word", "/backups/" + idSafe + "/kept", "Recorded."},
		{"backup drop safe --cleared", "No backup goes to safe", "/backups/" + idSafe + `/drop {"cleared":true}`, "given up"},
	} {
		d := newActed(t)
		_, warned, err := d.run(true, strings.Fields(c.line)...)
		if exitCode(err) != 2 || !strings.Contains(err.Error(), "--yes") || !strings.Contains(warned, c.warns) || len(d.told) > 0 {
			t.Errorf("%s: %v, warned %q, told %v", c.line, err, warned, d.told)
		}
		result, warned, err := d.run(true, append(strings.Fields(c.line), "--yes")...)
		if err != nil || !strings.Contains(warned, c.warns) || !strings.Contains(result, c.done) || len(d.told) != 1 || !strings.Contains(d.told[0], c.path) {
			t.Errorf("%s --yes: %v, %q, warned %q, told %v", c.line, err, result, warned, d.told)
		}
		result, _, err = d.run(true, append(strings.Fields(c.line), "--yes", "--json")...)
		if err != nil || result != "{\"version\":2}\n" {
			t.Errorf("%s --json: %v, %q", c.line, err, result)
		}
	}
	d := newActed(t)
	d.refuseRemoval = true
	if _, _, err := d.run(true, "replicas", "remove", "replica-1", "--yes"); err == nil || !strings.Contains(err.Error(), "last-voter") || len(d.told) > 0 {
		t.Errorf("a refused removal: %v, %v", err, d.told)
	}
	if _, _, err := d.run(true, "replicas", "remove", "replica-9", "--yes"); exitCode(err) != 2 || !strings.Contains(err.Error(), "replica-1, replica-2, replica-3") {
		t.Errorf("a machine that there is not: %v", err)
	}
}

// TestOrders: what is shown and done without a question.
func TestOrders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line string
		says []string
		told string
	}{
		{"replicas list", []string{"replica-1  leads", "disk-full", "2 of 2 voting machines are up", "0 more may fail", "bippop replicas approve replica-2"}, ""},
		{"replicas invite", []string{"bippop join --token-file -", "\n  tok-123", "holds for 1 h"}, `/replicas/invitations {"minutes":60}`},
		{"replicas transfer replica-2", []string{"replica-2 leads now."}, "/replicas/" + idTwo + "/transfer"},
		{"replicas transfer", []string{"Another machine leads now."}, "/replicas/step-down"},
		{"replicas transfer --json", []string{`{"done":true}`}, "/replicas/step-down"},
		{"keys status", []string{"replica-1: the current root key", "replica-2: not confirmed", "replica-3: removed, its vault may still exist"}, ""},
		{"erasures list", []string{"waiting  " + idErase, `pending on replica-3, key backup "safe"`}, ""},
		{"erasures show " + idErase, []string{"certified", "replica-1 destroyed it", "Not promised: the territory ran on a single machine", "2026-12-27"}, ""},
		{"erasures keep " + idErase, []string{"stays"}, "/erasures/" + idErase + "/keep"},
		{"backup status", []string{`keys  "safe"`, "NOT of the current root key", "Signed by: abcd"}, ""},
		{"backup now safe", []string{"is made"}, "/backups/" + idSafe + "/now"},
		{"backup add --name x --path /x --replica replica-2 --recipient age1x --every 12h", []string{"registered"}, `"every_hours":12,"keys":false,"kind":"folder","name":"x","path":"/x","recipients":["age1x"],"replica":"` + idTwo + `"`},
		{"backup data --to - --recipient age1x", []string{"a backup"}, ""},
	} {
		d := newActed(t)
		result, _, err := d.run(true, strings.Fields(c.line)...)
		if err != nil {
			t.Errorf("%s: %v", c.line, err)
		}
		for _, want := range c.says {
			if !strings.Contains(result, want) {
				t.Errorf("%s does not say %q:\n%s", c.line, want, result)
			}
		}
		if c.told == "" && len(d.told) > 0 || c.told != "" && !slices.ContainsFunc(d.told, func(s string) bool { return strings.Contains(s, c.told) }) {
			t.Errorf("%s told %v", c.line, d.told)
		}
	}
}

// TestBackupFile: a backup has its name once it is whole, only its owner reads it,
// and one that broke off leaves nothing.
func TestBackupFile(t *testing.T) {
	t.Parallel()
	d := newActed(t)
	folder := t.TempDir()
	recipients := filepath.Join(t.TempDir(), "recipients")
	if err := os.WriteFile(recipients, []byte("# the director\nage1abc\n\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	result, _, err := d.run(true, "backup", "data", "--to", folder, "--recipients-file", recipients, "--json")
	files, _ := filepath.Glob(folder + "/*")
	if err != nil || len(files) != 1 || !strings.HasSuffix(files[0], ".bippop") || !strings.Contains(result, `"bytes":8`) {
		t.Fatalf("%v, %v, %s", err, files, result)
	}
	text, err := os.ReadFile(files[0])
	info, _ := os.Stat(files[0])
	if err != nil || string(text) != "a backup" || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %q, %v", err, text, info.Mode())
	}
	keys := filepath.Join(folder, "keys")
	if _, note, err := d.run(true, "backup", "keys", "safe", "--to", keys); err != nil || !strings.Contains(note, "bippop backup kept \"safe\"") {
		t.Errorf("%v, %q", err, note)
	}
	if _, _, err := d.run(true, "backup", "keys", "safe", "--to", keys); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("written over: %v", err)
	}
	d.breakOff = true
	empty := t.TempDir()
	_, _, err = d.run(true, "backup", "data", "--to", empty, "--recipient", "age1x")
	if left, _ := os.ReadDir(empty); err == nil || !strings.Contains(err.Error(), "cut short") || len(left) > 0 || exitCode(err) != 1 {
		t.Errorf("broken off: %v, left %v", err, left)
	}
	if _, _, err := d.run(true, "backup", "data", "--to", "-", "--recipient", "age1x"); err == nil {
		t.Error("broken off on standard output, and nothing said")
	}
}
