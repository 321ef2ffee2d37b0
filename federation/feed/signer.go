package feed

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Types of keys, as C2SP numbers them.
const (
	algNote        = 0x01 // Ed25519 over the text
	algCosignature = 0x04 // Ed25519 over "cosignature/v1", an instant and the text
)

// Signer signs checkpoints with one key. The zero Signer signs nothing.
type Signer struct {
	key     verifier
	private ed25519.PrivateKey
}

// NewReplicaSigner signs for one replica of a writer. The name is
// "bippop/SIREN/REPLICA". It panics when [ValidName] does not hold.
func NewReplicaSigner(name string, seed [32]byte) Signer { return newSigner(name, algNote, seed) }

// NewWitnessSigner cosigns for one witness, under the name of its hub. It panics when
// [ValidName] does not hold.
func NewWitnessSigner(name string, seed [32]byte) Signer {
	return newSigner(name, algCosignature, seed)
}

func newSigner(name string, alg byte, seed [32]byte) Signer {
	if !ValidName(name) {
		panic("feed: a key's name is not empty and has neither blanks nor a plus")
	}
	private := ed25519.NewKeyFromSeed(seed[:])
	return Signer{verifier{name, alg, [32]byte(private.Public().(ed25519.PublicKey))}, private}
}

// ValidName reports whether a key may be called so in a note: not empty, neither
// blanks nor a plus.
func ValidName(name string) bool {
	return name != "" && utf8.ValidString(name) && !strings.Contains(name, "+") &&
		!strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}

// Key is the verifier key, as C2SP writes it: name, hash, type and public key.
func (s Signer) Key() string { return s.key.String() }

// Sign adds the signer's signature to a checkpoint, in place of one that the same
// key made before. A witness's says that it saw the head at an instant, to the
// second; a replica's takes no notice of at. [ErrCheckpoint].
func (s Signer) Sign(c Checkpoint, at time.Time) (Checkpoint, error) {
	text := string(FormatCheckpoint(c.Origin, c.Head))
	if _, err := parseBody(text); err != nil || s.private == nil {
		return Checkpoint{}, ErrCheckpoint
	}
	var sigs []line
	if c.Signed != nil {
		signed, old, err := open(c.Signed)
		if err != nil || signed != text {
			return Checkpoint{}, ErrCheckpoint
		}
		sigs = old
	}
	var sig []byte
	if s.key.alg == algCosignature {
		if at.Unix() <= 0 {
			return Checkpoint{}, ErrCheckpoint
		}
		sig = binary.BigEndian.AppendUint64(nil, uint64(at.Unix()))
	}
	sig = append(sig, ed25519.Sign(s.private, s.key.message(text, at.Unix()))...)
	return ParseCheckpoint(write(text, join(sigs, []line{{s.key.name, s.key.hash(), sig}})))
}

// verifier is a public key under its name.
type verifier struct {
	name   string
	alg    byte
	public [32]byte
}

// parseVerifier reads a verifier key of one type and refuses every other form of it.
func parseVerifier(vkey string, alg byte) (verifier, bool) {
	name, rest, _ := strings.Cut(vkey, "+")
	hash, b64, _ := strings.Cut(rest, "+")
	raw, err := base64.StdEncoding.DecodeString(b64)
	if err != nil || len(raw) != 33 || raw[0] != alg || !ValidName(name) {
		return verifier{}, false
	}
	if _, err := strconv.ParseUint(hash, 16, 32); err != nil {
		return verifier{}, false
	}
	v := verifier{name, alg, [32]byte(raw[1:])}
	return v, v.String() == vkey
}

// ValidReplicaKey reports whether a text is a verifier key that signs notes.
func ValidReplicaKey(vkey string) bool { _, ok := parseVerifier(vkey, algNote); return ok }

// ValidWitnessKey reports whether a text is a verifier key of type cosignature/v1.
func ValidWitnessKey(vkey string) bool { _, ok := parseVerifier(vkey, algCosignature); return ok }

func (v verifier) raw() []byte { return append([]byte{v.alg}, v.public[:]...) }

// hash is the key's number in signature lines.
func (v verifier) hash() uint32 {
	sum := sha256.Sum256(append([]byte(v.name+"\n"), v.raw()...))
	return binary.BigEndian.Uint32(sum[:])
}

func (v verifier) String() string {
	return fmt.Sprintf("%s+%08x+%s", v.name, v.hash(), base64.StdEncoding.EncodeToString(v.raw()))
}

// message is what the key signs.
func (v verifier) message(text string, at int64) []byte {
	if v.alg == algCosignature {
		return fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at, text)
	}
	return []byte(text)
}

// verify finds the key's good signature among lines: the latest, if it is a
// witness. Its own name on a bad one hides no good one.
func (v verifier) verify(text string, sigs []line) (found line, at int64, ok bool) {
	hash := v.hash()
	for _, l := range sigs {
		if l.name != v.name || l.hash != hash {
			continue
		}
		sig, when := l.sig, int64(0)
		if v.alg == algCosignature {
			if len(sig) < 8 {
				continue
			}
			sig, when = sig[8:], int64(binary.BigEndian.Uint64(sig))
			if when <= 0 || ok && when <= at {
				continue
			}
		} else if ok {
			break
		}
		if len(sig) == ed25519.SignatureSize && ed25519.Verify(v.public[:], v.message(text, when), sig) {
			found, at, ok = l, when, true
		}
	}
	return found, at, ok
}
