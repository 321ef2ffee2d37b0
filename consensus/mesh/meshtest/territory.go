// Package meshtest makes territories, and wires that can be cut and listened to,
// for tests of what speaks over package mesh.
package meshtest

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"log/slog"
	"math/big"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/bippop/bippop/consensus/mesh"
)

// Territory is an authority and what it says of itself.
type Territory struct {
	SIREN       string
	Incarnation [16]byte
	key         ed25519.PrivateKey
	certificate *x509.Certificate
}

// New draws an authority.
func New(siren string) *Territory {
	t := &Territory{SIREN: siren}
	rand.Read(t.Incarnation[:])
	now := time.Now()
	public, key, _ := ed25519.GenerateKey(rand.Reader) // never fails
	t.key = key
	t.certificate = sign(&x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: siren},
		NotBefore: now.AddDate(-10, 0, 0), NotAfter: now.AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, public, key)
	return t
}

// Restored is the territory after a restore: another incarnation, the same
// authority.
func (t *Territory) Restored() *Territory {
	other := *t
	rand.Read(other.Incarnation[:])
	return &other
}

// Pin is the fingerprint of the authority's key.
func (t *Territory) Pin() [32]byte { return mesh.Fingerprint(t.certificate) }

// Credentials issues a new key to a replica, good for an hour.
func (t *Territory) Credentials(replica string) mesh.Credentials {
	now := time.Now()
	return t.Valid(replica, now.Add(-time.Hour), now.Add(time.Hour))
}

// Valid issues a new key to a replica.
func (t *Territory) Valid(replica string, from, to time.Time) mesh.Credentials {
	public, key, _ := ed25519.GenerateKey(rand.Reader)
	leaf := sign(leafTemplate(mesh.Name(t.SIREN, t.Incarnation, replica), from, to), t.certificate, public, t.key)
	pool := x509.NewCertPool()
	pool.AddCert(t.certificate)
	return mesh.Credentials{
		Territory: t.SIREN, Incarnation: t.Incarnation, Replica: replica, Authorities: pool,
		Certificate: tls.Certificate{Certificate: [][]byte{leaf.Raw, t.certificate.Raw}, PrivateKey: key, Leaf: leaf},
	}
}

// SelfSigned is what a stranger shows who says that it is a replica.
func (t *Territory) SelfSigned(replica string) tls.Certificate {
	public, key, _ := ed25519.GenerateKey(rand.Reader)
	template := leafTemplate(mesh.Name(t.SIREN, t.Incarnation, replica), time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	leaf := sign(template, nil, public, key)
	return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
}

// SignedBy is what a replica could make of its own certificate: another replica.
func (t *Territory) SignedBy(by mesh.Credentials, replica string) tls.Certificate {
	public, key, _ := ed25519.GenerateKey(rand.Reader)
	parent := by.Certificate
	template := leafTemplate(mesh.Name(t.SIREN, t.Incarnation, replica), time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	leaf := sign(template, parent.Leaf, public, parent.PrivateKey.(ed25519.PrivateKey))
	return tls.Certificate{Certificate: append([][]byte{leaf.Raw}, parent.Certificate...), PrivateKey: key, Leaf: leaf}
}

func leafTemplate(name *url.URL, from, to time.Time) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	return &x509.Certificate{
		SerialNumber: serial, URIs: []*url.URL{name}, NotBefore: from, NotAfter: to, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
}

// sign with a nil parent makes a self-signed certificate.
func sign(template, parent *x509.Certificate, public ed25519.PublicKey, key ed25519.PrivateKey) *x509.Certificate {
	if parent == nil {
		parent = template
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		panic("meshtest: " + err.Error())
	}
	c, err := x509.ParseCertificate(raw)
	if err != nil {
		panic("meshtest: " + err.Error())
	}
	return c
}

// Listen is a port on loopback that ends with the test.
func Listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// Open is a mesh on loopback that ends with the test and allows every replica of
// the territory. Change may be nil; it may change all.
func Open(t testing.TB, c mesh.Credentials, change func(*mesh.Config)) *mesh.Mesh {
	t.Helper()
	cfg := mesh.Config{
		Listener: Listen(t), Credentials: func() mesh.Credentials { return c },
		Allow: func(string, [32]byte) error { return nil }, Logger: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&cfg)
	}
	m, err := mesh.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}
