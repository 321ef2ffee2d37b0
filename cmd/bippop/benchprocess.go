package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a program of ours that runs as people run it, apart from this one.
type process struct {
	cmd    *exec.Cmd
	base   string     // where it answers
	answer demoAnswer // of a demo
	client *http.Client
}

// startSelf is startProcess with this very program.
func startSelf(ctx context.Context, dir string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return startProcess(ctx, self, dir)
}

// startProcess returns once the demo in dir answers.
func startProcess(ctx context.Context, program, dir string) (*process, error) {
	var answer demoAnswer
	p, err := launch(ctx, nil, &answer, program, "demo", "--dir", dir, "--port", "0", "--json")
	if err != nil {
		return nil, fmt.Errorf("the demo does not start: %w", err)
	}
	p.answer, p.base = answer, answer.Territories[0].URLs[0]
	if err := p.ready(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("the demo does not start: %w", err), p.stop())
	}
	return p, nil
}

// launch starts a program and returns once it has printed the line that says that
// it answers, which is read into answer. What it says besides goes to log.
func launch(ctx context.Context, log io.Writer, answer any, program string, args ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, program, args...), client: &http.Client{Timeout: time.Minute}}
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = patience
	p.cmd.Stderr = log
	lines, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(lines).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, answer)
	}
	if err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

func (p *process) url() string { return p.base }

func (p *process) ready(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, "GET", p.url()+"/readyz", nil)
	if err != nil {
		return err
	}
	answer, err := p.client.Do(r)
	if err != nil {
		return err
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("/readyz answers %s", answer.Status)
	}
	return nil
}

// stop ends the process as an operator does, and waits.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return p.cmd.Wait()
}

// kill ends the process as a power cut does, and waits.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	p.cmd.Wait() // says that it was killed
	return nil
}

// resident is what the process holds in memory, in bytes: all of it, and what the
// system cannot take back.
func (p *process) resident() (all, anonymous int, err error) {
	m, err := p.memory()
	return m["VmRSS"], m["RssAnon"], err
}

// memory is what the system says of the process's memory, in bytes. VmHWM is the
// most that was resident at any time.
func (p *process) memory() (map[string]int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return nil, fmt.Errorf("reading the memory of a process, which this bench does on Linux only: %w", err)
	}
	out := map[string]int{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		if kb, isSize := strings.CutSuffix(strings.TrimSpace(value), " kB"); isSize {
			n, _ := strconv.Atoi(kb)
			out[name] = n << 10
		}
	}
	return out, nil
}

func benchStart(ctx context.Context, o benchOptions, out output) (figures, error) {
	h, done, err := o.home(ctx, out)
	if err != nil {
		return nil, err
	}
	defer done()
	f := figures{"profile": o.profile}
	if err := f.floors(h.dir); err != nil {
		return nil, err
	}
	samples, err := measure(ctx, o.rounds, f, func() (map[string]sample, error) {
		from := time.Now()
		p, err := startSelf(ctx, h.dir)
		if err != nil {
			return nil, err
		}
		return map[string]sample{"": {time.Since(from)}}, p.stop()
	})
	took := samples[""]
	f["ready_p50_ms"], f["ready_max_ms"] = ms(took.at(0.5)), ms(took.at(1))
	return f, err
}

// The load of the memory bench, and when it looks.
const (
	loadClients = 8
	loadTime    = 10 * time.Second
	afterLoad   = 15 * time.Second
)

func benchMemory(ctx context.Context, o benchOptions, out output) (f figures, err error) {
	h, done, err := o.home(ctx, out)
	if err != nil {
		return nil, err
	}
	defer done()
	f = figures{"profile": o.profile, "load_clients": loadClients, "load_seconds": loadTime.Seconds()}
	if err := f.floors(h.dir); err != nil {
		return nil, err
	}
	p, err := startSelf(ctx, h.dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	look := func(when string) error {
		all, anonymous, err := p.resident()
		f[when+"_rss_bytes"], f[when+"_rss_anon_bytes"] = all, anonymous
		return err
	}
	if err := look("fresh"); err != nil {
		return nil, err
	}
	answers, err := p.load(ctx, h)
	if err != nil {
		return nil, err
	}
	f["load_answers"] = answers
	if err := look("under_load"); err != nil {
		return nil, err
	}
	if err := pause(ctx, afterLoad); err != nil {
		return nil, err
	}
	return f, look("idle_15s_after_load")
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// load lets clients read and write for loadTime, and counts the answers.
func (p *process) load(ctx context.Context, h *demoHome) (int, error) {
	admin, err := h.account("admin")
	if err != nil {
		return 0, err
	}
	c := &client{base: p.url(), http: p.client}
	if err := c.signIn(ctx, admin.Login, admin.Password); err != nil {
		return 0, err
	}
	defer c.signOut(ctx)
	var people struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	var types struct {
		Items []struct {
			ID   string `json:"id"`
			Name string `json:"name"`
		} `json:"items"`
	}
	if err := errors.Join(c.call(ctx, "GET", "/beneficiaries?limit=100", nil, &people), c.call(ctx, "GET", "/action-types", nil, &types)); err != nil {
		return 0, err
	}
	kind := ""
	for _, t := range types.Items {
		if t.Name == "Courses" {
			kind = t.ID
		}
	}
	until := time.Now().Add(loadTime)
	counts := make([]int, loadClients)
	err = together(ctx, numbers(loadClients), func(ctx context.Context, i int) error {
		for n := i; time.Now().Before(until); n++ {
			her := people.Items[n%len(people.Items)].ID
			var err error
			switch n % 4 {
			case 0:
				err = c.call(ctx, "POST", "/requests", map[string]any{"beneficiary": her, "type": kind, "when": map[string]any{"kind": "flexible"}}, nil)
			case 1:
				err = c.call(ctx, "GET", "/beneficiaries/"+her, nil, nil)
			case 2:
				err = c.call(ctx, "GET", "/requests?state=done&limit=50", nil, nil)
			case 3:
				err = c.call(ctx, "GET", "/calls", nil, nil)
			}
			if err != nil {
				return err
			}
			counts[i]++
		}
		return nil
	})
	total := 0
	for _, n := range counts {
		total += n
	}
	return total, err
}
