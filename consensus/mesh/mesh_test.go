package mesh_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bippop/bippop/consensus/mesh"
	"github.com/bippop/bippop/consensus/mesh/meshtest"
)

const echo = "test/echo"

// echoing is a mesh that gives back what it gets.
func echoing(t testing.TB, c mesh.Credentials, change func(*mesh.Config)) *mesh.Mesh {
	t.Helper()
	m := meshtest.Open(t, c, change)
	m.Handle(echo, func(_ mesh.Peer, conn net.Conn) {
		defer conn.Close()
		io.Copy(conn, conn)
	})
	return m
}

// say sends words and wants them back.
func say(t testing.TB, conn net.Conn, words string) {
	t.Helper()
	if err := exchange(conn, words); err != nil {
		t.Fatal(err)
	}
}

func exchange(conn net.Conn, words string) error {
	if _, err := io.WriteString(conn, words); err != nil {
		return err
	}
	got := make([]byte, len(words))
	if _, err := io.ReadFull(conn, got); err != nil {
		return err
	}
	if string(got) != words {
		return errors.New("other words came back")
	}
	return nil
}

func dial(t testing.TB, from, to *mesh.Mesh) net.Conn {
	t.Helper()
	conn, err := from.Dial(t.Context(), to.Address(), "", echo)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestReplicasSpeak(t *testing.T) {
	territory := meshtest.New("200044394")
	one, two := territory.Credentials("one"), territory.Credentials("two")
	a := echoing(t, one, nil)
	b := echoing(t, two, nil)
	conn, err := a.Dial(t.Context(), b.Address(), "two", echo)
	if err != nil {
		t.Fatal(err)
	}
	say(t, conn, "bonjour")
	want := mesh.Peer{Replica: "two", Fingerprint: mesh.Fingerprint(two.Certificate.Leaf)}
	if got, ok := mesh.PeerOf(conn); !ok || got != want {
		t.Errorf("got peer %v, want %v", got, want)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if _, err := a.Dial(t.Context(), b.Address(), "three", echo); !errors.Is(err, mesh.ErrOtherReplica) {
		t.Errorf("asking for another replica: got %v, want ErrOtherReplica", err)
	}
	if _, err := a.Dial(t.Context(), b.Address(), "two", "test/unknown"); !errors.Is(err, mesh.ErrUnreachable) {
		t.Errorf("unknown protocol: got %v, want ErrUnreachable", err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if _, err := a.Dial(t.Context(), b.Address(), "two", echo); !errors.Is(err, mesh.ErrUnreachable) {
		t.Errorf("nobody there: got %v, want ErrUnreachable", err)
	}
	if _, err := b.Dial(t.Context(), a.Address(), "one", echo); !errors.Is(err, mesh.ErrClosed) {
		t.Errorf("from a closed mesh: got %v, want ErrClosed", err)
	}
}

// Whoever is not a replica of this territory gets no stream and gives none: the
// error says why at both ends, as far as one end can know.
func TestWhoMayNotSpeak(t *testing.T) {
	home := meshtest.New("200044394")
	sameName := meshtest.New("200044394")
	sameName.Incarnation = home.Incarnation // another authority that says the same
	now := time.Now()
	forged := func(cert tls.Certificate) mesh.Credentials {
		c := home.Credentials("forger")
		c.Certificate = cert
		return c
	}
	tests := []struct {
		name     string
		stranger mesh.Credentials
		want     error // of home, dialing the stranger
		back     error // of the stranger, dialing home
	}{
		{"other territory", meshtest.New("200069599").Credentials("x"), mesh.ErrOtherTerritory, mesh.ErrOtherTerritory},
		{"restored territory", home.Restored().Credentials("x"), mesh.ErrOtherTerritory, mesh.ErrOtherTerritory},
		{"other authority", sameName.Credentials("x"), mesh.ErrNotAllowed, mesh.ErrNotAllowed},
		{"expired", home.Valid("x", now.Add(-2*time.Hour), now.Add(-time.Hour)), mesh.ErrClock, mesh.ErrClock},
		{"not yet valid", home.Valid("x", now.Add(time.Hour), now.Add(2*time.Hour)), mesh.ErrClock, mesh.ErrClock},
		{"removed", home.Credentials("removed"), mesh.ErrNotAllowed, mesh.ErrNotAllowed},
		{"impostor with another key", home.Credentials("pinned"), mesh.ErrNotAllowed, mesh.ErrNotAllowed},
		{"self-signed", forged(home.SelfSigned("forger")), mesh.ErrNotAllowed, mesh.ErrNotAllowed},
		{"made by a replica", forged(home.SignedBy(home.Credentials("evil"), "forger")), mesh.ErrNotAllowed, mesh.ErrNotAllowed},
	}
	pinned := home.Credentials("pinned")
	a := meshtest.Open(t, home.Credentials("home"), func(cfg *mesh.Config) {
		cfg.Allow = func(replica string, fingerprint [32]byte) error {
			if replica == "removed" {
				return errors.New("it was removed on Monday")
			}
			if replica == "pinned" && fingerprint != mesh.Fingerprint(pinned.Certificate.Leaf) {
				return errors.New("the record shows another key")
			}
			return nil
		}
	})
	a.Handle(echo, func(peer mesh.Peer, conn net.Conn) {
		t.Errorf("%s reached the handler", peer.Replica)
		conn.Close()
	})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var show atomic.Pointer[mesh.Credentials]
			honest := home.Credentials("honest")
			show.Store(&honest) // a mesh does not open with what all would refuse
			b := echoing(t, honest, func(cfg *mesh.Config) {
				cfg.Credentials = func() mesh.Credentials { return *show.Load() }
			})
			show.Store(&test.stranger)
			if _, err := a.Dial(t.Context(), b.Address(), "", echo); !errors.Is(err, test.want) {
				t.Errorf("dialing it: got %v, want %v", err, test.want)
			}
			// The forger knows home's authority, and asks.
			forger := test.stranger
			forger.Territory, forger.Incarnation, forger.Authorities = home.SIREN, home.Incarnation, honest.Authorities
			show.Store(&forger)
			if _, err := b.Dial(t.Context(), a.Address(), "", echo); !errors.Is(err, test.back) || !strings.Contains(err.Error(), "says") {
				t.Errorf("being dialed: got %v, want the other end to say %v", err, test.back)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	territory := meshtest.New("200044394")
	good := territory.Credentials("one")
	without := good
	without.Certificate.Certificate = good.Certificate.Certificate[:1]
	other := good
	other.Replica = "two"
	tests := []struct {
		name      string
		c         mesh.Credentials
		advertise string
	}{
		{"chain without authority", without, ""},
		{"another replica's certificate", other, ""},
		{"no port", good, "10.0.0.1"},
		{"port zero", good, "10.0.0.1:0"},
		{"every address", good, "0.0.0.0:7400"},
		{"no host", good, ":7400"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m, err := mesh.Open(mesh.Config{
				Listener: meshtest.Listen(t), Advertise: test.advertise, Credentials: func() mesh.Credentials { return test.c },
				Allow: func(string, [32]byte) error { return nil }, Logger: discard,
			})
			if err == nil {
				m.Close()
				t.Error("it opened")
			}
		})
	}
}

// What is no TLS 1.3 with a protocol gets nowhere, and leaves the mesh well.
func TestGarbage(t *testing.T) {
	territory := meshtest.New("200044394")
	a, b := echoing(t, territory.Credentials("a"), nil), echoing(t, territory.Credentials("b"), nil)
	own := territory.Credentials("c").Certificate
	tls12 := &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, NextProtos: []string{echo}, Certificates: []tls.Certificate{own}}
	if c, err := tls.Dial("tcp", a.Address(), tls12); err == nil {
		c.Close()
		t.Error("TLS 1.2 was spoken")
	}
	c, err := tls.Dial("tcp", a.Address(), &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{own}})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Error("a stream without a protocol was answered")
	}
	c.Close()
	for _, words := range []string{"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\xff\xff", strings.Repeat("\x00", 70_000)} {
		c, err := net.Dial("tcp", a.Address())
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, words) // may be cut off
		c.(*net.TCPConn).CloseWrite()
		if got, _ := io.ReadAll(c); len(got) > 64 {
			t.Errorf("garbage was answered with %d bytes", len(got))
		}
		c.Close()
	}
	say(t, dial(t, b, a), "still here")

	// Something else answers where a replica should.
	l := meshtest.Listen(t)
	go func() {
		if c, err := l.Accept(); err == nil {
			io.WriteString(c, "220 smtp.example.fr ESMTP\r\n")
			c.Close()
		}
	}()
	if _, err := a.Dial(t.Context(), l.Addr().String(), "", echo); !errors.Is(err, mesh.ErrUnreachable) || !strings.Contains(err.Error(), "something else") {
		t.Errorf("got %v, want ErrUnreachable that names the reason", err)
	}
}

