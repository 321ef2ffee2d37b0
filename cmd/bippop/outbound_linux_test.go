package main

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/bippop/bippop/federation/public"
	"github.com/bippop/bippop/federation/roster"
	"github.com/bippop/bippop/federation/simulation"
	"golang.org/x/sys/unix"
)

// watcher sees every packet on every device of a place, to itself as well, and keeps
// who was called: the far end of each connection that was begun and of each datagram.
// Answers are not calls.
type watcher struct {
	packets *os.File
	ended   sync.WaitGroup
	came    chan struct{}

	mu     sync.Mutex // guards called
	called map[string]bool
}

// watch begins before anything runs there.
func watch(t *testing.T, p *place) *watcher {
	t.Helper()
	w := &watcher{called: map[string]bool{}, came: make(chan struct{}, 1)}
	must(t, p.in(func() error {
		const everything = unix.ETH_P_ALL<<8&0xff00 | unix.ETH_P_ALL>>8 // as networks write it
		s, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, everything)
		if err == nil {
			w.packets = os.NewFile(uintptr(s), "packets")
		}
		return err
	}))
	w.ended.Go(func() {
		packet := make([]byte, 1<<16)
		for {
			n, err := w.packets.Read(packet)
			if err != nil {
				return // closed
			}
			if who := calls(packet[:n]); who != "" {
				w.mu.Lock()
				w.called[who] = true
				w.mu.Unlock()
				select {
				case w.came <- struct{}{}:
				default:
				}
			}
		}
	})
	t.Cleanup(w.close)
	return w
}

func (w *watcher) close() {
	w.packets.Close()
	w.ended.Wait()
}

// list says who was called so far.
func (w *watcher) list() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.called))
}

// calls says whom a packet calls. What the kernel says by itself, to find routers
// and neighbours, is nobody's call.
func calls(b []byte) string {
	var kind byte
	var to netip.Addr
	switch {
	case len(b) >= 20 && b[0]>>4 == 4:
		to = netip.AddrFrom4([4]byte(b[16:20]))
		kind, b = b[9], b[min(int(b[0]&15)*4, len(b)):]
	case len(b) >= 40 && b[0]>>4 == 6:
		to = netip.AddrFrom16([16]byte(b[24:40]))
		kind, b = b[6], b[40:]
		if kind == 0 || kind == unix.IPPROTO_ICMPV6 {
			return ""
		}
	default:
		return ""
	}
	switch {
	case kind == unix.IPPROTO_TCP && len(b) >= 14:
		const syn, ack = 0x02, 0x10
		if b[13]&(syn|ack) != syn {
			return ""
		}
		return fmt.Sprintf("tcp %s", netip.AddrPortFrom(to, binary.BigEndian.Uint16(b[2:])))
	case kind == unix.IPPROTO_UDP && len(b) >= 4:
		return fmt.Sprintf("udp %s", netip.AddrPortFrom(to, binary.BigEndian.Uint16(b[2:])))
	case kind == unix.IPPROTO_ICMP:
		return "" // the kernel's answer to what could not be delivered
	}
	return fmt.Sprintf("protocol %d %s", kind, to)
}

// everywhere sends what is for no network of the place over its wire, so that a call
// to anywhere is a packet that can be seen.
func everywhere() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	device := append([]byte("wire"), 0)
	route := struct { // of the kernel: rtentry
		_                  uintptr
		to, by, mask       unix.RawSockaddrInet4
		flags              uint16
		_                  int16
		_                  uintptr
		_                  uintptr
		metric             int16
		device             *byte
		size, window, wait uintptr
	}{flags: unix.RTF_UP, device: &device[0]}
	route.to.Family, route.by.Family, route.mask.Family = unix.AF_INET, unix.AF_INET, unix.AF_INET
	if _, _, fault := unix.Syscall(unix.SYS_IOCTL, uintptr(s), unix.SIOCADDRT, uintptr(unsafe.Pointer(&route))); fault != 0 {
		return fmt.Errorf("laying a way to everywhere: %w", fault)
	}
	return nil
}

