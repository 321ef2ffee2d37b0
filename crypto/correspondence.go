package crypto

import (
	"crypto/ed25519"
	"fmt"
	"strings"

	"filippo.io/age"
)

// SeededSigner signs envelopes under an Ed25519 key that is known elsewhere. The
// signature of an envelope has a label of its own: it is good for nothing else that
// the key signs.
func SeededSigner(seed [32]byte) Signer {
	key := ed25519.NewKeyFromSeed(seed[:])
	return Signer{reveal: func() ed25519.PrivateKey { return key }}
}

// DerivedIdentity is the hybrid age identity that follows from a key: what opens, and
// the recipient (age1pq1…) that others encrypt to. Equal keys give equal ones.
func DerivedIdentity(k Key) (Unsealer, string, error) {
	id, err := age.ParseHybridIdentity(strings.ToUpper(bech32("age-secret-key-pq-", k.Reveal())))
	if err != nil {
		return Unsealer{}, "", fmt.Errorf("deriving an identity: %s", redacted) // the text would quote the key
	}
	r := id.Recipient()
	return unsealer(id, r, sealing{Recipient: r.String()}), r.String(), nil
}

// bech32 is the text form of age's keys (BIP 173), in lower case: age exports no
// writer of it.
func bech32(prefix string, data []byte) string {
	const letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	var groups []byte
	acc, bits := uint32(0), 0
	for _, b := range data {
		acc, bits = acc<<8|uint32(b), bits+8
		for ; bits >= 5; bits -= 5 {
			groups = append(groups, byte(acc>>(bits-5))&31)
		}
	}
	if bits > 0 {
		groups = append(groups, byte(acc<<(5-bits))&31)
	}
	sum := uint32(1)
	add := func(v byte) {
		top := sum >> 25
		sum = (sum&0x1ffffff)<<5 ^ uint32(v)
		for i, g := range [5]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				sum ^= g
			}
		}
	}
	for i := range len(prefix) {
		add(prefix[i] >> 5)
	}
	add(0)
	for i := range len(prefix) {
		add(prefix[i] & 31)
	}
	for _, g := range groups {
		add(g)
	}
	for range 6 {
		add(0)
	}
	sum ^= 1
	out := prefix + "1"
	for _, g := range groups {
		out += letters[g : g+1]
	}
	for i := range 6 {
		at := sum >> (5 * (5 - i)) & 31
		out += letters[at : at+1]
	}
	return out
}
