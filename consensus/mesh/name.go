package mesh

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
)

// name is what a certificate says about its holder.
type name struct {
	territory   string // SIREN
	incarnation [16]byte
	replica     string
}

// Name is the one URI in a replica's certificate:
// bippop://SIREN/INCARNATION-HEX/REPLICA. The replica's ID is 1 to 64 small letters,
// digits and hyphens.
func Name(territory string, incarnation [16]byte, replica string) *url.URL {
	return &url.URL{Scheme: "bippop", Host: territory, Path: "/" + hex.EncodeToString(incarnation[:]) + "/" + replica}
}

// Fingerprint names a certificate's key: the SHA-256 of its
// SubjectPublicKeyInfo. It stays when a certificate is renewed for the same key.
func Fingerprint(c *x509.Certificate) [32]byte { return sha256.Sum256(c.RawSubjectPublicKeyInfo) }

// nameOf reads only what Name writes.
func nameOf(c *x509.Certificate) (name, error) {
	if len(c.URIs) != 1 {
		return name{}, fmt.Errorf("%w: its certificate names no replica", ErrNotAllowed)
	}
	var n name
	u := c.URIs[0]
	parts := strings.Split(strings.TrimPrefix(u.Path, "/"), "/")
	if len(parts) == 2 && len(parts[0]) == 2*len(n.incarnation) && plain(u.Host) && plain(parts[1]) {
		if _, err := hex.Decode(n.incarnation[:], []byte(parts[0])); err == nil {
			n.territory, n.replica = u.Host, parts[1]
			if Name(n.territory, n.incarnation, n.replica).String() == u.String() {
				return n, nil
			}
		}
	}
	return name{}, fmt.Errorf("%w: its certificate names no replica", ErrNotAllowed)
}

func plain(s string) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '-')
	})
}
