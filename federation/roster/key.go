package roster

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
)

// Signature types of C2SP signed-note.
const (
	plainKey       = 1 // Ed25519
	cosignatureKey = 4 // cosignature/v1, Ed25519 with a timestamp
)

// parseKey reads a C2SP verifier key: name, plus sign, hash in hexadecimal, plus
// sign, type and key in base64. The hash makes a mistyped key or name a fault.
func parseKey(text string) (name string, kind byte, key ed25519.PublicKey, ok bool) {
	parts := strings.SplitN(text, "+", 3)
	if len(parts) != 3 || !validKeyName(parts[0]) {
		return "", 0, nil, false
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(raw) != 1+ed25519.PublicKeySize || formatKey(parts[0], raw) != text {
		return "", 0, nil, false
	}
	return parts[0], raw[0], raw[1:], true
}

func formatKey(name string, raw []byte) string {
	sum := sha256.Sum256(append([]byte(name+"\n"), raw...))
	hash := strconv.FormatUint(uint64(binary.BigEndian.Uint32(sum[:])), 16)
	return name + "+" + strings.Repeat("0", 8-len(hash)) + hash + "+" + base64.StdEncoding.EncodeToString(raw)
}

// validKeyName is C2SP's rule: no space, no plus sign.
func validKeyName(name string) bool {
	return name != "" && len(name) <= MaxName && utf8.ValidString(name) &&
		!strings.ContainsFunc(name, func(r rune) bool { return r == '+' || unicode.IsSpace(r) || unicode.IsControl(r) })
}

// String is the holder's key as a C2SP verifier key, which people hand on: a
// mistyped one is noticed.
func (h Holder) String() string {
	text, err := note.NewEd25519VerifierKey(h.Name, h.Key)
	if err != nil {
		return h.Name + " (not a key)"
	}
	return text
}

// ParseHolder reads what String wrote. [ErrForm].
func ParseHolder(text string) (Holder, error) {
	name, kind, key, ok := parseKey(strings.TrimSpace(text))
	if !ok || kind != plainKey {
		return Holder{}, ErrForm
	}
	return Holder{Name: name, Key: key}, nil
}

// base58 is Bitcoin's alphabet, in which libp2p writes peer IDs.
const base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// peerPrefix makes a peer ID of an Ed25519 key: identity multihash of 36 bytes, in
// them libp2p's public key message of type 1 with 32 bytes.
var peerPrefix = []byte{0x00, 0x24, 0x08, 0x01, 0x12, 0x20}

// PeerOf is the libp2p peer ID of an Ed25519 key, "12D3KooW…".
func PeerOf(key ed25519.PublicKey) string {
	n := new(big.Int).SetBytes(append(bytes.Clone(peerPrefix), key...))
	var out []byte
	for digit, radix := new(big.Int), big.NewInt(58); n.Sign() > 0; {
		n.DivMod(n, radix, digit)
		out = append(out, base58[digit.Int64()])
	}
	out = append(out, base58[0]) // for the zero byte that the prefix begins with
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return string(out)
}

// validPeer reports whether text is the peer ID of an Ed25519 key.
func validPeer(text string) bool {
	if len(text) != 52 {
		return false
	}
	n, radix := new(big.Int), big.NewInt(58)
	for i := range len(text) {
		digit := strings.IndexByte(base58, text[i])
		if digit < 0 {
			return false
		}
		n.Add(n.Mul(n, radix), big.NewInt(int64(digit)))
	}
	b := n.Bytes()
	return len(b) == len(peerPrefix)-1+ed25519.PublicKeySize && bytes.HasPrefix(b, peerPrefix[1:]) && PeerOf(b[len(peerPrefix)-1:]) == text
}

// ValidName reports whether a holder may be named so.
func (h Holder) ValidName() bool { return validKeyName(h.Name) && clean(h.Name, MaxName) }
