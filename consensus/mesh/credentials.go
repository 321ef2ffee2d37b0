package mesh

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// Credentials say who this replica is. They are not changed after they are
// handed out.
type Credentials struct {
	Territory   string   // SIREN of the controller
	Incarnation [16]byte // of the territory; a restored one has another
	Replica     string   // ID of this replica
	// Certificate is this replica's, named by [Name], followed by its
	// authority's, which strangers need to know the territory by its pin.
	Certificate tls.Certificate
	// Authorities sign replicas, directly.
	Authorities *x509.CertPool
}

// Peer is the replica at the other end of a stream.
type Peer struct {
	Replica     string   // its ID
	Fingerprint [32]byte // of its key, see [Fingerprint]
}

// check reports what would make every peer refuse these credentials, but for the
// clock: a certificate that ran out is renewed while the replica runs.
func (c *Credentials) check() error {
	chain, err := parse(c.Certificate.Certificate)
	if err != nil {
		return fmt.Errorf("mesh: own certificate: %w", err)
	}
	if len(chain) < 2 {
		return errors.New("mesh: own certificate comes without its authority's")
	}
	if err := chain[0].CheckSignatureFrom(chain[1]); err != nil {
		return fmt.Errorf("mesh: own certificate is not of the authority that follows it: %w", err)
	}
	n, err := nameOf(chain[0])
	if err != nil || n != (name{c.Territory, c.Incarnation, c.Replica}) {
		return errors.New("mesh: own certificate names another replica")
	}
	if c.Authorities == nil {
		return errors.New("mesh: no authority to know replicas by")
	}
	return nil
}

// peer checks the certificates that the other end has shown, and whose key TLS
// has seen used. Of two reasons to refuse it gives the one that helps more.
func (c *Credentials) peer(chain []*x509.Certificate) (Peer, error) {
	if len(chain) == 0 {
		return Peer{}, fmt.Errorf("%w: it shows no certificate", ErrNotAllowed)
	}
	n, err := nameOf(chain[0])
	if err != nil {
		return Peer{}, err
	}
	if n.territory != c.Territory {
		return Peer{}, ErrOtherTerritory
	}
	if n.incarnation != c.Incarnation {
		return Peer{}, errOtherIncarnation
	}
	if err := signed(chain[0], c.Authorities); err != nil {
		return Peer{}, err
	}
	return Peer{n.replica, Fingerprint(chain[0])}, nil
}

// signed leaves out intermediates: a replica's key cannot make replicas.
func signed(leaf *x509.Certificate, by *x509.CertPool) error {
	_, err := leaf.Verify(x509.VerifyOptions{Roots: by, CurrentTime: time.Now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	var invalid x509.CertificateInvalidError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Errorf("%w: valid from %s to %s", ErrClock, leaf.NotBefore.UTC().Format(time.RFC3339), leaf.NotAfter.UTC().Format(time.RFC3339))
	default:
		return fmt.Errorf("%w: its certificate is not of this territory's authority", ErrNotAllowed)
	}
}

func parse(raw [][]byte) ([]*x509.Certificate, error) {
	if len(raw) == 0 {
		return nil, errors.New("there is none")
	}
	var chain []*x509.Certificate
	for _, b := range raw {
		c, err := x509.ParseCertificate(b)
		if err != nil {
			return nil, err
		}
		chain = append(chain, c)
	}
	return chain, nil
}