// A listener that says nothing holds a dialer only as long as it said.
func TestDialDeadline(t *testing.T) {
	territory := meshtest.New("200044394")
	a := echoing(t, territory.Credentials("a"), nil)
	silent := meshtest.Listen(t).Addr().String()
	n := a.Network("test/raft")
	var timeout net.Error
	if _, err := n.Dial(silent, 20*time.Millisecond); !errors.Is(err, mesh.ErrUnreachable) || !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("got %v, want ErrUnreachable that is a timeout", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Dial(ctx, silent, "", echo); !errors.Is(err, mesh.ErrUnreachable) {
		t.Errorf("got %v, want ErrUnreachable", err)
	}
}

// pipes is a listener in memory.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p pipes) Close() error   { close(p.closed); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// Who drips one byte after the other into a handshake is cut off in time.
func TestSlowHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pipes{make(chan net.Conn), make(chan struct{})}
		c := meshtest.New("200044394").Credentials("one")
		m, err := mesh.Open(mesh.Config{
			Listener: p, Credentials: func() mesh.Credentials { return c },
			Allow: func(string, [32]byte) error { return nil }, Logger: discard,
		})
		if err != nil {
			t.Fatal(err)
		}
		near, far := net.Pipe()
		p.conns <- far
		began := time.Now()
		drip := time.NewTicker(time.Second)
		defer drip.Stop()
		for _, b := range append([]byte{0x16, 3, 1, 0x10, 0}, make([]byte, 100)...) {
			if _, err = near.Write([]byte{b}); err != nil {
				break
			}
			<-drip.C
		}
		if took := time.Since(began); err == nil || took > 11*time.Second {
			t.Errorf("after %v: %v, want the end after 10 s", took, err)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
}

// However many wait in silence, a replica gets in, and their number is bounded.
func TestCrowdAtTheDoor(t *testing.T) {
	territory := meshtest.New("200044394")
	a, b := echoing(t, territory.Credentials("a"), nil), echoing(t, territory.Credentials("b"), nil)
	const crowd = mesh.MaxPending + 40
	var ended sync.WaitGroup
	for i := range crowd {
		c, err := net.Dial("tcp", a.Address())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if i < 40 { // the oldest, well before their time is up
			c.SetReadDeadline(time.Now().Add(5 * time.Second))
			ended.Go(func() {
				if _, err := c.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
					t.Error("the oldest silent connection was kept")
				}
			})
		}
	}
	say(t, dial(t, b, a), "let me through")
	ended.Wait()
}

