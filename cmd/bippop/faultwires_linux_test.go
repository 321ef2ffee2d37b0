package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// place is a machine as far as its neighbours can tell: a network and a view of
// the disks of its own. It exists for as long as a thread of this process or a
// process started there lives, and leaves nothing behind, however this test ends.
type place struct {
	address string
	number  [4]byte
	wire    *os.File // a TUN device: packets in and out
	network int      // descriptor of the network
	jobs    chan func()
	gone    chan struct{}
}

// newPlace is made by root, on a kernel with network namespaces and TUN.
func newPlace(number [4]byte) (*place, error) {
	p := &place{address: net.IP(number[:]).String(), number: number, jobs: make(chan func()), gone: make(chan struct{})}
	made := make(chan error)
	go func() {
		defer close(p.gone)
		runtime.LockOSThread() // for ever: the thread ends with this goroutine
		err := p.enter()
		made <- err
		if err != nil {
			return
		}
		for job := range p.jobs {
			job()
		}
	}()
	return p, <-made
}

// enter takes the thread into new namespaces and lays the wire.
func (p *place) enter() error {
	if err := unix.Unshare(unix.CLONE_NEWNET | unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("making a network namespace, which takes root: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	var err error
	if p.network, err = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		return err
	}
	wire, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("opening /dev/net/tun: %w", err)
	}
	device, err := unix.NewIfreq("wire")
	if err != nil {
		return err
	}
	device.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(wire, unix.TUNSETIFF, device); err != nil {
		return fmt.Errorf("making a TUN device: %w", err)
	}
	p.wire = os.NewFile(uintptr(wire), "wire")
	return errors.Join(up("lo", [4]byte{127, 0, 0, 1}), up("wire", p.number))
}

// up gives a device of this thread's network an address in a /24.
func up(name string, address [4]byte) error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	for _, step := range []struct {
		request uint
		set     func(*unix.Ifreq) error
	}{
		{unix.SIOCSIFADDR, func(r *unix.Ifreq) error { return r.SetInet4Addr(address[:]) }},
		{unix.SIOCSIFNETMASK, func(r *unix.Ifreq) error { return r.SetInet4Addr([]byte{255, 255, 255, 0}) }},
		{unix.SIOCSIFFLAGS, func(r *unix.Ifreq) error { r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING); return nil }},
	} {
		r, err := unix.NewIfreq(name)
		if err == nil {
			err = step.set(r)
		}
		if err == nil {
			err = unix.IoctlIfreq(s, step.request, r)
		}
		if err != nil {
			return fmt.Errorf("bringing up %s: %w", name, err)
		}
	}
	return nil
}

// in runs f on the place's thread: what it starts and opens is of that place.
func (p *place) in(f func() error) error {
	done := make(chan error)
	p.jobs <- func() { done <- f() }
	return <-done
}

// start starts a process there. It dies with this one.
func (p *place) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return p.in(cmd.Start)
}

// dial is a [net.Dialer]'s, from there, to an address in numbers.
func (p *place) dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for ever: it ends elsewhere
		if err = unix.Setns(p.network, unix.CLONE_NEWNET); err == nil {
			conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
		}
	}()
	<-done
	return conn, err
}

func (p *place) close() {
	close(p.jobs)
	<-p.gone
	p.wire.Close()
	unix.Close(p.network)
}

// wires join places, each with each, and lose what they are told to lose. The
// kernel's own means differ from one machine to the next; this needs TUN only.
type wires struct {
	places []*place
	ended  sync.WaitGroup

	mu      sync.Mutex // guards trouble, for a look
	trouble map[[2]int]trouble
}

// trouble is what happens to packets on their way from one place to another.
type trouble struct {
	lost   float64       // how many of one
	delay  time.Duration // of each
	spread time.Duration // added by chance, so that they overtake each other
}

var cut = trouble{lost: 1}

func newWires(n int) (*wires, error) {
	w := &wires{trouble: map[[2]int]trouble{}}
	for i := range n {
		p, err := newPlace([4]byte{10, 77, 0, byte(i + 1)})
		if err != nil {
			w.close()
			return nil, err
		}
		w.places = append(w.places, p)
	}
	for i := range w.places {
		w.ended.Go(func() { w.carry(i) })
	}
	return w, nil
}

