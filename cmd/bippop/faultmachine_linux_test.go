package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const (
	peerPort = "7400"
	webPort  = "8080"
	// diskBytes is what the small disk of a machine holds.
	diskBytes = 320 << 20
)

// machine is what a replica runs on: a place, a folder, and somebody who starts
// the process again when it ends by itself, as the system does.
type machine struct {
	t       *testing.T
	program string
	place   *place
	dir     string
	small   bool // its data lies on a disk of its own, of diskBytes

	mu      sync.Mutex // guards what follows, for a look
	cmd     *exec.Cmd
	wanted  bool
	ended   chan struct{} // of cmd
	how     error         // cmd ended
	skew    time.Duration
	again   int // how often it was started again
	settled sync.WaitGroup
}

func (m *machine) path(name string) string { return filepath.Join(m.dir, name) }
func (m *machine) url() string             { return "http://" + m.place.address + ":" + webPort }
func (m *machine) peer() string            { return m.place.address + ":" + peerPort }

// prepare makes an empty machine.
func (m *machine) prepare() error {
	err := os.MkdirAll(m.path("disk"), 0o700)
	if err == nil && m.small {
		err = m.place.in(func() error {
			return unix.Mount("tmpfs", m.path("disk"), "tmpfs", 0, "size="+strconv.Itoa(diskBytes))
		})
	}
	return err
}

// keys are the flags that every command on this machine takes.
func (m *machine) keys() []string {
	return []string{"--dir", m.path("disk/data"), "--vault", m.path("vault.age"), "--identity", m.path("identity.txt")}
}

func (m *machine) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, m.program, args...)
	cmd.Env = append(os.Environ(), skewVariable+"="+m.skew.String(), "GOMAXPROCS=2")
	return cmd
}

// run runs a command there to its end.
func (m *machine) run(ctx context.Context, args ...string) error {
	cmd := m.command(ctx, args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := m.place.start(cmd); err != nil {
		return err
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("bippop %s: %w: %s", args[0], err, said.String())
	}
	return nil
}

// join makes it a replica.
func (m *machine) join(ctx context.Context, token string) error {
	if err := os.WriteFile(m.path("token.txt"), []byte(token+"\n"), 0o600); err != nil {
		return err
	}
	return m.run(ctx, append([]string{"join", "--token-file", m.path("token.txt"), "--peer-listen", m.peer(), "--url", m.url()}, m.keys()...)...)
}

// serve starts the replica and keeps it up.
func (m *machine) serve() {
	m.mu.Lock()
	m.wanted = true
	m.mu.Unlock()
	if err := m.once(); err != nil {
		m.t.Errorf("starting a replica: %v", err)
	}
}

func (m *machine) once() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.wanted {
		return nil
	}
	log, err := os.OpenFile(m.path("log.txt"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := m.command(context.Background(), append([]string{"serve", "--listen", m.place.address + ":" + webPort, "--peer-listen", m.peer(), "--url", m.url()}, m.keys()...)...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := m.place.start(cmd); err != nil {
		return err
	}
	ended := make(chan struct{})
	m.cmd, m.ended = cmd, ended
	m.settled.Go(func() {
		how := cmd.Wait()
		m.mu.Lock()
		m.how = how
		wanted := m.wanted && m.cmd == cmd
		if wanted {
			m.again++
		}
		m.mu.Unlock()
		close(ended)
		if wanted {
			time.Sleep(300 * time.Millisecond) // as the system waits
			m.once()
		}
	})
	return nil
}

// signal reaches the process, if there is one.
func (m *machine) signal(s syscall.Signal) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cmd != nil {
		m.cmd.Process.Signal(s) // our own child; it may have ended
	}
}

// kill ends it at once, and nobody starts it again.
func (m *machine) kill() { m.end(syscall.SIGKILL, time.Minute) }

// stop ends it as an operator does. False: it did not end by itself.
func (m *machine) stop() bool { return m.end(syscall.SIGTERM, 30*time.Second) }

func (m *machine) end(s syscall.Signal, within time.Duration) bool {
	m.mu.Lock()
	m.wanted = false
	cmd, ended := m.cmd, m.ended
	m.mu.Unlock()
	if cmd == nil {
		return true
	}
	cmd.Process.Signal(s)
	select {
	case <-ended:
		return true
	case <-time.After(within):
		cmd.Process.Signal(syscall.SIGABRT) // so that the log shows where it hangs
		<-ended
		return false
	}
}

// refuses reports whether a start ends by itself, and the last line that it said.
func (m *machine) refuses(within time.Duration) (bool, string) {
	m.mu.Lock()
	m.wanted = true
	m.mu.Unlock()
	if err := m.once(); err != nil {
		return false, err.Error()
	}
	m.mu.Lock()
	m.wanted = false // nobody starts it again
	ended := m.ended
	m.mu.Unlock()
	select {
	case <-ended:
	case <-time.After(within):
		return false, ""
	}
	return true, m.lastWords(1)
}

// lastWords are the last lines that its processes said.
func (m *machine) lastWords(n int) string {
	b, err := os.ReadFile(m.path("log.txt"))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// wipe takes the disk and the vault away, as for another machine in its place.
func (m *machine) wipe() error {
	m.kill()
	err := m.place.in(func() error { return os.RemoveAll(m.path("disk/data")) })
	for _, name := range []string{"vault.age", "vault.age.notice", "identity.txt"} {
		err = errors.Join(err, os.RemoveAll(m.path(name)))
	}
	return err
}

// fill leaves no room on its disk; empty takes that back.
func (m *machine) fill() error {
	return m.place.in(func() error {
		f, err := os.Create(m.path("disk/filler"))
		if err != nil {
			return err
		}
		defer f.Close()
		block := make([]byte, 64<<10)
		for {
			if _, err := f.Write(block); err != nil {
				return nil // full
			}
		}
	})
}

func (m *machine) empty() error {
	return m.place.in(func() error { return os.Remove(m.path("disk/filler")) })
}

// flip alters one byte in the middle of what is written in the largest file that
// fits, and reports its name, "" when there is none.
func (m *machine) flip(pattern string) (name string, err error) {
	err = m.place.in(func() error {
		names, err := filepath.Glob(m.path(pattern))
		if err != nil {
			return err
		}
		most, at := 0, 0
		for _, n := range names {
			b, err := os.ReadFile(n)
			if err != nil {
				return err
			}
			if used := len(bytes.TrimRight(b, "\x00")); used > most {
				name, most, at = n, used, used/2
			}
		}
		if name == "" {
			return nil
		}
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		var b [1]byte
		if _, err := f.ReadAt(b[:], int64(at)); err != nil {
			return err
		}
		b[0] ^= 1
		_, err = f.WriteAt(b[:], int64(at))
		return err
	})
	return name, err
}