func TestRenewedCertificate(t *testing.T) {
	territory := meshtest.New("200044394")
	var current atomic.Pointer[mesh.Credentials]
	first, second := territory.Credentials("a"), territory.Credentials("a")
	current.Store(&first)
	a := echoing(t, first, func(cfg *mesh.Config) { cfg.Credentials = func() mesh.Credentials { return *current.Load() } })
	seen := make(chan mesh.Peer, 1)
	b := meshtest.Open(t, territory.Credentials("b"), nil)
	b.Handle(echo, func(peer mesh.Peer, conn net.Conn) { seen <- peer; conn.Close() })
	old := dial(t, b, a)
	say(t, old, "before")
	current.Store(&second)
	say(t, old, "after")
	if peer, _ := mesh.PeerOf(dial(t, b, a)); peer.Fingerprint != mesh.Fingerprint(second.Certificate.Leaf) {
		t.Error("a new stream to it shows the old certificate")
	}
	dial(t, a, b)
	if peer := <-seen; peer.Fingerprint != mesh.Fingerprint(second.Certificate.Leaf) {
		t.Error("a new stream from it shows the old certificate")
	}
}

// A removed replica has no session to come back with.
func TestNoResumption(t *testing.T) {
	territory := meshtest.New("200044394")
	var removed atomic.Bool
	a := echoing(t, territory.Credentials("a"), func(cfg *mesh.Config) {
		cfg.Allow = func(string, [32]byte) error {
			if removed.Load() {
				return errors.New("removed")
			}
			return nil
		}
	})
	cfg := &tls.Config{
		InsecureSkipVerify: true, NextProtos: []string{echo}, ClientSessionCache: tls.NewLRUClientSessionCache(4),
		Certificates: []tls.Certificate{territory.Credentials("b").Certificate},
	}
	visit := func() byte {
		c, err := tls.Dial("tcp", a.Address(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		var verdict [1]byte
		if _, err := io.ReadFull(c, verdict[:]); err != nil {
			t.Fatal(err)
		}
		if c.ConnectionState().DidResume {
			t.Error("a session was resumed")
		}
		return verdict[0]
	}
	if v := visit(); v != 1 {
		t.Fatalf("verdict %d", v)
	}
	removed.Store(true)
	if v := visit(); v == 1 {
		t.Error("a removed replica came back")
	}
}

// After Drop, no stream of the replica is left, whatever was on its way.
func TestDrop(t *testing.T) {
	territory := meshtest.New("200044394")
	var removed atomic.Bool
	var streams sync.WaitGroup
	a := meshtest.Open(t, territory.Credentials("a"), func(cfg *mesh.Config) {
		cfg.Allow = func(replica string, _ [32]byte) error {
			if replica == "b" && removed.Load() {
				return errors.New("removed")
			}
			return nil
		}
	})
	var opened atomic.Int64
	a.Handle(echo, func(_ mesh.Peer, conn net.Conn) {
		streams.Add(1)
		defer streams.Done()
		defer conn.Close()
		opened.Add(1)
		io.Copy(conn, conn)
	})
	b, c := echoing(t, territory.Credentials("b"), nil), echoing(t, territory.Credentials("c"), nil)
	other := dial(t, c, a)
	own := dial(t, a, b)
	var dialers sync.WaitGroup
	for range 4 {
		dialers.Go(func() {
			for !removed.Load() {
				conn, err := b.Dial(t.Context(), a.Address(), "a", echo)
				if err != nil {
					continue
				}
				exchange(conn, "hello") // Drop may end it
			}
		})
	}
	for opened.Load() < 20 {
		say(t, other, "waiting")
	}
	removed.Store(true)
	a.Drop("b")
	dialers.Wait()
	if _, err := b.Dial(t.Context(), a.Address(), "a", echo); !errors.Is(err, mesh.ErrNotAllowed) {
		t.Errorf("got %v, want ErrNotAllowed", err)
	}
	if err := exchange(own, "are you there"); err == nil {
		t.Error("a dialed stream outlived Drop")
	}
	// The last refusal closes its connection after it has said so.
	late := time.After(10 * time.Second)
	for again := time.NewTicker(time.Millisecond); a.Streams("b") != 0; {
		select {
		case <-again.C:
		case <-late:
			t.Fatalf("%d streams of b are left", a.Streams("b"))
		}
	}
	if got := a.Streams("c"); got != 1 {
		t.Errorf("%d streams of c are left, want 1", got)
	}
	say(t, other, "I stay")
	other.Close()
	streams.Wait() // for ever, if one of b's is left
}

func TestNetwork(t *testing.T) {
	territory := meshtest.New("200044394")
	a, b := echoing(t, territory.Credentials("a"), nil), echoing(t, territory.Credentials("b"), nil)
	one, two := a.Network("test/raft"), b.Network("test/raft")
	if one.Addr().String() != a.Address() {
		t.Errorf("got %v, want %v", one.Addr(), a.Address())
	}
	near, err := one.Dial(b.Address(), 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	far, err := two.Accept()
	if err != nil {
		t.Fatal(err)
	}
	go io.Copy(far, far)
	say(t, near, "entries")
	other := dial(t, a, b)
	say(t, other, "else")
	if err := two.Close(); err != nil {
		t.Error(err)
	}
	if err := exchange(near, "more"); err == nil {
		t.Error("a stream outlived its network")
	}
	if _, err := two.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want net.ErrClosed", err)
	}
	if _, err := two.Dial(a.Address(), time.Second); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want net.ErrClosed", err)
	}
	if _, err := one.Dial(b.Address(), time.Second); !errors.Is(err, mesh.ErrUnreachable) {
		t.Errorf("got %v, want ErrUnreachable", err)
	}
	say(t, other, "still")
	again := b.Network("test/raft") // as a replica does that is opened again
	if conn, err := one.Dial(b.Address(), 5*time.Second); err != nil {
		t.Error(err)
	} else {
		conn.Close()
	}
	again.Close()
}

func TestHTTP(t *testing.T) {
	territory := meshtest.New("200044394")
	a, b := echoing(t, territory.Credentials("a"), nil), echoing(t, territory.Credentials("b"), nil)
	type peerKey struct{}
	var conns atomic.Int64
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, r.Context().Value(peerKey{}).(mesh.Peer).Replica)
		}),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			conns.Add(1)
			peer, _ := mesh.PeerOf(c)
			return context.WithValue(ctx, peerKey{}, peer)
		},
	}
	served := make(chan error)
	listener := a.HTTP("test/http")
	go func() { served <- server.Serve(listener) }()
	transport := b.Transport("test/http")
	client := &http.Client{Transport: transport}
	for range 3 {
		resp, err := client.Get("http://" + a.Address() + "/who")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || string(body) != "b" {
			t.Errorf("got %q, %v, want b", body, err)
		}
	}
	if got := conns.Load(); got != 1 {
		t.Errorf("%d streams for three requests, want one that is kept", got)
	}
	if err := server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
	if _, err := client.Get("http://" + a.Address() + "/who"); !errors.Is(err, mesh.ErrUnreachable) {
		t.Errorf("got %v, want ErrUnreachable", err)
	}
}

