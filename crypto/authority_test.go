package crypto_test

import (
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/bippop/bippop/crypto"
)

func newAuthority(t *testing.T) crypto.Authority {
	t.Helper()
	a, err := crypto.NewAuthority(siren, [16]byte{1, 2, 3}, noon)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func issued(t *testing.T, a crypto.Authority, replica string, from, to time.Time) crypto.Identity {
	t.Helper()
	id := crypto.NewIdentity()
	der, err := a.Issue(replica, id.Public(), from, to)
	if err != nil {
		t.Fatal(err)
	}
	if id, err = id.WithCertificate(der); err != nil {
		t.Fatal(err)
	}
	return id
}

// shake connects two replicas, each of which asks for a certificate of the
// authority it trusts, and returns what each learned of the other.
func shake(client, server crypto.Identity, trusts crypto.Authority, now time.Time) (toClient, toServer error, names []crypto.Name) {
	learned := make(chan crypto.Name, 2)
	verify := func(usage x509.ExtKeyUsage) func(tls.ConnectionState) error {
		return func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 {
				return errors.New("no certificate")
			}
			c := s.PeerCertificates[0]
			if _, err := c.Verify(x509.VerifyOptions{Roots: trusts.Pool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{usage}}); err != nil {
				return err
			}
			name, err := crypto.NameOf(c)
			learned <- name
			return err
		}
	}
	here, there := net.Pipe()
	config := func(id crypto.Identity, other x509.ExtKeyUsage) *tls.Config {
		return &tls.Config{
			Certificates: []tls.Certificate{id.TLS()}, MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAnyClientCert,
			InsecureSkipVerify: true, VerifyConnection: verify(other), SessionTicketsDisabled: true,
		}
	}
	done := make(chan error, 1)
	go func() {
		defer there.Close()
		done <- tls.Server(there, config(server, x509.ExtKeyUsageClientAuth)).Handshake()
	}()
	toClient = tls.Client(here, config(client, x509.ExtKeyUsageServerAuth)).Handshake()
	here.Close() // an alert of the server's would wait for somebody to read it
	toServer = <-done
	close(learned)
	for n := range learned {
		names = append(names, n)
	}
	return toClient, toServer, names
}

func TestReplicasKnowEachOther(t *testing.T) {
	a, from, to := newAuthority(t), noon, noon.Add(crypto.IdentityLife)
	one, two := issued(t, a, "one", from, to), issued(t, a, "two", from, to)
	c, s, names := shake(one, two, a, noon.Add(time.Hour))
	if c != nil || s != nil || len(names) != 2 {
		t.Fatalf("%v, %v, %v", c, s, names)
	}
	for _, n := range names {
		if n.Territory != siren || n.Incarnation != [16]byte{1, 2, 3} || n.Replica != "one" && n.Replica != "two" {
			t.Errorf("got %v", n)
		}
	}
	stranger := issued(t, newAuthority(t), "one", from, to) // the same names, another key
	if c, s, _ := shake(stranger, two, a, noon); c == nil && s == nil {
		t.Error("a stranger was let in")
	}
	if c, s, _ := shake(one, stranger, a, noon); c == nil && s == nil {
		t.Error("a stranger was trusted")
	}
	for name, now := range map[string]time.Time{"expired": to.Add(time.Second), "not yet": from.Add(-time.Second)} {
		if c, s, _ := shake(one, two, a, now); c == nil && s == nil {
			t.Errorf("%s: let in", name)
		}
	}
}

