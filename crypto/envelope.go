package crypto

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"filippo.io/age"
)

var (
	// ErrEnvelopeDamaged says that an envelope was altered or cut short, or is none.
	ErrEnvelopeDamaged = errors.New("this backup is damaged or cut short; take another copy")
	// ErrOtherSigner says that an envelope is whole, or may be, but of somebody else.
	ErrOtherSigner = errors.New("this backup was not signed by this territory; take one of its own")
)

// An envelope is
//
//	envelopeMagic ‖ the signer's public key (32 bytes) ‖ an age file ‖ signature (64 bytes)
//
// The signature is Ed25519 over envelopeLabel ‖ SHA-512 of all that stands before
// it. It stands outside, so that a copy can be verified where nobody can open it.
const (
	envelopeMagic = "bippop envelope 1\n"
	envelopeLabel = "bippop envelope signature v1\x00"
)

// Signer signs a territory's envelopes. The zero Signer signs nothing.
type Signer struct {
	hidden
	reveal func() ed25519.PrivateKey
}

// NewSigner is the territory's, derived from [Shared].Domain: it stays the same
// when a person is forgotten and in a territory that was restored.
func NewSigner(domain Key) Signer {
	key := ed25519.NewKeyFromSeed(domain.Derive("backup signature").Reveal())
	return Signer{reveal: func() ed25519.PrivateKey { return key }}
}

// VerifyKey is public.
func (s Signer) VerifyKey() VerifyKey { return VerifyKey(s.reveal().Public().(ed25519.PublicKey)) }

// VerifyKey tells a territory's envelopes from others. Its text form is for paper.
type VerifyKey [ed25519.PublicKeySize]byte

// AnySigner, as a VerifyKey, asks for no signer in particular: the envelope is
// known to be whole, and [Envelope.Signer] says who made it.
var AnySigner VerifyKey

func (k VerifyKey) String() string { return hex.EncodeToString(k[:]) }

// ParseVerifyKey reads what String wrote.
func ParseVerifyKey(s string) (k VerifyKey, err error) {
	if err := parseHex(k[:], strings.TrimSpace(s)); err != nil || k == AnySigner {
		return VerifyKey{}, errors.New("the key that verifies backups has 64 hexadecimal digits; copy it again")
	}
	return k, nil
}

// NewRecoveryIdentity draws an identity that opens backups: text, for a safe, and
// its recipient (age1pq1…), for the replicas. [IdentityFile] reads a file with
// the text.
func NewRecoveryIdentity() (text Secret, recipient string, err error) {
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		return Secret{}, "", fmt.Errorf("making an identity: %w", err)
	}
	return NewSecret(id.String()), id.Recipient().String(), nil
}

// Recipients are those who can open an envelope. The zero value is nobody.
type Recipients struct{ each []age.Recipient }

// ParseRecipients reads hybrid recipients, age1pq1…, one or more. Classical ones
// are refused: who keeps a copy of a backup may wait for a quantum computer.
func ParseRecipients(texts []string) (Recipients, error) {
	var all Recipients
	for i, text := range texts {
		text = strings.TrimSpace(text)
		r, err := age.ParseHybridRecipient(text)
		switch upper := strings.ToUpper(text); {
		case strings.HasPrefix(upper, "AGE-SECRET-KEY-"), strings.HasPrefix(upper, "AGE-PLUGIN-"): // not to be quoted
			return Recipients{}, fmt.Errorf("recipient %d is an identity, which belongs in a safe: give its recipient, which begins with age1pq1", i+1)
		case err != nil && strings.HasPrefix(upper, "AGE1PQ1"):
			return Recipients{}, fmt.Errorf("recipient %d is mistyped or cut short; copy it again", i+1)
		case err != nil:
			return Recipients{}, fmt.Errorf("recipient %d is not a hybrid age recipient, and a copy of a backup must stay closed to quantum computers too: make one with age-keygen -pq, it begins with age1pq1", i+1)
		}
		all.each = append(all.each, r)
	}
	if len(all.each) == 0 {
		return Recipients{}, errors.New("nobody could open this backup: give at least one recipient, age1pq1…")
	}
	return all, nil
}

// Encrypt returns where to write what only recipients shall read. What was
// written is whole once Close has returned nil; without Close it is damaged,
// which is how to give up. Close does not close w.
func Encrypt(w io.Writer, to Recipients, by Signer) (io.WriteCloser, error) {
	e := &sealer{w: w, sum: sha512.New(), by: by}
	key := by.VerifyKey()
	if _, err := e.out().Write(append([]byte(envelopeMagic), key[:]...)); err != nil {
		return nil, fmt.Errorf("writing a backup: %w", err)
	}
	var err error
	if e.age, err = age.Encrypt(e.out(), to.each...); err != nil {
		return nil, fmt.Errorf("writing a backup: %w", err)
	}
	return e, nil
}

