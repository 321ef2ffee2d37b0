package federation_test

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bippop/bippop/federation"
	"github.com/bippop/bippop/federation/simulation"
	"github.com/libp2p/go-libp2p/core/crypto"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	multistream "github.com/multiformats/go-multistream"
)

// Over TCP the key exchange is the hybrid one, in TLS 1.3, and nothing but TLS is
// offered.
func TestKeyExchange(t *testing.T) {
	at := over(t, "tcp")
	w := found(t, 1, 1, 3, hubAt(0, at))
	dial := func() net.Conn {
		c, err := net.Dial("tcp", "127.0.0.1:"+at[strings.LastIndex(at, "/")+1:])
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	for _, name := range []string{"/noise", "/plaintext/2.0.0", "/secio/1.0.0", "/tls/1.1.0"} {
		if err := multistream.SelectProtoOrFail(name, io.ReadWriteCloser(dial())); err == nil {
			t.Errorf("%s is offered", name)
		}
	}
	seed := w.Territories[0].Seed(0)
	key, err := crypto.UnmarshalEd25519PrivateKey(ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		t.Fatal(err)
	}
	identity, err := libp2ptls.NewIdentity(key)
	if err != nil {
		t.Fatal(err)
	}
	c := dial()
	if err := multistream.SelectProtoOrFail(libp2ptls.ID, io.ReadWriteCloser(c)); err != nil {
		t.Fatal(err)
	}
	config, _ := identity.ConfigForPeer("")
	secure := tls.Client(c, config)
	if err := secure.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := secure.ConnectionState()
	if s.Version != tls.VersionTLS13 || s.CurveID != tls.X25519MLKEM768 {
		t.Errorf("negotiated %s with %s", tls.VersionName(s.Version), s.CurveID)
	}
}

// Nothing that a host shows to a hub names the machine's own addresses: it sends no
// protocol but ours, and a hub that asks for identify is told that there is none.
func TestNothingElse(t *testing.T) {
	w := found(t, 1, 1, 3, hubAt(0, over(t, "tcp")))
	c := caller(t, w.Territories[0].Seed(0))
	conn := w.dial(c, 0)
	for _, name := range []string{"/ipfs/id/1.0.0", "/ipfs/id/push/1.0.0", "/ipfs/ping/1.0.0", "/libp2p/circuit/relay/0.2.0/hop", "/libp2p/autonat/1.0.0", "/ls"} {
		if _, err := c.Stream(conn, name); err == nil {
			t.Errorf("the hub answers %s", name)
		}
	}
	if _, err := c.Stream(conn, federation.NameHello); err != nil {
		t.Errorf("the hub does not answer HELLO: %v", err)
	}
}

// proxied is a hub whose WebSocket is reached through a reverse proxy with a
// certificate of its own for hub.example.
func proxied(t *testing.T) (inner, outer string, front *httptest.Server) {
	port := simulation.FreePort()
	inner = fmt.Sprintf("/ip4/127.0.0.1/tcp/%d/ws", port)
	to := &url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", port)}
	front = httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }})
	t.Cleanup(front.Close)
	_, frontPort, _ := net.SplitHostPort(front.Listener.Addr().String())
	return inner, fmt.Sprintf("/ip4/127.0.0.1/tcp/%s/tls/sni/example.com/ws", frontPort), front
}

// A leaf reaches a hub behind a reverse proxy, as any web client would.
func TestReverseProxy(t *testing.T) {
	inner, outer, front := proxied(t)
	seat := hubAt(0, inner)
	seat.Addresses = []string{outer}
	w := found(t, 1, 1, 3, seat)
	own := w.Territories[0]
	w.say(own, 2)
	roots := x509.NewCertPool()
	roots.AddCert(front.Certificate())
	h := w.leaf(own, func(c *federation.Config) { c.WebRoots = roots })
	w.sync(h)
	if n := h.Status().Settled; n != 2 {
		t.Errorf("%d of 2 entries settled", n)
	}
	stranger := w.leaf(simulationOther(w), nil) // without the proxy's root it does not trust it
	if err := stranger.Sync(t.Context()); err == nil {
		t.Error("a certificate that nobody vouches for is taken")
	}
}

func simulationOther(w *world) *simulation.Writer { return w.Coordinator }

// A leaf in an office that lets nothing out but by its HTTP proxy goes through it with
// CONNECT, by the hub's name.
func TestConnectProxy(t *testing.T) {
	if at := os.Getenv("BIPPOP_TEST_HUB"); at != "" {
		leafBehindProxy(t, at)
		return
	}
	inner, outer, front := proxied(t)
	_, port, _ := net.SplitHostPort(front.Listener.Addr().String())
	var asked atomic.Int64
	office := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Host != "example.com:"+port {
			http.Error(rw, "no", http.StatusForbidden)
			return
		}
		asked.Add(1)
		out, err := net.Dial("tcp", front.Listener.Addr().String()) // the office knows the name
		if err != nil {
			http.Error(rw, "no", http.StatusBadGateway)
			return
		}
		defer out.Close()
		in, buffered, err := rw.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer in.Close()
		_, _ = io.WriteString(in, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(out, bufio.NewReader(buffered)) }()
		_, _ = io.Copy(in, out)
	}))
	defer office.Close()
	seat := hubAt(0, inner)
	seat.Addresses = []string{outer}
	w := found(t, 1, 1, 3, seat)
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw})
	// The proxy is read from the environment once in a process, so the leaf is another
	// process.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	leaf := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestConnectProxy$", "-test.v")
	leaf.Env = append(os.Environ(), "HTTPS_PROXY="+office.URL, "BIPPOP_TEST_HUB="+inner+" "+outer, "BIPPOP_TEST_ROOT="+string(root))
	if b, err := leaf.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	if asked.Load() == 0 {
		t.Error("it did not go by the proxy")
	}
	if c, ok := w.hubs[0].Feed(w.Territories[0].Siren); !ok || c.Head().Size != 2 {
		t.Error("nothing arrived")
	}
}

// leafBehindProxy is the other process: the same nation, since all keys follow from
// names.
func leafBehindProxy(t *testing.T, at string) {
	inner, outer, _ := strings.Cut(at, " ")
	seat := hubAt(0, inner)
	seat.Addresses = []string{outer}
	n, err := simulation.Found(today(), 1, seat)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Add(1, 3); err != nil {
		t.Fatal(err)
	}
	w := &world{Nation: n, t: t}
	own := n.Territories[0]
	w.say(own, 2)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(os.Getenv("BIPPOP_TEST_ROOT")))
	w.sync(w.leaf(own, func(c *federation.Config) { c.WebRoots = roots }))
}
