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
	frozen chan struct{} // closed by Thaw; nil while bytes pass
	open   []net.Conn
	heard  bytes.Buffer
}

// NewLine leads nowhere before [Line.To]. It ends with the test.
func NewLine(t testing.TB) *Line {
	l := &Line{listener: Listen(t)}
	go l.accept()
	t.Cleanup(func() {
		l.Cut()
		l.Thaw()
	})
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

// Freeze lets connections be made and bytes be taken, and passes none on, as a
// machine does that hangs.
func (l *Line) Freeze() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.frozen == nil {
		l.frozen = make(chan struct{})
	}
}

// Thaw passes on what was held, and what comes.
func (l *Line) Thaw() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.frozen != nil {
		close(l.frozen)
		l.frozen = nil
	}
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

// Write hears, and waits while the line is frozen.
func (l *Line) Write(b []byte) (int, error) {
	l.mu.Lock()
	frozen := l.frozen
	l.heard.Write(b)
	l.mu.Unlock()
	if frozen != nil {
		<-frozen
	}
	return len(b), nil
}