type sealer struct {
	w   io.Writer
	sum hash.Hash
	by  Signer
	age io.WriteCloser
}

func (e *sealer) out() io.Writer { return io.MultiWriter(e.w, e.sum) }

func (e *sealer) Write(p []byte) (int, error) { return e.age.Write(p) }

func (e *sealer) Close() error {
	if err := e.age.Close(); err != nil {
		return err
	}
	_, err := e.w.Write(ed25519.Sign(e.by.reveal(), signed(e.sum)))
	return err
}

func signed(sum hash.Hash) []byte { return sum.Sum([]byte(envelopeLabel)) }

// Envelope reads what [Encrypt] wrote.
type Envelope struct {
	plain io.Reader
	from  *signedReader
}

// Decrypt begins to read an envelope. [ErrOtherSigner] when it is not from's,
// [ErrWrongUnseal] when u does not open it, [ErrEnvelopeDamaged].
//
// What is read is NOT TO BE ACTED UPON BEFORE Read HAS RETURNED io.EOF: only then
// is the envelope known to be whole and signed. Read it into a new place, and
// replace the old one after.
func Decrypt(r io.Reader, u Unsealer, from VerifyKey) (*Envelope, error) {
	s, err := openSigned(r, from)
	if err != nil {
		return nil, err
	}
	plain, err := u.reader(s)
	if err != nil && !errors.Is(err, ErrWrongUnseal) && !errors.Is(err, ErrPlugin) {
		err = s.fault()
	}
	if err != nil {
		return nil, err
	}
	return &Envelope{plain, s}, nil
}

// Signer says who made the envelope: true once Read has returned io.EOF.
func (e *Envelope) Signer() VerifyKey { return e.from.signer }

// Read returns io.EOF only when the envelope was found whole and signed to its
// last byte, [ErrEnvelopeDamaged], or the error of the reader below.
func (e *Envelope) Read(p []byte) (int, error) {
	n, err := e.plain.Read(p)
	switch {
	case err == nil:
		return n, nil
	case err != io.EOF:
		return n, e.from.fault()
	}
	return n, e.from.verify()
}

// VerifyEnvelope reads an envelope to its end without opening it and returns who
// signed it. [ErrOtherSigner], [ErrEnvelopeDamaged], or the error of r.
func VerifyEnvelope(r io.Reader, from VerifyKey) (VerifyKey, error) {
	s, err := openSigned(r, from)
	if err != nil {
		return VerifyKey{}, err
	}
	if err := s.verify(); err != io.EOF {
		return VerifyKey{}, err
	}
	return s.signer, nil
}

// signedReader reads the age file and keeps the signature back.
type signedReader struct {
	r      io.Reader
	broken error // of r, other than its end
	ended  bool
	sum    hash.Hash
	signer VerifyKey
	held   []byte // read from r, not yet given: at its end, the signature
}

func openSigned(r io.Reader, from VerifyKey) (*signedReader, error) {
	s := &signedReader{r: r, sum: sha512.New()}
	head := make([]byte, len(envelopeMagic)+len(s.signer))
	if _, err := io.ReadFull(r, head); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, ErrEnvelopeDamaged
	} else if err != nil {
		return nil, fmt.Errorf("reading a backup: %w", err)
	}
	if !bytes.HasPrefix(head, []byte(envelopeMagic)) {
		return nil, ErrEnvelopeDamaged
	}
	s.sum.Write(head)
	copy(s.signer[:], head[len(envelopeMagic):])
	if s.signer == AnySigner { // nobody holds that key
		return nil, ErrEnvelopeDamaged
	}
	if from != AnySigner && s.signer != from {
		return nil, ErrOtherSigner
	}
	return s, nil
}

func (s *signedReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for !s.ended && len(s.held) <= ed25519.SignatureSize {
		chunk := make([]byte, 32<<10)
		n, err := s.r.Read(chunk)
		s.held = append(s.held, chunk[:n]...)
		if err != nil {
			s.ended = true
			if err != io.EOF {
				s.broken = fmt.Errorf("reading a backup: %w", err)
			}
		}
	}
	if s.broken != nil {
		return 0, s.broken
	}
	n := copy(p, s.held[:max(0, len(s.held)-ed25519.SignatureSize)])
	if n == 0 {
		return 0, io.EOF
	}
	s.sum.Write(p[:n])
	s.held = s.held[n:]
	return n, nil
}

// verify reads on to the end, returns io.EOF when the signature is good, and
// else why not.
func (s *signedReader) verify() error {
	if _, err := io.Copy(io.Discard, s); err != nil {
		return s.fault()
	}
	if len(s.held) != ed25519.SignatureSize || !ed25519.Verify(s.signer[:], signed(s.sum), s.held) {
		return s.fault()
	}
	return io.EOF
}

// fault is why reading stopped: the reader below, or what it gave.
func (s *signedReader) fault() error {
	if s.broken != nil {
		return s.broken
	}
	return ErrEnvelopeDamaged
}