// TestNobodyElseIsCalled: from the founding through a day's work to the end, a node
// opens no connection and sends no datagram, to anywhere, but for the letter of
// trial to the address that its operator named.
func TestNobodyElseIsCalled(t *testing.T) {
	lines := makeWires(t, 2)
	program, err := exec.LookPath("bippop") // this test binary under another name; see TestMain
	must(t, err)
	t.Cleanup(lines.close)
	at, people := lines.places[0], lines.places[1]
	must(t, at.in(everywhere))
	w := watch(t, at)

	// What would be seen if it happened.
	must(t, at.in(func() error {
		for _, network := range []string{"udp4", "tcp4"} {
			d := net.Dialer{Timeout: 50 * time.Millisecond}
			if conn, err := d.Dial(network, "198.51.100.7:53"); err == nil {
				conn.Write([]byte("x"))
				conn.Close()
			}
		}
		return nil
	}))
	w.await(t, "tcp 198.51.100.7:53")
	w.await(t, "udp 198.51.100.7:53")
	w.forget()

	m := &host{t: t, program: program, place: at, dir: t.TempDir()}
	must(t, m.prepare())
	const password = "le moulin du lavoir"
	must(t, os.WriteFile(m.path("password.txt"), []byte(password+"\n"), 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	must(t, m.run(ctx, append([]string{"init", "--siren", "200044394", "--name", "CC", "--calls", "Entraide", "--epci", "200044394",
		"--admin", "admin", "--admin-password-file", m.path("password.txt")}, m.keys()...)...))

	log, err := os.Create(m.path("log.txt"))
	must(t, err)
	defer log.Close()
	const webhook = "http://203.0.113.5:9/alarm"
	node := m.command(ctx, append([]string{"serve", "--listen", at.address + ":" + webPort, "--alarm-webhook", webhook}, m.keys()...)...)
	node.Stdout, node.Stderr = log, log
	must(t, at.start(node))
	t.Cleanup(func() { node.Process.Kill(); node.Wait() })

	c := &client{base: m.url(), http: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DialContext: people.dial}}}
	for c.signIn(ctx, "admin", password) != nil {
		if ctx.Err() != nil {
			t.Fatal("the node does not answer")
		}
		pauseFor(t, ctx, 20*time.Millisecond)
	}
	workday(ctx, t, c)
	must(t, node.Process.Signal(os.Interrupt))
	if err := node.Wait(); err != nil {
		t.Errorf("the node ended with %v", err)
	}

	served := "tcp " + at.address + ":" + webPort
	if got := w.list(); !slices.Equal(got, []string{served}) {
		t.Errorf("called: %s; want %s alone, which is people coming", strings.Join(got, ", "), served)
	}
	// The one call that stands in the operator's hand is seen, and leads where he said.
	short, done := context.WithTimeout(ctx, 3*time.Second)
	defer done()
	_ = m.run(short, append([]string{"serve", "--alarm-webhook", webhook, "--alarm-test"}, m.keys()...)...) // nobody answers there
	w.await(t, "tcp 203.0.113.5:9")
	if got, want := w.list(), []string{served, "tcp 203.0.113.5:9"}; !slices.Equal(got, want) {
		t.Errorf("called: %s; want %s", strings.Join(got, ", "), strings.Join(want, ", "))
	}
}

