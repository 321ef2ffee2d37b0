package crypto

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

const (
	// IdentityLife is how long a certificate is good for: what a stolen machine can
	// pass for a replica where nobody recorded the removal.
	IdentityLife = 90 * 24 * time.Hour
	// IdentityRenew is what is left when a replica asks for another: a month in
	// which somebody is back from holidays before replicas stop to speak.
	IdentityRenew = 30 * 24 * time.Hour
	// ClockSlack is how far back a certificate begins, for a replica whose clock is
	// behind the one that issued it.
	ClockSlack = 24 * time.Hour
)

// never is when the authority's own certificate ends: RFC 5280, 4.1.2.5, for what
// has no good date. A territory that forgot to renew it would stand still.
var never = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// ErrCertificate says that a certificate is not one that a territory's authority
// issued to a replica.
var ErrCertificate = errors.New("this is not the certificate of a replica")

// Authority is a territory's own, Ed25519: it says which keys are replicas of
// which territory. It trusts nobody else and nobody else trusts it. Every replica
// holds it, so that any leader can let another in. The zero Authority issues
// nothing. Safe for concurrent use.
type Authority struct {
	hidden
	reveal func() authority
}

type authority struct {
	key         ed25519.PrivateKey
	certificate *x509.Certificate
}

// NewAuthority draws the key of one incarnation of a territory.
func NewAuthority(siren string, incarnation [16]byte, now time.Time) (Authority, error) {
	name := Name{siren, incarnation, "authority"}
	uri, err := name.uri()
	if err != nil {
		return Authority{}, err
	}
	key := newSigningKey()
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: uri.String()}, NotBefore: now.Add(-ClockSlack), NotAfter: never,
		IsCA: true, MaxPathLenZero: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return Authority{}, fmt.Errorf("making the territory's authority: %w", err)
	}
	return identityFile{key.Seed(), der}.authority()
}

// Zero reports whether a holds no key.
func (a Authority) Zero() bool { return a.reveal == nil }

// Validity is from when to when a certificate that is issued now is good.
func Validity(now time.Time) (from, to time.Time) { return now.Add(-ClockSlack), now.Add(IdentityLife) }

// Issue says that public is the key of a replica, named by its ID, and returns
// the certificate in DER. It is good for both ends of a connection and carries
// one name, the URI bippop://SIREN/INCARNATION/REPLICA. See [Validity].
func (a Authority) Issue(replica string, public ed25519.PublicKey, from, to time.Time) ([]byte, error) {
	if len(public) != ed25519.PublicKeySize {
		return nil, errors.New("issuing a certificate: the key is not an Ed25519 one")
	}
	of := a.reveal()
	name, err := parseName(of.certificate.Subject.CommonName)
	if err != nil {
		return nil, err
	}
	name.Replica = replica
	uri, err := name.uri()
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		NotBefore: from, NotAfter: to, URIs: []*url.URL{uri}, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, of.certificate, public, of.key)
	if err != nil {
		return nil, fmt.Errorf("issuing a certificate: %w", err)
	}
	return der, nil
}

// Pool holds the authority's certificate alone.
func (a Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.reveal().certificate)
	return pool
}

// Certificate is public, in DER.
func (a Authority) Certificate() []byte { return a.reveal().certificate.Raw }

// Fingerprint names the authority's key, see [Fingerprint].
func (a Authority) Fingerprint() [32]byte { return Fingerprint(a.reveal().certificate) }

// Fingerprint is the SHA-256 of a certificate's SubjectPublicKeyInfo: it stays
// the same when a key gets another certificate.
func Fingerprint(c *x509.Certificate) [32]byte { return sha256.Sum256(c.RawSubjectPublicKeyInfo) }

// FingerprintOf is [Fingerprint] for a key that has no certificate yet.
func FingerprintOf(public ed25519.PublicKey) [32]byte {
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		panic("crypto: " + err.Error()) // only for kinds of keys we do not use
	}
	return sha256.Sum256(spki)
}

func (a Authority) file() identityFile {
	of := a.reveal()
	return identityFile{of.key.Seed(), of.certificate.Raw}
}

func (f identityFile) authority() (Authority, error) {
	key, certificate, err := f.pair()
	if err != nil {
		return Authority{}, err
	}
	if !certificate.IsCA {
		return Authority{}, ErrCertificate
	}
	if _, err := parseName(certificate.Subject.CommonName); err != nil {
		return Authority{}, err
	}
	return Authority{reveal: func() authority { return authority{key, certificate} }}, nil
}

// pair reads a key and the certificate of that key.
func (f identityFile) pair() (ed25519.PrivateKey, *x509.Certificate, error) {
	if len(f.Key) != ed25519.SeedSize {
		return nil, nil, ErrCertificate
	}
	key := ed25519.NewKeyFromSeed(f.Key)
	certificate, err := x509.ParseCertificate(f.Certificate)
	if err != nil {
		return nil, nil, ErrCertificate
	}
	if public, ok := certificate.PublicKey.(ed25519.PublicKey); !ok || !public.Equal(key.Public()) {
		return nil, nil, ErrCertificate
	}
	return key, certificate, nil
}

func newSigningKey() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(NewKey().Reveal()) }

// Name is what a certificate says about a key.
type Name struct {
	Territory   string // SIREN
	Incarnation [16]byte
	Replica     string
}

// NameOf reads the only name that a replica's certificate has, or returns
// [ErrCertificate]. It says nothing about who issued it: verify first, with
// [Authority.Pool].
func NameOf(c *x509.Certificate) (Name, error) {
	if len(c.URIs) != 1 || len(c.DNSNames)+len(c.EmailAddresses)+len(c.IPAddresses) != 0 {
		return Name{}, ErrCertificate
	}
	return parseName(c.URIs[0].String())
}

// parseName accepts what uri writes and nothing else.
func parseName(s string) (n Name, err error) {
	parts := strings.Split(strings.TrimPrefix(s, "bippop://"), "/")
	if len(parts) != 3 || parseHex(n.Incarnation[:], parts[1]) != nil {
		return Name{}, ErrCertificate
	}
	n.Territory, n.Replica = parts[0], parts[2]
	if uri, err := n.uri(); err != nil || uri.String() != s {
		return Name{}, ErrCertificate
	}
	return n, nil
}

func (n Name) uri() (*url.URL, error) {
	if !isSiren(n.Territory) {
		return nil, errors.New("naming a replica: the SIREN has nine digits")
	}
	plain := func(r rune) bool { return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r == '-' }
	if n.Replica == "" || len(n.Replica) > 64 || strings.ContainsFunc(n.Replica, func(r rune) bool { return !plain(r) }) {
		return nil, errors.New("naming a replica: its ID has 1 to 64 digits, small letters and hyphens")
	}
	return &url.URL{Scheme: "bippop", Host: n.Territory, Path: "/" + hex.EncodeToString(n.Incarnation[:]) + "/" + n.Replica}, nil
}

func isSiren(s string) bool {
	return len(s) == 9 && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}
