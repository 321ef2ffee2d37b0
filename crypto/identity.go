package crypto

import (
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"time"
)

// Identity is the key by which one replica is known to the others, and the
// territory's word for it. The zero Identity proves nothing. Safe for concurrent
// use.
type Identity struct {
	hidden
	reveal func() identity
}

type identity struct {
	key         ed25519.PrivateKey
	certificate *x509.Certificate // nil until it is issued
}

// NewIdentity draws a key that has no certificate yet: [Authority.Issue] makes
// one from [Identity.Public], [Identity.WithCertificate] joins them. Until then
// only [Identity.Public] and [Identity.Fingerprint] are of use.
func NewIdentity() Identity {
	key := newSigningKey()
	return Identity{reveal: func() identity { return identity{key: key} }}
}

// Zero reports whether i holds no key.
func (i Identity) Zero() bool { return i.reveal == nil }

// Public is the key that others know.
func (i Identity) Public() ed25519.PublicKey { return i.reveal().key.Public().(ed25519.PublicKey) }

// WithCertificate returns the same key with a certificate in DER, the first one
// or a newer one. [ErrCertificate] when it is of another key or no replica's.
func (i Identity) WithCertificate(der []byte) (Identity, error) {
	return identityFile{i.reveal().key.Seed(), der}.identity()
}

// TLS is the identity as crypto/tls wants it. Without a certificate, its chain
// is empty.
func (i Identity) TLS() tls.Certificate {
	of := i.reveal()
	c := tls.Certificate{PrivateKey: of.key, Leaf: of.certificate}
	if of.certificate != nil {
		c.Certificate = [][]byte{of.certificate.Raw}
	}
	return c
}

// Fingerprint names the key, see [Fingerprint].
func (i Identity) Fingerprint() [32]byte { return FingerprintOf(i.Public()) }

// Expires is when the certificate ends; zero without one.
func (i Identity) Expires() time.Time {
	if c := i.reveal().certificate; c != nil {
		return c.NotAfter
	}
	return time.Time{}
}

// NeedsRenewal reports whether it is time to ask for another certificate.
func (i Identity) NeedsRenewal(now time.Time) bool { return i.Expires().Sub(now) < IdentityRenew }

func (i Identity) file() identityFile {
	of := i.reveal()
	return identityFile{of.key.Seed(), of.certificate.Raw}
}

func (f identityFile) identity() (Identity, error) {
	key, certificate, err := f.pair()
	if err != nil {
		return Identity{}, err
	}
	if _, err := NameOf(certificate); err != nil || certificate.IsCA {
		return Identity{}, ErrCertificate
	}
	return Identity{reveal: func() identity { return identity{key, certificate} }}, nil
}
