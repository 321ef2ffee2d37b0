package crypto

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"
)

// SelfSigned is how an identity shows its key before the authority has issued a
// certificate for it. Others look at the key and at nothing else; it has no dates,
// as the clock of a machine that joins may be wrong.
func (i Identity) SelfSigned() (tls.Certificate, error) {
	key := i.reveal().key
	template := &x509.Certificate{
		NotBefore: time.Unix(0, 0).UTC(), NotAfter: never, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("making a certificate to join with: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