func TestValidity(t *testing.T) {
	a := newAuthority(t)
	from, to := crypto.Validity(noon)
	id := issued(t, a, "one", from, to)
	if !id.Expires().Equal(noon.AddDate(0, 0, 90)) {
		t.Errorf("expires %v", id.Expires())
	}
	slow := issued(t, a, "two", from, to)
	if c, s, _ := shake(id, slow, a, noon.Add(-23*time.Hour)); c != nil || s != nil {
		t.Errorf("a clock that is behind: %v, %v", c, s)
	}
	for days, want := range map[int]bool{0: false, 59: false, 60: false, 61: true, 90: true, 1000: true} {
		if got := id.NeedsRenewal(noon.AddDate(0, 0, days)); got != want {
			t.Errorf("after %d days: %v", days, got)
		}
	}
	// Another certificate is another date, the same key, and the same fingerprint.
	der, err := a.Issue("one", id.Public(), from, to.AddDate(0, 2, 0))
	if err != nil {
		t.Fatal(err)
	}
	renewed, err := id.WithCertificate(der)
	if err != nil || renewed.Fingerprint() != id.Fingerprint() || !renewed.Expires().After(id.Expires()) {
		t.Errorf("renewed: %v, %v", renewed.Expires(), err)
	}
	if crypto.Fingerprint(renewed.TLS().Leaf) != id.Fingerprint() {
		t.Error("key and certificate have two fingerprints")
	}
	// The authority does not end in the lifetime of a territory.
	c, err := x509.ParseCertificate(a.Certificate())
	if err != nil || c.NotAfter.Year() != 9999 || !c.IsCA || c.CheckSignatureFrom(c) != nil || crypto.Fingerprint(c) != a.Fingerprint() {
		t.Errorf("the authority: %v, %v", c, err)
	}
}

func TestCertificatesOfOthers(t *testing.T) {
	a := newAuthority(t)
	one, two := issued(t, a, "one", noon, noon.Add(time.Hour)), issued(t, a, "two", noon, noon.Add(time.Hour))
	for name, der := range map[string][]byte{
		"another's": two.TLS().Certificate[0], "none": nil, "cut": one.TLS().Certificate[0][:100], "the authority's": a.Certificate(),
	} {
		if _, err := one.WithCertificate(der); !errors.Is(err, crypto.ErrCertificate) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", "a/b", "A", "é", "..", "one?x", "%2e", "a b", string(make([]byte, 65))} {
		if _, err := a.Issue(name, one.Public(), noon, noon.Add(time.Hour)); err == nil {
			t.Errorf("%q was issued", name)
		}
	}
	if _, err := a.Issue("one", ed25519.PublicKey("short"), noon, noon.Add(time.Hour)); err == nil {
		t.Error("half a key was issued")
	}
	for _, bad := range []string{"", "20004439", "2000443940", "20004439x", "20004439٣"} {
		if _, err := crypto.NewAuthority(bad, [16]byte{}, noon); err == nil {
			t.Errorf("%q has an authority", bad)
		}
	}
}

func TestNameOf(t *testing.T) {
	const good = "bippop://200044394/01020300000000000000000000000000/one"
	uris := func(all ...string) *x509.Certificate {
		c := &x509.Certificate{}
		for _, s := range all {
			u, err := url.Parse(s)
			if err != nil {
				t.Fatal(err)
			}
			c.URIs = append(c.URIs, u)
		}
		return c
	}
	if n, err := crypto.NameOf(uris(good)); err != nil || n != (crypto.Name{Territory: siren, Incarnation: [16]byte{1, 2, 3}, Replica: "one"}) {
		t.Errorf("got %v, %v", n, err)
	}
	dns := uris(good)
	dns.DNSNames = []string{"one"}
	for name, c := range map[string]*x509.Certificate{
		"none": uris(), "two": uris(good, good), "a host too": dns, "other scheme": uris("https" + good[6:]), "more path": uris(good + "/x"),
		"no replica": uris(good[:len(good)-3]), "query": uris(good + "?x"), "fragment": uris(good + "#x"), "user": uris("bippop://u@" + good[9:]),
		"short incarnation": uris("bippop://200044394/0102/one"), "capitals": uris("bippop://200044394/0A020300000000000000000000000000/one"), "doorbell": uris("bippop-doorbell://200044394/one"),
	} {
		if n, err := crypto.NameOf(c); !errors.Is(err, crypto.ErrCertificate) {
			t.Errorf("%s: %v, %v", name, n, err)
		}
	}
}