// carry takes what place from sends to where it belongs.
func (w *wires) carry(from int) {
	packet := make([]byte, 4096)
	for {
		n, err := w.places[from].wire.Read(packet)
		if err != nil {
			return // closed
		}
		if n < 20 || packet[0]>>4 != 4 {
			continue
		}
		to := int(packet[19]) - 1
		if to < 0 || to >= len(w.places) || to == from {
			continue
		}
		w.mu.Lock()
		t := w.trouble[[2]int{from, to}]
		w.mu.Unlock()
		switch {
		case t.lost > 0 && rand.Float64() < t.lost:
		case t.delay > 0:
			late := append([]byte(nil), packet[:n]...)
			time.AfterFunc(t.delay+rand.N(t.spread+1), func() { w.places[to].wire.Write(late) })
		default:
			w.places[to].wire.Write(packet[:n])
		}
	}
}

// disturb lays trouble on the way from one place to another, there only.
func (w *wires) disturb(from, to int, t trouble) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trouble[[2]int{from, to}] = t
}

// part cuts every way between a place of sides and one that is in no side of its
// own; a place may be in two sides.
func (w *wires) part(all []int, sides ...[]int) {
	joined := map[[2]int]bool{}
	for _, side := range sides {
		for _, a := range side {
			for _, b := range side {
				joined[[2]int{a, b}] = true
			}
		}
	}
	for _, a := range all {
		for _, b := range all {
			if a != b && !joined[[2]int{a, b}] {
				w.disturb(a, b, cut)
			}
		}
	}
}

// calm ends all trouble.
func (w *wires) calm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.trouble)
}

func (w *wires) close() {
	for _, p := range w.places {
		p.close()
	}
	w.ended.Wait()
}

// TestWires: what is cut is cut, in that direction only, and what is calm again
// works.
func TestWires(t *testing.T) {
	w := makeWires(t, 3)
	t.Cleanup(w.close)
	heard := make(chan string)
	for i, p := range w.places {
		must(t, p.in(func() error {
			conn, err := net.ListenPacket("udp4", net.JoinHostPort(p.address, "9"))
			if err != nil {
				return err
			}
			t.Cleanup(func() { conn.Close() })
			go func() {
				b := make([]byte, 16)
				for n, _, err := conn.ReadFrom(b); err == nil; n, _, err = conn.ReadFrom(b) {
					select {
					case heard <- fmt.Sprint(i, string(b[:n])):
					case <-t.Context().Done():
					}
				}
			}()
			return nil
		}))
	}
	say := func(from, to int, word string) {
		conn, err := w.places[from].dial(t.Context(), "udp4", net.JoinHostPort(w.places[to].address, "9"))
		must(t, err)
		defer conn.Close()
		_, err = conn.Write([]byte(word))
		must(t, err)
	}
	hears := func(want string) {
		t.Helper()
		select {
		case got := <-heard:
			if got != want {
				t.Errorf("heard %q, want %q: a cut wire carries", got, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("never heard %q: a whole wire does not carry", want)
		}
	}
	say(0, 1, "whole")
	hears("1whole")
	w.disturb(0, 1, cut)
	say(0, 1, "lost")
	say(1, 0, "back")
	hears("0back")
	say(0, 2, "beside")
	hears("2beside")
	w.calm()
	say(0, 1, "calm")
	hears("1calm")
	w.part([]int{0, 1, 2}, []int{0, 1}, []int{1, 2})
	say(0, 2, "lost")
	say(2, 0, "lost")
	say(0, 1, "bridge")
	hears("1bridge")
	say(1, 2, "bridge")
	hears("2bridge")
	w.disturb(1, 2, trouble{delay: time.Millisecond})
	say(1, 2, "late")
	hears("2late")
}

// makeWires skips the test with the reason where machines cannot be made; for root,
// and with CI set, that is a failure.
func makeWires(t *testing.T, n int) *wires {
	t.Helper()
	w, err := newWires(n)
	if err != nil && (os.Getenv("CI") != "" || os.Getuid() == 0) {
		t.Fatalf("machines of their own cannot be made of network namespaces: %v", err)
	}
	if err != nil {
		t.Skipf("machines of their own cannot be made of network namespaces: %v", err)
	}
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