func TestStranger(t *testing.T) {
	territory := meshtest.New("200044394")
	own := territory.SelfSigned("new")
	a := echoing(t, territory.Credentials("a"), nil)
	shown := make(chan [32]byte, 1)
	a.HandleStranger("test/join", func(conn *tls.Conn) {
		defer conn.Close()
		if certs := conn.ConnectionState().PeerCertificates; len(certs) > 0 {
			shown <- mesh.Fingerprint(certs[0])
		}
		io.Copy(conn, conn)
	})
	conn, err := mesh.DialStranger(t.Context(), a.Address(), "test/join", territory.Pin(), own)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	say(t, conn, "may I")
	if got := <-shown; got != mesh.Fingerprint(own.Leaf) {
		t.Error("the handler saw another key")
	}
	if _, err := mesh.DialStranger(t.Context(), a.Address(), echo, territory.Pin(), own); !errors.Is(err, mesh.ErrNotAllowed) {
		t.Errorf("a stranger at a replicas' protocol: got %v, want ErrNotAllowed", err)
	}
	if _, err := mesh.DialStranger(t.Context(), a.Address(), echo, territory.Pin(), tls.Certificate{}); !errors.Is(err, mesh.ErrNotAllowed) {
		t.Errorf("nobody at a replicas' protocol: got %v, want ErrNotAllowed", err)
	}
	if _, err := mesh.DialStranger(t.Context(), a.Address(), "test/join", meshtest.New("200044394").Pin(), own); !errors.Is(err, mesh.ErrOtherTerritory) {
		t.Errorf("another authority's pin: got %v, want ErrOtherTerritory", err)
	}
	// The authority's certificate is public: whoever appends it is not believed.
	forged := territory.SelfSigned("a")
	forged.Certificate = append(forged.Certificate, territory.Credentials("a").Certificate.Certificate[1])
	l := tls.NewListener(meshtest.Listen(t), &tls.Config{Certificates: []tls.Certificate{forged}, NextProtos: []string{"test/join"}})
	go func() {
		if c, err := l.Accept(); err == nil {
			c.Read(make([]byte, 1)) // shakes hands
			c.Close()
		}
	}()
	if _, err := mesh.DialStranger(t.Context(), l.Addr().String(), "test/join", territory.Pin(), own); !errors.Is(err, mesh.ErrNotAllowed) {
		t.Errorf("a forger: got %v, want ErrNotAllowed", err)
	}
	// Few at a time; others hear so.
	var in []net.Conn
	for {
		c, err := mesh.DialStranger(t.Context(), a.Address(), "test/join", territory.Pin(), tls.Certificate{})
		if errors.Is(err, mesh.ErrBusy) {
			break
		}
		if err != nil || len(in) > mesh.MaxStrangers {
			t.Fatalf("after %d: %v, want ErrBusy", len(in), err)
		}
		in = append(in, c)
	}
	for _, c := range in {
		c.Close()
	}
}

// Many speak at once while others come and go; run with -race.
func TestCrowdOfStreams(t *testing.T) {
	territory := meshtest.New("200044394")
	a, b := echoing(t, territory.Credentials("a"), nil), echoing(t, territory.Credentials("b"), nil)
	line := meshtest.NewLine(t)
	line.To(a.Address())
	const canary = "Zyxwvut canary +79990001122"
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 5 {
				conn, err := b.Dial(t.Context(), line.Address(), "a", echo)
				if err != nil {
					t.Error(err)
					return
				}
				if err := exchange(conn, strings.Repeat(canary, 100*(i+1))); err != nil {
					t.Error(err)
				}
				conn.Close()
			}
		})
	}
	all.Wait()
	heard := line.Heard()
	if len(heard) < 100_000 {
		t.Fatalf("only %d bytes were heard", len(heard))
	}
	for _, word := range []string{"Zyxwvut", "canary", "+79990001122"} {
		if bytes.Contains(heard, []byte(word)) {
			t.Errorf("the wire shows %q", word)
		}
	}
}
