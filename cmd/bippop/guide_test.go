package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestOperatorsGuide does what deploy/operator.md tells, word by word: three
// machines are three loopback addresses with a folder each, and agents work all
// the while.
func TestOperatorsGuide(t *testing.T) {
	program, err := exec.LookPath("bippop") // this test binary under another name; see TestMain
	if err != nil {
		t.Fatal(err)
	}
	g := &guide{T: t, program: program, dir: t.TempDir(), running: map[string]*exec.Cmd{}, pages: map[string]string{}}
	t.Cleanup(g.stopAll)
	g.set()
	steps := g.read("../../deploy/operator.md")
	if len(steps) < 12 {
		t.Fatalf("the guide has %d steps that are run", len(steps))
	}
	for _, s := range steps {
		g.follow(s)
	}
}

// step is a command of the guide, and how it is run.
type step struct {
	machine, how, command string
}

// guide is the reader who follows it.
type guide struct {
	*testing.T
	program, dir string
	running      map[string]*exec.Cmd // by machine
	pages        map[string]string    // address of a machine's pages
	token        string
}

// set is what an operator has before he begins: folders, a password, ports.
func (g *guide) set() {
	for _, m := range []string{"1", "2", "3", "4"} {
		for _, d := range []string{"etc", "backup-data", "backup-keys", "from-safe"} {
			if err := os.MkdirAll(filepath.Join(g.dir, m, d), 0o700); err != nil {
				g.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(g.dir, m, "etc", "password.txt"), []byte("quatre mots bien tranquilles\n"), 0o600); err != nil {
			g.Fatal(err)
		}
		l, err := net.Listen("tcp", "127.0.0."+m+":0")
		if err != nil {
			g.Fatal(err)
		}
		g.pages[m] = l.Addr().String()
		l.Close()
	}
}

var marker = regexp.MustCompile(`^<!-- (?:on machine (\d)(?:, (.*))?|machine (\d) is destroyed) -->$`)

// read takes the commands that have a marker before them, in order.
func (g *guide) read(path string) (steps []step) {
	text, err := os.ReadFile(path)
	if err != nil {
		g.Fatal(err)
	}
	var next *step
	var command []string
	end := func() {
		if next != nil && len(command) > 0 {
			next.command = strings.Join(command, " ")
			steps = append(steps, *next)
			next, command = nil, nil
		}
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		if m := marker.FindStringSubmatch(line); m != nil {
			end()
			if m[3] != "" {
				steps = append(steps, step{machine: m[3], how: "destroyed"})
				continue
			}
			next = &step{machine: m[1], how: m[2]}
			continue
		}
		if next != nil && strings.HasPrefix(line, "    ") {
			command = append(command, strings.TrimSuffix(strings.TrimSpace(line), `\`))
			continue
		}
		if len(command) > 0 {
			end()
		}
	}
	end()
	return steps
}

// follow runs one step.
func (g *guide) follow(s step) {
	g.Helper()
	g.Logf("machine %s: %s %s", s.machine, s.how, s.command)
	ctx, cancel := context.WithTimeout(g.Context(), time.Minute)
	defer cancel()
	switch {
	case s.how == "destroyed":
		g.stop(s.machine, syscall.SIGKILL)
		if err := os.RemoveAll(filepath.Join(g.dir, s.machine)); err != nil {
			g.Fatal(err)
		}
	case s.how == "stays":
		g.serve(s)
	case s.how == "recipient":
		out, err := g.run(ctx, s, nil)
		if err != nil {
			g.Fatalf("%s: %v\n%s", s.command, err, out)
		}
		recipient := regexp.MustCompile(`age1pq\S+`).FindString(out)
		if err := os.WriteFile(filepath.Join(g.dir, s.machine, "etc", "recipients.txt"), []byte(recipient+"\n"), 0o600); err != nil {
			g.Fatal(err)
		}
	case s.machine == "4" && s.how == "":
		g.carry()
		if out, err := g.run(ctx, s, nil); err != nil {
			g.Fatalf("%s: %v\n%s", s.command, err, out)
		}
	case strings.HasPrefix(s.how, "until "):
		want := regexp.MustCompile(strings.TrimPrefix(s.how, "until "))
		for {
			out, err := g.run(ctx, s, nil)
			if err == nil && want.MatchString(out) {
				return
			}
			if pause(ctx, 200*time.Millisecond) != nil {
				g.Fatalf("%s never says %q, but:\n%s%v", s.command, want, out, err)
			}
		}
	default:
		var in io.Reader
		if s.how == "paste" {
			in = strings.NewReader(g.token + "\n")
		}
		out, err := g.run(ctx, s, in)
		if err != nil {
			g.Fatalf("%s: %v\n%s", s.command, err, out)
		}
		if s.how == "token" {
			g.token = regexp.MustCompile(`bippop-join-1\.\S+`).FindString(out)
		}
	}
}

// words are the command's, as they are for this machine here.
func (g *guide) words(s step) []string {
	here := strings.NewReplacer("/var/lib/bippop/", filepath.Join(g.dir, s.machine)+"/", "/etc/bippop/", filepath.Join(g.dir, s.machine, "etc")+"/", "10.0.0.", "127.0.0.")
	var words []string
	for _, w := range regexp.MustCompile(`'[^']*'|\S+`).FindAllString(s.command, -1) {
		w = here.Replace(strings.Trim(w, "'"))
		if found, _ := filepath.Glob(w); len(found) > 0 && strings.Contains(w, "*") {
			w = slices.Max(found) // the shell would name them all; there is the newest to take
		}
		words = append(words, w)
	}
	if words[0] != "bippop" {
		g.Fatalf("the guide runs %q", words[0])
	}
	words = words[1:]
	switch words[0] {
	case "serve":
		words = append(words, "--listen", g.pages[s.machine], "--vote-after", "1s")
	case "replicas", "backup", "erasures", "keys":
		if slices.Contains(words, "--login") {
			words = append(words, "--url", "http://"+g.pages[s.machine])
		}
	}
	return words
}

// carry is the day when everything is lost but what lay elsewhere: backups, and what
// was in the safe.
func (g *guide) carry() {
	g.Helper()
	for m := range g.running {
		g.stop(m, syscall.SIGKILL)
	}
	safe := filepath.Join(g.dir, "4", "from-safe")
	for _, from := range []string{"backup-data", "backup-keys"} {
		if err := os.CopyFS(safe, os.DirFS(filepath.Join(g.dir, "1", from))); err != nil {
			g.Fatal(err)
		}
	}
	if err := os.Rename(filepath.Join(g.dir, "1", "etc", "recovery.txt"), filepath.Join(g.dir, "4", "etc", "recovery.txt")); err != nil {
		g.Fatal(err)
	}
	for _, m := range []string{"1", "2", "3"} {
		os.RemoveAll(filepath.Join(g.dir, m))
	}
}

func (g *guide) run(ctx context.Context, s step, in io.Reader) (string, error) {
	var out bytes.Buffer
	c := exec.CommandContext(ctx, g.program, g.words(s)...)
	c.Stdin, c.Stdout, c.Stderr = in, &out, &out
	err := c.Run()
	return out.String(), err
}

// serve starts a machine and waits until it answers.
func (g *guide) serve(s step) {
	g.Helper()
	c := exec.Command(g.program, g.words(s)...)
	log, err := os.Create(filepath.Join(g.dir, "log-"+s.machine))
	if err != nil {
		g.Fatal(err)
	}
	c.Stderr = log
	if err := c.Start(); err != nil {
		g.Fatal(err)
	}
	g.running[s.machine] = c
	ctx, cancel := context.WithTimeout(g.Context(), time.Minute)
	defer cancel()
	for !answers(ctx, "http://"+g.pages[s.machine]+"/readyz") {
		if pause(ctx, 50*time.Millisecond) != nil {
			text, _ := os.ReadFile(log.Name())
			g.Fatalf("machine %s does not get ready:\n%s", s.machine, text)
		}
	}
}

func (g *guide) stop(machine string, how os.Signal) {
	if c := g.running[machine]; c != nil {
		c.Process.Signal(how)
		c.Wait()
		delete(g.running, machine)
	}
}

func (g *guide) stopAll() {
	for m := range g.running {
		g.stop(m, syscall.SIGTERM)
	}
	if g.Failed() {
		for _, m := range []string{"1", "2", "3"} {
			text, _ := os.ReadFile(filepath.Join(g.dir, "log-"+m))
			fmt.Printf("machine %s:\n%.4000s\n", m, text)
		}
	}
}

// answers reports whether an address answers 200.
func answers(ctx context.Context, url string) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// TestHubGuide: the commands by which the guide runs a hub alone are those of the
// story of one, flag by flag.
func TestHubGuide(t *testing.T) {
	read := func(path string) string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(string(text), "\\\n", " ")
	}
	flag := regexp.MustCompile(`--[a-z-]+`)
	said, run := read("../../deploy/operator.md"), read("testdata/hub.txtar")
	for _, command := range []string{"bippop federation hub new ", "bippop federation hub serve "} {
		told := 0
		for line := range strings.Lines(said) {
			if !strings.HasPrefix(line, "    "+command) {
				continue
			}
			told++
			if !slices.ContainsFunc(strings.Split(run, "\n"), func(l string) bool {
				return strings.HasPrefix(l, "exec "+command) && slices.Equal(flag.FindAllString(l, -1), flag.FindAllString(line, -1))
			}) {
				t.Errorf("no story runs: %s", line)
			}
		}
		if told != 1 {
			t.Errorf("the guide tells %d times how to run %s", told, command)
		}
	}
}
