package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// etcdMembers is how many members the reference has.
const etcdMembers = 3

// errNoEtcd says what to do when there is nothing to measure beside.
var errNoEtcd = errors.New("there is no etcd to measure beside: run this in bippop's source tree, with Go, or name a ready etcdref with --etcd (it is built from cmd/bippop/internal/etcdref)")

// buildEtcd gives the path of the reference program: the one that is named, or one
// built into dir from the source tree in which this runs.
func buildEtcd(ctx context.Context, named, dir string) (string, error) {
	if named != "" {
		if _, err := os.Stat(named); err != nil {
			return "", usagef("--etcd names a program that is not there")
		}
		return filepath.Abs(named)
	}
	mod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", errNoEtcd
	}
	source := filepath.Join(filepath.Dir(strings.TrimSpace(string(mod))), "cmd", "bippop", "internal", "etcdref")
	if _, err := os.Stat(filepath.Join(source, "go.mod")); err != nil {
		return "", errNoEtcd
	}
	program := filepath.Join(dir, "etcdref")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", program, ".")
	build.Dir = source
	if text, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building etcd: %w\n%s", err, text)
	}
	return program, nil
}

// etcd is the reference: three members on this machine, mutual TLS between them.
type etcd struct {
	program string
	members []*exec.Cmd
	logs    []*os.File
	leader  string // address for clients
}

// startEtcd returns once the members in dir serve and one of them leads.
func startEtcd(ctx context.Context, program, dir string) (_ *etcd, err error) {
	e := &etcd{program: program}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("etcd does not start: %w", err), e.stop())
		}
	}()
	certificates := filepath.Join(dir, "certificates")
	if text, err := exec.CommandContext(ctx, program, "certificates", certificates).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, text)
	}
	ports, err := freePorts(2 * etcdMembers)
	if err != nil {
		return nil, err
	}
	var clients, cluster []string
	for i := range etcdMembers {
		clients = append(clients, "http://127.0.0.1:"+ports[2*i])
		cluster = append(cluster, fmt.Sprintf("m%d=https://127.0.0.1:%s", i, ports[2*i+1]))
	}
	var ready []*bufio.Reader
	for i := range etcdMembers {
		name, peer, _ := strings.Cut(cluster[i], "=")
		lines, err := e.member(ctx, filepath.Join(dir, name), "--name", name, "--client", clients[i], "--peer", peer,
			"--cluster", strings.Join(cluster, ","), "--certificates", certificates)
		if err != nil {
			return nil, err
		}
		ready = append(ready, lines)
	}
	for _, lines := range ready {
		if _, err := lines.ReadString('\n'); err != nil {
			return nil, err
		}
	}
	at, err := exec.CommandContext(ctx, program, append([]string{"leader"}, clients...)...).Output()
	e.leader = strings.TrimSpace(string(at))
	return e, err
}

// member starts one, whose log goes to a file beside its data.
func (e *etcd) member(ctx context.Context, dir string, args ...string) (*bufio.Reader, error) {
	log, err := os.Create(dir + ".log")
	if err != nil {
		return nil, err
	}
	e.logs = append(e.logs, log)
	c := exec.CommandContext(ctx, e.program, append([]string{"member", "--dir", dir}, args...)...)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = patience
	c.Stderr = log
	lines, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	e.members = append(e.members, c)
	return bufio.NewReader(lines), nil
}

// load implements rival.
func (e *etcd) load(ctx context.Context, l load) (pace, error) {
	what := l.what
	if what == "stale" {
		what = "serializable" // as etcd calls it
	}
	c := exec.CommandContext(ctx, e.program, "load", "--endpoint", e.leader, "--what", what,
		"--clients", strconv.Itoa(l.clients), "--seconds", fmt.Sprint(l.lasting.Seconds()))
	var faults bytes.Buffer
	c.Stderr = &faults
	line, err := c.Output()
	if err != nil {
		return pace{}, fmt.Errorf("the load on etcd: %w: %s", err, faults.String())
	}
	var found struct {
		Answers float64 `json:"answers"`
		Seconds float64 `json:"seconds"`
		P50     float64 `json:"p50_ms"`
		P99     float64 `json:"p99_ms"`
	}
	if err := json.Unmarshal(line, &found); err != nil || found.Seconds <= 0 {
		return pace{}, errors.New("the load on etcd prints no figures: is --etcd the etcdref of this version?")
	}
	return pace{perSecond: found.Answers / found.Seconds, p50: found.P50, p99: found.P99}, nil
}

func (e *etcd) stop() error {
	for _, c := range e.members {
		c.Process.Signal(syscall.SIGTERM) // one that has ended already needs none
	}
	for _, c := range e.members {
		c.Wait() // how it ends is of no interest: its data go too
	}
	var errs []error
	for _, log := range e.logs {
		errs = append(errs, log.Close())
	}
	return errors.Join(errs...)
}

// freePorts of 127.0.0.1 that nobody uses now.
func freePorts(n int) (ports []string, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			return nil, err
		}
		ports = append(ports, port)
	}
	return ports, nil
}
