package meshtest

import (
	"bytes"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
)

// Line is the cable before a replica: what it advertises, so that all that others
// send to it, and its answers, can be heard and cut.
type Line struct {
	listener net.Listener

	mu     sync.Mutex // guards what follows, for an append
	target string
	cut    bool
	open   []net.Conn
	heard  bytes.Buffer
}

// NewLine leads nowhere before [Line.To]. It ends with the test.
func NewLine(t testing.TB) *Line {
	l := &Line{listener: Listen(t)}
	go l.accept()
	t.Cleanup(func() { l.Cut() })
	return l
}

// Address is the near end.
func (l *Line) Address() string { return l.listener.Addr().String() }

// To lays the line to a port.
func (l *Line) To(target string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.target = target
}

// Cut ends what is open and refuses what comes.
func (l *Line) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = true
	for _, c := range l.open {
		c.Close()
	}
	l.open = nil
}

// Heal ends a cut.
func (l *Line) Heal() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = false
}

// Heard is a copy of every byte that has passed, both ways, mixed.
func (l *Line) Heard() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.heard.Bytes())
}

func (l *Line) accept() {
	for {
		near, err := l.listener.Accept()
		if err != nil {
			return
		}
		l.mu.Lock()
		target, cut := l.target, l.cut
		l.mu.Unlock()
		if target == "" || cut {
			near.Close()
			continue
		}
		go l.join(near, target)
	}
}

func (l *Line) join(near net.Conn, target string) {
	far, err := net.Dial("tcp", target)
	if err != nil {
		near.Close()
		return
	}
	l.mu.Lock()
	if l.cut {
		l.mu.Unlock()
		near.Close()
		far.Close()
		return
	}
	l.open = append(l.open, near, far)
	l.mu.Unlock()
	pass := func(to, from net.Conn) {
		io.Copy(to, io.TeeReader(from, l))
		to.Close()
		from.Close()
	}
	go pass(near, far)
	pass(far, near)
}

// Write hears.
func (l *Line) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.heard.Write(b)
}