// TestOnlyTheHubIsCalled: a node that belongs to a federation calls the hub that the
// roster names, where it names it, and nobody else.
func TestOnlyTheHubIsCalled(t *testing.T) {
	lines := makeWires(t, 3)
	program, err := exec.LookPath("bippop") // this test binary under another name; see TestMain
	must(t, err)
	hubProgram, err := exec.LookPath("bippop-hub")
	must(t, err)
	t.Cleanup(lines.close)
	at, people, far := lines.places[0], lines.places[1], lines.places[2]
	must(t, at.in(everywhere))
	w := watch(t, at)

	m := &host{t: t, program: program, place: at, dir: t.TempDir()}
	must(t, m.prepare())
	const password = "le moulin du lavoir"
	must(t, os.WriteFile(m.path("password.txt"), []byte(password+"\n"), 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	must(t, m.run(ctx, append([]string{"init", "--siren", "200044394", "--name", "CC", "--calls", "Entraide", "--epci", "200044394",
		"--admin", "admin", "--admin-password-file", m.path("password.txt")}, m.keys()...)...))
	log, err := os.Create(m.path("log.txt"))
	must(t, err)
	defer log.Close()
	node := m.command(ctx, append([]string{"serve", "--listen", at.address + ":" + webPort}, m.keys()...)...)
	node.Stdout, node.Stderr = log, log
	must(t, at.start(node))
	t.Cleanup(func() { node.Process.Kill(); node.Wait() })
	c := &client{base: m.url(), http: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DialContext: people.dial}}}
	for c.signIn(ctx, "admin", password) != nil {
		if ctx.Err() != nil {
			t.Fatal("the node does not answer")
		}
		pauseFor(t, ctx, 20*time.Millisecond)
	}

	listen := "/ip4/" + far.address + "/udp/7500/quic-v1"
	nation, err := simulation.Found(public.DayOf(time.Now()), 1, lonelyHub(listen))
	must(t, err)
	must(t, c.call(ctx, "POST", "/federation/join", map[string]string{"invitation": nation.State().Invite(200044394).String()}, nil))
	var said struct{ Text string }
	must(t, c.call(ctx, "POST", "/federation/application", map[string]string{"email": "accueil@reole.example"}, &said))
	a, err := roster.ParseApplication([]byte(said.Text))
	must(t, err)
	member, err := nation.State().Admit(a, nil)
	must(t, err)
	must(t, nation.Change(member))
	var entries strings.Builder
	for _, e := range nation.Entries() {
		fmt.Fprintf(&entries, "%x\n", e)
	}
	must(t, os.WriteFile(m.path("roster.txt"), []byte(entries.String()), 0o600))
	genesis := nation.Genesis()
	hub := exec.CommandContext(ctx, hubProgram, t.TempDir(), listen, hex.EncodeToString(genesis[:]), m.path("roster.txt"))
	hub.Stdout, hub.Stderr = log, log
	must(t, far.start(hub))
	t.Cleanup(func() { hub.Process.Kill(); hub.Wait() })

	workday(ctx, t, c)
	var status struct {
		Listed bool
		Hubs   []struct {
			Reached string `json:"reached_at"`
		}
	}
	for !status.Listed || len(status.Hubs) != 1 || status.Hubs[0].Reached == "" {
		if ctx.Err() != nil {
			b, _ := os.ReadFile(m.path("log.txt"))
			t.Fatalf("the node does not reach the hub: %+v\n%s", status, b)
		}
		_ = c.call(ctx, "POST", "/federation/sync", nil, nil) // until the hub is there
		must(t, c.call(ctx, "GET", "/federation", nil, &status))
		pauseFor(t, ctx, 50*time.Millisecond)
	}
	workday(ctx, t, c)
	must(t, node.Process.Signal(os.Interrupt))
	if err := node.Wait(); err != nil {
		t.Errorf("the node ended with %v", err)
	}

	// A UDP packet has no beginning: those to the hub are calls, and so are the answers
	// that come from it, to the port from which it was called.
	served, called := "tcp "+at.address+":"+webPort, "udp "+far.address+":7500"
	back, hubSeen := "udp "+at.address+":", false
	for _, who := range w.list() {
		switch {
		case who == called:
			hubSeen = true
		case who == served, strings.HasPrefix(who, back):
		default:
			t.Errorf("%s was called", who)
		}
	}
	if !hubSeen {
		t.Errorf("the hub was not called, so that this shows nothing: %v", w.list())
	}
}

// workday is what people do: somebody is known, asks, is helped; everything is looked at.
func workday(ctx context.Context, t *testing.T, c *client) {
	t.Helper()
	var made, kinds struct {
		ID    string                      `json:"id"`
		Items []struct{ ID, Name string } `json:"items"`
	}
	must(t, c.call(ctx, "POST", "/beneficiaries", map[string]any{"commune": "33352", "basis": "consent", "last_name": "Exemple", "first_name": "Berthe",
		"address": "3 rue du Lavoir, chez www.example.org", "phones": []map[string]string{{"number": "05 36 49 12 07"}}}, &made))
	must(t, c.call(ctx, "GET", "/action-types", nil, &kinds))
	must(t, c.call(ctx, "POST", "/requests", map[string]any{"beneficiary": made.ID, "type": kinds.Items[0].ID, "when": map[string]string{"kind": "flexible"}, "note": "voir http://example.org/"}, nil))
	var spec struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	must(t, c.call(ctx, "GET", "/openapi.json", nil, &spec))
	looked := 0
	for path, methods := range spec.Paths {
		if methods["get"] == nil || strings.Contains(path, "{") || strings.Contains(path, "events") {
			continue
		}
		answer, err := c.send(ctx, "GET", strings.TrimPrefix(path, apiBase), "", nil)
		if err == nil {
			answer.Body.Close()
			looked++
		}
	}
	if looked < 10 {
		t.Errorf("only %d pages were looked at", looked)
	}
}

func (w *watcher) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.called)
}

// await a call that was made.
func (w *watcher) await(t *testing.T, who string) {
	t.Helper()
	patience := time.After(5 * time.Second)
	for !slices.Contains(w.list(), who) {
		select {
		case <-w.came:
		case <-patience:
			t.Fatalf("%s was called, and it was not seen: %v", who, w.list())
		}
	}
}
