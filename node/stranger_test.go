package node_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/bippop/bippop/consensus/mesh"
	"github.com/bippop/bippop/crypto"
	"github.com/google/uuid"
)

// TestForgedReplica: whoever has stolen a vault can make certificates, but no
// replica that has no record is answered at the doors where keys are handed on.
func TestForgedReplica(t *testing.T) {
	c := newCluster(t, 1)
	s := c.seats[0]
	v, err := crypto.LoadVault(s.cfg.Vault, s.cfg.Unseal)
	c.must(err)
	ask := func(name string, id crypto.Identity) int {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		c.must(err)
		own := id.TLS()
		own.Certificate = append(own.Certificate, v.Shared.Authority.Certificate())
		m, err := mesh.Open(mesh.Config{
			Listener: l, Logger: slog.New(slog.DiscardHandler), Allow: func(string, [32]byte) error { return nil },
			Credentials: func() mesh.Credentials {
				return mesh.Credentials{Territory: v.Territory, Incarnation: v.Incarnation, Replica: name, Certificate: own, Authorities: v.Shared.Authority.Pool()}
			},
		})
		c.must(err)
		defer m.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.self().Peer+"/root/missing", bytes.NewReader([]byte{0xa0}))
		c.must(err)
		answer, err := (&http.Client{Transport: m.Transport("bippop-node/1")}).Do(r)
		c.must(err)
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		c.must(err)
		if bytes.Contains(body, v.Roots.Current.Reveal()) {
			t.Errorf("%s got the root key", name)
		}
		return answer.StatusCode
	}
	forged, name := crypto.NewIdentity(), uuid.NewString()
	from, to := crypto.Validity(time.Now())
	der, err := v.Shared.Authority.Issue(name, forged.Public(), from, to)
	c.must(err)
	forged, err = forged.WithCertificate(der)
	c.must(err)
	if got := ask(name, forged); got != http.StatusForbidden {
		t.Errorf("a replica that nobody has admitted is answered %d", got)
	}
	if got := ask(v.Replica, v.TLS); got == http.StatusForbidden {
		t.Error("a replica with a record is turned away, so this test shows nothing")
	}
}
