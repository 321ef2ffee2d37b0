package mesh

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// Dial opens a stream to the replica at address, host:port. Replica is its ID;
// empty: whoever of this territory answers there. The error is one of ErrUnreachable,
// ErrOtherTerritory, ErrOtherReplica, ErrNotAllowed, ErrTurnedAway, ErrClock and ErrClosed; it
// takes as long as ctx allows, and ten seconds at most.
func (m *Mesh) Dial(ctx context.Context, address, replica, protocol string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeLimit)
	defer cancel()
	defer context.AfterFunc(m.closing, cancel)()
	c := m.cfg.Credentials()
	conn, err := dialTCP(ctx, address)
	if err != nil {
		return nil, m.unreachable(address, err)
	}
	w, err := m.wire(conn)
	if err != nil {
		return nil, err
	}
	var peer Peer
	secure, err := shake(ctx, w, address, protocol, c.Certificate, func(state tls.ConnectionState) (err error) {
		peer, err = c.peer(state.PeerCertificates)
		if err == nil && replica != "" && peer.Replica != replica {
			err = ErrOtherReplica
		}
		if err == nil {
			peer, err = m.admit(w, protocol, &c, state)
		}
		return err
	})
	if err != nil {
		w.Close()
		if m.closing.Err() != nil {
			err = ErrClosed
		}
		return nil, err
	}
	return &stream{secure, peer}, nil
}

func (m *Mesh) unreachable(address string, err error) error {
	if m.closing.Err() != nil {
		return ErrClosed
	}
	return fmt.Errorf("%w: %s: %w", ErrUnreachable, address, err)
}

// DialStranger opens a stream to a replica of the territory whose authority has
// the key of that fingerprint, for a protocol of [Mesh.HandleStranger]. Own is
// the certificate to show, self-signed as a rule; the zero value shows none. The
// error is one of ErrUnreachable, ErrOtherTerritory, ErrClock and ErrBusy.
func DialStranger(ctx context.Context, address, protocol string, pinnedAuthority [32]byte, own tls.Certificate) (*tls.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeLimit)
	defer cancel()
	conn, err := dialTCP(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrUnreachable, address, err)
	}
	secure, err := shake(ctx, conn, address, protocol, own, func(state tls.ConnectionState) error {
		return pinned(state.PeerCertificates, pinnedAuthority)
	})
	if err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// pinned checks that the authority of that fingerprint has signed a replica.
func pinned(chain []*x509.Certificate, authority [32]byte) error {
	if len(chain) == 0 {
		return ErrOtherTerritory // never: a listener must show one
	}
	if _, err := nameOf(chain[0]); err != nil {
		return err
	}
	pool, found := x509.NewCertPool(), false
	for _, c := range chain[1:] {
		if c.IsCA && Fingerprint(c) == authority {
			pool.AddCert(c)
			found = true
		}
	}
	if !found {
		return ErrOtherTerritory
	}
	return signed(chain[0], pool)
}

func dialTCP(ctx context.Context, address string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", address)
}

// shake makes a stream of conn: handshake, check of the listener's certificates,
// its verdict. After an error the caller closes conn.
func shake(ctx context.Context, conn net.Conn, address, protocol string, own tls.Certificate, check func(tls.ConnectionState) error) (*tls.Conn, error) {
	var refusal error
	cfg := &tls.Config{
		MinVersion:         tls.VersionTLS13,
		NextProtos:         []string{protocol},
		InsecureSkipVerify: true, // names are not host names: check does it

		DynamicRecordSizingDisabled: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			refusal = check(state)
			return refusal
		},
	}
	if len(own.Certificate) > 0 {
		// Whatever authorities the listener names, this is the one to show.
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &own, nil }
	}
	deadline, _ := ctx.Deadline() // the callers set one
	conn.SetDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	secure := tls.Client(conn, cfg)
	if err := secure.HandshakeContext(ctx); err != nil {
		if refusal != nil {
			return nil, fmt.Errorf("%s: %w", address, refusal)
		}
		return nil, fmt.Errorf("%w: %s: %w", ErrUnreachable, address, explain(err, protocol))
	}
	if secure.ConnectionState().NegotiatedProtocol != protocol {
		return nil, fmt.Errorf("%w: %s does not speak %s", ErrUnreachable, address, protocol)
	}
	var first [1]byte
	if _, err := io.ReadFull(secure, first[:]); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrUnreachable, address, explain(err, protocol))
	}
	if err := verdict(first[0]).err(); err != nil {
		return nil, fmt.Errorf("%s says: %w", address, err)
	}
	if !stop() {
		return nil, fmt.Errorf("%w: %s: %w", ErrUnreachable, address, context.Cause(ctx))
	}
	conn.SetDeadline(time.Time{})
	return secure, nil
}

// explain puts what TLS says into words that help.
func explain(err error, protocol string) error {
	var plain tls.RecordHeaderError
	var op *net.OpError
	switch {
	case errors.As(err, &plain):
		return errors.New("something else than a replica answers there")
	case errors.As(err, &op) && op.Op == "remote error":
		return fmt.Errorf("it does not speak %s, perhaps not yet: %w", protocol, err)
	default:
		return err
	}
}
